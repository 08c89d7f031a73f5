"""Which letters a language is written in, and what of a text its voices cannot read."""

from __future__ import annotations

import unicodedata

_SCRIPTS: dict[str, tuple[str, ...]] = {
    "CYRILLIC": ("ba", "be", "bg", "bs", "cv", "kk", "ky", "mk", "nog", "ru", "sr", "tt", "uk",
                 "uz"),
    "GREEK": ("el", "grc"),
    "ARABIC": ("ar", "fa", "ku", "sd", "ug", "ur"),
    "HEBREW": ("he",),
    "DEVANAGARI": ("hi", "kok", "mr", "ne"),
    "BENGALI": ("as", "bn", "bpy"),
    "GURMUKHI": ("pa",), "GUJARATI": ("gu",), "ORIYA": ("or",), "TAMIL": ("ta",),
    "TELUGU": ("te",), "KANNADA": ("kn",), "MALAYALAM": ("ml",), "SINHALA": ("si",),
    "THAI": ("th",), "MYANMAR": ("my", "shn"),
    "GEORGIAN": ("ka",), "ARMENIAN": ("hy", "hyw"), "ETHIOPIC": ("am", "ti"),
    "HANGUL": ("ko",),
    # eSpeak NG reads no kanji, only kana.
    "HIRAGANA": ("ja",), "KATAKANA": ("ja",),
    "CJK": ("cmn", "yue", "zh"),
    "CHEROKEE": ("chr",), "SHAVIAN": ("en-shaw",),
}  # fmt: skip
_SHOWN = {"CJK": "Chinese characters", "HIRAGANA": "kana", "KATAKANA": "kana"}
_LONGEST_SHOWN = 20


def speakable(text: str) -> bool:
    """Whether there is a letter or a digit in ``text``."""
    return any(character.isalnum() for character in text)


def unreadable(text: str, language: str) -> str:
    """Return what is wrong with the letters of ``text``, as a phrase; "" where nothing is.

    Latin letters are read in every language; a single letter of another script, such as a Greek
    symbol, is read by its name. A word of two and more is not.

    Parameters
    ----------
    text
        Any text.
    language
        Code of the language it is spoken in.
    """
    for word in unicodedata.normalize("NFKC", text).split():
        scripts = [_script(letter) for letter in word if letter.isalpha()]
        foreign = [script for script in scripts if not _reads(language, script)]
        if len(foreign) > 1:
            name = _SHOWN.get(foreign[0], foreign[0].capitalize())
            shown = word if len(word) <= _LONGEST_SHOWN else f"{word[:_LONGEST_SHOWN]}…"
            return f"{shown!r} is written in {name}, which is not read in {language}"
    return ""


def _script(letter: str) -> str:
    """Return the script of a letter, the first word of its name in Unicode."""
    return unicodedata.name(letter, "LATIN").split()[0].removesuffix("-HIRAGANA")


def _reads(language: str, script: str) -> bool:
    # Modifier letters belong to the letter before them.
    if script in ("LATIN", "MODIFIER"):
        return True
    codes = _SCRIPTS.get(script, ())
    return any(language == code or language.startswith(f"{code}-") for code in codes)
