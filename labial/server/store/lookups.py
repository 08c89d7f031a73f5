"""Jobs that are looked at: one, some, how many there are, and how long they took."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from statistics import median
from typing import Any

import sqlalchemy as sa

from labial.server.store.database import Database, find, page
from labial.server.store.records import ACTIVE, JobRecord
from labial.server.store.tables import jobs

_PACE_JOBS = 20
_IDS_AT_ONCE = 500


class Lookups(Database):
    """Look at jobs."""

    def job(self, job_id: str, owner: str | None = None) -> JobRecord:
        """Return a job; None as the owner is whoever it may be.

        Raises
        ------
        NotFound
            There is none of that id, or of that owner.
        """
        with self.reading() as connection:
            return as_job(find(connection, jobs, job_id, owner))

    def jobs_by_id(self, job_ids: Collection[str]) -> dict[str, JobRecord]:
        """Return jobs by their ids, without those that are no more."""
        found: dict[str, JobRecord] = {}
        wanted = list(job_ids)
        with self.reading() as connection:
            for first in range(0, len(wanted), _IDS_AT_ONCE):
                some = wanted[first : first + _IDS_AT_ONCE]
                query = sa.select(jobs).where(jobs.c.id.in_(some))
                rows = connection.execute(query).mappings()
                found |= {row["id"]: as_job(row) for row in rows}
        return found

    def job_by_key(self, owner: str, key: str) -> JobRecord | None:
        """Return the job that an owner's key stands for; None where there is none yet."""
        query = sa.select(jobs).where(jobs.c.owner == owner, jobs.c.key == key)
        with self.reading() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else as_job(row)

    def jobs(
        self,
        owner: str | None,
        kind: str | None = None,
        state: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> tuple[list[JobRecord], str | None]:
        """Return jobs, the last first, and where the next page begins."""
        query = sa.select(jobs)
        for column, value in ((jobs.c.owner, owner), (jobs.c.kind, kind), (jobs.c.state, state)):
            if value is not None:
                query = query.where(column == value)
        with self.reading() as connection:
            rows, following = page(connection, query, jobs.c.number, limit, cursor)
        return [as_job(row) for row in rows], following

    def count_active(self, owner: str | None = None) -> int:
        """Return how many jobs are queued or run."""
        query = sa.select(sa.func.count()).select_from(jobs).where(jobs.c.state.in_(ACTIVE))
        if owner is not None:
            query = query.where(jobs.c.owner == owner)
        with self.reading() as connection:
            return connection.execute(query).scalar_one()

    def counts(self) -> dict[str, int]:
        """Return how many jobs are in each state."""
        query = sa.select(jobs.c.state, sa.func.count()).group_by(jobs.c.state)
        with self.reading() as connection:
            return {state: int(count) for state, count in connection.execute(query)}

    def queue_ahead(self, job_id: str) -> int:
        """Return how many jobs came earlier and are still queued; 0 for one that is not."""
        with self.reading() as connection:
            row = find(connection, jobs, job_id, None)
            if row["state"] != "queued":
                return 0
            query = sa.select(sa.func.count()).select_from(jobs)
            earlier = query.where(jobs.c.state == "queued", jobs.c.number < row["number"])
            return connection.execute(earlier).scalar_one()

    def pace(self, kind: str) -> float | None:
        """Return by how much the last jobs of a kind took longer than estimated; None at first."""
        query = (
            sa.select(jobs.c.started, jobs.c.finished, jobs.c.estimate)
            .where(jobs.c.kind == kind, jobs.c.state == "done", jobs.c.attempts == 1)
            .where(jobs.c.estimate > 0)
            .order_by(jobs.c.number.desc())
            .limit(_PACE_JOBS)
        )
        with self.reading() as connection:
            rows = connection.execute(query).all()
        ratios = [(row.finished - row.started).total_seconds() / row.estimate for row in rows]
        return median(ratios) if ratios else None


def as_job(row: Mapping[Any, Any]) -> JobRecord:
    """Return a row as a record."""
    return JobRecord(**{name: row[name] for name in JobRecord.__dataclass_fields__})
