"""What is counted in the database: it agrees with what happened, and only grows."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import sqlalchemy as sa

from labial.server.store import SECONDS, Store
from labial.server.store.counts import ranged
from labial.server.store.tables import workers

Ready = Callable[[str], str]


def submit(store: Store, upload: str, kind: str = "dub") -> str:
    job, _ = store.submit("ann", kind, {"inputs": {"video": upload}}, most_attempts=2)
    return job.id


def done(store: Store, result: dict[str, Any] | None = None) -> None:
    claim = store.claim("w", 60)
    assert claim is not None
    assert store.finish(claim, result or {"files": {}, "summary": "", "facts": {}})


def test_an_empty_database(store: Store) -> None:
    figures = store.figures()
    assert (figures.jobs, figures.waited, figures.workers, figures.totals) == ({}, 0.0, 0, {})


def test_jobs_by_kind_and_state_and_what_came_of_them(store: Store, ready: Ready) -> None:
    upload = ready("ann")
    store.settle_upload(upload, "ready", facts={"seconds": 12.0})
    ids = [submit(store, upload) for _ in range(4)]
    done(store, {"facts": {"es": {"frames": 30}, "fr": {"frames": 31}}})
    claim = store.claim("w", 60)
    assert claim is not None
    store.fail(claim, "no face", again=False)
    store.cancel(ids[2], "ann")
    figures = store.figures()
    assert figures.jobs == {
        ("dub", "done"): 1, ("dub", "failed"): 1, ("dub", "cancelled"): 1, ("dub", "queued"): 1,
    }  # fmt: skip
    assert figures.waited >= 0
    assert figures.uploads == {"ready": 1}
    assert figures.upload_bytes == 10
    totals = figures.totals
    assert totals["frames", "dub", ""] == {"": 61.0}
    assert totals["media_seconds", "dub", ""] == {"": 12.0}
    for outcome in ("done", "failed", "cancelled"):
        assert sum(totals["job_seconds", "dub", outcome].values()) == 1
        assert totals["job_seconds_sum", "dub", outcome][""] >= 0
    assert totals["attempts", "dub", "done"] == {"": 1.0}
    assert totals["attempts", "dub", "cancelled"] == {"": 0.0}
    assert sum(totals["wait_seconds", "dub", ""].values()) == 2
    assert sum(totals["pace", "dub", ""].values()) == 1
    assert totals["uploads", "video", "ready"] == {"": 1.0}
    assert totals["upload_bytes", "video", "ready"] == {"": 10.0}
    # Retention takes nothing of it back.
    for job_id in (ids[0], ids[1], ids[2]):
        store.delete_job(job_id, "ann")
    assert store.figures().totals == totals
    assert store.figures().jobs == {("dub", "queued"): 1}


def test_values_fall_into_ranges() -> None:
    assert ranged("x", "k", "o", 2, SECONDS)[0] == ("x", "k", "o", "2", 1.0)
    assert ranged("x", "k", "o", 2.01, SECONDS)[0][3] == "5"
    assert ranged("x", "k", "o", 1e9, SECONDS)[0][3] == "+Inf"
    assert ranged("x", "k", "o", -1, SECONDS)[1] == ("x_sum", "k", "o", "", 0.0)


def test_many_at_once_lose_no_count(store: Store) -> None:
    def add() -> None:
        for _ in range(10):
            store.add([("a", "", "", "", 1.0), ("b", "", "", "", 2.0), ("a", "", "", "", 1.0)])

    threads = [threading.Thread(target=add) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.figures().totals == {("a", "", ""): {"": 100.0}, ("b", "", ""): {"": 100.0}}


def test_deliveries(store: Store, ready: Ready) -> None:
    upload = ready("ann")
    request = {"inputs": {"video": upload}}
    store.submit("ann", "dub", request, webhook={"url": "https://host/x", "secret": "s"})
    done(store)
    due = store.figures().deliveries["due"]
    assert due >= 1
    soon = datetime.now(timezone.utc) + timedelta(hours=1)
    (first, *rest) = store.deliveries_due()
    store.delivery_failed(first.id, soon, "503")
    store.delivery_failed(first.id, None, "503")
    assert store.figures().deliveries.get("failed") == 1
    store.delivered(first.id)
    assert store.figures().deliveries.get("due", 0) == len(rest)
    told = {
        key[2]: value[""] for key, value in store.figures().totals.items() if key[0] == "deliveries"
    }
    assert told == {"again": 1.0, "failed": 1.0, "delivered": 1.0}


def test_workers_come_and_go(store: Store) -> None:
    store.seen("a")
    store.seen("a")
    store.seen("b")
    assert store.workers_alive() == store.figures().workers == 2
    store.left("a")
    assert store.workers_alive() == 1
    with store.writing() as connection:
        old = datetime.now(timezone.utc) - timedelta(minutes=2)
        connection.execute(sa.update(workers).values(seen=old))
    assert store.workers_alive() == 0
    with store.writing() as connection:
        long_ago = datetime.now(timezone.utc) - timedelta(days=2)
        connection.execute(sa.update(workers).values(seen=long_ago))
    store.seen("c")
    with store.reading() as connection:
        assert connection.execute(sa.select(workers.c.name)).scalars().all() == ["c"]
