"""Cut a head out of its photo, and paint what is behind it.

No network: colours tell the person from the background (Rother, Kolmogorov & Blake, "GrabCut",
SIGGRAPH 2004), where the mesh says what is surely face and what lies too far away; a guided filter
(He, Sun & Tang, "Guided image filtering", PAMI 2013) brings the outline to the picture's own
resolution. The background is continued behind the outline: its colours by a pyramid, its grain as
the mirror image of what is beside.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from labial import geometry
from labial.types import FloatArray

_COARSE_UNIT = 44.0
_TURNS = 6
_GUIDE_RADIUS, _GUIDE_EPSILON = 0.05, 2e-4
_LEAST_CONTRAST = 4
# Of what must be the head, and of what must be background, so much at least has to come out so.
_LEAST_HEAD, _MOST_AROUND = 0.8, 0.5


@dataclass(frozen=True)
class HeadPlace:
    """Where a head is in a picture: coordinates in which it is upright and the eyes are 1 apart.

    Parameters
    ----------
    origin
        (2,) pixels midway between the eyes' outer corners.
    axes
        (2, 2): rows are the directions across and down, a pixel long.
    unit
        Inter-ocular distance in pixels.
    chin
        Down to the chin.
    middle
        Across to the middle of the skull, which lies behind the face.
    """

    origin: FloatArray
    axes: FloatArray
    unit: float
    chin: float
    middle: float

    @classmethod
    def of(
        cls, landmarks: FloatArray, scale: float, rotation: FloatArray, depth: float
    ) -> HeadPlace:
        """Find it from landmarks (478, 3) and the pose; the skull's middle is ``depth`` behind."""
        left, right = geometry.EYE_OUTER
        origin = (landmarks[left, :2] + landmarks[right, :2]) / 2
        roll = np.arctan2(-rotation[0, 1], rotation[1, 1])
        c, s = np.cos(roll), np.sin(roll)
        axes = np.array([[c, s], [-s, c]], np.float32)
        chin = float(axes[1] @ (landmarks[152, :2] - origin)) / scale
        behind = rotation[:2, 2] * depth
        return cls(origin.astype(np.float32), axes, scale, chin, float(axes[0] @ behind))

    def at(self, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Across from the skull's middle and down, for pixels (w,) and (h, 1): two of (h, w)."""
        x, y = (x - self.origin[0]) / self.unit, (y - self.origin[1]) / self.unit
        across = self.axes[0, 0] * x + self.axes[0, 1] * y - self.middle
        return across, self.axes[1, 0] * x + self.axes[1, 1] * y


def cut_out(
    rgb: npt.NDArray[np.uint8], corner: tuple[int, int], place: HeadPlace, landmarks: FloatArray
) -> FloatArray | None:
    """Tell head and body from the background.

    Parameters
    ----------
    rgb
        (h, w, 3) part of the picture around the head.
    corner
        Its first column and row in the picture.
    place, landmarks
        The head in the whole picture.

    Returns
    -------
    (h, w) float32 0..1, or None where colours cannot tell.
    """
    height, width = rgb.shape[:2]
    zoom = min(1.0, _COARSE_UNIT / place.unit)
    size = (max(8, round(width * zoom)), max(8, round(height * zoom)))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    if np.ptp(small) < _LEAST_CONTRAST:  # nothing to tell, at which GrabCut works for long
        return None
    scale = np.array([size[0] / width, size[1] / height], np.float32)
    x = (np.arange(size[0], dtype=np.float32) + 0.5) / scale[0] + corner[0]
    y = (np.arange(size[1], dtype=np.float32)[:, None] + 0.5) / scale[1] + corner[1]
    across, down = place.at(x, y)
    oval = (landmarks[list(geometry.FACE_OVAL), :2] - corner) * scale
    seeds = _seeds(across, down, place, oval)
    smooth = np.asarray(cv2.bilateralFilter(small, 7, 24, 3), np.uint8)
    sure = seeds == cv2.GC_FGD
    found = _told_apart(smooth, seeds)
    found = _one_piece(found, sure)
    around = (across / 1.9) ** 2 + ((down - 0.1) / 2.0) ** 2
    near, far = (
        (across / 0.95) ** 2 + ((down - 0.25) / 1.15) ** 2 < 1,
        (around > 0.8) & (down < 0.5),
    )
    if found[near].mean() < _LEAST_HEAD or (far.any() and found[far].mean() > _MOST_AROUND):
        return None
    return _refined(rgb, found.astype(np.float32), place.unit)


def _told_apart(
    image: npt.NDArray[np.uint8], seeds: npt.NDArray[np.uint8]
) -> npt.NDArray[np.uint8]:
    """(h, w) 0 or 1 by colours; the same every time."""
    cv2.setRNGSeed(1)
    labels = np.ascontiguousarray(seeds).copy()
    if not (labels == cv2.GC_BGD).any():
        return np.asarray(labels & 1, np.uint8)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(np.ascontiguousarray(image), labels, None, *models, _TURNS, cv2.GC_INIT_WITH_MASK)  # type: ignore[call-overload]
    return np.asarray(labels & 1, np.uint8)


def _seeds(
    across: FloatArray, down: FloatArray, place: HeadPlace, oval: FloatArray
) -> npt.NDArray[np.uint8]:
    """GrabCut's labels (h, w): what is surely or likely the person."""
    under = down - place.chin
    above = under < 0.2
    seeds = np.full(across.shape, cv2.GC_PR_BGD, np.uint8)
    # Hair, hats and veils may be of any colour: what is near the head is the head's, unless it
    # looks like the wall. A head that fills the picture leaves background only in the corners.
    away = np.hypot(across / 1.9, (down - 0.1) / 2.0)
    near = min(1.0, float(np.percentile(away[above], 75))) if above.any() else 1.0
    torso = (under > 0.35) & (np.abs(across) < 0.9 + 0.9 * under)
    neck = (under > -0.3) & (np.abs(across) < 0.55)
    seeds[(above & (away < near)) | torso | neck] = cv2.GC_PR_FGD
    for side in (above & (across < 0), above & (across >= 0)):
        if side.any():
            far = min(1.2, float(np.percentile(away[side], 92)))
            seeds[side & (away > far)] = cv2.GC_BGD
    seeds[(under > -0.2) & (under < 0.7) & (np.abs(across + place.middle) < 0.22)] = cv2.GC_FGD
    seeds[(under > 0.9) & (np.abs(across) < 0.5)] = cv2.GC_FGD
    face = np.zeros(across.shape, np.uint8)
    cv2.fillPoly(face, [np.rint(oval).astype(np.int32)], 1)
    seeds[(face > 0) | ((across / 0.85) ** 2 + ((down - 0.15) / 1.1) ** 2 < 1)] = cv2.GC_FGD
    return seeds


def _one_piece(found: npt.NDArray[np.uint8], sure: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    """Keep what hangs together with the face, and close its holes."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    found = np.asarray(cv2.morphologyEx(found, cv2.MORPH_OPEN, kernel), np.uint8) | sure
    for value in (1, 0):
        _, labels = cv2.connectedComponents((found == value).astype(np.uint8), connectivity=4)
        if value == 1:
            kept = np.unique(labels[sure])
            found = (np.isin(labels, kept) & (found == 1)).astype(np.uint8)
        else:
            edge = np.unique(np.concatenate([labels[0], labels[:, 0], labels[:, -1]]))
            found[~np.isin(labels, edge) & (found == 0)] = 1
    return found


def _refined(rgb: npt.NDArray[np.uint8], coarse: FloatArray, unit: float) -> FloatArray:
    """Bring a coarse 0/1 mask to the picture's size, its soft edge along the picture's edges."""
    height, width = rgb.shape[:2]
    wide = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    mask = np.asarray(cv2.GaussianBlur(wide, (0, 0), max(0.02 * unit, 0.7)), np.float32)
    guide = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY) / np.float32(255), np.float32)
    side = 2 * max(1, round(_GUIDE_RADIUS * unit)) + 1

    def mean(image: npt.NDArray[np.floating]) -> FloatArray:
        return np.asarray(cv2.blur(image, (side, side), borderType=cv2.BORDER_REFLECT), np.float32)

    mean_guide, mean_mask = mean(guide), mean(mask)
    slope = mean(guide * mask) - mean_guide * mean_mask
    slope = slope / (mean(guide * guide) - mean_guide**2 + _GUIDE_EPSILON)
    fine = mean(slope) * guide + mean(mean_mask - slope * mean_guide)
    # Far from the outline the mask is sure of itself.
    low, high = (_spread(coarse, (width, height), unit, way) for way in (cv2.erode, cv2.dilate))
    fine = ((fine - 0.08) / 0.84).clip(0, 1)
    return np.asarray(np.maximum(low, np.minimum(fine, high)).clip(0, 1), np.float32)


def _spread(coarse: FloatArray, size: tuple[int, int], unit: float, way: object) -> FloatArray:
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7))
    wide = np.asarray(way(coarse, kernel), np.float32)  # type: ignore[operator]
    fine = cv2.resize(wide, size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.GaussianBlur(fine, (0, 0), max(0.03 * unit, 0.7)), np.float32)


def painted_over(image: FloatArray, hole: npt.NDArray[np.bool_], unit: float) -> FloatArray:
    """Continue a background into a hole.

    Parameters
    ----------
    image
        (h, w) float32, one plane.
    hole
        (h, w) what to paint over.
    unit
        Inter-ocular distance in pixels.

    Returns
    -------
    (h, w) float32: ``image`` outside the hole.
    """
    if not hole.any() or hole.all():
        return image
    margin = 2 * max(1, round(0.012 * unit)) + 1
    known = cv2.erode((~hole).astype(np.uint8), np.ones((margin, margin), np.uint8))
    if not known.any():
        known = (~hole).astype(np.uint8)
    smooth = _pulled(image, known.astype(np.float32))
    # Every pixel of the hole looks as far beyond its nearest known pixel as it is before it.
    _, labels = cv2.distanceTransformWithLabels(
        1 - known, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    rows, cols = np.nonzero(known)
    order = labels[rows, cols]
    near_row, near_col = np.zeros(labels.max() + 1, np.intp), np.zeros(labels.max() + 1, np.intp)
    near_row[order], near_col[order] = rows, cols
    y, x = np.nonzero(known == 0)
    height, width = hole.shape
    mirror_y = (2 * near_row[labels[y, x]] - y).clip(0, height - 1)
    mirror_x = (2 * near_col[labels[y, x]] - x).clip(0, width - 1)
    sigma = max(0.04 * unit, 1.0)
    weight = known.astype(np.float32)
    total = cv2.GaussianBlur(image * weight, (0, 0), sigma)
    soft = total / cv2.GaussianBlur(weight, (0, 0), sigma).clip(1e-3)
    grain = np.where(known[mirror_y, mirror_x] > 0, (image - soft)[mirror_y, mirror_x], 0)
    out = image.copy()
    out[y, x] = smooth[y, x] + grain
    return np.asarray(np.where(hole, out, image), np.float32)


def _pulled(image: FloatArray, weight: FloatArray) -> FloatArray:
    """Fill where ``weight`` is 0 from ever coarser means (push and pull)."""
    height, width = weight.shape
    have = image * weight
    if min(height, width) <= 2:
        return np.full_like(image, float(have.sum()) / max(float(weight.sum()), 1e-6))
    size = ((width + 1) // 2, (height + 1) // 2)
    half = cv2.resize(cv2.GaussianBlur(have, (5, 5), 1.0), size, interpolation=cv2.INTER_AREA)
    share = cv2.resize(cv2.GaussianBlur(weight, (5, 5), 1.0), size, interpolation=cv2.INTER_AREA)
    coarse = _pulled(half / share.clip(1e-6), (share * 4).clip(0, 1).astype(np.float32))
    fine = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(have + (1 - weight) * fine, np.float32)
