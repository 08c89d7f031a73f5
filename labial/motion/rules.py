"""What no predicted mouth may break: lips that meet, a mouth that rests, nothing before the sound.

The rules bend the motion softly where the phones say so, and leave the rest of it alone. Each row
depends on the rows within :func:`reach_rows` of it and on nothing else, so long speech may be done
in pieces that overlap by so much, and a live caller knows its delay.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from labial.motion.space import MouthBasis
from labial.speech.phones import BILABIAL, LABIODENTAL, PHONE_INDEX
from labial.types import FloatArray, MouthMotion, SpeechTrack

RATE = 50

# Silences of at least these lengths count as pauses; the mean of three makes a pause that is just
# long enough rest a little less than a longer one. What is longer than the last, or touches an end
# of the track, is before the first sound or after the last.
_PAUSE_ROWS = (11, 12, 13)
_LONG_ROWS = 30
# Mouths open before the sound, and take a little longer to close after it.
_BEFORE_ROWS, _AFTER_ROWS = 9, 12
# What stays of the network's motion within a pause: a breath parts the lips a little.
_BREATH = 0.15
# A skirt of the bump on either side of a closure; a short phone's lips part faster.
_SHORT_SKIRT, _LONG_SKIRT = 2.3, 4.0
_SHORT_PHONE, _LONG_PHONE = 2.0, 5.0
_SPAN_ROWS = 5
_SURE = 0.85
# Posteriors below the first change nothing, above the second they count in full.
_VOICE = (0.1, 0.5)
_CLOSURE = (0.07, 0.35)
# Inner-lip openings. Lips press a little, so that they meet on a face whose rest is not quite shut.
_PRESSED, _TEETH_GAP = -0.015, 0.025


@dataclass(frozen=True)
class Rules:
    """Which rules hold.

    Parameters
    ----------
    closures
        Lips meet on /p b m/; the lower lip rises to the upper teeth on /f v/.
    rest
        The mouth rests in pauses of a quarter of a second and more, but for a breath's share.
    onset
        The mouth rests wholly before the first sound, after the last, and in silences of 0.6 s
        and more, but for the time that a mouth needs to open ahead of its sound.
    """

    closures: bool = True
    rest: bool = True
    onset: bool = True


def reach_rows(rules: Rules) -> int:
    """Rows that a row depends on, before it as well as after it."""
    skirt = int(np.ceil(_LONG_SKIRT))
    closures = max(skirt, _SPAN_ROWS) + 1 if rules.closures else 0
    length = _LONG_ROWS if rules.onset else max(_PAUSE_ROWS)
    return max(closures, length - 1 + _AFTER_ROWS if rules.rest or rules.onset else 0)


def apply_rules(
    track: SpeechTrack, basis: MouthBasis, rules: Rules, rest: FloatArray | None = None
) -> MouthMotion:
    """Return the motion of ``track`` with the rules kept.

    Parameters
    ----------
    track
        Motion at 50 Hz, and its phones. With ``onset``, what lies outside it counts as silence.
    basis
        The basis of the motion.
    rules
        Which ones to keep.
    rest
        (K,) coefficients of the resting mouth; default 0, the neutral.
    """
    if track.motion.rate != RATE:
        raise ValueError(f"{track.motion.rate} rows a second, expected {RATE}")
    coefficients = track.motion.coefficients
    if len(track) == 0:
        return track.motion
    if rules.rest or rules.onset:
        still = np.zeros(len(basis), np.float32) if rest is None else rest
        share = speaking(track, rules)[:, None]
        coefficients = still + share * (coefficients - still)
    if rules.closures:
        coefficients = _close(coefficients, track.phones, basis)
    return MouthMotion(np.asarray(coefficients, np.float32), RATE)


def speaking(track: SpeechTrack, rules: Rules) -> FloatArray:
    """(n,) 0..1: how much of the motion is left; 0 is the resting mouth, 1 is speech."""
    voice = _smooth_step(track.voice, *_VOICE)
    share = np.ones(len(voice), np.float32)
    if rules.rest:
        filled = [_filled(voice, rows, 0.0 if rules.onset else 1.0) for rows in _PAUSE_ROWS]
        share = _BREATH + (1 - _BREATH) * _eased(np.mean(filled, 0))
    if rules.onset:
        share = np.minimum(share, _eased(_filled(voice, _LONG_ROWS, 0.0)))
    return np.asarray(share, np.float32)


def _close(coefficients: FloatArray, phones: FloatArray, basis: MouthBasis) -> FloatArray:
    """Shut the lips on /p b m/ and bring the lower one to the teeth on /f v/."""
    unit = np.eye(len(basis), dtype=np.float32)
    opening = basis.aperture(unit)
    upper, lower = basis.components[:, 13, 1], basis.components[:, 14, 1]
    # Nearest in units of natural spread is likeliest. On /f v/ the upper lip stays where it is.
    both = opening / float(opening @ opening)
    low = lower - upper * float(lower @ upper) / float(upper @ upper)
    low = low / float(low @ lower)
    for names, direction, gap in ((LABIODENTAL, low, _TEETH_GAP), (BILABIAL, both, _PRESSED)):
        posterior = phones[:, [PHONE_INDEX[name] for name in names]].sum(1)
        excess = (basis.aperture(coefficients) - gap).clip(min=0)
        coefficients = coefficients - (_bump(posterior) * excess)[:, None] * direction
    return coefficients


def _bump(posterior: FloatArray) -> FloatArray:
    """(n,) 0..1: a smooth bump about each phone, as high as it is likely."""
    low, high = _CLOSURE
    height = np.asarray(((posterior - low) / (high - low)).clip(0, 1), np.float32)
    span = _windows(posterior, _SPAN_ROWS, _SPAN_ROWS, 0.0).sum(1)
    length = _smooth_step(span, _SHORT_PHONE, _LONG_PHONE)
    short, long = (_spread(height, skirt, skirt) for skirt in (_SHORT_SKIRT, _LONG_SKIRT))
    bump = short + length * (long - short)
    # Lips that only just met would be apart at the times of a film's frames.
    taps = np.array([1, 2, 1], np.float32) / 4
    bump = np.asarray(_windows(bump, 1, 1, 0.0) @ taps, np.float32)
    return _smooth_step(bump, 0.0, _SURE)


def _filled(voice: FloatArray, rows: int, outside: float) -> FloatArray:
    """Fill silences shorter than ``rows`` (a morphological closing)."""
    before, after = (rows - 1) // 2, rows - 1 - (rows - 1) // 2
    padded = np.pad(voice, rows, constant_values=outside)
    widened = _windows(padded, before, after, outside).max(1)
    filled = _windows(widened, after, before, outside).min(1)
    return np.asarray(filled[rows:-rows], np.float32)


def _eased(voice: FloatArray) -> FloatArray:
    """Let the mouth begin ahead of the voice and come to rest after it."""
    return _spread(voice, _BEFORE_ROWS, _AFTER_ROWS)


def _spread(x: FloatArray, before: float, after: float) -> FloatArray:
    """Widen (n,) ``x`` by slopes that begin ``before`` rows ahead of it and end ``after`` it."""
    ahead, behind = int(np.ceil(before)), int(np.ceil(after))
    at = np.arange(-behind, ahead + 1)
    slope = 1 - _smooth_step(np.where(at > 0, at / before, -at / after), 0.0, 1.0)
    return np.asarray((_windows(x, behind, ahead, 0.0) * slope).max(1), np.float32)


def _windows(x: FloatArray, before: int, after: int, outside: float) -> FloatArray:
    """(n, before + 1 + after) view: each row's neighbours."""
    padded = np.pad(x, (before, after), constant_values=outside)
    return np.asarray(sliding_window_view(padded, before + 1 + after))


def _smooth_step(x: FloatArray, low: float, high: float) -> FloatArray:
    """0 up to ``low``, 1 from ``high`` on, smooth (3u² - 2u³) between."""
    u = ((x - low) / (high - low)).clip(0, 1)
    return np.asarray(u * u * (3 - 2 * u), np.float32)
