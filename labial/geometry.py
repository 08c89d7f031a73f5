"""The one coordinate convention, and the small mathematics that every room shares.

Pixels
    x to the right, y down; the picture's top-left *corner* is (0, 0), so the centre of the first
    pixel is (0.5, 0.5). OpenCV's ``remap`` counts from pixel centres: subtract 0.5 at its door.
Face space
    Same axes, z away from the camera, unit = distance between the outer eye corners
    (landmarks 33 and 263), origin anywhere fixed for one person. A pose maps it to pixels:
    ``pixels = scale * rotation @ face + translation`` (weak perspective; z in pixels too).
Mesh
    478 points of MediaPipe's face mesh: 468 on the skin, 10 on the irises. "Left" and "right" in
    names are the picture's, not the person's.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import resources

import numpy as np
import numpy.typing as npt

from labial.types import FloatArray, IntArray

EYE_OUTER = (33, 263)

# From the left mouth corner over the lip to the right corner; both lists share the corners.
INNER_UPPER = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
INNER_LOWER = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
OUTER_UPPER = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291)
OUTER_LOWER = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291)
# Once around, from the left corner over the upper lip.
OUTER_RING = (*OUTER_UPPER, *OUTER_LOWER[-2:0:-1])
INNER_RING = (*INNER_UPPER, *INNER_LOWER[-2:0:-1])

FACE_OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip

# Points that speech hardly moves: eye corners, brows, nose bridge and wings, temples.
RIGID = (
    33, 133, 362, 263, 168, 6, 197, 195, 5, 4, 10, 151, 9, 8, 107, 336, 70, 300, 127, 356,
    234, 454, 98, 327, 2, 94,
)  # fmt: skip

# What describes the mouth: lips, jaw line, chin, and the skin between lips, nose and cheeks.
MOUTH = (
    61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 185, 40, 39, 37, 0, 267, 269, 270, 409,
    78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 95, 88, 178, 87, 14, 317, 402, 318, 324,
    152, 148, 377, 176, 400, 149, 378, 150, 379, 136, 365, 172, 397, 58, 288, 199, 200, 18, 83,
    313, 164, 2, 205, 425, 187, 411, 57, 287, 202, 422, 212, 432, 206, 426,
)  # fmt: skip


@lru_cache(maxsize=1)
def canonical_mesh() -> tuple[FloatArray, IntArray]:
    """Return MediaPipe's canonical face.

    Returns
    -------
    vertices
        (468, 3) float32 in face space, origin midway between the outer eye corners.
    triangles
        (898, 3) int32 vertex indices.
    """
    path = resources.files("labial") / "canonical_mesh.npz"
    with path.open("rb") as file, np.load(file) as data:
        return data["vertices"], data["triangles"].astype(np.int32)


def fit_similarity(
    target: npt.NDArray[np.floating], source: npt.NDArray[np.floating]
) -> tuple[float, npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Least-squares similarity ``target ≈ scale * rotation @ source + translation``.

    Parameters
    ----------
    target, source
        (n, d) corresponding points, d = 2 or 3.

    Returns
    -------
    scale, rotation (d, d), translation (d,)

    Notes
    -----
    Umeyama, "Least-squares estimation of transformation parameters between two point patterns",
    PAMI 1991.
    """
    target = np.asarray(target, np.float64)
    source = np.asarray(source, np.float64)
    mean_t, mean_s = target.mean(0), source.mean(0)
    t, s = target - mean_t, source - mean_s
    u, singular, vt = np.linalg.svd(t.T @ s)
    sign = np.ones(target.shape[1])
    sign[-1] = np.sign(np.linalg.det(u @ vt))
    rotation = (u * sign) @ vt
    scale = float((singular * sign).sum() / max((s**2).sum(), 1e-12))
    return scale, rotation, mean_t - scale * rotation @ mean_s


def angles_degrees(
    rotation: npt.NDArray[np.floating],
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Yaw, pitch and roll (…,) float32 in degrees of rotations (…, 3, 3).

    Positive yaw turns the nose towards the picture's right, positive pitch towards its bottom,
    positive roll is clockwise. Yaw and pitch do not depend on roll, so a picture stored on its
    side gives those of the upright one.
    """
    r = rotation
    yaw = np.arctan2(r[..., 2, 0], r[..., 2, 2])
    pitch = np.arctan2(r[..., 2, 1], np.hypot(r[..., 2, 0], r[..., 2, 2]))
    roll = np.arctan2(-r[..., 0, 1], r[..., 1, 1])
    yaw, pitch, roll = (np.degrees(x).astype(np.float32) for x in (yaw, pitch, roll))
    return yaw, pitch, roll


def upright_size(width: int, height: int, turn: int) -> tuple[int, int]:
    """(width, height) of a stored picture once it is turned by a multiple of 90 degrees."""
    return (height, width) if turn % 180 else (width, height)


def rotate_points(
    points: npt.NDArray[np.floating], turn: int, width: int, height: int
) -> npt.NDArray[np.floating]:
    """Move stored-picture points (…, ≥2) to the picture turned ``turn`` degrees clockwise.

    ``width`` and ``height`` are those of the picture that the points are in. Depth is kept. The
    inverse is the same call with ``-turn`` and the turned picture's size.
    """
    out = np.array(points, copy=True)
    x, y = points[..., 0], points[..., 1]
    turn %= 360
    if turn == 90:
        out[..., 0], out[..., 1] = height - y, x
    elif turn == 180:
        out[..., 0], out[..., 1] = width - x, height - y
    elif turn == 270:
        out[..., 0], out[..., 1] = y, width - x
    elif turn != 0:
        raise ValueError(f"turn of {turn} degrees: only multiples of 90")
    return out
