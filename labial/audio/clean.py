"""Make sound fit for the network: checks, no constant offset, and one loudness."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from labial.audio.features import RATE, cut
from labial.errors import SpeechError
from labial.types import FloatArray

ACTIVE_RMS = 0.1
"""Level (-20 dB re full scale) that the loud part of the speech is brought to."""

_BLOCK = RATE // 50
_PIECE = 60 * RATE
_BELOW_PEAK_DB = 25.0
_SILENT_RMS = 1e-3
_SHORTEST = RATE // 50


def prepare(samples: FloatArray, name: str = "speech") -> FloatArray:
    """Check (n,) float32 samples at 16 kHz, bring them to :data:`ACTIVE_RMS`, return a copy.

    A constant offset is taken out. Sound under 20 ms is followed by silence up to 20 ms.
    """
    out = np.empty(max(len(samples), _SHORTEST), np.float32)
    end = 0
    for piece in prepared(samples, name):
        out[end : end + len(piece)] = piece
        end += len(piece)
    return out


def prepared(samples: FloatArray, name: str = "speech") -> Iterator[FloatArray]:
    """Yield what :func:`prepare` returns, a minute at a time.

    Two passes over ``samples``, which may be a map of a file; 16 bytes are kept for each 20 ms.
    """
    if len(samples) == 0:
        raise SpeechError(f"{name}: the sound is empty")
    offset, gain = _survey(samples, name)
    for piece in pieces(samples):
        sounding = np.repeat(_sounding(piece), _BLOCK)[: len(piece)]
        yield ((piece - offset * sounding) * gain).astype(np.float32)
    if len(samples) < _SHORTEST:
        yield np.zeros(_SHORTEST - len(samples), np.float32)


def loudness_gain(samples: FloatArray) -> float:
    """Return the factor that brings the active part of (n,) ``samples`` to :data:`ACTIVE_RMS`.

    Active are the 20 ms blocks within 25 dB of the 95th percentile of block levels. What never
    rises above -60 dB is taken for silence and left as it is.
    """
    return _survey(samples, "speech")[1]


def _survey(samples: FloatArray, name: str) -> tuple[float, float]:
    """Return the constant offset of what is not digital silence, and the gain without it."""
    means, squares = [np.zeros(0)], [np.zeros(0)]
    for piece in pieces(samples):
        if not np.isfinite(piece).all():
            raise SpeechError(
                f"{name}: the sound holds values that are not numbers; export it anew"
            )
        blocks = piece[: len(piece) - len(piece) % _BLOCK].reshape(-1, _BLOCK).astype(np.float64)
        means.append(blocks.mean(1))
        squares.append(np.einsum("ij,ij->i", blocks, blocks) / _BLOCK)
    mean, square = np.concatenate(means), np.concatenate(squares)
    sounding = square > 0
    if not sounding.any():
        return 0.0, 1.0
    offset = float(mean[sounding].mean())
    square[sounding] += offset * (offset - 2 * mean[sounding])
    level = np.sqrt(square.clip(0))
    loud = float(np.percentile(level, 95))
    active = level[level >= loud * 10 ** (-_BELOW_PEAK_DB / 20)]
    rms = float(np.sqrt((active**2).mean()))
    return offset, 1.0 if rms < _SILENT_RMS else ACTIVE_RMS / rms


def pieces(samples: FloatArray) -> Iterator[FloatArray]:
    """Yield (n,) ``samples``, which may be a map of a file, a minute at a time."""
    for first in range(0, len(samples), _PIECE):
        yield cut(samples, first, min(first + _PIECE, len(samples)))


def _sounding(piece: FloatArray) -> npt.NDArray[np.bool_]:
    """Per 20 ms, the last ones perhaps shorter: whether there is anything but digital silence."""
    return np.logical_or.reduceat(piece != 0, np.arange(0, len(piece), _BLOCK))
