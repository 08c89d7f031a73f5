"""Tokens, for who sits at the server's own machine."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

from labial.options import ServeOptions
from labial.server.services import placed, writable
from labial.server.store import Store, TokenRecord
from labial.server.tokens import TokenLimits, digest, new_secret


def add_token(
    options: ServeOptions,
    owner: str,
    name: str,
    scopes: tuple[str, ...],
    limits: TokenLimits | None = None,
    days: float | None = None,
) -> tuple[TokenRecord, str]:
    """Make a token; return what is kept of it, and its secret, which nobody can tell again.

    Parameters
    ----------
    options
        Of the server whose token it is.
    owner, name, scopes, limits
        See :class:`labial.server.store.TokenRecord`.
    days
        After which it ends.
    """
    secret = new_secret()
    expires = None if days is None else datetime.now(timezone.utc) + timedelta(days=days)
    kept = (limits or TokenLimits()).to_dict()
    store = _store(options)
    try:
        return store.add_token(owner, name, digest(secret), scopes, kept, expires), secret
    finally:
        store.close()


def tokens_of(options: ServeOptions) -> list[TokenRecord]:
    """Return all tokens of a server."""
    store = _store(options)
    try:
        return store.tokens()
    finally:
        store.close()


def revoke_token(options: ServeOptions, token_id: str) -> None:
    """Take a token back; raise NotFound where there is none."""
    store = _store(options)
    try:
        store.revoke_token(token_id)
    finally:
        store.close()


def _store(options: ServeOptions) -> Store:
    options = placed(options)
    assert options.data is not None and options.database is not None
    writable(Path(options.data))
    return Store.open(options.database)
