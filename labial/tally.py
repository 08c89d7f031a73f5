"""What a dub did, counted while it works and told when it is done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class DubReport:
    """What a dub did.

    Parameters
    ----------
    out
        The file written.
    frames
        Frames in the output; as many as in the source, unless a sync mode says otherwise.
    resynced
        Frames whose mouth follows the new speech, wholly or faded.
    passed
        Reason → frames that were left as they were.
    dropped
        Parts of the source that the output's container cannot hold.
    skipped
        Packets and frames of the source that were damaged or out of time, and left out.
    resized
        Frames brought to the first one's size and format, where the source changes in mid-stream.
    style
        How the speaker moves, in a few words, and from how much that was learned; "" when the
        source shows too little of it.
    unheard
        Damaged packets of the speech; their time is kept as silence.
    adapted
        What the clip's own frames taught, in a few words; "" unless asked for.
    unrefined
        Re-synced frames on which the refiner strayed from what was filmed and was not, or only in
        part, believed.
    deinterlaced
        Frames of two fields, which the output shows as whole pictures.
    notes
        How the output is encoded where that is not as in the source, one phrase each.
    copied
        Seconds of the video that were taken over as they are, without being encoded again.
    resumed
        Frames that an earlier run had made.
    people
        Whom it dubbed and whom it left alone, in a few words; "" where there is one person.
    advice
        What would make it better, one line each, the worst first.
    timing
        What was done about speech and video of different length, in a few words; "" for nothing.
    """

    out: Path
    frames: int
    resynced: int
    passed: dict[str, int]
    dropped: tuple[str, ...] = ()
    skipped: int = 0
    resized: int = 0
    style: str = ""
    unheard: int = 0
    unrefined: int = 0
    adapted: str = ""
    deinterlaced: int = 0
    notes: tuple[str, ...] = ()
    people: str = ""
    copied: float = 0.0
    resumed: int = 0
    timing: str = ""
    advice: tuple[str, ...] = ()

    def summary(self) -> str:
        """Return a line for the user, one on people, one on style, and one on what was lost."""
        line = f"{self.out}: {self.resynced} of {self.frames} frames re-synced"
        if self.passed:
            why = ", ".join(f"{reason} {count}" for reason, count in sorted(self.passed.items()))
            line += f"; passed through: {why}"
        if self.unrefined:
            line += f"; refiner set aside: {self.unrefined}"
        if self.skipped:
            line += f"; left out as damaged or out of time: {self.skipped}"
        if self.resized:
            line += f"; brought to the first frame's size: {self.resized}"
        if self.deinterlaced:
            line += f"; deinterlaced: {self.deinterlaced}"
        if self.unheard:
            line += f"; damaged packets of the speech, silent: {self.unheard}"
        if self.copied:
            line += f"; copied without encoding again: {self.copied:.1f} s"
        if self.resumed:
            line += f"; made by an earlier run: {self.resumed}"
        for warning in self.advice:
            line += f"\n{warning}"
        if self.timing:
            line += f"\nlength: {self.timing}"
        if self.people:
            line += f"\ndubbed: {self.people}"
        if self.style:
            line += f"\nstyle: {self.style}"
        if self.adapted:
            line += f"\nadapted: {self.adapted}"
        if self.notes:
            line += f"\n{'; '.join(self.notes)}"
        if self.dropped:
            line += f"\nnot carried over: {', '.join(self.dropped)}"
        return line


@dataclass
class Tally:
    """What has been done so far.

    Parameters
    ----------
    passed
        Reason → frames left as they were.
    unrefined
        As in :class:`DubReport`.
    copied
        Seconds taken over as they are.
    resumed
        Frames that an earlier run had made.
    """

    passed: Counter[str] = field(default_factory=Counter)
    unrefined: int = 0
    copied: Fraction = Fraction(0)
    resumed: int = 0

    def count(self, reason: str, trust: float) -> None:
        """Count one frame: why it was left as it was ("" if it was not), trust in the refiner."""
        if reason:
            self.passed[reason] += 1
        self.unrefined += trust < 1

    def copy(self, reasons: Iterable[str], seconds: Fraction) -> None:
        """Count frames that were taken over as they are."""
        self.passed.update(reasons)
        self.copied += seconds

    def add(self, other: Tally) -> None:
        """Count all that another one has counted."""
        self.passed.update(other.passed)
        self.unrefined += other.unrefined

    def facts(self) -> dict[str, Any]:
        """Return what a finished piece keeps of its own tally."""
        return {"passed": dict(self.passed), "unrefined": self.unrefined}

    @classmethod
    def of(cls, facts: dict[str, Any]) -> Tally:
        """Return the tally with these :meth:`facts`."""
        return cls(Counter(facts["passed"]), facts["unrefined"])
