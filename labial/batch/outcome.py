"""What came of each job of a list: as lines, as JSON, and as a table."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from labial.exports.formats import write

State = Literal["done", "kept", "failed", "stopped"]
STATES: tuple[State, ...] = ("done", "kept", "failed", "stopped")
_TITLES = ("file", "state", "seconds", "x real time", "re-synced", "")
_LONGEST = 100


@dataclass(frozen=True)
class Outcome:
    """What came of one job.

    Parameters
    ----------
    line, name, kind
        The row of the manifest, its output, and what was asked for.
    state
        ``done``; ``kept``: done by an earlier run, and unchanged; ``failed``; ``stopped`` before it
        was done.
    seconds
        That the work took, all tries together; of what was kept, that it once took.
    media_seconds
        How long the output plays, or what was looked at; None where nothing plays.
    frames, resynced
        Frames of a video that was made, and those of them with a new mouth; None where none was.
    tries
        How often it was begun.
    advice
        Of what is done, what would make it better; of what failed, why.
    files
        What → file that was made.
    """

    line: int
    name: str
    kind: str
    state: State
    seconds: float = 0.0
    media_seconds: float | None = None
    frames: int | None = None
    resynced: int | None = None
    tries: int = 0
    advice: str = ""
    files: dict[str, str] = field(default_factory=dict)

    @property
    def pace(self) -> float | None:
        """Times as fast as it plays; None where that says nothing."""
        return self.media_seconds / self.seconds if self.media_seconds and self.seconds else None

    def row(self) -> tuple[str, ...]:
        """Return its cells under :func:`titles`."""
        synced = "" if self.resynced is None else f"{self.resynced} of {self.frames}"
        seconds = f"{self.seconds:.1f}" if self.seconds else ""
        advice = self.advice.partition("\n")[0]
        short = advice if len(advice) <= _LONGEST else f"{advice[: _LONGEST - 3]}..."
        pace = "" if self.pace is None else f"{self.pace:.2f}"
        return self.name, self.state, seconds, pace, synced, short

    def facts(self) -> dict[str, Any]:
        """Return all of it for JSON."""
        return {**asdict(self), "pace": None if self.pace is None else round(self.pace, 3)}


def titles() -> tuple[str, ...]:
    """Return the heads of the summary table."""
    return _TITLES


def counted(outcomes: Sequence[Outcome]) -> str:
    """Return how many ended how, in a few words."""
    counts = {state: sum(one.state == state for one in outcomes) for state in STATES}
    parts = [f"{count} {state}" for state, count in counts.items() if count]
    return f"{len(outcomes)} jobs: {', '.join(parts)}" if parts else "no jobs"


def told(outcomes: Sequence[Outcome]) -> str:
    """Return the summary table as plain text, in the order of the manifest."""
    rows = [titles(), *(one.row() for one in sorted(outcomes, key=lambda one: one.line))]
    widths = [max(len(row[k]) for row in rows) for k in range(len(_TITLES))]
    lines = [
        "  ".join(
            cell.rjust(width) if 2 <= k <= 4 else cell.ljust(width)
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join([*lines, counted(outcomes)])


def write_outcomes(outcomes: Sequence[Outcome], path: str | os.PathLike[str]) -> None:
    """Write what came of all jobs to a ``.json`` or ``.csv`` file, whole or not at all.

    Raises
    ------
    WriteError
        It cannot be written.
    """
    rows = [one.facts() for one in sorted(outcomes, key=lambda one: one.line)]
    if os.fspath(path).lower().endswith(".csv"):
        text = io.StringIO()
        names = [*(each.name for each in fields(Outcome)), "pace"]
        table = csv.DictWriter(text, names, lineterminator="\n")
        table.writeheader()
        table.writerows({**row, "files": "; ".join(row["files"].values())} for row in rows)
        write([text.getvalue()], path)
        return
    write([json.dumps({"jobs": rows}, indent=1, ensure_ascii=False), "\n"], path)
