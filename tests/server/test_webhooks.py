"""Deliveries: signed, sent again until they arrive or are given up, and silent about secrets."""

from __future__ import annotations

import ipaddress
import json
import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from elsewhere import Elsewhere, status

from labial.client import sign_delivery, verify_delivery
from labial.server.reaching import Reach
from labial.server.store import Delivery, Store
from labial.server.webhooks import TRIES, Messenger, wait_after

HERE = Reach((ipaddress.ip_network("127.0.0.1/32"),))
SECRET = "a secret of the hook"
PAYLOAD = {"id": "job_a", "kind": "dub", "state": "done", "version": 7}


class Box:
    """An outbox that keeps what it is told."""

    def __init__(self, *due: Delivery) -> None:
        self.due, self.arrived, self.failed = list(due), list[int](), []

    def deliveries_due(self, now: datetime | None = None, limit: int = 20) -> list[Delivery]:
        taken, self.due = self.due[:limit], self.due[limit:]
        return taken

    def delivered(self, delivery_id: int) -> None:
        self.arrived.append(delivery_id)

    def delivery_failed(self, delivery_id: int, again_at: datetime | None, reason: str) -> None:
        self.failed.append((delivery_id, again_at, reason))


def delivery(url: str, attempts: int = 0, secret: str | None = SECRET) -> Delivery:
    now = datetime.now(timezone.utc)
    return Delivery(3, "job_a", "job.done", url, secret, PAYLOAD, attempts, now)


def sent(box: Box, until: Callable[[], object], reach: Reach = HERE) -> None:
    messenger = Messenger(box, reach, idle=0.01)
    messenger.start()
    ends = time.monotonic() + 10
    while not until() and time.monotonic() < ends:
        time.sleep(0.01)
    messenger.close()
    assert until()


def test_a_delivery_says_what_happened_and_can_be_verified() -> None:
    with Elsewhere(hook=status(204)) as elsewhere:
        box = Box(delivery(f"{elsewhere.url}/hook?key=abc"), delivery(f"{elsewhere.url}/hook"))
        elsewhere.answers["/hook?key=abc"] = status(200)
        sent(box, lambda: len(box.arrived) == 2)
    for method, _, headers, body in elsewhere.asked:
        assert method == "POST" and headers["content-type"] == "application/json"
        told = json.loads(body)
        assert told == {"delivery": "job_a.7", "event": "job.done", "job": PAYLOAD}
        assert headers["labial-delivery"] == "job_a.7" and headers["labial-event"] == "job.done"
        assert verify_delivery(SECRET, headers, body)
        assert not verify_delivery("another secret", headers, body)
        assert not verify_delivery(SECRET, headers, body + b" ")
        assert not verify_delivery(SECRET, headers | {"labial-delivery": "job_b.7"}, body)
        assert not verify_delivery(SECRET, headers, body, now=time.time() + 301)
    assert box.failed == []


@pytest.mark.parametrize("mark", ["", "t=,v1=", "v1=00", "t=1e9,v1=0", "t=\u0661,v1=0", "t=1"])
def test_what_is_no_signature_is_not_verified(mark: str) -> None:
    assert not verify_delivery(
        SECRET, {"Labial-Signature": mark, "Labial-Delivery": "a"}, b"", now=1
    )


def test_a_signature_is_what_its_description_says() -> None:
    import hashlib
    import hmac

    wanted = hmac.new(b"key", b"1700000000.job_a.7.{}", hashlib.sha256).hexdigest()
    assert sign_delivery("key", "job_a.7", b"{}", 1_700_000_000) == f"t=1700000000,v1={wanted}"


def test_without_a_secret_there_is_no_signature() -> None:
    with Elsewhere(hook=status(200)) as elsewhere:
        box = Box(delivery(f"{elsewhere.url}/hook", secret=None))
        sent(box, lambda: box.arrived)
    assert "labial-signature" not in elsewhere.asked[0][2]


@pytest.mark.parametrize(
    ("code", "attempts", "again"),
    [(500, 0, True), (404, 3, True), (302, 0, True), (410, 0, False), (500, TRIES - 1, False)],
)
def test_what_does_not_arrive_is_tried_again_or_given_up(
    code: int, attempts: int, again: bool
) -> None:
    with Elsewhere(hook=status(code, Location="/other"), other=status(200)) as elsewhere:
        box = Box(delivery(f"{elsewhere.url}/hook", attempts))
        sent(box, lambda: box.failed)
    ((number, at, reason),) = box.failed
    assert (number, reason) == (3, f"the answer was {code}")
    assert (at is not None) is again
    assert at is None or at > datetime.now(timezone.utc)
    assert [path for _, path, _, _ in elsewhere.asked] == ["/hook"]  # no redirect is followed


def test_waits_double_and_are_spread() -> None:
    assert [wait_after(n, lambda: 0.5) for n in (1, 2, 3)] == [10, 20, 40]
    assert wait_after(TRIES - 1, lambda: 1.0) <= 6 * 3600 * 1.25
    assert wait_after(1, lambda: 0.0) == 7.5 and wait_after(1, lambda: 1.0) == 12.5
    assert wait_after(TRIES) is None


def test_private_addresses_are_not_told_and_secrets_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with Elsewhere(hook=status(200)) as elsewhere, caplog.at_level(logging.DEBUG):
        box = Box(delivery(f"{elsewhere.url}/hook?token=hidden"))
        sent(box, lambda: box.failed, Reach())
    assert elsewhere.asked == []
    assert "no public address" in box.failed[0][2]
    assert "127.0.0.1" in caplog.text
    assert "hidden" not in caplog.text and SECRET not in caplog.text
    assert SECRET not in repr(delivery("http://x"))


def test_a_job_of_the_store_is_told_of_once_it_ends(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/labial.sqlite")
    with Elsewhere(hook=status(503)) as elsewhere:
        upload = store.add_upload("ann", "clip.mp4", 10, None)
        store.advance_upload(upload.id, 10)
        store.settle_upload(upload.id, "ready", holds="video", extension=".mp4")
        hook = {"url": f"{elsewhere.url}/hook", "secret": SECRET}
        request = {"inputs": {"video": upload.id}, "options": {}}
        job, _ = store.submit("ann", "check", request, webhook=hook)
        store.cancel(job.id, "ann")
        messenger = Messenger(store, HERE, idle=0.01)
        messenger.start()
        ends = time.monotonic() + 10
        while not any("job.cancelled" in str(a[3]) for a in elsewhere.asked):
            assert time.monotonic() < ends
            time.sleep(0.01)
        messenger.close()
        elsewhere.answers["/hook"] = status(200)
        assert store.deliveries_due() == []
        later = store.deliveries_due(datetime.now(timezone.utc) + timedelta(minutes=1))
        assert {each.event for each in later} >= {"job.cancelled"}
        assert all(each.attempts == 1 for each in later)
    store.close()
