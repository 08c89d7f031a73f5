"""A contact sheet: what a dub changed, source above output, for people to look at.

One column a moment of the clip, with four rows: the face as filmed and as dubbed, and the mouth of
both, enlarged. Source and output are always cut alike, by the face found in the source.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Literal, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from labial import geometry
from labial.errors import OptionError, WriteError
from labial.face.detect import FaceDetector
from labial.face.mesh import FaceMesh, Region
from labial.face.track import MIN_PRESENCE
from labial.media.picture import write_png
from labial.media.read import VideoReader
from labial.pixels import Box, aligned, read_rgb
from labial.types import FloatArray, Frame, Hook

Image: TypeAlias = npt.NDArray[np.uint8]
Part: TypeAlias = Literal["face", "mouth"]

MIN_TILE = 240
INK, FAINT, PAPER, EMPTY = (38, 38, 38), (120, 120, 120), (250, 250, 248), (224, 224, 222)
# Width of a cut-out: the face in heights of its oval, the mouth in inter-ocular distances.
_FACE_WIDTH, _MOUTH_WIDTH = 1.35, 1.15
_ASPECT = {"face": 1.0, "mouth": 0.75}
# Looks for a face in this many moments of each column's share of the clip.
_TRIES = 5
_GAP, _MARGIN, _HEAD = 6, 118, 58


def tile_size(part: Part, width: int) -> tuple[int, int]:
    """(width, height) of a tile; the width is never below ``MIN_TILE``."""
    width = max(width, MIN_TILE)
    return width, max(round(width * _ASPECT[part]), MIN_TILE)


def tile(
    frame: Frame,
    landmarks: FloatArray | None,
    part: Part = "face",
    width: int = 320,
    size: tuple[int, int] | None = None,
) -> Image:
    """Cut the face or the mouth out of a frame, at one size whatever its size in the picture.

    Parameters
    ----------
    frame
        The picture.
    landmarks
        (478, 2 or 3) pixels of ``frame`` as stored. None: the whole picture, for ``"face"``; an
        empty tile, for ``"mouth"``.
    part
        ``"face"``: the whole head, with some of what surrounds it. ``"mouth"``: a square or a
        landscape of about 1.15 inter-ocular distances around the lips.
    width
        Columns of the tile; below ``MIN_TILE`` it is ``MIN_TILE``.
    size
        (width, height), when it is not to be chosen by ``part``.

    Returns
    -------
    (height, width, 3) uint8 RGB, upright; light grey where there is no picture.
    """
    size = size or tile_size(part, width)
    if landmarks is None and part == "mouth":
        return np.full((size[1], size[0], 3), EMPTY, np.uint8)
    return cut(frame, window(frame, landmarks, part, size), size)


def window(
    frame: Frame, landmarks: FloatArray | None, part: Part, size: tuple[int, int]
) -> FloatArray:
    """Choose what :func:`tile` shows.

    Returns
    -------
    (3,) float32: the cut-out's left and top in pixels of the upright picture, and picture pixels
    a tile pixel.
    """
    wide, high = upright_size(frame)
    if landmarks is None:
        step = max(wide / size[0], high / size[1])
        center = np.array([wide, high], np.float32) / 2
    else:
        points = upright_points(frame, landmarks)
        left, right = geometry.EYE_OUTER
        if part == "face":
            oval = points[list(geometry.FACE_OVAL)]
            low, high_ = oval.min(0), oval.max(0)
            center = (low + high_) / 2
            step = _FACE_WIDTH * float((high_ - low).max()) / min(size)
        else:
            lips = points[[*geometry.OUTER_UPPER, *geometry.OUTER_LOWER]]
            center = (lips.min(0) + lips.max(0)) / 2
            # Turned away, the eyes come together and the face's height does not.
            tall = float(np.linalg.norm(points[10] - points[152]))
            eyes = max(float(np.linalg.norm(points[left] - points[right])), 0.45 * tall)
            step = _MOUTH_WIDTH * eyes / size[0]
    corner = center - np.array(size, np.float32) / 2 * step
    return np.array([corner[0], corner[1], max(step, 1e-3)], np.float32)


def cut(frame: Frame, view: FloatArray, size: tuple[int, int]) -> Image:
    """Resample a :func:`window` of a frame: bicubic, averaged first where it shrinks."""
    x, y, step = (float(v) for v in view)
    wide, high = upright_size(frame)
    corners = np.array([[x, y], [x + size[0] * step, y + size[1] * step]])
    stored = geometry.rotate_points(corners, -frame.rotation, wide, high)
    low, top = np.floor(stored.min(0)).astype(int) - 8, np.ceil(stored.max(0)).astype(int) + 8
    box = Box(int(low[0]), int(low[1]), int(top[0]), int(top[1]))
    box = aligned(box.clip(frame.width, frame.height), frame.format, frame.width, frame.height)
    if box.width <= 0 or box.height <= 0:
        return np.full((size[1], size[0], 3), EMPTY, np.uint8)
    rgb = np.rot90(read_rgb(frame, box), -(frame.rotation // 90))
    own = np.array([[box.x0, box.y0], [box.x1, box.y1]], np.float64)
    origin = geometry.rotate_points(own, frame.rotation, frame.width, frame.height).min(0)
    image = np.ascontiguousarray(rgb, np.float32)
    shrink = max(1, int(step))
    if shrink > 1:
        smaller = (max(1, image.shape[1] // shrink), max(1, image.shape[0] // shrink))
        image = np.asarray(cv2.resize(image, smaller, interpolation=cv2.INTER_AREA))
    fx, fy = rgb.shape[1] / image.shape[1], rgb.shape[0] / image.shape[0]
    # Corner convention to OpenCV's, which counts from pixel centres.
    affine = np.array(
        [
            [step / fx, 0, (x - origin[0] + 0.5 * step) / fx - 0.5],
            [0, step / fy, (y - origin[1] + 0.5 * step) / fy - 0.5],
        ]
    )
    resampled = cv2.warpAffine(
        image,
        affine,
        size,
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=tuple(v / 255 for v in EMPTY),
    )
    return np.rint(resampled * 255).clip(0, 255).astype(np.uint8)


def upright_size(frame: Frame) -> tuple[int, int]:
    """(width, height) of a frame as it is displayed."""
    return geometry.upright_size(frame.width, frame.height, frame.rotation)


def upright_points(frame: Frame, landmarks: FloatArray) -> FloatArray:
    """Stored pixels (n, 2 or 3) to pixels of the upright picture (n, 2)."""
    points = np.asarray(landmarks[:, :2], np.float32)
    return geometry.rotate_points(points, frame.rotation, frame.width, frame.height)


@dataclass(frozen=True)
class Moment:
    """One column of a contact sheet.

    Parameters
    ----------
    seconds
        Time since the clip's first frame.
    tiles
        Face of the source, face of the output, mouth of the source, mouth of the output.
    seen
        A face was seen.
    away
        Frames between this one and the middle of the column's share of the clip.
    """

    seconds: float
    tiles: tuple[Image, ...]
    seen: bool
    away: float


def contact_sheet(
    source: str | os.PathLike[str],
    output: str | os.PathLike[str],
    path: str | os.PathLike[str],
    frames: int = 8,
    hook: Hook | None = None,
) -> Path:
    """Write a PNG that compares a dubbed clip with its source.

    The moments are spread evenly over the clip; near each of them, a frame in which a face is
    seen is preferred. They depend on the source only, so two outputs of one source compare.

    Parameters
    ----------
    source, output
        The clip and its dub, frame by frame the same. Where the output ends early, its tiles
        are empty.
    path
        The PNG to write.
    frames
        Columns.
    hook
        Called as ``hook("look", done, total)`` while the clips are read.

    Returns
    -------
    Path
        ``path``.

    Raises
    ------
    ReadError
        One of the clips cannot be read.
    WriteError
        The picture cannot be written.
    OptionError
        ``frames`` is below 1.
    """
    target = Path(path)
    if not target.absolute().parent.is_dir():
        raise WriteError(f"cannot write {target}: there is no folder {target.absolute().parent}")
    columns = moments(source, output, frames, hook)
    write_png(target, draw(columns, f"{plain(Path(source).name)}  ->  {plain(Path(output).name)}"))
    return target


def moments(
    source: str | os.PathLike[str],
    output: str | os.PathLike[str],
    frames: int = 8,
    hook: Hook | None = None,
) -> list[Moment]:
    """Read both clips side by side and cut the columns of :func:`contact_sheet` out of them.

    Parameters and errors are those of :func:`contact_sheet`. Clips of fewer frames than asked
    for give fewer moments.
    """
    if frames < 1:
        raise OptionError(f"a contact sheet of {frames} frames: ask for 1 or more")
    tell = hook or (lambda stage, done, total: None)
    look = _Look()
    best: dict[int, Moment] = {}
    with VideoReader(source) as filmed, VideoReader(output) as dubbed:
        total = filmed.info.n_frames or sum(1 for _ in filmed.frames())
        share = total / frames
        slots = {
            min(int((slot + (k + 0.5) / _TRIES) * share), total - 1): slot
            for slot in range(frames)
            for k in range(_TRIES)
        }
        begin = None
        for done, (frame, dub) in enumerate(zip_longest(filmed.frames(), dubbed.frames()), 1):
            if frame is None:
                break
            begin = frame.time if begin is None else begin
            tell("look", done, max(total, done))
            slot = slots.get(frame.index)
            if slot is None:
                continue
            landmarks = look(frame)
            seen, away = landmarks is not None, abs(frame.index + 0.5 - (slot + 0.5) * share)
            rival = best.get(slot)
            if rival is None or (seen, -away) > (rival.seen, -rival.away):
                tiles = side_by_side(frame, dub, landmarks)
                best[slot] = Moment(float(frame.time - begin), tiles, seen, away)
    return [best[slot] for slot in sorted(best)]


class _Look:
    """Find the main face of a single frame."""

    def __init__(self) -> None:
        self._detector, self._mesh = FaceDetector(), FaceMesh()

    def __call__(self, frame: Frame) -> FloatArray | None:
        """Return its landmarks, or None."""
        found = self._detector.detect(frame, thorough=True)
        for detection in sorted(found, key=lambda d: -float(d.size.max())):
            # A second look from the first answer's own region settles scale and tilt.
            face = self._mesh(frame, Region.of_detection(detection))
            face = self._mesh(frame, Region.of_landmarks(face.landmarks))
            if face.presence >= MIN_PRESENCE:
                return face.landmarks
        return None


def side_by_side(
    frame: Frame, dub: Frame | None, landmarks: FloatArray | None
) -> tuple[Image, ...]:
    """Cut face and mouth out of a frame and of its dub, alike: the ``tiles`` of a Moment."""
    parts: tuple[Part, Part] = ("face", "mouth")
    tiles = []
    for part in parts:
        size = tile_size(part, 320)
        tiles.append(tile(frame, landmarks, part))
        if dub is None:
            tiles.append(np.full_like(tiles[-1], EMPTY))
        elif landmarks is None:
            tiles.append(tile(dub, None, part))
        else:
            view = window(frame, landmarks, part, size)
            view = view * np.float32(upright_size(dub)[0] / upright_size(frame)[0])
            tiles.append(cut(dub, view, size))
    if landmarks is None:
        for picture in tiles[2:]:
            write(picture, "no face seen", (96, 124), FAINT)
    elif dub is None:
        for picture in tiles[1::2]:
            write(picture, "no frame", (118, 124), FAINT)
    return tuple(tiles)


def draw(columns: list[Moment], title: str) -> Image:
    """Lay out the columns, captions and title as one picture."""
    heights = [picture.shape[0] for picture in columns[0].tiles]
    side = columns[0].tiles[0].shape[1]
    width = _MARGIN + len(columns) * (side + _GAP)
    page = np.full((_HEAD + sum(heights) + _GAP * (len(heights) + 2), width, 3), PAPER, np.uint8)
    write(page, title, (_MARGIN, 22), INK, 0.6)
    y = _HEAD
    rows = (("source", "face"), ("output", "face"), ("source", "mouth"), ("output", "mouth"))
    for row, height in enumerate(heights):
        for line, word in enumerate(rows[row]):
            write(page, word, (14, y + height // 2 - 8 + 24 * line), INK if not line else FAINT)
        for k, column in enumerate(columns):
            x = _MARGIN + k * (side + _GAP)
            page[y : y + height, x : x + side] = column.tiles[row]
            if row == 0:
                write(page, f"{column.seconds:.2f} s", (x + 2, _HEAD - 8), FAINT)
        # The mouths stand a little apart from the faces.
        y += height + _GAP * (3 if row == 1 else 1)
    return page


def write(
    page: Image,
    text: str,
    at: tuple[int, int],
    ink: tuple[int, int, int] = INK,
    size: float = 0.55,
    weight: int = 1,
) -> int:
    """Draw ASCII text with its baseline's left end ``at`` (x, y); return its width in pixels."""
    font = cv2.FONT_HERSHEY_SIMPLEX
    cv2.putText(page, text, at, font, size, ink, weight, cv2.LINE_AA)
    return int(cv2.getTextSize(text, font, size, weight)[0][0])


def plain(text: str, longest: int = 60) -> str:
    """``text`` in the characters that can be drawn, its middle left out when it is too long."""
    text = text.encode("ascii", "replace").decode()
    half = (longest - 3) // 2
    return text if len(text) <= longest else f"{text[:half]}...{text[-half:]}"
