"""Draw the offset of a video's sound over time, before the limits of what is noticed."""

from __future__ import annotations

import math

import cv2
import numpy as np

from labial.chart import LEFT, RIGHT, WIDTH, Color, draw_times, line
from labial.checking.verdict import ACCEPTABLE, LIMITS, NOTICED, TRUSTED, SyncReport
from labial.sheet import EMPTY, FAINT, INK, PAPER, Image, plain, write

_HEIGHT, _TOP = 300, 118
_FINE, _ALLOWED = (226, 240, 228), (250, 240, 218)
_SURE, _UNSURE, _FIT = (28, 98, 186), (200, 205, 212), (196, 92, 24)
_STEPS = (0.05, 0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)


def draw_sync(report: SyncReport) -> Image:
    """Draw what a check found.

    Returns
    -------
    (h, w, 3) uint8 RGB: a dot for each stretch, the line that was fitted, and behind them what is
    not noticed (green) and what is still acceptable (yellow), by ITU-R BT.1359.
    """
    x0, x1, bottom = LEFT, WIDTH - RIGHT, _TOP + _HEIGHT
    page = np.full((bottom + 92, WIDTH, 3), PAPER, np.uint8)
    write(page, plain(report.video.name), (28, 38), INK, 0.8)
    write(page, plain(report.headline(), 130), (28, 70), INK, 0.6)
    if report.sound:
        write(page, plain(f"measured: {report.sound}", 130), (28, 94), FAINT, 0.48)
    low, high = _range(report)

    def row(seconds: float) -> int:
        return round(bottom - (seconds - low) / (high - low) * _HEIGHT)

    def column(seconds: float) -> float:
        return x0 + (x1 - x0) * seconds / max(report.seconds, 1e-6)

    page[_TOP:bottom, x0:x1] = 255
    for (early, late), color in ((ACCEPTABLE, _ALLOWED), (NOTICED, _FINE)):
        page[max(row(late), _TOP) : min(row(early), bottom), x0:x1] = color
    _levels(page, low, high, row)
    draw_times(page, report.seconds, (x0, x1, bottom))
    if report.offset is not None and report.verdict != "wanders":
        ends = [(column(t), row(report.at(t))) for t in (0.0, report.seconds)]
        line(page, np.array(ends), _FIT, 2)
    for window in report.windows:
        sure = window.confidence >= TRUSTED
        if low <= window.seconds <= high and (sure or report.verdict == "cannot tell"):
            at = round(column((window.begin + window.end) / 2)), row(window.seconds)
            cv2.circle(page, at, 4, _SURE if sure else _UNSURE, -1, cv2.LINE_AA)
    _legend(page, bottom + 50)
    return page


def _range(report: SyncReport) -> tuple[float, float]:
    """The lowest and the highest offset to show."""
    told = [w.seconds for w in report.windows if w.confidence >= TRUSTED]
    if report.offset is not None:
        told += [report.at(0), report.at(report.seconds)]
    return min([-0.15, *(v - 0.05 for v in told)]), max([0.25, *(v + 0.05 for v in told)])


def _levels(page: Image, low: float, high: float, row: object) -> None:
    assert callable(row)
    step = next((s for s in _STEPS if (high - low) / s <= 9), 20.0)
    for k in range(math.ceil(low / step), math.floor(high / step) + 1):
        y = row(k * step)
        cv2.line(page, (LEFT, y), (WIDTH - RIGHT, y), FAINT if not k else EMPTY, 1)
        write(page, f"{1000 * k * step:+.0f} ms" if k else "on time", (14, y + 5), FAINT, 0.45)
    write(page, "late", (WIDTH - RIGHT + 10, _TOP + 14), FAINT, 0.5)
    write(page, "early", (WIDTH - RIGHT + 10, _TOP + _HEIGHT - 6), FAINT, 0.5)


def _legend(page: Image, y: int) -> None:
    x = LEFT
    marks: tuple[tuple[str, Color], ...] = (
        ("not noticed", _FINE), ("acceptable", _ALLOWED),
    )  # fmt: skip
    for text, color in marks:
        page[y - 13 : y + 3, x : x + 22] = color
        x += 30 + write(page, text, (x + 30, y), INK, 0.48) + 26
    cv2.circle(page, (x + 10, y - 5), 4, _SURE, -1, cv2.LINE_AA)
    x += 30 + write(page, "a stretch on its own", (x + 30, y), INK, 0.48) + 26
    cv2.line(page, (x, y - 5), (x + 22, y - 5), _FIT, 2, cv2.LINE_AA)
    write(page, "all of them together", (x + 30, y), INK, 0.48)
    write(page, LIMITS, (LEFT, y + 26), FAINT, 0.45)
