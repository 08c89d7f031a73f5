"""Adapt to one clip, for ``quality="pro"``: its own frames show how its faces look.

Frames of the clip are given the mouths of other frames of the same track, as a dub would, and what
was filmed there says what was right. What is learned is an :class:`Appearance` for each.
"""

from __future__ import annotations

import os
import time

import cv2
import numpy as np
import numpy.typing as npt

from labial import geometry
from labial.composite.blend import compose
from labial.media.read import VideoReader
from labial.motion.retarget import Retarget, own_motion
from labial.motion.space import load_basis
from labial.motion.timing import frame_rate
from labial.render.appearance import Appearance, AppearanceFit
from labial.render.bank import MouthBank
from labial.render.learned import Learned
from labial.render.mouth import render_mouth
from labial.render.painter import lit_like
from labial.render.plane import HEIGHT, WIDTH, MouthPlane
from labial.render.refine import off_opening, window
from labial.render.register import settled
from labial.types import FaceTrack, Frame, Hook

# Frames of a pair are so alike in pose (degrees, log of size) and so far apart in time.
DEGREES, SIZE, APART_SECONDS = 5.0, 0.1, 0.6
MOUTHS_A_FRAME, MOST_PAIRS = 4, 1200
# Every so many seconds, each fourth such part is held back.
PART_SECONDS, PARTS = 1.5, 4
_SEED = 7


class ShotAdapter:
    """Learns how the face of one track looks.

    Parameters
    ----------
    track
        The face.
    bank
        Its mouths.
    times
        (n,) seconds of its frames.
    """

    def __init__(self, track: FaceTrack, bank: MouthBank, times: npt.NDArray[np.float64]) -> None:
        self._track, self._bank, self._times = track, bank, times
        self._own = own_motion(track, load_basis())
        self._retarget = Retarget(track, load_basis(), self._own, frame_rate(times))
        self._rows = np.array([p.index - track.start for p in bank.patches])
        yaw, pitch, _ = geometry.angles_degrees(track.rotation)
        size = np.log(track.scale.clip(1e-3))
        self._view = np.stack([yaw / DEGREES, pitch / DEGREES, size / SIZE], 1)
        self._held_back = (times / PART_SECONDS).astype(int) % PARTS == PARTS - 1
        self._rng = np.random.default_rng(_SEED + track.start)
        self.fit = AppearanceFit()

    def draw(self) -> float:
        """Draw 0..1, always the same for the same track."""
        return float(self._rng.random())

    def learn(self, frame: Frame) -> None:
        """Give ``frame`` some mouths of other frames, and learn from what those looked like."""
        source = frame.index - self._track.start
        if self._track.quality[source] < 1 or not len(self._rows):
            return
        gap = np.abs(self._view[self._rows] - self._view[source])
        apart = np.abs(self._times[self._rows] - self._times[source]) >= APART_SECONDS
        alike = self._held_back[self._rows] == self._held_back[source]
        fits = np.flatnonzero((gap < 1).all(1) & apart & alike)
        for k in self._rng.permutation(fits)[:MOUTHS_A_FRAME]:
            self._pair(frame, source, int(k))

    def _pair(self, frame: Frame, source: int, real: int) -> None:
        track, row = self._track, int(self._rows[real])
        retarget = self._retarget.wanting(source, self._own[row])
        # The mouth that is the answer, and those filmed just beside it, are out of the bank.
        beside = np.abs(self._times[self._rows] - self._times[row]) < APART_SECONDS / 2
        bank = self._bank.without(beside)
        if not bank.patches:
            return
        at, lips = np.array([source]), retarget.lips(slice(source, source + 1))
        choices = bank.choose(at, lips)
        (other,) = bank.choose(at, lips, choices)
        learned = Learned(track, retarget, bank)
        layers = render_mouth(frame, track, retarget, choices[0], learned, other)
        if layers is None or layers.scene is None:
            return
        scene = layers.scene
        made = scene.plane.of_frame(compose(layers, learned.refiner).frame)
        patch = self._bank.patches[real]
        there = MouthPlane.of(track, row)
        image = patch.rgb.astype(np.float32) / np.float32(np.iinfo(patch.rgb.dtype).max)
        answer = settled(lit_like(there.view(image, patch.box), scene.source), made)
        missing = (answer - made) * (there.covered(patch.box) * window())[..., None]
        half = cv2.resize(missing, (WIDTH // 2, HEIGHT // 2), interpolation=cv2.INTER_AREA)
        held_back = bool(self._held_back[source])
        half = np.asarray(half, np.float32) * off_opening(scene.lips[..., 1])
        self.fit.add(scene.told, half, held_back=held_back)


def adapt(
    video: str | os.PathLike[str],
    shots: list[tuple[FaceTrack, MouthBank, npt.NDArray[np.float64]]],
    seconds: float,
    tell: Hook = lambda stage, done, total: None,
) -> dict[int, Appearance]:
    """Learn the appearance of each face of a video, for about ``seconds``.

    Parameters
    ----------
    video
        The file.
    shots
        Track, bank and frame times (n,) in seconds of the faces to learn, in order.
    seconds
        Time to take; frames are spread over the video as far as it lets.
    tell
        Called as ``tell("adapt", done, total)`` with seconds, once a second.

    Returns
    -------
    Appearance by the key of its track; those that taught too little are missing.

    Raises
    ------
    ReadError
    """
    begin = time.monotonic()
    waiting = [(track, ShotAdapter(track, bank, t)) for track, bank, t in shots]
    adapters = {track.key: adapter for track, adapter in waiting}
    spent, used, told = 0.0, 0, 0
    with VideoReader(video) as reader:
        for frame in reader.frames():
            waiting = [(track, adapter) for track, adapter in waiting if frame.index < track.end]
            now = time.monotonic() - begin
            if not waiting or now > seconds:
                break
            if int(now) > told:
                told = int(now)
                tell("adapt", told, int(seconds))
            # What is left of the time, over what is left of the faces, says how often to stop.
            left = sum(t.end - max(frame.index, t.start) for t, _ in waiting)
            for track, adapter in waiting:
                if frame.index < track.start or adapter.fit.pairs >= MOST_PAIRS:
                    continue
                share = (seconds - now) / max(left, 1) / max(spent / used if used else 0.2, 1e-3)
                if used and adapter.draw() > share:
                    continue
                start = time.monotonic()
                adapter.learn(frame)
                spent, used = spent + time.monotonic() - start, used + 1
    found = {key: adapter.fit.solve() for key, adapter in adapters.items()}
    return {key: look for key, look in found.items() if look is not None}
