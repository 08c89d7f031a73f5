"""The command that judges finished dubs, of any system."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from tyro.conf import OmitArgPrefixes, arg

from labial.errors import OptionError
from labial.options import EvalOptions
from labial.progress import Progress


@dataclass(frozen=True)
class Eval:
    """Measure how good finished dubs are, of Labial or of any other system."""

    out: Annotated[Path, arg(aliases=("-o",), metavar="OUT")]
    """The video to judge, or a folder of them."""
    ref: Annotated[Path | None, arg(metavar="REAL")] = None
    """The real video of the same words, or a folder of them: files belong together by their names
    without the extension."""
    source: Annotated[Path | None, arg(metavar="VIDEO")] = None
    """The video that was dubbed, whatever it says, or a folder of them. Default: that of --ref."""
    baseline: Annotated[Path | None, arg(metavar="OTHER")] = None
    """Another system's dub, or a folder of them, to compare with."""
    json: Annotated[Path | None, arg(metavar="FILE")] = None
    """Also write all numbers, their means and spreads to this file."""
    csv: Annotated[Path | None, arg(metavar="FILE")] = None
    """Also write a table to this file, a row a video."""
    report: Annotated[Path | None, arg(metavar="PAGE")] = None
    """Of one video with --ref or --source, also write a page: a name that ends in .html, or a
    folder."""
    options: Annotated[OmitArgPrefixes[EvalOptions], arg(name="eval")] = field(
        default_factory=EvalOptions
    )

    def __post_init__(self) -> None:
        for name, value in (("json", self.json), ("csv", self.csv)):
            if value is not None and value.suffix.lower() != f".{name}":
                raise OptionError(f"--{name} {value}: use a name that ends in .{name}")
        if self.report is not None and (self.out.is_dir() or not (self.ref or self.source)):
            raise OptionError(f"--report {self.report}: judge one video, with --ref or --source")

    def run(self) -> None:
        """Judge, write what is asked for, then print the numbers."""
        from labial.evaluating import evaluate_folder, told, write_csv, write_json
        from labial.exports.formats import check_target
        from labial.report import report_files, write_report

        for target in (self.json, self.csv):
            if target is not None:
                check_target(target)
        if self.report is not None:
            report_files(self.report, [self.json] if self.json is not None else [])
        with Progress() as hook:
            found = evaluate_folder(
                self.out, self.ref, self.source, self.baseline, self.options, hook=hook
            )
            (one, *_) = found.evaluations.values()
            original = one.source or one.ref
            if self.report is not None and original is not None:
                write_report(
                    original, one.out, self.report, hook=hook, ref=one.ref, options=self.options
                )
        if self.json is not None:
            write_json(found, self.json)
        if self.csv is not None:
            write_csv(found, self.csv)
        print(told(found))
