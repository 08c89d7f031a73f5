"""The command that does all jobs of a list."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import OmitArgPrefixes, Positional, arg

from labial.errors import OptionError
from labial.options import BatchOptions

if TYPE_CHECKING:
    from labial.batch import Item, Outcome

_REPORTS = (".json", ".csv")


@dataclass(frozen=True)
class Batch:
    """Do all jobs of a list: dubs, photos, checks, repairs, visemes. Given again, it goes on."""

    manifest: Annotated[Positional[Path], arg(metavar="MANIFEST")]
    """A table (.csv, .tsv) or lines of JSON (.jsonl), one job a row. Columns: kind (default dub),
    the files it takes (video, audio, audio.es, photo, segments, boxes, media), out, container,
    report, text, and every other option by its name, such as quality. Files are relative to
    MANIFEST."""
    out: Annotated[Path | None, arg(aliases=("-o",), metavar="FOLDER")] = None
    """Folder for what is made; "out" of a row is a name in it. Default: beside MANIFEST, with its
    name."""
    report: Annotated[Path | None, arg(metavar="FILE")] = None
    """Also write what came of each job to this file, .json or .csv."""
    options: Annotated[OmitArgPrefixes[BatchOptions], arg(name="batch")] = field(
        default_factory=BatchOptions
    )

    def __post_init__(self) -> None:
        if self.report is not None and self.report.suffix.lower() not in _REPORTS:
            raise OptionError(f"--report {self.report}: use a name that ends in .json or .csv")

    def run(self) -> None:
        """Check the list, do its jobs, then print what came of them; 1 is the code of a failure."""
        from labial.batch import read_manifest, run_batch, write_outcomes
        from labial.cli.batch_progress import BatchProgress
        from labial.cluster import runner_of
        from labial.exports.formats import check_target

        items = read_manifest(self.manifest, self.out)
        if self.report is not None:
            check_target(self.report, [self.manifest])
        with runner_of(self.options.engine, self.options.address) as runner:
            progress = BatchProgress(len(items))
            try:
                with progress:
                    run_batch(items, self.options, progress, runner)
            finally:
                # Of what was stopped too.
                outcomes = _all(items, progress.outcomes)
                show_table(outcomes)
                if self.report is not None:
                    write_outcomes(outcomes, self.report)
        if any(one.state == "failed" for one in outcomes):
            raise SystemExit(1)


def _all(items: Sequence[Item], outcomes: Sequence[Outcome]) -> list[Outcome]:
    """What came of all jobs; those of which nothing was heard were stopped before they began."""
    from labial.batch import Outcome

    heard = {one.line: one for one in outcomes}
    return [
        heard.get(item.line) or Outcome(item.line, item.name, item.job.kind, "stopped")
        for item in items
    ]


def show_table(outcomes: Sequence[Outcome]) -> None:
    """Print the summary table, drawn where there is a terminal."""
    from labial.batch import told

    if not sys.stdout.isatty():
        print(told(outcomes))
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from labial.batch.outcome import counted, titles

    colours = {"done": "green", "kept": "cyan", "failed": "red", "stopped": "yellow"}
    table = Table(box=box.SIMPLE_HEAD)
    for k, title in enumerate(titles()):
        right = 2 <= k <= 4
        table.add_column(title, justify="right" if right else "left", no_wrap=right)
    for one in outcomes:
        table.add_row(
            *(Text(cell, colours[one.state] * (k == 1)) for k, cell in enumerate(one.row()))
        )
    console = Console()
    console.print(table)
    console.print(Text(counted(outcomes)))
