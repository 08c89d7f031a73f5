"""Jobs of somebody who must reach no file of this machine but the inputs of the job.

Options and segments hold words that a dub at home may take for names of files. Here none is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from labial.errors import JobError, ScriptError
from labial.jobs.job import Job

_SEGMENTS = "segments.own.json"
# Stands for the speech of a job, which of several languages is another file for each.
_SPEECH = Path("/the speech of the job")
_WORDS = frozenset({"text"})


def harmless(job: Job, folder: Path) -> Job:
    """Return a job that names no file but its inputs.

    Parameters
    ----------
    job
        The job. ``sound.NAME`` among its inputs is what segments call ``NAME``.
    folder
        Of the job: its segments are written anew there.

    Raises
    ------
    JobError
        An option names a file.
    ScriptError
        Segments cannot be read, or name a file that is no input; all that is wrong with them.
    """
    expect_no_files(job.options)
    inputs = {role: path.absolute() for role, path in job.inputs.items()}
    options = dict(job.options)
    if "segments" in inputs:
        inputs["segments"] = _written(job, folder)
        options.pop("cast", None)  # it is in what was written
    return replace(job, inputs=inputs, options=options)


def expect_no_files(options: Mapping[str, Any]) -> None:
    """Raise JobError where an option of a job could be taken for a file's name."""
    for name, value in options.items():
        if name not in _WORDS:
            _expect_no_file(name, value)


def names_file(text: str) -> bool:
    """Tell whether an option's word could be taken for a file's name."""
    return (
        any(each in text for each in ("/", "\\", "\0"))
        or text.startswith(("~", "."))
        or text.lower().endswith((".json", ".onnx", ".txt", ".text", ".srt", ".vtt"))
    )


def _expect_no_file(name: str, value: Any) -> None:
    for each in value if isinstance(value, (list, tuple)) else [value]:
        # Of NAME=PERSON only the person may be a file.
        word = str(each).rpartition("=")[2] if name == "cast" else str(each)
        if isinstance(each, str) and names_file(word):
            raise JobError(f"{name} {each}: files come as inputs of the job, not by their names")


def _written(job: Job, folder: Path) -> Path:
    """Write the segments of a job anew, each on its own line as before, for errors to name it."""
    from labial.script.decode import shown
    from labial.script.segments import parse_cast, segments_and_problems

    path = job.inputs["segments"]
    spoken = any(role.partition(".")[0] == "audio" for role in job.inputs)
    told = job.options.get("cast", ())
    cast = parse_cast([told] if isinstance(told, str) else list(told))
    segments, problems = segments_and_problems(path, _SPEECH if spoken else None, cast)
    rows: list[tuple[int, dict[str, Any]]] = []
    for segment in segments:
        row: dict[str, Any] = {
            "start": _time(segment.start),
            "end": _time(segment.end),
            "text": segment.text,
            "voice": segment.voice,
            "language": segment.language,
            "speaker": segment.speaker,
            **segment.options,
        }
        if segment.audio is not None:
            row["audio_start"] = _time(segment.audio_start)
            row["audio_end"] = None if segment.audio_end is None else _time(segment.audio_end)
            if segment.audio != _SPEECH:
                sound = _input(job, segment.audio, path.parent)
                if isinstance(sound, Path):
                    row["audio"] = str(sound)
                else:
                    problems.append(f"line {segment.line}: {sound}")
        for name in ("voice", "language", "speaker"):
            if row[name] is not None and names_file(row[name]):
                problems.append(f"line {segment.line}: {name} {row[name]}: no file is taken here")
        rows.append((segment.line, {key: value for key, value in row.items() if value is not None}))
    if problems:
        raise ScriptError(shown(path), problems)
    own = folder / _SEGMENTS
    own.write_text(_lined(rows), encoding="utf-8")
    return own.absolute()


def _input(job: Job, audio: Path, folder: Path) -> Path | str:
    """The input that a segment's sound is, or what is wrong with it."""
    name = str(audio.relative_to(folder)) if audio.is_relative_to(folder) else str(audio)
    for role in (f"sound.{name}", name):
        if role.startswith("sound.") and role in job.inputs:
            return job.inputs[role].absolute()
    known = job.named("sound")
    there = f"there is {', '.join(known)}" if known else "there is none"
    return f"audio {name}: give it as the input sound.{name}; {there}"


def _time(value: Fraction) -> str:
    """Seconds as a decimal number: exact, for they came as one."""
    return format(Decimal(value.numerator) / Decimal(value.denominator), "f")


def _lined(rows: Iterable[tuple[int, dict[str, Any]]]) -> str:
    text, line = "[", 1
    for number, (wanted, row) in enumerate(rows):
        text += "," if number else ""
        if wanted > line:
            text, line = text + "\n" * (wanted - line), wanted
        text += json.dumps(row, ensure_ascii=True)
    return text + "]\n"
