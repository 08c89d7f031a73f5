"""Layers of a photo against the same thing done to the whole picture at once."""

import cv2
import numpy as np
import pytest

from labial.pixels import Box
from labial.render.cutout import Cutout

HEIGHT, WIDTH = 230, 310


def cutout(seed: int = 0) -> tuple[Cutout, np.ndarray]:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    away = np.hypot((x - 150) / 80, (y - 100) / 90)
    matte = ((1.05 - away) / 0.08).clip(0, 1).astype(np.float32)
    behind = (90 + 40 * np.sin(x / 7) * np.sin(y / 9)).astype(np.float32)
    head = rng.integers(0, 256, (HEIGHT, WIDTH)).astype(np.float32)
    photo = np.rint(behind + matte * (head - behind)).astype(np.uint8)
    behind = np.where(matte > 0, behind, photo).astype(np.float32)
    return Cutout(0, Box(20, 10, 20 + WIDTH, 10 + HEIGHT), matte, behind), photo


def map_by(dx: float, dy: float, turn: float) -> np.ndarray:
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    fade = np.exp(-(((x - 150) / 120) ** 2) - ((y - 100) / 120) ** 2)
    where = np.stack([x + fade * (dx + turn * (y - 100)), y + fade * (dy - turn * (x - 150))], -1)
    return np.ascontiguousarray(where, np.float32)


@pytest.mark.parametrize("move", [(0, 0, 0), (9.3, -4.6, 0), (-14, 11, 0.05), (0, 0, -0.1)])
def test_tiles_give_what_the_whole_gives(move: tuple[float, float, float]) -> None:
    layer, photo = cutout()
    plane = np.full((HEIGHT + 20, WIDTH + 40), 7, np.uint8)
    plane[10:-10, 20:-20] = photo
    where = map_by(*move)
    layer.lay(plane, where, 255)
    pair = cv2.merge([photo - (1 - layer.matte) * layer.behind, layer.matte])
    whole = cv2.remap(pair, where, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    expected = (whole[..., 0] + (1 - whole[..., 1]) * layer.behind).clip(0, 255)
    assert np.abs(plane[10:-10, 20:-20] - expected).max() <= 0.51
    assert (plane[:10] == 7).all() and (plane[:, :20] == 7).all()
    if not any(move):
        np.testing.assert_array_equal(plane[10:-10, 20:-20], photo)


def test_a_part_of_it() -> None:
    layer, _ = cutout()
    part = layer.cropped(48, 24, 999, 120)
    assert part.box == Box(68, 34, 20 + WIDTH, 130)
    np.testing.assert_array_equal(part.matte, layer.matte[24:120, 48:])
    np.testing.assert_array_equal(part.behind, layer.behind[24:120, 48:])
