"""Samples of which nobody knows how many will come: few stay in memory, many go to a file."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np

from labial.errors import WriteError
from labial.media.hold import LOCK, hold, remove_left
from labial.types import FloatArray

HELD_BYTES = 5 * 60 * 16_000 * 4
"""What is kept in memory: five minutes at 16 kHz."""
_LASTING = "/var/tmp"
_MADE = "labial-made-"
# A run takes less from making its folder to holding it.
_BEGUN_SECONDS = 10
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Spool:
    """Float samples, appended block by block, then had as one array.

    Beyond :data:`HELD_BYTES` they lie in a temporary file without a name, which vanishes with the
    array, or with the process, however that ends.

    Parameters
    ----------
    name
        Whose sound it is, for the message when there is no room for it.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._held = bytearray()
        self._file: IO[bytes] | None = None

    def append(self, block: FloatArray) -> None:
        """Add (n,) float32 samples.

        Raises
        ------
        WriteError
            There is no room for the temporary file.
        """
        self._held += np.ascontiguousarray(block, np.float32).data
        if len(self._held) > HELD_BYTES:
            self._write()

    def finish(self) -> FloatArray:
        """Return all samples: an array in memory, or a read-only map of the file.

        Raises
        ------
        WriteError
            There is no room for the temporary file.
        """
        if self._file is None:
            return np.frombuffer(self._held, np.float32)
        self._write()
        with self._file as file:
            return np.memmap(file, np.float32, "r")

    def _write(self) -> None:
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(  # noqa: SIM115
                    prefix="labial-sound-", dir=large_folder(), buffering=0
                )
            left = memoryview(self._held)
            while left:
                left = left[self._file.write(left) :]
        except OSError as error:
            self.close()
            raise WriteError(
                f"no room for the sound of {self._name} in {large_folder()}: {error.strerror}; an "
                "hour takes 460 MB: make room, or set TMPDIR to a folder that has it"
            ) from error
        self._held = bytearray()

    def close(self) -> None:
        """Let go of the file; an array that was returned keeps its samples."""
        if self._file is not None:
            self._file.close()


@contextlib.contextmanager
def enough_room() -> Iterator[None]:
    """Raise WriteError, which says what to do, where a temporary file finds no room."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise WriteError(
            f"no room for temporary files in {tempfile.gettempdir()}: {error.strerror}; make room, "
            "or set TMPDIR to a folder that has it"
        ) from error


@contextlib.contextmanager
def made_sounds() -> Iterator[Path]:
    """Give a folder for sounds that are made on the way; it vanishes with what lies in it.

    What a run that was killed has left of its own goes, too.
    """
    large = large_folder()
    for old in Path(large).glob(f"{_MADE}*"):
        with contextlib.suppress(OSError):
            if (old / LOCK).exists() and time.time() - old.stat().st_mtime > _BEGUN_SECONDS:
                remove_left(old)
    with tempfile.TemporaryDirectory(prefix=_MADE, dir=large) as folder:
        lock = hold(Path(folder))
        try:
            yield Path(folder)
        finally:
            if lock is not None:
                lock.close()


def large_folder() -> str:
    """Return where large temporary files belong: in many a system /tmp is memory, /var/tmp not."""
    told = any(os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP"))
    if not told and os.access(_LASTING, os.W_OK | os.X_OK):
        return _LASTING
    return tempfile.gettempdir()
