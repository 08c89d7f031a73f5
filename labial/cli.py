"""The command line: a door that parses, calls one public function, and prints what came of it.

Parsing builds one of the command classes below and does no work, so an error inside the work is
never mistaken for an error of the command line. What is heavy is imported by ``run``.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Annotated, Literal, TypeAlias

import tyro
from tyro.conf import DisallowNone, OmitArgPrefixes, Positional, arg, subcommand

from labial.errors import LabialError, WeightsError
from labial.options import AnimateOptions, DubOptions, VisemeOptions
from labial.progress import Progress

DESCRIPTION = (
    "AI lip sync: make a filmed face speak other words, or a photo speak. "
    "'labial COMMAND --help' explains a command, 'labial --version' prints the version."
)


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


@dataclass(frozen=True)
class Weights:
    """List, fetch or verify the files that Labial keeps in its cache folder."""

    action: Positional[Literal["list", "fetch", "verify"]]
    """list: what there is. fetch: bring it here now, for work without a network later.
    verify: hash what is here."""
    names: Annotated[Positional[tuple[str, ...]], arg(metavar="[NAME...]")] = ()
    """Only these. Default: everything; for fetch, everything but the samples."""

    def run(self) -> None:
        """Do the action on each row and print one line a row."""
        from labial import weights

        rows = [weights.lookup(name) for name in self.names]
        if not rows:
            rows = [*weights.WEIGHTS]
            if self.action != "fetch":
                rows += weights.SAMPLES
        if self.action == "list":
            print(f"cache folder: {weights.folder()}")
            for row in rows:
                print(f"{row.name:16} {row.bytes / 1e6:6.2f} MB  {row.purpose}")
                print(f"{'':16} licence: {row.licence}; {row.source}")
        elif self.action == "fetch":
            for row in rows:
                with Progress() as hook:
                    file = weights.path(row.name, progress=hook)
                print(f"{row.name:16} {file}")
        else:
            states = {row.name: weights.state(row.name) for row in rows}
            for name, state in states.items():
                print(f"{name:16} {state}")
            damaged = [name for name, state in states.items() if state == "damaged"]
            if damaged:
                again = " ".join(damaged)
                raise WeightsError(f"damaged: {again}; run: labial weights fetch {again}")


Command: TypeAlias = (
    Annotated[Dub, subcommand("dub", prefix_name=False)]
    | Annotated[Animate, subcommand("animate", prefix_name=False)]
    | Annotated[Visemes, subcommand("visemes", prefix_name=False)]
    | Annotated[Inspect, subcommand("inspect", prefix_name=False)]
    | Annotated[Demo, subcommand("demo", prefix_name=False)]
    | Annotated[Weights, subcommand("weights", prefix_name=False)]
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Parameters
    ----------
    argv
        Arguments without the program's name; default ``sys.argv[1:]``.

    Returns
    -------
    int
        0 done; 2 the command line or what it names is wrong (one line on stderr); 130 stopped by
        Ctrl-C; 128 and its number by a signal to end. Anything else that goes wrong is a bug and
        raises.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments == ["--version"]:
        print(f"labial {_version()}")
        return 0
    try:
        command: Command = tyro.cli(
            Command,
            prog="labial",
            description=DESCRIPTION,
            args=arguments,
            config=(DisallowNone,),
        )
        with _ended_in_order():
            command.run()
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 2
    except LabialError as error:
        print(f"labial: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("labial: stopped", file=sys.stderr)
        return 130
    return 0


@contextmanager
def _ended_in_order() -> Iterator[None]:
    """Let a signal to end unwind as Ctrl-C does, so that nothing half done is left behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, _: FrameType | None) -> None:
        print("labial: stopped", file=sys.stderr)
        raise SystemExit(128 + number)

    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    # Whoever ignores a signal, as nohup does, has a reason.
    ours = [number for number in numbers if signal.getsignal(number) == signal.SIG_DFL]
    for number in ours:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("labial")
    except PackageNotFoundError:
        return "(not installed)"
