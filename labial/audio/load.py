"""Speech from any media file, ready for the network: 16 kHz, mono, at one loudness."""

from __future__ import annotations

import os

from labial.audio.clean import prepare
from labial.audio.features import RATE
from labial.media.read import read_audio
from labial.types import Audio


def load_speech(path: str | os.PathLike[str]) -> Audio:
    """Read the sound of ``path`` as 16 kHz mono at the level the network was trained on.

    Raises
    ------
    ReadError
        If the file cannot be read.
    SpeechError
        If it has no sound, or its samples are not finite numbers.
    """
    audio = read_audio(path, RATE)
    return Audio(prepare(audio.samples, str(path)), RATE)
