"""What stands before the application, on an application that only echoes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from labial.server import shield, tokens
from labial.server.bodies import Bodies, Sizes, too_deep
from labial.server.gate import Gate
from labial.server.pace import Buckets
from labial.server.shield import hosts_of, shielded
from labial.server.tokens import Sessions

SECRETS = {scope: f"lab_{scope}" for scope in tokens.SCOPES}
OWN = "http://localhost:8420"


class Row:
    owner, expires, revoked = "ann", None, None

    def __init__(self, scope: str) -> None:
        self.id = f"tok_{scope}"
        self.digest, self.scopes = tokens.digest(SECRETS[scope]), [scope]
        self.limits = {"requests_per_minute": 5} if scope == "admin" else {}


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    caller = scope.get("state", {}).get("caller")
    await send({"type": "http.response.start", "status": 200, "headers": []})
    told = f"{caller.owner if caller else '-'} {len(body)}".encode()
    await send({"type": "http.response.body", "body": told})


def app(anonymous: bool = False, **more: Any) -> Any:
    rows = {row.digest: row for row in map(Row, SECRETS)}
    gate = Gate(rows.get, Sessions(b"k" * 32), anonymous)
    return shielded(echo, gate, hosts_of("127.0.0.1"), ("/", "/static/"), **more)


def ask(method: str, path: str, served: Any = None, **more: Any) -> httpx.Response:
    async def go() -> httpx.Response:
        transport = httpx.ASGITransport(served or app(anonymous=True))
        async with httpx.AsyncClient(transport=transport, base_url=OWN) as client:
            return await client.request(method, path, **more)

    return asyncio.run(go())


def bearer(scope: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {SECRETS[scope]}"}


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200), ("127.0.0.1:8420", 200), ("[::1]:8420", 200), ("LocalHost.", 200),
        ("evil.example", 421), ("127.0.0.1.evil.example", 421), ("localhost.evil.example:80", 421),
        ("evil.example#@localhost", 400), ("localhost:80@evil.example", 400), ("", 400),
        ("localhost, evil.example", 400),
    ],
)  # fmt: skip
def test_only_own_names_are_answered_to(host: str, status: int) -> None:
    answer = ask("GET", "/v1/jobs", headers={"Host": host})
    assert answer.status_code == status


def test_probes_call_by_any_name() -> None:
    assert ask("GET", "/healthz", headers={"Host": "10.1.2.3"}).status_code == 200


def test_names_of_a_server_are_its_address_and_what_it_is_told() -> None:
    assert hosts_of("0.0.0.0", ["dub.example"]) == (*shield.LOOPBACK, "dub.example")
    assert hosts_of("dub.example")[-1] == "dub.example"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": OWN}, 200),
        ({"Origin": OWN, "Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://localhost:3000"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": OWN, "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": OWN, "Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://evil.example", **bearer("write")}, 200),
    ],
)
def test_another_sites_page_changes_nothing(headers: dict[str, str], status: int) -> None:
    assert ask("POST", "/v1/jobs", headers=headers, json={}).status_code == status
    assert ask("DELETE", "/v1/jobs/job_a", headers=headers).status_code == status


def test_another_sites_page_reads_nothing_but_may_link_to_ours() -> None:
    cross = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    assert ask("GET", "/v1/jobs/a/live.jpg", headers=cross).status_code == 403
    cross["Sec-Fetch-Mode"] = "navigate"
    assert ask("GET", "/v1/jobs/a/files/output", headers=cross).status_code == 403
    assert ask("GET", "/", headers=cross).status_code == 200


def test_every_answer_has_the_careful_headers() -> None:
    for answer in (ask("GET", "/"), ask("GET", "/", headers={"Host": "evil.example"})):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy and "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "camera=(self), microphone=(self)" in answer.headers["permissions-policy"]
    assert ask("GET", "/v1/jobs").headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize(
    ("method", "path", "scope", "status"),
    [
        ("GET", "/", None, 200),
        ("GET", "/static/page.js", None, 200),
        ("POST", "/static/page.js", None, 401),
        ("GET", "/staticx", None, 401),
        ("GET", "/v1/jobs", None, 401),
        ("GET", "/what/is/made/later", None, 401),
        ("GET", "/v1/jobs", "read", 200),
        ("POST", "/v1/jobs", "read", 403),
        ("POST", "/v1/session", "read", 200),
        ("POST", "/v1/jobs", "write", 200),
        ("GET", "/v1/tokens", "write", 403),
        ("DELETE", "/v1/tokens/tok_b", "write", 403),
        ("DELETE", "/v1/tokens/tok_b", "admin", 200),
    ],
)
def test_every_path_is_shut_but_open_ones(
    method: str, path: str, scope: str | None, status: int
) -> None:
    headers = bearer(scope) if scope else {}
    answer = ask(method, path, app(), headers=headers)
    assert answer.status_code == status
    if status == 401:
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.json()["error"]["code"] == "token"


def test_a_prefix_of_a_proxy_opens_nothing() -> None:
    async def go() -> list[int]:
        transport = httpx.ASGITransport(app(), root_path="/dub")
        async with httpx.AsyncClient(transport=transport, base_url=OWN) as client:
            paths = ("/dub/v1/tokens", "/dub/v1/jobs", "/dub/static/a")
            return [(await client.get(path, headers=bearer("read"))).status_code for path in paths]

    assert asyncio.run(go()) == [403, 200, 200]


def test_a_token_has_its_own_rate() -> None:
    served = app()
    statuses = [ask("GET", "/v1/me", served, headers=bearer("admin")).status_code for _ in range(7)]
    assert statuses == [200] * 5 + [429] * 2
    limited = ask("GET", "/v1/me", served, headers=bearer("admin"))
    assert 1 <= int(limited.headers["retry-after"]) <= 12
    assert ask("GET", "/v1/me", served, headers=bearer("read")).status_code == 200


def test_a_bucket_fills_again() -> None:
    now = [0.0]
    buckets = Buckets(lambda: now[0])
    assert [buckets.take("a", 2) for _ in range(3)] == [0, 0, 30]
    now[0] += 30
    assert buckets.take("a", 2) == 0 and buckets.take("a", 2) == 30


def test_bodies_have_a_size() -> None:
    served = app(anonymous=True, sizes=Sizes(upload=2000, other=100))
    assert ask("POST", "/v1/jobs", served, content=b" " * 100).text == "local 100"
    assert ask("POST", "/v1/jobs", served, content=b" " * 101).status_code == 413
    assert ask("POST", "/v1/uploads/from-url", served, content=b" " * 101).status_code == 413
    assert ask("PATCH", "/v1/uploads/upl_a", served, content=b" " * 2000).text == "local 2000"
    assert ask("PATCH", "/v1/uploads/upl_a", served, content=b" " * 2001).status_code == 413

    async def parts() -> Any:
        for _ in range(30):
            yield b" " * 100

    # Without a Content-Length it is counted as it comes.
    assert ask("PUT", "/v1/uploads", served, content=parts()).status_code == 413
    assert ask("POST", "/v1/jobs", served, content=parts()).status_code == 413


def test_bodies_come_as_they_are() -> None:
    headers = {"Content-Encoding": "gzip"}
    assert ask("POST", "/v1/jobs", headers=headers, content=b"x").status_code == 415


@pytest.mark.parametrize(
    ("text", "deep"),
    [
        (b"[" * 4, True), (b"[[[]]]", False), (b'{"a":{"b":{"c":[]}}}', True),
        (b"[" + b"[],[[]]," * 9 + b"1]", False), (b'["[[[[\\"[[["]', False), (b'"\\\\"[[[[', True),
    ],
)  # fmt: skip
def test_depth_is_counted_outside_strings(text: bytes, deep: bool) -> None:
    assert too_deep(text, 3) is deep


def test_deep_json_is_refused_before_it_is_read() -> None:
    answer = ask("POST", "/v1/jobs", content=b"[" * 100_000)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "depth")


def speak(receive: Callable[[], Any], path: str = "/v1/uploads/a", **pace: float) -> list[Message]:
    """What is answered to a body that comes as ``receive`` says."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "PATCH", "path": path, "headers": [(b"content-length", b"1000")]
    }  # fmt: skip
    asyncio.run(Bodies(echo, Sizes(), **pace)(scope, receive, send))
    return sent


@pytest.mark.parametrize("path", ["/v1/uploads/a", "/v1/jobs"])
def test_a_body_that_does_not_come_is_not_waited_for(path: str) -> None:
    async def never() -> Message:
        await asyncio.sleep(3600)
        raise AssertionError

    assert speak(never, path, idle=0.02)[0]["status"] == 408


def test_a_body_that_trickles_is_not_waited_for() -> None:
    async def trickle() -> Message:
        await asyncio.sleep(0.005)
        return {"type": "http.request", "body": b"x", "more_body": True}

    assert speak(trickle, idle=60, grace=0.02, rate=1000)[0]["status"] == 408


def test_what_the_application_says_of_a_body_that_was_cut_off_is_not_sent() -> None:
    async def never() -> Message:
        await asyncio.sleep(3600)
        raise AssertionError

    async def swallows(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await receive()
        except Exception:
            await send({"type": "http.response.start", "status": 500, "headers": []})
            await send({"type": "http.response.body", "body": b"?"})

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "PUT", "path": "/v1/uploads", "headers": []}
    asyncio.run(Bodies(swallows, Sizes(), idle=0.02)(scope, never, send))
    assert [each.get("status") for each in sent] == [408, None]
