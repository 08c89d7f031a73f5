"""What is to be said when: the cues of a subtitle file, the paragraphs of a text."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from labial.errors import ScriptError
from labial.script.decode import read_lines, shown
from labial.script.markup import named_often, split_name, voices, without_tags
from labial.script.times import parse_time, shown_time

# Such an overlap comes from rounding; the earlier cue ends where the later one begins.
_ROUNDED = Fraction(1, 20)

_ARROW = re.compile(r"-{1,3} ?>|[–—]>|→|-{1,3}&gt;")
# What follows the second time places the cue in the picture.
_SECOND = re.compile(r"(?P<time>\S*?\d[\d:.,\s]*?)(?:\s+[A-Za-z].*|\s*)")
_LONGEST_TIMING = 200
_BLOCKS = re.compile(r"(?:NOTE|STYLE|REGION)(?:\s|$)")


@dataclass(frozen=True)
class Cue:
    """One cue.

    Parameters
    ----------
    start, end
        Seconds from the video's first frame; ``end`` comes after ``start``.
    text
        What is said, without markup; lines joined by a space.
    line
        Line of the file in which it begins, from 1; 0 where it is of no file.
    speaker
        Who says it, as the file names them; "" where it does not.
    """

    start: Fraction
    end: Fraction
    text: str
    line: int = 0
    speaker: str = ""


@dataclass(frozen=True)
class Paragraph:
    """Something that is said, at no particular time; otherwise as :class:`Cue`."""

    text: str
    line: int = 0
    speaker: str = ""


@dataclass
class _Raw:
    """A cue as it stands in the file: the line of its times, and those of its text."""

    line: int
    times: str
    texts: list[tuple[int, str]]


def read_cues(path: str | os.PathLike[str]) -> list[Cue]:
    """Read a file of SubRip (``.srt``) or WebVTT (``.vtt``) cues.

    What programs and people get wrong without a loss is taken as it is meant: encodings, missing
    or repeated numbers, missing blank lines, dots for commas, overlaps of up to 50 ms. Cues that
    only describe, such as ``[door]`` and ``♪``, are left out.

    Raises
    ------
    ReadError
        The file cannot be read.
    ScriptError
        All that is wrong with it, with lines: unreadable times, cues that end before they start,
        begin before the cue before them, overlap without naming two speakers, have no text, or
        name two speakers at once; text that belongs to no cue.
    """
    cues, problems = cues_and_problems(path)
    if problems:
        raise ScriptError(shown(path), problems)
    return cues


def cues_and_problems(path: str | os.PathLike[str]) -> tuple[list[Cue], list[str]]:
    """Return the cues that can be read, and a phrase for each problem, as of :func:`read_cues`."""
    lines = read_lines(path)
    web = lines[0].startswith("WEBVTT") or Path(path).suffix.lower() == ".vtt"
    raws, problems = (_web_cues if web else _subrip_cues)(lines)
    if not raws and not problems:
        problems.append(
            (0, "there are no cues in it: write times as 00:00:01,000 --> 00:00:02,500")
        )
    cues = []
    for raw in raws:
        cue = _cue(raw, problems)
        if cue is not None:
            cues.append(cue)
    cues = _named(cues)
    if not cues and not problems:
        problems.append((0, "nothing is said in it"))
    cues = _ordered(cues, problems)
    return cues, [
        f"line {line}: {problem}" if line else problem for line, problem in sorted(problems)
    ]


def read_text(path: str | os.PathLike[str]) -> list[Paragraph]:
    """Read the paragraphs of a text, which blank lines part.

    Raises
    ------
    ReadError
        The file cannot be read.
    ScriptError
        It is no text, or empty.
    """
    paragraphs, begins = [], 0
    texts: list[str] = []
    for number, line in enumerate([*read_lines(path), ""], 1):
        if line.strip():
            begins = begins or number
            texts.append(line)
        elif texts:
            told = voices(texts)
            text = " ".join(part for _, part in told if part)
            name = next((name for name, _ in told if name), "")
            paragraphs += [Paragraph(text, begins, name)] if text else []
            begins, texts = 0, []
    if not paragraphs:
        raise ScriptError(shown(path), ["nothing is said in it"])
    names = named_often([paragraph.text for paragraph in paragraphs])
    told_again = []
    for paragraph in paragraphs:
        name, text = split_name(paragraph.text, names) if not paragraph.speaker else ("", "")
        told_again.append(replace(paragraph, text=text, speaker=name) if name else paragraph)
    return told_again


_Problems = list[tuple[int, str]]


def _subrip_cues(lines: list[str]) -> tuple[list[_Raw], _Problems]:
    raws: list[_Raw] = []
    problems: _Problems = []
    before: list[tuple[int, str]] = []  # what stands before the first cue
    for number, line in enumerate(lines, 1):
        if not _ARROW.search(line) or not _is_timing(line):
            (raws[-1].texts if raws else before).append((number, line))
            continue
        _drop_number((raws[-1].texts if raws else before), len(raws))
        raws.append(_Raw(number, line, []))
    if raws:
        # A number of a cue that never came.
        _drop_number(raws[-1].texts, len(raws), at_end=True)
        problems += [
            (number, f"text before the first cue: {_short(line)}")
            for number, line in before
            if line.strip()
        ][:1]
    return raws, problems


def _is_timing(line: str) -> bool:
    """Whether a line with an arrow is meant to hold times, and is not said."""
    first = _ARROW.split(line, maxsplit=1)[0].strip()
    return "-->" in line or bool(re.fullmatch(r"[\d:.,\s]*:[\d:.,\s]*", first[:_LONGEST_TIMING]))


def _drop_number(texts: list[tuple[int, str]], count: int, at_end: bool = False) -> None:
    """Take the number of the following cue off the text of the cue before it."""
    rest = [k for k, (_, line) in enumerate(texts) if line.strip()]
    if not rest or not re.fullmatch(r"\s*#?\d{1,9}\s*[.:]?\s*", texts[rest[-1]][1]):
        return
    last = rest[-1]
    directly = last == len(texts) - 1 and not at_end
    apart = last == 0 or not texts[last - 1][1].strip()
    if directly or (apart and (count == 0 or len(rest) > 1)):
        del texts[last:]


def _web_cues(lines: list[str]) -> tuple[list[_Raw], _Problems]:
    raws: list[_Raw] = []
    problems: _Problems = []
    block: list[tuple[int, str]] = []
    for number, line in enumerate([*lines, ""], 1):
        if line.strip():
            block.append((number, line))
            continue
        if block:
            _web_block(block, raws, problems)
        block = []
    return raws, problems


def _web_block(block: list[tuple[int, str]], raws: list[_Raw], problems: _Problems) -> None:
    timed = [k for k, (_, line) in enumerate(block) if _ARROW.search(line) and _is_timing(line)]
    header = block[0][1].startswith("WEBVTT")
    if _BLOCKS.match(block[0][1]) or (header and not timed):
        return
    if not timed:
        problems.append((block[0][0], f"text outside of any cue: {_short(block[0][1])}"))
        return
    if timed[0] > 1 and not header:
        problems.append((block[0][0], f"text outside of any cue: {_short(block[0][1])}"))
    for k, end in zip(timed, [*timed[1:], len(block)], strict=True):
        raw = _Raw(block[k][0], block[k][1], block[k + 1 : end])
        if end < len(block):
            _drop_number(raw.texts, len(raws) + 1)
        raws.append(raw)


def _cue(raw: _Raw, problems: _Problems) -> Cue | None:
    """Read a cue; None where it is none, with its problem unless it only describes."""
    times = _times(raw, problems)
    told = voices([line for _, line in raw.texts])
    text = " ".join(part for _, part in told if part)
    names = list(dict.fromkeys(name for name, part in told if name and part))
    if not any(without_tags(line) for _, line in raw.texts):
        problems.append((raw.line, "no text: write what is said, or delete the cue"))
    if len(names) > 1:
        both = " and ".join(names)
        problems.append((raw.line, f"{both} speak in one cue: give each a cue of their own"))
    if times is None or not any(letter.isalnum() for letter in text):
        return None
    return Cue(*times, text, raw.line, names[0] if names else "")


def _times(raw: _Raw, problems: _Problems) -> tuple[Fraction, Fraction] | None:
    first, second = _ARROW.split(raw.times, maxsplit=1)
    match = _SECOND.fullmatch(second.strip()) if len(second) < _LONGEST_TIMING else None
    try:
        start, end = parse_time(first), parse_time(match["time"] if match else second)
    except ValueError as error:
        problems.append((raw.line, str(error)))
        return None
    if end < start:
        problems.append(
            (raw.line, f"ends at {shown_time(end)}, before it starts at {shown_time(start)}")
        )
    elif end == start:
        problems.append((raw.line, f"starts and ends at {shown_time(start)}: it lasts no time"))
    return (start, end) if end > start else None


def _named(cues: list[Cue]) -> list[Cue]:
    names = named_often([cue.text for cue in cues if not cue.speaker])
    told = []
    for cue in cues:
        name, text = ("", "") if cue.speaker else split_name(cue.text, names)
        told.append(replace(cue, text=text, speaker=name) if name else cue)
    return told


def _ordered(cues: list[Cue], problems: _Problems) -> list[Cue]:
    """Find what overlaps or comes too late in the file; part what overlaps by a hair."""
    kept: list[Cue] = []
    latest: dict[str, int] = {}  # of each speaker the cue that ends last
    for cue in cues:
        if kept and cue.start < kept[-1].start:
            problems.append(
                (cue.line, f"starts at {shown_time(cue.start)}, before the cue of line "
                           f"{kept[-1].line}, which starts at {shown_time(kept[-1].start)}")
            )  # fmt: skip
            continue
        clear = True
        latest = {name: k for name, k in latest.items() if kept[k].end > cue.start}
        for name, k in latest.items():
            other = kept[k]
            over = other.end - cue.start
            if over <= 0 or (name and cue.speaker and name != cue.speaker):
                continue
            if over <= _ROUNDED and cue.start > other.start:
                kept[k] = replace(other, end=cue.start)
            else:
                clear = False
                problems.append(
                    (cue.line, f"starts at {shown_time(cue.start)}, while the cue of line "
                               f"{other.line} lasts until {shown_time(other.end)}")
                )  # fmt: skip
        if not clear:
            continue
        k = latest.get(cue.speaker, -1)
        if k < 0 or kept[k].end <= cue.end:
            latest[cue.speaker] = len(kept)
        kept.append(cue)
    return kept


def _short(text: str) -> str:
    text = text.strip()
    return repr(text if len(text) <= 40 else text[:37] + "...")
