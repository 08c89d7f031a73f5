"""The second pass over a video: each frame with its new mouths, side by side, in order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

import cv2
import numpy as np

from labial.analysis import Analysis
from labial.composite.blend import compose
from labial.composite.front import kept_in_front
from labial.face.cover import cover_matte
from labial.face.timeline import NOBODY
from labial.media.order import Order
from labial.media.pieces import Stretch
from labial.media.read import VideoReader
from labial.motion.head import HeadMotion
from labial.motion.retarget import Retarget
from labial.motion.space import load_basis
from labial.motion.timing import frame_rate
from labial.options import Quality
from labial.render.appearance import Appearance
from labial.render.bank import Choice, MouthBank
from labial.render.learned import Learned
from labial.render.living import LivingHead, can_live, own_planes
from labial.render.mouth import render_mouth
from labial.speaking.cast import LEFT_ALONE
from labial.types import FaceTrack, FloatArray, Frame, Hook

Made = TypeVar("Made")

MOST_WORKERS = 8


@dataclass(frozen=True)
class Wanted:
    """What the second pass is to make of the first.

    ``mouths`` holds (len(track), K) and ``visemes`` (len(track), 15) for each track, ``looks`` by
    the key of a track what its own frames taught, ``idle`` how its head moves in its last rows, in
    which one frame is held.
    """

    mouths: list[FloatArray]
    visemes: list[FloatArray]
    quality: Quality = "standard"
    looks: dict[int, Appearance] = field(default_factory=dict)
    idle: Mapping[int, HeadMotion] = field(default_factory=dict)


@dataclass(frozen=True)
class Done:
    """A frame of the output, why it was left as it was ("" if it was not), trust in the refiner."""

    frame: Frame
    reason: str = ""
    trust: float = 1.0


def rendered(
    video: str | os.PathLike[str],
    analysis: Analysis,
    wanted: Wanted,
    tell: Hook,
    stretches: Sequence[Stretch] | None = None,
    threads: int = 0,
) -> Generator[Done, None, None]:
    """Yield frames of a video, in order, with their mouths as ``wanted``.

    Parameters
    ----------
    video
        The file.
    analysis
        What the first pass found, with the tracks that are to speak.
    wanted
        How.
    tell
        Called as ``tell("render", frames, total)``.
    stretches
        Which frames; None for all. What lies between is not decoded where the file lets itself be
        searched.
    threads
        How many frames to render side by side, and to decode with; 0 is as many as there are cores.

    Raises
    ------
    ReadError
        The file is not what it was in the first pass.
    """
    parts = [Stretch(0, len(analysis.pts), False)] if stretches is None else stretches
    total = sum(part.end - part.first for part in parts)
    with (
        VideoReader(video, threads) as reader,
        closing(in_order(_renderings(reader, analysis, wanted, parts), threads)) as made,
    ):
        for count, done in enumerate(made, 1):
            tell("render", count, total)
            yield done


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Stages and frames run side by side; OpenCV's own threads would only stand in the way."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def in_order(work: Iterable[Callable[[], Made]], threads: int = 0) -> Generator[Made, None, None]:
    """Do ``work`` side by side, a few pieces ahead; yield what it made, in order."""
    workers = min(threads or os.cpu_count() or 1, MOST_WORKERS)
    waiting: deque[Future[Made]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for piece in work:
                waiting.append(pool.submit(piece))
                if len(waiting) > 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            # Nobody waits for what was not begun when the work is broken off.
            for future in waiting:
                future.cancel()


def _renderings(
    reader: VideoReader, analysis: Analysis, wanted: Wanted, parts: Sequence[Stretch]
) -> Iterator[Callable[[], Done]]:
    coming = deque(zip(analysis.tracks, wanted.mouths, wanted.visemes, strict=True))
    plans: tuple[_Plan, ...] = ()
    heads: tuple[_Head, ...] | None = None
    held = min((len(analysis.pts) - len(motion) for motion in wanted.idle.values()), default=None)
    for frame in _frames(reader, analysis, parts):
        plans = tuple(plan for plan in plans if frame.index < plan.end)
        while coming and coming[0][0].start <= frame.index:
            track, mouths, visemes = coming.popleft()
            if track.end > frame.index:
                plans = (*plans, _Plan(track, mouths, visemes, analysis, wanted))
        work = partial(_rendered, frame, plans)
        if held is not None and frame.index >= held:
            if heads is None:
                heads = tuple(_heads(frame, analysis.tracks, wanted.idle))
            work = partial(_moved, work, frame, heads)
        yield work


@dataclass(frozen=True)
class _Head:
    head: LivingHead
    motion: HeadMotion
    first: int


def _heads(
    frame: Frame, tracks: Sequence[FaceTrack], idle: Mapping[int, HeadMotion]
) -> Iterator[_Head]:
    """The heads of a frame that is held, as far as they can be moved."""
    for track in tracks:
        motion, row = idle.get(track.key), frame.index - track.start
        if motion is not None and can_live(frame, track, row):
            yield _Head(LivingHead(frame, track, row, cut=False), motion, track.end - len(motion))


def _moved(work: Callable[[], Done], source: Frame, heads: Sequence[_Head]) -> Done:
    """Do ``work``, then move eyes and heads."""
    done = work()
    frame = own_planes(done.frame, source)
    for one in heads:
        frame = one.head.move(frame, one.motion, frame.index - one.first)
    return replace(done, frame=frame)


def _frames(reader: VideoReader, analysis: Analysis, parts: Sequence[Stretch]) -> Iterator[Frame]:
    """Decode some stretches; what lies between is passed over."""
    pts, n = analysis.pts, len(analysis.pts)
    order = analysis.order or Order(np.arange(n), pts, analysis.gops)
    places = np.array([k for part in parts for k in range(part.first, part.end)], np.int64)
    frames = order.frames(reader, places)
    if analysis.order is None:
        yield from frames
        return
    end = pts[0] + round(analysis.length / analysis.time_base)
    lasts = np.diff(np.append(pts, end))
    for k, frame in zip(places.tolist(), frames, strict=True):
        yield replace(frame, index=k, pts=int(pts[k]), duration=int(lasts[k]))


def _rendered(frame: Frame, plans: tuple[_Plan, ...]) -> Done:
    """Give each face that is to speak its new mouth, one after the other."""
    reasons, trust = [], 1.0
    for plan in plans:
        done = plan.render(frame)
        if done.reason:
            reasons.append(done.reason)
        else:
            frame, trust = done.frame, min(trust, done.trust)
    if len(reasons) < len(plans):
        return Done(frame, trust=trust)
    # Of those who are to speak one would rather know why they do not.
    return Done(frame, min(reasons, key=LEFT_ALONE.__contains__, default=NOBODY))


class _Plan:
    """All that rendering one face needs, decided before its first frame."""

    def __init__(
        self,
        track: FaceTrack,
        mouths: FloatArray,
        visemes: FloatArray,
        analysis: Analysis,
        wanted: Wanted,
    ) -> None:
        self.end = track.end
        self._track = track
        self._choices: list[Choice | None] = [None] * len(track)
        self._others = self._choices
        self._learned: Learned | None = None
        if not (track.quality > 0).any():
            return
        rate = frame_rate(analysis.times[track.rows])
        self._retarget = Retarget(track, load_basis(), mouths, rate)
        filmed = analysis.filmed.get(track.key)
        bank, before = MouthBank(filmed.track if filmed else track, analysis.patches), None
        every, learned = np.arange(len(track)), wanted.quality != "fast"
        if filmed is not None:
            bank = bank.shown_as(track, filmed)
            still = np.zeros((len(filmed.track), mouths.shape[1]), np.float32)
            before = Retarget(filmed.track, load_basis(), still, rate)
        if bank.patches:
            lips = self._retarget.lips()
            choices = bank.choose(every, lips)
            self._choices = [*choices]
            if learned:
                self._others = [*bank.choose(every, lips, choices)]
        if learned:
            look = wanted.looks.get(track.key)
            self._learned = Learned(track, self._retarget, bank, visemes, look, before)

    def render(self, frame: Frame) -> Done:
        """Return the frame with its new mouth, or as it is and the reason why."""
        row = frame.index - self._track.start
        if self._track.quality[row] <= 0:
            return Done(frame, str(self._track.reasons[row]))
        try:
            layers = render_mouth(
                frame, self._track, self._retarget, self._choices[row],
                self._learned, self._others[row],
            )  # fmt: skip
            if layers is None:
                return Done(frame, "mouth out of frame")
            made = compose(layers, self._learned.refiner if self._learned else None)
            if len(self._track.cover) and self._track.cover[row] > 0:
                matte = cover_matte(frame, self._track.landmarks[row], self._track.usual)
                made = replace(made, frame=kept_in_front(made.frame, frame, *matte))
            return Done(made.frame, trust=made.trust)
        except (cv2.error, np.linalg.LinAlgError):
            # A picture that geometry cannot cope with must not cost the others.
            return Done(frame, "could not be rendered")
