"""Jobs, as workers see them: who may do which, and what came of it.

A claim is a lease that its worker renews. Every claim of a job has a larger number than the one
before, its fence; what a worker says counts only while its number is the job's. So a worker that
was away for too long changes nothing when it comes back.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from labial.server.store.database import Database
from labial.server.store.jobs import change, end
from labial.server.store.lookups import as_job
from labial.server.store.records import Claim, Said
from labial.server.store.tables import jobs, owners, tokens

_AGAIN_SECONDS, _AGAIN_MOST_SECONDS = 2.0, 300.0
_LOST = "its worker was lost"


class Work(Database):
    """Claim jobs, renew claims, and end them."""

    def claim(self, worker: str, lease_seconds: float) -> Claim | None:
        """Take the job that is next, or None.

        Owners take turns: next is the one with the fewest jobs running and, of those, who has
        waited longest; of an owner's jobs the first. An owner whose tokens all limit
        ``running_jobs`` has no more at once than the most generous of them allows. A job whose
        lease has ended is taken again, as a further attempt; after ``most_attempts`` it fails.
        """
        while True:
            with self.writing() as connection:
                moment = self.now(connection)
                row = connection.execute(_next(moment)).mappings().first()
                if row is None:
                    return None
                turn = sa.select(owners).where(owners.c.owner == row["owner"]).with_for_update()
                connection.execute(turn)
                if self._is_full(connection, row["owner"], moment):
                    # Somebody took the last place of this owner since we looked.
                    continue
                if row["state"] == "running" and self._gave_up(connection, row, moment):
                    continue
                return self._claimed(connection, row, moment, worker, lease_seconds)

    def _claimed(
        self,
        connection: sa.Connection,
        row: Mapping[Any, Any],
        moment: datetime,
        worker: str,
        seconds: float,
    ) -> Claim:
        taken = change(
            connection,
            row,
            state="running",
            attempts=row["attempts"] + 1,
            fence=row["fence"] + 1,
            worker=worker,
            started=row["started"] or moment,
            reason=_LOST if row["state"] == "running" else row["reason"],
            due=moment + timedelta(seconds=seconds),
        )
        served = sa.update(owners).where(owners.c.owner == row["owner"])
        connection.execute(served.values(served=moment))
        return Claim(as_job(taken), taken["fence"], worker, seconds)

    @staticmethod
    def _is_full(connection: sa.Connection, owner: str, moment: datetime) -> bool:
        cap = connection.execute(_caps(moment, owner)).mappings().first()
        if cap is None or cap["most"] is None:
            return False
        running = (
            sa.select(sa.func.count())
            .select_from(jobs)
            .where(jobs.c.owner == owner, jobs.c.state == "running", jobs.c.due >= moment)
        )
        return bool(connection.execute(running).scalar_one() >= cap["most"])

    @staticmethod
    def _gave_up(connection: sa.Connection, row: Mapping[Any, Any], moment: datetime) -> bool:
        """End a job whose worker is gone, if it is not to be tried again."""
        if row["cancelling"]:
            end(connection, row, moment, "cancelled")
            return True
        if row["attempts"] < row["most_attempts"]:
            return False
        before = "" if row["reason"] in (None, _LOST) else f"; before that: {row['reason']}"
        times = f"given up after {row['attempts']} attempts"
        end(connection, row, moment, "failed", reason=f"{_LOST}, {times}{before}")
        return True

    def heartbeat(self, claim: Claim, progress: Mapping[str, Any] | None = None) -> Said:
        """Renew a claim, and tell how far the job is; None for no news.

        Returns
        -------
        said
            ``go`` on; ``cancel``: stop, then :meth:`release`; ``lost``: it is somebody else's.
        """
        with self.writing() as connection:
            row = _held(connection, claim)
            if row is None or row["state"] != "running":
                return "lost"
            until = self.now(connection) + timedelta(seconds=claim.lease_seconds)
            if progress is None or progress == row["progress"]:
                mine = sa.update(jobs).where(jobs.c.number == row["number"])
                connection.execute(mine.values(due=until))
            else:
                change(connection, row, due=until, progress=dict(progress))
            return "cancel" if row["cancelling"] else "go"

    def finish(self, claim: Claim, result: Mapping[str, Any]) -> bool:
        """End a job as done; asked again after it was, True again.

        Returns
        -------
        kept
            False: the claim was lost, or the job was cancelled before, and nothing of this
            result counts.
        """
        with self.writing() as connection:
            row = _held(connection, claim)
            if row is None or row["state"] != "running":
                return row is not None and row["state"] == "done"
            moment = self.now(connection)
            if row["cancelling"]:
                end(connection, row, moment, "cancelled")
                return False
            progress = dict(row["progress"]) | {"share": 1.0}
            told = {"result": dict(result), "progress": progress, "reason": None}
            end(connection, row, moment, "done", **told)
            return True

    def fail(self, claim: Claim, reason: str, again: bool) -> bool:
        """End an attempt that failed; the job goes back into the queue if ``again`` may help.

        Returns
        -------
        kept
            False: the claim was lost, nothing was changed.
        """
        with self.writing() as connection:
            row = _held(connection, claim)
            if row is None or row["state"] != "running":
                return row is not None and row["state"] != "done"
            moment = self.now(connection)
            if row["cancelling"]:
                end(connection, row, moment, "cancelled")
            elif again and row["attempts"] < row["most_attempts"]:
                wait = min(_AGAIN_SECONDS * 2 ** (row["attempts"] - 1), _AGAIN_MOST_SECONDS)
                due = moment + timedelta(seconds=wait)
                change(connection, row, state="queued", worker=None, reason=reason, due=due)
            else:
                end(connection, row, moment, "failed", reason=reason)
            return True

    def release(self, claim: Claim) -> bool:
        """Give a job back, as if it had not been begun; one that was cancelled ends.

        Returns
        -------
        kept
            False: the claim was lost, nothing was changed.
        """
        with self.writing() as connection:
            row = _held(connection, claim)
            if row is None or row["state"] != "running":
                return row is not None and row["state"] in ("queued", "cancelled")
            moment = self.now(connection)
            if row["cancelling"]:
                end(connection, row, moment, "cancelled")
            else:
                attempts = row["attempts"] - 1
                back = {"state": "queued", "worker": None, "attempts": attempts, "due": moment}
                change(connection, row, **back)
            return True


def _held(connection: sa.Connection, claim: Claim) -> sa.RowMapping | None:
    query = sa.select(jobs).where(jobs.c.id == claim.job.id, jobs.c.fence == claim.fence)
    return connection.execute(query.with_for_update()).mappings().first()


def _caps(moment: datetime, owner: str | None = None) -> sa.Select[Any]:
    """How many jobs at once an owner may have: no row, or None, for any number."""
    every = sa.func.count() == sa.func.count(tokens.c.running)
    query = (
        sa.select(tokens.c.owner, sa.case((every, sa.func.max(tokens.c.running))).label("most"))
        .where(tokens.c.revoked.is_(None))
        .where(sa.or_(tokens.c.expires.is_(None), tokens.c.expires > moment))
        .group_by(tokens.c.owner)
    )
    return query if owner is None else query.where(tokens.c.owner == owner)


def _next(moment: datetime) -> sa.Select[Any]:
    running = (
        sa.select(jobs.c.owner, sa.func.count().label("count"))
        .where(jobs.c.state == "running", jobs.c.due >= moment)
        .group_by(jobs.c.owner)
        .subquery()
    )
    caps, count = _caps(moment).subquery(), sa.func.coalesce(running.c.count, 0)
    return (
        sa.select(jobs)
        .join(owners, owners.c.owner == jobs.c.owner)
        .outerjoin(running, running.c.owner == jobs.c.owner)
        .outerjoin(caps, caps.c.owner == jobs.c.owner)
        .where(
            sa.or_(
                sa.and_(jobs.c.state == "queued", jobs.c.due <= moment),
                sa.and_(jobs.c.state == "running", jobs.c.due < moment),
            )
        )
        .where(sa.or_(caps.c.most.is_(None), count < caps.c.most))
        .order_by(count, owners.c.served.asc().nulls_first(), jobs.c.number)
        .limit(1)
        .with_for_update(of=jobs, skip_locked=True)
    )
