"""Sound out of a media file: on one clock with the picture, without gaps, as mono."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from labial.errors import SpeechError
from labial.media.probe import audio_stream, decoded, open_input, show, video_stream
from labial.media.read import RESET_SECONDS
from labial.media.spool import Spool
from labial.types import Audio

_GAP_SECONDS = Fraction(1, 25)
# Longer ones are believed when the file is as long as that.
_LONGEST_GAP_SECONDS = 60
_ROUNDED_SECONDS = Fraction(2, 1000)
_TRIED_PACKETS = 150
# PyAV (18) runs past the end of the list of planes when there are this many.
_UNSAFE_PLANES = 8
_MIXED_SAMPLES = 2048
_PHASE_SECONDS, _CANCELLED, _TURN_SECONDS = 0.2, 0.01, 0.01


@dataclass
class Losses:
    """What :func:`sound` could not read: damaged packets, and seconds of silence in their place."""

    packets: int = 0
    seconds: Fraction = Fraction(0)


def sound(container: Any, stream: Any, lost: Losses | None = None) -> Iterator[Any]:
    """Yield decoded audio frames without gaps, each at its own time.

    Where the file has a picture, they begin with its first frame: what sounds before is left out,
    silence stands in for what is not there yet. Damaged packets are left out, and silence stands
    in for all that a stream leaves out, so that what follows stays at its own time. When times
    jump back by more than a second (joined recordings), the rest follows on.

    Parameters
    ----------
    lost
        Is counted up while iterating.
    """
    clock = _SoundClock(container, stream, lost if lost is not None else Losses())
    for frame in decoded(container, stream):
        if frame is None:
            clock.miss()
        elif frame.samples:
            yield from clock.placed(frame)


class _SoundClock:
    """Puts each decoded frame of a stream at its time in a sound without gaps."""

    def __init__(self, container: Any, stream: Any, lost: Losses) -> None:
        self._container, self._stream, self._lost = container, stream, lost
        self._at = _picture_begin(container)  # where what was yielded ends
        self._running = self._hurt = False
        self._skew = self._lag = Fraction(0)

    def miss(self) -> None:
        """Count a packet that could not be decoded."""
        self._lost.packets += 1
        self._hurt = True

    def placed(self, frame: Any) -> Iterator[Any]:
        """Yield the silence before a frame and the frame, or what of it is not too early."""
        rate = frame.sample_rate
        first, start = None, self._at
        if frame.pts is not None:
            start = frame.pts * frame.time_base + self._skew
        if self._running and self._at is not None and start is not None:
            at, gap = self._at, self._gap(start - self._at, start)
        else:
            start = Fraction(0) if start is None else start
            at = first = self._begin(start)
            early = max(round((at - start) * rate), 0)
            if early >= frame.samples:
                return
            if early:
                frame, start = frame_like(frame, samples_of(frame)[early:]), at
            gap, self._running = max(start - at, Fraction(0)), True
        if self._hurt or first is None:
            self._lost.seconds += gap
        self._hurt = False
        samples = round(gap * rate)
        if first is not None and not samples:
            frame.pts, frame.time_base = first.numerator, Fraction(1, first.denominator)
        if samples:
            yield from silence(frame, samples, first)
        self._at = at + Fraction(samples + frame.samples, rate)
        yield frame

    def _begin(self, start: Fraction) -> Fraction:
        """Time at which the sound begins, given that of its first frame."""
        if self._at is None and self._hurt and self._stream.start_time is not None:
            self._at = self._stream.start_time * self._stream.time_base
        if self._at is None or not self._believed(start, self._at):
            self._at = start
        return self._at

    def _gap(self, drift: Fraction, start: Fraction) -> Fraction:
        """Seconds of silence before a frame that comes ``drift`` later than all that was yielded.

        Times are rounded, and some are shaky: what is a little late is no gap.
        """
        wild = drift > _GAP_SECONDS and not self._believed(start, start - drift)
        if drift < -RESET_SECONDS or wild:
            self._skew -= drift
            drift = Fraction(0)
        gap = drift if drift > _GAP_SECONDS else Fraction(0)
        if self._hurt and drift - self._lag > _ROUNDED_SECONDS:
            gap = drift - self._lag
        self._lag = drift - gap
        return gap

    def _believed(self, one: Fraction, other: Fraction) -> bool:
        """Whether what lies between two times may be a gap, and neither of them a wild number."""
        if abs(one - other) <= _LONGEST_GAP_SECONDS:
            return True
        begin, length = self._container.start_time or 0, self._container.duration
        return length is not None and max(one, other) < Fraction(begin + length, av.time_base)


def _picture_begin(container: Any) -> Fraction | None:
    """Time of the first frame that :class:`VideoReader` would yield; None without a picture."""
    if video_stream(container) is None:
        return None
    with open_input(Path(container.name)) as again:
        stream = video_stream(again)
        base = stream.time_base or Fraction(1, 25)
        for picture in islice(decoded(again, stream), _TRIED_PACKETS):
            if picture is not None:
                pts = picture.pts if picture.pts is not None else picture.dts
                return Fraction((stream.start_time or 0 if pts is None else pts) * base)
    return None


def silence(like: Any, samples: int, begin: Fraction | None = None) -> Iterator[Any]:
    """Yield so many samples of silence, of a frame's shape; ``begin`` is the time of the first."""
    rest = 128 if like.format.name.startswith("u8") else 0
    dtype = samples_of(like).dtype
    while samples > 0:
        n = min(samples, like.sample_rate)
        quiet = frame_like(like, np.full((n, like.layout.nb_channels), rest, dtype))
        if begin is not None:
            quiet.pts, quiet.time_base = begin.numerator, Fraction(1, begin.denominator)
        yield quiet
        begin = None
        samples -= n


def samples_of(frame: Any) -> npt.NDArray[Any]:
    """Samples of an audio frame, (n, channels) of its own type."""
    channels = frame.layout.nb_channels
    if frame.format.is_planar and channels >= _UNSAFE_PLANES:
        frame = _in_format(frame, frame.format.packed.name)
    array: npt.NDArray[Any] = frame.to_ndarray()
    return array.T if frame.format.is_planar else array.reshape(-1, channels)


def frame_like(like: Any, samples: npt.NDArray[Any]) -> Any:
    """An audio frame of (n, channels) samples with all else as in ``like``, but without a time."""
    wanted = like.format
    planar = wanted.is_planar and samples.shape[1] < _UNSAFE_PLANES
    array = np.ascontiguousarray(samples.T if planar else samples.reshape(1, -1))
    name = wanted.name if planar or not wanted.is_planar else wanted.packed.name
    frame = av.AudioFrame.from_ndarray(array, name, like.layout)
    frame.sample_rate = like.sample_rate
    return frame if name == wanted.name else _in_format(frame, wanted.name)


def _in_format(frame: Any, name: str) -> Any:
    """The same samples, packed or planar, without a time."""
    pts, frame.pts = frame.pts, None
    (converted,) = av.AudioResampler(name, frame.layout, frame.sample_rate).resample(frame)
    frame.pts = pts
    return converted


def open_sound(path: Path) -> tuple[Any, Any]:
    """Open a file and its main audio stream; the caller closes the container.

    Raises
    ------
    ReadError, SpeechError
        As :func:`read_audio`.
    """
    container = open_input(path)
    stream = audio_stream(container)
    if stream is None:
        container.close()
        raise SpeechError(f"no audio stream in {show(path)}: give a file with speech")
    return container, stream


# ITU-R BS.775: what a channel adds to mono; low frequency effects add nothing.
_WEIGHTS = {"FC": 1.0, "FL": 0.5**0.5, "FR": 0.5**0.5, "LFE": 0.0, "LFE2": 0.0}
_SURROUND_WEIGHT = 0.5


def _channel_weights(layout: Any) -> npt.NDArray[np.float32]:
    """(channels,) float32 with sum 1; equal where the layout has no names."""
    names = [channel.name for channel in layout.channels]
    weights = np.array([_WEIGHTS.get(name, _SURROUND_WEIGHT) for name in names])
    if not weights.any():
        weights[:] = 1
    share: npt.NDArray[np.float32] = (weights / weights.sum()).astype(np.float32)
    return share


class _Downmix:
    """(n, channels) → (n,); left and right that cancel each other are told apart.

    Where their sum has less than a hundredth of their difference's power, over about 0.2 s, the
    right one is turned over, until the sum is the stronger one again.
    """

    def __init__(self, layout: Any, rate: int) -> None:
        names = [channel.name for channel in layout.channels]
        self._rate = rate
        self._straight = _channel_weights(layout)
        self._turned = self._straight.copy()
        self._pair: tuple[int, int] | None = None
        if "FL" in names and "FR" in names:
            self._pair = names.index("FL"), names.index("FR")
        elif len(names) == 2:
            self._pair = 0, 1
        if self._pair is not None:
            self._turned[self._pair[1]] *= -1
        self._sum = self._difference = 0.0
        self._opposite = False

    def __call__(self, samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        before = self._opposite
        self._listen(samples)
        mono = samples @ (self._turned if self._opposite else self._straight)
        if before != self._opposite:
            other = samples @ (self._turned if before else self._straight)
            n = min(len(mono), max(1, round(_TURN_SECONDS * self._rate)))
            mono[:n] += (other[:n] - mono[:n]) * np.linspace(1, 0, n, dtype=np.float32)
        return np.asarray(mono, np.float32)

    def _listen(self, samples: npt.NDArray[np.float32]) -> None:
        if self._pair is None:
            return
        left, right = (samples[:, i].astype(np.float64) for i in self._pair)
        kept = math.exp(-len(samples) / (_PHASE_SECONDS * self._rate))
        self._sum = self._sum * kept + float(np.vdot(left + right, left + right))
        self._difference = self._difference * kept + float(np.vdot(left - right, left - right))
        if self._sum < self._difference * _CANCELLED:
            self._opposite = True
        elif self._sum > self._difference:
            self._opposite = False


class _Mixer:
    """Any frames of one stream → mono at ``rate``; counts samples that are not numbers."""

    def __init__(self, rate: int) -> None:
        self.bad = 0
        self.first_bad = 0.0
        self._rate = rate
        self._heard = 0.0
        self._mono: Any = None
        self._waiting: list[npt.NDArray[np.float32]] = []
        self._shape: tuple[int, str, str] | None = None

    def feed(self, frame: Any) -> Iterator[npt.NDArray[np.float32]]:
        shape = frame.sample_rate, frame.layout.name, frame.format.name
        if shape != self._shape:
            yield from self.finish()
            self._shape = shape
            self._flat = av.AudioResampler("flt", frame.layout, frame.sample_rate)
            self._downmix = _Downmix(frame.layout, frame.sample_rate)
            self._mono = av.AudioResampler("fltp", "mono", self._rate)
        frame.pts = None
        for part in self._flat.resample(frame):
            self._waiting.append(samples_of(part))
        # Some codecs have frames of a few milliseconds: each step has its price.
        if sum(map(len, self._waiting)) >= _MIXED_SAMPLES:
            yield from self._mix()

    def _mix(self) -> Iterator[npt.NDArray[np.float32]]:
        if not self._waiting or self._shape is None:
            return
        rate = self._shape[0]
        mono = self._downmix(np.concatenate(self._waiting))
        self._waiting.clear()
        bad = np.flatnonzero(~np.isfinite(mono))
        if len(bad):
            if not self.bad:
                self.first_bad = self._heard + bad[0] / rate
            self.bad += len(bad)
            mono[bad] = 0
        self._heard += len(mono) / rate
        out = av.AudioFrame.from_ndarray(mono[None], "fltp", "mono")
        out.sample_rate = rate
        for block in self._mono.resample(out):
            yield block.to_ndarray()[0]

    def finish(self) -> Iterator[npt.NDArray[np.float32]]:
        yield from self._mix()
        if self._mono is not None:
            for block in self._mono.resample(None):
                yield block.to_ndarray()[0]


@dataclass(frozen=True, repr=False)
class Recording(Audio):
    """Sound of a file, and what of it could not be read.

    Parameters
    ----------
    damaged
        Packets that could not be decoded.
    silenced
        Seconds of silence put in for them, and for what else the file leaves out.
    note
        What was done to it to hear it better, or could not be done, in a few words; mostly "".
    """

    damaged: int = 0
    silenced: float = 0.0
    note: str = ""


def read_audio(path: str | os.PathLike[str], rate: int = 16000) -> Recording:
    """Read the main audio stream of a file as mono.

    Time 0, the first sample returned, is the time of the picture's first frame where the file
    has a video stream: sound that begins later is preceded by silence, what sounds earlier is
    left out. Without a video stream it is the first sample, whatever time the file gives it.

    The main stream is the first that the file marks as default, else the first; others are not
    read. Channels are averaged (stereo: the mean; surround: centre at full weight, left and right
    3 dB and the others 6 dB less, together 1); where left and right would cancel each other, one
    of them is turned over. Damaged packets and gaps become silence of their length.

    Parameters
    ----------
    rate
        Samples a second of the result.

    Returns
    -------
    Recording
        Its samples lie in a temporary file, mapped read-only, when they are many; see
        :class:`labial.media.spool.Spool`.

    Raises
    ------
    ReadError
        The file is missing, empty or not media.
    SpeechError
        There is no audio stream, it holds no sound, or samples that are not numbers.
    WriteError
        There is no room for the temporary file.
    """
    path = Path(path)
    container, stream = open_sound(path)
    spool, lost = Spool(show(path)), Losses()
    mixer = _Mixer(rate)
    with container, np.errstate(invalid="ignore", over="ignore"):
        for frame in sound(container, stream, lost):
            for block in mixer.feed(frame):
                spool.append(block)
        for block in mixer.finish():
            spool.append(block)
    samples = spool.finish()
    if mixer.bad:
        raise SpeechError(
            f"{show(path)}: {mixer.bad} samples are not numbers (NaN or infinite), the first at "
            f"{mixer.first_bad:.2f} s: export the speech again"
        )
    if not len(samples):
        raise SpeechError(f"{show(path)} holds no sound: give a file with speech")
    return Recording(samples, rate, lost.packets, float(lost.seconds))
