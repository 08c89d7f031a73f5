"""Lay new speech into a sound: stretches of it are replaced, the rest stays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np

from labial.media.sound_file import SoundInfo, SoundWriter, sound_blocks, sound_info
from labial.types import FloatArray

FADE_SECONDS = 0.01
"""In which what was there gives way to what is new, inside the stretch that is new."""
_BLOCK_SECONDS = 1


@dataclass(frozen=True)
class Piece:
    """New sound for a stretch of the old one.

    Parameters
    ----------
    start, end
        Seconds of the old sound that it replaces.
    path
        A file with the new one.
    path_start, path_end
        Seconds of that file which are laid at ``start``; what goes beyond ``end`` is cut off,
        what is missing is silence.
    """

    start: Fraction
    end: Fraction
    path: Path
    path_start: Fraction = Fraction(0)
    path_end: Fraction | None = None


def lay(
    pieces: Sequence[Piece],
    length: Fraction,
    out: Path,
    base: Path | None = None,
    under: Path | None = None,
) -> float:
    """Write a sound in which pieces are laid; where several lie at one time, they add.

    Parameters
    ----------
    pieces
        What is new, at least one.
    length
        Seconds of the result.
    out
        File to write, see :class:`labial.media.sound_file.SoundWriter`. It has the rate and the
        channels of ``base``, else of ``under``, else of the first piece.
    base
        File with what is heard where there is no piece; None is silence.
    under
        File with what is heard under the pieces, such as music and ambience; None is silence.

    Returns
    -------
    The highest absolute sample; above 1, where sounds add up, it would clip.

    Raises
    ------
    ReadError, SpeechError, WriteError
    """
    like = base or under or pieces[0].path
    info = sound_info(like)
    total, step = round(length * info.rate), _BLOCK_SECONDS * info.rate
    old = _Source.of(base, info)
    below = _Source.of(under, info)
    waiting = [_Laid.of(piece, info) for piece in sorted(pieces, key=lambda piece: piece.start)]
    peak = 0.0
    with SoundWriter(out, info.rate, info.layout) as writer:
        for first in range(0, total, step):
            n = min(step, total - first)
            gone, new = np.zeros(n, np.float32), np.zeros((n, info.channels), np.float32)
            for laid in waiting:
                if laid.begin < first + n:
                    gone = np.maximum(gone, laid.window(first, n))
                    new += laid.take(first, n)
            waiting = [laid for laid in waiting if laid.end > first + n]
            share = gone[:, None]
            block = old.take(n) * (1 - share) + below.take(n) * share + new
            peak = max(peak, float(np.abs(block).max(initial=0)))
            writer.write(block)
    return peak


@dataclass
class _Source:
    """Samples of a file, so many at a time, then silence for ever."""

    blocks: Iterator[FloatArray]
    channels: int
    _held: list[FloatArray] = field(default_factory=list)

    @classmethod
    def of(cls, path: Path | None, info: SoundInfo) -> _Source:
        blocks = iter(()) if path is None else sound_blocks(path, info.rate, info.layout)
        return cls(blocks, info.channels)

    def take(self, n: int) -> FloatArray:
        """(n, channels)."""
        count = sum(map(len, self._held))
        while count < n:
            block = next(self.blocks, None)
            if block is None:
                self._held.append(np.zeros((n - count, self.channels), np.float32))
                break
            self._held.append(block)
            count += len(block)
        joined = np.concatenate(self._held) if self._held else np.zeros((0, self.channels))
        self._held = [np.asarray(joined[n:], np.float32)]
        return np.asarray(joined[:n], np.float32)


@dataclass
class _Laid:
    """A piece in samples."""

    begin: int
    end: int
    said_until: int
    fade: int
    skip: int
    source: _Source

    @classmethod
    def of(cls, piece: Piece, info: SoundInfo) -> _Laid:
        begin, end = round(piece.start * info.rate), round(piece.end * info.rate)
        skip, until = round(piece.path_start * info.rate), end
        if piece.path_end is not None:
            until = min(end, begin + round((piece.path_end - piece.path_start) * info.rate))
        fade = max(1, min(round(FADE_SECONDS * info.rate), (end - begin) // 2))
        return cls(begin, end, until, fade, skip, _Source.of(piece.path, info))

    def window(self, first: int, n: int) -> FloatArray:
        """(n,) 0..1 of the samples from ``first``: how much of what was there is gone."""
        return _slopes(first, n, self.begin, self.end, self.fade)

    def take(self, first: int, n: int) -> FloatArray:
        """(n, channels) of the samples from ``first``: what is new. Call it once for each."""
        out = np.zeros((n, self.source.channels), np.float32)
        low, high = max(self.begin - first, 0), min(self.said_until - first, n)
        if high <= low:
            return out
        while self.skip:
            self.skip -= len(self.source.take(min(self.skip, 1 << 16)))
        out[low:high] = self.source.take(high - low)
        return out * _slopes(first, n, self.begin, self.said_until, self.fade)[:, None]


def _slopes(first: int, n: int, begin: int, end: int, fade: int) -> FloatArray:
    """(n,) 0 outside of ``begin`` … ``end``, 1 inside, with slopes inside."""
    at = np.arange(first, first + n)
    inside = np.minimum(at + 1 - begin, end - at) / fade
    return np.asarray(inside.clip(0, 1), np.float32)
