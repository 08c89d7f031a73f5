"""Speech that takes a little longer, or less long, at the same pitch.

By Signalsmith Stretch, a phase vocoder (python-stretch). In a minute at 0.9 to 1.1 times its
length, clicks are at their place to 0.8 ms, and a tone keeps its pitch, with all else 65 dB below
it; FFmpeg's atempo is 20 ms off and leaves 26 dB.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from labial.errors import OptionError
from labial.media.sound_file import SoundWriter, sound_blocks, sound_info
from labial.options import STRETCH_LIMITS, Stretching
from labial.types import FloatArray

# Long speech is stretched in parts of so many seconds, that are cut where it is quietest in
# the last ones; each hears this much of its neighbours, and fades into the next within the last.
_PART_SECONDS, _SOUGHT_SECONDS = 60.0, 10.0
_QUIET_SECONDS, _BESIDE_SECONDS, _FADE_SECONDS = 0.04, 0.5, 0.01


def factor_for(asked: Stretching, speech: Fraction, video: Fraction) -> float:
    """Return how much longer speech shall be.

    Parameters
    ----------
    asked
        As :attr:`labial.options.DubOptions.stretch_audio`.
    speech, video
        Seconds.
    """
    if asked != "auto":
        return float(asked)
    low, high = STRETCH_LIMITS
    return min(max(float(video / speech), low), high)


def check_stretching() -> None:
    """Raise OptionError where speech cannot be stretched: the library has no wheel for it."""
    _engine()


def stretched(
    path: str | os.PathLike[str], factor: float, out: str | os.PathLike[str]
) -> tuple[int, int]:
    """Write a file's main sound, ``factor`` times as long.

    Parameters
    ----------
    path
        Any file with sound.
    factor
        0.5 to 2; above 1 it takes longer. Pitch and channels stay.
    out
        Target, ending in :data:`labial.media.sound_file.ENDING`. Written beside itself and renamed.

    Returns
    -------
    Samples of each channel before and after; the second is the first times ``factor``, rounded.

    Raises
    ------
    ReadError, SpeechError, WriteError
    OptionError
        As :func:`check_stretching`.
    """
    info = sound_info(path)
    fade = round(_FADE_SECONDS * info.rate)
    at = 0
    exact = Fraction(factor).limit_denominator(1_000_000)
    tail: FloatArray | None = None
    with SoundWriter(out, info.rate, info.layout) as writer:
        for before, part, after in _parts(sound_blocks(path), info.rate):
            longer = _longer(np.concatenate([before, part, after]), exact, info.rate)
            # Where this begins in the output, and where the part in it does and ends.
            origin = round((at - len(before)) * exact)
            begin = round(at * exact) - origin
            at += len(part)
            end = round(at * exact) - origin
            piece = np.pad(longer, ((0, max(0, end - len(longer))), (0, 0)), "edge")[begin:end]
            if tail is not None:
                n = min(len(tail), len(piece))
                share = np.linspace(0, 1, n + 2, dtype=np.float32)[1:-1, None]
                piece[:n] = share * piece[:n] + (1 - share) * tail[:n]
            tail = longer[end : end + fade]
            writer.write(piece)
    return at, writer.samples


def _parts(
    blocks: Iterator[FloatArray], rate: int
) -> Iterator[tuple[FloatArray, FloatArray, FloatArray]]:
    """What lies before a part, the part, and what comes after it."""
    size, sought = round(_PART_SECONDS * rate), round(_SOUGHT_SECONDS * rate)
    beside = round(_BESIDE_SECONDS * rate)
    held: list[FloatArray] = []
    count = 0
    before: FloatArray | None = None
    for block in blocks:
        held.append(block)
        count += len(block)
        while count >= size + beside:
            whole = np.concatenate(held)
            cut = size - sought + _quietest(whole[size - sought : size], rate)
            start = whole[:0] if before is None else before
            yield start, whole[:cut], whole[cut : cut + beside]
            before = whole[max(0, cut - beside) : cut]
            held, count = [whole[cut:]], len(whole) - cut
    if held:
        whole = np.concatenate(held)
        yield whole[:0] if before is None else before, whole, whole[:0]


def _quietest(samples: FloatArray, rate: int) -> int:
    """The middle of the quietest moment."""
    n = max(1, round(_QUIET_SECONDS * rate))
    power = np.concatenate([[0.0], np.cumsum((samples.astype(np.float64) ** 2).sum(1))])
    return int((power[n:] - power[:-n]).argmin()) + n // 2


def _longer(samples: FloatArray, factor: Fraction, rate: int) -> FloatArray:
    """(n, channels) samples, stretched."""
    engine = _engine()
    engine.preset(samples.shape[1], rate)
    engine.setTimeFactor(float(1 / factor))
    out: FloatArray = np.asarray(engine.process(np.ascontiguousarray(samples.T)), np.float32).T
    return out


def _engine() -> Any:
    try:
        from python_stretch.Signalsmith import Stretch
    except ImportError as error:
        raise OptionError(
            "--stretch-audio needs python-stretch, which is not installed: "
            "pip install python-stretch, or leave the option out"
        ) from error
    return Stretch()
