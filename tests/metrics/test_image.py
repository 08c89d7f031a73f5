"""Known damage, and pictures whose figures can be worked out by hand."""

import cv2
import numpy as np
import pytest

from labial.metrics.image import psnr, seam, sharpness, ssim, swimming


def picture(colour: bool = True, seed: int = 0) -> np.ndarray:
    """(60, 80) or (60, 80, 3) float32: soft blobs with fine texture, away from 0 and 1."""
    rng = np.random.default_rng(seed)
    shape = (60, 80, 3) if colour else (60, 80)
    coarse = cv2.GaussianBlur(rng.standard_normal(shape), (0, 0), 4)
    fine = cv2.GaussianBlur(rng.standard_normal(shape), (0, 0), 0.8)
    x = coarse / coarse.std() * 0.1 + fine / fine.std() * 0.02 + 0.5
    return x.clip(0.1, 0.9).astype(np.float32)


def noisy(x: np.ndarray, sigma: float) -> np.ndarray:
    return x + np.random.default_rng(1).normal(0, sigma, x.shape)


def blurred(x: np.ndarray, sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(x, (0, 0), sigma)


def disc(soft: float = 0.0) -> np.ndarray:
    """(60, 80) float32 mask."""
    mask = np.zeros((60, 80), np.float32)
    cv2.circle(mask, (40, 30), 18, 1.0, -1)
    return cv2.GaussianBlur(mask, (0, 0), soft) if soft else mask


@pytest.mark.parametrize("colour", [False, True])
def test_the_same_picture_is_perfect(colour: bool) -> None:
    x = picture(colour)
    assert psnr(x, x) == float("inf")
    assert ssim(x, x) == pytest.approx(1)
    assert seam(x, x, disc()) == 1


def test_psnr_of_a_known_error() -> None:
    x = picture()
    assert psnr(x + 0.1, x) == pytest.approx(20, abs=1e-4)
    assert psnr(np.zeros((8, 8)), np.ones((8, 8))) == 0
    assert psnr(noisy(x, 0.01), x) == pytest.approx(40, abs=0.2)


@pytest.mark.parametrize(("a", "b"), [(0.2, 0.3), (0.0, 1.0), (0.5, 0.5)])
def test_ssim_of_plain_pictures_is_the_term_of_light(a: float, b: float) -> None:
    got = ssim(np.full((20, 20), a), np.full((20, 20), b))
    assert got == pytest.approx((2 * a * b + 1e-4) / (a * a + b * b + 1e-4), abs=1e-9)


def test_ssim_of_weaker_contrast() -> None:
    """Of a chequered picture and the same with half its contrast: 2·½ / (1 + ¼)."""
    board = np.where(np.indices((40, 40)).sum(0) % 2, 0.4, -0.4)
    # The window sees a chequered pattern's variance as 0.16, and its mean as 0.5 nearly.
    want = (2 * 0.16 / 2 + 9e-4) / (0.16 * 1.25 + 9e-4)
    assert ssim(0.5 + board / 2, 0.5 + board) == pytest.approx(want, abs=1e-3)


@pytest.mark.parametrize("damage", [noisy, blurred])
def test_more_damage_is_worse(damage) -> None:
    x = picture()
    light, heavy = (damage(x, s) for s in ((0.02, 0.1) if damage is noisy else (0.7, 3.0)))
    assert psnr(x, x) > psnr(light, x) > psnr(heavy, x)
    assert 1 > ssim(light, x) > ssim(heavy, x)


def test_blur_is_less_sharp_and_noise_more() -> None:
    x = picture()
    assert sharpness(blurred(x, 2)) < sharpness(blurred(x, 0.7)) < sharpness(x)
    assert sharpness(noisy(x, 0.05)) > sharpness(x)
    assert sharpness(np.full((9, 9), 0.3)) == pytest.approx(0)
    # Detail twice as strong has four times the variance, in colour as in grey.
    assert sharpness(2 * x) == pytest.approx(4 * sharpness(x))


@pytest.mark.parametrize("soft", [0.0, 2.0])
def test_a_pasted_patch_of_other_light_leaves_a_seam(soft: float) -> None:
    x, mask = picture(), disc(soft)
    faint, plain = (seam(x + step * mask[..., None], x, mask) for step in (0.1, 0.3))
    assert 1 < faint < plain


def test_a_boxed_seam_is_seen_by_the_box_only() -> None:
    x, box = picture(), np.zeros((60, 80), np.float32)
    box[20:40, 30:60] = 1
    y = x.copy()
    y[20:40, 30:60] = y[20:40, 30:60] + 0.2
    elsewhere = np.zeros_like(box)
    elsewhere[5:12, 5:15] = 1
    assert seam(y, x, box) > 1.5
    assert seam(y, x, elsewhere) == 1


def test_a_blurred_edge_is_below_one() -> None:
    x, mask = picture(), disc()
    assert seam(blurred(x, 2), x, mask) < 0.8


def test_a_mask_without_an_edge_has_no_seam() -> None:
    x = picture()
    assert seam(x + 0.1, x, np.ones((60, 80))) == 1
    assert seam(noisy(np.zeros((9, 9)), 1), np.zeros((9, 9)), np.eye(9)) == float("inf")


def shifted(x: np.ndarray, pixels: float, rows: slice) -> np.ndarray:
    """Some rows of a picture moved to the right."""
    y = x.copy()
    to = np.float32([[1, 0, pixels], [0, 1, 0]])
    moved = cv2.warpAffine(
        x, to, x.shape[1::-1], flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
    )
    y[rows] = moved[rows]
    return y


def test_a_background_that_swims_is_seen() -> None:
    x, mask = picture(), np.zeros((60, 80), bool)
    mask[:30] = True
    assert swimming(x, x, mask) == (0, 0)
    share, flow = swimming(shifted(x, 2, slice(0, 30)), x, mask)
    assert share > 0.95
    assert flow == pytest.approx(2, abs=0.4)
    share, less = swimming(shifted(x, 1, slice(0, 30)), x, mask)
    assert share > 0.95
    assert less == pytest.approx(1, abs=0.3)
    share, part = swimming(shifted(x, 2, slice(0, 10)), x, mask)
    assert share == pytest.approx(1 / 3, abs=0.02)
    assert 0 < part < less


def test_what_moves_outside_the_mask_does_not_swim() -> None:
    x, mask = picture(), np.zeros((60, 80), np.float32)
    mask[:30] = 1
    assert swimming(shifted(x, 3, slice(30, 60)), x, mask) == (0, 0)
    assert swimming(shifted(x, 3, slice(0, 60)), x, 0 * mask) == (0, 0)


def test_what_does_not_fit_is_refused() -> None:
    x = picture()
    for measure in (psnr, ssim):
        with pytest.raises(ValueError, match="pictures of"):
            measure(x, x[1:])
    with pytest.raises(ValueError, match="smaller than the window"):
        ssim(x[:8], x[:8])
    with pytest.raises(ValueError, match="a mask of"):
        seam(x, x, disc()[1:])
    with pytest.raises(ValueError, match="a mask of"):
        swimming(x, x, disc()[1:])
