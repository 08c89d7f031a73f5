"""Files out of the media store as answers: ranges, entity tags, and nothing that a browser runs."""

from __future__ import annotations

import hashlib
import inspect
import re
from collections.abc import Generator, Iterator
from typing import Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from labial.server.media_store import MediaStore
from labial.server.refusing import Refused
from labial.server.shield import DOCUMENT_POLICY

TYPES = {
    ".mp4": "video/mp4", ".m4v": "video/mp4", ".mov": "video/quicktime", ".webm": "video/webm",
    ".mkv": "video/x-matroska", ".avi": "video/x-msvideo", ".mpg": "video/mpeg",
    ".ts": "video/mp2t", ".wav": "audio/wav", ".mp3": "audio/mpeg", ".m4a": "audio/mp4",
    ".aac": "audio/aac", ".flac": "audio/flac", ".ogg": "audio/ogg", ".opus": "audio/ogg",
    ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".webp": "image/webp",
    ".gif": "image/gif", ".html": "text/html; charset=utf-8", ".json": "application/json",
    ".vtt": "text/vtt; charset=utf-8",
}  # fmt: skip
"""Of files that browsers may show; all others are only downloaded."""
_BYTES = {"schema": {"type": "string", "format": "binary"}}
_CONTENT = dict.fromkeys(
    sorted({each.partition(";")[0] for each in TYPES.values()} | {"application/octet-stream"}),
    _BYTES,
)
FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file.", "content": _CONTENT},
    206: {"description": "The part that was asked for by Range.", "content": _CONTENT},
    304: {"description": "It is what If-None-Match names."},
}
"""Answers of operations that return a file, for their description."""
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def type_of(extension: str | None) -> str:
    """Return the media type for an extension with its dot."""
    return TYPES.get((extension or "").lower(), "application/octet-stream")


async def answer_file(
    request: Request,
    media: MediaStore,
    key: str,
    name: str,
    type_: str,
    tag: str | None = None,
    fresh: bool = False,
) -> Response:
    """Return a file, the part of it that is asked for, or that nothing has changed.

    Parameters
    ----------
    request
        Its ``Range``, ``If-Range`` and ``If-None-Match`` count, and whether it is HEAD.
    media, key
        Where the file is.
    name, type_
        For who saves it, and what it is.
    tag
        Names these bytes; made of the key and the size where it is None.
    fresh
        Other bytes may have the same key soon.

    Raises
    ------
    Refused
        404 where it is gone.
    HTTPException
        416 for a range that it does not have.
    """
    try:
        size = await run_in_threadpool(media.size, key)
    except KeyError:
        raise Refused(404, "gone", f"{name}: this file is gone") from None
    mark = f'"{tag or hashlib.sha256(f"{key} {size}".encode()).hexdigest()[:32]}"'
    headers = {
        "etag": mark,
        "accept-ranges": "bytes",
        "content-type": type_,
        "content-disposition": _disposition(name, type_),
        "cache-control": "no-store" if fresh else "private, no-cache",
    }
    if type_.startswith("text/html"):
        headers["content-security-policy"] = DOCUMENT_POLICY
        headers["x-frame-options"] = "SAMEORIGIN"
    if _names(request.headers.get("if-none-match"), mark):
        return Response(status_code=304, headers=headers)
    first, last, status = 0, size - 1, 200
    asked = request.headers.get("range")
    if asked is not None and request.headers.get("if-range", mark) == mark:
        part = _part(asked, size)
        if part is not None:
            (first, last), status = part, 206
            headers["content-range"] = f"bytes {first}-{last}/{size}"
    headers["content-length"] = str(last - first + 1)
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    try:
        pieces: Iterator[bytes] = await run_in_threadpool(media.read, key, first, last + 1)
    except KeyError:
        raise Refused(404, "gone", f"{name}: this file is gone") from None
    return _Pieces(pieces, status, headers)


class _Pieces(StreamingResponse):
    """Pieces of a file that is closed also where nobody waits for the rest."""

    def __init__(self, pieces: Iterator[bytes], status: int, headers: dict[str, str]) -> None:
        super().__init__(pieces, status, headers)
        self._pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send them."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            if isinstance(self._pieces, Generator):
                # One that has not begun would not know that it has something to close.
                if inspect.getgeneratorstate(self._pieces) == inspect.GEN_CREATED:
                    next(self._pieces, None)
                self._pieces.close()


def _part(asked: str, size: int) -> tuple[int, int] | None:
    """First and last byte of a range; None for what is to be passed over: other units, several."""
    match = _RANGE.fullmatch(asked.replace(" ", ""))
    if match is None or match.group(0) == "bytes=-":
        return None
    begin, end = match.groups()
    if begin == "":
        first, last = max(0, size - int(end)), size - 1
        empty = int(end) == 0
    else:
        first, last = int(begin), min(int(end or size), size - 1)
        if end and int(end) < first:
            return None
        empty = False
    if empty or first >= size:
        raise HTTPException(
            416, f"there are only {size} bytes", {"content-range": f"bytes */{size}"}
        )
    return first, last


def _names(given: str | None, mark: str) -> bool:
    if given is None:
        return False
    marks = {each.strip().removeprefix("W/") for each in given.split(",")}
    return bool(marks & {mark, "*"})


def _disposition(name: str, type_: str) -> str:
    kind = "attachment" if type_ == "application/octet-stream" else "inline"
    plain = re.sub(r"[^A-Za-z0-9 ._-]", "_", name)
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
