"""How this person's face looks around each mouth: what the refiner could not know.

A face shades, folds and shows its teeth in its own way. In the mouth plane, what is still wrong
after the refiner is explained by the mouths that were wanted and filmed, linearly and pixel by
pixel, as the appearance part of an active appearance model (Cootes, Edwards and Taylor, "Active
appearance models", PAMI 2001). The fit is a ridge regression in closed form: no steps, no rates.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from labial.render.painter import MOUTHS, Told
from labial.render.plane import HEIGHT, WIDTH
from labial.types import FloatArray

REGRESSORS = 2 * MOUTHS + 1
RIDGES = (1.0, 3.0, 10.0, 30.0)
LEAST_PAIRS = 24
_HELD_BACK = 4
_MOST_HELD_BACK = 40


def regressors(told: Told) -> FloatArray:
    """(REGRESSORS,): the wanted mouth, the filmed one, and 1."""
    return np.concatenate([told.vector()[0, : 2 * MOUTHS], np.ones(1, np.float32)])


@dataclass(frozen=True)
class Appearance:
    """What to add for each mouth.

    Parameters
    ----------
    maps
        (REGRESSORS, HEIGHT, WIDTH, 3) float32 RGB.
    pairs
        From how many pairs of frames it was learned.
    gain
        By how many dB frames that were held back came nearer to the real ones.
    """

    maps: FloatArray
    pairs: int
    gain: float

    def change(self, told: Told) -> FloatArray:
        """Return what to add to the plane's picture, (HEIGHT, WIDTH, 3) RGB."""
        flat = regressors(told) @ self.maps.reshape(REGRESSORS, -1)
        return np.asarray(flat, np.float32).reshape(HEIGHT, WIDTH, 3)


@dataclass
class AppearanceFit:
    """Gathers pairs, then solves; memory does not grow with their number."""

    pairs: int = 0
    _gram: npt.NDArray[np.float64] = field(
        default_factory=lambda: np.zeros((REGRESSORS, REGRESSORS))
    )
    _cross: FloatArray = field(
        default_factory=lambda: np.zeros((REGRESSORS, HEIGHT * WIDTH * 3), np.float32)
    )
    _back: list[tuple[FloatArray, FloatArray]] = field(default_factory=list)

    def add(self, told: Told, missing: FloatArray) -> None:
        """Learn from a pair.

        Parameters
        ----------
        told
            Its numbers.
        missing
            (HEIGHT, WIDTH, 3) real picture minus the refined one, RGB; 0 where nothing is known.
        """
        self.pairs += 1
        x, y = regressors(told), np.asarray(missing, np.float32).ravel()
        if self.pairs % _HELD_BACK == 0 and len(self._back) < _MOST_HELD_BACK:
            self._back.append((x, y))
            return
        self._gram += np.outer(x, x)
        self._cross += np.outer(x, y)

    def solve(self) -> Appearance | None:
        """Return what was learned; None where it was too little or helps no held-back frame."""
        if self.pairs < LEAST_PAIRS:
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
        if best[0] >= before:
            return None
        gain = 10 * np.log10(before / max(best[0], 1e-9))
        maps = best[1].reshape(REGRESSORS, HEIGHT, WIDTH, 3)
        return Appearance(maps, self.pairs, float(gain))
