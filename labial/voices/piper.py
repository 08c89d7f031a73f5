"""Piper, small neural voices in many languages (extra ``labial[piper]``).

The engine, ``piper-tts``, is under the GPL-3 and no part of Labial; each voice has a licence of
its own. A voice is a VITS network (Kim et al., 2021, https://arxiv.org/abs/2106.06103). Labial
lets it give out how long each symbol lasts, to the sample.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np

from labial import weights
from labial.errors import OptionError, SpeechError
from labial.types import Audio, FloatArray
from labial.voices.base import Utterance
from labial.voices.marks import Mark, levels, phones_of, settle, symbol_marks, trim
from labial.weights.network import open_network, tensors_of, with_output

_ROWS = {"en_US-joe-medium": ("piper_joe_onnx", "piper_joe_json", "en-us")}
_PAUSE_SECONDS = 0.25


@dataclass(frozen=True)
class PiperVoice:
    """A voice of Piper.

    Parameters
    ----------
    speaker
        Name of a voice that Labial can fetch, or path of a voice's ``.onnx`` file, beside which its
        ``.onnx.json`` lies.
    """

    speaker: str

    @property
    def name(self) -> str:
        """``"piper:en_US-joe-medium"``, or ``"piper:FILE.onnx"``."""
        return f"piper:{self.speaker}"

    @property
    def engine(self) -> str:
        """Name of the synthesiser."""
        return "Piper"

    @property
    def languages(self) -> tuple[str, ...]:
        """The one language it was trained on."""
        if self.speaker in _ROWS:
            return (_ROWS[self.speaker][2],)
        return (_language(Path(f"{self.speaker}.json")),)

    @property
    def licence(self) -> str:
        """Licence of the engine and of the voice."""
        own = "see its model card"
        if self.speaker in _ROWS:
            own = weights.lookup(_ROWS[self.speaker][0]).licence
        return f"engine GPL-3.0-or-later; voice: {own}"

    @property
    def state(self) -> str:
        """Whether it can speak now."""
        if find_spec("piper") is None:
            return "pip install 'labial[piper]'"
        rows = [weights.lookup(name) for name in _ROWS.get(self.speaker, ())[:2]]
        absent = [row for row in rows if not (weights.folder() / row.filename).is_file()]
        size = sum(row.bytes for row in absent) / 1e6
        return f"fetched on first use ({size:.0f} MB)" if absent else "ready"

    def spoken_as(self, language: str) -> str | None:
        """Return the voice's language, whatever the region asked for."""
        (own,) = self.languages
        same = own.partition("-")[0] == language.lower().partition("-")[0]
        return own if same else None

    def speak(self, text: str, language: str, rate: float = 1.0) -> Utterance:
        """Speak ``text``; see :class:`labial.voices.base.Voice`."""
        if self.spoken_as(language) is None:
            raise OptionError(
                f"--language {language}: voice {self.name} speaks {self.languages[0]}"
            )
        model, config = self._files()
        engine = _engine(model, config)
        from piper import SynthesisConfig

        how = SynthesisConfig(length_scale=engine.config.length_scale / rate, normalize_audio=False)
        blanks = engine.config.phoneme_id_map.get("_", ())
        sounds: list[FloatArray] = []
        marks: list[Mark] = []
        begin, hertz = 0.0, int(engine.config.sample_rate)
        for chunk in engine.synthesize(text, how, include_alignments=True):
            if chunk.phoneme_alignments is None:
                raise SpeechError(f"voice {self.name} does not tell when its phones sound")
            parts = [(part.phoneme, len(part.phoneme_ids)) for part in chunk.phoneme_alignments]
            starts = starts_of(parts, chunk.phoneme_ids, chunk.phoneme_id_samples, blanks)
            symbols = [symbol for symbol, _ in parts]
            marks += symbol_marks(symbols, [begin + start / hertz for start in starts])
            pause = np.zeros(round(_PAUSE_SECONDS * hertz), np.float32)
            sounds += [np.asarray(chunk.audio_float_array, np.float32).ravel(), pause]
            begin += sum(len(sound) for sound in sounds[-2:]) / hertz
        if not marks:
            raise SpeechError(f"Piper says nothing of {text[:40]!r}")
        samples = np.concatenate(sounds)
        loud = levels(samples, hertz)
        spans = trim(settle(marks, len(samples) / hertz, loud), loud)
        return Utterance(Audio(samples, hertz), phones_of(spans))

    def _files(self) -> tuple[Path, Path]:
        if self.speaker in _ROWS:
            model, config, _ = _ROWS[self.speaker]
            return weights.path(model), weights.path(config)
        return Path(self.speaker), Path(f"{self.speaker}.json")


def starts_of(
    parts: Sequence[tuple[str, int]],
    ids: Sequence[int],
    samples: Sequence[int],
    blanks: Collection[int],
) -> list[int]:
    """Return the sample at which each symbol starts.

    Between any two symbols the network reads a blank. A sound begins within the blank before it,
    so that blank is its own.

    Parameters
    ----------
    parts
        Symbols in order, each with the number of its ids; the blanks after it are among them.
    ids, samples
        All that the network read, and how many samples each of them lasts.
    blanks
        The ids of blanks.
    """
    ends = [0, *accumulate(int(n) for n in samples)]
    starts, k = [], 0
    for _, count in parts:
        starts.append(ends[k - 1] if k and ids[k - 1] in blanks else ends[k])
        k += count
    return starts


@lru_cache(maxsize=2)
def _engine(model: Path, config: Path) -> Any:
    """Open a voice whose network also says how long each symbol lasts."""
    try:
        from piper import PiperVoice as Engine
        from piper.config import PiperConfig
    except ImportError:
        raise SpeechError("Piper voices need piper-tts: pip install 'labial[piper]'") from None
    network = model.read_bytes()
    lengths = tensors_of(network, "Ceil")
    if len(lengths) == 1:
        network = with_output(network, lengths[0])
    settings = PiperConfig.from_dict(json.loads(config.read_text(encoding="utf-8")))
    return Engine(session=open_network(network, threads=0), config=settings)


def _language(config: Path) -> str:
    """Return the language that a voice's file of settings names.

    Raises
    ------
    OptionError
        If it is not there, or no such file.
    """
    try:
        return str(json.loads(config.read_text(encoding="utf-8"))["espeak"]["voice"]).lower()
    except OSError as error:
        raise OptionError(
            f"--voice: cannot read {config}, which belongs to the voice: {error.strerror}"
        ) from None
    except (ValueError, LookupError, TypeError):
        raise OptionError(f"--voice: {config} is not the settings of a Piper voice") from None


def from_file(file: str) -> PiperVoice:
    """Return the voice whose network lies in ``file``, an ``.onnx`` file.

    Raises
    ------
    OptionError
        If it is not there, or its settings are not beside it.
    """
    if not Path(file).is_file():
        raise OptionError(f"--voice piper:{file}: there is no such file")
    voice = PiperVoice(file)
    _language(Path(f"{file}.json"))
    return voice


def voices() -> list[PiperVoice]:
    """Return the voices that Labial can fetch."""
    return [PiperVoice(name) for name in _ROWS]
