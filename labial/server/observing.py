"""Every request gets a name, is counted, and leaves a line in the log."""

from __future__ import annotations

import logging
import re
import secrets
import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from labial.server.logs import about
from labial.server.metrics import Metrics

LOG = logging.getLogger("labial.server.access")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_CONVERTER = re.compile(r":\w+\}")
_QUIET = ("/healthz", "/readyz", "/metrics")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Observed:
    """The outermost middleware: names requests, counts and logs them.

    A name that a proxy has given in ``X-Request-Id`` is kept; it is in the answer too. Paths hold
    ids, and queries may hold anything: what is counted and logged is the route's template.

    Parameters
    ----------
    metrics
        Where requests are counted.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        given = Headers(scope=scope).get("x-request-id", "")
        name = given if _NAME.fullmatch(given) else secrets.token_hex(8)
        began, status, took = time.monotonic(), 500, 0.0

        async def noted(message: Message) -> None:
            nonlocal status, took
            if message["type"] == "http.response.start":
                # Events and downloads last as long as somebody listens: the answer's begin counts.
                status, took = message["status"], time.monotonic() - began
                MutableHeaders(scope=message)["x-request-id"] = name
            await send(message)

        with about(request=name):
            try:
                await self.app(scope, receive, noted)
            finally:
                self._note(scope, status, took or time.monotonic() - began)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "other"
        route = _route(scope)
        self._metrics.answered(method, route, status, seconds)
        level = logging.DEBUG if route in _QUIET else logging.INFO
        level = logging.WARNING if status >= 500 else level
        LOG.log(
            level,
            "%s %s %d",
            method,
            route,
            status,
            extra={
                "method": method,
                "route": route,
                "status": status,
                "milliseconds": round(seconds * 1000, 1),
            },
        )


def _route(scope: Scope) -> str:
    path = getattr(scope.get("route"), "path", None)
    if isinstance(path, str):
        return _CONVERTER.sub("}", path)
    return "/static" if scope["path"].startswith("/static/") else "unmatched"
