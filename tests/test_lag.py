import numpy as np
import pytest

from labial.lag import estimate_lag


def mouth(times: np.ndarray) -> np.ndarray:
    """An opening that never repeats itself."""
    rng = np.random.default_rng(3)
    phases = rng.uniform(0, 2 * np.pi, 12)
    waves = [np.sin(2 * np.pi * f * times + p) for f, p in zip(np.linspace(1, 5, 12), phases)]  # noqa: B905
    return 0.1 + 0.03 * np.mean(waves, axis=0)


@pytest.mark.parametrize("late", [-0.2, -0.04, 0.0, 0.12, 0.25])
def test_lag_is_found(late: float) -> None:
    times, heard = np.arange(0, 12, 1001 / 30000), np.arange(0, 12, 1 / 50)
    seen = mouth(times)
    seen[100:140] = np.nan
    lag = estimate_lag(times, seen, heard, mouth(heard - late))
    assert lag is not None and lag.r > 0.9
    assert lag.seconds == pytest.approx(late, abs=0.015)


def test_lag_is_not_guessed() -> None:
    times, heard = np.arange(0, 12, 0.04), np.arange(0, 12, 1 / 50)
    noise = np.random.default_rng(0).normal(size=len(heard))
    assert estimate_lag(times, mouth(times), heard, noise) is None
    assert estimate_lag(times, mouth(times), heard, np.zeros(len(heard))) is None
    assert estimate_lag(times, np.full(len(times), np.nan), heard, mouth(heard)) is None
    assert estimate_lag(times[:50], mouth(times[:50]), heard, mouth(heard)) is None
    assert estimate_lag(times, mouth(times), heard[:0], heard[:0]) is None
