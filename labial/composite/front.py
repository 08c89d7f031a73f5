"""What is in front of the mouth stays in front of the new one, as filmed."""

from __future__ import annotations

import cv2
import numpy as np

from labial.pixels import Box, aligned
from labial.types import FloatArray, Frame

# Softens the matte's edge, in its own pixels.
_SOFT = 0.8
# From here on a sample is the source's own, exactly.
_WHOLE = 0.996


def kept_in_front(made: Frame, source: Frame, matte: FloatArray, affine: FloatArray) -> Frame:
    """Lay what covers the mouth in ``source`` over ``made``, whose planes are written to.

    Parameters
    ----------
    made
        The finished frame, in planes of its own.
    source
        The same frame before.
    matte
        (h, w) float32 0..1: what is in front, 1 where nothing of the face is seen. Inside, samples
        are exactly the source's; beyond the matte's borders nothing is in front.
    affine
        (2, 3) pixels of the matte → pixels of the frame, corner convention.
    """
    soft = cv2.GaussianBlur(matte, (0, 0), _SOFT)
    h, w = soft.shape
    corners = np.array([[x, y, 1] for x in (0, w) for y in (0, h)]) @ affine.T
    low, high = np.floor(corners.min(0)).astype(int), np.ceil(corners.max(0)).astype(int)
    box = Box(int(low[0]), int(low[1]), int(high[0]), int(high[1]))
    box = aligned(box.clip(made.width, made.height), made.format, made.width, made.height)
    if box.width <= 0 or box.height <= 0:
        return made
    inner = np.linalg.inv(np.vstack([affine, [0, 0, 1]]).astype(np.float64))[:2]
    inner[:, 2] += inner[:, :2] @ [box.x0 + 0.5, box.y0 + 0.5] - 0.5
    share = cv2.warpAffine(
        soft, inner, (box.width, box.height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_CONSTANT,
    )  # fmt: skip
    for index, plane in enumerate(made.planes):
        sx, sy = made.format.subsampling(index)
        y, x = box.y0 >> sy, box.x0 >> sx
        rows, cols = -(-box.height // (1 << sy)), -(-box.width // (1 << sx))
        part = plane[y : y + rows, x : x + cols]
        own = source.planes[index][y : y + rows, x : x + cols]
        over = cv2.resize(share, (part.shape[1], part.shape[0]), interpolation=cv2.INTER_AREA)
        mixed = part + over * (own.astype(np.float32) - part)
        part[...] = np.where(over > _WHOLE, own, np.rint(mixed).astype(plane.dtype))
    return made
