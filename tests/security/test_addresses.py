"""Addresses that strangers name: for files and for webhooks."""

from __future__ import annotations

import time
from typing import Any

import pytest
from attacking import Shared, put
from elsewhere import Elsewhere, status
from live_server import Live, until

AT_ONCE = (
    "file:///etc/passwd", "gopher://127.0.0.1/", "http://127.0.0.1/", "http://[::1]/",
    "http://[::ffff:127.0.0.1]/", "http://10.0.0.1/", "http://169.254.169.254/latest/meta-data/",
    "http://user:pass@93.184.216.34/", "http://93.184.216.34@127.0.0.1/", "http://93.184.216.34:22/",
    "http://[fd00:ec2::254]/", "http://0.0.0.0/", "http://100.100.100.200/", "http://[::]/",
    "http://127.0.0.1\\@93.184.216.34/", "http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/",
)  # fmt: skip
LATER = (
    "localhost", "2130706433", "0x7f000001", "017700000001", "127.1", "0x7f.0.0.1",
    "private.example", "metadata.example", "mixed.example", "six.example", "near.example",
)  # fmt: skip


@pytest.mark.parametrize("url", AT_ONCE)
def test_what_is_written_as_private_is_refused_at_once(shared: Shared, url: str) -> None:
    with shared.as_("ann") as ann:
        assert ann.post("v1/uploads/from-url", json={"url": url}).status_code == 422
        hook = {"kind": "visemes", "inputs": {"audio": f"upl_{'a' * 26}"}, "webhook": {"url": url}}
        assert ann.post("v1/jobs", json=hook).status_code == 422


def fetched(client: Any, url: str) -> dict[str, Any]:
    """What became of a file that is fetched."""
    answer = client.post("v1/uploads/from-url", json={"url": url})
    assert answer.status_code == 202, answer.text
    path = f"v1/uploads/{answer.json()['id']}"
    until(lambda: client.get(path).json()["state"] in ("ready", "refused"))
    told: dict[str, Any] = client.get(path).json()
    return told


def test_what_means_something_private_is_not_reached(shared: Shared, elsewhere: Elsewhere) -> None:
    before = len(elsewhere.asked)
    with shared.as_("ann") as ann:
        for host in LATER:
            told = fetched(ann, f"http://{host}:{elsewhere.port}/photo")
            assert told["state"] == "refused", host
            assert "no public address" in told["reason"] or "no address" in told["reason"]
            assert "127.0.0.1" not in told["reason"].replace(host, "")
    assert len(elsewhere.asked) == before


def test_what_may_be_reached_is_fetched_and_redirects_are_checked(
    local: Live, elsewhere: Elsewhere
) -> None:
    url = f"http://near.example:{elsewhere.port}"
    told = fetched(local.http, f"{url}/photo")
    assert (told["state"], told["holds"]) == ("ready", "photo")
    for where in (
        "http://127.0.0.2/", "http://[::1]/", "http://169.254.169.254/", "file:///etc/passwd",
        "http://private.example/", "http://a:b@127.0.0.1/", f"{url}/again",
    ):  # fmt: skip
        elsewhere.answers["/again"] = status(302, Location=where)
        assert fetched(local.http, f"{url}/again")["state"] == "refused", where


def test_a_name_that_changes_its_mind_gains_nothing(local: Live, elsewhere: Elsewhere) -> None:
    # Public when it is checked, private when it is connected to: it is asked only once.
    told = fetched(local.http, f"http://rebinding.example:{elsewhere.port}/photo")
    assert told["state"] == "ready"
    told = fetched(local.http, f"http://rebinding.example:{elsewhere.port}/photo")
    assert told["state"] == "refused" and "no public address" in told["reason"]


def test_webhooks_go_nowhere_private_and_are_signed_where_they_go(
    shared: Shared, local: Live, elsewhere: Elsewhere
) -> None:
    from strange import wav

    from labial.client import verify_delivery

    before = len(elsewhere.asked)
    sent = {}
    with shared.as_("ann") as ann:
        for client, host in ((ann, "six.example"), (local.http, "near.example")):
            sound = put(client, wav(16000, 1, bytes(32000)), "a.wav")["id"]
            hook = {"url": f"http://{host}:{elsewhere.port}/hook", "secret": "hook secret 5d1"}
            body = {"kind": "visemes", "inputs": {"audio": sound}, "webhook": hook}
            answer = client.post("v1/jobs", json=body)
            assert answer.status_code == 201 and "hook secret" not in answer.text
            sent[host] = answer.json()["id"]
            client.post(f"v1/jobs/{sent[host]}/cancel")
    until(lambda: any(sent["near.example"] in str(body) for *_, body in elsewhere.asked[before:]))
    until(lambda: "six.example" in shared.live.said)
    for method, _, headers, body in elsewhere.asked[before:]:
        assert method == "POST" and sent["near.example"].encode() in body
        assert verify_delivery("hook secret 5d1", headers, body, now=time.time())
    assert "hook secret" not in shared.live.said + local.said
