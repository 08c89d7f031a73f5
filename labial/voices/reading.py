"""Text as a voice takes it, and what keeps it from being spoken."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from labial.errors import SpeechError
from labial.media.tags import two_letters
from labial.script.cues import Cue
from labial.voices.base import Voice, to_install
from labial.voices.scripts import speakable, unreadable

_SENTENCE_PAUSE, _PARAGRAPH_PAUSE = 0.35, 0.7
_LONGEST_PIECE = 400
_SENTENCE = re.compile(r".+?(?:[.!?…।][\"'”’»)\]]*(?=\s)|[。！？][」』”’]*|$)")
# Soft hyphen, zero width space, word joiner, byte order mark.
_INVISIBLE = "\u00ad\u200b\u2060\ufeff"


def problems_of(cues: Sequence[Cue], voice: Voice, language: str) -> list[str]:
    """Return what keeps ``cues`` from being spoken, without speaking.

    Parameters
    ----------
    cues
        What is to be said.
    voice, language
        Who says it, in which language: an ISO 639 code, with a region or without.

    Returns
    -------
    list of str
        One phrase each, beginning with the line where it is about one; empty where all is well.

    Raises
    ------
    SpeechError
        If the voice's engine is not installed.
    """
    language = two_letters(language)
    code = code_of(voice, language)
    if code is None:
        return [no_language(voice, language)]
    found = [] if cues else ["there are no cues"]
    last: dict[str, Cue] = {}
    for cue in sorted(cues, key=lambda cue: (cue.start, cue.line)):
        place = f"line {cue.line}: " if cue.line else f"cue at {float(cue.start):.2f} s: "
        if cue.end <= cue.start:
            found.append(f"{place}ends before it starts")
        before = last.get(cue.speaker)
        if before is not None and cue.start < before.end:
            other = f"that of line {before.line}" if before.line else "the one before"
            found.append(f"{place}begins before {other} ends")
        last[cue.speaker] = cue
        if said := unspeakable(cue.text, code):
            found.append(place + said)
    return found


def code_of(voice: Voice, language: str) -> str | None:
    """Return how ``voice`` calls a language, None where it does not speak it.

    Raises
    ------
    SpeechError
        If the voice's engine is not installed.
    """
    if todo := to_install(voice):
        raise SpeechError(f"voice {voice.name} is not installed: {todo}")
    return voice.spoken_as(language)


def no_language(voice: Voice, language: str) -> str:
    """Say that a voice does not speak a language, and which ones it does."""
    known = voice.languages
    some = ", ".join(known[:8])
    if len(known) > 8:
        near = get_close_matches(language, known, 3, 0.3)
        some = ", ".join([*near, f"… ('labial voices' lists all {len(known)})"])
    return f"voice {voice.name} does not speak {language!r}; it speaks {some}"


def unspeakable(text: str, language: str) -> str:
    """Say what keeps ``text`` from being spoken, as a phrase; "" where nothing does."""
    if not text.strip():
        return "there is nothing to say"
    if not speakable(text):
        return f"no letter to speak in {text.strip()[:40]!r}"
    return unreadable(text, language)


def plain(text: str) -> str:
    """Return ``text`` in one line, without characters that control a terminal or a layout."""
    kept = (" " if unicodedata.category(c) == "Cc" else c for c in text if c not in _INVISIBLE)
    return " ".join("".join(kept).split())


def pieces_of(text: str) -> Iterator[tuple[int, str, float]]:
    """Yield (line from 1, text, seconds of pause before it) of paragraphs, long ones in parts."""
    lines = [*enumerate(text.splitlines(), 1), (0, "")]
    first, paragraph = 0, ""
    for number, line in lines:
        if line.strip():
            first = first or number
            paragraph = f"{paragraph} {line.strip()}".strip()
            continue
        pause, part = _PARAGRAPH_PAUSE, ""
        for sentence in _SENTENCE.findall(paragraph):
            if part and len(part) + len(sentence) > _LONGEST_PIECE:
                yield first, part.strip(), pause
                pause, part = _SENTENCE_PAUSE, ""
            part += sentence
        if part.strip():
            yield first, part.strip(), pause
        first, paragraph = 0, ""
