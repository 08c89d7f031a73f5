"""Whether sound was recorded or made too loud, and had its tops cut off."""

from __future__ import annotations

import numpy as np

from labial.types import FloatArray

_BINS, _HIGHEST = 512, 2.0
_TOP, _BELOW = 0.985, 0.9
# In sound as it is, fewer samples lie near the highest one than just below.
_CROWDED, _FEWEST = 4.0, 30
_SOUNDING = 0.02


class ClippingMeter:
    """Listens to sound block by block, as it is in its file: resampling hides what was cut off."""

    def __init__(self) -> None:
        self._counts = np.zeros(_BINS, np.int64)
        self._sounding = 0

    def add(self, block: FloatArray) -> None:
        """Listen to (n, channels) samples."""
        height = np.abs(block).max(1)
        where = (height * (_BINS / _HIGHEST)).astype(np.int64).clip(0, _BINS - 1)
        self._counts += np.bincount(where, minlength=_BINS)
        self._sounding += int((height > _SOUNDING).sum())

    def share(self) -> float:
        """0..1: of the samples that sound, those whose tops are cut off; 0 where none seems to be.

        Lossy coding after the cut hides it.
        """
        filled = np.flatnonzero(self._counts)
        if not len(filled):
            return 0.0
        peak = int(filled[-1])
        top = slice(max(int(peak * _TOP), 1), peak + 1)
        below = slice(max(int(peak * _BELOW), 1), top.start)
        high, less = int(self._counts[top].sum()), int(self._counts[below].sum())
        if below.start >= below.stop or high < _FEWEST:
            return 0.0
        usual = less * (top.stop - top.start) / (below.stop - below.start)
        crowded = high > _CROWDED * max(usual, 1.0)
        return high / max(self._sounding, 1) if crowded else 0.0
