"""How long a job takes, from what is known of its files: for people who wait, before it begins."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from labial.errors import LabialError
from labial.jobs.kinds import kind_of

# Seconds of a process before any work, and of one core for a second of sound that is listened to.
_START, _LISTENED = 1.5, 0.03
# Seconds of one core for a frame, and for each of its millions of pixels.
_LOOK = 0.0148, 0.0079
_RENDER = {"fast": (0.0099, 0.0219), "standard": (0.0215, 0.0278), "pro": (0.0215, 0.0278)}
_ANIMATE = {"fast": (0.0120, 0.0200), "standard": (0.0240, 0.0200)}
_JUDGE = 0.0700, 0.0500
_SEPARATED, _COPIED = 0.25, 0.0005
# Of the work, what no second core helps with; beyond so many cores there is no more to gain.
_ALONE, _MOST_CORES = 0.1, 8
_LETTERS_A_SECOND = 14.0
_LONGEST_PHOTO = 1920
_USUAL_FPS = 25.0


def estimate(
    kind: str,
    facts: Mapping[str, Mapping[str, Any]],
    options: Mapping[str, Any] | None = None,
    *,
    report: bool = False,
    looked: bool = False,
    cores: int = 0,
) -> float | None:
    """Return about how many seconds a job takes, by what it took of a core here.

    A frame of M million pixels takes 14.8 + 7.9 M ms of one core to look at, 9.9 + 21.9 M ms to
    make and encode with ``fast`` and 21.5 + 27.8 M ms with ``standard``: fitted to eight clips from
    186 x 186 to 720 x 1280, of which each takes .85 to 1.4 times as much (the shortest, of 3 s,
    most; the others at most 1.1 times), on a machine that was busy. Larger faces take longer than
    small ones in the same picture. Photos (two) took 33 ms a frame, a
    report (one) 94 ms, speech .01 to .03 s a second.
    What follows from no file, such as other machines' pace, is for who asks to put in.

    Parameters
    ----------
    kind
        One of :data:`labial.jobs.KINDS`.
    facts
        Role → what is known of that input: ``seconds``, ``width`` and ``height`` in pixels, and
        ``frames`` or ``fps``; or all that a job of kind ``look`` has found.
    options, report
        Of the job.
    looked
        The video was looked at before, on this machine: a dub begins with its second pass.
    cores
        To work with; 0 is as many as there are.

    Returns
    -------
    Seconds; None where what counts is not known, or the job is none.
    """
    try:
        chosen = kind_of(kind).made(options or {})
    except LabialError:
        return None
    known = {role: each.get("media") or each for role, each in facts.items()}
    work = _WORK[kind](known, chosen, report, looked)
    if work is None:
        return None
    n = min(cores or os.cpu_count() or 1, _MOST_CORES)
    return _START + work * (_ALONE + (1 - _ALONE) / n)


Facts = Mapping[str, Mapping[str, Any]]


def _look(facts: Facts, options: Any, report: bool, looked: bool) -> float | None:
    file = facts.get("media", {})
    if file.get("width") is None:
        return _listening(file)
    seen = _passing(file, _LOOK)
    return None if seen is None else seen + (_listening(file) or 0.0)


def _dub(facts: Facts, options: Any, report: bool, looked: bool) -> float | None:
    video = facts.get("video", {})
    first, seconds = _passing(video, _LOOK), _seconds(video)
    if first is None or seconds is None:
        return None
    speeches = {role: each for role, each in facts.items() if role.partition(".")[0] == "audio"}
    heard = [_seconds(each) for each in speeches.values()]
    said = next((length for length in heard if length is not None), _text_seconds(options))
    work = 0.0 if looked else first + (_listening(video) or 0.0)
    work += _LISTENED * sum(length or seconds for length in heard or [said])
    if options.mux == "source":
        return _COPIED * _frames(video) + work - first * (not looked)
    start, end = options.part or (0, None)
    shown = min(seconds, seconds if end is None else float(end)) - float(start)
    if options.keep_background:
        work += _SEPARATED * max(shown, 0.0)
    if said is not None and options.sync_mode != "silence":
        shown = min(shown, said) if options.sync_mode == "cut_off" else said
    made = _passing(video, _RENDER[options.quality], max(shown, 0.0))
    outputs = 1 if options.mux == "first" else max(len(speeches), 1)
    each = (made or 0.0) + (_passing(video, _JUDGE, shown) or 0.0) * report
    if options.quality == "pro":
        each += options.adapt_seconds
    return work + outputs * each


def _animate(facts: Facts, options: Any, report: bool, looked: bool) -> float | None:
    photo = facts.get("photo", {})
    width, height = photo.get("width"), photo.get("height")
    said = _seconds(facts.get("audio", {})) or _text_seconds(options)
    if said is None or not width or not height:
        return None
    shrink = min(1.0, _LONGEST_PHOTO / max(width, height))
    if options.height is not None:
        shrink = options.height / height
    size = {"width": width * shrink, "height": height * shrink, "fps": options.fps}
    made = _passing({**size, "seconds": said}, _ANIMATE[options.quality])
    return None if made is None else made + _LISTENED * said


def _check(facts: Facts, options: Any, report: bool, looked: bool) -> float | None:
    video = facts.get("video", {})
    seen = _passing(video, _LOOK)
    if seen is None:
        return None
    return (0.0 if looked else seen) + (_listening(video) or 0.0)


def _fix(facts: Facts, options: Any, report: bool, looked: bool) -> float | None:
    checked = _check(facts, options, report, looked)
    video = facts.get("video", {})
    if checked is None:
        return None
    made = _passing(video, _RENDER["standard"]) if options.how == "mouth" else None
    return 2 * checked + (made if made is not None else _COPIED * _frames(video))


def _visemes(facts: Facts, options: Any, report: bool, looked: bool) -> float | None:
    return _listening(facts.get("audio", {}))


_WORK = {
    "dub": _dub,
    "animate": _animate,
    "check": _check,
    "fix": _fix,
    "visemes": _visemes,
    "look": _look,
}


def _passing(
    file: Mapping[str, Any], cost: tuple[float, float], seconds: float | None = None
) -> float | None:
    """Seconds of one core for all frames of a file, or for some seconds of them."""
    width, height, length = file.get("width"), file.get("height"), _seconds(file)
    if not width or not height:
        return None
    frames = _frames(file)
    if seconds is not None and length:
        frames *= seconds / length
    pixels = float(width) * float(height)
    return frames * (cost[0] + cost[1] * pixels / 1e6)


def _frames(file: Mapping[str, Any]) -> float:
    counted = file.get("frames")
    if counted:
        return float(counted)
    return max((_seconds(file) or 0.0) * float(file.get("fps") or _USUAL_FPS), 1.0)


def _seconds(file: Mapping[str, Any]) -> float | None:
    value = file.get("seconds")
    return None if value is None else float(value)


def _listening(file: Mapping[str, Any]) -> float | None:
    length = _seconds(file)
    return None if length is None else _LISTENED * length


def _text_seconds(options: Any) -> float | None:
    return len(options.text) / _LETTERS_A_SECOND if options.text else None
