"""A request that is refused, and how that is said."""

from __future__ import annotations

import json
import math

from starlette.types import Scope, Send


class Refused(Exception):  # noqa: N818 - it is an answer
    """A request that is not done.

    Parameters
    ----------
    status
        Of HTTP.
    code, message
        For machines, and one line for people.
    wait
        Seconds after which another try makes sense.
    """

    def __init__(self, status: int, code: str, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.wait = status, code, message, wait


async def answer(refused: Refused, scope: Scope, send: Send) -> None:
    """Send a refusal as JSON, and close the connection: what else comes on it is not wanted."""
    body = json.dumps({"error": {"code": refused.code, "message": refused.message}}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    if refused.wait is not None:
        headers.append((b"retry-after", str(math.ceil(refused.wait)).encode()))
    if refused.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
