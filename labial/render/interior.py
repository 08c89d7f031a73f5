"""The inside of the mouth where the bank has none that is open enough.

A small learned network sees the face with a hole for a mouth and, if there is one, another mouth
of the same person. It does not paint: it says where the edges of teeth and tongue lie, and what
colours they have, and :func:`inside` draws them at the resolution of the frame. So uncertainty
about a stranger's teeth makes them average, not blurred. ``interior_v1.md`` tells how it was
trained.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from labial import geometry
from labial.pixels import Box
from labial.render.painter import Network, Told, nothing
from labial.render.plane import HEIGHT, PIXELS_PER_UNIT, WIDTH, MouthPlane, lip_maps
from labial.types import FloatArray

MODEL = "interior_v1.onnx"
PARAMETERS = 32
# An opening of so many plane pixels shows whose mouth it is; a look at a shut one says nothing.
SHOWS = 150.0
# How much of the skin's grain a drawn inside gets.
_GRAIN = 0.8
# Softness of edges that are in focus, in inter-ocular distances.
_SOFT = 0.006
_UPPER, _LOWER = list(geometry.INNER_UPPER), list(geometry.INNER_LOWER)


@dataclass(frozen=True)
class Look:
    """Another mouth of the same person, in the mouth plane, in this frame's light.

    ``image`` (HEIGHT, WIDTH, 3) float32 RGB, ``lips`` (HEIGHT, WIDTH, 2) float32 0..1: outline and
    opening.
    """

    image: FloatArray
    lips: FloatArray


def inside(
    theta: Any, u: Any, v: Any, top: Any, bottom: Any, middle: Any, skin: Any, xp: Any
) -> list[Any]:
    """Draw the inside of a mouth: cavity, tongue, lower and upper teeth.

    Parameters
    ----------
    theta
        ``PARAMETERS`` numbers, or arrays that broadcast, about 0 on average.
    u, v
        Where to draw, in inter-ocular distances from the middle of the mouth plane.
    top, bottom
        Where the lips bound the opening at ``u``, as ``v``.
    middle
        The same two at ``u`` = 0, from which teeth show as far as ``theta`` says.
    skin
        Red, green and blue of the skin around the mouth, 0..1.
    xp
        ``numpy``, or ``torch`` to train with: the same lines draw in both.

    Returns
    -------
    Red, green and blue.
    """
    p = iter(theta)

    def color(level: float) -> list[Any]:
        light = xp.exp(0.5 * next(p) + level)
        hues = (1.0, xp.exp(0.3 * xp.tanh(next(p))), xp.exp(0.3 * xp.tanh(next(p))))
        return [s * light * hue for s, hue in zip(skin, hues, strict=True)]

    # Teeth are nearly white, so they show the colour of the light: that of the skin without its
    # pigment, of which a grey picture has none.
    pigment = xp.clip((skin[0] - skin[2]) / (skin[0] + 1e-3) / 0.3, 0, 1)
    white = [
        s * xp.exp(pigment * excess) for s, excess in zip(skin, (0.0, 0.22, 0.32), strict=True)
    ]

    def teeth_color(level: float) -> list[Any]:
        light = xp.exp(0.4 * next(p) + level)
        hues = (1.0, xp.exp(0.06 * xp.tanh(next(p))), xp.exp(0.1 * xp.tanh(next(p))))
        return [w * light * hue for w, hue in zip(white, hues, strict=True)]

    def step(x: Any, soft: float) -> Any:
        return 0.5 + 0.5 * xp.tanh(x / soft)

    cavity, tongue, glow = color(-2.0), color(-0.7), color(-0.6)
    lower, upper = teeth_color(-0.4), teeth_color(-0.1)
    x = u - 0.05 * xp.tanh(next(p))
    tongue_edge = middle[1] - 0.06 * xp.exp(0.5 * next(p)) + xp.exp(next(p)) * x * x
    lower_edge = middle[1] - 0.035 * xp.exp(0.6 * next(p)) + 1.5 * next(p) * x * x
    upper_edge = middle[0] + 0.05 * xp.exp(0.6 * next(p)) + 1.5 * next(p) * x * x
    lower_width = 0.15 * xp.exp(0.3 * next(p))
    upper_width = 0.19 * xp.exp(0.3 * next(p))
    tooth = 0.085 * xp.exp(0.2 * next(p))
    gap = 0.3 * step(next(p) - 1, 1.0)
    scallop = 0.008 * step(next(p), 1.0)
    shadow, reach = step(next(p) + 1, 1.0), 0.04 * xp.exp(0.5 * next(p))
    glow_share, glow_reach = 0.8 * step(next(p), 1.0), 0.02 * xp.exp(0.5 * next(p))
    corners = 1.5 * step(next(p), 1.0)

    # Lines between teeth: |sin| is 0 between them, and most of its way up within a tenth.
    wave = xp.sin(np.pi * x / tooth)
    between = xp.exp(-((wave / 0.25) ** 2))
    small = xp.sin(np.pi * x / (0.62 * tooth) + 0.5 * np.pi)
    between_small = xp.exp(-((small / 0.3) ** 2))
    masks = (
        (step(v - tongue_edge, 0.02), tongue, 1.0),
        (
            step(v - lower_edge - 0.5 * scallop * between_small, _SOFT)
            * xp.exp(-((x / lower_width) ** 4)),
            lower,
            1 - gap * between_small,
        ),
        (
            step(upper_edge - scallop * between - v, _SOFT) * xp.exp(-((x / upper_width) ** 4)),
            upper,
            1 - gap * between,
        ),
    )
    # Lips shade what is behind them, from above, and so do the cheeks at the corners.
    shade = 1 - shadow * xp.exp(-(xp.abs(v - top)) / reach)
    shade = shade * xp.exp(-corners * (u / 0.25) ** 2)
    wet = glow_share * xp.exp(-(xp.abs(bottom - v)) / glow_reach)
    out = []
    for k in range(3):
        value = cavity[k] + 0 * v
        for mask, hue, factor in masks:
            value = value + mask * (hue[k] * factor - value)
        value = value * shade
        out.append(value + wet * (glow[k] - value))
    return out


class Interior:
    """The learned interior: reads parameters off the face, and draws."""

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
        theta = self._network.numbers(pictures, told.vector(mouths=False))
        points = plane.to_plane(landmarks)
        return _drawn_in(box, points, plane, theta, skin_color(view, lips[..., 0]))


def skin_color(view: FloatArray, outline: FloatArray) -> FloatArray:
    """(3,) mean RGB of a plane picture around the lips, on which ``outline`` (h, w) is 1."""
    weight = np.clip(1 - outline, 0, 1)[..., None]
    return np.asarray((view * weight).sum((0, 1)) / max(float(weight.sum()), 1.0), np.float32)


def _drawn_in(
    box: Box, points: FloatArray, plane: MouthPlane, theta: FloatArray, skin: FloatArray
) -> FloatArray:
    """Draw for the pixels of ``box`` that lie near the opening; others are 0."""
    out = np.zeros((box.height, box.width, 3), np.float32)
    rim = points[[*_UPPER, *_LOWER]]
    corners = plane.to_frame(
        np.array([[x, y] for x in (rim[:, 0].min() - 2, rim[:, 0].max() + 2)
                  for y in (rim[:, 1].min() - 2, rim[:, 1].max() + 2)])
    ) - (box.x0, box.y0)  # fmt: skip
    x0, y0 = np.floor(corners.min(0)).astype(int).clip(0).tolist()
    x1, y1 = np.ceil(corners.max(0)).astype(int).tolist()
    x1, y1 = min(x1, box.width), min(y1, box.height)
    if x1 <= x0 or y1 <= y0:
        return out
    y, x = np.mgrid[box.y0 + y0 : box.y0 + y1, box.x0 + x0 : box.x0 + x1]
    at = np.stack([x.ravel(), y.ravel()], 1) + 0.5
    u, v = in_units(plane.to_plane(at)).T
    upper, lower = in_units(points[_UPPER]), in_units(points[_LOWER])
    top, bottom = (
        np.interp(u, np.maximum.accumulate(line[:, 0]), line[:, 1]).astype(np.float32)
        for line in (upper, lower)
    )
    # At the plane's middle; it is 0 there.
    edges = tuple(
        float(np.interp(0, np.maximum.accumulate(line[:, 0]), line[:, 1]))
        for line in (upper, lower)
    )
    rgb = np.stack(inside(theta, u, v, top, bottom, edges, skin, np), 1)
    out[y0:y1, x0:x1] = rgb.reshape(y1 - y0, x1 - x0, 3).clip(0, 1)
    return out


def in_units(points: FloatArray) -> FloatArray:
    """Plane pixels (n, 2) to inter-ocular distances from the middle of the plane."""
    middle = np.array([WIDTH / 2, HEIGHT / 2], np.float32)
    return np.asarray((points - middle) / PIXELS_PER_UNIT, np.float32)


def drawn(landmarks: FloatArray, plane: MouthPlane) -> FloatArray:
    """(HEIGHT, WIDTH, 2) float32 0..1: outline and opening of the lips in the plane."""
    maps = lip_maps(plane.to_plane(landmarks)).transpose(1, 2, 0)
    return np.asarray(maps / np.float32(255), np.float32)


def grained(inside: FloatArray, grain: float, seed: int) -> FloatArray:
    """Give a drawn inside the grain of what is around it.

    Parameters
    ----------
    inside
        (h, w, 3) float32 RGB.
    grain
        Standard deviation of the skin's noise in this frame, RGB 0..1.
    seed
        Of the noise; the frame's index, so that grain lives and a rerun is equal.
    """
    if grain <= 0:
        return inside
    noise = np.random.default_rng(seed).standard_normal(inside.shape[:2], np.float32)
    return np.asarray((inside + np.float32(_GRAIN * grain) * noise[..., None]).clip(0, 1))


# Face-space sizes of the plain inside (unit: inter-ocular distance, about 90 mm).
_TOOTH_EDGE = 0.022
_TOOTH_HEIGHT = 0.115
_CENTRAL, _LATERAL = 0.095, 0.075


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
