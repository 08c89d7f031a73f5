"""The refiner: a small network that looks at the finished mouth and mends it.

It sees, in the mouth plane, the picture that warp and bank made, the frame as filmed, two mouths of
the bank as filmed, and where the lips of each are. It answers with how much of the filmed mouths to
mix in where, since they know the folds and shadows around such a mouth, and with a change of
colour, both at half the plane's resolution. So it mends what is broad, and the finished picture
keeps its own detail at any resolution. Between the lips what the bank shows stays as it was filmed.
``refine_v1.md`` tells how it was trained.
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
# refiner is trusted less; from the second on, not at all. People never trained on reach the first.
STRAY_LOW, STRAY_HIGH = 0.34, 0.48
_STRAY_SIGMA = 6.0
# Pictures that differ by more, RGB 0..1, show different things.
_SAME = 0.12
_EDGE = 12


@dataclass(frozen=True)
class Scene:
    """What the refiner needs beside the finished picture.

    Parameters
    ----------
    plane
        The mouth plane of this frame.
    source
        (HEIGHT, WIDTH, 3) float32 RGB: the frame as filmed.
    filmed
        The bank's two mouths, likewise; empty where there is no bank.
    lips
        (HEIGHT, WIDTH, 8) float32 0..1: outline and opening of the wanted and the source's lips and
        of the filmed ones; zeros where there are none.
    told
        The numbers.
    strength
        0..1: how far the frame is re-synced at all.
    appearance
        (HEIGHT / 2, WIDTH / 2, 3) float32: what this clip's own frames say is to be added; None
        where they were not asked.
    """

    plane: MouthPlane
    source: FloatArray
    filmed: tuple[FloatArray, ...]
    lips: FloatArray
    told: Told
    strength: float
    appearance: FloatArray | None = None


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
        # Where nothing was filmed, the made picture stands in for it.
        three = [made, *(scene.filmed or (made, made))]
        pictures = [made, scene.source, *three[1:], scene.lips]
        share, change = self._network(pictures, scene.told.vector())
        half = (WIDTH // 2, HEIGHT // 2)
        base, *more = (cv2.resize(x, half, interpolation=cv2.INTER_AREA) for x in three)
        for k, mouth in enumerate(more):
            gap = mouth - base
            change += (share[..., k] * _alike(gap))[..., None] * gap
        if scene.appearance is not None:
            change += scene.appearance
        if scene.filmed:
            change *= off_opening(scene.lips[..., 1])
        trust = trusted(change)
        strength = np.float32(scene.strength * trust)
        if not strength:
            return image, trust
        fine = cv2.resize(change, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
        laid = scene.plane.lay(fine * (strength * window())[..., None], at)
        if face.min() < 1:
            laid *= face[..., None]
        return image + laid, trust


def _alike(gap: FloatArray) -> FloatArray:
    """(h, w) 1 where two pictures that differ by ``gap`` (h, w, 3) show the same thing, else 0.

    Skin in another shade is mixed in; hair, hands, or a neck beside another pose are not.
    """
    far = cv2.blur(np.abs(gap).max(2), (7, 7))
    return np.asarray(np.exp(-((far / _SAME) ** 2)), np.float32)


def off_opening(opening: FloatArray) -> FloatArray:
    """Return 0 in the opening, where two rows of teeth would mix to none, and 1 off it.

    From (HEIGHT, WIDTH) 0..1 to (HEIGHT / 2, WIDTH / 2, 1).
    """
    small = cv2.resize(opening, (WIDTH // 2, HEIGHT // 2), interpolation=cv2.INTER_AREA)
    return np.asarray(1 - cv2.blur(small, (3, 3)), np.float32)[..., None]


def trusted(change: FloatArray) -> float:
    """How far a change (HEIGHT / 2, WIDTH / 2, 3) of colour is to be believed, 0..1.

    Its distance from the warp's picture is the largest absolute value of the change after a
    Gaussian of 6 plane pixels, RGB 0..1: what alters a whole part of the mouth, not an edge.
    """
    broad = cv2.GaussianBlur(change, (0, 0), _STRAY_SIGMA / 2)
    far = float(np.abs(broad).max())
    return float(np.clip((STRAY_HIGH - far) / (STRAY_HIGH - STRAY_LOW), 0, 1))
