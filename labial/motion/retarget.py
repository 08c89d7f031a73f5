"""Bring speech motion to one filmed face: where every mesh point has to go, frame by frame.

The source's own speech motion (what the mouth basis explains of its landmarks) is taken out and
the wanted one put in. What the basis does not explain belongs to the person (asymmetry, a smile,
the error of the mesh at this angle): its slow part stays, its fast part goes, so that the lips
land exactly where they are wanted.
"""

from __future__ import annotations

from copy import copy
from functools import lru_cache
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from labial import geometry
from labial.motion.space import MouthBasis
from labial.types import N_LANDMARKS, FaceTrack, FloatArray

LIPS = np.array(
    [
        *geometry.OUTER_UPPER, *geometry.OUTER_LOWER[1:-1],
        *geometry.INNER_UPPER, *geometry.INNER_LOWER[1:-1],
    ]
)  # fmt: skip
_ROW = {int(v): i for i, v in enumerate(LIPS)}
UPPER_ROW, LOWER_ROW = _ROW[13], _ROW[14]
_INNER_UPPER = np.array([_ROW[v] for v in geometry.INNER_UPPER[1:-1]])
_INNER_LOWER = np.array([_ROW[v] for v in geometry.INNER_LOWER[1:-1]])
_ALL = np.arange(N_LANDMARKS)
_SLOW_SECONDS = 0.4
# The outline of the face from the temples to both sides of the chin, which does not move, and
# from how far inside it, in face space, skin moves in full.
SIDES = (
    (127, 234, 93, 132, 58, 172, 136, 150),
    (356, 454, 323, 361, 288, 397, 365, 379),
)
_FALLOFF = 0.25
# The mesh leaves about this much between lips that touch, in inter-ocular distances.
_REST_GAP = 0.012
_CHUNK = 2000
# Jaw, chin and cheeks are smoothed over so long where they move by less than the second.
_CALM_SECONDS, _TREMBLE = 0.04, 0.004
_SKIN = np.setdiff1d(geometry.MOUTH, LIPS)


class Retarget:
    """Wanted mouth shapes for the frames of one track.

    Parameters
    ----------
    track
        The filmed face.
    basis
        The mouth basis.
    coefficients
        (len(track), K) float32: the wanted motion, sampled at the track's frame times.
    rate
        Frames a second, for the width of the slow filter.
    """

    def __init__(
        self, track: FaceTrack, basis: MouthBasis, coefficients: FloatArray, rate: float
    ) -> None:
        if len(coefficients) != len(track):
            raise ValueError(f"{len(coefficients)} coefficients for {len(track)} frames")
        self._track, self._basis, self._wanted = track, basis, coefficients
        self._neutral = _shut(track.neutral, basis)
        self._own = np.zeros_like(coefficients)
        rest = np.zeros((len(track), len(LIPS), 3), np.float32)
        for first in range(0, len(track), _CHUNK):
            rows = np.arange(first, min(first + _CHUNK, len(track)))
            shift = track.local(rows, _ALL) - self._neutral
            shift[~track.present[rows]] = 0
            self._own[rows] = basis.project(shift)
            explained = basis.displacement(self._own[rows])
            rest[rows] = (shift - explained)[:, LIPS]
        self._slow = slow_part(rest, track.present, _SLOW_SECONDS * rate)
        self._own = _calm(self._own, track.present, basis, _CALM_SECONDS * rate)
        # A slow rest must not hold the lips apart: only the speech opens the mouth.
        middle = (self._slow[:, _INNER_UPPER] + self._slow[:, _INNER_LOWER]) / 2
        self._slow[:, _INNER_UPPER] = middle
        self._slow[:, _INNER_LOWER] = middle

    def mouths(self, row: int) -> tuple[FloatArray, FloatArray]:
        """Return the wanted mouth and the one filmed, (K,) each, of a row of the track."""
        return self._wanted[row], self._own[row]

    def wanting(self, row: int, mouth: FloatArray) -> Retarget:
        """Return the same, but for a wanted ``mouth`` (K,) in one row."""
        other = copy(self)
        other._wanted = self._wanted.copy()
        other._wanted[row] = mouth
        return other

    def lips(self, rows: slice = slice(None)) -> FloatArray:
        """Wanted lips (n, len(LIPS), 3) in face space, of all rows or some."""
        flat = self._basis.components[:, LIPS].reshape(len(self._basis), -1)
        moved = (self._wanted[rows] @ flat).reshape(-1, len(LIPS), 3)
        return _closed(self._neutral[LIPS] + moved + self._slow[rows])

    def displacement(self, row: int) -> FloatArray:
        """Return how far each point has to move from where it was filmed.

        Parameters
        ----------
        row
            Row of the track.

        Returns
        -------
        (478, 3) float32 in face space; weakened by the track's quality in that frame, and zero
        where it is zero.
        """
        rows = np.array([row])
        change = self._basis.displacement(self._wanted[rows] - self._own[rows])[0]
        moved = self._basis.displacement(self._wanted[rows])[:, LIPS]
        lips = _closed(self._neutral[LIPS] + moved + self._slow[rows])[0]
        filmed = self._track.local(rows, LIPS)[0]
        change = change + _spread() @ (lips - filmed - change[LIPS])
        return np.asarray(change * _free() * self._track.quality[row], np.float32)


def own_motion(track: FaceTrack, basis: MouthBasis) -> FloatArray:
    """Return (len(track), K) the mouth as it was filmed, 0 where there is no face.

    Relative to the neutral with its lips closed, as everything that :class:`Retarget` is told.
    """
    neutral = _shut(track.neutral, basis)
    own = np.zeros((len(track), len(basis)), np.float32)
    for first in range(0, len(track), _CHUNK):
        rows = np.arange(first, min(first + _CHUNK, len(track)))
        rows = rows[track.present[rows]]
        if not len(rows):
            continue
        own[rows] = basis.project(track.local(rows, _ALL) - neutral)
    return own


def slow_part(x: FloatArray, trust: npt.NDArray[np.bool_], sigma: float) -> FloatArray:
    """Smooth (n, …) along time: a zero-phase Gaussian of ``sigma`` rows over those trusted."""
    flat = x.reshape(len(x), -1)
    size = 2 * int(3 * sigma) + 1
    weight = trust.astype(np.float32)[:, None]
    border = cv2.BORDER_REPLICATE
    total = cv2.GaussianBlur(flat * weight, (1, size), sigmaX=1, sigmaY=sigma, borderType=border)
    norm = cv2.GaussianBlur(weight, (1, size), sigmaX=1, sigmaY=sigma, borderType=border)
    return np.asarray(total / norm.reshape(-1, 1).clip(1e-3), np.float32).reshape(x.shape)


def _calm(
    own: FloatArray, trust: npt.NDArray[np.bool_], basis: MouthBasis, sigma: float
) -> FloatArray:
    """Smooth (n, K) where it only trembles, and leave it where it moves.

    The mesh is never quite still. Lips land where they are wanted whatever is taken for the
    source's own motion, but jaw and cheeks would shake with it.
    """
    slow = slow_part(own, trust, sigma)
    fast = own - slow
    square = (np.tensordot(fast, basis.components[:, _SKIN], 1) ** 2).sum(-1).mean(-1)
    return np.asarray(slow + (square / (square + _TREMBLE**2))[:, None] * fast, np.float32)


def _shut(neutral: FloatArray, basis: MouthBasis) -> FloatArray:
    """Close the lips of somebody who never does, the likeliest way that the basis knows."""
    gap = float(neutral[14, 1] - neutral[13, 1]) - _REST_GAP
    if gap < _REST_GAP:
        return neutral
    opening = basis.aperture(np.eye(len(basis), dtype=np.float32))
    shut = opening * (gap / float(opening @ opening))
    return np.asarray(neutral - basis.displacement(shut[None])[0], np.float32)


def _closed(lips: FloatArray) -> FloatArray:
    """Let lips meet rather than cross."""
    upper, lower = lips[:, _INNER_UPPER], lips[:, _INNER_LOWER]
    crossed = (lower[..., 1] - upper[..., 1]).clip(max=0)
    upper[..., 1] += crossed / 2
    lower[..., 1] -= crossed / 2
    out: FloatArray = lips.copy()
    out[:, _INNER_UPPER], out[:, _INNER_LOWER] = upper, lower
    return out


@lru_cache(maxsize=1)
def _free() -> FloatArray:
    """(478, 1) 0..1: the nose stays where it is, and so does the outline of cheeks and jaw.

    What lies beside the face would be dragged along by its outline. Only the chin goes up and
    down, over the neck.
    """
    canonical, _ = geometry.canonical_mesh()
    x, y = canonical[:, 0], canonical[:, 1]
    free = np.ones((N_LANDMARKS, 1), np.float32)
    free[: len(canonical), 0] -= np.exp(-((x / 0.26) ** 6)) * ((0.64 - y) / 0.09).clip(0, 1)
    gap = np.full(len(canonical), np.inf)
    for side in SIDES:
        outline = canonical[list(side), :2]
        for a, b in pairwise(outline):
            along = (((canonical[:, :2] - a) @ (b - a)) / ((b - a) @ (b - a))).clip(0, 1)
            away = canonical[:, :2] - a - along[:, None] * (b - a)
            gap = np.minimum(gap, np.linalg.norm(away, axis=1))
    near = (gap / _FALLOFF).clip(0, 1)
    free[: len(canonical), 0] *= near**2 * (3 - 2 * near)
    return free


@lru_cache(maxsize=1)
def _spread() -> FloatArray:
    """(478, len(LIPS)): how a correction of the lips carries the skin around them along."""
    canonical, _ = geometry.canonical_mesh()
    gap = np.linalg.norm(canonical[:, None] - canonical[LIPS][None], axis=-1)
    near = np.exp(-0.5 * (gap / 0.05) ** 2) + 1e-12
    near *= np.exp(-((gap.min(1, keepdims=True) / 0.13) ** 2)) / near.sum(1, keepdims=True)
    near[LIPS] = np.eye(len(LIPS))
    full = np.zeros((N_LANDMARKS, len(LIPS)), np.float32)
    full[: len(canonical)] = near
    return full
