"""Whose face is whose: tracks of one video are brought together into people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from labial.types import FaceTrack, FloatArray

# Two tracks are one person's above this likeness.
ALIKE = 0.45
# Without a likeness, a face that is gone for so many frames and comes back near by is the same.
_SOON, _NEAR = 60, 1.0


@dataclass
class _Person:
    tracks: list[int]
    total: FloatArray | None = None
    spans: list[tuple[int, int]] = field(default_factory=list)

    def free(self, track: FaceTrack) -> bool:
        """Nobody is seen twice in one frame."""
        return all(track.end <= start or end <= track.start for start, end in self.spans)

    def take(self, number: int, track: FaceTrack, vector: FloatArray | None) -> None:
        self.tracks.append(number)
        self.spans.append((track.start, track.end))
        if vector is not None:
            # A long track was seen at its best for longer.
            weighed = vector * np.float32(np.sqrt(track.present.sum()))
            self.total = weighed if self.total is None else self.total + weighed

    def likeness(self, vector: FloatArray) -> float:
        if self.total is None:
            return -1.0
        return float(vector @ self.total / np.linalg.norm(self.total))


def named(tracks: Sequence[FaceTrack], vectors: Mapping[int, FloatArray]) -> list[FaceTrack]:
    """Return the tracks with their ``person``, the most seen of whom is 0.

    Parameters
    ----------
    tracks
        All tracks of a video.
    vectors
        (128,) of unit length by the key of its track; see :meth:`labial.face.album.Album.vectors`.
        Tracks without one go to whoever was seen at that place just before or after, or to
        somebody of their own.
    """
    people: list[_Person] = []
    known = [k for k, track in enumerate(tracks) if track.key in vectors]
    # The most telling first: they say what a person looks like.
    for k in sorted(known, key=lambda k: (-int(tracks[k].present.sum()), k)):
        vector = vectors[tracks[k].key]
        _likeliest(people, tracks[k], vector).take(k, tracks[k], vector)
    people = _joined(people, tracks)
    for k, track in enumerate(tracks):
        if track.key not in vectors:
            person = _beside(people, tracks, track)
            if person is None:
                person = _Person([])
                people.append(person)
            person.take(k, track, None)
    people.sort(key=lambda p: (-sum(_weight(tracks[k]) for k in p.tracks), min(p.tracks)))
    whose = {k: number for number, person in enumerate(people) for k in person.tracks}
    return [replace(track, person=whose[k]) for k, track in enumerate(tracks)]


def _likeliest(people: list[_Person], track: FaceTrack, vector: FloatArray) -> _Person:
    best = max(
        (person for person in people if person.free(track)),
        key=lambda person: person.likeness(vector),
        default=None,
    )
    if best is None or best.likeness(vector) < ALIKE:
        best = _Person([])
        people.append(best)
    return best


def _joined(people: list[_Person], tracks: Sequence[FaceTrack]) -> list[_Person]:
    """Bring together people who turn out to be one, the most alike first."""
    people = list(people)
    while len(people) > 1:
        totals = np.stack([p.total for p in people if p.total is not None])
        unit = totals / np.linalg.norm(totals, axis=1, keepdims=True)
        alike = np.triu(unit @ unit.T, 1)
        for flat in np.argsort(-alike, axis=None, kind="stable"):
            a, b = divmod(int(flat), len(people))
            if alike[a, b] < ALIKE:
                return people
            if all(people[a].free(tracks[k]) for k in people[b].tracks):
                one, other = people[a], people.pop(b)
                assert one.total is not None and other.total is not None
                one.total = one.total + other.total
                one.tracks += other.tracks
                one.spans += other.spans
                break
        else:
            return people
    return people


def _beside(people: list[_Person], tracks: Sequence[FaceTrack], track: FaceTrack) -> _Person | None:
    """Who was seen just before or just after at about the same place and size."""
    best, found = np.inf, None
    for person in people:
        if not person.free(track):
            continue
        for k in person.tracks:
            gap = _gap(tracks[k], track)
            if gap < best:
                best, found = gap, person
    return found


def _gap(one: FaceTrack, other: FaceTrack) -> float:
    """Frames between two tracks; infinite where they are not near each other in all."""
    if one.start > other.start:
        one, other = other, one
    frames = other.start - one.end
    size = float(max(one.scale[-1], other.scale[0]))
    step = float(np.linalg.norm(one.translation[-1, :2] - other.translation[0, :2]))
    ratio = float(one.scale[-1] / max(float(other.scale[0]), 1e-6))
    near = step < _NEAR * size and 0.6 < ratio < 1.7
    return frames if 0 <= frames <= _SOON and near else np.inf


def _weight(track: FaceTrack) -> float:
    """Screen presence: frames times size."""
    return float(track.scale[track.present].sum())
