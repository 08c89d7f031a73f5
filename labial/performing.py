"""Who says what with which mouth: speech for people, turned into mouths for every frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from labial.analysis import Analysis
from labial.media.probe import VideoInfo
from labial.motion.space import load_basis
from labial.motion.style import Style, Times
from labial.motion.wanted import frame_mouths, study_all
from labial.options import DubOptions
from labial.speaking.boxes import Boxes
from labial.speaking.cast import Cast, cast, joined
from labial.speaking.turns import take_turns
from labial.speech.visemes import visemes_at
from labial.types import BoolArray, FloatArray, MouthMotion, SpeechTrack


@dataclass(frozen=True)
class Speech:
    """Something that is said in a video.

    Parameters
    ----------
    heard
        What the network hears in it.
    start, end
        Seconds from the video's first frame at which it begins, and until which those who say it
        are dubbed; None is the video's end.
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
        if self.start <= 0 and self.end is None:
            return None
        end = np.inf if self.end is None else self.end
        return np.asarray((times >= self.start) & (times < end))


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


def perform(analysis: Analysis, speeches: Sequence[Speech], info: VideoInfo) -> Performance:
    """Let people speak.

    Parameters
    ----------
    analysis
        What the first pass found.
    speeches
        What is said, at least one; nobody says two at a time.
    info
        The video.

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
    mouths = [
        frame_mouths(tracks, times - s.start, s.heard, studied, basis, s.options) for s in speeches
    ]
    visemes = [
        [visemes_at(s.heard, times[track.rows] - s.start) for track in tracks] for s in speeches
    ]
    return Performance(
        replace(analysis, tracks=chosen.tracks),
        _mixed(mouths, casts),
        _mixed(visemes, casts),
        studied.styles,
        chosen,
    )


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


def _mixed(curves: Sequence[list[FloatArray]], casts: Sequence[Cast]) -> list[FloatArray]:
    """For each track what each speech wants of it, (len(track), d), by its share in it."""
    if len(curves) == 1:
        return curves[0]
    out = []
    for k, first in enumerate(curves[0]):
        total = np.zeros((len(first), 1), np.float32)
        mixed = np.zeros_like(first)
        for wanted, one in zip(curves, casts, strict=True):
            share = one.shares[k][:, None]
            mixed += share * wanted[k]
            total += share
        out.append(np.where(total > 0, mixed / np.maximum(total, 1e-6), first))
    return out
