"""A film through the reader and the writer, as a dub takes it, with every frame as it was."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from labial.media import EncodeSettings, VideoReader, VideoWriter


def through(
    source: Path,
    target: Path,
    settings: EncodeSettings | None = None,
    audio: Path | None = None,
    kept: Fraction | None = None,
) -> VideoWriter:
    """Copy all frames of ``source``, as long as it is kept, through the writer; returns it."""
    with (
        VideoReader(source) as reader,
        VideoWriter(target, reader.media, settings, audio, kept=kept) as writer,
    ):
        for frame in reader.frames():
            if not kept or frame.time < kept:
                writer.write(frame)
    return writer
