"""The tracker on a photo that is moved by known similarities: where it is, and what it says."""

import gc
import tracemalloc
import warnings
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from synth import (
    make_frame,
    move_picture,
    move_points,
    need_face_model,
    photo,
    similarity,
)

from labial import geometry
from labial.errors import WeightsError
from labial.face.album import LOOKS, Album
from labial.face.cover import HEIGHT, WIDTH
from labial.face.detect import Detection, FaceDetector
from labial.face.mesh import Region
from labial.face.quality import FADE_FRAMES
from labial.face.track import FaceTracker
from labial.media.shots import Shots
from labial.types import Face, FaceTrack, Frame

SIZE = (480, 440)
ABOUT = (285.0, 290.0)
STILL = similarity(1, 0, (-50, -60))


def way(i: int) -> np.ndarray:
    """Where the photo is in picture ``i``: it wanders, swells and rocks."""
    shift = (-50 + 2 * i, -60 + 12 * np.sin(i / 3))
    return similarity(1 + 0.12 * np.sin(i / 5), 8 * np.sin(i / 4), shift, ABOUT)


def shown(affine: np.ndarray, index: int) -> Frame:
    return make_frame(move_picture(photo(), affine, SIZE), index=index)


def covered(index: int) -> Frame:
    """The still picture with a board in front of the face."""
    picture = move_picture(photo(), STILL, SIZE)
    picture[120:330, 145:325] = picture[300:305, 100:105].mean((0, 1))
    return make_frame(picture, index=index)


def follow(
    frames: list[Frame], shots_are_found: bool = True
) -> tuple[list[Face | None], list[FaceTrack]]:
    """The only face of each frame, if there is one, and the tracks."""
    tracker, shots = FaceTracker(), Shots()
    marked = shots.marked(frames) if shots_are_found else ((frame, False) for frame in frames)
    seen = [tracker.observe(frame, cut) for frame, cut in marked]
    assert all(len(faces) < 2 for faces in seen)
    return [next(iter(faces.values()), None) for faces in seen], tracker.finish(shots.dissolves())


@pytest.fixture(autouse=True)
def _model() -> None:
    need_face_model()


@pytest.fixture(scope="module")
def original() -> np.ndarray:
    need_face_model()
    (face,), _ = follow([make_frame(photo())])
    assert face is not None
    return face.landmarks


@pytest.fixture(scope="module")
def wandering() -> tuple[list[Face | None], list[FaceTrack]]:
    need_face_model()
    return follow([shown(way(i), i) for i in range(24)])


def test_landmarks_follow_the_picture(
    original: np.ndarray, wandering: tuple[list[Face | None], list[FaceTrack]]
) -> None:
    eyes = np.linalg.norm(original[33] - original[263])
    for i, face in enumerate(wandering[0]):
        assert face is not None
        affine = way(i)
        size = eyes * np.sqrt(np.linalg.det(affine[:, :2]))
        gap = np.linalg.norm(face.landmarks[:, :2] - move_points(original, affine), axis=1) / size
        # The network sees another crop each time; its own noise is about 0.5 %, 1.5 % at worst.
        assert gap.mean() < 0.01
        assert gap.max() < 0.03


def test_the_pose_follows_the_picture(
    wandering: tuple[list[Face | None], list[FaceTrack]],
) -> None:
    (track,) = wandering[1]
    assert (track.start, len(track)) == (0, 24)
    assert track.present.all()
    np.testing.assert_array_equal(track.quality, 1)
    assert set(track.reasons) == {""}
    truth = [way(i) for i in range(24)]
    sizes = np.array([np.sqrt(np.linalg.det(affine[:, :2])) for affine in truth])
    np.testing.assert_allclose(track.scale / sizes, np.median(track.scale / sizes), rtol=0.015)
    angles = np.array([geometry.angles_degrees(r) for r in track.rotation])
    # Smoothing in time cuts the swing of 8 degrees by 0.3; the network's noise is about 1.5.
    roll = angles[:, 2] - [8 * np.sin(i / 4) for i in range(24)]
    assert np.abs(roll - np.median(roll)).max() < 2.5
    assert np.ptp(angles[:, 0]) < 4, "the head does not turn"
    assert np.ptp(angles[:, 1]) < 4
    # A point of the face that the pose carries: midway between the eyes.
    middle = np.einsum("nij,j->ni", track.rotation, track.neutral[[33, 263]].mean(0))
    middle = (middle * track.scale[:, None] + track.translation)[:, :2]
    at = np.array([move_points(middle[:1], _between(truth[0], affine))[0] for affine in truth])
    assert np.linalg.norm(middle - at, axis=1).max() < 0.03 * track.scale.mean()


def _between(first: np.ndarray, then: np.ndarray) -> np.ndarray:
    """The map from where things are under ``first`` to where they are under ``then``."""
    inverse = np.linalg.inv(np.vstack([first, [0, 0, 1]]))
    return np.asarray((np.vstack([then, [0, 0, 1]]) @ inverse)[:2])


def test_pose_and_landmarks_belong_together(
    wandering: tuple[list[Face | None], list[FaceTrack]],
) -> None:
    (track,) = wandering[1]
    rigid = list(geometry.RIGID)
    turned = np.einsum("nij,vj->nvi", track.rotation, track.neutral[rigid])
    model = turned * track.scale[:, None, None] + track.translation[:, None]
    gap = np.linalg.norm((model - track.landmarks[:, rigid])[..., :2], axis=-1)
    assert gap.mean() < 0.02 * track.scale.mean()
    np.testing.assert_allclose(np.linalg.det(track.rotation), 1, atol=1e-4)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_turned_video_gives_the_same_face(degrees: int, original: np.ndarray) -> None:
    stored = np.ascontiguousarray(np.rot90(photo(), degrees // 90))
    frame = make_frame(stored, rotation=degrees)
    (face,), _ = follow([frame])
    assert face is not None
    upright = geometry.rotate_points(face.landmarks, degrees, frame.width, frame.height)
    # The crop shows the same pixels but for rounding: a tenth of a pixel.
    assert np.abs(upright - original).max() < 0.15


def test_a_cut_starts_a_new_shot() -> None:
    other = 0.35 * move_picture(photo()[:, ::-1], similarity(0.8), SIZE)
    frames = [shown(STILL, i) for i in range(5)]
    frames += [make_frame(other, index=i) for i in range(5, 9)]
    faces, tracks = follow(frames)
    assert [(t.start, len(t)) for t in tracks] == [(0, 5), (5, 4)]
    assert all(face is not None for face in faces)
    assert abs(tracks[0].scale[0] - tracks[1].scale[0] / 0.8) < 4


def test_a_cut_between_two_pictures_alike_in_colour_is_seen_by_the_face_that_jumps() -> None:
    gap = [shown(STILL, i) for i in range(3)] + [covered(3), covered(4)]
    away = similarity(0.5, 0, (300, 200))
    faces, tracks = follow([*gap, *[shown(away, i) for i in range(5, 8)]])
    assert faces[-1] is not None
    assert [(t.start, len(t)) for t in tracks] == [(0, 3), (5, 3)]


def test_movement_is_no_cut() -> None:
    frames = [shown(similarity(1, 0, (-50 + 15 * i, -60 + 8 * i)), i) for i in range(8)]
    _, tracks = follow(frames)
    assert len(tracks) == 1
    assert tracks[0].present.all()


def test_grey_pictures_have_no_face() -> None:
    grey = np.full((SIZE[1], SIZE[0], 3), 0.5)
    frames = [shown(STILL, i) for i in range(5)]
    frames += [make_frame(grey, index=i) for i in range(5, 11)]
    frames += [shown(STILL, i) for i in range(11, 16)]
    faces, tracks = follow(frames)
    seen = [face is not None for face in faces]
    np.testing.assert_array_equal(seen, [True] * 5 + [False] * 6 + [True] * 5)
    assert [(t.start, len(t), t.key, t.person) for t in tracks] == [(0, 5, 0, 0), (11, 5, 1, 0)]
    for track in tracks:
        assert track.present.all()
        np.testing.assert_array_equal(track.quality, 1)


def test_a_face_that_is_covered_fades_on_both_sides() -> None:
    n, gap = 26, range(10, 15)
    frames = [covered(i) if i in gap else shown(STILL, i) for i in range(n)]
    # A board that is there within one frame is like a cut.
    faces, (track,) = follow(frames, shots_are_found=False)
    hidden = np.isin(np.arange(n), gap)
    np.testing.assert_array_equal(track.present, ~hidden)
    assert all((face is None) == gone for face, gone in zip(faces, hidden, strict=True))
    assert np.all(track.quality[hidden] == 0)
    assert set(track.reasons[hidden]) == {"no face"}
    assert np.abs(np.diff(track.quality)).max() <= 1 / FADE_FRAMES + 1e-6, "never a jump"
    steps = np.arange(1, FADE_FRAMES + 1) / FADE_FRAMES
    np.testing.assert_allclose(track.quality[15 : 15 + FADE_FRAMES], steps)
    np.testing.assert_allclose(track.quality[10 - FADE_FRAMES : 10], steps[::-1])
    assert np.isfinite(track.scale).all(), "the pose is held through the gap"
    assert np.ptp(track.scale) < 0.02 * track.scale.mean()


def test_a_video_without_any_face() -> None:
    noise = np.random.default_rng(0).random((90, 120, 3))
    faces, tracks = follow([make_frame(noise, index=i) for i in range(3)])
    assert faces == [None] * 3
    assert tracks == []


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bool]]:
    """Every search of the detector, and whether it went beyond the whole picture."""
    calls: list[bool] = []
    search = FaceDetector.search

    def counted(self: FaceDetector, frame: Frame) -> Iterator[list[Detection]]:
        calls.append(False)
        for number, found in enumerate(search(self, frame)):
            calls[-1] = number > 0
            yield found

    monkeypatch.setattr(FaceDetector, "search", counted)
    yield calls


def test_the_detector_runs_only_when_there_is_nothing_to_follow(looks: list[bool]) -> None:
    tracker = FaceTracker()
    for i in range(6):
        tracker.observe(shown(STILL, i))
    assert len(looks) == 1
    for i in range(6, 9):
        tracker.observe(covered(i))
    assert len(looks) == 4
    for i in range(9, 12):
        tracker.observe(shown(STILL, i))
    assert len(looks) == 5
    tracker.finish()


def test_the_costly_search_is_rare_while_the_face_is_away(looks: list[bool]) -> None:
    tracker = FaceTracker()
    grey = make_frame(np.full((120, 160, 3), 0.5))
    for _ in range(25):
        tracker.observe(grey)
    assert len(looks) == 25
    assert sum(looks) == 3
    tracker.finish()


def test_a_dissolve_passes_and_another_shot_begins() -> None:
    before, length, n = 10, 10, 34
    one = move_picture(photo(), STILL, SIZE)
    other = move_picture(photo()[:, ::-1], similarity(0.8, 0, (60, -40)), SIZE)
    shares = ((np.arange(n) - before + 1) / (length + 1)).clip(0, 1)
    faces, tracks = follow(
        [make_frame(one + s * (other - one), index=i) for i, s in enumerate(shares)]
    )
    assert all(face is not None for face in (*faces[:before], *faces[before + length :]))
    quality = np.concatenate([track.quality for track in tracks])
    reasons = np.concatenate([track.reasons for track in tracks])
    at = np.concatenate([np.arange(track.start, track.end) for track in tracks])
    mixed = np.isin(at, range(before, before + length))
    assert np.all(quality[mixed] == 0)
    assert set(reasons[mixed & (reasons != "no face")]) == {"dissolve"}
    assert tracks[-1].start >= before + length
    assert np.all(quality[at < before - FADE_FRAMES - 1] == 1)
    assert np.all(quality[at >= n - 3] == 1)
    assert np.abs(tracks[0].scale[0] - tracks[-1].scale[-1] / 0.8) < 0.1 * tracks[0].scale[0]


def test_a_mouth_out_of_the_picture() -> None:
    # The chin and the mouth hang over the lower border, the eyes are well inside.
    frames = [shown(similarity(1, 0, (-50, 125)), i) for i in range(3)]
    faces, (track,) = follow(frames)
    assert faces[0] is not None
    assert faces[0].landmarks[14, 1] > SIZE[1]
    assert np.all(track.quality == 0)
    assert set(track.reasons) == {"mouth out of frame"}


def test_a_cheek_out_of_the_picture_is_no_harm() -> None:
    frames = [shown(similarity(1, 0, (-215, -60)), i) for i in range(3)]
    faces, (track,) = follow(frames)
    assert faces[0] is not None
    assert faces[0].landmarks[:, 0].min() < 0
    np.testing.assert_array_equal(track.quality, 1)


@pytest.mark.parametrize(
    ("shrink", "reason"),
    [
        (0.09, "too small"),
        (0.18, "too small"),
        (0.4, ""),
    ],
)
def test_small_faces(shrink: float, reason: str, original: np.ndarray) -> None:
    affine = similarity(shrink, 0, (200, 150))
    faces, (track,) = follow([shown(affine, i) for i in range(3)])
    assert faces[0] is not None
    gap = np.abs(faces[0].landmarks[:, :2] - move_points(original, affine))
    assert gap.max() < 0.1 * track.scale[0]
    assert set(track.reasons) == {reason}
    np.testing.assert_array_equal(track.quality, 1 if reason == "" else 0)


class _Canned(FaceTracker):
    """A tracker that sees a given face everywhere, at no cost."""

    face: Face

    def _mesh_at(self, frame: Frame, region: Region) -> Face | None:
        shift = np.array([frame.index % 7, 0, 0], np.float32)
        return Face(self.face.landmarks + shift, 1.0)

    def _find(self, frame: Frame, seen: dict[int, Face]) -> None:
        low, high = self.face.landmarks.min(0)[:2], self.face.landmarks.max(0)[:2]
        middle = (low + high) / 2
        self._take(frame, [Detection(middle, high - low, middle, middle + 1, 1.0)], seen)


def test_a_long_track_is_not_held_in_memory(original: np.ndarray) -> None:
    tracker = _Canned()
    tracker.face = Face(original, 1.0)
    n, row = 4000, 478 * 3 * 4
    grey = make_frame(np.full((8, 8, 3), 0.5))

    def watch(first: int, last: int) -> None:
        for i in range(first, last):
            tracker.observe(replace(grey, index=i))

    watch(0, 100)
    tracemalloc.start()
    watch(100, 300)
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    watch(300, n)
    tracemalloc.start()
    (track,) = tracker.finish()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    usual = 5 * WIDTH * HEIGHT * 3
    assert kept < 0.1 * 200 * row + LOOKS * 112 * 112 * 3 + usual
    assert peak < n * row, "work on a sample and on the few points that are needed"
    assert isinstance(track.landmarks, np.memmap) or isinstance(track.landmarks.base, np.memmap)
    np.testing.assert_array_equal(track.landmarks[n - 1], original + np.eye(3)[0] * ((n - 1) % 7))


def test_faces_that_are_over_leave_no_pictures_behind() -> None:
    tracker, looked_at, shots = FaceTracker(), 256 * 256 * 3, 16
    frame = shown(STILL, 0)

    def watch(first: int, last: int) -> None:
        for i in range(first, last):
            assert tracker.observe(replace(frame, index=i), cut=True)

    watch(0, 4)
    tracemalloc.start()
    watch(4, 4 + shots)
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    tracker.close()
    assert kept < shots * looked_at / 3


def test_the_tracker_closes_its_file() -> None:
    tracker = FaceTracker()
    tracker.observe(make_frame(np.full((32, 32, 3), 0.5)))
    tracker.finish()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        del tracker
        gc.collect()
    assert not [w for w in caught if issubclass(w.category, ResourceWarning)]


def test_people_who_cannot_be_known_again_are_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*_: object) -> None:
        raise WeightsError("sface cannot be fetched")

    monkeypatch.setattr(Album, "vectors", no_network)
    tracker = FaceTracker()
    for i in range(4):
        tracker.observe(shown(STILL, i), cut=i == 2)
    tracks = tracker.finish()
    assert len(tracks) == 2
    assert tracker.strangers == "sface cannot be fetched"
