"""The machine that has the files: it hands them out, takes what is made, and hears how it goes."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from labial import seen
from labial.cluster.blocks import Parcel, block_of

SEEN = "seen"
"""Names of what was seen of a video begin with that folder."""


@dataclass(frozen=True)
class Step:
    """How far a task is."""

    stage: str
    done: int
    total: int | None


@dataclass
class _Visit:
    """One job: what others may have of it, and where theirs goes."""

    files: dict[str, Path]
    folder: Path
    out: Path
    parcels: list[Parcel] | None = None
    steps: dict[int, Step] = field(default_factory=dict)
    # Files of which some blocks have come.
    coming: set[Path] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Depot:
    """An actor on the machine on which jobs are asked for. Several threads may call it."""

    def __init__(self) -> None:
        self._visits: dict[str, _Visit] = {}
        self._paths: dict[str, Path] = {}

    def open(self, visit: str, files: Mapping[str, Path], folder: Path, out: Path) -> None:
        """Begin a job.

        Parameters
        ----------
        visit
            Its name.
        files
            What others may read, by names that they know it under.
        folder
            Where what they make goes.
        out
            The same for names that begin with ``out/``.
        """
        self._visits[visit] = _Visit(dict(files), folder, out)

    def close(self, visit: str) -> None:
        """End a job: nothing of it is handed out or taken any more."""
        here = self._visits.pop(visit, None)
        for path in [] if here is None else here.coming:
            path.unlink(missing_ok=True)

    def parcels(self, visit: str) -> list[Parcel]:
        """Return what a job needs; it is read through when the first one asks."""
        here = self._visits[visit]
        with here.lock:
            if here.parcels is None:
                here.parcels = [Parcel.of(name, path) for name, path in here.files.items()]
                for parcel in here.parcels:
                    self._paths[parcel.digest] = here.files[parcel.name]
            return here.parcels

    def seen_parcels(self, content: str) -> list[Parcel]:
        """Return what was seen of a video, as files; none where it is not kept."""
        folder = seen.Store(content).folder
        files = sorted(folder.iterdir()) if (folder / "facts.json").exists() else []
        parcels = [Parcel.of(f"{SEEN}/{path.name}", path) for path in files]
        for parcel, path in zip(parcels, files, strict=True):
            self._paths[parcel.digest] = path
        return parcels

    def block(self, digest: str, number: int) -> bytes:
        """Return a block of a file that was described before."""
        return block_of(self._paths[digest], number)

    def missing(self, visit: str, names: Sequence[str]) -> list[str]:
        """Return which of some files have not come yet."""
        here = self._visits[visit]
        return [name for name in names if not _target(here, name).exists()]

    def take(self, visit: str, name: str, sender: str, number: int, block: bytes | None) -> None:
        """Take a block of a file that was made elsewhere; None says that this was all.

        ``sender`` is another one for each attempt, so that one that is given up does no harm.
        """
        here = self._visits.get(visit)
        if here is None:
            return
        target = _target(here, name)
        new = target.with_name(f".{target.name}.{sender}.new")
        if block is None:
            new.replace(target)
            here.coming.discard(new)
            return
        here.coming.add(new)
        target.parent.mkdir(parents=True, exist_ok=True)
        with new.open("wb" if number == 0 else "ab") as file:
            file.write(block)

    def take_seen(self, content: str, name: str, sender: str, number: int, block: bytes) -> None:
        """The same for what was seen of a video, which counts when it is adopted."""
        new = _beside(seen.Store(content), sender)
        new.mkdir(parents=True, exist_ok=True)
        with (new / PurePosixPath(name).name).open("wb" if number == 0 else "ab") as file:
            file.write(block)

    def adopt_seen(self, content: str, sender: str) -> None:
        """Keep what was seen of a video, all of which has come."""
        store = seen.Store(content)
        store.adopt(_beside(store, sender))

    def tell(self, visit: str, task: int, step: Step) -> None:
        """Hear how far a task is."""
        here = self._visits.get(visit)
        if here is not None:
            here.steps[task] = step

    def heard(self, visit: str) -> dict[int, Step]:
        """Return the last that was heard of each task."""
        return dict(self._visits[visit].steps)


def _beside(store: seen.Store, sender: str) -> Path:
    return store.folder.with_name(f"{store.folder.name}.{sender}.new")


def _target(visit: _Visit, name: str) -> Path:
    parts = PurePosixPath(name).parts
    if not parts or ".." in parts or PurePosixPath(name).is_absolute():
        raise ValueError(f"{name} is no name of a file in a job's folder")
    return visit.out.joinpath(*parts[1:]) if parts[0] == "out" else visit.folder.joinpath(*parts)
