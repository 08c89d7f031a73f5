"""Uploads: whole, in pieces that go on where they stopped (tus 1.0), or fetched from a URL."""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from labial.server.answers import UploadOut, UploadPage, errors
from labial.server.arrivals import Arrivals
from labial.server.asking import (
    Arriving,
    Asker,
    Cursor,
    Limit,
    Served,
    Taking,
    UploadId,
    links,
)
from labial.server.gate import Caller
from labial.server.ranges import FILE, answer_file, type_of
from labial.server.refusing import Refused
from labial.server.schema import Strict, Text
from labial.server.services import Services
from labial.server.store import UploadRecord

TUS = "1.0.0"
_SPEAKS = {"Tus-Resumable": TUS}
_PIECE = "application/offset+octet-stream"
_LONGEST_NAME = 200

router = APIRouter(prefix="/v1/uploads", tags=["uploads"])

Resumable = Annotated[
    str | None, Header(description="Version of tus; may be left out.", examples=[TUS])
]


def _header(about: str, example: str) -> dict[str, Any]:
    return {"description": about, "schema": {"type": "string"}, "example": example}


def _bytes(type_: str) -> dict[str, Any]:
    schema = {"type": "string", "format": "binary"}
    content = {type_: {"schema": schema, "example": "the bytes of the file"}}
    return {"requestBody": {"required": True, "content": content}}


_OFFSET = {
    "Upload-Offset": _header("Bytes that are here.", "1048576"),
    "Tus-Resumable": _header("Version of tus.", TUS),
}


_LINKS = links("upload_id", "get_upload", "head_upload", "append_upload", "delete_upload")


@router.options("", status_code=204, responses=errors())
def describe_uploads(services: Served, caller: Asker) -> Response:
    """Tell what of tus is known: creation and termination."""
    most = services.limits_of(caller).upload_bytes
    more = {"Tus-Version": TUS, "Tus-Extension": "creation,termination", "Tus-Max-Size": str(most)}
    return Response(status_code=204, headers={**_SPEAKS, **more})


@router.post(
    "",
    status_code=201,
    responses={
        201: {
            "headers": {
                "Location": _header("Where the bytes go.", "/v1/uploads/upl_..."),
                **_OFFSET,
            },
            "links": _LINKS,
        },
        **errors(412, 507),
    },
)
async def create_upload(
    response: Response,
    services: Served,
    arrivals: Arriving,
    caller: Asker,
    upload_length: Annotated[
        int, Header(ge=1, le=2**50, description="Bytes of the file.", examples=[1048576])
    ],
    upload_metadata: Annotated[
        str | None,
        Header(
            max_length=4000,
            description="`filename` and its value in base64, as tus has it.",
            examples=["filename ZmlsbS5tcDQ="],
        ),
    ] = None,
    tus_resumable: Resumable = None,
) -> UploadOut:
    """Begin an upload, whose bytes come by PATCH, in as many pieces as you like."""
    _expect_tus(tus_resumable)
    record = await _begun(services, arrivals, caller, _named(upload_metadata), upload_length)
    response.headers.update({**_SPEAKS, "Location": f"/v1/uploads/{record.id}"})
    response.headers["Upload-Offset"] = "0"
    return UploadOut.of(record)


@router.put(
    "",
    status_code=201,
    responses={201: {"links": _LINKS | links("upload_id", "get_content")}, **errors(507)},
    openapi_extra=_bytes("application/octet-stream"),
)
async def put_upload(
    request: Request,
    services: Served,
    arrivals: Arriving,
    intake: Taking,
    caller: Asker,
    name: Annotated[
        str, Query(max_length=1000, description="How to call it.", examples=["film.mp4"])
    ] = "file",
) -> UploadOut:
    """Upload a whole file at once; the answer comes when it was looked at."""
    limits = services.limits_of(caller)
    assert limits.upload_bytes is not None and limits.media_minutes is not None
    told = request.headers.get("content-length")
    record = await _begun(
        services, arrivals, caller, _clean(name), int(told[:18]) if told else None
    )
    try:
        size = await arrivals.append(record, 0, request.stream(), limits.upload_bytes)
        if size == 0:
            raise Refused(422, "empty", "the file is empty")
    except BaseException as error:
        # Nobody knows its name, so nobody could go on with it.
        await asyncio.shield(intake.delete(record.id, None))
        if isinstance(error, ClientDisconnect):
            raise Refused(400, "broken", "the connection broke") from None
        raise
    taken = await asyncio.shield(intake.begin(record, limits.media_minutes))
    if taken is None:
        taken = await run_in_threadpool(services.store.upload, record.id)
    return UploadOut.of(taken)


class FromUrl(Strict):
    """A file that the server fetches."""

    url: Annotated[Text, Field(max_length=2000, pattern=r"^https?://[^\s]+$")] = Field(
        description="Where it is, for everybody: no private address is reached.",
        examples=["https://example.org/film.mp4"],
    )


@router.post("/from-url", status_code=202, responses={202: {"links": _LINKS}, **errors(507)})
async def fetch_upload(
    body: FromUrl, services: Served, arrivals: Arriving, intake: Taking, caller: Asker
) -> UploadOut:
    """Fetch a file; it is received, then looked at, while the answer is here already."""
    services.reach.expect(body.url)
    limits = services.limits_of(caller)
    name = _clean(re.split(r"[?#]", body.url)[0].rstrip("/").rpartition("/")[2])
    record = await _begun(services, arrivals, caller, name, None)
    assert limits.upload_bytes is not None and limits.media_minutes is not None
    intake.begin_to_fetch(record, body.url, limits.upload_bytes, limits.media_minutes)
    return UploadOut.of(record)


@router.get("", responses=errors())
def list_uploads(
    services: Served, arrivals: Arriving, caller: Asker, limit: Limit = 50, cursor: Cursor = None
) -> UploadPage:
    """List uploads, the last first."""
    records, following = services.store.uploads(caller.owner, limit, cursor)
    items = [UploadOut.of(record, arrivals.received(record)) for record in records]
    return UploadPage(items=items, next=following)


@router.get("/{upload_id:upl}", responses=errors(404))
def get_upload(
    upload_id: UploadId, services: Served, arrivals: Arriving, caller: Asker
) -> UploadOut:
    """Return an upload."""
    record = services.store.upload(upload_id, caller.owner)
    return UploadOut.of(record, arrivals.received(record))


@router.head(
    "/{upload_id:upl}",
    response_class=Response,
    responses={200: {"description": "How far it is.", "headers": _OFFSET}, **errors(404, 412)},
)
def head_upload(
    upload_id: UploadId,
    services: Served,
    arrivals: Arriving,
    caller: Asker,
    tus_resumable: Resumable = None,
) -> Response:
    """Tell how many bytes of an upload are here."""
    _expect_tus(tus_resumable)
    record = services.store.upload(upload_id, caller.owner)
    headers = _SPEAKS | {"Upload-Offset": str(arrivals.received(record))}
    if record.size is not None:
        headers["Upload-Length"] = str(record.size)
    return Response(status_code=200, headers=headers | {"Cache-Control": "no-store"})


@router.patch(
    "/{upload_id:upl}",
    status_code=204,
    response_class=Response,
    responses={
        204: {"description": "These bytes are here.", "headers": _OFFSET},
        **errors(404, 409, 412, 507),
    },
    openapi_extra=_bytes(_PIECE),
)
async def append_upload(
    request: Request,
    upload_id: UploadId,
    services: Served,
    arrivals: Arriving,
    intake: Taking,
    caller: Asker,
    upload_offset: Annotated[
        int, Header(ge=0, le=2**50, description="Bytes that are here already.", examples=[0])
    ],
    tus_resumable: Resumable = None,
) -> Response:
    """Send more bytes of an upload. When all are here it is looked at: see its state."""
    _expect_tus(tus_resumable)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _PIECE:
        raise Refused(415, "type", f"send the bytes as {_PIECE}")
    limits = services.limits_of(caller)
    assert limits.media_minutes is not None
    record = await run_in_threadpool(services.store.upload, upload_id, caller.owner)
    if record.state != "receiving" or record.size is None:
        raise Refused(409, "state", f"this upload is {record.state}")
    try:
        received = await arrivals.append(record, upload_offset, request.stream(), record.size)
    except ClientDisconnect:
        raise Refused(400, "broken", "the connection broke: go on where it stopped") from None
    if received == record.size:
        intake.begin(record, limits.media_minutes)
    return Response(status_code=204, headers={**_SPEAKS, "Upload-Offset": str(received)})


@router.delete("/{upload_id:upl}", status_code=204, responses=errors(404, 409, 412))
async def delete_upload(
    upload_id: UploadId, intake: Taking, caller: Asker, tus_resumable: Resumable = None
) -> Response:
    """Delete an upload, unless a job that waits or runs needs it."""
    _expect_tus(tus_resumable)
    await intake.delete(upload_id, caller.owner)
    return Response(status_code=204, headers=_SPEAKS)


@router.get(
    "/{upload_id:upl}/content",
    response_class=Response,
    responses=FILE | errors(404, 409, 416),
)
async def get_content(
    request: Request, upload_id: UploadId, services: Served, caller: Asker
) -> Response:
    """Return the bytes of an upload."""
    record = await run_in_threadpool(services.store.upload, upload_id, caller.owner)
    if record.state != "ready":
        raise Refused(409, "state", f"this upload is {record.state}")
    key, type_ = f"uploads/{record.id}", type_of(record.extension)
    return await answer_file(request, services.media, key, record.name, type_, record.sha256)


async def _begun(
    services: Services, arrivals: Arrivals, caller: Caller, name: str, size: int | None
) -> UploadRecord:
    most = services.limits_of(caller).upload_bytes
    assert most is not None
    if size is not None and size > most:
        raise Refused(413, "size", f"the file is larger than the {most} bytes it may have")
    await run_in_threadpool(arrivals.expect_room, size or 0)
    expires = services.expiry()
    return await run_in_threadpool(services.store.add_upload, caller.owner, name, size, expires)


def _expect_tus(version: str | None) -> None:
    if version not in (None, TUS):
        raise Refused(412, "tus", f"this server speaks tus {TUS}")


def _named(metadata: str | None) -> str:
    """The file's name out of ``Upload-Metadata``."""
    for pair in (metadata or "").split(","):
        key, _, value = pair.strip().partition(" ")
        if key == "filename":
            try:
                return _clean(base64.b64decode(value, validate=True).decode())
            except (binascii.Error, ValueError):
                raise Refused(422, "metadata", "filename: use UTF-8 in base64") from None
    return "file"


def _clean(name: str) -> str:
    """A name to show: no folders, nothing that cannot be printed."""
    last = re.split(r"[/\\]", name)[-1]
    shown = "".join(letter for letter in last if letter.isprintable())
    return shown.strip()[:_LONGEST_NAME] or "file"
