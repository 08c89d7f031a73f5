"""The store: all of what the server remembers, behind one name."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from labial.server.store.counts import Watched
from labial.server.store.database import connect
from labial.server.store.jobs import Jobs
from labial.server.store.outbox import Outbox
from labial.server.store.records import ACTIVE, Expired, StoreError
from labial.server.store.tables import jobs, uploads, uses
from labial.server.store.tokens import Tokens
from labial.server.store.uploads import Uploads
from labial.server.store.work import Work

_SWEPT_AT_ONCE = 500


class Store(Uploads, Jobs, Work, Tokens, Outbox, Watched):
    """What the server remembers, in SQLite or PostgreSQL.

    It may be used by several threads and processes at once.
    """

    @classmethod
    def open(cls, url: str, migrate: bool = True) -> Store:
        """Open a database, and make or update its tables if ``migrate``.

        Parameters
        ----------
        url
            ``sqlite:///FILE``, the file alone, or ``postgresql://USER:PASSWORD@HOST/NAME``.

        Raises
        ------
        StoreError
            It cannot be opened, or is of another version of Labial.
        """
        store = cls(connect(url))
        try:
            if migrate:
                store.migrate()
            else:
                store.expect_current()
        except sa.exc.DBAPIError as error:
            store.close()
            raise StoreError(f"database: {str(error.orig).strip().splitlines()[0]}") from None
        except StoreError:
            store.close()
            raise
        return store

    def ping(self) -> None:
        """Ask the database anything; raise StoreError if it does not answer."""
        try:
            with self.reading() as connection:
                connection.execute(sa.select(1))
        except sa.exc.DBAPIError as error:
            raise StoreError(f"database: {str(error.orig).strip().splitlines()[0]}") from None

    def expired(self, now: datetime | None = None) -> Expired:
        """Return what retention may delete, at most some hundred at once."""
        needed = (
            sa.select(uses.c.upload)
            .join(jobs, jobs.c.id == uses.c.job)
            .where(jobs.c.state.in_(ACTIVE))
        )
        with self.reading() as connection:
            moment = now or self.now(connection)
            old_jobs = sa.select(jobs.c.id).where(
                jobs.c.expires <= moment, jobs.c.state.not_in(ACTIVE)
            )
            old_uploads = sa.select(uploads.c.id).where(
                uploads.c.expires <= moment, uploads.c.id.not_in(needed)
            )
            found = [
                tuple(connection.execute(query.limit(_SWEPT_AT_ONCE)).scalars())
                for query in (old_jobs, old_uploads)
            ]
        return Expired(*found)
