"""The text of a cue as it is spoken: without markup, and without who speaks."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Collection, Sequence

_RUBY = re.compile(r"<rt\b[^<>]*>[^<]*(?:</rt>)?", re.I)
_BREAK = re.compile(r"<br ?/?>|\\[Nnh]", re.I)
_TAG = re.compile(
    r"</?(?:i|b|u|s|em|strong|font|span|c|v|ruby|rt|lang|p)(?=[\s.>/])[^<>]*>"
    r"|<\d[\d:.,]{,20}>|\{\\[^{}]*\}|\{[biuy]:[^{}]*\}",
    re.I,
)
_VOICE = re.compile(r"<v(?:\.[^\s<>]*)?[ \t]([^<>]+)>", re.I)
# Sounds and music are told to who cannot hear them; nobody says them.
_TOLD = re.compile(r"\[[^\[\]]*\]|[♪♫♬♩]+")
_DASH = re.compile(r"^(?:[-‐‑–—−]|>>)+(?: +(?=\S)|(?=[^\W\d]|[\"'«„“”¿¡…(\[]))")
_PREFIX = re.compile(r"([^:：]{1,40})(?:: +|：)(?=\S)")
_ASIDE = re.compile(r" ?\([^()]{1,20}\)$")
_WORD = re.compile(r"[^\W\d_][\w.'’&-]*")


def plain(line: str) -> str:
    """Return a line of a cue without markup, and without what is only told, such as ``[door]``."""
    return " ".join(_TOLD.sub(" ", without_tags(line)).split())


def without_tags(line: str) -> str:
    """Return a line of a cue without markup."""
    line = _BREAK.sub(" ", _RUBY.sub("", line))
    return " ".join(html.unescape(_TAG.sub("", line)).split())


def voices(lines: Sequence[str]) -> list[tuple[str, str]]:
    """Return for each line of a cue who says it, "" if it does not say so, and what.

    Markup names the speaker as ``<v Anna>``; else a line begins with ``ANNA:`` or ``2:``.
    """
    found: list[tuple[str, str]] = []
    for line in lines:
        parts = _VOICE.split(line)
        found += [("", parts[0])] if parts[0].strip() else []
        found += zip(map(without_tags, parts[1::2]), parts[2::2], strict=True)
    told = []
    for name, text in found:
        text = _DASH.sub("", plain(text))
        other, rest = _prefix(text)
        # Where all is written in capitals, they do not tell a name.
        if not name and ((other.isupper() and not rest.isupper()) or other.isdecimal()):
            name, text = other, rest
        told.append((name, text))
    return told


def named_often(texts: Sequence[str]) -> set[str]:
    """Return names like ``Anna`` with which at least two of the texts begin, before a colon.

    A single ``Remember: ...`` is no name.
    """
    counts = Counter(_prefix(text)[0] for text in texts)
    return {name for name, count in counts.items() if name and count > 1}


def split_name(text: str, names: Collection[str]) -> tuple[str, str]:
    """Return one of ``names`` with which ``text`` begins, else "", and what follows."""
    name, rest = _prefix(text)
    return (name, rest) if name in names else ("", text)


def _prefix(text: str) -> tuple[str, str]:
    """What looks like a name before a colon, else "", and what follows it."""
    match = _PREFIX.match(text)
    if match is None:
        return "", text
    name = _ASIDE.sub("", match[1].strip())
    words = name.split(" ")
    numbered = name.isdecimal() and len(name) <= 2
    # Names are written large, where a script knows large and small letters.
    large = len(words) <= 3 and all(_WORD.fullmatch(w) and not w[0].islower() for w in words)
    large = large or (name.isupper() and len(words) <= 4)
    return (name, text[match.end() :]) if numbered or large else ("", text)
