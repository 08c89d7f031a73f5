"""How this person's face looks around each mouth: what the refiner could not know.

A face shades and folds in its own way. At half the resolution of the mouth plane, what is still
wrong after the refiner is explained by the mouths that were wanted and filmed, linearly and pixel
by pixel, as the appearance part of an active appearance model (Cootes, Edwards and Taylor, "Active
appearance models", PAMI 2001). The fit is a ridge regression in closed form: no steps, no rates.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from labial.render.painter import MOUTHS, Told
from labial.render.plane import HEIGHT, WIDTH
from labial.types import FloatArray

# So many components of both mouths, and 1.
COMPONENTS = 6
REGRESSORS = 2 * COMPONENTS + 1
SIZE = (HEIGHT // 2, WIDTH // 2, 3)
RIDGES = (3.0, 10.0, 30.0, 100.0, 300.0)
LEAST_PAIRS, LEAST_HELD_BACK = 40, 12
# A smaller gain, in dB, is not worth the difference between shots.
LEAST_GAIN = 0.05
_MOST_HELD_BACK = 400


def regressors(told: Told) -> FloatArray:
    """(REGRESSORS,): the wanted mouth, the one of the frame itself, and 1."""
    both = told.vector()[0, : 2 * MOUTHS].reshape(2, MOUTHS)[:, :COMPONENTS]
    return np.concatenate([both.ravel(), np.ones(1, np.float32)])


@dataclass(frozen=True)
class Appearance:
    """What to add for each mouth.

    Parameters
    ----------
    maps
        (REGRESSORS, HEIGHT / 2, WIDTH / 2, 3) float32 RGB.
    pairs
        From how many pairs of frames it was learned.
    gain
        By how many dB frames that were held back came nearer to the real ones.
    """

    maps: FloatArray
    pairs: int
    gain: float

    def change(self, told: Told) -> FloatArray:
        """Return what to add to the plane's picture, (HEIGHT / 2, WIDTH / 2, 3) RGB."""
        flat = regressors(told) @ self.maps.reshape(REGRESSORS, -1)
        return np.asarray(flat, np.float32).reshape(SIZE)


@dataclass
class AppearanceFit:
    """Gathers pairs, then solves; memory does not grow with their number."""

    pairs: int = 0
    _gram: npt.NDArray[np.float64] = field(
        default_factory=lambda: np.zeros((REGRESSORS, REGRESSORS))
    )
    _cross: FloatArray = field(
        default_factory=lambda: np.zeros((REGRESSORS, int(np.prod(SIZE))), np.float32)
    )
    _back: list[tuple[FloatArray, FloatArray]] = field(default_factory=list)

    def add(self, told: Told, missing: FloatArray, *, held_back: bool) -> None:
        """Learn from a pair, or keep it to measure with.

        Parameters
        ----------
        told
            Its numbers.
        missing
            (HEIGHT / 2, WIDTH / 2, 3) real picture minus the refined one, RGB; 0 where nothing is
            known.
        held_back
            True for pairs from parts of the clip that nothing is learned from: neighbours in time
            are so alike that they would praise anything.
        """
        self.pairs += 1
        x, y = regressors(told), np.asarray(missing, np.float32).ravel()
        if held_back:
            if len(self._back) < _MOST_HELD_BACK:
                self._back.append((x, y))
            return
        self._gram += np.outer(x, x)
        self._cross += np.outer(x, y)

    def solve(self) -> Appearance | None:
        """Return what was learned; None where it was too little or helps no held-back frame."""
        if self.pairs < LEAST_PAIRS or len(self._back) < LEAST_HELD_BACK:
            return None
        before = float(np.mean([(y**2).mean() for _, y in self._back]))
        best: tuple[float, FloatArray] | None = None
        for ridge in RIDGES:
            damped = self._gram + ridge * np.eye(REGRESSORS)
            maps = np.asarray(np.linalg.solve(damped, self._cross), np.float32)
            after = float(np.mean([((y - x @ maps) ** 2).mean() for x, y in self._back]))
            if best is None or after < best[0]:
                best = after, maps
        assert best is not None
        gain = 10 * float(np.log10(before / max(best[0], 1e-9)))
        if gain < LEAST_GAIN:
            return None
        return Appearance(best[1].reshape(REGRESSORS, *SIZE), self.pairs, gain)
