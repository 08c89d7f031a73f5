"""Frames of a file in any order: forwards, backwards, again, with little memory."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from labial.errors import ReadError
from labial.media.gops import Gops
from labial.media.probe import VideoInfo
from labial.media.read import VideoReader
from labial.media.spool import large_folder
from labial.types import Frame

Rows = npt.NDArray[np.int64]

HELD_BYTES = 64 << 20
"""Of frames that are read ahead to be shown backwards, in memory."""
SPOOLED_BYTES = 4 << 30
"""The same in a temporary file, where decoding cannot start often enough."""
# A chunk in memory may cost so many times its own frames in decoding.
_DEAREST = 4


@dataclass(frozen=True)
class Order:
    """The order in which frames of a file are shown.

    Parameters
    ----------
    rows
        (m,) indices of the frames, in any order.
    pts
        (n,) times of all frames of the file.
    gops
        Its groups of pictures.
    """

    rows: Rows
    pts: Rows
    gops: Gops

    def frames(self, reader: VideoReader, places: Rows) -> Iterator[Frame]:
        """Yield the frames at some of the m places, as the file has them.

        Where rows increase, frames are decoded forwards, from the last place before them at which
        decoding can start; one that comes several times in a row is decoded once. Where they
        decrease, chunks are decoded forwards and yielded backwards. A chunk lies in memory, up to
        :data:`HELD_BYTES`; where the file cannot be searched, or only in long steps, in a temporary
        file of up to :data:`SPOOLED_BYTES`.

        Raises
        ------
        ReadError
            The file is not what it was when ``pts`` and ``gops`` were read.
        """
        forward = _Forward(reader, self.pts, self.gops)
        for run in _runs(self.rows[places]):
            if len(run) > 1 and run[1] < run[0]:
                yield from _backwards(forward, run)
            else:
                for row in run.tolist():
                    yield forward.frame(row)


def _runs(rows: Rows) -> Iterator[Rows]:
    """Stretches that go forwards, or stay, and such that go backwards."""
    steps = np.diff(rows)
    first = 0
    while first < len(rows):
        rest = steps[first:]
        turned = np.flatnonzero(rest >= 0 if len(rest) and rest[0] < 0 else rest < 0)
        end = first + int(turned[0]) + 1 if len(turned) else len(rows)
        yield rows[first:end]
        first = end


@dataclass
class _Forward:
    """Reads on, or starts at a better place."""

    reader: VideoReader
    pts: Rows
    gops: Gops
    _frames: Iterator[Frame] | None = None
    _last: Frame | None = None

    def frame(self, row: int) -> Frame:
        """Return one frame; the next should not be before it."""
        last, start = self._last, self.gops.start(row)
        if last is not None and last.index == row:
            return last
        if last is None or last.index > row or last.index + 1 < start:
            self.forget()
            self._frames = self.reader.frames((start, int(self.pts[start])) if start else None)
        assert self._frames is not None
        for frame in self._frames:
            self._last = frame
            if frame.index >= row:
                return frame
        raise ReadError(f"{self.reader.path} changed while it was read: start again")

    def forget(self) -> None:
        """Let go of the file."""
        self.reader.close()
        self._frames = self._last = None


def _backwards(forward: _Forward, rows: Rows) -> Iterator[Frame]:
    size = max(1, _frame_bytes(forward.reader.info))
    held, most = max(1, HELD_BYTES // size), max(1, SPOOLED_BYTES // size)
    first = 0
    while first < len(rows):
        start = forward.gops.start(int(rows[first]))
        reach = int(rows[first]) - start + 1
        spooled = reach > _DEAREST * held
        count = min(most if spooled else held, len(rows) - first)
        wanted = rows[first : first + count]
        # What is decoded but not shown costs time: end where decoding starts, if that is in sight.
        starts = forward.gops.first
        whole = starts[(starts >= wanted[-1]) & (starts <= wanted[0])]
        if len(whole) and first + count < len(rows) and not spooled:
            wanted = wanted[wanted >= whole[0]]
        with _Pile(spooled) as pile:
            for row in wanted[::-1].tolist():
                pile.put(forward.frame(row))
            forward.forget()
            for _ in wanted:
                yield pile.take()
        first += len(wanted)


def _frame_bytes(info: VideoInfo) -> int:
    layout = info.format
    shapes = (layout.plane_shape(i, info.height, info.width) for i in range(layout.n_planes))
    return sum(h * w for h, w in shapes) * (1 if layout.bits == 8 else 2)


class _Pile:
    """Frames that are put down one after the other and taken from the top.

    Parameters
    ----------
    spooled
        They lie in a temporary file, one after the other, planes as they are.
    """

    def __init__(self, spooled: bool) -> None:
        self._file: IO[bytes] | None = None
        self._frames: list[Frame] = []
        self._facts: list[dict[str, Any]] = []
        if spooled:
            self._file = tempfile.TemporaryFile(  # noqa: SIM115
                prefix="labial-frames-", dir=large_folder()
            )

    def __enter__(self) -> _Pile:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def put(self, frame: Frame) -> None:
        """Put a frame on top."""
        if self._file is None:
            self._frames.append(frame)
            return
        facts = {f.name: getattr(frame, f.name) for f in fields(frame) if f.name != "planes"}
        shapes = [(plane.shape, plane.dtype) for plane in frame.planes]
        self._facts.append(facts | {"shapes": shapes, "at": self._file.seek(0, 2)})
        for plane in frame.planes:
            self._file.write(np.ascontiguousarray(plane).data)

    def take(self) -> Frame:
        """Take the frame on top away."""
        if self._file is None:
            return self._frames.pop()
        facts = self._facts.pop()
        self._file.seek(facts.pop("at"))
        planes = []
        for shape, dtype in facts.pop("shapes"):
            size = int(np.prod(shape)) * dtype.itemsize
            plane = np.frombuffer(self._file.read(size), dtype).reshape(shape)
            planes.append(plane)
        return Frame(planes=tuple(planes), **facts)
