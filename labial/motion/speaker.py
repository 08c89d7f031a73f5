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
        (n, K) float32, n rows of all their tracks: their own mouth less what their own speech
        explains of it, 0 where the opening is concerned.
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
            Those of one track, among all of the person's.
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
    speaking: Sequence[FloatArray] | None = None,
) -> Speaker:
    """Learn what can be learned of one person.

    Parameters
    ----------
    tracks
        All tracks of the person, in order.
    times
        Seconds of all frames of the video on the clock of ``heard``.
    basis
        The mouth basis.
    heard
        The source's own sound as the network hears it, or None.
    new
        The speech to be put in, or None where it is not known beforehand.
    speaking
        For each track (len(track),) 0..1: how surely the person speaks and does not listen. None
        where nobody else is there. The style is learned where they speak, if they do anywhere.
    """
    own = np.concatenate([own_motion(track, basis) for track in tracks])
    quality = np.concatenate([track.quality for track in tracks])
    present = np.concatenate([track.present for track in tracks])
    trusted = present & (quality >= _TRUSTED_QUALITY) & (np.abs(own) < _TRUSTED_SIZE).all(1)
    at = np.concatenate([times[track.rows] for track in tracks])
    said = np.ones(len(at), np.float32) if speaking is None else np.concatenate([*speaking])
    talks = trusted & (said >= 0.5)
    style = fit_style(own, talks if talks.any() else trusted, at, basis, heard, new)
    unspoken = own
    if heard is not None and style.matched > 0:
        spoken = style.apply(heard.motion, basis)
        unspoken = own - style.matched * said[:, None] * sample(spoken, at)
    return Speaker(style, without_opening(unspoken, basis), trusted)
