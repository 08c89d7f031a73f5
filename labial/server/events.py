"""Server-sent events of jobs: one look at the database serves everybody who listens."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from labial.server.answers import JobOut, errors
from labial.server.asking import Asker, JobId, Served
from labial.server.refusing import Refused
from labial.server.store import JobRecord, Store

LOG = logging.getLogger("labial.server")
_LOOK_SECONDS = 0.4
_ALIVE_SECONDS = 15.0
_MOST_LISTENERS = 100

_EVENT = {
    "type": "object",
    "description": "One event of the stream.",
    "required": ["event", "id", "data"],
    "properties": {
        "event": {"type": "string", "enum": ["state", "progress"]},
        "id": {"type": "string", "description": "The job's version."},
        "data": {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": {"$ref": "#/components/schemas/JobOut"},
        },
    },
}

router = APIRouter(prefix="/v1", tags=["jobs"])


class Watch:
    """Looks at the jobs that somebody listens to, several times a second, all in one query.

    Parameters
    ----------
    store
        Where jobs are.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._listened: Counter[str] = Counter()
        self._seen: dict[str, JobRecord | None] = {}
        self._changed = asyncio.Condition()
        self._of_owner: Counter[str] = Counter()
        self._closed = False

    async def run(self) -> None:
        """Look, for ever."""
        while not self._closed:
            await asyncio.sleep(_LOOK_SECONDS)
            wanted = list(self._listened)
            if not wanted:
                continue
            try:
                found = await run_in_threadpool(self._store.jobs_by_id, wanted)
            except Exception as error:  # another look may go better, and nobody else waits here
                LOG.warning("jobs could not be looked at: %s", type(error).__name__)
                continue
            async with self._changed:
                self._seen = {each: found.get(each) for each in wanted}
                self._changed.notify_all()

    async def close(self) -> None:
        """End all that is listened to."""
        self._closed = True
        async with self._changed:
            self._changed.notify_all()

    def expect_place(self, owner: str) -> None:
        """Raise Refused where somebody listens to too many jobs at once."""
        if self._of_owner[owner] >= _MOST_LISTENERS:
            raise Refused(429, "listeners", "you listen to too many jobs at once", 5.0)

    async def follow(self, job: JobRecord, since: int) -> AsyncIterator[JobRecord | None]:
        """Yield a job now, if it is newer than ``since``, and whenever it changes, until it ends.

        None is yielded where nothing has changed for some time.
        """
        self._listened[job.id] += 1
        self._of_owner[job.owner] += 1
        try:
            if job.version > since:
                since = job.version
                yield job
            while not job.ended and not self._closed:
                known = await self._newer(job.id, since)
                if known is None:
                    yield None
                    continue
                if known is _GONE:
                    return
                assert isinstance(known, JobRecord)
                job, since = known, known.version
                yield job
        finally:
            self._of_owner.subtract([job.owner])
            self._listened[job.id] -= 1
            if self._listened[job.id] <= 0:
                del self._listened[job.id]
                self._seen.pop(job.id, None)

    async def _newer(self, job_id: str, since: int) -> JobRecord | object | None:
        """The job when it is newer; None if it is not for long; _GONE if it was deleted."""

        def news() -> bool:
            if self._closed or job_id not in self._seen:
                return self._closed
            found = self._seen[job_id]
            return found is None or found.version > since

        async with self._changed:
            try:
                await asyncio.wait_for(self._changed.wait_for(news), _ALIVE_SECONDS)
            except asyncio.TimeoutError:
                return None
            found = self._seen.get(job_id)
            return _GONE if self._closed or found is None else found


_GONE = object()


@router.get(
    "/jobs/{job_id:job}/events",
    response_class=Response,
    responses={
        200: {
            "description": "`state` and `progress` events, whose data is the job and whose id is "
            "its version. The stream ends when the job has ended.",
            "content": {
                "text/event-stream": {
                    "schema": _EVENT,
                    "example": {"event": "progress", "id": "7", "data": '{"id": "job_..."}'},
                }
            },
        },
        204: {"description": "It has ended, and nothing is new since Last-Event-ID."},
        **errors(404),
    },
)
async def follow_job(
    request: Request,
    job_id: JobId,
    services: Served,
    caller: Asker,
    last_event_id: Annotated[
        str | None, Header(description="The last event that arrived.", examples=["7"])
    ] = None,
) -> Response:
    """Follow a job until it ends, as server-sent events."""
    watch: Watch = request.app.state.watch
    watch.expect_place(caller.owner)
    job = await run_in_threadpool(services.store.job, job_id, caller.owner)
    told = (last_event_id or "").strip()
    since = int(told[:18]) if told.isascii() and told.isdigit() else 0
    if job.ended and since >= job.version:
        return Response(status_code=204)
    return StreamingResponse(
        _events(watch, job, since),
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )


async def _events(watch: Watch, job: JobRecord, since: int) -> AsyncIterator[str]:
    state: str | None = None
    yield "retry: 2000\n\n"
    async for each in watch.follow(job, since):
        if each is None:
            yield ": still here\n\n"
            continue
        event = "progress" if each.state == state else "state"
        state = each.state
        data = JobOut.of(each).model_dump_json()
        yield f"event: {event}\nid: {each.version}\ndata: {data}\n\n"
