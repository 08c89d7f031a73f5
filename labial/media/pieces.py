"""Which stretches of a video are encoded anew, piece by piece, and which are copied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from labial.media.gops import Gops
from labial.types import BoolArray

Rows: TypeAlias = npt.NDArray[np.int64]

LEAST, USUAL, MOST = 125, 250, 375
"""Frames of a piece. It begins with a shot, else where the source can be started at, if it can."""
LEAST_COPIED = 24
"""Frames below which copying is not worth the cut in our own pictures."""


@dataclass(frozen=True)
class Stretch:
    """Frames ``first`` … ``end`` - 1, copied or made."""

    first: int
    end: int
    copied: bool


def stretches(
    changed: BoolArray, gops: Gops, copying: bool, shots: Rows | None = None
) -> list[Stretch]:
    """Divide a video.

    Parameters
    ----------
    changed
        (n,) frames that will differ from the source's.
    gops
        The source's groups of pictures.
    copying
        Whether packets of the source may be copied.
    shots
        (m,) frames with which shots begin, ascending.

    Returns
    -------
    list of Stretch
        In order, without gaps. Depends on nothing else, so that it is the same in every run.
    """
    n = len(changed)
    # In a shot that begins there is nothing that an encoder could have taken from before.
    borders = (np.zeros(0, np.int64) if shots is None else shots, gops.first)
    out: list[Stretch] = []
    at = 0
    for first, end in _untouched(changed, gops) if copying else []:
        out += _pieces(at, first, borders)
        out.append(Stretch(first, end, True))
        at = end
    return out + _pieces(at, n, borders)


def _untouched(changed: BoolArray, gops: Gops) -> list[tuple[int, int]]:
    """Runs of whole groups in which nothing changes."""
    ends = np.append(gops.first, len(changed))[1:]
    before = np.concatenate([[0], np.cumsum(changed)])
    clean = gops.whole & (before[ends] == before[gops.first])
    runs: list[tuple[int, int]] = []
    for first, end, good in zip(gops.first.tolist(), ends.tolist(), clean.tolist(), strict=True):
        if good and runs and runs[-1][1] == first:
            runs[-1] = runs[-1][0], end
        elif good:
            runs.append((first, end))
    return [(a, b) for a, b in runs if b - a >= min(LEAST_COPIED, len(changed))]


def _pieces(first: int, end: int, borders: Sequence[Rows]) -> list[Stretch]:
    """Pieces of some frames; of ``borders`` those named first are preferred."""
    out = []
    while end - first > MOST:
        cut = first + USUAL
        for places in borders:
            inside = places[(places >= first + LEAST) & (places <= first + MOST)]
            if len(inside):
                cut = int(inside[np.abs(inside - cut).argmin()])
                break
        out.append(Stretch(first, cut, False))
        first = cut
    if end > first:
        out.append(Stretch(first, end, False))
    return out
