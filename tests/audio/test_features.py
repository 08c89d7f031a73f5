"""Log-mel: the right band at the right time, however the sound is cut."""

import numpy as np
import pytest

from labial.audio.features import (
    BANDS,
    FLOOR,
    HOP,
    RATE,
    LogMelStream,
    band_centers,
    log_mel,
    mel_filters,
    n_frames,
)


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (0.1 * rng.standard_normal(int(seconds * RATE))).astype(np.float32)


@pytest.mark.parametrize("hertz", [300.0, 1000.0, 3000.0, 6500.0])
def test_a_sine_lights_its_own_band(hertz: float) -> None:
    t = np.arange(RATE) / RATE
    mel = log_mel(np.sin(2 * np.pi * hertz * t).astype(np.float32))
    strongest = mel[10:-10].mean(0).argmax()
    assert abs(band_centers()[strongest] - hertz) <= np.abs(band_centers() - hertz).min() + 60


def test_a_click_lights_the_frames_around_its_time() -> None:
    samples = np.zeros(RATE, np.float32)
    samples[50 * HOP] = 1
    mel = log_mel(samples).mean(1)
    assert mel.argmax() == 50
    lit = np.flatnonzero(mel > np.log(FLOOR) + 1e-3)
    # A window is 400 samples: two hops away it no longer reaches the click.
    assert lit.tolist() == [49, 50, 51]


def test_frames_are_the_same_in_any_range() -> None:
    samples = noise(1.0)
    whole = log_mel(samples, -20, 130)
    parts = [log_mel(samples, a, a + 7) for a in range(-20, 130, 7)]
    assert np.allclose(np.concatenate(parts)[:150], whole, atol=1e-4)
    assert np.allclose(whole[:15], np.log(np.float32(FLOOR)))
    assert np.allclose(whole[-15:], np.log(np.float32(FLOOR)))


@pytest.mark.parametrize("step", [1, 37, 160, 4001])
def test_a_stream_gives_what_the_whole_gives(step: int) -> None:
    samples = noise(0.31)
    stream = LogMelStream()
    parts = [stream.push(samples[i : i + step]) for i in range(0, len(samples), step)]
    parts.append(stream.finish())
    got, want = np.concatenate(parts), log_mel(samples)
    assert got.shape == want.shape == (n_frames(len(samples)), BANDS)
    assert np.allclose(got, want, atol=1e-4)
    assert np.allclose(np.concatenate([stream.push(samples), stream.finish()]), want, atol=1e-4)


def test_filters_cover_every_frequency_once() -> None:
    filters = mel_filters()
    assert filters.shape == (257, BANDS)
    assert (filters.max(0) > 0).all()
    inner = filters[2:240].sum(1)
    assert inner.min() > 0.95 and inner.max() < 1.05
