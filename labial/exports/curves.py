"""Coarticulation: curves in which each sound pulls at the mouth before and after its own time.

Dominance functions after Cohen & Massaro, "Modeling coarticulation in synthetic visual speech"
(1993): a segment's hold on a channel falls off exponentially with the time to its centre, and the
channel is the mean of the segments' targets, weighted by their holds. A closure of the lips holds
hard on what the lips do and softly on the rest; a consonant made behind the teeth holds on hardly
anything, and takes the shape of the vowels around it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from labial.speech.segments import Phone
from labial.speech.visemes import VISEME_OF, VISEMES

FALL_PER_SECOND = 30.0
"""How fast a segment's hold falls off."""
EDGE_SECONDS = 0.06
"""A segment longer than twice this holds fully in between."""
CHUNK_FRAMES = 4096
_NEIGHBOURS = 7

Curves = npt.NDArray[np.float64]


def blend(
    phones: Sequence[Phone], targets: Curves, strength: Curves, times: Curves
) -> Iterator[Curves]:
    """Yield (≤ ``CHUNK_FRAMES``, C) values of C channels, chunk by chunk of ``times``.

    Parameters
    ----------
    phones
        In order, without gaps.
    targets
        (15, C): value of each channel in each of the Oculus visemes.
    strength
        (15, C) > 0: how hard each viseme holds on each channel.
    times
        (F,) rising, in seconds.
    """
    kinds = np.array([VISEMES.index(VISEME_OF[phone.name]) for phone in phones], np.intp)
    onsets = np.array([phone.onset for phone in phones])
    releases = np.array([phone.release for phone in phones])
    peaks = np.array([phone.peak for phone in phones])
    first = np.minimum(onsets + EDGE_SECONDS, peaks)
    last = np.maximum(releases - EDGE_SECONDS, peaks)
    for start in range(0, len(times), CHUNK_FRAMES):
        t = times[start : start + CHUNK_FRAMES]
        if not len(phones):
            yield np.broadcast_to(targets[0], (len(t), targets.shape[1]))
            continue
        middle = np.maximum(np.searchsorted(onsets, t, "right") - 1, 0)
        total = np.full((len(t), targets.shape[1]), 1e-12)
        value = np.zeros_like(total)
        for step in range(-_NEIGHBOURS, _NEIGHBOURS + 1):
            k = middle + step
            known = (k >= 0) & (k < len(phones))
            k = k.clip(0, len(phones) - 1)
            away = np.maximum(np.maximum(first[k] - t, t - last[k]), 0)
            hold = strength[kinds[k]] * (np.exp(-FALL_PER_SECOND * away) * known)[:, None]
            total += hold
            value += hold * targets[kinds[k]]
        yield value / total


# A closure of the lips or of lip and teeth must be reached; the tongue's consonants give way.
_STRENGTH = {"sil": 0.6, "PP": 1.2, "FF": 1.1, "CH": 0.9, "SS": 0.7, "RR": 0.6, "aa": 0.9,
             "E": 0.7, "ih": 0.7, "oh": 0.9, "ou": 1.0}  # fmt: skip


def viseme_weights(phones: Sequence[Phone], times: Curves) -> Iterator[Curves]:
    """Yield (≤ ``CHUNK_FRAMES``, 15) weights of the Oculus visemes; each row sums to 1."""
    strength = np.array([_STRENGTH.get(name, 0.5) for name in VISEMES])
    for rows in blend(phones, np.eye(15), np.repeat(strength[:, None], 15, 1), times):
        yield rows / rows.sum(1, keepdims=True)
