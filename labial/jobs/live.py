"""The newest frame of what is being made, as a small picture that anybody may look at meanwhile."""

from __future__ import annotations

import time
from pathlib import Path

from labial.media.picture import small_rgb8, write_jpeg
from labial.types import Frame

_PIXELS, _SECONDS, _QUALITY = 640, 1.0, 80
# Where a picture takes long, there are fewer: they must not slow the work down.
_SHARE = 0.01


class LiveFrame:
    """Is shown frames as a :data:`labial.types.Watch`, and writes one of them a second at most.

    Parameters
    ----------
    path
        JPEG file; each picture replaces the one before it, whole.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._next = 0.0

    def __call__(self, frame: Frame) -> None:
        """Take notice of a frame.

        Raises
        ------
        WriteError
            The disk is full.
        """
        began = time.monotonic()
        if began < self._next:
            return
        write_jpeg(self._path, small_rgb8(frame, _PIXELS), _QUALITY)
        done = time.monotonic()
        self._next = done + max(_SECONDS, (done - began) / _SHARE)
