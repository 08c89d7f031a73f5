import pytest

from labial.voices.scripts import speakable, unreadable


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Grüße, naïve café! ŁódŹ", "en"),
        ("Привет, NASA", "ru"),
        ("你好,世界。OK", "cmn"),
        ("ｆｕｌｌｗｉｄｔｈ ﬁne ½ 10²", "de"),
        ("ラーメンをたべます", "ja"),
        ("नमस्ते दुनिया", "hi"),
        ("α and Ω", "en-us"),
        ("Ћирилица и latinica", "sr"),
        ("Việt Nam", "vi-vn-x-south"),
    ],
)
def test_a_language_reads_its_letters(text: str, language: str) -> None:
    assert unreadable(text, language) == ""


@pytest.mark.parametrize(
    ("text", "language", "word", "script"),
    [
        ("say Привет now", "en-us", "Привет", "Cyrillic"),
        ("你好", "en", "你好", "Chinese"),
        ("日本語です", "ja", "日本語です", "Chinese"),
        ("नमस्ते", "ru", "नमस्ते", "Devanagari"),
        ("सब", "bn", "सब", "Devanagari"),
        ("ພາສາ", "th", "ພາສາ", "Lao"),
        ("ΑΒΓ", "el-x", "", ""),
    ],
)
def test_what_it_does_not_read_is_named(text: str, language: str, word: str, script: str) -> None:
    said = unreadable(text, language)
    assert word in said and script in said
    assert bool(said) == bool(word)


def test_speakable() -> None:
    assert speakable("7") and speakable("a") and speakable("你")
    assert not speakable("—♪!") and not speakable("")
