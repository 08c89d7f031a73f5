"""Connections that do not wait for ever: for slow headers, and for answers that nobody takes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

_LINGER_SECONDS, _LINGER_BYTES = 2.0, 4 << 20


class _Lingering:
    """A transport that, while a request still comes, closes only after the answer was read.

    Whoever closes a connection on which bytes still arrive resets it, and the other side may lose
    the answer that it has not read yet, such as why its file was refused.
    """

    def __init__(self, transport: asyncio.Transport, comes: Callable[[], bool]) -> None:
        self._transport, self._comes = transport, comes
        self._left: int | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def close(self) -> None:
        """Close, or say that nothing more is sent, and pass over for a while what still comes."""
        if self._left is not None:
            return
        if self._transport.is_closing() or not self._comes():
            self._transport.close()
            return
        self._left = _LINGER_BYTES
        self._transport.write_eof()
        self._transport.resume_reading()
        asyncio.get_running_loop().call_later(_LINGER_SECONDS, self._transport.abort)

    def is_closing(self) -> bool:
        """Tell whether nothing more is sent."""
        return self._left is not None or self._transport.is_closing()

    def passes_over(self, data: bytes) -> bool:
        """Tell whether what came counts no more."""
        if self._left is None:
            return False
        self._left -= len(data)
        if self._left < 0:
            self._transport.abort()
        return True


class CarefulProtocol(H11Protocol):
    """HTTP/1.1 as uvicorn speaks it, with an end to each kind of waiting.

    ``uvicorn.run(app, http=careful())``. uvicorn itself ends only connections that are idle between
    two requests.
    """

    header_seconds = 10.0
    taking_seconds = 60.0
    per_address: int | None = None
    _for_headers: asyncio.TimerHandle | None = None
    _for_taking: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        self._lingering = _Lingering(transport, lambda: self.conn.their_state is h11.SEND_BODY)
        super().connection_made(self._lingering)  # type: ignore[arg-type]
        if self.per_address is not None and self.client is not None:
            address = self.client[0]
            clients = [getattr(each, "client", None) for each in self.connections]
            held = sum(client is not None and client[0] == address for client in clients)
            if held > self.per_address:
                transport.abort()
                return
        self._await_headers()

    def data_received(self, data: bytes) -> None:
        """Take what came; go on waiting where it is no whole request yet."""
        if self._lingering.passes_over(data):
            return
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:
            if self._for_headers is None:
                self._await_headers()
            return
        self._stop("_for_headers")
        answered = self.cycle is not None and self.cycle.response_complete
        if answered and self.conn.their_state is h11.SEND_BODY:
            self.transport.close()  # it was answered, and still sends what nobody reads

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._stop("_for_headers")
        self._stop("_for_taking")
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Begin to wait for the client to take what was sent."""
        super().pause_writing()
        self._stop("_for_taking")
        self._for_taking = self.loop.call_later(self.taking_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """It was taken."""
        self._stop("_for_taking")
        super().resume_writing()

    def _await_headers(self) -> None:
        self._for_headers = self.loop.call_later(self.header_seconds, self.transport.abort)

    def _stop(self, name: str) -> None:
        timer: asyncio.TimerHandle | None = getattr(self, name)
        if timer is not None:
            timer.cancel()
        setattr(self, name, None)


def careful(
    header_seconds: float = 10.0, taking_seconds: float = 60.0, per_address: int | None = None
) -> type[CarefulProtocol]:
    """Return the protocol with its limits, for uvicorn's ``http=``.

    Parameters
    ----------
    header_seconds
        From connecting, or from the first byte of a further request, to the end of its headers.
    taking_seconds
        In which a client takes nothing of an answer that is more than what is kept for it (64 KB).
    per_address
        Connections at the same time of one address; None for any number, as behind a proxy.
    """
    limits = {
        "header_seconds": header_seconds,
        "taking_seconds": taking_seconds,
        "per_address": per_address,
    }
    return type("CarefulProtocol", (CarefulProtocol,), limits)
