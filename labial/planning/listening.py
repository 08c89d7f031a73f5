"""What is heard in a file of speech, and how fast it is spoken."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from labial.audio.load import load_speech
from labial.errors import ReadError, SpeechError
from labial.motion.predict import predict
from labial.planning.lines import SYLLABLES_A_WORD, Heard
from labial.speech.phones import VOWELS
from labial.speech.segments import Phone, segments, voiced
from labial.types import Audio

FASTEST = 300
"""Words a minute beyond which speech is hard to follow, and lips blur."""
# Below this everything is called silent, -60 dB where speech is at -20.
_SILENT = 1e-3
# Of a voice that is heard for less the pace means nothing.
_LEAST_SECONDS = 0.3
# Letters of scripts without spaces: about as many make a word.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_UNSPACED_A_WORD = 1.7
_WORD = re.compile(r"[^\W_]+(?:['’\-.][^\W_]+)*")


@dataclass(frozen=True)
class Sound:
    """A file of speech, listened to.

    Parameters
    ----------
    length
        Seconds.
    speech
        Its samples at one loudness.
    spans
        From when to when somebody speaks.
    phones
        What is heard.
    """

    length: Fraction
    speech: Audio
    spans: list[tuple[float, float]]
    phones: list[Phone]

    def silent(self, start: Fraction, end: Fraction) -> bool:
        """Whether there is no sound from ``start`` to ``end``."""
        rate = self.speech.rate
        part = self.speech.samples[round(start * rate) : round(end * rate)]
        return not len(part) or bool(np.abs(part).max() < _SILENT)

    def spoken(self, start: float, end: float) -> list[tuple[float, float]]:
        """From when to when somebody speaks between ``start`` and ``end``."""
        cut = ((max(a, start), min(b, end)) for a, b in self.spans)
        return [(a, b) for a, b in cut if b > a]

    def heard(self, start: float, end: float, text: str) -> Heard:
        """Return how long somebody speaks between two times, and how fast."""
        said = sum(b - a for a, b in self.spoken(start, end))
        if said < _LEAST_SECONDS:
            return Heard(said)
        if text:
            return Heard(said, 60 * words_of(text) / said, "words")
        vowels = sum(phone.name in VOWELS and start <= phone.peak < end for phone in self.phones)
        return Heard(said, 60 * vowels / SYLLABLES_A_WORD / said, "vowels")


def words_of(text: str) -> float:
    """Return how many words a text has; where no spaces part them, by its letters."""
    letters = len(_UNSPACED.findall(text))
    return letters / _UNSPACED_A_WORD + len(_WORD.findall(_UNSPACED.sub(" ", text)))


def listen(path: Path) -> Sound | str:
    """Listen to a file, or say what is wrong with it."""
    try:
        speech = load_speech(path)
    except (ReadError, SpeechError) as error:
        return str(error)
    track = predict(speech)
    length = Fraction(len(speech.samples), speech.rate)
    return Sound(length, speech, voiced(track), segments(track))
