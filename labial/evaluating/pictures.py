"""How a video's pictures differ from those it was made of, frame by frame, in one pass."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from labial import geometry
from labial.clip import Clip
from labial.errors import WeightsError
from labial.evaluating.pairing import partner
from labial.evaluating.scores import Scores
from labial.face.album import Recognizer, aligned_face
from labial.media.read import VideoReader
from labial.metrics.identity import likeness
from labial.metrics.image import psnr, seam, sharpness, ssim
from labial.metrics.temporal import Trembling, flicker_ratio
from labial.pixels import Box, aligned, read_rgb
from labial.render.plane import MouthPlane
from labial.types import BoolArray, FaceTrack, FloatArray, Frame, Hook

_OUTER = [*geometry.OUTER_UPPER, *geometry.OUTER_LOWER]
# Around the lips, and around the face, in inter-ocular distances.
_MARGIN, _AROUND = 0.22, 0.5
# So far beyond its outline, the face has ended for certain.
_BESIDE = 0.15
# A change of colour counts from the first on, or from so many times what the encoder did beside the
# face; it is looked at through a blur of so many inter-ocular distances.
_LEAST_CHANGE, _TIMES_NOISE, _BLUR = 0.02, 4.0, 0.03
# The outline of less than this, squared, is noise.
_LEAST_REGION = 0.25
# Looks at a person, spread over the video.
_LOOKS = 16
# Frames belong together up to this share of the time between two.
_TOGETHER = 0.75
_BEST_DB = 100.0

Look = npt.NDArray[np.uint8]
Watch: TypeAlias = Callable[[str, int, float], None]
"""``watch(name, frame, value)`` is told what is found of single frames."""


@dataclass
class _Sums:
    """Means in the making, by name."""

    totals: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, value: float) -> None:
        if math.isfinite(value):
            self.totals[name] = self.totals.get(name, 0.0) + value
            self.counts[name] = self.counts.get(name, 0) + 1

    def mean(self, name: str) -> float | None:
        return self.totals[name] / self.counts[name] if self.counts.get(name) else None

    def ratio(self, name: str, other: str) -> float | None:
        have, had = self.mean(name), self.mean(other)
        return have / had if have is not None and had else None


def picture_scores(
    out: Clip,
    other: Clip,
    same_words: bool,
    identity: bool,
    tell: Hook,
    watch: Watch | None = None,
) -> tuple[Scores, int, tuple[str, ...]]:
    """Compare pictures with those of the source, or of the real video.

    Parameters
    ----------
    out, other
        What was seen of the video that is judged, and of the one to hold it against.
    same_words
        Whether ``other`` says the same, so that its mouth is the right one.
    identity
        Whether to compare whose face it is.
    tell
        Called as ``tell("compare", frames, total)``.
    watch
        Told ``"sharpness"`` and ``"seam"`` of each frame.

    Returns
    -------
    The numbers, the frames that were compared, and what could not be measured.
    """
    mine, theirs = out.media.video, other.media.video
    assert mine is not None and theirs is not None
    alike = (mine.width, mine.height, mine.rotation) == (
        theirs.width, theirs.height, theirs.rotation,
    )  # fmt: skip
    sums, people = _Sums(), _People(out, other)
    trembles = Trembling(), Trembling()
    last: tuple[int, int] | None = None
    compared = 0
    for frame, filmed in _pairs(out, other, tell):
        if identity:
            people.look(frame, filmed)
        found = _usable(out, other, frame, filmed) if alike else None
        if found is None:
            last = None
            continue
        track, row = found
        if last != (track.key, row - 1):
            for each in trembles:
                each.cut()
        last = (track.key, row)
        compared += 1
        plane = MouthPlane.of(track, row)
        box = plane.box(frame.width, frame.height)
        if box.width <= 0 or box.height <= 0:
            continue
        views = plane.of_frame(frame), plane.of_frame(filmed)
        for each, view in zip(trembles, views, strict=True):
            each.add(view)
        if same_words:
            sums.add("psnr", min(psnr(*views), _BEST_DB))
            sums.add("ssim", ssim(*views))
        for name, value in _look_around(frame, filmed, track, row, sums).items():
            if watch is not None:
                watch(name, frame.index, value)
    notes: list[str] = []
    if not alike:
        notes.append(
            f"pictures were not compared: {mine.width}x{mine.height} against "
            f"{theirs.width}x{theirs.height} pixels"
        )
    elif not compared:
        notes.append("pictures were not compared: no frame shows both mouths at one time")
    alike_people, why = people.likeness() if identity else (None, "")
    notes += [why] if why else []
    flicker = None
    if trembles[0].count:
        flicker = flicker_ratio(trembles[0].energy, trembles[1].energy)
    beside = sums.mean("beside")
    scores = Scores(
        psnr=sums.mean("psnr"),
        ssim=sums.mean("ssim"),
        sharpness=sums.ratio("sharp", "sharp source"),
        # Where nothing was laid in, nothing is to be seen of it.
        seam=sums.mean("seam") or (1.0 if compared else None),
        flicker=flicker if flicker is not None and math.isfinite(flicker) else None,
        beside=None if beside is None else min(-10 * math.log10(max(beside, 1e-12)), _BEST_DB),
        identity=alike_people,
    )
    return scores, compared, tuple(notes)


def _pairs(out: Clip, other: Clip, tell: Hook) -> Iterator[tuple[Frame, Frame]]:
    """Each frame, and that of the other video which is nearest in time, both from their starts."""
    step = max(_step(out), _step(other))
    n = len(out.times)
    with VideoReader(out.media.path) as reader, VideoReader(other.media.path) as filmed:
        theirs = filmed.frames()
        now = next(theirs)
        following = next(theirs, None)
        for frame in reader.frames():
            if frame.index >= n:
                break
            tell("compare", frame.index + 1, n)
            time = out.times[frame.index]
            while following is not None and following.index < len(other.times):
                near = abs(other.times[now.index] - time)
                if abs(other.times[following.index] - time) > near:
                    break
                now, following = following, next(theirs, None)
            if abs(other.times[now.index] - time) <= _TOGETHER * step:
                yield frame, now


def _step(clip: Clip) -> float:
    return float(np.median(np.diff(clip.times))) if len(clip.times) > 1 else 0.04


def _usable(out: Clip, other: Clip, frame: Frame, filmed: Frame) -> tuple[FaceTrack, int] | None:
    """The source's face, where it is seen at one place in both, and well in the output."""
    if out.quality[frame.index] <= 0:
        return None
    number = partner(out, other, frame.index, filmed.index)
    if number < 0:
        return None
    return other.tracks[number], filmed.index - other.tracks[number].start


def _look_around(
    frame: Frame, filmed: Frame, track: FaceTrack, row: int, sums: _Sums
) -> dict[str, float]:
    """Add sharpness, seam and what changed beside the face; return the first two."""
    landmarks, unit = track.landmarks[row][:, :2], float(track.scale[row])
    found = {}
    box = _box_around(frame, landmarks[_OUTER], _MARGIN * unit)
    if min(box.width, box.height) >= 8:
        have, had = sharpness(read_rgb(frame, box)), sharpness(read_rgb(filmed, box))
        sums.add("sharp", have)
        sums.add("sharp source", had)
        found["sharpness"] = have / max(had, 1e-9)
    oval = np.array(landmarks[list(geometry.FACE_OVAL)], np.float32)
    box = _box_around(frame, oval, _AROUND * unit)
    if min(box.width, box.height) < 8:
        return found
    image, source = read_rgb(frame, box), read_rgb(filmed, box)
    oval = oval - np.array([box.x0, box.y0], np.float32)
    beside = _beside(oval, image.shape[:2], unit)
    change = image - source
    if beside.any():
        sums.add("beside", float((change[beside] ** 2).mean()))
    changed = changed_region(change, beside, unit)
    if changed is not None:
        found["seam"] = seam(image, source, changed)
        sums.add("seam", found["seam"])
    return found


def changed_region(change: FloatArray, beside: BoolArray, unit: float) -> FloatArray | None:
    """Find the region around the mouth that was laid in, whatever its shape.

    Parameters
    ----------
    change
        (h, w, 3) output less source.
    beside
        (h, w) bool: where only an encoder changes anything, as far as is known.
    unit
        Inter-ocular distance in pixels.

    Returns
    -------
    (h, w) float32, 1 inside and 0 outside; None where nothing changed.

    Notes
    -----
    What changed is looked at through a small blur, so that noise of an encoder averages out and a
    step of light does not, and its largest piece is filled.
    """
    sigma = max(_BLUR * unit / 2, 0.7)
    soft = np.abs(cv2.GaussianBlur(change, (0, 0), sigma)).max(2)
    noise = float(np.median(soft[beside])) if beside.any() else 0.0
    strong = (soft > max(_LEAST_CHANGE, _TIMES_NOISE * noise)).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(strong, connectivity=8)
    if count < 2:
        return None
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    if stats[largest, cv2.CC_STAT_AREA] < (_LEAST_REGION * unit) ** 2:
        return None
    piece = (labels == largest).astype(np.uint8)
    outlines, _ = cv2.findContours(piece, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros_like(piece)
    cv2.drawContours(filled, outlines, -1, 1, cv2.FILLED)
    return np.asarray(filled, np.float32)


def _box_around(frame: Frame, points: FloatArray, margin: float) -> Box:
    low, high = points.min(0) - margin, points.max(0) + margin
    x0, y0 = np.floor(low).astype(int).tolist()
    x1, y1 = np.ceil(high).astype(int).tolist()
    box = Box(x0, y0, x1, y1).clip(frame.width, frame.height)
    if box.width <= 0 or box.height <= 0:
        return Box(0, 0, 0, 0)
    return aligned(box, frame.format, frame.width, frame.height)


def _beside(oval: FloatArray, shape: tuple[int, ...], unit: float) -> BoolArray:
    """(h, w) bool: outside the face, and off it by ``_BESIDE``."""
    inside = np.zeros(shape[:2], np.uint8)
    cv2.fillPoly(inside, [np.rint((oval - 0.5) * 16).astype(np.int32)], 1, cv2.LINE_8, 4)
    reach = 2 * max(round(_BESIDE * unit), 1) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    return np.asarray(cv2.dilate(inside, kernel) == 0)


class _People:
    """Looks at those who are in both videos, spread evenly; each is held against themselves."""

    def __init__(self, out: Clip, other: Clip) -> None:
        self._out, self._other = out, other
        self._every = max(len(out.times) // _LOOKS, 1)
        self._next = self._every // 2
        self._looks: dict[int, tuple[list[Look], list[Look]]] = {}

    def look(self, frame: Frame, filmed: Frame) -> None:
        """Keep a look at both, if it is time and both can be seen."""
        if frame.index < self._next or self._out.quality[frame.index] <= 0:
            return
        mine = self._out.track_of(frame.index)
        number = partner(self._out, self._other, frame.index, filmed.index, anywhere=True)
        if mine is None or number < 0:
            return
        track = self._other.tracks[number]
        row = filmed.index - track.start
        if track.quality[row] <= 0:
            return
        self._next = frame.index + self._every
        looks, reference = self._looks.setdefault(track.person, ([], []))
        looks.append(aligned_face(frame, np.array(mine[0].landmarks[mine[1]])))
        reference.append(aligned_face(filmed, np.array(track.landmarks[row])))

    def likeness(self) -> tuple[float | None, str]:
        """Return how alike they are, or why that is not known."""
        if not self._looks:
            return None, "no likeness: no frame shows both faces"
        try:
            network = Recognizer()
        except WeightsError as error:
            return None, f"no likeness: {error}"
        alike, counts = [], []
        for pair in self._looks.values():
            alike.append(likeness(*(np.stack([network(look) for look in looks]) for looks in pair)))
            counts.append(len(pair[0]))
        return float(np.average(alike, weights=counts)), ""
