"""A crew: worker processes that are started again when they die, and what is over swept away."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType

from labial.server.media_store import open_store
from labial.server.patience import first_line, log
from labial.server.retention import sweep
from labial.server.store import Store
from labial.server.worker import WorkSettings

_TICK_SECONDS = 0.2
_WAIT_SECONDS, _MOST_WAIT_SECONDS = 0.5, 30.0
_STEADY_SECONDS = 5.0
_SWEEP_SECONDS = 600.0
_LEAVE_SECONDS = 20.0


class Crew:
    """Some workers of this machine, in a ``with`` block.

    Each is a process whose standard input stays open as long as this one lives: when it ends,
    however that happens, they give back what they have in hand and leave.

    Parameters
    ----------
    settings
        What the workers have to know.
    count
        How many there are; 0 for none, only what is over is swept away.
    sweep_seconds
        Between two sweeps; the first is at the start.
    """

    def __init__(
        self, settings: WorkSettings, count: int, sweep_seconds: float = _SWEEP_SECONDS
    ) -> None:
        self._settings, self._sweep_seconds = settings, sweep_seconds
        self._places = [_Place(settings) for _ in range(count)]
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=target, daemon=True) for target in (self._watch, self._sweep)
        ]

    def __enter__(self) -> Crew:
        """Start them."""
        for place in self._places:
            place.look()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        """Let them give back what they have in hand and leave; end those that do not."""
        self._over.set()
        for thread in self._threads:
            thread.join(_LEAVE_SECONDS)
        for place in self._places:
            place.leave()
        until = time.monotonic() + _LEAVE_SECONDS
        for place in self._places:
            place.end(until)

    def pids(self) -> list[int | None]:
        """Return the process at each place; None where the one before died a moment ago."""
        return [place.pid for place in self._places]

    def _watch(self) -> None:
        while not self._over.wait(_TICK_SECONDS):
            for place in self._places:
                place.look()

    def _sweep(self) -> None:
        settings = self._settings
        while True:
            try:
                with contextlib.closing(Store.open(settings.database)) as store:
                    sweep(store, open_store(settings.store), Path(settings.folder))
            except Exception as error:
                # What cannot be removed now can be removed later; jobs go on.
                log.warning("sweep: %s: %s", type(error).__name__, first_line(error))
            if self._over.wait(self._sweep_seconds):
                return


class _Place:
    """The place of one worker: a process, and when the next may take it."""

    def __init__(self, settings: WorkSettings) -> None:
        self._settings = settings
        self._wait, self._since, self._again = _WAIT_SECONDS, 0.0, 0.0
        self._process: subprocess.Popen[str] | None = None

    @property
    def alive(self) -> bool:
        """Whether somebody works here."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """The process, while it is alive."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def look(self) -> None:
        """Start a process if there is none, later and later if they do not last."""
        if self.alive:
            return
        now = time.monotonic()
        if self._process is not None:
            code = self._process.wait()
            _close(self._process)
            steady = now - self._since > _STEADY_SECONDS
            self._wait = _WAIT_SECONDS if steady else min(2 * self._wait, _MOST_WAIT_SECONDS)
            self._again = now + self._wait
            self._process = None
            log.warning("a worker ended with code %d: another in %.1f s", code, self._wait)
        if now < self._again:
            return
        self._since = now
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "labial.server.worker"],
                stdin=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
        except OSError as error:
            self._wait = min(2 * self._wait, _MOST_WAIT_SECONDS)
            self._again = now + self._wait
            log.error("no worker can be started: %s: again in %.1f s", error, self._wait)
            return
        # Settings hold passwords, which others could read in a command line.
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(self._settings.to_json() + "\n")
            self._process.stdin.flush()

    def leave(self) -> None:
        """Tell the worker to leave."""
        if self._process is not None:
            _close(self._process)

    def end(self, until: float) -> None:
        """Wait for it until then, and end it."""
        if self._process is None:
            return
        try:
            self._process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _close(process: subprocess.Popen[str]) -> None:
    if process.stdin is not None:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
