"""Make sound fit for the network: checks and one loudness."""

from __future__ import annotations

import numpy as np

from labial.audio.features import RATE
from labial.errors import SpeechError
from labial.types import FloatArray

ACTIVE_RMS = 0.1
"""Level (-20 dB re full scale) that the loud part of the speech is brought to."""

_BLOCK = RATE // 50
_BELOW_PEAK_DB = 25.0
_SILENT_RMS = 1e-3
_SHORTEST = RATE // 50


def prepare(samples: FloatArray, name: str = "speech") -> FloatArray:
    """Check (n,) float32 samples at 16 kHz, bring them to :data:`ACTIVE_RMS`, return a copy.

    Sound under 20 ms is followed by silence up to 20 ms.
    """
    if len(samples) == 0:
        raise SpeechError(f"{name}: the sound is empty")
    if not np.isfinite(samples).all():
        raise SpeechError(f"{name}: the sound holds values that are not numbers; export it anew")
    out = np.asarray(samples * np.float32(loudness_gain(samples)), np.float32)
    return out if len(out) >= _SHORTEST else np.pad(out, (0, _SHORTEST - len(out)))


def loudness_gain(samples: FloatArray) -> float:
    """Return the factor that brings the active part of (n,) ``samples`` to :data:`ACTIVE_RMS`.

    Active are the 20 ms blocks within 25 dB of the 95th percentile of block levels. What never
    rises above -60 dB is taken for silence and left as it is.
    """
    whole = len(samples) - len(samples) % _BLOCK
    if whole == 0:
        return 1.0
    blocks = samples[:whole].reshape(-1, _BLOCK)
    level = np.sqrt(np.einsum("ij,ij->i", blocks, blocks) / _BLOCK)
    loud = float(np.percentile(level, 95))
    active = level[level >= loud * 10 ** (-_BELOW_PEAK_DB / 20)]
    rms = float(np.sqrt((active.astype(np.float64) ** 2).mean()))
    return 1.0 if rms < _SILENT_RMS else ACTIVE_RMS / rms
