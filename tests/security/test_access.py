"""Who may do what: no token, wrong ones, other people's, other sites' pages, other names."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest
import strange
from attacking import Shared, put
from live_server import Live

NOBODY = "a" * 26


def test_nothing_is_answered_without_a_token(shared: Shared) -> None:
    with shared.as_("") as nobody:
        paths = nobody.get("openapi.json").json()["paths"]
        tried = 0
        for path, operations in paths.items():
            if not path.startswith("/v1/"):
                continue
            named = path.format(upload_id=f"upl_{NOBODY}", job_id=f"job_{NOBODY}", name="output",
                                token_id=f"tok_{NOBODY}")  # fmt: skip
            for method in operations:
                answer = nobody.request(method.upper(), named)
                assert answer.status_code == 401, f"{method} {path}"
                tried += 1
        assert tried > 20
        for path in ("v1/later", "metrics", "docs", "redoc", "v1/../v1/jobs", "//v1/jobs"):
            assert nobody.get(path).status_code in (401, 404), path


def test_a_token_does_what_its_scope_allows(shared: Shared) -> None:
    with shared.as_("reader") as reader, shared.as_("ann") as ann:
        assert reader.get("v1/jobs").status_code == 200
        for method, path in (("PUT", "v1/uploads"), ("POST", "v1/jobs"), ("POST", "v1/uploads")):
            assert reader.request(method, path, content=b"x").status_code == 403
        for client in (reader, ann):
            for method, path in (
                ("GET", "v1/tokens"), ("POST", "v1/tokens"), ("DELETE", f"v1/tokens/tok_{NOBODY}"),
                ("GET", "v1/tokens/"), ("GET", "v1/tokens?x=1"),
            ):  # fmt: skip
                answer = client.request(method, path, json={"owner": "x", "scopes": ["admin"]})
                assert answer.status_code in (403, 404), (method, path)
        for method in ("X-HTTP-Method-Override", "X-Method-Override"):
            answer = reader.get("v1/jobs", headers={method: "DELETE"})
            assert answer.status_code == 200


def test_tokens_end_and_are_taken_back(shared: Shared) -> None:
    with shared.as_("house") as house:
        short = house.post("v1/tokens", json={"owner": "eve", "days": 5e-6}).json()
        long = house.post("v1/tokens", json={"owner": "eve"}).json()
        assert long["secret"] not in house.get("v1/tokens").text
        shared.secrets |= {"short": short["secret"], "eve": long["secret"]}
        with shared.as_("eve") as eve, shared.as_("short") as ended:
            assert eve.get("v1/me").status_code == 200
            cookie = eve.post("v1/session").headers["set-cookie"].partition(";")[0]
            with shared.as_("") as page:
                assert page.get("v1/me", headers={"Cookie": cookie}).json()["by"] == "cookie"
                assert house.delete(f"v1/tokens/{long['id']}").status_code == 204
                time.sleep(0.5)
                answers = [
                    page.get("v1/me", headers={"Cookie": cookie}), eve.get("v1/me"),
                    ended.get("v1/me"),
                ]  # fmt: skip
        assert [each.status_code for each in answers] == [401] * 3
        assert len({each.text for each in answers}) == 1
        house.get("v1/me")  # a right one, after which wrong ones are counted anew


def test_cookies_are_sealed(shared: Shared) -> None:
    with shared.as_("ann") as ann, shared.as_("") as page:
        header = ann.post("v1/session").headers["set-cookie"]
        assert "HttpOnly" in header and "SameSite=Strict" in header
        assert shared.secrets["ann"] not in header
        value = header.partition(";")[0].partition("=")[2]
        digest, until, mark = value.split(".")
        for forged in (
            f"{digest}.{int(until) + 9999}.{mark}", f"{'0' * 64}.{until}.{mark}",
            f"{digest}.{until}", f"{digest}.{until}.", "..", digest, "x" * 5000,
            f"{digest}.{until}.{mark}0",
        ):  # fmt: skip
            answer = page.get("v1/me", headers={"Cookie": f"labial={forged}"})
            assert answer.status_code == 401
        for headers in (
            {"Origin": "https://evil.example"}, {"Origin": "null"},
            {"Sec-Fetch-Site": "cross-site"},
        ):  # fmt: skip
            headers["Cookie"] = f"labial={value}"
            assert page.post("v1/jobs", headers=headers, json={}).status_code == 403
        # A digest out of the database is no token.
        answer = page.get("v1/me", headers={"Authorization": f"Bearer {digest}"})
        assert answer.status_code == 401


def test_guessing_is_met_with_waiting(shared: Shared) -> None:
    with shared.as_("house") as house, shared.as_("") as guesser:
        house.get("v1/me")
        statuses = []
        for guess in range(60):  # a slow machine may wait long enough in between
            headers = {"Authorization": f"Bearer lab_{guess:043d}"}
            answer = guesser.get("v1/me", headers=headers)
            statuses.append(answer.status_code)
            if answer.status_code == 429:
                break
        assert statuses[:5] == [401] * 5 and statuses[-1] == 429
        assert int(answer.headers["retry-after"]) >= 1
        assert house.get("v1/me").status_code == 200  # who is known passes


def test_what_is_others_is_not_there(shared: Shared) -> None:
    with shared.as_("ann") as ann, shared.as_("bob") as bob, shared.as_("house") as house:
        upload = put(ann, strange.png(64, 64), "ann.png")["id"]
        sound = put(ann, strange.wav(16000, 1, bytes(32000)), "ann.wav")["id"]
        started = ann.post("v1/uploads", headers={"Upload-Length": "10"}).json()["id"]
        body = {"kind": "visemes", "inputs": {"audio": sound}}
        key = {"Idempotency-Key": "the-same"}
        job = ann.post("v1/jobs", json=body, headers=key).json()["id"]
        offset = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
        tried: list[tuple[str, str, dict[str, Any]]] = [
            ("GET", f"v1/uploads/{upload}", {}), ("HEAD", f"v1/uploads/{upload}", {}),
            ("GET", f"v1/uploads/{upload}/content", {}), ("DELETE", f"v1/uploads/{upload}", {}),
            ("PATCH", f"v1/uploads/{started}", {"headers": offset, "content": b"x"}),
            ("GET", f"v1/jobs/{job}", {}), ("POST", f"v1/jobs/{job}/cancel", {}),
            ("POST", f"v1/jobs/{job}/retry", {}), ("DELETE", f"v1/jobs/{job}", {}),
            ("GET", f"v1/jobs/{job}/events", {}), ("GET", f"v1/jobs/{job}/live.jpg", {}),
            ("GET", f"v1/jobs/{job}/files/output", {}),
        ]  # fmt: skip
        for client in (bob, house):  # to be the house is not to be Ann
            for method, path, more in tried:
                assert client.request(method, path, **more).status_code == 404, (method, path)
            assert client.get("v1/uploads").json()["items"] == []
            assert job not in client.get("v1/jobs").text
        # As an input it is as little there as one that never was, for estimates too.
        for path in ("v1/jobs", "v1/estimates"):
            said = [
                bob.post(path, json={"kind": "visemes", "inputs": {"audio": each}})
                for each in (sound, f"upl_{NOBODY}")
            ]
            assert [each.status_code for each in said] == [422, 422]
            assert said[0].text.replace(sound, "") == said[1].text.replace(f"upl_{NOBODY}", "")
        # A key is each one's own, and good for one request.
        mine = put(bob, strange.wav(16000, 1, bytes(32000)), "bob.wav")["id"]
        other = bob.post("v1/jobs", json=body | {"inputs": {"audio": mine}}, headers=key)
        assert other.status_code == 201 and other.json()["id"] != job
        assert ann.post("v1/jobs", json=body, headers=key).json()["id"] == job
        changed = body | {"options": {"language": "de"}}
        assert ann.post("v1/jobs", json=changed, headers=key).status_code == 409
        assert ann.get(f"v1/uploads/{upload}").json()["state"] == "ready"
        assert ann.get(f"v1/uploads/{started}").json()["received"] == 0


@pytest.mark.parametrize("key", ["x" * 201, "a b", "é", "a\tb", ""])
def test_keys_are_plain(shared: Shared, key: str) -> None:
    with shared.as_("ann") as ann:
        body = {"kind": "visemes", "inputs": {"audio": f"upl_{NOBODY}"}}
        answer = ann.post("v1/jobs", json=body, headers={"Idempotency-Key": key.encode()})
        assert answer.status_code == 422


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Host": "evil.example"}, 421),
        ({"Host": "rebinding.example:8420"}, 421),
        ({"Host": "127.0.0.1@evil.example"}, 400),
        ({"Host": "localhost:1", "Origin": "http://evil.example"}, 403),
        ({"X-Forwarded-Host": "evil.example", "Origin": "http://evil.example"}, 403),
    ],
)
def test_a_page_elsewhere_does_nothing_in_a_users_browser(
    local: Live, headers: dict[str, str], status: int
) -> None:
    before = local.http.get("v1/tokens").text
    for method, path, more in (
        ("POST", "v1/jobs", {"content": b"{}", "headers": {"Content-Type": "text/plain"}}),
        ("POST", "v1/tokens", {"json": {"owner": "evil", "scopes": ["admin"]}}),
        ("PUT", "v1/uploads?name=evil", {}),
        ("DELETE", f"v1/jobs/job_{NOBODY}", {}),
    ):
        more = {**more, "headers": {**more.get("headers", {}), **headers}}  # type: ignore[dict-item]
        assert local.http.request(method, path, **more).status_code == status
    assert local.http.get("v1/tokens").text == before
    answer = local.http.options("v1/jobs", headers=headers)
    assert "access-control-allow-origin" not in answer.headers


def test_a_page_elsewhere_reads_nothing(local: Live) -> None:
    for mode in ("cors", "no-cors", "navigate"):
        headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": mode}
        assert local.http.get("v1/uploads", headers=headers).status_code == 403
    assert local.http.get("v1/uploads", headers={"Host": "evil.example"}).status_code == 421
    answer = local.http.get("v1/uploads")
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"


def test_two_hosts_are_none(local: Live) -> None:
    with socket.create_connection(("127.0.0.1", local.port)) as connection:
        connection.sendall(b"GET /v1/me HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 400 ")
