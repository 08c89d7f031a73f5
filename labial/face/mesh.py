"""478 points and 52 blendshapes of a face: MediaPipe's FaceLandmarker networks.

Kartynnik et al., "Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs", 2019.
The networks are run directly, without the MediaPipe graph and without its smoothing in time,
which would lag behind the lips.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from labial.face.detect import Detection
from labial.face.network import Network
from labial.pixels import sample_rgb8
from labial.types import N_LANDMARKS, Crop, Face, FloatArray, Frame

_SIZE = 256
_MARGIN = 1.5

# The 146 points that the blendshape network reads.
_BLENDSHAPE_POINTS = (
    0, 1, 4, 5, 6, 7, 8, 10, 13, 14, 17, 21, 33, 37, 39, 40, 46, 52, 53, 54, 55, 58, 61, 63, 65,
    66, 67, 70, 78, 80, 81, 82, 84, 87, 88, 91, 93, 95, 103, 105, 107, 109, 127, 132, 133, 136,
    144, 145, 146, 148, 149, 150, 152, 153, 154, 155, 157, 158, 159, 160, 161, 162, 163, 168, 172,
    173, 176, 178, 181, 185, 191, 195, 197, 234, 246, 249, 251, 263, 267, 269, 270, 276, 282, 283,
    284, 285, 288, 291, 293, 295, 296, 297, 300, 308, 310, 311, 312, 314, 317, 318, 321, 323, 324,
    332, 334, 336, 338, 356, 361, 362, 365, 373, 374, 375, 377, 378, 379, 380, 381, 382, 384, 385,
    386, 387, 388, 389, 390, 397, 398, 400, 402, 405, 409, 415, 454, 466, 468, 469, 470, 471, 472,
    473, 474, 475, 476, 477,
)  # fmt: skip


@dataclass(frozen=True)
class Region:
    """A square turned by ``angle`` radians: where the mesh network looks, in stored pixels."""

    x: float
    y: float
    side: float
    angle: float

    @classmethod
    def of_detection(cls, found: Detection) -> Region:
        """Return the region around a detection, eyes level."""
        dx, dy = found.left_eye - found.right_eye
        side = float(found.size.max()) * _MARGIN
        return cls(float(found.center[0]), float(found.center[1]), side, float(np.arctan2(dy, dx)))

    @classmethod
    def of_landmarks(cls, landmarks: FloatArray) -> Region:
        """Return the region around the points of a previous picture."""
        points = landmarks[:, :2]
        dx, dy = points[263] - points[33]
        angle = float(np.arctan2(dy, dx))
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        level = points @ turn.T
        low, high = level.min(0), level.max(0)
        center = turn.T @ ((low + high) / 2)
        return cls(float(center[0]), float(center[1]), float((high - low).max()) * _MARGIN, angle)

    def affine(self, size: int) -> FloatArray:
        """(2, 3): pixels of a ``size``² crop → stored pixels."""
        c = np.cos(self.angle) * self.side / size
        s = np.sin(self.angle) * self.side / size
        half = size / 2
        return np.array(
            [[c, -s, self.x - half * c + half * s], [s, c, self.y - half * s - half * c]],
            np.float32,
        )


class FaceMesh:
    """Landmarks of the face in a region; not thread-safe (one interpreter)."""

    def __init__(self, threads: int = 1) -> None:
        self._mesh = Network("face_landmarks_detector.tflite", threads)
        self._blend = Network("face_blendshapes.tflite", threads)

    def __call__(self, frame: Frame, region: Region, blendshapes: bool = False) -> Face:
        """Return the face in ``region``; check ``presence`` before believing it."""
        affine = region.affine(_SIZE)
        crop = sample_rgb8(frame, affine, (_SIZE, _SIZE))
        raw, belief, _ = self._mesh(np.asarray(crop[None] / np.float32(255), np.float32))
        points = raw.reshape(N_LANDMARKS, 3)
        logit = float(belief.ravel()[0])
        landmarks = np.empty_like(points)
        landmarks[:, :2] = points[:, :2] @ affine[:, :2].T + affine[:, 2]
        landmarks[:, 2] = points[:, 2] * (region.side / _SIZE)
        presence = float(1 / (1 + np.exp(-np.clip(logit, -60, 60))))
        shapes = self._blendshapes(landmarks) if blendshapes else None
        return Face(landmarks, presence, shapes, Crop(crop, affine))

    def _blendshapes(self, landmarks: FloatArray) -> FloatArray:
        points = landmarks[list(_BLENDSHAPE_POINTS), :2]
        return self._blend(points[None])[0].ravel()
