"""Mel-frequency cepstral coefficients as SyncNet was trained on them: arrays → arrays."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from labial.types import FloatArray

RATE, ROWS = 16_000, 100
"""Samples a second in, rows a second out."""
COEFFICIENTS = 13
_FRAME, _HOP, _FFT, _FILTERS = 400, 160, 512, 26
_EMPHASIS, _LIFTER = 0.97, 22
_BLOCK = 3000
_LEAST = float(np.finfo(np.float64).eps)


def mfcc(samples: FloatArray) -> FloatArray:
    """Return a row of 13 coefficients each 10 ms.

    Parameters
    ----------
    samples
        (n,) in -1..1 at 16 kHz; they are rounded to 16 bits, as a WAV file would hold them.

    Returns
    -------
    (rows, 13) float32. The first is the log of the window's energy.

    Notes
    -----
    Davis and Mermelstein, "Comparison of parametric representations for monosyllabic word
    recognition", IEEE TASSP 1980, with the windows and constants that the package
    python_speech_features has by default: 25 ms without taper, pre-emphasis .97, 26 triangles up
    to 8 kHz, orthonormal cosine transform, sine lifter of 22.
    """
    n = len(samples)
    if not n:
        return np.zeros((0, COEFFICIENTS), np.float32)
    rows = 1 + max(-(-(n - _FRAME) // _HOP), 0)
    out = np.zeros((rows, COEFFICIENTS), np.float32)
    for first in range(0, rows, _BLOCK):
        last = min(first + _BLOCK, rows)
        begin, end = first * _HOP, (last - 1) * _HOP + _FRAME
        # One sample more before it, for the pre-emphasis.
        part = np.asarray(samples[max(begin - 1, 0) : end], np.float64)
        part = np.rint(part * 32768).clip(-32768, 32767)
        plain = part[min(begin, 1) :]
        before = np.append(part[0] if begin else 0.0, plain[:-1])
        sound = plain - _EMPHASIS * before
        padded = np.append(sound, np.zeros(end - begin - len(sound)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, _FRAME)[::_HOP]
        out[first:last] = _coefficients(windows)
    return out


def _coefficients(windows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    power = np.abs(np.fft.rfft(windows, _FFT)) ** 2 / _FFT
    energy = power.sum(1)
    bands = power @ _triangles().T
    cosine, lift = _cosine()
    found = np.log(np.where(bands == 0, _LEAST, bands)) @ cosine.T * lift
    found[:, 0] = np.log(np.where(energy == 0, _LEAST, energy))
    return np.asarray(found)


@lru_cache(maxsize=1)
def _triangles() -> npt.NDArray[np.float64]:
    """(filters, bins) triangles that are even on the mel scale."""
    top = 2595 * np.log10(1 + RATE / 2 / 700)
    hertz = 700 * (10 ** (np.linspace(0, top, _FILTERS + 2) / 2595) - 1)
    bins = np.floor((_FFT + 1) * hertz / RATE).astype(int)
    bank = np.zeros((_FILTERS, _FFT // 2 + 1))
    for k in range(_FILTERS):
        left, middle, right = bins[k : k + 3]
        up, down = np.arange(left, middle), np.arange(middle, right)
        bank[k, up] = (up - left) / (middle - left)
        bank[k, down] = (right - down) / (right - middle)
    return bank


@lru_cache(maxsize=1)
def _cosine() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """(13, filters) orthonormal cosine transform, and (13,) what lifts the high ones."""
    k, i = np.mgrid[:COEFFICIENTS, :_FILTERS]
    table = np.sqrt(2 / _FILTERS) * np.cos(np.pi * k * (2 * i + 1) / (2 * _FILTERS))
    table[0] /= np.sqrt(2)
    lift = 1 + (_LIFTER / 2) * np.sin(np.pi * np.arange(COEFFICIENTS) / _LIFTER)
    return table, lift
