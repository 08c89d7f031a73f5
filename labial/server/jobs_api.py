"""Jobs: asked for, looked at, stopped, tried again, deleted, and what came of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from labial.jobs import KINDS, Job, estimate, expect_no_files, kind_of
from labial.server.answers import EstimateOut, JobOut, JobPage, errors
from labial.server.asking import Asker, Cursor, JobId, Limit, Served, links
from labial.server.gate import Caller
from labial.server.ranges import FILE, answer_file, type_of
from labial.server.refusing import Refused
from labial.server.schema import AnyJob, JobRequest
from labial.server.services import Services
from labial.server.store import JobRecord, NotFound, UploadRecord

router = APIRouter(prefix="/v1", tags=["jobs"])

_MOST_WAITING = 500
# Speech comes in many shapes, and segments may be a script.
_FITS: Mapping[str, frozenset[str]] = {
    "video": frozenset({"video"}),
    "photo": frozenset({"photo"}),
    "speech": frozenset({"speech", "video", "script"}),
    "sound": frozenset({"speech", "video"}),
    "segments": frozenset({"segments", "script"}),
    "boxes": frozenset({"boxes"}),
    "media": frozenset({"video", "photo", "speech"}),
}


_LINKS = links("job_id", "get_job", "follow_job", "cancel_job", "retry_job", "delete_job")


@router.post(
    "/jobs",
    status_code=201,
    responses={
        200: {"model": JobOut, "description": "The job that this key stands for already."},
        201: {"description": "The job is in the queue.", "links": _LINKS},
        **errors(409, 507),
    },
)
def create_job(
    body: AnyJob,
    response: Response,
    services: Served,
    caller: Asker,
    idempotency_key: Annotated[
        str | None,
        Header(
            pattern=r"^[!-~]{1,200}$",
            description="Who comes again with the same key gets the same job.",
            examples=["film-17-es"],
        ),
    ] = None,
) -> JobOut:
    """Ask for a job."""
    asked = body.asked()
    webhook = None if body.webhook is None else body.webhook.model_dump()
    if body.webhook is not None:
        services.reach.expect(body.webhook.url)
    known = services.store.job_by_key(caller.owner, idempotency_key) if idempotency_key else None
    seconds = None
    if known is None:
        uploads = _uploads(services, caller, body)
        seconds = _estimated(body, uploads).seconds
    record, fresh = services.store.submit(
        caller.owner,
        body.kind,
        asked,
        key=idempotency_key,
        webhook=webhook,
        expires=services.expiry(body.keep_days),
        most_attempts=services.options.tries,
        estimate=seconds,
        most_active=_most_active(services, caller),
    )
    response.status_code = 201 if fresh else 200
    response.headers["Location"] = f"/v1/jobs/{record.id}"
    return JobOut.of(record)


@router.post("/estimates", responses=errors(409))
def estimate_job(body: AnyJob, services: Served, caller: Asker) -> EstimateOut:
    """Tell how long a job would take, without doing it."""
    found = _estimated(body, _uploads(services, caller, body))
    if found.seconds is not None:
        found.seconds *= services.store.pace(body.kind) or 1.0
    found.wait = _wait(services)
    return found


@router.get("/jobs", responses=errors())
def list_jobs(
    services: Served,
    caller: Asker,
    kind: Annotated[
        str | None,
        Query(description="Only jobs of this kind.", json_schema_extra={"enum": [*KINDS]}),
    ] = None,
    state: Annotated[
        Literal["queued", "running", "done", "failed", "cancelled"] | None,
        Query(description="Only jobs in this state."),
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> JobPage:
    """List jobs, the last first."""
    if kind is not None:
        kind_of(kind)
    records, following = services.store.jobs(caller.owner, kind, state, limit, cursor)
    return JobPage(items=[JobOut.of(record) for record in records], next=following)


@router.get("/jobs/{job_id:job}", responses=errors(404))
def get_job(job_id: JobId, services: Served, caller: Asker) -> JobOut:
    """Return a job."""
    return JobOut.of(services.store.job(job_id, caller.owner))


@router.post("/jobs/{job_id:job}/cancel", responses=errors(404, 409))
def cancel_job(job_id: JobId, services: Served, caller: Asker) -> JobOut:
    """Stop a job: at once if it waits, else as soon as its worker hears of it."""
    return JobOut.of(services.store.cancel(job_id, caller.owner))


@router.post("/jobs/{job_id:job}/retry", responses=errors(404, 409))
def retry_job(job_id: JobId, services: Served, caller: Asker) -> JobOut:
    """Put a job that failed or was cancelled into the queue again."""
    most = _most_active(services, caller)
    return JobOut.of(services.store.retry(job_id, caller.owner, most))


@router.delete("/jobs/{job_id:job}", status_code=204, responses=errors(404, 409))
def delete_job(job_id: JobId, services: Served, caller: Asker) -> Response:
    """Delete a job that has ended, and its files."""
    services.delete_job(job_id, caller.owner)
    return Response(status_code=204)


_FILE = FILE | errors(404, 409, 416)
FileName = Annotated[
    str, Path(max_length=200, description="One of the result's files.", examples=["output"])
]


@router.get("/jobs/{job_id:job}/files/{name}", response_class=Response, responses=_FILE)
async def get_file(
    request: Request, job_id: JobId, name: FileName, services: Served, caller: Asker
) -> Response:
    """Return a file that a job made, or a part of it."""
    return await _file(request, services, job_id, name, caller)


@router.head("/jobs/{job_id:job}/files/{name}", response_class=Response, responses=_FILE)
async def head_file(
    request: Request, job_id: JobId, name: FileName, services: Served, caller: Asker
) -> Response:
    """Tell the size and type of a file that a job made."""
    return await _file(request, services, job_id, name, caller)


async def _file(
    request: Request, services: Services, job_id: str, name: str, caller: Caller
) -> Response:
    job = await run_in_threadpool(services.store.job, job_id, caller.owner)
    if job.result is None:
        raise Refused(409, "state", f"this job is {job.state}: it has no files yet")
    file = job.result["files"].get(name)
    if file is None:
        known = ", ".join(job.result["files"]) or "none"
        raise Refused(404, "not_found", f"this job has no such file: there are {known}")
    shown = await run_in_threadpool(_called, services, job, PurePosixPath(file["key"]).name)
    return await answer_file(request, services.media, file["key"], shown, file["type"])


def _called(services: Services, job: JobRecord, name: str) -> str:
    """A file as it is saved: behind the name of what the job was made of, where that is known."""
    try:
        subject = services.store.upload(next(iter(job.request["inputs"].values())), job.owner)
    except (NotFound, StopIteration):
        return name
    return f"{PurePosixPath(subject.name).stem}.{name}"


@router.get(
    "/jobs/{job_id:job}/live.jpg",
    response_class=Response,
    responses={
        200: {
            "description": "A picture.",
            "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}},
        },
        206: {
            "description": "The part that was asked for by Range.",
            "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}},
        },
        204: {"description": "There is none yet, or none any more."},
        304: FILE[304],
        **errors(404, 416),
    },
)
async def get_live_frame(
    request: Request, job_id: JobId, services: Served, caller: Asker
) -> Response:
    """Return the newest frame of a job that runs; there is none before the first is made."""
    await run_in_threadpool(services.store.job, job_id, caller.owner)
    key, type_ = f"jobs/{job_id}/live.jpg", type_of(".jpg")
    try:
        return await answer_file(request, services.media, key, "live.jpg", type_, fresh=True)
    except Refused as refused:
        if refused.status != 404:
            raise
        # A page that looks again and again has not done anything wrong.
        return Response(status_code=204)


def _uploads(services: Services, caller: Caller, body: JobRequest) -> dict[str, UploadRecord]:
    """The uploads of a request by role; raises Refused or LabialError where it cannot be done."""
    kind, found = KINDS[body.kind], {}
    holds = {each.role: each.holds for each in kind.inputs}
    for role, upload_id in body.roles().items():
        try:
            upload = services.store.upload(upload_id, caller.owner)
        except NotFound:
            raise Refused(422, "input", f"{role}: there is no upload {upload_id}") from None
        if upload.state != "ready":
            why = f": {upload.reason}" if upload.reason else ""
            raise Refused(409, "state", f"{role}: upload {upload_id} is {upload.state}{why}")
        wanted = holds[role.partition(".")[0]]
        if upload.holds not in _FITS[wanted]:
            raise Refused(422, "input", f"{role}: {upload.name} is {upload.holds}, not {wanted}")
        found[role] = upload
    files = {role: PurePosixPath(f"{u.id}{u.extension or ''}") for role, u in found.items()}
    Job(kind=body.kind, **{**body.asked(), "inputs": files})
    expect_no_files(body.asked()["options"])
    return found


def _most_active(services: Services, caller: Caller) -> int:
    most = services.limits_of(caller).active_jobs
    assert most is not None
    return most


def _estimated(body: JobRequest, uploads: Mapping[str, UploadRecord]) -> EstimateOut:
    facts = {role: upload.facts for role, upload in uploads.items()}
    job = body.asked()
    seconds, alone = (
        estimate(body.kind, facts, job["options"], report=bool(job["report"]), cores=cores)
        for cores in (0, 1)
    )
    media = max((float(each.get("seconds") or 0.0) for each in facts.values()), default=0.0)
    each_minute = None if alone is None or media <= 0 else 60 * alone / media
    return EstimateOut(seconds=seconds, wait=0.0, cpu_seconds_per_minute=each_minute)


def _wait(services: Services) -> float:
    """Seconds until what is asked for now would begin."""
    workers = max(1, services.options.workers)
    active: list[JobRecord] = []
    for state in ("queued", "running"):
        active += services.store.jobs(None, None, state, _MOST_WAITING)[0]
    if len(active) < workers:
        return 0.0
    left = 0.0
    for job in active:
        share = job.progress.get("share") or 0.0
        left += (job.estimate or 60.0) * (1 - share)
    return left / workers
