"""Two fields, filmed one after the other, become one picture, at the picture's own time."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from typing import Any, TypeAlias

import av.error
from av.filter import Graph

Timed: TypeAlias = tuple[Any, int]
"""A decoded picture and its pts."""

# bwdif takes no smaller ones.
_LEAST_WIDTH, _LEAST_HEIGHT = 3, 4


class Deinterlacer:
    """Makes the interlaced pictures of a stream progressive; the others stay untouched.

    FFmpeg's bwdif looks at the pictures before and after each one, so they come out one later.
    Before the first interlaced one there is no filter at all.

    Attributes
    ----------
    count : int
        Pictures that were deinterlaced.
    """

    def __init__(self) -> None:
        self.count = 0
        self._filter: _Filter | None = None

    def progressive(self, timed: Iterable[Timed]) -> Generator[Timed, None, None]:
        """Yield each picture with the pts and the duration that it came with."""
        before: Any = None
        for picture, pts in timed:
            needed = _is_interlaced(picture)
            self.count += needed
            if self._filter is not None and self._filter.shape != _shape(picture):
                yield from self._filter.finish()
                self._filter = before = None
            if self._filter is None and not needed:
                before = picture
                yield picture, pts
                continue
            if self._filter is None:
                self._filter = _Filter(picture)
                if before is not None and _shape(before) == _shape(picture):
                    self._filter.show(before)
            yield from self._filter.feed(picture, pts)
        if self._filter is not None:
            yield from self._filter.finish()


class _Filter:
    """bwdif for pictures of one shape: each picture in comes out once, in order."""

    def __init__(self, picture: Any) -> None:
        self.shape = _shape(picture)
        width, height, name = self.shape
        graph = Graph()
        size = f"{width}x{height}"
        self._source = graph.add(
            "buffer", video_size=size, pix_fmt=name, time_base="1/1", pixel_aspect="1/1"
        )
        weaver = graph.add("bwdif", "mode=send_frame:parity=auto:deint=interlaced")
        self._sink = graph.add("buffersink")
        graph.link_nodes(self._source, weaver, self._sink).configure()
        self._graph = graph
        self._count = 0
        self._waiting: deque[tuple[int | None, int]] = deque()

    def show(self, picture: Any) -> None:
        """Let the filter see a picture that was handed out before."""
        self._push(picture, None)

    def feed(self, picture: Any, pts: int) -> Iterator[Timed]:
        self._push(picture, pts)
        return self._pull()

    def finish(self) -> Iterator[Timed]:
        self._source.push(None)
        return self._pull()

    def _push(self, picture: Any, pts: int | None) -> None:
        self._waiting.append((pts, picture.duration))
        # The filter counts; a stream's own times may have holes or run back.
        picture.pts, self._count = self._count, self._count + 1
        self._source.push(picture)

    def _pull(self) -> Iterator[Timed]:
        while True:
            try:
                picture = self._sink.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            pts, duration = self._waiting.popleft()
            if pts is None:
                continue
            picture.duration = duration
            yield picture, pts


def _shape(picture: Any) -> tuple[int, int, str]:
    return picture.width, picture.height, picture.format.name


def _is_interlaced(picture: Any) -> bool:
    large = picture.width >= _LEAST_WIDTH and picture.height >= _LEAST_HEIGHT
    return bool(picture.interlaced_frame and large)
