"""What a stranger's file is, asked of a process that has little and reaches nothing."""

from __future__ import annotations

from pathlib import Path

from labial.errors import JobError, ReadError
from labial.jobs import FileRules, vet
from labial.options import ServeOptions
from labial.server.intake import Examine, Found

_LONGEST_NAME = 80


def examiner(options: ServeOptions) -> Examine:
    """Return what says what a file is, by its content alone.

    It raises ReadError where the file is refused, and OSError where it could not be looked at, so
    that another try makes sense.
    """
    rules = FileRules(seconds=options.max_minutes * 60)

    def examine(path: Path, name: str) -> Found:
        try:
            found = vet(path, rules)
        except ReadError as error:
            shown = "".join(c for c in name[:_LONGEST_NAME] if c.isprintable())
            raise ReadError(f"{shown}: {error}") from None
        except JobError as error:
            raise OSError(str(error)) from error
        return Found(found.holds, found.extension, found.facts)

    return examine
