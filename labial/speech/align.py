"""Speech to its transcript: when each phone and each word of a known text is spoken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from math import inf

import numpy as np
import numpy.typing as npt

from labial.errors import SpeechError
from labial.speech.phones import PHONE_INDEX, PHONES
from labial.speech.pronounce import Spoken
from labial.speech.segments import MIN_SILENCE_SECONDS, STAY, Phone, phones_at
from labial.types import FloatArray, SpeechTrack

FASTEST = 30.0
"""Phones a second that nobody speaks for long."""
LEAST_HEARD = 0.33
"""Share of a text's phones that must be heard; of any other text about a fifth happens to be."""
LEAST_COVERED = 0.4
"""Share of the voice's probability that the text's phones must reach."""
# What an ear, or a transcript of another accent, takes one for the other.
_CONFUSED = (
    "p b", "t d", "k ɡ", "f v", "θ f s", "θ t d", "s z", "ʃ ʒ", "s ʃ", "z ʒ", "m n", "n ŋ",
    "l r ɹ", "r t d", "v w b", "h x", "h ʔ sil", "ʔ t", "k x ɡ", "r x", "i ɪ j", "i e", "y ø",
    "y i", "e ɛ", "ɛ æ", "æ a", "a ɑ ʌ", "ɑ ɔ", "ɔ o", "o ʊ", "ʊ u w", "y u", "ø ə",
    "ə ɪ ɛ ɨ ʌ ʊ ø a", "ɨ ɪ i u", "ə ɹ",
)  # fmt: skip
_KINSHIP = 0.4
_FLOOR = 1e-3
_LEAVE = float(np.log1p(-np.exp(STAY)))
_BEAMS = (250.0, 1500.0, inf)
_WIDEST = 6000

_Ints = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Word:
    """A word as it is written, from ``onset`` to ``release`` seconds; ``confidence`` 0..1."""

    text: str
    onset: float
    release: float
    confidence: float


@dataclass(frozen=True)
class Alignment:
    """Where a text lies in its speech.

    Parameters
    ----------
    phones
        All phones and silences in order, without gaps.
    words
        The text's words in order; silences lie between them.
    """

    phones: list[Phone]
    words: list[Word]


def align(
    track: SpeechTrack, words: Sequence[Spoken], aperture: FloatArray | None = None
) -> Alignment:
    """Find when each of ``words`` is spoken.

    The best path of Viterbi (1967) through the words' phones one after the other, with a silence
    before, after and between them where there is one. What sounds alike may stand for each other,
    so one wrong posterior breaks nothing. Only paths near the best are followed, so ten minutes
    take a few seconds.

    Parameters
    ----------
    track
        What the network heard.
    words
        What was said, from :func:`labial.speech.pronounce.pronounce`.
    aperture
        As in :func:`labial.speech.segments.segments`.

    Raises
    ------
    SpeechError
        If the text is too long for the speech, or is not what is said.
    """
    n, rate = len(track), track.motion.rate
    spoken = sum(len(word.phones) for word in words)
    if spoken == 0:
        raise SpeechError("the text holds nothing that can be spoken")
    if spoken > min(n, n * FASTEST / rate):
        raise SpeechError(
            f"the text is too long: {len(words)} words cannot be spoken in {n / rate:.1f} s"
        )
    classes, owner = _chain(words)
    alike = likeness(track.phones)
    path = _path(np.log(np.maximum(alike, _FLOOR)), classes)
    starts = np.flatnonzero(np.diff(path, prepend=-1))
    _check(track, alike, classes[path], starts)
    states = path[starts]
    states, starts = _without_short_stops(states, starts, classes, n, rate)
    phones = phones_at(track, classes[states], starts, aperture)
    return Alignment(phones, _words(words, owner[states], phones))


def likeness(posteriors: FloatArray) -> FloatArray:
    """Return (n, P): how probable each class is when what sounds alike counts in part."""
    kin = np.eye(len(PHONES), dtype=np.float32)
    for group in _CONFUSED:
        for a in group.split():
            for b in group.split():
                if a != b:
                    kin[PHONE_INDEX[a], PHONE_INDEX[b]] = _KINSHIP
    return np.asarray(np.minimum(posteriors @ kin, 1), np.float32)


def _chain(words: Sequence[Spoken]) -> tuple[_Ints, _Ints]:
    """Class of each state, and index of its word (-1 for a silence), silences in between."""
    classes, owner = [0], [-1]
    for k, word in enumerate(words):
        classes += [PHONE_INDEX[name] for name in word.phones] + [0]
        owner += [k] * len(word.phones) + [-1]
    return np.array(classes), np.array(owner)


def _path(logs: FloatArray, classes: _Ints) -> _Ints:
    """(n,) state of each row; states of class 0 may be passed over."""
    for beam in _BEAMS:
        path = _beam_path(logs, classes, beam)
        if path is not None:
            return path
    raise SpeechError("the text does not fit the speech: check the text and --language")


def _beam_path(logs: FloatArray, classes: _Ints, beam: float) -> _Ints | None:
    n, s = len(logs), len(classes)
    skip = np.full(s, -inf)
    skip[2:][classes[1:-1] == 0] = _LEAVE
    # How many phones are still to come after each state: too many for the rows left is no path.
    to_come = (classes[::-1] != 0).cumsum()[::-1] - (classes != 0)
    score = np.full(s + 2, -inf)  # two before the first state, so that every state has two
    score[2], score[3] = logs[0, 0], logs[0, classes[1]]
    low, high = 0, 2
    lows, moves = [0], [np.zeros(2, np.uint8)]
    for row in range(1, n):
        high = min(high + 2, s)
        here = score[low + 2 : high + 2] + STAY
        next_ = score[low + 1 : high + 1] + _LEAVE
        move = (next_ > here).astype(np.uint8)
        new = np.maximum(here, next_)
        over = score[low:high] + skip[low:high]
        move[over > new] = 2
        np.maximum(new, over, out=new)
        new += logs[row, classes[low:high]]
        best = int(new.argmax())
        alive = np.flatnonzero(new > new[best] - min(beam, 1e9))
        first = max(int(alive[0]) if len(alive) else 0, best - _WIDEST // 2)
        # ``to_come`` falls from state to state.
        first = max(first, int((to_come[low:high] > n - 1 - row).sum()))
        last = min(int(alive[-1]) + 1 if len(alive) else 0, max(best, first) + _WIDEST // 2)
        if first >= last or not np.isfinite(new[first:last]).any():
            return None
        score[low + 2 : high + 2] = -inf
        score[low + 2 + first : low + 2 + last] = new[first:last]
        low, high = low + first, low + last
        lows.append(low)
        moves.append(move[first:last])
    ends = score[s : s + 2]
    if not np.isfinite(ends).any():
        return None
    path = np.empty(n, np.intp)
    state = s - 2 + int(ends.argmax())
    for row in range(n - 1, -1, -1):
        path[row] = state
        state -= int(moves[row][state - lows[row]])
    return path


def _check(track: SpeechTrack, alike: FloatArray, classes: _Ints, starts: _Ints) -> None:
    """Refuse a text that is not what is said."""
    n = len(classes)
    got, best = alike[np.arange(n), classes], alike.max(1)
    heard = np.add.reduceat(got, starts) > 0.5 * np.add.reduceat(best, starts)
    share = heard[classes[starts] != 0].mean()
    voice = (classes != 0) | (track.voice > 0.5)
    if share < LEAST_HEARD or got[voice].sum() < LEAST_COVERED * best[voice].sum():
        raise SpeechError(
            f"the text does not fit the speech, {share:.0%} of its sounds are heard: "
            "check the text and --language"
        )


def _without_short_stops(
    states: _Ints, starts: _Ints, classes: _Ints, n: int, rate: int
) -> tuple[_Ints, _Ints]:
    """Give silences too short to be one to the phones at either side; share out twins."""
    lengths = np.diff(starts, append=n)
    short = (classes[states] == 0) & (lengths < MIN_SILENCE_SECONDS * rate)
    short[[0, -1]] = False
    moved = starts.copy()
    moved[1:][short[:-1]] -= lengths[:-1][short[:-1]] // 2
    states, starts = states[~short], moved[~short]
    # Nothing tells where one sound becomes the same again.
    ends = np.append(starts[1:], n)
    twins = np.flatnonzero(np.diff(classes[states]) == 0)
    starts[twins + 1] = (starts[twins] + ends[twins + 1]) // 2
    return states, starts


def _words(words: Sequence[Spoken], owner: _Ints, phones: list[Phone]) -> list[Word]:
    found = []
    for k, group in groupby(range(len(phones)), key=lambda i: int(owner[i])):
        if k < 0:
            continue
        own = [phones[i] for i in group]
        seconds = np.array([phone.release - phone.onset for phone in own])
        surety = np.array([phone.confidence for phone in own])
        mean = surety @ seconds / seconds.sum() if seconds.sum() > 0 else surety.mean()
        found.append(Word(words[k].text, own[0].onset, own[-1].release, float(min(mean, 1))))
    return found
