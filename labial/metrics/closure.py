"""Do lips meet where a p, b or m is heard, and part on open vowels? Arrays → numbers."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from labial.speech.phones import BILABIAL, OPEN, PHONE_INDEX

TOUCHING = 0.018
"""Lips this far apart, in inter-ocular distances, are seen to touch: what the mesh leaves between
closed lips, and half of it again."""

_LEAST_VOWEL = 4
_OPEN = tuple(PHONE_INDEX[name] for name in OPEN)
_LIPS = tuple(PHONE_INDEX[name] for name in BILABIAL)
Curve = npt.NDArray[np.floating[Any]]
Rows = npt.NDArray[np.integer[Any]]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Count:
    """Of ``heard`` sounds, ``met`` are seen on the lips."""

    met: int
    heard: int

    @property
    def share(self) -> float | None:
        """0..1, more is better; None where none was heard."""
        return self.met / self.heard if self.heard else None


def runs(labels: Rows, classes: Collection[int]) -> list[tuple[int, int]]:
    """Return the first row and the row after the last of each stretch of ``classes`` in ``labels``.

    Parameters
    ----------
    labels
        (n,) the class of each row.
    classes
        Those wanted; neighbours of different ones make one stretch.
    """
    here = np.isin(labels, [*classes]).astype(int)
    edges = np.flatnonzero(np.diff(np.pad(here, 1)))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def touches(opening: Curve, first: int, end: int) -> bool:
    """Whether lips meet at any time of rows ``first`` to ``end - 1``, or a row beside them.

    Parameters
    ----------
    opening
        (n,) gap of the inner lips beyond rest, in inter-ocular distances, at 50 Hz.
    """
    return bool(opening[max(first - 1, 0) : end + 1].min() <= TOUCHING)


def closures(opening: Curve, labels: Rows, usable: Mask | None = None) -> Count:
    """Count the /p b m/ on which the lips meet.

    Parameters
    ----------
    opening
        (n,) gap of the inner lips beyond rest, in inter-ocular distances, at 50 Hz.
    labels
        (n,) index of the phone that is heard, of :data:`labial.speech.phones.PHONES`.
    usable
        (n,) rows in which the mouth is seen well; a phone of which it is not seen throughout does
        not count. Default: all.

    Notes
    -----
    A closure is met if the lips touch at any time from 20 ms before the phone to 20 ms after it.
    That lips must meet on bilabials is what viewers see first: McGurk and MacDonald, "Hearing lips
    and seeing voices", Nature 1976.
    """
    found = heard_closures(opening, labels, usable)
    return Count(sum(touches(opening, a, b) for a, b in found), len(found))


def heard_closures(
    opening: Curve, labels: Rows, usable: Mask | None = None
) -> list[tuple[int, int]]:
    """Return the rows of the /p b m/ that :func:`closures` counts."""
    n = min(len(opening), len(labels))
    seen = np.ones(n, bool) if usable is None else usable[:n]
    return [(a, b) for a, b in runs(labels[:n], _LIPS) if seen[max(a - 1, 0) : b + 1].all()]


def opens(opening: Curve, first: int, end: int) -> bool:
    """Whether lips are apart at some time in the middle of rows ``first`` to ``end - 1``."""
    return bool(opening[first + 1 : end - 1].max() > TOUCHING)


def openings(opening: Curve, labels: Rows, usable: Mask | None = None) -> Count:
    """Count the open vowels of 80 ms and more on which the lips part.

    A mouth that never opens meets every closure, and no opening. Parameters are those of
    :func:`closures`.
    """
    n = min(len(opening), len(labels))
    seen = np.ones(n, bool) if usable is None else usable[:n]
    found = [
        (a, b) for a, b in runs(labels[:n], _OPEN) if b - a >= _LEAST_VOWEL and seen[a:b].all()
    ]
    return Count(sum(opens(opening, a, b) for a, b in found), len(found))
