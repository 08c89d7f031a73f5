"""Files that are given by their URL."""

from __future__ import annotations

import time
from pathlib import Path

import httpcore

from labial.server.intake import Fetch
from labial.server.reaching import Reach, Unreachable, asked

_SECONDS = 3600.0
_GRACE, _RATE = 30.0, 16384.0


def fetcher(
    reach: Reach | None = None,
    seconds: float = _SECONDS,
    grace: float = _GRACE,
    rate: float = _RATE,
    timeout: float = 30.0,
) -> Fetch:
    """Return what writes what is at a URL into a file.

    Parameters
    ----------
    reach
        What may be reached.
    seconds
        Most time for one file.
    grace, rate
        After so many seconds at least so many bytes a second must have come, on average.
    timeout
        Seconds in which some of it must come.
    """
    reach = reach or Reach()

    def fetch(url: str, path: Path, most: int) -> None:
        began = time.monotonic()
        with asked(reach, "GET", url, timeout=timeout) as response:
            expected = _expected(response, most)
            got = 0
            try:
                with path.open("wb") as file:
                    for piece in response.iter_stream():
                        got += len(piece)
                        if got > most:
                            raise Unreachable(f"it is larger than the {most} bytes it may have")
                        took = time.monotonic() - began
                        if took > seconds or got < rate * (took - grace):
                            raise Unreachable("it comes too slowly")
                        file.write(piece)
            except BaseException:
                path.unlink(missing_ok=True)
                raise
        if expected is not None and got != expected:
            path.unlink()
            raise Unreachable("it broke off before its end")

    return fetch


def _expected(response: httpcore.Response, most: int) -> int | None:
    """The bytes that are to come, where the answer says so, and is one that we take."""
    if response.status != 200:
        raise Unreachable(f"the answer is {response.status}, not the file")
    headers = {name.lower(): value for name, value in response.headers}
    if headers.get(b"content-encoding", b"identity").strip().lower() != b"identity":
        raise Unreachable("it comes packed (Content-Encoding), though that was not asked for")
    length = headers.get(b"content-length")
    if length is None:
        return None
    if int(length) > most:
        raise Unreachable(f"it has {int(length)} bytes, and may have {most}")
    return int(length)
