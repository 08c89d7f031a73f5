"""What requests are answered with: the store, the media, the files that arrive, and who asks."""

from __future__ import annotations

import ipaddress
import tempfile
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

from platformdirs import user_data_path

from labial.errors import OptionError
from labial.options import ServeOptions
from labial.server.gate import Caller, Gate
from labial.server.media_store import MediaStore, open_store
from labial.server.reaching import Reach
from labial.server.store import Store
from labial.server.tokens import Sessions, TokenLimits, alive, server_key

GB = 10**9


@dataclass(frozen=True)
class Services:
    """What requests are answered with.

    Parameters
    ----------
    options
        Of the server, with names of places filled in.
    store, media
        What is known, and the files.
    staging
        Folder for files that arrive.
    gate
        Tells who asks.
    """

    options: ServeOptions
    store: Store
    media: MediaStore
    staging: Path
    gate: Gate

    def close(self) -> None:
        """Let go of the database."""
        self.store.close()

    @property
    def upload_bytes(self) -> int:
        """Most bytes of one upload."""
        return int(self.options.max_upload_gb * GB)

    @property
    def reach(self) -> Reach:
        """What URLs of files and webhooks may reach."""
        return Reach.of(self.options.reach)

    def limits_of(self, caller: Caller) -> TokenLimits:
        """Return what a caller may take: what the token says, at most what the server allows."""
        own = caller.limits
        return replace(
            own,
            upload_bytes=min(own.upload_bytes or self.upload_bytes, self.upload_bytes),
            media_minutes=min(
                own.media_minutes or self.options.max_minutes, self.options.max_minutes
            ),
            active_jobs=min(own.active_jobs or self.options.max_active, self.options.max_active),
        )

    def expiry(self, days: float | None = None) -> datetime:
        """Return when what is made now is deleted."""
        return datetime.now(timezone.utc) + timedelta(days=days or self.options.keep_days)

    def delete_job(self, job_id: str, owner: str | None) -> None:
        """Delete a job that has ended, and its files.

        Raises
        ------
        NotFound, Conflict
            There is none; it waits or runs.
        """
        self.store.delete_job(job_id, owner)
        for key in [*self.media.keys(f"jobs/{job_id}/")]:
            self.media.delete(key)

    def has_tokens(self) -> bool:
        """Tell whether anybody has a token that is good for something."""
        return any(alive(token) for token in self.store.tokens())

    def admit_anonymous(self) -> None:
        """Let whoever brings no token do everything, if the server is for this machine alone.

        Once a token was made, one is needed, also after the last was revoked or has ended: a proxy
        on this machine may let others in.
        """
        self.gate.anonymous = is_loopback(self.options.host) and not self.store.tokens()


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach an address."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def placed(options: ServeOptions) -> ServeOptions:
    """Return options with the places filled in that are not given."""
    data = Path(options.data) if options.data else user_data_path("labial", appauthor=False)
    data = data.expanduser().absolute()
    return replace(
        options,
        data=str(data),
        database=options.database or f"sqlite:///{data / 'labial.sqlite'}",
        store=options.store or str(data / "media"),
    )


def writable(folder: Path) -> None:
    """Make a folder of the data where it is missing; raise OptionError where that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise OptionError(
            f"--data: {folder}: {error.strerror}: name a folder that can be written to"
        ) from None


def open_services(options: ServeOptions) -> Services:
    """Open what a server needs, and make what is missing.

    Raises
    ------
    StoreError, OptionError
        The database or the store cannot be used.
    """
    options = placed(options)
    assert options.data is not None and options.database is not None and options.store is not None
    data = Path(options.data)
    staging = data / "staging"
    writable(staging)
    store = Store.open(options.database)
    try:
        media = open_store(options.store)
        gate = Gate(store.token_by_digest, Sessions(server_key(data)))
        services = Services(options, store, media, staging, gate)
        services.admit_anonymous()
    except BaseException:
        store.close()
        raise
    return services
