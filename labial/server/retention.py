"""What is over is removed: what has expired, and what attempts left that were killed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import groupby
from pathlib import Path

from labial.jobs import hold_folder
from labial.server.media_store import MediaStore
from labial.server.patience import log
from labial.server.store import Conflict, JobRecord, NotFound, Store


def sweep(store: Store, media: MediaStore, folder: Path, now: datetime | None = None) -> int:
    """Remove what has expired, and what belongs to nothing; it may run anywhere, at any time.

    Rows go before files: a file without a row is found by the next sweep.

    Parameters
    ----------
    store, media
        Where jobs, and where files are.
    folder
        Where workers of this machine work.
    now
        The time; default: the database's.

    Returns
    -------
    removed
        Jobs and uploads that were forgotten.
    """
    removed, before = 0, -1
    while removed > before:
        before, expired = removed, store.expired(now)
        for job_id in expired.jobs:
            removed += _forgotten(store.delete_job, job_id)
        for upload_id in expired.uploads:
            removed += _forgotten(store.delete_upload, upload_id)
    for upload_id, keys in _by_id(media, "uploads/"):
        try:
            store.upload(upload_id)
        except NotFound:
            _delete(media, keys)
    for job_id, keys in _by_id(media, "jobs/"):
        _tidy_keys(media, _job(store, job_id), keys)
    if folder.is_dir():
        for home in sorted(folder.iterdir()):
            _tidy_folder(store, home)
    return removed


def tidy(store: Store, media: MediaStore, folder: Path, job_id: str) -> None:
    """Remove what attempts at a job have left, if it has ended."""
    job = _job(store, job_id)
    if job is not None and not job.ended:
        return
    keys = list(media.keys(f"jobs/{job_id}/"))
    _tidy_keys(media, _job(store, job_id), keys)
    for home in folder.glob(f"{job_id}*"):
        _tidy_folder(store, home)


def _forgotten(forget: Callable[[str], None], which: str) -> int:
    try:
        forget(which)
    except (NotFound, Conflict) as error:
        log.info("not removed: %s", error)
        return 0
    return 1


def _job(store: Store, job_id: str) -> JobRecord | None:
    try:
        return store.job(job_id)
    except NotFound:
        return None


def _by_id(media: MediaStore, prefix: str) -> Iterator[tuple[str, list[str]]]:
    """Keys by what comes after the prefix."""
    for name, keys in groupby(media.keys(prefix), lambda key: key.split("/")[1]):
        yield name, list(keys)


def _tidy_keys(media: MediaStore, job: JobRecord | None, keys: list[str]) -> None:
    """Delete keys that are no result of a job; it was looked at after they were."""
    if job is None:
        _delete(media, keys)
    elif job.ended:
        files = (job.result or {}).get("files", {})
        kept = {file["key"] for file in files.values()}
        _delete(media, [key for key in keys if key not in kept])


def _delete(media: MediaStore, keys: list[str]) -> None:
    for key in keys:
        media.delete(key)


def _tidy_folder(store: Store, home: Path) -> None:
    """Remove a folder in which attempts worked, unless somebody works there or may yet."""
    if not home.name.startswith("job_") or not home.is_dir() or home.is_symlink():
        return
    job_id = home.name.partition(".")[0]
    job = _job(store, job_id)
    if job is not None and not job.ended:
        return
    lock = hold_folder(home)
    if lock is None:
        return
    with lock:
        # Since we looked somebody may have asked for it again.
        job = _job(store, job_id)
        if job is None or job.ended:
            shutil.rmtree(home, ignore_errors=True)
