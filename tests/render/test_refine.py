"""The refiner's answer, laid into the picture: exact where it ends, small where it strays."""

from typing import Any

import cv2
import numpy as np
import pytest
from synth import closed_mesh, make_track

from labial.pixels import Box
from labial.render.painter import Told
from labial.render.plane import HEIGHT, WIDTH, MouthPlane
from labial.render.refine import STRAY_HIGH, STRAY_LOW, Refiner, Scene, trusted, window
from labial.types import FloatArray

W, H = 320, 300
HALF = (HEIGHT // 2, WIDTH // 2)
ZERO = np.zeros(12, np.float32)


def scene(scale: float = 104.0, *, bank: bool = True, strength: float = 1.0) -> Scene:
    track = make_track(closed_mesh()[None], closed_mesh(), scale=scale, center=(160.0, 130.0))
    grey = np.full((HEIGHT, WIDTH, 3), 0.5, np.float32)
    told = Told(ZERO, ZERO, ZERO, ZERO, np.eye(3, dtype=np.float32), scale, np.zeros(15, "f4"))
    filmed = (0.94 * grey, 1.06 * grey) if bank else ()
    lips = np.zeros((HEIGHT, WIDTH, 8), np.float32)
    return Scene(MouthPlane.of(track, 0), grey, filmed, lips, told, strength)


def answering(
    share: tuple[float, float] = (0.0, 0.0), change: float = 0.0
) -> tuple[Refiner, list[Any]]:
    """A refiner whose network always says the same, and what it was asked."""
    asked: list[Any] = []

    def network(pictures: list[FloatArray], told: FloatArray) -> list[FloatArray]:
        asked.append((pictures, told))
        shares = np.broadcast_to(np.float32(share), (*HALF, 2))
        return [shares.copy(), np.full((*HALF, 3), change, np.float32)]

    refiner = Refiner.__new__(Refiner)
    refiner._network = network  # type: ignore[assignment]
    return refiner, asked


def picture() -> FloatArray:
    y, x = np.mgrid[:H, :W]
    return np.stack([0.5 + 0.2 * np.sin(x / 9), 0.5 + 0.2 * np.cos(y / 7), 0 * x + 0.4], -1).astype(
        np.float32
    )


ALL, FACE = Box(0, 0, W, H), np.ones((H, W), np.float32)


def test_nothing_to_say_changes_nothing() -> None:
    refiner, asked = answering()
    image = picture()
    out, trust = refiner(image, ALL, FACE, scene())
    np.testing.assert_array_equal(out, image)
    assert trust == 1
    pictures, told = asked[0]
    assert sum(p.shape[2] for p in pictures) == 20
    assert told.shape == (1, 66)


def test_a_change_is_laid_in_the_plane_and_nowhere_else() -> None:
    refiner, _ = answering(change=0.1)
    image, place = picture(), scene()
    face = FACE.copy()
    face[:, :150] = 0
    out, trust = refiner(image, ALL, face, place)
    assert trust == 1
    at = place.plane.box(W, H)
    outside = np.ones((H, W), bool)
    outside[at.y0 - 1 : at.y1 + 1, at.x0 - 1 : at.x1 + 1] = False
    np.testing.assert_array_equal(out[outside | (face == 0)], image[outside | (face == 0)])
    x, y = np.rint(place.plane.affine @ [WIDTH / 2 + 20, HEIGHT / 2, 1]).astype(int)
    np.testing.assert_allclose(out[y, x] - image[y, x], 0.1, atol=0.01)


@pytest.mark.parametrize("scale", [60.0, 104.0, 300.0])
def test_fine_detail_stays(scale: float) -> None:
    rng = np.random.default_rng(0)
    image = (0.5 + 0.1 * rng.standard_normal((H, W, 3))).astype(np.float32)
    out, _ = answering(share=(0.4, 0.4))[0](image, ALL, FACE, scene(scale))
    fine = [x - cv2.GaussianBlur(x, (0, 0), 1.0) for x in (image, out)]
    assert fine[1].std() == pytest.approx(fine[0].std(), rel=0.05)


def test_filmed_mouths_are_mixed_in() -> None:
    image = np.full((H, W, 3), 0.5, np.float32)
    place = scene()
    x, y = np.rint(place.plane.affine @ [WIDTH / 2, HEIGHT / 2, 1]).astype(int)
    # One is 0.47, the other 0.53: so near that they count almost in full.
    out, _ = answering(share=(0.4, 0.0))[0](image, ALL, FACE, place)
    np.testing.assert_allclose(
        out[y, x], 0.5 - 0.4 * 0.03 * np.exp(-((0.03 / 0.12) ** 2)), atol=1e-3
    )
    out, _ = answering(share=(0.3, 0.3))[0](image, ALL, FACE, place)
    np.testing.assert_allclose(out[y, x], 0.5, atol=0.001)
    # Without a bank the made picture stands in, and mixing it with itself is nothing.
    out, _ = answering(share=(0.4, 0.3))[0](image, ALL, FACE, scene(bank=False))
    np.testing.assert_allclose(out, image, atol=1e-5)


def test_hair_or_a_hand_in_the_filmed_mouth_is_not_mixed_in() -> None:
    image = np.full((H, W, 3), 0.5, np.float32)
    place = scene()
    place.filmed[0][60:, :40] = 0.05
    out, _ = answering(share=(0.9, 0.0))[0](image, ALL, FACE, place)
    x, y = np.rint(place.plane.affine @ [18, 76, 1]).astype(int)
    assert np.abs(out[y - 4 : y + 5, x - 4 : x + 5] - 0.5).max() < 0.005


def test_teeth_as_filmed_stay_as_filmed() -> None:
    image, place = picture(), scene()
    place.lips[30:60, 40:90, 1] = 1
    answer = answering(share=(0.4, 0.3), change=0.1)[0]
    out, _ = answer(image, ALL, FACE, place)
    x, y = np.rint(place.plane.affine @ [65, 45, 1]).astype(int)
    np.testing.assert_array_equal(
        out[y - 5 : y + 6, x - 10 : x + 11], image[y - 5 : y + 6, x - 10 : x + 11]
    )
    assert np.abs(out - image).max() > 0.05
    # What was drawn, since nothing was filmed, may be mended.
    drawn = scene(bank=False)
    drawn.lips[30:60, 40:90, 1] = 1
    out, _ = answer(image, ALL, FACE, drawn)
    np.testing.assert_allclose(out[y, x] - image[y, x], 0.1, atol=0.01)


def test_what_strays_too_far_is_not_believed() -> None:
    image = picture()
    wild, trust = answering(change=0.6)[0](image, ALL, FACE, scene())
    assert trust == 0
    np.testing.assert_array_equal(wild, image)
    middle = (STRAY_LOW + STRAY_HIGH) / 2
    half, trust = answering(change=middle)[0](image, ALL, FACE, scene())
    assert trust == pytest.approx(0.5, abs=0.01)
    assert np.abs(half - image).max() == pytest.approx(middle / 2, abs=0.01)
    # A thin line may change a lot: that is what it is for.
    line = np.zeros((*HALF, 3), np.float32)
    line[24, 20:45] = 0.5
    assert trusted(line) == 1


def test_a_faded_frame_is_refined_as_far_as_it_is_resynced() -> None:
    image = picture()
    whole = answering(change=0.1)[0](image, ALL, FACE, scene())[0] - image
    half = answering(change=0.1)[0](image, ALL, FACE, scene(strength=0.5))[0] - image
    np.testing.assert_allclose(half, whole / 2, atol=1e-5)
    none, _ = answering(change=0.1)[0](image, ALL, FACE, scene(strength=0.0))
    np.testing.assert_array_equal(none, image)


def test_the_window_ends_at_the_edges() -> None:
    edge = window()
    assert edge.shape == (HEIGHT, WIDTH)
    assert edge[0].max() == edge[-1].max() == edge[:, 0].max() == edge[:, -1].max() == 0
    assert edge[20:-20, 20:-20].min() == 1


def test_the_shipped_network_leaves_a_plain_picture_plain() -> None:
    image = np.full((H, W, 3), 0.5, np.float32)
    out, trust = Refiner()(image, ALL, FACE, scene(bank=False))
    assert trust == 1
    assert np.isfinite(out).all()
    assert np.abs(out - image).mean() < 0.03
