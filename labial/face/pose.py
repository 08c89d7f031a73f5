"""Rigid head pose and face space: what is left of the landmarks when the head stands still."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from labial import geometry
from labial.types import FloatArray

_RIGID = list(geometry.RIGID)
# Closed lips are looked for among the frames that see the mouth from the front, if there are any.
_FRONTAL_DEGREES = 25.0
# Smoothing takes out the noise of the mesh, which is smaller than the first of these, and leaves
# alone what moves it further than the second, in inter-ocular distances: a head that is shaken.
_NOISE, _MOTION = 0.012, 0.03


@dataclass(frozen=True)
class Poses:
    """Rigid poses of n pictures: scale (n,), rotation (n, 3, 3), translation (n, 3) float32."""

    scale: FloatArray
    rotation: FloatArray
    translation: FloatArray

    @classmethod
    def joined(cls, parts: Sequence[Poses]) -> Poses:
        """Return the poses of all parts, one after the other."""
        return cls(
            np.concatenate([part.scale for part in parts]),
            np.concatenate([part.rotation for part in parts]),
            np.concatenate([part.translation for part in parts]),
        )

    def __len__(self) -> int:
        return len(self.scale)

    def undo(self, landmarks: FloatArray) -> FloatArray:
        """Pixels (n, v, 3) to face space (n, v, 3)."""
        centred = landmarks - self.translation[:, None]
        return np.asarray(np.matmul(centred, self.rotation) / self.scale[:, None, None], np.float32)

    def apply(self, shapes: FloatArray) -> FloatArray:
        """Face space (n, v, 3) to pixels (n, v, 3)."""
        turned = np.matmul(shapes, self.rotation.transpose(0, 2, 1))
        return np.asarray(
            turned * self.scale[:, None, None] + self.translation[:, None], np.float32
        )

    def yaw(self) -> FloatArray:
        """Degrees (n,); positive turns the nose to the picture's right."""
        return geometry.angles_degrees(self.rotation)[0]

    def pitch(self) -> FloatArray:
        """Degrees (n,); positive turns the nose down."""
        return geometry.angles_degrees(self.rotation)[1]


def steadied(poses: Poses, anchor: FloatArray) -> Poses:
    """Smooth poses in time as far as that does not move the face away from where it is.

    A binomial of five frames, zero phase, ends held, would lag half a mouth behind a shaken head.

    Parameters
    ----------
    poses
        Of consecutive frames.
    anchor
        (3,) point of the face that is to stay where it is, in face space.
    """
    if len(poses) < 3:
        return poses
    scale, turn, shift = (_binomial(x) for x in (poses.scale, poses.rotation, poses.translation))
    raw = poses.scale[:, None] * (poses.rotation @ anchor) + poses.translation
    away = scale[:, None] * (turn @ anchor) + shift - raw
    away = np.linalg.norm(away[:, :2], axis=1) / poses.scale
    keep = ((_MOTION - away) / (_MOTION - _NOISE)).clip(0, 1).astype(np.float32)
    return Poses(
        poses.scale + keep * (scale - poses.scale),
        _orthonormal(poses.rotation + keep[:, None, None] * (turn - poses.rotation)),
        poses.translation + keep[:, None] * (shift - poses.translation),
    )


def _binomial(x: FloatArray) -> FloatArray:
    padded = np.concatenate([x[:1], x[:1], x, x[-1:], x[-1:]])
    taps = np.array([1, 4, 6, 4, 1], np.float32) / 16
    n = len(x)
    return np.asarray(sum(w * padded[k : k + n] for k, w in enumerate(taps)), np.float32)


def _orthonormal(rotation: FloatArray) -> FloatArray:
    u, _, vt = np.linalg.svd(rotation.astype(np.float64))
    return np.asarray(u @ vt, np.float32)


def fit_poses(landmarks: FloatArray, reference: FloatArray) -> Poses:
    """Fit ``landmarks ≈ scale * rotation @ reference + translation`` picture by picture.

    Parameters
    ----------
    landmarks
        (n, 478, 3) pixels.
    reference
        (478, 3) or (468, 3) face space.

    """
    return fit_rigid(landmarks[:, _RIGID], reference)


def fit_rigid(points: FloatArray, reference: FloatArray) -> Poses:
    """Like :func:`fit_poses`, given only the points (n, 26, 3) of ``geometry.RIGID``.

    Notes
    -----
    Umeyama, PAMI 1991, batched.
    """
    target = points.astype(np.float64)
    source = reference[_RIGID].astype(np.float64)
    mean_t, mean_s = target.mean(1), source.mean(0)
    t, s = target - mean_t[:, None], source - mean_s
    u, singular, vt = np.linalg.svd(np.einsum("nki,kj->nij", t, s))
    sign = np.ones((len(t), 3))
    sign[:, 2] = np.sign(np.linalg.det(u @ vt))
    rotation = (u * sign[:, None]) @ vt
    scale = (singular * sign).sum(1) / (s**2).sum()
    translation = mean_t - scale[:, None] * np.einsum("nij,j->ni", rotation, mean_s)
    return Poses(
        scale.astype(np.float32), rotation.astype(np.float32), translation.astype(np.float32)
    )


def reference_shape(landmarks: FloatArray, iterations: int = 3) -> FloatArray:
    """Return this person's median shape (478, 3) in face space, looking straight ahead.

    Parameters
    ----------
    landmarks
        (n, 478, 3) pixels, n ≥ 1.
    """
    canonical, _ = geometry.canonical_mesh()
    shape: FloatArray = canonical
    for _ in range(iterations):
        local = fit_poses(landmarks, shape).undo(landmarks)
        shape = np.median(local, axis=0).astype(np.float32)
        # Back to the frontal view and the unit: medians drift by a hair at each turn.
        _, turn, _ = geometry.fit_similarity(canonical[_RIGID], shape[_RIGID])
        left, right = geometry.EYE_OUTER
        middle = (shape[left] + shape[right]) / 2
        unit = np.linalg.norm(shape[left] - shape[right])
        shape = np.asarray((shape - middle) @ turn.T / unit, np.float32)
    return shape


def aperture(shapes: npt.NDArray[np.floating]) -> FloatArray:
    """Inner-lip opening (…,) of face-space shapes (…, 478, 3), in inter-ocular distances."""
    gap = shapes[..., 14, :] - shapes[..., 13, :]
    return np.asarray(np.linalg.norm(gap, axis=-1), np.float32)


def neutral_shape(local: FloatArray, yaw: FloatArray) -> FloatArray:
    """Return the person at rest with closed lips (478, 3): mean of the most closed tenth.

    Parameters
    ----------
    local
        (n, 478, 3) face-space shapes.
    yaw
        (n,) degrees; frames seen from the side count only when there are no others.
    """
    frontal = np.abs(yaw) < _FRONTAL_DEGREES
    rows = np.flatnonzero(frontal) if frontal.sum() >= 5 else np.arange(len(local))
    order = rows[np.argsort(aperture(local[rows]))]
    closed = order[: max(min(5, len(order)), len(order) // 10)]
    return np.asarray(local[closed].mean(0), np.float32)
