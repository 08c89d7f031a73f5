"""Voices are found by their names, those of plug-ins as well."""

import sys
from importlib.metadata import EntryPoint
from types import ModuleType

import pytest

from labial.cli import main
from labial.errors import OptionError
from labial.voices import Voice, engine_names, engines, espeak, find_voice, listed, voices_of
from labial.voices.espeak import EspeakVoice


class Parrot:
    name, engine, languages, licence, state = "parrot:polly", "Parrot", ("tlh",), "MIT", "ready"

    def spoken_as(self, language: str) -> str | None:
        return language if language == "tlh" else None

    def speak(self, text: str, language: str, rate: float = 1.0) -> None: ...


@pytest.fixture
def plug_in(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("parrot_voices")
    module.voices = lambda: [Parrot()]  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "parrot_voices", module)
    points = [
        EntryPoint("parrot", "parrot_voices:voices", engines.GROUP),
        EntryPoint("broken", "no_such_module:voices", engines.GROUP),
    ]
    monkeypatch.setattr(engines, "entry_points", lambda group: points)


@pytest.mark.parametrize("engine", list(engines._ENGINES))
def test_engines_keep_the_protocol(engine: str) -> None:
    for voice in voices_of(engine):
        assert isinstance(voice, Voice)
        assert voice.name.partition(":")[0] == engine
        assert voice.licence and voice.engine and voice.state


def test_a_voice_by_its_name() -> None:
    assert find_voice() == find_voice("espeak") == EspeakVoice()


@pytest.mark.parametrize(("name", "near"), [("espaek", "espeak"), ("espeak:f33", "espeak:f3")])
def test_an_unknown_name_lists_near_ones(name: str, near: str) -> None:
    with pytest.raises(OptionError, match="labial voices") as caught:
        find_voice(name)
    assert near in str(caught.value) and "\n" not in str(caught.value)


def test_a_speaker_of_an_engine_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(espeak, "find_spec", lambda name: None)
    espeak.variants.cache_clear()
    try:
        assert find_voice("espeak").state == "pip install 'labial[text]'"
        assert not find_voice("espeak").languages
        with pytest.raises(OptionError, match=r"not installed; pip install 'labial\[text\]'"):
            find_voice("espeak:f3")
        assert "espeak" in [name for group in listed("de") for name in group.names]
    finally:
        espeak.variants.cache_clear()


def test_a_plug_in_brings_voices(plug_in: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert engine_names()[-2:] == ["broken", "parrot"]
    assert find_voice("parrot:polly").name == find_voice("parrot").name == "parrot:polly"
    assert [group.names for group in listed("tlh")][-1] == ("parrot:polly",)
    with pytest.raises(OptionError, match=r"plug-in broken .* do not load: No module"):
        find_voice("broken")
    assert main(["voices"]) == 0
    shown = capsys.readouterr().out
    assert "parrot:polly" in shown and "do not load" in shown


def test_voices_of_a_language(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["voices", "--language", "pt-br"]) == 0
    shown = capsys.readouterr().out
    assert "espeak" in shown and "GPL-3.0" in shown
    assert all(len(line) <= 100 for line in shown.splitlines())
