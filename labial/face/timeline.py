"""Many faces, one timeline: what is the best that a frame has to offer."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt

from labial.types import FaceTrack, FloatArray

NOBODY = "no face"


def overview(
    tracks: Sequence[FaceTrack], n: int, behind: Collection[str] = ()
) -> tuple[npt.NDArray[np.intp], FloatArray, npt.NDArray[np.object_]]:
    """Return the best face of each of ``n`` frames.

    Parameters
    ----------
    tracks
        All faces.
    n
        Frames of the video.
    behind
        Reasons with which a face comes last.

    Returns
    -------
    which
        (n,) index of its track, the best first by quality and then by size; -1 where there is none.
    quality, reasons
        (n,) its quality, and why that is not 1.
    """
    which = np.full(n, -1)
    quality = np.zeros(n, np.float32)
    reasons = np.full(n, NOBODY, object)
    best = np.full((2, n), -1.0)
    for k, track in enumerate(tracks):
        rows = track.rows
        size = np.where(track.present, track.scale, 0)
        before_quality, before_size = best[:, rows]
        last = np.isin(track.reasons.astype(str), [*behind]) & (track.quality <= 0)
        worth = track.quality - 0.5 * last
        better = (worth > before_quality) | ((worth == before_quality) & (size > before_size))
        best[:, rows] = np.where(better, (worth, size), best[:, rows])
        which[rows][better] = k
        quality[rows][better] = track.quality[better]
        reasons[rows][better] = track.reasons[better]
    return which, quality, reasons
