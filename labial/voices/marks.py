"""A synthesiser's marks, which say where phones start, brought in line with its sound.

A mark is (start in seconds, IPA), with None for the IPA where there may be a pause; a span is
(start, end, IPA), with "" for silence.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from labial.errors import SpeechError
from labial.speech.phones import SILENCE, classes_of_ipa
from labial.speech.segments import Phone
from labial.types import FloatArray

Mark: TypeAlias = tuple[float, str | None]
Span: TypeAlias = tuple[float, float, str]

STOPS, HISSES = "pbtdkɡɖʈcɟqʔ", tuple("szʃʒɕʂfvθðxχçh")
QUIET_DB, SILENT_DB, CLOSED_DB = -32.0, -36.0, -29.0
_STRESS, _PAUSES = "ˈˌ", ' ;:,.!?¡¿—…"()“”«»^$-\n'
_LENGTHENS, _TONES = "ːˑʰʲᵝ\u0303\u0329", "↓→↗↘"
_FRAMES = 200  # a second, at which loudness is looked at


def levels(samples: FloatArray, rate: int) -> npt.NDArray[np.float64]:
    """Loudness of each 5 ms of (n,) samples, in decibels below the loud parts."""
    n = len(samples) * _FRAMES // rate
    if not n:
        return np.zeros(0)
    edges = np.arange(n) * rate // _FRAMES
    square = np.square(samples[: n * rate // _FRAMES], dtype=np.float64)
    sizes = np.diff(np.append(edges, len(square)))
    power = 10 * np.log10(np.add.reduceat(square, edges) / sizes + 1e-10)
    return np.asarray(power - np.percentile(power, 95))


def symbol_marks(symbols: Sequence[str], starts: Sequence[float]) -> list[Mark]:
    """Return marks of the symbols that a neural voice reads, which start at ``starts`` seconds.

    Stress belongs to the phone after it, length and tone to the one before. Punctuation and spaces
    may be pauses.
    """
    marks: list[Mark] = []
    stress: float | None = None
    for symbol, start in zip(symbols, starts, strict=True):
        if symbol in _STRESS:
            stress = start
        elif symbol in _LENGTHENS + _TONES:
            if marks and marks[-1][1] and symbol not in _TONES:
                marks[-1] = (marks[-1][0], marks[-1][1] + symbol)
        elif symbol in _PAUSES:
            if not (marks and marks[-1][1] is None):
                marks.append((start, None))
            stress = None
        else:
            marks.append((start if stress is None else stress, symbol))
            stress = None
    return marks


def settle(marks: Sequence[Mark], seconds: float, loud: npt.NDArray[np.float64]) -> list[Span]:
    """Make spans of marks, which cover a sound of ``seconds`` whose :func:`levels` are ``loud``.

    A pause that is not quiet belongs to the phones beside it; a short quiet one before a stop is
    the stop's closure.
    """
    starts = [min(max(t, 0.0), seconds) for t, _ in marks] + [seconds]
    starts[0] = 0.0
    found: list[Span] = []
    for i, (_, ipa) in enumerate(marks):
        start, end = starts[i], starts[i + 1]
        if end - start < 1e-4:
            continue
        if ipa is None:
            first = int(start * _FRAMES)
            inside = loud[first : max(int(end * _FRAMES), first + 1)]
            quiet = len(inside) > 0 and np.median(inside) < QUIET_DB
            closure = i + 1 < len(marks) and (marks[i + 1][1] or "-")[0] in STOPS
            if i in (0, len(marks) - 1) or (quiet and end - start > (0.12 if closure else 0.05)):
                ipa = ""
            else:
                if found and not (closure and quiet):
                    found[-1] = (found[-1][0], (start + end) / 2, found[-1][2])
                continue
        if found and not ipa and not found[-1][2]:
            found[-1] = (found[-1][0], end, "")
        else:
            found.append((found[-1][1] if found else 0.0, end, ipa))
    if found:
        found[-1] = (found[-1][0], seconds, found[-1][2])
    return found


def trim(spans: Sequence[Span], loud: npt.NDArray[np.float64]) -> list[Span]:
    """Move the edges of pauses to where the sound goes quiet, within the phones beside them."""
    quiet = loud < SILENT_DB
    edges = np.flatnonzero(np.diff(np.concatenate([[False], quiet, [False]]).astype(int)))
    runs = edges.reshape(-1, 2) / _FRAMES
    moved = list(spans)
    for i, (start, end, ipa) in enumerate(spans):
        if ipa:
            continue
        before = moved[i - 1][0] + 0.02 if i else 0.0
        after = moved[i + 1][1] - 0.02 if i + 1 < len(spans) else end
        inside = np.clip(runs, before, after)
        longest = inside[np.argmax(inside[:, 1] - inside[:, 0])] if len(inside) else (0, 0)
        if longest[1] - longest[0] < 0.04:
            continue
        first, last = float(longest[0]), float(longest[1])
        first = first + 0.01 if first < start + 0.08 else start
        if i + 1 < len(spans):
            last -= 0.06 if spans[i + 1][2][0] in STOPS else 0.01
            last = last if last > end - 0.08 else end
        else:
            last = end
        if last - first < 0.03:
            continue
        if i:
            moved[i - 1] = (moved[i - 1][0], first, moved[i - 1][2])
        else:
            first = 0.0
        if i + 1 < len(spans):
            moved[i + 1] = (last, moved[i + 1][1], moved[i + 1][2])
        moved[i] = (first, last, "")
    return moved


def close_stops(spans: Sequence[Span], loud: npt.NDArray[np.float64]) -> list[Span]:
    """Give stops the silent closure before their burst, where the marks are at the burst."""
    moved = list(spans)
    for i in range(1, len(moved)):
        (start, end, ipa), (first, _, before) = moved[i], moved[i - 1]
        if (ipa or "-")[0] not in STOPS:
            continue
        frame = round(start * _FRAMES) - 2
        if frame < 0 or frame + 5 > len(loud) or loud[frame + 3 : frame + 5].max() < CLOSED_DB:
            continue  # the mark is at the closure
        quiet = CLOSED_DB - (15 if before[:1] in HISSES else 0)
        while frame > 0 and loud[frame] < quiet:
            frame -= 1
        closed = max((frame + 1) / _FRAMES, first + 0.02, start - (0.15 if before else 0.06))
        if closed < start - 0.01:
            moved[i - 1], moved[i] = (first, closed, before), (closed, end, ipa)
    return moved


def phones_of(spans: Sequence[Span]) -> list[Phone]:
    """Return spans as phones; a diphthong or an affricate is shared out evenly to its parts.

    Raises
    ------
    SpeechError
        If there is nothing but silence.
    """
    if not any(classes_of_ipa(ipa) for _, _, ipa in spans):
        raise SpeechError("the voice says nothing but silence")
    phones: list[Phone] = []
    for start, end, ipa in spans:
        names = list(classes_of_ipa(ipa)) or [SILENCE]
        step = (end - start) / len(names)
        for k, name in enumerate(names):
            onset = start + k * step
            release = end if k == len(names) - 1 else onset + step
            if phones and phones[-1].name == name == SILENCE:
                onset = phones.pop().onset
            phones.append(Phone(name, onset, (onset + release) / 2, release, 1.0))
    return phones
