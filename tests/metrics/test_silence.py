"""A mouth that moves in silences put where they are known."""

import numpy as np
import pytest

from labial.metrics.silence import MOVING, STANDING, leaking, resting, silence_leak
from labial.speech.phones import PHONE_INDEX

A = PHONE_INDEX["a"]
LABELS = np.array([0] * 40 + [A] * 30 + [0] * 50 + [A] * 20 + [0] * 12 + [A] * 20)
# Before the first sound; and in the long pause, which is settled into and left ahead of the sound.
REST = [*range(32), *range(79, 112)]


def trembling(rows: list[int], step: float) -> np.ndarray:
    """Opens and shuts by ``step`` in 40 ms at some rows."""
    opening = np.zeros(len(LABELS))
    for row in rows:
        opening[row] = step * (row % 4 < 2)
    return opening


def test_where_a_mouth_should_rest() -> None:
    assert np.flatnonzero(resting(LABELS)).tolist() == REST
    assert resting(np.zeros(30, int)).all()
    assert not resting(np.full(30, A)).any()


def test_a_mouth_that_rests_does_not_leak() -> None:
    found = silence_leak(np.zeros(len(LABELS)), LABELS)
    assert (found.moving, found.standing, found.rows) == (0, 0, len(REST))
    assert found.moves == 0 and found.stands == 0


def test_movement_in_speech_is_none_in_silence() -> None:
    spoken = [row for row in range(len(LABELS)) if LABELS[row] == A]
    assert silence_leak(trembling(spoken, 0.1), LABELS).moves == 0


@pytest.mark.parametrize(("step", "moves"), [(1.01 * MOVING, True), (0.9 * MOVING, False)])
def test_movement_in_silence_leaks(step: float, moves: bool) -> None:
    share = silence_leak(trembling(REST, step), LABELS).moves
    assert share is not None and (share > 0.9 if moves else share == 0)


def test_half_of_it_is_half() -> None:
    share = silence_leak(trembling(REST[32:], 0.1), LABELS).moves
    assert share == pytest.approx(33 / len(REST), abs=0.04)


def test_a_mouth_that_stands_open_does_not_move() -> None:
    opening = np.full(len(LABELS), 1.1 * STANDING)
    found = silence_leak(opening, LABELS)
    assert (found.moves, found.stands) == (0, 1)
    assert leaking(opening).all() and not leaking(np.zeros(9)).any()


def test_what_is_not_seen_does_not_count() -> None:
    found = silence_leak(trembling(REST, 0.1), LABELS, np.zeros(len(LABELS), bool))
    assert found.rows == 0 and found.moves is None and found.stands is None
