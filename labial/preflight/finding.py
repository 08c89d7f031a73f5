"""What is found before a dub: how bad it is, where, by how much, and what to do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Severity: TypeAlias = Literal["problem", "warning", "hint", "good"]
SEVERITIES: tuple[Severity, ...] = ("problem", "warning", "hint", "good")
"""From a dub that cannot be done, or not well, to one that will be."""


@dataclass(frozen=True)
class Finding:
    """One thing that matters for a dub.

    Parameters
    ----------
    severity
        ``problem``: it will not work, or badly; ``warning``: it will be seen or heard; ``hint``:
        worth knowing; ``good``.
    measure
        What was measured, in a word or two; the same for the same measure.
    text
        What was found, in plain words, with its number.
    advice
        What to do; "" where there is nothing.
    value, unit
        The number, and what it counts; None where there is none.
    where
        Stretches in seconds from the file's beginning; empty where it is about all of it.
    """

    severity: Severity
    measure: str
    text: str
    advice: str = ""
    value: float | None = None
    unit: str = ""
    where: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        if self.severity not in SEVERITIES:
            raise ValueError(f"severity {self.severity!r}: use one of {SEVERITIES}")

    def line(self) -> str:
        """Return it as one line for the user."""
        line = self.text
        if self.where:
            shown = ", ".join(f"{start:.1f}-{end:.1f} s" for start, end in self.where[:_SHOWN])
            more = len(self.where) - _SHOWN
            line += f" ({shown}{f' and {more} more' if more > 0 else ''})"
        return line + (f": {self.advice}" if self.advice else "")

    def facts(self) -> dict[str, Any]:
        """Return it for JSON."""
        facts = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return facts | {"where": [list(stretch) for stretch in self.where]}


_SHOWN = 3


@dataclass(frozen=True)
class Preflight:
    """What was found in one file.

    Parameters
    ----------
    file
        As it was named.
    kind
        ``video``, ``photo`` or ``speech``.
    findings
        The worst first.
    """

    file: str
    kind: Literal["video", "photo", "speech"]
    findings: tuple[Finding, ...]

    @property
    def worst(self) -> Severity:
        """The worst severity of all findings; ``good`` where there is none."""
        return self.findings[0].severity if self.findings else "good"

    def summary(self) -> str:
        """Return a line for the file and one for each finding, the worst first."""
        lines = [f"{self.file} ({self.kind}): {_WORDS[self.worst]}"]
        return "\n".join(lines + [f"  {f.severity:8} {f.line()}" for f in self.findings])

    def facts(self) -> dict[str, Any]:
        """Return it for JSON."""
        findings = [finding.facts() for finding in self.findings]
        return {"file": self.file, "kind": self.kind, "worst": self.worst, "findings": findings}


_WORDS = {
    "good": "will work well",
    "hint": "will work",
    "warning": "will work, with flaws",
    "problem": "will not work well",
}


def worst_first(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return the findings in order, the worst first, else as they are."""
    return tuple(sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity)))


def as_json(reports: Sequence[Preflight]) -> str:
    """Return the text of a JSON file of all reports."""
    facts = {"version": 1, "files": [report.facts() for report in reports]}
    return json.dumps(facts, indent=2, ensure_ascii=False) + "\n"
