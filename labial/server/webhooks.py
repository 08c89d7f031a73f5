"""What became of jobs, told to those who asked: signed, again until it arrives, at least once.

A delivery is a POST of JSON. ``Labial-Delivery`` is the same in every try, so that a receiver can
tell one that came twice. Where the webhook has a secret, ``Labial-Signature`` is
``t=SECONDS,v1=HEX`` with HEX the HMAC-SHA256 under that secret of ``SECONDS.DELIVERY.`` and the
body; :func:`labial.client.verify_delivery` checks it. No redirect is followed; of the answer only
the status counts.
"""

from __future__ import annotations

import json
import logging
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from typing import Protocol
from urllib.parse import urlsplit

from labial.client import sign_delivery
from labial.server.reaching import Reach, Unreachable, asked
from labial.server.store import Delivery

LOG = logging.getLogger("labial.server")
TRIES = 12
"""After so many a delivery is given up: two days."""
_FIRST_WAIT, _LONGEST_WAIT = 10.0, 6 * 3600.0
_SECONDS = 15.0
_AT_ONCE, _TAKEN = 4, 20
_IDLE_SECONDS = 2.0
_GONE = 410


class Outbox(Protocol):
    """What deliveries come from."""

    def deliveries_due(self, now: datetime | None = None, limit: int = 20) -> list[Delivery]:
        """Take those that are due."""

    def delivered(self, delivery_id: int) -> None:
        """Forget one that has arrived."""

    def delivery_failed(self, delivery_id: int, again_at: datetime | None, reason: str) -> None:
        """Note why one did not arrive."""


def wait_after(attempts: int, chance: Callable[[], float] = random.random) -> float | None:
    """Return the seconds until a delivery that failed ``attempts`` times is tried again.

    It doubles each time, and is spread by half, so that what failed together does not come back
    together; None where it is given up.
    """
    if attempts >= TRIES:
        return None
    return float(min(_FIRST_WAIT * 2.0 ** (attempts - 1), _LONGEST_WAIT) * (0.75 + chance() / 2))


class Messenger:
    """Delivers what is due, on a thread of its own.

    Parameters
    ----------
    outbox
        The store.
    reach
        What may be reached.
    idle
        Seconds between two looks at the outbox.
    """

    def __init__(
        self, outbox: Outbox, reach: Reach | None = None, idle: float = _IDLE_SECONDS
    ) -> None:
        self._outbox, self._reach, self._idle = outbox, reach or Reach(), idle
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End, after what is on its way."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        with ThreadPoolExecutor(_AT_ONCE, "webhook") as pool:
            while not self._stop.is_set():
                try:
                    due = self._outbox.deliveries_due(limit=_TAKEN)
                    list(pool.map(self._tried, due))
                except Exception as error:  # the database may come back
                    LOG.warning("webhooks are left for later: %s", type(error).__name__)
                    due = []
                if not due:
                    self._stop.wait(self._idle)

    def _tried(self, delivery: Delivery) -> None:
        if self._stop.is_set():
            return  # whoever comes next has it in a few minutes
        try:
            status = deliver(delivery, self._reach)
            reason = "" if 200 <= status < 300 else f"the answer was {status}"
        except Unreachable as error:
            status, reason = 0, str(error)
        except Exception as error:
            LOG.exception("webhook of %s", delivery.job)
            status, reason = 0, f"failed: {type(error).__name__}"
        if not reason:
            self._outbox.delivered(delivery.id)
            return
        attempts = delivery.attempts + 1
        wait = None if status == _GONE else wait_after(attempts)
        again = None if wait is None else datetime.now(timezone.utc) + timedelta(seconds=wait)
        # Of the URL only the host: what comes after it may be a secret.
        LOG.warning(
            "webhook of %s at %s, try %d: %s%s",
            delivery.job, urlsplit(delivery.url).hostname, attempts, reason,
            "" if again else "; given up",
        )  # fmt: skip
        self._outbox.delivery_failed(delivery.id, again, reason)


def deliver(delivery: Delivery, reach: Reach, seconds: float = _SECONDS) -> int:
    """Send one delivery; return the status of the answer.

    Raises
    ------
    Unreachable
        It may not be reached, or does not answer.
    """
    # The row's number may be used again; a job's version never is.
    name = f"{delivery.job}.{delivery.payload.get('version', delivery.id)}"
    told = {"delivery": name, "event": delivery.event, "job": dict(delivery.payload)}
    body = json.dumps(told, ensure_ascii=True).encode()
    headers = {
        "Content-Type": "application/json",
        "Labial-Delivery": name,
        "Labial-Event": delivery.event,
    }
    if delivery.secret:
        headers["Labial-Signature"] = sign_delivery(delivery.secret, name, body, int(time.time()))
    with asked(
        reach, "POST", delivery.url, headers, body, timeout=seconds, redirects=0
    ) as response:
        return response.status
