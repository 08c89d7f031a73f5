"""A head that speaks: sway, nods, blinks and glances for a face that has none of its own.

A seeded random model, tied to the speech where people tie it:

- The head is hardly ever still in speech and nearly still in pauses, and most of its movement is
  below 2 Hz (Hadar, Steiner, Grant & Rose, "Kinematics of head movements accompanying speech during
  conversation", Human Movement Science 1983). It takes a new position where a phrase begins.
- Nods fall on loud syllables and on the ends of phrases (Hadar et al., "The relationship between
  head movements and speech dysfluency", Language and Speech 1984; McClave, "Linguistic functions of
  head movements in the context of speech", Journal of Pragmatics 2000).
- Blinks come about 17 times a minute at irregular times (Bentivoglio et al., "Analysis of blink
  rate patterns in normal subjects", Movement Disorders 1997), gladly at the breakpoints of speech
  (Nakano & Kitazawa, "Eyeblink entrainment at breakpoints of speech", Experimental Brain Research
  2010). Lids close about twice as fast as they open (Trutoiu et al., "Modeling and animating eye
  blinks", ACM TAP 2011).
- Eyes rest on a point for half a second to two and a half and jump to the next (Lee, Badler &
  Badler, "Eyes alive", SIGGRAPH 2002); meanwhile they turn against the head, so that they keep
  looking where they looked.

Everything is a smooth function of time and 0 at time 0, so any frame rate may read it.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from labial.options import Liveliness
from labial.types import Audio, FloatArray, SpeechTrack

Times = npt.NDArray[np.float64]

LIMITS_DEGREES = (9.0, 7.0, 6.0)
"""Yaw, pitch and roll that are never exceeded."""

_ROWS = 50
_FLOOR_DB = -60.0
# Degrees (yaw, pitch, roll) of the calm head: rms of sway, and spread of its positions.
_SWAY, _STANCE = (1.3, 0.8, 0.7), (2.2, 1.1, 1.1)
_SWAY_HZ, _SWAY_WAVES = (0.06, 0.7), 10
_IDLE = 0.45
_SETTLE_SECONDS = 1.2
_NOD_DEGREES, _END_NOD_DEGREES = 1.7, 2.2
_AMOUNT = {"still": 0.0, "calm": 1.0, "lively": 1.9}
_NODDED = {"still": 0.0, "calm": 0.55, "lively": 0.85}
_ACCENT_GAP_SECONDS = {"still": 1.0, "calm": 0.8, "lively": 0.5}
# Blinks: seconds of closing, shut and opening; the least and most between two; the median; and how
# likely the end of a phrase draws one to itself.
_CLOSE, _SHUT, _OPEN = 0.09, 0.05, 0.19
_BLINK_GAP, _BLINK_MEDIAN, _BLINK_SPREAD = (1.3, 9.0), 3.5, 0.45
_DRAWN = 0.6
_GAZE_DEGREES, _GAZE_SECONDS, _SACCADE_SECONDS = (1.3, 0.6), (0.5, 2.5), 0.045
_STEADY = 0.7
_LID_PER_DEGREE = 0.012
_BROW = 0.6


@dataclass(frozen=True)
class HeadMotion:
    """How a head moves, one row a frame, against the picture it starts from.

    Parameters
    ----------
    turn
        (n, 3) float32 degrees of yaw, pitch and roll, signs as in
        :func:`labial.geometry.angles_degrees`.
    shift
        (n, 2) float32: where the head goes to, right and down, in inter-ocular distances.
    lids
        (n,) float32 0..1: 0 open as in the picture, 1 shut.
    gaze
        (n, 2) float32 degrees by which the eyes turn within the head, right and down.
    brows
        (n,) float32 0..1: how far the brows are raised.
    blinks
        Seconds at which lids begin to close.
    """

    turn: FloatArray
    shift: FloatArray
    lids: FloatArray
    gaze: FloatArray
    brows: FloatArray
    blinks: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.lids)


@dataclass(frozen=True)
class _Phrase:
    """Seconds of a stretch of speech between pauses."""

    begin: float
    end: float


def loudness_rows(audio: Audio) -> FloatArray:
    """Return (n,) float32: dB of full scale of each 20 ms of ``audio``, never below -60."""
    step = audio.rate // _ROWS
    n = len(audio.samples) // step
    out = np.full(n, _FLOOR_DB, np.float32)
    for first in range(0, n, 3000):
        rows = min(n, first + 3000)
        part = np.asarray(audio.samples[first * step : rows * step], np.float32)
        power = (part.reshape(-1, step) ** 2).mean(1)
        out[first:rows] = 10 * np.log10(np.maximum(power, 10 ** (_FLOOR_DB / 10)))
    return out


def move_head(
    speech: SpeechTrack, loudness: FloatArray, times: Times, level: Liveliness, seed: int
) -> HeadMotion:
    """Return the motion of a head that says ``speech``.

    Parameters
    ----------
    speech
        What the network heard, at 50 Hz; voice activity counts.
    loudness
        (n,) dB at 50 Hz; see :func:`loudness_rows`.
    times
        (n,) seconds of the frames, increasing, on the clock of the speech.
    level
        ``"still"``: only the eyes move. ``"lively"``: about twice as much as ``"calm"``.
    seed
        The same seed gives the same motion, at any frame rate.
    """
    amount = _AMOUNT[level]
    length = max(float(times[-1]) if len(times) else 0.0, len(speech) / _ROWS)
    phrases = _phrases(speech.voice)
    stance, nods, eyes, blinks = (np.random.default_rng([seed, part]) for part in range(4))
    gain = _speaking(speech.voice, times)
    turn = np.zeros((len(times), 3))
    brows = np.zeros(len(times))
    if amount:
        settled = _eased(times / _SETTLE_SECONDS)
        turn += _sway(times, stance) * (gain * settled)[:, None]
        turn += _stances(times, phrases, length, stance)
        pitch, yaw, brows = _nods(
            times, phrases, _accents(loudness, speech.voice, level), level, nods
        )
        turn[:, 1] += pitch
        turn[:, 0] += yaw
        turn *= amount
        limits = np.array(LIMITS_DEGREES)
        turn = limits * np.tanh(turn / limits)
        brows = (brows * min(amount, 1.5)).clip(0, 1)
    shut, lids = _blinks(times, phrases, length, blinks)
    gaze = _gaze(times, length, eyes) - _STEADY * turn[:, :2]
    lids = np.maximum(lids, (_LID_PER_DEGREE * gaze[:, 1]).clip(0, 0.15))
    # The neck carries the head along with its turns.
    shift = np.stack([0.004 * turn[:, 0] + 0.006 * turn[:, 2], 0.004 * turn[:, 1]], 1)
    return HeadMotion(
        turn.astype(np.float32),
        shift.astype(np.float32),
        lids.astype(np.float32),
        gaze.astype(np.float32),
        brows.astype(np.float32),
        tuple(shut),
    )


def _phrases(voice: FloatArray) -> list[_Phrase]:
    """Stretches of voice without a pause of a fifth of a second."""
    if not len(voice):
        return []
    on = cv2.GaussianBlur(voice.reshape(-1, 1), (1, 9), sigmaX=1, sigmaY=2).ravel() > 0.5
    edges = np.flatnonzero(np.diff(np.concatenate([[0], on.astype(np.int8), [0]])))
    found: list[_Phrase] = []
    for begin, end in edges.reshape(-1, 2) / _ROWS:
        if found and begin - found[-1].end < 0.2:
            found[-1] = _Phrase(found[-1].begin, float(end))
        else:
            found.append(_Phrase(float(begin), float(end)))
    return [phrase for phrase in found if phrase.end - phrase.begin >= 0.2]


def _speaking(voice: FloatArray, times: Times) -> npt.NDArray[np.float64]:
    """(n,) how much the head moves at all: less where nobody speaks."""
    if not len(voice):
        return np.full(len(times), _IDLE)
    slow = cv2.GaussianBlur(
        voice.reshape(-1, 1), (1, 151), sigmaX=1, sigmaY=30, borderType=cv2.BORDER_REPLICATE
    ).ravel()
    return _IDLE + (1 - _IDLE) * np.interp(times, np.arange(len(slow)) / _ROWS, slow)


def _sway(times: Times, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """(n, 3) degrees: a few slow waves an axis, the slower the larger."""
    low, high = np.log(_SWAY_HZ[0]), np.log(_SWAY_HZ[1])
    hertz = np.exp(rng.uniform(low, high, (3, _SWAY_WAVES)))
    phase = rng.uniform(0, 2 * np.pi, (3, _SWAY_WAVES))
    height = 1 / (0.15 + hertz)
    height *= np.sqrt(2) / np.linalg.norm(height, axis=1, keepdims=True)
    out = np.zeros((len(times), 3))
    for axis in range(3):
        for f, p, a in zip(hertz[axis], phase[axis], height[axis], strict=True):
            out[:, axis] += a * (np.sin(2 * np.pi * f * times + p) - np.sin(p))
        out[:, axis] *= _SWAY[axis]
    return out


def _stances(
    times: Times, phrases: list[_Phrase], length: float, rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    """(n, 3) degrees: a new position where a phrase begins, or every few seconds of a long one."""
    begins: list[float] = []
    for phrase in phrases:
        at = phrase.begin - 0.15
        while at < phrase.end:
            if at > 0.3 and (not begins or at - begins[-1] > 1.6):
                begins.append(at + float(rng.uniform(0, 0.25)))
            at += float(rng.uniform(2.8, 5.0))
    begins += [length] if not begins else []
    where = rng.normal(0, 1, (len(begins), 3)).clip(-1.8, 1.8) * _STANCE
    return _stepped(times, np.array(begins), where, rng.uniform(0.7, 1.1, len(begins)))


def _stepped(
    times: Times, begins: Times, values: npt.NDArray[np.float64], seconds: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """(n, d): from 0 to each of ``values`` (m, d) in turn, within ``seconds`` of ``begins``."""
    values = np.concatenate([np.zeros((1, values.shape[1])), values])
    row = np.searchsorted(begins, times, "right")
    last = (row - 1).clip(0)
    share = np.where(row > 0, _eased((times - begins[last]) / seconds[last]), 0.0)[:, None]
    return np.asarray(values[last] + share * (values[last + 1] - values[last]))


def _accents(
    loudness: FloatArray, voice: FloatArray, level: Liveliness
) -> list[tuple[float, float]]:
    """Loud syllables: seconds and prominence (about 1)."""
    n = min(len(loudness), len(voice))
    if n < 10:
        return []
    spoken = np.where(voice[:n] > 0.5, loudness[:n], _FLOOR_DB).astype(np.float32).reshape(-1, 1)
    fine, broad = (
        cv2.GaussianBlur(spoken, (1, 6 * s + 1), sigmaX=1, sigmaY=s).ravel() for s in (4, 45)
    )
    over = fine - broad
    top = np.flatnonzero((over[1:-1] >= over[:-2]) & (over[1:-1] > over[2:])) + 1
    top = top[(voice[top] > 0.5) & (over[top] > 2.0)]
    # The loudest first; others keep their distance from those chosen before.
    gap = _ACCENT_GAP_SECONDS[level]
    chosen: list[tuple[float, float]] = []
    for at in top[np.argsort(-over[top], kind="stable")]:
        accent = float(at) / _ROWS, float(np.clip(over[at] / 8, 0.5, 1.5))
        place = bisect_left(chosen, accent)
        if all(abs(other - accent[0]) >= gap for other, _ in chosen[max(place - 1, 0) : place + 1]):
            chosen.insert(place, accent)
    return chosen


def _nods(
    times: Times,
    phrases: list[_Phrase],
    accents: list[tuple[float, float]],
    level: Liveliness,
    rng: np.random.Generator,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Degrees of pitch (n,) and yaw (n,), and brows (n,) 0..1."""
    pitch, yaw, brows = (np.zeros(len(times)) for _ in range(3))
    for at, height in accents:
        chance, size, aside, brow = rng.uniform(0, 1, 4)
        if at < 0.5 or chance > _NODDED[level]:
            continue
        depth = _NOD_DEGREES * height * (0.6 + 0.7 * size)
        # The head goes up a little before it goes down on the syllable.
        _add(pitch, times, at - 0.42, -0.3 * depth, 0.2, 0.0, 0.2)
        _add(pitch, times, at - 0.18, depth, 0.2, 0.04, 0.36)
        _add(yaw, times, at - 0.18, (aside - 0.5) * depth, 0.25, 0.05, 0.4)
        if brow < 0.4:
            _add(brows, times, at - 0.2, _BROW * height, 0.16, 0.1, 0.35)
    for phrase in phrases:
        chance, size, rise = rng.uniform(0, 1, 3)
        if chance < _NODDED[level] + 0.15 and phrase.end > 0.8:
            depth = _END_NOD_DEGREES * (0.6 + 0.8 * size)
            _add(pitch, times, phrase.end - 0.3, depth, 0.35, 0.1, 0.7)
        if rise < 0.5 and phrase.begin > 0.5:
            _add(pitch, times, phrase.begin - 0.2, -0.8, 0.3, 0.1, 0.6)
    return pitch, yaw, brows


def _blinks(
    times: Times, phrases: list[_Phrase], length: float, rng: np.random.Generator
) -> tuple[list[float], npt.NDArray[np.float64]]:
    """Seconds at which lids begin to close, and how far they are shut (n,) 0..1."""
    breaks = [phrase.end for phrase in phrases]
    low, high = _BLINK_GAP
    shut: list[float] = []
    last, seen = 0.0, 0
    while True:
        wait = float(np.clip(_BLINK_MEDIAN * np.exp(rng.normal(0, _BLINK_SPREAD)), low, high))
        wait *= 0.5 if not shut else 1.0
        chance, late = rng.uniform(0, 1, 2)
        at = last + max(wait, low)
        while seen < len(breaks) and breaks[seen] + 0.05 < last + low:
            seen += 1
        if seen < len(breaks) and breaks[seen] < at + 0.8 and chance < _DRAWN:
            at = breaks[seen] + 0.05 + 0.15 * float(late)
        if at + _CLOSE + _SHUT + _OPEN > length:
            break
        shut.append(at)
        last = at
    lids = np.zeros(len(times))
    for at in shut:
        _add(lids, times, at, 1.0, _CLOSE, _SHUT, _OPEN)
    return shut, lids


def _gaze(times: Times, length: float, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """(n, 2) degrees to the right and down: rests and jumps, now and then back to the middle."""
    begins: list[float] = []
    at = float(rng.uniform(0.6, 1.5))
    while at < length or not begins:
        begins.append(at)
        at += float(rng.uniform(*_GAZE_SECONDS))
    where = rng.normal(0, 1, (len(begins), 2)).clip(-2, 2) * _GAZE_DEGREES
    where[rng.uniform(0, 1, len(begins)) < 0.4] *= 0.2
    return _stepped(times, np.array(begins), where, np.full(len(begins), _SACCADE_SECONDS))


def _add(
    into: npt.NDArray[np.float64],
    times: Times,
    begin: float,
    height: float,
    rise: float,
    hold: float,
    fall: float,
) -> None:
    """Add a smooth bump that begins at ``begin`` seconds; none before time 0."""
    begin = max(begin, 0.0)
    end = begin + rise + hold + fall
    rows = slice(*np.searchsorted(times, [begin, end]).tolist())
    t = times[rows] - begin
    into[rows] += height * np.minimum(_eased(t / rise), 1 - _eased((t - rise - hold) / fall))


def _eased(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """0 up to 0, 1 from 1 on, with no jump of speed or of its change between."""
    x = x.clip(0, 1)
    return np.asarray(x * x * x * (x * (6 * x - 15) + 10))
