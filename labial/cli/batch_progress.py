"""Show on stderr how far the jobs of a batch are."""

from __future__ import annotations

import sys
import threading
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from labial.batch import Item, Outcome


class BatchProgress:
    """A context manager, and what :func:`labial.batch.run_batch` tells how far it is.

    On a terminal it draws a line for each job that is being done and one for all of them;
    elsewhere it writes a line when a job begins and one when it ends.

    Parameters
    ----------
    count
        How many jobs there are.
    stream
        Where to write; default ``sys.stderr``.
    """

    def __init__(self, count: int, stream: TextIO | None = None) -> None:
        self._count, self._stream = count, stream if stream is not None else sys.stderr
        self._lock = threading.Lock()
        self._bars: Progress | None = None
        self._tasks: dict[int, TaskID] = {}
        self._whole: TaskID | None = None
        self.outcomes: list[Outcome] = []

    def __enter__(self) -> BatchProgress:
        if self._stream.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

            self._bars = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                TaskProgressColumn(),
                TextColumn("{task.fields[stage]}", markup=False),
                console=Console(file=self._stream),
                transient=True,
            )
            self._whole = self._bars.add_task("all jobs", total=self._count, stage="")
            self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bars is not None:
            self._bars.stop()
            self._bars = None

    def began(self, item: Item) -> None:
        """A job begins."""
        with self._lock:
            if self._bars is not None:
                self._tasks[item.line] = self._bars.add_task(item.name, total=None, stage="")
            else:
                self._say(f"{item.name}: begun")

    def went_on(self, item: Item, stage: str, done: int, total: int | None) -> None:
        """A job has done a step."""
        with self._lock:
            if self._bars is not None and item.line in self._tasks:
                self._bars.update(self._tasks[item.line], completed=done, total=total, stage=stage)

    def ended(self, outcome: Outcome) -> None:
        """A job has ended, or was done before."""
        with self._lock:
            self.outcomes.append(outcome)
            task = self._tasks.pop(outcome.line, None)
            if self._bars is not None and self._whole is not None:
                if task is not None:
                    self._bars.remove_task(task)
                self._bars.advance(self._whole)
            if outcome.state != "stopped":
                self._say(_ending(outcome))

    def _say(self, line: str) -> None:
        told = f"labial: [{len(self.outcomes)} of {self._count}] {line}"
        if self._bars is not None:
            self._bars.console.print(told, markup=False, highlight=False)
        else:
            print(told, file=self._stream, flush=True)


def _ending(outcome: Outcome) -> str:
    if outcome.state == "kept":
        return f"{outcome.name}: was done before"
    if outcome.state == "done":
        return f"{outcome.name}: done in {outcome.seconds:.1f} s"
    return f"{outcome.name}: {outcome.state}: {outcome.advice}"
