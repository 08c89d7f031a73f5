"""The plain inside of a mouth: dark, with lighter teeth, and right at any size and pose."""

import numpy as np
import pytest
from synth import closed_mesh, turn

from labial import geometry
from labial.pixels import Box
from labial.render.interior import PARAMETERS, grained, inside, plain_interior

SKIN = np.array([0.8, 0.6, 0.5], np.float32)


def draw(scale: float, opening: float, roll: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """The picture of a mouth held open by ``opening``, and its face-space u, v at each pixel."""
    face = closed_mesh().copy()
    lower = list(geometry.INNER_LOWER[1:-1])
    bow = np.sin(np.linspace(0, np.pi, 11))[1:-1]
    face[lower, 1] += opening * bow
    linear = scale * turn(roll=roll)[:2, :2]
    center = np.array([150.0, 120.0]) - linear @ face[13, :2]
    pose = np.concatenate([linear, center[:, None]], 1).astype(np.float32)
    pixels = (face[:, :2] @ linear.T + center).astype(np.float32)
    box = Box(0, 0, 300, 240)
    picture = plain_interior(box, pixels, closed_mesh(), pose, SKIN)
    y, x = np.mgrid[:240, :300] + 0.5
    local = (np.stack([x, y], -1) - center) @ np.linalg.inv(linear).T - face[13, :2]
    return picture, local


@pytest.mark.parametrize("roll", [0, 30, -90])
@pytest.mark.parametrize("scale", [60.0, 300.0])
def test_dark_with_lighter_teeth(scale: float, roll: float) -> None:
    picture, local = draw(scale, 0.25, roll)
    assert picture.shape == (240, 300, 3)
    assert picture.dtype == np.float32
    assert np.isfinite(picture).all()
    assert picture.min() >= 0
    assert picture.max() <= 1
    u, v = local[..., 0], local[..., 1]
    light = picture.mean(-1)
    teeth = light[(np.abs(u) < 0.1) & (np.abs(v) < 0.012)]
    cavity = light[(np.abs(u) < 0.1) & (v > 0.06) & (v < 0.11)]
    assert len(teeth) > 3
    assert len(cavity) > 3
    assert cavity.mean() < 0.35 * SKIN.mean()
    assert teeth.mean() > 2 * cavity.mean()


def test_redder_than_grey() -> None:
    picture, local = draw(200.0, 0.25)
    cavity = picture[(np.abs(local[..., 0]) < 0.1) & (np.abs(local[..., 1] - 0.1) < 0.02)]
    assert cavity[:, 0].mean() > 1.5 * cavity[:, 2].mean()


@pytest.mark.parametrize("opening", [0.0, 0.01, 0.6])
def test_any_opening(opening: float) -> None:
    picture, _ = draw(100.0, opening)
    assert np.isfinite(picture).all()


def test_as_bright_as_the_skin_is() -> None:
    picture, _ = draw(100.0, 0.2)
    assert picture.max() < 1.2 * SKIN.max()


# ------------------------------------------------------------------- as the learned network says


def mouth(theta: np.ndarray, skin: np.ndarray = SKIN, opening: float = 0.24) -> np.ndarray:
    """(h, w, 3) of an open mouth, and rows from the upper lip to the lower."""
    v, u = np.mgrid[-0.02 : opening - 0.02 : 61j, -0.2:0.2:81j].astype(np.float32)
    top, bottom = -0.02 + 0 * u, opening - 0.02 + 0 * u
    edges = (-0.02, opening - 0.02)
    return np.stack(inside(theta, u, v, top, bottom, edges, skin, np), -1)


def test_teeth_hang_from_above_stand_below_and_leave_a_dark_gap() -> None:
    light = mouth(np.zeros(PARAMETERS)).mean(-1)
    middle = light[:, 30:51].mean(1)
    upper, gap, lower = middle[8:12].mean(), middle[25:40].mean(), middle[54:57].mean()
    assert upper > 1.5 * gap
    assert lower > 1.5 * gap
    assert gap < 0.5 * SKIN.mean()


def test_all_parameters_are_read_and_each_changes_the_picture() -> None:
    plain = mouth(np.zeros(PARAMETERS))
    for k in range(PARAMETERS):
        theta = np.zeros(PARAMETERS)
        theta[k] = 1.0
        assert np.abs(mouth(theta) - plain).max() > 0.003, k
    with pytest.raises((StopIteration, RuntimeError)):
        mouth(np.zeros(PARAMETERS - 1))


def test_the_inside_is_as_light_as_the_skin_around_it() -> None:
    bright = mouth(np.zeros(PARAMETERS))
    dark = mouth(np.zeros(PARAMETERS), 0.03 * SKIN)
    np.testing.assert_allclose(dark, 0.03 * bright, rtol=1e-4, atol=1e-6)


def test_grain_is_the_frames_and_the_same_again() -> None:
    flat = np.full((60, 80, 3), 0.4, np.float32)
    noisy = grained(flat, 0.02, seed=5)
    assert 0.012 < (noisy - flat).std() < 0.02
    np.testing.assert_array_equal(noisy, grained(flat, 0.02, seed=5))
    assert (noisy != grained(flat, 0.02, seed=6)).any()
    assert grained(flat, 0.0, seed=5) is flat
