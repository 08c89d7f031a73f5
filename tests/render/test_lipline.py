"""The lip line: what is above, below and between, and where that lies in another mouth."""

import numpy as np
import pytest
from synth import closed_mesh, turn

from labial.pixels import Box
from labial.render.lipline import LOWER, UPPER, lip_line

BOX = Box(40, 30, 240, 190)


def mouth(opening: float, scale: float = 160.0, roll: float = 0.0) -> np.ndarray:
    """(478, 3) pixels; the inner lips part by ``opening``, and the mouth is in the box."""
    face = closed_mesh().copy()
    bow = np.sin(np.linspace(0, np.pi, 11))[1:-1]
    face[LOWER[1:-1], 1] += opening * bow
    points = scale * face @ turn(roll=roll).T
    shift = np.array([140, 105, 0]) - points[[13, 14]].mean(0)
    return (points + shift).astype(np.float32)


@pytest.mark.parametrize("roll", [0, 20, -90, 180])
def test_the_gap_has_the_area_of_the_opening(roll: float) -> None:
    points = mouth(0.2, roll=roll)
    line = lip_line(points, BOX)
    x, y = points[[*UPPER, *LOWER[-2:0:-1]], :2].T
    area = abs((x * np.roll(y, -1) - y * np.roll(x, -1)).sum()) / 2
    assert line.opening.sum() == pytest.approx(area, rel=0.02)
    assert line.opening.max() == 1
    rows, cols = np.nonzero(line.opening)
    assert (rows.min(), rows.max() + 1) == (line.gap.y0 - BOX.y0, line.gap.y1 - BOX.y0)
    assert (cols.min(), cols.max() + 1) == (line.gap.x0 - BOX.x0, line.gap.x1 - BOX.x0)


@pytest.mark.parametrize(("pixels", "share"), [(0.0, 0.0), (0.75, 0.5), (1.5, 1.0), (4.0, 1.0)])
def test_a_slit_of_less_than_a_pixel_fades(pixels: float, share: float) -> None:
    line = lip_line(mouth(pixels / 160), BOX)
    assert line.opening.sum(0).max() == pytest.approx(share * pixels, abs=0.12)


def test_the_parts_hold_all_that_is_above_and_below() -> None:
    line = lip_line(mouth(0.1, roll=15), BOX)
    over, under = line.over, line.under
    assert np.all(line.below[over.y1 - BOX.y0 :] == 1)
    assert np.all(line.below[: under.y0 - BOX.y0] == 0)
    assert over.y0 == BOX.y0
    assert under.y1 == BOX.y1
    assert under.y0 < over.y1
    points = mouth(0.1, roll=15)
    for vertex, want in ((0, 0), (17, 1)):
        at = points[vertex, :2].astype(int) - (BOX.x0, BOX.y0)
        assert line.below[at[1], at[0]] == want


def test_its_own_lips_are_where_they_are() -> None:
    points = mouth(0.15, roll=10)
    line = lip_line(points, BOX)
    y, x = np.mgrid[line.gap.y0 : line.gap.y1, line.gap.x0 : line.gap.x1] + 0.5
    np.testing.assert_allclose(line.between(points), np.stack([x, y], -1), atol=1e-4)


@pytest.mark.parametrize("opening", [0.01, 0.1, 0.3])
def test_between_other_lips_it_is_as_deep_and_as_far_along(opening: float) -> None:
    points, other = mouth(0.15), 1.3 * mouth(opening) + np.array([20, -9, 0])
    line = lip_line(points, BOX)
    at = line.between(other.astype(np.float32))
    middle = int(points[13, 0]) - line.gap.x0
    column = at[:, middle]
    inner = line.opening[line.gap.y0 - BOX.y0 : line.gap.y1 - BOX.y0, middle + line.gap.x0 - BOX.x0]
    full = inner == 1
    assert np.abs(column[:, 0] - other[13, 0]).max() < 1
    depth = np.arange(line.gap.y0, line.gap.y1) + 0.5 - points[13, 1]
    want = other[13, 1] + depth / (points[14, 1] - points[13, 1]) * (other[14, 1] - other[13, 1])
    np.testing.assert_allclose(column[full, 1], want[full], atol=0.5)


def test_a_mouth_outside_the_box_has_no_gap() -> None:
    points = mouth(0.2) + np.float32([900, 0, 0])
    line = lip_line(points, BOX)
    assert line.gap.height == 0
    assert line.between(points).shape[0] == 0


def test_a_corner_that_a_turned_head_hides_opens_nothing_beside_the_mouth() -> None:
    points = mouth(0.3)
    # Seen from the side, lips near the left corner lie left of it, one above and one below.
    corner = points[UPPER[0], :2].copy()
    points[UPPER[1:3], :2] = corner + np.array([[-3, -6], [-1, -9]])
    points[LOWER[1:3], :2] = corner + np.array([[-3, 6], [-1, 9]])
    line = lip_line(points, BOX)
    x = int(corner[0]) - BOX.x0
    assert line.opening[:, : x - 1].max() == 0
    assert line.opening.max() == 1
