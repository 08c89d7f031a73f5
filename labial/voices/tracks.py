"""What is spoken as one sound: utterances at their times, and how each of them came out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from labial.errors import SpeechError
from labial.media.spool import Spool
from labial.script.cues import Cue
from labial.speech.align import Word
from labial.speech.phones import SILENCE
from labial.speech.segments import Phone
from labial.types import Audio
from labial.voices.base import Utterance

TAIL_SECONDS = 0.08
"""Silence that :func:`tight` leaves after an utterance, for sounds end softly."""
_LEAD_SECONDS, _FADE_SECONDS = 0.01, 0.01
_BLOCK = 1 << 16


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


class TrackBuilder:
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
        spoken = said.audio.seconds - TAIL_SECONDS
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


def tight(said: Utterance) -> Utterance:
    """Take the silence around an utterance off, but for a little before and a fixed tail."""
    heard = [phone for phone in said.phones if phone.name != SILENCE]
    if not heard:
        raise SpeechError("the voice says nothing but silence")
    hertz, samples = said.audio.rate, said.audio.samples
    first = max(round((heard[0].onset - _LEAD_SECONDS) * hertz), 0)
    last = round((heard[-1].release + TAIL_SECONDS) * hertz)
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
