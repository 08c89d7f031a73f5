"""How this speaker talks: how wide they open, how far the corners go, how the mouth rests.

The network moves an average mouth. What the source shows of its own speaker says how much more or
less this one moves.

Coefficients are in units of natural spread and uncorrelated, so directions at right angles may be
scaled apart and the mouth stays as likely as it was: first the direction that parts the lips with
the least change, then the one that widens the mouth and leaves the opening alone; what is left
(jaw against lips, protrusion) goes with the geometric mean of the two.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from labial.motion.rules import Rules, speaking
from labial.motion.space import MouthBasis
from labial.motion.timing import sample
from labial.types import BoolArray, FloatArray, MouthMotion, SpeechTrack

Times = npt.NDArray[np.float64]

GAIN = (0.4, 2.2)
"""The least and the most that a fitted speaker moves, against the network."""

# Inner-lip openings in inter-ocular distances. Nobody opens wider in speech than the first; a
# mouth whose range is below the second does not talk; at rest, lips part by the third at most.
_WIDEST, _STILL, _REST_OPEN = 0.28, 0.04, 0.03
# The range is taken between these percentiles: one yawn, or one bad frame, is no range.
_LOW, _HIGH = 3, 97
_TOP = 98
_LEAST_SECONDS = 1.0
# Seconds at which the evidence counts half: of speech known to be this mouth's, of a mouth whose
# speech is not heard, and of pauses.
_OWN_HALF, _MUTE_HALF, _PAUSE_HALF = 1.0, 6.0, 1.0
# Sound may lie beside the picture by so much; the best correlation with foreign speech is below
# the first in half of all clips, and hardly ever above the second.
_LAGS_SECONDS = np.arange(-6, 7) / 50
_FOREIGN, _OWN = 0.15, 0.45
# The limiter leaves openings below this share of the ceiling alone.
_KNEE = 0.75


@dataclass(frozen=True)
class Style:
    """One speaker's way to move the mouth.

    Parameters
    ----------
    opening, width
        Factors on the network's motion: how far the lips part, how far the corners go.
    rest
        (K,) float32 coefficients of the mouth in the speaker's own pauses.
    ceiling
        Inner-lip opening that the speaker hardly exceeds, in inter-ocular distances.
    evidence
        Seconds of own speech that this was learned from; 0 when it is the average speaker.
    matched
        0..1: how surely the source's sound is this mouth's speech.
    """

    opening: float
    width: float
    rest: FloatArray
    ceiling: float
    evidence: float
    matched: float = 0.0

    def apply(self, motion: MouthMotion, basis: MouthBasis) -> MouthMotion:
        """Return ``motion`` as this speaker would do it; 0 stays 0."""
        out, wide, scale = _directions(basis)
        c = motion.coefficients
        along_out, along_wide = c @ out, c @ wide
        other = float(np.sqrt(self.opening * self.width))
        opened = self.opening * along_out * scale
        opened = _limited(opened, self.ceiling) / scale
        c = (
            other * c
            + (opened - other * along_out)[:, None] * out
            + ((self.width - other) * along_wide)[:, None] * wide
        )
        return MouthMotion(np.asarray(c, np.float32), motion.rate)

    def summary(self) -> str:
        """Return the style in a few words, "" for the average speaker."""
        if self.evidence == 0:
            return ""
        source = "own speech" if self.matched > 0 else "a mouth whose speech is not heard"
        gains = f"opening ×{self.opening:.1f}, width ×{self.width:.1f}"
        return f"{gains} from {self.evidence:.0f} s of {source}"


def average(basis: MouthBasis) -> Style:
    """Return the style of the average speaker, which changes nothing that a mouth can do."""
    return Style(1.0, 1.0, np.zeros(len(basis), np.float32), _WIDEST, 0.0)


def fit_style(
    own: FloatArray,
    trusted: BoolArray,
    times: Times,
    basis: MouthBasis,
    heard: SpeechTrack | None = None,
    new: SpeechTrack | None = None,
) -> Style:
    """Learn a speaker's style from whatever the source shows.

    A factor is the range of the real mouth against that of the network's, over the time that
    somebody speaks: on the source's own sound where that is this mouth's speech, and on the
    new speech, which the same person shall seem to say; of both, the geometric mean. A network
    moves less the less sure it is of a voice, and both halves of the mean make up for that.

    Parameters
    ----------
    own
        (n, K) the source's own mouth, as :func:`labial.motion.retarget.own_motion` returns it.
    trusted
        (n,) frames in which it is seen well.
    times
        (n,) seconds of the frames on the clock of ``heard``.
    basis
        The mouth basis.
    heard
        What the network heard in the source's own sound, if it has any.
    new
        What the network heard in the speech to be put in, where it is known beforehand.
    """
    style = average(basis)
    step = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    if trusted.sum() * step < _LEAST_SECONDS:
        return style
    predicted: list[FloatArray] = []
    matched, spoken = 0.0, trusted
    if heard is not None and len(heard):
        matched = _matched(basis.aperture(own), trusted, times, heard, basis)
        voiced = trusted & (_at(heard.voice, heard, times) > 0.5)
        if matched > 0 and voiced.sum() * step >= _LEAST_SECONDS:
            spoken = voiced
            predicted.append(sample(heard.motion, times)[voiced])
        else:
            matched = 0.0
    seconds = float(spoken.sum()) * step
    if _range(basis.aperture(own[spoken])) < _STILL:
        return style
    if new is not None and (new.voice > 0.5).sum() >= _LEAST_SECONDS * new.motion.rate:
        predicted.append(new.motion.coefficients[new.voice > 0.5])
    half = matched * _OWN_HALF + (1 - matched) * _MUTE_HALF
    weight = seconds / (seconds + half)
    out, wide, scale = _directions(basis)
    opening, width = (_gain(own[spoken], predicted, d, weight) for d in (out, wide))
    top = max(float(np.percentile(own[trusted] @ out * scale, _TOP)), 2 * _STILL)
    ceiling = min(top, _WIDEST) ** weight * _WIDEST ** (1 - weight)
    style = replace(
        style, opening=opening, width=width, ceiling=ceiling, evidence=seconds, matched=matched
    )
    if matched == 0 or heard is None:
        return style
    return replace(style, rest=matched * _rest(own, trusted, times, heard, basis, step))


def without_opening(coefficients: FloatArray, basis: MouthBasis) -> FloatArray:
    """Return (n, K) ``coefficients`` less what parts or shuts the lips."""
    opening = basis.aperture(np.eye(len(basis), dtype=np.float32))
    along = basis.aperture(coefficients) / float(opening @ opening)
    return np.asarray(coefficients - along[..., None] * opening, np.float32)


def _directions(basis: MouthBasis) -> tuple[FloatArray, FloatArray, float]:
    """Unit vectors (K,) that part the lips and that widen the mouth, and aperture a unit."""
    unit = np.eye(len(basis), dtype=np.float32)
    opening = basis.aperture(unit)
    length = float(np.linalg.norm(opening))
    out = opening / length
    wide = basis.width(unit)
    wide = wide - float(wide @ out) * out
    return out, np.asarray(wide / np.linalg.norm(wide), np.float32), length


def _gain(own: FloatArray, predicted: list[FloatArray], along: FloatArray, weight: float) -> float:
    """Ratio of ranges along one direction, drawn towards 1 as far as evidence is missing."""
    ranges = [_range(p @ along) for p in predicted]
    if not ranges or min(ranges) <= 0:
        return 1.0
    ratio = _range(own @ along) / float(np.exp(np.mean(np.log(ranges))))
    return float(np.clip(ratio, *GAIN) ** weight)


def _range(x: FloatArray) -> float:
    return float(np.subtract(*np.percentile(x, [_HIGH, _LOW]))) if len(x) else 0.0


def _matched(
    opening: FloatArray, trusted: BoolArray, times: Times, heard: SpeechTrack, basis: MouthBasis
) -> float:
    """0..1: how surely the mouth (n,) moves to what is heard."""
    said = basis.aperture(heard.motion.coefficients)
    seen = opening[trusted] - opening[trusted].mean()
    best = 0.0
    for lag in _LAGS_SECONDS:
        expected = _at(said, heard, times[trusted] + lag)
        expected = expected - expected.mean()
        norm = float(np.sqrt((seen @ seen) * (expected @ expected)))
        best = max(best, float(seen @ expected) / max(norm, 1e-9))
    return float(np.clip((best - _FOREIGN) / (_OWN - _FOREIGN), 0, 1))


def _rest(
    own: FloatArray,
    trusted: BoolArray,
    times: Times,
    heard: SpeechTrack,
    basis: MouthBasis,
    step: float,
) -> FloatArray:
    """(K,) the median mouth in the pauses, lips nearly closed; 0 where there are none."""
    pauses = trusted & (_at(speaking(heard, Rules()), heard, times) < 0.3)
    if not pauses.any():
        return np.zeros(len(basis), np.float32)
    seconds = float(pauses.sum()) * step
    rest = np.median(own[pauses], 0).astype(np.float32)
    open_by = np.clip(basis.aperture(rest), 0, _REST_OPEN)
    out, _, scale = _directions(basis)
    rest = without_opening(rest, basis) + out * open_by / scale
    return np.asarray(rest * seconds / (seconds + _PAUSE_HALF), np.float32)


def _at(curve: FloatArray, heard: SpeechTrack, times: Times) -> FloatArray:
    """(n,) of a curve (m,) on the clock of ``heard``, at ``times``."""
    return np.interp(times, np.arange(len(curve)) / heard.motion.rate, curve).astype(np.float32)


def _limited(opening: FloatArray, ceiling: float) -> FloatArray:
    """Bend (n,) openings so that they near the ceiling and a little more, and never pass it."""
    knee, room = _KNEE * ceiling, (1.15 - _KNEE) * ceiling
    above = (opening - knee).clip(min=0)
    return np.asarray(np.minimum(opening, knee) + room * np.tanh(above / room), np.float32)
