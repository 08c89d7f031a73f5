"""Videos that are bad in one known way: what measures of lip sync have to notice, and nothing else.

Each function takes what it damages and how much, so that more of it can be asked for.
"""

from __future__ import annotations

import wave
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from labial import geometry
from labial.composite.mask import lip_matte
from labial.pixels import Box, add_rgb, aligned, read_rgb
from labial.types import FaceTrack, FloatArray, Frame

RATE = 16_000
LATE_SECONDS = 0.12
_FADE = 160
_OUTER = [*geometry.OUTER_RING]


def late(sound: FloatArray, seconds: float = LATE_SECONDS) -> FloatArray:
    """Let the sound come later."""
    return np.concatenate([np.zeros(round(seconds * RATE), np.float32), sound])[: len(sound)]


def hushed(
    sound: FloatArray, stretches: tuple[tuple[float, float], ...] = ((0.3, 0.47), (0.65, 0.82))
) -> FloatArray:
    """Take the voice away in some shares of the time, while the mouth goes on."""
    left = np.ones(len(sound), np.float32)
    for begin, end in stretches:
        left[round(begin * len(sound)) : round(end * len(sound))] = 0
    taps = np.ones(_FADE, np.float32) / _FADE
    return np.asarray(sound * np.convolve(left, taps, "same"), np.float32)


def blurred(frame: Frame, track: FaceTrack, row: int, sigma: float = 0.035) -> Frame:
    """Blur the mouth, through a soft matte; ``sigma`` in inter-ocular distances."""
    unit, outer = float(track.scale[row]), track.landmarks[row][_OUTER, :2]
    box = _around(frame, outer, 0.35 * unit)
    image = read_rgb(frame, box)
    soft = np.asarray(cv2.GaussianBlur(image, (0, 0), sigma * unit), np.float32)
    matte = lip_matte(outer - np.array([box.x0, box.y0], np.float32), box, unit)
    return add_rgb(frame, box, (soft - image) * matte[..., None], None)


def boxed(frame: Frame, track: FaceTrack, row: int, step: float = 0.06) -> Frame:
    """Paste the lower half of the face back as a box that is lighter by ``step``."""
    oval = track.landmarks[row][list(geometry.FACE_OVAL), :2]
    low, high = oval.min(0), oval.max(0)
    left, top = low[0] + 0.12 * (high[0] - low[0]), (low[1] + high[1]) / 2
    right = high[0] - 0.12 * (high[0] - low[0])
    x0, y0, x1, y1 = (round(float(v)) for v in (left, top, right, high[1]))
    box = Box(x0, y0, x1, y1).clip(frame.width, frame.height)
    box = aligned(box, frame.format, frame.width, frame.height)
    lighter = np.full((box.height, box.width, 3), step, np.float32)
    return add_rgb(frame, box, lighter, None)


def _around(frame: Frame, points: npt.NDArray[np.floating], margin: float) -> Box:
    x0, y0 = np.floor(points.min(0) - margin).astype(int).tolist()
    x1, y1 = np.ceil(points.max(0) + margin).astype(int).tolist()
    box = Box(x0, y0, x1, y1).clip(frame.width, frame.height)
    return aligned(box, frame.format, frame.width, frame.height)


def write_wav(path: Path, sound: FloatArray) -> Path:
    """Write 16 kHz mono."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.rint(sound * 32767).clip(-32768, 32767).astype(np.int16).tobytes())
    return path
