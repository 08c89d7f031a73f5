"""Where uploads and results lie: a folder, or a bucket of S3 or of what speaks its protocol."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from labial.errors import OptionError

CHUNK_BYTES = 1 << 20
_PARTIAL = ".partial"
_STALE_SECONDS = 24 * 3600.0
_LONGEST_KEY = 512
_PART_OF_KEY = r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,118}[A-Za-z0-9_-])?"
_KEY = re.compile(rf"{_PART_OF_KEY}(?:/{_PART_OF_KEY}){{0,7}}")
_PREFIX = re.compile(rf"(?:{_PART_OF_KEY}/){{0,7}}(?:{_PART_OF_KEY}\.?)?")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_MISSING = {"404", "NoSuchKey", "NotFound"}


class MediaStore(Protocol):
    """Files by key. Keys are made by the server alone: letters, digits, ``._-``, parted by ``/``.

    What is put there is whole or not there at all. Every method raises ValueError for what is no
    key, KeyError where nothing has that key, and OSError where the store cannot be reached or
    has no room: another try may go better. It may be used by several threads and processes.
    """

    def put(self, key: str, path: str | os.PathLike[str]) -> int:
        """Keep a file, instead of what has that key; return its bytes.

        The file must not be changed afterwards, for the store may share its bytes.
        """

    def size(self, key: str) -> int:
        """Return the bytes of a file."""

    def read(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Return the bytes from ``start`` up to, but not with, ``end``, in pieces.

        KeyError is raised by the call itself. What lies beyond the end of the file is left out.
        """

    def fetch(self, key: str, path: str | os.PathLike[str]) -> Path:
        """Make a file at hand under the name ``path``; it must be read only. Return the path."""

    def delete(self, key: str) -> None:
        """Forget a file; nothing happens where there is none."""

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Yield the keys that begin so, in order."""

    def free(self) -> int | None:
        """Return the bytes that there is room for; None where that is not known."""

    def check(self) -> None:
        """Raise OSError where the store cannot be used just now."""


def open_store(place: str | os.PathLike[str]) -> MediaStore:
    """Return the store of a folder, or of ``s3://BUCKET[/PREFIX][?endpoint=URL&region=NAME]``.

    Credentials of S3 come from where its tools look for them: ``AWS_ACCESS_KEY_ID`` and
    ``AWS_SECRET_ACCESS_KEY``, ``~/.aws``, or the machine's own role; an endpoint also from
    ``AWS_ENDPOINT_URL``.

    Raises
    ------
    OptionError
        The URL is of no store that is known, or holds what it must not; ``labial[s3]`` is missing;
        the folder cannot be made.
    """
    text = os.fspath(place)
    scheme, separator, _ = text.partition("://")
    if not separator:
        try:
            return LocalStore(text)
        except OSError as error:
            raise OptionError(
                f"--store {text}: {error.strerror}: name a folder that can be written to"
            ) from None
    if scheme != "s3":
        raise OptionError(f"--store {scheme}://...: use a folder, or s3://BUCKET/PREFIX")
    return S3Store(text)


def checked_key(key: str) -> str:
    """Return a key; raise ValueError where it is none."""
    if len(key) > _LONGEST_KEY or not _KEY.fullmatch(key):
        raise ValueError(f"no key of a store: {key[:80]!r}")
    return key


class LocalStore:
    """A folder; made where it is missing.

    Parameters
    ----------
    folder
        Files are linked into it, and out of it, where both lie on one disk; else copied.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._home = Path(folder).absolute()
        self._partial = self._home / _PARTIAL
        self._partial.mkdir(parents=True, exist_ok=True)
        self._remove_stale()

    def put(self, key: str, path: str | os.PathLike[str]) -> int:
        """As :meth:`MediaStore.put`."""
        target = self._path(key)
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = self._partial / secrets.token_hex(16)
        try:
            _link_or_copy(Path(path), partial)
            _sync(partial)
            size = partial.stat().st_size
            partial.replace(target)
        finally:
            # Of two names of one file, replacing one by the other leaves both.
            partial.unlink(missing_ok=True)
        _sync(target.parent)
        return size

    def size(self, key: str) -> int:
        """As :meth:`MediaStore.size`."""
        path = self._path(key)
        try:
            found = path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            raise KeyError(key) from None
        if not path.is_file() or path.is_symlink():
            raise KeyError(key)
        return found.st_size

    def read(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """As :meth:`MediaStore.read`."""
        size = self.size(key)
        try:
            file = self._path(key).open("rb")
        except FileNotFoundError:
            raise KeyError(key) from None

        def pieces() -> Iterator[bytes]:
            with file:
                file.seek(start)
                left = min(size if end is None else end, size) - start
                while left > 0 and (piece := file.read(min(CHUNK_BYTES, left))):
                    left -= len(piece)
                    yield piece

        return pieces()

    def fetch(self, key: str, path: str | os.PathLike[str]) -> Path:
        """As :meth:`MediaStore.fetch`."""
        self.size(key)
        target = Path(path)
        partial = _beside(target)
        try:
            _link_or_copy(self._path(key), partial)
            partial.replace(target)
        except FileNotFoundError:
            if not target.parent.is_dir():
                raise
            raise KeyError(key) from None
        finally:
            partial.unlink(missing_ok=True)
        return target

    def delete(self, key: str) -> None:
        """As :meth:`MediaStore.delete`."""
        path = self._path(key)
        path.unlink(missing_ok=True)
        for folder in path.parents:
            if folder == self._home:
                break
            try:
                folder.rmdir()
            except OSError:
                break  # something else lies in it

    def keys(self, prefix: str = "") -> Iterator[str]:
        """As :meth:`MediaStore.keys`."""
        _checked_prefix(prefix)
        found = []
        for folder, _, names in os.walk(self._home / prefix.rpartition("/")[0]):
            files = (Path(folder, name) for name in names)
            found += [
                file.relative_to(self._home).as_posix() for file in files if not file.is_symlink()
            ]
        yield from sorted(key for key in found if key.startswith(prefix) and _KEY.fullmatch(key))

    def free(self) -> int | None:
        """As :meth:`MediaStore.free`."""
        return shutil.disk_usage(self._home).free

    def check(self) -> None:
        """As :meth:`MediaStore.check`."""
        probe = self._partial / secrets.token_hex(16)
        probe.touch()
        probe.unlink()

    def _path(self, key: str) -> Path:
        return self._home.joinpath(*checked_key(key).split("/"))

    def _remove_stale(self) -> None:
        """Remove what processes left that were killed while they put something there."""
        before = time.time() - _STALE_SECONDS
        for path in self._partial.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if path.lstat().st_mtime < before:
                    path.unlink()


class S3Store:
    """A bucket, or what begins with a prefix in it.

    Parameters
    ----------
    url
        As for :func:`open_store`.
    """

    def __init__(self, url: str) -> None:
        bucket, prefix, settings = _of_url(url)
        try:
            import boto3
            from boto3.s3.transfer import TransferConfig
            from botocore.config import Config
        except ImportError:
            raise OptionError(
                "--store s3://...: needs boto3, install it with: pip install 'labial[s3]'"
            ) from None
        own = settings.get("endpoint") or os.environ.get("AWS_ENDPOINT_URL")
        self._bucket, self._prefix = bucket, prefix
        self._client: Any = boto3.session.Session().client(
            "s3",
            endpoint_url=own,
            region_name=settings.get("region") or os.environ.get("AWS_REGION") or "us-east-1",
            config=Config(
                connect_timeout=10,
                read_timeout=60,
                retries={"mode": "standard", "max_attempts": 4},
                # Stores that are not Amazon's know neither names of buckets as hosts nor, all of
                # them, the newer checksums.
                s3={"addressing_style": "path" if own else "auto"},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )
        self._transfer = TransferConfig(
            multipart_threshold=32 << 20, multipart_chunksize=16 << 20, max_concurrency=4
        )

    def put(self, key: str, path: str | os.PathLike[str]) -> int:
        """As :meth:`MediaStore.put`."""
        name, size = self._name(key), Path(path).stat().st_size
        with self._told(key):
            self._client.upload_file(os.fspath(path), self._bucket, name, Config=self._transfer)
        return size

    def size(self, key: str) -> int:
        """As :meth:`MediaStore.size`."""
        with self._told(key):
            found = self._client.head_object(Bucket=self._bucket, Key=self._name(key))
        return int(found["ContentLength"])

    def read(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """As :meth:`MediaStore.read`."""
        size = self.size(key)
        end = size if end is None else min(end, size)
        if start >= end:
            return iter(())
        with self._told(key):
            found = self._client.get_object(
                Bucket=self._bucket, Key=self._name(key), Range=f"bytes={start}-{end - 1}"
            )

        def pieces() -> Iterator[bytes]:
            with contextlib.closing(found["Body"]) as body, self._told(key):
                yield from body.iter_chunks(CHUNK_BYTES)

        return pieces()

    def fetch(self, key: str, path: str | os.PathLike[str]) -> Path:
        """As :meth:`MediaStore.fetch`."""
        target, name = Path(path), self._name(key)
        partial = _beside(target)
        try:
            with self._told(key):
                self._client.download_file(
                    self._bucket, name, os.fspath(partial), Config=self._transfer
                )
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
        return target

    def delete(self, key: str) -> None:
        """As :meth:`MediaStore.delete`."""
        with self._told(key):
            self._client.delete_object(Bucket=self._bucket, Key=self._name(key))

    def keys(self, prefix: str = "") -> Iterator[str]:
        """As :meth:`MediaStore.keys`."""
        start = self._prefix + _checked_prefix(prefix)
        pages = self._client.get_paginator("list_objects_v2")
        with self._told(prefix):
            for page in pages.paginate(Bucket=self._bucket, Prefix=start):
                for each in page.get("Contents", ()):
                    yield str(each["Key"])[len(self._prefix) :]

    def free(self) -> int | None:
        """As :meth:`MediaStore.free`."""
        return None

    def check(self) -> None:
        """As :meth:`MediaStore.check`."""
        with self._told(""):
            self._client.head_bucket(Bucket=self._bucket)

    def _name(self, key: str) -> str:
        return self._prefix + checked_key(key)

    @contextlib.contextmanager
    def _told(self, key: str) -> Iterator[None]:
        """Raise what goes wrong as the protocol says."""
        from boto3.exceptions import Boto3Error
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code in _MISSING and key:
                raise KeyError(key) from None
            raise OSError(f"bucket {self._bucket}: {code or 'refused'}") from error
        except (BotoCoreError, Boto3Error) as error:
            # Their own words name URLs with signatures in them.
            raise OSError(f"bucket {self._bucket}: {type(error).__name__}") from error


def _of_url(url: str) -> tuple[str, str, dict[str, str]]:
    """Return bucket, prefix (ends with a slash, or empty) and settings of ``s3://...``."""
    # What it holds is not told back: it may be a secret.
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise OptionError(
            "--store s3://...: no credentials belong into it, give AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY in the environment"
        )
    settings = dict(parse_qsl(parts.query, keep_blank_values=True))
    if parts.fragment or set(settings) - {"endpoint", "region"}:
        raise OptionError("--store s3://...: of settings it knows ?endpoint=URL and &region=NAME")
    prefix = parts.path.strip("/")
    if not _BUCKET.fullmatch(parts.netloc) or (prefix and not _KEY.fullmatch(prefix)):
        raise OptionError("--store s3://...: write s3://BUCKET or s3://BUCKET/PREFIX")
    endpoint = urlsplit(settings.get("endpoint", "http://none"))
    if endpoint.scheme not in ("http", "https") or not endpoint.hostname or "@" in endpoint.netloc:
        raise OptionError(
            "--store s3://...: write the endpoint as http://HOST:PORT, without a user"
        )
    return parts.netloc, f"{prefix}/" if prefix else "", settings


def _checked_prefix(prefix: str) -> str:
    if len(prefix) > _LONGEST_KEY or not _PREFIX.fullmatch(prefix):
        raise ValueError(f"no beginning of keys: {prefix[:80]!r}")
    return prefix


def _beside(target: Path) -> Path:
    return target.with_name(f".{secrets.token_hex(8)}{_PARTIAL}")


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        # Of a symbolic link the file is meant, which no link of it would be.
        os.link(source.resolve(strict=True), target)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(source, target)


def _sync(path: Path) -> None:
    """Have it on the disk before anybody is told that it is there."""
    if os.name == "nt" and path.is_dir():
        return
    handle = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
