"""Commands that make a video or a file of mouths."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from tyro.conf import OmitArgPrefixes, Positional, arg

from labial.options import AnimateOptions, DubOptions, VisemeOptions
from labial.progress import Progress


@dataclass(frozen=True)
class Dub:
    """Re-sync the mouth in VIDEO to other speech; everything else stays as it is."""

    video: Annotated[Positional[Path], arg(metavar="VIDEO")]
    """Video with a face."""
    audio: Annotated[Path, arg(aliases=("-a",), metavar="SPEECH")]
    """Speech: any audio file, or a video whose sound is used."""
    out: Annotated[Path, arg(aliases=("-o",), metavar="OUT")]
    """File to write; its extension chooses the container."""
    options: Annotated[OmitArgPrefixes[DubOptions], arg(name="dub")] = field(
        default_factory=DubOptions
    )

    def run(self) -> None:
        """Dub, then print the report's summary."""
        from labial.dubbing import dub

        with Progress() as hook:
            report = dub(self.video, self.audio, self.out, self.options, hook=hook)
        print(report.summary())


@dataclass(frozen=True)
class Animate:
    """Let the face in PHOTO speak: its mouth, blinks, glances and small movements of the head."""

    photo: Annotated[Positional[Path], arg(metavar="PHOTO")]
    """Photo, painting or drawing of a face."""
    audio: Annotated[Path, arg(aliases=("-a",), metavar="SPEECH")]
    """Speech: any audio file, or a video whose sound is used."""
    out: Annotated[Path, arg(aliases=("-o",), metavar="OUT")]
    """Video to write; its extension chooses the container."""
    options: Annotated[OmitArgPrefixes[AnimateOptions], arg(name="animate")] = field(
        default_factory=AnimateOptions
    )

    def run(self) -> None:
        """Animate, then print the report's summary."""
        from labial.animating import animate

        with Progress() as hook:
            report = animate(self.photo, self.audio, self.out, self.options, hook=hook)
        print(report.summary())


@dataclass(frozen=True)
class Visemes:
    """Write phones, visemes or face curves of SPEECH, for games, avatars and animation."""

    speech: Annotated[Positional[Path], arg(metavar="SPEECH")]
    """Speech: any audio file, or a video whose sound is used."""
    out: Annotated[Path, arg(aliases=("-o",), metavar="FILE")]
    """File to write; its extension chooses the format. "-" is standard output."""
    options: Annotated[OmitArgPrefixes[VisemeOptions], arg(name="visemes")] = field(
        default_factory=VisemeOptions
    )

    def run(self) -> None:
        """Write the visemes, then print where they are."""
        from labial.transcribe import visemes

        with Progress() as hook:
            visemes(self.speech, self.out, self.options, hook=hook)
        if str(self.out) != "-":
            print(self.out)


@dataclass(frozen=True)
class Demo:
    """Fetch a sample clip and sample speech, dub one with the other, and show the result."""

    out: Annotated[Path, arg(aliases=("-o",), metavar="FOLDER")] = Path("labial-demo")
    """Folder to write to."""

    def run(self) -> None:
        """Run the demo, then print the files it wrote."""
        from labial.demo import demo

        with Progress() as hook:
            result = demo(self.out, hook=hook)
        print(result.video)
        print(result.sheet)
