"""Sound that is moved against the pictures: by a constant, and by a drift."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av

from labial.media.sound import frame_like, samples_of, silence

# The resampler counts in whole samples a second: of so many parts each, a drift is exact to 2e-8.
_PARTS = 1000
_QUALITY = "filter_size=64:linear_interp=1"


@dataclass(frozen=True)
class Move:
    """By how much a sound is to be moved.

    Parameters
    ----------
    late
        Seconds by which it is late when the picture begins; negative where it is early.
    drift
        Seconds by which it becomes later in every second.
    """

    late: Fraction
    drift: Fraction = Fraction(0)

    def applied(self, frames: Iterator[Any]) -> Iterator[Any]:
        """Yield a sound's frames moved into place.

        Parameters
        ----------
        frames
            Decoded, without gaps; they begin with the picture, and the first has a time.

        Yields
        ------
        Frames of which the first has that same time. What would sound before it is left out, to the
        sample; silence stands in for what is not there. Where there is a drift all is resampled.
        """
        placed = self._placed(frames)
        return _resampled(placed, 1 + self.drift) if self.drift else placed

    def _placed(self, frames: Iterator[Any]) -> Iterator[Any]:
        left, begin = None, None
        for frame in frames:
            if left is None:
                left = round(self.late * frame.sample_rate)
                begin = frame.pts, frame.time_base
                if left < 0:
                    quiet = list(silence(frame, -left))
                    _start(quiet[0], begin)
                    begin = None
                    yield from quiet
            if left > 0:
                skipped, left = left, max(left - frame.samples, 0)
                if skipped >= frame.samples:
                    continue
                frame = frame_like(frame, samples_of(frame)[skipped:])
            if begin is not None:
                _start(frame, begin)
                begin = None
            else:
                frame.pts = None
            yield frame


def _start(frame: Any, at: tuple[int | None, Fraction]) -> None:
    frame.pts = at[0]
    if at[0] is not None:
        frame.time_base = at[1]


def _resampled(frames: Iterator[Any], faster: Fraction) -> Iterator[Any]:
    """Play a sound so many times faster, at the same number of samples a second."""
    shape: tuple[int, str, str] | None = None
    graph: _Faster | None = None
    for frame in frames:
        own = frame.sample_rate, frame.layout.name, frame.format.name
        if own != shape:
            if graph is not None:
                yield from graph.pull(None)
            shape, graph = own, _Faster(frame, faster)
        assert graph is not None
        yield from graph.pull(frame)
    if graph is not None:
        yield from graph.pull(None)


class _Faster:
    """FFmpeg's resampler on a sound of one shape; the first frame keeps its time."""

    def __init__(self, like: Any, faster: Fraction) -> None:
        self._rate = like.sample_rate
        self._given = round(self._rate * _PARTS * faster)
        self._begin = None if like.pts is None else (like.pts, like.time_base)
        self._count = 0
        graph = av.filter.Graph()
        self._source = graph.add_abuffer(
            sample_rate=self._given, format=like.format.name, layout=like.layout.name,
            time_base=Fraction(1, self._given),
        )  # fmt: skip
        resample = graph.add("aresample", f"osr={self._rate * _PARTS}:{_QUALITY}")
        # The resampler may choose another format of samples; what follows takes any.
        self._sink = graph.add("abuffersink")
        self._source.link_to(resample)
        resample.link_to(self._sink)
        graph.configure()
        self._graph = graph

    def pull(self, frame: Any) -> Iterator[Any]:
        """Give a frame, or None at the end, and yield what is ready."""
        if frame is not None:
            n = frame.samples
            frame.sample_rate, frame.pts = self._given, self._count
            frame.time_base = Fraction(1, self._given)
            self._count += n
        self._source.push(frame)
        while True:
            try:
                out: Any = self._sink.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            out.sample_rate, out.pts = self._rate, None
            if self._begin is not None:
                _start(out, self._begin)
                self._begin = None
            yield out
