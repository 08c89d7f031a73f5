"""A clip plays itself: one frame speaks with another frame's mouth, which shows what was right.

``Clip`` analyses a video and renders it with mouths of its own; ``choose_pairs`` says which frame
is to look like which.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from labial import analysis, geometry
from labial.composite.blend import compose
from labial.composite.mask import lip_matte
from labial.media.read import VideoReader
from labial.motion.retarget import SIDES, Retarget, own_motion
from labial.motion.space import load_basis
from labial.motion.timing import frame_rate
from labial.pixels import Box, aligned, read_rgb
from labial.render.bank import Choice, MouthBank
from labial.render.learned import Learned
from labial.render.mouth import render_mouth
from labial.speech.visemes import VISEMES, visemes_at
from labial.types import FaceTrack, Frame

BASIS = load_basis()
# Source and answer: so long apart, so alike in pose, so different in opening (inter-ocular
# distances); a shut mouth is open by less than the last.
APART_SECONDS = 1.0
DEGREES, SCALE = 4.0, 0.08
DIFFERS, SHUT = 0.06, 0.035
# So many frames of a shot are looked at in choosing.
MOST_ROWS = 600
STRETCH, LEAST_STRETCH, LATER_SECONDS = 50, 20, 2.0
# Around the lips, in inter-ocular distances.
MARGIN = 0.22
# So far from its outline, the face has ended for certain.
BESIDE = 0.03
LIPS = [*geometry.OUTER_UPPER, *geometry.OUTER_LOWER]


@dataclass(frozen=True)
class Pair:
    """Rows of a track: ``source`` is given the mouth of ``real``, which is wider open if ``opens``.

    Where it opens, the source's own lips are shut.
    """

    source: int
    real: int
    opens: bool


@dataclass(frozen=True)
class Rendered:
    """One output frame, where a mouth was laid in, its lips, and what it cost.

    ``matte`` (h, w) 0..1 lies on ``box``, and so does ``bare`` (h, w, 3), the face moved as in the
    output with nothing laid in yet; ``landmarks`` (478, 3) pixels after the change; ``seconds`` of
    processor time; ``trust`` in the refiner.
    """

    frame: Frame
    box: Box
    matte: np.ndarray
    bare: np.ndarray
    landmarks: np.ndarray
    seconds: float
    trust: float


class Clip:
    """The shot of a video that shows a face the longest, and how its mouth moves in it."""

    def __init__(self, path: Path) -> None:
        self._analysis = analysis.analyse(path, lambda stage, done, total: None)
        self.track = max(self._analysis.tracks, key=lambda t: int((t.quality >= 1).sum()))
        self.times = self._analysis.times[self.track.rows]
        self.rate = frame_rate(self.times)
        self.usable = self.track.present & (self.track.quality >= 1)
        seen = bool(self.track.present.any())
        self.own = own_motion(self.track, BASIS) if seen else np.zeros((len(self.track), 1))
        self.path = path
        inner = self.track.local(np.arange(len(self)), np.array([13, 14]))
        self.opening = np.linalg.norm(inner[:, 1] - inner[:, 0], axis=-1)

    @property
    def middle(self) -> float:
        """Seconds at half of the shot."""
        return float(self.times[0] + self.times[-1]) / 2

    def __len__(self) -> int:
        return len(self.track)

    def frames(self, rows: set[int]) -> dict[int, Frame]:
        """Read some rows' pictures."""
        wanted = {row + self.track.start for row in rows}
        found = {}
        with VideoReader(self.path) as reader:
            for frame in reader.frames():
                if frame.index in wanted:
                    found[frame.index - self.track.start] = frame
                if len(found) == len(wanted):
                    break
        return found

    def visemes(self) -> np.ndarray:
        """(n, 15) weights, as far as the clip's own sound tells; zeros where nobody is heard."""
        said = analysis.own_speech(self.path)
        if said is None:
            return np.zeros((len(self), len(VISEMES)), np.float32)
        return visemes_at(said, self.times)

    def retarget(self, wanted: np.ndarray) -> Retarget:
        return Retarget(self.track, BASIS, wanted, self.rate)

    def bank(self, hidden: np.ndarray, margin: float) -> MouthBank:
        """The mouths filmed more than ``margin`` seconds away from all ``hidden`` rows."""
        times = self._analysis.times
        away = self.times[hidden]
        kept = [p for p in self._analysis.patches if np.abs(away - times[p.index]).min() > margin]
        return MouthBank(self.track, kept)

    def render(
        self,
        frame: Frame,
        retarget: Retarget,
        choice: Choice | None,
        learned: Learned | None = None,
        other: Choice | None = None,
    ) -> Rendered | None:
        row = frame.index - self.track.start
        begin = time.process_time()
        layers = render_mouth(frame, self.track, retarget, choice, learned, other)
        seconds = time.process_time() - begin
        if layers is None:
            return None
        # These two are for the report alone, and their time is not counted.
        matte = lip_matte(layers.outer, layers.box, layers.unit) * layers.face
        bare = crop(layers.frame, layers.box)
        begin = time.process_time()
        made = compose(layers, learned.refiner if learned is not None else None)
        seconds += time.process_time() - begin
        shift = retarget.displacement(row) @ self.track.rotation[row].T
        moved = self.track.landmarks[row] + self.track.scale[row] * shift
        return Rendered(made.frame, layers.box, matte, bare, moved, seconds, made.trust)


def choose_pairs(clip: Clip, count: int) -> list[Pair]:
    """Spread up to ``count`` pairs over a shot; two of three open a shut mouth.

    Each third one lets an open mouth close. In its part of the shot, the mouth that is widest open
    (or most shut) is the answer, and of the possible sources the one of the most alike pose.
    """
    rows = np.flatnonzero(clip.usable)
    rows = rows[:: max(1, -(-len(rows) // MOST_ROWS))]
    yaw, pitch, _ = geometry.angles_degrees(clip.track.rotation[rows])
    view = np.stack([yaw / DEGREES, pitch / DEGREES, np.log(clip.track.scale[rows]) / SCALE], 1)
    opening, times = clip.opening[rows], clip.times[rows]
    pairs: list[Pair] = []
    taken = np.zeros(len(rows), bool)
    for k, part in enumerate(np.array_split(np.arange(len(rows)), count)):
        opens = k % 3 != 2
        for i in part[np.argsort(-opening[part] if opens else opening[part])]:
            gap = np.abs(view - view[i])
            fits = (gap < 1).all(1) & (np.abs(times - times[i]) >= APART_SECONDS) & ~taken
            wider = opening[i] - opening
            fits &= (wider > DIFFERS) & (opening < SHUT) if opens else -wider > DIFFERS
            if fits.any():
                j = int(np.where(fits, (gap**2).sum(1), np.inf).argmin())
                taken[j] = True
                pairs.append(Pair(int(rows[j]), int(rows[i]), opens))
                break
    return pairs


def choose_stretch(clip: Clip) -> tuple[np.ndarray, np.ndarray] | None:
    """Rows (n,) to render and rows (n,) 2 s later to drive them; the liveliest there are."""
    later = round(LATER_SECONDS * clip.rate)
    for length in range(STRETCH, LEAST_STRETCH - 1, -5):
        starts = [
            k
            for k in range(len(clip) - later - length + 1)
            if clip.usable[k : k + length].all()
            and clip.usable[k + later : k + later + length].all()
        ]
        if starts:
            best = max(starts, key=lambda k: clip.opening[k + later : k + later + length].std())
            rows = np.arange(best, best + length)
            return rows, rows + later
    return None


def surroundings(clip: Clip, frame: Frame, moved: np.ndarray) -> tuple[Box, np.ndarray, np.ndarray]:
    """Where nothing may move beside a face, and where the neck may give way to the chin.

    ``moved`` (478, 3) are the landmarks after the change. Returns a box around the face and two
    (h, w) boolean masks on it: all but the face, a margin and the neck; and the neck.
    """
    row, oval = frame.index - clip.track.start, list(geometry.FACE_OVAL)
    filmed, unit = clip.track.landmarks[row], float(clip.track.scale[row])
    both = np.concatenate([filmed[oval, :2], moved[oval, :2]])
    low, high = np.floor(both.min(0) - 0.5 * unit), np.ceil(both.max(0) + 0.5 * unit)
    box = Box(*low.astype(int).tolist(), *high.astype(int).tolist())
    box = aligned(box.clip(frame.width, frame.height), frame.format, frame.width, frame.height)
    face, neck = (np.zeros((box.height, box.width), np.uint8) for _ in range(2))
    for outline in (filmed, moved):
        cv2.fillPoly(face, [np.rint(outline[oval, :2] - (box.x0, box.y0)).astype(np.int32)], 1)
    grown = 2 * round(BESIDE * unit) + 1
    face = cv2.dilate(face, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (grown, grown)))
    down = unit * clip.track.rotation[row][:2, 1]
    left, right = (filmed[side[-1], :2] - (box.x0, box.y0) for side in SIDES)
    under = np.rint([left, right, right + down, left + down]).astype(np.int32)
    cv2.fillConvexPoly(neck, under, 1)
    return box, (face == 0) & (neck == 0), (face == 0) & (neck > 0)


def mouth_box(frame: Frame, outlines: list[np.ndarray], unit: float) -> Box:
    """The lips of all ``outlines`` (n, 2) and a margin around them."""
    points = np.concatenate(outlines)
    x0, y0 = np.floor(points.min(0) - MARGIN * unit).astype(int).tolist()
    x1, y1 = np.ceil(points.max(0) + MARGIN * unit).astype(int).tolist()
    box = Box(x0, y0, x1, y1).clip(frame.width, frame.height)
    return aligned(box, frame.format, frame.width, frame.height)


def crop(frame: Frame, box: Box) -> np.ndarray:
    """(h, w, 3) float32 RGB 0..1."""
    return read_rgb(frame, box).clip(0, 1)


def carried(track: FaceTrack, source: int, real: int) -> np.ndarray:
    """(2, 3): pixels of ``source`` → pixels of ``real``, as the head carries the mouth.

    The pose is a similarity in space, fitted on points that speech hardly moves. At the mouth it
    fits a little better than one fitted in the picture, which knows nothing of depth.
    """
    of, to = (np.vstack([mouth_plane(track, row), [0, 0, 1]]) for row in (source, real))
    return (to @ np.linalg.inv(of))[:2]


def mouth_plane(track: FaceTrack, row: int) -> np.ndarray:
    """(2, 3): face space x, y around the middle of the mouth, at its depth → pixels of a frame."""
    turn = track.scale[row] * track.rotation[row].astype(np.float64)
    lips = track.neutral[LIPS]
    middle = track.translation[row] + turn @ ((lips.min(0) + lips.max(0)) / 2)
    return np.concatenate([turn[:2, :2], middle[:2, None]], 1)


def resample(frame: Frame, affine: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(h, w, 3) float32 RGB of a frame seen through (2, 3) ``affine``: box → frame, Lanczos."""
    corners = np.array([[x, y, 1] for x in (0, size[0]) for y in (0, size[1])]) @ affine.T
    low, high = np.floor(corners.min(0)).astype(int) - 8, np.ceil(corners.max(0)).astype(int) + 8
    box = Box(int(low[0]), int(low[1]), int(high[0]), int(high[1]))
    box = aligned(box.clip(frame.width, frame.height), frame.format, frame.width, frame.height)
    # From corners to OpenCV's pixel centres.
    inner = affine.copy()
    inner[:, 2] += affine[:, :2] @ [0.5, 0.5] - (box.x0 + 0.5, box.y0 + 0.5)
    return cv2.warpAffine(
        crop(frame, box), inner, size,
        flags=cv2.INTER_LANCZOS4 | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
    ).clip(0, 1)  # fmt: skip
