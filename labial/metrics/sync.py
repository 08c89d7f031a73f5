"""How far a clip's sound lies behind its mouth, by a network that knows which sound a mouth makes.

Two small towers turn speech (as the speech network hears it) and mouth motion (as it was seen)
into rows of at most unit length that point the same way when they belong together; the lag at
which most rows agree is the offset. The idea is SyncNet's (Chung and Zisserman, 2016), on motion
instead of pixels. ``sync_v2.md`` tells how it was trained.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

import numpy as np
import numpy.typing as npt

from labial.types import FloatArray, MouthMotion, SpeechTrack
from labial.weights.network import open_network

RATE = 50
LAGS: npt.NDArray[np.int_] = np.arange(-30, 31)
"""Rows of 20 ms by which the sound may be late."""

LEAST_SECONDS = 2.0
SCALE = 30.0
"""Of agreement, as the towers were trained with it."""
_MODEL = "sync_v2.onnx"
_PIECE = 3000
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Offset:
    """Seconds by which the sound comes after the mouth, and how sure that is, 0..1.

    The confidence is the probability, by the network's own reckoning, that the true offset lies
    within 40 ms of this one. Under about 0.5 it says nothing: the mouth speaks something else,
    hardly moves, or is heard too little.
    """

    seconds: float
    confidence: float


def agreement(heard: FloatArray, seen: FloatArray, usable: Mask) -> npt.NDArray[np.float64]:
    """Mean agreement at each lag.

    Parameters
    ----------
    heard, seen
        (n, d) float32 rows of at most unit length at 50 Hz.
    usable
        (n,) bool: rows in which the mouth was seen well.

    Returns
    -------
    (len(LAGS),) in -1..1; a positive lag means that the sound comes later than the mouth.
    """
    n, most = min(len(heard), len(seen)), int(LAGS[-1])
    ok = usable[most : n - most]
    if not ok.any():
        return np.zeros(len(LAGS))
    mouth = seen[most : n - most][ok]
    return np.array([
        float((heard[most + k : n - most + k][ok] * mouth).sum() / len(mouth)) for k in LAGS
    ])  # fmt: skip


def offset_of(heard: FloatArray, seen: FloatArray, usable: Mask) -> Offset:
    """Find the lag of greatest agreement, finer than a row; see :func:`agreement`."""
    score = agreement(heard, seen, usable)
    best = int(score.argmax())
    seconds = float(LAGS[best] + summit(score, best)) / RATE
    return Offset(seconds, sureness(score, best))


def summit(score: npt.NDArray[np.float64], best: int) -> float:
    """By how much the top of a parabola lies beside the highest of the lags."""
    if not 0 < best < len(score) - 1:
        return 0.0
    left, top, right = score[best - 1 : best + 2]
    return 0.5 * float(left - right) / min(float(left - 2 * top + right), -1e-9)


def sureness(score: npt.NDArray[np.float64], best: int) -> float:
    """Probability 0..1 that a lag is right to 40 ms, of all lags whose mean agreement is given."""
    # Rows follow each other closely: a second holds about as much evidence as the training's.
    chance = np.exp(SCALE * (score - score.max()))
    near = np.abs(np.arange(len(score)) - best) <= 2
    return float(chance[near].sum() / chance.sum())


class SyncExpert:
    """The two towers."""

    def __init__(self) -> None:
        self._session = open_network((resources.files("labial.metrics") / _MODEL).read_bytes())
        self._reach = int(self._session.get_modelmeta().custom_metadata_map["reach"])

    def towers(self, speech: SpeechTrack, mouth: MouthMotion) -> tuple[FloatArray, FloatArray]:
        """Return rows of at most unit length for sound and mouth, as many as the shorter has."""
        n = min(len(speech), len(mouth))
        sound = np.concatenate([speech.motion.coefficients[:n], speech.phones[:n]], 1)
        around = ((self._reach, self._reach), (0, 0))
        padded = np.pad(sound, around, "edge"), np.pad(mouth.coefficients[:n], around, "edge")
        heard, seen = [], []
        # In pieces, for inside the towers rows are long.
        for first in range(0, n, _PIECE):
            part = slice(first, min(first + _PIECE, n) + 2 * self._reach)
            feed = {"sound": padded[0][None, part], "mouth": padded[1][None, part]}
            one, other = self._session.run(None, feed)
            heard.append(one[0])
            seen.append(other[0])
        return np.concatenate(heard), np.concatenate(seen)

    def __call__(self, speech: SpeechTrack, mouth: MouthMotion, usable: Mask) -> Offset | None:
        """Return by how much the sound is late, or None where too little can be seen.

        Parameters
        ----------
        speech
            The clip's sound, as :class:`labial.speech.encoder.SpeechEncoder` hears it.
        mouth
            The mouth that was seen, on the same 50 Hz clock.
        usable
            (len(mouth),) bool: where it was seen well.
        """
        heard, seen = self.towers(speech, mouth)
        most = int(LAGS[-1])
        if len(seen) <= 2 * most or usable[most : len(seen) - most].sum() < LEAST_SECONDS * RATE:
            return None
        return offset_of(heard, seen, usable[: len(seen)])


@lru_cache(maxsize=1)
def load_expert() -> SyncExpert:
    """Return the expert that is part of the package."""
    return SyncExpert()
