"""One photo with its head turned a little: the mesh's depth, the background standing still.

The head is a relief. Its depth is the mesh's on the face and falls back to the skull's middle
around it, so that turning moves the nose against the ears and the outline hardly at all; below the
chin the motion fades to nothing in the neck. All of it is linear in a few numbers a frame, so the
map is worked out beforehand on a coarse grid of nodes.

Head and background are layers: see :mod:`labial.render.cutout`.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from labial import geometry
from labial.pixels import Box, aligned, read_rgb
from labial.render.cutout import cut_planes
from labial.render.matte import HeadPlace, cut_out
from labial.types import FloatArray, Frame

# Face space: the point about which the head turns, in the neck; depth of the skull's middle.
_PIVOT = (0.0, 0.85, 0.62)
_SKULL = 0.8
# Distances in inter-ocular ones. The motion ends: so far below the chin, beside the skull, above.
_NECK, _BESIDE, _ABOVE = 1.05, (1.5, 2.5), (1.9, 2.6)
# Without a matte it ends around the head, in ellipses of these sizes.
_LOOSE = (1.05, 1.9)
_NODES_PER_EYES = 26
# Room around the outline for the head to move into.
_SPARE = 0.3
_INVERSIONS = 3
_STILL_PIXELS = 0.01
_BROW_RISE = 0.045
_BROWS = (
    70,
    63,
    105,
    66,
    107,
    300,
    293,
    334,
    296,
    336,
    46,
    53,
    52,
    65,
    55,
    276,
    283,
    282,
    295,
    285,
)


class HeadRelief:
    """A photo's head, ready to be turned.

    Parameters
    ----------
    frame
        The picture, 8 or more bits, any planes.
    landmarks
        (478, 3) of its face.
    scale, rotation, translation
        Its pose; see :class:`labial.types.FaceTrack`.
    cut
        Look for the head's outline; False lets the picture bend softly, which shows no seams.

    Attributes
    ----------
    layered : bool
        The head was told from its background; otherwise the picture bends softly around it.
    """

    def __init__(
        self,
        frame: Frame,
        landmarks: FloatArray,
        scale: float,
        rotation: FloatArray,
        translation: FloatArray,
        *,
        cut: bool = True,
    ) -> None:
        self._rotation = np.asarray(rotation, np.float64)
        self._unit = float(scale)
        pivot = scale * rotation @ np.array(_PIVOT) + translation
        place = HeadPlace.of(landmarks, self._unit, rotation, _SKULL)
        box = _window(frame, place)
        matte = None
        if cut:
            rgb8 = np.rint(read_rgb(frame, box) * 255).clip(0, 255).astype(np.uint8)
            matte = cut_out(rgb8, (box.x0, box.y0), place, landmarks)
        self.layered = matte is not None
        cell = 1 << max(frame.format.sub_x, frame.format.sub_y)
        self._step = cell * max(1, round(scale / _NODES_PER_EYES / cell))
        rows, cols = -(-box.height // self._step), -(-box.width // self._step)
        x = box.x0 + self._step * (np.arange(cols, dtype=np.float32) + 0.5)
        y = box.y0 + self._step * (np.arange(rows, dtype=np.float32)[:, None] + 0.5)
        weight = _mobility(*place.at(x, y), place.chin, self.layered)
        skull = float((scale * rotation @ np.array([0, 0.1, _SKULL]) + translation)[2])
        depth = _depth(landmarks, x, y, self._unit, skull)
        ones = np.ones_like(weight)
        fields = [(x - pivot[0]) * ones, (y - pivot[1]) * ones, depth - pivot[2], ones]
        self._fields = np.stack([weight * f for f in fields], -1).astype(np.float32)
        self._brow = _brow_field(landmarks, x, y, self._unit)
        layers = cut_planes(frame, box, matte, self._unit)
        rows_used, cols_used = _used(matte, weight, self._step, _SPARE * self._unit)
        self._fields = self._fields[rows_used, cols_used]
        self._brow = self._brow[rows_used, cols_used]
        self._layers = []
        for layer in layers:
            across, down = (self._step >> n for n in frame.format.subsampling(layer.index))
            self._layers.append(
                layer.cropped(
                    cols_used.start * across,
                    rows_used.start * down,
                    cols_used.stop * across,
                    rows_used.stop * down,
                )
            )

    def move(self, frame: Frame, turn: FloatArray, shift: FloatArray, brows: float = 0.0) -> Frame:
        """Turn the head.

        Parameters
        ----------
        frame
            The picture, of which eyes and mouth may have changed; its planes are written to.
        turn
            (3,) degrees of yaw, pitch and roll against the picture, about the head's own axes.
        shift
            (2,) to the right and down, in inter-ocular distances.
        brows
            0..1, how far they are raised.

        Returns
        -------
        The same frame; samples that the head does not reach keep their exact value.
        """
        offset = self._offsets(turn, shift, brows)
        if float(np.abs(offset).max()) < _STILL_PIXELS:
            return frame
        maps: dict[tuple[int, int], FloatArray] = {}
        for layer in self._layers:
            sub = frame.format.subsampling(layer.index)
            if sub not in maps:
                maps[sub] = self._map(offset, sub, layer.box)
            layer.lay(frame.planes[layer.index], maps[sub], (1 << frame.format.bits) - 1)
        return frame

    def _offsets(self, turn: FloatArray, shift: FloatArray, brows: float) -> FloatArray:
        """(rows, columns, 2) pixels: where each node's colour comes from, minus where it is."""
        change = self._rotation @ _turned(turn) @ self._rotation.T - np.eye(3)
        linear = np.concatenate([change[:2], self._unit * np.asarray(shift)[:, None]], 1)
        forth = (self._fields @ linear.T.astype(np.float32)).astype(np.float32)
        if brows:
            forth[..., 1] -= np.float32(brows) * self._brow
        rows, cols = forth.shape[:2]
        x, y = np.meshgrid(np.arange(cols, dtype=np.float32), np.arange(rows, dtype=np.float32))
        back = -forth
        for _ in range(_INVERSIONS):
            back = -cv2.remap(
                forth,
                x + back[..., 0] / np.float32(self._step),
                y + back[..., 1] / np.float32(self._step),
                cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_REPLICATE,
            )
        return np.asarray(back, np.float32)

    def _map(self, offset: FloatArray, sub: tuple[int, int], box: Box) -> FloatArray:
        """Positions (h, w, 2) in the moving part of a plane."""
        rows, cols = offset.shape[:2]
        size = (cols * (self._step >> sub[0]), rows * (self._step >> sub[1]))
        scale = np.array([1 / (1 << sub[0]), 1 / (1 << sub[1])], np.float32)
        fine = cv2.resize(offset * scale, size, interpolation=cv2.INTER_LINEAR)
        where = np.ascontiguousarray(fine[: box.height, : box.width], np.float32)
        where[..., 0] += np.arange(box.width, dtype=np.float32)
        where[..., 1] += np.arange(box.height, dtype=np.float32)[:, None]
        return where


def _turned(turn: FloatArray) -> npt.NDArray[np.float64]:
    """(3, 3) rotation of yaw, pitch and roll in degrees, signs as in :mod:`labial.geometry`."""
    (ca, cb, cc), (sa, sb, sc) = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    about_y = np.array([[ca, 0, -sa], [0, 1, 0], [sa, 0, ca]])
    about_x = np.array([[1, 0, 0], [0, cb, -sb], [0, sb, cb]])
    about_z = np.array([[cc, -sc, 0], [sc, cc, 0], [0, 0, 1]])
    return np.asarray(about_z @ about_x @ about_y)


def _window(frame: Frame, place: HeadPlace) -> Box:
    """The part of the picture that the head may change, and some of the body below it."""
    reach = np.array(
        [
            [place.middle + a, b]
            for a in (-_BESIDE[1], _BESIDE[1])
            for b in (-_ABOVE[1], place.chin + _NECK + 0.3)
        ]
    )
    corners = place.origin + place.unit * reach @ place.axes
    x0, y0 = np.floor(corners.min(0)).astype(int).tolist()
    x1, y1 = np.ceil(corners.max(0)).astype(int).tolist()
    size = (frame.width, frame.height)
    return aligned(Box(x0, y0, x1, y1).clip(*size), frame.format, *size)


def _mobility(across: FloatArray, down: FloatArray, chin: float, layered: bool) -> FloatArray:
    """(h, w) 0..1: how much of the head's motion a place takes part in."""
    neck = 1 - _step((down - chin + 0.05) / _NECK)
    aside = np.asarray(np.abs(across), np.float32)
    beside = 1 - _step((aside - _BESIDE[0]) / (_BESIDE[1] - _BESIDE[0]))
    above = 1 - _step((-down - _ABOVE[0]) / (_ABOVE[1] - _ABOVE[0]))
    weight = neck * beside * above
    if not layered:
        around = np.asarray(np.hypot(across, (down - 0.15) / 1.35), np.float32)
        weight = weight * (1 - _step((around - _LOOSE[0]) / (_LOOSE[1] - _LOOSE[0])))
    return np.asarray(weight, np.float32)


def _depth(
    landmarks: FloatArray, x: FloatArray, y: FloatArray, unit: float, skull: float
) -> FloatArray:
    """(h, w) pixels of depth: the mesh's on the face, ``skull`` far from it, smooth between."""
    rows, cols = y.shape[0], x.shape[0]
    step = float(x[1] - x[0]) if cols > 1 else 1.0
    column = np.rint((landmarks[:, 0] - x[0]) / step).astype(int)
    row = np.rint((landmarks[:, 1] - y[0, 0]) / step).astype(int)
    good = (column >= 0) & (column < cols) & (row >= 0) & (row < rows)
    share, total = np.zeros((rows, cols), np.float32), np.zeros((rows, cols), np.float32)
    np.add.at(share, (row[good], column[good]), 1)
    np.add.at(total, (row[good], column[good]), landmarks[good, 2] - skull)
    out, filled = np.zeros((rows, cols), np.float32), np.zeros((rows, cols), np.float32)
    # Fine where points are dense, and wider around; the last one carries the depth on a little.
    for width, least in ((0.07, 0.25), (0.13, 0.25), (0.25, 0.25)):
        sigma = width * unit / step
        have = cv2.GaussianBlur(share, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT)
        mean = cv2.GaussianBlur(total, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT) / have.clip(
            1e-6
        )
        trust = (have * sigma**2 * 2 * np.pi / least / 4).clip(0, 1) * (1 - filled)
        out += trust * mean
        filled += trust
    oval = landmarks[list(geometry.FACE_OVAL), :2]
    face = np.zeros((rows, cols), np.uint8)
    cv2.fillPoly(face, [np.rint((oval - [x[0], y[0, 0]]) / step).astype(np.int32)], 1)
    away = cv2.distanceTransform(1 - face, cv2.DIST_L2, 5) * step / unit
    out = out * (1 - _step(away / 0.55))
    return np.asarray(skull + cv2.GaussianBlur(out, (0, 0), 0.05 * unit / step), np.float32)


def _brow_field(landmarks: FloatArray, x: FloatArray, y: FloatArray, unit: float) -> FloatArray:
    """(h, w) pixels by which raised brows go up: all of it at the brows, less up the forehead."""
    points = landmarks[list(_BROWS), :2] / unit
    gap = np.full((y.shape[0], x.shape[0]), np.inf, np.float32)
    over = np.zeros_like(gap)
    for px, py in points:
        dx, dy = x / unit - px, y / unit - py
        # Skin above moves along, lids below hardly.
        far = np.hypot(dx / 0.16, np.where(dy < 0, dy / 0.3, dy / 0.1))
        over = np.maximum(over, np.exp(-(far**2)))
        gap = np.minimum(gap, far)
    return np.asarray(_BROW_RISE * unit * cv2.GaussianBlur(over, (0, 0), 1.5), np.float32)


def _used(
    matte: FloatArray | None, weight: FloatArray, step: int, spare: float
) -> tuple[slice, slice]:
    """Rows and columns of nodes between which the head may ever be."""
    rows, cols = weight.shape
    moving = weight > 1e-3
    if matte is not None:
        height, width = rows * step - matte.shape[0], cols * step - matte.shape[1]
        whole = cv2.copyMakeBorder(matte, 0, height, 0, width, cv2.BORDER_REPLICATE)
        moving &= cv2.resize(whole, (cols, rows), interpolation=cv2.INTER_AREA) > 0
    margin = int(spare / step) + 2
    found = []
    for along, size in ((moving.any(1), rows), (moving.any(0), cols)):
        at = np.flatnonzero(along)
        low, high = (int(at[0]), int(at[-1]) + 1) if len(at) else (0, 1)
        found.append(slice(max(low - margin, 0), min(high + margin, size)))
    return found[0], found[1]


def _step(x: FloatArray) -> FloatArray:
    """0 up to 0, 1 from 1 on, smooth between."""
    x = x.clip(0, 1)
    return np.asarray(x * x * x * (x * (6 * x - 15) + 10), np.float32)
