"""Visemes: what the phone classes look like, as the sets that games and animators use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from labial.speech.phones import BILABIAL, PHONES, SILENCE
from labial.speech.segments import Phone
from labial.types import FloatArray, IntArray, SpeechTrack

VISEMES: tuple[str, ...] = (
    "sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "ih", "oh", "ou",
)  # fmt: skip
"""The fifteen visemes of Oculus Lipsync, in its own order; the first is rest."""

_OCULUS: dict[str, str] = {
    "sil": "sil", "PP": "p b m", "FF": "f v", "TH": "θ", "DD": "t d", "kk": "k ɡ h x ʔ",
    "CH": "ʃ ʒ", "SS": "s z", "nn": "n ŋ l", "RR": "r ɹ", "aa": "æ a ɑ ʌ", "E": "e ɛ ə",
    "ih": "i ɪ ɨ j", "oh": "ø ɔ o", "ou": "y ʊ u w",
}  # fmt: skip

# ISO/IEC 14496-2, viseme_select: 0 none, 1 p b m, 2 f v, 3 T D, 4 t d, 5 k g, 6 tS dZ S, 7 s z,
# 8 n l, 9 r, 10 A:, 11 e, 12 I, 13 Q, 14 U.
_MPEG4: dict[str, str] = {
    "0": "sil", "1": "p b m", "2": "f v", "3": "θ", "4": "t d", "5": "k ɡ ŋ h x ʔ", "6": "ʃ ʒ",
    "7": "s z", "8": "n l", "9": "r ɹ", "10": "æ a ɑ ʌ", "11": "e ɛ ə", "12": "i ɪ ɨ j",
    "13": "ø ɔ o", "14": "y ʊ u w",
}  # fmt: skip

# Preston Blair's mouths by the names that Moho and OpenToonz give them.
_PRESTON_BLAIR: dict[str, str] = {
    "rest": "sil", "MBP": "p b m", "FV": "f v", "L": "l θ", "WQ": "w", "U": "y ʊ u",
    "O": "ø ɔ o", "AI": "a ɑ ʌ", "E": "æ e ɛ ə",
    "etc": "t d n s z ʃ ʒ k ɡ ŋ r ɹ j h x ʔ i ɪ ɨ",
}  # fmt: skip

# The Hanna-Barbera mouths as Rhubarb Lip Sync describes them in its manual.
_RHUBARB: dict[str, str] = {
    "X": "sil", "A": "p b m", "B": "θ t d n s z ʃ ʒ k ɡ ŋ r ɹ j h x ʔ i ɪ ɨ",
    "C": "e ɛ æ ə ʌ", "D": "a ɑ", "E": "ɔ ø", "F": "o ʊ u y w", "G": "f v", "H": "l",
}  # fmt: skip

# The viseme IDs of Microsoft's speech service; 9, 10 and 11 are diphthongs, here in two parts.
_AZURE: dict[str, str] = {
    "0": "sil", "1": "æ ə ʌ", "2": "a ɑ", "3": "ɔ", "4": "e ɛ ʊ", "5": "ø", "6": "i ɪ ɨ j",
    "7": "w u y", "8": "o", "12": "h ʔ", "13": "r ɹ", "14": "l", "15": "s z", "16": "ʃ ʒ",
    "17": "θ", "18": "f v", "19": "t d n", "20": "k ɡ ŋ x", "21": "p b m",
}  # fmt: skip


def _spread(groups: dict[str, str]) -> dict[str, str]:
    return {phone: viseme for viseme, members in groups.items() for phone in members.split()}


VISEME_OF: dict[str, str] = _spread(_OCULUS)
"""Oculus viseme of each phone class."""

VISEME_SETS: dict[str, dict[str, str]] = {
    "oculus": VISEME_OF,
    "mpeg4": _spread(_MPEG4),
    "preston-blair": _spread(_PRESTON_BLAIR),
    "rhubarb": _spread(_RHUBARB),
    "azure": _spread(_AZURE),
}
"""For each set the viseme of each phone class."""

VISEME_OF_PHONE: IntArray = np.array([VISEMES.index(VISEME_OF[p]) for p in PHONES], np.int32)
"""(41,) int32: for each column of the phone posteriors its index in :data:`VISEMES`."""

SHORTEST_SECONDS = 1 / 24
"""A viseme that is shorter is not seen at 24 pictures a second."""

CLOSED: dict[str, str] = {name: table[BILABIAL[0]] for name, table in VISEME_SETS.items()}
"""For each set the name of the shape with the lips pressed."""


@dataclass(frozen=True)
class Viseme:
    """One mouth shape.

    Parameters
    ----------
    name
        Its viseme, in the names of its set.
    onset, peak, release
        Seconds, as in :class:`~labial.speech.segments.Phone`.
    confidence
        0..1: mean probability of its phones.
    """

    name: str
    onset: float
    peak: float
    release: float
    confidence: float


def visemes_at(speech: SpeechTrack, times: npt.NDArray[np.float64]) -> FloatArray:
    """Return the weights (n, 15) of the visemes at ``times`` (n,) in seconds of the speech.

    Columns are in the order of :data:`VISEMES`, rows sum to 1; before the first row of the speech
    and after its last there is silence.
    """
    rows = np.rint(np.asarray(times) * speech.motion.rate).astype(int)
    heard = (rows >= 0) & (rows < len(speech))
    weights = np.zeros((len(rows), len(VISEMES)), np.float32)
    weights[~heard, 0] = 1
    at = np.flatnonzero(heard)
    for phone, viseme in enumerate(VISEME_OF_PHONE):
        weights[at, viseme] += speech.phones[rows[at], phone]
    return weights


def viseme_of(phone: str, viseme_set: str = "oculus") -> str:
    """Return the viseme of a phone class, e.g. ``"PP"`` of ``"m"``.

    Raises
    ------
    KeyError
        If ``phone`` is not one of :data:`labial.speech.phones.PHONES`, or the set is not one of
        :data:`VISEME_SETS`.
    """
    return VISEME_SETS[viseme_set][phone]


def visemes_of(phones: Sequence[Phone], viseme_set: str = "oculus") -> list[Viseme]:
    """Return the mouth shapes of ``phones``, which have no gaps: neighbours that look alike joined.

    The peak of a joined viseme is that of its surest phone, its confidence the mean over time.
    """
    table = VISEME_SETS[viseme_set]
    groups: list[list[Phone]] = []
    for phone in phones:
        if groups and table[groups[-1][-1].name] == table[phone.name]:
            groups[-1].append(phone)
        else:
            groups.append([phone])
    return [_joined(table[group[0].name], group) for group in groups]


def held(visemes: Sequence[Viseme], closed: str) -> list[Viseme]:
    """Return ``visemes`` for pictures that switch, each long enough to be seen.

    One shorter than :data:`SHORTEST_SECONDS` goes to the one before, unless it is ``closed``, the
    name of the shape with the lips pressed: that one takes what it lacks from its neighbours,
    because a missing closure is seen first of all.
    """
    kept: list[Viseme] = []
    for shape in visemes:
        if not kept:
            # The first one has nothing before it; it gives way to the next if it is too short.
            kept.append(shape)
        elif shape.name in (kept[-1].name, closed) or _seconds(shape) >= SHORTEST_SECONDS:
            kept.append(shape)
        else:
            kept[-1] = _between(kept[-1], kept[-1].onset, shape.release)
    if len(kept) > 1 and kept[0].name != closed and _seconds(kept[0]) < SHORTEST_SECONDS:
        first = kept.pop(0)
        kept[0] = _between(kept[0], first.onset, kept[0].release)
    _widen(kept, closed)
    joined: list[Viseme] = []
    for shape in kept:
        if joined and joined[-1].name == shape.name:
            joined[-1] = _between(joined[-1], joined[-1].onset, shape.release)
        else:
            joined.append(shape)
    return joined


def _widen(visemes: list[Viseme], closed: str) -> None:
    """Lengthen what is closed too shortly by what its neighbours can spare, the next one first."""
    for k, shape in enumerate(visemes):
        if shape.name != closed:
            continue
        for side in (k + 1, k - 1):
            lack = SHORTEST_SECONDS - _seconds(visemes[k])
            if lack <= 0 or not 0 <= side < len(visemes):
                continue
            here, other = visemes[k], visemes[side]
            spare = max(0.0, min(lack, _seconds(other) - SHORTEST_SECONDS))
            if side > k:
                visemes[k] = _between(here, here.onset, here.release + spare)
                visemes[side] = _between(other, visemes[k].release, other.release)
            else:
                visemes[k] = _between(here, here.onset - spare, here.release)
                visemes[side] = _between(other, other.onset, visemes[k].onset)


def _joined(name: str, group: list[Phone]) -> Viseme:
    onset, release = group[0].onset, group[-1].release
    seconds = np.array([phone.release - phone.onset for phone in group])
    surety = np.array([phone.confidence for phone in group])
    mean = surety @ seconds / seconds.sum() if release > onset else surety.mean()
    # Silence has its peak in the middle of all of it.
    silent = group[0].name == SILENCE
    peak = (onset + release) / 2 if silent else group[int(surety.argmax())].peak
    return Viseme(name, onset, peak, release, min(float(mean), 1.0))


def _seconds(shape: Viseme) -> float:
    return shape.release - shape.onset


def _between(shape: Viseme, onset: float, release: float) -> Viseme:
    return replace(shape, onset=onset, peak=min(max(shape.peak, onset), release), release=release)
