"""One frame's new mouth, as layers: the frame with its face moved, and the mouth to lay over it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from labial import geometry
from labial.motion.retarget import Retarget
from labial.pixels import Box, aligned, read_rgb
from labial.render import warp
from labial.render.bank import Choice
from labial.render.interior import plain_interior
from labial.render.learned import Learned
from labial.render.lipline import LOWER, UPPER, LipLine, lip_line
from labial.render.refine import Scene
from labial.types import FaceTrack, FloatArray, Frame

MOUTH_MARGIN = 0.22
# Skin around the mouth, where its light is looked for.
_SKIN = [205, 425, 187, 411, 202, 422, 18, 200]
_OUTER_RING = list(geometry.OUTER_RING)
# How far a made-up inside lies over the rim of the lips, in inter-ocular distances.
_RIM = 0.012
# A mouth stretched beyond these ratios of its filmed opening fades to the plain interior.
_STRETCH_FINE, _STRETCH_MAX = 1.5, 2.5
# How far from the edge a closing mouth takes its lips: share of the lip, and at least so far,
# since teeth shine into the pixels beside them; and a shut mouth that is opened.
_INSET, _INSET_PIXELS = 0.25, 2.0
_TRIM, _TRIM_PIXELS = 0.15, 1.0
# Points that move less, in pixels, stay.
_STILL = 0.04


@dataclass(frozen=True)
class Layers:
    """What compositing needs of one frame.

    Parameters
    ----------
    frame
        The frame with its face mesh moved, in native planes of its own; bit-exact where nothing
        moved.
    box
        The part around the mouth, aligned to chroma samples.
    mouth
        (h, w, 3) float32 RGB of ``box``: lips and inside of the new mouth.
    face
        (h, w) float32 0..1: pixels of ``box`` on the face, not beside it.
    outer
        (20, 2) float32 outline of the lips in pixels of ``box``.
    unit
        Inter-ocular distance in pixels.
    scene
        What the refiner is to see; None where nothing is to be refined.
    around, around_face
        The part of the frame that the refiner may change, which holds ``box``, and ``face`` for it.
    """

    frame: Frame
    box: Box
    mouth: FloatArray
    face: FloatArray
    outer: FloatArray
    unit: float
    scene: Scene | None = None
    around: Box | None = None
    around_face: FloatArray | None = None


@dataclass(frozen=True)
class _View:
    """A picture to take mouth pixels from; weights also bring its samples to 0..1."""

    image: FloatArray
    at: Box
    landmarks: FloatArray
    weight: float
    inside: float
    own: bool = False


@dataclass(frozen=True)
class _Target:
    """Where the mouth goes in one frame: what is the same for all views."""

    moved: FloatArray
    there: FloatArray
    grid: warp.Raster
    box: Box
    line: LipLine


def render_mouth(
    frame: Frame,
    track: FaceTrack,
    retarget: Retarget,
    choice: Choice | None,
    learned: Learned | None = None,
    other: Choice | None = None,
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
    learned
        The learned parts of this track; without them, what is missing inside is drawn.
    other
        A second choice of the bank, for the refiner to see.

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
    box = _around(moved[_OUTER_RING, :2], MOUTH_MARGIN * unit, frame)
    if box.width < 4 or box.height < 4:
        return None
    raster = warp.rasterize(
        there, _region(there, filmed, frame, box), warp.node_step(unit, frame.format)
    )
    offset = warp.offsets(raster, there, warp.with_ring(filmed, filmed), fixed=True)
    line = lip_line(moved, box)
    target = _Target(moved, there, raster.window(box), box, line)

    mouth = np.zeros((box.height, box.width, 3), np.float32)
    if choice is not None:
        mouth = _mouth(target, _patches(choice))
    if choice is None or strength < 1:
        # A fading mouth fades into the frame's own, moved the same way.
        own = _mouth(target, [_own(frame, filmed, unit)])
        mouth = own if choice is None else own + strength * (mouth - own)
    plain = _plainness(moved, filmed, choice)
    hole = _hole(line, unit, box)
    if plain > 0 and hole.width > 0 and hole.height > 0:
        part = _inside(hole, box)
        if learned is not None and learned.has_interior:
            drawn = learned.inside(mouth, box, row, moved, _grain(frame, filmed))[part]
        else:
            drawn = _drawn(frame, track, row, moved, hole)
        mouth[part] = _laid_inside(mouth[part], drawn, line.opening[part], plain, unit)
    scene = None if learned is None else learned.scene(frame, row, moved, choice, other)
    around = around_face = None
    if scene is not None:
        reach = scene.plane.box(frame.width, frame.height)
        around = Box(
            min(reach.x0, box.x0),
            min(reach.y0, box.y0),
            max(reach.x1, box.x1),
            max(reach.y1, box.y1),
        )
        around = aligned(around, frame.format, frame.width, frame.height)
        around_face = raster.face(around)
    return Layers(
        warp.move(frame, offset, raster),
        box,
        mouth,
        target.grid.face(box),
        (moved[_OUTER_RING, :2] - (box.x0, box.y0)).astype(np.float32),
        unit,
        scene,
        around,
        around_face,
    )


def _patches(choice: Choice) -> list[_View]:
    shares = zip(choice.patches, choice.weights, choice.inside or choice.weights, strict=True)
    return [
        _View(p.rgb.astype(np.float32), p.box, p.landmarks, w / top, inside / top)
        for p, w, inside in shares
        for top in (np.iinfo(p.rgb.dtype).max,)
    ]


def _own(frame: Frame, filmed: FloatArray, unit: float) -> _View:
    at = _around(filmed[_OUTER_RING, :2], (MOUTH_MARGIN + 0.2) * unit, frame)
    return _View(read_rgb(frame, at), at, filmed, 1.0, 1.0, own=True)


def _mouth(target: _Target, views: list[_View]) -> FloatArray:
    """Lips and inside of the mouth, mixed from some views: (h, w, 3) float32 RGB."""
    box, grid, line = target.box, target.grid, target.line
    top, bottom = max(line.over.y0, line.under.y0), min(line.over.y1, line.under.y1)
    both = Box(box.x0, top, box.x1, max(bottom, top))
    out: FloatArray | None = None
    between = np.zeros((line.gap.height, line.gap.width, 3), np.float32)
    for view in views:
        maps = _maps(target, view)
        upper = warp.sample(view.image, maps.above, grid, line.over, view.at)
        lower = warp.sample(view.image, maps.below, grid, line.under, view.at)
        part = np.empty((box.height, box.width, 3), np.float32)
        part[_inside(line.over, box)] = upper
        part[_inside(line.under, box)] = lower
        if both.height > 0:
            pair = lower[_inside(both, line.under)], upper[_inside(both, line.over)]
            part[_inside(both, box)] = _mixed(*pair, line.below[_inside(both, box)])
        part *= np.float32(view.weight)
        out = part if out is None else out + part
        if line.gap.height > 0 and view.inside > 0:
            deep = warp.look_up(view.image, line.between(view.landmarks), view.at)
            cv2.scaleAdd(deep, view.inside, between, dst=between)
    assert out is not None, "no view to take a mouth from"
    if line.gap.height > 0:
        inner = _inside(line.gap, box)
        out[inner] = _mixed(between, out[inner], line.opening[inner])
    return out


def _mixed(over: npt.NDArray[Any], under: npt.NDArray[Any], alpha: FloatArray) -> npt.NDArray[Any]:
    return np.asarray(cv2.blendLinear(over, under, alpha, 1 - alpha))


def _region(points: FloatArray, filmed: FloatArray, frame: Frame, mouth: Box) -> Box:
    """The part of the frame that the mesh changes, or that the mouth needs."""
    still = np.abs(points[: len(filmed)] - filmed[:, :2]).max(1) < _STILL
    used = points[warp.near_vertices(~still)]
    corners = np.array([[mouth.x0, mouth.y0], [mouth.x1, mouth.y1]], np.float32)
    return _around(np.concatenate([used, corners]), 2, frame)


def _around(points: FloatArray, margin: float, frame: Frame) -> Box:
    """The box of some points and a margin, inside the frame, aligned to chroma samples."""
    x0, y0 = np.floor(points.min(0) - margin).astype(int).tolist()
    x1, y1 = np.ceil(points.max(0) + margin).astype(int).tolist()
    box = Box(x0, y0, x1, y1).clip(frame.width, frame.height)
    return aligned(box, frame.format, frame.width, frame.height)


def _inside(inner: Box, outer: Box) -> tuple[slice, slice]:
    rows = slice(inner.y0 - outer.y0, inner.y1 - outer.y0)
    return rows, slice(inner.x0 - outer.x0, inner.x1 - outer.x0)


def _maps(target: _Target, view: _View) -> warp.Maps:
    """Inverse maps into a view; its lips are taken from a little off their edge.

    That is so where a mouth closes, whose teeth would show at the edge, and where a shut one is
    opened, whose lip line would be stretched over the lips.
    """
    here = warp.with_ring(view.landmarks, view.landmarks)
    need, have = _opening(target.moved), _opening(view.landmarks)
    closing = float(np.clip((have - need - 0.005) / 0.05, 0, 1))
    opening = float(np.clip((need - have - 0.02) / 0.06, 0, 1) * np.clip(2 - have / 0.03, 0, 1))
    for amount, inset, pixels in ((closing, _INSET, _INSET_PIXELS), (opening, _TRIM, _TRIM_PIXELS)):
        if amount <= 0:
            continue
        for edge, rim in ((UPPER, geometry.OUTER_UPPER), (LOWER, geometry.OUTER_LOWER)):
            a, b = edge[1:-1], list(rim[1:-1])
            across = here[b] - here[a]
            thick = np.linalg.norm(across, axis=1, keepdims=True).clip(1e-3)
            here[a] += amount * across * np.maximum(inset, pixels / thick).clip(max=0.6)
    lips = warp.offsets(target.grid, target.there, here, fixed=view.own)
    return warp.layered(target.grid, lips, fixed=view.own)


def _opening(landmarks: FloatArray) -> float:
    """Inner-lip opening in inter-ocular distances of the same picture."""
    left, right = geometry.EYE_OUTER
    unit = np.linalg.norm(landmarks[left] - landmarks[right])
    return float(np.linalg.norm(landmarks[14] - landmarks[13]) / max(unit, 1e-6))


def _plainness(moved: FloatArray, filmed: FloatArray, choice: Choice | None) -> float:
    """How much of the inside has to be made up, 0..1."""
    need, have = _opening(moved), _opening(filmed)
    if choice is not None:
        views = zip(choice.patches, choice.inside or choice.weights, strict=True)
        have = sum(weight * _opening(patch.landmarks) for patch, weight in views)
    if need < 0.02:
        return 0.0
    stretch = need / max(have, 0.01)
    return float(np.clip((stretch - _STRETCH_FINE) / (_STRETCH_MAX - _STRETCH_FINE), 0, 1))


def _drawn(frame: Frame, track: FaceTrack, row: int, moved: FloatArray, at: Box) -> FloatArray:
    """The plain inside of the mouth in this face's place and light."""
    turn = track.scale[row] * track.rotation[row]
    shift = track.translation[row] + turn[:, 2] * track.neutral[13, 2]
    pose = np.concatenate([turn[:2, :2], shift[:2, None]], 1).astype(np.float32)
    around = track.landmarks[row][_SKIN, :2]
    box = _around(around, 2, frame)
    x, y = (around - (box.x0, box.y0)).astype(int).T
    rgb = read_rgb(frame, box)
    skin = np.median(rgb[y.clip(0, box.height - 1), x.clip(0, box.width - 1)], axis=0)
    return plain_interior(at, moved[:, :2], track.neutral, pose, skin)


def _hole(line: LipLine, unit: float, box: Box) -> Box:
    """The part of ``box`` that a made-up inside can reach: the opening, and its rim."""
    rim = int(4 * max(_RIM * unit, 0.5)) + 2
    gap = line.gap
    if gap.width <= 0 or gap.height <= 0:
        return gap
    return Box(
        max(gap.x0 - rim, box.x0),
        max(gap.y0 - rim, box.y0),
        min(gap.x1 + rim, box.x1),
        min(gap.y1 + rim, box.y1),
    )


def _laid_inside(
    mouth: FloatArray, inside: FloatArray, opening: FloatArray, share: float, unit: float
) -> FloatArray:
    """Lay a made-up inside into the opening, and a little over its rim.

    Lips that were shut meet in a wet, shining line, which would frame the mouth that they open to.
    """
    sigma = max(_RIM * unit, 0.5)
    near = cv2.GaussianBlur(opening, (0, 0), sigma)
    spread = cv2.GaussianBlur(inside * opening[..., None], (0, 0), sigma)
    spread = np.asarray(spread / np.maximum(near, 1e-3)[..., None], np.float32)
    filled = spread + opening[..., None] * (inside - spread)
    alpha = np.minimum(2 * near, 1) * np.float32(share)
    return np.asarray(mouth + alpha[..., None] * (filled - mouth), np.float32)


def _grain(frame: Frame, landmarks: FloatArray) -> float:
    """Standard deviation of the noise on the skin around the mouth, robust against its texture."""
    points = landmarks[_SKIN, :2]
    box = _around(points, 0, frame)
    if box.width < 8 or box.height < 8:
        return 0.0
    size = max(4, box.width // 10)
    spread = []
    for x, y in (points - (box.x0, box.y0)).astype(int):
        at = Box(box.x0 + x - size, box.y0 + y - size, box.x0 + x + size, box.y0 + y + size)
        at = aligned(at.clip(frame.width, frame.height), frame.format, frame.width, frame.height)
        if at.width > 4 and at.height > 4:
            green = np.ascontiguousarray(read_rgb(frame, at)[..., 1])
            fine = green - cv2.GaussianBlur(green, (0, 0), 1.0)
            spread.append(float(np.median(np.abs(fine))))
    return 1.4826 * float(np.median(spread)) if spread else 0.0
