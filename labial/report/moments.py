"""The moments of a dub that are most likely to be seen to be wrong, as pictures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from labial.clip import Clip
from labial.evaluating.pairing import partner
from labial.evaluating.spoken import Spoken
from labial.media.read import VideoReader
from labial.metrics.closure import heard_closures, touches
from labial.metrics.silence import STANDING, resting
from labial.metrics.sync import RATE
from labial.sheet import Image, side_by_side
from labial.speech.phones import PHONES
from labial.types import Hook

MOST = 8
_EACH = 3
_APART_SECONDS = 0.3
# Nothing is wrong with what is nearer to the source than this.
_SEAM, _SOFT, _FLARING = 1.15, 0.7, 2.0
_SIZE = 200


@dataclass(frozen=True)
class Moment:
    """A moment that may be wrong.

    Parameters
    ----------
    frame, seconds
        Where it is.
    words
        What may be wrong with it.
    weight
        How wrong, 1 and up.
    """

    frame: int
    seconds: float
    words: str
    weight: float


class Worst:
    """Keeps the worst frames of each kind while pictures are compared; memory stays flat."""

    def __init__(self) -> None:
        self._kept: dict[str, list[tuple[float, int, float]]] = {}

    def __call__(self, name: str, frame: int, value: float) -> None:
        """Take note of one frame's number."""
        for kind, badness in _badness(name, value):
            rows = self._kept.setdefault(kind, [])
            rows.append((badness, frame, value))
            if len(rows) > 40 * _EACH:
                rows.sort(reverse=True)
                del rows[20 * _EACH :]

    def moments(self, clip: Clip) -> list[Moment]:
        """Return them, the worst of each kind first."""
        words = {"seam": "an edge shows", "soft": "the mouth is soft", "sharp": "grain, or teeth"}
        return [
            Moment(frame, float(clip.times[frame]), f"{words[kind]} ({value:.2f})", badness)
            for kind, rows in self._kept.items()
            for badness, frame, value in sorted(rows, reverse=True)
        ]


def _badness(name: str, value: float) -> list[tuple[str, float]]:
    if name == "seam" and value > _SEAM:
        return [("seam", value / _SEAM)]
    if name == "sharpness" and value < _SOFT:
        return [("soft", _SOFT / max(value, 0.05))]
    if name == "sharpness" and value > _FLARING:
        return [("sharp", value / _FLARING)]
    return []


def spoken_moments(clip: Clip, spoken: Spoken) -> list[Moment]:
    """Return closures that are missed, and silences in which the mouth stands open."""
    found = []
    for a, b in heard_closures(spoken.opening, spoken.labels, spoken.usable):
        if not touches(spoken.opening, a, b):
            row = a + int(spoken.opening[a:b].argmin())
            gap = float(spoken.opening[row])
            phone = PHONES[int(spoken.labels[(a + b) // 2])]
            words = f"lips do not meet on {phone}"
            found.append(_moment(clip, spoken, row, words, 1 + gap / 0.05))
    still = resting(spoken.labels) & spoken.usable
    wide = np.where(still, spoken.opening, 0)
    for row in np.argsort(-wide)[: 20 * _EACH]:
        if wide[row] > STANDING:
            weight = 1 + float(wide[row]) / 0.1
            found.append(_moment(clip, spoken, int(row), "open in silence", weight))
    return found


def _moment(clip: Clip, spoken: Spoken, row: int, words: str, weight: float) -> Moment:
    """The frame that shows the mouth of a row of the sound."""
    seconds = row / RATE - spoken.late
    frame = int(np.abs(clip.times - seconds).argmin())
    return Moment(frame, float(clip.times[frame]), words, weight)


def choose(moments: Iterable[Moment], most: int = MOST) -> list[Moment]:
    """Choose the worst, some of each kind and none beside another, in order of time."""
    chosen: list[Moment] = []
    kinds: dict[str, int] = {}
    for moment in sorted(moments, key=lambda moment: -moment.weight):
        kind = moment.words.split(" (")[0].split(" on ")[0]
        near = any(abs(moment.seconds - other.seconds) < _APART_SECONDS for other in chosen)
        if near or kinds.get(kind, 0) >= _EACH:
            continue
        kinds[kind] = kinds.get(kind, 0) + 1
        chosen.append(moment)
        if len(chosen) == most:
            break
    return sorted(chosen, key=lambda moment: moment.seconds)


def pictures(out: Clip, source: Clip, chosen: list[Moment], tell: Hook) -> dict[int, Image]:
    """Read the chosen frames again: source left of output, faces above mouths, by frame."""
    wanted = {moment.frame for moment in chosen}
    if not wanted:
        return {}
    # The source's frame that is shown at the same time.
    theirs = {
        int(np.abs(source.times - out.times[frame]).argmin()): frame for frame in sorted(wanted)
    }
    last, drawn = max(theirs), {}
    with VideoReader(out.media.path) as made, VideoReader(source.media.path) as filmed:
        frames = made.frames()
        mine = next(frames, None)
        for frame in filmed.frames():
            if frame.index in theirs:
                number = theirs[frame.index]
                while mine is not None and mine.index < number:
                    mine = next(frames, None)
                face = partner(out, source, number, frame.index, anywhere=True)
                landmarks = None
                if face >= 0:
                    track = source.tracks[face]
                    landmarks = np.array(track.landmarks[frame.index - track.start])
                drawn[number] = _joined(side_by_side(frame, mine, landmarks))
                tell("moments", len(drawn), len(wanted))
            if frame.index >= last:
                break
    return drawn


def _joined(tiles: tuple[Image, ...]) -> Image:
    rows = [np.concatenate(tiles[k : k + 2], 1) for k in (0, 2)]
    page = np.concatenate(rows, 0)
    high = round(2 * _SIZE * page.shape[0] / page.shape[1])
    smaller = cv2.resize(page, (2 * _SIZE, high), interpolation=cv2.INTER_AREA)
    return np.asarray(smaller, np.uint8)
