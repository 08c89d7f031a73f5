"""Show what Labial sees in a clip, before anything is dubbed.

Frames with the mesh drawn in, how far the mouth opens over time beside how loud the clip's own
sound is, and in plain words what will work and what will not.
"""

from __future__ import annotations

import base64
import html
import os
from collections import Counter
from pathlib import Path

import cv2
import numpy as np

from labial import geometry
from labial.chart import HEIGHT, WIDTH, Color, draw_chart, line
from labial.clip import Clip, look, offset_of, opening_of, verdicts
from labial.errors import FaceError, OptionError, WriteError
from labial.media.picture import write_png
from labial.media.read import VideoReader
from labial.media.spool import enough_room
from labial.sheet import (
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

_EDGE, _FRAMES, _GAP = 28, 5, 8
_TILE = (WIDTH - 2 * _EDGE - (_FRAMES - 1) * _GAP) // _FRAMES
_GOOD, _CAUTION = (38, 138, 76), (196, 92, 24)
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


@enough_room()
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
    clip = look(video, tell)
    if not np.isfinite(clip.opening).any():
        raise FaceError(
            f"no face found in {video} ({len(clip.times)} frames): give a clip with a face that "
            "is seen from the front"
        )
    lines = verdicts(clip, offset_of(video, clip))
    page = _draw(clip, _pictures(video, clip, tell), lines)
    if kind == ".png":
        write_png(target, page)
    else:
        _write_page(target, page, clip, lines)
    return target


def _choose(clip: Clip) -> list[int]:
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


def _pictures(video: str | os.PathLike[str], clip: Clip, tell: Hook) -> list[tuple[int, Image]]:
    """Read the chosen frames again and draw the face into them."""
    wanted = _choose(clip)
    drawn: list[tuple[int, Image]] = []
    with VideoReader(video) as reader:
        for frame in reader.frames():
            if frame.index == wanted[len(drawn)]:
                drawn.append((frame.index, _meshed(frame, clip.track_of(frame.index))))
                tell("draw", len(drawn), len(wanted))
                if len(drawn) == len(wanted):
                    break
    return drawn


def _meshed(frame: Frame, found: tuple[FaceTrack, int] | None) -> Image:
    """One tile: the face with its outlines and the axes of its pose."""
    # Drawn at twice the size and averaged, for thin even lines.
    size = (2 * _TILE, 2 * _TILE)
    landmarks = None
    if found is not None and found[0].present[found[1]]:
        landmarks = np.array(found[0].landmarks[found[1]])
    view = window(frame, landmarks, "face", size)
    image = cut(frame, view, size)
    if found is not None and landmarks is not None:
        track, row = found
        points = (upright_points(frame, landmarks) - view[:2]) / view[2]
        for indices, closed, color in _OUTLINES:
            line(image, points[list(indices)], color, 2, closed)
        # From the point between the eyes: to the face's left, down, and out of the face.
        reach = 0.55 * float(track.scale[row]) * np.diag([1.0, 1.0, -1.0]) @ track.rotation[row].T
        tips = upright_points(frame, np.asarray(landmarks[168] + reach, np.float32))
        for tip, color in zip((tips - view[:2]) / view[2], _AXES, strict=True):
            line(image, np.stack([points[168], tip]), color, 4, False)
    return np.asarray(cv2.resize(image, (_TILE, _TILE), interpolation=cv2.INTER_AREA), np.uint8)


def _draw(clip: Clip, pictures: list[tuple[int, Image]], lines: list[tuple[bool, str]]) -> Image:
    """Lay out the whole picture."""
    info = clip.media.video
    assert info is not None
    top = 62
    chart_top = top + _TILE + 96
    below = chart_top + HEIGHT + 92
    page = np.full((below + 32 * len(lines) + 18, WIDTH, 3), PAPER, np.uint8)
    x = _EDGE + write(page, plain(clip.media.path.name), (_EDGE, 38), INK, 0.8) + 24
    facts = f"{info.width} x {info.height}, {float(info.rate):.2f} fps, {clip.seconds:.1f} s"
    write(page, facts, (x, 38), FAINT, 0.6)
    for k, (index, image) in enumerate(pictures):
        x = _EDGE + k * (_TILE + _GAP)
        page[top : top + _TILE, x : x + _TILE] = image
        _caption(page, clip, index, (x, top + _TILE))
    draw_chart(page, clip, chart_top, [index for index, _ in pictures])
    for k, (good, text) in enumerate(lines):
        y = below + 32 * k
        cv2.circle(page, (_EDGE + 7, y - 6), 6, _GOOD if good else _CAUTION, -1, cv2.LINE_AA)
        write(page, text, (_EDGE + 26, y), INK, 0.6)
    return page


def _caption(page: Image, clip: Clip, index: int, at: tuple[int, int]) -> None:
    found = clip.track_of(index)
    x, y = at
    quality, reason = float(clip.quality[index]), str(clip.reasons[index])
    write(page, f"{clip.times[index]:.2f} s", (x, y + 22), INK, 0.6)
    if found is not None and found[0].present[found[1]]:
        yaw, pitch, _ = geometry.angles_degrees(found[0].rotation[found[1]])
        words = f"yaw {yaw:+.0f}  pitch {pitch:+.0f}"
        write(page, words, (x, y + 44), FAINT, 0.5)
    if quality > 0:
        write(page, f"quality {quality:.2f}", (x, y + 66), _GOOD if quality == 1 else _CAUTION, 0.5)
    else:
        write(page, f"left as it is: {plain(reason)}", (x, y + 66), _CAUTION, 0.5)


_STYLE = """body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:1400px;
padding:0 1rem;color:#262626;background:#fafaf8}img{max-width:100%}table{border-collapse:collapse}
th,td{padding:.3rem .8rem;text-align:right;border-bottom:1px solid #e0e0de}
th{font-weight:600}td:last-child,th:last-child{text-align:left}"""


def _write_page(target: Path, picture: Image, clip: Clip, lines: list[tuple[bool, str]]) -> None:
    """Write the picture and a table of faces as one file, whole or not at all."""
    ok, data = cv2.imencode(".png", picture[..., ::-1])
    if not ok:
        raise WriteError(f"cannot write {target}: a picture of {picture.shape} cannot be a PNG")
    image = base64.b64encode(data.tobytes()).decode()
    name = html.escape(clip.media.path.name.encode("utf-8", "replace").decode())
    head = (
        "track", "person", "from", "to", "frames", "re-synced", "face px", "yaw", "pitch",
        "opening, median", "opening, widest", "left as they are",
    )  # fmt: skip
    rows = [_row(clip, k, track) for k, track in enumerate(clip.tracks, 1)]
    table = "\n".join(
        "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in row) + "</tr>"
        for tag, row in [("th", head), *(("td", row) for row in rows)]
    )
    said = "".join(f"<li>{html.escape(line)}</li>" for _, line in lines)
    text = (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{name}</title>\n'
        f"<style>{_STYLE}</style></head>\n<body>\n"
        f'<img alt="What Labial sees in {name}" src="data:image/png;base64,{image}">\n'
        f"<ul>{said}</ul>\n<h2>Faces</h2>\n<p>Times in seconds, angles in degrees, openings of "
        f"the inner lips in distances between the outer eye corners.</p>\n"
        f"<table>\n{table}\n</table>\n"
        "</body></html>\n"
    )
    partial = target.with_name(f".{target.name}.partial")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(target)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise WriteError(f"cannot write {target}: {error.strerror}") from error


def _row(clip: Clip, number: int, track: FaceTrack) -> tuple[str, ...]:
    """The numbers of one track."""
    stop = clip.times[track.end] if track.end < len(clip.times) else clip.seconds
    good = track.quality > 0
    left = Counter(str(reason) for reason in track.reasons[~good])
    passed = ", ".join(f"{why} {n}" for why, n in left.most_common())
    times = (f"{clip.times[track.start]:.2f}", f"{stop:.2f}")
    counts = (str(number), str(track.person), *times, str(len(track)), str(int(good.sum())))
    angles = np.stack(geometry.angles_degrees(track.rotation[track.present])[:2], 1)
    (yaw, pitch), (yaw_, pitch_) = angles.min(0), angles.max(0)
    opening = opening_of(track)
    return (
        *counts,
        f"{np.median(track.scale[track.present]):.0f}",
        f"{yaw:+.0f} to {yaw_:+.0f}",
        f"{pitch:+.0f} to {pitch_:+.0f}",
        f"{np.nanmedian(opening):.3f}",
        f"{np.nanmax(opening):.3f}",
        passed,
    )
