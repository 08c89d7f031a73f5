"""Text to be spoken, and its phones for a neural voice.

Sentences come from the fortune files of Debian where a language has them, otherwise they are
frequent words in a row. Nothing of it is kept but the audio.

Needs: ``pip install wordfreq pypinyin pyopenjtalk-plus``,
``apt-get install espeak-ng fortunes fortunes-{bg,br,cs,de,es,ga,it,mario,pl,zh}``
"""

from __future__ import annotations

import random
import re
from functools import cache
from pathlib import Path

from labial.voices import kokoro

FORTUNES = Path("/usr/share/games/fortunes")
FORTUNE_FILES: dict[str, tuple[str, ...]] = {
    "bg": ("bg/*",),
    "cs": ("cs/jerome", "cs/klasik-cz", "cs/citace", "cs/zemeplocha", "cs/market"),
    "de": ("de/zitate", "de/sprueche", "de/anekdoten", "de/hauptgericht", "de/kinderzitate"),
    "en": ("literature", "wisdom", "work", "people", "science", "kids", "education", "food"),
    "es": ("es/refranes.*", "es/sabiduria.*", "es/vida.*", "es/arte.*", "es/ciencia.*"),
    "ga": ("ga/proverbs",),
    "it": ("it/italia", "it/leggi", "it/definizioni", "it/formiche"),
    "pl": ("pl/debian.pl", "pl/bajki", "pl/argante", "pl/puchatek", "pl/pratchett"),
    "pt": ("brasil", "mario.geral"),
}
# Languages that wordfreq knows under another code.
WORD_LISTS = {"hr": "sh", "sr": "sh", "bs": "sh"}
UNSPACED = ("ja", "zh")

# Pinyin with its tone at the mark "0", as the neural voices learnt it.
INITIALS = {
    "zh": "ꭧ", "ch": "ꭧʰ", "sh": "ʂ", "b": "p", "p": "pʰ", "m": "m", "f": "f", "d": "t",
    "t": "tʰ", "n": "n", "l": "l", "g": "k", "k": "kʰ", "h": "x", "j": "ʨ", "q": "ʨʰ", "x": "ɕ",
    "r": "ɻ", "z": "ʦ", "c": "ʦʰ", "s": "s",
}  # fmt: skip
FINALS = {
    "a": "a0", "o": "wo0", "e": "ɤ0", "ai": "ai0", "ei": "ei0", "ao": "au0", "ou": "ou0",
    "an": "a0n", "en": "ə0n", "ang": "a0ŋ", "eng": "ə0ŋ", "er": "ɚ0", "i": "i0", "ia": "ja0",
    "ie": "je0", "iao": "jau0", "iu": "jou0", "ian": "jɛ0n", "in": "i0n", "iang": "ja0ŋ",
    "ing": "i0ŋ", "iong": "jʊ0ŋ", "u": "u0", "ua": "wa0", "uo": "wo0", "uai": "wai0",
    "ui": "wei0", "uan": "wa0n", "un": "wə0n", "uang": "wa0ŋ", "ong": "ʊ0ŋ", "ueng": "wə0ŋ",
    "v": "y0", "ve": "ɥe0", "van": "ɥɛ0n", "vn": "y0n",
}  # fmt: skip
GLIDES = {
    "you": "iu", "yong": "iong", "yu": "v", "yi": "i", "y": "i",
    "wu": "u", "wei": "ui", "wen": "un", "w": "u",
}  # fmt: skip
TONES = {"1": "→", "2": "↗", "3": "↓", "4": "↘", "5": ""}
JAPANESE = {
    "N": "ɴ", "cl": "ʔ", "ky": "kʲ", "gy": "ɡʲ", "g": "ɡ", "sh": "ɕ", "ch": "ʨ", "j": "ʥ",
    "ts": "ʦ", "z": "ʣ", "f": "ɸ", "hy": "ç", "ny": "ɲ", "by": "bʲ", "my": "mʲ", "py": "pʲ",
    "ry": "ɾʲ", "r": "ɾ", "w": "β", "y": "j", "u": "ɯ", "U": "ɯ", "I": "i", "A": "a", "E": "e",
    "O": "o", "ty": "tʲ", "dy": "dʲ", "pau": ",",
}  # fmt: skip


@cache
def fortunes(language: str) -> tuple[str, ...]:
    """Sentences of letters and plain punctuation; empty where no file has any."""
    found: dict[str, None] = {}
    for pattern in FORTUNE_FILES.get(language, ()):
        for path in sorted(FORTUNES.glob(pattern)):
            if path.is_symlink() or path.suffix in (".dat", ".u8"):
                continue
            raw = path.read_bytes()
            try:
                text = raw.decode("utf-8")
            except UnicodeDecodeError:
                text = raw.decode("latin-1")
            for cookie in re.split(r"\n%+\n", text):
                cookie = re.sub(r"\n\s*--.*", "", cookie, flags=re.DOTALL)
                for sentence in re.findall(r"[^.!?]+[.!?]", re.sub(r"\s+", " ", cookie)):
                    sentence = sentence.strip(" -\"'")
                    plain = re.fullmatch(r"[^\W\d_](?:[^\W\d_]|[ ,;:.!?'’-])+", sentence)
                    if plain and 25 <= len(sentence) <= 110 and not sentence.isupper():
                        found[sentence] = None
    return tuple(found)


@cache
def words(language: str) -> tuple[list[str], list[float]]:
    """Frequent words and how often to say them: rarer words more often than in life."""
    import wordfreq

    code = WORD_LISTS.get(language, language)
    kept = [w for w in wordfreq.top_n_list(code, 6000) if not re.search(r"[\d_\W]", w[:1] + w[-1])]
    if language != "en":
        # Lists carry a few words in Latin letters that a voice of another script would spell.
        latin = sum(w.isascii() for w in kept) > len(kept) / 3
        kept = [w for w in kept if latin or not w.isascii()]
    return kept, [(20 + rank) ** -0.5 for rank in range(len(kept))]


def sentence(language: str, rng: random.Random) -> str:
    """One sentence: a real one, or 6–14 words with a pause at times."""
    real = fortunes(language)
    if len(real) > 100:
        return rng.choice(real)
    kept, weights = words(language)
    said = rng.choices(kept, weights, k=rng.randint(6, 14))
    if rng.random() < 0.6:
        said[rng.randrange(2, len(said) - 2)] += ","
    return " ".join(said).capitalize() + rng.choice("....?!")


def text_of(language: str, rng: random.Random, letters: int) -> str:
    """Sentences until there are ``letters`` letters or more."""
    text = sentence(language, rng)
    while len(text) < letters:
        text += " " + sentence(language, rng)
    return text


def clauses(text: str) -> list[tuple[str, str]]:
    """Split at punctuation: each clause with the mark that ends it."""
    parts = re.findall(r"([^,.;:!?]+)([,.;:!?]?)", text)
    return [(clause.strip(), mark) for clause, mark in parts if clause.strip()]


def pinyin(text: str) -> list[str]:
    """Syllables with the tone as a digit."""
    from pypinyin import Style, lazy_pinyin

    found = lazy_pinyin(text, style=Style.TONE3, neutral_tone_with_five=True, v_to_u=False)
    return [s for s in found if re.fullmatch(r"[a-z]+[1-5]", s)]


def mandarin(syllable: str) -> str:
    """Phones of one pinyin syllable such as ``zhong1``."""
    letters, tone = syllable[:-1], TONES[syllable[-1]]
    if letters in ("zhi", "chi", "shi", "ri", "zi", "ci", "si"):
        return INITIALS[letters[:-1]] + "ɨ" + tone
    initial = next((i for i in INITIALS if letters.startswith(i)), "")
    final = letters.removeprefix(initial)
    if not initial and letters[0] in "yw":
        final = next(
            meant + letters.removeprefix(spelt)
            for spelt, meant in GLIDES.items()
            if letters == spelt or (letters.startswith(spelt) and spelt in ("yu", "yi", "y", "w"))
        )
    elif initial in ("j", "q", "x") and final.startswith("u"):
        final = "v" + final[1:]
    return INITIALS.get(initial, "") + FINALS.get(final, "").replace("0", tone)


def japanese(text: str) -> str:
    """Phones of Japanese text without punctuation."""
    import pyopenjtalk

    said = ""
    for phone in pyopenjtalk.g2p(text).split():
        symbol = JAPANESE.get(phone, phone)
        if symbol == "ɯ" and said[-1:] in ("s", "ʦ", "ʣ"):
            said = said[:-1] + said[-1].replace("ʣ", "z")
            symbol = "ɨ"
        elif symbol in "aieoɯ" and said.rstrip("ː")[-1:] == symbol:
            symbol = "ː"
        said += symbol
    return said


def phones_of(text: str, language: str, espeak_phones) -> str:
    """Text as the symbols that the neural voices learnt, punctuation kept."""
    said = ""
    for clause, mark in clauses(text):
        if language == "zh":
            phones = " ".join(
                "".join(mandarin(s) for s in pinyin(word)) for word in clause.split(" ")
            )
        elif language == "ja":
            phones = " ".join(japanese(word) for word in clause.split(" "))
        else:
            phones = re.sub(r"\([^)]*\)", "", espeak_phones(clause))
            for a, b in kokoro.ENGLISH if language == "en" else kokoro.EUROPEAN:
                phones = phones.replace(a, b)
        said += phones.strip() + mark + " "
    return re.sub(r" +", " ", said).strip()


def kana(text: str) -> str:
    """Japanese text in the script that sounds as it is written."""
    import pyopenjtalk

    return " ".join(pyopenjtalk.g2p(c, kana=True) + mark for c, mark in clauses(text))
