"""Move the pixels that are there: a piecewise-linear inverse map on the face mesh.

The map is worked out on a coarse grid of nodes (its cost does not depend on the picture's size)
and interpolated to pixels. A mouth has two sides that part and meet: above and below the lip line
the map comes in two versions, each continued smoothly across the line, so that a closing mouth
never samples what lay between the lips.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from labial import geometry
from labial.pixels import Box, aligned
from labial.types import (
    N_LANDMARKS,
    BoolArray,
    FloatArray,
    Frame,
    IntArray,
    PixelFormat,
    Plane,
)

NODES_PER_EYES = 40
RING_SCALE = 1.22
_CHIN = [geometry.FACE_OVAL.index(v) for v in (379, 378, 400, 377, 152, 148, 176, 149, 150)]
_RINGS = 3
_STILL = 0.04
_BANDS = 6

_RING, _SKIN, _UPPER, _LOWER, _INSIDE = range(5)


@lru_cache(maxsize=1)
def topology() -> tuple[IntArray, IntArray]:
    """Return the warp's triangles (t, 3) and their part: ring, skin, upper lip, lower lip, inside.

    Vertices are the 478 landmarks followed by a ring around the face oval.
    """
    canonical, triangles = geometry.canonical_mesh()
    inner = set(geometry.INNER_UPPER) | set(geometry.INNER_LOWER)
    lips = _lip_vertices(canonical)
    line = (canonical[list(geometry.INNER_UPPER)] + canonical[list(geometry.INNER_LOWER)]) / 2
    rows: list[tuple[int, int, int]] = []
    parts: list[int] = []
    low = canonical[1, 1] - 0.1
    for a, b, c in triangles.tolist():
        if {a, b, c} <= inner or canonical[[a, b, c], 1].max() < low:
            continue
        x, y, _ = canonical[[a, b, c]].mean(0)
        part = _SKIN
        if {a, b, c} <= lips and line[0, 0] < x < line[-1, 0]:
            part = _UPPER if y < np.interp(x, line[:, 0], line[:, 1]) else _LOWER
        rows.append((a, b, c))
        parts.append(part)
    oval = geometry.FACE_OVAL
    for i, a in enumerate(oval):
        j = (i + 1) % len(oval)
        b, c, d = oval[j], N_LANDMARKS + i, N_LANDMARKS + j
        if max(canonical[a, 1], canonical[b, 1]) >= low:
            rows += [(a, b, c), (b, d, c)]
            parts += [_RING, _RING]
    up, lo = geometry.INNER_UPPER, geometry.INNER_LOWER
    for i in range(len(up) - 1):
        for tri in ((up[i], up[i + 1], lo[i]), (up[i + 1], lo[i + 1], lo[i])):
            if len(set(tri)) == 3:
                rows.append(tri)
                parts.append(_INSIDE)
    return np.array(rows, np.int32), np.array(parts, np.int32)


def near_vertices(moving: BoolArray) -> BoolArray:
    """Return the vertices (514,) of the triangles that one of some landmarks (478,) belongs to."""
    triangles = topology()[0]
    near = np.zeros(N_LANDMARKS + len(geometry.FACE_OVAL), bool)
    full = near.copy()
    full[:N_LANDMARKS] = moving
    near[triangles[full[triangles].any(1)]] = True
    return near


@lru_cache(maxsize=1)
def _canonical_sides() -> FloatArray:
    """(t,) sign of each triangle's area when the face looks into the camera."""
    canonical, _ = geometry.canonical_mesh()
    full = np.zeros((N_LANDMARKS, 2), np.float32)
    full[: len(canonical)] = canonical[:, :2]
    triangles, parts = topology()
    a, b, c = with_ring(full, full)[triangles].transpose(1, 0, 2)
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (c[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1])
    # Triangles of the inside have hardly any area on a closed mouth: any side will do.
    return np.asarray(np.where(parts == _INSIDE, 0, np.sign(area)), np.float32)


def _lip_vertices(canonical: FloatArray) -> set[int]:
    """Vertices on or between the outer and inner lip contours."""
    outline = list(geometry.OUTER_RING)
    polygon = canonical[outline, :2].astype(np.float32).reshape(-1, 1, 2)
    front = np.flatnonzero(canonical[:, 2] < canonical[61, 2] + 0.05)
    return {
        int(v)
        for v in front
        if cv2.pointPolygonTest(polygon, canonical[v, :2].astype(float).tolist(), True) >= -1e-4
    }


def with_ring(points: npt.NDArray[np.floating], anchor: npt.NDArray[np.floating]) -> FloatArray:
    """Append the fixed ring around the face oval.

    Parameters
    ----------
    points
        (478, ≥2) landmarks in pixels, possibly moved.
    anchor
        (478, ≥2) landmarks of the unmoved face; the ring is that face's oval, widened. Below the
        chin, which alone moves much, it is widened downwards and not to the sides, so that the
        chin moves the neck and nothing else.

    Returns
    -------
    (514, 2) float32
    """
    oval = anchor[list(geometry.FACE_OVAL), :2]
    center = oval.mean(0)
    ring = center + (oval - center) * RING_SCALE
    down = oval[_CHIN].mean(0) - center
    ring[_CHIN] = oval[_CHIN] + (RING_SCALE - 1) * down
    return np.concatenate([points[:, :2], ring]).astype(np.float32)


@dataclass(frozen=True)
class Raster:
    """Which triangle each grid node lies in, for one arrangement of moved vertices.

    Parameters
    ----------
    x0, y0, step
        Node (row r, column c) is at pixel ``(x0, y0) + step * (c + 0.5, r + 0.5)``; whole numbers
        of chroma samples, so that nodes fall alike on all planes.
    vertices
        (rows, columns, 3) int32 vertex indices; 0 where no triangle covers the node.
    weights
        (rows, columns, 3) float32 barycentric weights.
    part
        (rows, columns) int8: -1 outside the mesh, else ring, skin, upper lip, lower lip, inside.
    """

    x0: int
    y0: int
    step: int
    vertices: IntArray
    weights: FloatArray
    part: npt.NDArray[np.int8]

    def gather(self, points: FloatArray) -> FloatArray:
        """Interpolate (514, d) vertex values to the nodes: (rows, columns, d)."""
        value = self.weights[..., 0, None] * points[self.vertices[..., 0]]
        value += self.weights[..., 1, None] * points[self.vertices[..., 1]]
        value += self.weights[..., 2, None] * points[self.vertices[..., 2]]
        return np.asarray(value, np.float32)

    def face(self, box: Box) -> FloatArray:
        """(h, w) 0..1: pixels of ``box`` on the face, softly over about a node."""
        on = (self.part >= _SKIN).astype(np.float32)
        return _to_pixels(np.asarray(cv2.blur(on, (3, 3)), np.float32), self, box)

    def window(self, box: Box) -> Raster:
        """Return the part of the grid that ``box`` needs."""
        rows, cols = self.part.shape
        c0 = max((box.x0 - self.x0) // self.step - 2, 0)
        r0 = max((box.y0 - self.y0) // self.step - 2, 0)
        c1 = min((box.x1 - self.x0) // self.step + 3, cols)
        r1 = min((box.y1 - self.y0) // self.step + 3, rows)
        part = (slice(r0, r1), slice(c0, c1))
        return Raster(
            self.x0 + c0 * self.step,
            self.y0 + r0 * self.step,
            self.step,
            self.vertices[part],
            self.weights[part],
            self.part[part],
        )


def node_step(unit: float, fmt: PixelFormat) -> int:
    """Return the grid's step in pixels for a face of ``unit`` pixels between the eyes."""
    cell = 1 << max(fmt.sub_x, fmt.sub_y)
    return cell * max(1, round(unit / NODES_PER_EYES / cell))


def rasterize(points: FloatArray, box: Box, step: int) -> Raster:
    """Locate every node of a grid over ``box`` in the mesh of moved vertices (514, 2)."""
    triangles, parts = topology()
    rows, cols = -(-box.height // step), -(-box.width // step)
    origin = np.array([box.x0, box.y0], np.float32)
    grid = (points - origin) / np.float32(step) - np.float32(0.5)
    corner = grid[triangles]
    low = np.ceil(corner.min(1) - 1e-3).astype(np.int64).clip(0)
    high = np.floor(corner.max(1) + 1e-3).astype(np.int64)
    high = np.minimum(high, [cols - 1, rows - 1])
    span = (high - low + 1).clip(0)
    count = span[:, 0] * span[:, 1]
    which = np.repeat(np.arange(len(triangles)), count)
    place = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
    x = low[which, 0] + place % np.maximum(span[which, 0], 1)
    y = low[which, 1] + place // np.maximum(span[which, 0], 1)
    a, b, c = corner[:, 0], corner[:, 1], corner[:, 2]
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (c[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1])
    safe = np.where(np.abs(area) > 1e-6, area, np.inf)[which]
    bx, by = x - a[which, 0], y - a[which, 1]
    ab, ac = (b - a)[which], (c - a)[which]
    w1 = (bx * ac[:, 1] - by * ac[:, 0]) / safe
    w2 = (by * ab[:, 0] - bx * ab[:, 1]) / safe
    w0 = 1 - w1 - w2
    good = (np.minimum(np.minimum(w0, w1), w2) >= -1e-3) & np.isfinite(safe)
    which, x, y = which[good], x[good], y[good]
    weights = np.stack([w0[good], w1[good], w2[good]], 1)
    # Where the mesh folds over itself, seen from the side, what faces the camera wins; and the
    # nearer to the lip line, the later it is painted.
    turned = np.sign(area) != _canonical_sides()
    order = np.argsort((2 * parts + ~turned)[which], kind="stable")
    vertices = np.zeros((rows, cols, 3), np.int32)
    bary = np.zeros((rows, cols, 3), np.float32)
    part = np.full((rows, cols), -1, np.int8)
    vertices[y[order], x[order]] = triangles[which[order]]
    bary[y[order], x[order]] = weights[order]
    part[y[order], x[order]] = parts[which[order]]
    return Raster(box.x0, box.y0, step, vertices, bary, part)


@dataclass(frozen=True)
class Maps:
    """Inverse maps at the nodes: where each node's colour comes from, minus where it is.

    (rows, columns, 2) float32 pixel offsets for the part above the lip line and below it; they
    agree away from the lips.
    """

    above: FloatArray
    below: FloatArray


def offsets(raster: Raster, moved: FloatArray, source: FloatArray, fixed: bool) -> FloatArray:
    """Work out where nodes of the moved mesh lie in the source picture, minus where they are.

    Parameters
    ----------
    raster
        Of the moved vertices.
    moved, source
        (514, 2) vertices after the move and in the picture sampled from.
    fixed
        True when both are the same picture: nodes outside the mesh then stay where they are.

    Returns
    -------
    (rows, columns, 2) float32 pixels
    """
    offset = raster.gather(source - moved)
    if fixed:
        offset[raster.part < 0] = 0
    return offset


def layered(raster: Raster, lips: FloatArray, fixed: bool) -> Maps:
    """Split offsets at the lip line, each side continued smoothly across it.

    Parameters
    ----------
    raster
        The grid.
    lips
        :func:`offsets` of the lips and the skin.
    fixed
        As for :func:`offsets`.
    """
    part = raster.part
    known = part >= (-1 if fixed else 0)
    gap = part == _INSIDE
    return Maps(
        _extend(lips, known & (part != _LOWER) & ~gap, raster.step),
        _extend(lips, known & (part != _UPPER) & ~gap, raster.step),
    )


def _extend(field: FloatArray, known: BoolArray, step: float) -> FloatArray:
    """Fill unknown nodes from their known neighbours, ring by ring.

    The first ring goes on with the slope of the two rings before it, since pixels between a known
    and a filled node are interpolated; farther ones keep the value.
    """
    mask = known.astype(np.float32)
    value = field * mask[..., None]
    wide, far = _mean(value, mask, 5)
    for turn in range(_RINGS):
        near, mean = _mean(value, mask, 3)
        new = (mask == 0) & (near > 1e-6)
        if turn == 0:
            # Known neighbours are one node away, those of the wider window one and a half.
            slope = 2 * (mean - far)
            steep = np.maximum(np.abs(slope[..., 0]), np.abs(slope[..., 1])) / (2 * step)
            mean = mean + slope * ((wide > 0.3) / np.maximum(steep, 1))[..., None]
        value[new] = mean[new]
        mask[new] = 1
    return value


def _mean(value: FloatArray, mask: FloatArray, size: int) -> tuple[FloatArray, FloatArray]:
    """Share of known nodes in a window around each node, and their mean value."""
    share, total = (
        np.asarray(cv2.blur(x, (size, size), borderType=cv2.BORDER_CONSTANT), np.float32)
        for x in (mask, value)
    )
    return share, total / np.maximum(share, np.float32(1e-6))[..., None]


def sample(
    image: npt.NDArray[Any], offset: FloatArray, raster: Raster, box: Box, at: Box
) -> npt.NDArray[Any]:
    """Resample ``image`` for the pixels of ``box``.

    Parameters
    ----------
    image
        (h, w, 3) pixels of the part ``at`` of the source picture; float32 is fastest.
    offset
        (rows, columns, 2) node offsets of :class:`Maps`.
    raster
        The grid that the offsets belong to.
    box
        Pixels wanted, inside the raster's area.
    at
        Where ``image`` lies in its picture.

    Returns
    -------
    (box.height, box.width, 3) of the image's type
    """
    return _remap(image, _absolute(_to_pixels(offset, raster, box), box, at))


def look_up(image: npt.NDArray[Any], points: FloatArray, at: Box) -> npt.NDArray[Any]:
    """Resample ``image``, the part ``at`` of its picture, at points (h, w, 2) of that picture."""
    return _remap(image, points - np.array([at.x0 + 0.5, at.y0 + 0.5], np.float32))


def move(frame: Frame, offset: FloatArray, raster: Raster) -> Frame:
    """Move the pixels of a frame, in its native planes.

    Parameters
    ----------
    frame
        The picture.
    offset, raster
        :func:`offsets` within the picture itself.

    Returns
    -------
    The frame with planes of its own. Samples that stay where they are keep their exact value.
    """
    span = np.maximum(np.abs(offset[..., 0]), np.abs(offset[..., 1]))
    far = span > _STILL
    if not far.any():
        return replace(frame, planes=tuple(plane.copy() for plane in frame.planes))
    planes = tuple(plane.copy() for plane in frame.planes)
    rows = np.flatnonzero(far.any(1))
    # In bands, each as wide as it must be: much of a face moves hardly.
    for band in np.array_split(np.arange(rows[0] - 1, rows[-1] + 2), _BANDS):
        if len(band):
            first, last = max(int(band[0]) - 1, 0), int(band[-1]) + 2
            cols = np.flatnonzero(far[first:last].any(0)).tolist()
            if cols:
                left, right = raster.step * (cols[0] - 1), raster.step * (cols[-1] + 2)
                top, bottom = raster.step * int(band[0]), raster.step * (int(band[-1]) + 1)
                x0, y0 = raster.x0, raster.y0
                box = Box(x0 + left, y0 + top, x0 + right, y0 + bottom)
                _move_part(frame, planes, offset, raster, box)
    return replace(frame, planes=planes)


def _move_part(
    frame: Frame, planes: tuple[Plane, ...], offset: FloatArray, raster: Raster, box: Box
) -> None:
    """Move what lies in ``box``, from the planes of ``frame`` into ``planes``."""
    size = (frame.width, frame.height)
    box = aligned(box.clip(*size), frame.format, *size)
    if box.width <= 0 or box.height <= 0:
        return
    reach = int(np.abs(offset).max()) + 4
    maps: dict[tuple[int, int], tuple[Box, Box, FloatArray]] = {}
    for index, plane in enumerate(frame.planes):
        sub = frame.format.subsampling(index)
        if sub not in maps:
            part = _in_plane(box, sub)
            from_ = Box(part.x0 - reach, part.y0 - reach, part.x1 + reach, part.y1 + reach)
            from_ = from_.clip(plane.shape[1], plane.shape[0])
            cell = np.array([1 << sub[0], 1 << sub[1]], np.float32)
            fine = _to_pixels(offset / cell, raster, part, sub)
            maps[sub] = part, from_, _absolute(fine, part, from_)
        part, from_, where = maps[sub]
        new = _remap(plane[from_.y0 : from_.y1, from_.x0 : from_.x1], where)
        if frame.format.bits not in (8, 16):
            new = np.minimum(new, (1 << frame.format.bits) - 1)
        planes[index][part.y0 : part.y1, part.x0 : part.x1] = new


def _in_plane(box: Box, subsampling: tuple[int, int]) -> Box:
    """The samples of a plane that cover an aligned box of pixels."""
    x, y = subsampling
    return Box(box.x0 >> x, box.y0 >> y, -(-box.x1 >> x), -(-box.y1 >> y))


def _absolute(fine: FloatArray, box: Box, at: Box) -> FloatArray:
    """Turn offsets (h, w, 2) for the pixels of ``box`` into positions in an image at ``at``."""
    fine[..., 0] += np.arange(box.x0 - at.x0, box.x1 - at.x0, dtype=np.float32)
    fine[..., 1] += np.arange(box.y0 - at.y0, box.y1 - at.y0, dtype=np.float32)[:, None]
    return fine


def _remap(image: npt.NDArray[Any], where: FloatArray) -> npt.NDArray[Any]:
    return np.asarray(
        cv2.remap(image, where, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)  # type: ignore[call-overload]
    )


def _to_pixels(
    field: FloatArray, raster: Raster, box: Box, subsampling: tuple[int, int] = (0, 0)
) -> FloatArray:
    """Interpolate node values (rows, columns[, d]) at the samples of ``box`` of a plane."""
    # The step is whole in every plane, so enlarging by it puts each node in its place.
    step_x, step_y = raster.step >> subsampling[0], raster.step >> subsampling[1]
    left, top = raster.x0 >> subsampling[0], raster.y0 >> subsampling[1]
    rows, cols = field.shape[:2]
    c0 = min(max((box.x0 - left) // step_x - 1, 0), cols - 1)
    r0 = min(max((box.y0 - top) // step_y - 1, 0), rows - 1)
    c1 = max(min((box.x1 - left) // step_x + 2, cols), c0 + 1)
    r1 = max(min((box.y1 - top) // step_y + 2, rows), r0 + 1)
    size = ((c1 - c0) * step_x, (r1 - r0) * step_y)
    fine = cv2.resize(field[r0:r1, c0:c1], size, interpolation=cv2.INTER_LINEAR)
    x, y = box.x0 - left - c0 * step_x, box.y0 - top - r0 * step_y
    short = (max(-y, 0), max(y + box.height - size[1], 0))
    narrow = (max(-x, 0), max(x + box.width - size[0], 0))
    if any(short) or any(narrow):
        fine = cv2.copyMakeBorder(fine, *short, *narrow, cv2.BORDER_REPLICATE)
    x, y = max(x, 0), max(y, 0)
    return np.array(fine[y : y + box.height, x : x + box.width], np.float32)
