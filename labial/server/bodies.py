"""How large a request's body may be, and how slowly it may come."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from labial.server.refusing import Refused, answer

_OPENING, _CLOSING = frozenset(b"[{"), frozenset(b"]}")
_QUOTE, _ESCAPE = ord('"'), ord("\\")


@dataclass(frozen=True)
class Sizes:
    """How large what is sent may be.

    Parameters
    ----------
    upload
        Bytes of a body below ``/v1/uploads``.
    other
        Of any other body.
    depth
        Levels of JSON.
    """

    upload: int = 16 << 30
    other: int = 1 << 20
    depth: int = 32


class _TooMuch(Exception):  # noqa: N818 - it only ends the reading
    """The request is refused while the application reads it."""


class Bodies:
    """Refuses bodies that are too large, too deep or too slow.

    Parameters
    ----------
    sizes
        How large.
    idle
        Seconds without a byte.
    grace
        Seconds in which a body need not keep ``rate``.
    rate
        Bytes a second of a body, on average.
    """

    def __init__(
        self,
        app: ASGIApp,
        sizes: Sizes,
        idle: float = 30.0,
        grace: float = 20.0,
        rate: float = 1024.0,
    ) -> None:
        self.app, self._sizes = app, sizes
        self._idle, self._grace, self._rate = idle, grace, rate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        body = _Body(self, scope, receive, send)
        try:
            await body.check()
            await self.app(scope, body.receive, body.send)
        except _TooMuch:
            pass
        except Refused as refused:
            body.refused = refused
        if body.refused is not None and not body.answered:
            await answer(body.refused, scope, send)


class _Body:
    def __init__(self, rules: Bodies, scope: Scope, receive: Receive, send: Send) -> None:
        self.refused: Refused | None = None
        self.answered = False
        self._rules, self._scope, self._receive, self._send = rules, scope, receive, send
        self._began, self._waited, self._got = time.monotonic(), 0.0, 0
        self._ended = False
        self._kept: list[Message] = []
        path: str = scope["path"].removeprefix(scope.get("root_path", ""))
        uploads = path == "/v1/uploads" or path.startswith("/v1/uploads/")
        self._json = not uploads or path.endswith("/from-url")
        self._most = rules._sizes.other if self._json else rules._sizes.upload

    async def check(self) -> None:
        """Refuse what its headers say is too large; read what is JSON, and look how deep it is."""
        headers = Headers(scope=self._scope)
        if "content-encoding" in headers:
            raise Refused(415, "encoding", "send the body as it is, without Content-Encoding")
        told = headers.get("content-length")
        if told is not None and not told.isdecimal():
            raise Refused(400, "size", "Content-Length is no number")
        if told is not None and int(told[:20]) > self._most:
            raise self._too_large()
        if not self._json or (told is None and "transfer-encoding" not in headers) or told == "0":
            return
        while not self._ended:
            self._kept.append(await self._next())
        text = b"".join(message.get("body", b"") for message in self._kept)
        if too_deep(text, self._rules._sizes.depth):
            raise Refused(400, "depth", f"more than {self._rules._sizes.depth} levels of JSON")

    def _too_large(self) -> Refused:
        return Refused(413, "size", f"the body is larger than the {self._most} bytes it may have")

    async def receive(self) -> Message:
        """Return the next part of the request, for the application."""
        if self._kept:
            return self._kept.pop(0)
        if self.refused is not None:
            raise _TooMuch
        if self._ended:
            return (
                await self._receive()
            )  # until the client goes, which may take as long as it likes
        try:
            return await self._next()
        except Refused as refused:
            self.refused = refused
            raise _TooMuch from None

    async def _next(self) -> Message:
        asked = time.monotonic()
        try:
            message = await asyncio.wait_for(self._receive(), self._rules._idle)
        except asyncio.TimeoutError:
            raise Refused(408, "slow", "nothing came for too long: send it again") from None
        # Only the time in which we wait for the client counts, not that in which we write.
        self._waited += time.monotonic() - asked
        if message["type"] != "http.request":
            self._ended = True
            return message
        self._got += len(message.get("body", b""))
        self._ended = not message.get("more_body", False)
        if self._got > self._most:
            raise self._too_large()
        due = self._rules._rate * (self._waited - self._rules._grace)
        if not self._ended and self._got < due:
            raise Refused(408, "slow", f"less than {self._rules._rate:g} bytes a second came")
        return message

    async def send(self, message: Message) -> None:
        """Send a part of the answer, unless the request was refused meanwhile."""
        if self.refused is not None and not self.answered:
            return  # whatever the application makes of the end of its body, ours is the answer
        self.answered = True
        await self._send(message)


def too_deep(text: bytes, most: int) -> bool:
    """Tell whether JSON nests deeper than ``most`` levels, without reading it as JSON."""
    depth, quoted, escaped = 0, False, False
    for byte in text:
        if quoted:
            if escaped:
                escaped = False
            elif byte == _ESCAPE:
                escaped = True
            elif byte == _QUOTE:
                quoted = False
        elif byte == _QUOTE:
            quoted = True
        elif byte in _OPENING:
            depth += 1
            if depth > most:
                return True
        elif byte in _CLOSING:
            depth -= 1
    return False
