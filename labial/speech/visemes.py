"""Visemes: what the phone classes look like, as the sets that games and animators use."""

from __future__ import annotations

import numpy as np

from labial.speech.phones import PHONES
from labial.types import IntArray

VISEMES: tuple[str, ...] = (
    "sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "ih", "oh", "ou",
)  # fmt: skip
"""The fifteen visemes of Oculus Lipsync, in its own order; the first is rest."""

_OCULUS: dict[str, str] = {
    "sil": "sil", "PP": "p b m", "FF": "f v", "TH": "θ", "DD": "t d", "kk": "k ɡ h x ʔ",
    "CH": "ʃ ʒ", "SS": "s z", "nn": "n ŋ l", "RR": "r ɹ", "aa": "æ a ɑ ʌ", "E": "e ɛ ə",
    "ih": "i ɪ ɨ j", "oh": "ø ɔ o", "ou": "y ʊ u w",
}  # fmt: skip

VISEME_OF: dict[str, str] = {
    phone: viseme for viseme, members in _OCULUS.items() for phone in members.split()
}
"""Viseme of each phone class."""

VISEME_OF_PHONE: IntArray = np.array([VISEMES.index(VISEME_OF[p]) for p in PHONES], np.int32)
"""(41,) int32: for each column of the phone posteriors its index in :data:`VISEMES`."""


def viseme_of(phone: str) -> str:
    """Return the viseme of a phone class, e.g. ``"PP"`` of ``"m"``.

    Raises
    ------
    KeyError
        If ``phone`` is not one of :data:`labial.speech.phones.PHONES`.
    """
    return VISEME_OF[phone]
