"""The page of a dub: what the numbers say, before and after, and the moments to look at."""

from __future__ import annotations

import html
import json
import os
from collections.abc import Iterable
from dataclasses import asdict
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from labial.clip import Clip, look
from labial.errors import WriteError
from labial.evaluating import MEASURES, Evaluation
from labial.evaluating.judge import Judge
from labial.evaluating.spoken import Spoken, listen, offsets_over_time
from labial.exports import formats
from labial.media.place import check_file
from labial.media.sequence import find_sequence
from labial.media.spool import enough_room
from labial.metrics.drift import Window
from labial.metrics.syncnet import SyncNet
from labial.options import EvalOptions
from labial.page import embedded, shown, table, write_document
from labial.report.curves import offset_curve, opening_curve
from labial.report.moments import Moment, Worst, choose, pictures, spoken_moments
from labial.report.words import Verdict, verdicts
from labial.sheet import Image
from labial.tally import DubReport
from labial.types import Hook

NAME = "report.html"
_STRETCHES = 40


def report_files(
    path: str | os.PathLike[str], inputs: Iterable[str | os.PathLike[str]] = ()
) -> tuple[Path, Path]:
    """Return the page and the JSON file that a report at ``path`` has, without touching the disk.

    Parameters
    ----------
    path
        A name that ends in .html, or a folder, which is made where it is missing.
    inputs
        Files that must not be overwritten, and such as are still to be made.

    Raises
    ------
    WriteError
        It cannot be written there, or one of both is one of ``inputs``.
    """
    target = Path(path)
    if target.suffix.lower() in (".html", ".htm"):
        page = target
    elif target.exists() and not target.is_dir():
        raise WriteError(f"cannot write {target}: name a folder, or a file that ends in .html")
    elif target.is_dir():
        page = target / NAME
    else:
        check_file(target)
        if target.absolute() in (Path(other).absolute() for other in inputs):
            raise WriteError(f"cannot write {target}: name a folder, or a file that ends in .html")
        return target / NAME, (target / NAME).with_suffix(".json")
    taken = [(other, "an input") for other in inputs]
    for file in (page, page.with_suffix(".json")):
        check_file(file, taken)
    return page, page.with_suffix(".json")


@enough_room()
def write_report(
    source: str | os.PathLike[str],
    out: str | os.PathLike[str],
    path: str | os.PathLike[str],
    dub_report: DubReport | None = None,
    hook: Hook | None = None,
    ref: str | os.PathLike[str] | None = None,
    options: EvalOptions | None = None,
) -> Path:
    """Judge a dub and write a page about it, and the numbers beside it as JSON.

    Parameters
    ----------
    source, out
        The video that was dubbed, and the dub. The page refers to both where they lie.
    path
        The page, a name that ends in .html; or a folder, which gets ``report.html`` and
        ``report.json``.
    dub_report
        What the dub said it did, if it was one of Labial's.
    hook
        Called as ``hook(stage, done, total)`` after each step.
    ref
        The real video of the same words, whose mouth is the right one; it may be the source.
    options
        How to judge; see :class:`labial.options.EvalOptions`.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    ReadError
        One of the videos cannot be read.
    WriteError
        The page cannot be written.
    """
    page, numbers = report_files(path)
    tell = hook or (lambda stage, done, total: None)
    worst = Worst()
    options = options or EvalOptions()
    network = SyncNet(options.syncnet) if options.syncnet is not None else None
    # A judge takes the real video for the source where none is named.
    other = None if ref is not None and Path(ref) == Path(source) else source
    found = Judge(network, options.identity)(out, ref, other, tell, worst)
    clip, filmed = look(out, tell), look(source, tell)
    spoken = listen(clip)
    offsets = offsets_over_time(clip)
    moments = worst.moments(clip) + ([] if spoken is None else spoken_moments(clip, spoken))
    chosen = choose(moments)
    drawn = pictures(clip, filmed, chosen, tell)
    try:
        page.parent.mkdir(exist_ok=True)
    except OSError as error:
        raise WriteError(f"cannot make the folder {page.parent}: {error.strerror}") from error
    said = verdicts(found)
    facts = _facts(found, said, chosen, offsets, dub_report)
    formats.write([json.dumps(facts, indent=1, ensure_ascii=False), "\n"], numbers)
    parts = [
        f"<h1>{shown(Path(out).name)}</h1>",
        f'<p class="faint">{_length(clip)}; made of {shown(Path(source).name)}</p>',
        '<ul class="verdicts">'
        + "".join(f'<li class="{each.mark}">{html.escape(each.words)}</li>' for each in said)
        + "</ul>",
        _player(page, Path(source), Path(out), clip),
        _moments(chosen, drawn),
        _curves(clip, spoken, chosen, offsets),
        _passed(clip, dub_report),
        _numbers(found, said),
        f"<script type=module>\n{_asset('player.js')}</script>",
    ]
    write_document(page, shown(Path(out).name), "\n".join(parts), _asset("report.css"))
    return page


def _asset(name: str) -> str:
    return (resources.files("labial.report") / name).read_text(encoding="utf-8")


def _length(clip: Clip) -> str:
    info = clip.media.video
    assert info is not None
    return (
        f"{info.width} × {info.height}, {float(info.rate):.2f} frames a second, "
        f"{clip.seconds:.1f} s"
    )


def address(page: Path, file: Path) -> str:
    """Return what a page has to call a file: relative to itself, or whole on another disk."""
    try:
        relative = os.path.relpath(file.absolute(), page.absolute().parent)
    except ValueError:
        return file.absolute().as_uri()
    return quote(Path(relative).as_posix())


def _player(page: Path, source: Path, out: Path, clip: Clip) -> str:
    if any(find_sequence(file) is not None for file in (source, out)):
        return '<h2>Before and after</h2><p class="faint">Numbered pictures cannot be played.</p>'
    assert clip.media.video is not None
    rate = float(clip.media.video.rate)
    return (
        "<h2>Before and after</h2>\n"
        f'<div class="player" data-rate="{rate:.6f}"><div class="stage" style="--wipe:50%">'
        f'<video class="output" preload="auto" playsinline src="{address(page, out)}"></video>'
        f'<video class="source" preload="auto" playsinline muted src="{address(page, source)}">'
        '</video><span class="edge"></span><b>source</b><b>output</b></div>'
        '<input class="wipe" type="range" min="0" max="100" step=".1" value="50" '
        'aria-label="how much of the source is shown">'
        '<div class="bar"><button class="play">Play</button>'
        '<button class="back" title="a frame back">&lsaquo;</button>'
        '<button class="on" title="a frame on">&rsaquo;</button>'
        '<select class="speed" aria-label="speed"><option value="1">1 ×</option>'
        '<option value=".5">½ ×</option><option value=".25">¼ ×</option></select>'
        '<select class="sound" aria-label="sound"><option value="output">sound of the output'
        '</option><option value="source">sound of the source</option></select><output></output>'
        '</div><input class="seek" type="range" min="0" max="1" step=".0005" value="0" '
        'aria-label="time"><p class="broken"></p></div>'
    )


def _moments(chosen: list[Moment], drawn: dict[int, Image]) -> str:
    if not chosen:
        return "<h2>Moments to look at</h2><p>None stands out.</p>"
    figures = []
    for moment in chosen:
        picture = drawn.get(moment.frame)
        image = (
            f'<img alt="source and output at {moment.seconds:.2f} s" '
            f'src="{embedded(picture, ".jpg")}">'
            if picture is not None
            else ""
        )
        figures.append(
            f"<figure>{image}<figcaption>"
            f'<button data-time="{moment.seconds:.3f}">{moment.seconds:.2f} s</button> '
            f"{html.escape(moment.words)}</figcaption></figure>"
        )
    return (
        '<h2>Moments to look at</h2><p class="faint">Source left, output right. The most '
        "suspicious ones by the numbers; most may well be fine.</p>\n"
        f'<div class="moments">{"".join(figures)}</div>'
    )


def _curves(clip: Clip, spoken: Spoken | None, chosen: list[Moment], offsets: list[Window]) -> str:
    if spoken is None:
        return "<h2>Over time</h2><p>There is no sound to hold the mouth against.</p>"
    parts = [
        "<h2>The mouth over time</h2>",
        '<p class="key faint"><i style="background:#1c62ba"></i>opening that is seen'
        '<i style="background:#e28e2c"></i>what the speech asks of an average speaker'
        '<i style="background:#ececea;height:.8rem"></i>nobody speaks</p>',
        opening_curve(clip, spoken, chosen),
    ]
    if offsets:
        parts += [
            "<h2>The offset over time</h2>",
            '<p class="faint">Milliseconds by which the sound comes after the mouth, in windows '
            "of 4 s; faint where that is not sure. Green is what most people do not notice.</p>",
            offset_curve(clip, offsets),
        ]
    return "\n".join(parts)


def _passed(clip: Clip, report: DubReport | None) -> str:
    """What was left as it was, and why: as the dub counted it, and where it can be seen."""
    parts = ["<h2>Left as it was</h2>"]
    if report is not None:
        line = f"{report.resynced} of {report.frames} frames were re-synced"
        if report.passed:
            counts = ", ".join(f"{why} {n}" for why, n in sorted(report.passed.items()))
            line += f"; left as they were: {counts}"
        more = report.summary().split("\n")[1:]
        parts += [f"<p>{html.escape(line)}.</p>"]
        parts += [f'<p class="faint">{html.escape(text)}</p>' for text in more]
    rows = stretches_of(clip)
    if not rows:
        parts.append("<p>Every frame shows a mouth that can be judged.</p>")
    else:
        cells = [
            (f'<button data-time="{a:.3f}">{a:.2f} s</button>', f"{b:.2f} s", html.escape(why))
            for a, b, why in rows[:_STRETCHES]
        ]
        parts.append(table(("from", "to", "no mouth to judge"), cells))
        if len(rows) > _STRETCHES:
            parts.append(f'<p class="faint">and {len(rows) - _STRETCHES} more</p>')
    return "\n".join(parts)


def stretches_of(clip: Clip) -> list[tuple[float, float, str]]:
    """Return from when to when, in seconds, no mouth can be judged, and why."""
    why = np.where(clip.quality > 0, "", clip.reasons).astype(object)
    edges = [0, *(np.flatnonzero(why[1:] != why[:-1]) + 1).tolist(), len(why)]
    ends = [*clip.times.tolist(), clip.seconds]
    return [(ends[a], ends[b], str(why[a])) for a, b in pairwise(edges) if a < b and why[a]]


def _numbers(found: Evaluation, said: list[Verdict]) -> str:
    marks = {verdict.name: verdict.mark for verdict in said}
    rows, classes = [], []
    for measure in MEASURES:
        value = found.scores[measure.name]
        if value is None:
            continue
        real = None if found.real is None else found.real[measure.name]
        rows.append(
            (
                f"<code>{measure.name}</code>",
                measure.text(value),
                "" if real is None else measure.text(real),
                html.escape(measure.unit),
                html.escape(measure.title),
            )
        )
        mark = marks.get(measure.name, "good")
        classes.append("" if mark == "good" else mark)
    head = ("", "output", "source", "unit", "what it is")
    notes = "".join(f"<li>{html.escape(note)}</li>" for note in found.notes)
    return f"<h2>All numbers</h2>\n{table(head, rows, classes)}" + (
        f"\n<p>Not measured:</p><ul>{notes}</ul>" if notes else ""
    )


def _facts(
    found: Evaluation,
    said: list[Verdict],
    chosen: list[Moment],
    offsets: list[Window],
    report: DubReport | None,
) -> dict[str, Any]:
    """Everything that the page tells, for a JSON file."""
    return {
        "evaluation": found.facts(),
        "verdicts": [asdict(each) for each in said],
        "moments": [
            {"frame": each.frame, "seconds": round(each.seconds, 3), "words": each.words}
            for each in chosen
        ],
        "offsets": [
            {
                "begin": round(each.begin, 2),
                "end": round(each.end, 2),
                "ms": round(1000 * each.seconds, 1),
                "confidence": round(each.confidence, 3),
            }
            for each in offsets
        ],
        "dub": None if report is None else {**asdict(report), "out": str(report.out)},
    }
