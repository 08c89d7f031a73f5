"""Folders in which one process works at a time, and processes that do not outlive their parent."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

_LOCK = "lock"
_TICK_SECONDS = 0.05


def hold_folder(folder: Path) -> IO[bytes] | None:
    """Hold a folder, made where it is missing; None if somebody else holds it.

    It is held until the file returned is closed, or the process ends, however that happens.
    """
    try:
        import fcntl
    except ImportError:  # Windows itself refuses to remove what is open
        folder.mkdir(parents=True, exist_ok=True)
        return (folder / _LOCK).open("ab")
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            lock = (folder / _LOCK).open("ab")
        except FileNotFoundError:
            continue  # removed since it was made
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            return None
        try:
            if os.path.samestat(Path(lock.name).stat(), os.fstat(lock.fileno())):
                return lock
        except FileNotFoundError:
            pass
        lock.close()  # who held it before has removed it


def wait_to_hold(
    folder: Path, seconds: float, stop: Callable[[], bool] | None = None
) -> IO[bytes] | None:
    """Hold a folder as soon as nobody else does; None after some seconds, or once told to stop."""
    until = time.monotonic() + seconds
    while True:
        lock = hold_folder(folder)
        if lock is not None or time.monotonic() > until or (stop is not None and stop()):
            return lock
        time.sleep(_TICK_SECONDS)


def when_parent_ends(do: Callable[[], None]) -> None:
    """Do something once standard input ends, for then whoever started this process is gone."""

    def wait() -> None:
        # Not by way of sys.stdin, which must be nobody's when the interpreter ends.
        while os.read(0, 1):
            pass
        do()

    threading.Thread(target=wait, daemon=True).start()
