"""A piece of work as data, and what came of it: both can be written down and read again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from labial.errors import JobError
from labial.jobs.kinds import kind_of

CONTAINERS = ("mp4", "mov", "mkv", "webm")
"""Formats of a video that a job can be asked for."""


@dataclass(frozen=True)
class Job:
    """A piece of work.

    Parameters
    ----------
    kind
        One of :data:`labial.jobs.KINDS`.
    inputs
        Role → file, see :class:`labial.jobs.Input`; several of a role are ``role.NAME``.
    options
        Option → value, as JSON has it; only those that differ from their defaults.
    container
        Format of the video, without a dot. None: the source's where it can be written, else mp4.
    report
        Of a dub: also judge the output, and write a page about it.
    out
        File to write. None: one in the job's folder. With several languages ``{lang}`` is in it.
    divide
        Of a dub with one speech: where more than so many pieces are to be made, only say which,
        so that others can make them. None makes it all.
    pieces, key
        Of a dub with one speech: make only these pieces, for the run that joins them, and what they
        depend on, both as the job that divided it has said. See :func:`labial.dubbing.dub_pieces`.

    Raises
    ------
    JobError
        An unknown kind, role or option; an input is missing.
    OptionError
        A value that is out of range or contradicts another.
    """

    kind: str
    inputs: Mapping[str, Path]
    options: Mapping[str, Any] = field(default_factory=dict)
    container: str | None = None
    report: bool = False
    out: Path | None = None
    divide: int | None = None
    pieces: tuple[int, ...] = ()
    key: str = ""

    def __post_init__(self) -> None:
        kind = kind_of(self.kind)
        known = {each.role: each for each in kind.inputs}
        for role in self.inputs:
            name, _, more = role.partition(".")
            if name not in known or (more and not known[name].many):
                takes = ", ".join(f"{k}{'.NAME' * e.many}" for k, e in known.items())
                raise JobError(f"{kind.name}: unknown input {role}: it takes {takes}")
        for role, each in known.items():
            if each.required and role not in self.inputs:
                raise JobError(f"{kind.name}: give {role}: {each.about}")
        if self.container is not None and self.container not in CONTAINERS:
            raise JobError(f"container {self.container}: use one of {', '.join(CONTAINERS)}")
        if self.report and self.kind != "dub":
            raise JobError(f"report: only of a dub, this job is {self.kind}")
        if self.report and self.options.get("trim") is not None:
            raise JobError("report: it is about whole videos, leave out the report or trim")
        segments = {"segments": "segments"} if "segments" in self.inputs else {}
        kind.made(self.options, **segments)
        several = any(role.startswith("audio.") for role in self.inputs)
        if self.parted and (self.kind != "dub" or several):
            raise JobError("pieces: only of a dub with one speech")
        if str(self.options.get("speaker", "")).endswith(".json"):
            raise JobError("speaker: boxes come as an input of the job, not by a file's name")
        self._expect_words()

    @property
    def parted(self) -> bool:
        """Whether it is about pieces of an output."""
        return self.divide is not None or bool(self.pieces)

    def _expect_words(self) -> None:
        """Speech comes from one place."""
        speeches = [role for role in self.inputs if role.partition(".")[0] == "audio"]
        if "audio" in self.inputs and len(speeches) > 1:
            raise JobError("audio: give one, or several by language as audio.es, audio.fr")
        if self.kind not in ("dub", "animate") or speeches:
            return
        if "segments" not in self.inputs and not self.options.get("text"):
            raise JobError(f"{self.kind}: give audio, or a text that is spoken")

    def named(self, role: str) -> dict[str, Path]:
        """Return the inputs ``role.NAME`` by their names."""
        parted = ((*key.partition("."), path) for key, path in self.inputs.items())
        return {name: path for head, dot, name, path in parted if head == role and dot}

    def to_json(self) -> str:
        """Return it as text."""
        facts = asdict(self)
        facts["inputs"] = {role: str(path) for role, path in self.inputs.items()}
        facts["out"] = None if self.out is None else str(self.out)
        return json.dumps(facts, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Job:
        """Read what :meth:`to_json` wrote."""
        facts = json.loads(text)
        facts["inputs"] = {role: Path(path) for role, path in facts["inputs"].items()}
        facts["out"] = None if facts["out"] is None else Path(facts["out"])
        facts["pieces"] = tuple(facts["pieces"])
        return cls(**facts)


@dataclass(frozen=True)
class Result:
    """What came of a job.

    Parameters
    ----------
    files
        What → file: ``output`` (by language ``output.es``), ``report``, ``numbers``, ``preview``,
        ``picture``, ``poster``, ``person-0`` and so on.
        Relative to the job's folder where they are in it.
    summary
        Lines for the user.
    facts
        What was measured and done, for JSON. Of a dub that was divided: ``content``, ``key``,
        ``folder`` and ``parts`` as :class:`labial.dubbing.Pieces` has them.
    """

    files: Mapping[str, str]
    summary: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return it as text."""
        return json.dumps(asdict(self), ensure_ascii=False, default=str)

    @classmethod
    def from_json(cls, text: str) -> Result:
        """Read what :meth:`to_json` wrote."""
        return cls(**json.loads(text))
