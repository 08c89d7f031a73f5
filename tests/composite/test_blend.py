"""Pasting: exact outside the mask, soft at its edge, and in the light of the face."""

from dataclasses import replace

import numpy as np
import pytest
from synth import BT709, FORMATS, make_frame, mesh, noise_frame, smooth_rgb

from labial import geometry
from labial.composite.blend import composite, match_light
from labial.composite.mask import lip_matte, lip_shape
from labial.pixels import Box, read_rgb
from labial.render.mouth import Layers
from labial.types import Frame

EXACT = ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "gbrp", "gbrp10le", "gray"]
W, H, UNIT = 120, 96, 50.0


def lips(center: tuple[float, float], width: float = 24, height: float = 10) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    return (np.stack([width * np.cos(angle), height * np.sin(angle)], 1) + center).astype(
        np.float32
    )


def layers_for(frame: Frame) -> Layers:
    """A wild new mouth that hangs a little over the cheek's edge."""
    rng = np.random.default_rng(1)
    box = Box(28, 30, 98, 72)
    mouth = (0.3 + 0.4 * rng.random((box.height, box.width, 3))).astype(np.float32)
    face = np.ones(mouth.shape[:2], np.float32)
    face[:, :12] = 0
    own = replace(frame, planes=tuple(plane.copy() for plane in frame.planes))
    return Layers(own, box, mouth, face, lips((35, 21)), UNIT)


@pytest.mark.parametrize("fmt", EXACT)
def test_samples_outside_the_mask_are_bit_exact(fmt: str) -> None:
    frame = noise_frame(fmt, W, H, color=BT709)
    layers = layers_for(frame)
    out = composite(layers)
    mask = np.zeros((H, W), bool)
    at = layers.box
    mask[at.y0 : at.y1, at.x0 : at.x1] = lip_matte(layers.outer, at, UNIT) * layers.face > 0
    assert 0.02 < mask.mean() < 0.5
    layout = FORMATS[fmt]
    for k, (new, old) in enumerate(zip(out.planes, frame.planes, strict=True)):
        seen = mask
        if layout.kind == "yuv" and k > 0:
            sy, sx = 1 << layout.sub_y, 1 << layout.sub_x
            seen = mask.reshape(H // sy, sy, W // sx, sx).any((1, 3))
        np.testing.assert_array_equal(new[~seen], old[~seen])
        assert (new[seen] != old[seen]).mean() > 0.3
    assert (out.index, out.pts, out.time_base) == (frame.index, frame.pts, frame.time_base)


@pytest.mark.parametrize("fmt", EXACT)
def test_the_same_picture_again_is_bit_exact(fmt: str) -> None:
    frame = noise_frame(fmt, W, H)
    layers = layers_for(frame)
    out = composite(replace(layers, mouth=read_rgb(frame, layers.box)))
    for new, old in zip(out.planes, frame.planes, strict=True):
        # The gain of equal pictures is 1 to within float rounding, far below half a code.
        np.testing.assert_array_equal(new, old)


# ----------------------------------------------------------------------------------------- masks


def test_the_matte_is_one_on_the_lips_and_zero_on_the_border() -> None:
    box = Box(40, 30, 160, 110)
    outline = [*geometry.OUTER_UPPER, *geometry.OUTER_LOWER[-2:0:-1]]
    outer = 90 * mesh()[outline, :2]
    outer += (60, 40) - outer.mean(0)
    shape, matte = lip_shape(outer, box), lip_matte(outer, box, 90.0)
    assert matte.shape == shape.shape == (80, 120)
    assert matte.dtype == np.float32
    assert matte[shape == 1].min() > 0.95, "the very corners of the lips may be a hair less than 1"
    assert matte[shape == 1].mean() > 0.995
    border = np.concatenate([matte[0], matte[-1], matte[:, 0], matte[:, -1]])
    assert np.all(border == 0)
    assert np.mean(matte == 0) > 0.2, "the mask ends"
    # Softly: no step of more than a fifth between neighbours.
    assert max(np.abs(np.diff(matte, axis=a)).max() for a in (0, 1)) < 0.2


def test_the_matte_ends_at_a_border_that_cuts_the_lips() -> None:
    matte = lip_matte(lips((20, 0), 30, 20), Box(0, 0, 60, 40), 60.0)
    border = np.concatenate([matte[0], matte[-1], matte[:, 0], matte[:, -1]])
    assert np.all(border == 0)


def test_the_shape_lies_where_the_outline_says() -> None:
    y, x = np.mgrid[:60, :90] + 0.5
    low, high = (((x - 45.3) / (30 + d)) ** 2 + ((y - 29.6) / (16 + d)) ** 2 <= 1 for d in (-1, 1))
    angle = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    outline = np.stack([45.3 + 30 * np.cos(angle), 29.6 + 16 * np.sin(angle)], 1)
    shape = lip_shape(outline.astype(np.float32), Box(0, 0, 90, 60))
    assert np.all(shape[low] > 0.5)
    assert np.all(shape[~high] < 0.5)
    weight = shape.sum()
    assert (shape * x).sum() / weight == pytest.approx(45.3, abs=0.15)
    assert (shape * y).sum() / weight == pytest.approx(29.6, abs=0.15)


# ----------------------------------------------------------------------------------------- light


def ring() -> np.ndarray:
    y, x = np.mgrid[:64, :96]
    away = np.hypot((x - 48) / 40, (y - 32) / 26)
    return ((away > 0.7) & (away < 1)).astype(np.float32)


@pytest.mark.parametrize("gain", [(1.0, 1.0, 1.0), (1.3, 1.3, 1.3), (0.75, 0.9, 1.2)])
def test_a_known_gain_is_recovered(gain: tuple[float, float, float]) -> None:
    rng = np.random.default_rng(0)
    mouth = (0.3 + 0.2 * rng.random((64, 96, 3))).astype(np.float32)
    face = mouth * np.float32(gain)
    face[24:40, 30:66] = rng.random((16, 36, 3))  # Inside the lips, the two differ as they like.
    found = match_light(mouth, face, ring(), 60.0)
    assert found.shape == (64, 96, 3)
    # Away from the border, where the band sees the whole neighbourhood: 2 %.
    assert np.abs(found / gain - 1)[8:-8, 10:-10].max() < 0.02


def test_light_from_one_side() -> None:
    mouth = np.full((64, 96, 3), 0.4, np.float32)
    slope = np.linspace(0.8, 1.2, 96, dtype=np.float32)
    found = match_light(mouth, mouth * slope[:, None], ring(), 60.0)
    assert found[32, 10, 0] < 0.92
    assert found[32, 85, 0] > 1.08
    assert found[32, 48, 0] == pytest.approx(1, abs=0.05)


def test_gains_stay_within_reason() -> None:
    mouth, face = np.full((40, 60, 3), 0.01, np.float32), np.full((40, 60, 3), 0.9, np.float32)
    band = np.ones((40, 60), np.float32)
    assert match_light(mouth, face, band, 50.0).max() <= 1.6 + 1e-6
    assert match_light(face, mouth, band, 50.0).min() >= 0.6 - 1e-6


def test_no_band_no_change_of_light() -> None:
    mouth, face = np.full((40, 60, 3), 0.2, np.float32), np.full((40, 60, 3), 0.6, np.float32)
    found = match_light(mouth, face, np.zeros((40, 60), np.float32), 50.0)
    np.testing.assert_allclose(found, 1, atol=1e-3)


def test_a_mouth_from_a_darker_picture_is_brought_to_this_light() -> None:
    rgb = 0.5 + 0.1 * smooth_rgb(H, W)
    frame = make_frame(rgb, "gbrp10le")
    layers = layers_for(frame)
    face = read_rgb(frame, layers.box)
    out = composite(replace(layers, mouth=face * np.float32([0.8, 0.9, 1.2])))
    assert np.abs(read_rgb(out, layers.box) - face).max() < 0.02
