"""Show what Labial sees in a clip, before anything is dubbed.

Frames with the mesh drawn in, how far the mouth opens over time beside how loud the clip's own
sound is, and in plain words what will work and what will not.
"""

from __future__ import annotations

import base64
import html
import os
from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from labial import geometry
from labial.audio.load import load_speech
from labial.errors import FaceError, OptionError, SpeechError, WriteError
from labial.face.track import FaceTracker
from labial.media.picture import write_png
from labial.media.probe import MediaInfo
from labial.media.read import VideoReader, open_sound, sound
from labial.motion.predict import predict_motion
from labial.motion.space import load_basis
from labial.sheet import (
    EMPTY,
    FAINT,
    INK,
    PAPER,
    Hook,
    Image,
    cut,
    plain,
    upright_points,
    window,
    write,
)
from labial.types import FaceTrack, Frame

Curve: TypeAlias = npt.NDArray[np.float64]
Color: TypeAlias = tuple[int, int, int]

BIN_SECONDS = 0.01
# An inner-lip gap beyond this, in inter-ocular distances, shows teeth or tongue.
OPEN = 0.06
SMALL_PIXELS = 40.0
_LAG_SECONDS, _LEAST_SECONDS = 0.30, 3.0
# Below this correlation, or with halves of the clip that differ by more, a lag is chance.
_LAG_CERTAIN, _LAG_ALIKE = 0.35, 0.08
# People notice sound that is this much early or late (ITU-R BT.1359).
_EARLY, _LATE = 0.045, 0.125
_FLOOR_DB, _SILENT_DB = -60.0, -55.0
_ROWS = 4096

_WIDTH, _EDGE, _FRAMES, _GAP = 1400, 28, 5, 8
_TILE = (_WIDTH - 2 * _EDGE - (_FRAMES - 1) * _GAP) // _FRAMES
_LEFT, _RIGHT, _CHART = 92, 84, 250
_BANDS = 400
_MOUTH, _SOUND = (28, 98, 186), (226, 142, 44)
_GOOD, _CAUTION = (38, 138, 76), (196, 92, 24)
_REASONS: dict[str, Color] = {
    "no face": (150, 150, 150),
    "turned away": (150, 110, 200),
    "mouth out of frame": (205, 110, 110),
    "too small": (190, 165, 70),
}
_OTHER: Color = (110, 160, 160)

_OUTLINES: tuple[tuple[tuple[int, ...], bool, Color], ...] = (
    (geometry.FACE_OVAL, True, (120, 220, 255)),
    ((33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7), True,
     (150, 255, 150)),
    ((263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249), True,
     (150, 255, 150)),
    ((70, 63, 105, 66, 107), False, (120, 220, 255)),
    ((300, 293, 334, 296, 336), False, (120, 220, 255)),
    ((*geometry.OUTER_UPPER, *geometry.OUTER_LOWER[-2:0:-1]), True, (255, 120, 150)),
    ((*geometry.INNER_UPPER, *geometry.INNER_LOWER[-2:0:-1]), True, (255, 235, 90)),
)  # fmt: skip
_AXES: tuple[Color, ...] = ((255, 70, 60), (70, 220, 80), (80, 140, 255))


@dataclass(frozen=True)
class _Clip:
    """All numbers of a clip, one row a frame; ``opening`` is NaN where no face was seen."""

    media: MediaInfo
    tracks: list[FaceTrack]
    times: Curve
    opening: Curve
    quality: Curve
    reasons: npt.NDArray[np.object_]
    loudness: Curve | None
    """dB of full scale, one value each ``BIN_SECONDS`` from the first frame on."""
    sound_start: float
    """Seconds between the first frame and the first sample."""
    skipped: int

    @property
    def seconds(self) -> float:
        """Length with the last frame."""
        step = self.times[-1] / (len(self.times) - 1) if len(self.times) > 1 else 0.04
        return float(self.times[-1] + step)

    def track_of(self, index: int) -> tuple[FaceTrack, int]:
        """The track that holds a frame, and the frame's row in it."""
        track = next(t for t in self.tracks if index < t.start + len(t))
        return track, index - track.start


@dataclass(frozen=True)
class Lag:
    """Seconds by which the sound comes after the mouth, and the correlation r found there."""

    seconds: float
    r: float


def inspect_clip(
    video: str | os.PathLike[str], out: str | os.PathLike[str], hook: Hook | None = None
) -> Path:
    """Look at a clip as a dub would, and write what was seen as a picture or a page.

    Parameters
    ----------
    video
        Clip with a face.
    out
        ``.png``: one picture. ``.html``: one page that holds the picture and the numbers of each
        shot.
    hook
        Called as ``hook(stage, done, total)`` after each frame.

    Returns
    -------
    Path
        ``out``.

    Raises
    ------
    OptionError
        ``out`` ends in something else.
    ReadError
        The clip cannot be read.
    FaceError
        There is no face in it.
    WriteError
        ``out`` cannot be written.
    """
    target = Path(out)
    kind = target.suffix.lower()
    if kind not in (".png", ".html"):
        raise OptionError(f"cannot write {target}: name it .png for a picture, .html for a page")
    if not target.absolute().parent.is_dir():
        raise WriteError(f"cannot write {target}: there is no folder {target.absolute().parent}")
    tell = hook or (lambda stage, done, total: None)
    clip = _look(video, tell)
    if not np.isfinite(clip.opening).any():
        raise FaceError(
            f"no face found in {video} ({len(clip.times)} frames): give a clip with a face that "
            "is seen from the front"
        )
    page = _draw(clip, _pictures(video, clip, tell), _lag(video, clip))
    if kind == ".png":
        write_png(target, page)
    else:
        _write_page(target, page, clip)
    return target


def _look(video: str | os.PathLike[str], tell: Hook) -> _Clip:
    """Follow the face through the whole clip, and measure its sound."""
    tracker = FaceTracker()
    times = array("d")
    with VideoReader(video) as reader:
        total = reader.info.n_frames or None
        begin = Fraction(0)
        for frame in reader.frames():
            tracker.observe(frame)
            begin = begin if times else frame.time
            times.append(float(frame.time - begin))
            tell("analyse", len(times), total)
    tracks = tracker.finish()
    loudness, start = None, 0.0
    if reader.media.audio is not None:
        loudness, start = _loudness(Path(video), begin)
    return _Clip(
        reader.media,
        tracks,
        np.array(times),
        np.concatenate([_opening(track) for track in tracks]),
        np.concatenate([track.quality for track in tracks]).astype(np.float64),
        np.concatenate([track.reasons for track in tracks]),
        loudness,
        start,
        reader.skipped,
    )


def _opening(track: FaceTrack) -> Curve:
    """Gap between the inner lips, inter-ocular distances; NaN where no face was seen."""
    gap = np.full(len(track), np.nan)
    for first in range(0, len(track), _ROWS):
        rows = slice(first, min(first + _ROWS, len(track)))
        lips = track.landmarks[rows][:, [13, 14]]
        gap[rows] = np.linalg.norm(lips[:, 1] - lips[:, 0], axis=-1) / track.scale[rows]
    gap[~track.present] = np.nan
    return gap


def _usable(clip: _Clip) -> Curve:
    return np.where(clip.quality > 0, clip.opening, np.nan)


def _loudness(path: Path, begin: Fraction) -> tuple[Curve | None, float]:
    """Mean power in dB of full scale from the first frame on, and when the sound begins.

    None instead of the curve when there is no sound.
    """
    power, count = np.zeros(0), np.zeros(0)
    try:
        container, stream = open_sound(path)
    except SpeechError:
        return None, 0.0
    end: Fraction | None = None
    start: float | None = None
    with container:
        for block in sound(container, stream):
            begins = end if block.pts is None else block.pts * block.time_base
            begins = begin if begins is None else begins
            start = float(begins - begin) if start is None else start
            samples = _mono(block.to_ndarray(), block.layout.nb_channels)
            end = begins + Fraction(len(samples), block.sample_rate)
            at = float(begins - begin) + np.arange(len(samples)) / block.sample_rate
            where = np.floor(at / BIN_SECONDS).astype(np.int64)
            kept = where >= 0
            if not kept.any():
                continue
            if where[-1] >= len(power):
                room = np.zeros(max(int(where[-1]) + 1, 2 * len(power)) - len(power))
                power, count = np.append(power, room), np.append(count, room)
            low = int(where[kept][0])
            sums = np.bincount(where[kept] - low, samples[kept] ** 2)
            power[low : low + len(sums)] += sums
            count[low : low + len(sums)] += np.bincount(where[kept] - low)
    last = np.flatnonzero(count)
    if not len(last) or start is None:
        return None, 0.0
    mean = power[: last[-1] + 1] / np.maximum(count[: last[-1] + 1], 1)
    return np.asarray(10 * np.log10(np.maximum(mean, 10 ** (_FLOOR_DB / 10)))), start


def _mono(block: npt.NDArray[np.generic], channels: int) -> Curve:
    """Samples of any layout (planes, n) or (1, n * channels) to their mean, in -1..1."""
    values = np.asarray(block, np.float64)
    if block.dtype.kind == "u":
        values = values - 128
    if block.dtype.kind in "iu":
        values = values / float(2 ** (8 * block.dtype.itemsize - 1))
    if len(block) == 1 and channels > 1:
        values = values.reshape(-1, channels).T
    return np.asarray(values.mean(0))


def _lag(video: str | os.PathLike[str], clip: _Clip) -> Lag | None:
    """Compare the mouth that is seen with the mouth that is heard."""
    if clip.loudness is None or float(clip.loudness.max()) <= _SILENT_DB:
        return None
    try:
        motion = predict_motion(load_speech(video))
    except SpeechError:
        return None
    heard = load_basis().aperture(motion.coefficients).astype(np.float64)
    at = np.arange(len(heard)) / motion.rate + clip.sound_start
    return estimate_lag(clip.times, _usable(clip), at, heard)


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
    grid = np.arange(max(0.0, heard_times[0]), min(times[-1], heard_times[-1]), BIN_SECONDS)
    n, most = len(grid), round(_LAG_SECONDS / BIN_SECONDS)
    valid = known[np.searchsorted(times, grid).clip(0, len(times) - 1)]
    if valid.sum() < _LEAST_SECONDS / BIN_SECONDS:
        return None
    seen = _quick(np.interp(grid, times[known], opening[known]), valid)
    wanted = _quick(np.interp(grid, heard_times, heard), np.ones(n, bool))
    halves = []
    for part in (slice(most, n // 2), slice(n // 2, n - most)):
        shifts = range(part.start - most, part.start + most + 1)
        halves.append(np.array([_r(seen[part], wanted, valid[part], k) for k in shifts]))
    both = (halves[0] + halves[1]) / 2
    peak = int(both.argmax())
    apart = abs(int(halves[0].argmax()) - int(halves[1].argmax())) * BIN_SECONDS
    if both[peak] < _LAG_CERTAIN or peak in (0, 2 * most) or apart > _LAG_ALIKE:
        return None
    return Lag((peak - most) * BIN_SECONDS, float(both[peak]))


def _quick(curve: Curve, valid: npt.NDArray[np.bool_]) -> Curve:
    """What is left of a curve without its mean over the second around it."""
    width = min(round(1 / BIN_SECONDS) | 1, len(curve))
    taps = np.ones(width)
    total = np.convolve(np.where(valid, curve, 0), taps, "same")
    return np.asarray(curve - total / np.maximum(np.convolve(valid, taps, "same"), 1))


def _r(seen: Curve, heard: Curve, valid: npt.NDArray[np.bool_], start: int) -> float:
    """Correlation of a stretch of one curve with the other one from ``start`` on."""
    a, b = seen[valid], heard[start : start + len(seen)][valid]
    if len(a) < 50 or a.std() < 1e-6 or b.std() < 1e-6:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def _choose(clip: _Clip) -> list[int]:
    """Frames to show: the widest mouth, the main troubles, and others as far apart as can be."""
    n = len(clip.times)
    good = np.flatnonzero(clip.quality > 0)
    bad = Counter(str(r) for r in clip.reasons[clip.quality <= 0])
    picks = []
    for reason, _ in bad.most_common(2 if len(good) else _FRAMES):
        rows = np.flatnonzero((clip.reasons == reason) & (clip.quality <= 0))
        picks.append(int(rows[len(rows) // 2]))
    if len(good):
        picks.append(int(good[np.nan_to_num(clip.opening[good]).argmax()]))
    pool = good if len(good) else np.arange(n)
    spread = pool[np.linspace(0, len(pool) - 1, 60).round().astype(int)]
    while len(picks) < min(_FRAMES, n):
        # Half a share from the ends, where clips fade and heads turn away.
        marks = np.array([*picks, -n / 10, n * 1.1])
        away = np.abs(spread[:, None] - marks).min(1)
        if away.max() == 0:
            break
        picks.append(int(spread[away.argmax()]))
    return sorted(set(picks))


def _pictures(video: str | os.PathLike[str], clip: _Clip, tell: Hook) -> list[tuple[int, Image]]:
    """Read the chosen frames again and draw the face into them."""
    wanted = _choose(clip)
    drawn: list[tuple[int, Image]] = []
    with VideoReader(video) as reader:
        for frame in reader.frames():
            if frame.index == wanted[len(drawn)]:
                track, row = clip.track_of(frame.index)
                drawn.append((frame.index, _meshed(frame, track, row)))
                tell("draw", len(drawn), len(wanted))
                if len(drawn) == len(wanted):
                    break
    return drawn


def _meshed(frame: Frame, track: FaceTrack, row: int) -> Image:
    """One tile: the face with its outlines and the axes of its pose."""
    # Drawn at twice the size and averaged, for thin even lines.
    size = (2 * _TILE, 2 * _TILE)
    seen = bool(track.present[row])
    landmarks = np.array(track.landmarks[row]) if seen else None
    view = window(frame, landmarks, "face", size)
    image = cut(frame, view, size)
    if landmarks is not None:
        points = (upright_points(frame, landmarks) - view[:2]) / view[2]
        for indices, closed, color in _OUTLINES:
            _line(image, points[list(indices)], color, 2, closed)
        # From the point between the eyes: to the face's left, down, and out of the face.
        reach = 0.55 * float(track.scale[row]) * np.diag([1.0, 1.0, -1.0]) @ track.rotation[row].T
        tips = upright_points(frame, np.asarray(landmarks[168] + reach, np.float32))
        for tip, color in zip((tips - view[:2]) / view[2], _AXES, strict=True):
            _line(image, np.stack([points[168], tip]), color, 4, False)
    return np.asarray(cv2.resize(image, (_TILE, _TILE), interpolation=cv2.INTER_AREA), np.uint8)


def _line(
    image: Image, points: npt.NDArray[np.floating], color: Color, weight: int, closed: bool = False
) -> None:
    fixed = np.rint(np.asarray(points, np.float64) * 16).astype(np.int32)
    cv2.polylines(image, [fixed], closed, color, weight, cv2.LINE_AA, 4)


def _draw(clip: _Clip, pictures: list[tuple[int, Image]], lag: Lag | None) -> Image:
    """Lay out the whole picture."""
    verdicts = _verdicts(clip, lag)
    info = clip.media.video
    assert info is not None
    top = 62
    chart_top = top + _TILE + 96
    below = chart_top + _CHART + 92
    page = np.full((below + 32 * len(verdicts) + 18, _WIDTH, 3), PAPER, np.uint8)
    x = _EDGE + write(page, plain(clip.media.path.name), (_EDGE, 38), INK, 0.8) + 24
    facts = f"{info.width} x {info.height}, {float(info.rate):.2f} fps, {clip.seconds:.1f} s"
    write(page, facts, (x, 38), FAINT, 0.6)
    for k, (index, image) in enumerate(pictures):
        x = _EDGE + k * (_TILE + _GAP)
        page[top : top + _TILE, x : x + _TILE] = image
        _caption(page, clip, index, (x, top + _TILE))
    _chart(page, clip, chart_top, [index for index, _ in pictures])
    for k, (good, text) in enumerate(verdicts):
        y = below + 32 * k
        cv2.circle(page, (_EDGE + 7, y - 6), 6, _GOOD if good else _CAUTION, -1, cv2.LINE_AA)
        write(page, text, (_EDGE + 26, y), INK, 0.6)
    return page


def _caption(page: Image, clip: _Clip, index: int, at: tuple[int, int]) -> None:
    track, row = clip.track_of(index)
    x, y = at
    quality, reason = float(clip.quality[index]), str(clip.reasons[index])
    write(page, f"{clip.times[index]:.2f} s", (x, y + 22), INK, 0.6)
    if track.present[row]:
        yaw, pitch, _ = geometry.euler_degrees(track.rotation[row])
        words = f"yaw {yaw:+.0f}  pitch {pitch:+.0f}"
        write(page, words, (x, y + 44), FAINT, 0.5)
    if quality > 0:
        write(page, f"quality {quality:.2f}", (x, y + 66), _GOOD if quality == 1 else _CAUTION, 0.5)
    else:
        write(page, f"left as it is: {plain(reason)}", (x, y + 66), _CAUTION, 0.5)


def _chart(page: Image, clip: _Clip, top: int, shown: list[int]) -> None:
    """Draw mouth opening and loudness over one time axis, on what cannot be re-synced."""
    x0, x1, y1 = _LEFT, _WIDTH - _RIGHT, top + _CHART
    scale = (x1 - x0) / max(clip.seconds, 1e-6)
    page[top:y1, x0:x1] = 255
    reasons = _shade(page, clip, (x0, top, y1), scale)
    peak = float(np.nanmax(clip.opening))
    # Heights whose quarters are round.
    high = next((v for v in (0.2, 0.4, 0.6, 0.8, 1.2, 1.6, 2.4) if v > peak), peak)
    for k in range(5):
        y = y1 - round(k / 4 * _CHART)
        cv2.line(page, (x0, y), (x1, y), EMPTY, 1)
        _right(page, f"{high * k / 4:.2f}", (x0 - 10, y + 5), _MOUTH)
        if clip.loudness is not None:
            write(page, f"{_FLOOR_DB * (4 - k) / 4 + 0.0:.0f} dB", (x1 + 8, y + 5), _SOUND, 0.45)
    step = next(s for s in _ticks() if clip.seconds / s <= 14)
    for k in range(int(clip.seconds / step) + 1):
        x = round(x0 + k * step * scale)
        cv2.line(page, (x, y1), (x, y1 + 5), FAINT, 1)
        write(page, _clock(k * step, step), (x - 8, y1 + 22), FAINT, 0.45)
    if clip.loudness is not None:
        levels = clip.loudness[: int(clip.seconds / BIN_SECONDS)]
        # Long clips show phrases, where short ones show syllables.
        width = min(max(1, round(clip.seconds / _BANDS / BIN_SECONDS)), len(levels))
        levels = _FLOOR_DB + np.convolve(levels - _FLOOR_DB, np.ones(width) / width, "same")
        at = x0 + np.arange(len(levels)) * BIN_SECONDS * scale
        _curve(page, at, y1 + (levels - _FLOOR_DB) / _FLOOR_DB * _CHART, _SOUND, 1)
    at = x0 + clip.times * scale
    _curve(page, at, y1 - clip.opening / high * _CHART, _MOUTH, 2 if clip.seconds < 25 else 1)
    for track in clip.tracks[1:]:
        x = round(x0 + clip.times[track.start] * scale)
        for y in range(top, y1, 10):
            cv2.line(page, (x, y), (x, min(y + 5, y1)), INK, 1)
    for index in shown:
        x = round(x0 + clip.times[index] * scale)
        corners = np.array([[x - 6, top - 11], [x + 6, top - 11], [x, top - 2]], np.int32)
        cv2.fillPoly(page, [corners], FAINT, cv2.LINE_AA)
    _legend(page, clip, reasons, y1 + 46)


def _shade(page: Image, clip: _Clip, at: tuple[int, int, int], scale: float) -> list[str]:
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
        tint = np.array(_REASONS.get(str(clip.reasons[start]), _OTHER)) * 0.4 + 255 * 0.6
        page[top:bottom, left : max(right, left + 2)] = tint.astype(np.uint8)
    return [reason for reason, _ in Counter(map(str, clip.reasons[bad])).most_common()]


def _legend(page: Image, clip: _Clip, reasons: list[str], y: int) -> None:
    x = _LEFT
    lines = [("mouth opening, in eye distances", _MOUTH)]
    if clip.loudness is not None:
        lines.append(("loudness of the clip's own sound", _SOUND))
    for text, color in lines:
        cv2.line(page, (x, y - 5), (x + 22, y - 5), color, 2, cv2.LINE_AA)
        x += 30 + write(page, text, (x + 30, y), INK, 0.48) + 26
    for reason in reasons:
        tint = np.array(_REASONS.get(reason, _OTHER)) * 0.4 + 255 * 0.6
        page[y - 13 : y + 3, x : x + 22] = tint.astype(np.uint8)
        x += 30 + write(page, plain(reason), (x + 30, y), INK, 0.48) + 26
    if len(clip.tracks) > 1:
        for k in range(0, 16, 6):
            cv2.line(page, (x + 10, y - 13 + k), (x + 10, y - 10 + k), INK, 1)
        write(page, "new shot", (x + 20, y), INK, 0.48)


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
            _line(page, np.stack([x[run], y[run]], 1), color, weight)


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


def _verdicts(clip: _Clip, lag: Lag | None) -> list[tuple[bool, str]]:
    """What will work, one line each: True for good news."""
    n = len(clip.times)
    left = Counter(str(reason) for reason in clip.reasons[clip.quality <= 0])
    line = f"{n - left.total()} of {n} frames can be re-synced"
    if left:
        line += "; left as they are: " + ", ".join(f"{n} {why}" for why, n in left.most_common())
    lines = [(left.total() * 10 <= n, line)]
    usable = [track for track in clip.tracks if (track.quality > 0).any()]
    if usable:
        lines += [_mouth_verdict(clip, usable), _size_verdict(usable)]
    if clip.loudness is None:
        lines.append((True, "The clip has no sound of its own to compare the mouth with"))
    elif clip.loudness.max() <= _SILENT_DB:
        lines.append((True, "The clip's own sound is silence: nothing to compare the mouth with"))
    elif lag is None:
        lines.append(
            (True, "The clip's own sound does not clearly belong to this mouth: lag not known")
        )
    else:
        ms = round(lag.seconds * 1000)
        line = (
            f"The clip's own sound comes {abs(ms)} ms {'after' if ms > 0 else 'before'} its mouth"
        )
        if abs(ms) < 15:
            line = "The clip's own sound comes with its mouth"
        fine = -_EARLY <= lag.seconds <= _LATE
        line += f" (r = {lag.r:.2f})" + ("" if fine else ": it is out of sync")
        lines.append((fine, line))
    if clip.skipped:
        lines.append((False, f"{clip.skipped} damaged packets were skipped"))
    return lines


def _mouth_verdict(clip: _Clip, usable: list[FaceTrack]) -> tuple[bool, str]:
    widest = [_widest(clip, track) for track in usable]
    best = _usable(clip)
    peak = int(np.nanargmax(best))
    shut = sum(w < OPEN for w in widest)
    if shut == len(usable):
        return False, (
            f"The mouth never opens (at most {best[peak]:.2f} eye distances): there are no teeth "
            "to take from it"
        )
    line = f"The mouth opens to {best[peak]:.2f} eye distances, at {clip.times[peak]:.1f} s"
    if shut:
        return False, f"{line}; in {shut} of {len(usable)} shots it never opens"
    return True, f"{line}: teeth and tongue can be taken from this clip"


def _widest(clip: _Clip, track: FaceTrack) -> float:
    part = _usable(clip)[track.start : track.start + len(track)]
    return float(np.nanmax(part)) if np.isfinite(part).any() else 0.0


def _size_verdict(usable: list[FaceTrack]) -> tuple[bool, str]:
    eyes = np.concatenate([track.scale[track.quality > 0] for track in usable])
    middle = float(np.median(eyes))
    line = f"The face is {middle:.0f} px wide between the outer eye corners"
    if np.ptp(eyes) > 0.2 * middle:
        line += f" ({eyes.min():.0f} to {eyes.max():.0f})"
    small = middle < SMALL_PIXELS
    return not small, line + (": small, little of the mouth will be seen" if small else "")


_STYLE = """body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:1400px;
padding:0 1rem;color:#262626;background:#fafaf8}img{max-width:100%}table{border-collapse:collapse}
th,td{padding:.3rem .8rem;text-align:right;border-bottom:1px solid #e0e0de}
th{font-weight:600}td:last-child,th:last-child{text-align:left}"""


def _write_page(target: Path, picture: Image, clip: _Clip) -> None:
    """Write the picture and a table of shots as one file, whole or not at all."""
    ok, data = cv2.imencode(".png", picture[..., ::-1])
    if not ok:
        raise WriteError(f"cannot write {target}: a picture of {picture.shape} cannot be a PNG")
    image = base64.b64encode(data.tobytes()).decode()
    name = html.escape(clip.media.path.name.encode("utf-8", "replace").decode())
    head = (
        "shot", "from", "to", "frames", "re-synced", "face px", "yaw", "pitch", "opening, median",
        "opening, widest", "left as they are",
    )  # fmt: skip
    rows = [_row(clip, k, track) for k, track in enumerate(clip.tracks, 1)]
    table = "\n".join(
        "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in row) + "</tr>"
        for tag, row in [("th", head), *(("td", row) for row in rows)]
    )
    text = (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{name}</title>\n'
        f"<style>{_STYLE}</style></head>\n<body>\n"
        f'<img alt="What Labial sees in {name}" src="data:image/png;base64,{image}">\n'
        f"<h2>Shots</h2>\n<p>Times in seconds, angles in degrees, openings of the inner lips in "
        f"distances between the outer eye corners.</p>\n<table>\n{table}\n</table>\n"
        "</body></html>\n"
    )
    partial = target.with_name(f".{target.name}.partial")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(target)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise WriteError(f"cannot write {target}: {error.strerror}") from error


def _row(clip: _Clip, number: int, track: FaceTrack) -> tuple[str, ...]:
    """The numbers of one shot."""
    end = track.start + len(track)
    stop = clip.times[end] if end < len(clip.times) else clip.seconds
    good = track.quality > 0
    left = Counter(str(reason) for reason in track.reasons[~good])
    passed = ", ".join(f"{why} {n}" for why, n in left.most_common())
    times = (f"{clip.times[track.start]:.2f}", f"{stop:.2f}")
    counts = (str(number), *times, str(len(track)), str(int(good.sum())))
    if not track.present.any():
        return (*counts, "", "", "", "", "", passed)
    angles = np.array([geometry.euler_degrees(r)[:2] for r in track.rotation[track.present]])
    (yaw, pitch), (yaw_, pitch_) = angles.min(0), angles.max(0)
    opening = clip.opening[track.start : end]
    return (
        *counts,
        f"{np.median(track.scale[track.present]):.0f}",
        f"{yaw:+.0f} to {yaw_:+.0f}",
        f"{pitch:+.0f} to {pitch_:+.0f}",
        f"{np.nanmedian(opening):.3f}",
        f"{np.nanmax(opening):.3f}",
        passed,
    )
