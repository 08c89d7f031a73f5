"""One task, on whichever machine it comes to: files there, a process of its own, files back."""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from secrets import token_hex
from typing import Any

import ray

from labial import seen
from labial.cluster.blocks import BLOCK, Parcel, Shelf, blocks, root
from labial.cluster.depot import SEEN, Step
from labial.cluster.home import Visit, call
from labial.errors import JobError, LabialError
from labial.jobs import LIVE, Job, Limits, Result, hold_folder, run_apart

_TELL_SECONDS = 0.3
_OLD_SECONDS = 3600.0
_OMP = "OMP_NUM_THREADS"
# Of the folder of a task: what does not go home, and what goes as soon as it is there.
_STAYS = {"inputs", "job.json", "lock", LIVE}
_PIECE = ".piece"


@dataclass(frozen=True)
class Errand:
    """What a task is to do.

    Parameters
    ----------
    number
        Of the task, for what is told of it.
    job
        With its files as they are at home.
    folder
        Of the job, at home.
    limits
        Of the process.
    names
        Of the inputs, by role, as the depot hands them out.
    content
        The digest of the video whose first pass is known at home; "" where none is.
    place
        Where its pieces go, relative to the folder or to ``out``.
    """

    number: int
    job: Job
    folder: Path
    limits: Limits
    names: dict[str, str]
    content: str = ""
    place: str = ""


class TryAgain(Exception):  # noqa: N818 - Ray is told to
    """A task failed in a way in which another try may not."""


def work(errand: Errand, visit: Visit) -> dict[str, Any]:
    """Do it, and return the result as JSON has it, or the error: kind, message, again."""
    began, limit = time.monotonic(), errand.limits.seconds
    try:
        result = _worked(errand, visit)
    except LabialError as error:
        again = isinstance(error, JobError) and error.again
        if again and (limit is None or time.monotonic() - began < limit):
            raise TryAgain(str(error)) from None
        return {"error": type(error).__name__, "message": str(error), "again": again}
    return {"result": result.to_json()}


def _worked(errand: Errand, visit: Visit) -> Result:
    if seen.version() != visit.version:
        raise JobError(
            f"{platform.node()} has another version of Labial, or other files: install the "
            "same on every machine of the cluster"
        )
    # Ray lets numerical libraries have one thread; the result must not depend on where it is made.
    os.environ.pop(_OMP, None)
    if visit.threads is not None:
        os.environ[_OMP] = visit.threads
    at_home = ray.get_runtime_context().get_node_id() == visit.node
    call(visit.depot.tell, visit.name, errand.number, Step("begin", 0, None))
    if at_home and not errand.job.pieces:
        return run_apart(errand.job, errand.folder, errand.limits, _teller(errand, visit))
    with _place(errand.folder if at_home else root()) as place:
        return _away(errand, visit, place, at_home)


def _away(errand: Errand, visit: Visit, place: Path, at_home: bool) -> Result:
    """Do it in a folder of this machine, and bring home what it makes."""
    job, sent = errand.job, set[str]()
    sender = token_hex(4)

    def send(path: Path) -> None:
        name = path.relative_to(place).as_posix()
        if name == f".{LIVE}":
            name = LIVE
        elif name in sent:
            return
        sent.add(name)
        if at_home:
            _bring(path, _target(name, errand))
            return
        for number, block in enumerate(blocks(path)):
            call(visit.depot.take, visit.name, name, sender, number, block)
        call(visit.depot.take, visit.name, name, sender, 0, None)

    def send_pieces() -> None:
        for piece in sorted(place.rglob(f"*{_PIECE}")):
            for ending in (".png", ".json", _PIECE):
                if piece.with_suffix(ending).exists():
                    send(piece.with_suffix(ending))

    if job.pieces:
        names = {f"{errand.place}/{number:06d}{_PIECE}": number for number in job.pieces}
        left = call(visit.depot.missing, visit.name, list(names))
        job = replace(job, pieces=tuple(names[name] for name in left))
        if not left:
            return Result({}, "")
    if not at_home:
        _fetch(errand, visit, place)
        inputs = {role: place / "inputs" / name for role, name in errand.names.items()}
        job = replace(job, inputs=inputs)
    if job.out is not None:
        out = place / "out" / Path(*job.out.parts[len(out_base(job.out).parts) :])
        out.parent.mkdir(parents=True, exist_ok=True)
        job = replace(job, out=out)

    def more() -> None:
        send_pieces()
        with contextlib.suppress(OSError):
            send((place / LIVE).rename(place / f".{LIVE}"))

    tell = _teller(errand, visit, more)
    try:
        result = run_apart(job, place, errand.limits, tell)
    except LabialError as error:
        raise _as_at_home(error, errand, place) from None
    send_pieces()
    if job.pieces:
        return replace(result, facts={})
    if job.divide is not None and not result.files and not at_home:
        _send_seen(result.facts["content"], visit, sender)
    for path in sorted(place.rglob("*")):
        inside = path.relative_to(place)
        hidden = any(part.startswith(".") or part in _STAYS for part in inside.parts)
        if path.is_file() and not hidden:
            send(path)
    return _moved(result, errand)


def out_base(out: Path) -> Path:
    """Return the folder that holds a job's output, in every language."""
    base = out.parent
    while "{lang}" in str(base):
        base = base.parent
    return base


def _moved(result: Result, errand: Errand) -> Result:
    """The result with names of files as they are at home."""
    if errand.job.out is None:
        return result
    base, summary = out_base(errand.job.out), result.summary
    files = {}
    for what, name in result.files.items():
        files[what] = name
        if name.startswith("out/"):
            files[what] = str(base / name.removeprefix("out/"))
            summary = summary.replace(name, files[what])
    return replace(result, files=files, summary=summary)


def _as_at_home(error: LabialError, errand: Errand, place: Path) -> LabialError:
    """An error that names files as it would at home, see :mod:`labial.jobs.child`."""
    message = str(error)
    for role, name in errand.names.items():
        path = errand.job.inputs[role]
        strange = errand.limits.strangers and path.parent != errand.folder
        for staged in (str(place / "inputs" / name), f"inputs/{name}"):
            message = message.replace(staged, role if strange else path.name)
    if errand.job.out is not None:
        message = message.replace(str(place / "out"), str(out_base(errand.job.out)))
    message = message.replace(str(place), str(errand.folder))
    again = isinstance(error, JobError) and error.again
    known: Callable[..., LabialError] = type(error)
    return JobError(message, again) if isinstance(error, JobError) else known(message)


def _teller(
    errand: Errand, visit: Visit, more: Callable[[], object] | None = None
) -> Callable[[str, int, int | None], None]:
    last = 0.0

    def tell(stage: str, done: int, total: int | None) -> None:
        nonlocal last
        if time.monotonic() - last < _TELL_SECONDS and done != total:
            return
        visit.depot.tell.remote(visit.name, errand.number, Step(stage, done, total))
        if more is not None:
            more()
        last = time.monotonic()

    return tell


def _target(name: str, errand: Errand) -> Path:
    """Where something that a task made belongs at home."""
    first, _, rest = name.partition("/")
    if first == "out" and errand.job.out is not None:
        return out_base(errand.job.out) / rest
    return errand.folder / name


def _bring(path: Path, target: Path) -> None:
    """Move a file on this machine; it is never there by half."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.replace(target)
    except OSError:  # another disk
        new = target.with_name(f".{target.name}.{token_hex(4)}.new")
        try:
            shutil.copyfile(path, new)
            new.replace(target)
        finally:
            new.unlink(missing_ok=True)
        path.unlink()


def _fetch(errand: Errand, visit: Visit, place: Path) -> None:
    """Get a job's files, and what was seen of its video."""
    shelf = Shelf(root() / "files")

    def fetch(digest: str, number: int) -> bytes:
        block: bytes = call(visit.depot.block, digest, number)
        return block

    parcels: list[Parcel] = call(visit.depot.parcels, visit.name)
    for parcel in parcels:
        shelf.take(parcel, fetch, place / "inputs" / parcel.name)
    if not errand.content:
        return
    store = seen.Store(errand.content)
    if store.load() is None:
        new = store.folder.with_name(f"{store.folder.name}.{token_hex(4)}.new")
        new.mkdir(parents=True)
        for parcel in call(visit.depot.seen_parcels, errand.content):
            with (new / parcel.name.removeprefix(f"{SEEN}/")).open("wb") as file:
                for number in range(max(1, -(-parcel.size // BLOCK))):
                    file.write(fetch(parcel.digest, number))
        store.adopt(new)


def _send_seen(content: str, visit: Visit, sender: str) -> None:
    """Bring home what was seen of a video."""
    folder = seen.Store(content).folder
    if not (folder / "facts.json").exists():
        return
    for path in sorted(folder.iterdir()):
        for number, block in enumerate(blocks(path)):
            call(visit.depot.take_seen, content, path.name, sender, number, block)
    call(visit.depot.adopt_seen, content, sender)


@contextlib.contextmanager
def _place(parent: Path) -> Iterator[Path]:
    """A folder to work in; what tasks that were killed have left beside it goes."""
    places = parent / ".tasks"
    places.mkdir(parents=True, exist_ok=True)
    for old in places.iterdir():
        with contextlib.suppress(OSError):
            lock = hold_folder(old)
            if lock is not None:
                lock.close()
                shutil.rmtree(old, ignore_errors=True)
    place = places / token_hex(8)
    lock = hold_folder(place)
    # The process that does the job holds its own folder.
    inside = place / "job"
    inside.mkdir()
    try:
        yield inside
    finally:
        if lock is not None:
            lock.close()
        shutil.rmtree(place, ignore_errors=True)
        with contextlib.suppress(OSError):
            places.rmdir()
