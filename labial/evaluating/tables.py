"""Judgements as text, as JSON and as a table of comma-separated values."""

from __future__ import annotations

import csv
import io
import json
import os
from dataclasses import asdict
from typing import Any

from labial.evaluating.folders import Judgement, Means
from labial.evaluating.scores import MEASURES, Measure
from labial.exports import formats


def told(judgement: Judgement) -> str:
    """Return what a person wants to read: all numbers of one video, or the means of several."""
    lines: list[str] = []
    if len(judgement.evaluations) == 1 and not judgement.baseline:
        lines.append(next(iter(judgement.evaluations.values())).summary())
    else:
        lines += _table(judgement)
    if judgement.problems:
        lines.append(f"{len(judgement.problems)} not judged:")
        lines += [f"  {problem}" for problem in judgement.problems]
    return "\n".join(lines)


def _table(judgement: Judgement) -> list[str]:
    ours, real = judgement.means(), judgement.real_means()
    theirs, against = judgement.baseline_means(), judgement.comparisons()
    head = ["", f"mean of {len(judgement.evaluations)}", "spread", "videos"]
    if real:
        head.append("real")
    if theirs:
        head += [f"baseline, {len(judgement.baseline)}", "difference", "better", "worse"]
    rows = [head]
    for measure in MEASURES:
        name = measure.name
        if name not in ours and name not in theirs:
            continue
        row = [f"{measure.title}, {measure.unit}" if measure.unit else measure.title]
        mine = ours.get(name)
        row += [_mean(measure, mine), "-" if mine is None else _plain(measure, mine.spread)]
        row.append("-" if mine is None else f"{mine.count}")
        if real:
            row.append(_mean(measure, real.get(name)))
        if theirs:
            row.append(_mean(measure, theirs.get(name)))
            apart = against.get(name)
            if apart is None:
                row += ["-", "-", "-"]
            else:
                difference = f"{apart.difference:+.{measure.digits}f}"
                row += [difference, f"{apart.better}", f"{apart.worse}"]
        rows.append(row)
    widths = [max(len(row[k]) for row in rows) for k in range(len(head))]
    return [
        "  ".join(
            cell.ljust(width) if k == 0 else cell.rjust(width)
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _mean(measure: Measure, means: Means | None) -> str:
    return "-" if means is None else measure.text(means.mean)


def _plain(measure: Measure, value: float) -> str:
    return f"{value:.{measure.digits}f}"


def facts(judgement: Judgement) -> dict[str, Any]:
    """Return everything for a JSON file."""
    return {
        "measures": [
            {"name": m.name, "title": m.title, "unit": m.unit, "best": m.aim} for m in MEASURES
        ],
        "videos": {name: each.facts() for name, each in judgement.evaluations.items()},
        "baseline": {name: each.facts() for name, each in judgement.baseline.items()},
        "means": {name: asdict(each) for name, each in judgement.means().items()},
        "real_means": {name: asdict(each) for name, each in judgement.real_means().items()},
        "baseline_means": {name: asdict(each) for name, each in judgement.baseline_means().items()},
        "comparison": {name: asdict(each) for name, each in judgement.comparisons().items()},
        "problems": list(judgement.problems),
    }


def write_json(judgement: Judgement, out: str | os.PathLike[str]) -> None:
    """Write :func:`facts`, whole or not at all; raise WriteError where that fails."""
    formats.write([json.dumps(facts(judgement), indent=1, ensure_ascii=False), "\n"], out)


def write_csv(judgement: Judgement, out: str | os.PathLike[str]) -> None:
    """Write a row a video, of the other system's and the real ones too; raise WriteError."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    names = [measure.name for measure in MEASURES]
    table.writerow(["name", "set", "file", "frames", "seconds", *names])
    for kind, found in (("out", judgement.evaluations), ("baseline", judgement.baseline)):
        for name, each in found.items():
            cells = _cells(each.scores.facts())
            table.writerow([name, kind, each.out, each.frames, f"{each.seconds:.3f}", *cells])
    for name, each in judgement.evaluations.items():
        if each.real is not None:
            file = each.ref if each.ref is not None else each.source
            table.writerow([name, "real", file, "", "", *_cells(each.real.facts())])
    formats.write([text.getvalue()], out)


def _cells(values: dict[str, float | None]) -> list[str]:
    return ["" if values[m.name] is None else f"{values[m.name]}" for m in MEASURES]
