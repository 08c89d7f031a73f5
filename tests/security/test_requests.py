"""Requests as nobody should send them: paths, names, headers, bodies, ranges, slowness."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import strange
from attacking import SECRET, put
from live_server import PATIENCE, Live, until

from labial.server.media_store import open_store
from labial.server.shield import DOCUMENT_POLICY
from labial.server.store import Store

UP = (
    "../../secret.txt", "..%2f..%2fsecret.txt", "%2e%2e/%2e%2e/secret.txt",
    "....//....//secret.txt", "..\\..\\secret.txt", "%2fetc%2fpasswd", "/etc/passwd",
    "..%252f..%252fsecret.txt", "..%c0%af..%c0%afsecret.txt", "secret.txt%00.png",
    "C:\\secret.txt", "file:///etc/passwd", "~root/secret.txt", ".", "..", "%20", "session.key",
    "labial.sqlite",
)  # fmt: skip


@contextlib.contextmanager
def raw(live: Live, receive: int | None = None) -> Iterator[socket.socket]:
    """A connection on which anything can be sent."""
    with socket.socket() as connection:
        if receive is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        connection.settimeout(20)
        connection.connect(("127.0.0.1", live.port))
        yield connection


def said(live: Live, data: bytes) -> tuple[int, bytes]:
    """Status and all of the answer to these bytes."""
    with raw(live) as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(data)
        text, whole = b"", -1
        with contextlib.suppress(ConnectionError):
            while len(text) != whole and (piece := connection.recv(65536)):
                text += piece
                told = re.search(rb"(?s)content-length: (\d+).*?\r\n\r\n", text)
                if whole < 0 and told:
                    whole = told.end() + (0 if data.startswith(b"HEAD") else int(told[1]))
    return (int(text.split(b" ", 2)[1]) if text.startswith(b"HTTP/") else 0), text


def head(method: str, path: str, *more: str) -> bytes:
    lines = (f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *more)
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


@pytest.mark.parametrize("up", UP)
def test_no_path_leads_out(local: Live, home: Path, up: str) -> None:
    job, upload = f"job_{'a' * 26}", f"upl_{'a' * 26}"
    for path in (
        f"/static/{up}", f"/{up}", f"/v1/jobs/{up}", f"/v1/uploads/{up}",
        f"/v1/uploads/{up}/content", f"/v1/jobs/{job}/files/{up}",
        f"/v1/jobs/{up}/files/output", f"/v1/uploads/{upload}/{up}",
        f"/v1/tokens/{up}", f"/v1/jobs/{up}/live.jpg",
    ):  # fmt: skip
        for method in ("GET", "HEAD", "DELETE"):
            status, text = said(local, head(method, path.replace(" ", "%20")))
            assert status in (200, 400, 404, 405, 422), (method, path, status)
            assert status != 200 or path.startswith(("/v1/jobs/.", "/v1/uploads/.", "/.")), path
            for secret in (SECRET.encode(), b"root:x:", b"SQLite format"):
                assert secret not in text, path


def test_no_name_leads_out(local: Live, home: Path) -> None:
    before = sorted(path.relative_to(home) for path in home.rglob("*") if path.is_file())
    harmful = ("a\r\nSet-Cookie: evil=1", 'a"; filename="evil.exe', "../a\x1b[2J")
    for up in harmful:
        told = put(local.http, strange.png(64, 64), up)
        assert told["state"] == "ready"
        answer = local.http.get(f"v1/uploads/{told['id']}/content")
        assert "set-cookie" not in answer.headers
        assert answer.headers["content-disposition"].count('"') == 2
        assert local.http.delete(f"v1/uploads/{told['id']}").status_code == 204
    for up in (*UP, *harmful, "x" * 999):
        metadata = f"filename {base64.b64encode(up.encode()).decode()}"
        more = {"Upload-Length": "10", "Upload-Metadata": metadata}
        begun = local.http.post("v1/uploads", headers=more).json()
        assert not set("/\\\r\n\0\x1b") & set(begun["name"])
        assert len(begun["name"]) <= 200
        assert local.http.delete(f"v1/uploads/{begun['id']}").status_code == 204
    after = sorted(path.relative_to(home) for path in home.rglob("*") if path.is_file())
    assert [path for path in after if path not in before and "sqlite" not in path.name] == []
    assert (home / "secret.txt").read_text() == SECRET


def test_words_of_strangers_are_no_page(local: Live) -> None:
    evil = "<img src=x onerror=alert(1)>'\"`{{7*7}}.png"
    told = put(local.http, strange.png(64, 64), evil)
    for path in (f"v1/uploads/{told['id']}", "v1/uploads"):
        answer = local.http.get(path)
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-content-type-options"] == "nosniff"
    store = Store.open(f"sqlite:///{local.data}/labial.sqlite")
    media = open_store(str(local.data / "media"))
    body = {"kind": "animate", "inputs": {"photo": told["id"]}, "options": {"text": evil}}
    job = local.http.post("v1/jobs", json=body).json()["id"]
    try:
        claim = store.claim("test", 60)
        while claim is not None and claim.job.id != job:
            store.fail(claim, "another", False)
            claim = store.claim("test", 60)
        assert claim is not None
        page = local.data / "page.html"
        page.write_text(f"<script>alert(1)</script>{evil}")
        key = f"jobs/{job}/1/report.html"
        size = media.put(key, page)
        files = {"report": {"key": key, "size": size, "type": "text/html; charset=utf-8"}}
        store.finish(claim, {"files": files, "summary": evil, "facts": {}})
    finally:
        store.close()
    answer = local.http.get(f"v1/jobs/{job}/files/report")
    assert answer.headers["content-security-policy"] == DOCUMENT_POLICY
    assert "sandbox" in DOCUMENT_POLICY and "allow-same-origin" not in DOCUMENT_POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"
    front = local.http.get("")
    assert "unsafe" not in front.headers["content-security-policy"]
    assert front.headers["x-frame-options"] == "DENY"
    ranges = ",".join(f"{n}-{n}" for n in range(2000))
    for asked, status in (
        (f"bytes={ranges}", 200), ("bytes=0-0,0-0,0-0", 200), ("bytes=5-2", 200),
        ("lines=0-1", 200), ("bytes=-0", 416), (f"bytes={10**17}-", 416),
        (f"bytes={'9' * 400}-", 200), ("bytes=0-3", 206),
    ):  # fmt: skip
        part = local.http.get(f"v1/jobs/{job}/files/report", headers={"Range": asked})
        assert part.status_code == status, asked
        assert len(part.content) <= max(size, 200)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (b"[" * 100_000, 400),
        (b'{"a":' * 40 + b"1" + b"}" * 40, 400),
        (b'{"kind": "dub", "options": {"crf": NaN}}', 422),
        (b'{"kind": "dub", "options": {"crf": 1e999}}', 422),
        (b'{"kind": "dub", "options": {"crf": ' + b"9" * 5000 + b"}}", 400),
        (b'{"kind": "dub", "__proto__": {"admin": true}}', 422),
        (b'{"kind": "\\u0000"}', 422),
        (b"\xff\xfe", 400),
        (b"", 422),
    ],
    ids=range(9),
)
def test_bodies_that_are_no_job(local: Live, text: bytes, status: int) -> None:
    answer = local.http.post("v1/jobs", content=text, headers={"Content-Type": "application/json"})
    assert answer.status_code in (status, 422), answer.text
    assert set(answer.json()) == {"error"}


@pytest.mark.parametrize(
    ("data", "statuses"),
    [
        (head("POST", "/v1/jobs", "Content-Length: 99999999"), {413}),
        (head("PUT", "/v1/uploads", "Content-Length: 99999999999999"), {413}),
        (head("POST", "/v1/jobs", "Content-Length: -1"), {400}),
        (head("POST", "/v1/jobs", "Content-Length: 1", "Content-Length: 2"), {400}),
        (head("POST", "/v1/jobs", "Content-Length: 5", "Transfer-Encoding: chunked") + b"0\r\n\r\n",
         {400, 403, 422}),
        (head("POST", "/v1/jobs", "Transfer-Encoding: gzip, chunked"), {400, 501}),
        (head("POST", "/v1/jobs", "Content-Encoding: gzip", "Content-Length: 1") + b"x", {415}),
        (head("GET", "/v1/jobs", "X-Long: " + "a" * 100_000), {400, 431}),
        (head("GET", "/" + "a" * 100_000), {400, 414}),
        (head("GET", "/v1/jobs", *[f"X-{n}: 1" for n in range(9000)]), {400, 431}),
        (head("GET", "/v1/jobs", "X: a\x00b"), {400}),
        (head("GET", "/v1/jobs\x00"), {400}),
        (b"GET /v1/jobs HTTP/1.1\r\n\r\n", {400}),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20, {400}),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400}),
        (head("CONNECT", "127.0.0.1:22"), {400, 403, 404, 405}),
        (head("TRACE", "/v1/jobs"), {403, 404, 405}),
    ],
    ids=range(17),
)  # fmt: skip
def test_requests_that_are_none(local: Live, data: bytes, statuses: set[int]) -> None:
    assert said(local, data)[0] in statuses


def test_pieces_that_do_not_fit(local: Live) -> None:
    kind = {"Content-Type": "application/offset+octet-stream"}
    for length in ("-1", "0", "1e9", "x", "", str(2**63), "0x10"):
        answer = local.http.post("v1/uploads", headers={"Upload-Length": length})
        assert answer.status_code == 422, length
    assert local.http.post("v1/uploads", headers={"Upload-Length": str(2**50)}).status_code == 413
    metadata = {"Upload-Length": "9", "Upload-Metadata": "filename !!!"}
    assert local.http.post("v1/uploads", headers=metadata).status_code == 422
    begun = local.http.post("v1/uploads", headers={"Upload-Length": "10"}).json()["id"]
    path = f"v1/uploads/{begun}"
    for offset, status in (("5", 409), ("-1", 422), ("1e1", 422), ("", 422), (str(2**63), 422)):
        answer = local.http.patch(path, headers=kind | {"Upload-Offset": offset}, content=b"x")
        assert answer.status_code == status, offset
    assert local.http.patch(path, content=b"x", headers={"Upload-Offset": "0"}).status_code == 415
    zero = kind | {"Upload-Offset": "0"}
    assert local.http.patch(path, headers=zero, content=b"x" * 11).status_code == 413
    assert local.http.get(path).json()["received"] == 0
    assert local.http.patch(path, headers=zero, content=b"x" * 4).status_code == 204
    assert local.http.patch(path, headers=zero, content=b"x" * 4).status_code == 409
    assert local.http.head(path).headers["upload-offset"] == "4"
    assert local.http.delete(path).status_code == 204


def test_who_is_slow_is_not_waited_for(local: Live) -> None:
    with contextlib.ExitStack() as held:
        slow = [held.enter_context(raw(local)) for _ in range(60)]
        for number, connection in enumerate(slow):
            if number % 3 == 0:
                connection.sendall(b"GET /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
            elif number % 3 == 1:
                connection.sendall(head("PUT", "/v1/uploads", "Content-Length: 1000000") + b"x")
        began = time.monotonic()
        while time.monotonic() - began < PATIENCE * 2:
            assert local.http.get("healthz").status_code == 200
            for connection in slow[::3]:
                with contextlib.suppress(OSError):
                    connection.sendall(b"a")
            for connection in slow[1::3]:
                with contextlib.suppress(OSError):
                    connection.sendall(b"y")
            time.sleep(0.2)
        for number, connection in enumerate(slow):
            connection.settimeout(5)
            try:
                answer = connection.recv(65536)
            except ConnectionError:
                answer = b""
            assert answer == b"" or (number % 3 == 1 and answer.startswith(b"HTTP/1.1 408"))


def test_who_does_not_take_the_answer_is_let_go(local: Live) -> None:
    upload = put(local.http, strange.wav(48000, 2, bytes(30_000_000)), "long.wav")["id"]
    with raw(local, receive=4096) as connection:
        connection.sendall(head("GET", f"/v1/uploads/{upload}/content"))
        time.sleep(PATIENCE * 2 + 0.5)
        got = 0
        with contextlib.suppress(ConnectionError):
            while piece := connection.recv(1 << 20):
                got += len(piece)
    assert got < 30_000_000
    assert local.http.delete(f"v1/uploads/{upload}").status_code == 204


def test_what_is_forged_is_not_logged(local: Live) -> None:
    token = "lab_" + "s3cret" * 7
    local.http.get("v1/me", headers={"Authorization": f"Bearer {token}"})
    local.http.get("v1/me", params={"token": token})
    local.http.post("v1/jobs", json={"kind": token, "webhook": {"secret": token}})
    until(lambda: local.http.get("healthz").status_code == 200)
    assert token not in local.said
    assert token not in json.dumps(local.http.get("v1/tokens").json())
