import numpy as np
import pytest

from labial import geometry as g


def rotation(yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0) -> np.ndarray:
    """Turns about y, x and z in degrees, right-handed, z applied first."""
    y, p, r = np.radians([yaw, pitch, roll])
    about_y = [[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]]
    about_x = [[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]]
    about_z = [[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]]
    return np.array(about_y) @ about_x @ about_z


@pytest.mark.parametrize("dimensions", [2, 3])
def test_a_similarity_is_found_again(dimensions: int) -> None:
    rng = np.random.default_rng(0)
    source = rng.normal(size=(20, dimensions))
    turn = rotation(30, -20, 10) if dimensions == 3 else rotation(roll=40)[:2, :2]
    shift = rng.normal(size=dimensions)
    target = 3.5 * source @ turn.T + shift
    scale, found, moved = g.fit_similarity(target, source)
    np.testing.assert_allclose(scale, 3.5)
    np.testing.assert_allclose(found, turn, atol=1e-12)
    np.testing.assert_allclose(moved, shift, atol=1e-12)


def test_a_similarity_never_mirrors() -> None:
    source = np.random.default_rng(1).normal(size=(20, 3))
    _, found, _ = g.fit_similarity(source * [-1, 1, 1], source)
    np.testing.assert_allclose(np.linalg.det(found), 1)


def test_a_picture_on_its_side_is_as_wide_as_it_was_high() -> None:
    assert [g.upright_size(640, 360, turn) for turn in (0, 90, 180, 270)] == [
        (640, 360), (360, 640), (640, 360), (360, 640)
    ]  # fmt: skip


def test_signs_of_the_angles() -> None:
    """The nose tip of a turned head tells the sign; z points away from the camera."""
    nose = np.array([0.0, 0.0, -1.0])
    for turn in (rotation(yaw=20), rotation(yaw=-20)):
        yaw, pitch, roll = g.angles_degrees(turn)
        assert abs(yaw) == pytest.approx(20)
        assert np.sign(yaw) == np.sign((turn @ nose)[0])
        assert (pitch, roll) == pytest.approx((0, 0))
    for turn in (rotation(pitch=20), rotation(pitch=-20)):
        yaw, pitch, roll = g.angles_degrees(turn)
        assert abs(pitch) == pytest.approx(20)
        assert np.sign(pitch) == np.sign((turn @ nose)[1])
        assert (yaw, roll) == pytest.approx((0, 0))
    # Clockwise on the screen: what points right turns towards down.
    turn = rotation(roll=20)
    assert (turn @ [1.0, 0.0, 0.0])[1] > 0
    assert g.angles_degrees(turn) == pytest.approx((0, 0, 20))


@pytest.mark.parametrize("turn", [0, 90, 180, 270, -90])
def test_rotating_points_follows_the_picture(turn: int) -> None:
    picture = np.zeros((4, 7), np.uint8)
    picture[1, 5] = 1
    turned = np.rot90(picture, -turn // 90)
    point = np.array([[5.5, 1.5, 9.0]])
    moved = g.rotate_points(point, turn, width=7, height=4)
    row, column = np.argwhere(turned)[0]
    np.testing.assert_array_equal(moved, [[column + 0.5, row + 0.5, 9.0]])
    height, width = turned.shape
    np.testing.assert_array_equal(g.rotate_points(moved, -turn, width, height), point)


def test_odd_turns_are_refused() -> None:
    with pytest.raises(ValueError, match="multiples of 90"):
        g.rotate_points(np.zeros((1, 2)), 45, 10, 10)


def test_canonical_mesh() -> None:
    vertices, triangles = g.canonical_mesh()
    assert vertices.shape == (468, 3)
    assert vertices.dtype == np.float32
    assert triangles.shape == (898, 3)
    assert triangles.dtype == np.int32
    assert set(np.unique(triangles)) == set(range(468))
    left, right = vertices[list(g.EYE_OUTER)]
    np.testing.assert_allclose(np.linalg.norm(right - left), 1, atol=1e-4)
    np.testing.assert_allclose((left + right) / 2, 0, atol=1e-4)
    assert left[0] < right[0], "x to the right"
    assert vertices[152, 1] > vertices[10, 1], "y down: the chin is below the forehead"
    assert vertices[4, 2] < vertices[234, 2], "z away: the nose tip is nearer than the ear"


def test_lips_are_walked_from_left_to_right() -> None:
    vertices, _ = g.canonical_mesh()
    for line in (g.INNER_UPPER, g.INNER_LOWER, g.OUTER_UPPER, g.OUTER_LOWER):
        assert np.all(np.diff(vertices[list(line), 0]) > 0)
    for upper, lower in ((g.INNER_UPPER, g.INNER_LOWER), (g.OUTER_UPPER, g.OUTER_LOWER)):
        assert (upper[0], upper[-1]) == (lower[0], lower[-1])
        assert np.all(vertices[list(upper[1:-1]), 1] <= vertices[list(lower[1:-1]), 1])


def test_index_lists_have_no_doubles() -> None:
    for points in (g.RIGID, g.MOUTH, g.FACE_OVAL):
        assert len(set(points)) == len(points)
        assert max(points) < 468


@pytest.mark.parametrize("roll", [0, 30, 90, -120, 180])
def test_yaw_and_pitch_do_not_depend_on_roll(roll: float) -> None:
    c, s = np.cos(np.radians(roll)), np.sin(np.radians(roll))
    spin = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    a, b = np.radians(40), np.radians(8)
    yaw = np.array([[np.cos(a), 0, -np.sin(a)], [0, 1, 0], [np.sin(a), 0, np.cos(a)]])
    pitch = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    found = g.angles_degrees(spin @ pitch @ yaw)
    upright = g.angles_degrees(pitch @ yaw)
    assert found[:2] == pytest.approx(upright[:2], abs=1e-3)
    assert abs(found[0]) == pytest.approx(40, abs=1)
