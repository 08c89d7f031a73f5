"""Finished pieces of an output, in a folder beside it, so that another run can go on from there."""

from __future__ import annotations

import contextlib
import glob
import hashlib
import json
import os
import shutil
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from labial.errors import WriteError
from labial.media.encode import Picture
from labial.media.hold import hold, remove_left
from labial.media.place import final
from labial.media.probe import show

_PICTURE = struct.Struct("<qq?Q")
_END = struct.Struct("<qq?Q").pack(0, 0, False, 0)
_DIGEST_BYTES = hashlib.sha256().digest_size
_TAIL = ".labial"
_KEY_DIGITS = 16
# In bytes, of the 255 that most disks allow.
_LONGEST_NAME = 120


@dataclass(frozen=True)
class Piece:
    """A finished piece.

    Parameters
    ----------
    path
        Its file.
    facts
        What its maker wanted to know of it later.
    """

    path: Path
    facts: dict[str, Any]

    def pictures(self) -> Iterator[Picture]:
        """Yield its pictures in decoding order."""
        with self.path.open("rb") as file:
            while True:
                pts, duration, key, size = _PICTURE.unpack(file.read(_PICTURE.size))
                if not size:
                    return
                yield Picture(file.read(size), pts, duration, key)


class Journal:
    """The folder of one output; use it as a context.

    It holds finished pieces, and the unfinished output itself, so that whatever a killed run leaves
    behind is in one place. The next run that writes the same output removes it, or goes on with it.
    When the context ends well the folder is removed, unless it is to be :meth:`kept <keep>`; when
    it ends with an error too, unless ``resume``.

    Parameters
    ----------
    target
        The output.
    key
        Stands for everything that the pieces depend on.
    resume
        Use the pieces that another run with the same key has left, and leave some.

    Raises
    ------
    WriteError
        The folder cannot be made, or another run with the same key writes the same output just now.
    """

    def __init__(self, target: str | os.PathLike[str], key: str, resume: bool = False) -> None:
        self._target, self._resume = final(Path(target)), resume
        self._prefix = f".{_short(self._target.name)}."
        self.folder = self._target.with_name(f"{self._prefix}{_short_digest(key)}{_TAIL}")
        self.partial = self.folder / f"output{self._target.suffix}"
        self._lock: IO[bytes] | None = None
        self._kept = False

    def __enter__(self) -> Journal:
        # Only the key may differ: "film" must not take what belongs to "film.mp4" for its own.
        any_key = "[0-9a-f]" * _KEY_DIGITS
        for old in self._target.parent.glob(f"{glob.escape(self._prefix)}{any_key}{_TAIL}"):
            if old != self.folder or not self._resume:
                remove_left(old)
        try:
            self.folder.mkdir(exist_ok=True)
            self._lock = hold(self.folder)
        except OSError as error:
            raise WriteError(f"cannot write {show(self._target)}: {error.strerror}") from error
        if self._lock is None:
            raise WriteError(f"cannot write {show(self._target)}: another run is writing it")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # While the folder is still ours: another run may take it at once.
        if self.partial.is_dir():
            shutil.rmtree(self.partial, ignore_errors=True)
        else:
            self.partial.unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.close()
        if not self._kept and (kind is None or not self._resume):
            remove_left(self.folder)

    def keep(self) -> None:
        """Leave the folder to another run, however the context ends."""
        self._kept = True

    def show(self, number: int) -> Path:
        """Where one picture of a piece is kept, if somebody wants to see it."""
        return self._path(number).with_suffix(".png")

    def piece(self, number: int) -> Piece | None:
        """Return a finished piece, if it is there and whole."""
        path = self._path(number)
        try:
            with path.open("rb") as file:
                size = os.fstat(file.fileno()).st_size - _DIGEST_BYTES
                digest = hashlib.sha256()
                left = size
                while left > 0:
                    block = file.read(min(left, 1 << 20))
                    if not block:
                        return None
                    digest.update(block)
                    left -= len(block)
                if file.read() != digest.digest():
                    return None
            return Piece(path, json.loads(path.with_suffix(".json").read_text()))
        except (OSError, ValueError):
            return None

    @contextlib.contextmanager
    def recording(self, number: int) -> Iterator[Recorder]:
        """Keep a piece; it counts once the context has ended well."""
        path = self._path(number)
        recorder = Recorder(path.with_suffix(".new"))
        try:
            yield recorder
            recorder.finish()
        except BaseException:
            recorder.discard()
            raise
        if recorder.whole:
            with _told(path):
                path.with_suffix(".json").write_text(json.dumps(recorder.facts))
                recorder.path.replace(path)

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:06d}.piece"


class Recorder:
    """Writes one piece, picture by picture; ``facts`` are kept beside it.

    ``whole`` is False when a picture carries more than can be kept: the piece is then not kept.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.facts: dict[str, Any] = {}
        self.whole = True
        self._digest = hashlib.sha256()
        with _told(path):
            self._file: IO[bytes] = path.open("wb")

    def keep(self, picture: Picture) -> None:
        """Add a picture.

        Raises
        ------
        WriteError
            There is no room.
        """
        self.whole = self.whole and picture.side is None
        if self.whole:
            size = len(picture.data)
            head = _PICTURE.pack(picture.pts, picture.duration, picture.key, size)
            self._write(head)
            self._write(picture.data)

    def finish(self) -> None:
        """Bring the file to an end; raise WriteError when there is no room."""
        if not self.whole:
            self.discard()
            return
        self._write(_END)
        self._write(self._digest.digest())
        with _told(self.path), self._file as file:
            file.flush()
            os.fsync(file.fileno())

    def discard(self) -> None:
        """Let go of the file, and remove it."""
        # On a full disk closing fails as well, for what was not yet written.
        with contextlib.suppress(OSError):
            self._file.close()
        self.path.unlink(missing_ok=True)

    def _write(self, data: bytes) -> None:
        self._digest.update(data)
        with _told(self.path):
            self._file.write(data)


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise WriteError(f"cannot write {show(path)}: {error.strerror}") from error


def _short_digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_KEY_DIGITS]


def _short(name: str) -> str:
    """A name that leaves room for more; another one for each."""
    data = os.fsencode(name)
    if len(data) <= _LONGEST_NAME:
        return name
    return f"{data[:_LONGEST_NAME].decode('utf-8', 'ignore')}-{_short_digest(name)}"
