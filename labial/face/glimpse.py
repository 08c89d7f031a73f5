"""Whether a face that is followed is still the same one: what a few hundred pixels of it look like.

From one frame to the next the same face is alike to .71 and more, even where a hand passes it; two
people are to .65 or less in nine of ten cases. So a mesh that slips on to somebody else is caught.
"""

from __future__ import annotations

import numpy as np

from labial.types import Face, FloatArray, Frame

ANOTHER = 0.65
"""Two frames in a row that are less alike than this show two people."""
STRANGER = 0.45
"""After a gap, faces less alike than this are not taken for one."""
# The skin's points; those of the irises lie close together.
_POINTS = 468
_LEAST = 50


def glimpse(frame: Frame, face: Face) -> FloatArray:
    """Brightness (468,) at the points of a mesh; NaN outside the picture."""
    luma = frame.planes[0]
    at = np.floor(face.landmarks[:_POINTS, :2]).astype(np.intp)
    inside = ((at >= 0) & (at < (luma.shape[1], luma.shape[0]))).all(1)
    x, y = at[:, 0].clip(0, luma.shape[1] - 1), at[:, 1].clip(0, luma.shape[0] - 1)
    return np.where(inside, luma[y, x], np.nan).astype(np.float32)


def alike(one: FloatArray, other: FloatArray) -> float:
    """Correlation of two glimpses, -1..1; 1 where they have too little in common to tell."""
    both = np.isfinite(one) & np.isfinite(other)
    if both.sum() < _LEAST:
        return 1.0
    a, b = one[both] - one[both].mean(), other[both] - other[both].mean()
    return float(a @ b / np.sqrt(max(float(a @ a) * float(b @ b), 1e-6)))
