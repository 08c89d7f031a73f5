"""The detector and the mesh on one photo: faces where they are, none where they are not."""

import numpy as np
import pytest
from synth import BT601, make_frame, move_picture, need_face_model, photo, similarity

from labial.face.detect import FaceDetector
from labial.face.mesh import FaceMesh, Region

# Read off the photo by eye, to within about 3 pixels.
EYES = np.array([[230.0, 247.0], [315.0, 246.0]])
MOUTH_CORNERS = np.array([[240.0, 328.0], [312.0, 326.0]])


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    need_face_model()
    return FaceDetector()


@pytest.fixture(scope="module")
def mesh_net() -> FaceMesh:
    need_face_model()
    return FaceMesh()


def test_the_face_is_found_where_it_is(detector: FaceDetector) -> None:
    (found,) = detector.detect(make_frame(photo()))
    assert found.score > 0.8
    np.testing.assert_allclose(found.right_eye, EYES[0], atol=8)
    np.testing.assert_allclose(found.left_eye, EYES[1], atol=8)
    assert 120 < found.size[0] < 300


def test_nothing_is_found_in_grey_or_noise(detector: FaceDetector) -> None:
    grey = np.full((360, 640, 3), 0.5)
    noise = np.random.default_rng(0).random((360, 640, 3))
    for picture in (grey, noise):
        assert detector.detect(make_frame(picture), thorough=True) == []


def test_a_picture_too_thin_for_a_face_is_searched_once(detector: FaceDetector) -> None:
    assert len([*detector.search(make_frame(np.full((2, 4000, 3), 0.5)))]) == 1


def test_a_small_face_is_found_by_the_thorough_search(detector: FaceDetector) -> None:
    # The face is 8 % of the picture's height, in a corner.
    affine = similarity(0.17, 0, (840, 120))
    small = make_frame(move_picture(photo(), affine, (960, 540)))
    found = detector.detect(small, thorough=True)
    assert len(found) >= 1
    want = EYES @ affine[:, :2].T + affine[:, 2]
    assert np.abs(found[0].right_eye - want[0]).max() < 4
    assert np.abs(found[0].left_eye - want[1]).max() < 4


def test_two_faces_are_two(detector: FaceDetector) -> None:
    pair = np.concatenate([photo(), photo()[:, ::-1]], 1)
    found = detector.detect(make_frame(pair), thorough=True)
    assert len(found) == 2
    assert abs(found[0].center[0] - found[1].center[0]) > 300


def test_the_mesh_lies_on_the_face(detector: FaceDetector, mesh_net: FaceMesh) -> None:
    frame = make_frame(photo())
    face = mesh_net(frame, Region.of_detection(detector.detect(frame)[0]), blendshapes=True)
    assert face.presence > 0.9
    corners = face.landmarks[[61, 291], :2]
    np.testing.assert_allclose(corners, MOUTH_CORNERS, atol=6)
    np.testing.assert_allclose(face.landmarks[[468, 473], :2], EYES, atol=5)
    shapes = face.blendshapes
    assert shapes is not None
    assert shapes.shape == (52,)
    assert 0 <= shapes.min() <= shapes.max() <= 1
    assert shapes[[44, 45]].min() > 0.3, "the man in the photo smiles"


@pytest.mark.parametrize("fmt", ["yuv422p10le", "gbrp", "yuv444p12le"])
def test_the_pixel_format_makes_no_difference(fmt: str, mesh_net: FaceMesh) -> None:
    region = Region(285, 270, 340, 0.0)
    a = mesh_net(make_frame(photo()), region).landmarks
    b = mesh_net(make_frame(photo(), fmt, BT601), region).landmarks
    # The photo is the same but for its chroma; 0.5 % of the distance of the eyes.
    assert np.abs(a - b).max() < 0.6


def test_grey_is_no_face(mesh_net: FaceMesh) -> None:
    face = mesh_net(make_frame(np.full((300, 300, 3), 0.5)), Region(150, 150, 200, 0.0))
    assert face.presence < 0.5
    assert face.blendshapes is None
