"""Files on their way between machines: by digest, in blocks, kept on the disk."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from labial import seen, weights
from labial.errors import JobError
from labial.jobs import hold_folder

BLOCK = 8 << 20
_LEFT_SECONDS = 3600.0
MOST_BYTES = 40 << 30
"""Of files from elsewhere that a machine keeps; those not used for longest go."""


@dataclass(frozen=True)
class Parcel:
    """A file that a machine may ask for.

    Parameters
    ----------
    name
        Where it belongs, relative to the folder of a job.
    digest
        The sha256 of its bytes.
    size
        In bytes.
    """

    name: str
    digest: str
    size: int

    @classmethod
    def of(cls, name: str, path: Path) -> Parcel:
        """Describe a file."""
        return cls(name, seen.digest(path), path.stat().st_size)


def root() -> Path:
    """Where a machine keeps what it gets, and works."""
    return weights.folder() / "cluster"


def blocks(path: Path) -> Iterator[bytes]:
    """Yield a file's bytes, at least one block."""
    with path.open("rb", buffering=0) as file:
        block = file.read(BLOCK)
        yield block
        while len(block) == BLOCK:
            block = file.read(BLOCK)
            yield block


def block_of(path: Path, number: int) -> bytes:
    """Return one block of a file."""
    with path.open("rb", buffering=0) as file:
        file.seek(number * BLOCK)
        return file.read(BLOCK)


class Shelf:
    """The files that a machine keeps.

    Parameters
    ----------
    folder
        Where.
    most
        Bytes of them.
    """

    def __init__(self, folder: Path, most: int = MOST_BYTES) -> None:
        self._folder, self._most = folder, most

    def take(self, parcel: Parcel, fetch: Callable[[str, int], bytes], target: Path) -> None:
        """Put a file at ``target``, fetched block by block where it is not kept yet.

        Parameters
        ----------
        parcel
            Which.
        fetch
            Called with digest and number of a block.
        target
            Its name there; the file must only be read.

        Raises
        ------
        JobError
            What came is not what was announced.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        path = self._folder / parcel.digest
        with _alone(self._folder / f"{parcel.digest[:2]}.lock"):
            if not path.exists():
                self._fetch(parcel, fetch, path)
            os.utime(path)
            os.link(path, target)
        self._tidy()

    def _fetch(self, parcel: Parcel, fetch: Callable[[str, int], bytes], path: Path) -> None:
        new = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
        total = hashlib.sha256()
        try:
            with new.open("wb") as file:
                for number in range(max(1, -(-parcel.size // BLOCK))):
                    block = fetch(parcel.digest, number)
                    total.update(block)
                    file.write(block)
            if total.hexdigest() != parcel.digest:
                raise JobError(f"{Path(parcel.name).name} changed while it was sent", again=True)
            new.replace(path)
        finally:
            new.unlink(missing_ok=True)

    def _tidy(self) -> None:
        """Remove what was not used for longest, beyond what may be kept; what is in use stays."""
        found: list[tuple[float, int, bool, Path]] = []
        for path in self._folder.iterdir():
            with contextlib.suppress(OSError):
                about = path.stat()
                if path.suffix == ".new" and time.time() - about.st_mtime > _LEFT_SECONDS:
                    path.unlink()  # by a process that was killed
                elif not path.suffix:
                    used = about.st_nlink > 1
                    found.append((about.st_mtime, about.st_size, used, path))
        total = 0
        for _, size, used, path in sorted(found, reverse=True):
            total += size
            if total > self._most and not used:
                path.unlink(missing_ok=True)


@contextlib.contextmanager
def _alone(place: Path) -> Iterator[None]:
    """Wait until nobody else fetches the same file."""
    while (lock := hold_folder(place)) is None:
        time.sleep(0.1)
    try:
        yield
    finally:
        lock.close()
