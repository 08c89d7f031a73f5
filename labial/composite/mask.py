"""Where the new mouth is laid in: soft outlines around the lips."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from labial.pixels import Box
from labial.types import FloatArray

_GROW, _FEATHER = 0.085, 0.04


def lip_shape(outer: npt.NDArray[np.floating], box: Box) -> FloatArray:
    """(h, w) 0..1: the lips and what they enclose; ``outer`` (n, 2) in pixels of ``box``."""
    mask = np.zeros((box.height, box.width), np.uint8)
    points = np.rint((outer - 0.5) * 16).astype(np.int32)
    cv2.fillPoly(mask, [points], 255, cv2.LINE_AA, 4)
    return np.asarray(mask / np.float32(255), np.float32)


def lip_matte(outer: FloatArray, box: Box, unit: float) -> FloatArray:
    """(h, w) 0..1: 1 on the lips, falling softly to exactly 0 on the skin around them.

    Parameters
    ----------
    outer
        (n, 2) outline of the lips in pixels of ``box``.
    box
        Pixels wanted.
    unit
        Inter-ocular distance in pixels.
    """
    along = np.roll(outer, -1, 0) - np.roll(outer, 1, 0)
    away = np.stack([along[:, 1], -along[:, 0]], 1)
    away /= np.linalg.norm(away, axis=1, keepdims=True).clip(1e-6)
    if cv2.contourArea(np.asarray(outer, np.float32), oriented=True) < 0:
        away = -away
    sigma = max(_FEATHER * unit, 0.5)
    shrink = max(1, int(sigma / 2.5))
    rows, cols = -(-box.height // shrink), -(-box.width // shrink)
    small = lip_shape((outer + _GROW * unit * away) / shrink, Box(0, 0, cols, rows))
    soft = cv2.GaussianBlur(small, (0, 0), sigma / shrink)
    soft = cv2.resize(soft, (cols * shrink, rows * shrink), interpolation=cv2.INTER_LINEAR)
    # The tail of the blur is cut off, so that the mask ends.
    matte = ((soft[: box.height, : box.width] - 0.02) / 0.96).clip(0, 1)
    # And it is 0 on the border of the box, where it could otherwise leave a seam.
    edge = max(1.0, 0.05 * unit)
    x = np.minimum(np.arange(box.width), np.arange(box.width)[::-1]) / edge
    y = np.minimum(np.arange(box.height), np.arange(box.height)[::-1]) / edge
    return np.asarray(matte * np.minimum(1, x)[None] * np.minimum(1, y)[:, None], np.float32)
