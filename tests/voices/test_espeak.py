"""eSpeak NG as a voice, and whether its phones are when it says they are."""

import sys
import threading
from importlib.util import find_spec
from itertools import pairwise

import numpy as np
import pytest

from labial.errors import OptionError, SpeechError
from labial.speech import espeak as library
from labial.speech.pronounce import pronounce
from labial.voices import find_voice
from labial.voices.espeak import EspeakVoice, phone_name
from labial.voices.marks import levels

pytestmark = pytest.mark.skipif(find_spec("espeakng_loader") is None, reason="needs labial[text]")

TEXT = "Bob maybe bought a big map. My mom pumps up papa's boat."


def test_phones_and_words_of_a_sentence() -> None:
    said = EspeakVoice().speak("My mama maps Paris.", "en-us")
    names = [phone.name for phone in said.phones if phone.name != "sil"]
    assert "".join(names) == "maɪmɑmamæpspæɹɪs"
    assert [word.text for word in said.words] == ["My", "mama", "maps", "Paris"]
    assert all(
        a.release <= b.onset + 1e-6 for a, b in zip(said.words, said.words[1:], strict=False)
    )


@pytest.mark.parametrize("rate", [0.8, 1.0, 1.35])
def test_phones_lie_where_their_sound_is(rate: float) -> None:
    said = EspeakVoice().speak(TEXT, "en-us", rate)
    loud = levels(said.audio.samples, said.audio.rate)
    level = {"sil": [], "stop": [], "vowel": []}
    for phone in said.phones:
        inside = loud[round(phone.onset * 200) : round(phone.release * 200)]
        if phone.name == "sil" and phone.release - phone.onset > 0.1:
            level["sil"].append(np.median(inside))
        elif phone.name == "p":
            level["stop"].append(inside.min())
        elif phone.name in ("ɑ", "æ", "ɔ"):
            level["vowel"].append(np.median(inside))
    assert max(level["sil"]) < -40 and max(level["stop"]) < -25 and min(level["vowel"]) > -12


def test_rate_pitch_and_speaker_are_heard() -> None:
    seconds = [EspeakVoice().speak(TEXT, "en-us", rate).audio.seconds for rate in (0.8, 1, 1.35)]
    assert seconds[0] / seconds[1] == pytest.approx(1 / 0.8, rel=0.06)
    assert seconds[2] / seconds[1] == pytest.approx(1 / 1.35, rel=0.06)
    sounds = [
        EspeakVoice(variant, pitch).speak("Hello", "en-us").audio.samples
        for variant, pitch in (("", 50), ("", 80), ("f3", 50))
    ]
    assert not any(np.array_equal(a, b) for a, b in pairwise(sounds))


def test_languages_by_their_codes() -> None:
    voice = find_voice("espeak")
    assert len(voice.languages) > 100 and voice.state == "ready"
    assert voice.spoken_as("fr-CA") == "fr" and voice.spoken_as("zh") == "cmn"
    assert voice.spoken_as("xx") is None and voice.spoken_as("../en") is None
    # Listed without a dictionary.
    assert voice.spoken_as("fo") is None
    with pytest.raises(OptionError, match="not a voice"):
        voice.speak("hello", "xx")


def test_a_change_of_language_within_the_text() -> None:
    said = EspeakVoice().speak("Это NASA, да", "ru")
    assert [word.text for word in said.words] == ["Это", "NASA", "да"]


def test_what_is_spelled_out_is_one_word() -> None:
    said = EspeakVoice().speak("say שלום now, 12345678901234567890", "en-us")
    texts = [word.text for word in said.words]
    assert texts == ["say", "שלום", "now", "12345678901234567890"]
    assert said.words[1].release - said.words[1].onset > 1


@pytest.mark.parametrize("text", ["-", "'", "", "\n"])
def test_nothing_to_say(text: str) -> None:
    with pytest.raises(SpeechError, match="says nothing"):
        EspeakVoice().speak(text, "en-us")


def test_threads_do_not_disturb_each_other() -> None:
    def everything() -> list[object]:
        german = EspeakVoice().speak("Guten Morgen, mein Freund", "de")
        finnish = EspeakVoice("f1").speak("Moi maailma", "fi", 0.8)
        # A voice trembles at random, so its sounds are never twice as long to the sample.
        return [
            [phone.name for phone in german.phones],
            round(german.audio.seconds, 1),
            pronounce("good morning", "en-us"),
            [phone.name for phone in finnish.phones],
            round(finnish.audio.seconds, 1),
        ]

    alone, found = everything(), []
    threads = [threading.Thread(target=lambda: found.append(everything())) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    for one in found:
        assert one == alone


def test_names_of_phones() -> None:
    assert phone_name("ˈɑː") == "ɑː" and phone_name("ph") == "pʰ"
    assert phone_name("(en)") is None and phone_name("") is None


def test_without_espeak_the_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    library.library.cache_clear()
    library.languages.cache_clear()
    try:
        with pytest.raises(SpeechError, match=r"pip install 'labial\[text\]'"):
            EspeakVoice().speak("hello", "en-us")
    finally:
        library.library.cache_clear()
        library.languages.cache_clear()
