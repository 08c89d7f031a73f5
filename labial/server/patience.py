"""What is away for a while is asked again."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from typing import TypeVar

from labial.server.store import AWAY

T = TypeVar("T")

log = logging.getLogger("labial.server")

_FIRST_SECONDS, _MOST_SECONDS = 0.1, 5.0
MEDIA_SECONDS = 60.0


def patiently(
    do: Callable[[], T],
    stop: Callable[[], bool],
    seconds: float = math.inf,
    away: tuple[type[Exception], ...] = AWAY,
) -> T:
    """Do something until it does not fail because somebody is away.

    Parameters
    ----------
    do
        What to do; it must do no harm to do it again after it failed.
    stop
        Asked between tries; once it is True the last error is raised.
    seconds
        After which the last error is raised.
    away
        The errors that mean so.
    """
    until, wait = time.monotonic() + seconds, _FIRST_SECONDS
    while True:
        try:
            return do()
        except away as error:
            if stop() or time.monotonic() + wait > until:
                raise
            log.warning("again in %.1f s: %s", wait, first_line(error))
        time.sleep(wait)
        wait = min(2 * wait, _MOST_SECONDS)


def first_line(error: Exception) -> str:
    """Return what an error says, without the statement that a database puts under it."""
    text = str(getattr(error, "orig", None) or error).strip()
    return text.splitlines()[0] if text else type(error).__name__
