"""A script is spoken: each cue within its time, or a text from its beginning to its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from labial.errors import OptionError, ScriptError
from labial.media.tags import two_letters
from labial.script.cues import Cue
from labial.types import Hook
from labial.voices.base import Utterance, Voice
from labial.voices.reading import code_of, no_language, pieces_of, plain, problems_of, unspeakable
from labial.voices.tracks import TAIL_SECONDS, SpokenTrack, TrackBuilder, tight

_TRIES = 4
# A rate is near enough when so much of the time is used; the next one aims at so much.
_USED, _AIM = 0.93, 0.97
_STEP = 1.03


@dataclass(frozen=True)
class RateLimits:
    """How fast a voice may speak, in shares of its usual speed.

    Parameters
    ----------
    natural
        The speed of whatever fits into its time; 0.5 to 2.
    fastest
        The highest speed, for what does not; ``natural`` to 3.
    """

    natural: float = 1.0
    fastest: float = 1.35

    def __post_init__(self) -> None:
        if not 0.5 <= self.natural <= 2:
            raise OptionError(f"speech rate {self.natural:g}: use 0.5 (slow) to 2")
        if not self.natural <= self.fastest <= 3:
            raise OptionError(
                f"fastest speech rate {self.fastest:g}: use {self.natural:g}, the usual one, to 3"
            )


def speak_cues(
    cues: Sequence[Cue],
    voice: Voice,
    language: str,
    limits: RateLimits | None = None,
    *,
    name: str = "cues",
    seconds: Fraction | float | None = None,
    hook: Hook | None = None,
) -> SpokenTrack:
    """Speak every cue within its time.

    What fits is spoken at the voice's natural speed and followed by silence. What does not is
    spoken faster by the synthesiser itself, as fast as needed and as the limits allow. What is
    still too long runs into the gap after the cue, but never into the next one.

    Parameters
    ----------
    cues
        In any order. They share one sound, so cues of people who speak at the same time belong
        into calls of their own.
    voice, language
        Who says it, in which language.
    limits
        How fast the voice may become.
    name
        The script, as the user knows it, for the message.
    seconds
        Length of the sound; default: to the end of the last cue, or of what is said in it.
    hook
        Called as ``hook("speak", done, total)`` after each cue.

    Raises
    ------
    ScriptError
        All that :func:`problems_of` finds, before anything is spoken.
    SpeechError, OptionError, WeightsError
        As :meth:`labial.voices.base.Voice.speak`.
    """
    if problems := problems_of(cues, voice, language):
        raise ScriptError(name, problems)
    limits, language = limits or RateLimits(), two_letters(language)
    tell = hook or (lambda stage, done, total: None)
    order = sorted(cues, key=lambda cue: (cue.start, cue.line))
    track = TrackBuilder(name)
    for i, cue in enumerate(order):
        wall = order[i + 1].start if i + 1 < len(order) else seconds
        said, rate = _fitted(voice, cue.text, language, float(cue.end - cue.start), limits)
        track.lay(cue, said, rate, None if wall is None else Fraction(wall))
        tell("speak", i + 1, len(order))
    end = max(cue.end for cue in order) if seconds is None else seconds
    return track.finish(voice.name, float(end))


def speak_text(
    text: str,
    voice: Voice,
    language: str,
    rate: float = 1.0,
    *,
    name: str = "text",
    hook: Hook | None = None,
) -> SpokenTrack:
    """Speak a text without times: its paragraphs one after the other, with pauses between them.

    Parameters
    ----------
    text
        Paragraphs are parted by empty lines.
    voice, language, hook
        As for :func:`speak_cues`.
    rate
        Speed, 0.5 to 2.
    name
        The script, as the user knows it, for the message.

    Returns
    -------
    SpokenTrack
        Its cues are the text's paragraphs, long ones in pieces of a few sentences, with the times
        at which they are said.

    Raises
    ------
    ScriptError
        If the text is empty, or cannot be read in ``language``; with line numbers.
    SpeechError, OptionError, WeightsError
        As :meth:`labial.voices.base.Voice.speak`.
    """
    RateLimits(rate, 3)
    language = two_letters(language)
    code = code_of(voice, language)
    if code is None:
        raise ScriptError(name, [no_language(voice, language)])
    pieces = list(pieces_of(text))
    if not pieces:
        raise ScriptError(name, ["there is no text to speak"])
    problems = [f"line {n}: {why}" for n, piece, _ in pieces if (why := unspeakable(piece, code))]
    if problems:
        raise ScriptError(name, problems)
    tell = hook or (lambda stage, done, total: None)
    track, at = TrackBuilder(name), 0.0
    for i, (line, piece, pause) in enumerate(pieces):
        said = tight(voice.speak(plain(piece), language, rate))
        at += pause if i else 0.0
        end = at + said.audio.seconds
        track.lay(Cue(Fraction(at), Fraction(end), piece, line), said, rate, None)
        at = end
        tell("speak", i + 1, len(pieces))
    return track.finish(voice.name, at)


def _fitted(
    voice: Voice, text: str, language: str, room: float, limits: RateLimits
) -> tuple[Utterance, float]:
    """Speak ``text`` within ``room`` seconds, or as fast as allowed; return it and its speed.

    Pauses and short sounds do not shrink as the rest does, so the speed is found by trying.
    """
    said, length = _tried(voice, text, language, limits.natural)
    if length <= room:
        return said, limits.natural
    slow, slow_length = limits.natural, length
    fit: tuple[Utterance, float] | None = None
    rate = slow * length / room
    for _ in range(_TRIES):
        rate = min(rate, limits.fastest)
        said, length = _tried(voice, text, language, rate)
        if length <= room:
            fit = said, rate
            if length >= _USED * room:
                break
            share = (slow_length - _AIM * room) / (slow_length - length)
            rate = slow + share * (rate - slow)
        elif rate == limits.fastest:
            return said, rate
        else:
            slow, slow_length = rate, length
            rate *= max(length / (_AIM * room), _STEP)
    if fit is None:
        fit = _tried(voice, text, language, limits.fastest)[0], limits.fastest
    return fit


def _tried(voice: Voice, text: str, language: str, rate: float) -> tuple[Utterance, float]:
    """Speak ``text``; return it and for how many seconds it is heard."""
    said = tight(voice.speak(plain(text), language, rate))
    return said, said.audio.seconds - TAIL_SECONDS
