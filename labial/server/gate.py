"""Who asks: the token or cookie of a request, and patience with whoever guesses.

Where a guard asks it, every path is shut but those that are named as open, and each method needs a
scope, so a new route is guarded before anybody thinks of it.
"""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any, Literal

from labial.server.refusing import Refused
from labial.server.tokens import (
    SCOPES,
    KnownToken,
    Sessions,
    TokenLimits,
    alive,
    allows,
    cookie_name,
    digest,
    same,
)

LOCAL = "local"
"""Owner of everything where no token is asked for."""
_LONGEST = 512
_FREE_GUESSES, _FIRST_WAIT, _LONGEST_WAIT = 5, 1.0, 900.0
_REMEMBERED = 10_000


@dataclass(frozen=True)
class Caller:
    """Who asks.

    Parameters
    ----------
    owner
        Whose jobs and uploads these are.
    by
        How that is known.
    token
        Id of the token, None without one.
    digest
        Of the token, "" without one.
    scopes
        What may be done.
    limits
        What may be taken.
    """

    owner: str
    by: Literal["token", "cookie", "local"]
    token: str | None = None
    digest: str = field(default="", repr=False)
    scopes: tuple[str, ...] = SCOPES
    limits: TokenLimits = field(default_factory=TokenLimits)

    def need(self, scope: str) -> None:
        """Raise Refused where the token does not allow ``scope``."""
        if not allows(self.scopes, scope):
            raise Refused(403, "scope", f"this token does not allow {scope}: use one that does")


class Patience:
    """Counts wrong tokens by address: after a few, each doubles the wait until another is tried.

    Tokens that were right are remembered, so a guesser locks out nobody who shares the address.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._wrong: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._right: OrderedDict[str, None] = OrderedDict()

    def wait(self, address: str, token_digest: str) -> float:
        """Return the seconds until a token from ``address`` is looked at; 0 is now."""
        with self._lock:
            if token_digest in self._right:
                return 0.0
            return max(0.0, self._wrong.get(_network(address), (0, 0.0))[1] - self._clock())

    def was_wrong(self, address: str) -> None:
        """Note a wrong token."""
        key = _network(address)
        with self._lock:
            count = self._wrong.pop(key, (0, 0.0))[0] + 1
            over = count - _FREE_GUESSES
            wait = min(_FIRST_WAIT * 2.0 ** min(over, 30), _LONGEST_WAIT) if over >= 0 else 0.0
            self._wrong[key] = (count, self._clock() + wait)
            _shorten(self._wrong)

    def was_right(self, address: str, token_digest: str) -> None:
        """Note a right token."""
        with self._lock:
            self._wrong.pop(_network(address), None)
            self._right[token_digest] = None
            self._right.move_to_end(token_digest)
            _shorten(self._right)

    def forget(self, token_digest: str) -> None:
        """A token is right no longer."""
        with self._lock:
            self._right.pop(token_digest, None)


def _network(address: str) -> str:
    """An IPv4 address, or the /64 of an IPv6 one, which is what one household has."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if ip.version == 6:
        if ip.ipv4_mapped is not None:
            return str(ip.ipv4_mapped)
        return str(ipaddress.IPv6Network((int(ip) >> 64 << 64, 64)))
    return str(ip)


def _shorten(kept: OrderedDict[str, Any]) -> None:
    while len(kept) > _REMEMBERED:
        kept.popitem(last=False)


class Gate:
    """Tells who asks.

    Parameters
    ----------
    find
        Finds a token by its digest; None where there is none.
    sessions
        Reads the page's cookie.
    anonymous
        Whether whoever brings no token is :data:`LOCAL`, and may do everything.
    patience
        With guessers.
    """

    def __init__(
        self,
        find: Callable[[str], KnownToken | None],
        sessions: Sessions,
        anonymous: bool = False,
        patience: Patience | None = None,
    ) -> None:
        self._find, self.sessions, self.anonymous = find, sessions, anonymous
        self._patience = patience or Patience()

    def admit(
        self, authorization: str | None, cookies: str | None, address: str, secure: bool = False
    ) -> Caller:
        """Return who asks.

        Parameters
        ----------
        authorization, cookies
            The headers of these names. A token in the first is looked at alone: where it is wrong,
            no cookie helps.
        address
            Of whoever asks.
        secure
            Asked by HTTPS.

        Raises
        ------
        Refused
            401 without a token that is right, 429 after too many wrong ones.
        """
        if authorization is not None:
            kind, _, secret = authorization.partition(" ")
            if kind.lower() != "bearer":
                raise _unknown("send the token as 'Authorization: Bearer lab_...'")
            return self._known(digest(secret.strip()[:_LONGEST]), "token", address)
        value = _cookie(cookies, cookie_name(secure))
        if value is not None:
            found = self.sessions.read(value)
            if found is not None:
                return self._known(found, "cookie", address)
            if not self.anonymous:
                raise _unknown("the session has ended: sign in again")
        if self.anonymous:
            return Caller(LOCAL, "local")
        raise _unknown("a token is needed: send it as 'Authorization: Bearer lab_...'")

    def _known(self, wanted: str, by: Literal["token", "cookie"], address: str) -> Caller:
        wait = self._patience.wait(address, wanted)
        if wait > 0:
            raise Refused(429, "guessing", "too many wrong tokens: wait before the next", wait)
        found = self._find(wanted)
        if found is None or not same(found.digest, wanted) or not alive(found):
            self._patience.forget(wanted)
            if by == "token":  # a cookie that we signed is no guess
                self._patience.was_wrong(address)
            # Not said which: whether a token was ever right is nobody's business.
            raise _unknown("this token is not known, has ended or was taken back: ask for another")
        self._patience.was_right(address, wanted)
        limits = found.limits
        if not isinstance(limits, TokenLimits):
            limits = TokenLimits.from_dict(limits)
        return Caller(found.owner, by, found.id, wanted, tuple(found.scopes), limits)


def _unknown(message: str) -> Refused:
    return Refused(401, "token", message)


def _cookie(cookies: str | None, name: str) -> str | None:
    if not cookies:
        return None
    try:
        morsel = SimpleCookie(cookies).get(name)
    except CookieError:
        return None
    return None if morsel is None else morsel.value
