"""Frames out of a media file, one at a time."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from labial.errors import ReadError
from labial.media.deinterlace import Deinterlacer
from labial.media.formats import color_of, planes_of
from labial.media.gops import GopIndex, Gops, seek
from labial.media.probe import (
    VideoInfo,
    clockwise,
    counts_packets,
    decoded,
    open_input,
    probe,
    show,
    video_stream,
)
from labial.types import Frame

RESET_SECONDS = 1
"""Times that jump back by more begin another recording."""


class VideoReader:
    """Read the frames of a file's main video stream.

    Parameters
    ----------
    path
        Video, or a still picture (one frame).
    threads
        For decoding; 0 is as many as there are cores.

    Attributes
    ----------
    info : VideoInfo
        The stream.
    skipped : int
        Damaged packets and frames with a repeated time that the last :meth:`frames` left out.
    resized : int
        Frames that the last :meth:`frames` scaled or converted, because the size or format
        changed in mid-stream.
    straight : bool
        Whether the times of the last :meth:`frames` are the file's own, each of them.

    Raises
    ------
    ReadError
        The file cannot be read, or has no video stream.
    """

    def __init__(self, path: str | os.PathLike[str], threads: int = 0) -> None:
        self.path = Path(path)
        self._threads = threads
        self.media = probe(self.path)
        if self.media.video is None:
            raise ReadError(f"no video stream in {show(self.path)}: it holds only sound")
        self.info: VideoInfo = self.media.video
        self.skipped = 0
        self.resized = 0
        self.straight = True
        self._index: GopIndex | None = None
        self._fields = Deinterlacer()
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

    @property
    def deinterlaced(self) -> int:
        """Frames of two fields that the last :meth:`frames` made progressive."""
        return self._fields.count

    def close(self) -> None:
        """End all iterators and let go of the file."""
        for frames in self._open:
            frames.close()
        self._open.clear()

    def frames(self, start: tuple[int, int] | None = None) -> Iterator[Frame]:
        """Yield all frames in presentation order, from the start; each call starts anew.

        ``pts`` strictly increase. A missing time is the previous frame's time plus its
        duration; a frame whose time was already passed is left out; when times jump back by
        more than a second (joined recordings), the rest follows on without a gap. Interlaced
        frames are deinterlaced.

        Planes may be kept. They are read-only: the decoder still refers to them.

        Parameters
        ----------
        start
            Index and ``pts`` of a frame to begin with instead of the first. It must begin one of
            the :meth:`gops` of a ``straight`` reading of this file. Then nothing before it is
            decoded, if the file lets itself be searched.

        Raises
        ------
        ReadError
            While iterating, when not one frame can be decoded.
        """
        frames = self._frames(start)
        self._open.append(frames)
        return frames

    def gops(self, pts: npt.NDArray[np.int64]) -> Gops:
        """Return the groups of pictures seen by the last :meth:`frames`, which ran to its end.

        Parameters
        ----------
        pts
            (n,) of all frames.
        """
        if self._index is None or not self.straight or self.skipped or self.deinterlaced:
            return Gops.none()
        return self._index.finish(pts)

    def _frames(self, start: tuple[int, int] | None) -> Generator[Frame, None, None]:
        index, first = start or (0, None)
        for sought in (True, False) if first is not None else (False,):
            self._fields = Deinterlacer()
            self.skipped = self.resized = 0
            with open_input(self.path) as container:
                stream = video_stream(container)
                if stream is None:
                    raise ReadError(f"no video stream in {show(self.path)}: it holds only sound")
                context = stream.codec_context
                context.thread_type, context.thread_count = "AUTO", self._threads
                self.straight = not counts_packets(container, stream)
                self._index = GopIndex(context.codec.name, context.extradata or b"")
                if sought and first is not None and not seek(container, stream, first):
                    continue
                found = False
                timed = self._timed(decoded(container, stream, self._index.see))
                for picture, pts in self._fields.progressive(timed):
                    if first is not None and not found:
                        if pts < first:
                            continue
                        if sought and pts > first:
                            break
                    found = True
                    yield self._frame(picture, pts, index)
                    index += 1
            if found:
                return
        raise ReadError(
            f"not one frame of {show(self.path)} can be decoded: it is damaged, get it anew"
        )

    def _timed(self, pictures: Iterator[Any]) -> Iterator[tuple[Any, int]]:
        """Pair pictures with strictly increasing pts."""
        info = self.info
        usual = max(1, round(1 / (info.rate * info.time_base)))
        reset = RESET_SECONDS / info.time_base
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
                self.straight = False
            else:
                pts += offset
            if last is not None and pts <= last:
                if last - pts <= reset:
                    self.skipped += 1
                    continue
                offset += last + step - pts
                pts = last + step
                self.straight = False
            last, step = pts, picture.duration or usual
            yield picture, pts

    def _frame(self, picture: Any, pts: int, index: int) -> Frame:
        info = self.info
        rotation = clockwise(picture)
        color, duration = color_of(picture, info.color), picture.duration or 0
        if (picture.width, picture.height) != (info.width, info.height):
            self.resized += 1
            self.straight = False
            picture = picture.reformat(info.width, info.height, info.format.name, threads=1)
        layout, planes = planes_of(picture)
        if layout != info.format:
            self.resized += 1
            self.straight = False
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
        )


def length_of(path: str | os.PathLike[str]) -> Fraction:
    """Return the seconds of a file's picture, which is read through where the file does not tell.

    Raises
    ------
    ReadError
        It cannot be read, or has no picture.
    """
    with VideoReader(path) as reader:
        told = reader.info.duration or reader.media.duration
        if told is not None:
            return told
        first: Fraction | None = None
        end = Fraction(0)
        for frame in reader.frames():
            first = frame.time if first is None else first
            end = frame.time - first + (frame.duration * frame.time_base or 1 / reader.info.rate)
        return end
