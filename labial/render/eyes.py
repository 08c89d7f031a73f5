"""Eyes of a photo that blink and look about: skin of the lids drawn over, the iris shifted.

An upper lid closes by stretching the skin between brow and lashes, not by moving what is on its
edge; so the map is stiff at the lashes and gives in below the brow. What lies between the lids is
sampled apart from them, so that an eye that closes is covered, never squeezed.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

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
# Share of the opening that the upper lid covers; the lower one rises by the rest.
_UPPER = 0.88
# Distances in inter-ocular ones: the eyeball's radius, skin that a lower lid carries along, and the
# thickness of the lashes.
_BALL, _UNDER, _LASH = 0.133, 0.10, 0.011
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
    under: FloatArray
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
    skin = np.minimum(skin, top - 0.6 * gap)
    center = (points[iris] - middle) @ axes.T
    half = np.where(u < center[0], center[0] + wide / 2, wide / 2 - center[0]).clip(1)
    inside = np.minimum(v - top, bottom - v) / max(0.15 * gap, 1.0)
    share = (1 - ((u - center[0]) / half) ** 4).clip(0, 1) * inside.clip(0, 1)
    arrays = (v, top, bottom, skin, bottom + _UNDER * unit, share)
    v, top, bottom, skin, under, share = (np.asarray(a, np.float32) for a in arrays)
    return _Eye(
        box, read_rgb(frame, box), axes[1].astype(np.float32), v, top, bottom, skin, under, share,
        _LASH * unit, _BALL * unit,
    )  # fmt: skip


def _lid(points: FloatArray, u: FloatArray) -> FloatArray:
    """A lid's edge as a smooth line through both corners (9, 2), flat at 0 beyond them."""
    half = (points[-1, 0] - points[0, 0]) / 2
    t = points[1:-1, 0] / half
    # Lines that are 0 at both ends.
    shapes = [lambda s, k=k: (1 - s * s) * s**k for k in range(4)]
    basis = np.stack([shape(t) for shape in shapes], 1)
    weights, *_ = np.linalg.lstsq(basis, points[1:-1, 1], rcond=None)
    s = (u / half).clip(-1, 1)
    return np.asarray(sum(w * shape(s) for w, shape in zip(weights, shapes, strict=True)))


def _drawn(eye: _Eye, lids: float, shift: FloatArray) -> FloatArray:
    """The pixels of the eye's box, (h, w, 3) float32 RGB."""
    gap = eye.lower - eye.upper
    fall, rise = lids * _UPPER * gap, lids * (1 - _UPPER) * gap
    upper, lower = eye.upper + fall, eye.lower - rise
    room = (upper - eye.brow).clip(1e-3)
    s = ((eye.v - eye.brow) / room).clip(0, 1)
    # Stiff at the lashes as far as the skin above has room to stretch.
    stiff = ((_STEEPEST * room / fall.clip(1e-3) - 1) / 0.5).clip(0, 1)
    carried = s + stiff * (s * s * (3 - 2 * s) - s)
    over = _sampled(eye, -fall * carried)
    s = ((eye.under - eye.v) / (eye.under - lower).clip(1e-3)).clip(0, 1)
    below = _sampled(eye, rise * s)
    ball = _shifted(eye, shift) if np.abs(shift).max() >= _LEAST_PIXELS else eye.rgb
    seen = (np.minimum(eye.v + 0.5, lower) - np.maximum(eye.v - 0.5, upper)).clip(0, 1)
    under = (eye.v - (upper + lower) / 2 + 0.5).clip(0, 1)
    skin = over + under[..., None] * (below - over)
    lashes = (
        np.exp(-(((eye.v - upper) / eye.lash) ** 2)) * (gap / max(float(gap.max()), 1e-3)) ** 0.5
    )
    skin = skin * (1 - _LASH_DARK * min(1.0, 2 * lids) * lashes)[..., None]
    return np.asarray(skin + seen[..., None] * (ball - skin), np.float32)


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
