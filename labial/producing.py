"""Write an output part by part: made, taken from an earlier run, or copied."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from itertools import islice

import numpy as np

from labial.analysis import Analysis
from labial.face.timeline import overview
from labial.media.journal import Journal
from labial.media.picture import copy_png, upright_rgb8, write_png
from labial.media.piece_writer import PieceWriter
from labial.media.pieces import Stretch, stretches
from labial.media.write import VideoWriter
from labial.motion.space import load_basis
from labial.options import DubOptions
from labial.rendering import Done, Wanted, rendered
from labial.tally import Tally
from labial.types import FloatArray, Hook, Watch

_PREVIEW_SECONDS = 10.0
# In the facts of a piece that was made for another run.
_PARTED = "parted"


def parts_of(analysis: Analysis, copying: bool, window: range | None = None) -> list[Stretch]:
    """Divide a video, or some frames of it, into what is made, piece by piece, and copied."""
    changed = np.zeros(len(analysis.pts), bool)
    for track in analysis.tracks:
        changed[track.rows] |= track.quality > 0
    if window is None:
        return stretches(changed, analysis.gops, copying, analysis.shots)
    first, end = window.start, window.stop
    gops = analysis.gops.within(first, end, len(changed))
    shots = analysis.shots[(analysis.shots > first) & (analysis.shots < end)] - first
    return [
        replace(part, first=part.first + first, end=part.end + first)
        for part in stretches(changed[first:end], gops, copying, shots)
    ]


def produce(
    video: str | os.PathLike[str],
    analysis: Analysis,
    wanted: Wanted,
    parts: list[Stretch],
    journal: Journal,
    writer: VideoWriter,
    options: DubOptions,
    tell: Hook,
    watch: Watch | None = None,
) -> Tally:
    """Write an output.

    Parameters
    ----------
    video
        The source.
    analysis, wanted
        As for :func:`labial.rendering.rendered`.
    parts
        As :func:`parts_of` divides it.
    journal
        Where finished pieces are kept.
    writer
        The output, open.
    options
        ``preview`` and ``threads`` count.
    tell
        Called as ``tell("render", frames, total)``.
    watch
        Is shown every frame that is made and has a new mouth.

    Returns
    -------
    What was done.

    Raises
    ------
    ReadError, WriteError
    """
    tally = Tally()
    show, earlier = _shown(analysis, wanted, parts, options), _earlier(analysis, parts)
    ready = {
        number: None if _unseen(part, show, journal, number) else journal.piece(number)
        for number, part in enumerate(parts)
        if not part.copied
    }
    missing = [parts[number] for number, piece in ready.items() if piece is None]
    reasons = overview(analysis.tracks, len(analysis.pts))[2]
    with closing(rendered(video, analysis, wanted, tell, missing, options.threads)) as frames:
        for number, part in enumerate(parts):
            filmed = analysis.exact_times(part.first, part.end)
            times = [time - earlier * analysis.time_base for time in filmed]
            piece = ready.get(number)
            if part.copied:
                writer.copy(filmed, earlier * analysis.time_base)
                tally.copy(reasons[part.first : part.end], _seconds(analysis, part))
            elif piece is not None:
                writer.replay(piece.pictures(), times)
                tally.add(Tally.of(piece.facts))
                if not piece.facts.get(_PARTED):
                    tally.resumed += len(times)
                if part.first <= show < part.end and options.preview is not None:
                    copy_png(journal.show(number), options.preview)
            else:
                preview = (show, options.preview)
                moved = _moved(frames, earlier)
                tally.add(_recorded(moved, part, number, journal, writer, preview, watch))
    return tally


def make_pieces(
    video: str | os.PathLike[str],
    analysis: Analysis,
    wanted: Wanted,
    parts: list[Stretch],
    numbers: Sequence[int],
    journal: Journal,
    writer: PieceWriter,
    options: DubOptions,
    tell: Hook,
    watch: Watch | None = None,
) -> None:
    """Make some pieces of an output for the run that writes it; those that are there stay.

    Parameters
    ----------
    video, analysis, wanted, parts, journal, options, tell, watch
        As for :func:`produce`, which takes the pieces from the same journal.
    numbers
        Which of ``parts``.
    writer
        Of pieces, open.

    Raises
    ------
    ReadError, WriteError
    """
    show, earlier = _shown(analysis, wanted, parts, options), _earlier(analysis, parts)
    missing = [
        number
        for number in sorted(set(numbers))
        if journal.piece(number) is None or _unseen(parts[number], show, journal, number)
    ]
    stretches = [parts[number] for number in missing]
    with closing(rendered(video, analysis, wanted, tell, stretches, options.threads)) as frames:
        for number in missing:
            part, preview = parts[number], (show, None)
            moved = _moved(frames, earlier)
            _recorded(moved, part, number, journal, writer, preview, watch, parted=True)


def _recorded(
    frames: Iterator[Done],
    part: Stretch,
    number: int,
    journal: Journal,
    writer: VideoWriter,
    preview: tuple[int, str | None],
    watch: Watch | None,
    parted: bool = False,
) -> Tally:
    """Write the frames of a part, and keep them as a piece."""
    tally = Tally()
    with journal.recording(number) as recorder:
        writer.sink = recorder.keep
        for done in islice(frames, part.end - part.first):
            writer.write(done.frame)
            tally.count(done.reason, done.trust)
            if watch is not None and not done.reason:
                watch(done.frame)
            if done.frame.index == preview[0]:
                write_png(journal.show(number), upright_rgb8(done.frame))
                if preview[1] is not None:
                    copy_png(journal.show(number), preview[1])
        writer.cut()
        writer.sink = None
        recorder.facts = tally.facts() | ({_PARTED: True} if parted else {})
    return tally


def _unseen(part: Stretch, show: int, journal: Journal, number: int) -> bool:
    """Whether a part holds the frame that is to be shown, and its picture is not there."""
    return part.first <= show < part.end and not journal.show(number).exists()


def _earlier(analysis: Analysis, parts: Sequence[Stretch]) -> int:
    """By how many ticks all is earlier in an output that begins with another frame."""
    return int(analysis.pts[parts[0].first] - analysis.pts[0])


def _moved(frames: Iterator[Done], earlier: int) -> Iterator[Done]:
    for done in frames:
        yield replace(done, frame=replace(done.frame, pts=done.frame.pts - earlier))


def _shown(
    analysis: Analysis, wanted: Wanted, parts: Sequence[Stretch], options: DubOptions
) -> int:
    """Index of the frame for the preview; -1 where none is asked for."""
    if options.preview is None:
        return -1
    return _preview(analysis, wanted.mouths, range(parts[0].first, parts[-1].end))


def _seconds(analysis: Analysis, part: Stretch) -> Fraction:
    first, end = analysis.pts[part.first], len(analysis.pts)
    if part.end < end:
        return int(analysis.pts[part.end] - first) * analysis.time_base
    return analysis.length - int(first - analysis.pts[0]) * analysis.time_base


def _preview(analysis: Analysis, mouths: list[FloatArray], frames: range) -> int:
    """Index of the one of some frames whose mouth opens widest in the first seconds with a face."""
    basis, n = load_basis(), len(analysis.pts)
    times, inside = analysis.times, np.zeros(n, bool)
    inside[frames.start : frames.stop] = True
    begin = times[int(((overview(analysis.tracks, n)[1] > 0) & inside).argmax())]
    widest = np.full(n, -1.0)
    for track, mouth in zip(analysis.tracks, mouths, strict=True):
        opening = np.where(track.quality > 0, basis.aperture(mouth).clip(0) * track.quality, -1)
        widest[track.rows] = np.maximum(widest[track.rows], opening)
    near = inside & (times <= begin + _PREVIEW_SECONDS)
    return int(np.where(near, widest, -2).argmax())
