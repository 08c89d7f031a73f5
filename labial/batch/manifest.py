"""Lists of jobs: what each row asks for, and all that is wrong with it before any work."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

from labial.batch.naming import usual_name
from labial.batch.values import read_value
from labial.errors import LabialError, OptionError, ScriptError
from labial.jobs import CONTAINERS, KINDS, Job, Kind
from labial.script.decode import read_lines, shown
from labial.script.problems import Problems, placed, quoted
from labial.script.rows import Row, csv_rows
from labial.script.values import read_switch, unknown_name

OWN = ("kind", "out", "container", "report")
"""Columns that are neither inputs nor options."""
_USUAL = "dub"
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://|data:", re.IGNORECASE)
_TABLES = (".csv", ".tsv")
_OBJECTS = (".jsonl", ".ndjson")


@dataclass(frozen=True)
class Item:
    """A row of a manifest.

    Parameters
    ----------
    line
        Line of the manifest in which it begins, from 1.
    name
        Its output, as a user reads it: relative to the folder of outputs where it lies in that.
    job
        What is to be done. ``out`` is set.
    """

    line: int
    name: str
    job: Job

    @property
    def out(self) -> Path:
        """The file to be made; with several languages ``{lang}`` is in its name."""
        assert self.job.out is not None
        return self.job.out


def columns() -> dict[str, tuple[str, ...]]:
    """Return all columns there are, each with the kinds of jobs that know it."""
    found: dict[str, list[str]] = {name: list(KINDS) for name in OWN}
    for kind in KINDS.values():
        for name in (*(each.role for each in kind.inputs), *kind.settable):
            found.setdefault(name, []).append(kind.name)
    return {name: tuple(kinds) for name, kinds in found.items()}


def read_manifest(
    path: str | os.PathLike[str], folder: str | os.PathLike[str] | None = None
) -> list[Item]:
    """Read a list of jobs.

    Parameters
    ----------
    path
        A table (``.csv``, ``.tsv``) with a header, or lines of JSON objects (``.jsonl``). Columns,
        or names of members, are those of :func:`columns`; several inputs of a role are
        ``audio.es``, ``audio.fr``. Empty cells count for nothing. Names of inputs are relative to
        the folder of ``path``.
    folder
        Where outputs go; ``out`` is relative to it. Default: beside ``path``, with its name less
        the extension.

    Raises
    ------
    OptionError
        ``path`` ends otherwise.
    ReadError
        It cannot be read.
    ScriptError
        All that is wrong with it, with lines: unknown columns, values that an option does not
        take, inputs that are missing, rows that write the same file.
    """
    place, name = Path(path), shown(path)
    ending = place.suffix.lower()
    if ending not in _TABLES + _OBJECTS:
        raise OptionError(f"{name}: a list of jobs ends in {', '.join(_TABLES + _OBJECTS)}")
    home = place.absolute().parent
    goal = home / place.stem if folder is None else Path(folder).absolute()
    lines, problems = read_lines(path), list[tuple[int, str]]()
    rows = _table(lines, problems) if ending in _TABLES else _objects(lines, problems)
    items = []
    for row in rows:
        before = len(problems)
        item = _Reader(row, home, goal, problems).item()
        if item is not None and len(problems) == before:
            items.append(item)
    if not rows and not problems:
        problems.append((0, "there are no jobs in it"))
    _apart(items, problems)
    if problems:
        raise ScriptError(name, placed(problems))
    return items


def _table(lines: list[str], problems: Problems) -> list[Row]:
    rows, header = csv_rows(lines, problems)
    known = columns()
    for name in header.values:
        base = _plain(name).partition(".")[0]
        if name and base not in known:
            problems.append((header.line, f"column {unknown_name(name, tuple(known))}"))
    kept = [
        {
            name: value
            for name, value in row.values.items()
            if _plain(name).partition(".")[0] in known
        }
        for row in rows
    ]
    return [Row(row.line, values) for row, values in zip(rows, kept, strict=True)]


def _objects(lines: list[str], problems: Problems) -> list[Row]:
    rows = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line, object_pairs_hook=_once)
        except json.JSONDecodeError as error:
            problems.append((number, f"no JSON, column {error.colno}: {error.msg}"))
        except (ValueError, RecursionError) as error:
            problems.append((number, str(error)))
        else:
            if isinstance(value, dict):
                rows.append(Row(number, value))
            else:
                problems.append((number, 'no job: write {"video": "a.mp4", "audio": "a.wav"}'))
    return rows


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError("a name is given twice")
    return values


def _plain(name: str) -> str:
    """A column as it is called here: ``Keep-Audio`` is ``keep_audio``, ``audio.es`` as it is."""
    base, dot, more = name.strip().partition(".")
    return f"{base.strip().lower().replace('-', '_').replace(' ', '_')}{dot}{more.strip()}"


class _Reader:
    """One row, and what is wrong with it."""

    def __init__(self, row: Row, home: Path, goal: Path, problems: Problems) -> None:
        self._line, self._home, self._goal = row.line, home, goal
        self._problems = problems
        self._values = {_plain(name): value for name, value in row.values.items()}

    def item(self) -> Item | None:
        """Return the job, or None where it cannot be described."""
        name = str(self._values.pop("kind", _USUAL)).strip().lower()
        kind = KINDS.get(name)
        if kind is None:
            self._wrong(f"kind: {unknown_name(name, tuple(KINDS))}")
            return None
        before = len(self._problems)
        out, container = self._values.pop("out", None), self._values.pop("container", None)
        report = self._report()
        inputs, options = self._parted(kind)
        if len(self._problems) > before:
            return None
        try:
            job = Job(kind.name, inputs, options, container, report)
            self._check_segments(job)
            target = self._target(job, out)
        except ScriptError as error:
            for problem in error.problems:
                self._wrong(f"{Path(error.name).name}: {problem}")
            return None
        except (LabialError, ValueError) as error:
            self._wrong(str(error).removeprefix("--"))
            return None
        inside = target.is_relative_to(self._goal)
        shown_name = str(target.relative_to(self._goal) if inside else target)
        return Item(
            self._line, shown_name, Job(kind.name, inputs, options, container, report, target)
        )

    def _wrong(self, phrase: str) -> None:
        self._problems.append((self._line, phrase))

    def _report(self) -> bool:
        given = self._values.pop("report", None)
        try:
            return given is not None and read_switch(given)
        except ValueError as error:
            self._wrong(f"report: {error}")
            return False

    def _parted(self, kind: Kind) -> tuple[dict[str, Path], dict[str, Any]]:
        inputs: dict[str, Path] = {}
        options: dict[str, Any] = {}
        roles = {each.role: each for each in kind.inputs}
        wanted = {} if kind.options is None else get_type_hints(kind.options)
        for name, given in self._values.items():
            base, dot, more = name.partition(".")
            try:
                if base in roles and (not dot or (roles[base].many and more)):
                    inputs[name] = self._input(given)
                elif not dot and name in kind.settable:
                    options[name] = read_value(wanted[name], given)
                else:
                    known = (*OWN, *roles, *kind.settable)
                    told = unknown_name(name, known) if name not in columns() else quoted(name)
                    self._wrong(
                        f"{told}" if name not in columns() else f"{kind.name} takes no {name}"
                    )
            except ValueError as error:
                self._wrong(f"{name}: {error}")
        return inputs, options

    def _input(self, given: Any) -> Path:
        from labial.media.sequence import is_sequence

        if not isinstance(given, str) or not given.strip() or "\x00" in given:
            raise ValueError(f"{quoted(given)} is no name of a file")
        if _URL.match(given.strip()):
            raise ValueError(f"{quoted(given)}: addresses are not fetched, name a file")
        path = self._home / Path(given.strip()).expanduser()
        if not path.exists() and not is_sequence(path):
            raise ValueError(f"there is no file {given.strip()}")
        return path

    def _target(self, job: Job, out: Any) -> Path:
        if out is None:
            target = self._goal / usual_name(job)
        else:
            if not isinstance(out, str) or not Path(out).name or "\x00" in out or _URL.match(out):
                raise ValueError(f"out: {quoted(out)} is no name of a file")
            target = self._goal / Path(out.strip()).expanduser()
            if ".." in target.parts:
                target = Path(os.path.normpath(target))
            if target.is_dir():
                raise ValueError(f"out: {out} is a folder, name a file in it")
            own = target.suffix.lower().removeprefix(".")
            if job.container is not None and own != job.container:
                raise ValueError(f"container {job.container}: out ends in .{own}, leave one out")
            if job.kind in ("dub", "animate", "fix") and own not in (*CONTAINERS, "m4v"):
                raise ValueError(f"out: {target.name}: use a name in .{', .'.join(CONTAINERS)}")
        many = sum(role.startswith("audio.") for role in job.inputs)
        muxed = job.options.get("mux", "off") != "off"
        if many and not muxed and "{lang}" not in target.name:
            raise ValueError(f"out: {target.name}: with several languages write {{lang}} into it")
        for path in job.inputs.values():
            if target.exists() and path.exists() and target.samefile(path):
                raise ValueError(f"out: {target.name} is an input of it, choose another name")
        return target

    def _check_segments(self, job: Job) -> None:
        if "segments" in job.inputs:
            from labial.script.segments import parse_cast, read_segments

            cast = parse_cast(job.options.get("cast", ()))
            read_segments(job.inputs["segments"], job.inputs.get("audio"), cast)


def _apart(items: Iterable[Item], problems: Problems) -> None:
    """No two rows write the same, and none what another reads."""
    first: dict[str, Item] = {}
    items = list(items)
    for item in items:
        key = os.path.normcase(item.out)
        other = first.setdefault(key, item)
        if other is not item:
            problems.append(
                (item.line, f"writes {item.name}, as line {other.line}: give it another out")
            )
    for item in items:
        for path in item.job.inputs.values():
            writer = first.get(os.path.normcase(path))
            if writer is not None:
                problems.append((writer.line, f"out: {writer.name} is what line {item.line} reads"))
