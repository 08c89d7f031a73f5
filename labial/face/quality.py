"""How well a face can be re-synced, frame by frame, and why not."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from labial.face.pose import Poses
from labial.types import FloatArray

MIN_EYES_PIXELS = 14.0
YAW_FULL, YAW_NONE = 33.0, 45.0
FADE_FRAMES = 4


def judged(
    mouth: FloatArray, present: npt.NDArray[np.bool_], poses: Poses, size: tuple[int, int]
) -> tuple[FloatArray, npt.NDArray[np.object_]]:
    """Return per frame (n,) 0..1, and (n,) why not 1; fades on both sides of what is bad.

    Parameters
    ----------
    mouth
        (n, m, 3) outline of the lips in pixels.
    present
        (n,) the face was seen.
    poses
        Of the n frames.
    size
        Width and height of the frames in pixels.
    """
    width, height = size
    n = len(present)
    yaw = np.abs(poses.yaw())
    quality = np.clip((YAW_NONE - yaw) / (YAW_NONE - YAW_FULL), 0, 1).astype(np.float32)
    reasons = np.full(n, "", object)
    reasons[quality < 1] = "turned away"
    small = poses.scale < MIN_EYES_PIXELS
    outside = ((mouth[..., :2] < 0) | (mouth[..., :2] > (width, height))).any((1, 2))
    for bad, why in ((small, "too small"), (outside, "mouth out of frame"), (~present, "no face")):
        quality[bad] = 0
        reasons[bad] = why
    return faded(quality), reasons


def faded(quality: FloatArray) -> FloatArray:
    """Limit the slope in time to 1 / FADE_FRAMES without ever exceeding ``quality`` (n,)."""
    out: FloatArray = quality.copy()
    for i in range(1, len(out)):
        out[i] = min(out[i], out[i - 1] + 1 / FADE_FRAMES)
    for i in range(len(out) - 2, -1, -1):
        out[i] = min(out[i], out[i + 1] + 1 / FADE_FRAMES)
    return out
