"""Several faces: two men, cut out of sample pictures, are moved about in known ways."""

from collections.abc import Callable
from functools import lru_cache

import av
import numpy as np
import pytest
from synth import make_frame, move_picture, photo, sample_file, similarity

from labial.face.track import FaceTracker
from labial.types import Face, FaceTrack, Frame

WIDE, HIGH = 720, 360
Place = tuple[float, float, float]
"""Left edge and top of a cut-out in the picture, and its size; a size of 0 is not to be seen."""


@lru_cache(maxsize=1)
def cutouts() -> tuple[np.ndarray, np.ndarray]:
    """(300, 260, 3) 0..1 each: a man who smiles, and one who is grave."""
    with av.open(str(sample_file("face_clip_short"))) as container:
        frame = next(container.decode(video=0)).to_ndarray(format="rgb24")
    grave = (frame[40:332, 172:425] / 255).astype(np.float32)
    smiling = photo()[190:460, 170:404]
    return tuple(  # type: ignore[return-value]
        move_picture(p, np.diag([260 / p.shape[1], 300 / p.shape[0], 1])[:2], (260, 300))
        for p in (smiling, grave)
    )


def scene(places: list[Place], index: int) -> Frame:
    """Both men, the grave one in front, before a grey wall."""
    picture = np.full((HIGH, WIDE, 3), 0.45, np.float32)
    for cutout, (x, y, size) in zip(cutouts(), places, strict=True):
        if size:
            affine = similarity(size, 0, (x, y))
            moved = move_picture(cutout, affine, (WIDE, HIGH))
            inside = _inside(affine)
            picture[inside] = moved[inside]
    return make_frame(picture, index=index)


def _inside(affine: np.ndarray) -> np.ndarray:
    y, x = np.mgrid[:HIGH, :WIDE] + 0.5
    u, v = (x - affine[0, 2]) / affine[0, 0], (y - affine[1, 2]) / affine[1, 1]
    return np.asarray((u > 0) & (u < 260) & (v > 0) & (v < 300))


def follow(
    way: Callable[[int], list[Place]], n: int
) -> tuple[list[dict[int, Face]], list[FaceTrack]]:
    tracker = FaceTracker()
    return [tracker.observe(scene(way(i), i)) for i in range(n)], tracker.finish()


def whose(tracks: list[FaceTrack], way: Callable[[int], list[Place]], n: int) -> list[list[int]]:
    """For each frame the person found on either man, -1 where there is none."""
    found = [[-1, -1] for _ in range(n)]
    for track in tracks:
        for row in np.flatnonzero(track.present):
            i = track.start + int(row)
            x, y = track.landmarks[row, :, :2].mean(0)
            away = [
                np.hypot(x - (left + 130 * size), y - (top + 165 * size)) if size else np.inf
                for left, top, size in way(i)
            ]
            k = int(np.argmin(away))
            assert away[k] < 100 * way(i)[k][2], "every mesh lies on a face"
            assert found[i][k] < 0, "no two meshes lie on one face"
            found[i][k] = track.person
    return found


@pytest.fixture(autouse=True)
def _models() -> None:
    sample_file("face_landmarker")
    sample_file("sface")


def test_two_people_are_two_tracks_from_the_first_frame() -> None:
    way = lambda i: [(40.0 + i, 30.0, 1.0), (430.0, 50.0 + i, 0.8)]  # noqa: E731
    seen, tracks = follow(way, 8)
    assert all(list(faces) == [0, 1] for faces in seen)
    assert [(t.start, len(t), t.key) for t in tracks] == [(0, 8, 0), (0, 8, 1)]
    for track in tracks:
        np.testing.assert_array_equal(track.quality, 1)
        for row in range(8):
            np.testing.assert_array_equal(track.landmarks[row], seen[row][track.key].landmarks)
    assert {tuple(row) for row in whose(tracks, way, 8)} == {(0, 1)}, "the larger is first"


def test_the_larger_person_is_number_0() -> None:
    way = lambda i: [(40.0, 30.0, 0.6), (380.0, 20.0, 1.0)]  # noqa: E731
    _, tracks = follow(way, 4)
    assert {tuple(row) for row in whose(tracks, way, 4)} == {(1, 0)}


def test_somebody_who_comes_in_is_found_soon_and_fades_in() -> None:
    def way(i: int) -> list[Place]:
        return [(40.0, 30.0, 1.0), (430.0, 40.0, 0.9 if i >= 5 else 0.0)]

    _, tracks = follow(way, 60)
    one, other = tracks
    assert (one.start, len(one)) == (0, 60)
    assert 5 <= other.start <= 5 + 4 * 12
    np.testing.assert_allclose(other.quality[:5], [0.25, 0.5, 0.75, 1, 1])
    np.testing.assert_array_equal(one.quality, 1)


def test_somebody_who_leaves_and_comes_back_is_the_same() -> None:
    def way(i: int) -> list[Place]:
        back = 130
        place = (430.0, 40.0) if i < back else (380.0, 20.0)
        return [(40.0, 30.0, 1.0), (*place, 0.0 if 20 <= i < back else 0.85)]

    _, tracks = follow(way, 180)
    found = whose(tracks, way, 180)
    assert [t.person for t in tracks] == [0, 1, 1]
    assert tracks[1].end == 20
    assert all(track.usual.size for track in tracks), "also of one that was given up long ago"
    np.testing.assert_allclose(tracks[1].quality[-4:], [1, 0.75, 0.5, 0.25])
    assert {tuple(row) for row in found} == {(0, 1), (0, -1)}
    assert found[-1] == [0, 1]


def test_people_change_places_at_a_cut() -> None:
    def way(i: int) -> list[Place]:
        here, there = (40.0, 20.0, 0.9), (450.0, 80.0, 0.6)
        return [here, there] if i < 6 else [there, (10.0, 10.0, 1.1)]

    tracker = FaceTracker()
    for i in range(12):
        tracker.observe(scene(way(i), i), cut=i == 6)
    tracks = tracker.finish()
    assert [(t.start, t.end) for t in tracks] == [(0, 6), (0, 6), (6, 12), (6, 12)]
    found = {tuple(row) for row in whose(tracks, way, 12)}
    assert found in ({(0, 1)}, {(1, 0)})


def test_faces_that_cross_stay_who_they_are() -> None:
    def way(i: int) -> list[Place]:
        return [(460.0 - 8 * i, 30.0, 0.9), (8.0 * i, 45.0, 0.9)]

    n = 58
    _, tracks = follow(way, n)
    found = whose(tracks, way, n)
    ids = {row[1] for row in found}
    assert len(ids) == 1, "he is in front, and seen all the time"
    (grave,) = ids
    assert {row[0] for row in found} == {1 - grave, -1}
    assert all(row[0] >= 0 for row in found[:12]) and all(row[0] >= 0 for row in found[-6:])


def test_what_is_found_does_not_change() -> None:
    way = lambda i: [(40.0 + 3 * i, 30.0, 0.9), (430.0 - 2 * i, 40.0, 0.8)]  # noqa: E731
    one, two = (follow(way, 6)[1] for _ in range(2))
    for a, b in zip(one, two, strict=True):
        assert (a.start, a.key, a.person) == (b.start, b.key, b.person)
        np.testing.assert_array_equal(a.landmarks, b.landmarks)
        np.testing.assert_array_equal(a.rotation, b.rotation)
