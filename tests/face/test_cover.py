"""Covers made of known shapes, in front of the sample photo's mouth."""

from dataclasses import replace

import numpy as np
import pytest
from synth import make_frame, move_picture, need_face_model, photo, similarity

from labial.face.cover import HEIGHT, WIDTH, CoverWatch, cover_matte, plane_at
from labial.face.track import FaceTracker
from labial.types import Face, FaceTrack, Frame

SIZE = (480, 440)
STILL = similarity(1, 0, (-50, -60))
N = 30
COVERED = range(12, 20)


@pytest.fixture(autouse=True)
def _model() -> None:
    need_face_model()


def picture() -> np.ndarray:
    return move_picture(photo(), STILL, SIZE)


@pytest.fixture(scope="module")
def face() -> Face:
    need_face_model()
    tracker = FaceTracker()
    (found,) = tracker.observe(make_frame(picture())).values()
    tracker.close()
    return replace(found, crop=None)  # the frames here show other things than it saw


def disc(
    face: Face,
    size: float,
    color: tuple[float, float, float],
    down: float = 0.0,
    light: float = 1.0,
) -> Frame:
    """The photo with a disc over the mouth; ``size`` and ``down`` in inter-ocular distances."""
    points = face.landmarks[:, :2]
    unit = np.linalg.norm(points[33] - points[263])
    x0, y0 = points[[13, 14]].mean(0)
    y0 += down * unit
    y, x = np.mgrid[: SIZE[1], : SIZE[0]] + 0.5
    inside = (size * unit - np.hypot(x - x0, y - y0) + 0.5).clip(0, 1)[..., None]
    return make_frame(light * (picture() * (1 - inside) + inside * np.array(color)))


def looked_at(face: Face, frame: Frame, before: int = 3) -> tuple[float, float]:
    """Share of lips and of the plane covered, after some clear frames."""
    watch = CoverWatch()
    for _ in range(before):
        watch.look(make_frame(picture()), 0, face)
    sight = watch.look(frame, 0, face)
    return sight.lips, sight.around


def test_the_plane_lies_around_the_mouth(face: Face) -> None:
    affine = plane_at(face.landmarks)
    middle = affine @ np.array([WIDTH / 2, HEIGHT / 2, 1])
    unit = np.linalg.norm(face.landmarks[33] - face.landmarks[263])
    lips = face.landmarks[[13, 14], :2].mean(0)
    assert np.linalg.norm(middle - lips) < 0.15 * unit
    assert np.linalg.norm(affine[:, 0]) * WIDTH == pytest.approx(1.6 * unit, rel=0.1)


@pytest.mark.parametrize("before", [0, 3])
def test_a_clear_mouth_is_clear(face: Face, before: int) -> None:
    lips, around = looked_at(face, make_frame(picture()), before)
    assert lips < 0.02
    assert around < 0.02


@pytest.mark.parametrize("color", [(0.05, 0.05, 0.06), (0.2, 0.3, 0.8)])
@pytest.mark.parametrize("before", [0, 3])
def test_what_is_laid_over_the_mouth_is_found(
    face: Face, color: tuple[float, float, float], before: int
) -> None:
    lips, around = looked_at(face, disc(face, 0.4, color), before)
    assert lips > 0.8
    assert around > 0.15


def test_what_is_beside_the_mouth_is_not_on_it(face: Face) -> None:
    lips, around = looked_at(face, disc(face, 0.14, (0.1, 0.1, 0.1), down=0.38))
    assert lips < 0.1
    assert around > 0.01


def test_the_matte_is_where_the_cover_is(face: Face) -> None:
    watch = CoverWatch()
    watch.look(make_frame(picture()), 0, face)
    matte, affine = cover_matte(
        disc(face, 0.3, (0.1, 0.1, 0.1)), face.landmarks, watch.close_track(0)
    )
    unit = np.linalg.norm(face.landmarks[33] - face.landmarks[263])
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    at = np.stack([x, y, np.ones_like(x)], -1) @ affine.T
    far = np.linalg.norm(at - face.landmarks[[13, 14], :2].mean(0), axis=-1) / unit
    assert matte[far < 0.25].mean() > 0.9
    assert matte[far > 0.36].mean() < 0.05


def test_a_face_that_was_never_clear_has_no_usual_look(face: Face) -> None:
    watch = CoverWatch()
    watch.look(disc(face, 0.4, (0.1, 0.1, 0.1)), 0, face)
    assert watch.usual(0) is None
    assert watch.close_track(0).size == 0


@pytest.fixture(scope="module")
def track(face: Face) -> FaceTrack:
    tracker = FaceTracker()
    clear, hidden = make_frame(picture()), disc(face, 0.33, (0.1, 0.1, 0.12))
    covered = []
    for i in range(N):
        frame = hidden if i in COVERED else clear
        tracker.observe(
            Frame(frame.planes, frame.format, i, frame.time_base, index=i, color=frame.color)
        )
        covered.append(tracker.is_covered(0))
    np.testing.assert_array_equal(np.flatnonzero(covered), COVERED)
    (track,) = tracker.finish()
    return track


def test_covered_frames_pass_and_their_neighbours_fade(track: FaceTrack) -> None:
    hidden = np.isin(np.arange(N), COVERED)
    assert track.present.all()
    assert np.all(track.quality[hidden] == 0)
    assert set(track.reasons[hidden]) == {"mouth covered"}
    assert np.all(track.quality[[0, 1, 2, 3, -3, -2, -1]] == 1)
    assert np.abs(np.diff(track.quality)).max() <= 0.25 + 1e-6
    assert np.all(track.cover[hidden] > 0.5)
    assert np.all(track.cover[[0, 1, 2, -1]] == 0)
    assert track.usual.shape == (HEIGHT, WIDTH, 3)


def test_a_covered_mouth_does_not_change_what_the_face_is_like(
    track: FaceTrack, face: Face
) -> None:
    tracker = FaceTracker()
    for i in range(3):
        tracker.observe(make_frame(picture(), index=i))
    (alone,) = tracker.finish()
    assert np.abs(track.neutral - alone.neutral).max() < 0.02


def test_what_the_mesh_was_shown_is_as_good_as_the_frame(face: Face) -> None:
    frame = make_frame(picture())
    tracker = FaceTracker()
    (with_crop,) = tracker.observe(frame).values()
    tracker.close()
    assert with_crop.crop is not None
    one, other = CoverWatch(), CoverWatch()
    a = one.look(frame, 0, with_crop)
    b = other.look(frame, 0, replace(with_crop, crop=None))
    assert a.detail == pytest.approx(b.detail, rel=0.15)
    assert a.lips == pytest.approx(b.lips, abs=0.02)
    first, second = one.usual(0), other.usual(0)
    assert first is not None
    assert second is not None
    assert np.abs(first.astype(int) - second).mean() < 4


@pytest.mark.parametrize(("light", "found"), [(1.0, True), (0.1, False)])
def test_where_it_is_too_dark_to_tell_nothing_is_called_a_cover(
    face: Face, light: float, found: bool
) -> None:
    watch = CoverWatch()
    for _ in range(3):
        watch.look(make_frame(light * picture()), 0, face)
    sight = watch.look(disc(face, 0.4, (0.2, 0.3, 0.8), light=light), 0, face)
    assert (sight.lips > 0.5) == found
