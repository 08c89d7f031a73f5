"""Values of a segment as a file holds them: checked, with a phrase for what is wrong."""

from __future__ import annotations

import difflib
from decimal import Decimal
from fractions import Fraction
from typing import Any

from labial.errors import OptionError
from labial.options import DubOptions
from labial.script.problems import quoted
from labial.script.times import exact_time, parse_time

_SWITCHES = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}


def fault(**options: Any) -> str:
    """Return what :class:`DubOptions` finds wrong with some options, "" if nothing."""
    try:
        DubOptions(**options)
    except OptionError as error:
        return str(error).removeprefix("--")
    return ""


def unknown_name(name: str, known: tuple[str, ...]) -> str:
    """Say that a name is not among those known, and which one may be meant."""
    near = difflib.get_close_matches(name.lower(), known, 1)
    meant = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
    return f"{quoted(name)} is not known: {meant}"


def read_time(value: Any) -> Fraction:
    """Return seconds, of a number or of ``[h:]m:s.ms``; raise ValueError with a phrase."""
    if isinstance(value, str):
        return parse_time(value)
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return exact_time(value)
    raise ValueError(f"{quoted(value)} is no time: write seconds, or h:m:s.ms between quotes")


def read_line(value: Any) -> str:
    """Return a text in one line; raise ValueError with a phrase."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)  # the number of a person
    if not isinstance(value, str) or not all(c.isprintable() or c.isspace() for c in value):
        raise ValueError(f"{quoted(value)} is no text")
    return " ".join(value.split())


def read_number(value: Any) -> float:
    """Return a number; raise ValueError with a phrase."""
    try:
        if isinstance(value, bool):
            raise TypeError
        return float(value.replace(",", ".") if isinstance(value, str) else value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{quoted(value)} is no number") from None


def read_switch(value: Any) -> bool:
    """Return whether something is on; raise ValueError with a phrase."""
    switch = _SWITCHES.get(str(value).strip().lower())
    if switch is None:
        raise ValueError(f"{quoted(value)}: use true or false")
    return switch
