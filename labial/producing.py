"""Write an output part by part: made, taken from an earlier run, or copied."""

from __future__ import annotations

import os
from contextlib import closing
from fractions import Fraction
from itertools import islice

import numpy as np

from labial.analysis import Analysis
from labial.face.timeline import overview
from labial.media.journal import Journal
from labial.media.picture import upright_rgb8, write_png
from labial.media.pieces import Stretch, stretches
from labial.media.write import VideoWriter
from labial.motion.space import load_basis
from labial.options import DubOptions
from labial.rendering import Wanted, rendered
from labial.tally import Tally
from labial.types import FloatArray, Hook, Watch

_PREVIEW_SECONDS = 10.0


def parts_of(analysis: Analysis, copying: bool) -> list[Stretch]:
    """Divide a video into what is made, piece by piece, and what may be copied."""
    changed = np.zeros(len(analysis.pts), bool)
    for track in analysis.tracks:
        changed[track.rows] |= track.quality > 0
    return stretches(changed, analysis.gops, copying)


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
                        if watch is not None and not done.reason:
                            watch(done.frame)
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
