"""The mesh warp: linear functions, the identity, and a known affine move, all exactly."""

import cv2
import numpy as np
import pytest
from synth import mesh, move_points, similarity, smooth_rgb, turn

from labial import geometry
from labial.pixels import Box
from labial.render import warp

W, H = 420, 460
BOX = Box(0, 0, W, H)


def placed(scale: float = 170.0, **angles: float) -> np.ndarray:
    """(514, 2) the canonical face and its ring in the middle of the picture."""
    points = (mesh() @ turn(**angles).T * scale + [210, 190, 0]).astype(np.float32)
    return warp.with_ring(points, points)


def positions(raster: warp.Raster) -> np.ndarray:
    rows, cols = raster.part.shape
    y, x = np.mgrid[:rows, :cols] + 0.5
    return np.asarray((raster.x0, raster.y0) + raster.step * np.stack([x, y], -1))


@pytest.mark.parametrize(
    "angles", [{}, {"yaw": 20, "roll": 10}, {"yaw": -30, "pitch": 10}], ids=str
)
@pytest.mark.parametrize("step", [1, 4])
def test_nodes_reproduce_linear_functions(angles: dict, step: int) -> None:
    points = placed(**angles)
    raster = warp.rasterize(points, Box(30, 20, 400, 430), step)
    known = raster.part >= 0
    at = positions(raster)
    # float32 coordinates of some 400 pixels through a division by the triangle's area.
    assert np.abs(raster.gather(points) - at)[known].max() < 0.02
    slope = (points @ np.array([[0.3, -0.2], [0.5, 0.7]])).astype(np.float32)
    want = at @ np.array([[0.3, -0.2], [0.5, 0.7]])
    assert np.abs(raster.gather(slope) - want)[known].max() < 0.02
    assert np.abs(raster.weights[known].sum(-1) - 1).max() < 1e-4
    assert raster.weights[known].min() > -2e-3


def test_the_lower_face_is_covered_without_holes() -> None:
    points = placed()
    raster = warp.rasterize(points, BOX, 1)
    ring = points[478:]
    inside = np.zeros((H, W), np.uint8)
    cv2.fillConvexPoly(inside, cv2.convexHull(np.rint(ring).astype(np.int32)), 1)
    inside = cv2.erode(inside, np.ones((5, 5)))
    below = np.arange(H)[:, None] > points[1, 1]
    wanted = (inside > 0) & below
    assert wanted.sum() > 20000
    assert np.all(raster.part[wanted] >= 0)
    assert np.all(raster.part[:20] == -1), "and the forehead is left alone"


def test_the_inside_of_an_open_mouth_is_known_as_such() -> None:
    open_face = mesh().copy()
    lower = [*geometry.INNER_LOWER[1:-1], *geometry.OUTER_LOWER[1:-1]]
    open_face[lower, 1] += 0.15
    points = (open_face * 170 + [210, 190, 0]).astype(np.float32)
    raster = warp.rasterize(warp.with_ring(points, points), BOX, 1)
    gap = (points[13, :2] + points[14, :2]) / 2
    assert raster.part[int(gap[1]), int(gap[0])] == warp._INSIDE
    upper = (points[0, :2] + points[13, :2]) / 2
    assert raster.part[int(upper[1]), int(upper[0])] == warp._UPPER
    lower_lip = (points[17, :2] + points[14, :2]) / 2
    assert raster.part[int(lower_lip[1]), int(lower_lip[0])] == warp._LOWER
    chin = points[152, :2] - [0, 10]
    assert raster.part[int(chin[1]), int(chin[0])] == warp._SKIN


@pytest.mark.parametrize("dtype", [np.float32, np.uint8, np.uint16])
def test_no_move_is_bit_exact(dtype: type) -> None:
    rng = np.random.default_rng(0)
    image = rng.random((H, W, 3), np.float32)
    if dtype is not np.float32:
        image = (image * np.iinfo(dtype).max).astype(dtype)
    points = placed()
    box = Box(40, 60, 380, 420)
    raster = warp.rasterize(points, box, 4)
    offset = warp.offsets(raster, points, points, fixed=True)
    part = image[box.y0 : box.y1, box.x0 : box.x1]
    got = warp.sample(part, offset, raster, box, box)
    np.testing.assert_array_equal(got, part)
    maps = warp.layered(raster, offset, fixed=True)
    for side in (maps.above, maps.below):
        np.testing.assert_array_equal(warp.sample(part, side, raster, box, box), part)


@pytest.mark.parametrize(
    "move",
    [
        similarity(shift=(7.25, -4.5)),
        similarity(1.12, 0, (0, 0), (210, 240)),
        similarity(0.95, 9, (3, -2), (210, 240)),
        np.array([[1.05, 0.1, -20], [-0.04, 0.93, 25]]),
    ],
    ids=["shift", "swell", "turn", "shear"],
)
def test_an_affine_move_of_all_vertices_moves_the_image(move: np.ndarray) -> None:
    image = smooth_rgb(H, W).astype(np.float32)
    source = placed()
    moved = move_points(source, move).astype(np.float32)
    raster = warp.rasterize(moved, BOX, 4)
    offset = warp.offsets(raster, moved, source, fixed=False)
    got = warp.sample(image, offset, raster, BOX, BOX)
    back = np.linalg.inv(np.vstack([move, [0, 0, 1]]))[:2]
    y, x = np.mgrid[:H, :W] + 0.5
    at = (move_points(np.stack([x, y], -1), back) - 0.5).astype(np.float32)
    want = cv2.remap(image, at, None, cv2.INTER_CUBIC)
    hull = cv2.convexHull(np.rint(moved[np.unique(warp.topology()[0])]).astype(np.int32))
    covered = np.zeros((H, W), np.uint8)
    cv2.fillConvexPoly(covered, hull, 1)
    covered = cv2.erode(covered, np.ones((13, 13))) > 0
    covered &= np.arange(H)[:, None] > moved[1, 1]
    assert covered.sum() > 20000
    # A pixel of error would be about 0.006 of this picture's range a pixel; the map itself is
    # linear, so only interpolation is left.
    assert np.abs(got - want)[covered].max() < 1e-3


@pytest.mark.parametrize("step", [2, 6])
def test_the_coarse_grid_lies_where_it_says(step: int) -> None:
    # A picture of its own coordinates: what is sampled is where it was sampled.
    y, x = np.mgrid[:H, :W].astype(np.float32) + 0.5
    image = np.stack([x, y, 0 * x], -1)
    move = similarity(1.2, 0, (0, 0), (210, 240))
    source = placed()
    moved = move_points(source, move).astype(np.float32)
    raster = warp.rasterize(moved, BOX, step)
    offset = warp.offsets(raster, moved, source, fixed=False)
    box = Box(161, 300, 262, 360)
    got = warp.sample(image, offset, raster, box, BOX)
    there = np.stack([x, y], -1)[box.y0 : box.y1, box.x0 : box.x1]
    want = (there - (210, 240)) / 1.2 + (210, 240)
    error = got[..., :2] - want
    # OpenCV counts in 1/32 pixel and 1/32 node, which leaves no bias. Half a pixel of slip would
    # be a bias of 0.08.
    assert np.abs(error).max() < 0.07
    assert np.abs(error.mean((0, 1))).max() < 0.01


def test_a_window_is_a_part_of_the_grid() -> None:
    points = placed()
    raster = warp.rasterize(points, BOX, 4)
    moved = points.copy()
    moved[:478] += 3
    offset = warp.offsets(raster, points, moved, fixed=True)
    image = smooth_rgb(H, W).astype(np.float32)
    box = Box(150, 230, 270, 310)
    small = raster.window(box)
    assert small.part.size < raster.part.size / 4
    near = warp.offsets(small, points, moved, fixed=True)
    a = warp.sample(image, offset, raster, box, BOX)
    b = warp.sample(image, near, small, box, BOX)
    np.testing.assert_allclose(a, b, atol=1e-5)


def test_both_sides_agree_away_from_the_lips() -> None:
    points = placed()
    moved = points.copy()
    moved[152] += [0, 9]
    moved[14] += [0, 6]
    raster = warp.rasterize(moved, BOX, 4)
    offset = warp.offsets(raster, moved, points, fixed=True)
    maps = warp.layered(raster, offset, fixed=True)
    at = positions(raster)
    lips = points[[61, 291, 0, 17], :2]
    low, high = lips.min(0) - 30, lips.max(0) + 30
    far = ((at < low) | (at > high)).any(-1)
    np.testing.assert_array_equal(maps.above[far], maps.below[far])
    assert np.abs(maps.above - maps.below).max() > 1, "and part at the lip line"


def test_the_ring_does_not_move() -> None:
    points = placed()[:478]
    moved = points + np.float32([5, 9])
    np.testing.assert_array_equal(
        warp.with_ring(moved, points)[478:], warp.with_ring(points, points)[478:]
    )


def test_the_ring_is_the_oval_widened_and_below_the_chin_lowered() -> None:
    points = placed()[:478]
    ring = warp.with_ring(points, points)[478:]
    oval = points[list(geometry.FACE_OVAL)]
    center = oval.mean(0)
    ratio = np.linalg.norm(ring - center, axis=1) / np.linalg.norm(oval - center, axis=1)
    chin = np.isin(geometry.FACE_OVAL, [379, 378, 400, 377, 152, 148, 176, 149, 150])
    np.testing.assert_allclose(ratio[~chin], warp.RING_SCALE, atol=1e-3)
    shift = (ring - oval)[chin]
    assert np.abs(shift[:, 0]).max() < 0.01 * shift[:, 1].min()
    assert np.ptp(shift[:, 1]) < 1e-3
