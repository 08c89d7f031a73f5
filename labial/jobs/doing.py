"""Do a job in this process. What is heavy is imported when it is needed."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

from labial.jobs.job import Job, Result
from labial.jobs.kinds import kind_of
from labial.jobs.naming import extension_of
from labial.types import Hook

OUTPUT = "output"
"""Name, without extension, of what a job writes into its folder."""
LIVE = "live.jpg"
"""What a job writes into its folder about once a second while it makes frames: the newest one, at
most 640 pixels wide and high. There is none before the first frame with a new mouth is made."""


def run(
    job: Job, folder: str | os.PathLike[str], hook: Hook | None = None, threads: int = 0
) -> Result:
    """Do a job.

    Parameters
    ----------
    job
        What to do.
    folder
        Where what it writes goes, unless the job says otherwise. It must be there. If an earlier
        run of the same job was killed, and its folder is given again, it goes on from there.
    hook
        Called as ``hook(stage, done, total)`` after each step; ``total`` may be None.
    threads
        To work with; 0 is as many as there are cores.

    Raises
    ------
    LabialError
        With what is wrong and what to do.
    """
    return _DOING[job.kind](job, Path(folder), hook or _quiet, threads)


def _quiet(stage: str, done: int, total: int | None) -> None:
    """Tell nobody."""


def _dub(job: Job, folder: Path, hook: Hook, threads: int) -> Result:
    from labial.dubbing import dub, dub_each, dub_pieces
    from labial.jobs.live import LiveFrame

    given, managed = _options(job, folder), dict[str, Any](resume=True, threads=threads)
    speeches = job.named("audio")
    video = job.inputs["video"]
    mark = ".{lang}" if speeches and given.get("mux", "off") == "off" else ""
    out = job.out or folder / f"{OUTPUT}{mark}{extension_of(job)}"
    many = "{lang}" in out.name
    if "boxes" in job.inputs:
        given["speaker"] = str(job.inputs["boxes"])
    if "segments" in job.inputs:
        managed["segments"] = str(job.inputs["segments"])
    preview, report = folder / f"preview{mark}.png", folder / f"report{mark}.html"
    if given.get("mux") != "source":
        managed["preview"] = str(preview)
    if job.report:
        managed["report"] = str(report)
    options, live = kind_of("dub").made(given, **managed), LiveFrame(folder / LIVE)
    if job.parted:
        audio, key = job.inputs.get("audio"), job.key
        found = dub_pieces(video, audio, out, options, job.pieces, key=key, hook=hook, watch=live)
        made = sum(not part.copied for part in found.parts)
        if job.pieces or job.divide is None or made > job.divide:
            place = str(_inside(found.folder, folder))
            return _result(folder, {}, "", asdict(found) | {"folder": place})
    if speeches:
        reports = dub_each(video, speeches, out, options, hook=hook, watch=live)
    else:
        audio = job.inputs.get("audio")
        reports = {"": dub(video, audio, out, options, hook=hook, watch=live)}
    files: dict[str, Path] = {}
    for language, done in reports.items():
        tail = f".{language}" if many else ""
        files[f"output{tail}"] = done.out
        numbers = report.with_suffix(".json")
        for what, name in (("preview", preview), ("report", report), ("numbers", numbers)):
            path = Path(str(name).replace("{lang}", language))
            if path.exists():
                files[f"{what}{tail}"] = path
    summary = "\n".join(done.summary() for done in reports.values())
    facts = {language or "output": asdict(done) for language, done in reports.items()}
    return _result(folder, files, summary, facts)


def _animate(job: Job, folder: Path, hook: Hook, threads: int) -> Result:
    from labial.animating import animate
    from labial.jobs.live import LiveFrame

    out = job.out or folder / f"{OUTPUT}{extension_of(job)}"
    options = kind_of("animate").made(_options(job, folder))
    photo, live = job.inputs["photo"], LiveFrame(folder / LIVE)
    done = animate(photo, job.inputs.get("audio"), out, options, hook=hook, watch=live)
    return _result(folder, {"output": out}, done.summary(), asdict(done))


def _check(job: Job, folder: Path, hook: Hook, threads: int) -> Result:
    from labial.checking.check import look, measure
    from labial.checking.picture import draw_sync
    from labial.exports import formats
    from labial.media.picture import write_png

    report = measure(look(job.inputs["video"], hook), kind_of("check").made(job.options))
    numbers = job.out or folder / f"{OUTPUT}{extension_of(job)}"
    picture = folder / "picture.png"
    formats.write([report.numbers()], numbers)
    write_png(picture, draw_sync(report))
    files = {"output": numbers, "picture": picture}
    return _result(folder, files, report.summary(), asdict(report))


def _fix(job: Job, folder: Path, hook: Hook, threads: int) -> Result:
    from labial.fixing import fix

    video = job.inputs["video"]
    out = job.out or folder / f"{OUTPUT}{extension_of(job)}"
    done = fix(video, out, kind_of("fix").made(job.options), hook=hook)
    files = {} if done.out is None else {"output": done.out}
    return _result(folder, files, done.summary(), asdict(done))


def _visemes(job: Job, folder: Path, hook: Hook, threads: int) -> Result:
    from labial.transcribe import visemes

    given = _options(job, folder)
    out = job.out or folder / f"{OUTPUT}{extension_of(job)}"
    if job.out is None:
        given["format"] = given.get("format") or "json"
    done = visemes(job.inputs["audio"], out, kind_of("visemes").made(given), hook=hook)
    facts = {
        "seconds": float(done.seconds),
        "words": len(done.words or ()),
        "phones": len(done.phones),
    }
    summary = f"{out.name}: {len(done.phones)} phones in {float(done.seconds):.1f} s"
    return _result(folder, {"output": out}, summary, facts)


def _look(job: Job, folder: Path, hook: Hook, threads: int) -> Result:
    from labial.looking import look_over

    done = look_over(job.inputs["media"], folder, hook)
    return _result(folder, done.files, done.summary, done.facts)


_DOING: dict[str, Callable[[Job, Path, Hook, int], Result]] = {
    "dub": _dub,
    "animate": _animate,
    "check": _check,
    "fix": _fix,
    "visemes": _visemes,
    "look": _look,
}


def _options(job: Job, folder: Path) -> dict[str, Any]:
    """The options of a job, its text in a file: a text must never be taken for a file's name."""
    given = dict(job.options)
    if given.get("text"):
        path = folder / "text.txt"
        path.write_text(given["text"], encoding="utf-8")
        given["text"] = str(path)
    return given


def _result(
    folder: Path, files: Mapping[str, Path], summary: str, facts: Mapping[str, Any]
) -> Result:
    named = {what: str(_inside(path, folder)) for what, path in files.items()}
    # Names of files elsewhere on the machine are nobody's business.
    return Result(named, summary.replace(f"{folder}{os.sep}", ""), _plain(facts))


def _inside(path: Path, folder: Path) -> Path:
    return path.relative_to(folder) if path.is_relative_to(folder) else path


def _plain(value: Any) -> Any:
    """As JSON has it."""
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, Path):
        return value.name
    if value is None or isinstance(value, (bool, int, str)):
        return value
    number = float(value) if hasattr(value, "__float__") else None
    if number is None:
        return str(value)
    return number if number - number == 0 else None
