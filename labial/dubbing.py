"""Make a filmed face speak other words: the whole story on one page.

Two passes over the video. The first reads it: faces, whose they are, poses, and a bank of their
mouths. Who speaks is dubbed; the speech becomes mouth motion in the way that this person moves,
fitted to the face. The second pass renders and writes.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from labial import seen
from labial.adapting import adapt
from labial.analysis import Analysis
from labial.errors import LabialError, OptionError, ScriptError, WeightsError
from labial.face.timeline import overview
from labial.languages import MARK, check_languages, for_language
from labial.media.encode import Mixing
from labial.media.journal import Journal
from labial.media.piece_writer import PieceWriter
from labial.media.pieces import Stretch
from labial.media.remux import remux
from labial.media.spool import enough_room, made_sounds
from labial.media.write import VideoWriter
from labial.motion.style import Style
from labial.options import DubOptions, overridden
from labial.performing import Performance, Speech, perform
from labial.preflight import dub_advice
from labial.preparing import Film, Output, expect_a_face
from labial.producing import make_pieces, parts_of, produce
from labial.render.appearance import Appearance
from labial.render.bank import MouthBank
from labial.rendering import Wanted, one_thread_each
from labial.report.write import write_report
from labial.speaking.cast import Cast
from labial.takes import lasting
from labial.tally import DubReport
from labial.timeline import Part, Timeline, part_of
from labial.types import FaceTrack, Hook, Watch


@enough_room()
@one_thread_each()
def dub(
    video: str | os.PathLike[str],
    audio: str | os.PathLike[str] | None,
    out: str | os.PathLike[str],
    options: DubOptions | None = None,
    *,
    hook: Hook | None = None,
    watch: Watch | None = None,
    **overrides: Any,
) -> DubReport:
    """Re-sync the mouth in ``video`` to the speech in ``audio`` and write ``out``.

    Parameters
    ----------
    video
        Any file with a video stream that FFmpeg reads, or numbered pictures: their folder, or a
        pattern such as ``shots/%05d.png``.
    audio
        Any file with sound; its first sample belongs to the video's first frame. None where the
        options say what is said.
    out
        Target; the extension chooses the container. ``out/%05d.png`` or an empty folder gets
        numbered pictures. Written beside itself and renamed when it is complete, so there is never
        half a file.
    options
        See :class:`labial.options.DubOptions`; single ones may be given as keywords instead.
    hook
        Called as ``hook(stage, done, total)`` after each step; ``total`` may be None.
    watch
        Is shown every frame that is made and has a new mouth, in order; it must return soon.

    Raises
    ------
    ReadError, WriteError, SpeechError, ScriptError, FaceError, OptionError, WeightsError
        With what is wrong and what to do.
    """
    options = overridden(options or DubOptions(), overrides)
    if options.mux != "off":
        raise OptionError("--mux is for several languages: --audio es=es.wav --audio fr=fr.wav")
    if any(MARK in name for name in (os.fspath(out), options.report or "", options.preview or "")):
        if options.language is None:
            raise OptionError(f"{MARK} in a name stands for the language: give --language")
        out, options = for_language(options.language, os.fspath(out), options)
    tell = hook or (lambda stage, done, total: None)
    with made_sounds() as folder:
        mine = folder / "dub"
        mine.mkdir()
        job = Output.prepared(Film(video, options), audio, out, options, mine, tell)
        return _made(job, job.film.analysis(tell), tell, watch)


def dub_each(
    video: str | os.PathLike[str],
    speeches: Mapping[str, str | os.PathLike[str]],
    out: str | os.PathLike[str],
    options: DubOptions | None = None,
    *,
    hook: Hook | None = None,
    watch: Watch | None = None,
    **overrides: Any,
) -> dict[str, DubReport]:
    """Dub a video into several languages, and look at it once.

    Parameters
    ----------
    video
        As for :func:`dub`.
    speeches
        By language, an ISO 639 code, the file with the speech.
    out
        As for :func:`dub`, with ``{lang}`` where the language goes, in name or folder. Without
        it, with the option ``mux``, one file with a track for each language.
    options, hook, watch
        As for :func:`dub`.

    Returns
    -------
    By language what was done; with ``mux`` by the first one.

    Raises
    ------
    ReadError, WriteError, SpeechError, ScriptError, FaceError, OptionError, WeightsError
        With what is wrong and what to do; before any work where it can be known then.
    """
    options = overridden(options or DubOptions(), overrides)
    tell = hook or (lambda stage, done, total: None)
    target = os.fspath(out)
    check_languages(speeches, target, options)
    film = Film(video, options)
    _ = film.media
    with made_sounds() as folder:
        jobs: dict[str, Output] = {}
        problems = []
        for number, (language, speech) in enumerate(speeches.items()):
            mine = folder / f"{number}"
            mine.mkdir()
            name, one = for_language(language, target, options)
            try:
                jobs[language] = Output.prepared(film, speech, name, one, mine, tell)
            except LabialError as error:
                problems.append(f"{language}: {error}")
        if problems:
            raise ScriptError("--audio", problems)
        first = next(iter(jobs.values()))
        if options.mux == "source":
            return {next(iter(jobs)): _picture_kept(jobs, tell)}
        analysis = film.analysis(tell)
        if options.mux == "off":
            return {name: _made(job, analysis, tell, watch) for name, job in jobs.items()}
        return {next(iter(jobs)): _made(first, analysis, tell, watch, jobs)}


@dataclass(frozen=True)
class Pieces:
    """How an output is divided, for those who make pieces of it.

    Parameters
    ----------
    key
        What they depend on, in one word: pieces of another key are another output's.
    folder
        Where finished ones lie, beside the output: its name depends on the key.
    parts
        The whole output, in order; those that are not copied are made, each as one piece.
    content
        The digest of the video.
    """

    key: str
    folder: Path
    parts: tuple[Stretch, ...]
    content: str


def dub_pieces(
    video: str | os.PathLike[str],
    audio: str | os.PathLike[str] | None,
    out: str | os.PathLike[str],
    options: DubOptions | None = None,
    numbers: Sequence[int] = (),
    *,
    key: str = "",
    hook: Hook | None = None,
    watch: Watch | None = None,
    **overrides: Any,
) -> Pieces:
    """Make some pieces of a dub, and leave them for the run of :func:`dub` that joins them.

    That run, with ``resume``, takes what it finds in the folder, and makes what is missing: so
    others may make it meanwhile, elsewhere. The output is the same, to the last bit, as when it
    makes all itself.

    Parameters
    ----------
    video, audio, out, options, hook, watch
        As for :func:`dub`; ``out`` is not written.
    numbers
        Which, by their places in :attr:`Pieces.parts`. Without any nothing is made, but the first
        pass, unless it is known already.
    key
        The one that another call has returned for the same output. Default: found out, which
        takes the sound that the output is to have.

    Raises
    ------
    ReadError, WriteError, SpeechError, ScriptError, FaceError, OptionError, WeightsError
        As :func:`dub`.
    """
    options = replace(overridden(options or DubOptions(), overrides), resume=True)
    tell = hook or (lambda stage, done, total: None)
    with one_thread_each(), made_sounds() as folder:
        mine = folder / "dub"
        mine.mkdir()
        job = Output.prepared(Film(video, options), audio, out, options, mine, tell)
        found = job.film.analysis(tell)
        part = part_of(found, options.part)
        job = job.stretched(part)
        staged = _staged(job, found, tell)
        if not key:
            key = staged.key(job.delivered(part, staged.line.limit)[0])
        journal = Journal(job.out, key, resume=True)
        if numbers:
            with (
                journal,
                PieceWriter(job.out, job.film.media, job.settings, staged.copied_depth) as writer,
            ):
                journal.keep()
                make_pieces(
                    job.film.path, staged.analysis, staged.wanted, staged.parts, numbers, journal,
                    writer, options, tell, watch,
                )  # fmt: skip
    return Pieces(key, journal.folder, tuple(staged.parts), job.film.content)


def _made(
    job: Output,
    analysis: Analysis,
    tell: Hook,
    watch: Watch | None,
    jobs: Mapping[str, Output] | None = None,
) -> DubReport:
    """Do a job, with the sound of all ``jobs``; where asked for, a page about it is written."""
    part = part_of(analysis, job.options.part)
    job = job.stretched(part)
    if jobs is not None:
        job = job.with_others(jobs, part, job.take.line(analysis).length)
    report = _done(job, analysis, tell, watch)
    if job.options.report is not None:
        write_report(job.film.path, job.out, job.options.report, report, tell)
    return report


def _picture_kept(jobs: Mapping[str, Output], tell: Hook) -> DubReport:
    """Write one file with the source's pictures as they are, and the sound of every job."""
    first = next(iter(jobs.values()))
    info, length = first.film.media.video, first.film.length
    assert info is not None
    part = Part.all_of(length)
    job = first.stretched(part).with_others(jobs, part, length)
    sound, notes = job.delivered(part, length)
    notes += job.cut_off(length) + job.notes
    shown = Counter[str]()

    def told(time: Fraction) -> None:
        shown["picture kept"] += 1
        tell("copy", shown.total(), info.n_frames or None)

    done = remux(job.film.media, job.out, {}, told, sound, length, job.settings)
    return DubReport(
        job.out, shown.total(), 0, dict(shown), done.dropped, unheard=job.take.unheard,
        copied=float(length), notes=notes,
    )  # fmt: skip


@dataclass(frozen=True)
class _Staged:
    """All that the second pass of a job needs, but for the sound."""

    job: Output
    analysis: Analysis
    line: Timeline
    speeches: list[Speech]
    played: Performance
    wanted: Wanted
    parts: list[Stretch]

    @property
    def copied_depth(self) -> int | None:
        """As the writer wants to know it."""
        return self.analysis.gops.depth if any(part.copied for part in self.parts) else None

    def key(self, sound: Path) -> str:
        """What its pieces depend on, given the sound that is delivered."""
        job = self.job
        depends = (
            job.film.content, seen.digest(sound), seen.version(), lasting(job.options),
            job.take.key, job.plan, self.parts,
        )  # fmt: skip
        return hashlib.sha256(f"{depends}".encode("utf-8", "surrogatepass")).hexdigest()


def _staged(job: Output, analysis: Analysis, tell: Hook) -> _Staged:
    """Get ready for the second pass, the speech as long as it is to be."""
    options, video, info = job.options, job.film.path, job.film.media.video
    assert info is not None
    if analysis.strangers and any(asked.isdigit() for asked in job.take.speakers):
        raise WeightsError(analysis.strangers)
    line = job.take.line(analysis)
    speeches = job.take.speeches(line.heard, line.begins)
    played = perform(analysis, speeches, info, line)
    analysis = played.analysis
    expect_a_face(video, analysis, line.window)
    tell("listen", 1, 1)
    idle = job.take.idle(analysis, line, speeches[0])
    wanted = Wanted(played.mouths, played.visemes, options.quality, idle=idle)
    if options.quality == "pro":
        wanted = replace(wanted, looks=_looks(video, analysis, options.adapt_seconds, tell))
    wished = options.crf is not None or options.lossless
    copying = options.copy and not wished and not Mixing(job.plan, info).obstacle
    parts = parts_of(analysis, copying, line.window)
    return _Staged(job, analysis, line, speeches, played, wanted, parts)


def _done(job: Output, found: Analysis, tell: Hook, watch: Watch | None) -> DubReport:
    """Do the job, given what the first pass found."""
    options, video, part = job.options, job.film.path, part_of(found, job.options.part)
    staged = _staged(job, found, tell)
    analysis, line, wanted, parts = staged.analysis, staged.line, staged.wanted, staged.parts
    # Other languages' speech beside it may be longer.
    limit = line.length if job.settings.more_speech else line.limit
    sound, heard_of = job.delivered(part, limit)
    with (
        Journal(job.out, staged.key(sound), options.resume) as journal,
        VideoWriter(
            job.out, job.film.media, job.settings, sound, limit, kept=line.kept, skip=part.start,
            partial=journal.partial, copied_depth=staged.copied_depth,
        ) as writer,
    ):  # fmt: skip
        tally = produce(video, analysis, wanted, parts, journal, writer, options, tell, watch)
    n, cast = writer.frames, _seen_in(staged.played.cast, line.window)
    return DubReport(
        out=job.out,
        frames=n,
        resynced=n - tally.passed.total(),
        passed=dict(tally.passed),
        dropped=tuple(writer.dropped),
        skipped=analysis.skipped,
        resized=analysis.resized,
        style=_told(staged.played.styles, cast.tracks),
        unheard=job.take.unheard,
        unrefined=tally.unrefined,
        adapted=_taught(wanted) if options.quality == "pro" else "",
        deinterlaced=analysis.deinterlaced,
        people=cast.summary(analysis.times),
        copied=float(tally.copied),
        resumed=tally.resumed,
        notes=writer.plan.notes + heard_of + job.notes + _unknown(analysis) + _mute(analysis, line),
        advice=dub_advice(cast.tracks, job.take.listened(staged.speeches)),
        timing=line.summary(options.stretch_audio == 1),
    )


def _looks(
    video: str | os.PathLike[str], analysis: Analysis, seconds: float, tell: Hook
) -> dict[int, Appearance]:
    """Let the clip's own frames teach how its faces look."""
    filmed = {key: before.track for key, before in analysis.filmed.items()}
    tracks = {track.key: track for track in filmed.values() or analysis.tracks}
    pts = analysis.pts if analysis.order is None else analysis.order.pts
    times = np.asarray((pts - pts[0]) * float(analysis.time_base), np.float64)
    shots = []
    for track in sorted(tracks.values(), key=lambda track: track.start):
        bank = MouthBank(track, analysis.patches)
        if bank.patches and (track.quality >= 1).any():
            shots.append((track, bank, times[track.rows]))
    looks = adapt(video, shots, seconds, tell)
    tell("adapt", int(seconds), int(seconds))
    if not filmed:
        return looks
    return {key: looks[track.key] for key, track in filmed.items() if track.key in looks}


def _taught(wanted: Wanted) -> str:
    # A track that is shown again has the same look.
    looks = {id(look): look for look in wanted.looks.values()}.values()
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


def _mute(analysis: Analysis, line: Timeline) -> tuple[str, ...]:
    """Why nobody speaks in a frame that is held."""
    if line.held >= len(line):
        return ()
    _, quality, reasons = overview(analysis.tracks, len(line))
    if quality[-1] > 0:
        return ()
    return (f"no mouth speaks in the last frame, which is held: {reasons[-1]}",)


def _seen_in(cast: Cast, window: range | None) -> Cast:
    """What some frames of a video show of whom it dubs, for the report."""
    if window is None:
        return cast
    tracks, shares = [], []
    for track, share in zip(cast.tracks, cast.shares, strict=True):
        rows = np.arange(track.start, track.end)
        inside = (rows >= window.start) & (rows < window.stop)
        if inside.any():
            quality = np.where(inside, track.quality, 0).astype(np.float32)
            tracks.append(replace(track, quality=quality))
            shares.append(share)
    return Cast(tracks, shares)
