"""Speech to mouth motion."""

from __future__ import annotations

from labial.speech.encoder import SpeechEncoder
from labial.types import Audio, MouthMotion


def predict_motion(audio: Audio) -> MouthMotion:
    """Return the mouth motion of ``audio`` at 50 Hz, in the basis of :mod:`labial.motion.space`.

    Parameters
    ----------
    audio
        16 kHz mono speech, as :func:`labial.audio.load.load_speech` returns it.
    """
    return SpeechEncoder()(audio)
