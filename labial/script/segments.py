"""What is to be dubbed when: the segments of a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Segment:
    """A stretch of the video in which somebody says something else.

    Parameters
    ----------
    start, end
        Seconds from the video's first frame.
    audio
        File with what is said; None where ``text`` is to be spoken.
    audio_start, audio_end
        Seconds of that file that are laid at ``start``; None is as far as the segment or the file
        goes.
    text
        What is said.
    voice, language
        With which voice it is spoken, and its language; None leaves both to the options.
    speaker
        Who says it, as :attr:`labial.options.DubOptions.speaker`.
    options
        Fields of :class:`labial.options.DubOptions` that differ in this segment.
    line
        Line of the file in which it begins, from 1; 0 where it is of no file.
    """

    start: Fraction
    end: Fraction
    audio: Path | None = None
    audio_start: Fraction = Fraction(0)
    audio_end: Fraction | None = None
    text: str = ""
    voice: str | None = None
    language: str | None = None
    speaker: str = "auto"
    options: Mapping[str, Any] = field(default_factory=dict)
    line: int = 0
