"""Eyes of a photo that blink and look about: skin of the lids drawn over, the iris shifted.

An upper lid closes by stretching the skin between brow and lashes, not by moving what is on its
edge; so the map is stiff at the lashes and gives in below the brow. What lies between the lids is
sampled apart from them, so that an eye that closes is covered, never squeezed.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from labial.pixels import Box, add_rgb, aligned, read_rgb
from labial.types import FloatArray, Frame

# Outer to inner corner, or the other way round: both lids of an eye and the lower edge of its brow.
_EYES = (
    (
        (33, 246, 161, 160, 159, 158, 157, 173, 133),
        (33, 7, 163, 144, 145, 153, 154, 155, 133),
        (46, 53, 52, 65, 55),
        468,
    ),
    (
        (362, 398, 384, 385, 386, 387, 388, 466, 263),
        (362, 382, 381, 380, 374, 373, 390, 249, 263),
        (285, 295, 282, 283, 276),
        473,
    ),
)
# How much of the opening a shut lid covers; how far beyond its corners an eye is taken to reach.
_COVER, _CORNER = 1.12, 1.12
# Below the brow, the share of the skin that keeps still, so that the brow does.
_KEPT = 0.2
# The eyeball's radius and the thickness of the lashes, in inter-ocular distances.
_BALL, _LASH = 0.133, 0.011
_LASH_DARK = 0.3
_STEEPEST = 0.85
_LEAST_LID, _LEAST_PIXELS = 0.004, 0.04


@dataclass(frozen=True)
class _Eye:
    """One eye on the pixels of ``box``; (h, w) float32 in pixels along ``down`` unless said."""

    box: Box
    rgb: FloatArray
    down: FloatArray
    v: FloatArray
    upper: FloatArray
    lower: FloatArray
    brow: FloatArray
    iris: FloatArray
    lash: float
    ball: float


class Eyes:
    """Both eyes of a picture.

    Parameters
    ----------
    frame
        The picture with its eyes as they are.
    landmarks
        (478, 3) of its face.
    unit
        Inter-ocular distance in pixels.
    """

    def __init__(self, frame: Frame, landmarks: FloatArray, unit: float) -> None:
        found = (_eye(frame, landmarks, unit, *lines) for lines in _EYES)
        self._eyes = [eye for eye in found if eye is not None]

    def move(self, frame: Frame, lids: float, gaze: FloatArray) -> Frame:
        """Close the lids and turn the eyes.

        Parameters
        ----------
        frame
            The picture, whose own planes are written to; outside the eyes it may have changed.
        lids
            0 as they are, 1 shut.
        gaze
            (2,) degrees to the right and down.

        Returns
        -------
        The same frame; pixels away from the eyes keep their exact value.
        """
        for eye in self._eyes:
            shift = np.asarray(eye.ball * np.sin(np.radians(gaze)), np.float32)
            if lids < _LEAST_LID and float(np.abs(shift).max()) < _LEAST_PIXELS:
                continue
            new = _drawn(eye, lids, shift)
            delta = new - eye.rgb
            touched = (np.abs(delta).max(-1) > 1e-4).astype(np.float32)
            frame = add_rgb(frame, eye.box, delta, touched, in_place=True)
        return frame


def _eye(
    frame: Frame,
    landmarks: FloatArray,
    unit: float,
    upper: tuple[int, ...],
    lower: tuple[int, ...],
    brow: tuple[int, ...],
    iris: int,
) -> _Eye | None:
    points = landmarks[:, :2].astype(np.float64)
    first, last = points[upper[0]], points[upper[-1]]
    wide = float(np.linalg.norm(last - first))
    if wide < 4:
        return None
    along = (last - first) / wide
    axes = np.stack([along, [-along[1], along[0]]])
    middle = (first + last) / 2
    up, low, edge = ((points[list(row)] - middle) @ axes.T for row in (upper, lower, brow))
    around = np.concatenate(
        [points[[*upper, *lower, *brow]], points[list(lower)] + axes[1] * 0.15 * unit]
    )
    x0, y0 = np.floor(around.min(0) - 3).astype(int).tolist()
    x1, y1 = np.ceil(around.max(0) + 3).astype(int).tolist()
    size = (frame.width, frame.height)
    box = aligned(Box(x0, y0, x1, y1).clip(*size), frame.format, *size)
    if box.width < 4 or box.height < 4:
        return None
    x = np.arange(box.x0, box.x1) + 0.5 - middle[0]
    y = np.arange(box.y0, box.y1)[:, None] + 0.5 - middle[1]
    u = axes[0, 0] * x + axes[0, 1] * y
    v = axes[1, 0] * x + axes[1, 1] * y
    top, bottom = _lid(up, u), _lid(low, u)
    bottom = np.maximum(bottom, top)
    gap = float((bottom - top).max())
    skin = np.polyval(
        np.polyfit(edge[:, 0], edge[:, 1], 2), u.clip(edge[:, 0].min(), edge[:, 0].max())
    )
    skin = np.minimum(skin + _KEPT * (top - skin), top - 0.6 * gap)
    center = (points[iris] - middle) @ axes.T
    half = np.where(u < center[0], center[0] + wide / 2, wide / 2 - center[0]).clip(1)
    inside = np.minimum(v - top, bottom - v) / max(0.15 * gap, 1.0)
    share = (1 - ((u - center[0]) / half) ** 4).clip(0, 1) * inside.clip(0, 1)
    arrays = (v, top, bottom, skin, share)
    v, top, bottom, skin, share = (np.asarray(a, np.float32) for a in arrays)
    return _Eye(
        box, read_rgb(frame, box), axes[1].astype(np.float32), v, top, bottom, skin, share,
        _LASH * unit, _BALL * unit,
    )  # fmt: skip


def _lid(points: npt.NDArray[np.floating], u: npt.NDArray[np.floating]) -> FloatArray:
    """A lid's edge as a smooth line through both corners (9, 2), flat at 0 beyond them."""
    half = _CORNER * (points[-1, 0] - points[0, 0]) / 2
    t = points[1:-1, 0] / half
    weights, *_ = np.linalg.lstsq(_arches(t), points[1:-1, 1], rcond=None)
    s = (u / half).clip(-1, 1)
    return np.asarray(_arches(s) @ weights, np.float32)


def _arches(t: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """(…, 4) lines that are 0 at -1 and 1, at ``t`` (…)."""
    return np.stack([(1 - t * t) * t**k for k in range(4)], -1)


def _drawn(eye: _Eye, lids: float, shift: FloatArray) -> FloatArray:
    """The pixels of the eye's box, (h, w, 3) float32 RGB."""
    gap = eye.lower - eye.upper
    # Meshes put the lower lid too high rather than too low: the upper one covers what is left.
    bulge = np.sqrt(gap / max(float(gap.max()), 1e-3))
    fall = lids * (_COVER * gap + eye.lash * bulge)
    upper = eye.upper + fall
    room = (upper - eye.brow).clip(1e-3)
    s = ((eye.v - eye.brow) / room).clip(0, 1)
    # Stiff at the lashes as far as the skin above has room to stretch.
    stiff = ((_STEEPEST * room / fall.clip(1e-3) - 1) / 0.5).clip(0, 1)
    carried = s + stiff * (s * s * (3 - 2 * s) - s)
    lid = _sampled(eye, -fall * carried)
    ball = _shifted(eye, shift) if np.abs(shift).max() >= _LEAST_PIXELS else eye.rgb
    # Below the lower lid nothing moves, and the pixels of the ball are the photo's own there.
    covered = (upper - eye.v + 0.5).clip(0, 1)
    lashes = np.exp(-(((eye.v - upper) / eye.lash) ** 2)) * bulge
    dark = 1 - _LASH_DARK * min(1.0, 2 * lids) * lashes
    out = ball + covered[..., None] * (lid - ball)
    return np.asarray(out * dark[..., None], np.float32)


def _sampled(eye: _Eye, along: FloatArray) -> FloatArray:
    """The eye's pixels, each from so far down."""
    return _looked_up(eye, along * eye.down[0], along * eye.down[1])


def _shifted(eye: _Eye, shift: FloatArray) -> FloatArray:
    return _looked_up(eye, -shift[0] * eye.iris, -shift[1] * eye.iris)


def _looked_up(eye: _Eye, dx: FloatArray, dy: FloatArray) -> FloatArray:
    x = dx + np.arange(eye.box.width, dtype=np.float32)
    y = dy + np.arange(eye.box.height, dtype=np.float32)[:, None]
    return np.asarray(
        cv2.remap(
            eye.rgb,
            x.astype(np.float32),
            y.astype(np.float32),
            cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REPLICATE,
        )
    )
