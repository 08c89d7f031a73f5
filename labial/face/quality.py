"""How well a face can be re-synced, frame by frame, and why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from labial.face.pose import Poses
from labial.types import FloatArray

# Each pair: as good as can be, and not to be re-synced at all.
_YAW = 33.0, 45.0
"""Degrees."""
_EYES = 38.0, 28.0
"""Pixels between the outer eye corners: a face about 60 and 45 pixels wide."""
_CHIN = 0.03, 0.15
"""How far the chin is out of the picture, in inter-ocular distances."""
_COVERED = 0.18, 0.3
"""Share of the lips."""
# A hand that takes up so much more of the face than that is trusted to hide lips that the mesh
# only guesses at; the microphone of an interview takes up less.
_HAND = 0.1
_FINE = 0.55, 0.38
"""Fine detail, across or down, ÷ that of the track's sharp frames; in clips of people at ease it
hardly falls below .6, and .4 is a movement by a tenth of the eyes' distance in one exposure."""
_SOFT = 0.06, 0.047
"""Fine detail itself, of faces that are large enough to have some."""
_LARGE = 60.0
FADE_FRAMES = 4
# A cover is looked at in so many frames, of which the middle one counts; and it comes in a haste.
_MIDDLE, _AHEAD = 5, 3
# What is in front of the face at all, as a share of what is near the mouth.
_SOMETHING = 0.03

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Sights:
    """What was seen of a mouth in n frames, see :class:`labial.face.cover.Sight`.

    ``lips`` and ``around`` (n,), ``detail`` (n, 2). Frames without the face hold anything.
    """

    lips: FloatArray
    around: FloatArray
    detail: FloatArray

    @classmethod
    def none(cls, n: int) -> Sights:
        """Nothing in front of anything, and all sharp."""
        nothing = np.zeros(n, np.float32)
        return cls(nothing, nothing, np.ones((n, 2), np.float32))

    def covered(self, present: BoolArray) -> FloatArray:
        """(n,) 0..1 share of the lips that is covered; 0 also where nothing is in front at all.

        A cover that is found beside the lips only counts a little, so that it is kept in front.
        """
        lips, around = (_middle(np.where(present, x, 0)) for x in (self.lips, self.around))
        covered = np.maximum(lips, around - _HAND).clip(0.01)
        return _spread(np.where(around > _SOMETHING, covered, 0).astype(np.float32), _AHEAD)


@dataclass(frozen=True)
class Seen:
    """What a face's quality is judged by, in n frames.

    Parameters
    ----------
    mouth, chin
        (n, m, 3) outline of the lips, and points of the chin, in pixels.
    present
        (n,) the face was seen.
    poses
        Of the n frames.
    size
        Width and height of the frames in pixels.
    sights
        What was seen of the mouth.
    passing
        Half-open ranges of rows in which the picture dissolves into another.
    """

    mouth: FloatArray
    chin: FloatArray
    present: BoolArray
    poses: Poses
    size: tuple[int, int]
    sights: Sights
    passing: Sequence[tuple[int, int]] = field(default=())


def judged(seen: Seen) -> tuple[FloatArray, npt.NDArray[np.object_]]:
    """Return per frame (n,) 0..1, and (n,) why not 1; fades on both sides of what is bad."""
    n, scale = len(seen.present), seen.poses.scale
    width, height = seen.size
    outside = ((seen.mouth[..., :2] < 0) | (seen.mouth[..., :2] > (width, height))).any((1, 2))
    beyond = np.maximum(-seen.chin[..., :2], seen.chin[..., :2] - (width, height)).max((1, 2))
    passing = np.ones(n, np.float32)
    for first, last in seen.passing:
        # A track may begin where a dissolve ends.
        rows = np.arange(n)
        away = np.maximum(first - rows, rows - last + 1).clip(0)
        passing = np.minimum(passing, away / np.float32(FADE_FRAMES + 1))
    quality, reasons = np.ones(n, np.float32), np.full(n, "", object)
    for why, good in (
        ("turned away", _between(np.abs(seen.poses.yaw()), *_YAW)),
        ("blurred", _sharp(seen)),
        ("chin out of frame", _between(beyond / scale, *_CHIN)),
        ("too small", _between(scale, *_EYES)),
        ("mouth covered", _between(seen.sights.covered(seen.present), *_COVERED)),
        ("mouth out of frame", np.where(outside, 0, 1).astype(np.float32)),
        ("dissolve", passing),
        ("no face", seen.present.astype(np.float32)),
    ):
        worse = (good < 1) & (good <= quality)
        quality[worse] = good[worse]
        reasons[worse] = why
    return faded(quality), reasons


def faded(quality: FloatArray) -> FloatArray:
    """Limit the slope in time to 1 / FADE_FRAMES without ever exceeding ``quality`` (n,)."""
    out: FloatArray = quality.copy()
    for i in range(1, len(out)):
        out[i] = min(out[i], out[i - 1] + 1 / FADE_FRAMES)
    for i in range(len(out) - 2, -1, -1):
        out[i] = min(out[i], out[i + 1] + 1 / FADE_FRAMES)
    return out


def _sharp(seen: Seen) -> FloatArray:
    """(n,) 0..1: sharp, for this face and at all."""
    detail = seen.sights.detail
    if not seen.present.any():
        return np.ones(len(detail), np.float32)
    usual = np.quantile(detail[seen.present], 0.8, axis=0)
    own = _between((detail / np.maximum(usual, 1e-6)).min(1), *_FINE)
    at_all = _between(detail.min(1), *_SOFT)
    return np.where(seen.poses.scale < _LARGE, own, np.minimum(own, at_all)).astype(np.float32)


def _between(x: npt.NDArray[np.floating], full: float, none: float) -> FloatArray:
    """1 at ``full``, 0 at ``none``, linear between, whichever is larger."""
    return np.asarray(((x - none) / (full - none)).clip(0, 1), np.float32)


def _middle(x: npt.NDArray[np.floating]) -> FloatArray:
    """Median of the frames around each (n,), the ends held."""
    padded = np.pad(x, _MIDDLE // 2, "edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, _MIDDLE)
    return np.asarray(np.median(windows, axis=1), np.float32)


def _spread(x: FloatArray, frames: int) -> FloatArray:
    """Maximum of the frames around each (n,)."""
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(x, frames, "edge"), 2 * frames + 1)
    return np.asarray(windows.max(1), np.float32)
