"""Do a job in a process of its own, which may fail, hang or be killed without harm to this one."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Protocol

from labial import errors
from labial.errors import JobError, LabialError
from labial.jobs.confined import clean_environment
from labial.jobs.job import Job, Result
from labial.types import Hook

_TICK_SECONDS = 0.2
_GRACE_SECONDS = 5.0
_LOG_BYTES = 4000


class Stopped(Exception):  # noqa: N818 - nothing is wrong
    """A job was stopped because somebody asked for it."""


@dataclass(frozen=True)
class Limits:
    """What a job may take; None for as much as there is.

    Parameters
    ----------
    seconds
        Of wall time, from start to end.
    memory
        Bytes of address space.
    file
        Bytes of the largest file that it writes.
    threads
        To work with; 0 is as many as there are cores.
    strangers
        It is the job of somebody who must reach nothing of this machine but the job's inputs: no
        other file (:func:`labial.jobs.harmless`), and no variable that may hold a secret.
    offline
        It is done without a network, where the system can do that: whatever it needs was fetched.
    """

    seconds: float | None = None
    memory: int | None = None
    file: int | None = None
    threads: int = 0
    strangers: bool = False
    offline: bool = False


class Runner(Protocol):
    """Whatever does a job as :func:`run_apart` does."""

    def __call__(
        self,
        job: Job,
        folder: str | os.PathLike[str],
        limits: Limits | None = None,
        hook: Hook | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> Result:
        """Do a job."""


def run_apart(
    job: Job,
    folder: str | os.PathLike[str],
    limits: Limits | None = None,
    hook: Hook | None = None,
    stop: Callable[[], bool] | None = None,
) -> Result:
    """Do a job as :func:`labial.jobs.run` does, in a process of its own.

    Parameters
    ----------
    job, folder, hook
        As for :func:`labial.jobs.run`.
    limits
        What it may take.
    stop
        Asked several times a second; once it is True the job is stopped. The process also ends
        when this one does, however that happens.

    Raises
    ------
    Stopped
        ``stop`` was True.
    JobError
        The job went over a limit, or its process ended without saying why: ``again`` is True, for
        another try may go better.
    LabialError
        What the job itself raised.
    """
    limits = limits or Limits()
    place, own = Path(folder), dict(os.environ)
    if limits.strangers:  # it works in its folder, so names must not depend on ours
        place, own = place.absolute(), clean_environment()
        inputs = {role: path.absolute() for role, path in job.inputs.items()}
        job = replace(job, inputs=inputs, out=None if job.out is None else job.out.absolute())
    (place / "job.json").write_text(job.to_json(), encoding="utf-8")
    asked = json.dumps({"folder": str(place), **limits.__dict__})
    with (
        (place / "log.txt").open("wb") as log,
        subprocess.Popen(
            [sys.executable, "-m", "labial.jobs.child", asked],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=own | {"PYTHONUNBUFFERED": "1"},
            cwd=place if limits.strangers else None,
        ) as process,
    ):
        said: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        assert process.stdout is not None
        reader = threading.Thread(target=_read, args=(process.stdout, said), daemon=True)
        reader.start()
        try:
            return _awaited(process, said, place, limits, hook, stop)
        finally:
            if process.poll() is None:
                process.kill()
            # What it reads from must not be closed under it.
            reader.join(_GRACE_SECONDS)


def _awaited(
    process: subprocess.Popen[bytes],
    said: queue.SimpleQueue[bytes | None],
    folder: Path,
    limits: Limits,
    hook: Hook | None,
    stop: Callable[[], bool] | None,
) -> Result:
    began = time.monotonic()
    while True:
        try:
            line = said.get(timeout=_TICK_SECONDS)
        except queue.Empty:
            line = b""
        if line is None:
            break
        if line:
            told = json.loads(line)
            if "stage" in told:
                if hook is not None:
                    hook(told["stage"], told["done"], told["total"])
            elif "error" in told:
                raise error_of(told["error"], told["message"], bool(told["again"]))
            else:
                return Result(**told)
        if stop is not None and stop():
            raise Stopped
        if limits.seconds is not None and time.monotonic() - began > limits.seconds:
            raise JobError(f"took longer than {limits.seconds:g} s, and was stopped", again=True)
    try:
        code = process.wait(_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        raise JobError("its process hangs, and was ended", again=True) from None
    raise JobError(_why(code, folder / "log.txt"), again=True)


def _read(stream: IO[bytes], said: queue.SimpleQueue[bytes | None]) -> None:
    for line in stream:
        said.put(line)
    said.put(None)


def error_of(kind: str, message: str, again: bool) -> LabialError:
    """Return the error of another process, of its own class where that takes one line."""
    known = getattr(errors, kind, None)
    if kind in ("JobError", "ScriptError") or known is None:
        return JobError(message, again)
    error: LabialError = known(message)
    return error


def _why(code: int, log: Path) -> str:
    """What is to be said of a process that ended without a word."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _LOG_BYTES))
        lines = file.read().decode("utf-8", "replace").strip().splitlines()
    ended = f"by signal {-code}" if code < 0 else f"with code {code}"
    return f"its process ended {ended}" + (f": {lines[-1]}" if lines else "")
