"""Heads of known outline before backgrounds of known colour."""

import cv2
import numpy as np
import pytest
from synth import mesh, turn

from labial.render.matte import HeadPlace, cut_out, painted_over

UNIT = 60.0
CENTER = (200.0, 170.0)


def scene(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(420, 400, 3) uint8 of a head with hair, on shoulders, and its true outline."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:420, :400] + 0.5
    across, down = (x - CENTER[0]) / UNIT, (y - CENTER[1]) / UNIT
    skull = (across / 1.05) ** 2 + ((down - 0.1) / 1.3) ** 2 < 1
    neck = (np.abs(across) < 0.5) & (down > 0.5)
    body = (down > 1.8) & (np.abs(across) < 0.9 + 0.6 * (down - 1.8))
    rgb = np.empty((420, 400, 3))
    rgb[:] = (90, 120, 140)
    rgb[body] = (50, 40, 60)
    rgb[neck] = (200, 160, 140)
    rgb[skull] = (60, 40, 30)
    rgb[(across / 0.9) ** 2 + ((down - 0.4) / 1.05) ** 2 < 1] = (210, 170, 150)
    rgb += rng.normal(0, 5, rgb.shape)
    return rgb.clip(0, 255).astype(np.uint8), skull | neck | body


def face() -> tuple[np.ndarray, HeadPlace]:
    landmarks = (mesh() * UNIT + [*CENTER, 0]).astype(np.float32)
    return landmarks, HeadPlace.of(landmarks, UNIT, np.eye(3, dtype=np.float32), 0.8)


def test_head_and_shoulders_are_found() -> None:
    rgb, truth = scene()
    landmarks, place = face()
    matte = cut_out(rgb, (0, 0), place, landmarks)
    assert matte is not None
    assert matte.dtype == np.float32
    assert (matte.min(), matte.max()) == (0, 1)
    found = matte > 0.5
    assert (found & truth).sum() / (found | truth).sum() > 0.96
    edge = cv2.dilate(truth.astype(np.uint8), np.ones((25, 25))) - cv2.erode(
        truth.astype(np.uint8), np.ones((25, 25))
    )
    assert (matte[(edge == 0) & truth] == 1).mean() > 0.99
    assert (matte[(edge == 0) & ~truth] == 0).mean() > 0.99


def test_it_is_the_same_every_time_and_wherever_the_part_lies() -> None:
    rgb, _ = scene()
    landmarks, place = face()
    first = cut_out(rgb, (0, 0), place, landmarks)
    cv2.setRNGSeed(77)
    np.testing.assert_array_equal(first, cut_out(rgb, (0, 0), place, landmarks))
    moved = landmarks + np.array([30, 50, 0], np.float32)
    place = HeadPlace.of(moved, UNIT, np.eye(3, dtype=np.float32), 0.8)
    again = cut_out(rgb, (30, 50), place, moved)
    assert again is not None
    assert np.abs(again - first).mean() < 0.01


@pytest.mark.parametrize("value", [0, 128])
def test_a_picture_without_contrast_is_left_whole(value: int) -> None:
    landmarks, place = face()
    plain = np.full((420, 400, 3), value, np.uint8)
    assert cut_out(plain, (0, 0), place, landmarks) is None


def test_place_is_upright_whatever_the_roll() -> None:
    rotation = turn(roll=30, yaw=20).astype(np.float32)
    landmarks = (mesh() @ rotation.T * UNIT + [*CENTER, 0]).astype(np.float32)
    place = HeadPlace.of(landmarks, UNIT, rotation, 0.8)
    eye, chin = landmarks[263, :2], landmarks[152, :2]
    _, down = place.at(eye[:1], eye[1:, None])
    assert down[0, 0] == pytest.approx(0, abs=0.02)
    assert place.at(chin[:1], chin[1:, None])[1][0, 0] == pytest.approx(place.chin, abs=1e-4)
    # The skull's middle lies behind a face that is turned to the right, so to its left.
    assert place.middle == pytest.approx(-0.8 * np.sin(np.radians(20)), abs=0.01)


def test_a_background_goes_on_behind_a_hole() -> None:
    y, x = np.mgrid[:120, :150].astype(np.float32)
    rng = np.random.default_rng(0)
    plain = 60 + 0.5 * x + 0.3 * y
    image = (plain + rng.normal(0, 4, plain.shape)).astype(np.float32)
    hole = (x - 75) ** 2 + (y - 60) ** 2 < 30**2
    torn = np.where(hole, 255, image).astype(np.float32)
    filled = painted_over(torn, hole, 50.0)
    np.testing.assert_array_equal(filled[~hole], image[~hole])
    assert np.abs(filled - plain)[hole].mean() < 8
    # Its grain is the background's, at least where a head may uncover it.
    rim = hole & ((x - 75) ** 2 + (y - 60) ** 2 > 24**2)
    assert 2.0 < (filled - plain)[rim].std() < 8


@pytest.mark.parametrize("value", [False, True])
def test_nothing_or_everything_to_paint_over(value: bool) -> None:
    image = np.random.default_rng(0).random((20, 30)).astype(np.float32)
    np.testing.assert_array_equal(painted_over(image, np.full(image.shape, value), 20.0), image)
