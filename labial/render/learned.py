"""The learned parts on one track: the inside of the mouth, and what the refiner is shown."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from labial.motion.retarget import Retarget
from labial.pixels import Box, sample_rgb8
from labial.render.appearance import Appearance
from labial.render.bank import Choice, MouthBank, Patch
from labial.render.interior import SHOWS, Interior, Look, drawn, grained
from labial.render.painter import Told, lit_like, nothing
from labial.render.plane import HEIGHT, WIDTH, MouthPlane
from labial.render.refine import Refiner, Scene
from labial.types import FaceTrack, FloatArray, Frame

_SILENCE = np.zeros(15, np.float32)
_TAPS = np.array([1, 4, 6, 4, 1]) / 16


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
    appearance
        What was learned from this shot's own frames, if anything.
    filmed
        Of the track of ``bank``, where that is another than ``track``.
    interior, refine
        False leaves one of them out, for comparison.
    """

    def __init__(
        self,
        track: FaceTrack,
        retarget: Retarget,
        bank: MouthBank | None,
        visemes: FloatArray | None = None,
        appearance: Appearance | None = None,
        filmed: Retarget | None = None,
        *,
        interior: bool = True,
        refine: bool = True,
    ) -> None:
        self._track, self._retarget = track, retarget
        self._filmed, self._filmed_retarget = track, filmed or retarget
        if bank is not None:
            self._filmed = bank.track
        # Teeth that come and go with every doubt about a sound would flicker.
        self._visemes = None if visemes is None else _smooth(visemes)
        self._interior, self.refiner = networks()
        self.has_interior, self._refine = interior, refine
        self._appearance = appearance
        self._look: Patch | None = None
        if bank is not None and bank.patches:
            widest = bank.widest()
            if self._seen(widest)[1][..., 1].sum() > SHOWS:
                self._look = widest

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
        inside = self._interior(mouth, box, moved, plane, look, self._told(row, None, None))
        return grained(inside, grain, row)

    def scene(
        self, frame: Frame, row: int, moved: FloatArray, choice: Choice | None, other: Choice | None
    ) -> Scene | None:
        """Return what the refiner is to be shown of one frame; None where it is not wanted."""
        if not self._refine:
            return None
        plane = MouthPlane.of(self._track, row)
        seen = sample_rgb8(frame, plane.affine.astype(np.float32), (WIDTH, HEIGHT))
        source = seen.astype(np.float32) / np.float32(255)
        filmed, lips = [], [drawn(moved, plane), drawn(self._track.landmarks[row], plane)]
        if choice is not None:
            for shown in (choice, other or choice):
                image, outline = self._mixed(shown)
                filmed.append(lit_like(image, source).clip(0, 1))
                lips.append(outline)
        else:
            lips += [nothing(2), nothing(2)]
        told = self._told(row, choice, other or choice)
        strength = float(self._track.quality[row])
        added = None if self._appearance is None else self._appearance.change(told)
        outlines = np.concatenate(lips, 2)
        return Scene(plane, source, tuple(filmed), outlines, told, strength, added)

    def _mixed(self, choice: Choice) -> tuple[FloatArray, FloatArray]:
        image, outline = nothing(3), nothing(2)
        for patch, weight in zip(choice.patches, choice.weights, strict=True):
            seen, lips = self._seen(patch)
            image += np.float32(weight) * seen
            outline += np.float32(weight) * lips
        return image, outline

    def _seen(self, patch: Patch) -> tuple[FloatArray, FloatArray]:
        """A filmed mouth and its lips, each in the plane of its own frame."""
        plane = MouthPlane.of(self._filmed, patch.index - self._filmed.start)
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

    def _told(self, row: int, choice: Choice | None, other: Choice | None) -> Told:
        wanted, own = self._retarget.mouths(row)
        viseme = _SILENCE if self._visemes is None else self._visemes[row]
        rotation, scale = self._track.rotation[row], float(self._track.scale[row])
        return Told(wanted, own, self._mouth(choice), self._mouth(other), rotation, scale, viseme)

    def _mouth(self, choice: Choice | None) -> FloatArray:
        """(12,) the mouth that a choice was filmed with; zeros where there is none."""
        mouth = np.zeros(12, np.float32)
        if choice is not None:
            for patch, weight in zip(choice.patches, choice.weights, strict=True):
                row = patch.index - self._filmed.start
                mouth += np.float32(weight) * self._filmed_retarget.mouths(row)[1]
        return mouth


def _smooth(rows: FloatArray) -> FloatArray:
    """Binomial 5-tap along the first axis, ends held."""
    return np.asarray(
        cv2.sepFilter2D(rows, -1, np.ones(1), _TAPS, borderType=cv2.BORDER_REPLICATE), np.float32
    )
