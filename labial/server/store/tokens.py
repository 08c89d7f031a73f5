"""Tokens, by the digests of which their bearers are known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from labial.server.store.database import Database
from labial.server.store.records import Conflict, NotFound, TokenRecord, new_id
from labial.server.store.tables import tokens


class Tokens(Database):
    """Who may do what."""

    def add_token(
        self,
        owner: str,
        name: str,
        digest: str,
        scopes: Iterable[str],
        limits: Mapping[str, Any] | None = None,
        expires: datetime | None = None,
    ) -> TokenRecord:
        """Add a token.

        Parameters
        ----------
        owner, name, digest, scopes, limits, expires
            See :class:`TokenRecord`.

        Raises
        ------
        Conflict
            There is one of this digest.
        """
        given = dict(limits or {})
        with self.writing() as connection:
            values = {
                "id": new_id("tok"),
                "owner": owner,
                "name": name,
                "digest": digest,
                "scopes": list(scopes),
                "limits": given,
                "running": given.get("running_jobs"),
                "created": self.now(connection),
                "expires": expires,
                "revoked": None,
            }
            try:
                connection.execute(sa.insert(tokens).values(values))
            except sa.exc.IntegrityError:
                raise Conflict("there is a token of this digest") from None
            return _record(values)

    def token_by_digest(self, digest: str) -> TokenRecord | None:
        """Return the token of a digest; None for one that is unknown, revoked or too old."""
        with self.reading() as connection:
            query = sa.select(tokens).where(tokens.c.digest == digest)
            row = connection.execute(query).mappings().first()
            if row is None or row["revoked"] is not None:
                return None
            if row["expires"] is not None and row["expires"] <= self.now(connection):
                return None
            return _record(row)

    def tokens(self) -> list[TokenRecord]:
        """Return all tokens, the first first, those revoked too."""
        with self.reading() as connection:
            query = sa.select(tokens).order_by(tokens.c.number)
            return [_record(row) for row in connection.execute(query).mappings()]

    def revoke_token(self, token_id: str) -> None:
        """Let a token be good for nothing from now on.

        Raises
        ------
        NotFound
            There is none of that id.
        """
        with self.writing() as connection:
            known = sa.select(tokens.c.id).where(tokens.c.id == token_id)
            if connection.execute(known).first() is None:
                raise NotFound(f"there is no token {token_id}")
            connection.execute(
                sa.update(tokens)
                .where(tokens.c.id == token_id, tokens.c.revoked.is_(None))
                .values(revoked=self.now(connection))
            )


def _record(row: Mapping[Any, Any]) -> TokenRecord:
    values = {name: row[name] for name in TokenRecord.__dataclass_fields__}
    return TokenRecord(**(values | {"scopes": tuple(row["scopes"])}))
