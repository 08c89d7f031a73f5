"""Bring a sound to a loudness, with a limiter for what would be too high then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt

from labial.audio.level import SILENT_LUFS, LoudnessMeter, peaks
from labial.media.sound_file import SoundInfo, SoundWriter, sound_blocks, sound_info
from labial.types import FloatArray

CEILING_DB = -1.0
"""True peak that is not exceeded (EBU R 128)."""
# What the limiter takes away is made good, but a whisper is not pressed into a shout.
_CLOSE_LU, _MORE_DB = 0.2, 2.0
_PASSES = 3
_TOLD_LU = 0.5
# The limiter works in steps of a millisecond; it begins so much before a peak, and lets go so fast.
_STEPS = 1000
_AHEAD = 5
_RELEASE_DB = 150.0 / _STEPS
# What its own motion adds to a peak.
_SPARE_DB = 0.1
_MARGIN = 16


@dataclass(frozen=True)
class LevelReport:
    """What was done to the level of a sound.

    Parameters
    ----------
    target
        What was asked for, LUFS.
    before, after
        Integrated loudness in LUFS, ITU-R BS.1770-4.
    peak
        True peak of the result in dB of full scale.
    gain
        dB.
    limited
        Seconds in which the limiter took away more than half a dB.
    """

    target: float
    before: float
    after: float
    peak: float
    gain: float
    limited: float

    def summary(self) -> str:
        """In a few words."""
        if self.before <= SILENT_LUFS:
            return "the sound is silence: its level stays"
        missed = abs(self.after - self.target) >= _TOLD_LU
        line = f"sound brought from {self.before:.1f} to {self.after:.1f} LUFS"
        line += f" ({self.target:g} would press its peaks too hard)" if missed else ""
        line += f", true peak {self.peak:.1f} dB"
        return line + (f"; limited for {self.limited:.1f} s" if self.limited >= 0.05 else "")


def leveled(path: Path, target: float, out: Path, seconds: Fraction | None = None) -> LevelReport:
    """Write the sound of ``path`` at ``target`` LUFS, its true peak at most :data:`CEILING_DB`.

    Only a gain, but where peaks would be too high a limiter takes them down gently, a few
    milliseconds ahead; all channels together. Silence stays as it is.

    Parameters
    ----------
    path
        Any file with sound.
    target
        -40 to -5 LUFS.
    out
        File to write, see :class:`labial.media.sound_file.SoundWriter`: rate, channels and length
        are those of ``path``.
    seconds
        How much of it is heard; None is all. The rest is not written.

    Raises
    ------
    ReadError, SpeechError, WriteError
    """
    info = sound_info(path)
    samples = None if seconds is None else round(seconds * info.rate)
    meter = LoudnessMeter(info.rate, info.layout)
    for block in _beginning(path, samples):
        meter.add(block)
    before, peak = meter.loudness(), meter.peak()
    gain = 0.0 if before <= SILENT_LUFS else target - before
    limiting = peak + gain > CEILING_DB
    report = _write(path, out, info, (target, before), gain, limiting, samples)
    for _ in range(_PASSES - 1):
        more = min(target - report.after, target - before + _MORE_DB - report.gain)
        if not limiting or abs(more) < _CLOSE_LU:
            break
        report = _write(path, out, info, (target, before), report.gain + more, limiting, samples)
    return report


def limited(path: Path, out: Path) -> LevelReport:
    """Write the sound of ``path`` as it is, but its true peak at most :data:`CEILING_DB`.

    Parameters
    ----------
    path, out
        As for :func:`leveled`.

    Raises
    ------
    ReadError, SpeechError, WriteError
    """
    info = sound_info(path)
    meter = LoudnessMeter(info.rate, info.layout)
    for block in sound_blocks(path):
        meter.add(block)
    before, limiting = meter.loudness(), meter.peak() > CEILING_DB
    return _write(path, out, info, (before, before), 0.0, limiting)


def _write(
    path: Path,
    out: Path,
    info: SoundInfo,
    asked: tuple[float, float],
    gain: float,
    limiting: bool,
    samples: int | None = None,
) -> LevelReport:
    meter = LoudnessMeter(info.rate, info.layout)
    factor = np.float32(10 ** (gain / 20))
    blocks: Iterator[FloatArray] = (block * factor for block in _beginning(path, samples))
    limiter = Limiter(info.rate)
    with SoundWriter(out, info.rate, info.layout) as writer:
        for block in limiter(blocks) if limiting else blocks:
            meter.add(block)
            writer.write(block)
    return LevelReport(*asked, meter.loudness(), meter.peak(), gain, limiter.limited)


def _beginning(path: Path, samples: int | None) -> Iterator[FloatArray]:
    """So many samples of a file, or all."""
    left = samples
    for block in sound_blocks(path):
        if left is None:
            yield block
        elif left > 0:
            yield block[:left]
            left -= len(block)
        else:
            return


class Limiter:
    """Keeps the true peak of sound that arrives block by block at :data:`CEILING_DB`.

    Parameters
    ----------
    rate
        Samples a second.
    """

    def __init__(self, rate: int) -> None:
        self.limited = 0.0
        """Seconds that were taken down by more than half a dB."""
        self._step = max(rate // _STEPS, 1)
        self._seconds = self._step / rate
        # Gains in dB of the steps before: wanted with their release, and smoothed.
        self._released: list[float] = []
        self._smooth = 0.0

    def __call__(self, blocks: Iterable[FloatArray]) -> Iterator[FloatArray]:
        """Yield as many (n, channels) samples as ``blocks`` hold."""
        margin = _MARGIN * self._step
        before: FloatArray | None = None
        for piece, after in _pieces(blocks, _STEPS * self._step, margin):
            if before is None:
                before = np.zeros((margin, piece.shape[1]), np.float32)
            gains = self._gains(np.concatenate([before, piece, after]), len(piece))
            before = np.concatenate([before, piece])[-margin:]
            yield (piece * gains[:, None]).astype(np.float32)

    def _gains(self, joined: FloatArray, n: int) -> npt.NDArray[np.float64]:
        """(n,) factors of the piece between the two margins."""
        step, steps = self._step, -(-n // self._step)
        joined = np.pad(joined, ((0, (steps + 2 * _MARGIN) * step - len(joined)), (0, 0)))
        high = peaks(joined).reshape(-1, step).max(1)
        top = 10 ** ((CEILING_DB - _SPARE_DB) / 20)
        wanted = 20 * np.log10(top / np.maximum(high, top))
        # Lines are drawn between steps: a step's gain counts for its neighbours too. It falls
        # ahead of a peak, as a mean of what is wanted soon.
        reach = _AHEAD + 3
        soon = np.lib.stride_tricks.sliding_window_view(wanted[_MARGIN - 1 :], reach).min(1)
        if not self._released:
            self._released, self._smooth = [float(soon[0])] * _AHEAD, float(soon[0])
        released = self._released
        for value in soon[: steps + 1].tolist():
            released.append(min(value, released[-1] + _RELEASE_DB))
        smooth = np.convolve(released, np.full(_AHEAD + 1, 1 / (_AHEAD + 1)), "valid")
        self.limited += float((smooth[:-1] < -0.5).sum()) * self._seconds
        drawn = np.append(self._smooth, smooth)
        self._released, self._smooth = released[-_AHEAD - 1 : -1], float(smooth[-2])
        centers = (np.arange(-1, steps + 1) + 0.5) * step
        return np.asarray(10 ** (np.interp(np.arange(n) + 0.5, centers, drawn) / 20), np.float64)


def _pieces(
    blocks: Iterable[FloatArray], n: int, margin: int
) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Yield ``n`` samples at a time, the last ones perhaps fewer, and ``margin`` that follow."""
    held: list[FloatArray] = []
    for block in blocks:
        held.append(block)
        if sum(map(len, held)) < n + margin:
            continue
        joined = np.concatenate(held)
        while len(joined) >= n + margin:
            yield joined[:n], joined[n : n + margin]
            joined = joined[n:]
        held = [joined]
    rest = np.concatenate(held) if held else np.zeros((0, 1), np.float32)
    for first in range(0, len(rest), n):
        yield rest[first : first + n], rest[first + n : first + n + margin]
