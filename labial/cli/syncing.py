"""Commands about sound that is late or early."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from tyro.conf import OmitArgPrefixes, Positional, arg

from labial.options import CheckOptions, FixOptions
from labial.progress import Progress


@dataclass(frozen=True)
class Check:
    """Tell by how much the sound of VIDEO is late or early against the mouths that are seen."""

    video: Annotated[Positional[Path], arg(metavar="VIDEO")]
    """Video in which people are seen speaking."""
    out: Annotated[Path | None, arg(aliases=("-o",), metavar="FILE")] = None
    """File to write: .json for the numbers, .png for a picture of the offset over time."""
    options: Annotated[OmitArgPrefixes[CheckOptions], arg(name="check")] = field(
        default_factory=CheckOptions
    )

    def run(self) -> None:
        """Check, then print what was found."""
        from labial.checking.check import check

        with Progress() as hook:
            report = check(self.video, self.options, out=self.out, hook=hook)
        print(report.summary())


@dataclass(frozen=True)
class Fix:
    """Bring sound and mouths of VIDEO together: move the sound, or re-sync the mouth."""

    video: Annotated[Positional[Path], arg(metavar="VIDEO")]
    """Video in which people are seen speaking."""
    out: Annotated[Path, arg(aliases=("-o",), metavar="OUT")]
    """File to write; its extension chooses the container."""
    options: Annotated[OmitArgPrefixes[FixOptions], arg(name="fix")] = field(
        default_factory=FixOptions
    )

    def run(self) -> None:
        """Repair, then print what was done, and what was found before and after."""
        from labial.fixing import fix

        with Progress() as hook:
            report = fix(self.video, self.out, self.options, hook=hook)
        print(report.summary())
