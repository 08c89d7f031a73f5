"""Bring a video's sound and its mouths together again: by the sound where that can help."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from labial.analysis import own_speech
from labial.checking.check import Footage, look, measure
from labial.checking.verdict import SyncReport, late
from labial.dubbing import dub
from labial.errors import SpeechError
from labial.media.containers import sounding_container
from labial.media.moving import Move
from labial.media.place import check_file
from labial.media.probe import MediaInfo, audio_streams, probe
from labial.media.read import VideoReader
from labial.media.remux import remux
from labial.media.spool import enough_room
from labial.options import CheckOptions, FixOptions, overridden
from labial.types import Hook

Done = Literal["nothing", "shift", "stretch", "mouth"]


@dataclass(frozen=True)
class FixReport:
    """What a repair did.

    Parameters
    ----------
    out
        The file written; None where nothing was done.
    did
        What was done.
    why
        The reason, in a few words.
    move
        By how much the sound had been late, and was moved; None where it was not.
    before, after
        The check of the source and of the output; None where nothing was measured or written.
    moved, left
        Indices of the source's audio streams that were moved, and of those that were not.
    recoded
        Of the former, those that were encoded again.
    dropped
        Parts of the source that the output's container cannot hold.
    """

    out: Path | None
    did: Done
    why: str
    move: Move | None = None
    before: SyncReport | None = None
    after: SyncReport | None = None
    moved: tuple[int, ...] = ()
    left: tuple[int, ...] = ()
    recoded: tuple[int, ...] = ()
    dropped: tuple[str, ...] = ()

    def summary(self) -> str:
        """Return lines for the user."""
        if self.did == "nothing":
            lines = [f"nothing to do, nothing written: {self.why}"]
        else:
            lines = [f"{self.out}: {self._deed()}", f"why: {self.why}"]
        if self.before is not None:
            lines.append(f"before: {self.before.headline()}")
        if self.after is not None:
            lines.append(f"after: {self.after.headline()}")
        if self.moved and self.left:
            others = ", ".join(map(str, self.left))
            lines.append(f"audio streams left where they are: {others} (--all-tracks moves them)")
        if self.dropped:
            lines.append(f"not carried over: {', '.join(self.dropped)}")
        return "\n".join(lines)

    def _deed(self) -> str:
        if self.move is None:
            return "the mouth is re-synced to the sound as it is"
        ms, minute = round(1000 * self.move.late), float(self.move.drift) * 60_000
        parts = [f"sound moved {abs(ms)} ms {'earlier' if ms >= 0 else 'later'}"] if ms else []
        if minute:
            parts.append(f"a drift of {minute:+.1f} ms a minute taken out")
        deed = ", ".join(parts) or "sound left where it is"
        streams = ", ".join(map(str, self.moved))
        how = "encoded again" if self.recoded else "copied"
        return f"{deed} (audio stream {streams}, {how}); pictures copied"


@enough_room()
def fix(
    video: str | os.PathLike[str],
    out: str | os.PathLike[str],
    options: FixOptions | None = None,
    *,
    hook: Hook | None = None,
    **overrides: Any,
) -> FixReport:
    """Repair the sync of ``video`` and write ``out``; measure before and after.

    Parameters
    ----------
    video
        A video in which people are seen speaking.
    out
        Target; its extension (.mp4, .m4v, .mov, .mkv, .webm) chooses the container. Written beside
        itself and renamed when it is complete. Where nothing is done, nothing is written.
    options
        See :class:`labial.options.FixOptions`; single ones may be given as keywords instead.
    hook
        Called as ``hook(stage, done, total)`` after each frame.

    Raises
    ------
    ReadError, WriteError, OptionError
        With one line that says what is wrong and what to do.
    SpeechError
        The video has no sound.
    FaceError
        ``how="mouth"``, and there is no face to re-sync.
    """
    options = overridden(options or FixOptions(), overrides)
    target = Path(out)
    check_file(target, [(video, "an input")])
    sounding_container(target)
    if options.late is not None or options.drift is not None:
        return _as_asked(Path(video), target, options, hook)
    footage = look(video, hook)
    if footage.media.audio is None:
        raise SpeechError(f"{video} has no sound: there is nothing to bring into sync")
    before = measure(footage, CheckOptions())
    did, why = decide(before, options)
    if did == "nothing":
        return FixReport(None, did, why, before=before)
    if did == "mouth":
        report = dub(video, video, target, hook=hook)
        after = measure(look(target, hook), CheckOptions())
        return FixReport(target, did, why, None, before, after, dropped=report.dropped)
    drift = before.drift if did == "stretch" and before.drift is not None else 0.0
    # A shift alone is right in the middle.
    begin = before.at(0) if did == "stretch" else before.at(before.seconds / 2)
    fixed = _moved(footage.media, target, Move(_exact(begin), _exact(drift)), options, hook)
    # The pictures are what they were: only the sound is to be heard again.
    again = replace(footage.analysis, heard=own_speech(target))
    after = measure(Footage(probe(target), again), CheckOptions())
    return replace(fixed, did=did, why=why, before=before, after=after)


def decide(report: SyncReport, options: FixOptions) -> tuple[Done, str]:
    """Say what is to be done by a check, and why.

    Parameters
    ----------
    report
        What was found.
    options
        What the user wants: ``how``.
    """
    how = options.how
    if how == "mouth":
        return "mouth", f"as asked; {report.headline()}"
    if report.verdict == "cannot tell":
        return "nothing", (
            f"cannot tell by how much to move the sound, for {report.why}; --late MS says it, "
            "--how mouth re-syncs the mouth"
        )
    if report.verdict == "wanders":
        return "nothing", f"{report.headline()}: no shift can help; --how mouth re-syncs the mouth"
    if how == "stretch" and not report.drifts:
        return "nothing", "there is no drift that is sure; use --how shift, or say it by --drift MS"
    if how != "auto":
        return how, f"as asked; {report.headline()}"
    if report.verdict == "in sync" and report.drifts:
        return "nothing", "the drift stays within what nobody notices; --how stretch takes it out"
    if report.verdict == "in sync":
        return "nothing", f"{late(report.worst)} is within what nobody notices (ITU-R BT.1359)"
    if report.drifts:
        return "stretch", "the sound drifts, so that no single shift is right for all of it"
    return "shift", f"{late(report.worst)} is noticed (ITU-R BT.1359), and it does not drift"


def _as_asked(video: Path, target: Path, options: FixOptions, hook: Hook | None) -> FixReport:
    """Move the sound by what the user says."""
    with VideoReader(video) as reader:
        media = reader.media
    if media.audio is None:
        raise SpeechError(f"{video} has no sound: there is nothing to move")
    move = Move(_exact((options.late or 0) / 1000), _exact((options.drift or 0) / 60_000))
    report = _moved(media, target, move, options, hook)
    return replace(report, did="stretch" if move.drift else "shift", why="as asked, not measured")


def _moved(
    media: MediaInfo, target: Path, move: Move, options: FixOptions, hook: Hook | None
) -> FixReport:
    assert media.audio is not None and media.video is not None
    everything = audio_streams(media.path)
    moved = everything if options.all_tracks else (media.audio.index,)
    left = tuple(index for index in everything if index not in moved)
    total, count = media.video.n_frames or None, 0

    def told(_: Fraction) -> None:
        nonlocal count
        count += 1
        if hook is not None:
            hook("copy", count, total)

    done = remux(media, target, dict.fromkeys(moved, move), told)
    recoded = tuple(index for index in done.recoded if index in moved)
    return FixReport(
        target, "shift", "", move, moved=moved, left=left, recoded=recoded, dropped=done.dropped
    )


def _exact(seconds: float) -> Fraction:
    """To a ten-millionth: of a drift, that is a third of a millisecond an hour."""
    return Fraction(round(seconds * 10**7), 10**7)
