"""The synthesizers behind ``speech_synthesis``: sound at 16 kHz with marks where phones start.

A mark is (start in seconds, IPA), with None for the IPA where there may be a pause.
"""

from __future__ import annotations

import ctypes
import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

RATE = 16_000
QUIET_DB, SILENT_DB, CLOSED_DB = -32.0, -36.0, -29.0
STOPS, HISSES = "pbtdkɡɖʈcɟqʔ", tuple("szʃʒɕʂfvθðxχçh")

KOKORO_LAG = 0.050
KOKORO_TOKEN = 600 / 24_000
KOKORO_IPA = {
    "A": "eɪ", "I": "aɪ", "W": "aʊ", "Y": "ɔɪ", "O": "oʊ", "Q": "əʊ", "ᵊ": "ə", "ʤ": "dʒ",
    "ʧ": "tʃ", "ʦ": "ts", "ʣ": "dz", "ʨ": "tɕ", "ʥ": "dʑ", "ꭧ": "tʂ", "β": "w",
}  # fmt: skip
STRESS, PAUSES = "ˈˌ", ' ;:,.!?—…"()“”^$'
LENGTHENS, TONE_MARKS = "ːʰʲᵝ\u0303", "↓→↗↘"


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


def levels(audio: np.ndarray) -> np.ndarray:
    """Loudness of each 5 ms in decibels below the utterance's loud parts."""
    frames = audio[: len(audio) // 80 * 80].reshape(-1, 80).astype(np.float64)
    power = 10 * np.log10((frames**2).mean(axis=1) + 1e-10)
    return power - np.percentile(power, 95)


def settle(marks: list[tuple[float, str | None]], audio: np.ndarray) -> list:
    """Make segments of marks (start, ipa, None where a pause may be), covering the audio.

    A pause that is not quiet belongs to the phones beside it, a short quiet one before a stop is
    the stop's closure.
    """
    length, loud = len(audio) / RATE, levels(audio)
    starts = [min(max(t, 0.0), length) for t, _ in marks] + [length]
    starts[0] = 0.0
    found: list[tuple[float, float, str]] = []
    for i, (_, ipa) in enumerate(marks):
        start, end = starts[i], starts[i + 1]
        if end - start < 1e-4:
            continue
        if ipa is None:
            inside = loud[int(start * 200) : max(int(end * 200), int(start * 200) + 1)]
            quiet = len(inside) > 0 and np.median(inside) < QUIET_DB
            closure = i + 1 < len(marks) and (marks[i + 1][1] or "-")[0] in STOPS
            if i in (0, len(marks) - 1) or (quiet and end - start > (0.12 if closure else 0.05)):
                ipa = ""
            else:
                if found and not (closure and quiet):
                    found[-1] = (found[-1][0], (start + end) / 2, found[-1][2])
                continue
        if found and not ipa and not found[-1][2]:
            found[-1] = (found[-1][0], end, "")
        else:
            found.append((found[-1][1] if found else 0.0, end, ipa))
    if found:
        found[-1] = (found[-1][0], length, found[-1][2])
    return found


def trim(phones: list, audio: np.ndarray) -> list:
    """Move the edges of pauses to where the sound goes quiet, within the phones beside them."""
    quiet = levels(audio) < SILENT_DB
    edges = np.flatnonzero(np.diff(np.concatenate([[False], quiet, [False]]).astype(int)))
    runs = edges.reshape(-1, 2) / 200
    moved = list(phones)
    for i, (start, end, ipa) in enumerate(phones):
        if ipa:
            continue
        before = moved[i - 1][0] + 0.02 if i else 0.0
        after = moved[i + 1][1] - 0.02 if i + 1 < len(phones) else end
        inside = np.clip(runs, before, after)
        longest = inside[np.argmax(inside[:, 1] - inside[:, 0])] if len(inside) else (0, 0)
        if longest[1] - longest[0] < 0.04:
            continue
        first, last = longest
        first = first + 0.01 if first < start + 0.08 else start
        if i + 1 < len(phones):
            last -= 0.06 if phones[i + 1][2][0] in STOPS else 0.01
            last = last if last > end - 0.08 else end
        else:
            last = end
        if last - first < 0.03:
            continue
        if i:
            moved[i - 1] = (moved[i - 1][0], first, moved[i - 1][2])
        else:
            first = 0.0
        if i + 1 < len(phones):
            moved[i + 1] = (last, moved[i + 1][1], moved[i + 1][2])
        moved[i] = (first, last, "")
    return moved


def close_stops(phones: list, audio: np.ndarray) -> list:
    """Give stops the silent closure before their burst, where espeak-ng's marks are."""
    loud = levels(audio)
    moved = list(phones)
    for i in range(1, len(moved)):
        (start, end, ipa), (first, _, before) = moved[i], moved[i - 1]
        if (ipa or "-")[0] not in STOPS:
            continue
        frame = round(start * 200) - 2
        if frame + 5 > len(loud) or loud[frame + 3 : frame + 5].max() < CLOSED_DB:
            continue  # the mark is at the closure
        quiet = CLOSED_DB - (15 if before[:1] in HISSES else 0)
        while frame > 0 and loud[frame] < quiet:
            frame -= 1
        closed = max((frame + 1) / 200, first + 0.02, start - (0.15 if before else 0.06))
        if closed < start - 0.01:
            moved[i - 1], moved[i] = (first, closed, before), (closed, end, ipa)
    return moved


ESPEAK_IPA = (
    ("??", "ʔ"), ("?", "ʔ"), ("s.", "ʂ"), ("r.", "ɽ"), ("nɡ", "ŋ"), ("k^", "c"), ("A", "ɑ"),
    ("ε", "ɛ"), ("i.", "ɨ"),
)  # fmt: skip


def espeak_ipa(name: str) -> str | None:
    """IPA of a phone's name, which carries numbers and marks of espeak-ng's own at times."""
    if "(" in name:  # a change of language
        return None
    for a, b in ESPEAK_IPA:
        name = name.replace(a, b)
    name = re.sub(r"(?<=[ptkʈsɕʃʂ])h$", "ʰ", re.sub(r"[0-9.#`:^-]", "", name))
    return "j" if name == "ʲ" else name or None


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
                self.marks.append((events[i].sample / self.rate, espeak_ipa(name)))
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
        import onnx
        import onnxruntime

        model = onnx.load(folder / "kokoro-v1.0.int8.onnx")
        lengths = onnx.helper.make_tensor_value_info(
            "/encoder/Clip_output_0", onnx.TensorProto.FLOAT, None
        )
        model.graph.output.append(lengths)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        self.vocabulary = json.loads((folder / "vocab.json").read_text())["vocab"]
        self.voices = {
            path.stem: np.fromfile(path, np.float32).reshape(-1, 256)
            for path in sorted((folder / "voices").glob("*.bin"))
        }

    def speak(self, symbols: str, style: np.ndarray, speed: float):
        """Audio at 16 kHz and marks (start, ipa) of ``symbols``, all of them known."""
        tokens = [self.vocabulary[s] for s in symbols]
        audio, lengths = self.session.run(
            None,
            {
                "tokens": np.array([[0, *tokens, 0]], np.int64),
                "style": style[len(tokens)].reshape(1, 256),
                "speed": np.array([speed], np.float32),
            },
        )
        starts = np.concatenate([[0], np.cumsum(lengths.ravel())]) * KOKORO_TOKEN - KOKORO_LAG
        return resampled(audio.ravel(), 24_000), kokoro_marks(f"^{symbols}$", starts)


def kokoro_marks(symbols: str, starts: np.ndarray) -> list[tuple[float, str | None]]:
    """Symbols as IPA: stress joins the phone after it, length and tone the one before."""
    marks: list[tuple[float, str | None]] = []
    stress: float | None = None
    for symbol, start in zip(symbols, starts, strict=False):
        if symbol in STRESS:
            stress = float(start)
        elif symbol in LENGTHENS + TONE_MARKS:
            if marks and marks[-1][1] and symbol not in TONE_MARKS:
                marks[-1] = (marks[-1][0], marks[-1][1] + symbol)
        elif symbol in PAUSES:
            if not (marks and marks[-1][1] is None):
                marks.append((float(start), None))
            stress = None
        else:
            begin = stress if stress is not None else float(start)
            marks.append((begin, KOKORO_IPA.get(symbol, symbol)))
            stress = None
    return marks
