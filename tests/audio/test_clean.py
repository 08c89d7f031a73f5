"""Checks and loudness of the sound that goes into the network."""

import numpy as np
import pytest

from labial.audio.clean import ACTIVE_RMS, loudness_gain, prepare
from labial.audio.features import RATE
from labial.errors import SpeechError


def bursts(level: float) -> np.ndarray:
    """Noise bursts of 200 ms with silence between."""
    rng = np.random.default_rng(1)
    sound = rng.standard_normal(4 * RATE) * level
    sound[(np.arange(len(sound)) // (RATE // 5)) % 2 == 1] = 0
    return sound.astype(np.float32)


@pytest.mark.parametrize("level", [0.003, 0.1, 0.5])
def test_the_active_part_comes_to_one_level(level: float) -> None:
    out = prepare(bursts(level))
    active = out[np.abs(out) > 0]
    assert np.sqrt((active**2).mean()) == pytest.approx(ACTIVE_RMS, rel=0.05)


def test_silence_is_not_blown_up() -> None:
    assert loudness_gain(np.zeros(RATE, np.float32)) == 1
    assert loudness_gain(bursts(1e-5)) == 1


def test_short_sound_is_padded_to_twenty_ms() -> None:
    assert len(prepare(np.ones(5, np.float32))) == RATE // 50


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_none_are_refused(bad: float) -> None:
    samples = np.ones(RATE, np.float32)
    samples[100] = bad
    with pytest.raises(SpeechError, match=r"talk\.wav.*not numbers"):
        prepare(samples, "talk.wav")


def test_nothing_is_refused() -> None:
    with pytest.raises(SpeechError, match="empty"):
        prepare(np.zeros(0, np.float32))
