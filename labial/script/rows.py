"""Rows of named values out of a JSON or CSV file, each with the line in which it begins."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from labial.script.problems import Problems

_SPACE = re.compile(r"[ \t\r\n]*")
_DELIMITERS = ",;\t|"


@dataclass(frozen=True)
class Row:
    """One row: the line in which it begins, from 1, and its values by name."""

    line: int
    values: dict[str, Any]


def json_rows(lines: list[str], problems: Problems) -> tuple[list[Row], dict[str, Any]]:
    """Return the objects of a list, or of the list ``segments`` of an object and its other members.

    Numbers with a point are :class:`decimal.Decimal`. What is wrong is added to ``problems``, with
    its line.
    """
    text = "\n".join(lines)
    repeated: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        values = dict(items)
        if len(values) < len(items):
            counts = Counter(name for name, _ in items)
            repeated.extend(name for name in values if counts[name] > 1)
        return values

    def constant(name: str) -> Any:
        raise ValueError(f"{name} is no number that can be used here")

    decoder = json.JSONDecoder(
        object_pairs_hook=pairs, parse_float=Decimal, parse_constant=constant
    )
    rows: list[Row] = []
    others: dict[str, Any] = {}
    line = 1
    try:
        whole = json.loads(text, parse_constant=str, parse_float=str)
        if isinstance(whole, dict):
            others = {key: value for key, value in whole.items() if key != "segments"}
        for line, start in _elements(text, decoder, problems):
            repeated.clear()
            value, _ = decoder.raw_decode(text, start)
            problems += [(line, f"{name!r} is given twice") for name in repeated]
            if isinstance(value, dict):
                rows.append(Row(line, value))
            else:
                problems.append(
                    (line, 'not a segment: write {"start": 1.5, "end": 3, "audio": "a.wav"}')
                )
    except json.JSONDecodeError as error:
        problems.append((error.lineno, f"no JSON, column {error.colno}: {error.msg}"))
    except RecursionError:
        problems.append((line, "thousands of lists in lists cannot be read"))
    except ValueError as error:
        reason = "a number has thousands of digits" if "digits" in str(error) else str(error)
        problems.append((line, reason))
    return rows, others


def _elements(
    text: str, decoder: json.JSONDecoder, problems: Problems
) -> Iterator[tuple[int, int]]:
    """Yield line and position of each element of the list of segments."""
    at = _skip(text, 0)
    if text[at] == "{":
        at = _member(text, at, decoder, problems)
    if at < 0 or text[at] != "[":
        line = text.count("\n", 0, max(at, 0)) + 1
        problems.append((line, 'there is no list of segments: write [{"start": 1.5, ...}, ...]'))
        return
    at = _skip(text, at + 1)
    line, counted = 1, 0
    while text[at] != "]":
        line, counted = line + text.count("\n", counted, at), at
        yield line, at
        # What comes in between is valid, for the whole text was read before.
        _, at = json.JSONDecoder(parse_float=str, parse_constant=str).raw_decode(text, at)
        at = _skip(text, at)
        at = _skip(text, at + 1) if text[at] == "," else at


def _member(text: str, at: int, decoder: json.JSONDecoder, problems: Problems) -> int:
    """Return the position of the value of ``segments`` in the object at ``at``, or -1."""
    found = -1
    at = _skip(text, at + 1)
    while text[at] != "}":
        key, at = decoder.raw_decode(text, at)
        at = _skip(text, _skip(text, at) + 1)
        if key == "segments":
            found = at
        _, at = json.JSONDecoder(parse_float=str, parse_constant=str).raw_decode(text, at)
        at = _skip(text, at)
        at = _skip(text, at + 1) if text[at] == "," else at
    return found


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match is not None else at


def csv_rows(lines: list[str], problems: Problems) -> tuple[list[Row], Row]:
    """Return the rows below a header, by its names, and the header; empty cells are left out.

    Cells are parted by comma, semicolon, tab or bar: whichever the header has most of.
    """
    first = next(k for k, line in enumerate(lines) if line.strip())
    delimiter = max(_DELIMITERS, key=lines[first].count)
    reader = csv.reader(
        (line + "\n" for line in lines[first:]),
        delimiter=delimiter,
        strict=True,
        skipinitialspace=True,
    )
    rows: list[Row] = []
    header: list[str] = []
    line, top = 0, 0
    try:
        while True:
            line = first + reader.line_num + 1
            cells = [cell.strip() for cell in next(reader)]
            if not any(cells):
                continue
            if not header:
                header, top = cells, line
                if cells[0][:1].isdigit():
                    problems.append((line, "there is no header: begin with start,end,audio"))
                    return [], Row(line, {})
                problems += [
                    (line, f"the column {name!r} is there twice")
                    for name, count in Counter(cells).items()
                    if name and count > 1
                ]
                continue
            if any(cells[len(header) :]):
                problems.append(
                    (line, f"{len(cells)} cells, and the header has {len(header)}: put text with "
                           f"{delimiter!r} in it between quotes")
                )  # fmt: skip
                continue
            named = zip(header, cells, strict=False)
            rows.append(Row(line, {name: cell for name, cell in named if cell}))
    except StopIteration:
        pass
    except csv.Error as error:
        problems.append((line, f"cannot be read from here on: {error}"))
    return rows, Row(top, dict.fromkeys(header))
