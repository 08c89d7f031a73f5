"""How a server is asked: again where that does no harm, and its errors as ours."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import httpx

from labial import errors
from labial.errors import JobError, LabialError

_TIMEOUT = httpx.Timeout(60.0, connect=10.0)
_AGAIN = frozenset({429, 502, 503, 504})
_FAULTS = 3
_FIRST_WAIT, _LONGEST_WAIT = 0.2, 10.0


class Patience:
    """Waits, longer each time, until nothing has gone right for some seconds since a first failure.

    What failed may have taken long itself: that does not count.

    Parameters
    ----------
    seconds
        How long.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.reset()

    def reset(self) -> None:
        """Something went right."""
        self._wait = _FIRST_WAIT
        self._until: float | None = None

    def wait(self, asked: float | None = None) -> bool:
        """Wait, or as long as was asked for; return False at once where it has been too long."""
        seconds, now = self._wait if asked is None else asked, time.monotonic()
        if self._until is None:
            self._until = now + self._seconds
        if now + seconds > self._until:
            return False
        time.sleep(seconds)
        self._wait = min(2 * self._wait, _LONGEST_WAIT)
        return True


class Talk:
    """Requests to one server.

    Parameters
    ----------
    url, token
        Where it is, and who asks.
    patience
        Seconds for which a server that does not answer is asked again.
    """

    def __init__(self, url: str, token: str | None, patience: float) -> None:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self.url, self._seconds = url.rstrip("/"), patience
        self.http = httpx.Client(base_url=self.url, headers=headers, timeout=_TIMEOUT)

    def patience(self) -> Patience:
        """Return fresh patience."""
        return Patience(self._seconds)

    def ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        params: Mapping[str, Any] | None = None,
        fits: Callable[[int], bool] = lambda status: status < 400,
    ) -> httpx.Response:
        """Ask, and again while there is no answer or the server has no time.

        Only what does no harm when it is done twice may be asked so.

        Raises
        ------
        LabialError
            What the server says is wrong, as the error that it was there; JobError, with ``again``
            True, where it cannot be reached.
        """
        patience, faults = self.patience(), 0
        while True:
            try:
                answer = self.http.request(method, path, headers=headers, json=json, params=params)
            except httpx.TransportError as error:
                if not patience.wait():
                    raise self.unreachable(error) from None
                continue
            if fits(answer.status_code):
                return answer
            # A server that is just ending may say that, too.
            faults += answer.status_code == 500
            again = answer.status_code in _AGAIN or 0 < faults <= _FAULTS
            if not again or not patience.wait(_asked(answer)):
                refuse(answer)

    def unreachable(self, error: httpx.HTTPError) -> JobError:
        """Return the error for a server that does not answer."""
        what = str(error) or type(error).__name__
        return JobError(f"{self.url}: the server cannot be reached: {what}", again=True)


def refuse(answer: httpx.Response) -> NoReturn:
    """Raise what an answer says is wrong."""
    try:
        said = answer.json()["error"]
        code, message = str(said["code"]), str(said["message"])
    except (ValueError, KeyError, TypeError):
        code, message = "", f"the server answered with status {answer.status_code}"
    raise _of(code, message, again=answer.status_code in _AGAIN or answer.status_code >= 500)


def _of(code: str, message: str, again: bool) -> LabialError:
    name = f"{code.title()}Error"
    known = getattr(errors, name, None)
    if known is None or name in ("JobError", "ScriptError"):
        return JobError(message, again)
    error: LabialError = known(message)
    return error


def _asked(answer: httpx.Response) -> float | None:
    told = answer.headers.get("retry-after", "")
    return float(told) if told.isdecimal() else None
