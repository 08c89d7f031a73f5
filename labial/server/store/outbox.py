"""What is to be told of jobs to those who asked for it: written with the change itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from labial.server.store.counts import count_delivered
from labial.server.store.database import Database
from labial.server.store.records import Delivery
from labial.server.store.tables import outbox

_TOLD = ("id", "kind", "state", "reason", "attempts", "version")
_TIMES = ("created", "started", "finished", "expires")
_TAKEN = timedelta(minutes=5)


class Outbox(Database):
    """Deliveries that are due, and what became of them."""

    def deliveries_due(self, now: datetime | None = None, limit: int = 20) -> list[Delivery]:
        """Take deliveries that are due: for five minutes nobody else gets them."""
        with self.writing() as connection:
            moment = now or self.now(connection)
            query = (
                sa.select(outbox)
                .where(outbox.c.due <= moment)
                .order_by(outbox.c.due, outbox.c.number)
                .limit(limit)
                .with_for_update(skip_locked=True)
            )
            rows = connection.execute(query).mappings().all()
            numbers = [row["number"] for row in rows]
            if numbers:
                taken = sa.update(outbox).where(outbox.c.number.in_(numbers))
                connection.execute(taken.values(due=moment + _TAKEN))
        return [_record(row) for row in rows]

    def delivered(self, delivery_id: int) -> None:
        """Forget one that has arrived."""
        with self.writing() as connection:
            connection.execute(sa.delete(outbox).where(outbox.c.number == delivery_id))
            count_delivered(connection, "delivered")

    def delivery_failed(self, delivery_id: int, again_at: datetime | None, reason: str) -> None:
        """Note why one did not arrive, and when to try again; None for never."""
        with self.writing() as connection:
            connection.execute(
                sa.update(outbox)
                .where(outbox.c.number == delivery_id)
                .values(due=again_at, reason=reason, attempts=outbox.c.attempts + 1)
            )
            count_delivered(connection, "failed" if again_at is None else "again")


def tell(connection: sa.Connection, job: Mapping[Any, Any], moment: datetime) -> None:
    """Note that a job came into its state, if somebody asked to hear of it."""
    hook = job["webhook"]
    if not hook:
        return
    payload: dict[str, Any] = {name: job[name] for name in _TOLD}
    for name in _TIMES:
        payload[name] = None if job[name] is None else job[name].isoformat()
    connection.execute(
        sa.insert(outbox).values(
            job=job["id"],
            event=f"job.{job['state']}",
            url=hook["url"],
            secret=hook.get("secret"),
            payload=payload,
            attempts=0,
            created=moment,
            due=moment,
        )
    )


def _record(row: Mapping[Any, Any]) -> Delivery:
    names = [name for name in Delivery.__dataclass_fields__ if name != "id"]
    return Delivery(id=row["number"], **{name: row[name] for name in names})
