"""A first run: fetch a sample clip and sample speech, dub one with the other, show the result."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from labial import weights
from labial.dubbing import dub
from labial.errors import WriteError
from labial.media.encoders import EncodeSettings
from labial.media.read import VideoReader
from labial.media.write import VideoWriter
from labial.sheet import contact_sheet
from labial.types import Frame, Hook

# The sharpest of the sample faces, seen from the front. Joined from two parts: in the first the
# lips close, in the second there are teeth to take, and a hand covers the mouth in between.
CLIP, SPEECH = "face_clip", "speech_short"
PARTS = ((Fraction(0), Fraction(23, 10)), (Fraction(104, 10), Fraction(20)))


@dataclass(frozen=True)
class DemoResult:
    """What the demo wrote: the dubbed ``video``, and a contact ``sheet`` that compares it."""

    video: Path
    sheet: Path


def demo(folder: str | os.PathLike[str], hook: Hook | None = None) -> DemoResult:
    """Dub a sample clip with sample speech, and draw source and output side by side.

    Parameters
    ----------
    folder
        Where to write ``source.mp4``, ``dubbed.mp4`` and ``sheet.png``; made when it is missing.
    hook
        Called as ``hook(stage, done, total)`` after each step.

    Returns
    -------
    DemoResult

    Raises
    ------
    WeightsError
        A sample cannot be fetched.
    WriteError
        ``folder`` cannot be made or written to.
    """
    target = Path(folder)
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"cannot make the folder {target}: {error.strerror}") from error
    clip = weights.path(CLIP, progress=hook)
    speech = weights.path(SPEECH, progress=hook)
    source = target / "source.mp4"
    _join(clip, source)
    result = DemoResult(target / "dubbed.mp4", target / "sheet.png")
    dub(source, speech, result.video, hook=hook)
    contact_sheet(source, result.video, result.sheet, hook=hook)
    return result


def _join(clip: Path, target: Path) -> None:
    """Write the frames of the clip's ``PARTS``, one part right after the other."""
    with (
        VideoReader(clip) as reader,
        VideoWriter(target, reader.media, EncodeSettings("h264", crf=12)) as writer,
    ):
        for index, (frame, pts) in enumerate(_parts(reader.frames())):
            writer.write(replace(frame, pts=pts, index=index))


def _parts(frames: Iterator[Frame]) -> Iterator[tuple[Frame, int]]:
    """Pair the frames to keep with times without a gap."""
    pts: int | None = None
    for frame in frames:
        if any(first <= frame.time < last for first, last in PARTS):
            pts = frame.pts if pts is None else pts
            yield frame, pts
            pts += frame.duration
