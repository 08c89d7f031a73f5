"""How much there is beside a voice, and whether it stays the same: from the sound alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from labial.audio.features import FLOOR, FRAME_RATE, LogMelStream, band_centers
from labial.types import FloatArray

_BAND_HERTZ = 200.0, 5000.0
_SMOOTHED = 5
_BINS, _LOWEST_DB = 100, -80.0
# In the quietest twentieth of the time speech has stopped; in a fifth of it too, where there are
# pauses, or else all but the faintest of it.
_QUIET, _FAIRLY, _LOUD = 0.05, 0.2, 0.95
# Below this all bands together are digital silence, which is not the room's.
_SILENCE = 1e-8


@dataclass(frozen=True)
class Noise:
    """What is heard where nobody speaks.

    Parameters
    ----------
    distance
        dB between the loud and the quietest twentieth of the time, all bands together. Not quite a
        ratio of signal to noise: it is 15 to 20 dB more. 99 where there is nothing but silence.
    change
        dB by which the quietest fifth of the time lies above the quietest twentieth: some 3 where
        the noise stays the same, 6 and more where it is music or voices, or where there is none.
    seconds
        Of sound that this was measured on; less than some five say little.
    """

    distance: float
    change: float
    seconds: float


class NoiseMeter:
    """Listens to 16 kHz mono sound block by block; its memory does not grow."""

    def __init__(self) -> None:
        centers = band_centers()
        self._used = (centers > _BAND_HERTZ[0]) & (centers < _BAND_HERTZ[1])
        self._counts = np.zeros((int(self._used.sum()), _BINS), np.int64)
        self._stream = LogMelStream()
        self._held = np.zeros((0, len(self._counts)))
        self._begun, self._silent = False, 0

    def add(self, samples: FloatArray) -> None:
        """Listen to (n,) float32 samples."""
        mel = self._stream.push(samples)
        power = np.exp(mel[:, self._used].astype(np.float64)) - FLOOR
        sounding = np.flatnonzero(power.sum(1) > _SILENCE)
        if not len(sounding):
            self._silent += len(power) if self._begun else 0
            return
        # Pauses in which there is nothing at all are pauses; what is before and after is not.
        first, end = (0 if self._begun else int(sounding[0])), int(sounding[-1]) + 1
        self._counts[:, 0] += self._silent // _SMOOTHED
        self._begun, self._silent = True, len(power) - end
        power = np.concatenate([self._held, power[first:end]])
        whole = len(power) - len(power) % _SMOOTHED
        self._held = power[whole:]
        means = power[:whole].reshape(-1, _SMOOTHED, len(self._counts)).mean(1)
        level = 10 * np.log10(np.maximum(means, 10 ** (_LOWEST_DB / 10)))
        where = (level - _LOWEST_DB).astype(np.int64).clip(0, _BINS - 1)
        flat = where + np.arange(len(self._counts)) * _BINS
        self._counts += np.bincount(flat.ravel(), minlength=self._counts.size).reshape(
            self._counts.shape
        )

    def noise(self) -> Noise:
        """Return what was heard so far."""
        if not self._counts.any():
            return Noise(99.0, 99.0, 0.0)
        quiet, fairly, loud = (self._total(share) for share in (_QUIET, _FAIRLY, _LOUD))
        seconds = float(self._counts[0].sum()) * _SMOOTHED / FRAME_RATE
        return Noise(loud - quiet, fairly - quiet, seconds)

    def _total(self, share: float) -> float:
        """Level in dB of all bands together, each at that quantile of its own."""
        below = self._counts.cumsum(1)
        wanted = share * below[:, -1:]
        first = (below >= wanted).argmax(1)
        rows = np.arange(len(below))
        inside = self._counts[rows, first]
        part = (wanted[:, 0] - below[rows, first] + inside) / np.maximum(inside, 1)
        power: npt.NDArray[np.float64] = 10 ** ((_LOWEST_DB + first + part) / 10)
        return float(10 * np.log10(power.sum()))
