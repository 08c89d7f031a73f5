"""Less of what is beside a voice, for the ear of the network only: what is delivered stays.

The Dual-signal Transformation LSTM Network of N. L. Westhausen and B. T. Meyer, "Dual-Signal
Transformation LSTM Network for Real-Time Noise Suppression", Interspeech 2020.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from labial import weights
from labial.audio.noise import Noise
from labial.types import FloatArray
from labial.weights.network import open_network

_WINDOW, _HOP = 512, 128
_LEAD = _WINDOW - _HOP
_TAKEN = 0.6
"""Share of what the networks would take away. All of it hurts speech more than noise does: ours was
trained on noise too. ``training/LOG.md`` has the figures."""
# See :class:`labial.audio.noise.Noise`. A few words have no pauses by which to measure.
_HELPED, _CHANGING = 32.0, 4.5
# Music that never stops changes less, but more than any noise.
_LOUD, _DENSE = 20.0, 2.6
_SHORT_SECONDS, _FEW_SECONDS, _HELPED_SURELY = 2.0, 5.0, 24.0


def helps(noise: Noise) -> bool:
    """Whether taking it out lets the network hear better: music and other voices, not noise."""
    if noise.seconds < _SHORT_SECONDS:
        return False
    limit = _HELPED_SURELY if noise.seconds < _FEW_SECONDS else _HELPED
    changing = noise.distance < limit and noise.change > _CHANGING
    return changing or (noise.distance < _LOUD and noise.change > _DENSE)


class Denoiser:
    """Takes most of what is beside a voice out of 16 kHz mono sound, its speech at about -20 dB.

    It remembers what it heard, so sound is given once and in order; its memory does not grow.
    Opening it fetches 4 MB the first time.

    Raises
    ------
    WeightsError
        The networks are not there and cannot be fetched.
    """

    def __init__(self) -> None:
        # One masks the spectrum of a window, the other mends its wave.
        self._mask, self._wave = (
            _Remembering(weights.path(name)) for name in ("dtln_spectrum", "dtln_wave")
        )

    def __call__(self, blocks: Iterable[FloatArray]) -> Iterator[FloatArray]:
        """Yield as many samples as ``blocks`` hold, (n,) float32 each, at their own times."""
        held, tail = np.zeros(_LEAD, np.float32), np.zeros(_WINDOW, np.float32)
        # What comes out first belongs to the silence before the sound.
        begin, owed = _LEAD, 0
        for block, padding in _ended(blocks):
            owed += len(block)
            held = np.concatenate([held, block, np.zeros(padding, np.float32)])
            n = (len(held) - _LEAD) // _HOP
            done = np.empty(n * _HOP, np.float32)
            for start in range(0, n * _HOP, _HOP):
                tail[:-_HOP], tail[-_HOP:] = tail[_HOP:].copy(), 0
                window = held[start : start + _WINDOW]
                tail += self._window(window)
                done[start : start + _HOP] = _TAKEN * tail[:_HOP] + (1 - _TAKEN) * window[:_HOP]
            held = held[n * _HOP :]
            ready = done[begin:][:owed]
            begin, owed = max(begin - len(done), 0), owed - len(ready)
            yield ready

    def _window(self, samples: FloatArray) -> FloatArray:
        spectrum = np.fft.rfft(samples)
        mask = self._mask(np.abs(spectrum).astype(np.float32))
        return self._wave(np.fft.irfft(spectrum * mask).astype(np.float32))


class _Remembering:
    """A recurrent network that is called window by window."""

    def __init__(self, file: Path) -> None:
        self._session = open_network(file)
        inputs = self._session.get_inputs()
        self._names = [x.name for x in inputs]
        self._state = np.zeros(inputs[1].shape, np.float32)

    def __call__(self, x: FloatArray) -> FloatArray:
        y, self._state = self._session.run(
            None, dict(zip(self._names, (x[None, None], self._state), strict=True))
        )
        return np.asarray(y[0, 0], np.float32)


def _ended(blocks: Iterable[FloatArray]) -> Iterator[tuple[FloatArray, int]]:
    """Each block with no padding, then nothing with as much as the last windows need."""
    for block in blocks:
        yield block, 0
    yield np.zeros(0, np.float32), _LEAD + _HOP
