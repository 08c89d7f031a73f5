"""Sequences whose trembling is put in by construction."""

import numpy as np
import pytest

from labial.metrics.temporal import flicker, trembling


def sequence(n: int = 30) -> np.ndarray:
    """(n, 20, 24) float64: a bright spot that swings slowly, on a plain ground."""
    y, x = np.mgrid[:20, :24]
    at = 12 + 5 * np.sin(np.arange(n) * 2 * np.pi / 25)
    return 0.3 + 0.4 * np.exp(-((x - at[:, None, None]) ** 2 + (y - 10) ** 2) / 18)


def alternating(n: int, step: float) -> np.ndarray:
    return step * (-1.0) ** np.arange(n)[:, None, None]


def test_what_alternates_passes_the_filter_whole() -> None:
    assert trembling(0.5 + alternating(10, 0.1) * np.ones((10, 4, 4))) == pytest.approx(0.01)


def test_what_stays_or_changes_evenly_does_not_tremble() -> None:
    still = np.full((10, 4, 4, 3), 0.4)
    ramp = still + np.linspace(0, 0.5, 10)[:, None, None, None]
    assert trembling(still) == 0
    assert trembling(ramp) == pytest.approx(0, abs=1e-20)


def test_the_same_sequence_is_one() -> None:
    x = sequence()
    assert flicker(x, x) == 1
    assert flicker(x[:20], x[5:25]) == pytest.approx(1, abs=0.3)
    still = np.zeros((5, 4, 4))
    assert flicker(still, still) == 1
    assert flicker(x, np.repeat(x[:1], 30, 0)) == float("inf")


def test_alternating_brightness_flickers_the_more_the_stronger_it_is() -> None:
    x = sequence()
    faint, plain = (flicker(x + alternating(30, step), x) for step in (0.02, 0.1))
    assert 1 < faint < plain


def test_noise_flickers_and_smoothing_in_time_calms() -> None:
    x = sequence()
    noisy = x + np.random.default_rng(0).normal(0, 0.02, x.shape)
    calm = (noisy[:-2] + noisy[1:-1] + noisy[2:]) / 3
    assert flicker(noisy, x) > 2
    assert flicker(calm, noisy) < 0.5


def test_a_jump_is_seen() -> None:
    """A patch shown from another take halfway: its one step counts in two differences."""
    x = sequence()
    y = x.copy()
    y[15:, 5:15, 5:15] += 0.2
    assert flicker(y, x) > 1.2


def test_too_short_a_sequence_is_refused() -> None:
    with pytest.raises(ValueError, match="3 are needed"):
        trembling(np.zeros((2, 4, 4)))
