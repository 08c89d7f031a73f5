"""A face's own look: learned where it is there, refused where it is not."""

import numpy as np
import pytest

from labial.render.appearance import SIZE, AppearanceFit, regressors
from labial.render.painter import Told

RNG = np.random.default_rng(0)


def told() -> Told:
    mouths = RNG.standard_normal((4, 12)).astype(np.float32)
    return Told(*mouths, np.eye(3, dtype=np.float32), 100.0, np.zeros(15, np.float32))


def fitted(truth: np.ndarray | None, noise: float, pairs: int = 120) -> AppearanceFit:
    fit = AppearanceFit()
    for k in range(pairs):
        numbers = told()
        missing = noise * RNG.standard_normal(SIZE)
        if truth is not None:
            missing += np.tensordot(regressors(numbers), truth, 1)
        fit.add(numbers, missing.astype(np.float32), held_back=k % 4 == 3)
    return fit


def test_a_shadow_that_follows_the_mouth_is_learned() -> None:
    truth = np.zeros((13, *SIZE))
    truth[0, 30:40, 20:40], truth[12, :10] = 0.05, 0.02
    look = fitted(truth, 0.01).solve()
    assert look is not None
    assert look.pairs == 120
    assert look.gain > 1
    numbers = told()
    want = np.tensordot(regressors(numbers), truth, 1)
    error = look.change(numbers) - want
    assert np.sqrt((error**2).mean()) < 0.5 * np.sqrt((want**2).mean())


def test_noise_teaches_nothing() -> None:
    assert fitted(None, 0.05).solve() is None


def test_too_little_teaches_nothing() -> None:
    truth = np.full((13, *SIZE), 0.02)
    assert fitted(truth, 0.001, pairs=39).solve() is None
    fit = AppearanceFit()
    for _ in range(100):
        fit.add(told(), np.ones(SIZE, np.float32), held_back=False)
    assert fit.solve() is None, "nothing was held back to measure with"


@pytest.mark.parametrize("pairs", [100, 400])
def test_memory_does_not_grow_with_what_is_learned(pairs: int) -> None:
    fit = fitted(None, 0.05, pairs=10)
    before = fit._cross.nbytes + fit._gram.nbytes
    for _ in range(pairs):
        fit.add(told(), np.zeros(SIZE, np.float32), held_back=False)
    assert fit._cross.nbytes + fit._gram.nbytes == before
