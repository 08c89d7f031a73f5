"""Lips that meet, and part, on sounds put where they are known."""

import numpy as np
import pytest

from labial.metrics.closure import TOUCHING, closures, openings, runs
from labial.speech.phones import PHONE_INDEX

SOUNDS = [("sil", 10), ("p", 4), ("a", 10), ("m", 4), ("b", 3), ("s", 6), ("b", 4), ("ɑ", 3)]
LABELS = np.concatenate([np.full(n, PHONE_INDEX[name]) for name, n in SOUNDS])
WIDE = 0.1
# Where p, m with b after it, and b are: three stretches in which lips are to meet.
CLOSED = ((10, 14), (24, 31), (37, 41))


def mouth(*shut: tuple[int, int]) -> np.ndarray:
    """Open but for some rows."""
    opening = np.full(len(LABELS), WIDE)
    for a, b in shut:
        opening[a:b] = 0
    return opening


def test_stretches() -> None:
    assert runs(LABELS, [PHONE_INDEX[x] for x in "pbm"]) == [*CLOSED]
    assert runs(LABELS, []) == []
    assert runs(np.zeros(5, int), [0]) == [(0, 5)]


@pytest.mark.parametrize(
    ("shut", "met"),
    [((), 0), (CLOSED, 3), (((11, 12),), 1), (((9, 10),), 1), (((8, 9),), 0), (((15, 23),), 0)],
)
def test_a_closure_is_met_from_a_row_before_to_a_row_after(shut, met: int) -> None:
    found = closures(mouth(*shut), LABELS)
    assert (found.met, found.heard) == (met, 3)
    assert found.share == met / 3


def test_lips_touch_within_what_the_mesh_leaves() -> None:
    assert closures(np.full(len(LABELS), TOUCHING), LABELS).share == 1
    assert closures(np.full(len(LABELS), TOUCHING + 1e-6), LABELS).share == 0


def test_what_is_not_seen_does_not_count() -> None:
    usable = np.ones(len(LABELS), bool)
    usable[12] = False
    found = closures(mouth(*CLOSED), LABELS, usable)
    assert (found.met, found.heard) == (2, 2)
    assert closures(mouth(), LABELS, np.zeros(len(LABELS), bool)).share is None


def test_a_mouth_that_never_opens_meets_all_closures_and_no_opening() -> None:
    shut = np.zeros(len(LABELS))
    assert closures(shut, LABELS).share == 1
    assert openings(shut, LABELS).share == 0
    assert openings(mouth(*CLOSED), LABELS).share == 1


def test_short_vowels_need_not_open() -> None:
    assert openings(mouth(), LABELS).heard == 1
