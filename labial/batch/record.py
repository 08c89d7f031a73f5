"""What is known of a job from one run of a batch to the next: a file beside its output."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from labial.batch.manifest import Item
from labial.batch.outcome import Outcome
from labial.exports.formats import write

_LONGEST_NAME = 120
_BYPRODUCTS = ("job.json", "log.txt", "text.txt", "live.jpg", "key")
_ALWAYS_MADE = ("output", "preview")


class Record:
    """The hidden folder of one output: what was done, and where it is worked on.

    Parameters
    ----------
    item
        The job.
    """

    def __init__(self, item: Item) -> None:
        self._item = item
        name = item.out.name
        if len(os.fsencode(name)) > _LONGEST_NAME:
            digest = hashlib.sha256(name.encode()).hexdigest()[:12]
            name = f"{os.fsencode(name)[:80].decode('utf-8', 'ignore')}.{digest}"
        self._name = name
        self._key = ""
        self._done = item.out.with_name(f".{name}.done")
        self.folder = item.out.with_name(f".{name}.job")
        """Where the job is done; made by :meth:`begin`."""

    def key(self) -> str:
        """Return what stands for the job and the state of all files that it reads."""
        job = self._item.job
        inputs = {role: list(_states(path)) for role, path in job.inputs.items()}
        if "segments" in job.inputs:
            inputs["named"] = list(_named(self._item))
        facts = [job.kind, inputs, dict(job.options), job.container, job.report]
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    def kept(self) -> Outcome | None:
        """Return what an earlier run made, if all of it is there and nothing has changed."""
        try:
            facts = json.loads(self._done.read_text(encoding="utf-8"))
            whole = facts["key"] == self.key() and all(
                (self._item.out.parent / file).stat().st_size == size
                for file, size in facts["sizes"].items()
            )
            outcome: dict[str, Any] = facts["outcome"]
            if not whole:
                return None
            place = {"line": self._item.line, "name": self._item.name, "state": "kept"}
            return Outcome(**{**outcome, **place})
        except (OSError, ValueError, KeyError, TypeError):
            return None  # not there, or not ours: it is done again

    def begin(self, again: bool) -> None:
        """Make the folder ready; what an earlier run of the same job left in it stays."""
        self._item.out.parent.mkdir(parents=True, exist_ok=True)
        # Of the files as they are now: what changes meanwhile is to be done again.
        self._key, mark = self.key(), self.folder / "key"
        there = mark.read_text(encoding="utf-8") if mark.is_file() else ""
        if again or there != self._key:
            shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(exist_ok=True)
        mark.write_text(self._key, encoding="utf-8")

    def finish(self, outcome: Outcome, files: dict[str, Path]) -> Outcome:
        """Put what was made in its place, note that it is done, and return it with its files.

        Parameters
        ----------
        outcome
            What came of the job.
        files
            What → file, in the folder or elsewhere.
        """
        for name in _BYPRODUCTS:
            (self.folder / name).unlink(missing_ok=True)
        others = {what for what in files if what.partition(".")[0] not in _ALWAYS_MADE}
        beside = self._item.out.with_name(f"{self._name}.files")
        shutil.rmtree(beside, ignore_errors=True)
        if others:
            # Pages refer to videos by where they lie, and this is as deep as where they were made.
            self.folder.replace(beside)
            files = {what: _moved(path, self.folder, beside) for what, path in files.items()}
        else:
            shutil.rmtree(self.folder)
            files = {what: path for what, path in files.items() if path.exists()}
        home = self._item.out.parent
        named = {what: os.path.relpath(path, home) for what, path in files.items()}
        outcome = Outcome(**{**outcome.__dict__, "files": named})
        sizes = {file: (home / file).stat().st_size for file in named.values()}
        facts = {"key": self._key, "sizes": sizes, "outcome": outcome.__dict__}
        write([json.dumps(facts, ensure_ascii=False, indent=1), "\n"], self._done)
        return outcome


def _moved(path: Path, old: Path, new: Path) -> Path:
    return new / path.relative_to(old) if path.is_relative_to(old) else path


def _states(path: Path) -> Iterator[list[Any]]:
    """Yield name, bytes and time of each file that an input is."""
    from labial.media.sequence import find_sequence, is_sequence

    files = [path]
    if is_sequence(path):
        pictures = find_sequence(path)
        files = [] if pictures is None else pictures.files()
    for file in files:
        found = file.stat()
        yield [file.name, found.st_size, found.st_mtime_ns]


def _named(item: Item) -> Iterator[list[Any]]:
    """Yield the same of the sounds that a file of segments names."""
    from labial.script.segments import parse_cast, read_segments

    inputs = item.job.inputs
    cast = parse_cast(item.job.options.get("cast", ()))
    for segment in read_segments(inputs["segments"], inputs.get("audio"), cast):
        if segment.audio is not None and segment.audio.exists():
            yield from _states(segment.audio)
