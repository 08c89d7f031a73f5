"""Offsets put in by construction, and the towers on rows that mean something."""

import numpy as np
import pytest

from labial.metrics.sync import LAGS, RATE, agreement, load_expert, offset_of
from labial.motion.space import load_basis
from labial.speech.phones import PHONES
from labial.types import MouthMotion, SpeechTrack


def rows(n: int, seed: int = 0) -> np.ndarray:
    """(n, 8) unit rows that wander and never repeat."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n + 8, 8))
    x = np.stack([np.convolve(c, np.hanning(9), "valid") for c in x.T], 1)
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("late", [-25, -3, 0, 1, 14, 30])
def test_a_shift_is_found(late: int) -> None:
    long = rows(500)
    seen, heard = long[60:360], long[60 - late : 360 - late]
    found = offset_of(heard, seen, np.ones(300, bool))
    assert found.seconds == pytest.approx(late / RATE, abs=0.01)
    assert found.confidence > 0.9


def test_half_a_row_is_found() -> None:
    long = rows(500)
    between = (long[1:] + long[:-1]) / 2
    between /= np.linalg.norm(between, axis=1, keepdims=True)
    found = offset_of(between[60:360], long[60:360], np.ones(300, bool))
    assert found.seconds == pytest.approx(-0.01, abs=0.004)


def test_what_does_not_belong_together_is_not_trusted() -> None:
    found = offset_of(rows(300, 1), rows(300, 2), np.ones(300, bool))
    assert found.confidence < 0.5


def test_rows_that_were_not_seen_do_not_count() -> None:
    long = rows(500)
    seen, heard = long[60:360].copy(), long[50:350]
    usable = np.ones(300, bool)
    usable[100:200] = False
    seen[100:200] = rows(100, 3)
    assert offset_of(heard, seen, usable).seconds == pytest.approx(0.2, abs=0.01)
    assert not agreement(heard, seen, np.zeros(300, bool)).any()
    assert len(agreement(heard, seen, usable)) == len(LAGS)


def test_too_little_gives_no_answer() -> None:
    silent = SpeechTrack(
        MouthMotion(np.zeros((200, len(load_basis())), np.float32)),
        np.eye(len(PHONES), dtype=np.float32)[np.zeros(200, int)],
    )
    mouth = silent.motion
    assert load_expert()(silent, mouth, np.zeros(200, bool)) is None
    short = MouthMotion(mouth.coefficients[:40])
    assert load_expert()(silent, short, np.ones(40, bool)) is None


def test_towers_give_a_row_for_every_row_no_longer_than_one() -> None:
    rng = np.random.default_rng(0)
    speech = SpeechTrack(
        MouthMotion(rng.standard_normal((120, len(load_basis()))).astype(np.float32)),
        rng.dirichlet(np.ones(len(PHONES)), 120).astype(np.float32),
    )
    heard, seen = load_expert().towers(speech, MouthMotion(speech.motion.coefficients[:100]))
    assert heard.shape == seen.shape and len(heard) == 100
    for x in (heard, seen):
        length = np.linalg.norm(x, axis=1)
        assert length.min() > 0 and length.max() < 1 + 1e-4


def test_a_still_mouth_says_nothing() -> None:
    rng = np.random.default_rng(0)
    n = 400
    speech = SpeechTrack(
        MouthMotion(rng.standard_normal((n, len(load_basis()))).astype(np.float32)),
        rng.dirichlet(np.ones(len(PHONES)), n).astype(np.float32),
    )
    still = MouthMotion(np.zeros((n, len(load_basis())), np.float32))
    found = load_expert()(speech, still, np.ones(n, bool))
    assert found is not None and found.confidence < 0.5
