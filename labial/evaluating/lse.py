"""Show a video to SyncNet as its makers do: faces cut out at 25 frames a second, and raw sound."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from labial import geometry
from labial.clip import Clip
from labial.errors import ReadError, SpeechError
from labial.media.read import VideoReader
from labial.media.sound import read_audio
from labial.metrics.mfcc import RATE as SOUND_RATE
from labial.metrics.mfcc import mfcc
from labial.metrics.syncnet import RATE, SIZE, LipSyncError, SyncNet, score
from labial.pixels import sample_rgb8
from labial.types import FaceTrack, FloatArray, Hook

# How far the makers cut beyond the box of a face; their boxes' median is over so many frames.
_WIDER, _MEDIAN = 0.40, 13
_GREY = 110


def lse(network: SyncNet, clip: Clip, tell: Hook) -> tuple[LipSyncError | None, str]:
    """Return LSE-C and LSE-D of the face that speaks for longest, or why there are none."""
    try:
        sound = read_audio(clip.media.path, SOUND_RATE).samples
    except (SpeechError, ReadError):
        return None, "no LSE: there is no sound"
    shown = np.bincount(clip.which[clip.which >= 0], minlength=len(clip.tracks))
    if not shown.any() or not clip.tracks:
        return None, "no LSE: there is no face"
    track = clip.tracks[int(shown.argmax())]
    start = float(clip.times[track.start])
    rows = mfcc(sound[round(start * SOUND_RATE) :])
    found = score(network, _faces(clip, track, tell), rows)
    return found, "" if found is not None else "no LSE: less than a quarter of a second"


def _faces(clip: Clip, track: FaceTrack, tell: Hook) -> Iterator[npt.NDArray[np.uint8]]:
    """The track's face as (224, 224, 3) BGR, 25 times a second, whatever the video's own rate."""
    times = clip.times[track.rows]
    boxes = face_boxes(track)
    ticks = times[0] + np.arange(int((times[-1] - times[0]) * RATE + 1.5)) / RATE
    right = np.searchsorted(times, ticks).clip(0, len(times) - 1)
    left = (right - 1).clip(0)
    rows = np.where(np.abs(times[left] - ticks) < np.abs(times[right] - ticks), left, right)
    shown = np.bincount(rows, minlength=len(times))
    with VideoReader(clip.media.path) as reader:
        for frame in reader.frames():
            row = frame.index - track.start
            if row >= len(times):
                break
            if row < 0 or not shown[row]:
                continue
            tell("syncnet", row + 1, len(times))
            x, y, half = boxes[row]
            reach = half * (1 + 2 * _WIDER)
            step = 2 * half * (1 + _WIDER) / SIZE
            left_, top = x - half * (1 + _WIDER), y - half
            affine = np.array([[step, 0, left_], [0, (half + reach) / SIZE, top]], np.float32)
            face = np.ascontiguousarray(sample_rgb8(frame, affine, (SIZE, SIZE))[..., ::-1])
            _grey_outside(face, affine, frame.width, frame.height)
            for _ in range(shown[row]):
                yield face


def face_boxes(track: FaceTrack) -> npt.NDArray[np.float64]:
    """(n, 3) middle of the face, x and y, and half the longer side of its box, all smoothed."""
    n, known = len(track), np.flatnonzero(track.present)
    raw = np.zeros((len(known), 3))
    for k, row in enumerate(known):
        oval: FloatArray = track.landmarks[row][list(geometry.FACE_OVAL), :2]
        low, high = oval.min(0), oval.max(0)
        raw[k] = *((low + high) / 2), float((high - low).max()) / 2
    full = np.stack([np.interp(np.arange(n), known, column) for column in raw.T], 1)
    padded = np.pad(full, ((_MEDIAN // 2, _MEDIAN // 2), (0, 0)), "edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, _MEDIAN, axis=0)
    return np.asarray(np.median(windows, axis=-1))


def _grey_outside(face: npt.NDArray[np.uint8], affine: FloatArray, width: int, height: int) -> None:
    """Paint what lies outside the picture grey, as the makers do."""
    at = (np.arange(SIZE) + 0.5) * affine[0, 0] + affine[0, 2]
    face[:, (at < 0) | (at > width)] = _GREY
    at = (np.arange(SIZE) + 0.5) * affine[1, 1] + affine[1, 2]
    face[(at < 0) | (at > height)] = _GREY
