"""How a mouth goes along with what is heard in its own video, and with the real mouth."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from labial.clip import CERTAIN, Clip, likely_offset, seen_mouth
from labial.evaluating.pairing import partner
from labial.evaluating.scores import Scores
from labial.metrics.articulation import correlation, lag_of, lip_distance, range_ratio
from labial.metrics.closure import closures, openings
from labial.metrics.drift import Line, Window, gather, windows
from labial.metrics.silence import silence_leak
from labial.metrics.sync import LAGS, RATE, Offset, load_expert
from labial.motion.retarget import LIPS
from labial.motion.space import load_basis
from labial.speech.segments import best_path
from labial.types import BoolArray, FloatArray

Curve = npt.NDArray[np.float64]
# Fewer rows than this say nothing about a voice; in silence a tenth of a second is something.
_LEAST_ROWS = 50
_VOICE = 0.5
_CHUNK = 2000
_TOGETHER_SECONDS = 0.03


@dataclass(frozen=True)
class Spoken:
    """A mouth on the clock of the sound, n rows at 50 Hz.

    Parameters
    ----------
    offset
        By how much the sound is late; None where too little can be seen or heard.
    late
        Seconds of it that are sure, which are taken out of ``opening`` and ``usable``.
    opening
        (n,) gap of the inner lips beyond rest, inter-ocular distances: row i is the mouth that
        belongs to the sound at ``i / 50`` seconds.
    wanted
        (n,) the opening that the speech network expects of an average speaker.
    labels
        (n,) index of the phone that is heard.
    voice
        (n,) rows in which somebody speaks.
    usable
        (n,) rows in which the mouth is seen well.
    """

    offset: Offset | None
    late: float
    opening: Curve
    wanted: Curve
    labels: npt.NDArray[np.intp]
    voice: BoolArray
    usable: BoolArray


def listen(clip: Clip) -> Spoken | None:
    """Hold a clip's mouth against its own sound; None where one of them is missing."""
    mouth, heard = seen_mouth(clip), clip.heard
    if mouth is None or heard is None:
        return None
    seen, usable = mouth
    basis = load_basis()
    offset = likely_offset(clip)
    rows = np.arange(len(heard), dtype=np.float64)
    late = offset.seconds if offset is not None and offset.confidence > CERTAIN else 0.0
    there = rows - late * RATE
    opening = np.interp(there, rows, basis.aperture(seen.coefficients))
    near = np.rint(there).astype(int)
    inside = (near >= 0) & (near < len(rows))
    shown = usable[near.clip(0, len(rows) - 1)] & inside
    return Spoken(
        offset,
        late,
        opening,
        basis.aperture(heard.motion.coefficients).astype(np.float64),
        best_path(heard.phones, heard.motion.rate),
        np.asarray(heard.voice > _VOICE),
        np.asarray(shown),
    )


def sound_scores(clip: Clip) -> tuple[Scores, dict[str, float], tuple[str, ...]]:
    """Return what a clip's mouth and its own sound say, how much there was, and what is missing."""
    good = clip.quality > 0
    scores = Scores(faces=float(good.mean()))
    spoken = listen(clip)
    if spoken is None:
        why = "no sound to hold the mouth against" if clip.heard is None else "no mouth is seen"
        return scores, {}, (why,)
    notes: tuple[str, ...] = ()
    opening, usable = spoken.opening, spoken.usable
    met = closures(opening, spoken.labels, usable)
    parted = openings(opening, spoken.labels, usable)
    leak = silence_leak(opening, spoken.labels, usable)
    heard = {
        "closures": float(met.heard),
        "open vowels": float(parted.heard),
        "silence": leak.rows / RATE,
    }
    offset = spoken.offset
    if offset is None or offset.confidence <= CERTAIN:
        notes = ("mouth and sound do not tell their offset: it was taken for 0",)
    talks = usable & spoken.voice
    heard["speech"] = float(talks.sum()) / RATE
    if talks.sum() < _LEAST_ROWS:
        notes = (*notes, "less than a second of speech with a mouth")
    else:
        # At the best lag near by: the offset is another number's business.
        scores = scores.with_(
            follows=lag_of(opening, spoken.wanted, talks)[1],
            range=range_ratio(opening[talks], spoken.wanted[talks]),
        )
    return (
        scores.with_(
            offset=1000 * offset.seconds if offset and offset.confidence > CERTAIN else None,
            confidence=None if offset is None else offset.confidence,
            closure=met.share,
            opens=parted.share,
            moves=leak.moves,
            stands=leak.stands,
        ),
        heard,
        notes,
    )


def lip_scores(clip: Clip, real: Clip) -> tuple[Scores, tuple[str, ...]]:
    """Hold a clip's lips against the real ones of the same words, frame by frame."""
    # By time, for the two may differ in their rate of frames.
    near = np.searchsorted(real.times, clip.times - 1e-6).clip(0, len(real.times) - 1)
    before = (near - 1).clip(0)
    earlier = np.abs(real.times[before] - clip.times) < np.abs(real.times[near] - clip.times)
    near = np.where(earlier, before, near)
    together = np.abs(real.times[near] - clip.times) < _TOGETHER_SECONDS
    frames = np.flatnonzero(together & (clip.quality > 0) & (clip.which >= 0))
    theirs = np.array(
        [_partner(clip, real, frame, int(near[frame])) for frame in frames.tolist()], np.intp
    )
    frames, theirs = frames[theirs >= 0], theirs[theirs >= 0]
    if len(frames) < _LEAST_ROWS // 2:
        return Scores(), ("too few frames show both mouths",)
    upper, lower = _MIDDLE
    gaps, apart = np.zeros((2, len(frames))), 0.0
    for first in range(0, len(frames), _CHUNK):
        part = slice(first, first + _CHUNK)
        got = _lips(clip, clip.which[frames[part]], frames[part])
        want = _lips(real, theirs[part], near[frames[part]])
        for gap, lips in zip(gaps, (got, want), strict=True):
            gap[part] = lips[:, lower, 1] - lips[:, upper, 1]
        apart += lip_distance(got, want) * len(got)
    return Scores(
        lips_follow=correlation(*gaps),
        lips_range=range_ratio(*gaps),
        lips_apart=apart / len(frames),
    ), ()


_MIDDLE = (int(np.flatnonzero(LIPS == 13)[0]), int(np.flatnonzero(LIPS == 14)[0]))


def _partner(clip: Clip, real: Clip, frame: int, near: int) -> int:
    """The real video's track of the same face, where that is seen well; else -1."""
    number = partner(clip, real, frame, near, anywhere=True)
    if number < 0:
        return -1
    track = real.tracks[number]
    return number if track.quality[near - track.start] > 0 else -1


def _lips(clip: Clip, which: npt.NDArray[np.intp], frames: npt.NDArray[np.intp]) -> FloatArray:
    """(len(frames), points, 3) lips in face space: of track ``which[i]`` in ``frames[i]``."""
    lips = np.zeros((len(frames), len(LIPS), 3), np.float32)
    for number in np.unique(which):
        mine = which == number
        track = clip.tracks[number]
        lips[mine] = track.local(frames[mine] - track.start, LIPS)
    return lips


def offsets_over_time(clip: Clip, seconds: float = 4.0) -> list[Window]:
    """Return the offset in windows of so many seconds, each half as long after the last."""
    mouth, heard = seen_mouth(clip), clip.heard
    if mouth is None or heard is None:
        return []
    seen, usable = mouth
    evidence = gather(*load_expert().towers(heard, seen), usable, heard.voice, int(LAGS[-1]))
    level = Line(0.0, 0.0, 0.0, math.inf, 0.0)
    return windows(evidence, level, seconds, seconds / 2)
