"""Motion at picture times: exact for any frame rate, at rest beyond the speech."""

from fractions import Fraction

import numpy as np
import pytest

from labial.motion.timing import EASE_SECONDS, frame_rate, frame_step, sample
from labial.types import MouthMotion


def swing(hertz: float, seconds: float = 4.0) -> MouthMotion:
    t = np.arange(int(seconds * 50) + 1) / 50
    return MouthMotion(np.sin(2 * np.pi * hertz * t).astype(np.float32)[:, None])


@pytest.mark.parametrize(
    "rate", [Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001), Fraction(60)]
)
def test_frames_get_the_motion_of_their_own_time(rate: Fraction) -> None:
    times = np.array([float(Fraction(i) / rate) for i in range(int(3.9 * rate))])
    got = sample(swing(3), times)[:, 0]
    assert np.abs(got - np.sin(2 * np.pi * 3 * times)).max() < 0.012


def test_late_frames_do_not_drift() -> None:
    rows = np.zeros((50 * 3600, 1), np.float32)
    rows[-100] = 1
    peak = (len(rows) - 100) / 50
    n = round(peak * 24000 / 1001)
    times = np.array([float(Fraction(i) * 1001 / 24000) for i in range(n - 40, n + 40)])
    got = sample(MouthMotion(rows), times)[:, 0]
    assert abs(times[got.argmax()] - peak) <= 0.5 * 1001 / 24000


def test_rows_are_met_exactly_in_any_order() -> None:
    rng = np.random.default_rng(0)
    motion = MouthMotion(rng.standard_normal((40, 12)).astype(np.float32))
    order = rng.permutation(40)
    assert np.allclose(sample(motion, order / 50), motion.coefficients[order], atol=1e-5)


def test_a_closure_between_pictures_rows_is_kept() -> None:
    rows = np.ones((21, 1), np.float32)
    rows[10] = 0
    assert sample(MouthMotion(rows), np.array([0.2]))[0, 0] == pytest.approx(0, abs=1e-6)


def test_the_mouth_rests_before_and_after() -> None:
    motion = MouthMotion(np.ones((51, 3), np.float32))
    times = np.array([-1.0, -EASE_SECONDS, -EASE_SECONDS / 2, 0, 1, 1 + EASE_SECONDS / 2, 9.0])
    got = sample(motion, times)[:, 0]
    assert np.allclose(got, [0, 0, 0.5, 1, 1, 0.5, 0], atol=1e-6)


def test_the_rest_may_be_the_speakers_own() -> None:
    rest = np.array([0.3, -0.2, 0.0], np.float32)
    motion = MouthMotion(np.ones((51, 3), np.float32))
    got = sample(motion, np.array([-1.0, 0.5, 9.0]), rest)
    assert np.allclose(got, [rest, np.ones(3), rest], atol=1e-6)
    nothing = MouthMotion(np.zeros((0, 3), np.float32))
    assert np.allclose(sample(nothing, np.array([0.5]), rest), rest)


def test_frames_a_second() -> None:
    assert frame_rate(np.arange(100) * 1001 / 24000) == pytest.approx(24000 / 1001)
    assert frame_rate(np.array([3.0])) == 25


@pytest.mark.parametrize("n", [0, 1, 2])
def test_very_short_motion(n: int) -> None:
    got = sample(MouthMotion(np.ones((n, 12), np.float32)), np.array([0.0, 0.01, 5.0]))
    assert got.shape == (3, 12)
    assert np.allclose(got[2], 0)


def test_a_pause_between_frames_is_not_their_usual_step() -> None:
    assert frame_step(np.array([0.0, 0.04, 0.08, 5.0, 5.04])) == pytest.approx(0.04)
    assert frame_step(np.array([3.0])) == 0.04
