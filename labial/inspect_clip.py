"""Show what Labial sees in a clip, before anything is dubbed.

Frames with the mesh drawn in, how far the mouth opens over time beside how loud the clip's own
sound is, and in plain words what will work and what will not.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import cv2
import numpy as np

from labial import geometry
from labial.chart import HEIGHT, WIDTH, Color, draw_chart, line
from labial.clip import Clip, look, offset_of
from labial.errors import FaceError, OptionError, WriteError
from labial.exports import formats
from labial.inspect_page import write_page
from labial.lanes import Life, draw_lanes, height, lives, thumbnail
from labial.media.picture import write_png
from labial.media.read import VideoReader
from labial.media.spool import enough_room
from labial.preflight.picture import picture_findings
from labial.sheet import (
    FAINT,
    INK,
    PAPER,
    Image,
    cut,
    plain,
    tile,
    upright_points,
    window,
    write,
)
from labial.speaking.boxes import people_json
from labial.types import FaceTrack, Frame, Hook

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
    (geometry.OUTER_RING, True, (255, 120, 150)),
    (geometry.INNER_RING, True, (255, 235, 90)),
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
        ``.png``: one picture. ``.html``: one page that holds the picture, the people and the
        numbers of each face. ``.json``: boxes of the people, see :mod:`labial.speaking.boxes`.
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
    if kind not in (".png", ".html", ".json"):
        raise OptionError(
            f"cannot write {target}: name it .png for a picture, .html for a page, .json for boxes"
        )
    if not target.absolute().parent.is_dir():
        raise WriteError(f"cannot write {target}: there is no folder {target.absolute().parent}")
    tell = hook or (lambda stage, done, total: None)
    clip = look(video, tell)
    if not np.isfinite(clip.opening).any():
        raise FaceError(
            f"no face found in {video} ({len(clip.times)} frames): give a clip with a face that "
            "is seen from the front"
        )
    if kind == ".json":
        _write_boxes(target, clip)
        return target
    found, people = picture_findings(clip, offset_of(clip)), lives(clip)
    lines = [(finding.severity in ("good", "hint"), finding.text) for finding in found]
    pictures, thumbs = _pictures(video, clip, people, tell)
    page = _draw(clip, pictures, lines, people, thumbs)
    if kind == ".png":
        write_png(target, page)
    else:
        write_page(target, page, clip, lines, people, thumbs)
    return target


def _write_boxes(target: Path, clip: Clip) -> None:
    speaking = [clip.turns.of(track) for track in clip.tracks]
    assert clip.media.video is not None
    text = people_json(clip.tracks, speaking, clip.times, clip.media.video, clip.media.path.name)
    formats.write([text], target)


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


def _pictures(
    video: str | os.PathLike[str], clip: Clip, people: list[Life], tell: Hook
) -> tuple[list[tuple[int, Image]], dict[int, Image]]:
    """Read the chosen frames again; draw the face into them, and cut out the people."""
    wanted = _choose(clip)
    frames = sorted({*wanted, *(life.best[0] for life in people)})
    drawn: list[tuple[int, Image]] = []
    thumbs: dict[int, Image] = {}
    with VideoReader(video) as reader:
        for frame in reader.frames():
            if frame.index in frames:
                if frame.index in wanted:
                    drawn.append((frame.index, _meshed(frame, clip.track_of(frame.index))))
                for life in people:
                    if life.best[0] == frame.index:
                        track = clip.tracks[life.best[1]]
                        landmarks = np.array(track.landmarks[frame.index - track.start])
                        thumbs[life.person] = thumbnail(tile(frame, landmarks))
                tell("draw", frames.index(frame.index) + 1, len(frames))
                if frame.index == frames[-1]:
                    break
    return drawn, thumbs


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


def _draw(
    clip: Clip,
    pictures: list[tuple[int, Image]],
    lines: list[tuple[bool, str]],
    people: list[Life],
    thumbs: dict[int, Image],
) -> Image:
    """Lay out the whole picture."""
    info = clip.media.video
    assert info is not None
    top = 62
    chart_top = top + _TILE + 96
    lanes_top = chart_top + HEIGHT + 70
    # One person's lane says nothing that the chart does not.
    below = lanes_top + (height(people) + 30 if len(people) > 1 else 22)
    page = np.full((below + 32 * len(lines) + 18, WIDTH, 3), PAPER, np.uint8)
    x = _EDGE + write(page, plain(clip.media.path.name), (_EDGE, 38), INK, 0.8) + 24
    facts = f"{info.width} x {info.height}, {float(info.rate):.2f} fps, {clip.seconds:.1f} s"
    write(page, facts, (x, 38), FAINT, 0.6)
    for k, (index, image) in enumerate(pictures):
        x = _EDGE + k * (_TILE + _GAP)
        page[top : top + _TILE, x : x + _TILE] = image
        _caption(page, clip, index, (x, top + _TILE))
    draw_chart(page, clip, chart_top, [index for index, _ in pictures])
    if len(people) > 1:
        draw_lanes(page, clip, people, thumbs, lanes_top)
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
