"""Speech from any media file, ready for the network: 16 kHz, mono, at one loudness."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from labial.audio.clean import prepared
from labial.audio.features import RATE
from labial.media.probe import show
from labial.media.sound import Recording, read_audio
from labial.media.spool import Spool


def load_speech(path: str | os.PathLike[str]) -> Recording:
    """Read the sound of ``path`` as 16 kHz mono at the level the network was trained on.

    Time 0 is the first frame of the picture where the file has one, else the first sample; see
    :func:`labial.media.read.read_audio`, also on what becomes of damage and of several channels.
    More than five minutes lie in a temporary file that the samples are a map of.

    Raises
    ------
    ReadError
        If the file cannot be read.
    SpeechError
        If it has no sound, or its samples are not finite numbers.
    WriteError
        If there is no room for the temporary file.
    """
    recording = read_audio(path, RATE)
    name = show(Path(path))
    spool = Spool(name)
    for piece in prepared(recording.samples, name):
        spool.append(piece)
    return replace(recording, samples=spool.finish())
