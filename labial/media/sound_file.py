"""Sound of any file in blocks of all its channels, and sound that was made, into a file."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import av.error
import numpy as np

from labial.errors import WriteError
from labial.media.place import Place
from labial.media.probe import show
from labial.media.sound import open_sound, samples_of, sound
from labial.types import Audio, FloatArray

ENDING = ".caf"
"""Of the files that :class:`SoundWriter` writes."""
_BLOCK = 1 << 16
_CODEC, _MUXER = "pcm_f32be", "caf"
# What a number of channels means in a file that does not say.
_USUAL = {1: "mono", 2: "stereo", 3: "2.1", 4: "quad", 6: "5.1", 8: "7.1"}


@dataclass(frozen=True)
class SoundInfo:
    """What blocks of sound are.

    Parameters
    ----------
    rate
        Samples a second.
    layout
        FFmpeg's name of the channels, such as ``mono``, ``stereo`` or ``5.1``.
    channels
        Their number.
    """

    rate: int
    layout: str
    channels: int


def sound_info(path: str | os.PathLike[str]) -> SoundInfo:
    """Return rate and channels of a file's main sound.

    Raises
    ------
    ReadError, SpeechError
        It cannot be read, or has no sound.
    """
    container, stream = open_sound(Path(path))
    with container:
        context = stream.codec_context
        return SoundInfo(context.sample_rate, _named(context.layout), context.layout.nb_channels)


def sound_blocks(
    path: str | os.PathLike[str], rate: int | None = None, layout: str | None = None
) -> Iterator[FloatArray]:
    """Yield (n, channels) float32 blocks of a file's main sound, without gaps.

    Time 0 is the first sample yielded, as for :func:`labial.media.sound.read_audio`: that of the
    picture's first frame where there is one.

    Parameters
    ----------
    rate, layout
        To be brought to; None keeps the file's own, as :func:`sound_info` tells it.

    Raises
    ------
    ReadError, SpeechError
        While iterating: it cannot be read, or has no sound.
    """
    container, stream = open_sound(Path(path))
    with container:
        context = stream.codec_context
        resampler = av.AudioResampler(
            "flt", layout or _named(context.layout), rate or context.sample_rate
        )
        shape = None
        for frame in sound(container, stream):
            now = frame.sample_rate, frame.layout.name, frame.format.name
            if shape is not None and now != shape:
                yield from (samples_of(part) for part in resampler.resample(None))
                resampler = av.AudioResampler("flt", resampler.layout, resampler.rate)
            shape, frame.pts = now, None
            yield from (samples_of(part) for part in resampler.resample(frame))
        if shape is not None:
            yield from (samples_of(part) for part in resampler.resample(None))


def _named(layout: Any) -> str:
    """FFmpeg's name of a layout, which some files leave out."""
    count = int(layout.nb_channels)
    name = str(layout.name)
    return _USUAL.get(count, "stereo") if "channel" in name else name


class SoundWriter:
    """Write sound that was made, block by block, under a temporary name until it is complete.

    Its 32-bit floats are big-endian, which no output container takes over packet by packet: what
    is delivered is encoded as suits the container, while a user's own file may be copied.

    Parameters
    ----------
    path
        Target, ending in :data:`ENDING`.
    rate
        Samples a second.
    layout
        FFmpeg's name of the channels.
    """

    def __init__(self, path: str | os.PathLike[str], rate: int, layout: str = "mono") -> None:
        self._place = Place(Path(path))
        self._rate, self._layout = rate, layout
        self.samples = 0
        """Samples written for each channel."""
        self._out: Any = None

    def __enter__(self) -> SoundWriter:
        with self._errors():
            self._out = av.open(self._place.opened, "w", format=_MUXER)
            self._stream = self._out.add_stream(_CODEC, rate=self._rate, layout=self._layout)
        return self

    def write(self, block: FloatArray) -> None:
        """Append (n, channels) or, for one channel, (n,) float32 samples.

        Raises
        ------
        WriteError
            The disk is full.
        """
        flat = np.ascontiguousarray(block, np.float32).reshape(1, -1)
        if not flat.size:
            return
        frame = av.AudioFrame.from_ndarray(flat, "flt", self._layout)
        frame.sample_rate, frame.pts = self._rate, self.samples
        frame.time_base = Fraction(1, self._rate)
        self.samples += frame.samples
        with self._errors():
            self._out.mux(self._stream.encode(frame))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            with contextlib.suppress(Exception):
                self._out.close()
            self._place.discard()
            return
        try:
            with self._errors():
                self._out.mux(self._stream.encode(None))
                self._out.close()
                self._place.commit()
        except BaseException:
            self._place.discard()
            raise

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (av.error.FFmpegError, OSError) as error:
            reason = error.strerror or str(error)
            raise WriteError(f"cannot write {show(self._place.target)}: {reason}") from error


def write_audio(audio: Audio, path: str | os.PathLike[str]) -> None:
    """Write mono sound to a file ending in :data:`ENDING`.

    Raises
    ------
    WriteError
        It cannot be written.
    """
    with SoundWriter(path, audio.rate) as out:
        for first in range(0, len(audio.samples), _BLOCK):
            out.write(audio.samples[first : first + _BLOCK])
