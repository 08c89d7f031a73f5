"""Frames and sound out of a media file, one at a time."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import av.error
import numpy as np
import numpy.typing as npt

from labial.errors import ReadError, SpeechError
from labial.media.formats import color_of, planes_of
from labial.media.probe import (
    VideoInfo,
    audio_stream,
    clockwise,
    decoded,
    open_input,
    probe,
    show,
    video_stream,
)
from labial.types import Audio, Frame

_RESET_SECONDS = 1
_GAP_SECONDS = Fraction(1, 25)
_LONGEST_GAP_SECONDS = 60


class VideoReader:
    """Read the frames of a file's main video stream.

    Parameters
    ----------
    path
        Video, or a still picture (one frame).

    Attributes
    ----------
    info : VideoInfo
        The stream.
    skipped : int
        Damaged packets and frames with a repeated time that the last :meth:`frames` left out.
    resized : int
        Frames that the last :meth:`frames` scaled or converted, because the size or format
        changed in mid-stream.

    Raises
    ------
    ReadError
        The file cannot be read, or has no video stream.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.media = probe(self.path)
        if self.media.video is None:
            raise ReadError(f"no video stream in {show(self.path)}: it holds only sound")
        self.info: VideoInfo = self.media.video
        self.skipped = 0
        self.resized = 0
        self._open: list[Generator[Frame, None, None]] = []

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all iterators and let go of the file."""
        for frames in self._open:
            frames.close()
        self._open.clear()

    def frames(self) -> Iterator[Frame]:
        """Yield all frames in presentation order, from the start; each call starts anew.

        ``pts`` strictly increase. A missing time is the previous frame's time plus its
        duration; a frame whose time was already passed is left out; when times jump back by
        more than a second (joined recordings), the rest follows on without a gap.

        Planes may be kept. They are read-only: the decoder still refers to them.

        Raises
        ------
        ReadError
            While iterating, when not one frame can be decoded.
        """
        frames = self._frames()
        self._open.append(frames)
        return frames

    def _frames(self) -> Generator[Frame, None, None]:
        self.skipped = self.resized = 0
        index = 0
        with open_input(self.path) as container:
            stream = video_stream(container)
            if stream is None:
                raise ReadError(f"no video stream in {show(self.path)}: it holds only sound")
            stream.thread_type = "AUTO"
            for picture, pts in self._timed(decoded(container, stream)):
                yield self._frame(picture, pts, index)
                index += 1
        if index == 0:
            raise ReadError(f"not one frame of {show(self.path)} can be decoded: it is damaged")

    def _timed(self, pictures: Iterator[Any]) -> Iterator[tuple[Any, int]]:
        """Pair pictures with strictly increasing pts."""
        info = self.info
        usual = max(1, round(1 / (info.rate * info.time_base)))
        reset = _RESET_SECONDS / info.time_base
        last: int | None = None
        step = usual
        offset = 0
        for picture in pictures:
            if picture is None:
                self.skipped += 1
                continue
            pts = picture.pts if picture.pts is not None else picture.dts
            if pts is None:
                pts = info.start if last is None else last + step
            else:
                pts += offset
            if last is not None and pts <= last:
                if last - pts <= reset:
                    self.skipped += 1
                    continue
                offset += last + step - pts
                pts = last + step
            last, step = pts, picture.duration or usual
            yield picture, pts

    def _frame(self, picture: Any, pts: int, index: int) -> Frame:
        info = self.info
        rotation, interlaced = clockwise(picture), picture.interlaced_frame
        color, duration = color_of(picture, info.color), picture.duration or 0
        if (picture.width, picture.height) != (info.width, info.height):
            self.resized += 1
            picture = picture.reformat(info.width, info.height, info.format.name, threads=1)
        layout, planes = planes_of(picture)
        if layout != info.format:
            self.resized += 1
            layout, planes = planes_of(picture.reformat(format=info.format.name, threads=1))
        return Frame(
            planes=planes,
            format=layout,
            pts=pts,
            time_base=info.time_base,
            duration=duration,
            index=index,
            color=color,
            rotation=rotation,
            interlaced=interlaced,
        )


def sound(container: Any, stream: Any) -> Iterator[Any]:
    """Yield decoded audio frames of one format without gaps.

    Damaged packets are left out; silence stands in for what a stream leaves out (over 40 ms,
    up to a minute), so that what follows stays at its own time.
    """
    rate = stream.codec_context.sample_rate
    end: Fraction | None = None
    for frame in decoded(container, stream):
        if frame is None or frame.samples == 0:
            continue
        rate = frame.sample_rate
        length = Fraction(frame.samples, rate)
        if frame.pts is not None:
            start = frame.pts * frame.time_base
            gap = start - end if end is not None else Fraction(0)
            if _GAP_SECONDS < gap <= _LONGEST_GAP_SECONDS:
                yield from _silence(frame, round(gap * rate))
            end = start + length
        elif end is not None:
            end += length
        yield frame


def _silence(like: Any, samples: int) -> Iterator[Any]:
    rate = like.sample_rate
    while samples > 0:
        n = min(samples, rate)
        shape = list(like.to_ndarray().shape)
        shape[1] = n if like.format.is_planar else n * like.layout.nb_channels
        array = np.zeros(shape, like.to_ndarray().dtype)
        if like.format.name.startswith("u8"):
            array += 128
        frame = av.AudioFrame.from_ndarray(array, like.format.name, like.layout.name)
        frame.sample_rate = rate
        yield frame
        samples -= n


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


class _Mixer:
    """Any frames of one stream → mono at ``rate``; counts samples that are not numbers."""

    def __init__(self, rate: int) -> None:
        self.bad = 0
        self.first_bad = 0.0
        self._rate = rate
        self._heard = 0.0
        self._mono: Any = None
        self._shape: tuple[int, str] | None = None

    def feed(self, frame: Any) -> Iterator[npt.NDArray[np.float32]]:
        shape = frame.sample_rate, frame.layout.name
        if shape != self._shape:
            yield from self.finish()
            self._shape = shape
            self._flat = av.AudioResampler("fltp", frame.layout, frame.sample_rate)
            self._weights = _channel_weights(frame.layout)
            self._mono = av.AudioResampler("fltp", "mono", self._rate)
        frame.pts = None
        for part in self._flat.resample(frame):
            yield from self._mix(part)

    def _mix(self, part: Any) -> Iterator[npt.NDArray[np.float32]]:
        rate = part.sample_rate
        mono = self._weights @ part.to_ndarray()
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
        if self._mono is not None:
            for block in self._mono.resample(None):
                yield block.to_ndarray()[0]


def read_audio(path: str | os.PathLike[str], rate: int = 16000) -> Audio:
    """Read the main audio stream of a file as mono.

    Channels are averaged (stereo: the mean; surround: centre at full weight, left and right
    3 dB and the others 6 dB less, together 1). Damaged packets are left out.

    Parameters
    ----------
    rate
        Samples a second of the result.

    Raises
    ------
    ReadError
        The file is missing, empty or not media.
    SpeechError
        There is no audio stream, it holds no sound, or samples that are not numbers.
    """
    path = Path(path)
    container, stream = open_sound(path)
    blocks: list[npt.NDArray[np.float32]] = []
    mixer = _Mixer(rate)
    with container, np.errstate(invalid="ignore"):
        for frame in sound(container, stream):
            blocks.extend(mixer.feed(frame))
        blocks.extend(mixer.finish())
    samples = np.concatenate(blocks) if blocks else np.zeros(0, np.float32)
    if mixer.bad:
        raise SpeechError(
            f"{show(path)}: {mixer.bad} samples are not numbers (NaN or infinite), the first at "
            f"{mixer.first_bad:.2f} s: export the speech again"
        )
    if not len(samples):
        raise SpeechError(f"{show(path)} holds no sound: give a file with speech")
    return Audio(samples, rate)
