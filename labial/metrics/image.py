"""How a picture differs from the one it should be: arrays → numbers.

Pictures are (h, w) or (h, w, channels) in 0..1; each channel counts alike.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.floating[Any]]

_WINDOW, _SIGMA = 11, 1.5
_K1, _K2 = 0.01, 0.03
# Pictures that went through floats differ by rounding.
_SAME = 1e-4


def psnr(image: Picture, reference: Picture) -> float:
    """Peak signal-to-noise ratio in dB: 0 for black against white, ``inf`` for the same picture.

    Parameters
    ----------
    image, reference
        Pictures of the same shape, 0..1.

    Raises
    ------
    ValueError
        The shapes differ.
    """
    a, b = _pair(image, reference)
    error = float(((a - b) ** 2).mean())
    return float("inf") if error == 0 else float(-10 * np.log10(error))


def ssim(image: Picture, reference: Picture) -> float:
    """Mean structural similarity, -1..1; 1 for the same picture.

    Parameters
    ----------
    image, reference
        Pictures of the same shape, 0..1, at least 11 pixels wide and high.

    Raises
    ------
    ValueError
        The shapes differ, or the pictures are smaller than the window.

    Notes
    -----
    Wang, Bovik, Sheikh and Simoncelli, "Image quality assessment: from error visibility to
    structural similarity", IEEE TIP 2004: a Gaussian window of 11 pixels and sigma 1.5, only
    where it lies wholly inside the picture. Of a colour picture the mean over the channels.
    """
    a, b = _pair(image, reference)
    if min(a.shape[:2]) < _WINDOW:
        raise ValueError(f"a picture of {a.shape}, smaller than the window of {_WINDOW}")
    mean_a, mean_b = _local(a), _local(b)
    var_a, var_b = _local(a * a) - mean_a**2, _local(b * b) - mean_b**2
    both = _local(a * b) - mean_a * mean_b
    c1, c2 = _K1**2, _K2**2
    light = (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
    structure = (2 * both + c2) / (var_a + var_b + c2)
    return float((light * structure).mean())


def sharpness(image: Picture) -> float:
    """Variance of the Laplacian, 0 and up: more where there is more fine detail, or noise.

    Parameters
    ----------
    image
        A picture, 0..1. Only pictures of the same thing at the same size compare.

    Notes
    -----
    Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000.
    """
    detail = cv2.Laplacian(np.asarray(image, np.float64), cv2.CV_64F, ksize=1)
    return float(detail.reshape(-1, _channels(image)).var(0).mean())


def seam(image: Picture, source: Picture, mask: Picture) -> float:
    """Mean gradient along a mask's edge ÷ the source's there; 1 where nothing is to be seen.

    Parameters
    ----------
    image
        The picture into which something was laid through ``mask``, 0..1.
    source
        The picture without it, of the same shape.
    mask
        (h, w) 0..1, soft or hard. A pixel counts by the slope that the mask has there.

    Returns
    -------
    0 and up; above 1 an edge shows, below 1 the surroundings were smoothed. 1 where the mask
    has no edge, or neither picture has a gradient there.

    Raises
    ------
    ValueError
        The shapes differ.
    """
    a, b = _pair(image, source)
    if mask.shape != a.shape[:2]:
        raise ValueError(f"a mask of {mask.shape} for a picture of {a.shape}")
    edge = _gradient(np.asarray(mask, np.float64))
    have, had = float((edge * _gradient(a)).sum()), float((edge * _gradient(b)).sum())
    if had == 0:
        return 1.0 if have == 0 else float("inf")
    return have / had


def swimming(image: Picture, source: Picture, mask: Picture) -> tuple[float, float]:
    """How much moves where nothing may move.

    Parameters
    ----------
    image, source
        Pictures (h, w, 3) of the same shape, 0..1: the output and the same frame as it was.
    mask
        (h, w) boolean or 0..1: where nothing may move, such as the background beside a face.

    Returns
    -------
    Share of those pixels that changed at all, 0..1, and mean length of the optical flow from
    source to image there, in pixels; (0, 0) where the mask is empty.

    Raises
    ------
    ValueError
        The shapes differ.

    Notes
    -----
    Dense inverse search: Kroeger et al., "Fast optical flow using dense inverse search", ECCV
    2016. It smooths across edges, so a pixel that did not change counts as not moved.
    """
    a, b = _pair(image, source)
    if mask.shape != a.shape[:2]:
        raise ValueError(f"a mask of {mask.shape} for a picture of {a.shape}")
    within = np.asarray(mask) > 0.5
    changed = within & (np.abs(a - b).reshape(*within.shape, -1).max(2) > _SAME)
    if not changed.any():
        return 0.0, 0.0
    before, after = (
        np.rint(x.reshape(*within.shape, -1).mean(2).clip(0, 1) * 255).astype(np.uint8)
        for x in (b, a)
    )
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flow = search.calc(before, after, np.zeros((*within.shape, 2), np.float32))
    far = np.linalg.norm(np.asarray(flow), axis=2)
    total = float(within.sum())
    return float(changed.sum()) / total, float(far[changed].sum()) / total


def _pair(a: Picture, b: Picture) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    if a.shape != b.shape or a.ndim not in (2, 3):
        raise ValueError(f"pictures of {a.shape} and {b.shape}")
    return np.asarray(a, np.float64), np.asarray(b, np.float64)


def _channels(image: Picture) -> int:
    return 1 if image.ndim == 2 else int(image.shape[2])


def _local(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Mean in the Gaussian window around every pixel that has a whole one."""
    edge = _WINDOW // 2
    smooth = np.asarray(cv2.GaussianBlur(x, (_WINDOW, _WINDOW), _SIGMA), np.float64)
    return smooth[edge:-edge, edge:-edge]


def _gradient(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """(h, w) mean length of the channels' gradients (Scharr)."""
    across, down = cv2.Scharr(x, cv2.CV_64F, 1, 0), cv2.Scharr(x, cv2.CV_64F, 0, 1)
    length = np.hypot(across, down)
    return np.asarray(length if x.ndim == 2 else length.mean(2), np.float64)
