"""Bytes that arrive: into a file beside, never into memory, and on from where they stopped."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from starlette.concurrency import run_in_threadpool

from labial.server.refusing import Refused
from labial.server.store import Store, UploadRecord

_PIECE = 1 << 20
_NOTED = 16 << 20
_SPARE = 200 << 20


@dataclass
class _Arrival:
    """An upload that is being received by this process."""

    received: int
    noted: int
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    writer: object = None
    users: int = 0


class Arrivals:
    """Receives uploads into a folder.

    Parameters
    ----------
    folder
        For the files, each called by the id of its upload.
    store
        Is told how much is here, every 16 MB and at the end of every request.
    """

    def __init__(self, folder: Path, store: Store) -> None:
        self.folder, self._store = folder, store
        self._known: dict[str, _Arrival] = {}

    def path(self, upload_id: str) -> Path:
        """Return the file of an upload."""
        return self.folder / upload_id

    def received(self, upload: UploadRecord) -> int:
        """Return how many bytes of an upload are here."""
        arrival = self._known.get(upload.id)
        return upload.received if arrival is None else arrival.received

    def arrives(self, upload_id: str) -> bool:
        """Tell whether an upload is being received just now."""
        return upload_id in self._known

    def expect_room(self, size: int) -> None:
        """Raise Refused where the disk is too full for ``size`` bytes."""
        if shutil.disk_usage(self.folder).free < size + _SPARE:
            raise Refused(507, "full", "there is no room for this file now: try again later", 600)

    async def append(
        self, upload: UploadRecord, offset: int, pieces: AsyncIterator[bytes], most: int
    ) -> int:
        """Write what arrives after the first ``offset`` bytes; return how many are here then.

        Whoever wrote to the same upload before, over a connection that may be dead, writes no
        more. What has arrived stays when the connection breaks.

        Parameters
        ----------
        most
            Bytes that the upload may have in all.

        Raises
        ------
        Refused
            409 for another offset than there are bytes, 413 for more bytes than there may be.
        """
        arrival = self._known.setdefault(upload.id, _Arrival(upload.received, upload.received))
        arrival.users += 1
        me = object()
        try:
            async with arrival.lock:
                if offset != arrival.received:
                    raise Refused(409, "offset", f"{arrival.received} bytes are here: go on there")
                if offset and await run_in_threadpool(_bytes, self.path(upload.id)) < offset:
                    # Power failed before they were on the disk, or another disk is here now.
                    raise Refused(404, "gone", "what was here of it is lost: begin a new upload")
                arrival.writer = me
            return await self._receive(upload.id, arrival, me, pieces, most)
        finally:
            arrival.users -= 1
            if arrival.users == 0:
                del self._known[upload.id]

    async def _receive(
        self, upload_id: str, arrival: _Arrival, me: object, pieces: AsyncIterator[bytes], most: int
    ) -> int:
        waiting = bytearray()
        try:
            async for piece in pieces:
                _expect_turn(arrival, me)
                waiting += piece
                if arrival.received + len(waiting) > most:
                    waiting.clear()
                    raise Refused(413, "size", f"it may have {most} bytes, and more came")
                if len(waiting) >= _PIECE:
                    await self._write(upload_id, arrival, me, waiting)
        finally:
            await asyncio.shield(self._end(upload_id, arrival, me, waiting))
        return arrival.received

    async def _end(self, upload_id: str, arrival: _Arrival, me: object, waiting: bytearray) -> None:
        if arrival.writer is not me:
            return
        await self._write(upload_id, arrival, me, waiting)
        async with arrival.lock:
            await self._note(upload_id, arrival)

    async def _write(
        self, upload_id: str, arrival: _Arrival, me: object, waiting: bytearray
    ) -> None:
        async with arrival.lock:
            _expect_turn(arrival, me)
            data = bytes(waiting)
            waiting.clear()
            if not data and arrival.received:
                return
            await run_in_threadpool(_write_at, self.path(upload_id), arrival.received, data)
            arrival.received += len(data)
            if arrival.received - arrival.noted >= _NOTED:
                await self._note(upload_id, arrival)

    async def _note(self, upload_id: str, arrival: _Arrival) -> None:
        if arrival.received > arrival.noted:
            await run_in_threadpool(
                self._store.advance_upload, upload_id, arrival.received, arrival.noted
            )
            arrival.noted = arrival.received


def _expect_turn(arrival: _Arrival, me: object) -> None:
    if arrival.writer is not me:
        raise Refused(409, "offset", "another request goes on with this upload")


def _bytes(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _write_at(path: Path, offset: int, data: bytes) -> None:
    with path.open("r+b" if path.exists() else "xb") as file:
        if offset:
            file.seek(offset)
        file.write(data)
        file.truncate()
