"""Photos brought upright, cropped and continued; the expected pictures are moved by NumPy alone."""

import cv2
import numpy as np
import pytest
from synth import make_frame, mesh, noise_frame, smooth_rgb

from labial.media.picture import upright_rgb8
from labial.pixels import Box, read_rgb
from labial.render.framing import LONGEST, Framing, frame_head, picture, upright_rgb


def head(x: float, y: float, unit: float) -> np.ndarray:
    """Landmarks of a face whose eyes are ``unit`` apart, their middle at (x, y)."""
    return (mesh() * unit + [x, y, 0]).astype(np.float32)


@pytest.mark.parametrize(
    ("orientation", "stored"),
    [
        (1, lambda p: p),
        (2, lambda p: p[:, ::-1]),
        (3, lambda p: p[::-1, ::-1]),
        (4, lambda p: p[::-1]),
        (5, lambda p: p.transpose(1, 0, 2)),
        (6, lambda p: np.rot90(p)),
        (7, lambda p: np.rot90(p.transpose(1, 0, 2), 2)),
        (8, lambda p: np.rot90(p, -1)),
    ],
)
def test_orientations(orientation: int, stored) -> None:
    rgb = smooth_rgb(40, 30)
    frame = make_frame(np.ascontiguousarray(stored(rgb)), "gbrp")
    np.testing.assert_allclose(upright_rgb(frame, orientation), rgb, atol=0.003)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_without_exif_the_frame_says_it(rotation: int) -> None:
    rgb = smooth_rgb(40, 30)
    frame = make_frame(np.ascontiguousarray(np.rot90(rgb, rotation // 90)), rotation=rotation)
    np.testing.assert_array_equal(
        np.rint(upright_rgb(frame, None) * 255), upright_rgb8(frame).astype(np.float32)
    )


def test_what_is_transparent_becomes_white() -> None:
    frame = make_frame(np.zeros((30, 40, 3)), "gbrap")
    ramp = frame.planes[-1].astype(np.float32) / 255
    np.testing.assert_allclose(upright_rgb(frame, 1)[..., 1], 1 - ramp, atol=1e-6)


def test_huge_photos_are_made_smaller() -> None:
    frame = noise_frame("yuva420p", 5000, 60)
    assert upright_rgb(frame, 6).shape == (4096, 49, 3)


@pytest.mark.parametrize("size", [(800, 1000), (1000, 800), (301, 777), (2400, 3000), (64, 64)])
@pytest.mark.parametrize("shape", ["source", "9:16", "1:1", "16:9"])
@pytest.mark.parametrize("rows", [None, 720])
@pytest.mark.parametrize("face", [(0.5, 0.4, 0.1), (0.2, 0.3, 0.06), (0.5, 0.45, 0.4)])
def test_the_head_stays_in_view(size, shape, rows, face) -> None:
    width, height = size
    landmarks = head(face[0] * width, face[1] * height, face[2] * min(size))
    framing = frame_head(width, height, landmarks, shape, rows)
    assert framing.width % 2 == framing.height % 2 == 0
    if rows is None:
        assert max(framing.width, framing.height) <= LONGEST
        assert framing.scale[0] < 1.05
    else:
        assert framing.height == rows
    if shape != "source":
        across, down = (int(n) for n in shape.split(":"))
        assert abs(framing.width - framing.height * across / down) <= 2
    across, down = framing.scale
    assert abs(across / down - 1) < 0.06
    seen = framing.points(landmarks)[:, :2]
    inside = (landmarks[:, 0] > 0) & (landmarks[:, 0] < width) & (landmarks[:, 1] > 0)
    inside &= landmarks[:, 1] < height
    assert (seen[inside] > -1).all()
    assert (seen[inside] < [framing.width + 1, framing.height + 1]).all()


def test_eyes_at_two_fifths_where_there_is_room() -> None:
    landmarks = head(500, 1000, 80)
    framing = frame_head(1000, 2000, landmarks, "1:1", None)
    assert framing.y0 > 0
    assert framing.points(landmarks)[33, 1] / framing.height == pytest.approx(0.4, abs=0.01)
    framing = frame_head(2000, 1000, landmarks, "9:16", None)
    assert framing.points(landmarks)[[33, 263], 0].mean() / framing.width == pytest.approx(
        0.5, abs=0.01
    )


def test_points_follow_the_pixels() -> None:
    rgb = np.zeros((90, 70, 3), np.float32)
    rgb[40:44, 30:34] = 1
    framing = Framing(10, 20, 60, 80, 100, 120)
    luma = picture(rgb, framing).planes[0].astype(np.float64) - 16
    y, x = np.mgrid[:120, :100] + 0.5
    center = [(luma * x).sum() / luma.sum(), (luma * y).sum() / luma.sum()]
    expected = framing.points(np.array([[32, 42, 5]], np.float32))[0]
    np.testing.assert_allclose(center, expected[:2], atol=0.05)
    assert expected[2] == 10


def test_colours_survive() -> None:
    rgb = smooth_rgb(60, 80).astype(np.float32)
    frame = picture(rgb, Framing(0, 0, 80, 60, 80, 60))
    assert (frame.format.name, frame.color.matrix, frame.color.full_range) == ("yuv420p", 1, False)
    assert np.abs(read_rgb(frame, Box(0, 0, 80, 60)) - rgb).mean() < 0.004


def test_a_photo_goes_on_beyond_its_border() -> None:
    rng = np.random.default_rng(0)
    rgb = np.full((100, 80, 3), 0.5, np.float32) + rng.normal(0, 0.02, (100, 80, 1)).astype("f4")
    rgb[20:90, 20:60] = (0.9, 0.2, 0.1)
    framing = Framing(-60, -10, 140, 120, 200, 130)
    wide = read_rgb(picture(rgb, framing), Box(0, 0, 200, 130))
    np.testing.assert_allclose(wide[10:110, 60:140].mean((0, 1)), rgb.mean((0, 1)), atol=0.01)
    # The head does not come a second time, and the grain goes on.
    for side in (wide[12:108, :55], wide[12:108, 145:]):
        np.testing.assert_allclose(side.mean((0, 1)), 0.5, atol=0.03)
        assert 0.004 < (side - cv2.GaussianBlur(side, (0, 0), 2)).std() < 0.03
