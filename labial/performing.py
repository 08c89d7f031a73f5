"""Who says what with which mouth: speech for people, turned into mouths for every frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from labial.analysis import Analysis
from labial.face.quality import FADE_FRAMES
from labial.media.probe import VideoInfo
from labial.motion.head import HeadMotion, move_head
from labial.motion.space import load_basis
from labial.motion.style import Style, Times
from labial.motion.wanted import frame_mouths, study_all
from labial.options import DubOptions
from labial.speaking.boxes import Boxes
from labial.speaking.cast import Cast, cast, joined
from labial.speaking.turns import take_turns
from labial.speech.visemes import visemes_at
from labial.timeline import Timeline, retimed
from labial.types import BoolArray, FaceTrack, FloatArray, MouthMotion, SpeechTrack


@dataclass(frozen=True)
class Speech:
    """Something that is said in a video.

    Parameters
    ----------
    heard
        What the network hears in it.
    start, end
        Seconds from the video's first frame at which it begins, and until which those who say it
        are dubbed. Where the end is None they are dubbed all the time, before it begins as well.
    speaker
        Who says it, as :attr:`labial.options.DubOptions.speaker`, a file of boxes read.
    options
        ``articulation``, ``expression`` and the switches of the rules count.
    """

    heard: SpeechTrack
    start: float
    end: float | None
    speaker: str | Boxes
    options: DubOptions

    def during(self, times: Times) -> BoolArray | None:
        """(n,) frames at ``times`` in which it is said; None where that is all."""
        if self.end is None:
            return None
        return np.asarray((times >= self.start) & (times < self.end))


@dataclass(frozen=True)
class Performance:
    """What the people of a video do.

    Parameters
    ----------
    analysis
        With the quality of who does not speak, or not then, at 0.
    mouths, visemes
        For each track (len(track), K) and (len(track), 15) float32.
    styles
        By person.
    cast
        Whom that dubs.
    """

    analysis: Analysis
    mouths: list[FloatArray]
    visemes: list[FloatArray]
    styles: dict[int, Style]
    cast: Cast


def perform(
    analysis: Analysis,
    speeches: Sequence[Speech],
    info: VideoInfo,
    line: Timeline | None = None,
) -> Performance:
    """Let people speak.

    Parameters
    ----------
    analysis
        What the first pass found.
    speeches
        What is said, at least one; nobody says two at a time.
    info
        The video.
    line
        In which order its frames are shown; None for its own. Who speaks when, and how, is learned
        in the video's own order.

    Raises
    ------
    FaceError
        There is nobody like those who are to speak.
    OptionError
        The boxes are of another video.
    """
    tracks, times, basis = analysis.tracks, analysis.times, load_basis()
    turns = take_turns(tracks, times, analysis.heard)
    casts = [cast(s.speaker, tracks, times, turns, info, s.during(times)) for s in speeches]
    chosen = joined(casts, tracks)
    studied = study_all(
        tracks, times, basis, analysis.heard, _told(analysis, speeches, casts),
        [turns.of(track).astype(np.float32) for track in tracks],
    )  # fmt: skip
    shown, shares = replace(analysis, tracks=chosen.tracks), [one.shares for one in casts]
    if line is not None and line.retimes:
        shown = _said_on(retimed(shown, line), tracks, line)
        studied = replace(studied, expressions=_shown(studied.expressions, tracks, shown))
        shares = [_shown(rows, tracks, shown) for rows in shares]
        chosen = Cast(shown.tracks, _shown(chosen.shares, tracks, shown))
    tracks, times = shown.tracks, shown.times
    mouths = [
        frame_mouths(tracks, times - s.start, s.heard, studied, basis, s.options) for s in speeches
    ]
    visemes = [
        [visemes_at(s.heard, times[track.rows] - s.start) for track in tracks] for s in speeches
    ]
    return Performance(
        shown, _mixed(mouths, shares), _mixed(visemes, shares), studied.styles, chosen
    )


def _said_on(shown: Analysis, tracks: Sequence[FaceTrack], line: Timeline) -> Analysis:
    """Let who spoke last speak on in a frame that is held, though nobody spoke in it.

    ``tracks`` are the video's own, before it was decided who is dubbed when.
    """
    last = [track for track in shown.tracks if track.end == len(line)]
    if line.held >= len(line) or any(track.quality[-1] > 0 for track in last):
        return shown
    seen = {track.key: float(track.quality[-1]) for track in tracks}
    spoke = {
        track.person: track.start + int(np.flatnonzero(track.quality > 0)[-1])
        for track in shown.tracks
        if (track.quality > 0).any()
    }
    able = [t for t in last if t.person in spoke and seen[shown.filmed[t.key].track.key] > 0]
    if not able:
        return shown
    chosen = max(able, key=lambda track: spoke[track.person])
    rows = np.arange(len(chosen)) - (line.held - chosen.start)
    ramp = ((rows + 1) / (FADE_FRAMES + 1)).clip(0, 1)
    quality = np.where(rows >= 0, ramp * seen[shown.filmed[chosen.key].track.key], chosen.quality)
    reasons = np.where(rows >= 0, "", chosen.reasons)
    speaking = replace(chosen, quality=quality.astype(np.float32), reasons=reasons)
    return replace(shown, tracks=[speaking if t is chosen else t for t in shown.tracks])


def idling(
    analysis: Analysis, line: Timeline, heard: SpeechTrack, loudness: FloatArray
) -> dict[int, HeadMotion]:
    """Return how the heads move that are seen in a frame which is held, by the keys of tracks.

    Parameters
    ----------
    analysis
        In the order of ``line``; whose quality is not 0 then is who speaks.
    line
        Which frame is held from when on.
    heard
        What the network hears in the speech.
    loudness
        As :func:`labial.motion.head.loudness_rows` of the speech.
    """
    if line.held >= len(line):
        return {}
    times = analysis.times[line.held :] - analysis.times[line.held - 1]
    first = round(float(analysis.times[line.held - 1]) * heard.motion.rate)
    rest = SpeechTrack(
        MouthMotion(heard.motion.coefficients[first:], heard.motion.rate), heard.phones[first:]
    )
    nothing = SpeechTrack(
        rest.motion, np.eye(1, rest.phones.shape[1], dtype=np.float32)[[0] * len(rest)]
    )
    motions = {}
    for track in analysis.tracks:
        if track.end == len(line):
            speaks = track.quality[-1] > 0
            said = rest if speaks else nothing
            motions[track.key] = move_head(said, loudness[first:], times, "calm", track.person)
    return motions


def _shown(
    rows: Sequence[FloatArray], tracks: Sequence[FaceTrack], shown: Analysis
) -> list[FloatArray]:
    """What is known of each row of the video's own tracks, for those that are shown."""
    known = {track.key: own for track, own in zip(tracks, rows, strict=True)}
    filmed = [shown.filmed[track.key] for track in shown.tracks]
    return [known[before.track.key][before.rows] for before in filmed]


def _told(
    analysis: Analysis, speeches: Sequence[Speech], casts: Sequence[Cast]
) -> dict[int, SpeechTrack]:
    """By person all that they say."""
    said: dict[int, list[SpeechTrack]] = {}
    for speech, one in zip(speeches, casts, strict=True):
        dubbed = zip(analysis.tracks, one.shares, strict=True)
        for person in sorted({track.person for track, share in dubbed if share.any()}):
            said.setdefault(person, []).append(speech.heard)
    return {person: _one(tracks) for person, tracks in said.items()}


def _one(tracks: list[SpeechTrack]) -> SpeechTrack:
    if len(tracks) == 1:
        return tracks[0]
    motion = np.concatenate([track.motion.coefficients for track in tracks])
    phones = np.concatenate([track.phones for track in tracks])
    return SpeechTrack(MouthMotion(motion, tracks[0].motion.rate), phones)


def _mixed(
    curves: Sequence[list[FloatArray]], shares: Sequence[list[FloatArray]]
) -> list[FloatArray]:
    """For each track what each speech wants of it, (len(track), d), by its share in it."""
    if len(curves) == 1:
        return curves[0]
    out = []
    for k, first in enumerate(curves[0]):
        total = np.zeros((len(first), 1), np.float32)
        mixed = np.zeros_like(first)
        for wanted, one in zip(curves, shares, strict=True):
            share = one[k][:, None]
            mixed += share * wanted[k]
            total += share
        out.append(np.where(total > 0, mixed / np.maximum(total, 1e-6), first))
    return out
