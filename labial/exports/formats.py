"""Which formats there are, which one a file's name asks for, and how a file is written."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from labial.errors import OptionError, WriteError
from labial.exports.arkit import live_link_face
from labial.exports.documents import document, mpeg4_csv, mpeg4_json, oculus_csv, textgrid
from labial.exports.flipbook import moho, rhubarb_json, rhubarb_tsv, rhubarb_xml
from labial.exports.transcript import Transcript
from labial.media.place import check_file

STDOUT = "-"


@dataclass(frozen=True)
class Format:
    """One format.

    Parameters
    ----------
    name
        As ``--format`` takes it.
    lines
        ``lines(transcript, viseme_set, fps)`` yields the file's text.
    fps
        Frames a second when the user asks for none; 0 where there are no frames.
    sets
        Viseme sets that can be chosen, the default first; empty where the format fixes them.
    extension
        The extension that asks for it, with its dot, in lower case; "" when only its name does.
    """

    name: str
    lines: Callable[[Transcript, str, float], Iterator[str]]
    fps: float = 0
    sets: tuple[str, ...] = ()
    extension: str = ""


_ALL = ("oculus", "mpeg4", "preston-blair", "rhubarb", "azure")
FORMATS: tuple[Format, ...] = (
    Format("json", lambda t, s, f: document(t, s), sets=_ALL, extension=".json"),
    Format("textgrid", lambda t, s, f: textgrid(t, s), sets=_ALL, extension=".textgrid"),
    Format("rhubarb-tsv", lambda t, s, f: rhubarb_tsv(t), extension=".tsv"),
    Format("rhubarb-json", lambda t, s, f: rhubarb_json(t)),
    Format("rhubarb-xml", lambda t, s, f: rhubarb_xml(t), extension=".xml"),
    Format("arkit", lambda t, s, f: live_link_face(t, f), fps=60, extension=".csv"),
    Format("oculus", lambda t, s, f: oculus_csv(t, f), fps=60),
    Format("mpeg4", lambda t, s, f: mpeg4_csv(t)),
    Format("mpeg4-json", lambda t, s, f: mpeg4_json(t)),
    Format(
        "moho",
        lambda t, s, f: moho(t, f, s),
        fps=24,
        sets=("preston-blair", "rhubarb"),
        extension=".dat",
    ),
)


def format_of(out: str | os.PathLike[str], name: str | None = None) -> Format:
    """Return the format of that name or, without a name, the one ``out``'s extension asks for.

    Raises
    ------
    OptionError
        If there is no such format.
    """
    if name is not None:
        for row in FORMATS:
            if row.name == name:
                return row
        raise OptionError(f"--format {name}: use {', '.join(row.name for row in FORMATS)}")
    if os.fspath(out) == STDOUT:
        return FORMATS[0]
    suffix = Path(out).suffix.lower()
    for row in FORMATS:
        if suffix and row.extension == suffix:
            return row
    known = ", ".join(row.extension for row in FORMATS if row.extension)
    raise OptionError(f"cannot tell the format of {out}: name it {known}, or give --format")


def settings_of(
    form: Format, viseme_set: str | None = None, fps: float | None = None
) -> tuple[str, float]:
    """Return the viseme set and the frames a second for ``form``: those asked for or its defaults.

    Raises
    ------
    OptionError
        If the format has no frames, or no choice of visemes, and one was asked for.
    """
    if fps is not None and not form.fps:
        raise OptionError(f"--fps {fps:g}: {form.name} has no frames, leave it out")
    if fps is not None and not 1 <= fps <= 1000:
        raise OptionError(f"--fps {fps:g}: use 1 to 1000")
    if viseme_set is not None and viseme_set not in form.sets:
        choice = f"use {', '.join(form.sets)}" if form.sets else "leave it out"
        raise OptionError(f"--viseme-set {viseme_set}: {form.name} cannot show it, {choice}")
    return viseme_set or (form.sets[0] if form.sets else ""), fps or form.fps


def check_target(
    out: str | os.PathLike[str], inputs: Iterable[str | os.PathLike[str]] = ()
) -> None:
    """Refuse a target that cannot be written, or that is one of ``inputs``.

    Raises
    ------
    WriteError
        With one line that says why.
    """
    if os.fspath(out) == STDOUT:
        return
    check_file(Path(out), [(other, "an input") for other in inputs])


def write(lines: Iterable[str], out: str | os.PathLike[str]) -> None:
    """Write text as UTF-8 to ``out``, whole or not at all; ``"-"`` is standard output.

    Raises
    ------
    WriteError
        If it cannot be written.
    """
    if os.fspath(out) == STDOUT:
        try:
            for line in lines:
                sys.stdout.buffer.write(line.encode("utf-8", "replace"))
            sys.stdout.buffer.flush()
        except OSError as error:
            raise WriteError(f"cannot write to standard output: {error.strerror}") from error
        return
    target = Path(out)
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        with partial.open("w", encoding="utf-8", errors="replace", newline="") as file:
            file.writelines(lines)
        partial.replace(target)
    except OSError as error:
        raise WriteError(f"cannot write {target}: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)
