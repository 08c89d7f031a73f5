"""How late a clip's sound is over time: one straight line through all that sound and mouth tell.

The rows of the two towers (see :mod:`labial.metrics.sync`) are compared once, at every lag, and
summed over short blocks. An offset with a drift is a straight line through blocks and lags; the
best one is looked for over all lines at once, as in a Hough transform (Duda and Hart, 1972), so
that what a single stretch leaves open is decided by all of them together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import as_strided, sliding_window_view

from labial.metrics.sync import LAGS, RATE, SCALE, Mask, summit, sureness
from labial.types import FloatArray

Rows = npt.NDArray[np.float64]

BLOCK = 25
"""Rows of 20 ms that are summed up."""
STEEPEST = 0.0025
"""Seconds a second by which the sound may drift, 150 ms a minute."""
NEAR = 3
"""Rows by which answers may differ and still be the same: 60 ms."""

# Blocks are brought together where the steepest line would pass less than half a row in them.
_COARSE_SECONDS = 4.0
# Errors of blocks this close to each other are not independent.
_GROUP_SECONDS = 2.0
_LEAST_GROUPS = 4
_LEAST_SPAN = 1e-3
_LEAST_VOTES = 3
# Offsets beyond 0.6 s are, all together, this much as likely as those within.
_FAR_SHARE = 0.25


@dataclass(frozen=True)
class Evidence:
    """What speaks for each lag, block by block.

    Parameters
    ----------
    score
        (blocks, lags) float32: agreement of a block's rows with the sound so many rows later, less
        that of these rows with any sound; 0 where there is no sound.
    rows
        (blocks,) rows in which the mouth was seen well.
    said
        (blocks,) of them, those in which somebody is heard speaking.
    """

    score: FloatArray
    rows: Rows
    said: Rows

    @property
    def reach(self) -> int:
        """The longest lag, in rows."""
        return int(self.score.shape[1] - 1) // 2

    @property
    def times(self) -> Rows:
        """(blocks,) seconds of their middles."""
        return np.asarray((np.arange(len(self.rows)) + 0.5) * BLOCK / RATE)


@dataclass(frozen=True)
class Line:
    """The sound's delay over time.

    Parameters
    ----------
    seconds
        By which the sound is late in the middle of what was seen, at ``middle``.
    drift
        Seconds by which it becomes later in a second.
    middle
        Seconds from the clip's first row.
    drift_error
        Standard error of ``drift``; infinite where there is too little to tell.
    confidence
        0..1: how sure it is that sound and mouth belong together, this far apart. Below about 0.55
        it is chance.
    """

    seconds: float
    drift: float
    middle: float
    drift_error: float
    confidence: float

    def at(self, times: Rows) -> Rows:
        """Seconds by which the sound is late, at some times."""
        return np.asarray(self.seconds + self.drift * (times - self.middle))


@dataclass(frozen=True)
class Window:
    """One stretch on its own: ``begin`` and ``end`` in seconds, its offset and its confidence."""

    begin: float
    end: float
    seconds: float
    confidence: float


def gather(
    heard: FloatArray, seen: FloatArray, usable: Mask, voice: FloatArray, reach: int
) -> Evidence:
    """Compare rows at every lag.

    Parameters
    ----------
    heard, seen
        (n, d) float32 rows of the towers at 50 Hz.
    usable
        (n,) rows in which the mouth was seen well.
    voice
        (n,) 0..1: whether somebody is heard.
    reach
        The longest lag to look at, in rows.
    """
    n, lags = len(seen), 2 * reach + 1
    blocks = -(-n // BLOCK)
    sound = np.zeros((blocks * BLOCK + 2 * reach, heard.shape[1]), np.float32)
    sound[reach : reach + n] = heard
    there = np.zeros(len(sound), np.float32)
    there[reach : reach + n] = 1
    mouth = np.zeros((blocks * BLOCK, seen.shape[1]), np.float32)
    mouth[:n] = seen * usable[:, None]
    counted = np.zeros(blocks * BLOCK, np.float32)
    counted[:n] = usable
    spoken = np.zeros(blocks * BLOCK)
    spoken[:n] = usable * voice[:n]
    score = np.zeros((blocks, lags), np.float32)
    for block in range(blocks):
        first = block * BLOCK
        rows, wide = slice(first, first + BLOCK), slice(first, first + BLOCK + 2 * reach)
        if not counted[rows].any():
            continue
        # Not by BLAS: its threads would wait for each other more than they work.
        every = np.einsum("id,jd->ij", mouth[rows], sound[wide])
        step, along = every.strides
        # Row i of the block meets lag k in column i + k.
        fit = as_strided(every, (BLOCK, lags), (step + along, along), writeable=False)
        known = sliding_window_view(there[wide], lags) * counted[rows, None]
        chance = fit.sum(1) / known.sum(1).clip(1)
        score[block] = fit.sum(0) - chance @ known
    return Evidence(score, _sums(counted), _sums(spoken))


def fit_line(evidence: Evidence, *, drifting: bool = True) -> Line | None:
    """Find the offset, and the drift, on which all blocks together agree best.

    Parameters
    ----------
    drifting
        False: the drift is 0.

    Returns
    -------
    Line or None
        None where no mouth was seen.
    """
    rows, times = evidence.rows, evidence.times
    total = float(rows.sum())
    if not total:
        return None
    middle = float(rows @ times) / total
    spread = math.sqrt(float(rows @ (times - middle) ** 2) / total)
    surface = _Surface(evidence.score, (times - middle) / max(spread, _LEAST_SPAN))
    free = drifting and spread > _LEAST_SPAN
    start = _coarse(evidence, middle, spread) if free else (_best(evidence), 0.0)
    offset, slope = surface.climb(*start, free)
    error = surface.slope_error(offset, slope) if free else 0.0
    scale = 1 / (RATE * max(spread, _LEAST_SPAN))
    return Line(
        offset / RATE,
        slope * scale,
        middle,
        error * scale,
        max(_sureness(evidence, surface.path(offset, slope)),
            _votes(evidence, surface.path(offset, slope))),
    )  # fmt: skip


def windows(evidence: Evidence, line: Line, seconds: float, hop: float) -> list[Window]:
    """Look at stretches on their own, each up to 0.6 s to both sides of the line.

    Parameters
    ----------
    seconds, hop
        Length of a stretch, and from one to the next.

    Returns
    -------
    list of Window
        Those in which a mouth was seen for half of the time.
    """
    found = []
    most = int(LAGS[-1])
    length, step = max(round(seconds * RATE / BLOCK), 1), max(round(hop * RATE / BLOCK), 1)
    for first in range(0, max(len(evidence.rows) - length, 0) + 1, step):
        part = slice(first, first + length)
        rows = float(evidence.rows[part].sum())
        if rows < length * BLOCK / 2:
            continue
        times = evidence.times[part]
        middle = round(float(line.at(times).mean()) * RATE)
        low = min(max(middle - most, -evidence.reach), evidence.reach - 2 * most)
        near = slice(low + evidence.reach, low + evidence.reach + 2 * most + 1)
        score = evidence.score[part, near].sum(0, dtype=np.float64) / rows
        best = int(score.argmax())
        at = (low + best + summit(score, best)) / RATE
        half = BLOCK / RATE / 2
        begin, end = float(times[0]) - half, float(times[-1]) + half
        found.append(Window(begin, end, at, sureness(score, best)))
    return found


class _Surface:
    """The sum of all blocks along a line, as a smooth function of its offset and slope.

    ``place`` (blocks,) is where they lie on the line: 0 in the middle, about -1 to 1. Offsets are
    in rows, slopes in rows a unit of ``place``.
    """

    def __init__(self, score: FloatArray, place: Rows) -> None:
        self._score, self._place = score, place
        self._rows = np.arange(len(score))
        self._reach = (score.shape[1] - 1) // 2

    def path(self, offset: float, slope: float) -> Rows:
        """(blocks,) lags on the line, in rows."""
        return np.asarray(offset + slope * self._place)

    def blocks(self, offset: float, slope: float) -> Rows:
        """(blocks,) of each what speaks for the line; cubic (Catmull-Rom) between two lags."""
        last = 2 * self._reach
        at = np.clip(self.path(offset, slope) + self._reach, 0, last)
        left = np.minimum(np.floor(at).astype(np.intp), last - 1)
        u = at - left
        p0, p1, p2, p3 = (
            self._score[self._rows, np.clip(left + k, 0, last)].astype(np.float64)
            for k in (-1, 0, 1, 2)
        )
        bend = 2 * p0 - 5 * p1 + 4 * p2 - p3 + u * (3 * (p1 - p2) + p3 - p0)
        return np.asarray(p1 + 0.5 * u * (p2 - p0 + u * bend))

    def climb(self, offset: float, slope: float, free: bool) -> tuple[float, float]:
        """Go up to the top from a point near it."""
        steps = [(a, b) for a in (0, -1, 1) for b in ((0, -1, 1) if free else (0,))]
        size = 1.0
        while size > 1e-3:
            heights = [self.blocks(offset + a * size, slope + b * size).sum() for a, b in steps]
            a, b = steps[int(np.argmax(heights))]
            if a or b:
                offset, slope = offset + a * size, slope + b * size
            else:
                size /= 2
        # The top of a parabola over a row to each side is steadier than that of the curve.
        moved = self._parabola(offset, slope, free)[0]
        if np.abs(moved).max() < 1:
            offset, slope = offset + float(moved[0]), slope + float(moved[1])
        return offset, slope

    def slope_error(self, offset: float, slope: float) -> float:
        """Standard error of the slope, from how much stretches of the clip contradict each other.

        The sandwich of Huber (1967): curvature of the whole, scatter of its parts.
        """
        per = round(_GROUP_SECONDS * RATE / BLOCK)
        edges = np.arange(0, len(self._rows), per)
        used = int((np.add.reduceat(np.abs(self._score).sum(1), edges) > 0).sum())
        if used < _LEAST_GROUPS:
            return math.inf
        curve = self._parabola(offset, slope, True)[1]
        if not (np.linalg.eigvalsh(curve) < 0).all():
            return math.inf
        pull = np.stack([
            (self.blocks(offset + a, slope + b) - self.blocks(offset - a, slope - b)) / 2
            for a, b in ((1, 0), (0, 1))
        ], 1)  # fmt: skip
        parts = np.add.reduceat(pull, edges)
        bread = np.linalg.inv(curve)
        spread = bread @ (parts.T @ parts) @ bread * used / (used - 2)
        return math.sqrt(float(spread[1, 1]))

    def _parabola(self, offset: float, slope: float, free: bool) -> tuple[Rows, Rows]:
        """Where the top lies from here, (2,), and the second derivatives there, (2, 2)."""
        side = np.linspace(-1, 1, 5)
        a, b = (m.ravel() for m in np.meshgrid(side, side if free else [0.0], indexing="ij"))
        height = [self.blocks(offset + x, slope + y).sum() for x, y in zip(a, b, strict=True)]
        terms = [np.ones(len(a)), a, a * a] + ([b, b * b, a * b] if free else [])
        fit = np.linalg.lstsq(np.stack(terms, 1), np.array(height), rcond=None)[0]
        if not free:
            return np.array([-fit[1] / min(2 * fit[2], -1e-9), 0.0]), np.diag([2 * fit[2], -1.0])
        curve = np.array([[2 * fit[2], fit[5]], [fit[5], 2 * fit[4]]])
        if not (np.linalg.eigvalsh(curve) < 0).all():
            return np.zeros(2), curve
        return -np.linalg.solve(curve, fit[[1, 3]]), curve


def _best(evidence: Evidence) -> float:
    return float(evidence.score.sum(0, dtype=np.float64).argmax() - evidence.reach)


def _coarse(evidence: Evidence, middle: float, spread: float) -> tuple[float, float]:
    """The best line on whole rows: its offset, and its slope in rows a ``spread``."""
    per = max(round(_COARSE_SECONDS * RATE / BLOCK), 1)
    edges = np.arange(0, len(evidence.rows), per)
    score = np.add.reduceat(evidence.score, edges)
    place = (np.add.reduceat(evidence.times, edges) / np.diff([*edges, len(evidence.rows)])
             - middle) / spread  # fmt: skip
    lags = score.shape[1]
    most = math.ceil(STEEPEST * spread * RATE)
    best = (-math.inf, 0.0, 0.0)
    for slope in range(-most, most + 1):
        total = np.zeros(lags)
        for row, k in zip(score, np.rint(slope * place).astype(int), strict=True):
            if abs(k) < lags:
                total[max(-k, 0) : lags - max(k, 0)] += row[max(k, 0) : lags + min(k, 0)]
        top = int(total.argmax())
        best = max(best, (float(total[top]), float(top - evidence.reach), float(slope)))
    return best[1], best[2]


def _sureness(evidence: Evidence, path: Rows) -> float:
    """The share of a line's own offset among all that are parallel to it; see ``offset_of``."""
    lags, rows = evidence.score.shape[1], float(evidence.rows.sum())
    total = np.zeros(lags)
    for row, lag in zip(evidence.score, np.rint(path).astype(int), strict=True):
        # Column ``reach`` is the line itself.
        if abs(lag) < lags:
            total[max(-lag, 0) : lags - max(lag, 0)] += row[max(lag, 0) : lags + min(lag, 0)]
    # Seen from the line, column k is the offset of its middle and k more.
    offsets: Rows = np.arange(lags) - evidence.reach + np.float64(path.mean())
    score: Rows = total / rows + _prior(offsets) / SCALE
    return sureness(score, evidence.reach)


def _prior(lags: Rows) -> Rows:
    """Log of how likely offsets are beforehand: those far away are rare, however many they are."""
    far = np.abs(lags) > LAGS[-1]
    many = far.sum() / max((~far).sum(), 1)
    return np.asarray(np.where(far, math.log(_FAR_SHARE / max(many, _FAR_SHARE)), 0.0))


def _votes(evidence: Evidence, path: Rows, seconds: float = 5.0) -> float:
    """How sure stretches are that elect their lag each on their own, where many say the same.

    In a film in which a face is seen that speaks now and then, agreement is low on average. One
    minus the chance that so many votes would fall on any line.
    """
    per = round(seconds * RATE / BLOCK)
    lags = evidence.score.shape[1]
    votes = asked = 0
    for first in range(0, len(path) - per + 1, per):
        part = slice(first, first + per)
        if evidence.said[part].sum() < per * BLOCK / 4:
            continue
        best = int(evidence.score[part].sum(0).argmax()) - evidence.reach
        asked += 1
        votes += abs(best - float(path[part].mean())) <= NEAR
    if votes < _LEAST_VOTES:
        return 0.0
    share = (2 * NEAR + 1) / lags
    lines = (1 + 2 * STEEPEST * len(path) * BLOCK / 2 / NEAR) / share
    return max(0.0, 1 - float(lines) * _at_least(votes, asked, share))


def _at_least(votes: int, asked: int, share: float) -> float:
    """Chance of so many votes or more of those asked, of which each is given with chance share."""
    return sum(
        math.exp(
            math.lgamma(asked + 1) - math.lgamma(k + 1) - math.lgamma(asked - k + 1)
            + k * math.log(share) + (asked - k) * math.log1p(-share)
        )
        for k in range(votes, asked + 1)
    )  # fmt: skip


def _sums(rows: npt.NDArray[np.floating]) -> Rows:
    return np.asarray(rows.reshape(-1, BLOCK).sum(1), np.float64)
