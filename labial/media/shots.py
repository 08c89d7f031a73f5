"""Where one shot ends and another begins: cuts, and the dissolves and fades that pass through.

Everything is judged on glances, pictures of about 40 × 70 pixels. Cuts are PySceneDetect's, less
what only flashes or changes its light. Of made cuts, 296 of 300 between people (half of them at a
quarter of the light) and 166 of 212 jumps within a take or into a closer view are found, with 5
cuts in 15,800 frames that have none; a comparison of histograms found 144 and 8.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from scenedetect import FrameTimecode
from scenedetect.detectors import AdaptiveDetector

from labial.pixels import Box, read_rgb
from labial.types import FloatArray, Frame, PixelFormat

Glance = npt.NDArray[np.uint8]

LOOK_AHEAD = 2
_SHORT = 40
# PySceneDetect's own 15 misses jumps between similar pictures of one take.
_CHANGE = 12.0
# A cut is none when pictures around it are so much more alike than those beside it: a flash.
_FLASH = 0.5
# Nor when only the light changes: correlation of the two pictures. Nor when colours step hardly
# more than just before or after: hues leap when a picture turns black.
_SAME, _STEP = 0.98, 1.5
# Frames from before a dissolve to after it. Its ends must differ, rms of 0..1, and correlate no
# more than this; and the pictures at its quarters must be mixtures of its ends, as far as
# the rest, ÷ the ends' difference, and the share, less the expected one, go. Heads that move leave
# at least .37, real dissolves with moving heads at most .3 in nine of ten.
_LENGTHS = (5, 8, 12, 18, 26, 38, 54)
_APART, _LIKE, _REST, _SHARE = 0.05, 0.7, 0.3, 0.2
_QUARTERS = (0.25, 0.5, 0.75)
_EDGE = 0.03
# Frames without a mixture after which a dissolve is over.
_PASSED = 3


@dataclass(frozen=True)
class Dissolve:
    """Frames ``start`` … ``stop - 1`` mix two shots, or a shot and a plain colour."""

    start: int
    stop: int


class Shots:
    """Mark where shots begin while frames stream by, :data:`LOOK_AHEAD` frames ahead."""

    def __init__(self) -> None:
        self._cuts = _Cuts()
        self._mixtures = _Mixtures()

    def marked(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, bool]]:
        """Yield every frame, and whether it is the first of another shot than the frame before.

        After a dissolve that is when it has passed for sure, some frames after its last one.
        """
        waiting: deque[Frame] = deque()
        for frame in frames:
            seen = glance(frame)
            self._mixtures.observe(seen, frame.index)
            waiting.append(frame)
            if self._cuts.observe(seen):
                passed = self._mixtures.passed(frame.index, waiting[0].index)
                yield waiting.popleft(), self._cuts.here or passed
        for _ in range(len(waiting)):
            self._cuts.observe(None)
            yield waiting.popleft(), self._cuts.here

    def dissolves(self) -> list[Dissolve]:
        """Return the dissolves and fades among the frames seen so far, in order."""
        return list(self._mixtures.found)


def glance(frame: Frame) -> Glance:
    """Return a small BGR picture (h, w, 3) of a frame; its shorter side has 40 pixels."""
    shrink = max(1.0, min(frame.width, frame.height) / _SHORT)
    size = (max(1, round(frame.width / shrink)), max(1, round(frame.height / shrink)))
    planes: list[npt.NDArray[Any]] = []
    for plane in frame.planes[: 1 if frame.format.kind == "gray" else 3]:
        # Two rows and four columns for each of the small picture's are enough, and cost little.
        height, width = plane.shape
        down, across = max(1, height // (2 * size[1])), max(1, width // (4 * size[0]))
        some: npt.NDArray[Any] = np.ascontiguousarray(
            plane[down // 2 :: down, across // 2 :: across]
        )
        planes.append(cv2.resize(some, size, interpolation=cv2.INTER_AREA))
    layout = PixelFormat("", frame.format.kind, frame.format.bits)
    small = replace(frame, planes=tuple(planes), format=layout)
    rgb = read_rgb(small, Box(0, 0, *size))
    return np.asarray(np.rint(rgb[..., ::-1] * 255).clip(0, 255), np.uint8)


class _Cuts:
    """``observe`` glances; ``here`` is whether the glance LOOK_AHEAD before begins a shot."""

    def __init__(self) -> None:
        self.here = False
        self._detector = AdaptiveDetector(min_scene_len=0, min_content_val=_CHANGE)
        self._fed = 0
        # Three glances before the one that is judged, itself, and those after it.
        self._around: deque[Glance | None] = deque([None] * 4, maxlen=4 + LOOK_AHEAD)
        self._last: Glance | None = None

    def observe(self, seen: Glance | None) -> bool:
        """Take the next glance, None past the end; tell whether ``here`` is known now."""
        if self._last is None and seen is not None:
            # Something to hold the first frames against.
            for _ in range(LOOK_AHEAD):
                self._feed(seen)
        self._around.append(seen)
        if seen is not None:
            self._last = seen
        assert self._last is not None, "the end was told before the first frame"
        found = self._feed(self._last)
        if self._fed <= 2 * LOOK_AHEAD:
            return False
        self.here = found and not self._is_light()
        return True

    def _feed(self, seen: Glance) -> bool:
        at = FrameTimecode(self._fed, 25.0)
        self._fed += 1
        return bool(self._detector.process_frame(at, seen))

    def _is_light(self) -> bool:
        """Tell a flash or a change of light from a cut at the glance that is judged."""
        before, after = list(self._around)[:3], list(self._around)[3:]
        last, first = before[-1], after[0]
        if last is None or first is None or last.shape != first.shape:
            return False
        step = _step(last, first)
        if any(_step(a, b) > step / _STEP for a, b in (before[-2:], after[:2])):
            return True
        if _correlation(*(x.astype(np.float32).ravel() for x in (last, first))) > _SAME:
            return True
        change = _change(last, first)
        return any(
            _change(a, b) < _FLASH * change
            for i, a in enumerate(before)
            for j, b in enumerate(after)
            if a is not None and b is not None and 1 < 3 - i + j <= 3
        )


def _step(a: Glance | None, b: Glance | None) -> float:
    """Mean difference of colours 0..255; 0 where there are not two pictures of one size."""
    if a is None or b is None or a.shape != b.shape:
        return 0.0
    return float(cv2.norm(a, b, cv2.NORM_L1)) / a.size


def _change(a: Glance, b: Glance) -> float:
    """Mean difference of hue, saturation and value, which is what PySceneDetect goes by."""
    if a.shape != b.shape:
        return float("inf")
    one, two = (cv2.cvtColor(x, cv2.COLOR_BGR2HSV) for x in (a, b))
    return float(cv2.norm(one, two, cv2.NORM_L1)) / one.size


def _correlation(a: FloatArray, b: FloatArray) -> float:
    a, b = a - a.mean(), b - b.mean()
    return float(a @ b / np.sqrt((a @ a) * (b @ b) + 1e-6))


class _Mixtures:
    """Find runs of glances that are mixtures of those at both ends."""

    def __init__(self) -> None:
        self.found: list[Dissolve] = []
        self._open = False
        self._ring: deque[FloatArray] = deque(maxlen=_LENGTHS[-1] + 1)

    def observe(self, seen: Glance, index: int) -> None:
        light = cv2.cvtColor(seen, cv2.COLOR_BGR2GRAY).ravel() / np.float32(255)
        if self._ring and self._ring[-1].shape != light.shape:
            self._ring.clear()
        self._ring.append(np.asarray(light, np.float32))
        for length in _LENGTHS:
            if length < len(self._ring) and self._is_mixed(length):
                self._take(length, index)

    def passed(self, now: int, begins: int) -> bool:
        """Tell once, at frame ``now``, that a dissolve is over; it then reaches to ``begins``."""
        if not self._open or now < self.found[-1].stop + _PASSED:
            return False
        self._open = False
        self.found[-1] = replace(self.found[-1], stop=max(begins, self.found[-1].stop))
        return True

    def _is_mixed(self, length: int) -> bool:
        first, last = self._ring[-1 - length], self._ring[-1]
        change = last - first
        size = float(change @ change)
        if size < _APART**2 * change.size or _correlation(first, last) > _LIKE:
            return False
        for quarter in _QUARTERS:
            at = round(quarter * length)
            part = self._ring[at - 1 - length] - first
            share = float(part @ change) / size
            rest = part - share * change
            if abs(share - at / length) > _SHARE or rest @ rest > _REST**2 * size:
                return False
        return True

    def _take(self, length: int, index: int) -> None:
        """Note the part of the last ``length`` glances, up to frame ``index``, that is mixed."""
        glances = list(self._ring)[-1 - length :]
        change = glances[-1] - glances[0]
        size = float(change @ change)
        shares = np.array([(g - glances[0]) @ change / size for g in glances])
        mixed = np.flatnonzero((shares > _EDGE) & (shares < 1 - _EDGE))
        start, stop = (index - length + int(mixed[k]) for k in (0, -1))
        stop += 1
        before = self.found[-1].stop if self.found else -1
        while self.found and self.found[-1].stop >= start:
            last = self.found.pop()
            start, stop = min(start, last.start), max(stop, last.stop)
        self.found.append(Dissolve(start, stop))
        # Longer stretches go on to fit when it is over.
        self._open = self._open or stop > before
