"""The mouth basis: a dozen numbers that say how far a mouth is from rest, for any face.

Coefficients are displacements from the speaker's own neutral (lips closed, at rest) in the
frontal face space of :mod:`labial.geometry`, so 0 means "rest" and one unit of a coefficient is
one standard deviation of it in natural speech. The components were found on real speech by
principal component analysis of the :data:`labial.geometry.MOUTH` points, made exactly
left/right symmetric, and extended to the whole mesh by least squares; they fade to nothing
above the nose tip (``training/basis.py`` builds them).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib import resources

import numpy as np

from labial import geometry
from labial.types import N_LANDMARKS, FloatArray

MOUTH_POINTS: tuple[int, ...] = tuple(sorted(set(geometry.MOUTH)))
RIDGE = 1e-4


@dataclass(frozen=True)
class MouthBasis:
    """Linear map between mouth coefficients and mesh displacement.

    Parameters
    ----------
    components
        (K, 478, 3) float32: displacement in inter-ocular distances for one unit of each
        coefficient.
    variance
        (K,) float32: share of the mouth's variance in the training speech, largest first.
    """

    components: FloatArray
    variance: FloatArray

    def __post_init__(self) -> None:
        k = len(self.components)
        if self.components.shape != (k, N_LANDMARKS, 3) or self.variance.shape != (k,):
            raise ValueError(f"MouthBasis {self.components.shape}, {self.variance.shape}")

    def __len__(self) -> int:
        return len(self.components)

    def displacement(self, coefficients: FloatArray) -> FloatArray:
        """Return (n, 478, 3) displacement from neutral for (n, K) ``coefficients``."""
        flat = coefficients.astype(np.float32) @ self.components.reshape(len(self), -1)
        return np.asarray(flat.reshape(-1, N_LANDMARKS, 3), np.float32)

    def project(self, displacement: FloatArray) -> FloatArray:
        """Return the (n, K) coefficients that explain (n, 478, 3) ``displacement`` best.

        Ridge least squares over the mouth's points; what is not symmetric is not explained.
        """
        mouth = displacement[:, list(MOUTH_POINTS)].reshape(len(displacement), -1)
        return np.asarray(mouth @ self._solver.T, np.float32)

    def aperture(self, coefficients: FloatArray) -> FloatArray:
        """Return the (n,) inner-lip opening beyond neutral, in inter-ocular distances."""
        opening = self.components[:, 14, 1] - self.components[:, 13, 1]
        return np.asarray(coefficients @ opening, np.float32)

    def width(self, coefficients: FloatArray) -> FloatArray:
        """Return the (n,) mouth width beyond neutral, in inter-ocular distances."""
        wider = self.components[:, 291, 0] - self.components[:, 61, 0]
        return np.asarray(coefficients @ wider, np.float32)

    @cached_property
    def _solver(self) -> FloatArray:
        """(K, 3 * points) ridge pseudo-inverse."""
        mouth = self.components[:, list(MOUTH_POINTS)].reshape(len(self), -1).astype(np.float64)
        gram = mouth @ mouth.T
        gram += RIDGE * np.diag(gram).min() * np.eye(len(self))
        return np.linalg.solve(gram, mouth).astype(np.float32)


@lru_cache(maxsize=1)
def load_basis() -> MouthBasis:
    """Return the basis that is part of the package."""
    path = resources.files("labial.motion") / "mouth_basis.npz"
    with path.open("rb") as file, np.load(file) as data:
        return MouthBasis(data["components"], data["variance"])
