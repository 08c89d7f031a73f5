"""The mouth bank: this person's own mouths, seen in other frames of the same shot.

While a video is analysed, runs of consecutive frames are offered to the collector, which keeps a
bounded, varied set of them. For rendering, dynamic programming chooses which to show when: near
in shape, pose and light, and in runs, so that teeth and tongue play as they were filmed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from labial import geometry
from labial.face.pose import fit_poses
from labial.motion.retarget import LIPS, LOWER_ROW, UPPER_ROW
from labial.pixels import Box, aligned, read_rgb
from labial.types import Face, FaceTrack, FloatArray, Frame

RUN = 6
MARGIN = 0.34
MAX_BYTES = 96 << 20
MAX_PATCHES = 900
# Costs, in units of one hundredth of the inter-ocular distance of mean lip error.
_YAW, _PITCH, _LIGHT, _BLUR = 0.5, 0.4, 2.0, 1.5
_STAY, _JUMP = 0.15, 2.5
_WINDOW, _LOOKAHEAD = 1200, 60
_AVOID = 1000.0


@dataclass(frozen=True)
class Patch:
    """A mouth as filmed.

    Parameters
    ----------
    index
        Frame it comes from.
    box
        Where it lies in that frame.
    rgb
        (h, w, 3) uint8, or uint16 for sources of more than 8 bits; full scale = white.
    landmarks
        (478, 3) float32 pixels of that frame.
    light, detail
        Mean of green, 0..1, and mean absolute step of green between neighbouring pixels.
    """

    index: int
    box: Box
    rgb: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
    landmarks: FloatArray
    light: float
    detail: float

    @property
    def nbytes(self) -> int:
        """Memory held."""
        return self.rgb.nbytes + self.landmarks.nbytes


@dataclass
class _Run:
    shot: int
    patches: list[Patch]
    feature: FloatArray
    nearest: float = np.inf


@dataclass
class BankCollector:
    """Keep a bounded, varied set of runs of mouths while frames stream by.

    Parameters
    ----------
    max_bytes
        Memory for patches. When it is full, or there are ``MAX_PATCHES``, the run that is most
        like another one of the shot that has the most is dropped.
    """

    max_bytes: int = MAX_BYTES
    _runs: list[_Run] = field(default_factory=list)
    _open: list[tuple[Patch, FloatArray]] = field(default_factory=list)
    _shot: int = -1
    _bytes: int = 0
    _count: int = 0

    def offer(self, frame: Frame, face: Face | None, shot: int) -> None:
        """Look at the next frame of shot ``shot`` with the face found in it, if any."""
        if shot != self._shot or face is None or len(self._open) == RUN:
            self._close()
        self._shot = shot
        if face is None:
            return
        patch = _cut(frame, face)
        if patch is not None:
            self._open.append((patch, _feature(face.landmarks)))

    def finish(self) -> list[Patch]:
        """Return the kept patches in frame order."""
        self._close()
        patches = [patch for run in self._runs for patch in run.patches]
        return sorted(patches, key=lambda patch: patch.index)

    def _close(self) -> None:
        taken, self._open = self._open, []
        if not taken:
            return
        feature = np.concatenate([taken[0][1], taken[len(taken) // 2][1], taken[-1][1]])
        run = _Run(self._shot, [patch for patch, _ in taken], feature)
        self._bytes += sum(patch.nbytes for patch in run.patches)
        self._count += len(run.patches)
        for other in self._runs:
            if other.shot == run.shot:
                distance = float(np.linalg.norm(other.feature - feature))
                other.nearest = min(other.nearest, distance)
                run.nearest = min(run.nearest, distance)
        self._runs.append(run)
        while (self._bytes > self.max_bytes or self._count > MAX_PATCHES) and len(self._runs) > 1:
            self._drop()

    def _drop(self) -> None:
        counts: dict[int, int] = {}
        for run in self._runs:
            counts[run.shot] = counts.get(run.shot, 0) + 1
        fullest = max(counts, key=lambda shot: counts[shot])
        runs = [run for run in self._runs if run.shot == fullest]
        victim = min(runs, key=lambda run: run.nearest)
        self._runs.remove(victim)
        self._bytes -= sum(patch.nbytes for patch in victim.patches)
        self._count -= len(victim.patches)
        rest = [run for run in runs if run is not victim]
        features = np.stack([run.feature for run in rest]) if rest else np.zeros((0, 1))
        for run in rest:
            gaps = np.linalg.norm(features - run.feature, axis=1)
            run.nearest = float(np.partition(gaps, 1)[1]) if len(gaps) > 1 else np.inf


def _cut(frame: Frame, face: Face) -> Patch | None:
    """Cut the mouth out of a frame; None when it lies partly outside."""
    points = face.landmarks[LIPS, :2]
    left, right = geometry.EYE_OUTER
    eyes = float(np.linalg.norm(face.landmarks[left] - face.landmarks[right]))
    low = np.floor(points.min(0) - MARGIN * eyes).astype(int)
    high = np.ceil(points.max(0) + MARGIN * eyes).astype(int)
    box = aligned(
        Box(int(low[0]), int(low[1]), int(high[0]), int(high[1])),
        frame.format, frame.width, frame.height,
    )  # fmt: skip
    if (points < 1).any() or (points > (frame.width - 1, frame.height - 1)).any():
        return None
    rgb = read_rgb(frame, box)
    green = np.ascontiguousarray(rgb[..., 1])
    across, down = cv2.norm(green[:, 1:], green[:, :-1], 1), cv2.norm(green[1:], green[:-1], 1)
    top, dtype = (255, np.uint8) if frame.format.bits == 8 else (65535, np.uint16)
    stored = (rgb * np.float32(top) + np.float32(0.5)).clip(0, top).astype(dtype)
    light = float(green.mean())
    return Patch(frame.index, box, stored, face.landmarks, light, (across + down) / green.size)


def _feature(landmarks: FloatArray) -> FloatArray:
    """What makes a mouth different from another: lip shape in face space, and the view."""
    canonical, _ = geometry.canonical_mesh()
    pose = fit_poses(landmarks[None], canonical)
    lips = pose.undo(landmarks[None])[0][LIPS, :2]
    view = np.array([pose.yaw()[0], pose.pitch()[0]], np.float32) / 100
    return np.concatenate([lips.ravel() / np.sqrt(len(LIPS)), view]).astype(np.float32)


@dataclass(frozen=True)
class Choice:
    """What to show in one frame: patches with weights that add up to 1, heaviest first."""

    patches: tuple[Patch, ...]
    weights: tuple[float, ...]
    error: float
    """Mean lip distance of the heaviest patch from the wanted shape, inter-ocular units."""


class MouthBank:
    """The patches of one track, ready to be chosen from.

    Parameters
    ----------
    track
        The face that the patches show.
    patches
        Any patches; those of other shots are left out.
    """

    def __init__(self, track: FaceTrack, patches: list[Patch]) -> None:
        end = track.start + len(track)
        mine = [p for p in patches if track.start <= p.index < end]
        self.patches = [p for p in mine if track.present[p.index - track.start]]
        rows = np.array([p.index - track.start for p in self.patches], int)
        self._track = track
        if not len(rows):
            return
        self.shapes = track.local(rows, LIPS)
        self._opening = _opening(self.shapes)
        self._index = rows + track.start
        self._yaw, self._pitch, _ = geometry.angles_degrees(track.rotation[rows])
        self._light = np.log(np.array([p.light for p in self.patches]) + 1e-3)
        detail = np.log(np.array([p.detail for p in self.patches]) + 1e-4)
        self._blur = np.clip(np.quantile(detail, 0.8) - detail, 0, None)
        self._follows = np.concatenate([[False], np.diff(rows) == 1])

    def widest(self) -> Patch:
        """Return the mouth that is open widest and not blurred."""
        sharp = np.flatnonzero(self._blur <= np.median(self._blur))
        return self.patches[int(sharp[self._opening[sharp].argmax()])]

    def choose(
        self,
        rows: npt.NDArray[np.intp],
        targets: FloatArray,
        avoid: Sequence[Choice] | None = None,
    ) -> list[Choice]:
        """Choose patches for consecutive frames.

        Parameters
        ----------
        rows
            (n,) rows of the track to be rendered, ascending.
        targets
            (n, len(LIPS), 3) wanted lips in face space.
        avoid
            Another choice for the same frames: what was filmed near it is taken only where there is
            nothing else.

        Returns
        -------
        list of n choices
        """
        path = np.zeros(len(rows), int)
        state: int | None = None
        for first in range(0, len(rows), _WINDOW):
            last = min(first + _WINDOW + _LOOKAHEAD, len(rows))
            costs = self._costs(rows[first:last], targets[first:last])
            if avoid is not None:
                shown = np.array([choice.patches[0].index for choice in avoid[first:last]])
                costs += _AVOID * (np.abs(self._index - shown[:, None]) <= 2 * RUN)
            best = self._viterbi(costs, state)
            keep = min(_WINDOW, len(rows) - first)
            path[first : first + keep] = best[:keep]
            state = int(best[keep - 1])
        return [self._blend(path, i, targets[i]) for i in range(len(path))]

    def _costs(self, rows: npt.NDArray[np.intp], targets: FloatArray) -> FloatArray:
        wanted = targets[..., :2].reshape(len(rows), -1)
        have = self.shapes[..., :2].reshape(len(self.patches), -1)
        square = (wanted**2).sum(1)[:, None] + (have**2).sum(1)[None] - 2 * wanted @ have.T
        shape = np.sqrt(square.clip(0) / len(LIPS)) * 100
        need, have_open = _opening(targets)[:, None], self._opening[None]
        # Teeth cannot be stretched out of a closed mouth, nor an open one hidden for free.
        missing = (need - 1.5 * have_open - 0.01).clip(0) * 150
        spare = (have_open - 1.5 * need - 0.015).clip(0) * 120
        yaw, pitch, _ = geometry.angles_degrees(self._track.rotation[rows])
        turn = _YAW * ((yaw[:, None] - self._yaw[None]) / 8) ** 2
        nod = _PITCH * ((pitch[:, None] - self._pitch[None]) / 8) ** 2
        at = self._track.start + rows
        # Patches are in frame order: the next one filmed tells this frame's light.
        near = np.searchsorted(self._index, at).clip(max=len(self.patches) - 1)
        light = _LIGHT * np.abs(self._light[None] - self._light[near][:, None])
        return np.asarray(
            shape + missing + spare + turn + nod + light + _BLUR * self._blur[None], np.float32
        )

    def _viterbi(self, costs: FloatArray, state: int | None) -> npt.NDArray[np.intp]:
        n, m = costs.shape
        every = np.arange(m)
        total = costs[0].copy()
        if state is not None:
            start = np.full(m, _JUMP)
            start[state] = _STAY
            if state + 1 < m and self._follows[state + 1]:
                start[state + 1] = 0
            total += start
        back = np.zeros((n, m), np.int32)
        for i in range(1, n):
            best = int(total.argmin())
            follow = np.full(m, np.inf)
            follow[1:] = np.where(self._follows[1:], total[:-1], np.inf)
            options = np.stack([follow, total + _STAY, np.full(m, total[best] + _JUMP)])
            kind = options.argmin(0)
            back[i] = np.choose(kind, [every - 1, every, np.full(m, best)])
            total = options.min(0) + costs[i]
        path = np.zeros(n, np.intp)
        path[-1] = int(total.argmin())
        for i in range(n - 1, 0, -1):
            path[i - 1] = back[i, path[i]]
        return path

    def _blend(self, path: npt.NDArray[np.intp], i: int, target: FloatArray) -> Choice:
        """Soften a jump between runs: the two frames beside it show a little of both."""
        here = int(path[i])
        gap = (self.shapes[here] - target)[:, :2]
        error = float(np.sqrt((gap**2).sum(1).mean()))
        weights = {here: 1.0}
        for j, step in ((i - 1, 1), (i + 1, -1)):
            if not 0 <= j < len(path):
                continue
            other = int(path[j])
            if other == here or (abs(here - other) == 1 and self._follows[max(here, other)]):
                continue
            # The other run, as it would have gone on (or begun) here.
            k = other + step
            inside = 0 <= k < len(self.patches) and self._follows[max(k, other)]
            weights[k if inside else other] = 0.3
        scale = sum(weights.values())
        return Choice(
            tuple(self.patches[k] for k in weights), tuple(w / scale for w in weights.values()),
            error,
        )  # fmt: skip


def _opening(lips: FloatArray) -> FloatArray:
    gap = lips[:, LOWER_ROW] - lips[:, UPPER_ROW]
    return np.asarray(np.linalg.norm(gap, axis=-1), np.float32)
