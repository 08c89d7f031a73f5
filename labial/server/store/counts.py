"""What is counted for those who watch a server: by the database, so all its processes agree.

Totals only grow, whatever retention deletes: they are added up in the transaction that ends a job.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from labial.server.store.database import Database
from labial.server.store.tables import jobs, outbox, totals, uploads, uses, workers

SECONDS = (1, 2, 5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120, 10240)
"""Upper ends of the ranges into which seconds fall."""
PACES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.7, 1, 1.5, 2, 4, 8)
"""Of times as fast as it plays."""
_PLAYS = ("video", "media", "audio", "photo")
_FORGOTTEN = timedelta(days=1)
Increment = tuple[str, str, str, str, float]
"""Name, kind, outcome, upper end or "" where there are no ranges, by how much."""


@dataclass(frozen=True)
class Figures:
    """What there is just now.

    Parameters
    ----------
    jobs
        (kind, state) → how many.
    waited
        Seconds that the job has waited that has waited longest; 0 where none waits.
    uploads
        State → how many.
    upload_bytes
        Of uploads that are kept.
    deliveries
        ``due`` → webhooks to be delivered; ``failed`` → given up.
    workers
        Workers that gave a sign of life lately.
    totals
        (name, kind, outcome) → upper end → how much, since the database was made.
    """

    jobs: Mapping[tuple[str, str], int]
    waited: float
    uploads: Mapping[str, int]
    upload_bytes: int
    deliveries: Mapping[str, int]
    workers: int
    totals: Mapping[tuple[str, str, str], Mapping[str, float]] = field(default_factory=dict)


class Watched(Database):
    """Count, and know which workers there are."""

    def figures(self, alive_seconds: float = 60.0) -> Figures:
        """Return what there is just now; see :meth:`workers_alive`."""
        with self.reading() as connection:
            moment = self.now(connection)
            count = sa.func.count()
            of_kind = sa.select(jobs.c.kind, jobs.c.state, count).group_by(
                jobs.c.kind, jobs.c.state
            )
            first = sa.select(sa.func.min(jobs.c.created)).where(jobs.c.state == "queued")
            oldest: datetime | None = connection.execute(first).scalar_one()
            of_state = sa.select(uploads.c.state, count).group_by(uploads.c.state)
            kept = sa.select(sa.func.coalesce(sa.func.sum(uploads.c.received), 0))
            due = sa.case((outbox.c.due.is_(None), "failed"), else_="due").label("state")
            told = sa.select(due, count).group_by(due)
            found: dict[tuple[str, str, str], dict[str, float]] = {}
            for name, kind, outcome, bound, value in connection.execute(sa.select(totals)):
                found.setdefault((name, kind, outcome), {})[bound] = value
            return Figures(
                {(kind, state): n for kind, state, n in connection.execute(of_kind)},
                0.0 if oldest is None else max(0.0, (moment - oldest).total_seconds()),
                _by_name(connection, of_state),
                int(connection.execute(kept).scalar_one()),
                _by_name(connection, told),
                _alive(connection, moment, alive_seconds),
                found,
            )

    def seen(self, worker: str) -> None:
        """Note that a worker is alive."""
        with self.writing() as connection:
            moment = self.now(connection)
            _put(connection, workers, [{"name": worker, "seen": moment}], {"seen"})
            gone = workers.c.seen < moment - _FORGOTTEN
            connection.execute(sa.delete(workers).where(gone))

    def left(self, worker: str) -> None:
        """Note that a worker has gone home."""
        with self.writing() as connection:
            connection.execute(sa.delete(workers).where(workers.c.name == worker))

    def workers_alive(self, seconds: float = 60.0) -> int:
        """Return how many workers gave a sign of life in the last ``seconds``."""
        with self.reading() as connection:
            return _alive(connection, self.now(connection), seconds)

    def add(self, increments: Iterable[Increment]) -> None:
        """Add to totals."""
        with self.writing() as connection:
            add_up(connection, increments)


def _by_name(connection: sa.Connection, query: sa.Select[Any]) -> dict[str, int]:
    return {str(row[0]): int(row[1]) for row in connection.execute(query)}


def _alive(connection: sa.Connection, moment: datetime, seconds: float) -> int:
    since = workers.c.seen >= moment - timedelta(seconds=seconds)
    query = sa.select(sa.func.count()).select_from(workers).where(since)
    return int(connection.execute(query).scalar_one())


def add_up(connection: sa.Connection, increments: Iterable[Increment]) -> None:
    """Add to totals within a transaction."""
    summed: dict[tuple[str, str, str, str], float] = {}
    for *key, value in increments:
        name, kind, outcome, bound = key
        place = (name, kind, outcome, bound)
        summed[place] = summed.get(place, 0.0) + value
    # In one order, so that two transactions never wait for one another.
    rows = [
        {"name": name, "kind": kind, "outcome": outcome, "bound": bound, "value": value}
        for (name, kind, outcome, bound), value in sorted(summed.items())
    ]
    if rows:
        _put(connection, totals, rows, {"value"}, adding=True)


def count_ended(connection: sa.Connection, job: Mapping[Any, Any]) -> None:
    """Count a job that has just ended."""
    kind, state = job["kind"], job["state"]
    found: list[Increment] = [("attempts", kind, state, "", float(job["attempts"]))]
    took = None
    if job["started"] is not None:
        took = (job["finished"] - job["started"]).total_seconds()
        waited = (job["started"] - job["created"]).total_seconds()
        found += ranged("job_seconds", kind, state, took, SECONDS)
        found += ranged("wait_seconds", kind, "", waited, SECONDS)
    else:
        # What was cancelled before it began took no time.
        found += ranged("job_seconds", kind, state, 0.0, SECONDS)
    if state == "done":
        frames = _frames(job["result"] or {})
        plays = _media_seconds(connection, job)
        found += [("frames", kind, "", "", frames), ("media_seconds", kind, "", "", plays)]
        if took and plays:
            found += ranged("pace", kind, "", plays / took, PACES)
    add_up(connection, found)


def count_settled(connection: sa.Connection, state: str, holds: str | None, size: int) -> None:
    """Count an upload that was found to be good, or not."""
    if state in ("ready", "refused"):
        place = (holds or "unknown", state, "")
        add_up(connection, [("uploads", *place, 1.0), ("upload_bytes", *place, float(size))])


def count_delivered(connection: sa.Connection, outcome: str) -> None:
    """Count an attempt to deliver: ``delivered``, ``again`` later, or ``failed`` for good."""
    add_up(connection, [("deliveries", "", outcome, "", 1.0)])


def ranged(
    name: str, kind: str, outcome: str, value: float, ends: Iterable[float]
) -> list[Increment]:
    """Return what a value adds to the range that it falls into, and to the sum of all values."""
    bound = next((f"{end:g}" for end in ends if value <= end), "+Inf")
    return [(name, kind, outcome, bound, 1.0), (f"{name}_sum", kind, outcome, "", max(0.0, value))]


def _frames(result: Mapping[str, Any]) -> float:
    """Frames that a job has made, in whatever languages."""
    facts = result.get("facts") or {}
    # A dub has a report for each language, other jobs have one.
    reports = [facts, *(part for part in facts.values() if isinstance(part, Mapping))]
    counts = [report.get("frames") for report in reports]
    return float(sum(n for n in counts if isinstance(n, int) and not isinstance(n, bool)))


def _media_seconds(connection: sa.Connection, job: Mapping[Any, Any]) -> float:
    """How long the first of its inputs plays that plays; 0 where that is not known."""
    inputs: Mapping[str, str] = job["request"].get("inputs") or {}
    query = (
        sa.select(uploads.c.id, uploads.c.facts)
        .join(uses, uses.c.upload == uploads.c.id)
        .where(uses.c.job == job["id"])
    )
    facts = {row.id: row.facts for row in connection.execute(query)}
    for role in (*_PLAYS, *sorted(inputs)):
        seconds = (facts.get(inputs.get(role, "")) or {}).get("seconds")
        if isinstance(seconds, (int, float)) and seconds > 0:
            return float(seconds)
    return 0.0


def _put(
    connection: sa.Connection,
    table: sa.Table,
    rows: list[dict[str, Any]],
    changing: set[str],
    adding: bool = False,
) -> None:
    """Insert rows, or change those columns where a row is there."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    query = dialect.insert(table).values(rows)
    new = {
        name: table.c[name] + query.excluded[name] if adding else query.excluded[name]
        for name in changing
    }
    connection.execute(
        query.on_conflict_do_update(index_elements=list(table.primary_key.columns), set_=new)
    )
