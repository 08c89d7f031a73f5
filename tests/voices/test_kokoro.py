"""Kokoro's way from text to timed phones, on a network of its shape whose lengths are known."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import synth_voices

from labial import weights
from labial.errors import OptionError
from labial.voices import find_voice, kokoro
from labial.voices.kokoro import LAG_SECONDS, VOCABULARY, KokoroVoice

espeak = pytest.mark.skipif(find_spec("espeakng_loader") is None, reason="needs labial[text]")
UNIT = 0.025


@pytest.fixture
def voice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KokoroVoice:
    """A speaker whose symbols last 4 units each, at any style, and sound half as loud as can be."""
    (tmp_path / "net.onnx").write_bytes(synth_voices.kokoro())
    np.full((510, 256), 0.5, np.float32).tofile(tmp_path / "loud.bin")
    np.savez(tmp_path / "ja.npz", jm_kumo=np.full((510, 1, 256), 0.25, np.float32))
    files = {"kokoro": "net.onnx", "kokoro_af_heart": "loud.bin", "kokoro_speakers_ja": "ja.npz"}
    monkeypatch.setattr(weights, "path", lambda name: tmp_path / files[name])
    return KokoroVoice("af_heart")


@espeak
def test_phones_last_as_long_as_the_network_says(voice: KokoroVoice) -> None:
    said = voice.speak("Mama", "en-us")
    assert kokoro._symbols("Mama", "en-us") == "mˈɑːmə"
    assert said.audio.rate == 24_000 and said.audio.seconds == pytest.approx(8 * 4 * UNIT)
    assert [phone.name for phone in said.phones] == ["sil", "m", "ɑ", "m", "ə", "sil"]
    edges = [phone.onset for phone in said.phones[1:]]
    assert edges == pytest.approx([4 * UNIT * k - LAG_SECONDS for k in (1, 2, 5, 6, 7)])
    assert abs(said.audio.samples).max() == pytest.approx(0.5, abs=0.01)


@espeak
def test_speed_is_the_networks_own(voice: KokoroVoice) -> None:
    assert voice.speak("Mama", "en-us", 2.0).audio.seconds == pytest.approx(8 * 2 * UNIT)


@espeak
def test_long_texts_go_in_pieces_that_the_network_takes(voice: KokoroVoice) -> None:
    text = "The quick brown fox jumps over the lazy dog, and again it does so. " * 12
    pieces = list(kokoro._pieces(kokoro._symbols(text, "en-us")))
    assert len(pieces) == 2 and all(len(piece) <= 480 for piece in pieces)
    assert all(piece[-1] in ",." for piece in pieces)
    said = voice.speak(text, "en-us")
    count = sum(len(piece) + 2 for piece in pieces)
    assert said.audio.seconds == pytest.approx(count * 4 * UNIT)
    assert list(kokoro._pieces("m" * 1000)) == ["m" * 480, "m" * 480, "m" * 40]


@espeak
@pytest.mark.parametrize(
    ("text", "language", "symbols"),
    [
        ("Choose a day, joy!", "en-us", "ʧˈuːz ə dˈA, ʤˈY!"),
        ("Pizza. Ciao", "it", "pˈiʦ"),
        ("J'ai 3.5 ans.", "fr", "ʒe tʁwa pwɛ̃ "),
    ],
)
def test_symbols_are_those_the_network_has_learnt(text: str, language: str, symbols: str) -> None:
    found = kokoro._symbols(text, language)
    assert found.startswith(symbols)
    assert set(found) <= set(VOCABULARY)
    assert found.count(".") == text.count(". ") + text.endswith(".")


def test_its_languages(voice: KokoroVoice) -> None:
    assert voice.languages[0] == "en-us" and find_voice("kokoro:bf_emma").languages[0] == "en-gb"
    codes = {code: voice.spoken_as(code) for code in ("en", "en-GB", "fr-ca", "pt", "de", "x")}
    assert codes == {
        "en": "en-us", "en-GB": "en-gb", "fr-ca": "fr", "pt": "pt-br", "de": None, "x": None,
    }  # fmt: skip
    assert KokoroVoice("bf_emma").spoken_as("en-au") == "en-gb"
    with pytest.raises(OptionError, match="kokoro:af_heart speaks en-us, en-gb"):
        voice.speak("Hallo", "de")


@espeak
def test_speakers_of_one_file(voice: KokoroVoice) -> None:
    said = KokoroVoice("jm_kumo").speak("Mama", "en-us")
    assert abs(said.audio.samples).max() == pytest.approx(0.25, abs=0.01)


@espeak
def test_state_says_what_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABIAL_CACHE", str(tmp_path))
    voice = find_voice("kokoro")
    assert voice.state == "fetched on first use (93 MB)"
    for name in ("kokoro", "kokoro_af_heart"):
        (tmp_path / weights.lookup(name).filename).touch()
    assert voice.state == "ready"


def test_vocabulary() -> None:
    assert len(VOCABULARY) == 114 == len(set(VOCABULARY.values()))
    assert VOCABULARY["ˈ"] == 156 and VOCABULARY["\u0303"] == 17
