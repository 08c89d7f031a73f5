"""The synthesizers behind ``speech_synthesis``: sound at 16 kHz with marks where phones start.

A mark is (start in seconds, IPA), with None for the IPA where there may be a pause.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from labial.voices import kokoro
from labial.voices.espeak import phone_name

RATE = 16_000


@dataclass
class Utterance:
    """``audio`` (m,) float32 at 16 kHz, and phones as (start, end, ipa) in seconds."""

    audio: np.ndarray
    phones: list[tuple[float, float, str]]
    voice: str
    language: str

    def save(self, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_suffix(".partial.npz")
        np.savez(
            partial,
            audio=np.rint(self.audio * 32767).clip(-32768, 32767).astype(np.int16),
            start=np.array([p[0] for p in self.phones], np.float32),
            end=np.array([p[1] for p in self.phones], np.float32),
            ipa=np.array([p[2] for p in self.phones], dtype=str),
            voice=np.array(self.voice),
            language=np.array(self.language),
        )
        partial.rename(target)


def resampled(audio: np.ndarray, rate: int) -> np.ndarray:
    """To 16 kHz through the spectrum: no delay, so times hold."""
    block = rate // np.gcd(rate, RATE)
    padded = np.pad(audio, (0, -len(audio) % block))
    spectrum = np.fft.rfft(padded)
    count = len(padded) * RATE // rate
    return (np.fft.irfft(spectrum[: count // 2 + 1], count) * RATE / rate).astype(np.float32)


class Espeak:
    """espeak-ng as a shared library: sound with phone marks, or phones alone."""

    class Event(ctypes.Structure):
        _fields_ = [
            ("type", ctypes.c_int), ("uid", ctypes.c_uint), ("text_position", ctypes.c_int),
            ("length", ctypes.c_int), ("audio_position", ctypes.c_int), ("sample", ctypes.c_int),
            ("user_data", ctypes.c_void_p), ("name", ctypes.c_char * 8),
        ]  # fmt: skip

    def __init__(self) -> None:
        self.library = ctypes.CDLL("libespeak-ng.so.1")
        self.rate = self.library.espeak_Initialize(1, 0, None, 3)
        self.sound: list[np.ndarray] = []
        self.marks: list[tuple[float, str | None]] = []
        prototype = ctypes.CFUNCTYPE(
            ctypes.c_int,
            ctypes.POINTER(ctypes.c_short),
            ctypes.c_int,
            ctypes.POINTER(self.Event),
        )
        self._callback = prototype(self._receive)
        self.library.espeak_SetSynthCallback(self._callback)
        self.library.espeak_TextToPhonemes.restype = ctypes.c_char_p

    def _receive(self, samples, count: int, events) -> int:
        if samples and count > 0:
            self.sound.append(np.ctypeslib.as_array(samples, (count,)).copy())
        i = 0
        while events[i].type != 0:
            if events[i].type == 7:
                name = events[i].name.decode("utf-8", "ignore")
                self.marks.append((events[i].sample / self.rate, phone_name(name)))
            i += 1
        return 0

    def voice(self, name: str) -> None:
        if self.library.espeak_SetVoiceByName(name.encode()) != 0:
            raise ValueError(f"espeak-ng has no voice {name}")

    def phones(self, clause: str) -> str:
        """IPA with "^" between letters of one phone."""
        said, raw = [], ctypes.c_char_p(clause.encode())
        while raw.value:
            phones = self.library.espeak_TextToPhonemes(
                ctypes.byref(raw), 1, 0x02 | 0x80 | ord("^") << 8
            )
            said.append(phones.decode())
        return " ".join(" ".join(said).split())

    def speak(self, text: str, speed: int, pitch: int, spread: int):
        """Audio at 16 kHz in ±1 and marks (start, ipa)."""
        for parameter, value in ((1, speed), (3, pitch), (4, spread)):
            self.library.espeak_SetParameter(parameter, value, 0)
        self.sound, self.marks = [], []
        raw = text.encode() + b"\0"
        self.library.espeak_Synth(raw, len(raw), 0, 1, 0, 1, None, None)
        self.library.espeak_Synchronize()
        audio = np.concatenate(self.sound or [np.zeros(0, np.int16)]).astype(np.float32) / 32768
        return resampled(audio, self.rate), sorted(self.marks, key=lambda m: m[0])


class Kokoro:
    """The neural voices on one thread, with the length of each symbol."""

    def __init__(self, folder: Path) -> None:
        self.network = kokoro.open_kokoro(folder / "kokoro-v1.0.int8.onnx", threads=1)
        self.vocabulary = kokoro.VOCABULARY
        self.voices = {
            path.stem: np.fromfile(path, np.float32).reshape(-1, 256)
            for path in sorted((folder / "voices").glob("*.bin"))
        }

    def speak(self, symbols: str, style: np.ndarray, speed: float):
        """Audio at 16 kHz and marks (start, ipa) of ``symbols``, all of them known."""
        audio, marks = kokoro.spoken(self.network, symbols, style, speed)
        return resampled(audio, kokoro.RATE), marks
