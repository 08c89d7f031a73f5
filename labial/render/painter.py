"""What the learned parts of the mouth are told, and the networks that are told it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

import cv2
import numpy as np

from labial import geometry
from labial.render.plane import HEIGHT, WIDTH
from labial.types import FloatArray
from labial.weights.network import open_network

MOUTHS, VISEMES = 12, 15
TOLD = 4 * MOUTHS + 3 + VISEMES
# Brought to about -1..1, as in training.
_MOUTH_SCALE, _DEGREES, _PIXELS = 3.0, 20.0, 100.0


@dataclass(frozen=True)
class Told:
    """Numbers beside the pictures.

    Parameters
    ----------
    wanted, own, filmed, other
        (12,) mouths in the basis of :mod:`labial.motion.space`: the wanted one, the frame's own,
        and two of the bank as filmed, zeros where there are none.
    rotation
        (3, 3) of the head.
    scale
        Inter-ocular distance in pixels.
    viseme
        (15,) weights in the order of :data:`labial.speech.visemes.VISEMES`; zeros where unknown.
    """

    wanted: FloatArray
    own: FloatArray
    filmed: FloatArray
    other: FloatArray
    rotation: FloatArray
    scale: float
    viseme: FloatArray

    def vector(self, mouths: bool = True) -> FloatArray:
        """Return (1, TOLD) float32; without ``mouths`` only the wanted one is told."""
        yaw, pitch, _ = geometry.angles_degrees(self.rotation)
        size = np.log(max(self.scale, 1.0) / _PIXELS)
        others = [self.own, self.filmed, self.other]
        kept = [self.wanted, *(others if mouths else [0 * x for x in others])]
        pose = np.array([yaw / _DEGREES, pitch / _DEGREES, size], np.float32)
        numbers = np.concatenate([np.concatenate(kept) / _MOUTH_SCALE, pose, self.viseme])
        return numbers.astype(np.float32)[None]


class Network:
    """One ONNX file of the package; several threads may call it at once."""

    def __init__(self, name: str) -> None:
        self._session = open_network((resources.files("labial.render") / name).read_bytes())

    def __call__(self, pictures: list[FloatArray], told: FloatArray) -> list[FloatArray]:
        """Run on pictures (HEIGHT, WIDTH[, c]); return outputs (h, w, c)."""
        return [np.ascontiguousarray(x[0].transpose(1, 2, 0)) for x in self._run(pictures, told)]

    def numbers(self, pictures: list[FloatArray], told: FloatArray) -> FloatArray:
        """Run on pictures (HEIGHT, WIDTH[, c]); return the only output, (n,) numbers."""
        return np.asarray(self._run(pictures, told)[0][0], np.float32)

    def _run(self, pictures: list[FloatArray], told: FloatArray) -> list[FloatArray]:
        planes = [p[None] if p.ndim == 2 else p.transpose(2, 0, 1) for p in pictures]
        inputs = {"pictures": np.concatenate(planes)[None], "told": told}
        found: list[FloatArray] = self._session.run(None, inputs)
        return found


def nothing(channels: int) -> FloatArray:
    """(HEIGHT, WIDTH, channels) zeros: a picture that there is not."""
    return np.zeros((HEIGHT, WIDTH, channels), np.float32)


def lit_like(image: FloatArray, other: FloatArray) -> FloatArray:
    """Bring a picture (h, w, 3) to the mean colour of another, as far as light explains it."""
    ours, theirs = (np.array(cv2.mean(x)[:3]) + 0.01 for x in (image, other))
    return np.asarray(image * (theirs / ours).clip(0.7, 1.4).astype(np.float32), np.float32)
