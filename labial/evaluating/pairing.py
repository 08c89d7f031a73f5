"""The same face in two videos: by where it is, for whom the sound calls the speaker may differ."""

from __future__ import annotations

import numpy as np

from labial.clip import Clip

# One face, in both, is not farther from itself than this, in inter-ocular distances.
_NEAR = 0.5


def partner(out: Clip, other: Clip, frame: int, filmed: int, anywhere: bool = False) -> int:
    """Find the face of one video's speaker in another.

    Parameters
    ----------
    out, other
        The videos; who speaks is asked of the first one alone.
    frame, filmed
        Frames of them that belong together.
    anywhere
        Whether the two faces are taken for one wherever they are, if nobody else is seen.

    Returns
    -------
    Index of the track in ``other.tracks``; -1 where the face is not seen in both.
    """
    found = out.track_of(frame)
    if found is None or not found[0].present[found[1]]:
        return -1
    place = found[0].translation[found[1], :2] * _larger(out, other)
    there = _present(other, filmed)
    apart = [
        float(np.linalg.norm(track.translation[row, :2] - place)) / float(track.scale[row])
        for track, row in ((other.tracks[k], filmed - other.tracks[k].start) for k in there)
    ]
    if apart and min(apart) < _NEAR:
        return there[int(np.argmin(apart))]
    if anywhere and len(there) == 1 and len(_present(out, frame)) == 1:
        return there[0]
    return -1


def _present(clip: Clip, frame: int) -> list[int]:
    """Indices of the tracks that show a face in a frame."""
    return [
        k
        for k, track in enumerate(clip.tracks)
        if track.start <= frame < track.end and track.present[frame - track.start]
    ]


def _larger(out: Clip, other: Clip) -> float:
    """How many pixels of the second video a pixel of the first is, across."""
    mine, theirs = out.media.video, other.media.video
    return 1.0 if mine is None or theirs is None else theirs.width / mine.width
