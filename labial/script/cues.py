"""What is to be said when: the cues of a subtitle file, the paragraphs of a text."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from labial.errors import ScriptError
from labial.script.blocks import ARROW, LONGEST_TIMING, Raw, subrip_cues, web_cues
from labial.script.decode import read_lines, shown
from labial.script.markup import named_often, split_name, voices, without_tags
from labial.script.problems import Problems, placed
from labial.script.times import parse_time, shown_time

# Such an overlap comes from rounding; the earlier cue ends where the later one begins.
_ROUNDED = Fraction(1, 20)

# What follows the second time places the cue in the picture.
_SECOND = re.compile(r"(?P<time>\S*?\d[\d:.,\s]*?)(?:\s+[^\d\s:.,].*|\s*)")


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
    raws, problems = (web_cues if web else subrip_cues)(lines)
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
    return cues, placed(problems)


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


def _cue(raw: Raw, problems: Problems) -> Cue | None:
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


def _times(raw: Raw, problems: Problems) -> tuple[Fraction, Fraction] | None:
    first, second = ARROW.split(raw.times, maxsplit=1)
    match = _SECOND.fullmatch(second.strip()) if len(second) < LONGEST_TIMING else None
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


def _ordered(cues: list[Cue], problems: Problems) -> list[Cue]:
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
