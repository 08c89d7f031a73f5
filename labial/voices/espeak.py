"""eSpeak NG as a voice: small, quick, more than a hundred languages, and it sounds like a machine.

Needs the extra ``labial[text]``; the engine is under the GPL-3 and no part of Labial.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from labial.errors import OptionError, SpeechError
from labial.speech import espeak
from labial.speech.align import Word
from labial.types import Audio, FloatArray
from labial.voices.base import Utterance
from labial.voices.marks import Mark, Span, close_stops, levels, phones_of, settle

WORDS_A_MINUTE = 175
"""eSpeak NG's usual speed."""
_SLOWEST, _FASTEST = 80, 450
_RATE, _PITCH, _RANGE = 1, 3, 4
_CHARACTERS, _UTF8 = 1, 1
_END, _WORD, _PHONE = 0, 1, 7
# What eSpeak NG calls a phone where it has no IPA for it.
_ODD_NAMES = (
    ("??", "ʔ"), ("?", "ʔ"), ("s.", "ʂ"), ("r.", "ɽ"), ("nɡ", "ŋ"), ("k^", "c"), ("A", "ɑ"),
    ("ε", "ɛ"), ("i.", "ɨ"),
)  # fmt: skip
_STRESS = re.compile("[ˈˌ]")


class _Event(ctypes.Structure):
    """``espeak_EVENT`` of speak_lib.h."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("name", ctypes.c_char * 8),
    )


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


@dataclass(frozen=True)
class EspeakVoice:
    """A speaker of eSpeak NG.

    Parameters
    ----------
    variant
        Whose voice, such as ``"f3"``; "" for the language's own.
    pitch, spread
        0..100: how high it speaks, and how much it goes up and down.
    """

    variant: str = ""
    pitch: int = 50
    spread: int = 50

    def __post_init__(self) -> None:
        if not (0 <= self.pitch <= 100 and 0 <= self.spread <= 100):
            raise OptionError(f"pitch {self.pitch}, spread {self.spread}: use 0 to 100")

    @property
    def name(self) -> str:
        """``"espeak"`` or ``"espeak:f3"``."""
        return f"espeak:{self.variant}" if self.variant else "espeak"

    @property
    def engine(self) -> str:
        """Name of the synthesiser."""
        return "eSpeak NG"

    @property
    def languages(self) -> tuple[str, ...]:
        """More than a hundred; none while it is not installed."""
        if find_spec("espeakng_loader") is None:
            return ()
        with espeak.LOCK:
            return tuple(espeak.languages())

    @property
    def licence(self) -> str:
        """Licence of engine and voices."""
        return "GPL-3.0-or-later"

    @property
    def state(self) -> str:
        """Whether it can speak now."""
        if find_spec("espeakng_loader") is None:
            return "pip install 'labial[text]'"
        return "ready"

    def spoken_as(self, language: str) -> str | None:
        """Return eSpeak NG's own code for ``language``."""
        with espeak.LOCK:
            return espeak.voice_of(language)

    def speak(self, text: str, language: str, rate: float = 1.0) -> Utterance:
        """Speak ``text``; see :class:`labial.voices.base.Voice`."""
        speed = round(min(max(rate * WORDS_A_MINUTE, _SLOWEST), _FASTEST))
        with espeak.LOCK:
            library = espeak.set_voice(language, self.variant)
            for parameter, value in ((_RATE, speed), (_PITCH, self.pitch), (_RANGE, self.spread)):
                library.espeak_SetParameter(parameter, value, 0)
            hertz = int(library.espeak_ng_GetSampleRate())
            samples, events = _synthesised(library, text)
        if not len(samples):
            raise SpeechError(f"eSpeak NG says nothing of {text[:40]!r}")
        marks: list[Mark] = [(0.0, None)]
        marks += [(at / hertz, phone_name(name)) for kind, at, name, *_ in events if kind == _PHONE]
        loud = levels(samples, hertz)
        spans = close_stops(settle(marks, len(samples) / hertz, loud), loud)
        found = [(at / hertz, i, i + n) for kind, at, _, i, n in events if kind == _WORD]
        return Utterance(Audio(samples, hertz), phones_of(spans), list(_words(text, found, spans)))


def _synthesised(
    library: Any, text: str
) -> tuple[FloatArray, list[tuple[int, int, str, int, int]]]:
    """Return samples and events (type, sample, name, first character, characters) of ``text``."""
    blocks: list[FloatArray] = []
    events: list[tuple[int, int, str, int, int]] = []

    def receive(samples: Any, count: int, told: Any) -> int:
        if samples and count > 0:
            block = np.ctypeslib.as_array(samples, (count,))
            blocks.append(np.asarray(block / np.float32(32768), np.float32))
        i = 0
        while told[i].type != _END:
            event = told[i]
            name = event.name.decode("utf-8", "ignore") if event.type == _PHONE else ""
            place = max(event.text_position - 1, 0), event.length
            events.append((event.type, event.sample, name, *place))
            i += 1
        return 0

    callback = _Callback(receive)
    library.espeak_SetSynthCallback(callback)
    raw = text.encode("utf-8", "replace") + b"\0"
    code = library.espeak_Synth(raw, len(raw), 0, _CHARACTERS, 0, _UTF8, None, None)
    if code != 0:
        raise SpeechError(f"eSpeak NG cannot speak {text[:40]!r} (its error {code})")
    samples = np.concatenate(blocks) if blocks else np.zeros(0, np.float32)
    return samples, sorted(events, key=lambda event: event[1])


def phone_name(name: str) -> str | None:
    """Return the IPA of a phone event's name, which at times carries marks of eSpeak NG's own."""
    if "(" in name:  # a change of language
        return None
    name = _STRESS.sub("", name)
    for odd, ipa in _ODD_NAMES:
        name = name.replace(odd, ipa)
    name = re.sub(r"(?<=[ptkʈsɕʃʂ])h$", "ʰ", re.sub(r"[0-9.#`:^-]", "", name))
    return "j" if name == "ʲ" else name or None


def _words(text: str, found: list[tuple[float, int, int]], spans: list[Span]) -> Iterator[Word]:
    """Yield words, given (seconds, first character, end) of each; a word ends before the next one.

    What is spelled out comes once for each letter.
    """
    places: list[tuple[float, int, int]] = []
    for begin, first, end in found:
        if places and first < places[-1][2]:
            places[-1] = *places[-1][:2], max(end, places[-1][2])
        else:
            places.append((begin, first, end))
    stops = [*(begin for begin, _, _ in places[1:]), float("inf")]
    for (begin, first, end), stop in zip(places, stops, strict=True):
        said = [span for span in spans if span[2] and begin - 0.01 <= span[0] < stop - 0.01]
        if said and text[first:end].strip():
            yield Word(text[first:end].strip(), said[0][0], said[-1][1], 1.0)


@lru_cache(maxsize=1)
def variants() -> tuple[str, ...]:
    """Return the names of the speakers that come with eSpeak NG; none while it is not installed."""
    if find_spec("espeakng_loader") is None:
        return ()
    import espeakng_loader

    folder = Path(espeakng_loader.get_data_path()) / "voices" / "!v"
    return tuple(sorted(file.name for file in folder.iterdir())) if folder.is_dir() else ()


def voices() -> list[EspeakVoice]:
    """Return the language's own speaker, and all the others."""
    return [EspeakVoice(), *(EspeakVoice(variant) for variant in variants())]
