"""What a dub would do, worked out and checked before it begins."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from labial.options import DubOptions


@dataclass(frozen=True)
class Line:
    """Speech that is laid into the video, and whose mouth goes with it.

    Parameters
    ----------
    start, end
        Seconds from the video's first frame.
    audio
        File with the speech; None where ``text`` is still to be spoken.
    audio_start, audio_end
        Seconds of that file which are laid at ``start``; at most ``end - start`` long.
    speaker
        Who says it, as :attr:`labial.options.DubOptions.speaker`.
    options
        The options of this line.
    text
        What is said; "" where only the sound knows.
    language
        Its language, or None.
    line
        Line of the file of segments, 0 where it is of none.
    """

    start: Fraction
    end: Fraction
    audio: Path | None
    audio_start: Fraction
    audio_end: Fraction
    speaker: str
    options: DubOptions
    text: str = ""
    language: str | None = None
    line: int = 0


@dataclass(frozen=True)
class Plan:
    """What a dub will do.

    Parameters
    ----------
    video
        The video.
    length
        Its length in seconds.
    fps
        Its frames a second, on average.
    lines
        What is said, by ``start``.
    warnings
        What will be done, but perhaps is not what was meant.
    """

    video: Path
    length: Fraction
    fps: Fraction
    lines: tuple[Line, ...]
    warnings: tuple[str, ...] = ()

    @property
    def speakers(self) -> tuple[str, ...]:
        """Who says something, in the order of the lines."""
        return tuple(dict.fromkeys(line.speaker for line in self.lines))
