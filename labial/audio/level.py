"""Loudness and true peak as broadcasters measure them: ITU-R BS.1770-4, EBU R 128.

:mod:`labial.audio.loudness` is another thing: the plain power of a file's sound, drawn over time.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from labial.types import FloatArray

Array = npt.NDArray[np.float64]

SILENT_LUFS = -70.0
"""What is quieter counts for nothing, and all that is quieter measures so."""

_RELATIVE_LU = -10.0
_STEPS = 10  # a second; a block that is gated is four of them
_BLOCK = 4
_OFFSET = -0.691
# The weighting has died away to 1e-15 by then.
_TAIL_SECONDS = 0.2
_PHASES, _TAPS = 4, 24
_SURROUND = {"BL", "BR", "SL", "SR"}
_ORDER = {
    "mono": ("FC",), "stereo": ("FL", "FR"), "2.1": ("FL", "FR", "LFE"),
    "3.0": ("FL", "FR", "FC"), "quad": ("FL", "FR", "BL", "BR"),
    "4.0": ("FL", "FR", "FC", "BC"), "5.0": ("FL", "FR", "FC", "BL", "BR"),
    "5.0(side)": ("FL", "FR", "FC", "SL", "SR"), "5.1": ("FL", "FR", "FC", "LFE", "BL", "BR"),
    "5.1(side)": ("FL", "FR", "FC", "LFE", "SL", "SR"),
    "7.1": ("FL", "FR", "FC", "LFE", "BL", "BR", "SL", "SR"),
}  # fmt: skip


class LoudnessMeter:
    """Integrated loudness and true peak of sound that arrives block by block.

    It keeps 8 bytes for each tenth of a second.

    Parameters
    ----------
    rate
        Samples a second.
    layout
        FFmpeg's name of the channels: those at the sides and behind count 1.5 dB more, low
        frequency effects nothing.
    """

    def __init__(self, rate: int, layout: str = "mono") -> None:
        self._rate, self._layout = rate, layout
        self._kernel = _k_weighting(rate)
        self._size = 1 << (4 * len(self._kernel) - 1).bit_length()
        self._response = np.fft.rfft(self._kernel, self._size)[:, None]
        self._held = np.zeros((0, 0))
        self._steps: list[float] = []
        self._part = 0.0
        self._at = 0
        self._peak = TruePeak(rate)

    def add(self, block: FloatArray) -> None:
        """Listen to (n, channels) samples in -1..1."""
        if not len(block):
            return
        self._peak.add(block)
        if not self._held.size:
            self._held = np.zeros((len(self._kernel) - 1, block.shape[1]))
        self._held = np.concatenate([self._held, block.astype(np.float64)])
        while len(self._held) >= self._size:
            self._weigh(self._size)

    def _weigh(self, n: int) -> None:
        before = len(self._kernel) - 1
        spectrum = np.fft.rfft(self._held[:n], self._size, axis=0)
        heard = np.fft.irfft(spectrum * self._response, self._size, axis=0)[before:n]
        self._held = self._held[n - before :]
        power = (heard**2) @ channel_weights(self._layout, heard.shape[1])
        while len(power):
            edge = (len(self._steps) + 1) * self._rate // _STEPS
            mine, power = power[: edge - self._at], power[edge - self._at :]
            self._part += float(mine.sum())
            self._at += len(mine)
            if self._at == edge:
                self._steps.append(self._part)
                self._part = 0.0

    def loudness(self) -> float:
        """Integrated loudness of all so far in LUFS, at least :data:`SILENT_LUFS`."""
        steps = np.array(self._all_steps())
        length = self._rate / _STEPS
        if len(steps) < _BLOCK:
            blocks = np.array([steps.sum() / max(self._at + self._left(), 1)])
        else:
            blocks = np.convolve(steps, np.ones(_BLOCK), "valid") / (_BLOCK * length)
        blocks = blocks[_lufs(blocks) > SILENT_LUFS]
        if not len(blocks):
            return SILENT_LUFS
        gate = _lufs(blocks.mean()) + _RELATIVE_LU
        return float(_lufs(blocks[_lufs(blocks) > gate].mean()))

    def peak(self) -> float:
        """True peak of all so far in dB of full scale, at least -120."""
        return self._peak.decibels()

    def _left(self) -> int:
        return max(len(self._held) - len(self._kernel) + 1, 0)

    def _all_steps(self) -> list[float]:
        """What is measured, with what is held and not yet weighed; nothing changes."""
        kept = self._held, list(self._steps), self._part, self._at
        if self._left():
            self._weigh(len(self._held))
        steps = self._steps if len(self._steps) >= _BLOCK else [*self._steps, self._part]
        self._held, self._steps, self._part, self._at = kept
        return steps


class TruePeak:
    """The highest value that sound takes between its samples too, four times oversampled."""

    def __init__(self, rate: int) -> None:
        self._phases = _interpolators(1 if rate >= 192_000 else 2 if rate >= 96_000 else _PHASES)
        self._held = np.zeros((0, 0), np.float32)
        self._peak = 0.0

    def add(self, block: FloatArray) -> None:
        """Listen to (n, channels) samples."""
        if not self._held.size:
            self._held = np.zeros((_TAPS, block.shape[1]), np.float32)
        joined = np.concatenate([self._held, block])
        self._held = joined[-_TAPS:]
        top = float(np.abs(block).max(initial=0))
        # Nothing between samples is twice as high as they are, but for what is no sound.
        if 2 * top > self._peak:
            known = peaks(joined, self._phases)[_TAPS // 2 - 1 : -_TAPS // 2]
            self._peak = max(self._peak, top, float(known.max(initial=0)))

    def decibels(self) -> float:
        """The peak in dB of full scale; what follows the last sample is silence."""
        rest = np.pad(self._held, ((0, _TAPS), (0, 0)))
        known = peaks(rest, self._phases)[_TAPS // 2 - 1 :] if rest.size else np.zeros(0)
        last = float(known.max(initial=0))
        return 20 * math.log10(max(self._peak, last, 1e-6))


def peaks(samples: FloatArray, phases: Array | None = None) -> Array:
    """(n,) highest absolute value of (n, channels) at each sample and between it and the next.

    Values of the first and last 12 see zeros beyond the ends.
    """
    phases = _interpolators(_PHASES) if phases is None else phases
    best = np.asarray(np.abs(samples).max(1), np.float64)
    for channel in samples.T:
        for phase in phases:
            between = np.convolve(channel, phase)[_TAPS // 2 :][: len(channel)]
            np.maximum(best, np.abs(between), out=best)
    return best


def channel_weights(layout: str, channels: int) -> Array:
    """(channels,) by how much each channel's power counts."""
    names = _ORDER.get(layout, ())
    if len(names) != channels:
        return np.ones(channels)
    return np.array([0.0 if n == "LFE" else 1.41 if n in _SURROUND else 1.0 for n in names])


def _lufs(power: npt.ArrayLike) -> Array:
    return np.asarray(_OFFSET + 10 * np.log10(np.maximum(power, 1e-12)), np.float64)


@lru_cache(maxsize=8)
def _interpolators(times: int) -> Array:
    """(times - 1, 24) windowed sines between two samples, each of sum 1."""
    rows = []
    for k in range(1, times):
        away = k / times - _TAPS // 2 + np.arange(_TAPS)
        row = np.sinc(away) * np.cos(np.pi * away / (_TAPS + 2)) ** 2
        rows.append(row / row.sum())
    return np.array(rows).reshape(-1, _TAPS)


@lru_cache(maxsize=8)
def _k_weighting(rate: int) -> Array:
    """(n,) impulse response: a high shelf (the head) and a high pass, by bilinear transform.

    The analog prototypes reproduce the standard's coefficients at 48 kHz to its last digit.
    """
    shelf, passed = (
        math.tan(math.pi * hertz / rate) for hertz in (1681.974450955533, 38.13547087602444)
    )
    high, q = 10 ** (3.999843853973347 / 20), 0.7071752369554196
    band = high**0.4996667741545416
    a0 = 1 + shelf / q + shelf**2
    first = (
        [(high + band * shelf / q + shelf**2) / a0, 2 * (shelf**2 - high) / a0,
         (high - band * shelf / q + shelf**2) / a0],
        [2 * (shelf**2 - 1) / a0, (1 - shelf / q + shelf**2) / a0],
    )  # fmt: skip
    k, q = passed, 0.5003270373238773
    a0 = 1 + k / q + k**2
    second = [1.0, -2.0, 1.0], [2 * (k**2 - 1) / a0, (1 - k / q + k**2) / a0]
    wave = np.zeros(round(_TAIL_SECONDS * rate))
    wave[0] = 1
    for b, a in (first, second):
        wave = _recursion(b, a, wave)
    return wave


def _recursion(b: list[float], a: list[float], wave: Array) -> Array:
    out = np.zeros(len(wave))
    x1 = x2 = y1 = y2 = 0.0
    for i, x in enumerate(wave.tolist()):
        y = b[0] * x + b[1] * x1 + b[2] * x2 - a[0] * y1 - a[1] * y2
        x1, x2, y1, y2 = x, x1, y, y1
        out[i] = y
    return out
