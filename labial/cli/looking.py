"""Commands that look at a clip and change nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from labial.progress import Progress


@dataclass(frozen=True)
class Inspect:
    """Show what Labial sees in CLIP: who is in it, who speaks when, and where it cannot work."""

    video: Annotated[Positional[Path], arg(metavar="CLIP")]
    """Video with a face."""
    out: Annotated[Path | None, arg(aliases=("-o",), metavar="FILE")] = None
    """File to write: .png for a picture, .html for a page with the people and the numbers of each
    face, .json for boxes of the people. Default: CLIP's name with ".inspect.png", in the current
    folder."""

    def run(self) -> None:
        """Write the picture of the analysis, then print where it is."""
        from labial.inspect_clip import inspect_clip

        out = self.out if self.out is not None else Path(f"{self.video.stem}.inspect.png")
        with Progress() as hook:
            written = inspect_clip(self.video, out, hook=hook)
        print(written)


@dataclass(frozen=True)
class Preflight:
    """Say what will work well and what will not, and what to do, before anything is dubbed."""

    files: Annotated[Positional[tuple[Path, ...]], arg(metavar="FILE")]
    """Videos and photos with a face, and speech: any number of them."""
    out: Annotated[Path | None, arg(aliases=("-o",), metavar="FILE.json")] = None
    """File to write everything to, as JSON."""

    def run(self) -> None:
        """Look at all files, then print what was found."""
        from labial.preflight import preflight

        with Progress() as hook:
            reports = preflight(self.files, self.out, hook=hook)
        for report in reports:
            print(report.summary())
