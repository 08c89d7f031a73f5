"""Times as they are written in files, and back."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction

from labial.script.problems import quoted

LONGEST = 1_000_000
"""Seconds beyond which no time lies."""

_TIME = re.compile(
    r"(?:(?:(?P<h>\d{1,6})\s*:\s*)?(?P<m>\d{1,6})\s*:\s*)?(?P<s>\d{1,7})"
    r"(?:\s*[.,]\s*(?P<f>\d{1,12})|:(?P<ms>\d{3}))?\s*s?"
)
_SECONDS = re.compile(r"(?P<s>\d{1,7})?(?:[.,](?P<f>\d{1,30}))?\s*s?")


def parse_time(text: str) -> Fraction:
    """Read ``[h:]m:s.ms`` or seconds, with a dot or a comma.

    Raises
    ------
    ValueError
        With a phrase that says what is wrong.
    """
    text = text.strip()
    if text.startswith(("-", "−")) and _matched(text[1:].strip()):
        raise ValueError(f"{text} lies before the video")
    match = _matched(text)
    if match is None or not any(match.groupdict().values()):
        raise ValueError(f"cannot read the time {quoted(text)}: write it as 0:01:02.500 or 62.5")
    parts = match.groupdict()
    hours, minutes, seconds = (int(parts.get(key) or 0) for key in "hms")
    if parts.get("h") is not None and minutes > 59:
        raise ValueError(f"{text} has {minutes} minutes: 59 is the most")
    # Rounding makes a 60 now and then.
    if parts.get("m") is not None and seconds > 60:
        raise ValueError(f"{text} has {seconds} seconds: 59 is the most")
    digits = parts.get("f") or parts.get("ms") or ""
    whole = 3600 * hours + 60 * minutes + seconds
    return _checked(whole + Fraction(int(digits or 0), 10 ** len(digits)), text)


def _matched(text: str) -> re.Match[str] | None:
    return _SECONDS.fullmatch(text) or _TIME.fullmatch(text)


def exact_time(value: int | Decimal) -> Fraction:
    """Return seconds given as a number.

    Raises
    ------
    ValueError
        With a phrase that says what is wrong.
    """
    if value < 0:
        raise ValueError(f"{value} lies before the video")
    # Neither a thousand digits nor a power of a million ever come out as a fraction.
    if isinstance(value, Decimal) and value.is_finite():
        value = Decimal(0) if value and value.adjusted() < -12 else value
        if value.adjusted() < 12:
            return _checked(Fraction(round(value, 12)), str(value))
    elif isinstance(value, int) and value <= LONGEST:
        return Fraction(value)
    raise ValueError(f"{quoted(str(value))} is no time in a video")


def _checked(time: Fraction, text: str) -> Fraction:
    if time > LONGEST:
        raise ValueError(f"{quoted(text)} is no time in a video")
    return time


def shown_time(time: Fraction) -> str:
    """Return ``m:ss.mmm``, or ``h:mm:ss.mmm``."""
    ms = round(time * 1000)
    hours, minutes, seconds = ms // 3_600_000, ms // 60_000 % 60, ms % 60_000 / 1000
    return f"{hours}:{minutes:02}:{seconds:06.3f}" if hours else f"{minutes}:{seconds:06.3f}"
