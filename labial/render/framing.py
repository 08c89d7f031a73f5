"""From a photo to the picture that is animated: upright, cropped or continued, at its size."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np

from labial.options import Shape
from labial.pixels import Box, add_rgb, read_rgb, sample_rgb8
from labial.types import ColorTags, FloatArray, Frame, IntArray, PixelFormat

LONGEST = 1920
"""Pixels of the longer side that a photo is brought to where no height is asked for."""

_RATIOS = {"9:16": 9 / 16, "1:1": 1.0, "16:9": 16 / 9}
_HUGE = 4096
_EYE_LEVEL = 0.4
# Shares of the face's height, brow of the mesh to chin: hair above, neck below, ears beside it.
_ABOVE, _BELOW, _BESIDE = 0.42, 0.3, 0.22
# Of a photo that is continued beyond its border, the share of its size that is mirrored: little
# above and below, where hair and collar are near.
_BESIDE_STRIP, _ABOVE_STRIP = 0.06, 0.012
_FORMAT = PixelFormat("yuv420p", "yuv", 8, 1, 1)
_COLOR = ColorTags(1, 1, 1, False)


@dataclass(frozen=True)
class Framing:
    """The part of a photo that is shown, and the size at which it is.

    Parameters
    ----------
    x0, y0, x1, y1
        Corners in the photo's pixels; may lie outside the photo.
    width, height
        Even size of the picture made of it.
    """

    x0: int
    y0: int
    x1: int
    y1: int
    width: int
    height: int

    @property
    def scale(self) -> tuple[float, float]:
        """Pixels of the picture a pixel of the photo, across and down."""
        return self.width / (self.x1 - self.x0), self.height / (self.y1 - self.y0)

    def points(self, points: FloatArray) -> FloatArray:
        """Photo points (…, 3) in the picture's pixels, depth scaled alike."""
        sx, sy = self.scale
        moved = (points - np.array([self.x0, self.y0, 0])) * [sx, sy, (sx + sy) / 2]
        return np.asarray(moved, np.float32)


def upright_rgb(frame: Frame, orientation: int | None) -> FloatArray:
    """Return a photo as it is to be seen: (h, w, 3) float32 RGB 0..1.

    Parameters
    ----------
    frame
        The photo as stored. What is transparent becomes white; more than 4096 pixels across or
        down become so many.
    orientation
        1 to 8 as in :func:`labial.media.orientation.exif_orientation`; None: the frame's own
        rotation.
    """
    image = _sized(frame)
    if frame.format.alpha:
        top = np.float32((1 << frame.format.bits) - 1)
        cover = np.asarray(frame.planes[-1] / top, np.float32)
        size = image.shape[1::-1]
        if cover.shape[::-1] != size:
            cover = np.asarray(cv2.resize(cover, size, interpolation=cv2.INTER_AREA), np.float32)
        image = np.asarray(1 + cover[..., None] * (image - 1), np.float32)
    if orientation is None:
        orientation = {90: 6, 180: 3, 270: 8}.get(frame.rotation, 1)
    if orientation >= 5:
        image = image.transpose(1, 0, 2)
    rows, columns = orientation in (3, 4, 7, 8), orientation in (2, 3, 6, 7)
    image = image[:: -1 if rows else 1, :: -1 if columns else 1]
    return np.ascontiguousarray(image, np.float32)


def _sized(frame: Frame) -> FloatArray:
    """(h, w, 3) RGB of a whole picture, made smaller where it is huge."""
    longest = max(frame.width, frame.height)
    if longest <= _HUGE:
        return read_rgb(frame, Box(0, 0, frame.width, frame.height)).clip(0, 1)
    size = (round(frame.width * _HUGE / longest), round(frame.height * _HUGE / longest))
    across, down = frame.width / size[0], frame.height / size[1]
    affine = np.array([[across, 0, 0], [0, down, 0]], np.float32)
    return np.asarray(sample_rgb8(frame, affine, size) / np.float32(255), np.float32)


def frame_head(
    width: int, height: int, landmarks: FloatArray, shape: Shape, rows: int | None
) -> Framing:
    """Choose what part of a photo to show.

    The largest part of the asked shape inside the photo, with the eyes at two fifths of its
    height where there is room; where the head would not fit in, the picture is larger than the
    photo.

    Parameters
    ----------
    width, height
        Of the upright photo.
    landmarks
        (478, 3) of its face.
    shape, rows
        As the user asks.
    """
    low, high = landmarks[:, :2].min(0), landmarks[:, :2].max(0)
    face = float(high[1] - low[1])
    top, bottom = low[1] - _ABOVE * face, high[1] + _BELOW * face
    left, right = low[0] - _BESIDE * face, high[0] + _BESIDE * face
    if shape == "source":
        x0, y0, wide, tall = 0.0, 0.0, float(width), float(height)
        ratio = wide / tall
    else:
        ratio = _RATIOS[shape]
        tall = min(float(height), width / ratio)
        # A head that the photo itself cuts off needs no room beyond the photo.
        need = max(
            min(bottom, height) - max(top, 0.0), (min(right, width) - max(left, 0.0)) / ratio
        )
        tall = max(tall, float(need))
        wide = ratio * tall
        eyes = landmarks[[33, 133, 362, 263], :2].mean(0)
        x0 = _placed(float(eyes[0]) - wide / 2, wide, width, left, right)
        y0 = _placed(float(eyes[1]) - _EYE_LEVEL * tall, tall, height, top, bottom)
    corners = round(x0), round(y0), round(x0 + wide), round(y0 + tall)
    scale = min(1.0, LONGEST / max(wide, tall)) if rows is None else rows / tall
    out_height = max(2 * round(tall * scale / 2), 16)
    out_width = max(2 * round(out_height * ratio / 2), 16)
    if shape == "source" and scale == 1:
        # An odd last column or row is left out rather than the whole picture resampled.
        corners = 0, 0, width - width % 2, height - height % 2
        out_width, out_height = corners[2], corners[3]
    return Framing(*corners, out_width, out_height)


def _placed(start: float, length: float, size: int, low: float, high: float) -> float:
    """Where a stretch of ``length`` begins: inside the photo and around the head, if it can."""
    if length >= size:
        return (size - length) / 2
    start = max(min(start, low), high - length) if high - low <= length else start
    return float(np.clip(start, 0, size - length))


def picture(rgb: FloatArray, framing: Framing) -> Frame:
    """Return what ``framing`` shows of an upright photo (h, w, 3), as 8-bit 4:2:0 BT.709.

    Beyond its borders the photo goes on as its own mirror image that loses itself in a blur.
    """
    height, width = rgb.shape[:2]
    x0, y0, x1, y1 = framing.x0, framing.y0, framing.x1, framing.y1
    inside = rgb[max(y0, 0) : min(y1, height), max(x0, 0) : min(x1, width)]
    sides = (max(-y0, 0), max(y1 - height, 0), max(-x0, 0), max(x1 - width, 0))
    size = (framing.width, framing.height)
    shrinks = framing.width < x1 - x0
    how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    whole = _continued(np.ascontiguousarray(inside), sides) if any(sides) else inside
    if whole.shape[1::-1] != size:
        whole = np.asarray(cv2.resize(whole, size, interpolation=how), np.float32)
    whole = whole.clip(0, 1)
    shapes = [_FORMAT.plane_shape(i, framing.height, framing.width) for i in range(3)]
    planes = tuple(np.full(s, v, np.uint8) for s, v in zip(shapes, (16, 128, 128), strict=True))
    black = Frame(planes, _FORMAT, 0, Fraction(1, 25), 1, color=_COLOR)
    box = Box(0, 0, framing.width, framing.height)
    return add_rgb(black, box, whole, np.ones(shapes[0], np.float32), in_place=True)


def _continued(image: FloatArray, sides: tuple[int, int, int, int]) -> FloatArray:
    """Widen a picture at its top, bottom, left and right.

    Only a strip along each border is mirrored, to and fro, so that the head does not come again.
    """
    height, width = image.shape[:2]
    y, beyond_y = _to_and_fro(height, sides[0], sides[1], _ABOVE_STRIP)
    x, beyond_x = _to_and_fro(width, sides[2], sides[3], _BESIDE_STRIP)
    mirrored = np.ascontiguousarray(image[y][:, x])
    beyond = np.maximum(beyond_y[:, None], beyond_x[None]) / max(height, width)
    soft = mirrored
    for sigma, begin in ((0.012, 0.0), (0.05, 0.02)):
        share = ((beyond - begin) / 0.06).clip(0, 1)[..., None].astype(np.float32)
        blurred = _blurred(mirrored, sigma * max(height, width))
        soft = soft + share * share * (3 - 2 * share) * (blurred - soft)
    # What fades is the drawing; the grain of film or canvas goes on.
    grain = mirrored - _blurred(mirrored, max(0.004 * max(height, width), 1.0))
    share = (beyond / 0.02).clip(0, 1)[..., None].astype(np.float32)
    return np.asarray(soft + share * grain, np.float32)


def _to_and_fro(size: int, before: int, after: int, strip: float) -> tuple[IntArray, FloatArray]:
    """Indices into a row of ``size`` for one that is longer, and how far each lies beyond it.

    ``strip`` is the share of the row at each end that is mirrored.
    """
    at = np.arange(-before, size + after)
    period = max(1, round(strip * size))
    beyond = np.maximum(-at, at - (size - 1)).clip(0)
    turned = (beyond - 1) % (2 * period)
    turned = np.where(turned < period, turned, 2 * period - 1 - turned)
    index = np.where(at < 0, turned, np.where(at >= size, size - 1 - turned, at))
    return index.astype(np.int32), beyond.astype(np.float32)


def _blurred(image: FloatArray, sigma: float) -> FloatArray:
    shrink = max(1, int(sigma / 3))
    height, width = image.shape[:2]
    size = (max(1, width // shrink), max(1, height // shrink))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / shrink, borderType=cv2.BORDER_REFLECT)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)
