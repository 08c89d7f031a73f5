"""Where the lips meet or part: the two sides of the lip line, pixel by pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from labial import geometry
from labial.pixels import Box
from labial.types import FloatArray

UPPER, LOWER = list(geometry.INNER_UPPER), list(geometry.INNER_LOWER)
# The line is looked up in a table with so many entries a pixel.
_FINE = 8
# Lips so many pixels apart still count as touching; a pixel farther, they are apart.
_SLIT = 0.25


@dataclass(frozen=True)
class LipLine:
    """The lip line of one mouth, and what lies on its two sides.

    Parameters
    ----------
    below
        (h, w) float32 0..1: below the lip line, which runs on sideways from the mouth corners.
    opening
        (h, w) float32 0..1: between the lips, by coverage: lips that touch, or nearly, leave
        nothing.
    over, under, gap
        The parts of the box where ``below`` is not 1, where it is not 0, and where ``opening`` is
        not 0; the last may be empty.
    """

    below: FloatArray
    opening: FloatArray
    over: Box
    under: Box
    gap: Box
    _moved: FloatArray
    _place: npt.NDArray[np.intp]
    _depth: FloatArray
    _along: FloatArray
    _lips: tuple[FloatArray, FloatArray]

    def between(self, landmarks: FloatArray) -> FloatArray:
        """Where the pixels of ``gap`` lie between the lips of another picture.

        Parameters
        ----------
        landmarks
            (478, ≥2) of that picture.

        Returns
        -------
        (gap.height, gap.width, 2) float32 pixels, straight across from lip to lip, so that a gap
        may be as thin as it likes.
        """
        upper, lower = (
            np.stack(
                [
                    np.interp(self._along, u, landmarks[row, k] - self._moved[row, k])
                    for k in (0, 1)
                ],
                1,
            ).astype(np.float32)
            for u, row in zip(self._lips, (UPPER, LOWER), strict=True)
        )
        at = self._depth[..., None] * (lower - upper)[self._place]
        at += upper[self._place]
        at[..., 0] += np.arange(self.gap.x0, self.gap.x1, dtype=np.float32) + np.float32(0.5)
        at[..., 1] += np.arange(self.gap.y0, self.gap.y1, dtype=np.float32)[:, None] + 0.5
        return np.asarray(at, np.float32)


def lip_line(moved: FloatArray, box: Box) -> LipLine:
    """Find the lip line of a mouth (478, ≥2) in the pixels of ``box``."""
    first, last = moved[UPPER[0], :2], moved[UPPER[-1], :2]
    long = float(np.linalg.norm(last - first))
    along = (last - first) / max(long, 1e-6)
    axes = np.stack([along, [-along[1], along[0]]]).astype(np.float32)
    below = np.zeros((box.height, box.width), np.float32)
    opening = np.zeros_like(below)
    top, bottom = 0, box.height
    if along[0] > 0.9:
        # Farther up and down than the line can reach, the answer is known.
        slant = abs(along[1] / along[0]) * box.width
        line = moved[[*UPPER, *LOWER], 1] - box.y0
        top = int(np.clip(line.min() - slant - 2, 0, box.height))
        bottom = int(np.clip(line.max() + slant + 3, top, box.height))
        below[bottom:] = 1
    x = np.arange(box.x0, box.x1, dtype=np.float32) + np.float32(0.5) - first[0]
    y = np.arange(box.y0 + top, box.y0 + bottom, dtype=np.float32)[:, None] + 0.5 - first[1]
    v = axes[1, 0] * x + axes[1, 1] * y
    table = np.arange(int(long * _FINE) + 2, dtype=np.float32) / np.float32(_FINE)
    place = (_FINE * axes[0, 0] * x + _FINE * axes[0, 1] * y + np.float32(0.5)).astype(np.intp)
    np.clip(place, 0, len(table) - 1, out=place)
    lips = [(moved[row, :2] - first) @ axes.T for row in (UPPER, LOWER)]
    rising = tuple(np.maximum.accumulate(lip[:, 0]) for lip in lips)
    edge = [
        np.interp(table, u, lip[:, 1]).astype(np.float32)
        for u, lip in zip(rising, lips, strict=True)
    ]
    # Lips meet in the corners and beyond, even where a turned head hides part of them behind one.
    for lip in edge:
        lip[[0, -1]] = 0
    upper, lower = edge[0][place], edge[1][place]
    below[top:bottom] = (v - (upper + lower) / 2 + 0.5).clip(0, 1)
    covered = np.minimum(v + 0.5, lower) - np.maximum(v - 0.5, upper)
    # A slit of less than a pixel has its darkness from the lips; teeth must not glint in it.
    opening[top:bottom] = covered.clip(0, 1) * (lower - upper - _SLIT).clip(0, 1)
    gap = _extent(opening, box, top, bottom)
    rows = slice(gap.y0 - box.y0 - top, gap.y1 - box.y0 - top)
    part = (rows, slice(gap.x0 - box.x0, gap.x1 - box.x0))
    upper, lower = upper[part], lower[part]
    depth = ((v[part] - upper) / np.maximum(lower - upper, 1e-3)).clip(0, 1)
    return LipLine(
        below,
        opening,
        _rows(below < 1, box, 0, bottom),
        _rows(below > 0, box, top, box.height),
        gap,
        moved,
        place[part],
        np.asarray(depth, np.float32),
        table,
        (rising[0], rising[1]),
    )


def _rows(mask: npt.NDArray[np.bool_], box: Box, top: int, bottom: int) -> Box:
    """The rows ``top`` to ``bottom`` of ``box``, less those at both ends where nothing is set."""
    rows = np.flatnonzero(mask[top:bottom].any(1))
    if not len(rows):
        return Box(box.x0, box.y0, box.x1, box.y0)
    y0 = box.y0 + top
    return Box(box.x0, y0 + int(rows[0]), box.x1, y0 + int(rows[-1]) + 1)


def _extent(mask: npt.NDArray[Any], box: Box, top: int, bottom: int) -> Box:
    """The part of ``box`` where ``mask`` is not 0, which it is only in rows top to bottom."""
    part = mask[top:bottom] > 0
    rows, cols = np.flatnonzero(part.any(1)), np.flatnonzero(part.any(0))
    y0 = box.y0 + top
    if not len(rows):
        return Box(box.x0, y0, box.x0, y0)
    x0, y0 = box.x0 + int(cols[0]), y0 + int(rows[0])
    return Box(x0, y0, box.x0 + int(cols[-1]) + 1, box.y0 + top + int(rows[-1]) + 1)
