"""What the mouth shall do: the new speech in this speaker's style, with the rules kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from labial.motion.rules import Rules, apply_rules
from labial.motion.space import MouthBasis
from labial.motion.speaker import study
from labial.motion.style import Style, Times, without_opening
from labial.motion.timing import frame_rate, sample
from labial.options import DubOptions
from labial.speech.phones import BILABIAL, LABIODENTAL, PHONE_INDEX, ROUNDED
from labial.types import FaceTrack, FloatArray, MouthMotion, SpeechTrack

# Lips that are round or shut have no room for this share of a smile.
_FADE = 0.7
_SHAPED = [PHONE_INDEX[name] for name in (*ROUNDED, *BILABIAL, *LABIODENTAL)]


@dataclass(frozen=True)
class WantedMotion:
    """The mouth's motion on the clock of the new speech.

    Parameters
    ----------
    motion
        What the mouth shall do, at 50 Hz.
    rest
        (K,) the mouth where nobody speaks, before and after as well.
    room
        (n, 1), n as in ``motion``: 0..1, the share of an expression that the phones have room for.
    """

    motion: MouthMotion
    rest: FloatArray
    room: MouthMotion

    def at(self, times: Times, expression: FloatArray | None = None) -> FloatArray:
        """Return the mouth (n, K) at ``times`` in seconds, with (n, K) ``expression`` laid over."""
        wanted = sample(self.motion, times, self.rest)
        if expression is None:
            return wanted
        return wanted + expression * sample(self.room, times, np.ones(1, np.float32))


def wanted_motion(
    speech: SpeechTrack, style: Style, basis: MouthBasis, options: DubOptions
) -> WantedMotion:
    """Bring speech into a speaker's style, as far as asked for, and keep the rules.

    Parameters
    ----------
    speech
        What the network heard in the new speech.
    style
        How the speaker moves.
    basis
        The mouth basis.
    options
        ``articulation``, ``expression`` and the switches of the rules count.
    """
    styled = style.apply(speech.motion, basis)
    motion = MouthMotion(
        np.asarray(options.articulation * styled.coefficients, np.float32), styled.rate
    )
    rules = Rules(options.closures, options.rest, options.onset)
    # The expression brings its share of the resting smile by itself.
    rest = style.rest - options.expression * without_opening(style.rest, basis)
    if not options.rest:
        rest = np.zeros_like(rest)
    kept = apply_rules(SpeechTrack(motion, speech.phones), basis, rules, rest)
    shaped = np.pad(speech.phones[:, _SHAPED].sum(1).clip(0, 1), 4, "edge")
    taps = np.hanning(11)[1:-1]
    room = 1 - _FADE * np.convolve(shaped, taps / taps.sum(), "valid")
    return WantedMotion(kept, rest, MouthMotion(room.astype(np.float32)[:, None], styled.rate))


@dataclass(frozen=True)
class Studied:
    """What the source shows of the people in it.

    Parameters
    ----------
    styles
        By person.
    expressions
        For each track (len(track), K) float32: the slow part of what is not speech.
    """

    styles: dict[int, Style]
    expressions: list[FloatArray]


def study_all(
    tracks: Sequence[FaceTrack],
    times: Times,
    basis: MouthBasis,
    heard: SpeechTrack | None = None,
    new: Mapping[int, SpeechTrack] | None = None,
    speaking: Sequence[FloatArray] | None = None,
) -> Studied:
    """Learn what the source shows of everybody.

    Parameters
    ----------
    tracks
        The faces, in order.
    times
        (n,) seconds of all frames of the video, on the clock of its sound.
    basis
        The mouth basis.
    heard
        What the network heard in the source's own sound, if it has any.
    new
        By person what they are to say, where that is known.
    speaking
        For each track (len(track),) 0..1: how surely that person speaks; None for all.
    """
    expressions = [np.zeros((len(t), len(basis)), np.float32) for t in tracks]
    styles = {}
    for person in sorted({track.person for track in tracks}):
        mine = [k for k, track in enumerate(tracks) if track.person == person]
        said = None if speaking is None else [speaking[k] for k in mine]
        told = None if new is None else new.get(person)
        speaker = study([tracks[k] for k in mine], times, basis, heard, told, said)
        styles[person] = speaker.style
        first = 0
        for k in mine:
            rows = slice(first, first + len(tracks[k]))
            expressions[k] = speaker.expression(rows, frame_rate(times[tracks[k].rows]))
            first = rows.stop
    return Studied(styles, expressions)


def frame_mouths(
    tracks: Sequence[FaceTrack],
    times: Times,
    speech: SpeechTrack,
    studied: Studied,
    basis: MouthBasis,
    options: DubOptions,
) -> list[FloatArray]:
    """Return for each track (len(track), K) float32, the wanted mouth.

    Parameters
    ----------
    tracks
        The faces, in order.
    times
        (n,) seconds of all frames, on the clock of ``speech``.
    speech
        What the network heard in the new speech.
    studied
        What is known of these people, with an expression for each of these tracks.
    basis, options
        As for :func:`wanted_motion`.
    """
    people = {track.person for track in tracks}
    wanted = {p: wanted_motion(speech, studied.styles[p], basis, options) for p in people}
    return [
        wanted[track.person].at(times[track.rows], options.expression * own)
        for track, own in zip(tracks, studied.expressions, strict=True)
    ]
