"""From a sound to a file, with a network that hears what the test says."""

import json
import wave
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from synth_speech import Sound, make_track

import labial
from labial import transcribe as module
from labial.cli import main
from labial.errors import OptionError, ReadError, WriteError
from labial.motion.space import load_basis
from labial.transcribe import transcribe, visemes
from labial.types import Audio, SpeechTrack

SOUNDS: list[Sound] = [
    ("sil", 0.3), ("m", 0.1), ("ɑ", 0.15), ("m", 0.1), ("a", 0.13), ("sil", 0.25),
    ("ɡ", 0.08), ("ʊ", 0.1), ("d", 0.07), ("sil", 0.313),
]  # fmt: skip
SECONDS = sum(seconds for _, seconds in SOUNDS)
espeak = pytest.mark.skipif(find_spec("espeakng_loader") is None, reason="needs labial[text]")


class Network:
    """Hears ``SOUNDS`` in everything."""

    def __call__(self, audio: Audio) -> SpeechTrack:
        assert audio.rate == 16000
        return make_track(SOUNDS, width=len(load_basis()))


@pytest.fixture
def speech(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(module, "SpeechEncoder", Network)
    path = tmp_path / "sp eech ü.wav"
    tone = 3000 * np.sin(np.arange(int(SECONDS * 16000)) * 0.1)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16000, len(tone), "NONE", ""))
        file.writeframes(tone.astype("<i2").tobytes())
    return path


def test_what_is_said_comes_out(speech: Path, tmp_path: Path) -> None:
    stages = []
    out = tmp_path / "out.json"
    said = visemes(speech, out, hook=lambda stage, done, total: stages.append(stage))
    found = json.loads(out.read_text(encoding="utf-8"))
    assert [phone["name"] for phone in found["phones"]] == [name for name, _ in SOUNDS]
    assert found["duration"] == pytest.approx(SECONDS, abs=1e-4)
    assert found["phones"][-1]["release"] == found["duration"]
    assert len(said.phones) == len(SOUNDS) and said.words is None
    assert stages == ["listen"]
    assert len(said.aperture) == len(said.width) == int(SECONDS * 50) + 1


@espeak
@pytest.mark.parametrize("as_file", [False, True])
def test_words_are_aligned(speech: Path, tmp_path: Path, as_file: bool) -> None:
    text, out = "Mama, good!", tmp_path / "out.TextGrid"
    if as_file:
        (tmp_path / "text.txt").write_text(text, encoding="utf-8-sig")
        text = str(tmp_path / "text.txt")
    said = visemes(speech, out, text=text)
    assert said.words is not None
    assert [word.text for word in said.words] == ["Mama,", "good!"]
    assert said.words[1].onset == pytest.approx(1.03, abs=0.011)
    assert 'name = "words"' in out.read_text(encoding="utf-8")


@espeak
def test_another_text_is_one_line(speech: Path, tmp_path: Path, capsys) -> None:
    out = str(tmp_path / "out.json")
    assert main(["visemes", str(speech), "-o", out, "--text", "six fresh fish"]) == 2
    err = capsys.readouterr().err
    assert err.splitlines()[-1].startswith("labial: error: the text does not fit the speech")
    assert not Path(out).exists()


def test_the_command_line_to_standard_output(speech: Path, capfd) -> None:
    assert main(["visemes", str(speech), "-o", "-", "--format", "rhubarb-tsv"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert lines[0] == "0.00\tX" and lines[-1] == f"{int(SECONDS * 100) / 100:.2f}\tX"


def test_the_public_names(speech: Path, tmp_path: Path) -> None:
    said = labial.visemes(speech, tmp_path / "a.csv", labial.VisemeOptions(fps=30))
    assert isinstance(said, labial.Transcript)
    assert len((tmp_path / "a.csv").read_text().splitlines()) == 2 + int(SECONDS * 30)


def test_errors_come_before_the_work(tmp_path: Path, speech: Path) -> None:
    with pytest.raises(OptionError, match="cannot tell the format"):
        visemes("missing.wav", tmp_path / "out.avi")
    with pytest.raises(WriteError, match="it is an input"):
        visemes(speech, speech, format="json")
    with pytest.raises(OptionError, match="--viseme-set"):
        visemes("missing.wav", tmp_path / "out.csv", viseme_set="azure")
    with pytest.raises(ReadError, match=r"missing\.wav"):
        visemes("missing.wav", tmp_path / "out.json")


@espeak
def test_the_text_is_never_overwritten(speech: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.json"
    text.write_text("mama good")
    with pytest.raises(WriteError, match="it is an input"):
        visemes(speech, text, text=str(text))
    assert text.read_text() == "mama good"


def test_a_transcript_shows_itself(speech: Path) -> None:
    assert repr(transcribe(speech)) == f"Transcript({speech.name}, {SECONDS:.2f}s, 10 phones)"
