"""What is to be said when: the cues of a subtitle file."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Cue:
    """One cue.

    Parameters
    ----------
    start, end
        Seconds from the video's first frame; ``end`` comes after ``start``.
    text
        What is said, without markup; lines joined by a space.
    line
        Line of the file in which it begins, from 1; 0 where it is of no file.
    speaker
        Who says it, as the file names them; "" where it does not.
    """

    start: Fraction
    end: Fraction
    text: str
    line: int = 0
    speaker: str = ""
