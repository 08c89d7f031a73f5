"""Piper's way from text to timed phones, on a network of the same shape whose lengths are known."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import synth_voices

from labial.errors import OptionError, SpeechError
from labial.voices import find_voice, piper
from labial.voices.piper import PiperVoice, starts_of

HOP = 256


@dataclass
class Engine:
    """The part of piper-tts that is used: symbols to numbers, and those through the network."""

    session: Any
    config: Any

    def synthesize(self, text: str, how: Any, include_alignments: bool) -> Any:
        assert include_alignments and not how.normalize_audio
        for sentence in text.split(". "):
            symbols = ["^", *sentence, "$"]
            parts = [(symbol, 1 if symbol == "$" else 2) for symbol in symbols]
            ids = [1, 0, *(k for letter in sentence for k in (ord(letter), 0)), 2]
            given = {
                "input": np.array([ids], np.int64),
                "input_lengths": np.array([len(ids)], np.int64),
                "scales": np.array([0.6, how.length_scale, 0.8], np.float32),
            }
            sound, *lengths = self.session.run(None, given)
            yield SimpleNamespace(
                audio_float_array=sound,
                phoneme_ids=ids,
                phoneme_id_samples=lengths[0].ravel() * HOP if lengths else None,
                phoneme_alignments=[
                    SimpleNamespace(phoneme=symbol, phoneme_ids=[0] * n) for symbol, n in parts
                ]
                if lengths
                else None,
            )


@pytest.fixture
def voice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "tiny.onnx").write_bytes(synth_voices.piper())
    settings = {"espeak": {"voice": "en-gb-x-rp"}}
    (tmp_path / "tiny.onnx.json").write_text(json.dumps(settings), encoding="utf-8")
    package, config = ModuleType("piper"), ModuleType("piper.config")
    package.PiperVoice = Engine  # type: ignore[attr-defined]
    package.SynthesisConfig = SimpleNamespace  # type: ignore[attr-defined]
    config.PiperConfig = SimpleNamespace(  # type: ignore[attr-defined]
        from_dict=lambda _: SimpleNamespace(
            sample_rate=22_050, length_scale=1.0, phoneme_id_map={"_": [0]}
        )
    )
    monkeypatch.setitem(sys.modules, "piper", package)
    monkeypatch.setitem(sys.modules, "piper.config", config)
    return f"piper:{tmp_path / 'tiny.onnx'}"


def test_phones_last_as_long_as_the_network_says(voice: str) -> None:
    said = find_voice(voice).speak("mam. u", "en")
    # 9 and 5 ids of 3 hops each, and a pause after each sentence.
    pause = round(0.25 * 22_050)
    assert len(said.audio.samples) == (9 + 5) * 3 * HOP + 2 * pause
    assert [phone.name for phone in said.phones] == ["sil", "m", "a", "m", "sil", "u", "sil"]
    starts = [round(phone.onset * 22_050 / (3 * HOP), 3) for phone in said.phones[1:4]]
    assert starts == [1, 3, 5]
    # Of the second sentence all is loud, its beginning too: there the phone is taken to start.
    assert said.phones[5].onset == pytest.approx((9 * 3 * HOP + pause) / 22_050 - 0.01, abs=6e-3)


def test_speed_is_the_networks_own(voice: str) -> None:
    pause = round(0.25 * 22_050)
    said = find_voice(voice).speak("mam", "en-us", 1.5)
    assert len(said.audio.samples) == 9 * 2 * HOP + pause


def test_a_blank_belongs_to_the_sound_after_it() -> None:
    parts = [("^", 2), ("m", 2), ("a", 2), ("$", 1)]
    ids, samples = [1, 0, 5, 0, 6, 0, 2], [10, 4, 20, 6, 30, 8, 5]
    assert starts_of(parts, ids, samples, [0]) == [0, 10, 34, 70]
    assert starts_of([("m", 1), ("a", 1)], [5, 6], [7, 9], [0]) == [0, 7]


def test_its_language_is_the_files(voice: str) -> None:
    found = find_voice(voice)
    assert found.languages == ("en-gb-x-rp",) and found.name == voice
    assert found.spoken_as("en-US") == "en-gb-x-rp" and found.spoken_as("de") is None
    with pytest.raises(OptionError, match="speaks en-gb-x-rp"):
        found.speak("Hallo", "de")


def test_a_network_that_does_not_tell_lengths(voice: str) -> None:
    file = Path(voice.partition(":")[2])
    # Its lengths are rounded to the nearest, so no tensor is known to be them.
    file.write_bytes(synth_voices.piper("Round"))
    with pytest.raises(SpeechError, match="does not tell when its phones sound"):
        find_voice(voice).speak("mam", "en")


def test_without_piper_the_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "piper", None)
    monkeypatch.setattr(piper.weights, "path", lambda name: Path(name))
    with pytest.raises(SpeechError, match=r"pip install 'labial\[piper\]'"):
        PiperVoice("en_US-joe-medium").speak("Hello", "en")


@pytest.mark.parametrize(
    ("content", "says"),
    [(None, "No such file"), ("{", "not the settings"), ("[]", "not the settings")],
)
def test_files_that_are_no_voice(tmp_path: Path, content: str | None, says: str) -> None:
    file = tmp_path / "voice.onnx"
    with pytest.raises(OptionError, match="there is no such file"):
        find_voice(f"piper:{file}")
    file.write_bytes(b"")
    if content is not None:
        Path(f"{file}.json").write_text(content, encoding="utf-8")
    with pytest.raises(OptionError, match=says):
        find_voice(f"piper:{file}")
