"""One frame's new mouth, as layers: the moved face, the mouth from the bank, and its outlines."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from labial import geometry
from labial.motion.retarget import Retarget
from labial.pixels import Box, aligned, read_rgb
from labial.render import warp
from labial.render.bank import Choice
from labial.render.interior import plain_interior
from labial.types import BoolArray, FaceTrack, FloatArray, Frame

MOUTH_MARGIN = 0.30
_UPPER, _LOWER = list(geometry.INNER_UPPER), list(geometry.INNER_LOWER)
_OUTER_RING = [*geometry.OUTER_UPPER, *geometry.OUTER_LOWER[-2:0:-1]]
# A mouth stretched beyond these ratios of its filmed opening fades to the plain interior.
_STRETCH_FINE, _STRETCH_MAX = 2.2, 4.0
# How far from the edge a closing mouth takes its lips: share of the lip, and at least so far,
# since teeth shine into the pixels beside them.
_INSET, _INSET_PIXELS = 0.25, 2.0


@dataclass(frozen=True)
class Layers:
    """What compositing needs of one frame.

    Parameters
    ----------
    box
        The part of the frame that may change, aligned to chroma samples.
    source, moved
        (h, w, 3) float32 RGB of ``box``: as filmed, and with the face mesh moved.
    touched
        (h, w) bool: pixels that the move changes.
    mouth_box
        The part around the mouth, inside ``box``.
    mouth
        (hm, wm, 3) float32 RGB of ``mouth_box``: lips and inside of the new mouth.
    face
        (hm, wm) float32 0..1: pixels of ``mouth_box`` on the face, not beside it.
    outer
        (20, 2) float32 outline of the lips in pixels of ``mouth_box``.
    unit
        Inter-ocular distance in pixels.
    strength
        0..1, how far the new mouth replaces the source.
    """

    box: Box
    source: FloatArray
    moved: FloatArray
    touched: BoolArray
    mouth_box: Box
    mouth: FloatArray
    face: FloatArray
    outer: FloatArray
    unit: float
    strength: float


@dataclass(frozen=True)
class _View:
    """A picture to take mouth pixels from."""

    image: npt.NDArray[np.floating] | npt.NDArray[np.unsignedinteger]
    at: Box
    landmarks: FloatArray
    weight: float


def render_mouth(
    frame: Frame, track: FaceTrack, retarget: Retarget, choice: Choice | None
) -> Layers | None:
    """Render one frame.

    Parameters
    ----------
    frame
        The picture.
    track
        The face; ``frame`` must belong to it.
    retarget
        Where the mesh has to go.
    choice
        Patches of the bank; None where there are none, which takes the frame's own mouth.

    Returns
    -------
    Layers, or None where the track's quality is 0 and the frame is to be left alone.
    """
    row = frame.index - track.start
    strength = float(track.quality[row])
    if strength <= 0:
        return None
    filmed = track.landmarks[row]
    unit = float(track.scale[row])
    moved = filmed + unit * retarget.displacement(row) @ track.rotation[row].T
    there = warp.with_ring(moved, filmed)
    area = _region(there, frame)
    mouth_box = _around(moved[_OUTER_RING, :2], MOUTH_MARGIN * unit, area)
    if mouth_box.width < 4 or mouth_box.height < 4:
        return None
    raster = warp.rasterize(there, area, max(unit / warp.NODES_PER_EYES, 1.0))
    base = warp.offsets(raster, there, warp.with_ring(filmed, filmed), fixed=True)
    touched = _touched(raster, base, area)
    box = _active(touched, area, mouth_box, frame)
    source = read_rgb(frame, box)
    below, opening = _lip_line(moved, mouth_box)

    own = _View(source, box, filmed, 1.0)
    face = warp.sample(source, base, raster, box, box)
    window = raster.window(mouth_box)
    if choice is None:
        views = [own]
    else:
        views = [
            _View(p.rgb, p.box, p.landmarks, w / np.iinfo(p.rgb.dtype).max)
            for p, w in zip(choice.patches, choice.weights, strict=True)
        ]
    gap = _extent(opening, mouth_box)
    mouth = np.zeros((mouth_box.height, mouth_box.width, 3), np.float32)
    cavity = np.zeros((gap.height, gap.width, 3), np.float32)
    for view in views:
        maps = _maps(window, there, view, moved, fixed=view is own)
        mouth += view.weight * _lips(view, maps, window, mouth_box, below)
        if gap.height > 0:
            cavity += view.weight * warp.sample(view.image, maps.inside, window, gap, view.at)
    if strength < 1 or choice is None:
        # Where the bank's mouth is not opaque, the frame's own lips show and must be right.
        part = face[_inside(mouth_box, box)]
        maps = _maps(window, there, own, moved, fixed=True)
        part[:] = mouth if choice is None else _lips(own, maps, window, mouth_box, below)

    plain = _plainness(moved, unit, choice.patches[0].landmarks if choice else filmed)
    if gap.height > 0:
        if plain > 0:
            cavity += plain * (_draw(track, row, moved, gap, face, box) - cavity)
        part, alpha = mouth[_inside(gap, mouth_box)], opening[_inside(gap, mouth_box)]
        part += alpha[..., None] * (cavity - part)
    origin = np.array([mouth_box.x0, mouth_box.y0], np.float32)
    return Layers(
        box,
        source,
        face,
        touched[_inside(box, area)],
        mouth_box,
        mouth,
        window.face(mouth_box),
        (moved[_OUTER_RING, :2] - origin).astype(np.float32),
        unit,
        strength,
    )


def _region(points: FloatArray, frame: Frame) -> Box:
    used = np.unique(warp.topology()[0])
    low = np.floor(points[used].min(0)).astype(int) - 2
    high = np.ceil(points[used].max(0)).astype(int) + 2
    box = Box(int(low[0]), int(low[1]), int(high[0]), int(high[1]))
    return aligned(box.clip(frame.width, frame.height), frame.format, frame.width, frame.height)


def _active(touched: BoolArray, area: Box, mouth_box: Box, frame: Frame) -> Box:
    """The part of ``area`` that changes, aligned to chroma samples."""
    change = _extent(touched, area)
    box = Box(
        min(change.x0, mouth_box.x0), min(change.y0, mouth_box.y0),
        max(change.x1, mouth_box.x1), max(change.y1, mouth_box.y1),
    )  # fmt: skip
    return aligned(box, frame.format, frame.width, frame.height)


def _around(points: FloatArray, margin: float, limit: Box) -> Box:
    low = np.floor(points.min(0) - margin).astype(int)
    high = np.ceil(points.max(0) + margin).astype(int)
    return Box(
        max(int(low[0]), limit.x0), max(int(low[1]), limit.y0),
        min(int(high[0]), limit.x1), min(int(high[1]), limit.y1),
    )  # fmt: skip


def _inside(inner: Box, outer: Box) -> tuple[slice, slice]:
    rows = slice(inner.y0 - outer.y0, inner.y1 - outer.y0)
    return rows, slice(inner.x0 - outer.x0, inner.x1 - outer.x0)


def _lips(
    view: _View, maps: warp.Maps, window: warp.Raster, box: Box, below: FloatArray
) -> FloatArray:
    """Both sides of the lip line, without the inside of the mouth."""
    out = warp.sample(view.image, maps.above, window, box, view.at).astype(np.float32)
    lower = _extent(below, box)
    low = warp.sample(view.image, maps.below, window, lower, view.at)
    part, alpha = out[_inside(lower, box)], below[_inside(lower, box)]
    part += alpha[..., None] * (low - part)
    return out


def _maps(
    raster: warp.Raster, there: FloatArray, view: _View, moved: FloatArray, fixed: bool
) -> warp.Maps:
    """Inverse maps into a view; a mouth that closes takes its lips from a little off the edge."""
    here = warp.with_ring(view.landmarks, view.landmarks)
    maps = warp.layered(raster, warp.offsets(raster, there, here, fixed), fixed)
    closing = _opening(view.landmarks) - _opening(moved)
    closing = float(np.clip((closing - 0.005) / 0.05, 0, 1))
    if closing == 0:
        return maps
    lips = here.copy()
    for edge, rim in ((_UPPER, geometry.OUTER_UPPER), (_LOWER, geometry.OUTER_LOWER)):
        a, b = edge[1:-1], list(rim[1:-1])
        across = here[b] - here[a]
        thick = np.linalg.norm(across, axis=1, keepdims=True).clip(1e-3)
        lips[a] += closing * across * np.maximum(_INSET, _INSET_PIXELS / thick).clip(max=0.6)
    safe = warp.layered(raster, warp.offsets(raster, there, lips, fixed), fixed)
    return warp.Maps(safe.above, safe.below, maps.inside)


def _opening(landmarks: FloatArray) -> float:
    """Inner-lip opening in inter-ocular distances of the same picture."""
    left, right = geometry.EYE_OUTER
    unit = np.linalg.norm(landmarks[left] - landmarks[right])
    return float(np.linalg.norm(landmarks[14] - landmarks[13]) / max(unit, 1e-6))


def _plainness(moved: FloatArray, unit: float, filmed: FloatArray) -> float:
    """How much of the inside has to be made up, 0..1."""
    need, have = _opening(moved), _opening(filmed)
    if need < 0.02:
        return 0.0
    stretch = need / max(have, 0.01)
    return float(np.clip((stretch - _STRETCH_FINE) / (_STRETCH_MAX - _STRETCH_FINE), 0, 1))


def _draw(
    track: FaceTrack, row: int, moved: FloatArray, at: Box, face: FloatArray, box: Box
) -> FloatArray:
    turn = track.scale[row] * track.rotation[row]
    depth = track.neutral[13, 2]
    shift = track.translation[row] + turn[:, 2] * depth
    pose = np.concatenate([turn[:2, :2], shift[:2, None]], 1).astype(np.float32)
    around = moved[[205, 425, 187, 411, 202, 422, 18, 200], :2] - (box.x0, box.y0)
    x, y = around.astype(int).T
    x, y = x.clip(0, box.width - 1), y.clip(0, box.height - 1)
    skin = np.median(face[y, x], axis=0)
    return plain_interior(at, moved[:, :2], track.neutral, pose, skin)


def _lip_line(moved: FloatArray, box: Box) -> tuple[FloatArray, FloatArray]:
    """Where the pixels of ``box`` lie between the lips.

    Returns
    -------
    below
        (h, w) 0..1: below the lip line, which runs on sideways from the mouth corners.
    opening
        (h, w) 0..1: between the lips, by exact coverage: lips that touch leave nothing.
    """
    first, last = moved[_UPPER[0], :2], moved[_UPPER[-1], :2]
    along = (last - first) / max(float(np.linalg.norm(last - first)), 1e-6)
    axes = np.stack([along, [-along[1], along[0]]]).astype(np.float32)
    x = np.arange(box.x0, box.x1, dtype=np.float32) + np.float32(0.5) - first[0]
    y = np.arange(box.y0, box.y1, dtype=np.float32)[:, None] + np.float32(0.5) - first[1]
    u = axes[0, 0] * x + axes[0, 1] * y
    v = axes[1, 0] * x + axes[1, 1] * y
    upper, lower = (
        np.interp(u, *_rising((moved[row, :2] - first) @ axes.T)).astype(np.float32)
        for row in (_UPPER, _LOWER)
    )
    below = (v - (upper + lower) / 2 + 0.5).clip(0, 1)
    opening = (np.minimum(v + 0.5, lower) - np.maximum(v - 0.5, upper)).clip(0, 1)
    return below, opening


def _rising(line: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Abscissae (n,) made to increase, and ordinates (n,), of a lip from corner to corner."""
    return np.maximum.accumulate(line[:, 0]), line[:, 1]


def _extent(mask: FloatArray | BoolArray, box: Box) -> Box:
    """The part of ``box`` where ``mask`` is not 0."""
    rows, cols = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return Box(box.x0, box.y0, box.x0, box.y0)
    x0, y0 = box.x0 + int(cols[0]), box.y0 + int(rows[0])
    return Box(x0, y0, box.x0 + int(cols[-1]) + 1, box.y0 + int(rows[-1]) + 1)


def _touched(raster: warp.Raster, offset: FloatArray, box: Box) -> BoolArray:
    """Pixels that the moved mesh changes, at the grid's precision."""
    far = np.abs(offset).max(-1) > 0.02
    grown = cv2.dilate(far.astype(np.uint8), np.ones((3, 3), np.uint8))
    size = (round(grown.shape[1] * raster.step), round(grown.shape[0] * raster.step))
    full = cv2.resize(grown, size, interpolation=cv2.INTER_NEAREST)
    full = cv2.copyMakeBorder(
        full, 0, max(0, box.height - size[1]), 0, max(0, box.width - size[0]), cv2.BORDER_REPLICATE
    )
    return full[: box.height, : box.width] > 0
