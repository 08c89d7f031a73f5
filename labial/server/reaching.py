"""Requests to addresses that strangers name: out into the internet, never into the house.

A name is resolved once, all addresses that it has are checked, and the connection goes to exactly
one of them, so that a name which means another address the next time (DNS rebinding) gains nothing.
How an address is written (2130706433, 0x7f.1, ::ffff:127.0.0.1) makes no difference: what is
checked is what is connected to. No proxy is used, for it would resolve names itself.
"""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

import httpcore
import httpx

from labial.errors import ReadError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Sequence[str]]

PORTS = frozenset({80, 443, 8080, 8443})
"""Ports of the internet that are reached."""
_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_REDIRECTS = 5
_MOST_ADDRESSES = 2
_LONGEST = 2000
# Beside what ``is_global`` says, which differs between versions of Python.
_SHUT = tuple(
    ipaddress.ip_network(each)
    for each in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
    )
)  # fmt: skip
_UNICAST = ipaddress.IPv6Network("2000::/3")
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")


class Unreachable(ReadError):  # noqa: N818 - what is said of an address
    """An address that is not reached, or does not answer as it should."""


def is_public(address: Address) -> bool:
    """Tell whether an address is one of the internet, and of nothing nearer.

    Of IPv6 only global unicast is, without 6to4 and Teredo, which lead to addresses of IPv4 that
    they hold. What a translator makes of a public address (RFC 6052) is public.
    """
    if isinstance(address, ipaddress.IPv6Address):
        if address in _TRANSLATED:
            return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        if address.scope_id or address not in _UNICAST:
            return False
    shut = any(address in each for each in _SHUT if each.version == address.version)
    return address.is_global and not address.is_multicast and not shut


def _resolved(host: str, port: int) -> Sequence[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True)
class Reach:
    """What may be reached.

    Parameters
    ----------
    networks
        That may be reached though they are not public, on any port: the house's own choice.
    resolve
        Gives the addresses of a name; socket.gaierror where there is none.
    """

    networks: tuple[Network, ...] = ()
    resolve: Resolve = field(default=_resolved)

    @classmethod
    def of(cls, networks: Iterable[str]) -> Reach:
        """Return it for networks such as ``10.1.0.0/16``."""
        return cls(tuple(ipaddress.ip_network(each) for each in networks))

    def expect(self, url: str) -> None:
        """Raise Unreachable where a URL is wrong already as it is written."""
        parts = checked(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            address = str(ipaddress.ip_address(parts.hostname or ""))
        except ValueError:
            return  # what a name means is asked when it is needed
        if not self._may(address, port):
            raise Unreachable(f"{address} is not reached from here: it is no public address")

    def address(self, host: str, port: int) -> list[str]:
        """Return the addresses of a name, all of which may be reached.

        Raises
        ------
        Unreachable
            There are none, or any of them may not.
        """
        try:
            found = self.resolve(host, port)
        except (OSError, UnicodeError):
            found = []
        if not found:
            raise Unreachable(f"{host} has no address")
        for each in found:
            if not self._may(each, port):
                # Not which: names of the house are nobody's business.
                raise Unreachable(f"{host} is not reached from here: it is no public address")
        return list(found[:_MOST_ADDRESSES])

    def _may(self, text: str, port: int) -> bool:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return False
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        if any(address in each for each in self.networks if each.version == address.version):
            return True
        return port in PORTS and is_public(address)


def checked(url: str) -> SplitResult:
    """Return the parts of a URL that is one of the web, and nothing but that.

    Raises
    ------
    Unreachable
        Another scheme, a name and password in it, no host, or what no URL has.
    """
    if len(url) > _LONGEST or not url.isascii() or any(c <= " " or c in '\\"<>^`{|}' for c in url):
        raise Unreachable("the URL has letters that no URL has: write them as %XX")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Unreachable("the URL cannot be read") from None
    if parts.scheme not in ("http", "https"):
        raise Unreachable("only http and https are fetched")
    if "@" in parts.netloc:
        raise Unreachable("a name and password do not belong into a URL")
    host = parts.hostname or ""
    if not host or host.startswith(".") or "%" in host or port == 0:
        raise Unreachable("the URL names no host")
    return parts


class _Pinned(httpcore.NetworkBackend):
    """Connects to addresses that were checked."""

    def __init__(self, reach: Reach) -> None:
        self._reach, self._own = reach, httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        addresses = self._reach.address(host, port)
        for address in addresses[:-1]:
            try:
                return self._own.connect_tcp(address, port, timeout)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return self._own.connect_tcp(addresses[-1], port, timeout)

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Any = None
    ) -> httpcore.NetworkStream:
        raise Unreachable("only the web is reached")

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


@contextmanager
def asked(
    reach: Reach,
    method: str,
    url: str,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    timeout: float = 20.0,
    redirects: int = _MOST_REDIRECTS,
) -> Iterator[httpcore.Response]:
    """Ask a URL; yield the answer, whose body is not read yet.

    Parameters
    ----------
    reach
        What may be reached.
    method, url, headers, body
        Of the request.
    timeout
        Seconds to connect, and for each part to be sent and received.
    redirects
        That are followed, each checked as the first URL; none of them from https to http.

    Raises
    ------
    Unreachable
        It may not be reached, or does not answer.
    """
    told = {"User-Agent": "Labial", "Accept": "*/*", "Accept-Encoding": "identity"}
    told |= headers or {}
    limits = dict.fromkeys(("connect", "read", "write", "pool"), timeout)
    with httpcore.ConnectionPool(
        ssl_context=httpx.create_ssl_context(), network_backend=_Pinned(reach)
    ) as pool:
        for _ in range(redirects + 1):
            parts = checked(url)
            try:
                with pool.stream(
                    method,
                    parts._replace(fragment="").geturl(),
                    headers=[("Host", parts.netloc), *told.items()],
                    content=body,
                    extensions={"timeout": limits},
                ) as response:
                    if not redirects or response.status not in _REDIRECTS:
                        yield response
                        return
                    url = _next(url, response)
            except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as e:
                why = "takes too long" if isinstance(e, httpcore.TimeoutException) else "breaks off"
                raise Unreachable(f"{parts.hostname} does not answer, or {why}") from None
    raise Unreachable(f"more than {redirects} redirects")


def _next(url: str, response: httpcore.Response) -> str:
    places = [value for name, value in response.headers if name.lower() == b"location"]
    if len(places) != 1:
        raise Unreachable("a redirect that does not say where to")
    following = urljoin(url, places[0].decode("ascii", "replace"))
    if url.lower().startswith("https:") and not following.lower().startswith("https:"):
        raise Unreachable("a redirect from https to http is not followed")
    return following
