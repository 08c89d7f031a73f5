"""Times of pictures in files that count packets as they come, whatever order they are shown in."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

COUNTING = {"avi", "mxf"}
"""FFmpeg's names of containers that may do so."""


class Arrivals:
    """Gives the n-th picture that is shown the time of the n-th packet.

    Parameters
    ----------
    container
        FFmpeg's name of it.
    """

    def __init__(self, container: str) -> None:
        self._times: deque[int] = deque()
        # AVI holds no time of presentation: what FFmpeg calls one is late by its guess of a delay.
        self._decoding = container == "avi"

    def sent(self, packet: Any) -> None:
        """Take note of a packet that goes to the decoder."""
        time = packet.dts if self._decoding else packet.pts
        if time is not None:
            self._times.append(time)

    def placed(self, pictures: Iterator[Any]) -> Iterator[Any]:
        """Yield pictures at their times; None stands for a packet of which no picture came."""
        for picture in pictures:
            if picture is not None:
                picture.pts = self._times.popleft() if self._times else None
            elif self._times:
                self._times.pop()
            yield picture
