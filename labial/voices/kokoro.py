"""Kokoro, neural voices of 82 million weights, run by onnxruntime.

The network is Kokoro-82M by hexgrad (Apache-2.0), an exported StyleTTS 2 (Li et al., 2023,
https://arxiv.org/abs/2306.07691) that turns phones and the vector of a speaker into sound. Its
phones come from eSpeak NG (extra ``labial[text]``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from labial import weights
from labial.errors import OptionError, SpeechError
from labial.speech import espeak
from labial.types import Audio, FloatArray
from labial.voices.base import Utterance
from labial.voices.marks import Mark, levels, phones_of, settle, symbol_marks, trim
from labial.weights.network import open_network, tensors_of, with_output

RATE = 24_000
LAG_SECONDS = 0.050
"""By so much the lengths that the network gives out lag behind its sound."""
_TOKEN_SECONDS = 600 / RATE
_WIDTH = 256
_LONGEST = 480
_LANGUAGES = ("en-us", "en-gb", "es", "fr", "hi", "it", "pt-br")
# The first letter of a speaker's name is the language it was recorded in.
_OF_LETTER = {"a": "en-us", "b": "en-gb", "e": "es", "f": "fr", "h": "hi", "i": "it", "p": "pt-br"}
_JAPANESE = ("jf_alpha", "jf_gongitsune", "jf_nezumi", "jf_tebukuro", "jm_kumo")
_IPA = {
    "A": "eɪ", "I": "aɪ", "W": "aʊ", "Y": "ɔɪ", "O": "oʊ", "Q": "əʊ", "ᵊ": "ə", "ʤ": "dʒ",
    "ʧ": "tʃ", "ʦ": "ts", "ʣ": "dz", "ʨ": "tɕ", "ʥ": "dʑ", "ꭧ": "tʂ", "β": "w",
}  # fmt: skip
_TIE = "^"
# What eSpeak NG writes, with "^" within a sound, and what the network has learnt for it.
ENGLISH = (
    ("ʔˌn\u0329", "tn"), ("a^ɪ", "I"), ("a^ʊ", "W"), ("d^ʒ", "ʤ"), ("e^ɪ", "A"), ("t^ʃ", "ʧ"),
    ("ɔ^ɪ", "Y"), ("ʲo", "jo"), ("ʲə", "jə"), ("ʲ", ""), ("r", "ɹ"), ("x", "k"), ("ç", "k"),
    ("ɐ", "ə"), ("ɬ", "l"), ("o^ʊ", "O"), ("ə^ʊ", "Q"), ("^", ""),
)  # fmt: skip
EUROPEAN = (("d^ʒ", "ʤ"), ("t^ʃ", "ʧ"), ("t^s", "ʦ"), ("d^z", "ʣ"), ("^", ""))
_MARKS = {"。": ".", "！": "!", "？": "?", "，": ",", "、": ",", "।": "."}
_CLAUSE = re.compile(r"(.+?)(?:([,.;:!?…—。！？，、।]+)[\"'”’»)\]]*(?=\s|$)|$)", re.DOTALL)
_NUMBERED = (
    ';1 :2 ,3 .4 !5 ?6 —9 …10 "11 (12 )13 “14 ”15 \u030317 ʣ18 ʥ19 ʦ20 ʨ21 ᵝ22 ꭧ23 A24 I25 '
    "O31 Q33 S35 T36 W39 Y41 ᵊ42 a43 b44 c45 d46 e47 f48 h50 i51 j52 k53 l54 m55 n56 o57 p58 "
    "q59 r60 s61 t62 u63 v64 w65 x66 y67 z68 ɑ69 ɐ70 ɒ71 æ72 β75 ɔ76 ɕ77 ç78 ɖ80 ð81 ʤ82 ə83 "
    "ɚ85 ɛ86 ɜ87 ɟ90 ɡ92 ɥ99 ɨ101 ɪ102 ʝ103 ɯ110 ɰ111 ŋ112 ɳ113 ɲ114 ɴ115 ø116 ɸ118 θ119 œ120 "
    "ɹ123 ɾ125 ɻ126 ʁ128 ɽ129 ʂ130 ʃ131 ʈ132 ʧ133 ʊ135 ʋ136 ʌ138 ɣ139 ɤ140 χ142 ʎ143 ʒ147 "
    "ʔ148 ˈ156 ˌ157 ː158 ʰ162 ʲ164 ↓169 →171 ↗172 ↘173 ᵻ177"
)
VOCABULARY = {" ": 16, **{a: int(n) for a, n in re.findall(r"([^\d\s])(\d+)", _NUMBERED)}}
"""The network's number of each symbol."""


@dataclass(frozen=True)
class KokoroVoice:
    """A speaker of Kokoro, such as ``"af_heart"``."""

    speaker: str

    @property
    def name(self) -> str:
        """``"kokoro:af_heart"``."""
        return f"kokoro:{self.speaker}"

    @property
    def engine(self) -> str:
        """Name of the synthesiser."""
        return "Kokoro-82M"

    @property
    def languages(self) -> tuple[str, ...]:
        """The speaker's own, then the others, in which it has an accent."""
        own = _OF_LETTER.get(self.speaker[0], _LANGUAGES[0])
        return own, *(language for language in _LANGUAGES if language != own)

    @property
    def licence(self) -> str:
        """Licence of network and voices; eSpeak NG, which reads the text, is under the GPL-3."""
        return "Apache-2.0 (reads by eSpeak NG, GPL-3.0-or-later)"

    @property
    def state(self) -> str:
        """Whether it can speak now."""
        if find_spec("espeakng_loader") is None:
            return "pip install 'labial[text]'"
        rows = [weights.lookup(name) for name in ("kokoro", self._row)]
        absent = [row for row in rows if not (weights.folder() / row.filename).is_file()]
        size = sum(row.bytes for row in absent) / 1e6
        return f"fetched on first use ({size:.0f} MB)" if absent else "ready"

    def spoken_as(self, language: str) -> str | None:
        """Return the language as eSpeak NG calls it."""
        code = language.lower()
        if code in _LANGUAGES:
            return code
        # A region that it has not learnt is spoken in the speaker's own, if that is one.
        same = (name for name in self.languages if name.split("-")[0] == code.split("-")[0])
        return next(same, None)

    def speak(self, text: str, language: str, rate: float = 1.0) -> Utterance:
        """Speak ``text``; see :class:`labial.voices.base.Voice`."""
        code = self.spoken_as(language)
        if code is None:
            known = ", ".join(self.languages)
            raise OptionError(f"--language {language}: voice {self.name} speaks {known}")
        pieces = list(_pieces(_symbols(text, code)))
        if not pieces:
            raise SpeechError(f"Kokoro says nothing of {text[:40]!r}")
        network = open_kokoro(weights.path("kokoro"))
        style = _style(weights.path(self._row), self.speaker)
        sounds: list[FloatArray] = []
        marks: list[Mark] = []
        begin = 0.0
        for symbols in pieces:
            sound, piece = spoken(network, symbols, style, rate)
            sounds.append(sound)
            marks += [(begin + max(start, 0.0), ipa) for start, ipa in piece]
            begin += len(sound) / RATE
        samples = np.concatenate(sounds)
        loud = levels(samples, RATE)
        spans = trim(settle(marks, len(samples) / RATE, loud), loud)
        return Utterance(Audio(samples, RATE), phones_of(spans))

    @property
    def _row(self) -> str:
        return "kokoro_speakers_ja" if self.speaker in _JAPANESE else f"kokoro_{self.speaker}"


def _symbols(text: str, language: str) -> str:
    """Return ``text`` as the symbols that the network knows, with its punctuation."""
    said = []
    with espeak.LOCK:
        espeak.set_voice(language)
        for clause, mark in _CLAUSE.findall(text):
            read = " ".join(espeak.ipa_of(clause, _TIE))
            for theirs, ours in ENGLISH if language.startswith("en") else EUROPEAN:
                read = read.replace(theirs, ours)
            said.append(read + _MARKS.get(mark[:1], mark[:1]))
    symbols = " ".join(part for part in said if any(c.isalpha() for c in part))
    return "".join(symbol for symbol in symbols if symbol in VOCABULARY)


def _pieces(symbols: str) -> Iterator[str]:
    """Yield ``symbols`` in pieces that the network takes at once, cut after a clause or a word."""
    while len(symbols) > _LONGEST:
        head = symbols[:_LONGEST]
        cut = max((head.rfind(f"{mark} ") for mark in ".!?;:,"), default=-1) + 1
        cut = cut or head.rfind(" ") + 1 or _LONGEST
        yield symbols[:cut].strip()
        symbols = symbols[cut:].strip()
    if symbols:
        yield symbols


@dataclass(frozen=True)
class Network:
    """The network, and the name of its output that says how long each symbol is."""

    session: Any
    lengths: str


@lru_cache(maxsize=1)
def open_kokoro(file: Path, threads: int = 0) -> Network:
    """Open the network on so many threads; 0 is one on each core."""
    model = file.read_bytes()
    (lengths,) = tensors_of(model, "Clip")
    return Network(open_network(with_output(model, lengths), threads), lengths)


def spoken(
    network: Network, symbols: str, style: FloatArray, rate: float
) -> tuple[FloatArray, list[Mark]]:
    """Return the sound of some symbols, at :data:`RATE`, and marks where they start.

    Parameters
    ----------
    network
        As :func:`open_kokoro` returns it.
    symbols
        At most 510 of :data:`VOCABULARY`.
    style
        (510, 256) float32 the speaker's vectors, of which the k-th is for k symbols.
    rate
        Speed; 1 is the usual one.
    """
    tokens = [VOCABULARY[symbol] for symbol in symbols]
    given = {
        "tokens": np.array([[0, *tokens, 0]], np.int64),
        "style": style[len(tokens)].reshape(1, _WIDTH),
        "speed": np.array([rate], np.float32),
    }
    sound, units = network.session.run(["audio", network.lengths], given)
    ends = np.cumsum(units.ravel()) * _TOKEN_SECONDS - LAG_SECONDS
    named = [_IPA.get(symbol, symbol) for symbol in symbols]
    marks = symbol_marks(["^", *named, "$"], [0.0, *ends[:-1].tolist()])
    return np.asarray(sound, np.float32).ravel(), marks


@lru_cache(maxsize=8)
def _style(file: Path, speaker: str) -> npt.NDArray[np.float32]:
    """Return (n, 256) the speaker's vectors, of which the k-th is for k symbols."""
    if file.suffix == ".npz":
        with np.load(file) as data:
            return np.asarray(data[speaker], np.float32).reshape(-1, _WIDTH)
    return np.fromfile(file, np.float32).reshape(-1, _WIDTH)


def voices() -> list[KokoroVoice]:
    """Return all speakers."""
    rows = [row.name.removeprefix("kokoro_") for row in weights.VOICES]
    own = [name for name in rows if re.fullmatch("[a-z]{2}_[a-z]+", name)]
    return [KokoroVoice(name) for name in sorted(own, key=_order)] + [
        KokoroVoice(name) for name in _JAPANESE
    ]


def _order(name: str) -> int:
    return list(_OF_LETTER).index(name[0])
