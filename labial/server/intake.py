"""What has arrived is looked at in a process of its own, then kept, or refused with a reason."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from starlette.concurrency import run_in_threadpool

from labial.errors import LabialError
from labial.server.arrivals import Arrivals
from labial.server.media_store import MediaStore
from labial.server.store import NotFound, Store, UploadRecord

LOG = logging.getLogger("labial.server")
_AT_ONCE = 2
_GRACE_SECONDS = 5.0
T = TypeVar("T")


@dataclass(frozen=True)
class Found:
    """What a file was found to be, by its content.

    Parameters
    ----------
    holds
        video, photo, speech, script, segments or boxes.
    extension
        With a dot; that of its content, whatever its name was.
    facts
        What is known of it: seconds, width, height and so on.
    """

    holds: str
    extension: str
    facts: Mapping[str, Any] = field(default_factory=dict)


Examine = Callable[[Path, str], Found]
"""Says what a file is, given where it is and how its owner calls it; raises LabialError."""
Fetch = Callable[[str, Path, int], None]
"""Writes what is at a URL into a file of at most so many bytes; raises LabialError."""


class Intake:
    """Takes uploads that are complete.

    Parameters
    ----------
    arrivals, store, media
        Where they are, what is known of them, and where they go.
    examine
        Says what a file is.
    fetch
        Fetches one.
    """

    def __init__(
        self,
        arrivals: Arrivals,
        store: Store,
        media: MediaStore,
        examine: Examine,
        fetch: Fetch,
    ) -> None:
        self._arrivals, self._store, self._media = arrivals, store, media
        self._examine, self._fetch = examine, fetch
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._tasks: dict[str, asyncio.Task[UploadRecord | None]] = {}

    def begin(self, upload: UploadRecord, minutes: float) -> asyncio.Task[UploadRecord | None]:
        """Begin to look at an upload; the task returns what it is then, None if it was deleted."""
        known = self._tasks.get(upload.id)
        if known is None:
            known = asyncio.create_task(self._take(upload, minutes))
            self._tasks[upload.id] = known
            known.add_done_callback(lambda _: self._tasks.pop(upload.id, None))
        return known

    def begin_to_fetch(self, upload: UploadRecord, url: str, most: int, minutes: float) -> None:
        """Begin to fetch an upload of at most ``most`` bytes, and then to look at it."""
        # By that file, whoever comes after us sees that it was to be fetched.
        self._arrivals.path(upload.id).touch()
        task = asyncio.create_task(self._take(upload, minutes, url, most))
        self._tasks[upload.id] = task
        task.add_done_callback(lambda _: self._tasks.pop(upload.id, None))

    async def _take(
        self, upload: UploadRecord, minutes: float, url: str | None = None, most: int = 0
    ) -> UploadRecord | None:
        try:
            async with self._turns:
                if url is not None:
                    there = await _beside(lambda: self._fetched(upload, url, most))
                    if not there:
                        return None
                return await _beside(lambda: self._looked_at(upload, minutes))
        except NotFound:
            await run_in_threadpool(self._forget, upload.id)
            return None
        except Exception:
            # The file stays, and the janitor tries again.
            LOG.exception("upload %s could not be taken", upload.id)
            return None

    def _fetched(self, upload: UploadRecord, url: str, most: int) -> bool:
        path = self._arrivals.path(upload.id)
        try:
            self._fetch(url, path, most)
        except LabialError as error:
            path.unlink(missing_ok=True)
            self._store.settle_upload(upload.id, "refused", reason=str(error))
            return False
        except OSError as error:
            path.unlink(missing_ok=True)
            LOG.warning("upload %s could not be fetched: %s", upload.id, error)
            reason = f"{upload.name}: it could not be kept here: try again later"
            self._store.settle_upload(upload.id, "refused", reason=reason)
            return False
        self._store.advance_upload(upload.id, path.stat().st_size)
        return True

    def _looked_at(self, upload: UploadRecord, minutes: float) -> UploadRecord:
        path = self._arrivals.path(upload.id)
        size = path.stat().st_size
        upload = self._store.settle_upload(upload.id, "checking", size=size)
        try:
            if size == 0:
                raise LabialError(f"{upload.name}: the file is empty")
            found = self._examine(path, upload.name)
            seconds = found.facts.get("seconds") or 0.0
            if seconds > minutes * 60:
                raise LabialError(
                    f"{upload.name}: {seconds / 60:.0f} minutes long, and {minutes:g} are allowed"
                )
        except LabialError as error:
            settled = self._store.settle_upload(upload.id, "refused", reason=str(error))
            path.unlink()
            return settled
        digest = _sha256(path)
        self._media.put(f"uploads/{upload.id}", path)
        settled = self._store.settle_upload(
            upload.id,
            "ready",
            holds=found.holds,
            extension=found.extension,
            facts=found.facts,
            sha256=digest,
        )
        path.unlink()
        return settled

    def _forget(self, upload_id: str) -> None:
        self._media.delete(f"uploads/{upload_id}")
        self._arrivals.path(upload_id).unlink(missing_ok=True)

    async def delete(self, upload_id: str, owner: str | None) -> None:
        """Delete an upload and its bytes; raise Conflict while a job needs it."""
        await run_in_threadpool(self._store.delete_upload, upload_id, owner)
        await run_in_threadpool(self._forget, upload_id)

    async def go_on(self, minutes: float) -> None:
        """Take up what an earlier process left, and delete files of uploads that are no more."""
        for path in await run_in_threadpool(lambda: [*self._arrivals.folder.iterdir()]):
            if path.name in self._tasks or self._arrivals.arrives(path.name):
                continue
            try:
                upload = await run_in_threadpool(self._store.upload, path.name)
            except NotFound:
                path.unlink(missing_ok=True)
                continue
            complete = upload.state == "receiving" and upload.received == upload.size
            if upload.state == "checking" or complete:
                self.begin(upload, minutes)
            elif upload.state == "receiving" and upload.size is None:
                # Nobody can go on with it: it was being fetched, or came without its size.
                reason = f"{upload.name}: the server ended before all of it was here: try again"
                await run_in_threadpool(
                    self._store.settle_upload, upload.id, "refused", reason=reason
                )
                path.unlink(missing_ok=True)
            elif upload.state in ("ready", "refused"):
                path.unlink(missing_ok=True)

    async def close(self) -> None:
        """Wait a little for what is being looked at; the next process takes up the rest."""
        tasks = list(self._tasks.values())
        if tasks:
            await asyncio.wait(tasks, timeout=_GRACE_SECONDS)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _beside(do: Callable[[], T]) -> T:
    """Do something that may take long, on a thread that nobody waits for when the server ends."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def tell(act: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(lambda: None if done.cancelled() else act())

    def run() -> None:
        try:
            result = do()
        except BaseException as error:
            failed = error
            tell(lambda: done.set_exception(failed))
        else:
            tell(lambda: done.set_result(result))

    threading.Thread(target=run, name="intake", daemon=True).start()
    return await done


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        digest = hashlib.sha256()
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()
