"""The outline of a sound, to be drawn: its lowest and highest samples over time."""

from __future__ import annotations

import numpy as np

from labial.types import FloatArray

_FIRST_STEP = 64


class PeakMeter:
    """Listens to sound block by block; what it keeps does not grow with the sound's length.

    Parameters
    ----------
    most
        Pairs to keep. Where there would be more, neighbours are joined.
    """

    def __init__(self, most: int = 2000) -> None:
        self._most = most
        self.step = _FIRST_STEP
        """Samples of a pair."""
        self._pairs = np.zeros((0, 2), np.float32)
        self._begun = np.zeros((0, 2), np.float32)
        self._samples = 0

    def add(self, block: FloatArray) -> None:
        """Listen to (n, channels) samples."""
        mono = block.mean(1)
        while len(mono):
            # No more than fit at once: a long block must not be cut finer than it will be kept.
            room = (2 * self._most - len(self._pairs)) * self.step
            self._take(mono[:room])
            mono = mono[room:]
            while len(self._pairs) >= self._most:
                self._join()

    def pairs(self) -> FloatArray:
        """Return (m, 2) float32, m ≤ most: lowest and highest sample, one pair a step."""
        if not len(self._begun):
            return self._pairs
        return np.concatenate([self._pairs, _outline(self._begun)[None]])

    def _take(self, mono: FloatArray) -> None:
        if self._samples:
            begun, mono = mono[: self.step - self._samples], mono[self.step - self._samples :]
            self._begin(np.stack([begun, begun], 1), len(begun))
            if self._samples < self.step:
                return
            self._pairs = np.concatenate([self._pairs, _outline(self._begun)[None]])
            self._begun, self._samples = self._begun[:0], 0
        whole = len(mono) // self.step * self.step
        steps = mono[:whole].reshape(-1, self.step)
        self._pairs = np.concatenate([self._pairs, np.stack([steps.min(1), steps.max(1)], 1)])
        rest = mono[whole:]
        self._begin(np.stack([rest, rest], 1), len(rest))

    def _begin(self, pairs: FloatArray, samples: int) -> None:
        if samples:
            every = np.concatenate([self._begun, pairs])
            self._begun, self._samples = _outline(every)[None], self._samples + samples

    def _join(self) -> None:
        even = len(self._pairs) // 2 * 2
        left, two = self._pairs[even:], self._pairs[:even].reshape(-1, 2, 2)
        self._pairs = np.stack([two[..., 0].min(1), two[..., 1].max(1)], 1)
        self._begin(left, self.step * len(left))
        self.step *= 2


def _outline(pairs: FloatArray) -> FloatArray:
    return np.array([pairs[:, 0].min(), pairs[:, 1].max()], np.float32)
