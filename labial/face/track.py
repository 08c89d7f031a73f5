"""Follow faces through a video: shots, gaps, who is who, smooth rigid pose, sharp lips.

Where nobody is followed the detector looks at every picture: at the start, after a cut, and when
the mesh network stops believing in its faces. Where somebody is, it glances at a part of every
twelfth picture for others.
"""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

import numpy as np
import numpy.typing as npt

from labial import geometry
from labial.errors import WeightsError
from labial.face.album import Album
from labial.face.cover import CoverWatch, Sight
from labial.face.detect import Detection, FaceDetector
from labial.face.glimpse import ANOTHER, STRANGER, alike, glimpse
from labial.face.mesh import FaceMesh, Region
from labial.face.people import named
from labial.face.pose import (
    Poses,
    fit_poses,
    fit_rigid,
    neutral_shape,
    reference_shape,
    steadied,
)
from labial.face.quality import FADE_FRAMES, Seen, Sights, judged
from labial.media.shots import Dissolve
from labial.types import N_LANDMARKS, Face, FaceTrack, FloatArray, Frame

MIN_PRESENCE = 0.5
# A face must be surer to be seen first than to be followed: lettering can pass for one.
FIRST_PRESENCE = 0.8
MOST_FACES = 6
"""Faces followed at a time, the largest at first sight."""
# Beside another one, a face of fewer pixels from forehead to chin is not worth following.
_LEAST_SIZE = 28.0
_THOROUGH_EVERY = 10
_PATIENCE = 12
# Frames between glances for others, and between those for somebody who was just lost.
_GLANCE, _SOON = 12, 3
# A face that was gone for so many frames is another track; who it is, its looks will say.
_FORGET = 75
# Faces whose middles are nearer than this share of the larger one's size are one.
_SAME = 0.35
_REFERENCE_ROWS = 400
_COPIED_ROWS, _FITTED_ROWS = 512, 4096
_MOUTH = (*geometry.OUTER_UPPER, *geometry.OUTER_LOWER)
_CHIN = (152, 148, 377, 176, 400)
_BETWEEN_LIPS = (13, 14)
# What a face looks like is learned from frames in which no more of its lips is covered.
_HARDLY_COVERED = 0.15
_NOWHERE = np.zeros((N_LANDMARKS, 3), np.float32)


@dataclass
class _Followed:
    """One face in one shot, from its first to its last sighting so far."""

    key: int
    start: int
    entered: bool
    last: Face
    glimpse: FloatArray
    velocity: FloatArray = field(default_factory=lambda: np.zeros(2, np.float32))
    lost_for: int = 0
    left: bool = False
    # Where each row lies in the file.
    places: array[int] = field(default_factory=lambda: array("q"))
    present: bytearray = field(default_factory=bytearray)
    # Four numbers a row, and how the mouth usually looks.
    sights: array[float] = field(default_factory=lambda: array("f"))
    usual: npt.NDArray[np.uint8] = field(default_factory=lambda: np.zeros((0, 0, 3), np.uint8))

    def expected(self) -> FloatArray:
        """(2,) where its middle should be now."""
        steps = min(self.lost_for + 1, 6)
        return np.asarray(_middle(self.last) + steps * self.velocity, np.float32)

    def surprise(self, face: Face) -> float:
        """How unlikely ``face`` is to be this one: its step and its change of size."""
        size = _size(self.last)
        step = float(np.linalg.norm(_middle(face) - self.expected())) / max(size, 1e-6)
        return step + abs(float(np.log(max(_size(face), 1e-6) / max(size, 1e-6))))

    def see(self, face: Face, seen: FloatArray) -> None:
        """Note the next sighting and the glimpse of it."""
        step = (_middle(face) - _middle(self.last)) / (self.lost_for + 1)
        self.velocity = np.asarray(0.6 * self.velocity + 0.4 * step, np.float32)
        # Thousands of faces are kept to the end of a film; their pictures are not needed.
        self.last, self.glimpse, self.lost_for = replace(face, crop=None), seen, 0


class FaceTracker:
    """Follow the faces of a video, frame by frame, in presentation order.

    Landmarks are kept in a temporary file, so memory stays flat for long videos.
    """

    def __init__(self) -> None:
        self._detector = FaceDetector()
        self._mesh = FaceMesh()
        self._file = tempfile.TemporaryFile(prefix="labial-track-")  # noqa: SIM115
        self._stored = 0
        self._album = Album()
        self._watch = CoverWatch()
        self._covered: set[int] = set()
        self._done: list[_Followed] = []
        self._shot: list[_Followed] = []
        self._shot_start = 0
        self._seen_at = -1
        self._alone_for = 0
        self._since_glance = 0
        self._turn = 0
        self._size = (0, 0)
        self.strangers = ""

    def observe(self, frame: Frame, cut: bool = False) -> dict[int, Face]:
        """Look at the next frame; return the faces followed in it, by the key of their track.

        ``cut`` is whether the frame begins a shot, as :class:`labial.media.shots.Shots` marks it.
        """
        size = (frame.width, frame.height)
        if cut or self._seen_at < 0 or size != self._size:
            self._end_shot(frame.index)
        self._size = size
        self._seen_at = frame.index
        seen = self._follow(frame)
        if not seen:
            self._find(frame, seen)
            self._alone_for = 0 if seen else self._alone_for + 1
        else:
            self._alone_for = 0
            self._look_around(frame, seen)
        self._covered.clear()
        for followed in self._shot:
            if followed.key in seen:
                face = seen[followed.key]
                sight = self._watch.look(frame, followed.key, face)
                self._store(followed, face, glimpse(frame, face), sight)
                if not sight.clear:
                    self._covered.add(followed.key)
                self._album.offer(followed.key, frame, seen[followed.key])
            else:
                followed.lost_for += 1
                if followed.lost_for == _FORGET:
                    self._forget(followed)
        return seen

    def is_covered(self, key: int) -> bool:
        """Tell whether something was in front of the mouth of ``key`` in the last frame."""
        return key in self._covered

    def finish(self, dissolves: Sequence[Dissolve] = ()) -> list[FaceTrack]:
        """Return the tracks by their first frames, in the order of their keys.

        The tracker cannot be used any more afterwards.

        Parameters
        ----------
        dissolves
            Where nothing is to be re-synced, since the picture turns into another.

        Notes
        -----
        Where somebody may come back, and the network that knows people again cannot be had,
        ``strangers`` says why: then people are told apart by place and time alone.
        """
        self._end_shot(self._seen_at + 1)
        done = self._done
        tracks = [
            _track(followed, rows, self._size, dissolves)
            for followed, rows in zip(done, self._landmarks(), strict=True)
        ]
        # Faces that are all seen in one frame are as many people, and need no network.
        apart = bool(tracks) and max(t.start for t in tracks) >= min(t.end for t in tracks)
        vectors: dict[int, FloatArray] = {}
        try:
            if apart:
                vectors = self._album.vectors(followed.key for followed in done)
        except WeightsError as error:
            self.strangers = str(error)
        tracks = named(tracks, vectors)
        self.close()
        return tracks

    def close(self) -> None:
        """Let go of the temporary files; tracks that were returned keep their data."""
        try:
            self._file.close()
        finally:  # closing writes what is left, which may find no room
            self._album.close()

    def _end_shot(self, index: int) -> None:
        """Close the tracks of the shot that ended before frame ``index``."""
        for followed in self._shot:
            followed.left = followed.lost_for > 0
            if followed.lost_for < _FORGET:
                self._forget(followed)
        self._done += self._shot
        self._shot, self._shot_start = [], index
        self._alone_for = self._since_glance = self._turn = 0

    def _forget(self, followed: _Followed) -> None:
        """Put away what only a face that may still come back needs."""
        self._album.close_track(followed.key)
        followed.usual = self._watch.close_track(followed.key)

    def _follow(self, frame: Frame) -> dict[int, Face]:
        """Look where the faces of the last frame were; no two may end on the same one."""
        found: list[tuple[_Followed, Face]] = []
        others: list[Face] = []
        for followed in self._shot:
            if not followed.lost_for:
                face = self._mesh_at(frame, Region.of_landmarks(followed.last.landmarks))
                if face is None:
                    continue
                if alike(followed.glimpse, glimpse(frame, face)) < ANOTHER:
                    others.append(face)
                else:
                    found.append((followed, face))
        seen: dict[int, Face] = {}
        # Of two that meet, the one that moves on as it did is the one in front.
        for followed, face in sorted(found, key=lambda f: f[0].surprise(f[1])):
            if not any(_same(face, other) for other in seen.values()):
                seen[followed.key] = face
        for face in others:
            if not any(_same(face, other) for other in seen.values()):
                self._welcome(frame, face, seen)
        return dict(sorted(seen.items()))

    def _find(self, frame: Frame, seen: dict[int, Face]) -> None:
        """Search the picture while nobody is followed."""
        thorough = self._alone_for % _THOROUGH_EVERY == 0
        # A coarse square may show a face too roughly for the mesh; a finer one then may not.
        for found in islice(self._detector.search(frame), None if thorough else 1):
            self._take(frame, sorted(found, key=self._preference), seen)
            if seen:
                break
        if seen and frame.index == self._shot_start:
            for turn in range(1, self._detector.turns(frame)):
                self._take(frame, self._detector.glance(frame, turn), seen)

    def _look_around(self, frame: Frame, seen: dict[int, Face]) -> None:
        """Glance at a part of the picture for others, now and then."""
        self._since_glance += 1
        lost = any(0 < f.lost_for <= 2 * _PATIENCE for f in self._shot)
        if self._since_glance < (_SOON if lost else _GLANCE):
            return
        self._since_glance = 0
        self._take(frame, self._detector.glance(frame, self._turn), seen)
        self._turn += 1

    def _take(self, frame: Frame, found: Sequence[Detection], seen: dict[int, Face]) -> None:
        """Believe detections that the mesh believes in, as tracks old and new."""
        alone = not seen
        for detection in found:
            if len(seen) >= MOST_FACES:
                return
            if any(_at(detection, face) for face in seen.values()):
                continue
            # A second look from the first answer's own region settles scale and tilt.
            face = self._mesh_at(frame, Region.of_detection(detection))
            face = face and self._mesh_at(frame, Region.of_landmarks(face.landmarks))
            if face is None or face.presence < FIRST_PRESENCE:
                continue
            if any(_same(face, other) for other in seen.values()):
                continue
            if seen and _size(face) < _LEAST_SIZE:
                continue
            # Something face-like elsewhere: it waits, for the face that was lost may come back.
            waits = alone and any(f.lost_for < _PATIENCE for f in self._shot)
            self._welcome(frame, face, seen, new=not waits)

    def _welcome(
        self, frame: Frame, face: Face, seen: dict[int, Face], *, new: bool = True
    ) -> None:
        """Take a face for one that was lost, or else, if it may be ``new``, for another one."""
        look = glimpse(frame, face)
        followed = self._whose(face, look, seen)
        if followed is None:
            if not new:
                return
            entered = frame.index > self._shot_start
            key = len(self._done) + len(self._shot)
            followed = _Followed(key, frame.index, entered, face, look)
            self._shot.append(followed)
        seen[followed.key] = face

    def _whose(self, face: Face, look: FloatArray, seen: dict[int, Face]) -> _Followed | None:
        """Find the face of this shot, out of sight for a while, that this one is."""
        lost = [f for f in self._shot if f.key not in seen and f.lost_for < _FORGET]
        fitting = [
            f
            for f in lost
            if not _moved(f, face)
            and alike(f.glimpse, look) >= (STRANGER if f.lost_for else ANOTHER)
        ]
        return min(fitting, key=lambda f: f.surprise(face), default=None)

    def _preference(self, found: Detection) -> float:
        lost = [f for f in self._shot if f.lost_for < _FORGET]
        if not lost:
            return -float(found.size.max())
        return min(float(np.linalg.norm(found.center - f.expected())) for f in lost)

    def _mesh_at(self, frame: Frame, region: Region) -> Face | None:
        face = self._mesh(frame, region)
        return face if face.presence >= MIN_PRESENCE else None

    def _store(self, followed: _Followed, face: Face, look: FloatArray, sight: Sight) -> None:
        # The gap is written when it is known that the face came back.
        gap = followed.lost_for if followed.places else 0
        for landmarks in [_NOWHERE] * gap + [face.landmarks]:
            self._file.write(np.ascontiguousarray(landmarks, np.float32).tobytes())
            followed.places.append(self._stored)
            self._stored += 1
        followed.present.extend(bytes(gap) + b"\1")
        followed.sights.extend([0.0] * 4 * gap + [sight.lips, sight.around, *sight.detail])
        followed.see(face, look)

    def _landmarks(self) -> list[FloatArray]:
        """(n, 478, 3) of each track, mapped from files in which its rows lie side by side."""
        self._file.flush()
        if not self._stored:
            return []
        shape = (self._stored, N_LANDMARKS, 3)
        store = np.memmap(self._file, np.float32, "r", shape=shape)
        places = [np.array(followed.places) for followed in self._done]
        mixed = {k for k, p in enumerate(places) if p[-1] - p[0] + 1 != len(p)}
        if not mixed:
            return [store[p[0] : p[-1] + 1] for p in places]
        rows = []
        with tempfile.TemporaryFile(prefix="labial-track-") as file:
            for k in sorted(mixed):
                for first in range(0, len(places[k]), _COPIED_ROWS):
                    file.write(store[places[k][first : first + _COPIED_ROWS]].tobytes())
            file.flush()
            n = sum(len(places[k]) for k in mixed)
            sorted_store = np.memmap(file, np.float32, "r", shape=(n, *shape[1:]))
            first = 0
            for k, p in enumerate(places):
                if k in mixed:
                    rows.append(sorted_store[first : first + len(p)])
                    first += len(p)
                else:
                    rows.append(store[p[0] : p[-1] + 1])
        return rows


def _middle(face: Face) -> FloatArray:
    return np.asarray(face.landmarks[:, :2].mean(0), np.float32)


def _size(face: Face) -> float:
    return float(np.ptp(face.landmarks[:, :2], axis=0).max())


def _same(one: Face, other: Face) -> bool:
    """Tell whether two meshes lie on one face."""
    step = float(np.linalg.norm(_middle(one) - _middle(other)))
    return step < _SAME * max(_size(one), _size(other))


def _at(found: Detection, face: Face) -> bool:
    """Tell whether a detection is of a face that is followed."""
    step = float(np.linalg.norm(found.center - _middle(face)))
    return step < 0.5 * max(float(found.size.max()), _size(face))


def _moved(before: _Followed, after: Face) -> bool:
    """Tell whether two sightings, with a gap between, are too far apart for one face."""
    size = _size(before.last)
    near = min(
        float(np.linalg.norm(_middle(after) - place))
        for place in (before.expected(), _middle(before.last))
    )
    ratio = _size(after) / max(size, 1e-6)
    return near > size or not 0.6 < ratio < 1.7


def _track(
    followed: _Followed,
    landmarks: FloatArray,
    size: tuple[int, int],
    dissolves: Sequence[Dissolve],
) -> FaceTrack:
    """Turn the rows of a face into a track: pose, neutral and quality."""
    present = np.frombuffer(followed.present, np.uint8).astype(bool)
    n = len(present)
    passing = [(d.start - followed.start, d.stop - followed.start) for d in dissolves]
    numbers = np.array(followed.sights, np.float32).reshape(n, 4)
    sights = Sights(numbers[:, 0], numbers[:, 1], numbers[:, 2:])
    cover = sights.covered(present)
    clear = present & (cover < _HARDLY_COVERED)
    for first, last in passing:
        clear[max(first, 0) : max(last, 0)] = False
    seen = np.flatnonzero(present)
    shown = np.flatnonzero(clear) if clear.any() else seen
    sample = landmarks[shown[:: max(1, len(shown) // _REFERENCE_ROWS)]]
    reference = reference_shape(sample)
    flat = fit_poses(sample, reference)
    neutral = neutral_shape(flat.undo(sample), flat.yaw())
    # Gaps take the next sight's pose, so that smoothing has something to hold on to.
    nearest = seen[np.searchsorted(seen, np.arange(n)).clip(0, len(seen) - 1)][:, None]
    raw = Poses.joined(
        [
            fit_rigid(landmarks[nearest[k : k + _FITTED_ROWS], np.array(geometry.RIGID)], reference)
            for k in range(0, n, _FITTED_ROWS)
        ]
    )
    mouth, chin = (landmarks[nearest, np.array(points)] for points in (_MOUTH, _CHIN))
    quality, reasons = judged(Seen(mouth, chin, present, raw, size, sights, passing))
    ramp = np.arange(1, n + 1, dtype=np.float32) / FADE_FRAMES
    if followed.entered:
        quality = np.minimum(quality, ramp)
    if followed.left:
        quality = np.minimum(quality, ramp[::-1])
    pose = steadied(raw, neutral[list(_BETWEEN_LIPS)].mean(0))
    return FaceTrack(
        followed.start, landmarks, present, pose.scale, pose.rotation, pose.translation,
        neutral, quality, reasons, followed.key, cover=cover, usual=followed.usual,
    )  # fmt: skip
