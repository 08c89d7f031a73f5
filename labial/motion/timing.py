"""Read motion off its own clock at any picture's own time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from labial.types import FloatArray, MouthMotion

EASE_SECONDS = 0.12


def sample(
    motion: MouthMotion, times_seconds: npt.NDArray[np.float64], rest: FloatArray | None = None
) -> FloatArray:
    """Return the mouth at ``times_seconds`` of the speech.

    Parameters
    ----------
    motion
        Rows at ``i / rate`` seconds.
    times_seconds
        (n,) float64, in any order; compute them from integer pts, not by adding up.
    rest
        (K,) the resting mouth; default 0, the neutral.

    Returns
    -------
    (n, K) float32. Between rows: cubic Hermite (Catmull-Rom), which passes through every row and
    so keeps peaks and closures. Before the first and after the last row the mouth eases to rest
    within ``EASE_SECONDS``.
    """
    times = np.asarray(times_seconds, np.float64)
    rows = motion.coefficients
    still = np.zeros(rows.shape[1]) if rest is None else rest.astype(np.float64)
    if len(rows) == 0:
        return np.repeat(still[None].astype(np.float32), len(times), 0)
    last = len(rows) - 1
    position = times * motion.rate
    beyond = np.maximum(-position, position - last) / (EASE_SECONDS * motion.rate)
    position = np.clip(position, 0, last)
    left = np.minimum(np.floor(position).astype(np.int64), max(last - 1, 0))
    u = (position - left)[:, None]
    p0, p1, p2, p3 = (rows[np.clip(left + k, 0, last)].astype(np.float64) for k in (-1, 0, 1, 2))
    slope1, slope2 = (p2 - p0) / 2, (p3 - p1) / 2
    u2, u3 = u * u, u * u * u
    value = (
        (2 * u3 - 3 * u2 + 1) * p1
        + (u3 - 2 * u2 + u) * slope1
        + (3 * u2 - 2 * u3) * p2
        + (u3 - u2) * slope2
    )
    return np.asarray(still + (value - still) * _ease(beyond)[:, None], np.float32)


def frame_rate(times_seconds: npt.NDArray[np.float64]) -> float:
    """Mean frames a second of (n,) times in order; 25 where there is only one."""
    n = len(times_seconds)
    return (n - 1) / max(float(times_seconds[-1] - times_seconds[0]), 1e-6) if n > 1 else 25.0


def frame_step(times_seconds: npt.NDArray[np.float64]) -> float:
    """Median seconds from one of (n,) times in order to the next; .04 where there is only one."""
    return float(np.median(np.diff(times_seconds))) if len(times_seconds) > 1 else 0.04


def _ease(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """1 at x ≤ 0, 0 at x ≥ 1, smooth (3x² - 2x³) between."""
    x = np.clip(x, 0, 1)
    return 1 - x * x * (3 - 2 * x)
