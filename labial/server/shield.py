"""What stands before the application: each class is one ASGI middleware that does one thing.

:func:`shielded` puts them together, outermost first: headers of every answer, whose name the
request is for, where it comes from, who asks and how often, how large and slow it may be.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from labial.server.bodies import Bodies, Sizes
from labial.server.gate import Gate
from labial.server.pace import Buckets
from labial.server.refusing import Refused, answer

LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""Names of this machine for itself."""
POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-src 'self'; frame-ancestors 'none'"
)
"""Content-Security-Policy of the page: nothing inline, nothing from elsewhere."""
DOCUMENT_POLICY = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src "
    "'unsafe-inline'; img-src data:; media-src data:; frame-ancestors 'self'"
)
"""Of documents made by jobs: they hold strangers' words, so they run in an origin of their own, and
reach nothing."""
_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(self), microphone=(self), geolocation=(), payment=(), usb=(), "
    "display-capture=(), browsing-topics=()",
}
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_LONGEST_PATH, _MOST_HEADERS, _MOST_FIELDS = 8192, 32768, 200
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?")


class SafeHeaders:
    """Gives every answer the headers that keep browsers careful, unless it has its own."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        more = dict(_HEADERS)
        if scope.get("scheme") == "https":
            more["strict-transport-security"] = "max-age=31536000"
        if _path(scope).startswith("/v1/"):
            more["cache-control"] = "private, no-store"

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = list(message.get("headers", ()))
                names = {name.lower() for name, _ in own}
                own += [
                    (k.encode(), v.encode()) for k, v in more.items() if k.encode() not in names
                ]
                message["headers"] = own
            await send(message)

        await self.app(scope, receive, with_headers)


class Hosts:
    """Answers only to its own names, so that no other site's name can be pointed at it.

    Parameters
    ----------
    names
        Without ports; ``*`` is any, which only a server that asks for tokens should say.
    exempt
        Paths that tell nothing, for probes that call by address.
    """

    def __init__(self, app: ASGIApp, names: Iterable[str], exempt: Collection[str] = ()) -> None:
        self.app, self._exempt = app, frozenset(exempt)
        self._names = {name.lower().strip("[]").rstrip(".") for name in names}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "http" and _path(scope) not in self._exempt:
            try:
                self._check(Headers(scope=scope).getlist("host"))
                _expect_short(scope)
            except Refused as refused:
                return await answer(refused, scope, send)
        elif scope["type"] == "websocket":
            return None  # there are none
        await self.app(scope, receive, send)

    def _check(self, given: Sequence[str]) -> None:
        match = _HOST.fullmatch(given[0].lower()) if len(given) == 1 else None
        if match is None:
            raise Refused(400, "host", "send one Host header with the server's name")
        name = match[1].strip("[]").rstrip(".")
        if name not in self._names and "*" not in self._names:
            raise Refused(
                421, "host", "this server is not called so: add the name with --hosts if it is"
            )


def _expect_short(scope: Scope) -> None:
    if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > _LONGEST_PATH:
        raise Refused(414, "path", "the path is too long")
    headers = scope["headers"]
    if sum(len(name) + len(value) for name, value in headers) > _MOST_HEADERS:
        raise Refused(431, "headers", "the headers are too long")
    if len(headers) > _MOST_FIELDS:
        raise Refused(431, "headers", "there are too many headers")


class OwnOrigin:
    """Does nothing for other sites' pages in a user's browser.

    A page elsewhere cannot add an ``Authorization`` header, but for any page a browser sends
    cookies, and reaches a server on its own machine. So without that header what changes something
    must come from our own page or from none, and what only reads not from another site's.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            if "authorization" not in headers and not self._is_own(scope, headers):
                refused = Refused(403, "origin", "this was asked by another site's page")
                return await answer(refused, scope, send)
        await self.app(scope, receive, send)

    @staticmethod
    def _is_own(scope: Scope, headers: Headers) -> bool:
        site = headers.get("sec-fetch-site")
        if scope["method"] in _SAFE:
            opens = headers.get("sec-fetch-mode") == "navigate" and not _is_data(_path(scope))
            return site in (None, "same-origin", "none") or opens
        if site not in (None, "same-origin", "none"):
            return False
        origins = headers.getlist("origin")
        if not origins:
            return True  # no browser leaves it out where it matters
        # Not the scheme: behind a proxy that ends TLS we do not know it.
        own = headers.get("host", "").lower()
        return len(origins) == 1 and urlsplit(origins[0]).netloc.lower() == own


def _is_data(path: str) -> bool:
    return path.startswith("/v1/") or path == "/metrics"


def _path(scope: Scope) -> str:
    """The path as routes have it, without what a proxy put before it."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path[len(root) :] if root and path.startswith(root) else path


class Guard:
    """Lets in whom the gate knows, as often as their limit allows; puts the caller into the state.

    Parameters
    ----------
    gate
        Tells who asks.
    open_paths
        Paths that anybody may read; one that ends with a slash is all that begins so.
    admin_paths
        Paths below which only ``admin`` may do anything.
    per_minute
        Requests a minute of a caller whose token does not say, and of an address without one.
    """

    def __init__(
        self,
        app: ASGIApp,
        gate: Gate,
        open_paths: Collection[str],
        admin_paths: Sequence[str] = ("/v1/tokens",),
        per_minute: int = 1200,
    ) -> None:
        self.app, self._gate, self._per_minute = app, gate, per_minute
        self._open = frozenset(path for path in open_paths if not path.endswith("/") or path == "/")
        self._below = tuple(path for path in open_paths if path.endswith("/") and path != "/")
        self._admin, self._buckets = tuple(admin_paths), Buckets()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        try:
            self._admit(scope)
        except Refused as refused:
            return await answer(refused, scope, send)
        await self.app(scope, receive, send)

    def _admit(self, scope: Scope) -> None:
        headers, path, method = Headers(scope=scope), _path(scope), scope["method"]
        address = (scope.get("client") or ("?", 0))[0]
        if method in _SAFE and (path in self._open or path.startswith(self._below or ("\0",))):
            return self._spend(f"open {address}", None)
        tokens = headers.getlist("authorization")
        if len(tokens) > 1:
            raise Refused(400, "token", "send one Authorization header")
        caller = self._gate.admit(
            tokens[0] if tokens else None,
            headers.get("cookie"),
            address,
            scope.get("scheme") == "https",
        )
        self._spend(caller.token or f"{caller.owner} {address}", caller.limits.requests_per_minute)
        if any(path == each or path.startswith(f"{each}/") for each in self._admin):
            caller.need("admin")
        elif method not in _SAFE and path != "/v1/session":
            caller.need("write")
        else:
            caller.need("read")
        scope.setdefault("state", {})["caller"] = caller

    def _spend(self, key: str, per_minute: int | None) -> None:
        wait = self._buckets.take(key, per_minute or self._per_minute)
        if wait > 0:
            raise Refused(429, "rate", "too many requests: wait before the next", wait)


def hosts_of(host: str, more: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the names of a server that listens at ``host``: for :class:`Hosts`."""
    names = [*LOOPBACK, *more]
    try:
        if not ipaddress.ip_address(host).is_unspecified:
            names.append(host)
    except ValueError:
        names.append(host)
    return tuple(dict.fromkeys(names))


def shielded(
    app: ASGIApp,
    gate: Gate,
    names: Iterable[str],
    open_paths: Collection[str],
    sizes: Sizes | None = None,
    per_minute: int = 1200,
    exempt: Collection[str] = ("/healthz", "/readyz"),
    **slowness: Any,
) -> ASGIApp:
    """Return ``app`` behind all of this.

    Parameters
    ----------
    app
        The application.
    gate, open_paths, per_minute
        See :class:`Guard`.
    names, exempt
        See :class:`Hosts`.
    sizes
        See :class:`Sizes`.
    slowness
        See :class:`labial.server.bodies.Bodies`.
    """
    inside: ASGIApp = Bodies(app, sizes or Sizes(), **slowness)
    inside = Guard(inside, gate, open_paths, per_minute=per_minute)
    return SafeHeaders(Hosts(OwnOrigin(inside), names, exempt))
