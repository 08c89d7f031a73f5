"""Looks at faces: which are kept, how they are cut out, and what the network makes of them."""

from dataclasses import replace

import numpy as np
import pytest
from synth import closed_mesh, make_frame, make_track, move_picture, photo, sample_file, similarity

from labial.face.album import LOOKS, SIZE, Album, aligned_face
from labial.face.people import ALIKE, named
from labial.face.track import FaceTracker
from labial.types import Face, FaceTrack, Frame


def found(frame: Frame) -> Face:
    tracker = FaceTracker()
    (face,) = tracker.observe(frame).values()
    tracker.close()
    return face


def turned(degrees: float, scale: float, index: int) -> Frame:
    affine = similarity(scale, degrees, (-60, -60), (285.0, 290.0))
    return make_frame(move_picture(photo(), affine, (480, 460)), index=index)


@pytest.fixture(autouse=True)
def _models() -> None:
    sample_file("face_landmarker")
    sample_file("sface")


def test_a_face_is_cut_out_upright_at_one_size() -> None:
    cuts = []
    for degrees, scale in ((0, 1.0), (25, 0.7), (-15, 1.2)):
        frame = turned(degrees, scale, 0)
        cuts.append(aligned_face(frame, found(frame).landmarks).astype(float))
        assert cuts[-1].shape == (SIZE, SIZE, 3)
    for other in cuts[1:]:
        assert np.corrcoef(cuts[0].ravel(), other.ravel())[0, 1] > 0.95


def test_one_person_is_alike_and_few_looks_are_kept() -> None:
    album = Album()
    for key, (degrees, scale) in enumerate(((0, 1.0), (20, 0.6))):
        frame = turned(degrees, scale, 0)
        face = found(frame)
        for i in range(200):
            album.offer(key, replace(frame, index=i), face)
        album.close_track(key)
    assert album._count == 2 * LOOKS
    vectors = album.vectors([0, 1, 7])
    album.close()
    assert sorted(vectors) == [0, 1]
    assert np.linalg.norm(vectors[0]) == pytest.approx(1, abs=1e-4)
    assert float(vectors[0] @ vectors[1]) > 0.8 > ALIKE


def test_small_faces_tell_nobody() -> None:
    album, frame = Album(), turned(0, 1.0, 0)
    face = found(frame)
    album.offer(0, frame, Face(face.landmarks * np.float32(0.1), 1.0))
    album.close_track(0)
    assert album.vectors([0]) == {}
    album.close()


def track(start: int, n: int, key: int, x: float = 100.0, scale: float = 80.0) -> FaceTrack:
    shapes = np.repeat(closed_mesh()[None], n, 0)
    return make_track(shapes, shapes[0], start=start, key=key, center=(x, 150.0), scale=scale)


def towards(*weights: float) -> np.ndarray:
    vector = np.zeros(128, np.float32)
    vector[: len(weights)] = weights
    return vector / np.linalg.norm(vector)


def people(tracks: list[FaceTrack], vectors: dict[int, np.ndarray]) -> list[int]:
    return [t.person for t in named(tracks, vectors)]


def test_tracks_that_are_alike_are_one_person_and_the_most_seen_is_0() -> None:
    tracks = [track(0, 10, 0), track(10, 30, 1, 300), track(40, 10, 2), track(50, 10, 3, 300)]
    one, other = towards(1, 0.1), towards(0.1, 1)
    vectors = {0: one, 1: other, 2: towards(1, 0.2), 3: towards(0.2, 1)}
    assert people(tracks, vectors) == [1, 0, 1, 0]


def test_nobody_is_seen_twice_at_once() -> None:
    tracks = [track(0, 30, 0), track(0, 20, 1, 300), track(30, 10, 2)]
    same = towards(1)
    assert people(tracks, dict.fromkeys(range(3), same)) == [0, 1, 0]


def test_people_who_turn_out_to_be_one_are_joined() -> None:
    # Neither half is like the other, and a third track is like both.
    tracks = [track(0, 30, 0), track(30, 20, 1), track(50, 25, 2)]
    vectors = {0: towards(1, 0), 1: towards(0.25, 1), 2: towards(0.7, 0.9)}
    assert float(vectors[0] @ vectors[1]) < ALIKE
    assert people(tracks, vectors) == [0, 0, 0]


def test_who_is_seen_badly_is_who_was_there_before() -> None:
    tracks = [track(0, 30, 0), track(0, 30, 1, 400), track(35, 10, 2, 410), track(300, 5, 3)]
    vectors = {0: towards(1), 1: towards(0, 1)}
    assert people(tracks, vectors) == [1, 0, 0, 2]
    nearby = [tracks[0], tracks[1], track(35, 10, 2, 250), tracks[3]]
    assert people(nearby, vectors)[2] not in (0, 1)
