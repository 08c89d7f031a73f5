"""Text files as they are: in whatever encoding, with whatever ends of lines."""

from __future__ import annotations

import codecs
import os
import re
from pathlib import Path

from labial.errors import ReadError, ScriptError

_MOST_BYTES = 32 << 20
_TELLING_BYTES = 1 << 18
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Windows wrote what calls itself so, with quotes and dashes where the norm has control codes.
_WIDER = {"iso-8859-1": "cp1252", "latin-1": "cp1252", "ascii": "cp1252", "gb2312": "gb18030"}
_LATIN = re.compile("[A-Za-z]")
_OTHER = re.compile("[\u0370-\u07ff\u0e00-\u0e7f\ufb1d-\ufdff\ufe70-\ufefe]")
_DRAWN = re.compile("[\u2500-\u259f]")
# Of those that seem about as likely, the one that is met most.
_NEAR = 0.8
_USUAL = ("windows-1252", "cp1252", "windows-1251", "gb18030", "cp932")
_FOREIGN = re.compile(rb"[\x80-\xff\x1b]")
# Marks of direction and of bytes, spaces of no width, Ctrl-Z at the end: nothing of it is seen.
_UNSEEN = re.compile("[\ufeff\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\x1a]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f]")


def shown(path: str | os.PathLike[str]) -> str:
    """Return ``path`` as text that any terminal can print."""
    return os.fsencode(path).decode("utf-8", "replace")


def read_lines(path: str | os.PathLike[str]) -> list[str]:
    """Read the lines of a text file, without their ends.

    A byte order mark decides on the encoding, else UTF-8 if it is that, else what chardet takes
    it for, unless letters of two alphabets would stand in one word. CR, LF and CR LF end a line.

    Raises
    ------
    ReadError
        The file cannot be read.
    ScriptError
        It is no text, or holds none.
    """
    name = shown(path)
    try:
        with Path(path).open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise ReadError(f"cannot read {name}: {error.strerror}") from error
    except ValueError as error:
        raise ReadError(f"cannot read {name}: {error}") from error
    if len(data) > _MOST_BYTES:
        raise ScriptError(name, [f"more than {_MOST_BYTES >> 20} MB: is it a text file?"])
    text = _UNSEEN.sub("", _decoded(data))
    if len(_CONTROL.findall(text)) > len(text) // 100:
        raise ScriptError(name, ["not a text file: save it as UTF-8 text"])
    text = _CONTROL.sub("", text)
    if not text.strip():
        raise ScriptError(name, ["there is nothing in it"])
    return re.split("\r\n|\r|\n", text)


def _decoded(data: bytes) -> str:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            # What is damaged is one letter, not the whole file.
            return data.decode(encoding, "replace")
    try:
        if b"\x00" not in data and b"\x1b" not in data:
            return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    import chardet

    # Times, numbers and markup say nothing about the language.
    lines = [line for line in data.splitlines() if _FOREIGN.search(line)]
    telling = b"\n".join(lines) if lines and b"\x00" not in data else data
    telling = telling[:_TELLING_BYTES]
    found = chardet.detect_all(telling)
    named = [(str(row["encoding"]).lower(), row["confidence"]) for row in found]
    known = [(_WIDER.get(name, name), sure) for name, sure in named if _can_be(name, data)]
    plausible = [row for row in known if not _mixed(telling.decode(row[0], "replace"))]
    likely = plausible or known or [("utf-8", 1.0)]
    near = {name for name, sure in likely if sure > _NEAR * likely[0][1]}
    usual = (name for name in _USUAL if name in near)
    return data.decode(next(usual, likely[0][0]), "replace")


def _can_be(encoding: str, data: bytes) -> bool:
    """Whether Python knows it, and digits are themselves in it unless letters are wide."""
    try:
        codecs.lookup(encoding)
        return b"\x00" in data or b"az 09".decode(encoding, "replace") == "az 09"
    except LookupError:
        return False


def _mixed(text: str) -> bool:
    """Whether words look wrong: ``йtй`` for ``été`` has two alphabets, ``дЮ`` for ``Да`` a cap."""
    foreign = [word for word in re.findall(r"[^\W\d_]+", text) if not word.isascii()]
    mixed = [
        word
        for word in foreign
        if (_LATIN.search(word) and _OTHER.search(word))
        or (not word.isupper() and word[1:] != word[1:].lower())
    ]
    return 5 * len(mixed) > len(foreign) or bool(_DRAWN.search(text))
