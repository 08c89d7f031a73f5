"""Whom to dub: what was asked for, turned into a share of each face in each frame."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from labial import geometry
from labial.errors import FaceError
from labial.face.quality import faded
from labial.media.probe import VideoInfo
from labial.motion.timing import frame_step
from labial.speaking.boxes import Boxes
from labial.speaking.turns import Times, Turns, take_turns
from labial.types import BoolArray, FaceTrack, FloatArray

LISTENING, NOT_CHOSEN, OUTSIDE = "listening", "not chosen", "outside of the segments"
LEFT_ALONE = (LISTENING, NOT_CHOSEN, OUTSIDE)


@dataclass(frozen=True)
class Cast:
    """Who is dubbed where.

    Parameters
    ----------
    tracks
        All faces; where they are not to be dubbed, their quality is 0, and the reason says so.
    shares
        For each track (len(track),) 0..1: how much of it is to be dubbed.
    """

    tracks: list[FaceTrack]
    shares: list[FloatArray]

    def summary(self, times: Times) -> str:
        """Return whom it dubs, in a few words; "" where there is only one person."""
        people = sorted({track.person for track in self.tracks})
        if len(people) < 2:
            return ""
        step = frame_step(times)
        spoken = Counter(dict.fromkeys(people, 0))
        alone: Counter[str] = Counter()
        for track in self.tracks:
            spoken[track.person] += int((track.quality > 0).sum())
        for person in people:
            if not spoken[person]:
                mine = [track for track in self.tracks if track.person == person]
                why = Counter(str(reason) for track in mine for reason in track.reasons)
                alone[why.most_common(1)[0][0]] += 1
        dubbed = [f"person {p} ({k * step:.1f} s)" for p, k in spoken.items() if k]
        line = ", ".join(dubbed)
        for reason, count in alone.most_common():
            who = "1 person" if count == 1 else f"{count} people"
            line += f"; {who} left alone: {reason}"
        return line


def cast(
    asked: str | Boxes,
    tracks: Sequence[FaceTrack],
    times: Times,
    turns: Turns,
    info: VideoInfo,
    during: BoolArray | None = None,
) -> Cast:
    """Decide whom to dub.

    Parameters
    ----------
    asked
        As :attr:`labial.options.DubOptions.speaker`, a file of boxes read.
    tracks
        All faces of the video.
    times
        (n,) seconds of its frames.
    turns
        Who speaks when.
    info
        The video, for its size and turn.
    during
        (n,) frames in which to dub at all; None for all.

    Raises
    ------
    FaceError
        There is nobody like that in the video.
    OptionError
        The boxes are of another video.
    """
    if isinstance(asked, Boxes):
        wanted, why = asked.speaking(tracks, times, info), NOT_CHOSEN
        if not any(rows.any() for rows in wanted):
            raise FaceError(
                f"--speaker {asked.path}: no face is in the boxes; {found(tracks, times, info)}"
            )
    elif asked == "all":
        wanted, why = [np.ones(len(track), bool) for track in tracks], NOT_CHOSEN
    elif asked == "auto":
        wanted, why = [turns.of(track) for track in tracks], LISTENING
    elif asked == "largest":
        by_size = take_turns(tracks, times)
        wanted, why = [by_size.of(track) for track in tracks], NOT_CHOSEN
    else:
        person = int(asked) if asked.isdigit() else _pointed_at(asked, tracks, times, info)
        if person not in {track.person for track in tracks}:
            raise FaceError(f"--speaker {asked}: {found(tracks, times, info)}")
        wanted, why = [np.full(len(t), t.person == person) for t in tracks], NOT_CHOSEN
    if during is not None:
        wanted = [rows & during[track.rows] for rows, track in zip(wanted, tracks, strict=True)]
    shares = [faded(rows.astype(np.float32)) for rows in wanted]
    reasons = [np.full(len(track), why, object) for track in tracks]
    if during is not None:
        for rows, track in zip(reasons, tracks, strict=True):
            rows[~during[track.rows]] = OUTSIDE
    return _of(tracks, shares, reasons)


def joined(casts: Sequence[Cast], tracks: Sequence[FaceTrack]) -> Cast:
    """Return whom any of several casts of the same tracks, at least one, dubs."""
    if len(casts) == 1:
        return casts[0]
    shares = [
        np.asarray(np.max(rows, 0), np.float32)
        for rows in zip(*(one.shares for one in casts), strict=True)
    ]
    reasons = []
    for k, track in enumerate(tracks):
        why = np.full(len(track), OUTSIDE, object)
        for one in casts:
            told = one.tracks[k].reasons
            known = np.isin(told, (LISTENING, NOT_CHOSEN))
            why[known] = told[known]
        reasons.append(why)
    return _of(tracks, shares, reasons)


def _of(
    tracks: Sequence[FaceTrack],
    shares: list[FloatArray],
    reasons: Sequence[npt.NDArray[np.object_]],
) -> Cast:
    every = zip(tracks, shares, reasons, strict=True)
    return Cast([_shared(track, share, why) for track, share, why in every], shares)


def found(tracks: Sequence[FaceTrack], times: Times, info: VideoInfo) -> str:
    """Say in a few words who is in the video."""
    people = sorted({track.person for track in tracks})
    if not people:
        return "nobody is seen in the video"
    step, told = frame_step(times), []
    wide, _ = geometry.upright_size(info.width, info.height, info.rotation)
    for person in people:
        mine = [track for track in tracks if track.person == person]
        seconds = sum(int(track.present.sum()) for track in mine) * step
        first = mine[0]
        x, y = _middle(first, int(first.present.argmax()), info)
        side = "left" if x < wide / 3 else "right" if x > 2 * wide / 3 else "middle"
        at = float(times[first.start + int(first.present.argmax())])
        told.append(f"person {person} ({seconds:.1f} s, {side}, first at {x:.0f},{y:.0f}@{at:.2f})")
    return f"there {'is' if len(people) == 1 else 'are'} " + ", ".join(told)


def _shared(track: FaceTrack, share: FloatArray, why: npt.NDArray[np.object_]) -> FaceTrack:
    if (share >= 1).all():
        return track
    reasons: npt.NDArray[np.object_] = track.reasons.copy()
    # Who is not there is not listening.
    alone = (share <= 0) & track.present
    reasons[alone] = why[alone]
    quality = np.asarray(np.minimum(track.quality, share), np.float32)
    return replace(track, quality=quality, reasons=reasons)


def _pointed_at(asked: str, tracks: Sequence[FaceTrack], times: Times, info: VideoInfo) -> int:
    place, _, when = asked.partition("@")
    x, y = (float(v) for v in place.split(","))
    frame = int(np.abs(times - float(when or 0)).argmin())
    best, nearest = -1, np.inf
    for track in tracks:
        row = frame - track.start
        if not 0 <= row < len(track) or not track.present[row]:
            continue
        oval = _upright(track.landmarks[row][list(geometry.FACE_OVAL)], info)
        low, high = oval.min(0), oval.max(0)
        away = float(np.linalg.norm(((x, y) - (low + high) / 2) / (high - low).clip(1)))
        if away < min(nearest, 0.75):
            best, nearest = track.person, away
    if best < 0:
        raise FaceError(
            f"--speaker {asked}: nobody is there at {times[frame]:.2f} s; "
            f"{found(tracks, times, info)}"
        )
    return best


def _middle(track: FaceTrack, row: int, info: VideoInfo) -> tuple[float, float]:
    x, y = _upright(track.landmarks[row], info).mean(0)
    return float(x), float(y)


def _upright(points: FloatArray, info: VideoInfo) -> FloatArray:
    """Stored pixels (n, 3) to those of the picture as displayed (n, 2)."""
    flat = np.asarray(points[:, :2], np.float32)
    return np.asarray(geometry.rotate_points(flat, info.rotation, info.width, info.height))
