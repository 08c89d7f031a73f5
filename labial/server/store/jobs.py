"""Jobs, as those see them who ask for them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from labial.server.store.counts import count_ended
from labial.server.store.database import find
from labial.server.store.lookups import Lookups, as_job
from labial.server.store.outbox import tell
from labial.server.store.records import ACTIVE, Conflict, Full, JobRecord, NotFound, new_id
from labial.server.store.tables import jobs, outbox, owners, uploads, uses


class Jobs(Lookups):
    """Ask for jobs, look at them, change one's mind."""

    def submit(
        self,
        owner: str,
        kind: str,
        request: Mapping[str, Any],
        *,
        key: str | None = None,
        webhook: Mapping[str, Any] | None = None,
        expires: datetime | None = None,
        most_attempts: int = 3,
        estimate: float | None = None,
        most_active: int | None = None,
    ) -> tuple[JobRecord, bool]:
        """Put a job into the queue.

        Parameters
        ----------
        owner, kind, request, webhook, expires, most_attempts, estimate
            See :class:`JobRecord`.
        key
            Whoever comes again with the same key gets the same job.
        most_active
            Jobs of this owner that may be queued or run, this one too; None for any number.

        Returns
        -------
        job, fresh
            ``fresh`` is False where the job was there already.

        Raises
        ------
        NotFound
            There is no such upload of this owner.
        Conflict
            The key stands for another request, or an upload is not ready.
        Full
            The owner has as many jobs as may be.
        """
        asked = json.dumps([kind, request, webhook], sort_keys=True, default=str)
        digest = hashlib.sha256(asked.encode()).hexdigest()
        values = {
            "id": new_id("job"),
            "owner": owner,
            "kind": kind,
            "request": dict(request),
            "state": "queued",
            "progress": {},
            "attempts": 0,
            "most_attempts": most_attempts,
            "estimate": estimate,
            "expires": expires,
            "webhook": None if webhook is None else dict(webhook),
            "version": 1,
            "key": key,
            "digest": digest,
            "cancelling": False,
            "fence": 0,
        }
        try:
            return self._submit(values, most_active)
        except sa.exc.IntegrityError:
            # Somebody came with the same key, or as the same new owner, at the same moment.
            return self._submit(values, most_active)

    def _submit(self, values: dict[str, Any], most_active: int | None) -> tuple[JobRecord, bool]:
        owner, key = values["owner"], values["key"]
        needed = sorted(set((values["request"].get("inputs") or {}).values()))
        with self.writing() as connection:
            if key is not None:
                same = sa.select(jobs).where(jobs.c.owner == owner, jobs.c.key == key)
                known = connection.execute(same).mappings().first()
                if known is not None:
                    if known["digest"] != values["digest"]:
                        raise Conflict(f"key {key}: it stands for another request, {known['id']}")
                    return as_job(known), False
            self._expect_ready(connection, owner, needed)
            moment = self.now(connection)
            known_owner = sa.select(owners.c.owner).where(owners.c.owner == owner)
            if connection.execute(known_owner).first() is None:
                connection.execute(sa.insert(owners).values(owner=owner))
            self._expect_place(connection, owner, most_active)
            times = {"created": moment, "due": moment}
            connection.execute(sa.insert(jobs).values(values | times))
            for upload in needed:
                connection.execute(sa.insert(uses).values(job=values["id"], upload=upload))
            row = find(connection, jobs, values["id"], owner)
            tell(connection, row, moment)
            return as_job(row), True

    @staticmethod
    def _expect_ready(connection: sa.Connection, owner: str, needed: list[str]) -> None:
        query = (
            sa.select(uploads.c.id, uploads.c.state)
            .where(uploads.c.owner == owner, uploads.c.id.in_(needed))
            .order_by(uploads.c.id)
            .with_for_update(read=True)
        )
        states = {row.id: row.state for row in connection.execute(query)} if needed else {}
        for upload in needed:
            if upload not in states:
                raise NotFound(f"there is no upload {upload}")
            if states[upload] != "ready":
                raise Conflict(f"upload {upload}: it is {states[upload]}")

    @staticmethod
    def _expect_place(connection: sa.Connection, owner: str, most: int | None) -> None:
        if most is None:
            return
        # Whoever comes at the same moment waits here, and counts this job too.
        turn = sa.select(owners.c.owner).where(owners.c.owner == owner).with_for_update()
        connection.execute(turn)
        query = sa.select(sa.func.count()).select_from(jobs)
        active = query.where(jobs.c.owner == owner, jobs.c.state.in_(ACTIVE))
        if connection.execute(active).scalar_one() >= most:
            raise Full(f"{most} jobs wait or run already: come again when one has ended")

    def cancel(self, job_id: str, owner: str | None = None) -> JobRecord:
        """Let a job not be done: at once if it is queued, else as soon as its worker hears of it.

        Raises
        ------
        NotFound
            There is none.
        Conflict
            It is done or failed.
        """
        with self.writing() as connection:
            row = find(connection, jobs, job_id, owner, lock=True)
            if row["state"] in ("done", "failed"):
                raise Conflict(f"job {job_id}: it is {row['state']} already")
            if row["state"] == "queued":
                return as_job(end(connection, row, self.now(connection), "cancelled"))
            if row["state"] == "running" and not row["cancelling"]:
                return as_job(change(connection, row, cancelling=True))
            return as_job(row)

    def retry(
        self, job_id: str, owner: str | None = None, most_active: int | None = None
    ) -> JobRecord:
        """Put a job that failed or was cancelled into the queue again, with all its attempts.

        Raises
        ------
        NotFound
            There is none, or what it needs is gone.
        Conflict
            It is done, or on its way.
        Full
            Its owner has ``most_active`` jobs that are queued or run.
        """
        with self.writing() as connection:
            row = find(connection, jobs, job_id, owner, lock=True)
            if row["state"] not in ("failed", "cancelled"):
                raise Conflict(f"job {job_id}: it is {row['state']}")
            needed = sorted(set((row["request"].get("inputs") or {}).values()))
            self._expect_ready(connection, row["owner"], needed)
            self._expect_place(connection, row["owner"], most_active)
            fresh: dict[str, Any] = {
                "attempts": 0,
                "reason": None,
                "started": None,
                "finished": None,
            }
            if row["expires"] is not None and row["finished"] is not None:
                fresh["expires"] = row["created"] + (row["expires"] - row["finished"])
            moment = self.now(connection)
            again = change(connection, row, state="queued", progress={}, due=moment, **fresh)
            tell(connection, again, moment)
            return as_job(again)

    def delete_job(self, job_id: str, owner: str | None = None) -> None:
        """Forget a job that has ended.

        Raises
        ------
        NotFound
            There is none.
        Conflict
            It is queued or runs.
        """
        with self.writing() as connection:
            row = find(connection, jobs, job_id, owner, lock=True)
            if row["state"] in ACTIVE:
                raise Conflict(f"job {job_id}: it is {row['state']}: cancel it first")
            connection.execute(sa.delete(jobs).where(jobs.c.id == job_id))
            # What was given up goes with it, its secret too; what is due is still told.
            given_up = sa.and_(outbox.c.job == job_id, outbox.c.due.is_(None))
            connection.execute(sa.delete(outbox).where(given_up))


def change(connection: sa.Connection, row: Mapping[Any, Any], **values: Any) -> dict[Any, Any]:
    """Change a job, and return its row as it is then."""
    values["version"] = row["version"] + 1
    connection.execute(sa.update(jobs).where(jobs.c.number == row["number"]).values(values))
    return dict(row) | values


def end(
    connection: sa.Connection, row: Mapping[Any, Any], moment: datetime, state: str, **values: Any
) -> dict[Any, Any]:
    """End a job, and note in the same transaction who is to hear of it.

    It is kept from now on for as long as was asked for, however long it has waited.
    """
    if row["expires"] is not None:
        values["expires"] = moment + (row["expires"] - row["created"])
    values |= {"state": state, "finished": moment, "worker": None, "cancelling": False}
    changed = change(connection, row, **values)
    tell(connection, changed, moment)
    count_ended(connection, changed)
    return changed
