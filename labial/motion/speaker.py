"""The filmed speaker: their own mouth over time, their style, and their slow expression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from labial.motion.retarget import own_motion, slow_part
from labial.motion.space import MouthBasis
from labial.motion.style import Style, Times, fit_style, without_opening
from labial.motion.timing import sample
from labial.types import BoolArray, FaceTrack, FloatArray, SpeechTrack

# A face that is turned or small counts for less than half; a mesh that slipped explains nothing.
_TRUSTED_QUALITY, _TRUSTED_SIZE = 0.5, 8.0
_SLOW_SECONDS = 0.7


@dataclass(frozen=True)
class Speaker:
    """What the source shows of its speaker, frame by frame.

    Parameters
    ----------
    style
        How they move.
    unspoken
        (n, K) float32: their own mouth less what their own speech explains of it, 0 where the
        opening is concerned.
    trusted
        (n,) frames in which the mouth is seen well.
    """

    style: Style
    unspoken: FloatArray
    trusted: BoolArray

    def expression(self, rows: slice, rate: float) -> FloatArray:
        """Return the slow part of what is not speech, (len(rows), K) float32.

        Parameters
        ----------
        rows
            The frames of one shot.
        rate
            Their number a second.
        """
        return slow_part(self.unspoken[rows], self.trusted[rows], _SLOW_SECONDS * rate)


def study(
    tracks: Sequence[FaceTrack],
    times: Times,
    basis: MouthBasis,
    heard: SpeechTrack | None,
    new: SpeechTrack | None,
) -> Speaker:
    """Learn what can be learned of the speaker.

    Parameters
    ----------
    tracks
        The shots, which cover all frames in order.
    times
        (n,) seconds of the frames on the clock of ``heard``.
    basis
        The mouth basis.
    heard
        The source's own sound as the network hears it, or None.
    new
        The speech to be put in, or None where it is not known beforehand.
    """
    own = np.concatenate([own_motion(track, basis) for track in tracks])
    quality = np.concatenate([track.quality for track in tracks])
    present = np.concatenate([track.present for track in tracks])
    trusted = present & (quality >= _TRUSTED_QUALITY) & (np.abs(own) < _TRUSTED_SIZE).all(1)
    style = fit_style(own, trusted, times, basis, heard, new)
    unspoken = own
    if heard is not None and style.matched > 0:
        spoken = style.apply(heard.motion, basis)
        unspoken = own - style.matched * sample(spoken, times)
    return Speaker(style, without_opening(unspoken, basis), trusted)
