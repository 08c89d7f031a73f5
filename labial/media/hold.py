"""Folders that belong to a run while it goes on, and to nobody when it was killed."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from typing import IO

LOCK = "lock"
"""Name of the file in the folder by which it is held."""


def hold(folder: Path) -> IO[bytes] | None:
    """Hold a folder until the file returned is closed or the process ends; None if it is held."""
    file = (folder / LOCK).open("ab")
    try:
        import fcntl
    except ImportError:  # Windows: see remove_left
        return file
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def remove_left(folder: Path) -> None:
    """Remove a folder that a run has left, unless that run still goes on."""
    if not folder.is_dir() or folder.is_symlink():
        return
    with contextlib.suppress(OSError):
        lock = hold(folder)
        if lock is not None:
            lock.close()
            # Where a file that is open cannot be removed, this is where it ends.
            (folder / LOCK).unlink()
            shutil.rmtree(folder, ignore_errors=True)
