"""A plan as a file."""

from __future__ import annotations

import os
from collections.abc import Iterable

from labial.exports.formats import check_target, write
from labial.planning.lines import Plan
from labial.planning.whole import WholePlan


def write_plan(
    plan: Plan | WholePlan,
    out: str | os.PathLike[str],
    inputs: Iterable[str | os.PathLike[str]] = (),
) -> None:
    """Write a plan as JSON, whole or not at all; ``"-"`` is standard output.

    Parameters
    ----------
    inputs
        Files that must not be overwritten.

    Raises
    ------
    WriteError
        It cannot be written, or is one of ``inputs``.
    """
    check_target(out, inputs)
    write([plan.to_json()], out)
