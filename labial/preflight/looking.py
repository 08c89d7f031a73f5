"""Look at files before a dub: videos, photos, speech."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from labial.audio.load import load_speech
from labial.audio.loudness import SILENT_DB
from labial.clip import Clip, look, offset_of
from labial.errors import OptionError, SpeechError
from labial.exports import formats
from labial.media.probe import MediaInfo, probe, show
from labial.media.spool import enough_room
from labial.motion.predict import predict
from labial.preflight.finding import Finding, Preflight, as_json, worst_first
from labial.preflight.listening import listen
from labial.preflight.picture import face_findings, picture_findings
from labial.preflight.sound import level_findings, speech_findings
from labial.types import Audio, FaceTrack, Hook, SpeechTrack

_ADVISED = 4


@enough_room()
def preflight(
    files: Sequence[str | os.PathLike[str]],
    out: str | os.PathLike[str] | None = None,
    hook: Hook | None = None,
) -> list[Preflight]:
    """Say of each file what will work well and what will not, and what to do.

    Parameters
    ----------
    files
        Videos and photos with a face, and speech. A video's own sound is measured too: from it is
        learned who speaks and how.
    out
        ``.json`` file to write everything to.
    hook
        Called as ``hook(stage, done, total)`` after each step.

    Returns
    -------
    One for each file, in their order.

    Raises
    ------
    OptionError, ReadError, WeightsError, WriteError
    """
    target = None if out is None else Path(out)
    if target is not None and target.suffix.lower() != ".json":
        raise OptionError(f"cannot write {target}: name it .json")
    if target is not None:
        formats.check_target(target, files)
    tell = hook or (lambda stage, done, total: None)
    # What cannot be opened is told before the work.
    opened = [probe(file) for file in files]
    reports = [examine(media, tell).report for media in opened]
    if target is not None:
        formats.write([as_json(reports)], target)
    return reports


def dub_advice(
    tracks: Sequence[FaceTrack], speeches: Sequence[tuple[Audio, SpeechTrack]]
) -> tuple[str, ...]:
    """Return the warnings of a dub that matter most, from what it has worked out anyway.

    Parameters
    ----------
    tracks
        Of the faces that are dubbed; those whose quality is 0 throughout do not count.
    speeches
        What is said, at 16 kHz, and what the network heard in it.
    """
    findings = face_findings([track for track in tracks if (track.quality > 0).any()])
    for audio, said in speeches:
        findings += speech_findings(listen(audio, said))
    told = [finding for finding in worst_first(findings) if finding.severity in _TOLD]
    return tuple(dict.fromkeys(finding.line() for finding in told[:_ADVISED]))


@dataclass(frozen=True)
class Examined:
    """What was found in one file, and what that was found from.

    Parameters
    ----------
    report
        The findings.
    clip
        What was seen; None of speech.
    heard
        What the network heard in its sound; None where there is nothing to hear.
    """

    report: Preflight
    clip: Clip | None = None
    heard: SpeechTrack | None = None


def examine(media: MediaInfo, tell: Hook) -> Examined:
    """Look at one file, and listen to it.

    Parameters
    ----------
    media
        The file, probed.
    tell
        Called as ``tell(stage, done, total)`` after each step.

    Raises
    ------
    ReadError, WeightsError
    """
    file = media.path
    if media.video is None:
        findings, heard = _sound(file, None, tell)
        return Examined(Preflight(show(file), "speech", worst_first(findings)), None, heard)
    clip = look(file, tell)
    findings = picture_findings(clip, offset_of(clip))
    if clip.loudness is not None and clip.loudness.max() > SILENT_DB:
        findings += [_of_source(finding) for finding in _sound(file, clip.heard, tell)[0]]
    photo = len(clip.times) == 1 and media.audio is None
    report = Preflight(show(file), "photo" if photo else "video", worst_first(findings))
    return Examined(report, clip, clip.heard)


def _sound(
    file: Path, said: SpeechTrack | None, tell: Hook
) -> tuple[list[Finding], SpeechTrack | None]:
    try:
        findings = level_findings(file, tell)
        if findings[0].severity == "problem":
            return findings, said
        audio = load_speech(file)
    except SpeechError as error:
        return [Finding("problem", "level", f"{error}")], said
    tell("listen", 0, 1)
    said = predict(audio) if said is None else said
    findings += speech_findings(listen(audio, said))
    tell("listen", 1, 1)
    return findings, said


def _of_source(finding: Finding) -> Finding:
    """The same of a video's own sound, by which who speaks is told, and which is replaced."""
    if finding.severity == "good":
        return replace(finding, text=f"in its own sound, {finding.text}")
    lost = "who speaks, and how they move, is learned less well from it"
    advice = lost if finding.measure in _TELLING else ""
    return replace(
        finding, severity="hint", text=f"in its own sound, {finding.text}", advice=advice
    )


_TOLD = ("problem", "warning")
_TELLING = ("level", "voice", "noise", "second voice")
