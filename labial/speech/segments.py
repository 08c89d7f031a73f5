"""Phone posteriors to segments: which phone sounds from when to when, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from labial.speech.phones import BILABIAL, PHONE_INDEX, PHONES, SILENCE, VOWELS
from labial.types import FloatArray, SpeechTrack

MIN_SILENCE_SECONDS = 0.08
"""A shorter stop of the voice belongs to the sounds around it."""
SWITCH, STAY = float(np.log(0.2)), float(np.log(0.8))
"""Log probabilities that a phone gives way to one certain other, or goes on, from row to row."""
_FLOOR = 1e-4
# A tap may be shorter than two rows; hardly anything else is.
_SHORT = ("r", "ʔ", "h")
_MIN_ROWS = 2

Rows = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Phone:
    """One sound.

    Parameters
    ----------
    name
        Its class, one of :data:`labial.speech.phones.PHONES`; ``"sil"`` where nobody speaks.
    onset, peak, release
        Seconds: where it begins, where it is most itself, where it ends;
        ``onset <= peak <= release``. The next phone begins where this one ends.
    confidence
        0..1: mean probability that the network gave to it.
    """

    name: str
    onset: float
    peak: float
    release: float
    confidence: float

    def __post_init__(self) -> None:
        if not self.onset <= self.peak <= self.release:
            raise ValueError(f"{self.name}: {self.onset} {self.peak} {self.release} s")


def segments(track: SpeechTrack, aperture: FloatArray | None = None) -> list[Phone]:
    """Return the phones of ``track`` in order, without gaps, silence included.

    The most probable path by the algorithm of Viterbi (1967) through the posteriors, under a
    model in which every phone lasts for at least some rows. Time and memory grow with the length
    of the speech; an hour takes a few seconds and 16 MB beyond the posteriors.

    Parameters
    ----------
    track
        What the network heard, n rows.
    aperture
        (n,) opening of the mouth, in any unit. With it the peak of a bilabial is drawn to where
        the lips are closed, the peak of a vowel to where the mouth is open.
    """
    if not len(track):
        return []
    path = best_path(track.phones, track.motion.rate)
    cuts = np.flatnonzero(np.diff(path)) + 1
    starts = np.concatenate([[0], cuts])
    return phones_at(track, path[starts], starts, aperture)


def best_path(posteriors: FloatArray, rate: int) -> Rows:
    """Return the (n,) class of each row on the most probable path through (n, P) posteriors."""
    n, p = posteriors.shape
    shortest = np.full(p, _MIN_ROWS)
    shortest[[PHONE_INDEX[name] for name in _SHORT if PHONE_INDEX[name] < p]] = 1
    shortest[0] = max(1, round(MIN_SILENCE_SECONDS * rate))
    # score[k] is of the (k + 1)th row since the phone began; the last stage may last on.
    stages = int(shortest.max())
    classes, last = np.arange(p), shortest - 1
    score = np.full((stages, p), -np.inf)
    entered = np.zeros((n, p), np.uint8)  # by which class the phone was preceded on entry
    moved = np.zeros((n, p), bool)  # whether the last stage was just reached
    score[last, classes] = np.log(np.maximum(posteriors[0], _FLOOR))
    for row in range(1, n):
        ends = score[last, classes]
        before = int(ends.argmax())
        stay = ends + STAY
        score[1:] = score[:-1]
        score[0] = ends[before] + SWITCH
        reached = score[last, classes]
        moved[row] = reached > stay
        entered[row] = before
        score[last, classes] = np.maximum(reached, stay)
        score += np.log(np.maximum(posteriors[row], _FLOOR))
        score -= score.max()
    path = np.empty(n, np.intp)
    current, row = int(score[last, classes].argmax()), n - 1
    while row >= 0:
        first = row
        while first > 0 and not moved[first, current]:
            first -= 1
        first = max(first - last[current], 0) if moved[first, current] else 0
        path[first : row + 1] = current
        current, row = int(entered[first, current]), first - 1
    return path


def phones_at(
    track: SpeechTrack, classes: Rows, starts: Rows, aperture: FloatArray | None = None
) -> list[Phone]:
    """Return the phones of which the k-th is class ``classes[k]`` from row ``starts[k]`` on.

    Between two rows the border lies where the posteriors of the two classes cross.
    """
    n, rate = len(track), track.motion.rate
    edges = np.empty(len(starts) + 1)
    edges[0], edges[-1] = 0, n - 1
    left, right, row = classes[:-1], classes[1:], starts[1:]
    before = track.phones[row - 1, left] - track.phones[row - 1, right]
    after = track.phones[row, left] - track.phones[row, right]
    crosses = (before >= 0) & (after <= 0) & (before > after)
    share = np.where(crosses, before / np.where(crosses, before - after, 1), 0.5)
    edges[1:-1] = row - 1 + share
    found = []
    stops = np.append(starts[1:], n)
    for k, (start, stop) in enumerate(zip(starts, stops, strict=True)):
        name = PHONES[classes[k]]
        probability = track.phones[start:stop, classes[k]].astype(np.float64)
        peak = start + _peak(name, probability, None if aperture is None else aperture[start:stop])
        found.append(
            Phone(
                name,
                float(edges[k] / rate),
                float(np.clip(peak, edges[k], edges[k + 1]) / rate),
                float(edges[k + 1] / rate),
                float(min(probability.mean(), 1)),
            )
        )
    return found


def _peak(name: str, probability: npt.NDArray[np.float64], aperture: FloatArray | None) -> float:
    """Row, counted from the segment's first, where the phone is most itself."""
    if name == SILENCE:
        return (len(probability) - 1) / 2
    weight = probability
    if aperture is not None and (name in BILABIAL or name in VOWELS):
        reach = float(np.ptp(aperture))
        if reach > 0:
            open_ = (aperture - aperture.min()) / reach
            weight = probability * (1 + (1 - open_ if name in BILABIAL else open_))
    # A plateau has its peak in the middle.
    return float(np.flatnonzero(weight >= 0.98 * weight.max()).mean())


def voiced(track: SpeechTrack) -> list[tuple[float, float]]:
    """Return from when to when, in seconds, somebody speaks; short gaps are closed."""
    rate, voice = track.motion.rate, track.voice.astype(np.float64)
    on = voice >= 0.5
    edges = np.flatnonzero(np.diff(on.astype(np.int8)))
    times = list((edges + (0.5 - voice[edges]) / (voice[edges + 1] - voice[edges])) / rate)
    if len(on) and on[0]:
        times.insert(0, 0.0)
    if len(on) and on[-1]:
        times.append((len(on) - 1) / rate)
    spans: list[tuple[float, float]] = []
    for onset, release in zip(times[::2], times[1::2], strict=True):
        if spans and onset - spans[-1][1] < MIN_SILENCE_SECONDS:
            spans[-1] = (spans[-1][0], float(release))
        elif release > onset:
            spans.append((float(onset), float(release)))
    return spans


def extended(phones: Sequence[Phone], seconds: float) -> list[Phone]:
    """Return ``phones`` with the end of the last one moved to ``seconds``, the sound's length."""
    if not phones:
        return []
    *rest, last = phones
    end = max(seconds, last.onset)
    moved = Phone(last.name, last.onset, min(last.peak, end), end, last.confidence)
    return [*rest, moved]
