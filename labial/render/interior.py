"""The inside of the mouth where the bank has none that is open enough.

:class:`Interior` is a small learned generator: it sees the face with a hole for a mouth and, if
there is one, another mouth of the same person. ``interior_v1.md`` tells how it was trained.
:func:`plain_interior` only draws: dark, with a line of teeth.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from labial import geometry
from labial.pixels import Box
from labial.render.painter import Network, Told, nothing
from labial.render.plane import MouthPlane, lip_maps
from labial.types import FloatArray

MODEL = "interior_v1.onnx"
# How much sharper an enlarged inside is made, and how much of the skin's grain it gets.
_SHARPEN, _GRAIN = 0.7, 0.8

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


@dataclass(frozen=True)
class Look:
    """Another mouth of the same person, in the mouth plane, in this frame's light.

    ``image`` (HEIGHT, WIDTH, 3) float32 RGB, ``lips`` (HEIGHT, WIDTH, 2) float32 0..1: outline and
    opening.
    """

    image: FloatArray
    lips: FloatArray


class Interior:
    """The learned generator."""

    def __init__(self) -> None:
        self._network = Network(MODEL)

    def __call__(
        self, mouth: FloatArray, box: Box, landmarks: FloatArray, plane: MouthPlane,
        look: Look | None, told: Told,
    ) -> FloatArray:  # fmt: skip
        """Make up the inside of a mouth.

        Parameters
        ----------
        mouth
            (h, w, 3) float32 RGB: lips and skin around the opening; what is inside is not seen.
        box
            Where it lies in the frame.
        landmarks
            (478, ≥2) pixels of the moved face.
        plane
            The mouth plane of this frame.
        look
            Another mouth of this person, if there is any.
        told
            The wanted mouth, pose and viseme.

        Returns
        -------
        (h, w, 3) float32 RGB for every pixel of ``box``; only the opening is meant to be used.
        """
        view = plane.view(mouth, box).clip(0, 1)
        lips = drawn(landmarks, plane)
        pictures = [view * (1 - lips[..., 1:]), lips]
        pictures += [look.image, look.lips] if look else [nothing(3), nothing(2)]
        pictures.append(nothing(1) + np.float32(look is not None))
        (inside,) = self._network(pictures, told.vector(mouths=False))
        return plane.lay(inside, box)


def drawn(landmarks: FloatArray, plane: MouthPlane) -> FloatArray:
    """(HEIGHT, WIDTH, 2) float32 0..1: outline and opening of the lips in the plane."""
    maps = lip_maps(plane.to_plane(landmarks)).transpose(1, 2, 0)
    return np.asarray(maps / np.float32(255), np.float32)


def crisp(inside: FloatArray, step: float, grain: float, seed: int) -> FloatArray:
    """Give an enlarged inside the sharpness and the grain of what is around it.

    Parameters
    ----------
    inside
        (h, w, 3) float32 RGB.
    step
        Pixels that one pixel of the plane was enlarged to; up to 1 nothing is sharpened.
    grain
        Standard deviation of the skin's noise in this frame, RGB 0..1.
    seed
        Of the noise; the frame's index, so that grain lives and a rerun is equal.
    """
    if step > 1:
        soft = cv2.GaussianBlur(inside, (0, 0), 0.8 * step)
        inside = inside + np.float32(_SHARPEN * min(step - 1, 1)) * (inside - soft)
    if grain > 0:
        noise = np.random.default_rng(seed).standard_normal(inside.shape[:2], np.float32)
        inside = inside + np.float32(_GRAIN * grain) * noise[..., None]
    return np.asarray(inside.clip(0, 1), np.float32)
