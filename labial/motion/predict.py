"""Speech to mouth motion and phones."""

from __future__ import annotations

from labial.speech.encoder import SpeechEncoder
from labial.types import Audio, SpeechTrack


def predict(audio: Audio) -> SpeechTrack:
    """Return the mouth motion of ``audio`` and its phones, at 50 Hz.

    The motion is in the basis of :mod:`labial.motion.space`.

    Parameters
    ----------
    audio
        16 kHz mono speech, as :func:`labial.audio.load.load_speech` returns it.
    """
    return SpeechEncoder()(audio)
