"""Does the mouth go along with what is said, and as far as it should? Arrays → numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from labial.metrics.closure import Curve, Mask
from labial.metrics.sync import RATE, summit

MAX_LAG = 6
_LEAST_ROWS = 25


def correlation(a: Curve, b: Curve) -> float:
    """Pearson's correlation of two curves (n,), -1..1; 0 where one of them stands still."""
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / max(np.sqrt((a**2).sum() * (b**2).sum()), 1e-9))


def lag_of(got: Curve, want: Curve, usable: Mask, most: int = MAX_LAG) -> tuple[float, float]:
    """Find the lag at which two curves go along best.

    Parameters
    ----------
    got, want
        (n,) curves on one clock of 50 Hz.
    usable
        (n,) rows of ``want`` that count.
    most
        No more rows are tried either way.

    Returns
    -------
    Seconds by which ``want`` is later than ``got``, finer than a row, and the correlation there,
    -1..1; -1 where fewer than 26 rows can be used.
    """
    n = len(got)
    scores = []
    for lag in range(-most, most + 1):
        here = slice(max(-lag, 0), n - max(lag, 0))
        there = slice(max(lag, 0), n - max(-lag, 0))
        ok = usable[there]
        enough = ok.sum() > _LEAST_ROWS
        scores.append(correlation(got[here][ok], want[there][ok]) if enough else -1.0)
    best = int(np.argmax(scores))
    return (best - most + summit(np.array(scores), best)) / RATE, max(scores)


def range_ratio(got: Curve, want: Curve) -> float:
    """Spread of one curve ÷ that of another, 0 and up; 1 moves as far, less mumbles.

    Parameters
    ----------
    got, want
        (n,) openings in one unit; the rows in which somebody speaks.
    """
    return float(np.std(got) / max(float(np.std(want)), 1e-9))


def lip_distance(got: npt.NDArray[np.floating[Any]], want: npt.NDArray[np.floating[Any]]) -> float:
    """Mean distance of lip landmarks from where they are in the reference, 0 and up.

    Parameters
    ----------
    got, want
        (n, points, 2 or 3) lips of the same words, in face space (unit: distance of the outer eye
        corners), so that neither size nor pose of the head counts.

    Notes
    -----
    The landmark distance (LMD) of Chen et al., "Lip movements generation at a glance", ECCV 2018,
    which is in pixels, with the head's pose taken out.
    """
    if got.shape != want.shape:
        raise ValueError(f"lips of {got.shape} and {want.shape}")
    return float(np.linalg.norm(got - want, axis=-1).mean())
