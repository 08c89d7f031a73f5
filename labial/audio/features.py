"""Log-mel spectra with exact frame times.

Frame i describes the 25 ms around ``i / 100`` seconds: samples ``160 i - 200`` up to, not
including, ``160 i + 200`` of 16 kHz sound, with silence assumed before the first and after the
last sample. Any range of frames can be asked for, negative ones included, and is the same
whichever way the sound is cut into calls.
"""

from __future__ import annotations

import mmap
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from labial.types import FloatArray

RATE = 16_000
HOP = 160
WINDOW = 400
FFT = 512
BANDS = 80
FRAME_RATE = RATE // HOP
FLOOR = 1e-6
"""Power added before the logarithm: 60 dB below a full-scale band, so that digital silence and
a quiet room look alike."""

_BLOCK = 1024
_LEAD = 2


def n_frames(n_samples: int) -> int:
    """Number of frames whose centre lies within ``n_samples``, both ends included."""
    return n_samples // HOP + 1


@lru_cache(maxsize=1)
def mel_filters() -> FloatArray:
    """Return (257, 80) float32 triangular filters of height 1, 0 to 8 kHz.

    Mel scale of O'Shaughnessy, 1987: ``2595 log10(1 + f / 700)``.
    """
    top = 2595 * np.log10(1 + RATE / 2 / 700)
    edges = 700 * (10 ** (np.linspace(0, top, BANDS + 2) / 2595) - 1)
    bins = np.fft.rfftfreq(FFT, 1 / RATE)[:, None]
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    filters = np.minimum((bins - low) / (middle - low), (high - bins) / (high - middle))
    return np.asarray(np.maximum(filters, 0), np.float32)


@lru_cache(maxsize=1)
def band_centers() -> npt.NDArray[np.float64]:
    """Return (80,) centre frequencies in Hz."""
    top = 2595 * np.log10(1 + RATE / 2 / 700)
    return np.asarray(700 * (10 ** (np.linspace(0, top, BANDS + 2)[1:-1] / 2595) - 1), np.float64)


@lru_cache(maxsize=1)
def _taper() -> FloatArray:
    """Periodic Hann window of unit energy."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    return np.asarray(window / np.sqrt((window**2).sum()), np.float32)


def log_mel(samples: FloatArray, start: int = 0, stop: int | None = None) -> FloatArray:
    """Return natural log-mel power of frames ``start`` … ``stop - 1``.

    Parameters
    ----------
    samples
        (n,) float32 at 16 kHz.
    start, stop
        Range of frames; may reach beyond the sound. Default: all, see :func:`n_frames`.

    Returns
    -------
    (stop - start, 80) float32, at least ``log(FLOOR)``.
    """
    if stop is None:
        stop = n_frames(len(samples))
    out = np.empty((max(stop - start, 0), BANDS), np.float32)
    for first in range(start, stop, _BLOCK):
        last = min(first + _BLOCK, stop)
        piece = cut(samples, first * HOP - WINDOW // 2, (last - 1) * HOP + WINDOW // 2)
        windows = np.lib.stride_tricks.sliding_window_view(piece, WINDOW)[::HOP]
        power = np.abs(np.fft.rfft(windows * _taper(), FFT, axis=1)) ** 2
        mel = power.astype(np.float32) @ mel_filters()
        out[first - start : last - start] = np.log(mel + np.float32(FLOOR))
    return out


def cut(samples: FloatArray, start: int, stop: int) -> FloatArray:
    """Return a copy of ``samples[start:stop]``, with zeros where there is no sound.

    Where ``samples`` is a map of a file, what was read does not stay in memory.
    """
    n = len(samples)
    inside = samples[max(start, 0) : max(min(stop, n), 0)]
    before = min(max(-start, 0), stop - start)
    out = np.pad(inside, (before, stop - start - before - len(inside)))
    pages = getattr(samples, "_mmap", None)
    if pages is not None and hasattr(mmap, "MADV_DONTNEED"):
        pages.madvise(mmap.MADV_DONTNEED)
    return out


class LogMelStream:
    """The same frames from sound that arrives bit by bit.

    A frame is given out as soon as its window is complete: 12.5 ms after its time.
    """

    def __init__(self) -> None:
        self._reset()

    def _reset(self) -> None:
        # What is held starts a whole number of hops, and at least half a window, early.
        self._held = np.zeros(_LEAD * HOP, np.float32)

    def push(self, samples: FloatArray) -> FloatArray:
        """Add (n,) float32 samples; return the (m, 80) frames that are now complete."""
        self._held = np.concatenate([self._held, np.asarray(samples, np.float32)])
        complete = (len(self._held) - _LEAD * HOP - WINDOW // 2) // HOP + 1
        frames = log_mel(self._held, _LEAD, _LEAD + max(complete, 0))
        self._held = self._held[len(frames) * HOP :]
        return frames

    def finish(self) -> FloatArray:
        """Return the frames left, as if silence followed, and start anew."""
        frames = log_mel(self._held, _LEAD)
        self._reset()
        return frames
