"""Run a case through the command line's own entry, and hold its result against the source.

Films are decoded by PyAV alone; that samples are rearranged without loss is tested with the reader.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import av
import numpy as np
from faults.case import Case, Job

from labial import seen
from labial.cli import main
from labial.media.formats import planes_of

PROGRESS = re.compile(r"labial: [a-z]+: \d+( of \d+)? in [\d.]+ s")
ERROR = "labial: error: "
# Matroska counts in milliseconds.
ROUNDED = Fraction(1, 1000)
# Encoders of sound begin with up to a packet of silence.
SOUND_BEGINS = 0.07


@dataclass
class Result:
    """What came of a case; ``wrong`` lists what should not have.

    ``frames`` are those of the output, ``of`` those of the source; ``changed`` are samples that
    changed outside the masks, where they were compared.
    """

    outcome: str
    code: int
    message: str
    frames: int = 0
    of: int = 0
    changed: int = 0
    compared: bool = False
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)


def run(case: Case, folder: Path) -> Result:
    """Make a case in an empty folder and run it."""
    (folder / "in").mkdir()
    (folder / "out").mkdir()
    (folder / "tmp").mkdir()
    made = case.make(folder)
    inputs, before = _digests(folder / "in"), _digests(folder / "out")
    start = time.monotonic()
    kept = mock.patch.object(seen, "folder", lambda: folder / "seen")
    with kept, _temporary(folder / "tmp"), _captured(folder) as said:
        try:
            code = case.through(partial(main, made.arguments))
        except BaseException as error:
            code = -1
            said.wrong.append(f"raised {type(error).__name__}: {error}")
    result = _judged(case, made, code, said)
    result.seconds = time.monotonic() - start
    if _digests(folder / "in") != inputs:
        result.wrong.append("an input changed")
    if left := sorted(p.name for p in (folder / "tmp").rglob("*")):
        result.wrong.append(f"left in the temporary folder: {left}")
    _check_folder(case, made, result, before)
    return result


@dataclass
class Said:
    """What a run wrote: to stdout, to stderr, and to the terminal past Python."""

    out: str = ""
    err: str = ""
    native: str = ""
    wrong: list[str] = field(default_factory=list)


@contextlib.contextmanager
def _captured(folder: Path) -> Iterator[Said]:
    said, out, err = Said(), io.StringIO(), io.StringIO()
    with (folder / "native.txt").open("w+b") as native:
        sys.stderr.flush()
        kept = os.dup(2)
        os.dup2(native.fileno(), 2)
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                yield said
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            native.seek(0)
            said.native = native.read().decode(errors="replace")
            said.out, said.err = out.getvalue(), err.getvalue()


@contextlib.contextmanager
def _temporary(folder: Path) -> Iterator[None]:
    told, kept = os.environ.get("TMPDIR"), tempfile.tempdir
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = kept
        if told is None:
            del os.environ["TMPDIR"]
        else:
            os.environ["TMPDIR"] = told


def _digests(folder: Path) -> dict[str, str]:
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_file() and os.access(path, os.R_OK):
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        else:
            found[name] = "no file"
    return found


def _judged(case: Case, made: Job, code: int, said: Said) -> Result:
    outcome = {0: "done", 2: "refused"}.get(code, f"code {code}")
    lines = [line for line in said.err.splitlines() if not PROGRESS.fullmatch(line)]
    result = Result(outcome, code, "", wrong=said.wrong)
    if said.native.strip():
        result.wrong.append(f"written past Python: {said.native.strip()[:200]}")
    if case.outcome not in (outcome, "either"):
        result.wrong.append(f"{outcome}, expected {case.outcome}: {said.err}{said.out}")
    if outcome == "refused":
        result.message = _refusal(made, lines, said, result.wrong)
    elif outcome == "done":
        result.message = said.out.strip().replace(str(made.target), made.target.name)
        if lines:
            result.wrong.append(f"unasked on stderr: {lines}")
    if (
        case.says
        and outcome in (case.outcome, "done")
        and not re.search(case.says, result.message, re.S)
    ):
        result.wrong.append(f"does not say {case.says!r}: {result.message}")
    return result


def _refusal(made: Job, lines: list[str], said: Said, wrong: list[str]) -> str:
    if "For full helptext" in said.err:  # of the parser of the command line, in a box
        return " ".join(w for w in said.err.split() if not set(w) <= set("-─│╭╮╰╯"))
    listed = [line for line in lines[1:] if line.startswith("  ")]
    # What is wrong with a script is told at once.
    known = lines and lines[0].endswith(f": {len(listed)} problems") if listed else True
    if len(lines) != 1 + len(listed) or not known or not lines[0].startswith(ERROR):
        wrong.append(f"not one line of error: {lines}")
        return " ".join(lines)
    lines = [" ".join(lines)]
    for part in (str(made.target.parent), str(made.target.parent.with_name("in"))):
        lines[0] = lines[0].replace(part + os.sep, "")
    return lines[0].removeprefix(ERROR)


def _check_folder(case: Case, made: Job, result: Result, before: dict[str, str]) -> None:
    after = _digests(made.target.parent) if made.target.parent.is_dir() else {}
    if result.outcome != "done":
        if case.outcome == "either" and made.source is not None:
            _check_refusal(made.source, result)
        if after != before:
            result.wrong.append(f"left behind: {sorted(after)} where there was {sorted(before)}")
        return
    new = {Path(name).parts[0] for name in set(after) - set(before)}
    extra = sorted(new - {made.target.name})
    if extra:
        result.wrong.append(f"left beside the output: {extra}")
    if made.source is not None and made.arguments[0] == "dub":
        _compare(case, made, result)


def _check_refusal(source: Path, result: Result) -> None:
    """What another program decodes may be refused for want of a face alone."""
    try:
        seen = sum(1 for _ in _decoded(source))
    except (av.error.FFmpegError, StopIteration, RuntimeError):
        seen = 0
    if seen and "no face" not in result.message and "speech." not in result.message:
        result.wrong.append(f"refused, though {seen} frames can be decoded")


# ------------------------------------------------------------------------------- sample by sample


def _compare(case: Case, made: Job, result: Result) -> None:
    assert made.source is not None
    before = list(_decoded(made.source))
    after = list(_decoded(made.target))
    wanted = _rising(before) if made.times is None else [*made.times]
    got = [_time(f) for f in after]
    result.frames, result.of = len(got), len(wanted)
    if len(got) != len(wanted):
        result.wrong.append(f"{len(got)} frames of {len(wanted)}")
        return
    rounding = ROUNDED if made.target.suffix in (".mkv", ".webm") else 0
    if wanted[0] < 0 and rounding:  # Matroska has no time before 0
        wanted = [w - wanted[0] + got[0] for w in wanted]
    late = [float(g - w) for g, w in zip(got, wanted, strict=True) if abs(g - w) > rounding]
    if late:
        result.wrong.append(f"{len(late)} frames not at their time, by {late[:4]} s")
    heard = None if made.target.is_dir() else _first_sound(made.target)
    if not made.target.is_dir() and (heard is None or abs(heard - got[0]) > SOUND_BEGINS):
        result.wrong.append(f"the speech begins at {heard} and the picture at {float(got[0])}")
    told = re.search(r"(\d+) of (\d+) frames re-synced", result.message)
    if told is None or int(told[2]) != len(got):
        result.wrong.append(f"the summary does not count {len(got)} frames")
    lossless = after[0].format.name if after else ""
    if made.scene is None or not case.same or not lossless or "ffv1" not in made.arguments:
        return
    _compare_tags(before[0], after[0], result)
    _compare_samples(made, before, after, result)


def _first_sound(path: Path) -> float | None:
    with av.open(str(path.absolute()), metadata_errors="replace") as container:
        for frame in container.decode(audio=0):
            return float(frame.pts * frame.time_base)
    return None


def _compare_tags(before: Any, after: Any, result: Result) -> None:
    for name in ("colorspace", "color_primaries", "color_trc", "rotation"):
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            result.wrong.append(f"{name} {old} became {new}")
    full = [f.color_range == 2 or f.format.name.startswith("yuvj") for f in (before, after)]
    if full[0] != full[1]:
        result.wrong.append(f"full range {full[0]} became {full[1]}")


def _compare_samples(made: Job, before: list[Any], after: list[Any], result: Result) -> None:
    assert made.scene is not None
    inside, result.compared = 0, True
    for index, (old, new) in enumerate(zip(before, after, strict=True)):
        mask = made.scene.masks[index]
        own, ours = planes_of(old)[1], planes_of(new)[1]
        # FFmpeg's own decoder of VP9 sees no alpha.
        for a, b in zip(own, ours[: len(own)], strict=True):
            if a.shape != b.shape:
                result.wrong.append(f"frame {index}: {old.format.name} became {new.format.name}")
                return
            differs, may = a != b, _reduced(mask, a.shape)
            result.changed += int((differs & ~may).sum())
            inside += int((differs & may).sum())
    if result.changed:
        result.wrong.append(f"{result.changed} samples changed outside the masks")
    told = re.search(r"(\d+) of \d+ frames re-synced", result.message)
    if told is not None and int(told[1]) and not inside:
        result.wrong.append("nothing changed inside the masks")


def _reduced(mask: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """The mask at a plane's resolution: a sample may change where one of its pixels may."""
    rows, columns = (-(-mask.shape[i] // shape[i]) for i in (0, 1))
    padded = np.pad(
        mask,
        ((0, shape[0] * rows - mask.shape[0]), (0, shape[1] * columns - mask.shape[1])),
        "edge",
    )
    whole: np.ndarray = padded.reshape(shape[0], rows, shape[1], columns).any((1, 3))
    return whole


def _time(frame: Any) -> Fraction:
    return Fraction(frame.pts * frame.time_base)


def _rising(frames: list[Any]) -> list[Fraction]:
    """Times of frames, without those that come when later ones were shown: in damaged files."""
    times: list[Fraction] = []
    for frame in frames:
        if not times or _time(frame) > times[-1]:
            times.append(_time(frame))
    return times


def _decoded(path: Path) -> Iterator[Any]:
    """Frames of the first film in a file, by PyAV alone; damaged packets are passed over."""
    name, form = (f"{path}/%03d.png", "image2") if path.is_dir() else (str(path.absolute()), None)
    with av.open(name, format=form, metadata_errors="replace") as container:
        stream = next(s for s in container.streams.video if not s.disposition & 1024)
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.error.FFmpegError:
                yield from stream.decode(None)
                return
            with contextlib.suppress(av.error.FFmpegError):
                yield from packet.decode()
