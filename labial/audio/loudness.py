"""How loud a file's sound is over time."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt

from labial.errors import SpeechError
from labial.media.sound import open_sound, samples_of, sound

BIN_SECONDS = 0.01
# What is quieter is drawn and counted as this; a file that never exceeds the second is silent.
FLOOR_DB, SILENT_DB = -60.0, -55.0


def loudness(path: Path, begin: Fraction) -> tuple[npt.NDArray[np.float64] | None, float]:
    """Measure the mean power of a file's sound.

    Parameters
    ----------
    path
        A file, with sound or without.
    begin
        Seconds of the file's clock at which the curve begins, such as its first frame's time.

    Returns
    -------
    curve
        (n,) float64 dB of full scale, one value each ``BIN_SECONDS``, never below ``FLOOR_DB``;
        None when there is no sound.
    start
        Seconds between ``begin`` and the first sample; negative when the sound begins earlier.
    """
    power, count = np.zeros(0), np.zeros(0)
    try:
        container, stream = open_sound(path)
    except SpeechError:
        return None, 0.0
    end: Fraction | None = None
    start: float | None = None
    with container:
        for block in sound(container, stream):
            begins = end if block.pts is None else block.pts * block.time_base
            begins = begin if begins is None else begins
            start = float(begins - begin) if start is None else start
            samples = _mono(samples_of(block))
            end = begins + Fraction(len(samples), block.sample_rate)
            at = float(begins - begin) + np.arange(len(samples)) / block.sample_rate
            where = np.floor(at / BIN_SECONDS).astype(np.int64)
            kept = where >= 0
            if not kept.any():
                continue
            if where[-1] >= len(power):
                room = np.zeros(max(int(where[-1]) + 1, 2 * len(power)) - len(power))
                power, count = np.append(power, room), np.append(count, room)
            low = int(where[kept][0])
            sums = np.bincount(where[kept] - low, samples[kept] ** 2)
            power[low : low + len(sums)] += sums
            count[low : low + len(sums)] += np.bincount(where[kept] - low)
    last = np.flatnonzero(count)
    if not len(last) or start is None:
        return None, 0.0
    mean = power[: last[-1] + 1] / np.maximum(count[: last[-1] + 1], 1)
    return np.asarray(10 * np.log10(np.maximum(mean, 10 ** (FLOOR_DB / 10)))), start


def _mono(block: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
    """(n, channels) samples of any type to their mean, in -1..1."""
    values = np.asarray(block, np.float64)
    if block.dtype.kind == "u":
        values = values - 128
    if block.dtype.kind in "iu":
        values = values / float(2 ** (8 * block.dtype.itemsize - 1))
    return np.asarray(values.mean(1))
