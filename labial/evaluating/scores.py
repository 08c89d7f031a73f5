"""What is measured of a dub, what each number means, and how it is written down."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

Aim = Literal["more", "less", "zero", "one", "real"]
"""What is best: as much or as little as can be, 0, 1, or what the real video has."""


@dataclass(frozen=True)
class Measure:
    """What a number means.

    Parameters
    ----------
    name
        The field of :class:`Scores`.
    title, unit
        For people.
    aim
        Where the best value lies.
    digits
        Digits after the point that mean something.
    least
        Two values nearer to each other than this are alike.
    amount
        What of :attr:`Evaluation.heard` a video's value rests on, and weighs with in a mean; ""
        where all videos weigh alike.
    """

    name: str
    title: str
    unit: str
    aim: Aim
    digits: int
    least: float
    amount: str = ""

    def text(self, value: float | None) -> str:
        """Return the value as it is shown; a dash where there is none."""
        if value is None:
            return "-"
        sign = "+" if self.aim == "zero" else ""
        return f"{value:{sign}.{self.digits}f}"

    def badness(self, value: float, real: float | None = None) -> float | None:
        """Return how far a value is from the best, 0 and up for most; None where that is not known.

        Parameters
        ----------
        value
            The number.
        real
            The real video's.
        """
        if self.aim == "more":
            return -value
        if self.aim == "less":
            return value
        if self.aim == "zero":
            return abs(value)
        best = 1.0 if self.aim == "one" else real
        if best is None:
            return None
        if self.unit == "ratio":
            # Half of it is as bad as twice.
            return abs(math.log(max(value, 1e-3) / max(best, 1e-3)))
        return abs(value - best)

    def change(
        self, value: float, other: float, real: float | None = None, real_other: float | None = None
    ) -> int | None:
        """Return -1 where ``value`` is clearly worse than ``other``, 1 better, 0 alike."""
        mine, theirs = self.badness(value, real), self.badness(other, real_other or real)
        if mine is None or theirs is None:
            return None
        apart = theirs - mine
        return 0 if abs(apart) <= self.least else (1 if apart > 0 else -1)


MEASURES: tuple[Measure, ...] = (
    Measure("faces", "frames with a face", "share", "more", 3, 0.02),
    Measure("offset", "sound after the mouth", "ms", "zero", 0, 40),
    Measure("confidence", "how sure that is", "0..1", "more", 2, 0.2),
    Measure("closure", "lips meet on p, b, m", "share", "more", 2, 0.1, "closures"),
    Measure("opens", "lips part on open vowels", "share", "more", 2, 0.1, "open vowels"),
    Measure("moves", "moves in silence", "share", "less", 2, 0.1, "silence"),
    Measure("stands", "stands open in silence", "share", "less", 2, 0.15, "silence"),
    Measure("follows", "goes along with the speech", "r", "more", 2, 0.1, "speech"),
    Measure("range", "range ÷ an average speaker's", "ratio", "real", 2, 0.2, "speech"),
    Measure("lips_follow", "goes along with the real lips", "r", "more", 2, 0.1),
    Measure("lips_range", "range ÷ the real lips'", "ratio", "one", 2, 0.2),
    Measure("lips_apart", "lips from the real ones", "eye distances", "less", 4, 0.01),
    Measure("psnr", "mouth against the real one, PSNR", "dB", "more", 1, 1.0),
    Measure("ssim", "mouth against the real one, SSIM", "-1..1", "more", 3, 0.03),
    Measure("sharpness", "sharpness of the mouth ÷ source's", "ratio", "one", 2, 0.15),
    Measure("seam", "edge of the change ÷ source's", "ratio", "one", 2, 0.1),
    Measure("flicker", "trembling ÷ source's", "ratio", "one", 2, 0.3),
    Measure("beside", "beside the face against the source, PSNR", "dB", "more", 1, 2.0),
    Measure("identity", "likeness to the source's person", "cosine", "more", 3, 0.05),
    Measure("lse_c", "LSE-C", "", "real", 2, 0.5),
    Measure("lse_d", "LSE-D", "", "real", 2, 0.5),
)
"""All of them, in the order of tables."""


@dataclass(frozen=True)
class Scores:
    """The numbers of one video; None where a number cannot be had.

    ``docs/metrics.md`` defines each of them, with its unit, its direction and how it can be gamed.
    :data:`MEASURES` has a row for each.
    """

    faces: float | None = None
    offset: float | None = None
    confidence: float | None = None
    closure: float | None = None
    opens: float | None = None
    moves: float | None = None
    stands: float | None = None
    follows: float | None = None
    range: float | None = None
    lips_follow: float | None = None
    lips_range: float | None = None
    lips_apart: float | None = None
    psnr: float | None = None
    ssim: float | None = None
    sharpness: float | None = None
    seam: float | None = None
    flicker: float | None = None
    beside: float | None = None
    identity: float | None = None
    lse_c: float | None = None
    lse_d: float | None = None

    def __getitem__(self, name: str) -> float | None:
        """Return a number by its name."""
        value: float | None = getattr(self, name)
        return value

    def with_(self, **more: float | None) -> Scores:
        """Return the same with other numbers."""
        return Scores(**{**asdict(self), **more})

    def facts(self) -> dict[str, float | None]:
        """Return all of them for a JSON file, rounded to what means something."""
        digits = {measure.name: measure.digits + 2 for measure in MEASURES}
        return {
            item.name: None if self[item.name] is None else round(float(self[item.name] or 0), d)
            for item in fields(self)
            for d in [digits[item.name]]
        }


@dataclass(frozen=True)
class Evaluation:
    """What was found of one video.

    Parameters
    ----------
    out
        The video that was judged.
    ref, source
        The real video of the same words, and the one that was dubbed, where they were given.
    frames, seconds
        Its length.
    faceless
        Reason → frames whose mouth could not be judged.
    heard
        How much there was to judge: closures heard, seconds of silence, frames compared, by name.
    scores
        The numbers.
    real
        The numbers of ``ref``, or else of ``source`` with its own sound, by the same measures;
        None where neither was given.
    notes
        What could not be measured, and why, one phrase each.
    """

    out: Path
    ref: Path | None
    source: Path | None
    frames: int
    seconds: float
    faceless: Mapping[str, int]
    heard: Mapping[str, float]
    scores: Scores
    real: Scores | None = None
    notes: tuple[str, ...] = field(default=())

    def facts(self) -> dict[str, Any]:
        """Return everything for a JSON file."""
        return {
            "out": str(self.out),
            "ref": None if self.ref is None else str(self.ref),
            "source": None if self.source is None else str(self.source),
            "frames": self.frames,
            "seconds": round(self.seconds, 3),
            "faceless": dict(self.faceless),
            "heard": {name: round(value, 2) for name, value in self.heard.items()},
            "scores": self.scores.facts(),
            "real": None if self.real is None else self.real.facts(),
            "notes": list(self.notes),
        }

    def summary(self) -> str:
        """Return a line a number for the user, and what could not be measured."""
        lines = [f"{self.out}: {self.frames} frames, {self.seconds:.1f} s"]
        for measure in MEASURES:
            value = self.scores[measure.name]
            if value is None:
                continue
            line = f"  {measure.title:42s}{measure.text(value):>9s} {measure.unit:14s}"
            if self.real is not None and self.real[measure.name] is not None:
                line += f" real {measure.text(self.real[measure.name])}"
            lines.append(line.rstrip())
        if self.faceless:
            why = ", ".join(f"{why} {n}" for why, n in sorted(self.faceless.items()))
            lines.append(f"  not judged: {why}")
        return "\n".join([*lines, *(f"  {note}" for note in self.notes)])
