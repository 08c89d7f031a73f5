"""What is answered: the models of all responses, of which the OpenAPI description is made."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field

from labial.server.store import JobRecord, TokenRecord, UploadRecord

_UPLOAD, _JOB = "upl_abcdefghijklmnopqrstuvwxyz", "job_abcdefghijklmnopqrstuvwxyz"
_WHEN = "2026-01-31T12:00:00Z"
_LATER = "2026-02-07T12:00:00Z"


class Problem(BaseModel):
    """What is wrong, for machines and for people."""

    code: str = Field(description="A word for machines.")
    message: str = Field(description="What is wrong and what to do.")


class ErrorOut(BaseModel):
    """Every answer that is not what was asked for."""

    error: Problem

    model_config = ConfigDict(
        json_schema_extra={"example": {"error": {"code": "not_found", "message": "there is none"}}}
    )


class UploadOut(BaseModel):
    """A file that was given."""

    id: str
    name: str = Field(description="As its owner calls it.")
    size: int | None = Field(description="Bytes; null where that is not known yet.")
    received: int = Field(description="Bytes that are here.")
    state: Literal["receiving", "checking", "ready", "refused"]
    holds: str | None = Field(
        description="What it was found to be: video, photo, speech, script, segments or boxes."
    )
    extension: str | None = Field(description="By its content, with a dot.")
    reason: str | None = Field(description="Why it was refused.")
    facts: dict[str, Any] = Field(description="What is known of it, such as seconds and width.")
    sha256: str | None
    created: datetime
    expires: datetime | None = Field(description="When it is deleted, unless a job needs it.")

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": _UPLOAD, "name": "film.mp4", "size": 1048576, "received": 1048576,
                "state": "ready", "holds": "video", "extension": ".mp4", "reason": None,
                "facts": {"seconds": 12.0, "width": 1280, "height": 720}, "sha256": "0" * 64,
                "created": _WHEN, "expires": _LATER,
            }
        }
    )  # fmt: skip

    @classmethod
    def of(cls, record: UploadRecord, received: int | None = None) -> UploadOut:
        """Return what is told of a record."""
        values = {name: getattr(record, name) for name in cls.model_fields}
        if received is not None:
            values["received"] = received
        return cls(**values)


class UploadPage(BaseModel):
    """Uploads, the last first."""

    items: list[UploadOut]
    next: str | None = Field(
        description="The cursor of the next page; null where this is the last."
    )


class Progress(BaseModel):
    """How far a job is."""

    stage: str | None = None
    done: int | None = None
    total: int | None = None
    share: float | None = Field(None, description="Of all the work, 0 to 1.")


class FileOut(BaseModel):
    """A file that a job made."""

    name: str = Field(description="output, report, preview and so on; by language output.es.")
    filename: str = Field(description="As it is saved.")
    size: int
    type: str
    url: str


class ResultOut(BaseModel):
    """What came of a job."""

    files: list[FileOut]
    summary: str
    facts: dict[str, Any]


class JobOut(BaseModel):
    """A job, as far as it is."""

    id: str
    kind: str
    inputs: dict[str, str] = Field(description="Role → id of an upload.")
    options: dict[str, Any] = Field(description="Those that were given.")
    container: str | None
    report: bool
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    cancelling: bool = Field(description="It runs, and was asked to stop.")
    progress: Progress
    attempts: int
    most_attempts: int
    reason: str | None = Field(description="Why it failed, or why the last attempt did.")
    result: ResultOut | None
    estimate: float | None = Field(description="Seconds that it was thought to take.")
    created: datetime
    started: datetime | None
    finished: datetime | None
    expires: datetime | None
    webhook: str | None = Field(description="What is called when it has ended.")
    version: int = Field(description="Grows with every change.")

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": _JOB, "kind": "dub", "inputs": {"video": _UPLOAD},
                "options": {"text": "Good morning.", "language": "en-us"}, "container": None,
                "report": False, "state": "done", "cancelling": False,
                "progress": {"stage": "render", "done": 300, "total": 300, "share": 1.0},
                "attempts": 1, "most_attempts": 3, "reason": None,
                "result": {
                    "files": [
                        {
                            "name": "output", "filename": "output.mp4",
                            "size": 1048576, "type": "video/mp4",
                            "url": f"/v1/jobs/{_JOB}/files/output",
                        }
                    ],
                    "summary": "300 frames, 290 re-synced", "facts": {},
                },
                "estimate": 14.0, "created": _WHEN, "started": _WHEN, "finished": _WHEN,
                "expires": _LATER, "webhook": None, "version": 42,
            }
        }
    )  # fmt: skip

    @classmethod
    def of(cls, record: JobRecord) -> JobOut:
        """Return what is told of a record; never the webhook's secret, nor where files lie."""
        values: dict[str, Any] = {
            name: getattr(record, name) for name in cls.model_fields if hasattr(record, name)
        }
        values |= {name: record.request.get(name) for name in ("inputs", "options", "container")}
        values["report"] = bool(record.request.get("report"))
        values["webhook"] = None if record.webhook is None else record.webhook.get("url")
        values["progress"] = Progress(
            **{
                name: value
                for name, value in record.progress.items()
                if name in Progress.model_fields
            }
        )
        if record.result is not None:
            values["result"] = ResultOut(
                files=[
                    FileOut(
                        name=name,
                        filename=file["key"].rpartition("/")[2],
                        size=file["size"],
                        type=file["type"],
                        url=f"/v1/jobs/{record.id}/files/{quote(name, safe='')}",
                    )
                    for name, file in record.result["files"].items()
                ],
                summary=record.result["summary"],
                facts=record.result["facts"],
            )
        return cls(**values)


class JobPage(BaseModel):
    """Jobs, the last first."""

    items: list[JobOut]
    next: str | None = Field(
        description="The cursor of the next page; null where this is the last."
    )


class EstimateOut(BaseModel):
    """How long a job would take."""

    seconds: float | None = Field(description="Of work on this server; null where nobody knows.")
    wait: float = Field(description="Seconds until it would begin.")
    cpu_seconds_per_minute: float | None = Field(
        description="Seconds of work for a minute of media."
    )

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"seconds": 14.0, "wait": 0.0, "cpu_seconds_per_minute": 70.0}
        }
    )


class VoiceOut(BaseModel):
    """Voices that differ in nothing but their names."""

    names: list[str]
    engine: str
    languages: list[str]
    licence: str
    state: str = Field(description="Ready, or what it still needs.")


class LimitsOut(BaseModel):
    """What may be taken."""

    upload_bytes: int
    media_minutes: float
    active_jobs: int
    requests_per_minute: int | None


class MeOut(BaseModel):
    """Who asks, and what they may do."""

    owner: str
    by: Literal["token", "cookie", "local"]
    scopes: list[str]
    limits: LimitsOut
    active: int = Field(description="Jobs that wait or run.")
    keep_days: float
    version: str = Field(description="Of Labial.")


class TokenOut(BaseModel):
    """A token; of its secret nothing is known here."""

    id: str
    owner: str
    name: str
    scopes: list[str]
    limits: dict[str, Any]
    created: datetime
    expires: datetime | None
    revoked: datetime | None

    @classmethod
    def of(cls, record: TokenRecord) -> TokenOut:
        """Return what is told of a record."""
        values = {name: getattr(record, name) for name in cls.model_fields}
        return cls(**(values | {"scopes": list(record.scopes), "limits": dict(record.limits)}))


class NewTokenOut(TokenOut):
    """A token just made, with its secret, which is shown only now."""

    secret: str


class HealthOut(BaseModel):
    """Whether the server can work."""

    ok: bool
    reasons: list[str] = Field(description="What does not answer.")


_ALWAYS = {
    400: "The request cannot be read.",
    401: "A token is needed, or this one is not known.",
    403: "The token does not allow it, or another site's page has asked.",
    408: "It came too slowly.",
    413: "It is too large.",
    414: "The address is too long.",
    415: "It comes in an encoding or type that is not taken.",
    421: "The server is not called so.",
    422: "A value is wrong.",
    429: "Too often, or too many at a time; Retry-After says when to come again.",
    431: "Its headers are too large.",
    500: "A fault of the server.",
    503: "The database or the store does not answer; Retry-After says when to come again.",
}
_SOMETIMES = {
    404: "There is none, or it is somebody else's.",
    409: "It cannot be done in the state that it is in.",
    412: "Another version of tus.",
    416: "There is no such part.",
    507: "The disk is full.",
}


def errors(*more: int) -> dict[int | str, dict[str, Any]]:
    """Return the errors of an operation, for its description: those of all, and ``more``."""
    told = _ALWAYS | {status: _SOMETIMES[status] for status in more}
    return {
        status: {"model": ErrorOut, "description": about} for status, about in sorted(told.items())
    }
