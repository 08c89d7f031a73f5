"""Curves whose likeness, lag and range are known."""

import numpy as np
import pytest

from labial.metrics.articulation import correlation, lag_of, lip_distance, range_ratio

T = np.arange(400) / 50
CURVE = np.sin(2 * np.pi * 1.3 * T) + 0.5 * np.sin(2 * np.pi * 2.9 * T + 1)
ALL = np.ones(400, bool)


def test_correlation() -> None:
    assert correlation(CURVE, 3 * CURVE + 2) == pytest.approx(1)
    assert correlation(CURVE, -CURVE) == pytest.approx(-1)
    assert correlation(CURVE, np.full(400, 0.3)) == pytest.approx(0, abs=1e-3)
    noise = np.random.default_rng(0).standard_normal((2, 5000))
    assert abs(correlation(noise[0], noise[1])) < 0.05
    # As much noise as signal: r is the root of a half.
    assert correlation(noise[0], noise[0] + noise[1]) == pytest.approx(0.5**0.5, abs=0.02)


@pytest.mark.parametrize("rows", [-6, -2, 0, 1, 5])
def test_a_lag_is_found(rows: int) -> None:
    seconds, r = lag_of(CURVE, np.roll(CURVE, rows), ALL)
    assert seconds == pytest.approx(rows / 50, abs=0.01)
    assert r > 0.97


def test_too_few_rows_tell_nothing() -> None:
    assert lag_of(CURVE, CURVE, np.arange(400) < 20)[1] == -1


def test_a_mumble_has_less_range() -> None:
    assert range_ratio(0.4 * CURVE + 1, CURVE) == pytest.approx(0.4)
    assert range_ratio(np.zeros(400), CURVE) == 0


def test_lips_that_are_elsewhere() -> None:
    lips = np.random.default_rng(0).standard_normal((7, 20, 3))
    assert lip_distance(lips, lips) == 0
    assert lip_distance(lips + np.array([0.03, 0.04, 0]), lips) == pytest.approx(0.05)
    with pytest.raises(ValueError, match="lips of"):
        lip_distance(lips, lips[:3])
