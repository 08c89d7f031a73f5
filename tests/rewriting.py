"""A film through the reader and the writer, as a dub takes it, with every frame as it was."""

from __future__ import annotations

from pathlib import Path

from labial.media import EncodeSettings, VideoReader, VideoWriter


def through(
    source: Path,
    target: Path,
    settings: EncodeSettings | None = None,
    audio: Path | None = None,
) -> VideoWriter:
    """Copy all frames of ``source`` through the writer; returns the writer."""
    with (
        VideoReader(source) as reader,
        VideoWriter(target, reader.media, settings, audio) as writer,
    ):
        for frame in reader.frames():
            writer.write(frame)
    return writer
