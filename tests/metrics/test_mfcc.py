"""Cepstra of sounds whose bands are known, and the same whatever the blocks."""

import numpy as np
import pytest

from labial.metrics import mfcc as room
from labial.metrics.mfcc import mfcc


def sound(seconds: float = 1.0) -> np.ndarray:
    rng = np.random.default_rng(0)
    return (0.1 * rng.standard_normal(round(seconds * 16000))).astype(np.float32)


def by_hand(samples: np.ndarray) -> np.ndarray:
    """One window, step by step, with loops and nothing shared with the code."""
    x = np.rint(samples * 32768)
    x = np.append(x[0], x[1:] - 0.97 * x[:-1])[:400]
    spectrum = np.abs(np.fft.fft(np.append(x, np.zeros(112))))[:257] ** 2 / 512
    mel = [k / 27 * 2595 * np.log10(1 + 8000 / 700) for k in range(28)]
    edge = [int(513 * 700 * (10 ** (m / 2595) - 1) / 16000) for m in mel]
    bands = []
    for k in range(26):
        total = 0.0
        for b in range(edge[k], edge[k + 1]):
            total += spectrum[b] * (b - edge[k]) / (edge[k + 1] - edge[k])
        for b in range(edge[k + 1], edge[k + 2]):
            total += spectrum[b] * (edge[k + 2] - b) / (edge[k + 2] - edge[k + 1])
        bands.append(np.log(total))
    row = []
    for c in range(13):
        value = sum(bands[i] * np.cos(np.pi * c * (i + 0.5) / 26) for i in range(26))
        value *= np.sqrt((1 if c == 0 else 2) / 26)
        row.append(value * (1 + 11 * np.sin(np.pi * c / 22)))
    row[0] = np.log(spectrum.sum())
    return np.array(row)


def test_a_window_by_hand() -> None:
    np.testing.assert_allclose(mfcc(sound())[0], by_hand(sound()), rtol=1e-4, atol=1e-3)


def test_ten_milliseconds_a_row() -> None:
    x = sound()
    assert mfcc(x).shape == (99, 13)
    np.testing.assert_allclose(mfcc(x)[5:40], mfcc(x[4 * 160 :])[1:36], rtol=1e-4, atol=1e-3)
    assert len(mfcc(x[:10])) == 1 and len(mfcc(x[:401])) == 2 and mfcc(x[:0]).shape == (0, 13)


def test_blocks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = mfcc(sound())
    monkeypatch.setattr(room, "_BLOCK", 7)
    np.testing.assert_array_equal(mfcc(sound()), whole)


def test_louder_is_a_larger_first_coefficient_and_the_same_others() -> None:
    soft, loud = mfcc(sound() / 4), mfcc(sound())
    np.testing.assert_allclose(loud[:, 0] - soft[:, 0], 2 * np.log(4), atol=0.01)
    np.testing.assert_allclose(loud[:, 1:], soft[:, 1:], atol=0.2)


def test_silence_is_finite() -> None:
    assert np.isfinite(mfcc(np.zeros(1600, np.float32))).all()
