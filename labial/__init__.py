"""Labial: AI lip sync. The public names, nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from labial.animating import AnimateReport, animate
    from labial.checking.check import check
    from labial.checking.verdict import SyncReport
    from labial.dubbing import dub, dub_each
    from labial.errors import (
        FaceError,
        LabialError,
        MediaError,
        OptionError,
        ReadError,
        ScriptError,
        SpeechError,
        WeightsError,
        WriteError,
    )
    from labial.evaluating import Evaluation, Judgement, evaluate, evaluate_folder
    from labial.exports.transcript import Transcript
    from labial.fixing import FixReport, fix
    from labial.options import (
        AnimateOptions,
        CheckOptions,
        DubOptions,
        EvalOptions,
        FixOptions,
        VisemeOptions,
    )
    from labial.tally import DubReport
    from labial.transcribe import visemes

__all__ = [
    "AnimateOptions",
    "AnimateReport",
    "CheckOptions",
    "DubOptions",
    "DubReport",
    "EvalOptions",
    "Evaluation",
    "FaceError",
    "FixOptions",
    "FixReport",
    "Judgement",
    "LabialError",
    "MediaError",
    "OptionError",
    "ReadError",
    "ScriptError",
    "SpeechError",
    "SyncReport",
    "Transcript",
    "VisemeOptions",
    "WeightsError",
    "WriteError",
    "animate",
    "check",
    "dub",
    "dub_each",
    "evaluate",
    "evaluate_folder",
    "fix",
    "visemes",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that ``import labial`` stays instant."""
    if name not in __all__:
        raise AttributeError(f"module 'labial' has no attribute {name!r}")
    from importlib import import_module

    if name in ("dub", "dub_each"):
        room = "labial.dubbing"
    elif name == "DubReport":
        room = "labial.tally"
    elif name in ("animate", "AnimateReport"):
        room = "labial.animating"
    elif name == "check":
        room = "labial.checking.check"
    elif name == "SyncReport":
        room = "labial.checking.verdict"
    elif name in ("fix", "FixReport"):
        room = "labial.fixing"
    elif name == "visemes":
        room = "labial.transcribe"
    elif name == "Transcript":
        room = "labial.exports.transcript"
    elif name in ("Evaluation", "Judgement", "evaluate", "evaluate_folder"):
        room = "labial.evaluating"
    elif name in (
        "AnimateOptions",
        "CheckOptions",
        "DubOptions",
        "EvalOptions",
        "FixOptions",
        "VisemeOptions",
    ):
        room = "labial.options"
    else:
        room = "labial.errors"
    return getattr(import_module(room), name)


def __dir__() -> list[str]:
    """Return the public names."""
    return __all__
