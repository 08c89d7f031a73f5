"""Is a video's sound in sync with its mouths? Measured over time, judged, and told honestly."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from labial.analysis import Analysis, analyse
from labial.checking.picture import draw_sync
from labial.checking.verdict import TRUSTED, SyncReport, Verdict, judged, sure
from labial.clip import beside_sound, best_of
from labial.errors import OptionError
from labial.exports import formats
from labial.face.timeline import overview
from labial.media.picture import write_png
from labial.media.probe import MediaInfo
from labial.media.read import VideoReader
from labial.media.spool import enough_room
from labial.metrics.drift import Evidence, Line, Window, fit_line, gather, windows
from labial.metrics.sync import RATE, load_expert
from labial.motion.retarget import own_motion
from labial.motion.space import load_basis
from labial.options import CheckOptions, overridden
from labial.seen import digest
from labial.speaking.cast import LEFT_ALONE, cast
from labial.speaking.turns import take_turns
from labial.types import FloatArray, Hook, MouthMotion, SpeechTrack

# Below this, sound and mouth do not belong together; what is short seems sure too easily.
_SURE, _SHORT_SURE, _SHORT_SECONDS = 0.5, 0.65, 6.0
_LEAST_SECONDS = 2.0
# How far to look: a quarter of the video, within these seconds.
_REACH, _REACH_SHARE = (1.5, 10.0), 0.25
# A drift is one when it is so many errors from 0, over so many seconds, and comes to so much.
_ERRORS, _DRIFT_SECONDS, _DRIFT_COMES_TO = 3.0, 25.0, 0.030
# The offset wanders where so many trusted stretches lie so far from the line.
_OFF_LINE, _WANDERING, _LEAST_TRUSTED = 0.080, 0.3, 4
_MOST_WINDOWS = 600
# Who speaks is asked with the sound brought forward and back by so many rows: it is found where the
# sound is at most 160 ms off.
_TRIED_ROWS = (0, -16, 16, -32, 32)


@dataclass(frozen=True)
class Footage:
    """What was seen of a video, to be held against one sound or another.

    Parameters
    ----------
    media
        What the file says of itself.
    analysis
        What the first pass found.
    """

    media: MediaInfo
    analysis: Analysis

    @property
    def seconds(self) -> float:
        """Its length."""
        return float(self.analysis.length)


@enough_room()
def check(
    video: str | os.PathLike[str],
    options: CheckOptions | None = None,
    *,
    out: str | os.PathLike[str] | None = None,
    hook: Hook | None = None,
    **overrides: Any,
) -> SyncReport:
    """Find by how much the sound of ``video`` is late or early against the mouths that are seen.

    Parameters
    ----------
    video
        A video in which people are seen speaking.
    options
        See :class:`labial.options.CheckOptions`; single ones may be given as keywords instead.
    out
        Where to write the numbers (``.json``) or a picture of the offset over time (``.png``).
    hook
        Called as ``hook(stage, done, total)`` after each frame.

    Returns
    -------
    SyncReport
        Also where nothing can be told, for want of a face, of sound or of speech: then it says why.

    Raises
    ------
    ReadError
        The video cannot be read.
    OptionError
        ``out`` ends in something else.
    WriteError
        ``out`` cannot be written.
    """
    options = overridden(options or CheckOptions(), overrides)
    if out is not None:
        _check_out(Path(out), video)
    report = measure(look(video, hook), options)
    if out is not None:
        if Path(out).suffix.lower() == ".json":
            formats.write([report.numbers()], out)
        else:
            write_png(out, draw_sync(report))
    return report


def look(video: str | os.PathLike[str], hook: Hook | None = None) -> Footage:
    """Look at a video, or recall what was seen of it.

    Raises
    ------
    ReadError
    """
    tell = hook or (lambda stage, done, total: None)
    with VideoReader(video) as reader:
        media = reader.media
    return Footage(media, analyse(video, tell, digest(video)))


def measure(footage: Footage, options: CheckOptions) -> SyncReport:
    """Hold the mouths of a video against its sound."""
    found, heard = footage.analysis, footage.analysis.heard
    if footage.media.audio is None:
        return _untold(footage, "the file has no sound")
    if heard is None or not (heard.voice > 0.5).any():
        return _untold(footage, "nobody is heard speaking")
    if not any(track.present.any() for track in found.tracks):
        return _untold(footage, "no face is seen")
    evidence = _evidence(footage, heard, options)
    compared = 0.0 if evidence is None else float(evidence.said.sum()) / RATE
    if evidence is None or compared < _LEAST_SECONDS:
        return _untold(
            footage, f"a mouth is seen well while somebody speaks for {compared:.1f} s only"
        )
    line = fit_line(evidence)
    straight = fit_line(evidence, drifting=False)
    assert line is not None and straight is not None
    hop = max(options.window / 5, footage.seconds / _MOST_WINDOWS)
    return _judge(footage, evidence, line, straight, options.window, hop)


def _judge(
    footage: Footage, evidence: Evidence, line: Line, straight: Line, window: float, hop: float
) -> SyncReport:
    span = float(np.ptp(evidence.times[evidence.rows > 0]))
    drifts = (
        abs(line.drift) > _ERRORS * line.drift_error
        and span >= _DRIFT_SECONDS
        and abs(line.drift) * span >= _DRIFT_COMES_TO
        and line.confidence >= straight.confidence
    )
    best = line if drifts else straight
    stretches = windows(evidence, best, window, hop)
    compared = float(evidence.said.sum()) / RATE
    least = _SURE if compared >= _SHORT_SECONDS else _SHORT_SURE
    wanders = _wanders(stretches, best, window)
    if best.confidence < least and not wanders:
        return _untold(
            footage,
            "the sound does not clearly belong to a mouth that is seen; perhaps it is dubbed, "
            f"or spoken by somebody else ({sure(best.confidence)})",
            best.confidence, compared, stretches,
        )  # fmt: skip
    middle = footage.seconds / 2
    drift = line.drift
    at = best.seconds + (best.drift * (middle - best.middle) if drifts else 0.0)
    report = SyncReport(
        footage.media.path, _which(footage.media), "in sync", "", at, drift, line.drift_error,
        drifts, best.confidence, footage.seconds, compared, tuple(stretches),
    )  # fmt: skip
    verdict: Verdict = "wanders" if wanders else judged(report.worst)
    return replace(report, verdict=verdict)


def _wanders(stretches: list[Window], line: Line, window: float) -> bool:
    """Whether stretches that are sure of themselves, most of all, lie beside the line."""
    apart: list[Window] = []
    for stretch in stretches:
        if not apart or stretch.begin >= apart[-1].begin + 0.99 * window:
            apart.append(stretch)
    sure = [w for w in apart if w.confidence >= TRUSTED]
    if len(sure) < max(_LEAST_TRUSTED, len(apart) / 2):
        return False
    middles = np.array([(w.begin + w.end) / 2 for w in sure])
    away = np.abs(np.array([w.seconds for w in sure]) - line.at(middles))
    return bool((away > _OFF_LINE).mean() > _WANDERING)


def _evidence(footage: Footage, heard: SpeechTrack, options: CheckOptions) -> Evidence | None:
    """What speaks for each lag, of whoever speaks."""
    found = footage.analysis
    assert footage.media.video is not None
    basis = load_basis()
    motions = [own_motion(track, basis) for track in found.tracks]
    seconds = options.reach or float(np.clip(footage.seconds * _REACH_SHARE, *_REACH))
    best: tuple[float, Evidence] | None = None
    for rows in _TRIED_ROWS:
        turns = take_turns(found.tracks, found.times, _earlier(heard, rows))
        chosen = cast("auto", found.tracks, found.times, turns, footage.media.video).tracks
        which, quality, _ = overview(chosen, len(found.times), LEFT_ALONE)
        own = best_of(motions, chosen, which, 0.0)
        evidence = _compared(own, quality, found.times, heard, round(seconds * RATE))
        line = None if evidence is None else fit_line(evidence, drifting=False)
        if (
            line is not None
            and evidence is not None
            and (best is None or line.confidence > best[0])
        ):
            best = line.confidence, evidence
        # Who is alone in the picture is the one, whenever the sound comes.
        if not (turns.seen.sum(0) > 1).any():
            break
    return None if best is None else best[1]


def _compared(
    own: npt.NDArray[np.float64], quality: FloatArray, times: npt.NDArray[np.float64],
    heard: SpeechTrack, reach: int,
) -> Evidence | None:  # fmt: skip
    beside = beside_sound(own, quality > 0, times, len(heard))
    if beside is None:
        return None
    mouth, usable = beside
    sound, seen = load_expert().towers(heard, MouthMotion(mouth))
    return gather(sound, seen, usable, heard.voice, reach)


def _earlier(heard: SpeechTrack, rows: int) -> SpeechTrack:
    """The same sound so many rows earlier; its ends stand in for what is not there."""
    if not rows:
        return heard
    at = (np.arange(len(heard)) + rows).clip(0, len(heard) - 1)
    motion = MouthMotion(heard.motion.coefficients[at], heard.motion.rate)
    return SpeechTrack(motion, heard.phones[at])


def _untold(
    footage: Footage, why: str, confidence: float = 0.0, compared: float = 0.0,
    stretches: list[Window] | None = None,
) -> SyncReport:  # fmt: skip
    return SyncReport(
        footage.media.path, _which(footage.media), "cannot tell", why, None, None, 0.0, False,
        confidence, footage.seconds, compared, tuple(stretches or ()),
    )  # fmt: skip


def _which(media: MediaInfo) -> str:
    """Which of a file's sounds is its main one, in words; "" where there is none."""
    if media.audio is None:
        return ""
    name = f"audio stream {media.audio.index} ({media.audio.codec})"
    if media.n_audio > 1:
        name += f", the one of {media.n_audio} that players play"
    return name


def _check_out(target: Path, video: str | os.PathLike[str]) -> None:
    if target.suffix.lower() not in (".json", ".png"):
        raise OptionError(f"cannot write {target}: name it .json for numbers, .png for a picture")
    formats.check_target(target, (video,))
