"""Find faces in a picture: BlazeFace short range, with a search in tiles for small faces.

Bazarevsky et al., "BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs", 2019.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from labial import geometry
from labial.face.network import Network
from labial.pixels import sample_rgb8
from labial.types import FloatArray, Frame

_SIZE = 128
# Pixels: what fits into less is too small to be re-synced.
_LEAST_SQUARE = 24
# Faces score .78 and more, turned ones included, but less where the picture cuts them off. In small
# squares lettering and playing cards come up to .68, so more is asked there.
MIN_SCORE, MIN_SCORE_SQUARE = 0.5, 0.7


@dataclass(frozen=True)
class Detection:
    """A face found: ``center`` (2,), ``size`` (width, height), eyes (2,) in stored pixels."""

    center: FloatArray
    size: FloatArray
    right_eye: FloatArray
    left_eye: FloatArray
    score: float


@lru_cache(maxsize=1)
def _anchors() -> FloatArray:
    """(896, 2) anchor centres in 0..1."""
    rows = []
    for stride, count in ((8, 2), (16, 6)):
        cells = _SIZE // stride
        grid = (np.arange(cells) + 0.5) / cells
        y, x = np.meshgrid(grid, grid, indexing="ij")
        rows.append(np.repeat(np.stack([x.ravel(), y.ravel()], 1), count, axis=0))
    return np.concatenate(rows).astype(np.float32)


class FaceDetector:
    """Detect faces in frames; not thread-safe (one interpreter)."""

    def __init__(self, threads: int = 1) -> None:
        self._net = Network("face_detector.tflite", threads)

    def detect(self, frame: Frame, thorough: bool = False) -> list[Detection]:
        """Return the faces in a picture, best first.

        Parameters
        ----------
        frame
            The picture; it is looked at as it will be displayed.
        thorough
            Go on with the finer squares of :meth:`search` until there is a face.
        """
        for found in self.search(frame):
            if found or not thorough:
                return found
        return []

    def search(self, frame: Frame) -> Iterator[list[Detection]]:
        """Yield faces found in ever smaller squares of the picture, best first.

        The first list is of the whole picture; the last finds faces down to about 5 % of the
        picture's height. All of them together cost about thirty times the first.
        """
        w, h = geometry.upright_size(frame.width, frame.height, frame.rotation)
        side = max(w, h)
        yield _suppress(self._square(frame, (w - side) / 2, (h - side) / 2, side, w, h))
        for tile in (min(w, h), min(w, h) / 2, min(w, h) / 3):
            if tile < _LEAST_SQUARE:
                return
            found = [
                d for x, y in _corners(w, h, tile) for d in self._square(frame, x, y, tile, w, h)
            ]
            yield _suppress([d for d in found if d.score >= MIN_SCORE_SQUARE])

    def glance(self, frame: Frame, turn: int) -> list[Detection]:
        """Look at one square of the picture, best first: at the cost of one, all in turn.

        The whole picture, and the squares of its height (or width, if that is less), are looked at
        one after the other as ``turn`` counts up.
        """
        w, h = geometry.upright_size(frame.width, frame.height, frame.rotation)
        side, tile = max(w, h), min(w, h)
        squares = [((w - side) / 2, (h - side) / 2, side)]
        if tile < side:
            squares += [(x, y, tile) for x, y in _corners(w, h, tile)]
        found = self._square(frame, *squares[turn % len(squares)], w, h)
        return _suppress([d for d in found if d.score >= MIN_SCORE_SQUARE])

    @staticmethod
    def turns(frame: Frame) -> int:
        """How many turns of :meth:`glance` see everything."""
        w, h = geometry.upright_size(frame.width, frame.height, frame.rotation)
        return 1 + (len(_corners(w, h, min(w, h))) if w != h else 0)

    def _square(
        self, frame: Frame, x0: float, y0: float, side: float, w: int, h: int
    ) -> list[Detection]:
        """Detect in one square of the upright (w × h) picture."""
        step = side / _SIZE
        upright = np.array([[step, 0, x0], [0, step, y0]], np.float64)
        corners = np.array([[0.0, 0.0], [_SIZE, 0.0], [0.0, _SIZE]])
        stored = geometry.rotate_points(
            corners @ upright[:, :2].T + upright[:, 2], -frame.rotation, w, h
        )
        affine = np.stack(
            [(stored[1] - stored[0]) / _SIZE, (stored[2] - stored[0]) / _SIZE, stored[0]], 1
        )
        image = sample_rgb8(frame, affine.astype(np.float32), (_SIZE, _SIZE))
        boxes, scores = self._net((image.astype(np.float32) / 127.5 - 1)[None])
        raw, logits = boxes[0], scores[0, :, 0]
        belief = 1 / (1 + np.exp(-np.clip(logits, -80, 80)))
        found = []
        for k in np.flatnonzero(belief > MIN_SCORE):
            anchor = _anchors()[k] * _SIZE
            points = np.concatenate([raw[k, :2][None], raw[k, 4:].reshape(-1, 2)]) + anchor
            points = points @ affine[:, :2].T + affine[:, 2]
            center, right, left = points[:3].astype(np.float32)
            size = (raw[k, 2:4] * step).astype(np.float32)
            found.append(Detection(center, size, right, left, float(belief[k])))
        return found


def _corners(w: int, h: int, tile: float) -> list[tuple[float, float]]:
    """Left upper corners of squares that overlap and cover the picture."""
    xs = np.linspace(0, w - tile, int(np.ceil((w - tile) / (tile * 0.6))) + 1)
    ys = np.linspace(0, h - tile, int(np.ceil((h - tile) / (tile * 0.6))) + 1)
    return [(float(x), float(y)) for y in ys for x in xs]


def _suppress(found: list[Detection]) -> list[Detection]:
    """Keep the best of detections that overlap."""
    kept: list[Detection] = []
    for d in sorted(found, key=lambda d: -d.score * float(d.size.max()) ** 0.5):
        if all(np.abs(d.center - k.center).max() > 0.4 * float(k.size.max()) for k in kept):
            kept.append(d)
    return kept
