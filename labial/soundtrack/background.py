"""What is heard beside the voices of a video: its music and its ambience, for the dub to keep."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from labial.audio.separate import Background
from labial.media.sound_file import SoundWriter, sound_blocks, sound_info
from labial.types import FloatArray, Hook

STAGE = "separate"


def background(path: Path, out: Path, hook: Hook | None = None) -> Path:
    """Write the sound of ``path`` without its voices, at its rate, channels and length.

    A piece of 6 s at a time, each fading into the next: memory does not grow with the length.

    Parameters
    ----------
    path
        Any file with sound.
    out
        File to write, see :class:`labial.media.sound_file.SoundWriter`. To be laid under new
        speech by :func:`labial.soundtrack.lay.lay`, at its own level.
    hook
        Called as ``hook("separate", seconds, None)``.

    Returns
    -------
    ``out``.

    Raises
    ------
    ReadError, SpeechError
        The file cannot be read, or has no sound.
    WeightsError
        The networks (118 MB) are not there and cannot be fetched.
    WriteError
    """
    tell = hook or (lambda stage, done, total: None)
    info = sound_info(path)
    separate = Background(info.rate)

    def told() -> Iterator[FloatArray]:
        done = 0
        for block in sound_blocks(path):
            done += len(block)
            tell(STAGE, done // info.rate, None)
            yield block

    with SoundWriter(out, info.rate, info.layout) as writer:
        for block in separate(told()):
            writer.write(block)
    return out
