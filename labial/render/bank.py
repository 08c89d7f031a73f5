"""The mouth bank: this person's own mouths, seen in other frames of the same track.

While a video is analysed, runs of consecutive frames are offered to the collector, which keeps a
bounded, varied set of them. For rendering, dynamic programming chooses which to show when: near
in shape, pose and light, and in runs, so that teeth and tongue play as they were filmed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from labial import geometry
from labial.face.pose import fit_poses
from labial.motion.retarget import LIPS, LOWER_ROW, UPPER_ROW
from labial.pixels import Box, aligned, read_rgb
from labial.types import BoolArray, Face, FaceTrack, Filmed, FloatArray, Frame

RUN = 6
MARGIN = 0.34
MAX_BYTES = 96 << 20
MAX_PATCHES = 900
# Costs, in units of one hundredth of the inter-ocular distance of mean lip error.
_YAW, _PITCH, _LIGHT, _BLUR, _GLEAM = 0.5, 0.4, 2.0, 1.5, 8.0
_STAY, _JUMP = 0.15, 2.5
# Half the frames over which a run fades into another, the most views that a frame mixes, and how
# far two views may be apart in brightness between the lips (÷ that of the lips) and in error of
# the lips (inter-ocular distances).
_FADE, _VIEWS = 2, 3
_APART, _WORSE = 0.3, 0.06
_WHITE = 2.0
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
        Mean of green, 0..1, and mean absolute step of green between neighbouring pixels of the
        mouth.
    inside
        (3, 7) brightness between the lips ÷ that of the lips, in three rows from corner to
        corner; on lips that the mesh calls shut, of their line and a pixel on both its sides.
    track
        Key of the track that it belongs to.
    """

    index: int
    box: Box
    rgb: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
    landmarks: FloatArray
    light: float
    detail: float
    inside: FloatArray
    track: int = 0

    @property
    def nbytes(self) -> int:
        """Memory held."""
        return self.rgb.nbytes + self.landmarks.nbytes


@dataclass
class _Run:
    track: int
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
        like another one of the track that has the most is dropped.
    """

    max_bytes: int = MAX_BYTES
    _runs: list[_Run] = field(default_factory=list)
    _open: dict[int, list[tuple[Patch, FloatArray]]] = field(default_factory=dict)
    _bytes: int = 0
    _count: int = 0

    def offer(self, frame: Frame, faces: Mapping[int, Face]) -> None:
        """Look at the next frame with the faces found in it, by the key of their track."""
        for key in [key for key in self._open if key not in faces]:
            self._close(key)
        for key, face in faces.items():
            patch = _cut(frame, face, key)
            if patch is not None:
                run = self._open.setdefault(key, [])
                run.append((patch, _feature(face.landmarks)))
                if len(run) == RUN:
                    self._close(key)

    def finish(self) -> list[Patch]:
        """Return the kept patches in frame order."""
        for key in [*self._open]:
            self._close(key)
        patches = [patch for run in self._runs for patch in run.patches]
        return sorted(patches, key=lambda patch: (patch.index, patch.track))

    def _close(self, key: int) -> None:
        taken = self._open.pop(key)
        feature = np.concatenate([taken[0][1], taken[len(taken) // 2][1], taken[-1][1]])
        run = _Run(key, [patch for patch, _ in taken], feature)
        self._bytes += sum(patch.nbytes for patch in run.patches)
        self._count += len(run.patches)
        for other in self._runs:
            if other.track == run.track:
                distance = float(np.linalg.norm(other.feature - feature))
                other.nearest = min(other.nearest, distance)
                run.nearest = min(run.nearest, distance)
        self._runs.append(run)
        while (self._bytes > self.max_bytes or self._count > MAX_PATCHES) and len(self._runs) > 1:
            self._drop()

    def _drop(self) -> None:
        counts: dict[int, int] = {}
        for run in self._runs:
            counts[run.track] = counts.get(run.track, 0) + 1
        fullest = max(counts, key=lambda track: counts[track])
        runs = [run for run in self._runs if run.track == fullest]
        victim = min(runs, key=lambda run: run.nearest)
        self._runs.remove(victim)
        self._bytes -= sum(patch.nbytes for patch in victim.patches)
        self._count -= len(victim.patches)
        rest = [run for run in runs if run is not victim]
        features = np.stack([run.feature for run in rest]) if rest else np.zeros((0, 1))
        for run in rest:
            gaps = np.linalg.norm(features - run.feature, axis=1)
            run.nearest = float(np.partition(gaps, 1)[1]) if len(gaps) > 1 else np.inf


def _cut(frame: Frame, face: Face, track: int) -> Patch | None:
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
    x0, y0 = np.maximum(np.floor(points.min(0)).astype(int) - (box.x0, box.y0), 0).tolist()
    x1, y1 = (np.ceil(points.max(0)).astype(int) - (box.x0, box.y0) + 2).tolist()
    mouth = green[y0:y1, x0:x1]
    across, down = (
        cv2.norm(a, b, cv2.NORM_L1)
        for a, b in ((mouth[:, 1:], mouth[:, :-1]), (mouth[1:], mouth[:-1]))
    )
    top, dtype = (255, np.uint8) if frame.format.bits == 8 else (65535, np.uint16)
    stored = (rgb * np.float32(top) + np.float32(0.5)).clip(0, top).astype(dtype)
    light = float(green.mean())
    detail = (across + down) / mouth.size
    inside = _inside(green, face.landmarks[:, :2] - (box.x0, box.y0))
    return Patch(frame.index, box, stored, face.landmarks, light, detail, inside, track)


def _inside(green: FloatArray, points: FloatArray) -> FloatArray:
    """See :class:`Patch`; ``points`` (478, 2) in pixels of ``green``."""
    upper, lower = points[list(geometry.INNER_UPPER)], points[list(geometry.INNER_LOWER)]
    above, below = points[list(geometry.OUTER_UPPER)], points[list(geometry.OUTER_LOWER)]
    along = (upper[-1] - upper[0]) / max(float(np.linalg.norm(upper[-1] - upper[0])), 1e-6)
    down, middle = np.array([-along[1], along[0]]), slice(2, -2)
    half = (0.3 * ((lower - upper) @ down)).clip(1)[:, None] * down
    rows = np.array([[[-1]], [[0]], [[1]]]) * half + (upper + lower) / 2
    lips = np.concatenate([(above + upper)[middle] / 2, (below + lower)[middle] / 2])

    def look(at: npt.NDArray[np.floating]) -> FloatArray:
        x, y = np.moveaxis(np.floor(at).astype(int), -1, 0)
        return np.asarray(green[y.clip(0, green.shape[0] - 1), x.clip(0, green.shape[1] - 1)])

    light = max(float(look(lips).mean()), 1e-3)
    return np.asarray(look(rows[:, middle]) / light, np.float32)


def _feature(landmarks: FloatArray) -> FloatArray:
    """What makes a mouth different from another: lip shape in face space, and the view."""
    canonical, _ = geometry.canonical_mesh()
    pose = fit_poses(landmarks[None], canonical)
    lips = pose.undo(landmarks[None])[0][LIPS, :2]
    view = np.array([pose.yaw()[0], pose.pitch()[0]], np.float32) / 100
    return np.concatenate([lips.ravel() / np.sqrt(len(LIPS)), view]).astype(np.float32)


@dataclass(frozen=True)
class Choice:
    """What to show in one frame.

    Parameters
    ----------
    patches
        Heaviest first.
    weights
        Share of each in lips and skin; they add up to 1.
    error
        Mean lip distance of the heaviest patch from the wanted shape, inter-ocular units.
    inside
        Share of each in what is between the lips; () for the same as ``weights``.
    """

    patches: tuple[Patch, ...]
    weights: tuple[float, ...]
    error: float
    inside: tuple[float, ...] = ()


class MouthBank:
    """The patches of one track, ready to be chosen from.

    Parameters
    ----------
    track
        The face that the patches show.
    patches
        Any patches; those of other tracks are left out.

    Attributes
    ----------
    track : FaceTrack
        The face, as it was filmed.
    """

    def __init__(self, track: FaceTrack, patches: list[Patch]) -> None:
        mine = [p for p in patches if p.track == track.key]
        shown = track.present & (track.cover <= 0) if len(track.cover) else track.present
        self.patches = [p for p in mine if shown[p.index - track.start]]
        rows = np.array([p.index - track.start for p in self.patches], int)
        self.track = track
        self._frames = np.arange(track.start, track.end)
        self._turns = track.rotation
        if not len(rows):
            return
        self.shapes = track.local(rows, LIPS)
        self._opening = _opening(self.shapes)
        self._index = rows + track.start
        self._yaw, self._pitch, _ = geometry.angles_degrees(track.rotation[rows])
        self._light = np.log(np.array([p.light for p in self.patches]) + 1e-3)
        detail = np.log(np.array([p.detail for p in self.patches]) + 1e-4)
        self._blur = (_usual(detail, self._opening) - detail).clip(0)
        self._inside = np.stack([p.inside for p in self.patches]).clip(0, _WHITE)
        # A single bright point may be wet skin; teeth are a row.
        bright = np.sort(self._inside.max(1), axis=1)[:, -3]
        self._gleam = (bright - 1).clip(0, 1)
        self._follows = np.concatenate([[False], np.diff(rows) == 1])

    def shown_as(self, track: FaceTrack, filmed: Filmed) -> MouthBank:
        """Return the same mouths for a track that shows the frames of this one in another order.

        ``track`` is then the one whose rows :meth:`choose` is given.
        """
        other = copy(self)
        other._frames, other._turns = filmed.frames, track.rotation
        return other

    def without(self, taken: BoolArray) -> MouthBank:
        """Return a bank that lacks the patches marked in ``taken`` (len(patches),)."""
        return MouthBank(self.track, [p for p, t in zip(self.patches, taken, strict=True) if not t])

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
        return self._blend(path, targets)

    def _costs(self, rows: npt.NDArray[np.intp], targets: FloatArray) -> FloatArray:
        wanted = targets[..., :2].reshape(len(rows), -1)
        have = self.shapes[..., :2].reshape(len(self.patches), -1)
        square = (wanted**2).sum(1)[:, None] + (have**2).sum(1)[None] - 2 * wanted @ have.T
        shape = np.sqrt(square.clip(0) / len(LIPS)) * 100
        need, have_open = _opening(targets)[:, None], self._opening[None]
        # Teeth cannot be stretched out of a closed mouth, nor an open one hidden for free.
        missing = (need - 1.5 * have_open - 0.01).clip(0) * 150
        spare = (have_open - 1.5 * need - 0.015).clip(0) * 120
        yaw, pitch, _ = geometry.angles_degrees(self._turns[rows])
        turn = _YAW * ((yaw[:, None] - self._yaw[None]) / 8) ** 2
        nod = _PITCH * ((pitch[:, None] - self._pitch[None]) / 8) ** 2
        at = self._frames[rows]
        # Patches are in frame order: the next one filmed tells this frame's light.
        near = np.searchsorted(self._index, at).clip(max=len(self.patches) - 1)
        light = _LIGHT * np.abs(self._light[None] - self._light[near][:, None])
        shut = ((0.03 - need) / 0.02).clip(0, 1)
        gleam = _GLEAM * shut * self._gleam[None]
        blur = _BLUR * self._blur[None]
        return np.asarray(shape + missing + spare + turn + nod + light + blur + gleam, np.float32)

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

    def _blend(self, path: npt.NDArray[np.intp], targets: FloatArray) -> list[Choice]:
        """Let runs that meet play on, as they were filmed, while one fades into the other."""
        shares: list[dict[int, tuple[float, float]]] = [{} for _ in path]
        for i in range(1, len(path)):
            before, after = int(path[i - 1]), int(path[i])
            if before == after or (after == before + 1 and self._follows[after]):
                continue
            for other, step, frames in (
                (before, 1, range(i, min(i + _FADE, len(path)))),
                (after, -1, range(i - 1, max(i - 1 - _FADE, -1), -1)),
            ):
                for d, frame in enumerate(frames):
                    other = self._onward(other, step)
                    share = (_FADE - d - 0.5) / (_FADE + d + 0.5)
                    lips, inside = self._agreement(other, int(path[frame]), targets[frame])
                    new = share * lips, share * lips * inside
                    if new > shares[frame].get(other, (0, 0)) and other != path[frame]:
                        shares[frame][other] = new
        return [
            self._choice(int(k), others, target)
            for k, others, target in zip(path, shares, targets, strict=True)
        ]

    def _onward(self, patch: int, step: int) -> int:
        """Return the patch filmed next (``step`` 1) or before (-1); at its run's end, itself."""
        new = patch + step
        inside = 0 <= new < len(self.patches) and self._follows[max(patch, new)]
        return new if inside else patch

    def _agreement(self, other: int, here: int, target: FloatArray) -> tuple[float, float]:
        """How far two mouths may be mixed, 0..1 each: their lips, and what is between these.

        Insides that differ would show two rows of teeth, or teeth through lips.
        """
        apart = float(np.abs(self._inside[other] - self._inside[here]).mean()) / _APART
        worse = (self._error(other, target) - self._error(here, target)) / _WORSE
        return min(max(1.5 - worse, 0.0), 1.0), min(max(1.5 - apart, 0.0), 1.0)

    def _error(self, patch: int, target: FloatArray) -> float:
        gap = (self.shapes[patch] - target)[:, :2]
        return float(np.sqrt((gap**2).sum(1).mean()))

    def _choice(
        self, here: int, others: dict[int, tuple[float, float]], target: FloatArray
    ) -> Choice:
        most = sorted(others.items(), key=lambda item: item[1], reverse=True)[: _VIEWS - 1]
        parts = {here: (1.0, 1.0)} | dict(most)
        lips, inside = np.array(list(parts.values())).T
        return Choice(
            tuple(self.patches[k] for k in parts),
            tuple((lips / lips.sum()).tolist()),
            self._error(here, target),
            tuple((inside / inside.sum()).tolist()),
        )


def _usual(detail: FloatArray, opening: FloatArray) -> FloatArray:
    """(n,) detail of sharp mouths that are open alike: open ones have more to show."""
    order = np.argsort(opening)
    n, near = len(order), min(len(order), max(8, len(order) // 4))
    windows = np.lib.stride_tricks.sliding_window_view(detail[order], near)
    sharp = np.quantile(windows, 0.8, axis=1)
    usual = np.empty_like(detail)
    usual[order] = sharp[(np.arange(n) - near // 2).clip(0, n - near)]
    return usual


def _opening(lips: FloatArray) -> FloatArray:
    gap = lips[:, LOWER_ROW] - lips[:, UPPER_ROW]
    return np.asarray(np.linalg.norm(gap, axis=-1), np.float32)
