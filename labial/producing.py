"""Write an output part by part: made, taken from an earlier run, or copied."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import closing
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


def parts_of(analysis: Analysis, copying: bool) -> list[Stretch]:
    """Divide a video into what is made, piece by piece, and what may be copied."""
    changed = np.zeros(len(analysis.pts), bool)
    for track in analysis.tracks:
        changed[track.rows] |= track.quality > 0
    return stretches(changed, analysis.gops, copying, analysis.shots)


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
    show = _shown(analysis, wanted, options)
    ready = {
        number: None if _unseen(part, show, journal, number) else journal.piece(number)
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
                if not piece.facts.get(_PARTED):
                    tally.resumed += len(times)
                if part.first <= show < part.end and options.preview is not None:
                    copy_png(journal.show(number), options.preview)
            else:
                preview = (show, options.preview)
                tally.add(_recorded(frames, part, number, journal, writer, preview, watch))
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
    show = _shown(analysis, wanted, options)
    missing = [
        number
        for number in sorted(set(numbers))
        if journal.piece(number) is None or _unseen(parts[number], show, journal, number)
    ]
    stretches = [parts[number] for number in missing]
    with closing(rendered(video, analysis, wanted, tell, stretches, options.threads)) as frames:
        for number in missing:
            part, preview = parts[number], (show, None)
            _recorded(frames, part, number, journal, writer, preview, watch, parted=True)


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


def _shown(analysis: Analysis, wanted: Wanted, options: DubOptions) -> int:
    """Index of the frame for the preview; -1 where none is asked for."""
    return -1 if options.preview is None else _preview(analysis, wanted.mouths)


def _seconds(analysis: Analysis, part: Stretch) -> Fraction:
    first, end = analysis.pts[part.first], len(analysis.pts)
    if part.end < end:
        return int(analysis.pts[part.end] - first) * analysis.time_base
    return analysis.length - int(first - analysis.pts[0]) * analysis.time_base


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
