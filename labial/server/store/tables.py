"""The tables. What changes here needs a new file in ``migrations/versions``; a test compares."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import sqlalchemy as sa


class Instant(sa.TypeDecorator[datetime]):
    """A moment in UTC, which SQLite would forget the zone of."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> Any:
        """Return it as the database takes it."""
        if value is None:
            return None
        value = value.astimezone(timezone.utc)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:
        """Return it with its zone."""
        if value is None:
            return None
        moment: datetime = value
        if moment.tzinfo is None:
            return moment.replace(tzinfo=timezone.utc)
        return moment.astimezone(timezone.utc)


class Words(sa.TypeDecorator[str]):
    """Text that somebody wrote, without what PostgreSQL takes for no text."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        """Return it as the database takes it."""
        if value is None:
            return None
        return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


metadata = sa.MetaData()
# SQLite counts by itself only in a column of this very type.
_Number = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _moment(name: str, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, Instant, nullable=nullable)


uploads = sa.Table(
    "uploads",
    metadata,
    sa.Column("number", _Number, primary_key=True, autoincrement=True),
    sa.Column("id", Words, nullable=False, unique=True),
    sa.Column("owner", Words, nullable=False),
    sa.Column("name", Words, nullable=False),
    sa.Column("size", sa.BigInteger),
    sa.Column("received", sa.BigInteger, nullable=False),
    sa.Column("state", Words, nullable=False),
    sa.Column("holds", Words),
    sa.Column("extension", Words),
    sa.Column("reason", Words),
    sa.Column("facts", sa.JSON, nullable=False),
    sa.Column("sha256", Words),
    _moment("created", False),
    _moment("expires"),
    sa.Index("uploads_of_owner", "owner", "number"),
    sa.Index("uploads_expire", "expires"),
)

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("number", _Number, primary_key=True, autoincrement=True),
    sa.Column("id", Words, nullable=False, unique=True),
    sa.Column("owner", Words, nullable=False),
    sa.Column("kind", Words, nullable=False),
    sa.Column("request", sa.JSON, nullable=False),
    sa.Column("state", Words, nullable=False),
    sa.Column("progress", sa.JSON, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("most_attempts", sa.Integer, nullable=False),
    sa.Column("reason", Words),
    sa.Column("result", sa.JSON(none_as_null=True)),
    sa.Column("estimate", sa.Float),
    _moment("created", False),
    _moment("started"),
    _moment("finished"),
    _moment("expires"),
    sa.Column("webhook", sa.JSON(none_as_null=True)),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("key", Words),
    sa.Column("digest", Words, nullable=False),
    sa.Column("cancelling", sa.Boolean, nullable=False),
    sa.Column("fence", sa.Integer, nullable=False),
    sa.Column("worker", Words),
    # Queued: not before then. Running: the worker's until then.
    _moment("due", False),
    sa.UniqueConstraint("owner", "key", name="jobs_key"),
    sa.Index("jobs_of_owner", "owner", "number"),
    sa.Index("jobs_in_state", "state", "owner", "number"),
    sa.Index("jobs_expire", "expires"),
)

uses = sa.Table(
    "uses",
    metadata,
    sa.Column("job", Words, sa.ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("upload", Words, primary_key=True),
    sa.Index("uses_of_upload", "upload"),
)

owners = sa.Table(
    "owners",
    metadata,
    sa.Column("owner", Words, primary_key=True),
    _moment("served"),
)

tokens = sa.Table(
    "tokens",
    metadata,
    sa.Column("number", _Number, primary_key=True, autoincrement=True),
    sa.Column("id", Words, nullable=False, unique=True),
    sa.Column("owner", Words, nullable=False),
    sa.Column("name", Words, nullable=False),
    sa.Column("digest", Words, nullable=False, unique=True),
    sa.Column("scopes", sa.JSON, nullable=False),
    sa.Column("limits", sa.JSON, nullable=False),
    sa.Column("running", sa.Integer),
    _moment("created", False),
    _moment("expires"),
    _moment("revoked"),
    sa.Index("tokens_of_owner", "owner"),
)

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("number", _Number, primary_key=True, autoincrement=True),
    sa.Column("job", Words, nullable=False),
    sa.Column("event", Words, nullable=False),
    sa.Column("url", Words, nullable=False),
    sa.Column("secret", Words),
    sa.Column("payload", sa.JSON, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("reason", Words),
    _moment("created", False),
    # None: nothing more is tried.
    _moment("due"),
    sa.Index("outbox_due", "due"),
)

totals = sa.Table(
    "totals",
    metadata,
    *(sa.Column(name, Words, primary_key=True) for name in ("name", "kind", "outcome", "bound")),
    sa.Column("value", sa.Float, nullable=False),
)

workers = sa.Table(
    "workers", metadata, sa.Column("name", Words, primary_key=True), _moment("seen", False)
)
