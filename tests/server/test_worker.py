"""A worker, with something quick in the place of the engine; and what is swept away after it."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from labial.errors import FaceError, JobError
from labial.jobs import LIVE, Job, Limits, Result, Stopped, hold_folder
from labial.server import beats
from labial.server.attempt import Bench, attempt
from labial.server.media_store import MediaStore, open_store
from labial.server.retention import sweep
from labial.server.store import AWAY, Claim, JobRecord, Store
from labial.server.worker import WorkSettings, work


@dataclass
class Engine:
    """Does jobs as it is told to, and remembers them."""

    then: Callable[[Path, Callable[[], bool]], None] = lambda folder, stop: None
    jobs: list[Job] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)

    def __call__(
        self,
        job: Job,
        folder: Any,
        limits: Limits | None = None,
        hook: Any = None,
        stop: Any = None,
    ) -> Result:
        self.jobs.append(job)
        self.folders.append(Path(folder))
        self.then(Path(folder), stop)
        hook("render", 3, 12)
        (Path(folder) / "output.json").write_text(job.inputs["video"].read_text())
        (Path(folder) / "log.txt").write_text("not of interest")
        return Result({"output": "output.json"}, "fine", {"rate": float("nan")})


@dataclass
class Place:
    """A store, a folder of media, and a folder to work in."""

    store: Store
    media: MediaStore
    folder: Path

    def job(self, **given: Any) -> str:
        upload = self.store.add_upload("ann", "clip.mp4", 5, None)
        source = self.folder.parent / "clip"
        source.write_text("movie")
        self.media.put(f"uploads/{upload.id}", source)
        source.unlink()
        self.store.settle_upload(upload.id, "ready", extension=".mp4")
        request = {"inputs": {"video": upload.id}, "options": {}}
        return self.store.submit("ann", "check", request, **given)[0].id

    def claim(self, lease: float = 60) -> Claim:
        claim = self.store.claim("w", lease)
        assert claim is not None
        return claim

    def bench(self, engine: Engine, leaving: Callable[[], bool] = lambda: False) -> Bench:
        return Bench(self.store, self.media, self.folder, engine, Limits(), leaving)

    def attempt(self, engine: Engine, leaving: Callable[[], bool] = lambda: False) -> JobRecord:
        claim = self.claim()
        attempt(claim, self.bench(engine, leaving))
        return self.store.job(claim.job.id)

    def left(self) -> list[str]:
        """What is in the media store of jobs, and in the folder."""
        return [*self.media.keys("jobs/"), *(path.name for path in self.folder.iterdir())]


@pytest.fixture
def place(store: Store, tmp_path: Path) -> Place:
    (tmp_path / "work").mkdir()
    return Place(store, open_store(tmp_path / "media"), tmp_path / "work")


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(beats, "_BEAT_SECONDS", 0.02)
    monkeypatch.setattr(beats, "_FRAME_SECONDS", 0.02)
    yield


def until(what: Callable[[], bool]) -> None:
    for _ in range(3000):
        if what():
            return
        time.sleep(0.01)
    pytest.fail("it never happened")


def test_a_job_is_done_and_nothing_else_is_left(place: Place) -> None:
    job_id, engine = place.job(), Engine()
    job = place.attempt(engine)
    assert job.state == "done"
    assert job.result is not None
    key = f"jobs/{job_id}/1/output.json"
    assert job.result == {
        "files": {
            "output": {"key": key, "size": 5, "type": "application/json", "name": "output.json"}
        },
        "summary": "fine",
        "facts": {"rate": None},
    }
    assert b"".join(place.media.read(key)) == b"movie"
    assert engine.jobs[0].inputs["video"].suffix == ".mp4"
    assert place.left() == [key]


def test_what_is_wrong_with_a_job_is_told_at_once(place: Place) -> None:
    def fail(folder: Path, stop: object) -> None:
        raise FaceError("no face")

    place.job()
    job = place.attempt(Engine(fail))
    assert (job.state, job.reason, job.attempts) == ("failed", "no face", 1)
    assert place.left() == []


def test_an_input_that_is_gone_is_told(place: Place) -> None:
    job_id = place.job()
    for key in place.media.keys("uploads/"):
        place.media.delete(key)
    job = place.attempt(Engine())
    assert (job.id, job.state) == (job_id, "failed")
    assert job.reason == "video: what was given is gone"


def test_a_later_attempt_finds_what_is_finished(place: Place) -> None:
    found: list[bool] = []

    def crash(folder: Path, stop: object) -> None:
        found.append((folder / "piece").exists())
        (folder / "piece").touch()
        raise JobError("its process ended by signal 9", again=True)

    place.job(most_attempts=2)
    engine = Engine(crash)
    job = place.attempt(engine)
    assert (job.state, job.attempts) == ("queued", 1)
    with place.store.writing() as connection:
        connection.execute(sa.text("UPDATE jobs SET due = created"))
    job = place.attempt(engine)
    assert (job.state, job.reason) == ("failed", "its process ended by signal 9")
    assert found == [False, True]
    assert place.left() == []


def test_a_worker_that_leaves_gives_the_job_back(place: Place) -> None:
    leaving = threading.Event()

    def wait(folder: Path, stop: Callable[[], bool]) -> None:
        leaving.set()
        until(stop)
        raise Stopped

    place.job()
    job = place.attempt(Engine(wait), leaving.is_set)
    assert (job.state, job.attempts) == ("queued", 0)
    assert place.attempt(Engine()).state == "done"


def test_a_job_that_is_cancelled_stops(place: Place) -> None:
    job_id = place.job()

    def wait(folder: Path, stop: Callable[[], bool]) -> None:
        place.store.cancel(job_id)
        until(stop)
        raise Stopped

    assert place.attempt(Engine(wait)).state == "cancelled"
    assert place.left() == []


def test_who_lost_a_job_publishes_nothing(place: Place) -> None:
    job_id = place.job()
    other: list[Claim] = []

    def be_away(folder: Path, stop: object) -> None:
        until(steal)

    def steal() -> bool:
        with place.store.writing() as connection:
            connection.execute(sa.text("UPDATE jobs SET due = created"))
        claim = place.store.claim("other", 60)  # unless the first was quicker to renew its own
        other.extend([claim] if claim else [])
        return bool(other)

    claim = place.claim()
    bench = place.bench(Engine(be_away))
    attempt(claim, bench)
    job = place.store.job(job_id)
    assert (job.state, job.attempts) == ("running", 2)
    assert list(place.media.keys("jobs/")) == []
    attempt(other[0], place.bench(Engine()))
    assert place.store.job(job_id).state == "done"
    assert place.left() == [f"jobs/{job_id}/2/output.json"]


def test_a_folder_in_use_is_left_alone(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labial.server.attempt._HELD_SECONDS", 0.1)
    job_id = place.job()
    lock = hold_folder(place.folder / job_id)
    assert lock is not None
    engine = Engine()
    with lock:
        assert place.attempt(engine).state == "done"
        assert engine.folders[0].parent.name == f"{job_id}.1"
        assert place.left()[1:] == [job_id]
    sweep(place.store, place.media, place.folder)
    assert len(place.left()) == 1


def test_the_newest_frame_is_shown_and_goes_with_the_job(place: Place) -> None:
    job_id = place.job()

    def show(folder: Path, stop: object) -> None:
        for picture in (b"one", b"two"):
            (folder / "beside").write_bytes(picture)
            (folder / "beside").replace(folder / LIVE)
            until(lambda picture=picture: shown() == picture)

    def shown() -> bytes:
        try:
            return b"".join(place.media.read(f"jobs/{job_id}/live.jpg"))
        except KeyError:
            return b""

    assert place.attempt(Engine(show)).state == "done"
    assert shown() == b""


class Away(Store):
    """A store whose database is away now and then."""

    away = 0
    lost_answers = 0

    def _ask(self) -> None:
        if self.away:
            self.away -= 1
            raise sa.exc.OperationalError("SELECT 1", None, Exception("connection refused"))

    def heartbeat(self, *given: Any) -> Any:
        self._ask()
        return super().heartbeat(*given)

    def finish(self, *given: Any) -> bool:
        self._ask()
        kept = super().finish(*given)
        if self.lost_answers:
            self.lost_answers -= 1
            raise sa.exc.OperationalError("COMMIT", None, Exception("server closed the connection"))
        return kept


def test_a_database_that_is_away_for_a_while_changes_nothing(place: Place) -> None:
    store = Away(place.store.engine)
    place.store = store
    job_id = place.job()

    def lose(folder: Path, stop: Callable[[], bool]) -> None:
        store.away = 3
        until(lambda: store.away == 0)
        assert not stop()
        store.away, store.lost_answers = 2, 1

    assert place.attempt(Engine(lose)).state == "done"
    assert place.left() == [f"jobs/{job_id}/1/output.json"]
    store.away = 1
    with pytest.raises(AWAY):
        store.heartbeat(None)


def test_what_is_over_is_swept_away(place: Place) -> None:
    past = datetime.now(timezone.utc) - timedelta(seconds=5)
    kept, old = place.job(), place.job(expires=past)
    for _ in range(2):
        assert place.attempt(Engine()).state == "done"
    waiting, file = place.job(expires=past), place.folder.parent / "file"
    for key in (f"jobs/{kept}/9/output.json", f"jobs/{waiting}/1/x.json", "uploads/upl_gone"):
        file.write_text(key)
        place.media.put(key, file)
        file.unlink()
    for name in (f"{old}.7", waiting, "notes"):
        (place.folder / name).mkdir()
    assert sweep(place.store, place.media, place.folder) == 1
    assert [job.id for job in place.store.jobs(None)[0]] == [waiting, kept]
    assert sorted(place.left()) == sorted(
        [f"jobs/{kept}/1/output.json", f"jobs/{waiting}/1/x.json", "notes", waiting]
    )
    assert len(list(place.media.keys("uploads/"))) == 3


def test_a_worker_works_until_it_is_told_to_leave(
    place: Place, database: str, tmp_path: Path
) -> None:
    jobs = [place.job() for _ in range(3)]
    leaving = threading.Event()
    settings = WorkSettings(database, str(tmp_path / "media"), str(place.folder), idle_seconds=0.05)
    made: list[int] = []
    thread = threading.Thread(target=lambda: made.append(work(settings, leaving, Engine())))
    thread.start()
    until(lambda: place.store.count_active() == 0)
    leaving.set()
    thread.join()
    assert made == [3]
    assert [place.store.job(job).state for job in jobs] == ["done"] * 3
