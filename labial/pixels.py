"""Native planes to RGB and back, for the part of a picture that is needed and no more.

RGB here is non-linear R'G'B' float32, black 0, white 1, with the frame's own matrix and range.
Chroma planes are treated as centred on the luma samples that they cover; the same convention on
the way in and out makes the choice of siting harmless.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from labial.types import ColorTags, FloatArray, Frame, PixelFormat, Plane

# Kr, Kb by ISO/IEC 23091-2 matrix code.
_LUMA = {
    1: (0.2126, 0.0722),
    4: (0.30, 0.11),
    5: (0.299, 0.114),
    6: (0.299, 0.114),
    7: (0.212, 0.087),
    9: (0.2627, 0.0593),
    10: (0.2627, 0.0593),
}


@dataclass(frozen=True)
class Box:
    """Half-open pixel rectangle: columns ``x0 ≤ x < x1``, rows ``y0 ≤ y < y1``."""

    x0: int
    y0: int
    x1: int
    y1: int

    @property
    def width(self) -> int:
        """Columns."""
        return self.x1 - self.x0

    @property
    def height(self) -> int:
        """Rows."""
        return self.y1 - self.y0

    def clip(self, width: int, height: int) -> Box:
        """Return the part inside a picture; may be empty (then width or height ≤ 0)."""
        return Box(max(self.x0, 0), max(self.y0, 0), min(self.x1, width), min(self.y1, height))


def aligned(box: Box, fmt: PixelFormat, width: int, height: int) -> Box:
    """Grow ``box`` to whole chroma samples, inside a ``width`` × ``height`` picture."""
    mx, my = (1 << fmt.sub_x) - 1, (1 << fmt.sub_y) - 1
    return Box(box.x0 & ~mx, box.y0 & ~my, (box.x1 + mx) & ~mx, (box.y1 + my) & ~my).clip(
        width, height
    )


@lru_cache(maxsize=64)
def _codes(fmt: PixelFormat, color: ColorTags, height: int) -> tuple[FloatArray, FloatArray]:
    """Return (3, 3) matrix and (3,) offset: code values = matrix @ rgb + offset (Y, Cb, Cr)."""
    top = float((1 << fmt.bits) - 1)
    if fmt.kind == "rgb":
        return (np.eye(3) * top).astype(np.float32), np.zeros(3, np.float32)
    # Untagged files follow the habit of players: BT.709 from 720 lines on, else BT.601.
    kr, kb = _LUMA.get(color.matrix, _LUMA[1] if height >= 720 else _LUMA[5])
    luma = np.array([kr, 1 - kr - kb, kb])
    cb = (np.array([0, 0, 1]) - luma) / (2 * (1 - kb))
    cr = (np.array([1, 0, 0]) - luma) / (2 * (1 - kr))
    step = float(1 << (fmt.bits - 8))
    if color.full_range:
        matrix = np.stack([luma, cb, cr]) * top
        offset = np.array([0.0, 128 * step, 128 * step])
    else:
        matrix = np.stack([luma * 219, cb * 224, cr * 224]) * step
        offset = np.array([16.0, 128.0, 128.0]) * step
    return matrix.astype(np.float32), offset.astype(np.float32)


def _decode(channels: list[FloatArray], frame: Frame) -> FloatArray:
    """Same-sized float code planes to RGB."""
    matrix, offset = _codes(frame.format, frame.color, frame.height)
    if frame.format.kind == "rgb":
        green, blue, red = channels
        return np.asarray(cv2.merge([red, green, blue]) / np.float32(matrix[0, 0]), np.float32)
    if frame.format.kind == "gray":
        luma = (channels[0] - offset[0]) / matrix[0].sum()
        return np.asarray(cv2.merge([luma, luma, luma]), np.float32)
    inverse = np.linalg.inv(matrix.astype(np.float64))
    affine = np.concatenate([inverse, -(inverse @ offset)[:, None]], 1)
    return np.asarray(cv2.transform(cv2.merge(channels), affine), np.float32)


def _color_planes(frame: Frame) -> tuple[Plane, ...]:
    return frame.planes[: 1 if frame.format.kind == "gray" else 3]


def _cut(frame: Frame, index: int, box: Box) -> Plane:
    sx, sy = frame.format.subsampling(index)
    y1, x1 = -(-box.y1 // (1 << sy)), -(-box.x1 // (1 << sx))
    return frame.planes[index][box.y0 >> sy : y1, box.x0 >> sx : x1]


def read_rgb(frame: Frame, box: Box) -> FloatArray:
    """Return the RGB (h, w, 3) float32 of an :func:`aligned` box."""
    channels: list[FloatArray] = []
    for index in range(len(_color_planes(frame))):
        plane = _cut(frame, index, box).astype(np.float32)
        if plane.shape != (box.height, box.width):
            # At an odd border the last chroma sample covers half a cell outside the picture.
            sx, sy = frame.format.subsampling(index)
            full = (plane.shape[1] << sx, plane.shape[0] << sy)
            grown = np.asarray(cv2.resize(plane, full, interpolation=cv2.INTER_LINEAR), np.float32)
            plane = grown[: box.height, : box.width]
        channels.append(plane)
    return _decode(channels, frame)


def add_rgb(
    frame: Frame,
    box: Box,
    delta: FloatArray,
    touched: FloatArray | None,
    *,
    in_place: bool = False,
) -> Frame:
    """Return a frame with ``delta`` added inside ``box``, in native planes.

    Parameters
    ----------
    frame
        The source picture.
    box
        An :func:`aligned` box.
    delta
        (h, w, 3) float32 RGB difference.
    touched
        (h, w) float32, 0 or 1; samples where it is 0 (for chroma: on all pixels that the sample
        covers) keep their exact source value whatever ``delta`` says. None is 1 everywhere.
    in_place
        Write into the frame's own planes, which must then be nobody else's.
    """
    matrix, _ = _codes(frame.format, frame.color, frame.height)
    if touched is not None:
        delta = delta * touched[..., None]
    if frame.format.kind == "rgb":
        red, green, blue = cv2.split(delta * matrix[0, 0])
        native = [green, blue, red]
    elif frame.format.kind == "gray":
        native = [np.asarray(delta @ matrix[0], np.float32)]
    else:
        native = list(cv2.split(cv2.transform(delta, matrix)))
    planes = list(frame.planes)
    top = (1 << frame.format.bits) - 1
    for index, change in enumerate(native):
        old = _cut(frame, index, box)
        sx, sy = frame.format.subsampling(index)
        if sx or sy:
            rows, cols = (old.shape[0] << sy) - box.height, (old.shape[1] << sx) - box.width
            whole = cv2.copyMakeBorder(change, 0, rows, 0, cols, cv2.BORDER_REPLICATE)
            size = (old.shape[1], old.shape[0])
            change = cv2.resize(whole, size, interpolation=cv2.INTER_AREA)
        # Rounds and saturates at the type's own limits; a change of 0 gives the old value.
        value = cv2.add(old, change, dtype=cv2.CV_8U if top == 255 else cv2.CV_16U)
        plane = frame.planes[index] if in_place else frame.planes[index].copy()
        rows, cols = old.shape
        y, x = box.y0 >> sy, box.x0 >> sx
        plane[y : y + rows, x : x + cols] = value if top in (255, 65535) else value.clip(0, top)
        planes[index] = plane
    return replace(frame, planes=tuple(planes))


def sample_rgb8(frame: Frame, affine: FloatArray, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """Resample a picture through an affine map to 8-bit RGB, without aliasing.

    Parameters
    ----------
    frame
        Any frame.
    affine
        (2, 3): output pixel coordinates → frame pixel coordinates (corner convention).
    size
        (width, height) of the output.

    Returns
    -------
    (height, width, 3) uint8; outside the picture the border is repeated.
    """
    width, height = size
    step = float(np.sqrt(abs(np.linalg.det(affine[:, :2]))))
    factor = max(1, int(step / 1.25))
    corners = np.array([[0, 0, 1], [width, 0, 1], [0, height, 1], [width, height, 1]], np.float64)
    where = corners @ np.asarray(affine, np.float64).T
    pad = 4 * factor
    low = np.floor(where.min(0)).astype(int) - pad
    high = np.ceil(where.max(0)).astype(int) + pad
    box = Box(int(low[0]), int(low[1]), int(high[0]), int(high[1]))
    box = aligned(box.clip(frame.width, frame.height), frame.format, frame.width, frame.height)
    if box.width <= 0 or box.height <= 0:
        return np.zeros((height, width, 3), np.uint8)
    channels: list[FloatArray] = []
    for index in range(len(_color_planes(frame))):
        plane: npt.NDArray[Any] = _cut(frame, index, box)
        # Size the plane in luma pixels / factor, whatever its subsampling.
        target = (max(1, round(box.width / factor)), max(1, round(box.height / factor)))
        if factor > 1:
            plane = cv2.resize(plane, target, interpolation=cv2.INTER_AREA)
        sx, sy = plane.shape[1] / box.width, plane.shape[0] / box.height
        inner = np.asarray(affine, np.float64).copy()
        inner[0, 2] -= box.x0
        inner[1, 2] -= box.y0
        inner[0] *= sx
        inner[1] *= sy
        inner[:, 2] += inner[:, :2] @ [0.5, 0.5] - 0.5
        channels.append(
            cv2.warpAffine(
                plane,
                inner,
                (width, height),
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_REPLICATE,
            ).astype(np.float32)
        )
    return np.rint(_decode(channels, frame) * 255).clip(0, 255).astype(np.uint8)
