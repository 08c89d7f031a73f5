"""Boxes around people, frame by frame, as JSON: written for others to read, and read again.

What is written::

    {"video": "talk.mp4", "width": 1920, "height": 1080, "frames": 500, "people": [
      {"person": 0, "seconds": 20.0, "speaks": 12.3, "boxes": [
        {"frame": 0, "time": 0.0, "box": [810.5, 240.0, 320.0, 400.0], "speaking": 1.0}, ...]}]}

``box`` is left, top, width and height in pixels of the picture as it is displayed; ``null`` where a
person goes away. What is read may also be a bare list of such entries, or any object that holds
one as ``boxes``; ``frame`` or ``time`` (seconds from the first frame) is enough, and ``speaking``
is taken for 1. Between two entries boxes are interpolated; before the first and after the last
there is nobody.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np
import numpy.typing as npt

from labial import geometry
from labial.errors import OptionError
from labial.media.probe import VideoInfo
from labial.motion.timing import frame_step
from labial.types import BoolArray, FaceTrack, FloatArray

Times = npt.NDArray[np.float64]

# A face is the one in a box when they share so much of what they cover together, or so much of the
# smaller one: boxes drawn by hand are larger than faces, or smaller.
_OVERLAP, _INSIDE = 0.15, 0.6
_SPEAKS = 0.5
_ANY_NUMBER = 1e12


@dataclass(frozen=True)
class _Entry:
    """A box (4,), or None where there is nobody from here on."""

    at: float
    counted: bool
    box: tuple[float, ...] | None
    speaking: float


@dataclass(frozen=True)
class Boxes:
    """Boxes around those who speak, as a file says.

    Parameters
    ----------
    path
        The file.
    people
        For each person the entries, ``at`` frame number or second (``counted``: frame number).
    """

    path: Path
    people: tuple[tuple[_Entry, ...], ...]

    def speaking(
        self, tracks: Sequence[FaceTrack], times: Times, info: VideoInfo
    ) -> list[BoolArray]:
        """Return for each track (len(track),) the frames in which it is in the box of a speaker.

        Parameters
        ----------
        tracks
            The faces of the video.
        times
            (n,) seconds of its frames.
        info
            The video, for its size and turn.

        Raises
        ------
        OptionError
            The boxes are of another video: they begin after its end.
        """
        first = min(self._second(entry, times) for entries in self.people for entry in entries)
        if first > times[-1] + 1e-3:
            raise OptionError(
                f"{self.path}: the first box is at {first:.2f} s, and the video ends at "
                f"{times[-1]:.2f} s: are they of another video?"
            )
        wanted = [np.zeros(len(track), bool) for track in tracks]
        faces = [face_boxes(track, info) for track in tracks]
        for entries in self.people:
            where = self._placed(entries, times)
            best, owner = np.zeros(len(times)), np.full(len(times), -1)
            for k, track in enumerate(tracks):
                fit = np.where(track.present, _overlap(faces[k], where[track.rows]), 0)
                better = fit > best[track.rows]
                best[track.rows][better] = fit[better]
                owner[track.rows][better] = k
            for k, track in enumerate(tracks):
                wanted[k] |= owner[track.rows] == k
        return wanted

    def _placed(self, entries: Sequence[_Entry], times: Times) -> Times:
        """(n, 4) the box at each frame, NaN where there is none or its person does not speak."""
        at = np.array([self._second(entry, times) for entry in entries])
        order = np.argsort(at, kind="stable")
        at = at[order]
        rows = np.array([(math.nan,) * 4 if entries[k].box is None else entries[k].box
                         for k in order], np.float64)  # fmt: skip
        speaks = np.array([entries[k].speaking for k in order]) >= _SPEAKS
        near = 0.5 * frame_step(times)
        left = (np.searchsorted(at, times + 1e-6) - 1).clip(0)
        right = (left + 1).clip(max=len(at) - 1)
        share = ((times - at[left]) / np.maximum(at[right] - at[left], 1e-9)).clip(0, 1)
        ends = np.isnan(rows[right]).any(1)
        share[ends] = 0
        target = np.where(ends[:, None], rows[left], rows[right])
        boxes: Times = rows[left] + share[:, None] * (target - rows[left])
        # An entry counts for its own frame even where its time lies between two.
        outside = (times < at[0] - near) | (times > at[-1] + near) | ~speaks[left]
        boxes[outside] = np.nan
        return boxes

    def _second(self, entry: _Entry, times: Times) -> float:
        if not entry.counted:
            return entry.at
        k, last = int(entry.at), len(times) - 1
        return float(times[k] if k <= last else times[last] + (k - last) * frame_step(times))


def read_boxes(path: Path) -> Boxes:
    """Read a file of boxes.

    Raises
    ------
    OptionError
        It cannot be read, or is not as it should be; the line says where.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise OptionError(f"--speaker {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise OptionError(f"--speaker {path}: not text in UTF-8") from error
    except json.JSONDecodeError as error:
        raise OptionError(
            f"--speaker {path}: no JSON, line {error.lineno} column {error.colno}: {error.msg}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise OptionError(
            f"--speaker {path}: thousands of digits, or of lists in lists, cannot be read"
        ) from error
    people = data.get("people", [data]) if isinstance(data, dict) else [{"boxes": data}]
    found = []
    if not isinstance(people, list):
        raise OptionError(f"--speaker {path}: people must be a list")
    for number, person in enumerate(people):
        boxes = person.get("boxes") if isinstance(person, dict) else None
        where = f"--speaker {path}: " + (f"person {number}, " if len(people) > 1 else "")
        if not isinstance(boxes, list):
            raise OptionError(f'{where}there is no list of boxes ("boxes": [...])')
        entries = tuple(_entry(item, f"{where}box {k}") for k, item in enumerate(boxes))
        if entries:
            found.append(entries)
    if not any(entry.box for entries in found for entry in entries):
        raise OptionError(f"--speaker {path}: there is no box in it")
    return Boxes(path, tuple(found))


def _entry(item: Any, where: str) -> _Entry:
    if not isinstance(item, dict) or "box" not in item:
        raise OptionError(
            f'{where}: write {{"frame": 0, "box": [left, top, width, height]}}, not {_short(item)}'
        )
    counted = "frame" in item
    at = item["frame"] if counted else item.get("time")
    if not _number(at) or at < 0 or (counted and at != int(at)):
        raise OptionError(
            f'{where}: needs "frame" (a whole number from 0) or "time" (seconds from 0), '
            f"not {_short(at)}"
        )
    speaking = item.get("speaking", 1)
    if not _number(speaking) or not 0 <= speaking <= 1:
        raise OptionError(f"{where}: speaking must be 0 to 1, not {_short(speaking)}")
    box = item["box"]
    if box is None:
        return _Entry(float(at), counted, None, float(speaking))
    good = isinstance(box, list) and len(box) == 4 and all(_number(v) for v in box)
    if not good or box[2] <= 0 or box[3] <= 0:
        raise OptionError(
            f"{where}: box must be left, top, width and height in pixels, or null, "
            f"not {_short(box)}"
        )
    return _Entry(float(at), counted, tuple(float(v) for v in box), float(speaking))


def people_json(
    tracks: Sequence[FaceTrack],
    speaking: Sequence[npt.NDArray[Any]],
    times: Times,
    info: VideoInfo,
    video: str,
) -> str:
    """Return what :func:`read_boxes` reads, of all people of a video.

    Parameters
    ----------
    tracks
        Its faces.
    speaking
        For each track (len(track),) 0..1.
    times
        (n,) seconds of its frames.
    info
        The video, for its size and turn.
    video
        Its name.
    """
    width, height = geometry.upright_size(info.width, info.height, info.rotation)
    whole = {
        "video": video,
        "width": width,
        "height": height,
        "frames": len(times),
        "people": people_rows(tracks, speaking, times, info),
    }
    return json.dumps(whole, ensure_ascii=False) + "\n"


def people_rows(
    tracks: Sequence[FaceTrack],
    speaking: Sequence[npt.NDArray[Any]],
    times: Times,
    info: VideoInfo,
    every: int = 1,
) -> list[dict[str, Any]]:
    """Return the list of people that :func:`people_json` writes.

    Parameters
    ----------
    tracks, speaking, times, info
        As there.
    every
        Of so many frames of an appearance one has its box, the first of all among them.
    """
    step = frame_step(times)
    people = []
    for person in sorted({track.person for track in tracks}):
        mine = [k for k, track in enumerate(tracks) if track.person == person]
        entries, seen, said = [], 0, 0.0
        for k in mine:
            track = tracks[k]
            seen += int(track.present.sum())
            said += float(speaking[k][track.present].sum())
            rows = np.arange(0, len(track), every)
            boxes = face_boxes(track, info, rows)
            for row, around in zip(rows.tolist(), boxes, strict=True):
                box = [round(float(v), 1) for v in around] if track.present[row] else None
                entries.append(_written(track.start + row, times, box, float(speaking[k][row])))
            if track.end < len(times):
                entries.append(_written(track.end, times, None, 0.0))
        kept = {entry["frame"]: entry for entry in entries if entry["box"] is None}
        kept |= {entry["frame"]: entry for entry in entries if entry["box"] is not None}
        people.append(
            {"person": person, "seconds": round(seen * step, 3), "speaks": round(said * step, 3),
             "boxes": [kept[frame] for frame in sorted(kept)]}
        )  # fmt: skip
    return people


def _written(index: int, times: Times, box: list[float] | None, speaking: float) -> dict[str, Any]:
    time = round(float(times[index]), 4)
    return {"frame": index, "time": time, "box": box, "speaking": round(speaking, 3)}


def face_boxes(
    track: FaceTrack, info: VideoInfo, rows: npt.NDArray[np.intp] | None = None
) -> FloatArray:
    """Left, top, width and height (n, 4) of the face as displayed, in all rows or in some."""
    seen = track.landmarks if rows is None else track.landmarks[rows]
    oval = seen[:, list(geometry.FACE_OVAL), :2]
    shown = geometry.rotate_points(oval, info.rotation, info.width, info.height)
    low, high = shown.min(1), shown.max(1)
    return np.concatenate([low, high - low], 1).astype(np.float32)


def _overlap(one: FloatArray, other: Times) -> Times:
    """(n,) 0..1 how well boxes (n, 4) lie on each other; 0 where that is too little, or NaN."""
    low = np.maximum(one[:, :2], other[:, :2])
    high = np.minimum(one[:, :2] + one[:, 2:], other[:, :2] + other[:, 2:])
    common = (high - low).clip(0).prod(1)
    mine, theirs = one[:, 2:].prod(1), other[:, 2:].prod(1)
    union = common / np.maximum(mine + theirs - common, 1e-6)
    inside = common / np.maximum(np.minimum(mine, theirs), 1e-6)
    fit = np.where((union >= _OVERLAP) | (inside >= _INSIDE), union + 0.5 * inside, 0)
    return np.asarray(np.nan_to_num(fit), np.float64)


def _number(value: Any) -> TypeGuard[float]:
    # Not by isfinite, which raises where a whole number is too large for a float.
    known = isinstance(value, (int, float)) and not isinstance(value, bool)
    return known and abs(value) < _ANY_NUMBER


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "..."
