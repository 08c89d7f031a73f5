"""The refiner: a small network that looks at the finished mouth and mends it.

It sees, in the mouth plane, the picture that warp and bank made, the frame as filmed, the bank's
mouth as filmed, and where the lips of each are. It answers with a small warp and a change of
colour. Both are smooth on the scale of the plane, so at high resolution the finished picture's own
detail stays. ``refine_v1.md`` tells how it was trained.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from labial.pixels import Box
from labial.render.painter import Network, Told
from labial.render.plane import HEIGHT, WIDTH, MouthPlane
from labial.types import FloatArray

MODEL = "refine_v1.onnx"
# Where the change, taken over a fifth of the mouth's width, is larger than the first, the
# refiner is trusted less; from the second on, not at all.
STRAY_LOW, STRAY_HIGH = 0.16, 0.24
_STRAY_SIGMA = 6.0
_EDGE = 12


@dataclass(frozen=True)
class Scene:
    """What the refiner needs beside the finished picture.

    Parameters
    ----------
    plane
        The mouth plane of this frame.
    source, filmed
        (HEIGHT, WIDTH, 3) float32 RGB: the frame, and the bank's mouth, as filmed.
    lips
        (HEIGHT, WIDTH, 6) float32 0..1: outline and opening of the wanted, the source's and the
        filmed lips.
    told
        The numbers.
    strength
        0..1: how far the frame is re-synced at all.
    """

    plane: MouthPlane
    source: FloatArray
    filmed: FloatArray
    lips: FloatArray
    told: Told
    strength: float


@lru_cache(maxsize=1)
def window() -> FloatArray:
    """(HEIGHT, WIDTH) 1 inside, falling smoothly to 0 at the edges of the plane."""
    across, down = (
        (np.minimum(np.arange(n), np.arange(n)[::-1]) / _EDGE).clip(max=1) for n in (WIDTH, HEIGHT)
    )
    edge = down[:, None] * across[None]
    return np.asarray(edge * edge * (3 - 2 * edge), np.float32)


class Refiner:
    """``refiner(image, at, face, scene)`` → the mended picture, and how far it was trusted."""

    def __init__(self) -> None:
        self._network = Network(MODEL)

    def __call__(
        self, image: FloatArray, at: Box, face: FloatArray, scene: Scene
    ) -> tuple[FloatArray, float]:
        """Mend a finished mouth.

        Parameters
        ----------
        image
            (h, w, 3) float32 RGB: the finished picture.
        at
            Where it lies in the frame.
        face
            (h, w) 0..1: pixels of the face, not beside it.
        scene
            The rest.

        Returns
        -------
        The mended picture (h, w, 3), equal to ``image`` where ``face`` or the plane ends; and
        0..1, less than 1 where the network strayed so far that it was not, or half, believed.
        """
        made = scene.plane.view(image, at).clip(0, 1)
        pictures = [made, scene.source, scene.filmed, scene.lips]
        offset, change = self._network(pictures, scene.told.vector())
        trust = trusted(change)
        share = window() * np.float32(scene.strength * trust)
        if not share.any():
            return image, trust
        size = (WIDTH, HEIGHT)
        fine = cv2.resize(offset, size, interpolation=cv2.INTER_LINEAR)
        laid = scene.plane.lay(
            np.concatenate([fine * share[..., None], change * share[..., None]], 2), at
        )
        laid *= face[..., None]
        shift = np.asarray(laid[..., :2] @ scene.plane.affine[:, :2].T, np.float32)
        shift[..., 0] += np.arange(at.width, dtype=np.float32)
        shift[..., 1] += np.arange(at.height, dtype=np.float32)[:, None]
        bent = cv2.remap(image, shift, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)  # type: ignore[call-overload]
        return np.asarray(bent + laid[..., 2:], np.float32), trust


def trusted(change: FloatArray) -> float:
    """How far a change (HEIGHT, WIDTH, 3) of colour is to be believed, 0..1.

    Its distance from the warp's picture is the largest absolute value of the change after a
    Gaussian of 6 plane pixels, RGB 0..1: what alters a whole part of the mouth, not an edge.
    """
    broad = cv2.GaussianBlur(change, (0, 0), _STRAY_SIGMA)
    far = float(np.abs(broad).max())
    return float(np.clip((STRAY_HIGH - far) / (STRAY_HIGH - STRAY_LOW), 0, 1))
