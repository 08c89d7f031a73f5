"""Who speaks when: several mouths, and one sound that one of them makes.

Each mouth is held against the sound by the network that knows which sound a mouth makes; the
likeliest sequence of speakers is the one of the Viterbi algorithm, for people take turns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from labial.metrics.sync import RATE, load_expert
from labial.motion.retarget import own_motion, slow_part
from labial.motion.space import load_basis
from labial.motion.timing import frame_step
from labial.types import BoolArray, FaceTrack, FloatArray, MouthMotion, SpeechTrack

Times = npt.NDArray[np.float64]

# Rows of 20 ms by which sound and picture of a clip may lie apart, and by which they certainly do
# not: there, agreement is chance.
_LAGS, _FAR = range(-8, 9), (*range(-30, -17), *range(18, 31))
# Sigma of the Gaussian through which everything is seen, in seconds.
_WINDOW = 0.3
# Log of the odds that a mouth makes the sound: of its agreement less chance, the correlation of its
# opening with the one expected, the log of its movement, and without any of them. Fitted by
# ``training/turns.py`` to people who speak against the same people with foreign sound or at rest.
_ODDS, _MOST_ODDS = (5.61, 3.58, 0.29, -0.55), 4.0
_LEAST_MOVEMENT, _LEAST_SPREAD = 5e-4, 1e-4
# These odds count so much a second, for what is seen does not change faster; a change of speaker
# costs so much. Frames in such a number are decided together.
_RATE, _CHANGE, _STEP = 2.0, 1.0, 4
# The largest face is favoured by so much a second: where there is a sound, hardly, where there is
# none, by much.
_LARGER, _LARGEST = 0.02, 10.0
_TRUSTED_QUALITY = 0.5
_LEAST_ROWS = 12
# Rows seen at once, and those seen beside them: the lags' reach, and that of the towers.
_PIECE, _MARGIN = 3000, 120


@dataclass(frozen=True)
class _Fit:
    """A mouth on the clock of the sound, from row ``first`` on.

    ``agreement`` (n, lags) is smooth, and chance is deducted; ``opening``, ``expected`` by the
    sound, and ``usable`` are (n,).
    """

    track: FaceTrack
    first: int
    agreement: FloatArray
    opening: FloatArray
    expected: FloatArray
    usable: BoolArray

    @property
    def rows(self) -> slice:
        return slice(self.first, self.first + len(self.usable))

    def signs(self, lag: int) -> FloatArray:
        """(n, 4) what the odds are made of, if the sound lies ``_LAGS[lag]`` rows later."""
        there = np.roll(self.expected, -_LAGS[lag])
        moves = _smooth(np.abs(np.diff(self.opening, prepend=self.opening[:1])))
        columns = (
            self.agreement[:, lag],
            _correlation(self.opening, there),
            np.log(moves + _LEAST_MOVEMENT),
            np.ones(len(moves)),
        )
        return np.stack(columns, 1).astype(np.float32)

    def odds(self, lag: int) -> FloatArray:
        """(n,) log of the odds that this mouth makes the sound; 0 where it is not seen."""
        odds = self.signs(lag) @ np.array(_ODDS, np.float32)
        return np.asarray(odds.clip(-_MOST_ODDS, _MOST_ODDS) * self.usable, np.float32)

    def at(self, values: FloatArray, times: Times) -> FloatArray:
        """Values of the rows at the times of the track's frames; 0 outside."""
        clock = (np.arange(len(values)) + self.first) / RATE
        here = np.interp(times[self.track.rows], clock, values, 0.0, 0.0)
        return np.asarray(here * self.track.present, np.float32)


@dataclass(frozen=True)
class Turns:
    """Who speaks in each frame.

    Parameters
    ----------
    speaker
        (n,) the person, -1 where nobody is seen.
    seen
        (people, n) who is to be seen.
    """

    speaker: npt.NDArray[np.intp]
    seen: BoolArray

    def of(self, track: FaceTrack) -> BoolArray:
        """(len(track),) the frames in which it is this face that speaks."""
        return np.asarray(self.speaker[track.rows] == track.person)


def take_turns(
    tracks: Sequence[FaceTrack], times: Times, heard: SpeechTrack | None = None
) -> Turns:
    """Find who speaks.

    Parameters
    ----------
    tracks
        All faces of the video.
    times
        (n,) seconds of its frames, on the clock of ``heard``.
    heard
        What the network hears in the video's own sound. Without it, and in silence before anybody
        has spoken, it is the largest face; in a pause, whoever spoke before or speaks next.
    """
    n, people = len(times), 1 + max((track.person for track in tracks), default=-1)
    seen = np.zeros((people, n), bool)
    size = np.zeros((people, n), np.float32)
    for track in tracks:
        rows = np.flatnonzero(track.present) + track.start
        seen[track.person, rows] = True
        size[track.person, rows] = track.scale[track.present]
    if not people or not seen.any():
        return Turns(np.full(n, -1), seen)
    step = frame_step(times)
    sound = heard is not None and len(heard) > 0
    favour = (_LARGER if sound else _LARGEST) * step * size / size.max(0).clip(1e-6)
    # Somebody who is the only one to be seen need not be asked.
    if heard is not None and sound and (seen.sum(0) > 1).any():
        favour += step * _evidence(tracks, times, heard, people)
    return Turns(_likeliest(favour, seen), seen)


def _evidence(
    tracks: Sequence[FaceTrack], times: Times, heard: SpeechTrack, people: int
) -> FloatArray:
    """(people, n) what speaks for each, a second; 0 where it is not known."""
    fits = [fit for track in tracks if (fit := _fit(track, times, heard)) is not None]
    found = np.zeros((people, len(times)), np.float32)
    if not fits:
        return found
    voice = heard.voice
    # The lag of the best agreement where somebody speaks: in a call, each has one of their own.
    score = np.zeros((people, len(_LAGS)))
    for f in fits:
        score[f.track.person] += voice[f.rows] @ f.agreement.clip(0)
    best = (score + score.mean(0)).argmax(1)
    for f in fits:
        person = f.track.person
        said = f.odds(int(best[person])) * voice[f.rows]
        found[person, f.track.rows] += _RATE * f.at(said, times)
    return found


def _fit(track: FaceTrack, times: Times, heard: SpeechTrack) -> _Fit | None:
    """Hold a mouth against the sound; None where too little is seen of it."""
    basis, at = load_basis(), times[track.rows]
    good = track.present & (track.quality >= _TRUSTED_QUALITY)
    first, last = max(int(np.ceil(at[0] * RATE)), 0), min(int(at[-1] * RATE) + 1, len(heard))
    if last - first < _LEAST_ROWS or good.sum() < 2:
        return None
    clock, rows = np.arange(first, last) / RATE, slice(first, last)
    own = own_motion(track, basis)
    mouth = np.stack([np.interp(clock, at[good], c) for c in own[good].T], 1).astype(np.float32)
    motion = MouthMotion(heard.motion.coefficients[rows], heard.motion.rate)
    agreement = _agreement(SpeechTrack(motion, heard.phones[rows]), mouth)
    usable = good[np.searchsorted(at, clock).clip(0, len(at) - 1)]
    return _Fit(
        track,
        first,
        _smooth(agreement * usable[:, None]),
        basis.aperture(mouth),
        basis.aperture(motion.coefficients),
        usable,
    )


def _agreement(heard: SpeechTrack, mouth: FloatArray) -> FloatArray:
    """(n, lags) how well a mouth fits the sound that comes so many rows later, less chance."""
    pieces = []
    # In pieces, for the towers' rows are long.
    for first in range(0, len(mouth), _PIECE):
        last = min(first + _PIECE, len(mouth))
        begin, end = max(first - _MARGIN, 0), min(last + _MARGIN, len(mouth))
        part = slice(begin, end)
        motion = MouthMotion(heard.motion.coefficients[part], heard.motion.rate)
        sound, face = load_expert().towers(
            SpeechTrack(motion, heard.phones[part]), MouthMotion(mouth[part])
        )
        near = np.stack([_later(sound, face, lag) for lag in _LAGS], 1)
        chance = np.mean([_later(sound, face, lag) for lag in _FAR], 0)
        pieces.append((near - chance[:, None])[first - begin : last - begin])
    return np.concatenate(pieces).astype(np.float32)


def _later(sound: FloatArray, face: FloatArray, lag: int) -> FloatArray:
    """(n,) how well a mouth fits the sound ``lag`` rows later, row by row; 0 where it is over."""
    fit = np.zeros(len(face), np.float32)
    rows = slice(max(-lag, 0), max(len(face) - max(lag, 0), 0))
    if rows.start >= rows.stop:
        return fit
    fit[rows] = (face[rows] * sound[rows.start + lag : rows.stop + lag]).sum(1)
    return fit


def _correlation(one: FloatArray, other: FloatArray) -> FloatArray:
    """(n,) correlation of two curves around each row, less where they hardly move."""
    a, b = _smooth(one), _smooth(other)
    spread = [(_smooth(x * x) - mean**2).clip(0) for x, mean in ((one, a), (other, b))]
    norm = np.sqrt((spread[0] + _LEAST_SPREAD) * (spread[1] + _LEAST_SPREAD))
    return np.asarray((_smooth(one * other) - a * b) / norm, np.float32)


def _smooth(x: npt.NDArray[np.floating]) -> FloatArray:
    """(n, …) on the clock of the sound, as seen over a while."""
    rows = np.asarray(x, np.float32)
    every = np.ones(len(rows), bool)
    return slow_part(rows.reshape(len(rows), -1), every, _WINDOW * RATE).reshape(rows.shape)


def _likeliest(favour: FloatArray, seen: BoolArray) -> npt.NDArray[np.intp]:
    """(n,) the person, by the Viterbi algorithm; -1 where nobody is to be seen."""
    people, n = favour.shape
    ends = [*range(_STEP, n, _STEP), n]
    # Only where all that are to be seen stay the same may frames be taken together.
    breaks = np.flatnonzero((seen[:, 1:] != seen[:, :-1]).any(0)) + 1
    edges = np.unique(np.concatenate([[0], ends, breaks]))
    begins, m = edges[:-1], len(edges) - 1
    gain = np.add.reduceat(favour, begins, axis=1)
    there = seen[:, begins]
    gain = np.where(there | ~there.any(0), gain, -np.inf)
    back = np.zeros((m, people), np.int32)
    total = gain[:, 0].copy()
    for i in range(1, m):
        best = int(total.argmax())
        change = total[best] - _CHANGE
        moved = change > total
        back[i] = np.where(moved, best, np.arange(people))
        total = np.where(moved, change, total) + gain[:, i]
    path = np.zeros(m, np.intp)
    path[-1] = int(total.argmax())
    for i in range(m - 1, 0, -1):
        path[i - 1] = back[i, path[i]]
    speaker = np.repeat(path, np.diff(edges))
    speaker[~seen.any(0)] = -1
    return speaker
