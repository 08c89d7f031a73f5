"""Follow a face through a video: shots, gaps, smooth rigid pose, sharp lips.

The detector runs only where there is nothing to follow: at the start, after a cut, and when the
mesh network stops believing in its face.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
import numpy.typing as npt

from labial import geometry
from labial.face.detect import Detection, FaceDetector
from labial.face.mesh import FaceMesh, Region
from labial.face.pose import fit_poses, fit_rigid, neutral_shape, reference_shape
from labial.face.quality import judged
from labial.types import N_LANDMARKS, Face, FaceTrack, FloatArray, Frame

MIN_PRESENCE = 0.5
# A face must be surer to be seen first than to be followed: lettering can pass for one.
FIRST_PRESENCE = 0.8
_THOROUGH_EVERY = 10
_PATIENCE = 12
_REFERENCE_ROWS = 400
_NOWHERE = np.zeros((N_LANDMARKS, 3), np.float32)


@dataclass
class _Shot:
    """Rows of one uninterrupted view of one face."""

    start: int
    present: list[bool] = field(default_factory=list)


class FaceTracker:
    """Follow the main face, frame by frame, in presentation order.

    The main face is the largest at the first sight of a shot; from then on it is the one that
    is followed. Landmarks are kept in a temporary file, so memory stays flat for long videos.
    """

    def __init__(self) -> None:
        self._detector = FaceDetector()
        self._mesh = FaceMesh(threads=2)
        self._file = tempfile.TemporaryFile(prefix="labial-track-")  # noqa: SIM115
        self._shots: list[_Shot] = []
        self._last: Face | None = None
        self._lost_for = 0
        self._glance: npt.NDArray[np.float32] | None = None
        self._size = (0, 0)

    def observe(self, frame: Frame) -> Face | None:
        """Look at the next frame; return the followed face, or None where there is none."""
        self._size = (frame.width, frame.height)
        cut = self._is_cut(frame)
        if cut or not self._shots:
            self._last, self._lost_for = None, 0
            self._shots.append(_Shot(frame.index))
        face = self._follow(frame) or self._find(frame)
        if face is not None and self._last is not None and _moved(self._last, face):
            # Something face-like elsewhere: it waits, for the face that was lost may come back.
            if self._lost_for < _PATIENCE:
                face = None
            else:
                self._shots.append(_Shot(frame.index))
        if face is None:
            self._lost_for += 1
        else:
            self._last, self._lost_for = face, 0
        self._shots[-1].present.append(face is not None)
        landmarks = _NOWHERE if face is None else face.landmarks
        self._file.write(np.ascontiguousarray(landmarks, np.float32).tobytes())
        return face

    @property
    def shot(self) -> int:
        """Number of the shot that the last observed frame belongs to, from 0."""
        return len(self._shots) - 1

    def finish(self) -> list[FaceTrack]:
        """Return one track a shot, in order, the shots without any face included.

        The tracker cannot be used any more afterwards.
        """
        self._file.flush()
        total = sum(len(shot.present) for shot in self._shots)
        tracks, first = [], 0
        if total:
            shape = (total, N_LANDMARKS, 3)
            store = np.memmap(self._file, np.float32, "r", shape=shape)
        for shot in self._shots:
            n = len(shot.present)
            if n:
                rows = store[first : first + n]
                tracks.append(_track(shot.start, rows, np.array(shot.present), self._size))
            first += n
        self.close()
        return tracks

    def close(self) -> None:
        """Let go of the temporary file; tracks that were returned keep their data."""
        self._file.close()

    def _is_cut(self, frame: Frame) -> bool:
        luma = frame.planes[0]
        step = max(1, min(luma.shape) // 72)
        glance = luma[step // 2 :: step, step // 2 :: step].astype(np.float32)
        glance /= float((1 << frame.format.bits) - 1)
        before, self._glance = self._glance, glance
        if before is None:
            return False
        if before.shape != glance.shape:
            return True
        counts = [
            np.bincount((x.ravel() * 31.99).astype(np.intp), minlength=32) / x.size
            for x in (before, glance)
        ]
        spread = 0.5 * float(np.abs(counts[0] - counts[1]).sum())
        change = float(np.abs(before - glance).mean())
        return (change > 0.09 and spread > 0.25) or change > 0.22

    def _follow(self, frame: Frame) -> Face | None:
        if self._last is None or self._lost_for:
            return None
        return self._mesh_at(frame, Region.of_landmarks(self._last.landmarks))

    def _find(self, frame: Frame) -> Face | None:
        thorough = self._lost_for % _THOROUGH_EVERY == 0
        # A coarse square may show a face too roughly for the mesh; a finer one then may not.
        for found in islice(self._detector.search(frame), None if thorough else 1):
            for detection in sorted(found, key=self._preference):
                # A second look from the first answer's own region settles scale and tilt.
                face = self._mesh_at(frame, Region.of_detection(detection))
                face = face and self._mesh_at(frame, Region.of_landmarks(face.landmarks))
                if face is not None and face.presence >= FIRST_PRESENCE:
                    return face
        return None

    def _preference(self, found: Detection) -> float:
        if self._last is None:
            return -float(found.size.max())
        center = self._last.landmarks[:, :2].mean(0)
        return float(np.linalg.norm(found.center - center))

    def _mesh_at(self, frame: Frame, region: Region) -> Face | None:
        face = self._mesh(frame, region)
        return face if face.presence >= MIN_PRESENCE else None


def _moved(before: Face, after: Face) -> bool:
    """Tell whether two sightings, with a gap between, are too far apart for one face."""
    size = float(np.ptp(before.landmarks[:, 1]))
    step = np.linalg.norm(before.landmarks[:, :2].mean(0) - after.landmarks[:, :2].mean(0))
    ratio = float(np.ptp(after.landmarks[:, 1])) / max(size, 1e-6)
    return bool(step > size) or not 0.6 < ratio < 1.7


def _track(
    start: int, landmarks: FloatArray, present: npt.NDArray[np.bool_], size: tuple[int, int]
) -> FaceTrack:
    """Turn the rows of a shot into a track: pose, neutral and quality."""
    n = len(present)
    seen = np.flatnonzero(present)
    if not len(seen):
        still = np.repeat(np.eye(3, dtype=np.float32)[None], n, 0)
        zeros, ones = np.zeros((n, 3), np.float32), np.ones(n, np.float32)
        nobody = np.full(n, "no face", object)
        return FaceTrack(
            start, landmarks, present, ones, still, zeros, _NOWHERE, zeros[:, 0], nobody
        )
    sample = landmarks[seen[:: max(1, len(seen) // _REFERENCE_ROWS)]]
    reference = reference_shape(sample)
    flat = fit_poses(sample, reference)
    neutral = neutral_shape(flat.undo(sample), flat.yaw())
    # Gaps take the next sight's pose, so that smoothing has something to hold on to.
    nearest = seen[np.searchsorted(seen, np.arange(n)).clip(0, len(seen) - 1)]
    raw = fit_rigid(landmarks[nearest[:, None], np.array(geometry.RIGID)], reference)
    mouth = landmarks[nearest[:, None], np.array([*geometry.OUTER_UPPER, *geometry.OUTER_LOWER])]
    quality, reasons = judged(mouth, present, raw, size)
    return FaceTrack(
        start, landmarks, present, _smooth(raw.scale), _orthonormal(_smooth(raw.rotation)),
        _smooth(raw.translation), neutral, quality, reasons,
    )  # fmt: skip


def _smooth(x: FloatArray) -> FloatArray:
    """Binomial 5-tap along the first axis, zero phase, ends held."""
    if len(x) < 3:
        return x
    padded = np.concatenate([x[:1], x[:1], x, x[-1:], x[-1:]])
    taps = np.array([1, 4, 6, 4, 1], np.float32) / 16
    n = len(x)
    return np.asarray(sum(w * padded[k : k + n] for k, w in enumerate(taps)), np.float32)


def _orthonormal(rotation: FloatArray) -> FloatArray:
    u, _, vt = np.linalg.svd(rotation.astype(np.float64))
    return np.asarray(u @ vt, np.float32)
