"""How the database is opened, brought up to date, and written to."""

from __future__ import annotations

import json
import math
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from labial.server.store.records import NotFound, StoreError

AWAY = (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError)
"""Errors that mean that the database is away: another try may go better."""
_BUSY_SECONDS = 30.0
_WRITES = "labial_writes"
# Any number that no other program takes in the same database.
_MIGRATING = 0x6C616269616C


class Database:
    """A database, and its two ways to be used.

    Parameters
    ----------
    engine
        SQLAlchemy's.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file of this machine."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Look at one moment of it."""
        with self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Change it, all or nothing. With SQLite one writes at a time."""
        with self.engine.connect() as connection:
            connection.execution_options(**{_WRITES: True})
            with connection.begin():
                yield connection

    def now(self, connection: sa.Connection) -> datetime:
        """Return the time of the database, which all its workers share."""
        if self.is_sqlite:
            return datetime.now(timezone.utc)
        moment: datetime = connection.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
        return moment.astimezone(timezone.utc)

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def migrate(self) -> None:
        """Bring the tables up to date; whoever else starts at the same time waits.

        Raises
        ------
        StoreError
            A newer version of Labial has written it.
        """
        with self.writing() as connection:
            if not self.is_sqlite:
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATING)))
            if self._is_current(connection):
                return
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def expect_current(self) -> None:
        """Raise StoreError unless the tables are as this version of Labial has them."""
        with self.reading() as connection:
            if not self._is_current(connection):
                raise StoreError("database: its tables are of an older version of Labial: serve it")

    def _is_current(self, connection: sa.Connection) -> bool:
        script = ScriptDirectory.from_config(_config())
        found = MigrationContext.configure(connection).get_current_heads()
        known = {each.revision for each in script.walk_revisions()}
        if set(found) - known:
            raise StoreError("database: a newer version of Labial has written it: update this one")
        return set(found) == set(script.get_heads())


def connect(url: str) -> sa.Engine:
    """Return the engine for a URL, or for the file of an SQLite database.

    Raises
    ------
    StoreError
        No such kind of database, or its driver is not installed.
    """
    try:
        made = sa.make_url(url if "://" in url else f"sqlite:///{Path(url).absolute()}")
        if made.drivername in ("postgres", "postgresql"):
            made = made.set(drivername="postgresql+psycopg")
        backend = made.get_backend_name()
        if backend not in ("sqlite", "postgresql"):
            raise StoreError(f"database {backend}: use sqlite or postgresql")
        if backend == "sqlite":
            if not made.database or ":memory:" in made.database:
                raise StoreError("database: SQLite needs a file, such as sqlite:///labial.sqlite")
            engine = sa.create_engine(
                made, connect_args={"timeout": _BUSY_SECONDS}, json_serializer=as_json
            )
            sa.event.listen(engine, "connect", _prepare)
            sa.event.listen(engine, "begin", _begin)
            return engine
        return sa.create_engine(
            made,
            pool_pre_ping=True,
            max_overflow=20,
            connect_args={"connect_timeout": 10, "keepalives_idle": 10, "tcp_user_timeout": 30_000},
            json_serializer=as_json,
        )
    except ModuleNotFoundError as error:
        raise StoreError(f"database: pip install 'labial[postgres]' ({error})") from None
    except sa.exc.ArgumentError:
        raise StoreError("database: use a URL such as postgresql://host/name") from None


def as_json(value: Any) -> str:
    """Return JSON as databases take it; a number that is none becomes null."""
    try:
        return json.dumps(value, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(value), allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return value


def _config() -> Config:
    config = Config()
    # Percent signs mean something to the parser of that file.
    place = str(Path(__file__).parent / "migrations").replace("%", "%%")
    config.set_main_option("script_location", place)
    config.set_main_option("path_separator", "newline")
    return config


def _prepare(connection: sqlite3.Connection, record: Any) -> None:
    connection.isolation_level = None  # BEGIN is ours, see _begin
    until = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").fetchone()
            break
        except sqlite3.OperationalError:
            # While somebody else changes the mode, SQLite does not wait by itself.
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
    # A commit is on the disk before anybody is told of it.
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")


def _begin(connection: sa.Connection) -> None:
    # Whoever begins by reading and then writes could find that somebody else has written.
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def page(
    connection: sa.Connection,
    query: sa.Select[Any],
    number: sa.ColumnElement[int],
    limit: int,
    cursor: str | None,
) -> tuple[list[sa.RowMapping], str | None]:
    """Return rows of a query, the last first, and where the next page begins."""
    if cursor is not None:
        if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
            raise StoreError("cursor: use the one that the page before came with")
        query = query.where(number < int(cursor))
    found = connection.execute(query.order_by(number.desc()).limit(limit + 1)).mappings().all()
    rows = list(found[:limit])
    return rows, str(rows[-1]["number"]) if len(found) > limit else None


def find(
    connection: sa.Connection, table: sa.Table, row_id: str, owner: str | None, lock: bool = False
) -> sa.RowMapping:
    """Return a row by its id, held until the transaction ends if ``lock``.

    Raises
    ------
    NotFound
        There is none, or it is somebody else's than ``owner``.
    """
    query = sa.select(table).where(table.c.id == row_id)
    if owner is not None:
        query = query.where(table.c.owner == owner)
    row = connection.execute(query.with_for_update() if lock else query).mappings().first()
    if row is None:
        raise NotFound(f"there is no {table.name.removesuffix('s')} {row_id}")
    return row
