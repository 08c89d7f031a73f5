"""A plan: lines of speech, what was found out about them, and how both are told."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from labial.media.probe import show
from labial.options import DubOptions
from labial.script.segments import OPTIONS
from labial.script.times import shown_time
from labial.speech.segments import Phone

SYLLABLES_A_WORD = 1.5
"""By which vowels that are heard become words; English has 1.4, German 1.8, Spanish 2."""

_NUMBER = re.compile(r"~?[\d:.]+( s)?")


@dataclass(frozen=True)
class Line:
    """Speech that is laid into the video, and whose mouth goes with it.

    Parameters
    ----------
    start, end
        Seconds from the video's first frame.
    audio
        File with the speech; None where ``text`` is still to be spoken.
    audio_start, audio_end
        Seconds of that file which are laid at ``start``; at most ``end - start`` long.
    speaker
        Who says it, as :attr:`labial.options.DubOptions.speaker`.
    options
        The options of this line.
    text
        What is said; "" where only the sound knows.
    voice, language
        With which voice a text is to be spoken, and its language, or None.
    line
        Line of the file of segments, 0 where it is of none.
    phones
        What a synthesiser says of its own speech, from ``audio_start`` on; empty where the sound
        alone is known.
    """

    start: Fraction
    end: Fraction
    audio: Path | None
    audio_start: Fraction
    audio_end: Fraction
    speaker: str
    options: DubOptions
    text: str = ""
    voice: str | None = None
    language: str | None = None
    line: int = 0
    phones: tuple[Phone, ...] = ()


@dataclass(frozen=True)
class Heard:
    """What was found out about a line.

    Parameters
    ----------
    seconds
        Of it somebody speaks; None where it is still to be spoken.
    words_a_minute
        While somebody speaks; None where there is nothing to count.
    counted
        What was counted: the words of the text, or the vowels that the network heard.
    people
        Persons who are dubbed; empty where the video was not looked at, or nobody is there.
    """

    seconds: float | None = None
    words_a_minute: float | None = None
    counted: Literal["words", "vowels", ""] = ""
    people: tuple[int, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What a dub will do.

    Parameters
    ----------
    video
        The video.
    length
        Its length in seconds.
    fps
        Its frames a second, on average.
    lines
        What is said, by ``start``.
    warnings
        What will be done, but perhaps is not what was meant.
    heard
        For each line what was found out about it.
    """

    video: Path
    length: Fraction
    fps: Fraction
    lines: tuple[Line, ...]
    warnings: tuple[str, ...] = ()
    heard: tuple[Heard, ...] = ()

    @property
    def speakers(self) -> tuple[str, ...]:
        """Who says something, in the order of the lines."""
        return tuple(dict.fromkeys(line.speaker for line in self.lines))

    def summary(self) -> str:
        """Return a table of the lines, and the warnings, as plain text."""
        title = f"{headline(self.video, self.length, self.fps)}, {_count(len(self.lines), 'line')}"
        rows = [("from", "to", "line", "who", "speaks", "words/min", "what")]
        known = self.heard or (Heard(),) * len(self.lines)
        for line, heard in zip(self.lines, known, strict=True):
            rows.append(
                (
                    shown_time(line.start),
                    shown_time(line.end),
                    f"{line.line}" if line.line else "",
                    _who(line, heard),
                    "" if heard.seconds is None else f"{heard.seconds:.1f} s",
                    _pace(heard),
                    _what(line),
                )
            )
        told = [title, "", *table(rows)]
        if any(heard.counted == "vowels" for heard in known):
            told += ["", f"~ words by the vowels that are heard, {SYLLABLES_A_WORD:g} to a word"]
        if self.warnings:
            told += ["", *(f"warning: {warning}" for warning in self.warnings)]
        return "\n".join(told)

    def to_json(self) -> str:
        """Return the plan as JSON, which is a file of segments too.

        Times are seconds; ``heard`` holds what was found out about each of the ``segments``.
        """
        whole = {
            "video": show(self.video),
            "length": seconds(self.length),
            "fps": round(float(self.fps), 6),
            "segments": [_written(line) for line in self.lines],
            "heard": [vars(heard) for heard in self.heard],
            "warnings": list(self.warnings),
        }
        return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"


def headline(video: Path, length: Fraction, fps: Fraction) -> str:
    """Return a video's name, length and rate."""
    return f"{show(video)}: {float(length):.2f} s, {float(fps):.5g} frames a second"


def seconds(time: Fraction) -> float:
    """Return a time as it is written into JSON, exact to a nanosecond."""
    return round(float(time), 9)


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as lines with their columns below each other, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    number = [
        all(not row[k] or _NUMBER.fullmatch(row[k]) for row in rows[1:]) for k in range(len(widths))
    ]
    told = []
    for row in rows:
        cells = zip(row, widths, number, strict=True)
        aligned = (cell.rjust(wide) if right else cell.ljust(wide) for cell, wide, right in cells)
        told.append("  ".join(aligned).rstrip())
    return told


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _who(line: Line, heard: Heard) -> str:
    if not heard.people:
        return f"person {line.speaker}" if line.speaker.isdigit() else line.speaker
    return "person " + ", ".join(map(str, heard.people))


def _pace(heard: Heard) -> str:
    if heard.words_a_minute is None:
        return ""
    return ("~" if heard.counted == "vowels" else "") + f"{heard.words_a_minute:.0f}"


def _what(line: Line) -> str:
    if line.audio is None:
        text = line.text if len(line.text) <= 40 else line.text[:37] + "..."
        return f'"{text}"'
    return f"{line.audio.name} {shown_time(line.audio_start)}-{shown_time(line.audio_end)}"


def _written(line: Line) -> dict[str, Any]:
    usual = DubOptions()
    row: dict[str, Any] = {"start": seconds(line.start), "end": seconds(line.end)}
    if line.audio is not None:
        row["audio"] = show(line.audio.absolute())
        row["audio_start"] = seconds(line.audio_start)
        row["audio_end"] = seconds(line.audio_end)
    row |= {name: value for name in ("text", "voice", "language") if (value := getattr(line, name))}
    row["speaker"] = line.speaker
    row |= {
        name: getattr(line.options, name)
        for name in OPTIONS
        if getattr(line.options, name) != getattr(usual, name)
    }
    return row
