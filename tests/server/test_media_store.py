"""The same of every store: what is put there is read, whole and in parts, and by its key only."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from labial.errors import OptionError
from labial.server.media_store import CHUNK_BYTES, LocalStore, MediaStore, S3Store, open_store

LARGE = 33 << 20  # beyond what is put there in one part


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(params=["local", "s3", "s3-prefix"])
def store(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> MediaStore:
    if request.param == "local":
        return open_store(tmp_path / "store")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
    url = request.getfixturevalue("endpoint")
    bucket = f"b{os.urandom(8).hex()}"
    import boto3

    boto3.client("s3", endpoint_url=url, region_name="us-east-1").create_bucket(Bucket=bucket)
    inside = "/some/where" if request.param == "s3-prefix" else ""
    if inside:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        return open_store(f"s3://{bucket}{inside}")
    return open_store(f"s3://{bucket}?endpoint={url}&region=us-east-1")


def made(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_what_is_put_there_is_read(store: MediaStore, tmp_path: Path) -> None:
    assert store.put("uploads/upl_a", made(tmp_path / "a", b"hello world")) == 11
    assert store.size("uploads/upl_a") == 11
    assert b"".join(store.read("uploads/upl_a")) == b"hello world"
    assert store.fetch("uploads/upl_a", tmp_path / "there.mp4").read_bytes() == b"hello world"
    (tmp_path / "a").unlink()
    assert b"".join(store.read("uploads/upl_a")) == b"hello world"
    store.check()


def test_a_part_of_it(store: MediaStore, tmp_path: Path) -> None:
    store.put("k", made(tmp_path / "a", b"0123456789"))
    parts = {(0, 4): b"0123", (3, 4): b"3", (7, None): b"789", (8, 99): b"89", (4, 4): b""}
    for (start, end), read in {**parts, (10, 20): b"", (20, None): b""}.items():
        assert b"".join(store.read("k", start, end)) == read


def test_nothing_and_much(store: MediaStore, tmp_path: Path) -> None:
    store.put("empty", made(tmp_path / "e", b""))
    assert store.size("empty") == 0
    assert list(store.read("empty")) == []
    data = os.urandom(1 << 20) * (LARGE >> 20)
    store.put("jobs/job_a/1/output.mp4", made(tmp_path / "l", data))
    pieces = list(store.read("jobs/job_a/1/output.mp4", 5))
    assert max(map(len, pieces)) <= CHUNK_BYTES
    assert b"".join(pieces) == data[5:]
    assert store.fetch("jobs/job_a/1/output.mp4", tmp_path / "x").read_bytes() == data


def test_what_is_not_there(store: MediaStore, tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        store.size("uploads/none")
    with pytest.raises(KeyError):
        store.read("uploads/none")
    with pytest.raises(KeyError):
        store.fetch("uploads/none", tmp_path / "x")
    store.delete("uploads/none")
    with pytest.raises(FileNotFoundError):
        store.put("uploads/a", tmp_path / "none")
    assert list(store.keys()) == []
    assert list(tmp_path.glob("*")) in ([], [tmp_path / "store"])


def test_keys_in_order(store: MediaStore, tmp_path: Path) -> None:
    file = made(tmp_path / "a", b"1")
    for key in (
        "jobs/b/1/x.mp4",
        "jobs/b/1/person-0.jpg",
        "jobs/b/2/x",
        "jobs/bc/1/x",
        "uploads/a",
    ):
        store.put(key, file)
    of_b = ["jobs/b/1/person-0.jpg", "jobs/b/1/x.mp4", "jobs/b/2/x"]
    assert list(store.keys("jobs/b/")) == of_b
    assert list(store.keys("jobs/b")) == [*of_b, "jobs/bc/1/x"]
    assert list(store.keys("none/")) == []
    for key in of_b:
        store.delete(key)
    assert list(store.keys()) == ["jobs/bc/1/x", "uploads/a"]


def test_put_again_is_the_newer(store: MediaStore, tmp_path: Path) -> None:
    store.put("k", made(tmp_path / "a", b"one"))
    there = store.fetch("k", tmp_path / "there")
    store.put("k", made(tmp_path / "b", b"other"))
    assert b"".join(store.read("k")) == b"other"
    assert there.read_bytes() == b"one"
    # The same file under the same key, of which it may be another name by now.
    store.put("k", tmp_path / "b")
    assert b"".join(store.read("k")) == b"other"
    store.fetch("k", tmp_path / "b")
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["a", "b", "there"]


def test_many_at_once_leave_one_whole(store: MediaStore, tmp_path: Path) -> None:
    files = [made(tmp_path / f"{k}", bytes([k]) * 100_000) for k in range(6)]
    threads = [threading.Thread(target=store.put, args=("k", file)) for file in files]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert b"".join(store.read("k")) in [file.read_bytes() for file in files]
    assert list(store.keys()) == ["k"]


NO_KEYS = (
    "", "/", "/a", "a/", "a//b", "..", "../a", "a/../b", "a/.", ".partial/x", "a\\b", "C:a", "a b",
    "a\n", "a\x00", "ä", "a.", "a" * 121, "a/" * 8 + "a", "a?b", "%2e%2e",
)  # fmt: skip


def test_what_is_no_key_reaches_nothing(store: MediaStore, tmp_path: Path) -> None:
    file = made(tmp_path / "file", b"1")
    for key in NO_KEYS:
        for use in (store.size, store.read, store.delete):
            with pytest.raises(ValueError, match="no key"):
                use(key)
        with pytest.raises(ValueError, match="no key"):
            store.put(key, file)
        with pytest.raises(ValueError, match="no key"):
            store.fetch(key, tmp_path / "x")


def test_the_beginning_of_keys_leads_nowhere_else(store: MediaStore) -> None:
    for prefix in ("../", "/etc/", "a/../../", ".partial/", "a" * 110 + "!"):
        with pytest.raises(ValueError, match="no beginning"):
            list(store.keys(prefix))


def test_a_folder_follows_no_link_and_shares_a_disk(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    assert (store.free() or 0) > 0
    secret = made(tmp_path / "secret", b"secret")
    (tmp_path / "store" / "link").symlink_to(secret)
    with pytest.raises(KeyError):
        store.read("link")
    store.put("k", secret)
    assert (tmp_path / "store" / "k").samefile(secret)
    # Of a link the file is kept.
    (tmp_path / "other").symlink_to(secret)
    store.put("l", tmp_path / "other")
    assert not (tmp_path / "store" / "l").is_symlink()
    left = made(tmp_path / "store" / ".partial" / "left", b"half")
    os.utime(left, (0, 0))
    young = made(tmp_path / "store" / ".partial" / "young", b"half")
    assert list(LocalStore(tmp_path / "store").keys()) == ["k", "l"]
    assert not left.exists()
    assert young.exists()


def test_another_disk_gets_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refused)
    store = LocalStore(tmp_path / "store")
    store.put("k", made(tmp_path / "a", b"1"))
    assert not (tmp_path / "store" / "k").samefile(tmp_path / "a")
    assert store.fetch("k", tmp_path / "b").read_bytes() == b"1"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ftp://host/x", "use a folder"),
        ("s3://me:hush@bucket/x", "no credentials"),
        ("s3://bucket?endpoint=http://me:hush@host", "without a user"),
        ("s3://bucket?endpoint=file:///etc", "write the endpoint"),
        ("s3://bucket?secret=hush", "it knows"),
        ("s3://bucket/../x", "write s3://BUCKET"),
        ("s3://B_/x", "write s3://BUCKET"),
    ],
)
def test_addresses_that_are_refused_are_not_told_back(url: str, said: str) -> None:
    with pytest.raises(OptionError, match=said) as refused:
        open_store(url)
    assert "hush" not in str(refused.value)


def test_a_store_that_cannot_be_reached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    store = S3Store("s3://bucket?endpoint=http://127.0.0.1:9")
    for use in (store.check, lambda: store.put("k", made(tmp_path / "a", b"1"))):
        with pytest.raises(OSError, match="bucket bucket: ") as told:
            use()
        assert "hush" not in str(told.value)


def test_a_bucket_that_is_missing_is_no_missing_file(
    endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
    with pytest.raises(OSError, match="bucket nowhere: 404"):
        S3Store(f"s3://nowhere?endpoint={endpoint}").check()
