"""Show on stderr how far a piece of work is; the object is itself the hook that is called."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

PLAIN_INTERVAL_SECONDS = 10.0


class Progress:
    """A context manager and hook: ``hook(stage, done, total)``.

    On a terminal it draws one bar a stage, with rate and time left, and wipes them at the end.
    Elsewhere (a log, a pipe) it writes one line when a stage is complete, and one every ten
    seconds of a stage that takes longer. Stages may overlap and be reported by several threads.

    Parameters
    ----------
    stream
        Where to write; default ``sys.stderr``.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._lock = threading.Lock()
        self._rich: RichProgress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._began: dict[str, float] = {}
        self._spoke: dict[str, float] = {}
        self._complete: set[str] = set()

    def __enter__(self) -> Progress:
        if self._stream.isatty():
            self._rich = _bars(self._stream)
            self._rich.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._rich is not None:
            self._rich.stop()
            self._rich = None

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """Take note that ``done`` of ``total`` units (None: unknown) of ``stage`` are finished."""
        with self._lock:
            if self._rich is not None:
                self._draw(self._rich, stage, done, total)
            else:
                self._write(stage, done, total)

    def _draw(self, bars: RichProgress, stage: str, done: int, total: int | None) -> None:
        if stage not in self._tasks:
            self._tasks[stage] = bars.add_task(stage, total=total)
        bars.update(self._tasks[stage], completed=done, total=total)

    def _write(self, stage: str, done: int, total: int | None) -> None:
        now = time.monotonic()
        began = self._began.setdefault(stage, now)
        complete = total is not None and done >= total
        due = now - self._spoke.setdefault(stage, now) >= PLAIN_INTERVAL_SECONDS
        if stage in self._complete or not (complete or due):
            return
        self._spoke[stage] = now
        if complete:
            self._complete.add(stage)
        of = "" if total is None else f" of {total}"
        print(f"labial: {stage}: {done}{of} in {now - began:.1f} s", file=self._stream, flush=True)


def _bars(stream: TextIO) -> RichProgress:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as RichProgress
    from rich.text import Text

    class Rate(ProgressColumn):
        """Units a second."""

        def render(self, task: Task) -> Text:
            """Return e.g. ``31.4/s``, or nothing before there is a measure."""
            speed = task.finished_speed or task.speed
            return Text("" if speed is None else f"{_short(speed)}/s")

    return RichProgress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(),
        console=Console(file=stream),
        transient=True,
    )


def _short(number: float) -> str:
    for factor, letter in ((1e6, "M"), (1e3, "k")):
        if number >= 10 * factor:
            return f"{number / factor:.1f}{letter}"
    return f"{number:.1f}"
