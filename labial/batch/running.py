"""Do the jobs of a list, several at a time, each apart from the others."""

from __future__ import annotations

import json
import os
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any, Protocol

from labial.batch.manifest import Item
from labial.batch.outcome import Outcome
from labial.batch.record import Record
from labial.errors import JobError, LabialError, WriteError
from labial.exports.formats import write
from labial.jobs import Limits, Result, Runner, Stopped, hold_folder, run_apart
from labial.options import BatchOptions

_BREATH_SECONDS = 1.0
# Open files of whatever else goes on.
_HANDLES = 512


class Watch(Protocol):
    """Whoever wants to know how far a batch is. Its methods are called by several threads."""

    def began(self, item: Item) -> None:
        """A job begins."""

    def went_on(self, item: Item, stage: str, done: int, total: int | None) -> None:
        """A job has done a step."""

    def ended(self, outcome: Outcome) -> None:
        """A job has ended, or was done before."""


def run_batch(
    items: Sequence[Item],
    options: BatchOptions | None = None,
    watch: Watch | None = None,
    runner: Runner = run_apart,
) -> list[Outcome]:
    """Do jobs, and return what came of each, in their order.

    What an earlier run has done is not done again as long as files, options and what was made are
    as they were. What one was doing when it was killed goes on from its finished pieces. A job
    that fails, crashes or is killed stops no other.

    Parameters
    ----------
    items
        What to do, of :func:`labial.batch.read_manifest`.
    options
        How many at a time, how often, where; ``engine`` and ``address`` are the caller's, who gives
        the ``runner``.
    watch
        Told how far it is.
    runner
        Who does one job.

    Raises
    ------
    WriteError
        Another run writes to the same folder just now.
    KeyboardInterrupt, SystemExit
        As they come from signals; jobs are stopped first, and what they have done is kept.
    """
    options = options or BatchOptions()
    stop = threading.Event()
    work = _Work(options, watch or _Nobody(), runner, stop)
    with _held(items), ThreadPoolExecutor(options.jobs, "batch") as pool:
        doing = [pool.submit(work.do, item) for item in items]
        try:
            for each in as_completed(doing):
                each.result()
        except BaseException:
            stop.set()
            raise
    return [each.result() for each in doing]


class _Nobody:
    def began(self, item: Item) -> None:
        pass

    def went_on(self, item: Item, stage: str, done: int, total: int | None) -> None:
        pass

    def ended(self, outcome: Outcome) -> None:
        pass


class _Work:
    """Whatever is the same for all jobs of a batch."""

    def __init__(
        self, options: BatchOptions, watch: Watch, runner: Runner, stop: threading.Event
    ) -> None:
        self._options, self._watch, self._runner, self._stop = options, watch, runner, stop
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        hours, memory = options.max_hours, options.memory_gb
        self._limits = Limits(
            seconds=None if hours is None else hours * 3600,
            memory=None if memory is None else round(memory * 1e9),
            threads=max(1, (cores or 1) // options.jobs) if options.engine == "local" else 0,
        )

    def do(self, item: Item) -> Outcome:
        """Do one job, and tell what came of it."""
        record = Record(item)
        kept = None if self._options.again else record.kept()
        if kept is not None:
            outcome = kept
        elif self._stop.is_set():
            outcome = Outcome(item.line, item.name, item.job.kind, "stopped")
        else:
            self._watch.began(item)
            outcome = self._tried(item, record)
        self._watch.ended(outcome)
        return outcome

    def _tried(self, item: Item, record: Record) -> Outcome:
        began, tries = time.monotonic(), 0

        def ended(state: Any, **more: Any) -> Outcome:
            seconds = round(time.monotonic() - began, 3)
            return Outcome(item.line, item.name, item.job.kind, state, seconds, tries=tries, **more)

        try:
            record.begin(self._options.again)
            while True:
                tries += 1
                try:
                    result = self._once(item, record)
                    break
                except JobError as error:
                    if not error.again or tries >= self._options.tries:
                        raise
                    # Ctrl-C reaches the job's process before it is noticed here.
                    if self._stop.wait(_BREATH_SECONDS):
                        raise Stopped from None
            files = _files(item, record, result)
            return record.finish(ended("done", **_measured(item, result, files)), files)
        except Stopped:
            return ended("stopped")
        except LabialError as error:
            return ended("stopped" if self._stop.is_set() else "failed", advice=str(error))
        except OSError as error:
            reason = f"{error.filename or item.out.name}: {error.strerror or error}"
            return ended("failed", advice=reason)
        except Exception as error:
            # A fault of ours, which must not stop the others; its traceback is kept.
            log = record.folder / "log.txt"
            with log.open("a", encoding="utf-8") as file:
                traceback.print_exc(file=file)
            return ended("failed", advice=f"{type(error).__name__}: {error}; see {log}")

    def _once(self, item: Item, record: Record) -> Result:
        return self._runner(
            item.job,
            record.folder,
            self._limits,
            lambda stage, done, total: self._watch.went_on(item, stage, done, total),
            self._stop.is_set,
        )


def _files(item: Item, record: Record, result: Result) -> dict[str, Path]:
    files = {what: record.folder / file for what, file in result.files.items()}
    made = any(what.partition(".")[0] == "output" for what in files)
    if not made and item.out.suffix == ".json":
        write([json.dumps(result.facts, ensure_ascii=False, indent=1), "\n"], item.out)
        files["output"] = item.out
    return files


def _measured(item: Item, result: Result, files: Mapping[str, Path]) -> dict[str, Any]:
    """What the table tells of a job that is done."""
    each = [facts for facts in result.facts.values() if isinstance(facts, Mapping)]
    reports = [facts for facts in each if "frames" in facts] or [result.facts]
    found: dict[str, Any] = {}
    if all(isinstance(report.get("frames"), int) for report in reports):
        found["frames"] = sum(report["frames"] for report in reports)
        # Of a photo every frame has a new mouth.
        found["resynced"] = sum(report.get("resynced", report["frames"]) for report in reports)
    advice = [line for report in reports for line in report.get("advice", ())]
    lines = result.summary.splitlines()
    if advice:
        found["advice"] = advice[0]
    elif "frames" not in found and lines:
        found["advice"] = lines[0].removeprefix(f"{item.out}: ").removeprefix(f"{item.out.name}: ")
    found["media_seconds"] = _plays(item, files)
    return found


def _plays(item: Item, files: Mapping[str, Path]) -> float | None:
    from labial.media.probe import probe

    made = [path for what, path in files.items() if what.partition(".")[0] == "output"]
    videos = [path for path in made if path.suffix != ".json" and item.job.kind != "visemes"]
    seconds = 0.0
    for path in videos or list(item.job.inputs.values())[:1]:
        try:
            seconds += float(probe(path).duration or 0)
        except LabialError:
            continue  # a script, or a photo
    return round(seconds, 3) or None


class _held:  # noqa: N801 - used as a function
    """Every folder that outputs go to, held so that no second batch works in it."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._folders = sorted({item.out.parent for item in items})
        self._locks: list[Any] = []

    def __enter__(self) -> None:
        _have_handles(len(self._folders))
        for folder in self._folders:
            try:
                lock = hold_folder(folder / ".labial-batch")
            except OSError as error:
                self.__exit__()
                raise WriteError(f"cannot write into {folder}: {error.strerror}") from error
            if lock is None:
                self.__exit__()
                raise WriteError(f"cannot write into {folder}: another batch works there")
            self._locks.append(lock)

    def __exit__(self, *_: object) -> None:
        for lock in self._locks:
            lock.close()


def _have_handles(count: int) -> None:
    """Let so many more files be open at a time, where there is a limit that may be raised."""
    try:
        import resource
    except ImportError:  # Windows has another, which is larger
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + _HANDLES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
