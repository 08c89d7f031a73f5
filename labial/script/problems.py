"""What is wrong with a file: phrases with the line that they are about."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, TypeAlias

Problems: TypeAlias = list[tuple[int, str]]
"""Line, 0 for the whole file, and phrase."""


def placed(problems: Problems) -> list[str]:
    """Return problems in the order of their lines, as a user reads them."""
    return by_line(f"line {line}: {told}" if line else told for line, told in problems)


def by_line(problems: Iterable[str]) -> list[str]:
    """Return phrases in the order of the lines with which they begin, each once."""

    def line(problem: str) -> int:
        match = re.match(r"line (\d+):", problem)
        return int(match[1]) if match else 0

    return sorted(dict.fromkeys(problems), key=line)


def quoted(value: Any) -> str:
    """Return a value between quotes, shortened where it is long."""
    text = str(value)
    return repr(text if len(text) <= 40 else text[:37] + "...")
