"""Tokens and the page's sessions: how they are made, kept and recognised.

A token is ``lab_`` and 32 random bytes. Only its SHA-256 is kept. A slow hash, as passwords need,
would add nothing: there is no dictionary of 256 random bits, and whoever reads the digests would
have to try 2^255 of them; but every request would pay for it.

The page keeps no token. It trades one for a cookie that no script can read: the token's digest, a
time and a signature under the server's own key. So a session ends with its token, whoever reads the
database can make neither tokens nor sessions, and whoever sees a cookie does not have the token.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import time
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Protocol

from labial.errors import OptionError

PREFIX = "lab_"
"""How every token begins, so that one that leaked is found by a scanner."""
SCOPES = ("read", "write", "admin")
"""What a token may allow; each holds those before it."""
SESSION_SECONDS = 12 * 3600

_SECRET_BYTES = 32
_LONGEST = 256


@dataclass(frozen=True)
class TokenLimits:
    """What the holder of a token may take; None for as much as the server allows.

    Parameters
    ----------
    upload_bytes
        Of one upload.
    media_minutes
        Of one video or sound.
    active_jobs
        Jobs that wait or run at the same time.
    running_jobs
        Jobs of its owner that run at the same time.
    requests_per_minute
        Of all kinds.

    Raises
    ------
    OptionError
        One that is below 1.
    """

    upload_bytes: int | None = None
    media_minutes: float | None = None
    active_jobs: int | None = None
    running_jobs: int | None = None
    requests_per_minute: int | None = None

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if value is not None and not value >= 1:
                raise OptionError(f"{name.replace('_', ' ')} {value}: use 1 or more")

    def to_dict(self) -> dict[str, Any]:
        """Return what is limited, for JSON."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any] | None) -> TokenLimits:
        """Read what :meth:`to_dict` returned; names that are not known are left out."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in (facts or {}).items() if name in known})


class KnownToken(Protocol):
    """What is kept of a token."""

    @property
    def id(self) -> str:
        """Its name among tokens, which is no secret."""

    @property
    def owner(self) -> str:
        """Whom it belongs to: jobs and uploads are theirs."""

    @property
    def digest(self) -> str:
        """As :func:`digest` returned it."""

    @property
    def scopes(self) -> Collection[str]:
        """Some of :data:`SCOPES`."""

    @property
    def limits(self) -> Any:
        """:class:`TokenLimits`, or what its ``to_dict`` returned."""

    @property
    def expires(self) -> datetime | None:
        """When it ends, if ever."""

    @property
    def revoked(self) -> Any:
        """When, or whether, it was taken back."""


def new_secret() -> str:
    """Return a new token: ``lab_`` and 43 characters out of A-Z, a-z, 0-9, - and _."""
    return PREFIX + secrets.token_urlsafe(_SECRET_BYTES)


def digest(secret: str) -> str:
    """Return what is kept of a token: its SHA-256, as 64 hexadecimal digits."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def allows(scopes: Collection[str], wanted: str) -> bool:
    """Tell whether any of ``scopes`` is ``wanted`` or holds it."""
    return any(scope in SCOPES and SCOPES.index(scope) >= SCOPES.index(wanted) for scope in scopes)


def alive(token: KnownToken, now: datetime | None = None) -> bool:
    """Tell whether a token was neither taken back nor has ended."""
    now = now or datetime.now(timezone.utc)
    return not token.revoked and (token.expires is None or now < token.expires)


def same(one: str, other: str) -> bool:
    """Compare two digests in a time that does not tell where they differ."""
    return hmac.compare_digest(one.encode(), other.encode())


def server_key(folder: Path) -> bytes:
    """Return the server's own key, 32 random bytes in ``folder/session.key``, made once.

    Several servers that share sessions share this file.
    """
    path = folder / "session.key"
    try:
        return _read_key(path)
    except FileNotFoundError:
        pass
    folder.mkdir(parents=True, exist_ok=True)
    beside = folder / f".session.{secrets.token_hex(8)}.key"
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(secrets.token_bytes(_SECRET_BYTES))
    try:
        os.link(beside, path)  # unlike a rename, it never replaces the key of another process
    except FileExistsError:
        pass
    except OSError:  # a disk without hard links
        if not path.exists():
            beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return _read_key(path)


def _read_key(path: Path) -> bytes:
    key = path.read_bytes()
    if len(key) != _SECRET_BYTES:
        raise OptionError(f"{path} is damaged: delete it, and everybody signs in again")
    return key


@dataclass(frozen=True)
class Sessions:
    """Makes and reads the values of the page's cookie.

    Parameters
    ----------
    key
        Of :func:`server_key`.
    seconds
        How long a session lasts.
    """

    key: bytes
    seconds: int = SESSION_SECONDS

    def begin(self, token_digest: str) -> str:
        """Return the value of a cookie for the holder of a token."""
        said = f"{token_digest}.{int(time.time()) + self.seconds}"
        return f"{said}.{self._signed(said)}"

    def read(self, value: str) -> str | None:
        """Return the digest of a session's token; None where the value is not ours, or is old."""
        said, _, mark = value[:_LONGEST].rpartition(".")
        if not same(self._signed(said), mark.encode("ascii", "replace").decode()):
            return None
        token_digest, _, until = said.partition(".")
        return token_digest if time.time() < int(until) else None

    def _signed(self, said: str) -> str:
        text = b"labial session " + said.encode("utf-8", "replace")
        return hmac.new(self.key, text, hashlib.sha256).hexdigest()

    def set_cookie(self, value: str, secure: bool) -> str:
        """Return a ``Set-Cookie`` header; an empty value ends the session in that browser.

        Parameters
        ----------
        value
            Of :meth:`begin`.
        secure
            The page was reached by HTTPS.
        """
        age = self.seconds if value else 0
        parts = [f"{cookie_name(secure)}={value}", "Path=/", f"Max-Age={age}", "HttpOnly"]
        return "; ".join([*parts, "SameSite=Strict", *(["Secure"] if secure else [])])


def cookie_name(secure: bool) -> str:
    """Name of the cookie; by HTTPS one that browsers let no other host and no HTTP set."""
    return "__Host-labial" if secure else "labial"
