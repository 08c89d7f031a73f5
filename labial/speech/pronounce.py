"""Written text to the phone classes of its words, by eSpeak NG (extra ``labial[text]``)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from labial.errors import SpeechError
from labial.speech import espeak
from labial.speech.phones import classes_of_ipa

_MOST_WORDS = 40
_CLAUSE_END = re.compile(r"[.!?;:,…。！？；：，、—]['\"”’»)\]]*$")
# Chinese is written without spaces; each character is a syllable, near enough to a word.
_HAN = re.compile(r"(?<=[\u4e00-\u9fff])(?=[\u4e00-\u9fff])")


@dataclass(frozen=True)
class Spoken:
    """A word: ``text`` as it is written, ``phones`` the classes it passes through, at least one."""

    text: str
    phones: tuple[str, ...]


def pronounce(text: str, language: str = "en-us") -> list[Spoken]:
    """Return the words of ``text`` with the phones they are made of, in order.

    Numbers and abbreviations are read out as ``language`` reads them; what makes no sound, such
    as a dash, is left out.

    Parameters
    ----------
    text
        Any number of sentences.
    language
        A voice of eSpeak NG: ``"en-us"``, ``"de"``, ``"fr"``, ``"cmn"``, …

    Raises
    ------
    SpeechError
        If eSpeak NG is not installed, or ``text`` holds nothing that is spoken.
    OptionError
        If eSpeak NG does not know ``language``.
    """
    words: list[Spoken] = []
    with espeak.LOCK:
        espeak.set_voice(language)
        for tokens in _clauses(text):
            words.extend(_words(tokens))
    if not words:
        raise SpeechError("the text holds nothing that can be spoken")
    return words


def _clauses(text: str) -> Iterator[list[str]]:
    """Yield the words of ``text`` clause by clause."""
    clause: list[str] = []
    for token in _HAN.sub(" ", text).split():
        clause.append(token)
        if _CLAUSE_END.search(token) or len(clause) == _MOST_WORDS:
            yield clause
            clause = []
    if clause:
        yield clause


def _words(tokens: list[str]) -> Iterator[Spoken]:
    """Yield the words of one clause.

    In context a word may sound otherwise than alone, and two may be read as one. Where the
    number of words read is not that of words written, each word is read alone and the clause's
    phones go to the words whose own phones they match.
    """
    read = espeak.ipa_of(" ".join(tokens))
    if len(read) == len(tokens):
        shares = [list(classes_of_ipa(word)) for word in read]
    else:
        heard = [name for word in read for name in classes_of_ipa(word)]
        alone = [classes_of_ipa("".join(espeak.ipa_of(token))) for token in tokens]
        shares = _shared_out(heard, alone)
    for token, share in zip(tokens, shares, strict=True):
        if share:
            yield Spoken(token, tuple(share))


def _shared_out(heard: list[str], alone: list[tuple[str, ...]]) -> list[list[str]]:
    """Share the phones of a clause out to its words, of which each is known as read alone."""
    owner = [k for k, phones in enumerate(alone) for _ in phones]
    flat = [name for phones in alone for name in phones]
    shares: list[list[str]] = [[] for _ in alone]
    matcher = SequenceMatcher(None, heard, flat, autojunk=False)
    for _, start, stop, at, end in matcher.get_opcodes():
        for i in range(start, stop):
            # Within a stretch that differs, in proportion; what is only heard goes before.
            j = at + (i - start) * (end - at) // (stop - start) if end > at else at - 1
            if owner:
                shares[owner[min(max(j, 0), len(owner) - 1)]].append(heard[i])
    return shares
