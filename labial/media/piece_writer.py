"""Pieces of an output, without the output."""

from __future__ import annotations

import os
from fractions import Fraction
from types import TracebackType

import av

from labial.media.encode import Picture
from labial.media.encoders import EncodeSettings
from labial.media.probe import MediaInfo, open_input
from labial.media.write import VideoWriter


class PieceWriter(VideoWriter):
    """Encode pieces as :class:`VideoWriter` does; they go to the ``sink``, and nowhere else.

    Parameters
    ----------
    target, source, settings, copied_depth
        As for :class:`VideoWriter`; nothing is written to ``target``.
    """

    def __init__(
        self,
        target: str | os.PathLike[str],
        source: MediaInfo,
        settings: EncodeSettings,
        copied_depth: int | None = None,
    ) -> None:
        super().__init__(target, source, settings, copied_depth=copied_depth)

    def __enter__(self) -> PieceWriter:
        super().__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._discard()

    def _configure(self) -> None:
        # Encoders are told what the container wants; the head of the file is all that is muxed.
        self._out = av.open(os.devnull, "w", format=self._container.muxer)
        with open_input(self.source.path) as origin:
            self._add_video(origin.streams[self._video.index])

    def _start(self, time: Fraction) -> None:
        """There is nothing beside the pictures."""

    def _packets_of(self, pictures: list[Picture]) -> None:
        for picture in pictures:
            if self.sink is not None:
                self.sink(picture)
