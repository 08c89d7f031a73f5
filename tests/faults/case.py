"""One fault: what is done to Labial, and what it has to make of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from faults.clips import Scene, face, film, voice
from faults.machine import plainly

LOSSLESS = ("--codec", "ffv1")


@dataclass(frozen=True)
class Job:
    """What a case made in its folder, and what is known of it.

    Parameters
    ----------
    arguments
        Of the command line.
    target
        Where the output belongs.
    source
        The video, where one can be read.
    scene
        The pictures in it; the output is then compared sample by sample.
    times
        Of its frames in seconds; None: as PyAV alone reads them.
    """

    arguments: list[str]
    target: Path
    source: Path | None = None
    scene: Scene | None = None
    times: Sequence[Fraction] | None = None


@dataclass(frozen=True)
class Case:
    """A fault.

    Parameters
    ----------
    name
        What is odd or wrong.
    make
        Given a folder with empty folders ``in`` and ``out``, makes the job.
    outcome
        "done", "refused", or "either" where it hangs on the decoder's version.
    says
        Regular expression that is found in the error, or in the summary.
    through
        What the machine does to the run; see :mod:`faults.machine`.
    same
        Whether the output's samples away from faces are those of the source.
    slow
        It takes a minute: run with the list, not with the tests.
    """

    name: str
    make: Callable[[Path], Job]
    outcome: str = "done"
    says: str = ""
    through: Callable[[Callable[[], int]], int] = plainly
    same: bool = True
    slow: bool = False


def job(
    folder: Path,
    video: Path | None = None,
    speech: Path | None = None,
    out: str = "out.mkv",
    more: Sequence[str] = LOSSLESS,
    scene: Scene | None = None,
    times: Sequence[Fraction] | None = None,
) -> Job:
    """A dub; what is not given is a plain film, plain speech, a lossless target."""
    if video is None:
        scene = face(8)
        video = film(folder / "in" / "film.mkv", scene)
    if speech is None:
        speech = voice(folder / "in" / "speech.wav")
    target = folder / "out" / out
    arguments = ["dub", str(video), "--audio", str(speech), "--out", str(target), *more]
    return Job(arguments, target, video, scene, times)


def refused(name: str, says: str, make: Callable[[Path], Job]) -> Case:
    """A case that must end with one line that says what is wrong."""
    return Case(name, make, "refused", says)
