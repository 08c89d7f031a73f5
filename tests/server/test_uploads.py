"""Files arrive whole, in pieces, over connections that break, or are fetched; bad ones are told."""

import asyncio
import base64
import contextlib
import hashlib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from serving import Studio, examined, running

from labial.server import intake
from labial.server.arrivals import Arrivals
from labial.server.intake import Fetch, Intake
from labial.server.media_store import LocalStore
from labial.server.store import Store, UploadRecord

TUS = {"Tus-Resumable": "1.0.0"}
PIECE = TUS | {"Content-Type": "application/offset+octet-stream"}


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with running(tmp_path_factory.mktemp("studio"), max_upload_gb=0.03, max_minutes=2) as found:
        yield found


def begin(studio: Studio, size: int, name: str = "film.mp4") -> str:
    metadata = f"filename {base64.b64encode(name.encode()).decode()},filetype dmlkZW8="
    headers = TUS | {"Upload-Length": str(size), "Upload-Metadata": metadata}
    answer = studio.http.post("/v1/uploads", headers=headers)
    assert answer.status_code == 201, answer.text
    assert answer.headers["tus-resumable"] == "1.0.0"
    assert answer.headers["location"] == f"/v1/uploads/{answer.json()['id']}"
    return str(answer.headers["location"])


def patch(studio: Studio, where: str, offset: int, content: bytes):
    return studio.http.patch(where, headers=PIECE | {"Upload-Offset": str(offset)}, content=content)


def settled(studio: Studio, where: str) -> dict:
    until = time.monotonic() + 60
    while (found := studio.http.get(where).json())["state"] in ("receiving", "checking"):
        assert time.monotonic() < until
        time.sleep(0.02)
    return found


def files(studio: Studio) -> set[str]:
    return {path.name for path in studio.services.staging.iterdir()}


def test_in_pieces(studio: Studio) -> None:
    content = b"video 3\n" + bytes(range(256)) * 20_000
    where = begin(studio, len(content), "Ein Film für Ännchen.mp4")
    assert studio.http.head(where).headers["upload-offset"] == "0"
    half = len(content) // 2
    first = patch(studio, where, 0, content[:half])
    assert (first.status_code, first.headers["upload-offset"]) == (204, str(half))
    head = studio.http.head(where, headers=TUS)
    assert head.headers["upload-offset"] == str(half)
    assert head.headers["upload-length"] == str(len(content))
    assert head.headers["cache-control"] == "no-store"
    assert studio.http.get(where).json()["received"] == half
    assert patch(studio, where, half, content[half:]).status_code == 204
    found = settled(studio, where)
    assert (found["state"], found["holds"], found["extension"]) == ("ready", "video", ".mp4")
    assert found["name"] == "Ein Film für Ännchen.mp4"
    assert found["sha256"] == hashlib.sha256(content).hexdigest()
    assert found["facts"] == {"seconds": 3.0}
    assert studio.http.get(f"{where}/content").content == content
    assert found["id"] not in files(studio)
    assert patch(studio, where, len(content), b"x").status_code == 409


def test_at_once(studio: Studio) -> None:
    answer = studio.http.put("/v1/uploads?name=a/b\\..%2fclip%0a.mp4", content=b"video 3")
    assert answer.status_code == 201
    assert (answer.json()["state"], answer.json()["name"]) == ("ready", "clip.mp4")

    def chunks() -> Iterator[bytes]:
        yield b"speech "
        yield b"5"

    answer = studio.http.put("/v1/uploads", content=chunks())
    assert (answer.json()["holds"], answer.json()["size"]) == ("speech", 8)


@pytest.mark.parametrize(
    ("headers", "status", "said"),
    [
        ({}, 422, "upload-length"),
        ({"Upload-Length": "0"}, 422, "greater than or equal to 1"),
        ({"Upload-Length": "x"}, 422, "integer"),
        ({"Upload-Length": "30000001"}, 413, "larger than the 30000000 bytes"),
        ({"Upload-Length": "5", "Tus-Resumable": "0.2.2"}, 412, "tus 1.0.0"),
        ({"Upload-Length": "5", "Upload-Metadata": "filename ???"}, 422, "base64"),
        ({"Upload-Length": "5", "Upload-Metadata": "filename /w=="}, 422, "UTF-8"),
    ],
)
def test_uploads_that_cannot_begin(studio: Studio, headers: dict, status: int, said: str) -> None:
    answer = studio.http.post("/v1/uploads", headers=headers)
    assert answer.status_code == status, answer.text
    assert said in answer.json()["error"]["message"]


def test_pieces_that_do_not_fit(studio: Studio) -> None:
    where = begin(studio, 10)
    assert patch(studio, where, 3, b"abc").status_code == 409
    plain = studio.http.patch(where, headers=TUS | {"Upload-Offset": "0"}, content=b"abc")
    assert plain.status_code == 415
    assert patch(studio, where, 0, b"abc").status_code == 204
    again = patch(studio, where, 0, b"abc")
    assert (again.status_code, again.json()["error"]["code"]) == (409, "offset")
    much = patch(studio, where, 3, b"0123456789")
    assert much.status_code == 413
    assert studio.http.head(where).headers["upload-offset"] == "3"
    assert studio.http.delete(where).status_code == 204
    assert studio.http.head(where).status_code == 404
    assert where.rpartition("/")[2] not in files(studio)


def test_a_connection_that_breaks_loses_nothing(studio: Studio) -> None:
    content = b"video 3\n" + b"x" * 3_000_000
    where = begin(studio, len(content))
    host, port = studio.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as broken:
        head = [f"PATCH {where} HTTP/1.1", f"Host: {host}:{port}", "Upload-Offset: 0"]
        head += [f"Content-Length: {len(content)}", "Content-Type: " + PIECE["Content-Type"]]
        broken.sendall("\r\n".join([*head, "", ""]).encode() + content[:1_700_000])
        until = time.monotonic() + 30
        while int(studio.http.head(where).headers["upload-offset"]) < 1_000_000:
            assert time.monotonic() < until
    while int(studio.http.head(where).headers["upload-offset"]) < 1_700_000:
        assert time.monotonic() < until
    assert patch(studio, where, 1_700_000, content[1_700_000:]).status_code == 204
    assert settled(studio, where)["sha256"] == hashlib.sha256(content).hexdigest()


def test_who_comes_later_goes_on_and_who_was_before_writes_no_more(studio: Studio) -> None:
    content = b"video 3\n" + b"y" * 2_000_000
    where = begin(studio, len(content))
    host, port = studio.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as stalled:
        head = [f"PATCH {where} HTTP/1.1", f"Host: {host}:{port}", "Upload-Offset: 0"]
        head += [f"Content-Length: {len(content)}", "Content-Type: " + PIECE["Content-Type"]]
        stalled.sendall("\r\n".join([*head, "", ""]).encode() + content[: 1 << 20])
        until = time.monotonic() + 30
        while (offset := int(studio.http.head(where).headers["upload-offset"])) < 1 << 20:
            assert time.monotonic() < until
        assert patch(studio, where, offset, content[offset:]).status_code == 204
        stalled.sendall(b"z" * (len(content) - (1 << 20)))
        assert b"409" in stalled.recv(1000)
    assert settled(studio, where)["sha256"] == hashlib.sha256(content).hexdigest()


def test_a_whole_upload_that_breaks_leaves_nothing(studio: Studio) -> None:
    before = files(studio), studio.http.get("/v1/uploads").json()
    host, port = studio.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as broken:
        head = ["PUT /v1/uploads?name=a.mp4 HTTP/1.1", f"Host: {host}:{port}"]
        broken.sendall("\r\n".join([*head, "Content-Length: 5000000", "", ""]).encode() + b"x" * 99)
        until = time.monotonic() + 30
        while studio.http.get("/v1/uploads").json() == before[1]:
            assert time.monotonic() < until
    while (files(studio), studio.http.get("/v1/uploads").json()) != before:
        assert time.monotonic() < until


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"bad", "film.mp4: it is no video"),
        (b"video 121", "2 minutes long, and 2 are allowed"),
    ],
)
def test_what_is_no_good_is_refused_with_a_reason(
    studio: Studio, content: bytes, said: str
) -> None:
    answer = studio.http.put("/v1/uploads?name=film.mp4", content=content)
    assert answer.json()["state"] == "refused"
    assert said in answer.json()["reason"]
    assert answer.json()["id"] not in files(studio)
    upload = answer.json()["id"]
    assert studio.http.get(f"/v1/uploads/{upload}/content").status_code == 409
    job = studio.http.post("/v1/jobs", json={"kind": "check", "inputs": {"video": upload}})
    assert job.status_code == 409
    assert said in job.json()["error"]["message"]


def test_too_large_or_empty(studio: Studio) -> None:
    before = len(studio.http.get("/v1/uploads").json()["items"])
    assert studio.http.put("/v1/uploads", content=b"").status_code == 422

    def chunks() -> Iterator[bytes]:
        for _ in range(31):
            yield bytes(1_000_000)

    # The answer may get lost on a connection that is closed while bytes still come.
    with contextlib.suppress(httpx.ReadError, httpx.WriteError):
        assert studio.http.put("/v1/uploads", content=chunks()).status_code == 413
    until = time.monotonic() + 30
    while len(studio.http.get("/v1/uploads").json()["items"]) != before:
        assert time.monotonic() < until


def test_a_full_disk(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil

    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9, 9, 1000))
    answer = studio.http.post("/v1/uploads", headers={"Upload-Length": "900"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (507, "full")


def test_from_a_url(studio: Studio) -> None:
    answer = studio.http.post("/v1/uploads/from-url", json={"url": "https://example.org/video"})
    assert answer.status_code == 202
    found = settled(studio, f"/v1/uploads/{answer.json()['id']}")
    assert (found["state"], found["name"], found["size"]) == ("ready", "video", 5)
    answer = studio.http.post("/v1/uploads/from-url", json={"url": "https://private/video"})
    assert "not for everybody" in settled(studio, f"/v1/uploads/{answer.json()['id']}")["reason"]
    for url in ("file:///etc/passwd", "https://a b", "ftp://a/b"):
        assert studio.http.post("/v1/uploads/from-url", json={"url": url}).status_code == 422


def test_pages(studio: Studio) -> None:
    made = [studio.upload() for _ in range(5)]
    seen, cursor = [], {}
    for _ in range(20):
        page = studio.http.get("/v1/uploads", params={"limit": 2, **cursor}).json()
        seen += [each["id"] for each in page["items"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert seen[:5] == made[::-1]
    assert len(seen) == len(set(seen))


def test_parts_of_a_file(studio: Studio) -> None:
    content = b"video 3\n" + bytes(range(200))
    where = f"/v1/uploads/{studio.upload(content)}/content"
    whole = studio.http.get(where)
    assert (whole.status_code, whole.content) == (200, content)
    assert whole.headers["accept-ranges"] == "bytes"
    assert whole.headers["content-type"] == "video/mp4"
    mark, size = whole.headers["etag"], len(content)
    for asked, first, last in (
        ("bytes=0-0", 0, 0),
        ("bytes=10-19", 10, 19),
        ("bytes=200-", 200, size - 1),
        ("bytes=200-99999", 200, size - 1),
        ("bytes=-5", size - 5, size - 1),
        (f"bytes=-{size + 7}", 0, size - 1),
    ):
        part = studio.http.get(where, headers={"Range": asked})
        assert part.status_code == 206, asked
        assert part.headers["content-range"] == f"bytes {first}-{last}/{size}"
        assert part.content == content[first : last + 1]
    for asked in ("bytes=9999-", "bytes=-0", f"bytes={size}-"):
        refused = studio.http.get(where, headers={"Range": asked})
        assert refused.status_code == 416
        assert refused.headers["content-range"] == f"bytes */{size}"
    for passed_over in ("bytes=5-2", "lines=1-2", "bytes=0-1,5-9", "bytes=-", "bytes=a-b"):
        assert studio.http.get(where, headers={"Range": passed_over}).status_code == 200
    assert studio.http.get(where, headers={"If-None-Match": f'"x", {mark}'}).status_code == 304
    assert studio.http.get(where, headers={"If-None-Match": '"x"'}).status_code == 200
    for named, status in ((mark, 206), ('"x"', 200)):
        given = {"Range": "bytes=0-1", "If-Range": named}
        assert studio.http.get(where, headers=given).status_code == status


def test_what_an_earlier_process_left_is_taken_up(tmp_path: Path) -> None:
    def left(studio: Studio, content: bytes, state: str) -> UploadRecord:
        upload = studio.store.add_upload("local", "a.mp4", len(content))
        (studio.services.staging / upload.id).write_bytes(content)
        studio.store.advance_upload(upload.id, len(content))
        return studio.store.settle_upload(upload.id, state)

    with running(tmp_path) as studio:
        first = left(studio, b"video 3", "checking")
        second = left(studio, b"speech 3", "receiving")
        gone = left(studio, b"bad", "refused")
        (studio.services.staging / f"upl_{'a' * 26}").write_bytes(b"of an upload that was deleted")
    with running(tmp_path) as studio:
        assert settled(studio, f"/v1/uploads/{first.id}")["holds"] == "video"
        assert settled(studio, f"/v1/uploads/{second.id}")["holds"] == "speech"
        until = time.monotonic() + 30
        while files(studio):
            assert time.monotonic() < until
        assert studio.http.get(f"/v1/uploads/{gone.id}").json()["state"] == "refused"


def test_what_nobody_can_go_on_with_is_told(tmp_path: Path) -> None:
    with running(tmp_path) as studio:
        fetched = studio.store.add_upload("local", "far.mp4", None)
        (studio.services.staging / fetched.id).write_bytes(b"vid")
        known = studio.store.add_upload("local", "near.mp4", 9)
        (studio.services.staging / known.id).write_bytes(b"vid")
    with running(tmp_path) as studio:
        found = settled(studio, f"/v1/uploads/{fetched.id}")
        assert found["state"] == "refused"
        assert "the server ended before all of it was here" in found["reason"]
        until = time.monotonic() + 30
        while files(studio) != {known.id}:
            assert time.monotonic() < until
        assert studio.http.get(f"/v1/uploads/{known.id}").json()["state"] == "receiving"


def test_bytes_that_are_lost_are_not_made_up(studio: Studio) -> None:
    where = begin(studio, 100)
    assert patch(studio, where, 0, b"video 3\n" + bytes(42)).status_code == 204
    (studio.services.staging / where.rpartition("/")[2]).write_bytes(b"video")
    answer = patch(studio, where, 50, bytes(50))
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "gone")
    assert "begin a new upload" in answer.json()["error"]["message"]


def taken(folder: Path, fetch: Fetch, grace: float | None = None) -> UploadRecord:
    """What is known of an upload that was being fetched when its server ended."""
    store = Store.open(f"{folder}/labial.sqlite")

    async def serve() -> None:
        (folder / "staging").mkdir()
        arrivals = Arrivals(folder / "staging", store)
        inbox = Intake(arrivals, store, LocalStore(folder / "media"), examined, fetch)
        inbox.begin_to_fetch(upload, "https://example.org/video", 100, 1.0)
        while grace is None and store.upload(upload.id).state == "receiving":
            await asyncio.sleep(0.01)
        await inbox.close()

    upload = store.add_upload("local", "far.mp4", None)
    with contextlib.closing(store):
        thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
        thread.start()
        thread.join(30)
        assert not thread.is_alive()
        return store.upload(upload.id)


def test_a_server_that_ends_waits_for_no_file_that_comes_slowly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "_GRACE_SECONDS", 0.1)
    over = threading.Event()
    found = taken(tmp_path, lambda url, path, most: (over.wait(60), None)[1], grace=0.1)
    over.set()
    assert found.state == "receiving"


def test_a_file_that_cannot_be_kept_is_refused(tmp_path: Path) -> None:
    def full(url: str, path: Path, most: int) -> None:
        raise OSError(28, "No space left on device")

    found = taken(tmp_path, full)
    assert found.state == "refused"
    assert "it could not be kept here: try again later" in str(found.reason)
