"""Whether a server can work just now."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from labial.server.media_store import MediaStore
from labial.server.store import Store, StoreError

LOG = logging.getLogger("labial.server")
LEAST_BYTES = 10**9
"""With less room than that on a disk nothing more is taken."""


def reasons_not_ready(store: Store, media: MediaStore, staging: Path) -> list[str]:
    """Return why jobs cannot be taken or done just now, in words that give nothing away.

    Parameters
    ----------
    store, media
        The database and the store of media: both have to answer.
    staging
        Folder on the disk where uploads arrive: it and the store need a gigabyte of room.
    """
    found: list[str] = []

    def check(told: str, ask: Callable[[], object]) -> None:
        try:
            if ask() is not False:
                return
        except (StoreError, DBAPIError, OSError) as error:
            LOG.warning("not ready: %s: %s", told, error)
        found.append(told)

    check("the database does not answer", store.ping)
    check("the store does not answer", media.check)
    check("the disk for uploads is full", lambda: _roomy(shutil.disk_usage(staging).free))
    if "the store does not answer" not in found:
        check("the store is full", lambda: _roomy(media.free()))
    if "the database does not answer" not in found:
        check("no worker is alive: jobs wait", lambda: store.workers_alive() > 0)
    return found


def _roomy(free: int | None) -> bool:
    return free is None or free >= LEAST_BYTES
