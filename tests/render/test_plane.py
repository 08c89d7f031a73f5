"""The mouth plane: there and back, at any size and turn."""

import numpy as np
import pytest
from synth import closed_mesh, make_track, turn

from labial import geometry
from labial.pixels import Box
from labial.render.plane import HEIGHT, PIXELS_PER_UNIT, WIDTH, MouthPlane, lip_maps
from labial.types import FaceTrack

W, H = 640, 480


def track(scale: float, roll: float = 0.0, yaw: float = 0.0) -> FaceTrack:
    rotation = turn(roll=roll, yaw=yaw)
    return make_track(
        closed_mesh()[None], closed_mesh(), scale=scale, rotation=rotation, center=(320.0, 200.0)
    )


@pytest.mark.parametrize("roll", [0, 25, -90])
@pytest.mark.parametrize("scale", [30.0, 104.0, 300.0])
def test_lips_lie_in_the_middle_and_are_as_wide_as_ever(scale: float, roll: float) -> None:
    face = track(scale, roll)
    points = MouthPlane.of(face, 0).to_plane(face.landmarks[0])
    corners = points[[61, 291]]
    assert abs(corners[:, 0].mean() - WIDTH / 2) < 4
    assert 0.3 * HEIGHT < corners[:, 1].mean() < 0.55 * HEIGHT
    # The picture's left corner stays left: the plane turns with the face.
    wide = np.linalg.norm((closed_mesh()[61] - closed_mesh()[291])[:2])
    assert corners[1, 0] - corners[0, 0] == pytest.approx(wide * PIXELS_PER_UNIT, rel=0.05)


@pytest.mark.parametrize("scale", [50.0, 104.0, 260.0])
def test_a_smooth_picture_comes_back(scale: float) -> None:
    plane = MouthPlane.of(track(scale, roll=12), 0)
    y, x = np.mgrid[:H, :W] + 0.5
    picture = np.stack([x / W, y / H, 0.5 + 0.2 * np.sin(x / 80)], -1).astype(np.float32)
    at = plane.box(W, H)
    seen = plane.view(picture[at.y0 : at.y1, at.x0 : at.x1], at)
    assert seen.shape == (HEIGHT, WIDTH, 3)
    # What the plane shows is what lies there.
    middle = plane.affine @ [WIDTH / 2, HEIGHT / 2, 1]
    centre = seen[HEIGHT // 2 - 1 : HEIGHT // 2 + 1, WIDTH // 2 - 1 : WIDTH // 2 + 1].mean((0, 1))
    np.testing.assert_allclose(centre[:2], middle / (W, H), atol=0.002)
    inside = plane.lay(np.ones((HEIGHT, WIDTH), np.float32), at) > 0.999
    back = plane.lay(seen, at)
    want = picture[at.y0 : at.y1, at.x0 : at.x1]
    assert inside.mean() > 0.5
    np.testing.assert_allclose(back[inside], want[inside], atol=0.006)


def test_a_smaller_picture_of_the_same_part_is_seen_alike() -> None:
    plane = MouthPlane.of(track(300.0), 0)
    at = Box(200, 150, 440, 330)
    y, x = np.mgrid[:180, :240] + 0.5
    whole = (x / 240 + y / 180).astype(np.float32) / 2
    half = whole.reshape(90, 2, 120, 2).mean((1, 3))
    np.testing.assert_allclose(plane.view(half, at), plane.view(whole, at), atol=0.006)


def test_nothing_is_laid_outside_the_plane() -> None:
    plane = MouthPlane.of(track(100.0), 0)
    laid = plane.lay(np.ones((HEIGHT, WIDTH, 2), np.float32), Box(0, 0, W, H))
    at = plane.box(W, H)
    outside = np.ones((H, W), bool)
    outside[at.y0 - 1 : at.y1 + 1, at.x0 - 1 : at.x1 + 1] = False
    assert laid[outside].max() == 0
    assert laid.max() == 1


def test_lips_are_drawn_where_they_are() -> None:
    shape = closed_mesh().copy()
    lower = [*geometry.INNER_LOWER[1:-1], *geometry.OUTER_LOWER[1:-1]]
    shape[lower, 1] += 0.1
    face = make_track(shape[None], closed_mesh(), scale=120.0, center=(320.0, 200.0))
    points = MouthPlane.of(face, 0).to_plane(face.landmarks[0])
    outline, opening = lip_maps(points)
    between = (points[13] + points[14]) / 2
    x, y = between.astype(int)
    assert opening[y, x] == outline[y, x] == 255
    assert opening[int(points[17, 1]) - 2, int(points[17, 0])] == 0
    shut = lip_maps(MouthPlane.of(track(120.0), 0).to_plane(track(120.0).landmarks[0]))[1]
    assert shut.sum() < 0.2 * opening.sum()
