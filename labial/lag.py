"""How far a clip's sound lies behind its mouth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Curve: TypeAlias = npt.NDArray[np.float64]

_STEP_SECONDS = 0.01
_LAG_SECONDS, _LEAST_SECONDS = 0.30, 3.0
# Below this correlation, or with halves of the clip that differ by more, a lag is chance.
_LAG_CERTAIN, _LAG_ALIKE = 0.35, 0.08


@dataclass(frozen=True)
class Lag:
    """Seconds by which the sound comes after the mouth, and the correlation r found there."""

    seconds: float
    r: float


def estimate_lag(times: Curve, opening: Curve, heard_times: Curve, heard: Curve) -> Lag | None:
    """Estimate how far a clip's sound lies behind its mouth.

    The lag at which the two openings correlate best, within ± 300 ms, both without what is slower
    than a second.

    Parameters
    ----------
    times, opening
        (n,) seconds, and inner-lip gap as seen; NaN where it is not known.
    heard_times, heard
        (m,) seconds, and inner-lip gap that the sound lets expect. Loudness does not do here: it
        follows a mouth too loosely to be told from chance in a few seconds.

    Returns
    -------
    Lag, or None where there are less than 3 s to compare or the two have too little in common.
    """
    known = np.isfinite(opening)
    if not known.any() or not len(heard):
        return None
    grid = np.arange(max(0.0, heard_times[0]), min(times[-1], heard_times[-1]), _STEP_SECONDS)
    n, most = len(grid), round(_LAG_SECONDS / _STEP_SECONDS)
    valid = known[np.searchsorted(times, grid).clip(0, len(times) - 1)]
    if valid.sum() < _LEAST_SECONDS / _STEP_SECONDS:
        return None
    seen = _quick(np.interp(grid, times[known], opening[known]), valid)
    wanted = _quick(np.interp(grid, heard_times, heard), np.ones(n, bool))
    halves = []
    for part in (slice(most, n // 2), slice(n // 2, n - most)):
        shifts = range(part.start - most, part.start + most + 1)
        halves.append(np.array([_r(seen[part], wanted, valid[part], k) for k in shifts]))
    both = (halves[0] + halves[1]) / 2
    peak = int(both.argmax())
    apart = abs(int(halves[0].argmax()) - int(halves[1].argmax())) * _STEP_SECONDS
    if both[peak] < _LAG_CERTAIN or peak in (0, 2 * most) or apart > _LAG_ALIKE:
        return None
    return Lag((peak - most) * _STEP_SECONDS, float(both[peak]))


def _quick(curve: Curve, valid: npt.NDArray[np.bool_]) -> Curve:
    """What is left of a curve without its mean over the second around it."""
    width = min(round(1 / _STEP_SECONDS) | 1, len(curve))
    taps = np.ones(width)
    total = np.convolve(np.where(valid, curve, 0), taps, "same")
    return np.asarray(curve - total / np.maximum(np.convolve(valid, taps, "same"), 1))


def _r(seen: Curve, heard: Curve, valid: npt.NDArray[np.bool_], start: int) -> float:
    """Correlation of a stretch of one curve with the other one from ``start`` on."""
    a, b = seen[valid], heard[start : start + len(seen)][valid]
    if len(a) < 50 or a.std() < 1e-6 or b.std() < 1e-6:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])
