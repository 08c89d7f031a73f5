"""What a speech network would hear of a known timeline: posteriors whose truth is known."""

from __future__ import annotations

from math import erf
from pathlib import Path
from typing import TypeAlias

import numpy as np

from labial.exports.transcript import Transcript
from labial.speech.align import Word
from labial.speech.phones import PHONES
from labial.speech.segments import Phone
from labial.types import MouthMotion, SpeechTrack

RATE = 50
Sound: TypeAlias = tuple[str, float]
"""A phone class and how many seconds it lasts."""


def make_posteriors(
    sounds: list[Sound], *, blur: float = 0.008, noise: float = 0.0, seed: int = 0
) -> np.ndarray:
    """(n, P) float32 at 50 Hz of ``sounds`` one after the other.

    Parameters
    ----------
    blur
        Seconds: width of the normal distribution by which each border is uncertain.
    noise
        0..1: share that goes to random other classes, differently in each row.
    """
    edges = np.cumsum([0.0, *(seconds for _, seconds in sounds)])
    n = round(edges[-1] * 1e6) * RATE // 1_000_000 + 1 if sounds else 0
    found = np.zeros((n, len(PHONES)))
    for (name, _), start, stop in zip(sounds, edges[:-1], edges[1:], strict=True):
        first, last = (int(np.clip(t * RATE, 0, n - 1)) for t in (start, stop))
        rows = np.arange(max(first - 10, 0), min(last + 11, n))
        times = rows / RATE
        into = np.ones(len(rows)) if start == 0 else cumulative((times - start) / blur)
        out = np.zeros(len(rows)) if stop == edges[-1] else cumulative((times - stop) / blur)
        found[rows, PHONES.index(name)] += into - out
    found = np.maximum(found, 0) + 1e-5
    if noise and n:
        rng = np.random.default_rng(seed)
        others = rng.dirichlet(np.full(len(PHONES), 0.2), n)
        found = (1 - noise) * found + noise * others
    return (found / found.sum(1, keepdims=True)).astype(np.float32)


def cumulative(z: np.ndarray) -> np.ndarray:
    """Distribution function of the normal distribution."""
    return np.array([0.5 * (1 + erf(value / 2**0.5)) for value in z])


def make_track(
    sounds: list[Sound], *, blur: float = 0.008, noise: float = 0.0, seed: int = 0, width: int = 12
) -> SpeechTrack:
    """A track that hears ``sounds``; its mouth rests."""
    phones = make_posteriors(sounds, blur=blur, noise=noise, seed=seed)
    return SpeechTrack(MouthMotion(np.zeros((len(phones), width), np.float32), RATE), phones)


def make_transcript(
    sounds: list[Sound], *, words: list[Word] | None = None, source: str = "hi.wav"
) -> Transcript:
    """What is said in ``sounds``: every phone at its true time, the mouth at rest."""
    edges = np.cumsum([0.0, *(seconds for _, seconds in sounds)])
    phones = [
        Phone(name, float(a), float(a + b) / 2, float(b), 0.9)
        for (name, _), a, b in zip(sounds, edges[:-1], edges[1:], strict=True)
    ]
    voice = [(p.onset, p.release) for p in phones if p.name != "sil"]
    still = np.zeros(0, np.float32)
    return Transcript(Path(source), float(edges[-1]), phones, voice, still, still, RATE, words)
