"""Commands that make a video or a file of mouths."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from tyro.conf import OmitArgPrefixes, Positional, UseAppendAction, arg

from labial.errors import OptionError
from labial.options import AnimateOptions, DubOptions, VisemeOptions
from labial.progress import Progress

LANGUAGE = re.compile(r"([A-Za-z]{2,3}(?:-[A-Za-z0-9]+)*)=(.+)")


@dataclass(frozen=True)
class Dub:
    """Re-sync the mouth in VIDEO to other speech; everything else stays as it is."""

    video: Annotated[Positional[Path], arg(metavar="VIDEO")]
    """Video with a face."""
    out: Annotated[Path, arg(aliases=("-o",), metavar="OUT")]
    """File to write; its extension chooses the container. {lang} in the name becomes the
    language."""
    audio: UseAppendAction[
        Annotated[tuple[str, ...], arg(aliases=("-a",), metavar="SPEECH|LANG=SPEECH")]
    ] = ()
    """Speech: any audio file, a video whose sound is used, or a script (.srt, .vtt, .txt) that a
    voice speaks. Given several times as LANG=SPEECH,
    one output for each language, such as --audio es=es.wav --audio fr=fr.wav -o out/{lang}.mp4."""
    options: Annotated[OmitArgPrefixes[DubOptions], arg(name="dub")] = field(
        default_factory=DubOptions
    )

    def run(self) -> None:
        """Dub, then print the report's summary."""
        speeches = by_language(self.audio)
        with Progress() as hook:
            if speeches:
                from labial.dubbing import dub_each

                reports = dub_each(self.video, speeches, self.out, self.options, hook=hook)
                done = list(reports.values())
            else:
                from labial.dubbing import dub

                audio = Path(self.audio[0]) if self.audio else None
                done = [dub(self.video, audio, self.out, self.options, hook=hook)]
        for report in done:
            print(report.summary())


def by_language(audio: Sequence[str]) -> dict[str, Path]:
    """Return the speeches by language; empty where one is given without a language.

    Raises
    ------
    OptionError
        Several are given, and not each with a language of its own.
    """
    parted = [LANGUAGE.fullmatch(one) for one in audio]
    # A file may have such a name.
    if len(audio) < 2 and not (audio and parted[0] and not Path(audio[0]).exists()):
        return {}
    found = {match[1]: Path(match[2]) for match in parted if match}
    if len(found) < len(audio):
        raise OptionError(
            "--audio: for several languages give each once, as --audio es=es.wav --audio fr=fr.wav"
        )
    return found


@dataclass(frozen=True)
class Animate:
    """Let the face in PHOTO speak: its mouth, blinks, glances and small movements of the head."""

    photo: Annotated[Positional[Path], arg(metavar="PHOTO")]
    """Photo, painting or drawing of a face."""
    out: Annotated[Path, arg(aliases=("-o",), metavar="OUT")]
    """Video to write; its extension chooses the container."""
    audio: Annotated[Path | None, arg(aliases=("-a",), metavar="SPEECH")] = None
    """Speech: any audio file, a video whose sound is used, or a script (.srt, .vtt, .txt)."""
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
