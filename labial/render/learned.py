"""The learned parts at work on one track: the inside of the mouth, and what the refiner is shown."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from labial.motion.retarget import Retarget
from labial.pixels import Box, aligned, read_rgb
from labial.render.bank import Choice, MouthBank, Patch
from labial.render.interior import Interior, Look, crisp, drawn
from labial.render.painter import Told, lit_like, nothing
from labial.render.plane import MouthPlane
from labial.render.refine import Refiner, Scene
from labial.types import FaceTrack, FloatArray, Frame

_SILENCE = np.zeros(15, np.float32)


@lru_cache(maxsize=1)
def networks() -> tuple[Interior, Refiner]:
    """Return the networks that are part of the package, loaded once."""
    return Interior(), Refiner()


class Learned:
    """Interior and refiner for the frames of one track.

    Parameters
    ----------
    track
        The face.
    retarget
        Where its mesh goes.
    bank
        Its mouths; one of them, the widest open, shows the interior whose mouth it is to make.
    visemes
        (n, 15) weights a row of the track; None where nobody knows.
    refine
        False leaves the refiner out.
    """

    def __init__(
        self,
        track: FaceTrack,
        retarget: Retarget,
        bank: MouthBank | None,
        visemes: FloatArray | None = None,
        *,
        refine: bool = True,
    ) -> None:
        self._track, self._retarget, self._visemes = track, retarget, visemes
        self._interior, self.refiner = networks()
        self._refine = refine
        self._look = bank.widest() if bank is not None and bank.patches else None

    def inside(
        self, mouth: FloatArray, box: Box, row: int, moved: FloatArray, grain: float
    ) -> FloatArray:
        """Make up the inside of a mouth: (h, w, 3) RGB of ``box``.

        Parameters
        ----------
        mouth
            (h, w, 3) float32 RGB of ``box``, with any inside.
        box
            Part of the frame.
        row
            Of the track.
        moved
            (478, 3) pixels of the moved face.
        grain
            Standard deviation of the frame's noise, RGB 0..1.
        """
        plane = MouthPlane.of(self._track, row)
        view = plane.view(mouth, box)
        look = None
        if self._look is not None:
            image, lips = self._seen(self._look)
            look = Look(lit_like(image, view), lips)
        inside = self._interior(mouth, box, moved, plane, look, self._told(row, None))
        return crisp(inside, 1 / max(plane.step, 1e-6) if plane.step < 1 else plane.step, grain, row)

    def scene(self, frame: Frame, row: int, moved: FloatArray, choice: Choice | None) -> Scene | None:
        """Return what the refiner is to be shown of one frame; None where it is not wanted."""
        if not self._refine:
            return None
        plane = MouthPlane.of(self._track, row)
        box = plane.box(frame.width, frame.height)
        box = aligned(box, frame.format, frame.width, frame.height)
        source = plane.view(read_rgb(frame, box), box).clip(0, 1)
        filmed, filmed_lips = nothing(3), nothing(2)
        if choice is not None:
            for patch, weight in zip(choice.patches, choice.weights, strict=True):
                image, lips = self._seen(patch)
                filmed += np.float32(weight) * image
                filmed_lips += np.float32(weight) * lips
            filmed = lit_like(filmed, source).clip(0, 1)
        lips = np.concatenate(
            [drawn(moved, plane), drawn(self._track.landmarks[row], plane), filmed_lips], 2
        )
        strength = float(self._track.quality[row])
        return Scene(plane, source, filmed, lips, self._told(row, choice), strength)

    def _seen(self, patch: Patch) -> tuple[FloatArray, FloatArray]:
        """A filmed mouth and its lips, each in the plane of its own frame."""
        plane = MouthPlane.of(self._track, patch.index - self._track.start)
        scale = np.float32(1 / np.iinfo(patch.rgb.dtype).max)
        factor = max(1, int(plane.step))
        if factor > 1:
            # Most of a large patch is not looked at closely: shrink before it becomes floats.
            size = (patch.box.width // factor, patch.box.height // factor)
            small = cv2.resize(patch.rgb, size, interpolation=cv2.INTER_AREA)
            image = plane.view(small.astype(np.float32) * scale, patch.box)
        else:
            image = plane.view(patch.rgb.astype(np.float32) * scale, patch.box)
        return image, drawn(patch.landmarks, plane)

    def _told(self, row: int, choice: Choice | None) -> Told:
        wanted, own = self._retarget.mouths(row)
        filmed = np.zeros_like(own)
        if choice is not None:
            for patch, weight in zip(choice.patches, choice.weights, strict=True):
                filmed += np.float32(weight) * self._retarget.mouths(patch.index - self._track.start)[1]
        viseme = _SILENCE if self._visemes is None else self._visemes[row]
        track = self._track
        return Told(wanted, own, filmed, track.rotation[row], float(track.scale[row]), viseme)
