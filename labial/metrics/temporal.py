"""How a moving picture trembles: arrays → numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Sequence = npt.NDArray[np.floating[Any]]


class Trembling:
    """:func:`trembling` of frames that come one at a time, so that their number does not matter."""

    def __init__(self) -> None:
        self._last: list[npt.NDArray[np.float64]] = []
        self._total = 0.0
        self._count = 0

    def add(self, frame: Sequence) -> None:
        """Take (h, w) or (h, w, channels), 0..1, the next one in time."""
        x = np.asarray(frame, np.float64)
        if len(self._last) == 2:
            a, b = self._last
            self._total += float((((a - 2 * b + x) / 4) ** 2).mean())
            self._count += 1
        self._last = [*self._last[-1:], x]

    def cut(self) -> None:
        """Say that the next frame does not follow the last."""
        self._last = []

    @property
    def count(self) -> int:
        """Frames that had both neighbours."""
        return self._count

    @property
    def energy(self) -> float:
        """The mean so far, 0 and up."""
        return self._total / max(self._count, 1)


def trembling(frames: Sequence) -> float:
    """Energy of the fastest changes, 0 and up: mean square second difference in time.

    Parameters
    ----------
    frames
        (n, h, w) or (n, h, w, channels), n of 3 and more, 0..1, at a steady rate. The box should
        move with the head, so that what is left is the face's own motion, and noise.

    Raises
    ------
    ValueError
        There are fewer than 3 frames.

    Notes
    -----
    The filter is (1, -2, 1) / 4: 1 for what alternates from frame to frame, 0 for what stays or
    changes evenly.
    """
    if len(frames) < 3:
        raise ValueError(f"{len(frames)} frames, 3 are needed")
    found = Trembling()
    for frame in frames:
        found.add(frame)
    return found.energy


def flicker(frames: Sequence, source: Sequence) -> float:
    """Ratio of :func:`trembling`, 0 and up: 1 is as steady as the source, more flickers.

    Parameters
    ----------
    frames
        The output's box.
    source
        The same box as filmed, with the same movement of the mouth if there is such a take; any
        number of frames, of the same rate and scale.

    Returns
    -------
    The ratio; 1 where both stand still, ``inf`` where only the source does.

    Notes
    -----
    After the temporal consistency measures of Lai et al., "Learning blind video temporal
    consistency", ECCV 2018, with the head's pose in place of optical flow, since the source's
    flow knows nothing of a mouth that moves otherwise.
    """
    return flicker_ratio(trembling(frames), trembling(source))


def flicker_ratio(have: float, had: float) -> float:
    """:func:`flicker` of what :func:`trembling` makes of the output and of the source."""
    if had == 0:
        return 1.0 if have == 0 else float("inf")
    return have / had
