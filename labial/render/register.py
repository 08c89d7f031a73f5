"""Bring one picture of the mouth plane over another that shows the same mouth."""

from __future__ import annotations

import cv2
import numpy as np

from labial.render.plane import HEIGHT, WIDTH
from labial.types import FloatArray

_FARTHEST = 6.0


def settled(real: FloatArray, made: FloatArray) -> FloatArray:
    """Return ``real`` (HEIGHT, WIDTH, 3), moved by what the head did between the two.

    Notes
    -----
    An affine map by the enhanced correlation coefficient: Evangelidis and Psarakis, "Parametric
    image alignment using enhanced correlation coefficient maximization", PAMI 2008. Where it does
    not converge, or moves a corner by more than 6 pixels, ``real`` is returned as it is.
    """
    grey = [cv2.GaussianBlur(x.mean(2).astype(np.float32), (0, 0), 1.0) for x in (made, real)]
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 30, 1e-4)
    still = np.eye(2, 3, dtype=np.float32)
    try:
        _, found = cv2.findTransformECC(
            grey[0],
            grey[1],
            still,
            cv2.MOTION_AFFINE,
            stop,
            np.full((HEIGHT, WIDTH), 255, np.uint8),
            5,
        )
    except cv2.error:
        return real
    corners = np.array([[x, y, 1] for x in (0, WIDTH) for y in (0, HEIGHT)], np.float32)
    if np.abs(corners @ found.T - corners[:, :2]).max() > _FARTHEST:
        return real
    return np.asarray(
        cv2.warpAffine(
            real.astype(np.float32), np.asarray(found), (WIDTH, HEIGHT),
            flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
        )
    )  # fmt: skip
