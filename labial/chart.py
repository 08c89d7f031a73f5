"""Draw a clip over time: mouth opening, loudness, and the stretches that cannot be re-synced."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from labial.audio.loudness import BIN_SECONDS, FLOOR_DB
from labial.clip import Clip
from labial.sheet import EMPTY, FAINT, INK, Image, plain, write

Color: TypeAlias = tuple[int, int, int]

WIDTH, HEIGHT = 1400, 250
LEFT, RIGHT = 96, 84
_BANDS = 400
_MOUTH, _SOUND = (28, 98, 186), (226, 142, 44)
REASONS: dict[str, Color] = {
    "no face": (150, 150, 150),
    "turned away": (150, 110, 200),
    "mouth out of frame": (205, 110, 110),
    "too small": (190, 165, 70),
    "mouth covered": (120, 165, 95),
    "blurred": (95, 145, 190),
    "chin out of frame": (225, 150, 130),
    "dissolve": (185, 135, 160),
}
_OTHER: Color = (110, 160, 160)


def line(
    image: Image, points: npt.NDArray[np.floating], color: Color, weight: int, closed: bool = False
) -> None:
    """Draw a smooth line through ``points`` (n, 2), x and y in pixels of ``image``."""
    fixed = np.rint(np.asarray(points, np.float64) * 16).astype(np.int32)
    cv2.polylines(image, [fixed], closed, color, weight, cv2.LINE_AA, 4)


def tint(reason: str) -> Color:
    """Colour of what is left as it is for this reason."""
    red, green, blue = (round(0.4 * v + 0.6 * 255) for v in REASONS.get(reason, _OTHER))
    return red, green, blue


def draw_chart(page: Image, clip: Clip, top: int, shown: list[int]) -> None:
    """Draw mouth opening and loudness over one time axis, on what cannot be re-synced.

    Parameters
    ----------
    page
        (≥ top + HEIGHT + 62, WIDTH, 3) uint8 RGB to draw on.
    clip
        What to draw; some face must have been seen in it.
    top
        Row of the chart's upper edge; marks reach 11 rows above it.
    shown
        Indices of the frames to mark.
    """
    x0, x1, y1 = LEFT, WIDTH - RIGHT, top + HEIGHT
    scale = (x1 - x0) / max(clip.seconds, 1e-6)
    page[top:y1, x0:x1] = 255
    reasons = _shade(page, clip, (x0, top, y1), scale)
    peak = float(np.nanmax(clip.opening))
    # Heights whose quarters are round.
    high = next((v for v in (0.2, 0.4, 0.6, 0.8, 1.2, 1.6, 2.4) if v > peak), peak)
    for k in range(5):
        y = y1 - round(k / 4 * HEIGHT)
        cv2.line(page, (x0, y), (x1, y), EMPTY, 1)
        _right(page, f"{high * k / 4:.2f}", (x0 - 10, y + 5), _MOUTH)
        if clip.loudness is not None:
            write(page, f"{FLOOR_DB * (4 - k) / 4 + 0.0:.0f} dB", (x1 + 8, y + 5), _SOUND, 0.45)
    draw_times(page, clip.seconds, (x0, x1, y1))
    if clip.loudness is not None:
        levels = clip.loudness[: max(int(clip.seconds / BIN_SECONDS), 1)]
        # Long clips show phrases, where short ones show syllables.
        width = min(max(1, round(clip.seconds / _BANDS / BIN_SECONDS)), len(levels))
        levels = FLOOR_DB + np.convolve(levels - FLOOR_DB, np.ones(width) / width, "same")
        at = x0 + np.arange(len(levels)) * BIN_SECONDS * scale
        _curve(page, at, y1 + (levels - FLOOR_DB) / FLOOR_DB * HEIGHT, _SOUND, 1)
    at = x0 + clip.times * scale
    _curve(page, at, y1 - clip.opening / high * HEIGHT, _MOUTH, 2 if clip.seconds < 25 else 1)
    for track in clip.tracks[1:]:
        x = round(x0 + clip.times[track.start] * scale)
        for y in range(top, y1, 10):
            cv2.line(page, (x, y), (x, min(y + 5, y1)), INK, 1)
    for index in shown:
        x = round(x0 + clip.times[index] * scale)
        corners = np.array([[x - 6, top - 11], [x + 6, top - 11], [x, top - 2]], np.int32)
        cv2.fillPoly(page, [corners], FAINT, cv2.LINE_AA)
    _legend(page, clip, reasons, y1 + 46)


def draw_times(page: Image, seconds: float, at: tuple[int, int, int]) -> None:
    """Draw marks of time below an axis.

    Parameters
    ----------
    page
        (h, w, 3) uint8 RGB to draw on.
    seconds
        The axis' length.
    at
        Its left and right ends' columns, and its row; the marks take 22 rows below it.
    """
    x0, x1, y = at
    step = next(s for s in _ticks() if seconds / s <= 14)
    for k in range(int(seconds / step) + 1):
        x = round(x0 + k * step * (x1 - x0) / max(seconds, 1e-6))
        cv2.line(page, (x, y), (x, y + 5), FAINT, 1)
        write(page, _clock(k * step, step), (x - 8, y + 22), FAINT, 0.45)


def _shade(page: Image, clip: Clip, at: tuple[int, int, int], scale: float) -> list[str]:
    """Fill the stretches that cannot be re-synced; return their reasons, commonest first."""
    x0, top, bottom = at
    bad = clip.quality <= 0
    edges = np.append(clip.times, clip.seconds)
    starts = np.flatnonzero(bad & np.append(True, clip.reasons[1:] != clip.reasons[:-1]) | bad
                            & ~np.append(False, bad[:-1]))  # fmt: skip
    for start in starts:
        stop = start
        while stop < len(bad) and bad[stop] and clip.reasons[stop] == clip.reasons[start]:
            stop += 1
        left, right = round(x0 + edges[start] * scale), round(x0 + edges[stop] * scale)
        page[top:bottom, left : max(right, left + 2)] = tint(str(clip.reasons[start]))
    return [reason for reason, _ in Counter(map(str, clip.reasons[bad])).most_common()]


def _legend(page: Image, clip: Clip, reasons: list[str], y: int) -> None:
    x = LEFT
    lines = [("mouth opening, in eye distances", _MOUTH)]
    if clip.loudness is not None:
        lines.append(("loudness of the clip's own sound", _SOUND))
    for text, color in lines:
        cv2.line(page, (x, y - 5), (x + 22, y - 5), color, 2, cv2.LINE_AA)
        x += 30 + write(page, text, (x + 30, y), INK, 0.48) + 26
    for reason in reasons:
        page[y - 13 : y + 3, x : x + 22] = tint(reason)
        x += 30 + write(page, plain(reason), (x + 30, y), INK, 0.48) + 26
    if len(clip.tracks) > 1:
        for k in range(0, 16, 6):
            cv2.line(page, (x + 10, y - 13 + k), (x + 10, y - 10 + k), INK, 1)
        write(page, "a face comes", (x + 20, y), INK, 0.48)


def _curve(
    page: Image,
    x: npt.NDArray[np.floating],
    y: npt.NDArray[np.floating],
    color: Color,
    weight: int,
) -> None:
    """Draw a curve with gaps at NaN; of many points on one column, the lowest and highest."""
    column = np.floor(x).astype(int)
    if len(x) > 2 * len(np.unique(column)):
        points: list[tuple[float, float]] = []
        for c in np.unique(column):
            part = y[column == c]
            known = part[np.isfinite(part)]
            if len(known):
                points += [(c, known.min()), (c, known.max())]
            else:
                points.append((c, np.nan))
        x, y = np.array(points).T
    for run in np.split(np.arange(len(y)), np.flatnonzero(np.diff(np.isfinite(y))) + 1):
        if len(run) and np.isfinite(y[run[0]]):
            line(page, np.stack([x[run], y[run]], 1), color, weight)


def _ticks() -> Iterator[float]:
    yield from (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800)
    hour = 3600.0
    while True:
        yield hour
        hour *= 2


def _clock(seconds: float, step: float) -> str:
    if seconds < 60 and step < 60:
        return f"{seconds:.1f}" if step < 1 else f"{seconds:.0f} s"
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def _right(page: Image, text: str, at: tuple[int, int], color: Color) -> None:
    (width, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.45, 1)
    write(page, text, (at[0] - width, at[1]), color, 0.45)
