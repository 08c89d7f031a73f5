"""What is to be dubbed when: the segments of a file."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from labial.errors import OptionError, ScriptError
from labial.script.cues import cues_and_problems
from labial.script.decode import read_lines, shown
from labial.script.problems import Problems, by_line, placed
from labial.script.rows import Row, csv_rows, json_rows
from labial.script.times import shown_time
from labial.script.values import (
    fault,
    read_line,
    read_number,
    read_switch,
    read_time,
    unknown_name,
)

OPTIONS = ("articulation", "expression", "closures", "rest", "onset")
"""Options of a dub that a segment may set for itself."""
_TIMES = ("start", "end", "audio_start", "audio_end")
_TEXTS = ("audio", "text", "voice", "language", "speaker")
KEYS = (*_TIMES, *_TEXTS, *OPTIONS)
"""Names of a segment's values, in JSON and as columns of a CSV file."""
WHO = "which person is"
"""How a problem with a name that means nobody begins."""
TOLD = ("video", "length", "fps", "heard", "warnings", "speech", "sync_modes")
"""What else a plan in JSON says; it is no part of the segments."""


@dataclass(frozen=True)
class Segment:
    """A stretch of the video in which somebody says something else.

    Parameters
    ----------
    start, end
        Seconds from the video's first frame.
    audio
        File with what is said; None where ``text`` is to be spoken.
    audio_start, audio_end
        Seconds of that file that are laid at ``start``; None is as far as the segment or the file
        goes.
    text
        What is said.
    voice, language
        With which voice it is spoken, and its language; None leaves both to the options.
    speaker
        Who says it, as :attr:`labial.options.DubOptions.speaker`.
    options
        Fields of :class:`labial.options.DubOptions` that differ in this segment.
    line
        Line of the file in which it begins, from 1; 0 where it is of no file.
    """

    start: Fraction
    end: Fraction
    audio: Path | None = None
    audio_start: Fraction = Fraction(0)
    audio_end: Fraction | None = None
    text: str = ""
    voice: str | None = None
    language: str | None = None
    speaker: str = "auto"
    options: Mapping[str, Any] = field(default_factory=dict)
    line: int = 0


def read_segments(
    path: str | os.PathLike[str],
    audio: str | os.PathLike[str] | None = None,
    cast: Mapping[str, str] | None = None,
) -> list[Segment]:
    """Read the segments of a ``.json``, ``.csv``, ``.tsv``, ``.srt`` or ``.vtt`` file.

    Parameters
    ----------
    path
        JSON: a list of objects with the names :data:`KEYS`, or an object that has it as
        ``segments``, and perhaps a ``cast`` as below. CSV: such names as a header, cells parted by
        comma, semicolon, tab or bar. SubRip and WebVTT: each cue is a segment. Times are seconds
        or ``[h:]m:s.ms``. Names of files are relative to the folder of ``path``.
    audio
        Speech for all segments that name none: each takes what it says from ``start`` to ``end``
        there too. Without it their text is to be spoken.
    cast
        Who in the picture is meant by a name, such as ``{"ANNA": "0"}``. A file that knows only one
        name needs none.

    Raises
    ------
    ReadError
        The file cannot be read.
    ScriptError
        All that is wrong with it, with lines.
    """
    segments, problems = segments_and_problems(path, audio, cast)
    if problems:
        raise ScriptError(shown(path), problems)
    return segments


def segments_and_problems(
    path: str | os.PathLike[str],
    audio: str | os.PathLike[str] | None = None,
    cast: Mapping[str, str] | None = None,
) -> tuple[list[Segment], list[str]]:
    """Return the segments that can be read, and a phrase for each problem."""
    speech = None if audio is None else Path(audio)
    suffix = Path(path).suffix.lower()
    known = dict(cast or {})
    if suffix in (".srt", ".vtt"):
        segments, told = _of_cues(path, speech)
    elif suffix in (".json", ".csv", ".tsv"):
        problems: Problems = []
        unknown: dict[str, None] = {}
        lines = read_lines(path)
        if suffix == ".json":
            rows, others = json_rows(lines, problems)
            known = _cast(others, problems) | known
        else:
            rows, header = csv_rows(lines, problems)
            _keyed(header, unknown, problems)
        if not rows and not problems:
            problems.append((0, "there are no segments in it"))
        folder = Path(path).parent
        segments = _of_rows(rows, unknown, folder, speech, problems)
        told = placed(problems)
    else:
        raise ScriptError(
            shown(path),
            [f"the name ends in {suffix or 'nothing'}: use .json, .csv, .tsv, .srt or .vtt"],
        )
    names = dict.fromkeys(segment.speaker for segment in segments if segment.speaker != "auto")
    there = f"; there is {', '.join(names)}" if names else ""
    unasked = [
        f"cast {name}: nobody in it is called so{there}"
        for name in cast or {}
        if segments and name not in names
    ]
    segments, nobody = _with_persons(segments, known)
    return segments, by_line([*unasked, *told, *nobody])


def parse_cast(items: Sequence[str]) -> dict[str, str]:
    """Read ``NAME=PERSON``, as on a command line.

    Raises
    ------
    OptionError
        One is not like that.
    """
    named = {}
    for item in items:
        name, equals, person = item.partition("=")
        if not (name.strip() and equals and person.strip()):
            raise OptionError(f"--cast {item}: write NAME=PERSON, such as ANNA=0")
        named[name.strip()] = person.strip()
    return named


def _of_cues(path: str | os.PathLike[str], audio: Path | None) -> tuple[list[Segment], list[str]]:
    cues, problems = cues_and_problems(path)
    return [
        Segment(
            cue.start,
            cue.end,
            audio,
            cue.start if audio is not None else Fraction(0),
            cue.end if audio is not None else None,
            cue.text,
            speaker=cue.speaker or "auto",
            line=cue.line,
        )
        for cue in cues
    ], problems


def _cast(others: Mapping[str, Any], problems: Problems) -> dict[str, str]:
    """The persons of names out of a JSON file's own member."""
    for name in others:
        if name not in ("cast", *TOLD):
            problems.append((0, unknown_name(name, ("segments", "cast"))))
    named = others.get("cast", {})
    if not isinstance(named, dict):
        problems.append((0, 'cast: write {"cast": {"ANNA": "0"}, "segments": [...]}'))
        return {}
    return {name: str(person) for name, person in named.items()}


def _with_persons(
    segments: list[Segment], known: Mapping[str, str]
) -> tuple[list[Segment], list[str]]:
    """Put persons in the place of names."""
    problems: list[str] = []
    for name, person in known.items():
        if wrong := fault(speaker=person):
            problems.append(f"cast {name}: {wrong}")
    names = {segment.speaker for segment in segments if fault(speaker=segment.speaker)}
    alone = len({segment.speaker for segment in segments}) == 1
    told = []
    for segment in segments:
        name = segment.speaker
        if name in known:
            segment = replace(segment, speaker=known[name])
        elif name in names and alone:
            segment = replace(segment, speaker="auto")
        elif name in names:
            problems.append(
                f"line {segment.line}: {WHO} {name}? give a number, as "
                f"'labial inspect' shows them: --cast {name}=0"
            )
            segment = replace(segment, speaker="auto")
        told.append(segment)
    return told, problems


def _of_rows(
    rows: list[Row], unknown: dict[str, None], folder: Path, speech: Path | None, problems: Problems
) -> list[Segment]:
    told = (_segment(row.line, _keyed(row, unknown, problems), folder, speech, problems)
            for row in rows)  # fmt: skip
    return [segment for segment in told if segment is not None]


def _keyed(row: Row, unknown: dict[str, None], problems: Problems) -> dict[str, Any]:
    """The values of a row by their :data:`KEYS`; what is ``unknown`` is one problem, not many."""
    values: dict[str, Any] = {}
    for name, value in row.values.items():
        key = "_".join(re.split(r"[\s_-]+", name.strip().lower()))
        if key in KEYS:
            values[key] = value
        elif name not in unknown:
            unknown[name] = None
            problems.append((row.line, unknown_name(name, KEYS)))
    return values


def _segment(
    line: int, values: dict[str, Any], folder: Path, speech: Path | None, problems: Problems
) -> Segment | None:
    """Read one row; None where it has no times, with all its problems told."""

    def read(name: str, reader: Callable[[Any], Any]) -> Any:
        value = values.get(name)
        if value is None or value == "":
            return None
        try:
            return reader(value)
        except ValueError as error:
            problems.append((line, f"{name}: {error}"))
            return None

    times = {name: read(name, read_time) for name in _TIMES}
    texts = {name: read(name, read_line) for name in _TEXTS}
    options = {name: read(name, read_number) for name in ("articulation", "expression")}
    options |= {name: read(name, read_switch) for name in ("closures", "rest", "onset")}
    options = {name: value for name, value in options.items() if value is not None}
    for name, value in options.items():
        if wrong := fault(**{name: value}):
            problems.append((line, wrong))
    if texts["speaker"] and texts["speaker"].endswith(".json"):
        texts["speaker"] = str(folder / texts["speaker"])
    for name in ("start", "end"):
        if values.get(name) in (None, ""):
            problems.append((line, f"no {name}"))
    start, end, first, last = (times[name] for name in _TIMES)
    audio = None
    if texts["audio"]:
        audio = folder / texts["audio"]
    elif speech is not None and start is not None and end is not None:
        audio, first = speech, start if first is None else first
        last = first + end - start if last is None else last
    if audio is None and speech is None and not texts["text"]:
        problems.append((line, "neither audio nor text: say what is spoken"))
    if audio is None and speech is None and (first is not None or last is not None):
        problems.append((line, "audio_start and audio_end are of no audio: name its file"))
    for one, other, names in ((start, end, _TIMES[:2]), (first, last, _TIMES[2:])):
        if one is not None and other is not None and other <= one:
            problems.append(
                (line, f"{names[1]} {shown_time(other)} does not come after {names[0]} "
                       f"{shown_time(one)}")
            )  # fmt: skip
            return None
    if start is None or end is None:
        return None
    return Segment(
        start, end, audio, first or Fraction(0), last, texts["text"] or "", texts["voice"],
        texts["language"], texts["speaker"] or "auto", options, line,
    )  # fmt: skip
