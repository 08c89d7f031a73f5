"""Offsets and drifts put in by construction."""

import numpy as np
import pytest

from labial.metrics.drift import BLOCK, Evidence, Line, fit_line, gather, windows
from labial.metrics.sync import RATE

REACH = 75


def wander(n: int, seed: int = 0) -> np.ndarray:
    """(n, 8) rows that wander, smooth enough to be read between two of them."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n + 16, 8))
    x = np.stack([np.convolve(c, np.hanning(17), "valid") for c in x.T], 1)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def pair(
    seconds: float, late: float, drift: float = 0.0, noise: float = 0.5, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Rows of a sound that is ``late`` seconds, plus ``drift`` in each second, and of its mouth."""
    n, around = round(seconds * RATE), 400
    said = wander(n + 2 * around, seed)
    clock = np.arange(n) / RATE
    at = (clock - late - drift * clock) * RATE + around
    heard = np.stack([np.interp(at, np.arange(len(said)), c) for c in said.T], 1)
    rng = np.random.default_rng(seed + 1)
    seen = said[around : around + n] + noise * rng.standard_normal((n, 8)) / 8**0.5
    return heard.astype(np.float32), (seen / (1 + noise)).astype(np.float32)


def evidence_of(
    rows: tuple[np.ndarray, np.ndarray], usable: np.ndarray | None = None, reach: int = REACH
) -> Evidence:
    n = len(rows[1])
    every = np.ones(n, bool)
    return gather(*rows, every if usable is None else usable, np.ones(n, np.float32), reach)


def line_of(rows: tuple[np.ndarray, np.ndarray], *, drifting: bool = True) -> Line:
    line = fit_line(evidence_of(rows), drifting=drifting)
    assert line is not None
    return line


@pytest.mark.parametrize("late", [-0.4, -0.047, 0.0, 0.013, 0.12, 0.4, 1.2])
def test_an_offset_is_found(late: float) -> None:
    line = line_of(pair(12, late), drifting=False)
    assert line.seconds == pytest.approx(late, abs=0.003)
    assert line.drift == 0 and line.confidence > 0.9


@pytest.mark.parametrize("late", [-0.4, 0.0, 0.12])
@pytest.mark.parametrize("minute", [-0.12, -0.05, 0.0, 0.05])
def test_a_drift_is_found_within_its_error(late: float, minute: float) -> None:
    line = line_of(pair(120, late, minute / 60))
    assert line.drift * 60 == pytest.approx(minute, abs=0.002)
    assert abs(line.drift * 60 - minute) < 4 * 60 * line.drift_error < 0.01
    assert line.at(np.array([0.0]))[0] == pytest.approx(late, abs=0.004)
    assert line.middle == pytest.approx(60, abs=0.1)


def test_the_error_says_how_little_a_short_clip_tells() -> None:
    errors = [line_of(pair(seconds, 0.1, noise=2.0)).drift_error for seconds in (10, 40, 160)]
    assert errors[0] > 4 * errors[1] > 16 * errors[2]
    assert line_of(pair(5, 0.1)).drift_error == np.inf


def test_a_long_drift_that_no_single_offset_meets() -> None:
    """Over ten minutes the sound moves by half a second: only along the line do rows agree."""
    rows = pair(600, -0.2, 0.05 / 60)
    drifting, straight = line_of(rows), line_of(rows, drifting=False)
    assert drifting.drift * 60 == pytest.approx(0.05, abs=0.0005)
    assert drifting.at(np.array([0.0, 600.0])) == pytest.approx([-0.2, 0.3], abs=0.004)
    assert drifting.confidence > straight.confidence


def test_what_does_not_belong_together_is_not_trusted() -> None:
    for seed in range(8):
        foreign = pair(12, 0, seed=seed)[0], pair(12, 0, seed=50 + seed)[1]
        assert line_of(foreign, drifting=False).confidence < 0.5


def test_offsets_far_away_need_more_to_be_believed() -> None:
    near, far = (
        fit_line(evidence_of(pair(12, late, noise=1.6), reach=300), drifting=False)
        for late in (0.2, 2.0)
    )
    assert near is not None and far is not None
    assert far.seconds == pytest.approx(2.0, abs=0.01)
    assert near.confidence > far.confidence + 0.02


def test_a_face_that_seldom_speaks_is_told_by_many_votes() -> None:
    """Somebody else is heard in three quarters of the time."""
    heard, seen = pair(240, 0.2, noise=1.0)
    other = pair(240, 0, seed=9)[0]
    mine = np.arange(len(heard)) // (5 * RATE) % 4 == 0
    line = line_of((np.where(mine[:, None], heard, other), seen), drifting=False)
    assert line.seconds == pytest.approx(0.2, abs=0.005)
    assert line.confidence > 0.95


def test_rows_that_were_not_seen_do_not_count() -> None:
    heard, seen = pair(12, 0.2)
    usable = np.ones(len(seen), bool)
    usable[100:350] = False
    broken = seen.copy()
    broken[100:350] = wander(250, 3)
    evidence = evidence_of((heard, broken), usable)
    clean = evidence_of((heard, seen), usable)
    np.testing.assert_array_equal(evidence.score, clean.score)
    assert evidence.rows.sum() == evidence.said.sum() == usable.sum()
    assert fit_line(evidence_of((heard, seen), ~(usable | True))) is None


def test_agreement_is_that_of_every_row_with_every_lag() -> None:
    heard, seen = pair(4, 0.1)
    evidence = evidence_of((heard, seen), reach=60)
    n = len(seen)
    for block, lag in ((0, -60), (1, 0), (3, 17), (7, 60)):
        total = 0.0
        for row in range(block * BLOCK, min((block + 1) * BLOCK, n)):
            with_any = [seen[row] @ heard[row + k] for k in range(-60, 61) if 0 <= row + k < n]
            if 0 <= row + lag < n:
                total += seen[row] @ heard[row + lag] - np.mean(with_any)
        assert evidence.score[block, lag + 60] == pytest.approx(total, abs=1e-3)


def test_windows_follow_a_sound_that_jumps() -> None:
    early, late = pair(20, -0.05, seed=1), pair(20, 0.25, seed=2)
    both = np.concatenate([early[0], late[0]]), np.concatenate([early[1], late[1]])
    evidence = evidence_of(both)
    line = fit_line(evidence, drifting=False)
    assert line is not None
    found = windows(evidence, line, 5, 2.5)
    assert [w.begin for w in found] == [2.5 * k for k in range(15)]
    for window in found:
        if window.end <= 20 or window.begin >= 20:
            want = -0.05 if window.end <= 20 else 0.25
            assert window.seconds == pytest.approx(want, abs=0.01)
            assert window.confidence > 0.6


def test_windows_in_which_little_is_seen_are_left_out() -> None:
    rows = pair(20, 0.1)
    usable = np.ones(20 * RATE, bool)
    usable[: 10 * RATE] = False
    evidence = evidence_of(rows, usable)
    line = fit_line(evidence, drifting=False)
    assert line is not None
    assert [w.begin for w in windows(evidence, line, 5, 5)] == [10, 15]


def test_a_long_film_is_no_trouble() -> None:
    """Memory goes with seconds and lags, not with rows and lags."""
    evidence = evidence_of(pair(1200, 0.1, 0.1 / 60), reach=500)
    assert evidence.score.nbytes < 10e6
    line = fit_line(evidence)
    assert line is not None
    assert line.at(np.array([0.0, 1200.0])) == pytest.approx([0.1, 2.1], abs=0.01)
