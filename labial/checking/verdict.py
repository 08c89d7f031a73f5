"""What a check found: numbers, and what they mean, in plain words."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from labial.clip import EARLY, LATE
from labial.metrics.drift import Window

Verdict = Literal["in sync", "noticeable", "out of sync", "wanders", "cannot tell"]

# ITU-R BT.1359-1: sound that is this much early or late is noticed, and is not acceptable.
NOTICED = (-EARLY, LATE)
ACCEPTABLE = (-0.090, 0.185)
LIMITS = (
    "ITU-R BT.1359: noticed beyond 45 ms early or 125 ms late, "
    "not acceptable beyond 90 ms early or 185 ms late"
)
_LISTED = 12
# A drift that is known no better than to 30 ms a minute is not worth a number.
_VAGUE = 0.0005


@dataclass(frozen=True)
class SyncReport:
    """How a video's sound lies against the mouths that are seen.

    Everywhere, seconds are those by which the sound is **late**; early sound has negative ones.

    Parameters
    ----------
    video
        The file.
    sound
        Which of its sounds was measured, in a few words.
    verdict
        By the limits of ITU-R BT.1359, at the worse of both ends where the sound drifts. "wanders":
        the offset changes along the video in no straight line. "cannot tell": see ``why``.
    why
        Why it cannot tell; "" where it can.
    offset
        Seconds in the middle of the video; None where it cannot tell.
    drift, drift_error
        Seconds by which the sound becomes later in a second, and the standard error of that, which
        is infinite where the video is too short; None where it cannot tell.
    drifts
        The drift is more than error and chance. Else the offset is taken for constant.
    confidence
        0..1, how sure it is that this sound belongs to these mouths, and lies where it says.
    seconds
        Length of the video.
    compared
        Seconds of speech that were heard while the mouth was seen.
    windows
        Stretches on their own, in order; they overlap.
    """

    video: Path
    sound: str
    verdict: Verdict
    why: str
    offset: float | None
    drift: float | None
    drift_error: float
    drifts: bool
    confidence: float
    seconds: float
    compared: float
    windows: tuple[Window, ...] = ()

    def at(self, seconds: float) -> float:
        """Seconds by which the sound is late at a time of the video; 0 where it cannot tell."""
        if self.offset is None:
            return 0.0
        slope = self.drift if self.drifts and self.drift is not None else 0.0
        return self.offset + slope * (seconds - self.seconds / 2)

    @property
    def worst(self) -> float:
        """The offset at that end at which it is worse."""
        return max(self.at(0), self.at(self.seconds), key=_badness)

    def summary(self) -> str:
        """Return lines for the user."""
        lines = [f"{self.video}: {self.headline()}"]
        if self.sound:
            lines.append(f"measured: {self.sound}")
        if self.verdict not in ("cannot tell", "wanders"):
            lines += [self._drift_line(), f"limits: {LIMITS}"]
        lines += self._stretches()
        return "\n".join(lines)

    def headline(self) -> str:
        """Return offset and verdict in a few words."""
        if self.verdict == "cannot tell":
            return f"cannot tell: {self.why}"
        if self.verdict == "wanders":
            told = [w.seconds for w in self.windows if w.confidence >= TRUSTED]
            return f"the offset wanders, from {late(min(told))} to {late(max(told))}"
        told_at = late(self.offset or 0.0)
        if self.drifts:
            told_at = (
                f"{late(self.at(0))} at the beginning, {late(self.at(self.seconds))} at the end"
            )
        return f"{told_at} ({sure(self.confidence)}): {self.verdict}"

    def _drift_line(self) -> str:
        if self.drift is None or not math.isfinite(self.drift_error):
            return "drift: too little to tell"
        if not self.drifts and self.drift_error > _VAGUE:
            return f"drift: too little to tell (± {self.drift_error * 60_000:.0f} ms a minute)"
        number = f"{self.drift * 60_000:+.0f} ± {self.drift_error * 60_000:.0f} ms a minute"
        return f"drift: {number}" if self.drifts else f"drift: none that is sure ({number})"

    def _stretches(self) -> list[str]:
        told = list(self.windows)
        if len(told) > _LISTED:
            step = (len(told) - 1) / (_LISTED - 1)
            told = [told[round(k * step)] for k in range(_LISTED)]
        return [
            f"  {clock(w.begin)} to {clock(w.end)}  "
            + (f"{late(w.seconds)}, {sure(w.confidence)}" if w.confidence >= TRUSTED else "unsure")
            for w in told
        ]

    def numbers(self) -> str:
        """Return everything as JSON; times in seconds, offsets in ms by which the sound is late."""

        def ms(seconds: float | None) -> float | None:
            known = seconds is not None and math.isfinite(seconds)
            return round(1000 * seconds, 1) if known and seconds is not None else None

        told = self.offset is not None
        minute = None if self.drift is None else self.drift * 60
        document: dict[str, Any] = {
            "video": str(self.video),
            "sound": self.sound,
            "verdict": self.verdict,
            "why": self.why,
            "sound_late_ms": ms(self.offset),
            "sound_late_ms_at_begin": ms(self.at(0)) if told else None,
            "sound_late_ms_at_end": ms(self.at(self.seconds)) if told else None,
            "drifts": self.drifts,
            "drift_ms_per_minute": ms(minute),
            "drift_error_ms_per_minute": ms(self.drift_error * 60) if told else None,
            "confidence": round(self.confidence, 3),
            "seconds": round(self.seconds, 3),
            "compared_seconds": round(self.compared, 2),
            "limits_ms": {
                "noticed": [ms(v) for v in NOTICED],
                "acceptable": [ms(v) for v in ACCEPTABLE],
            },
            "windows": [
                {
                    "begin": round(w.begin, 3),
                    "end": round(w.end, 3),
                    "sound_late_ms": ms(w.seconds),
                    "confidence": round(w.confidence, 3),
                }
                for w in self.windows
            ],
        }
        return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


TRUSTED = 0.6
"""Windows below this confidence say nothing."""


def judged(seconds: float) -> Verdict:
    """Return what the limits say of sound that is so many seconds late."""
    if NOTICED[0] <= seconds <= NOTICED[1]:
        return "in sync"
    return "noticeable" if ACCEPTABLE[0] <= seconds <= ACCEPTABLE[1] else "out of sync"


def late(seconds: float) -> str:
    """Return "sound 120 ms late", "sound 40 ms early" or "sound on time"."""
    ms = round(1000 * seconds)
    if not ms:
        return "sound on time"
    return f"sound {abs(ms)} ms {'late' if ms > 0 else 'early'}"


def sure(confidence: float) -> str:
    """Return "93% sure"; nothing is sure to more than 99 %."""
    return f"{min(confidence, 0.99):.0%} sure"


def clock(seconds: float) -> str:
    """Return minutes and seconds, such as 1:05.0."""
    tenths = round(seconds * 10)
    return f"{tenths // 600}:{tenths % 600 / 10:04.1f}"


def _badness(seconds: float) -> float:
    return seconds / NOTICED[1] if seconds > 0 else seconds / NOTICED[0]
