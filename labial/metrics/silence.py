"""Does the mouth keep still where nobody speaks? Arrays → numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from labial.metrics.closure import Curve, Mask, Rows, runs

MOVING, STANDING = 0.008, 0.03
"""A mouth moves if it opens or shuts by more than the first in 40 ms, and stands open by more than
the second, in inter-ocular distances."""
PAUSE_ROWS = 13
"""Silence of so many rows of 20 ms is long enough to rest in."""
# Less the time to come to rest, and to open ahead of the sound.
_SETTLE_ROWS, _AHEAD_ROWS = 9, 8


@dataclass(frozen=True)
class Leak:
    """What a mouth does in ``rows`` rows of silence.

    Parameters
    ----------
    moving, standing
        Rows in which it moves; in which it stands open.
    rows
        Rows of 20 ms in which it should rest.
    """

    moving: int
    standing: int
    rows: int

    @property
    def moves(self) -> float | None:
        """Share of the silence in which it moves, 0..1, less is better; None without silence."""
        return self.moving / self.rows if self.rows else None

    @property
    def stands(self) -> float | None:
        """Share of the silence in which it stands open, 0..1; None without silence."""
        return self.standing / self.rows if self.rows else None


def moving(opening: Curve) -> Mask:
    """(n,) rows in which the lips open or shut by more than ``MOVING`` from row before to after.

    Parameters
    ----------
    opening
        (n,) gap of the inner lips beyond rest, in inter-ocular distances, at 50 Hz.
    """
    padded = np.pad(opening, 1, "edge")
    return np.asarray(np.abs(padded[2:] - padded[:-2]) > MOVING)


def leaking(opening: Curve) -> Mask:
    """(n,) rows in which a mouth moves, or stands open; see :func:`moving`."""
    return np.asarray(moving(opening) | (opening > STANDING))


def resting(labels: Rows) -> Mask:
    """(n,) rows in which a mouth should rest.

    Silences of ``PAUSE_ROWS`` and more, without the 180 ms in which a mouth comes to rest and the
    160 ms in which it opens ahead of the next sound.

    Parameters
    ----------
    labels
        (n,) index of the phone that is heard at 50 Hz; 0 is silence.
    """
    still = np.zeros(len(labels), bool)
    for a, b in runs(labels, [0]):
        if b - a >= PAUSE_ROWS:
            begin = a + _SETTLE_ROWS if a else 0
            still[begin : b - _AHEAD_ROWS if b < len(labels) else b] = True
    return still


def silence_leak(opening: Curve, labels: Rows, usable: Mask | None = None) -> Leak:
    """Count the rows in which a mouth moves, and stands open, while nobody speaks.

    Parameters
    ----------
    opening
        (n,) gap of the inner lips beyond rest, in inter-ocular distances, at 50 Hz.
    labels
        (n,) index of the phone that is heard; 0 is silence.
    usable
        (n,) rows in which the mouth is seen well. Default: all.
    """
    n = min(len(opening), len(labels))
    still: npt.NDArray[Any] = resting(labels[:n])
    if usable is not None:
        still &= usable[:n]
    opening = opening[:n]
    moves = int(moving(opening)[still].sum())
    return Leak(moves, int((opening[still] > STANDING).sum()), int(still.sum()))
