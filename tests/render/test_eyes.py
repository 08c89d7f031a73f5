"""Drawn eyes: dark irises on white, in skin; where they are is known to the pixel."""

from itertools import pairwise

import numpy as np
import pytest
from synth import make_frame, mesh

from labial.pixels import Box, read_rgb
from labial.render.eyes import Eyes
from labial.types import Frame

UNIT, CENTER = 150.0, np.array([160.0, 120.0])
SKIN, IRIS = (0.8, 0.6, 0.5), (0.05, 0.1, 0.2)
CORNERS = ((33, 133), (362, 263))


def landmarks() -> np.ndarray:
    """The canonical face with eyes that are opened to a known almond shape."""
    face = mesh().copy()
    for (first, last), (upper, lower) in zip(
        CORNERS,
        (
            ((246, 161, 160, 159, 158, 157, 173), (7, 163, 144, 145, 153, 154, 155)),
            ((398, 384, 385, 386, 387, 388, 466), (382, 381, 380, 374, 373, 390, 249)),
        ),
        strict=True,
    ):
        a, b = face[first], face[last]
        for row, bulge in ((upper, -0.07), (lower, 0.06)):
            for k, point in enumerate(row):
                t = (k + 1) / 8
                face[point] = a + t * (b - a) + [0, bulge * 4 * t * (1 - t), 0]
    return (face * UNIT + [*CENTER, 0]).astype(np.float32)


def drawn() -> tuple[Frame, np.ndarray]:
    """A picture of the eyes, and where their openings are."""
    points = landmarks()
    y, x = np.mgrid[:240, :320] + 0.5
    rgb = np.empty((240, 320, 3))
    rgb[:] = SKIN
    rgb += 0.02 * np.sin(0.3 * x + 0.2 * y)[..., None]
    opening = np.zeros(x.shape, bool)
    for first, last in CORNERS:
        a, b = points[first, :2], points[last, :2]
        t = (x - a[0]) / (b[0] - a[0])
        middle = a[1] + t * (b[1] - a[1])
        arch = 4 * t * (1 - t) * UNIT
        own = (t > 0) & (t < 1) & (y > middle - 0.07 * arch) & (y < middle + 0.06 * arch)
        rgb[own] = 0.95
        center = (a + b) / 2
        iris = (x - center[0]) ** 2 + (y - center[1]) ** 2 < (0.05 * UNIT) ** 2
        rgb[own & iris] = IRIS
        opening |= own
    return make_frame(rgb.clip(0, 1), "yuv444p"), opening


def moved(lids: float, gaze: tuple[float, float] = (0, 0)) -> np.ndarray:
    frame, _ = drawn()
    eyes = Eyes(frame, landmarks(), UNIT)
    copy = Frame(
        tuple(p.copy() for p in frame.planes), frame.format, 0, frame.time_base, color=frame.color
    )
    out = eyes.move(copy, lids, np.array(gaze, np.float32))
    return read_rgb(out, Box(0, 0, 320, 240))


BEFORE, OPENING = drawn()
RGB = read_rgb(BEFORE, Box(0, 0, 320, 240))


def test_open_eyes_are_the_photo() -> None:
    np.testing.assert_array_equal(moved(0), RGB)


def test_shut_eyes_show_neither_white_nor_iris() -> None:
    shut = moved(1)[OPENING]
    assert shut[:, 2].max() < 0.75  # the white of the eye has 0.95
    assert np.median(shut[:, 0]) == pytest.approx(SKIN[0], abs=0.08)
    assert (shut[:, 0] < 0.35).mean() < 0.02  # no iris; lashes are a thin line


def test_lids_close_from_above_and_more_and_more() -> None:
    seen = [(moved(lids)[..., 2] > 0.85) & OPENING for lids in (0, 0.25, 0.5, 0.75, 1)]
    areas = [int(mask.sum()) for mask in seen]
    assert all(a > b for a, b in pairwise(areas))
    rows = np.flatnonzero(OPENING.any(1))
    half = np.flatnonzero(seen[2].any(1))
    assert half[0] - rows[0] > 0.35 * len(rows)
    assert rows[-1] - half[-1] <= 2


def test_what_is_not_eye_or_lid_stays() -> None:
    changed = np.abs(moved(1, (5, 3)) - RGB).max(-1) > 0
    rows, cols = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
    points = landmarks()
    assert points[[65, 52, 55], 1].min() - 6 < rows[0]
    assert rows[-1] < points[145, 1] + 0.1 * UNIT
    assert points[33, 0] - 6 < cols[0] and cols[-1] < points[263, 0] + 6
    bridge = slice(int(points[133, 0]) + 8, int(points[362, 0]) - 8)
    assert not changed[:, bridge].any()


@pytest.mark.parametrize("gaze", [(6, 0), (-6, 0), (0, 4), (0, -4)])
def test_irises_go_where_the_eyes_look(gaze: tuple[float, float]) -> None:
    def center(rgb: np.ndarray) -> np.ndarray:
        dark = (0.95 - rgb[..., 2]).clip(0) * OPENING
        left = dark[:, :160]
        y, x = np.mgrid[:240, :160]
        return np.array([(left * x).sum(), (left * y).sum()]) / left.sum()

    shift = center(moved(0, gaze)) - center(RGB)
    wanted = 0.133 * UNIT * np.sin(np.radians(gaze))
    axis = int(gaze[0] == 0)
    assert np.sign(shift[axis]) == np.sign(wanted[axis])
    assert 0.4 < shift[axis] / wanted[axis] < 1.3


def test_a_face_too_small_for_eyes_is_left_alone() -> None:
    face = (mesh() * 8 + [160, 120, 0]).astype(np.float32)
    eyes = Eyes(BEFORE, face, 8.0)
    assert eyes.move(BEFORE, 1.0, np.zeros(2, np.float32)) is BEFORE
