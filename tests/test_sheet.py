from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from synth import sample_file as sample

from labial import geometry
from labial.errors import OptionError, ReadError, WriteError
from labial.sheet import EMPTY, MIN_TILE, contact_sheet, moments, plain, tile, tile_size
from labial.types import N_LANDMARKS, FloatArray, Frame, PixelFormat

GRAY = PixelFormat("gray", "gray", 8)


@pytest.fixture(scope="module")
def clip() -> Path:
    return sample("face_clip_short")


def ramp(width: int, height: int, rotation: int = 0) -> Frame:
    """Brightness grows by one a column of the stored picture, from 0."""
    luma = np.tile(np.arange(width, dtype=np.uint8), (height, 1))
    return Frame((luma,), GRAY, 0, Fraction(1, 25), rotation=rotation)


def face(center: tuple[float, float], eyes: float) -> FloatArray:
    canonical, _ = geometry.canonical_mesh()
    points = np.zeros((N_LANDMARKS, 3), np.float32)
    points[: len(canonical)] = canonical * eyes
    points[:, :2] += center
    return points


def level(image: np.ndarray) -> np.ndarray:
    """Code values of a limited-range gray tile."""
    return 16 + image[..., 0].astype(float) * 219 / 255


def test_a_mouth_tile_shows_the_lips_in_inter_ocular_units() -> None:
    landmarks = face((110, 60), 80)
    lips = landmarks[[*geometry.OUTER_UPPER, *geometry.OUTER_LOWER], 0]
    image = level(tile(ramp(220, 200), landmarks, "mouth"))
    middle = (float(lips.min()) + float(lips.max())) / 2
    # A pixel's brightness is its column, whose centre lies half a pixel further.
    assert image[120].mean() == pytest.approx(middle - 0.5, abs=0.3)
    assert image[120, -1] - image[120, 0] == pytest.approx(80 * 1.15 * 319 / 320, abs=1)


def test_size_in_the_picture_does_not_change_the_tile() -> None:
    """Twice the pixels, twice the face: the same tile but for rounding."""
    small = ramp(120, 120)
    large = Frame((np.asarray(cv2.resize(small.planes[0], (240, 240))),), GRAY, 0, Fraction(1, 25))
    for part in ("face", "mouth"):
        a = tile(small, face((60, 40), 40), part).astype(int)
        b = tile(large, face((120, 80), 80), part).astype(int)
        assert np.abs(a - b)[20:-20, 20:-20].mean() < 1


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_tiles_are_upright(rotation: int) -> None:
    stored = ramp(200, 140, rotation)
    turned = np.rot90(stored.planes[0], -(rotation // 90))
    upright = Frame((np.ascontiguousarray(turned),), GRAY, 0, Fraction(1, 25))
    shown = face((upright.width / 2, upright.height / 2), 50)
    where = shown.copy()
    where[:, :2] = geometry.rotate_points(shown[:, :2], -rotation, upright.width, upright.height)
    for part in ("face", "mouth"):
        difference = tile(stored, where, part).astype(int) - tile(upright, shown, part)
        assert np.abs(difference).max() <= 1


def test_no_face() -> None:
    frame = ramp(200, 100)
    assert (tile(frame, None, "mouth") == EMPTY).all()
    whole = tile(frame, None, "face")
    assert (whole[:60] == EMPTY).all() and (whole[160] != EMPTY).any()


def test_outside_the_picture_is_empty() -> None:
    assert (tile(ramp(100, 100), face((5000, 5000), 40), "mouth") == EMPTY).all()


def test_tiles_are_never_small() -> None:
    assert tile_size("mouth", 10) == (MIN_TILE, MIN_TILE)
    assert tile(ramp(64, 64), None, "face", 10).shape == (MIN_TILE, MIN_TILE, 3)


def test_captions_are_ascii_and_short() -> None:
    assert plain("été.mp4") == "?t?.mp4"
    assert len(plain("x" * 500)) <= 60


def test_a_clip_against_itself(clip: Path, tmp_path: Path) -> None:
    told = []
    path = contact_sheet(
        clip, clip, tmp_path / "s.png", 4, lambda stage, done, total: told.append((stage, done))
    )
    image = cv2.imread(str(path))
    assert image.shape[1] > 4 * 320 and image.shape[0] > 2 * 320 + 2 * 240
    assert told[0] == ("look", 1) and told[-1] == ("look", 72)
    assert [p.name for p in tmp_path.iterdir()] == ["s.png"]


def test_moments_are_spread_and_cut_alike(clip: Path) -> None:
    columns = moments(clip, clip, 3)
    assert [c.seen for c in columns] == [True] * 3
    np.testing.assert_allclose([c.seconds for c in columns], [0.4, 1.2, 2.0], atol=0.05)
    for column in columns:
        assert (column.tiles[0] == column.tiles[1]).all()
        assert (column.tiles[2] == column.tiles[3]).all()
        assert column.tiles[2].std() > 10


def test_more_columns_than_frames_and_an_output_that_ends_early(clip: Path) -> None:
    photo = sample("face_photo")
    assert len(moments(photo, photo, 8)) == 1
    assert (moments(clip, photo, 2)[1].tiles[1][:100] == EMPTY).all()


def test_errors(clip: Path, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="0 frames"):
        contact_sheet(clip, clip, tmp_path / "s.png", 0)
    with pytest.raises(WriteError, match="no folder"):
        contact_sheet(clip, clip, tmp_path / "missing" / "s.png")
    with pytest.raises(ReadError):
        contact_sheet(clip, tmp_path / "missing.mp4", tmp_path / "s.png")
    assert not list(tmp_path.iterdir())
