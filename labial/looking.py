"""What a page shows of a file before anything is done with it: facts as JSON, and pictures."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from labial.audio.peaks import PeakMeter
from labial.clip import Clip
from labial.errors import SpeechError
from labial.lanes import Life, lives
from labial.media.picture import small_rgb8, write_jpeg
from labial.media.probe import MediaInfo, probe
from labial.media.read import VideoReader
from labial.media.sound_file import sound_blocks, sound_info
from labial.media.spool import enough_room
from labial.motion.space import load_basis
from labial.preflight import Finding, examine
from labial.sheet import Image, tile
from labial.speaking.boxes import face_boxes, people_rows
from labial.speech.phones import SILENCE
from labial.speech.segments import segments, voiced
from labial.speech.visemes import viseme_of
from labial.types import Frame, Hook, SpeechTrack

POSTER, PORTRAIT = "poster.jpg", "person-{person}.jpg"
"""Names of the pictures."""
MOST_PEAKS, MOST_PHONES, MOST_PEOPLE, MOST_BOXES = 2000, 4000, 12, 2000
_BOXES_A_SECOND = 5.0
_POSTER_PIXELS, _PORTRAIT_PIXELS = 1280, 192
# Where there is no face to show, a frame after what films fade in from.
_INTO = 0.1


@dataclass(frozen=True)
class Look:
    """What was seen and heard of a file.

    Parameters
    ----------
    facts
        As JSON has them; see :func:`look_over`.
    files
        ``poster`` and ``person-N``, where there is a picture.
    summary
        Lines for the user.
    """

    facts: dict[str, Any]
    files: dict[str, Path]
    summary: str


@enough_room()
def look_over(
    file: str | os.PathLike[str], folder: str | os.PathLike[str], hook: Hook | None = None
) -> Look:
    """Look at a video or a photo, or listen to speech.

    What is seen of a video is kept in the cache folder: a dub of it starts with its second pass.

    Parameters
    ----------
    file
        Video, photo or sound.
    folder
        Where the pictures go: :data:`POSTER`, and :data:`PORTRAIT` of each person.
    hook
        Called as ``hook(stage, done, total)`` after each step.

    Returns
    -------
    Look
        Its facts are

        ``holds``: ``video``, ``photo`` or ``speech``.

        ``media``: ``seconds``; ``width`` and ``height`` in pixels as displayed, ``aspect`` their
        ratio on a screen, ``fps``, ``frames``, ``codec``, all None without a picture; ``container``
        and ``sound`` (None, or ``codec``, ``rate`` and ``channels``).

        ``people``: the most seen first, at most :data:`MOST_PEOPLE`. Of each its number ``person``,
        ``seconds`` to be seen, of which it ``speaks``; ``first`` second in which it is seen;
        ``box`` around the face (left, top, width, height in pixels as displayed) at ``time``, a
        moment that shows it well; ``able``, whether the mouth can be re-synced then;
        ``boxes`` over time, at most five a second, as :mod:`labial.speaking.boxes` reads them.
        ``n_people`` counts all.

        ``findings``: each a :meth:`labial.preflight.Finding.facts`, the worst first; ``worst``
        is the severity of the first.

        ``peaks``: lowest and highest sample, at most :data:`MOST_PEAKS` pairs, one each
        ``peak_seconds``. ``phones``: ``name``, ``onset``, ``release`` in seconds and ``viseme``,
        at most :data:`MOST_PHONES`, which reach until ``heard_until``. ``voiced``: from when to
        when somebody speaks.

    Raises
    ------
    ReadError, WeightsError, WriteError
        With what is wrong and what to do.
    """
    tell = hook or (lambda stage, done, total: None)
    media = probe(Path(file))
    found = examine(media, tell)
    folder, clip = Path(folder), found.clip
    pairs, step, heard_seconds = _peaks(media)
    facts: dict[str, Any] = {
        "holds": found.report.kind,
        "media": _media(media, clip, heard_seconds),
        "people": [],
        "n_people": 0,
        "findings": [finding.facts() for finding in found.report.findings],
        "worst": found.report.worst,
        "peaks": pairs,
        "peak_seconds": step,
        **_said(found.heard),
    }
    files: dict[str, Path] = {}
    if clip is not None:
        people = lives(clip)
        facts["n_people"] = len(people)
        facts["people"] = _people(clip, people[:MOST_PEOPLE])
        files = _pictures(media, clip, people[:MOST_PEOPLE], folder)
        tell("draw", 1, 1)
    return Look(facts, files, _summary(facts, found.report.findings))


def _media(media: MediaInfo, clip: Clip | None, heard: float) -> dict[str, Any]:
    info, sound = media.video, media.audio
    facts: dict[str, Any] = {
        "seconds": round(heard, 3),
        **dict.fromkeys(("width", "height", "aspect", "fps", "frames", "codec")),
        "container": media.container,
        "sound": None,
    }
    if sound is not None:
        facts["sound"] = {
            "codec": sound.codec, "rate": sound.rate, "channels": sound.channels
        }  # fmt: skip
    if info is not None and clip is not None:
        width, height = info.width, info.height
        aspect = width * float(info.sample_aspect) / height
        if info.rotation % 180:
            width, height, aspect = height, width, 1 / aspect
        facts |= {
            "seconds": round(clip.seconds, 3) if len(clip.times) > 1 else 0.0,
            "width": width,
            "height": height,
            "aspect": round(aspect, 4),
            "fps": round(float(info.rate), 4) if len(clip.times) > 1 else None,
            "frames": len(clip.times),
            "codec": info.codec,
        }
    return facts


def _people(clip: Clip, people: Sequence[Life]) -> list[dict[str, Any]]:
    info, n = clip.media.video, len(clip.times)
    assert info is not None
    every = math.ceil(max(n / max(clip.seconds, 1e-6) / _BOXES_A_SECOND, n / MOST_BOXES, 1) - 1e-6)
    numbers = {life.person for life in people}
    tracks = [track for track in clip.tracks if track.person in numbers]
    speaking = [clip.turns.of(track) for track in tracks]
    rows = people_rows(tracks, speaking, clip.times, info, every)
    found = []
    for life, row in zip(people, rows, strict=True):
        frame, k = life.best
        track, line = clip.tracks[k], np.array([frame - clip.tracks[k].start])
        found.append(
            {
                "person": life.person,
                "seconds": row["seconds"],
                "speaks": row["speaks"],
                "first": round(float(clip.times[int(life.seen.argmax())]), 3),
                "time": round(float(clip.times[frame]), 4),
                "box": [round(float(v), 1) for v in face_boxes(track, info, line)[0]],
                "able": bool(track.quality[line[0]] > 0),
                "boxes": row["boxes"],
            }
        )
    return found


def _pictures(
    media: MediaInfo, clip: Clip, people: Sequence[Life], folder: Path
) -> dict[str, Path]:
    """Read the frames that show people well once more, and write them."""
    assert media.video is not None and clip.order is not None
    poster = people[0].best[0] if people else int(_INTO * len(clip.times))
    wanted = sorted({poster, *(life.best[0] for life in people)})
    files: dict[str, Path] = {}
    with VideoReader(media.path) as reader:
        for frame in clip.order.frames(reader, np.array(wanted, np.int64)):
            if frame.index == poster:
                files["poster"] = folder / POSTER
                image = small_rgb8(frame, _POSTER_PIXELS, float(media.video.sample_aspect))
                write_jpeg(files["poster"], image)
            for life in people:
                if life.best[0] == frame.index:
                    name = f"person-{life.person}"
                    files[name] = folder / PORTRAIT.format(person=life.person)
                    write_jpeg(files[name], _portrait(clip, life, frame))
    return files


def _portrait(clip: Clip, life: Life, frame: Frame) -> Image:
    track = clip.tracks[life.best[1]]
    landmarks = np.array(track.landmarks[frame.index - track.start])
    return tile(frame, landmarks, size=(_PORTRAIT_PIXELS, _PORTRAIT_PIXELS))


def _peaks(media: MediaInfo) -> tuple[list[list[float]], float, float]:
    """The outline of a file's sound, seconds of each pair, and seconds of it all."""
    meter, samples = PeakMeter(MOST_PEAKS), 0
    try:
        rate = sound_info(media.path).rate
        for block in sound_blocks(media.path):
            meter.add(block)
            samples += len(block)
    except SpeechError:
        return [], 0.0, 0.0
    pairs = np.nan_to_num(meter.pairs()).clip(-1, 1).astype(np.float64).round(3)
    return pairs.tolist(), meter.step / rate, samples / rate


def _said(heard: SpeechTrack | None) -> dict[str, Any]:
    """What is said when, as far as it is listed."""
    facts: dict[str, Any] = {"phones": [], "heard_until": 0.0, "voiced": []}
    if heard is None or not len(heard):
        return facts
    aperture = load_basis().aperture(heard.motion.coefficients)
    every = segments(heard, aperture)
    phones = [phone for phone in every if phone.name != SILENCE]
    facts["voiced"] = [[round(a, 3), round(b, 3)] for a, b in voiced(heard)[:MOST_PHONES]]
    facts["heard_until"] = round(len(heard) / heard.motion.rate, 3)
    if len(phones) > MOST_PHONES:
        phones = phones[:MOST_PHONES]
        facts["heard_until"] = round(phones[-1].release, 3)
    facts["phones"] = [
        {
            "name": phone.name,
            "onset": round(phone.onset, 3),
            "release": round(phone.release, 3),
            "viseme": viseme_of(phone.name),
        }
        for phone in phones
    ]
    return facts


def _summary(facts: dict[str, Any], findings: Sequence[Finding]) -> str:
    media = facts["media"]
    line = facts["holds"]
    if media["width"] is not None:
        line += f", {media['width']}x{media['height']}"
    if facts["holds"] != "photo":
        line += f", {media['seconds']:.1f} s"
    told = [f"{finding.severity}: {finding.line()}" for finding in findings]
    return "\n".join([line, *told])
