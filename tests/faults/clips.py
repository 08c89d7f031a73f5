"""Small films of a real face that the tracker follows, with what may change in them known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from synth import TICK, make_frame, sample_file
from synth_media import write_sound, write_video

from labial.face.track import FaceTracker

LEFT, TOP, WIDTH, HEIGHT = 156, 36, 288, 296
SIZE = 160, 164
NOSE = 6
WIDER = 1.3


@dataclass(frozen=True)
class Scene:
    """Pictures (h, w, 3) uint8, and for each a mask (h, w) of what a dub may change."""

    pictures: list[np.ndarray]
    masks: list[np.ndarray]

    def __len__(self) -> int:
        return len(self.pictures)

    def __add__(self, other: Scene) -> Scene:
        return Scene(self.pictures + other.pictures, self.masks + other.masks)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        height, width = self.pictures[0].shape[:2]
        return width, height

    def sized(self, width: int, height: int) -> Scene:
        """The same, scaled."""
        return Scene(
            [cv2.resize(p, (width, height), interpolation=cv2.INTER_AREA) for p in self.pictures],
            [cv2.resize(m.astype(np.uint8), (width, height)) > 0 for m in self.masks],
        )

    def turned(self, quarters: int) -> Scene:
        """The same, as a camera stores it that was turned clockwise by so many quarters."""
        return Scene(
            [np.ascontiguousarray(np.rot90(p, quarters)) for p in self.pictures],
            [np.ascontiguousarray(np.rot90(m, quarters)) for m in self.masks],
        )

    def on(self, width: int, height: int, places: Sequence[tuple[int, int]]) -> Scene:
        """On grey canvases, the upper left corner of each picture at its place."""
        canvas = np.full((height, width, 3), 120, np.uint8)
        return Scene(
            [_pasted(canvas, p, at) for p, at in zip(self.pictures, places, strict=True)],
            [
                _pasted(np.zeros((height, width), bool), m, at)
                for m, at in zip(self.masks, places, strict=True)
            ],
        )


def _pasted(canvas: np.ndarray, picture: np.ndarray, at: tuple[int, int]) -> np.ndarray:
    canvas, (x, y) = canvas.copy(), at
    rows, columns = canvas.shape[:2]
    height, width = picture.shape[:2]
    top, left = max(y, 0), max(x, 0)
    bottom, right = min(y + height, rows), min(x + width, columns)
    if top < bottom and left < right:
        canvas[top:bottom, left:right] = picture[top - y : bottom - y, left - x : right - x]
    return canvas


@lru_cache(maxsize=1)
def _actor() -> Scene:
    """Forty pictures of a man whose smile opens."""
    with av.open(str(sample_file("face_clip_short"))) as container:
        frames = [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]
    pictures = [f[TOP : TOP + HEIGHT, LEFT : LEFT + WIDTH] for f in frames[12:52]]
    tracker, masks = FaceTracker(), []
    for index, picture in enumerate(pictures):
        (face,) = tracker.observe(make_frame(picture / 255, index=index)).values()
        hull = cv2.convexHull(face.landmarks[:, :2].astype(np.float32))[:, 0]
        wide = hull.mean(0) + WIDER * (hull - hull.mean(0))
        mask = np.zeros(picture.shape[:2], np.uint8)
        cv2.fillConvexPoly(mask, np.rint(wide).astype(np.int32), 1)
        mask[: int(face.landmarks[NOSE, 1])] = 0
        masks.append(mask > 0)
    tracker.finish()
    return Scene(pictures, masks)


@lru_cache(maxsize=32)
def face(n: int = 12, width: int = SIZE[0], height: int = SIZE[1]) -> Scene:
    """The man's first ``n`` pictures, there and back again, at a size."""
    actor = _actor().sized(width, height)
    there = [*range(len(actor)), *range(len(actor) - 2, 0, -1)]
    order = [there[i % len(there)] for i in range(n)]
    return Scene([actor.pictures[i] for i in order], [actor.masks[i] for i in order])


def wall(n: int, width: int = SIZE[0], height: int = SIZE[1]) -> Scene:
    """Pictures of a wall with nobody before it: nothing may change."""
    y, x = np.mgrid[:height, :width]
    shade = 90 + 40 * np.sin(x / 9)[..., None] + 30 * np.cos(y[..., None] / np.array([5, 6, 7]))
    pictures = [np.rint(shade + i % 3).astype(np.uint8) for i in range(n)]
    return Scene(pictures, [np.zeros((height, width), bool)] * n)


def film(path: Path, scene: Scene, **settings: Any) -> Path:
    """Write a scene; ``settings`` as of :func:`synth_media.write_video`."""
    size = settings.pop("size", scene.size)
    codec = settings.setdefault("codec", "ffv1")
    if codec in ("mpeg2video", "mpeg4", "h261", "dvvideo"):
        settings.setdefault("time_base", TICK)
    if "pts" not in settings:
        settings.setdefault("n", len(scene))
    if path.suffix in (".mkv", ".webm"):
        settings.setdefault("time_base", Fraction(1, 1000))

    def make(fmt: str, width: int, height: int, index: int) -> av.VideoFrame:
        return picture_frame(scene.pictures[index], fmt)

    return write_video(path, size=size, make=make, **settings)


def picture_frame(picture: np.ndarray, fmt: str) -> av.VideoFrame:
    """An FFmpeg frame of format ``fmt`` that shows ``picture``; alpha is a ramp."""
    whole = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
    frame = whole.reformat(format=fmt)
    alpha = [i for i, c in enumerate(frame.format.components) if c.is_alpha]
    if alpha and len(frame.planes) == len(frame.format.components):
        plane = frame.planes[alpha[0]]
        top = (1 << frame.format.components[alpha[0]].bits) - 1
        words = np.frombuffer(plane, np.uint8 if top == 255 else np.uint16)
        rows = words.reshape(plane.height, -1)
        rows[:] = np.linspace(0, top, rows.shape[1]).astype(rows.dtype)
    return frame


@lru_cache(maxsize=1)
def _said() -> tuple[np.ndarray, int]:
    """(n,) float32 of the sample speech, and its rate."""
    with av.open(str(sample_file("speech_short"))) as container:
        rate = container.streams.audio[0].rate
        resampler = av.AudioResampler("fltp", "mono", rate)
        blocks = [
            b.to_ndarray()[0] for f in container.decode(audio=0) for b in resampler.resample(f)
        ]
    return np.concatenate(blocks), rate


def said(seconds: float, rate: int) -> np.ndarray:
    """(1, n) float32 of real speech."""
    samples, own = _said()
    start = round(0.6 * own)
    part = samples[start : start + round(seconds * own)]
    at = np.arange(round(seconds * rate)) / rate
    return np.interp(at, np.arange(len(part)) / own, part).astype(np.float32)[None]


def voice(path: Path, seconds: float = 0.6, codec: str = "pcm_s16le", **more: Any) -> Path:
    """Write real speech; ``rate``, ``layout`` and ``channels`` may be asked for."""
    samples, own = _said()
    rate = more.get("rate", own)
    start = round(0.6 * own)
    part = samples[start : start + round(seconds * own)]
    if rate != own:
        n = round(len(part) * rate / own)
        part = np.interp(np.arange(n) / rate, np.arange(len(part)) / own, part).astype(np.float32)
    many = np.repeat(part[None], more.get("channels", 1), 0)
    return write_sound(path, many, rate, codec, more.get("layout", "mono"))
