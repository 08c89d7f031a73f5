"""Curves over time as SVG: how the mouth opens against the speech, and the offset."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from labial.checking.verdict import NOTICED
from labial.clip import CERTAIN, Clip
from labial.evaluating.spoken import Spoken
from labial.metrics.closure import runs
from labial.metrics.drift import Window
from labial.metrics.sync import RATE
from labial.report.moments import Moment

Curve = npt.NDArray[np.floating]
WIDTH, HEIGHT = 1200, 220
_LEFT, _RIGHT, _BOTTOM, _TOP = 64, 1188, 26, 10
_POINTS = 900
_PLAIN = "#b0b0ac"
_MADE, _WANTED, _SHADE, _WRONG = "#1c62ba", "#e28e2c", "#ececea", "#c45c18"


def opening_curve(clip: Clip, spoken: Spoken, moments: Sequence[Moment]) -> str:
    """Draw the opening that is seen over the one that the speech asks for."""
    rows = np.arange(len(spoken.wanted)) / RATE
    seen = np.where(spoken.usable, spoken.opening, np.nan)
    known = seen[np.isfinite(seen)]
    high = max(float(known.max()) if len(known) else 0.0, float(spoken.wanted.max()), 0.1) * 1.05
    chart = _Chart(max(clip.seconds, 0.1), (0.0, high))
    silent = runs(spoken.voice.astype(int), [0])
    chart.shade([(a / RATE, b / RATE) for a, b in silent], "nobody speaks")
    chart.grid([round(high * k / 3, 2) for k in range(1, 4)], "{:.2f}")
    chart.curve(rows, spoken.wanted, _WANTED, "what the speech asks of an average speaker")
    chart.curve(rows, seen, _MADE, "what is seen")
    chart.marks([moment.seconds for moment in moments], [moment.words for moment in moments])
    return chart.svg("Opening of the mouth in eye distances, over seconds")


def offset_curve(clip: Clip, offsets: Sequence[Window]) -> str:
    """Draw the offset in windows; what is not sure is faint."""
    known = [1000 * each.seconds for each in offsets if each.confidence > CERTAIN]
    low, high = min([-150.0, *known]), max([200.0, *known])
    chart = _Chart(max(clip.seconds, 0.1), (low * 1.1, high * 1.1))
    chart.band((1000 * NOTICED[0], 1000 * NOTICED[1]), "not noticed by most people")
    chart.grid([-100, 0, 100, 200], "{:+.0f}")
    for each in offsets:
        chart.dot((each.begin + each.end) / 2, 1000 * each.seconds, each.confidence)
    return chart.svg("Milliseconds by which the sound comes after the mouth, over seconds")


class _Chart:
    """One drawing in the making; x in seconds, y in its own unit."""

    def __init__(self, seconds: float, limits: tuple[float, float]) -> None:
        self._seconds, (self._low, self._high) = seconds, limits
        self._parts: list[str] = []
        self._front: list[str] = []
        step = next(s for s in (0.5, 1, 2, 5, 10, 30, 60, 300, 600, 3600) if seconds / s <= 16)
        for k in range(int(seconds / step) + 1):
            x = self._x(k * step)
            self._parts.append(
                f'<text x="{x:.1f}" y="{HEIGHT - 6}" text-anchor="middle">{k * step:g}</text>'
            )

    def shade(self, spans: Iterable[tuple[float, float]], words: str) -> None:
        """Shade stretches of time."""
        for a, b in spans:
            x, wide = self._x(a), self._x(b) - self._x(a)
            high = HEIGHT - _BOTTOM - _TOP
            self._parts.append(
                f'<rect x="{x:.1f}" y="{_TOP}" width="{wide:.1f}" height="{high}" '
                f'fill="{_SHADE}"><title>{html.escape(words)}</title></rect>'
            )

    def band(self, limits: tuple[float, float], words: str) -> None:
        """Shade a range of values."""
        top, bottom = self._y(limits[1]), self._y(limits[0])
        self._parts.append(
            f'<rect x="{_LEFT}" y="{top:.1f}" width="{_RIGHT - _LEFT}" '
            f'height="{bottom - top:.1f}" fill="#e3f0e6"><title>{html.escape(words)}</title></rect>'
        )

    def grid(self, values: Iterable[float], form: str) -> None:
        """Draw lines at some values, with their numbers."""
        for value in values:
            if not self._low <= value <= self._high:
                continue
            y = self._y(value)
            self._parts.append(
                f'<path d="M{_LEFT} {y:.1f}H{_RIGHT}" stroke="{_PLAIN}" stroke-width=".5"/>'
                f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">'
                f"{form.format(value)}</text>"
            )

    def curve(self, x: Curve, y: Curve, color: str, words: str) -> None:
        """Draw a curve with gaps at NaN, thinned to its lowest and highest where it is long."""
        points: list[str] = []
        pen = "M"
        for k in np.array_split(np.arange(len(x)), min(len(x), _POINTS)):
            part = y[k]
            good = np.isfinite(part)
            if not good.any():
                pen = "M"
                continue
            ends = sorted({int(np.nanargmin(part)), int(np.nanargmax(part))})
            for i in ends:
                points.append(f"{pen}{self._x(x[k[i]]):.1f} {self._y(part[i]):.1f}")
                pen = "L"
        self._parts.append(
            f'<path d="{"".join(points)}" fill="none" stroke="{color}" stroke-width="1.6">'
            f"<title>{html.escape(words)}</title></path>"
        )

    def marks(self, seconds: Iterable[float], words: Iterable[str]) -> None:
        """Mark moments on the time axis."""
        for at, text in zip(seconds, words, strict=True):
            x = self._x(at)
            self._front.append(
                f'<path d="M{x:.1f} {_TOP}V{HEIGHT - _BOTTOM}" stroke="{_WRONG}" '
                f'stroke-dasharray="3 3" data-time="{at:.3f}"><title>{html.escape(text)}</title>'
                "</path>"
            )

    def dot(self, x: float, y: float, sure: float) -> None:
        """Draw one value, the fainter the less sure it is."""
        y = min(max(y, self._low), self._high)
        self._front.append(
            f'<circle cx="{self._x(x):.1f}" cy="{self._y(y):.1f}" r="4.5" fill="{_MADE}" '
            f'fill-opacity="{0.15 + 0.85 * sure:.2f}"><title>{y:+.0f} ms, {sure:.0%} sure</title>'
            "</circle>"
        )

    def svg(self, title: str) -> str:
        """Return the drawing."""
        return (
            f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{html.escape(title)}" '
            f'data-seconds="{self._seconds:.3f}" data-left="{_LEFT}" data-right="{_RIGHT}">'
            + "".join(self._parts)
            + "".join(self._front)
            + f'<path class="now" d="M{_LEFT} {_TOP}V{HEIGHT - _BOTTOM}"/></svg>'
        )

    def _x(self, seconds: float) -> float:
        return _LEFT + (_RIGHT - _LEFT) * seconds / self._seconds

    def _y(self, value: float) -> float:
        share = (value - self._low) / (self._high - self._low)
        return HEIGHT - _BOTTOM - share * (HEIGHT - _BOTTOM - _TOP)
