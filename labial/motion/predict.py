"""Speech to mouth motion and phones."""

from __future__ import annotations

import numpy as np

from labial.audio.features import RATE
from labial.speech.encoder import SpeechEncoder
from labial.speech.phones import PHONE_INDEX, PHONES
from labial.types import Audio, FloatArray, MouthMotion, SpeechTrack


def predict(audio: Audio) -> SpeechTrack:
    """Return the mouth motion of ``audio`` and its phones, at 50 Hz.

    Parameters
    ----------
    audio
        16 kHz mono speech, as :func:`labial.audio.load.load_speech` returns it.
    """
    motion = predict_motion(audio)
    # STAND-IN until the network names phones: what is loud is a voice, any voice is a schwa.
    phones = np.zeros((len(motion), len(PHONES)), np.float32)
    phones[:, PHONE_INDEX["ə"]] = _loud(audio.samples, len(motion), motion.rate)
    phones[:, 0] = 1 - phones[:, PHONE_INDEX["ə"]]
    return SpeechTrack(motion, phones)


def predict_motion(audio: Audio) -> MouthMotion:
    """Return the mouth motion of ``audio`` alone, in the basis of :mod:`labial.motion.space`."""
    return SpeechEncoder()(audio)


def _loud(samples: FloatArray, rows: int, rate: int) -> FloatArray:
    """(rows,) 0..1: how surely each 20 ms stand above the sound's own floor."""
    hop = RATE // rate
    padded = np.pad(samples, (hop // 2, (rows + 1) * hop - len(samples)))[: rows * hop]
    blocks = padded.reshape(rows, hop)
    level = 10 * np.log10(np.einsum("ij,ij->i", blocks, blocks) / hop + 1e-10)
    quiet = np.clip(np.percentile(level, 5) + 7, -55, -36)
    return np.asarray(((level - quiet) / 6).clip(0, 1), np.float32)
