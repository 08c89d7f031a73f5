"""Make a filmed face speak other words: the whole story on one page.

Two passes over the video. The first reads it: faces, whose they are, poses, and a bank of their
mouths. Who speaks is dubbed; the speech becomes mouth motion in the way that this person moves,
fitted to the face. The second pass renders and writes.
"""

from __future__ import annotations

import os
from collections import Counter
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from labial import seen
from labial.adapting import adapt
from labial.analysis import Analysis, analyse
from labial.audio.load import load_speech
from labial.errors import FaceError, WeightsError
from labial.face.timeline import overview
from labial.media.encode import Mixing
from labial.media.encoders import EncodeSettings
from labial.media.journal import Journal
from labial.media.picture import check_png, upright_rgb8, write_png
from labial.media.pieces import Stretch, stretches
from labial.media.read import VideoReader
from labial.media.sequence import with_rate
from labial.media.spool import enough_room
from labial.media.write import VideoWriter, check_target
from labial.motion.predict import predict
from labial.motion.space import load_basis
from labial.motion.style import Style
from labial.options import DubOptions, overridden
from labial.performing import Speech, perform
from labial.render.appearance import Appearance
from labial.render.bank import MouthBank
from labial.rendering import Wanted, one_thread_each, rendered
from labial.speaking.boxes import Boxes, read_boxes
from labial.tally import DubReport, Tally
from labial.types import Audio, FaceTrack, FloatArray, Hook

_PREVIEW_SECONDS = 10.0
# The network and the rules of a mouth look ahead by less.
_AFTER_SECONDS = 5


@enough_room()
@one_thread_each()
def dub(
    video: str | os.PathLike[str],
    audio: str | os.PathLike[str],
    out: str | os.PathLike[str],
    options: DubOptions | None = None,
    *,
    hook: Hook | None = None,
    **overrides: Any,
) -> DubReport:
    """Re-sync the mouth in ``video`` to the speech in ``audio`` and write ``out``.

    Parameters
    ----------
    video
        Any file with a video stream that FFmpeg reads, or numbered pictures: their folder, or a
        pattern such as ``shots/%05d.png``.
    audio
        Any file with sound; its first sample belongs to the video's first frame.
    out
        Target; the extension chooses the container. ``out/%05d.png`` or an empty folder gets
        numbered pictures. Written beside itself and renamed when it is complete, so there is never
        half a file.
    options
        See :class:`labial.options.DubOptions`; single ones may be given as keywords instead.
    hook
        Called as ``hook(stage, done, total)`` after each step; ``total`` may be None.

    Raises
    ------
    ReadError, WriteError, SpeechError, FaceError, OptionError, WeightsError
        With one line that says what is wrong and what to do.
    """
    options = overridden(options or DubOptions(), overrides)
    tell = hook or (lambda stage, done, total: None)
    asked: str | Boxes = options.speaker
    if options.speaker.endswith(".json"):
        asked = read_boxes(Path(options.speaker))
    if options.fps is not None:
        video = with_rate(Path(video), options.fps)
    with VideoReader(video) as reader:
        source = reader.media
    info = reader.info
    speech = load_speech(audio)
    settings = EncodeSettings(
        options.codec, options.crf, options.preset, options.lossless, options.hardware,
        options.keep_audio, options.language, options.threads, repeatable=options.resume,
    )  # fmt: skip
    plan = check_target(out, source, settings, audio)
    if options.preview is not None:
        check_png(options.preview, (video, audio, out))
    content = seen.digest(video)
    analysis = analyse(video, tell, content if options.cache else "", options.threads)
    _expect_a_face(video, analysis)
    if analysis.strangers and options.speaker.isdigit():
        raise WeightsError(analysis.strangers)
    said = predict(_while_seen(speech, analysis.length))
    played = perform(analysis, [Speech(said, 0, None, asked, options)], info)
    analysis = played.analysis
    _expect_a_face(video, analysis)
    tell("listen", 1, 1)
    wanted = Wanted(played.mouths, played.visemes, options.quality)
    if options.quality == "pro":
        wanted = replace(wanted, looks=_looks(video, analysis, options.adapt_seconds, tell))
    wished = options.crf is not None or options.lossless
    copying = options.copy and not wished and not Mixing(plan, info).obstacle
    parts = _parts(analysis, copying)
    depends = content, seen.digest(audio), seen.version(), _lasting(options), asked, plan, parts
    with (
        Journal(out, f"{depends}", options.resume) as journal,
        VideoWriter(
            out, source, settings, audio, analysis.length, partial=journal.partial,
            copied_depth=analysis.gops.depth if any(part.copied for part in parts) else None,
        ) as writer,
    ):  # fmt: skip
        tally = _produce(video, analysis, wanted, parts, journal, writer, options, tell)
    n = writer.frames
    return DubReport(
        out=Path(out),
        frames=n,
        resynced=n - tally.passed.total(),
        passed=dict(tally.passed),
        dropped=tuple(writer.dropped),
        skipped=analysis.skipped,
        resized=analysis.resized,
        style=_told(played.styles, analysis.tracks),
        unheard=speech.damaged,
        unrefined=tally.unrefined,
        adapted=_taught(wanted) if options.quality == "pro" else "",
        deinterlaced=analysis.deinterlaced,
        people=played.cast.summary(analysis.times),
        copied=float(tally.copied),
        resumed=tally.resumed,
        notes=writer.plan.notes + _unknown(analysis),
    )


def _lasting(options: DubOptions) -> DubOptions:
    """The options that pieces of the output depend on."""
    return replace(options, resume=False, cache=True, preview=None)


def _parts(analysis: Analysis, copying: bool) -> list[Stretch]:
    """Divide the video into what is made, piece by piece, and what is copied."""
    changed = np.zeros(len(analysis.pts), bool)
    for track in analysis.tracks:
        changed[track.rows] |= track.quality > 0
    return stretches(changed, analysis.gops, copying)


def _produce(
    video: str | os.PathLike[str],
    analysis: Analysis,
    wanted: Wanted,
    parts: list[Stretch],
    journal: Journal,
    writer: VideoWriter,
    options: DubOptions,
    tell: Hook,
) -> Tally:
    """Write the output, part by part: made, taken from the journal, or copied."""
    tally = Tally()
    show = _preview(analysis, wanted.mouths) if options.preview is not None else -1
    ready = {
        number: None if part.first <= show < part.end else journal.piece(number)
        for number, part in enumerate(parts)
        if not part.copied
    }
    missing = [parts[number] for number, piece in ready.items() if piece is None]
    reasons = overview(analysis.tracks, len(analysis.pts))[2]
    with closing(rendered(video, analysis, wanted, tell, missing, options.threads)) as frames:
        for number, part in enumerate(parts):
            times = analysis.exact_times(part.first, part.end)
            piece = ready.get(number)
            if part.copied:
                writer.copy(times)
                tally.copy(reasons[part.first : part.end], _seconds(analysis, part))
            elif piece is not None:
                writer.replay(piece.pictures(), times)
                tally.add(Tally.of(piece.facts))
                tally.resumed += len(times)
            else:
                mine = Tally()
                with journal.recording(number) as recorder:
                    writer.sink = recorder.keep
                    for done in islice(frames, len(times)):
                        writer.write(done.frame)
                        mine.count(done.reason, done.trust)
                        if done.frame.index == show and options.preview is not None:
                            write_png(options.preview, upright_rgb8(done.frame))
                    writer.cut()
                    writer.sink = None
                    recorder.facts = mine.facts()
                tally.add(mine)
    return tally


def _seconds(analysis: Analysis, part: Stretch) -> Fraction:
    first, end = analysis.pts[part.first], len(analysis.pts)
    if part.end < end:
        return int(analysis.pts[part.end] - first) * analysis.time_base
    return analysis.length - int(first - analysis.pts[0]) * analysis.time_base


def _looks(
    video: str | os.PathLike[str], analysis: Analysis, seconds: float, tell: Hook
) -> dict[int, Appearance]:
    """Let the clip's own frames teach how its faces look."""
    shots = []
    for track in analysis.tracks:
        bank = MouthBank(track, analysis.patches)
        if bank.patches and (track.quality >= 1).any():
            shots.append((track, bank, analysis.times[track.rows]))
    looks = adapt(video, shots, seconds, tell)
    tell("adapt", int(seconds), int(seconds))
    return looks


def _taught(wanted: Wanted) -> str:
    looks = wanted.looks.values()
    if not looks:
        return "the clip shows too little of its mouth; as standard"
    pairs = sum(look.pairs for look in looks)
    gain = sum(look.pairs * look.gain for look in looks) / pairs
    return f"{len(looks)} tracks from {pairs} pairs of frames, {gain:+.1f} dB on frames held back"


def _told(styles: dict[int, Style], tracks: list[FaceTrack]) -> str:
    """The styles of the people who are dubbed."""
    dubbed = {track.person for track in tracks if (track.quality > 0).any()}
    told = {person: styles[person].summary() for person in sorted(dubbed)}
    if len(told) == 1:
        return next(iter(told.values()))
    return "; ".join(f"person {person} {style}" for person, style in told.items() if style)


def _unknown(analysis: Analysis) -> tuple[str, ...]:
    why = analysis.strangers
    return (f"people were not known again after cuts: {why}",) if why else ()


def _while_seen(speech: Audio, length: Fraction) -> Audio:
    """The speech until a little after the last frame: what is said later moves no mouth."""
    end = round((length + _AFTER_SECONDS) * speech.rate)
    return Audio(speech.samples[:end], speech.rate)


def _expect_a_face(video: str | os.PathLike[str], analysis: Analysis) -> None:
    if any((track.quality > 0).any() for track in analysis.tracks):
        return
    n = len(analysis.pts)
    why = Counter(overview(analysis.tracks, n)[2])
    counts = ", ".join(f"{reason} {count}" for reason, count in why.most_common())
    raise FaceError(
        f"no face to re-sync in {video} ({n} frames: {counts}): "
        "give a video that shows a face from the front, not small and not covered"
    )


def _preview(analysis: Analysis, mouths: list[FloatArray]) -> int:
    """Index of the frame whose mouth opens widest in the first seconds with a face."""
    basis, n = load_basis(), len(analysis.pts)
    times = analysis.times
    begin = times[int((overview(analysis.tracks, n)[1] > 0).argmax())]
    widest = np.full(n, -1.0)
    for track, mouth in zip(analysis.tracks, mouths, strict=True):
        opening = np.where(track.quality > 0, basis.aperture(mouth).clip(0) * track.quality, -1)
        widest[track.rows] = np.maximum(widest[track.rows], opening)
    return int(np.where(times <= begin + _PREVIEW_SECONDS, widest, -1).argmax())
