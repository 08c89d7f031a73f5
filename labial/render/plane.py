"""The mouth plane: a small picture of the mouth that stands still, whatever the head does.

The plane is parallel to the face and goes through the lips. Its pictures have one size for all
faces and resolutions, which is what the learned parts look at.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from labial import geometry
from labial.pixels import Box, aligned, read_rgb
from labial.types import FaceTrack, FloatArray, Frame

WIDTH, HEIGHT = 128, 96
PIXELS_PER_UNIT = 104.0
# The middle lies below the lips at rest, since it is the jaw that moves.
_LOWER = 0.06
_OUTER = list(geometry.OUTER_RING)
_INNER = list(geometry.INNER_RING)
_LIPS = sorted({*_OUTER, *_INNER})
# Further down than this, a picture is made smaller first, so that nothing aliases.
_STEP = 1.5


@dataclass(frozen=True)
class MouthPlane:
    """Where the mouth plane lies in one frame.

    Parameters
    ----------
    affine
        (2, 3) float64: pixels of the plane → pixels of the frame, corner convention.
    """

    affine: npt.NDArray[np.float64]

    @classmethod
    def of(cls, track: FaceTrack, row: int) -> MouthPlane:
        """Lay the plane into the frame of row ``row``."""
        turn = track.scale[row] * track.rotation[row].astype(np.float64)
        lips = track.neutral[_LIPS]
        middle = (lips.min(0) + lips.max(0)) / 2
        middle[1] += _LOWER
        centre = track.translation[row] + turn @ middle
        linear = turn[:2, :2] / PIXELS_PER_UNIT
        shift = centre[:2] - linear @ [WIDTH / 2, HEIGHT / 2]
        return cls(np.concatenate([linear, shift[:, None]], 1))

    @property
    def step(self) -> float:
        """Pixels of the frame that a pixel of the plane is wide."""
        return float(np.sqrt(abs(np.linalg.det(self.affine[:, :2]))))

    def box(self, width: int, height: int) -> Box:
        """Return the part of a ``width`` × ``height`` frame that the plane covers; may be empty."""
        corners = np.array([[x, y, 1] for x in (0, WIDTH) for y in (0, HEIGHT)]) @ self.affine.T
        x0, y0 = np.floor(corners.min(0)).astype(int).tolist()
        x1, y1 = np.ceil(corners.max(0)).astype(int).tolist()
        return Box(x0, y0, x1, y1).clip(width, height)

    def covered(self, box: Box) -> FloatArray:
        """(HEIGHT, WIDTH) 1 where the plane shows what lies in ``box`` of the frame, else 0."""
        y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
        u, v = (row[0] * x + row[1] * y + row[2] for row in self.affine)
        inside = (u >= box.x0) & (u <= box.x1) & (v >= box.y0) & (v <= box.y1)
        return np.asarray(inside, np.float32)

    def to_plane(self, points: npt.NDArray[np.floating]) -> FloatArray:
        """Frame pixels (n, ≥2) to plane pixels (n, 2)."""
        inverse = np.linalg.inv(self.affine[:, :2])
        return np.asarray((points[:, :2] - self.affine[:, 2]) @ inverse.T, np.float32)

    def to_frame(self, points: npt.NDArray[np.floating]) -> FloatArray:
        """Plane pixels (n, 2) to frame pixels (n, 2)."""
        return np.asarray(points @ self.affine[:, :2].T + self.affine[:, 2], np.float32)

    def view(self, image: FloatArray, at: Box) -> FloatArray:
        """Look at a picture through the plane.

        Parameters
        ----------
        image
            (h, w[, c]) float32: the part ``at`` of the frame, or a smaller picture of that part.
            Its border is repeated outside.

        Returns
        -------
        (HEIGHT, WIDTH[, c]) float32
        """
        inner = self.affine.copy()
        inner[:, 2] -= (at.x0, at.y0)
        factor = max(1, int(self.step * image.shape[1] / at.width / _STEP + 0.5))
        if factor > 1:
            size = (max(1, image.shape[1] // factor), max(1, image.shape[0] // factor))
            image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.float32)
        inner[0] *= image.shape[1] / at.width
        inner[1] *= image.shape[0] / at.height
        inner[:, 2] += inner[:, :2] @ [0.5, 0.5] - 0.5
        return np.asarray(
            cv2.warpAffine(
                image, inner, (WIDTH, HEIGHT),
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
            )
        )  # fmt: skip

    def of_frame(self, frame: Frame) -> FloatArray:
        """Look at a frame through the plane: (HEIGHT, WIDTH, 3) float32 RGB 0..1."""
        box = self.box(frame.width, frame.height)
        box = aligned(box, frame.format, frame.width, frame.height)
        return self.view(read_rgb(frame, box).clip(0, 1), box)

    def lay(self, image: FloatArray, at: Box) -> FloatArray:
        """Bring a picture of the plane (HEIGHT, WIDTH[, c]) to the pixels of ``at``; 0 outside."""
        inner = np.linalg.inv(np.vstack([self.affine, [0, 0, 1]]))[:2]
        inner[:, 2] += inner[:, :2] @ [at.x0 + 0.5, at.y0 + 0.5] - 0.5
        return np.asarray(
            cv2.warpAffine(
                image, inner, (at.width, at.height),
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_CONSTANT,
            )
        )  # fmt: skip


def lip_maps(points: npt.NDArray[np.floating]) -> npt.NDArray[np.uint8]:
    """Draw lips in the plane.

    Parameters
    ----------
    points
        (478, ≥2) landmarks in plane pixels.

    Returns
    -------
    (2, HEIGHT, WIDTH) uint8, 255 inside: the outline of the lips, and the opening between them.
    """
    out = np.zeros((2, HEIGHT, WIDTH), np.uint8)
    for map_, outline in zip(out, (_OUTER, _INNER), strict=True):
        corners = np.rint((points[outline, :2] - 0.5) * 16).astype(np.int32)
        cv2.fillPoly(map_, [corners], 255, cv2.LINE_AA, 4)
    return out
