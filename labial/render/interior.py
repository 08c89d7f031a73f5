"""A plain inside of the mouth for faces that never show theirs: dark, with a line of teeth."""

from __future__ import annotations

import numpy as np

from labial import geometry
from labial.pixels import Box
from labial.types import FloatArray

# Face-space sizes (unit: inter-ocular distance, about 90 mm).
_TOOTH_EDGE = 0.022
_TOOTH_HEIGHT = 0.115
_CENTRAL, _LATERAL, _SOFT = 0.095, 0.075, 0.006


def plain_interior(
    box: Box, landmarks: FloatArray, neutral: FloatArray, pose: FloatArray, skin: FloatArray
) -> FloatArray:
    """Draw the inside of a mouth for every pixel of ``box``.

    Parameters
    ----------
    box
        Pixels to draw.
    landmarks
        (478, 2) pixels of the moved face; the inner lips bound the cavity.
    neutral
        (478, 3) face-space rest shape; upper teeth hang from it, since they belong to the skull.
    pose
        (2, 3): face-space x, y at the mouth's depth → pixels.
    skin
        (3,) RGB of this face's skin around the mouth, in this frame's light.

    Returns
    -------
    (h, w, 3) float32 RGB.
    """
    x, y = np.meshgrid(
        np.arange(box.x0, box.x1) + 0.5 - pose[0, 2], np.arange(box.y0, box.y1) + 0.5 - pose[1, 2]
    )
    inverse = np.linalg.inv(pose[:, :2].astype(np.float64))
    u = inverse[0, 0] * x + inverse[0, 1] * y - neutral[13, 0]
    v = inverse[1, 0] * x + inverse[1, 1] * y - neutral[13, 1]
    inner = landmarks[[*geometry.INNER_UPPER, *geometry.INNER_LOWER]] - pose[:, 2]
    depth = inner @ inverse[1] - neutral[13, 1]
    top, bottom = float(depth.min()), float(depth.max())
    down = ((v - top) / max(bottom - top, 0.02)).clip(0, 1)

    light = float(skin.mean())
    cavity = skin * np.array([0.20, 0.10, 0.09]) + 0.004
    tongue = skin * np.array([0.52, 0.30, 0.28])
    rise = ((down - 0.55) / 0.4).clip(0, 1) * np.clip((bottom - top - 0.05) / 0.1, 0, 1)
    rise = rise * np.exp(-((u / 0.16) ** 2))
    image = cavity + (tongue - cavity) * (0.8 * rise)[..., None]

    # Teeth are nearly white, so they take their colour from the light, which the skin shows.
    enamel = 0.45 * skin + light * np.array([0.50, 0.46, 0.39])
    edge = _TOOTH_EDGE - 0.35 * u**2
    row = _step(edge - v) * _step(v - edge + _TOOTH_HEIGHT) * np.exp(-((u / 0.20) ** 4))
    # Lips shade the teeth from above, cheeks from the sides.
    shade = (0.55 + 0.45 * ((v - top) / 0.05).clip(0, 1)) * (1 - 2.2 * u**2).clip(0.3, 1)
    gaps = np.array([0.0, _CENTRAL, _CENTRAL + _LATERAL])
    near = np.abs(np.abs(u)[..., None] - gaps).min(-1)
    shade = shade * (1 - 0.14 * np.exp(-((near / 0.005) ** 2)))
    image = image + (enamel * shade[..., None] - image) * row[..., None]
    return np.asarray(image, np.float32)


def _step(x: FloatArray) -> FloatArray:
    return np.asarray(0.5 + 0.5 * np.tanh(x / _SOFT), np.float32)
