"""Lay the new mouth into the frame: one light, a soft edge, and native planes.

Invariant: samples outside the mask keep their exact source value.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from labial.composite.mask import lip_matte, lip_shape
from labial.pixels import Box, add_rgb, read_rgb
from labial.render.mouth import Layers
from labial.render.refine import Refiner
from labial.types import FloatArray, Frame

_GAIN_LOW, _GAIN_HIGH = 0.6, 1.6
_GAIN_SIZE = 48


@dataclass(frozen=True)
class Composed:
    """A finished frame; ``trust`` 0..1 is below 1 where the refiner was not, or half, believed."""

    frame: Frame
    trust: float = 1.0


def composite(layers: Layers) -> Frame:
    """Lay the new mouth into ``layers.frame``, whose planes are written to; return that frame.

    Samples where the soft outline of the lips is 0 keep their exact value.
    """
    return compose(layers, None).frame


def compose(layers: Layers, refiner: Refiner | None) -> Composed:
    """Lay the new mouth into ``layers.frame``, whose planes are written to, and refine it.

    Samples where the soft outline of the lips is 0 keep their exact value, and so do those outside
    the refiner's part of the face.
    """
    at = layers.box if layers.around is None or refiner is None else layers.around
    box = layers.box
    matte = lip_matte(layers.outer, box, layers.unit) * layers.face
    band = (matte - lip_shape(layers.outer, box)).clip(0)
    before = read_rgb(layers.frame, at)
    inner = _within(box, at)
    face = before[inner]
    mouth = layers.mouth * match_light(layers.mouth, face, band, layers.unit)
    if refiner is None or layers.scene is None or layers.around_face is None:
        touched = (matte > 0).astype(np.float32)
        delta = matte[..., None] * (mouth - face)
        return Composed(add_rgb(layers.frame, box, delta, touched, in_place=True))
    after = before.copy()
    after[inner] += matte[..., None] * (mouth - face)
    after, trust = refiner(after, at, layers.around_face, layers.scene)
    # What is not to change differs by exactly 0, so there is nothing to mask.
    delta = after - before
    return Composed(add_rgb(layers.frame, at, delta, None, in_place=True), trust)


def _within(inner: Box, outer: Box) -> tuple[slice, slice]:
    rows = slice(inner.y0 - outer.y0, inner.y1 - outer.y0)
    return rows, slice(inner.x0 - outer.x0, inner.x1 - outer.x0)


def match_light(mouth: FloatArray, face: FloatArray, band: FloatArray, unit: float) -> FloatArray:
    """Return the gain (h, w, 3) that gives ``mouth`` the light of ``face``.

    Parameters
    ----------
    mouth, face
        (h, w, 3) float32 RGB of the same pixels.
    band
        (h, w) weights of the pixels to compare: skin around the lips, seen in both.
    unit
        Inter-ocular distance in pixels.

    Notes
    -----
    A normalised convolution carries the ratio measured in the band smoothly across the mouth.
    """
    h, w = band.shape
    size = (min(w, _GAIN_SIZE), min(h, max(8, _GAIN_SIZE * h // w)))
    small = [cv2.resize(x, size, interpolation=cv2.INTER_AREA) for x in (face, mouth, band)]
    weight = small.pop()[..., None]
    sigma = 0.14 * unit * size[0] / w
    wanted, have = (cv2.GaussianBlur(x * weight, (0, 0), sigma) for x in small)
    floor = 1e-4
    gain = ((wanted + floor) / (have + floor)).clip(_GAIN_LOW, _GAIN_HIGH)
    return np.asarray(cv2.resize(gain, (w, h), interpolation=cv2.INTER_LINEAR), np.float32)
