"""A script is spoken: each cue within its time, or a text from its beginning to its end."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from fractions import Fraction

import numpy as np

from labial.errors import OptionError, ScriptError, SpeechError
from labial.media.spool import Spool
from labial.media.tags import two_letters
from labial.script.cues import Cue
from labial.speech.align import Word
from labial.speech.phones import SILENCE
from labial.speech.segments import Phone
from labial.types import Audio, Hook
from labial.voices.base import Utterance, Voice
from labial.voices.scripts import speakable, unreadable

_TRIES = 4
# A rate is near enough when so much of the time is used.
_STEP = 1.03
_USED, _AIM = 0.93, 0.97
# Of the silence around an utterance so much is kept, for sounds begin and end softly.
_LEAD_SECONDS, _TAIL_SECONDS, _FADE_SECONDS = 0.01, 0.08, 0.01
_SENTENCE_PAUSE, _PARAGRAPH_PAUSE = 0.35, 0.7
_LONGEST_PIECE = 400
_SENTENCE = re.compile(r".+?(?:[.!?…।][\"'”’»)\]]*(?=\s)|[。！？][」』”’]*|$)")
# Soft hyphen, zero width space, word joiner, byte order mark.
_INVISIBLE = "\u00ad\u200b\u2060\ufeff"
_BLOCK = 1 << 16


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


@dataclass(frozen=True)
class SpokenCue:
    """How one cue was spoken.

    Parameters
    ----------
    cue
        What was to be said; of a text without times, when it was said.
    rate
        Speed, in shares of the voice's usual one.
    onset, release
        Seconds: when the sound begins and ends.
    words_per_minute
        Speed of what was said; 0 where the text has no words between spaces.
    overrun
        Seconds by which it runs on after the cue's end, at the highest speed allowed.
    cut
        Seconds at its end that were left out, for the next cue begins there.
    """

    cue: Cue
    rate: float
    onset: float
    release: float
    words_per_minute: float
    overrun: float = 0.0
    cut: float = 0.0

    def problem(self) -> str:
        """Say what does not fit, as a phrase with the cue's line; "" where everything does."""
        if not self.overrun + self.cut:
            return ""
        place = f"line {self.cue.line}: " if self.cue.line else ""
        said = f"{place}too long by {self.overrun + self.cut:.1f} s even at {self.rate:.2f} times"
        said += " the usual speed; shorten the text, or give it more time"
        return f"{said} ({self.cut:.1f} s are cut off)" if self.cut else said


@dataclass(frozen=True)
class SpokenTrack:
    """A whole script as one sound.

    Parameters
    ----------
    audio
        The sound from time 0 on, at the voice's own rate; a long one is a map of a temporary file.
    phones
        The synthesiser's own phones over the whole sound, in order, without gaps, silence
        included; see :func:`labial.speech.rows.phone_rows`.
    words
        In order; empty where the voice does not tell.
    cues
        How each of them was spoken, in order of time.
    voice
        The voice's name.
    """

    audio: Audio
    phones: list[Phone]
    words: list[Word]
    cues: list[SpokenCue]
    voice: str

    def __repr__(self) -> str:
        return f"SpokenTrack({self.audio.seconds:.2f}s, {len(self.cues)} cues, {self.voice})"

    @property
    def problems(self) -> list[str]:
        """What did not fit, a phrase for each cue that it is about."""
        return [said for cue in self.cues if (said := cue.problem())]


def problems_of(cues: Sequence[Cue], voice: Voice, language: str) -> list[str]:
    """Return what keeps ``cues`` from being spoken, without speaking.

    Parameters
    ----------
    cues
        What is to be said.
    voice, language
        Who says it, in which language: an ISO 639 code, with a region or without.

    Returns
    -------
    list of str
        One phrase each, beginning with the line where it is about one; empty where all is well.

    Raises
    ------
    SpeechError
        If the voice's engine is not installed.
    """
    language = two_letters(language)
    code = voice.spoken_as(language)
    if code is None:
        return [_no_language(voice, language)]
    found = [] if cues else ["there are no cues"]
    last: dict[str, Cue] = {}
    for cue in sorted(cues, key=lambda cue: (cue.start, cue.line)):
        place = f"line {cue.line}: " if cue.line else f"cue at {float(cue.start):.2f} s: "
        if cue.end <= cue.start:
            found.append(f"{place}ends before it starts")
        before = last.get(cue.speaker)
        if before is not None and cue.start < before.end:
            other = f"that of line {before.line}" if before.line else "the one before"
            found.append(f"{place}begins before {other} ends")
        last[cue.speaker] = cue
        if said := _unspeakable(cue.text, code):
            found.append(place + said)
    return found


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
    track = _Track(name)
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
    code = voice.spoken_as(language)
    if code is None:
        raise ScriptError(name, [_no_language(voice, language)])
    pieces = list(_pieces(text))
    if not pieces:
        raise ScriptError(name, ["there is no text to speak"])
    problems = [f"line {n}: {why}" for n, piece, _ in pieces if (why := _unspeakable(piece, code))]
    if problems:
        raise ScriptError(name, problems)
    tell = hook or (lambda stage, done, total: None)
    track, at = _Track(name), 0.0
    for i, (line, piece, pause) in enumerate(pieces):
        said = _tight(voice.speak(_plain(piece), language, rate))
        at += pause if i else 0.0
        end = at + said.audio.seconds
        track.lay(Cue(Fraction(at), Fraction(end), piece, line), said, rate, None)
        at = end
        tell("speak", i + 1, len(pieces))
    return track.finish(voice.name, at)


class _Track:
    """Utterances at their times, one after the other."""

    def __init__(self, name: str) -> None:
        self._spool = Spool(name)
        self._rate, self._samples = 0, 0
        self._phones: list[Phone] = []
        self._words: list[Word] = []
        self._cues: list[SpokenCue] = []

    def lay(self, cue: Cue, said: Utterance, rate: float, wall: Fraction | None) -> None:
        """Lay an utterance at the start of ``cue``; it ends at ``wall`` seconds at the latest."""
        hertz = said.audio.rate
        if self._rate not in (0, hertz):
            raise ValueError(f"{hertz} Hz after {self._rate} Hz")
        self._rate = hertz
        self._silence(round(cue.start * hertz))
        onset = self._samples / hertz
        spoken = said.audio.seconds - _TAIL_SECONDS
        samples = said.audio.samples
        if wall is not None:
            samples = samples[: max(round(wall * hertz) - self._samples, 0)]
        if len(samples) < len(said.audio.samples):
            fade = min(round(_FADE_SECONDS * hertz), len(samples))
            samples = samples.copy()
            samples[len(samples) - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
        self._spool.append(samples)
        self._samples += len(samples)
        length = len(samples) / hertz
        self._phones += [
            replace(
                phone,
                onset=onset + phone.onset,
                peak=onset + min(phone.peak, length),
                release=onset + min(phone.release, length),
            )
            for phone in said.phones
            if phone.onset < length
        ]
        self._words += [
            replace(word, onset=onset + word.onset, release=onset + min(word.release, length))
            for word in said.words
            if word.onset < length
        ]
        heard = min(spoken, length)
        self._cues.append(
            SpokenCue(
                cue,
                rate,
                onset,
                onset + heard,
                60 * len(cue.text.split()) / max(spoken, 0.1),
                max(onset + heard - float(cue.end), 0.0),
                max(spoken - length, 0.0),
            )
        )

    def finish(self, voice: str, end: float) -> SpokenTrack:
        """Return the track, which lasts until ``end`` seconds at least."""
        self._silence(round(end * self._rate))
        audio = Audio(self._spool.finish(), self._rate)
        return SpokenTrack(audio, _joined(self._phones), self._words, self._cues, voice)

    def _silence(self, until: int) -> None:
        start = self._samples / self._rate
        while self._samples < until:
            n = min(until - self._samples, _BLOCK)
            self._spool.append(np.zeros(n, np.float32))
            self._samples += n
        stop = self._samples / self._rate
        if stop > start:
            self._phones.append(Phone(SILENCE, start, (start + stop) / 2, stop, 1.0))


def _joined(phones: list[Phone]) -> list[Phone]:
    """Make one silence of those that follow each other."""
    found: list[Phone] = []
    for phone in phones:
        if found and found[-1].name == phone.name == SILENCE:
            onset = found.pop().onset
            phone = replace(phone, onset=onset, peak=(onset + phone.release) / 2)
        found.append(phone)
    return found


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
    said = _tight(voice.speak(_plain(text), language, rate))
    return said, said.audio.seconds - _TAIL_SECONDS


def _tight(said: Utterance) -> Utterance:
    """Take the silence around an utterance off, but for a little before and a fixed tail."""
    heard = [phone for phone in said.phones if phone.name != SILENCE]
    if not heard:
        raise SpeechError("the voice says nothing but silence")
    hertz, samples = said.audio.rate, said.audio.samples
    first = max(round((heard[0].onset - _LEAD_SECONDS) * hertz), 0)
    last = round((heard[-1].release + _TAIL_SECONDS) * hertz)
    kept = np.zeros(last - first, np.float32)
    part = samples[first:last]
    kept[: len(part)] = part
    fade = min(round(_FADE_SECONDS * hertz), len(part))
    kept[len(part) - fade : len(part)] *= np.linspace(1, 0, fade, dtype=np.float32)
    shift, end = first / hertz, len(kept) / hertz

    def moved(time: float) -> float:
        return min(max(time - shift, 0.0), end)

    phones = [
        replace(p, onset=moved(p.onset), peak=moved(p.peak), release=moved(p.release))
        for p in said.phones
        if p.release > shift and p.onset < last / hertz
    ]
    if phones[-1].release < end:
        start = phones[-1].release
        phones.append(Phone(SILENCE, start, (start + end) / 2, end, 1.0))
    words = [replace(w, onset=moved(w.onset), release=moved(w.release)) for w in said.words]
    return Utterance(Audio(kept, hertz), phones, words)


def _no_language(voice: Voice, language: str) -> str:
    known = voice.languages
    some = ", ".join(known[:8])
    if len(known) > 8:
        near = get_close_matches(language, known, 3, 0.3)
        some = ", ".join([*near, f"… ('labial voices' lists all {len(known)})"])
    return f"voice {voice.name} does not speak {language!r}; it speaks {some}"


def _unspeakable(text: str, language: str) -> str:
    """Say what keeps ``text`` from being spoken, as a phrase; "" where nothing does."""
    if not text.strip():
        return "there is nothing to say"
    if not speakable(text):
        return f"no letter to speak in {text.strip()[:40]!r}"
    return unreadable(text, language)


def _plain(text: str) -> str:
    """Return ``text`` in one line, without characters that control a terminal or a layout."""
    kept = (" " if unicodedata.category(c) == "Cc" else c for c in text if c not in _INVISIBLE)
    return " ".join("".join(kept).split())


def _pieces(text: str) -> Iterator[tuple[int, str, float]]:
    """Yield (line from 1, text, seconds of pause before it) of paragraphs, long ones in parts."""
    lines = [*enumerate(text.splitlines(), 1), (0, "")]
    first, paragraph = 0, ""
    for number, line in lines:
        if line.strip():
            first = first or number
            paragraph = f"{paragraph} {line.strip()}".strip()
            continue
        pause, part = _PARAGRAPH_PAUSE, ""
        for sentence in _SENTENCE.findall(paragraph):
            if part and len(part) + len(sentence) > _LONGEST_PIECE:
                yield first, part.strip(), pause
                pause, part = _SENTENCE_PAUSE, ""
            part += sentence
        if part.strip():
            yield first, part.strip(), pause
        first, paragraph = 0, ""
