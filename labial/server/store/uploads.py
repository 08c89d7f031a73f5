"""Files that somebody gave."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from labial.server.store.counts import count_settled
from labial.server.store.database import Database, find, page
from labial.server.store.records import ACTIVE, Conflict, UploadRecord, new_id
from labial.server.store.tables import jobs, uploads, uses


class Uploads(Database):
    """What is known of uploads; their bytes are in the media store."""

    def add_upload(
        self, owner: str, name: str, size: int | None, expires: datetime | None = None
    ) -> UploadRecord:
        """Begin an upload of ``size`` bytes, None where that is not known yet."""
        with self.writing() as connection:
            upload_id = new_id("upl")
            values: dict[str, Any] = {
                "id": upload_id,
                "owner": owner,
                "name": name,
                "size": size,
                "received": 0,
                "state": "receiving",
                "facts": {},
                "created": self.now(connection),
                "expires": expires,
            }
            connection.execute(sa.insert(uploads).values(values))
            return _record(find(connection, uploads, upload_id, owner))

    def upload(self, upload_id: str, owner: str | None = None) -> UploadRecord:
        """Return an upload; None as the owner is whoever it may be.

        Raises
        ------
        NotFound
            There is none of that id, or of that owner.
        """
        with self.reading() as connection:
            return _record(find(connection, uploads, upload_id, owner))

    def uploads(
        self, owner: str | None, limit: int = 50, cursor: str | None = None
    ) -> tuple[list[UploadRecord], str | None]:
        """Return uploads, the last first, and where the next page begins."""
        query = sa.select(uploads)
        if owner is not None:
            query = query.where(uploads.c.owner == owner)
        with self.reading() as connection:
            rows, following = page(connection, query, uploads.c.number, limit, cursor)
        return [_record(row) for row in rows], following

    def advance_upload(
        self, upload_id: str, received: int, expected: int | None = None
    ) -> UploadRecord:
        """Note that ``received`` bytes are here.

        Raises
        ------
        Conflict
            It is complete, or there are not ``expected`` bytes, if that is given, or it would
            shrink or be larger than was said.
        """
        with self.writing() as connection:
            row = find(connection, uploads, upload_id, None, lock=True)
            if row["state"] != "receiving":
                raise Conflict(f"upload {upload_id}: it is {row['state']}")
            if expected is not None and row["received"] != expected:
                raise Conflict(f"upload {upload_id}: {row['received']} bytes are here")
            if received < row["received"] or (row["size"] or received) < received:
                raise Conflict(f"upload {upload_id}: it cannot be of {received} bytes")
            values = {"received": received}
            connection.execute(sa.update(uploads).where(uploads.c.id == upload_id).values(values))
            return _record(dict(row) | values)

    def settle_upload(
        self,
        upload_id: str,
        state: str,
        *,
        holds: str | None = None,
        extension: str | None = None,
        facts: Mapping[str, Any] | None = None,
        sha256: str | None = None,
        reason: str | None = None,
        size: int | None = None,
    ) -> UploadRecord:
        """Set what an upload is, and what was found in it; what is None stays as it was."""
        found = {
            "holds": holds,
            "extension": extension,
            "facts": None if facts is None else dict(facts),
            "sha256": sha256,
            "reason": reason,
            "size": size,
        }
        values = {"state": state} | {k: v for k, v in found.items() if v is not None}
        with self.writing() as connection:
            row = find(connection, uploads, upload_id, None, lock=True)
            connection.execute(sa.update(uploads).where(uploads.c.id == upload_id).values(values))
            settled = dict(row) | values
            if row["state"] != state:
                count_settled(connection, state, settled["holds"], settled["received"])
            return _record(settled)

    def delete_upload(self, upload_id: str, owner: str | None = None) -> None:
        """Forget an upload.

        Raises
        ------
        NotFound
            There is none.
        Conflict
            A job that is queued or runs needs it.
        """
        with self.writing() as connection:
            find(connection, uploads, upload_id, owner, lock=True)
            needing = (
                sa.select(jobs.c.id)
                .join(uses, uses.c.job == jobs.c.id)
                .where(uses.c.upload == upload_id, jobs.c.state.in_(ACTIVE))
                .limit(1)
            )
            job = connection.execute(needing).scalar()
            if job is not None:
                raise Conflict(f"upload {upload_id}: {job} still needs it: wait, or cancel that")
            connection.execute(sa.delete(uploads).where(uploads.c.id == upload_id))


def _record(row: Mapping[Any, Any]) -> UploadRecord:
    return UploadRecord(**{name: row[name] for name in UploadRecord.__dataclass_fields__})
