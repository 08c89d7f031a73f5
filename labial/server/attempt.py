"""One attempt at a job: fetch what it needs, have it done, publish what came of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labial.errors import JobError, LabialError
from labial.jobs import Job, Limits, Result, Runner, Stopped, wait_to_hold
from labial.server.beats import Beats, Frames
from labial.server.media_store import MediaStore
from labial.server.patience import MEDIA_SECONDS, first_line, log, patiently
from labial.server.retention import tidy
from labial.server.store import AWAY, Claim, NotFound, Store

_HELD_SECONDS = 60.0
_LEAVING_SECONDS = 10.0
_TYPES = {
    ".mp4": "video/mp4",
    ".mov": "video/quicktime",
    ".mkv": "video/x-matroska",
    ".webm": "video/webm",
    ".wav": "audio/wav",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".json": "application/json",
    ".html": "text/html",
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".srt": "application/x-subrip",
    ".vtt": "text/vtt",
    ".txt": "text/plain",
    ".xml": "application/xml",
}


@dataclass(frozen=True)
class Bench:
    """What a worker works with.

    Parameters
    ----------
    store, media
        Where jobs, and where files are.
    folder
        On this machine's disk: one folder a job, in which a later attempt finds what is finished.
    runner, limits
        What does a job, and what it may take.
    leaving
        True once the worker is to end.
    """

    store: Store
    media: MediaStore
    folder: Path
    runner: Runner
    limits: Limits
    leaving: Callable[[], bool]


def attempt(claim: Claim, bench: Bench) -> None:
    """Do a claimed job as far as it goes, and say in the store what became of it.

    Nothing is raised but what is a bug: whatever goes wrong with the job is told in the store, and
    what cannot be told there, because it is away, is seen when the lease ends.
    """
    with Beats(bench.store, claim) as beats:
        try:
            _Attempt(claim, bench, beats).run()
        except AWAY as error:
            log.warning("%s: left to its lease: %s", claim.job.id, first_line(error))


class _Attempt:
    def __init__(self, claim: Claim, bench: Bench, beats: Beats) -> None:
        self._claim, self._bench, self._beats = claim, bench, beats
        self._id = claim.job.id
        self._prefix = f"jobs/{self._id}/{claim.fence}/"

    def run(self) -> None:
        try:
            with self._home() as home:
                result = self._done(home)
            self._tell(lambda: self._finish(result))
        except Stopped:
            if self._beats.said != "lost":
                self._tell(lambda: self._bench.store.release(self._claim))
        except LabialError as error:
            self._fail(str(error), isinstance(error, JobError) and error.again)
        except AWAY:
            raise
        except OSError as error:
            self._fail(f"failed: {error.strerror or first_line(error)}", True)
        except Exception as error:
            log.exception("%s", self._id)
            self._fail(f"failed: {type(error).__name__}: {first_line(error)}", True)
        try:
            bench = self._bench
            self._tell(lambda: tidy(bench.store, bench.media, bench.folder, self._id))
        except OSError as error:
            log.warning("%s: left to the next sweep: %s", self._id, first_line(error))

    def _stop(self) -> bool:
        return self._bench.leaving() or self._beats.said != "go"

    def _tell(self, do: Callable[[], object]) -> None:
        """Say something in the store, however long that takes; not long if the worker leaves."""
        seconds = _LEAVING_SECONDS if self._bench.leaving() else None
        if seconds is None:
            patiently(do, self._bench.leaving)
        else:
            patiently(do, lambda: False, seconds)

    def _fail(self, reason: str, again: bool) -> None:
        log.info("%s: attempt %d: %s", self._id, self._claim.job.attempts, reason)
        self._tell(lambda: self._bench.store.fail(self._claim, reason, again))

    @contextmanager
    def _home(self) -> Iterator[Path]:
        """The job's folder, which nobody else has meanwhile."""
        home = self._bench.folder / self._id
        lock = wait_to_hold(home, _HELD_SECONDS, self._stop)
        if lock is None:
            if self._stop():
                raise Stopped
            # Whoever has it hangs: what is finished there is made again.
            home = self._bench.folder / f"{self._id}.{self._claim.fence}"
            lock = wait_to_hold(home, 0)
            if lock is None:
                raise JobError("its folder is in use", again=True)
        with lock:
            yield home

    def _done(self, home: Path) -> dict[str, Any]:
        folder = home / "job"
        folder.mkdir(exist_ok=True)
        job = self._job(folder)
        with Frames(self._bench.media, self._id, folder):
            result = self._bench.runner(
                job, folder, self._bench.limits, self._beats.hook, self._stop
            )
        return {
            "files": self._published(folder, result),
            "summary": result.summary,
            "facts": dict(result.facts),
        }

    def _job(self, folder: Path) -> Job:
        record = self._claim.job
        inputs: dict[str, Path] = {}
        for index, (role, upload_id) in enumerate(sorted(record.request["inputs"].items()), 1):
            try:
                upload = patiently(
                    lambda id=upload_id: self._bench.store.upload(id),  # type: ignore[misc]
                    self._stop,
                )
            except NotFound:
                raise JobError(f"{role}: what was given is gone") from None
            # What comes after the dot of a role is a user's. Outputs name their inputs.
            head, tail = role.partition(".")[0], upload.extension or ""
            if not re.fullmatch(r"\.[a-z0-9]{1,10}", tail):
                tail = ""
            inputs[role] = folder / f"{head if head.isalpha() else 'input'}-{index}{tail}"
            self._fetch(role, f"uploads/{upload_id}", inputs[role])
        asked = record.request
        return Job(
            record.kind,
            inputs,
            asked.get("options") or {},
            asked.get("container"),
            bool(asked.get("report")),
        )

    def _fetch(self, role: str, key: str, path: Path) -> None:
        media = self._bench.media

        def fetch() -> None:
            if self._stop():
                raise Stopped
            if not path.exists() or path.stat().st_size != media.size(key):
                media.fetch(key, path)

        try:
            patiently(fetch, self._stop, MEDIA_SECONDS, (OSError,))
        except KeyError:
            raise JobError(f"{role}: what was given is gone") from None

    def _published(self, folder: Path, result: Result) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for what, name in result.files.items():
            path = (folder / name).resolve()
            if not path.is_relative_to(folder.resolve()) or not path.is_file():
                raise JobError(f"its file {what} is not there", again=True)
            called = re.sub(r"[^A-Za-z0-9_.-]", "_", path.name)[:100].strip(".-") or "file"
            key = self._prefix + called
            if any(key == other["key"] for other in found.values()):
                key = f"{self._prefix}{len(found)}-{called}"

            def put(key: str = key, path: Path = path) -> int:
                if self._stop():
                    raise Stopped
                return self._bench.media.put(key, path)

            size = patiently(put, self._stop, MEDIA_SECONDS, (OSError,))
            kind = _TYPES.get(path.suffix.lower(), "application/octet-stream")
            found[what] = {"key": key, "size": size, "type": kind, "name": path.name}
        return found

    def _finish(self, result: dict[str, Any]) -> None:
        if self._bench.store.finish(self._claim, result):
            return
        log.info("%s: finished by somebody else, or not wanted any more", self._id)
        for file in result["files"].values():
            self._bench.media.delete(file["key"])
