"""What moves of a photo, plane by plane, laid over what does not.

With matte a, background B and photo I, the share ``I - (1 - a) B`` is moved together with a and
laid over B. Where nothing moves this is the photo exactly, whatever the matte is worth.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

import cv2
import numpy as np
import numpy.typing as npt

from labial.pixels import Box
from labial.render.matte import painted_over
from labial.types import FloatArray, Frame, Plane

_TILE, _STRIDE = 48, 4
# What a pixel may be beside the sampled ones of a map, and the reach of a cubic filter.
_SLACK = 2 * _STRIDE + 3
_NOTHING, _SOLID, _MIXED = range(3)


@dataclass(frozen=True)
class Cutout:
    """The moving part of one plane.

    Parameters
    ----------
    index
        Which plane of the picture.
    box
        Its part that may change, in samples of the plane.
    matte
        (h, w) float32 0..1: 1 is the head, 0 the background.
    behind
        (h, w) float32 code values of the background, continued behind the head.
    """

    index: int
    box: Box
    matte: FloatArray
    behind: FloatArray

    def lay(self, plane: Plane, where: FloatArray, top: int) -> None:
        """Move the head within a plane, which is written to.

        Parameters
        ----------
        plane
            The plane as it is, head and background.
        where
            (h, w, 2) float32: the sample of ``box`` that each of its samples comes from.
        top
            The highest code value.
        """
        box = self.box
        part = plane[box.y0 : box.y1, box.x0 : box.x1]
        own = part - (1 - self.matte) * self.behind
        for rows, cols, kind in self._runs(where):
            at = where[rows, cols]
            new = cv2.remap(own, at, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
            if kind == _MIXED:
                # The same filter as for the head's share, so that both cancel out to the end.
                matte = cv2.remap(
                    self.matte, at, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
                )  # type: ignore[call-overload]
                new = new + (1 - matte) * self.behind[rows, cols]
            part[rows, cols] = np.rint(new).clip(0, top)

    def _runs(self, where: FloatArray) -> list[tuple[slice, slice, int]]:
        """Tiles in which something changes, joined along the rows, and whether they are solid."""
        height, width = self.matte.shape
        few = where[::_STRIDE, ::_STRIDE]
        starts = [np.arange(0, size, _TILE // _STRIDE) for size in few.shape[:2]]
        low, high = (
            by.reduceat(by.reduceat(few, starts[0], axis=0), starts[1], axis=1)
            for by in (np.minimum, np.maximum)
        )
        x0, y0 = ((low[..., k] - _SLACK).astype(int) for k in (0, 1))
        x1, y1 = ((high[..., k] + _SLACK).astype(int) for k in (0, 1))
        here = np.meshgrid(starts[1] * _STRIDE, starts[0] * _STRIDE)
        # What a tile shows now counts as well: a head that leaves it leaves background behind.
        x0, y0 = np.minimum(x0, here[0]), np.minimum(y0, here[1])
        x1, y1 = np.maximum(x1, here[0] + _TILE), np.maximum(y1, here[1] + _TILE)
        x0, x1 = x0.clip(0, width - 1), x1.clip(1, width)
        y0, y1 = y0.clip(0, height - 1), y1.clip(1, height)
        some, part = (
            s[y1, x1] - s[y0, x1] - s[y1, x0] + s[y0, x0] for s in (self._some, self._part)
        )
        kinds = np.where(some == 0, _NOTHING, np.where(part == 0, _SOLID, _MIXED))
        runs = []
        for row, line in enumerate(kinds.tolist()):
            col = 0
            for kind, group in groupby(line):
                n = len(list(group))
                if kind != _NOTHING:
                    rows = slice(row * _TILE, min((row + 1) * _TILE, height))
                    runs.append((rows, slice(col * _TILE, min((col + n) * _TILE, width)), kind))
                col += n
        return runs

    @cached_property
    def _some(self) -> npt.NDArray[np.int32]:
        """Integral of the samples that are not all background."""
        return np.asarray(cv2.integral((self.matte > 0).astype(np.uint8)), np.int32)

    @cached_property
    def _part(self) -> npt.NDArray[np.int32]:
        """Integral of the samples that are not all head."""
        return np.asarray(cv2.integral((self.matte < 1).astype(np.uint8)), np.int32)

    def cropped(self, left: int, top: int, right: int, bottom: int) -> Cutout:
        """Return the part between these samples of ``box``, as far as it reaches."""
        right, bottom = min(right, self.box.width), min(bottom, self.box.height)
        box = Box(self.box.x0 + left, self.box.y0 + top, self.box.x0 + right, self.box.y0 + bottom)
        matte, behind = (
            np.ascontiguousarray(x[top:bottom, left:right]) for x in (self.matte, self.behind)
        )
        return Cutout(self.index, box, matte, behind)


def cut_planes(frame: Frame, box: Box, matte: FloatArray | None, unit: float) -> list[Cutout]:
    """Return the moving part of every colour plane.

    Parameters
    ----------
    frame
        The photo.
    box
        An aligned box of it.
    matte
        (h, w) of ``box``; None where all of it moves.
    unit
        Inter-ocular distance in pixels.
    """
    if matte is None:
        matte = np.ones((box.height, box.width), np.float32)
    found = []
    for index in range(len(frame.planes) - int(frame.format.alpha)):
        sx, sy = frame.format.subsampling(index)
        part = Box(box.x0 >> sx, box.y0 >> sy, -(-box.x1 >> sx), -(-box.y1 >> sy))
        size = (part.width, part.height)
        own = cv2.resize(matte, size, interpolation=cv2.INTER_AREA) if sx or sy else matte
        own = np.asarray(own, np.float32)
        plane = frame.planes[index][part.y0 : part.y1, part.x0 : part.x1].astype(np.float32)
        behind = painted_over(plane, own > 0, unit / (1 << sx))
        found.append(Cutout(index, part, own, np.ascontiguousarray(behind)))
    return found
