"""What Labial sees in a clip: its numbers frame by frame, and in words what will work."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from labial.analysis import analyse
from labial.audio.loudness import SILENT_DB
from labial.audio.loudness import loudness as measure_loudness
from labial.face.timeline import overview
from labial.media.order import Order
from labial.media.probe import MediaInfo
from labial.media.read import VideoReader
from labial.metrics.sync import RATE, Offset, load_expert
from labial.motion.retarget import own_motion
from labial.motion.space import load_basis
from labial.seen import digest
from labial.speaking.cast import LEFT_ALONE, cast
from labial.speaking.turns import Turns, take_turns
from labial.types import BoolArray, FaceTrack, FloatArray, Hook, MouthMotion, SpeechTrack

Curve: TypeAlias = npt.NDArray[np.float64]

# An inner-lip gap beyond this, in inter-ocular distances, shows teeth or tongue.
OPEN = 0.06
SMALL_PIXELS = 40.0
EARLY, LATE = 0.045, 0.125
"""People notice sound that is this many seconds early or late (ITU-R BT.1359)."""
_ROWS = 4096
CERTAIN = 0.5
"""Below this confidence an offset is chance."""


@dataclass(frozen=True)
class Clip:
    """All numbers of a clip of n frames.

    Parameters
    ----------
    media
        What the file says of itself.
    tracks
        All faces, by their first frames.
    times
        (n,) seconds since the first frame.
    turns
        Who speaks.
    which
        (n,) index of the track that shows the face of the one who speaks, or else the best one of
        each frame; -1 where there is none.
    opening
        (n,) gap between its inner lips, inter-ocular distances; NaN where no face was seen.
    quality, reasons
        (n,) as in :class:`labial.types.FaceTrack`.
    loudness
        dB of full scale, one value each ``BIN_SECONDS`` from the first frame on; None without
        sound.
    skipped
        Damaged packets.
    deinterlaced
        Frames of two fields.
    heard
        What the network heard in the clip's own sound, if there is anything to hear.
    strangers
        Why people could not be known again after cuts; "" where they were, or need not be.
    order
        Its frames, to be read again; None where there is no file.
    """

    media: MediaInfo
    tracks: list[FaceTrack]
    times: Curve
    turns: Turns
    which: npt.NDArray[np.intp]
    opening: Curve
    quality: Curve
    reasons: npt.NDArray[np.object_]
    loudness: Curve | None
    skipped: int
    deinterlaced: int = 0
    heard: SpeechTrack | None = None
    strangers: str = ""
    order: Order | None = None

    @property
    def seconds(self) -> float:
        """Length with the last frame, in seconds."""
        step = self.times[-1] / (len(self.times) - 1) if len(self.times) > 1 else 0.04
        return float(self.times[-1] + step)

    def track_of(self, index: int) -> tuple[FaceTrack, int] | None:
        """The track of a frame's best face, and the frame's row in it; None where nobody is."""
        if self.which[index] < 0:
            return None
        track = self.tracks[self.which[index]]
        return track, index - track.start


def look(video: str | os.PathLike[str], tell: Hook) -> Clip:
    """Follow the faces through the whole clip, as a dub does, and measure its sound.

    ``tell("analyse", done, total)`` is called after each frame, or once where the clip was seen
    before.
    """
    with VideoReader(video) as reader:
        media, info = reader.media, reader.info
    found = analyse(video, tell, digest(video))
    tracks, seconds, heard = found.tracks, found.times, found.heard
    turns = take_turns(tracks, seconds, heard)
    chosen = cast("auto", tracks, seconds, turns, info)
    which, quality, reasons = overview(chosen.tracks, len(seconds), LEFT_ALONE)
    loudness = None
    if media.audio is not None:
        (begin,) = found.exact_times(0, 1)
        loudness, _ = measure_loudness(Path(video), begin)
    return Clip(
        media,
        tracks,
        seconds,
        turns,
        which,
        best_of([opening_of(track) for track in tracks], tracks, which, np.nan),
        quality.astype(np.float64),
        reasons,
        loudness,
        found.skipped,
        found.deinterlaced,
        heard,
        found.strangers,
        Order(np.arange(len(seconds)), found.pts, found.gops),
    )


def best_of(
    values: Sequence[npt.NDArray[np.floating]],
    tracks: Sequence[FaceTrack],
    which: npt.NDArray[np.intp],
    nothing: float,
) -> Curve:
    """Return (n, …) of the values (len(track), …) of each track those of each frame's best face."""
    shape = values[0].shape[1:] if values else ()
    best = np.full((len(which), *shape), nothing)
    for k, (value, track) in enumerate(zip(values, tracks, strict=True)):
        mine = which[track.rows] == k
        best[track.rows][mine] = value[mine]
    return best


def opening_of(track: FaceTrack) -> Curve:
    """Gap between the inner lips, inter-ocular distances; NaN where no face was seen."""
    gap = np.full(len(track), np.nan)
    for first in range(0, len(track), _ROWS):
        rows = slice(first, min(first + _ROWS, len(track)))
        lips = track.landmarks[rows][:, [13, 14]]
        gap[rows] = np.linalg.norm(lips[:, 1] - lips[:, 0], axis=-1) / track.scale[rows]
    gap[~track.present] = np.nan
    return gap


def seen_mouth(clip: Clip) -> tuple[MouthMotion, BoolArray] | None:
    """Bring the mouth of each frame's best face to the clock of the clip's own sound.

    Returns
    -------
    The mouth, with as many rows as ``clip.heard``, and (n,) the rows in which it was seen well;
    None where there is nothing to hear, or no mouth that can be used.
    """
    speech = clip.heard
    good = clip.quality > 0
    if speech is None or not len(speech):
        return None
    basis = load_basis()
    motions = [own_motion(track, basis) for track in clip.tracks]
    own = best_of(motions, clip.tracks, clip.which, 0.0)
    beside = beside_sound(own, good, clip.times, len(speech))
    return None if beside is None else (MouthMotion(beside[0]), beside[1])


def likely_offset(clip: Clip) -> Offset | None:
    """Compare the mouth that is seen with the mouth that is heard, however sure that is.

    None where one of them is missing.
    """
    if clip.loudness is None or float(clip.loudness.max()) <= SILENT_DB:
        return None
    mouth = seen_mouth(clip)
    if mouth is None or clip.heard is None:
        return None
    return load_expert()(clip.heard, *mouth)


def offset_of(clip: Clip) -> Offset | None:
    """Return the :func:`likely_offset` where it is more likely than not, else None."""
    found = likely_offset(clip)
    return found if found is not None and found.confidence > CERTAIN else None


def beside_sound(
    own: Curve, good: npt.NDArray[np.bool_], times: Curve, rows: int
) -> tuple[FloatArray, npt.NDArray[np.bool_]] | None:
    """Bring a mouth from the frames' times to the clock of what is heard.

    Parameters
    ----------
    own
        (n, K) the mouth in each frame.
    good
        (n,) frames in which it is seen well.
    times
        (n,) seconds of the frames.
    rows
        Length of what is heard, in rows of 20 ms. It begins with the first frame, whenever the
        sound's own first sample comes.

    Returns
    -------
    mouth, usable
        (rows, K) float32 and (rows,) bool; None where the mouth is seen in fewer than two frames.
    """
    if good.sum() < 2:
        return None
    at = np.arange(rows) / RATE
    seen = np.stack([np.interp(at, times[good], c) for c in own[good].T], 1)
    usable = good[np.searchsorted(times, at).clip(0, len(good) - 1)]
    usable &= at <= times[-1]
    return seen.astype(np.float32), usable
