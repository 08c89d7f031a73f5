import sys
from importlib.util import find_spec

import pytest

from labial.errors import OptionError, SpeechError
from labial.speech import espeak as espeak_library
from labial.speech import pronounce as module
from labial.speech.pronounce import Spoken, pronounce

espeak = pytest.mark.skipif(
    find_spec("espeakng_loader") is None,
    reason="needs labial[text]",
)


@espeak
def test_words_keep_their_spelling_and_order() -> None:
    text = "Hello, world! My “friend” said: it's one of the best.\n\nNew paragraph"
    words = pronounce(text)
    assert [word.text for word in words] == text.split()
    assert all(word.phones for word in words)


@espeak
@pytest.mark.parametrize(
    ("language", "text", "phones"),
    [
        ("en-us", "mama", [("m", "ɑ", "m", "a")]),
        ("en-us", "church", [("t", "ʃ", "ə", "t", "ʃ")]),
        ("de", "Guten Tag", [("ɡ", "u", "t", "ə", "n"), ("t", "ɑ", "k")]),
        ("fr", "bonjour", [("b", "ɔ", "ʒ", "u", "r")]),
        ("fr-fr", "bonjour", [("b", "ɔ", "ʒ", "u", "r")]),
        ("es", "no", [("n", "o")]),
    ],
)
def test_phones(language: str, text: str, phones: list[tuple[str, ...]]) -> None:
    assert [word.phones for word in pronounce(text, language)] == phones


@espeak
def test_words_read_as_one_are_told_apart() -> None:
    words = {word.text: word.phones for word in pronounce("one of the boys — of them", "en-us")}
    assert words["of"] == ("ʌ", "v") and words["the"] == ("θ", "ə")
    assert "—" not in words


@espeak
def test_numbers_and_abbreviations_are_read_out() -> None:
    words = {word.text: word.phones for word in pronounce("Dr. Who paid $25 at x.com in 2024.")}
    assert words["Dr."][0] == "d" and len(words["Dr."]) > 4
    assert len(words["$25"]) > 8 and len(words["2024."]) > 12
    assert words["paid"] == ("p", "e", "ɪ", "d")


@espeak
def test_han_characters_are_words() -> None:
    assert [word.text for word in pronounce("你好,世界。", "cmn")] == ["你", "好,世", "界。"]


@espeak
def test_a_long_text_in_one_line() -> None:
    words = pronounce("hello there my friend " * 2000)
    assert len(words) == 8000 and len({word.phones for word in words}) == 4


@espeak
@pytest.mark.parametrize("text", ["", " \n ", "...", "— – ?!"])
def test_nothing_to_say(text: str) -> None:
    with pytest.raises(SpeechError, match="nothing that can be spoken"):
        pronounce(text)


@espeak
@pytest.mark.parametrize("language", ["", "xx", "../de", "klingon?", "!v/f1"])
def test_an_unknown_language_is_one_line(language: str) -> None:
    with pytest.raises(OptionError, match="--language") as caught:
        pronounce("hello", language)
    assert "\n" not in str(caught.value)


def test_without_espeak_the_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    espeak_library.library.cache_clear()
    try:
        with pytest.raises(SpeechError, match=r"pip install 'labial\[text\]'"):
            pronounce("hello")
    finally:
        espeak_library.library.cache_clear()


def test_phones_are_shared_out_in_order() -> None:
    heard, alone = ["ʌ", "v", "θ", "ə"], [("ɔ", "v"), (), ("θ", "i")]
    assert module._shared_out(heard, alone) == [["ʌ", "v"], [], ["θ", "ə"]]
    assert module._shared_out(heard, [()]) == [[]]
    assert Spoken("a", ("ə",)).text == "a"
