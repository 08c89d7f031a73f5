"""The command that says what a dub would do, and does not do it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from tyro.conf import OmitArgPrefixes, Positional, arg

from labial.errors import OptionError
from labial.options import DubOptions
from labial.progress import Progress


@dataclass(frozen=True)
class Plan:
    """Check what is to be dubbed, and say what a dub would do: who, when, with which sound.

    Everything that is wrong with the segments, the speech and the video is told at once.
    """

    video: Annotated[Positional[Path], arg(metavar="VIDEO")]
    """Video with a face."""
    audio: Annotated[Path | None, arg(aliases=("-a",), metavar="SPEECH")] = None
    """Speech for all segments that name none, each at its own times; without --segments, for the
    whole video."""
    look: bool | None = None
    """Look at the video for who is in it. Default: when a segment names a speaker."""
    out: Annotated[Path | None, arg(aliases=("-o",), metavar="PLAN")] = None
    """Also write the plan as JSON, which can be edited and used as segments. "-" writes only
    that."""
    options: Annotated[OmitArgPrefixes[DubOptions], arg(name="dub")] = field(
        default_factory=DubOptions
    )

    def run(self) -> None:
        """Print the plan, and write it."""
        from labial import planning
        from labial.script.segments import parse_cast

        plan: planning.Plan | planning.WholePlan
        segments = self.options.segments
        if self.options.srt is not None or self.options.text is not None:
            raise OptionError(
                "a script cannot be planned as a whole: give cues as --segments FILE.srt, or a "
                "text in a file of segments"
            )
        if segments is not None:
            with Progress() as hook:
                plan = planning.plan_file(
                    self.video, segments, self.audio, self.options,
                    cast=parse_cast(self.options.cast), look=self.look, hook=hook,
                )  # fmt: skip
        elif self.audio is not None:
            plan = planning.plan_whole(self.video, self.audio, self.options)
        else:
            raise OptionError("nothing to plan: give --segments FILE, or --audio SPEECH, or both")
        if self.out is not None:
            named = self.video, None if segments is None else Path(segments), self.audio
            inputs = [path for path in named if path is not None]
            planning.write_plan(plan, self.out, inputs)
        if str(self.out) != "-":
            print(plan.summary())
