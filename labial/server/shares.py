"""How much of all its work a job has done, by the stages that it goes through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

Stages: TypeAlias = Sequence[tuple[str, float]]
"""Stages in their order, each with its share of the work; they need not sum up to 1."""

_OF: dict[str, Stages] = {
    "animate": (("speak", 5), ("analyse", 4), ("listen", 10), ("render", 80)),
    "check": (("analyse", 80), ("listen", 5), ("measure", 15)),
    "fix": (("analyse", 75), ("listen", 5), ("measure", 10), ("copy", 10)),
    "visemes": (("listen", 90), ("align", 10)),
    "look": (("analyse", 60), ("measure", 15), ("listen", 15), ("draw", 10)),
}
_ADAPTING = 60.0
_REPORT: Stages = (("analyse", 20), ("compare", 50), ("moments", 2))


def stages_of(kind: str, request: Mapping[str, Any]) -> Stages:
    """Return the stages that a job will go through; some of them may be left out.

    Parameters
    ----------
    kind, request
        As a :class:`labial.server.store.JobRecord` has them.
    """
    if kind != "dub":
        return _OF.get(kind, ())
    speeches = len([r for r in request.get("inputs") or () if str(r).startswith("audio")])
    adapting = (request.get("options") or {}).get("quality") == "pro"
    each: list[tuple[str, float]] = [("speak", 3), ("listen", 2)]
    each += [("adapt", _ADAPTING)] * adapting + [("render", 55), ("copy", 1)]
    if request.get("report"):
        each += _REPORT
    before: list[tuple[str, float]] = [("speak", 3), ("separate", 8), ("analyse", 35)]
    return before + each * max(speeches, 1)


class Share:
    """Follows the stages of a job; what it tells never falls.

    Parameters
    ----------
    stages
        As :func:`stages_of` returns them.
    """

    def __init__(self, stages: Stages) -> None:
        self._names = [name for name, _ in stages]
        self._weights = [weight for _, weight in stages]
        self._at, self._last, self._most = -1, "", 0.0

    def at(self, stage: str, done: int, total: int | None) -> float:
        """Return the share of all the work, 0 to 1, given what a hook is told."""
        if stage != self._last:
            self._last = stage
            later = self._names[self._at + 1 :]
            if stage in later:
                self._at += 1 + later.index(stage)
        if self._at >= 0 and self._names[self._at] == stage:
            part = min(done / total, 1.0) if total else 0.0
            before = sum(self._weights[: self._at]) + part * self._weights[self._at]
            self._most = max(self._most, before / sum(self._weights))
        return self._most
