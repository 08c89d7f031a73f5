"""The phone classes that the speech network knows, and where other alphabets fall into them.

About forty classes of the International Phonetic Alphabet, the same for every language: fine
enough to name what was said to the eye, coarse enough to be told apart in any voice. What the
lips cannot show (aspiration, tone, length, place behind the teeth) is merged.
"""

from __future__ import annotations

import unicodedata

SILENCE = "sil"

_MEMBERS: dict[str, str] = {
    SILENCE: "",
    "p": "p", "b": "bɓʙ", "m": "m", "f": "fɸ", "v": "vʋβⱱɱ", "θ": "θð",
    "t": "tʈ", "d": "dɖɗ", "n": "nɳ", "s": "s", "z": "z", "ʃ": "ʃʂɕ", "ʒ": "ʒʐʑ",
    "k": "kqc", "ɡ": "ɡgɢɟɠʄʛ", "ŋ": "ŋɲɴ", "l": "lɭʎɫɬʟɮ", "r": "rɾɽʀʁ", "ɹ": "ɹɻ",
    "j": "jʝɥ", "w": "wʍɰ", "h": "hɦħʕ", "x": "xχɣç", "ʔ": "ʔ",
    "i": "i", "ɪ": "ɪᵻ", "y": "yʏ", "e": "e", "ø": "øœɶ", "ɛ": "ɛ", "æ": "æ", "a": "aɐ",
    "ɑ": "ɑ", "ʌ": "ʌɤ", "ə": "əɘɜɞɚɝɵ", "ɨ": "ɨɯ", "o": "o", "ɔ": "ɔɒ", "ʊ": "ʊᵿ", "u": "uʉ",
}  # fmt: skip

PHONES: tuple[str, ...] = tuple(_MEMBERS)
"""Names of the classes, in the order of the network's output. The first is silence."""

PHONE_INDEX: dict[str, int] = {name: i for i, name in enumerate(PHONES)}

BILABIAL = ("p", "b", "m")
"""Lips meet."""
LABIODENTAL = ("f", "v")
"""Lower lip to upper teeth."""
ROUNDED = ("w", "y", "ø", "o", "ɔ", "ʊ", "u")
"""Lips round and narrow."""
OPEN = ("æ", "a", "ɑ", "ʌ")
"""Jaw low."""
VOWELS = PHONES[PHONES.index("i") :]

_CLASS = {letter: name for name, letters in _MEMBERS.items() for letter in letters}
# Letters that stand for two sounds one after the other.
_LIGATURES = {
    "ʦ": "ts", "ʣ": "dz", "ʧ": "tʃ", "ʤ": "dʒ", "ʨ": "tɕ", "ʥ": "dʑ", "ꭧ": "tʂ", "ꭦ": "dʐ",
}  # fmt: skip


def classes_of_ipa(symbol: str) -> tuple[str, ...]:
    """Return the classes that an IPA symbol, or a few in a row, pass through.

    An affricate or a diphthong gives two: ``"t͡ʃ"`` → ``("t", "ʃ")``, ``"aɪ"`` → ``("a", "ɪ")``.
    Stress, length, tone and diacritics are passed over; a symbol without any known letter, such
    as a tone or a mark of a pause, gives ``()``.
    """
    # NFD would take the cedilla off, and a palatal fricative would become a stop.
    plain = unicodedata.normalize("NFD", unicodedata.normalize("NFC", symbol).replace("ç", "x"))
    letters = "".join(_LIGATURES.get(letter, letter) for letter in plain)
    found: list[str] = []
    for letter in letters:
        name = _CLASS.get(letter)
        if name is not None and found[-1:] != [name]:
            found.append(name)
    return tuple(found)
