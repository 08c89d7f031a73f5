"""Which frame of the video is shown when: for speech that is longer or shorter than the picture.

A :class:`Timeline` says for each frame of the output which frame of the source it shows, and when;
:func:`timeline` makes one for each sync mode, and :func:`retimed` brings what the first pass found
into its order. Frames are shown as they were filmed, never mixed: half of one frame and half
of the next keep .6 of their sharpness where a head moves, and show it twice, and such mixtures
would come and go several times a second.
"""

from __future__ import annotations

import math
import tempfile
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from labial.analysis import Analysis
from labial.errors import OptionError
from labial.media.gops import Gops
from labial.media.order import Order
from labial.options import STRETCH_LIMITS, SyncMode
from labial.types import FaceTrack, Filmed, FloatArray

Rows = npt.NDArray[np.int64]

_HELD_BYTES = 32 << 20
_COPIED_ROWS = 512
# Slower or faster than this, the report says that it can be seen.
_UNNOTICED = Fraction(4, 5), Fraction(5, 4)
_LEAST_LOST = Fraction(1, 10)
# No frame is added for less.
_NOTHING = Fraction(1, 1000)


@dataclass(frozen=True)
class Part:
    """A stretch of a video.

    Parameters
    ----------
    start
        Seconds from the video's first frame to its own.
    length
        Its seconds, with its last frame.
    whole
        Those of the video.
    frames
        Its frames; None where nobody counted them.
    """

    start: Fraction
    length: Fraction
    whole: Fraction
    frames: range | None = None

    @property
    def is_whole(self) -> bool:
        """It is all of the video."""
        return self.start == 0 and self.length == self.whole

    @classmethod
    def all_of(cls, length: Fraction) -> Part:
        """Return all of a video of so many seconds."""
        return cls(Fraction(0), length, length)


def part_of(analysis: Analysis, asked: tuple[Fraction, Fraction | None] | None) -> Part:
    """Find the part of a video that is asked for, as :attr:`labial.options.DubOptions.part`.

    It has the frames that begin at or after its start and before its end.

    Raises
    ------
    OptionError
        There is no frame in it.
    """
    pts, n, base = analysis.pts, len(analysis.pts), analysis.time_base
    if asked is None:
        return Part(Fraction(0), analysis.length, analysis.length, range(n))
    start, end = asked
    first = int(np.searchsorted(pts, int(pts[0]) + math.ceil((start - _NOTHING) / base)))
    last = n
    if end is not None:
        last = int(np.searchsorted(pts, int(pts[0]) + math.ceil((end - _NOTHING) / base)))
    if last <= first:
        raise OptionError(
            f"--trim: there is no frame in that part, the video is {float(analysis.length):.2f} s "
            "long"
        )
    begin = int(pts[first] - pts[0]) * base
    until = int(pts[last] - pts[0]) * base if last < n else analysis.length
    return Part(begin, until - begin, analysis.length, range(first, last))


@dataclass(frozen=True)
class Timeline:
    """The order in which frames are shown.

    Parameters
    ----------
    mode
        Of what it was made.
    rows
        (m,) int64: the source's frame that each frame of the output shows.
    pts
        (m,) int64, increasing: when, in the source's time base.
    joints
        Frames of the output at which a shot begins that begins nowhere in the source.
    length
        Seconds of the output, with its last frame.
    held
        From which frame on the source's last frame lives on; m where it does not.
    same
        Every frame is shown once, at its own time.
    speech, source
        Seconds of the speech and of the video, or of the part of it that is asked for.
    window
        Where not all of the video is shown, but each frame at its own time, earlier only by that of
        the first: those frames. None in any other case.
    begins, heard
        Seconds at which the speech begins, and until which it moves mouths. Of a window they are on
        the clock of the whole video.
    """

    mode: SyncMode
    rows: Rows
    pts: Rows
    joints: tuple[int, ...]
    length: Fraction
    held: int
    same: bool
    speech: Fraction
    source: Fraction
    window: range | None = None
    begins: Fraction = Fraction(0)
    heard: Fraction = Fraction(0)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def retimes(self) -> bool:
        """Frames are shown at times, or in an order, that are not the video's own."""
        return not self.same and self.window is None

    @property
    def kept(self) -> Fraction | None:
        """Seconds of the source's other streams that still fit; None for all, 0 for none."""
        if self.same:
            return None
        retimed = self.mode == "remap" and self.retimes
        return Fraction(0) if retimed else min(self.source, self.length)

    @property
    def limit(self) -> Fraction | None:
        """Seconds of the speech that may be heard; None for all."""
        return self.length if self.mode in ("silence", "cut_off") else None

    def summary(self, may_stretch: bool = True) -> str:
        """Say in a few words what was done about a difference in length; "" for nothing.

        ``may_stretch`` is whether the speech itself could still be made to fit.
        """
        more, past = self.speech - self.source, self.length - self.source
        if self.same or (self.window is not None and past == 0):
            if more < _LEAST_LOST:
                return ""
            fits = may_stretch and self.speech * Fraction(STRETCH_LIMITS[0]) <= self.source
            end = "the video's end" if self.same else "the end of the part"
            return (
                f"speech cut off at {end}, {float(more):.1f} s lost: --sync-mode loop, "
                "bounce, hold or remap keeps them" + ", and so does --stretch-audio auto" * fits
            )
        if self.mode == "remap":
            speed = self.source / self.length
            seen = "" if _UNNOTICED[0] <= speed <= _UNNOTICED[1] else ", which can be seen"
            return f"picture at {float(speed):.2f} of its speed{seen}"
        if past < 0:
            return f"video ends with the speech, {-float(past):.1f} s left out"
        how = {"loop": "played again", "bounce": "played back and forth"}
        what = how.get(self.mode, "of its last frame")
        return f"video {float(past):.1f} s longer, {what}"


def timeline(
    analysis: Analysis, speech: Fraction, mode: SyncMode, part: Part | None = None
) -> Timeline:
    """Plan the output of a video and speech that may differ in length.

    Parameters
    ----------
    analysis
        What the first pass found.
    speech
        Seconds until which it lasts, from the first frame that is shown.
    mode
        ``silence``: as long as the video. ``cut_off``: as the shorter of both. ``loop``,
        ``bounce``, ``hold``, ``remap``: as the speech. Those that end with the speech end with the
        frame in which it ends. See :attr:`labial.options.DubOptions.sync_mode`.
    part
        As :func:`part_of` finds it: what the output is made of. None for all.
    """
    part = part or part_of(analysis, None)
    assert part.frames is not None
    first, base = part.frames.start, analysis.time_base
    n, pts = len(part.frames), analysis.pts[first : part.frames.stop]
    own, source = pts - pts[0], part.length
    step, whole = _usual_step(analysis), source / base
    until = math.ceil((speech - _NOTHING) / base)
    shown = max(1, int(np.searchsorted(own, until)))
    near = shown == n and 0 <= whole - until < step
    added = mode in ("loop", "bounce", "hold") and until > whole
    end: Fraction | int
    if mode == "remap" and not near:
        rows, times, end = _remapped(own, whole, until, step)
    elif mode != "silence" and shown < n:
        rows, times, end = np.arange(shown), own[:shown], int(own[shown])
    elif added and mode == "loop" and n > 1:
        rows, times, end = _again(own, whole, until)
    elif added and mode == "bounce" and n > 1:
        rows, times, end = _back_and_forth(own, until)
    elif added:
        rows, times, end = _held(own, until, step)
    elif part.is_whole:
        return Timeline(mode, np.arange(n), pts, (), source, n, True, speech, source)
    else:
        rows, times, end = np.arange(n), own, whole
    joints = tuple(range(n, len(rows), n)) if added and mode == "loop" and n > 1 else ()
    held = n if added and mode == "hold" else len(rows)
    straight = not added and (mode != "remap" or near)
    return Timeline(
        mode, first + rows, analysis.pts[0] + times, joints, end * base, held, False, speech,
        source, range(first, first + len(rows)) if straight else None,
    )  # fmt: skip


def _usual_step(analysis: Analysis) -> Fraction:
    """Ticks from a frame to the next, as a rule; their mean where times are only rounded."""
    gaps = np.diff(analysis.pts)
    if not len(gaps):
        return analysis.length / analysis.time_base
    usual = int(np.median(gaps))
    if (np.abs(gaps - usual) <= 1).all():
        return Fraction(int(gaps.sum()), len(gaps))
    return Fraction(usual)


def _again(own: Rows, whole: Fraction, until: int) -> tuple[Rows, Rows, int]:
    """Rows, ticks from the first, and the tick at which it ends, of a video that is repeated."""
    passes = math.ceil(until / whole)
    times = np.concatenate([own + round(k * whole) for k in range(passes)])
    return _until(np.tile(np.arange(len(own)), passes), times, round(passes * whole), until)


def _back_and_forth(own: Rows, until: int) -> tuple[Rows, Rows, int]:
    """The same of a video that turns at both its ends, whose frames are not doubled."""
    n, last = len(own), int(own[-1])
    there, back = np.arange(n - 1), np.arange(n - 1, 0, -1)
    passes = until // last + 2
    rows = np.concatenate([there, back] * (passes // 2 + 1))
    ticks = np.concatenate([own[there], 2 * last - own[back]])
    times = np.concatenate([ticks + 2 * last * k for k in range(passes // 2 + 1)])
    return _until(rows, times, 0, until)


def _held(own: Rows, until: int, step: Fraction) -> tuple[Rows, Rows, int]:
    """The same of a video whose last frame is shown on."""
    n, begin = len(own), int(own[-1]) + step
    count = max(0, math.ceil((until - begin) / step))
    added = np.array([round(begin + k * step) for k in range(count)], np.int64)
    rows = np.concatenate([np.arange(n), np.full(count, n - 1)])
    return rows, np.concatenate([own, added]), round(begin + count * step)


def _remapped(own: Rows, whole: Fraction, until: int, step: Fraction) -> tuple[Rows, Rows, int]:
    """The same of the whole video at another speed."""
    m = max(1, math.ceil(until / step))
    times = np.array([round(k * step) for k in range(m)], np.int64)
    # Shown is what the source shows in the middle of a frame's time.
    middles = (np.arange(m) + 0.5) * (float(whole) / m)
    rows = np.searchsorted(own[1:].astype(np.float64), middles, "right")
    return rows, times, round(m * step)


def _until(rows: Rows, times: Rows, end: int, until: int) -> tuple[Rows, Rows, int]:
    """What of it is shown before ``until``, and when what comes next would be: else ``end``."""
    count = int(np.searchsorted(times, until))
    return rows[:count], times[:count], int(times[count]) if count < len(times) else end


def retimed(analysis: Analysis, line: Timeline) -> Analysis:
    """Bring what was found in a video into the order in which it is to be shown.

    Each track becomes as many as there are stretches of the output that show its frames one after
    the other, back or forth, without a jump. Whose they are stays; their keys are new. What they
    were before is in ``filmed``, by the new keys, and their patches are still those of the source.
    """
    if line.same:
        return analysis
    starts = np.zeros(len(line), bool)
    starts[list(line.joints)] = True
    found: list[tuple[int, int, FaceTrack]] = []
    for track in analysis.tracks:
        inside = (line.rows >= track.start) & (line.rows < track.end)
        begins = inside & (starts | ~np.concatenate([[False], inside[:-1]]))
        ends = np.concatenate([~inside[1:] | starts[1:], [True]]) & inside
        firsts, lasts = np.flatnonzero(begins).tolist(), np.flatnonzero(ends).tolist()
        found += [(a, b + 1, track) for a, b in zip(firsts, lasts, strict=True)]
    found.sort(key=lambda part: part[0])
    shot = np.searchsorted(analysis.shots, line.rows, "right")
    starts[1:] |= shot[1:] != shot[:-1]
    tracks, filmed = [], {}
    for key, (first, end, track) in enumerate(found):
        frames = line.rows[first:end]
        tracks.append(_reordered(track, frames - track.start, first, key))
        filmed[key] = Filmed(track, frames)
    return replace(
        analysis,
        tracks=tracks,
        pts=line.pts,
        length=line.length,
        gops=Gops.none(),
        filmed=filmed,
        order=Order(line.rows, analysis.pts, analysis.gops),
        shots=np.flatnonzero(starts),
    )


def _reordered(track: FaceTrack, rows: Rows, start: int, key: int) -> FaceTrack:
    return replace(
        track,
        start=start,
        key=key,
        landmarks=_landmarks(track.landmarks, rows),
        present=track.present[rows],
        scale=track.scale[rows],
        rotation=track.rotation[rows],
        translation=track.translation[rows],
        quality=track.quality[rows],
        reasons=track.reasons[rows],
        cover=track.cover[rows] if len(track.cover) else track.cover,
    )


def _landmarks(seen: FloatArray, rows: Rows) -> FloatArray:
    """Rows of (n, 478, 3): a view where that will do, and a temporary file where they are many."""
    first, count = int(rows[0]), len(rows)
    if (np.diff(rows) == 1).all():
        return seen[first : first + count]
    if count * seen[:1].nbytes <= _HELD_BYTES:
        return seen[rows]
    with tempfile.TemporaryFile(prefix="labial-track-") as file:
        for at in range(0, count, _COPIED_ROWS):
            file.write(np.ascontiguousarray(seen[rows[at : at + _COPIED_ROWS]]).data)
        file.flush()
        return np.memmap(file, np.float32, "r", shape=(count, *seen.shape[1:]))
