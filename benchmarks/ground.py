"""Jobs to try a server with: tiny media, a mixture of requests, and what comes of them in peace."""

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from speed import make_clip, make_speech

from labial import weights
from labial.server.media_store import open_store
from labial.server.store import Store
from labial.server.worker import WorkSettings, work

LEASE_SECONDS = 2.0
MOST_ATTEMPTS = 12
OWNERS = ("ann", "bob", "eve")
HEIGHT = 240
Digests = dict[str, str]


@dataclass
class Ground:
    """A database, a store of media, and the jobs that can be asked for.

    Parameters
    ----------
    settings
        Of the workers.
    requests
        Name → kind and request, of jobs that differ.
    wanted
        Name → digests of its files, as they are if nothing happens.
    """

    settings: WorkSettings
    requests: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    wanted: dict[str, Digests] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.store = Store.open(self.settings.database)
        self.media = open_store(self.settings.store)

    def submit(self, name: str, owner: str, tries: int = MOST_ATTEMPTS) -> str:
        """Ask for one of the jobs."""
        kind, request = self.requests[name]
        inputs = {role: self.uploads[owner, path] for role, path in request["inputs"].items()}
        job, _ = self.store.submit(
            owner,
            kind,
            request | {"inputs": inputs},
            most_attempts=tries,
            webhook={"url": "http://127.0.0.1/"},
        )
        return job.id

    def give(self, files: dict[str, Path]) -> None:
        """Upload files for every owner."""
        self.uploads: dict[tuple[str, str], str] = {}
        for owner in OWNERS:
            for name, path in files.items():
                upload = self.store.add_upload(owner, path.name, path.stat().st_size)
                self.media.put(f"uploads/{upload.id}", path)
                self.store.settle_upload(upload.id, "ready", extension=path.suffix)
                self.uploads[owner, name] = upload.id

    def learn(self) -> float:
        """Do each of the jobs once, in peace; return the seconds that one takes."""
        jobs = {name: self.submit(name, OWNERS[0]) for name in self.requests}
        leaving, began = threading.Event(), time.monotonic()
        thread = threading.Thread(target=work, args=(self.settings, leaving))
        thread.start()
        while self.store.count_active():
            time.sleep(0.1)
        leaving.set()
        thread.join()
        for name, job in jobs.items():
            self.wanted[name] = self.digests(job)
        return (time.monotonic() - began) / len(jobs)

    def digests(self, job_id: str) -> Digests:
        """Digests of the files of a job."""
        result = self.store.job(job_id).result or {"files": {}}
        return {
            what: hashlib.sha256(b"".join(self.media.read(file["key"]))).hexdigest()
            for what, file in result["files"].items()
        }

    def left(self) -> list[str]:
        """What no job that ended may leave behind."""
        jobs = {job.id: job for job in self.store.jobs(None, limit=100_000)[0]}
        files = [(job.result or {"files": {}})["files"] for job in jobs.values()]
        kept = {file["key"] for each in files for file in each.values()}
        found = [key for key in self.media.keys("jobs/") if key not in kept]
        found += [path.name for path in Path(self.settings.folder).iterdir()]
        found += [job.id for job in jobs.values() if job.state in ("queued", "running")]
        partial = Path(self.settings.store, ".partial")
        return found + [path.name for path in partial.iterdir()]


def prepared(folder: Path, database: str, long: bool = False, least: bool = False) -> Ground:
    """Make a ground with tiny media; ``least`` for two of the quickest jobs alone."""
    (folder / "work").mkdir()
    settings = WorkSettings(
        database,
        str(folder / "media"),
        str(folder / "work"),
        threads=1,
        lease_seconds=LEASE_SECONDS,
        idle_seconds=0.2,
    )
    ground = Ground(settings)
    lengths = {"short": 1.0} if least else {"short": 1.0, "other": 1.4}
    lengths |= {"long": 24.0} if long else {}
    files = {}
    for name, seconds in lengths.items():
        files[f"{name}.wav"] = folder / f"{name}.wav"
        make_speech(weights.path("speech_short"), files[f"{name}.wav"], seconds)
        if not least:
            files[f"{name}.mp4"] = folder / f"{name}.mp4"
            make_clip(weights.path("face_clip_short"), files[f"{name}.mp4"], HEIGHT, seconds)
    ground.give(files)
    for name in sorted({"short", "other"} & set(lengths)):
        for form in ("json", "textgrid"):
            request = {"inputs": {"audio": f"{name}.wav"}, "options": {"format": form}}
            ground.requests[f"visemes {form} {name}"] = ("visemes", request)
    for name in () if least else lengths:
        inputs = {"video": f"{name}.mp4", "audio": f"{name}.wav"}
        options = {"quality": "fast"}
        ground.requests[f"dub {name}"] = ("dub", {"inputs": inputs, "options": options})
        if name != "long":
            request = {"inputs": {"video": f"{name}.mp4"}, "options": {}}
            ground.requests[f"check {name}"] = ("check", request)
    return ground
