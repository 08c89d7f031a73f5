"""Noise is measured, and taken out of speech where that helps."""

from pathlib import Path

import numpy as np
import pytest
from synth import sample_file
from synth_media import write_sound

from labial.audio.denoise import Denoiser, helps
from labial.audio.features import RATE
from labial.audio.load import load_speech
from labial.audio.noise import Noise, NoiseMeter
from labial.errors import WeightsError
from labial.media.sound import read_audio


def voice(seconds: float = 8) -> np.ndarray:
    """(n,) a hum of 120 Hz in syllables, with pauses: what a meter takes for a voice."""
    t = np.arange(round(seconds * RATE)) / RATE
    tone = sum(np.sin(2 * np.pi * 120 * k * t) / k for k in range(1, 30))
    return (0.1 * tone * np.sin(4 * np.pi * t) ** 2 * (t % 2 < 1.4)).astype(np.float32)


def hiss(n: int, level: float) -> np.ndarray:
    return (level * np.random.default_rng(0).standard_normal(n)).astype(np.float32)


def tune(n: int, level: float) -> np.ndarray:
    """Three voices of a plucked instrument, each a new tone three times a second."""
    rng, t, sound = np.random.default_rng(1), np.arange(n) / RATE, np.zeros(n)
    for k in range(3):
        beat = 3 * t + k / 3
        pitch = 110 * 2 ** (rng.integers(0, 30, int(beat[-1]) + 1)[beat.astype(int)] / 12)
        phase = 2 * np.pi * np.cumsum(pitch) / RATE
        wave = sum(np.sin(j * phase) / j for j in range(1, 25))
        sound += wave * np.exp(-4 / 3 * (beat % 1))
    return (level * sound).astype(np.float32)


def noise_of(samples: np.ndarray, block: int = 100_000) -> Noise:
    meter = NoiseMeter()
    for first in range(0, len(samples), block):
        meter.add(samples[first : first + block])
    return meter.noise()


def test_ten_decibels_of_noise_are_ten_decibels() -> None:
    sound = voice()
    far, near = (noise_of(sound + hiss(len(sound), level)) for level in (0.001, 0.00316))
    assert far.distance - near.distance == pytest.approx(10, abs=1)


def test_a_hiss_stays_the_same_and_a_tune_does_not() -> None:
    sound = voice()
    steady = noise_of(sound + hiss(len(sound), 0.005))
    lively = noise_of(sound + tune(len(sound), 0.01))
    assert steady.change < 3 < 4 < lively.change
    assert not helps(steady) and helps(lively)
    assert not helps(noise_of(sound + hiss(len(sound), 0.1))), "the network knows noise"


def test_clean_speech_needs_no_help() -> None:
    assert not helps(noise_of(voice() + hiss(8 * RATE, 1e-4)))
    assert not helps(noise_of(voice())), "digital silence in pauses is no noise"
    assert not helps(noise_of(np.zeros(RATE, np.float32)))
    assert not helps(NoiseMeter().noise())


def test_a_few_words_are_not_enough_to_tell() -> None:
    assert helps(Noise(30, 6, 10)) and helps(Noise(15, 3, 10))
    assert not helps(Noise(30, 6, 3)) and helps(Noise(20, 6, 3))
    assert not helps(Noise(10, 6, 1.5))


def test_blocks_make_no_difference() -> None:
    sound = voice() + hiss(8 * RATE, 0.01)
    one, many = noise_of(sound, len(sound)), noise_of(sound, 777)
    assert one.distance == pytest.approx(many.distance, abs=0.1)
    assert one.change == pytest.approx(many.change, abs=0.1)


def ratio(clean: np.ndarray, heard: np.ndarray) -> float:
    """Scale-invariant signal to distortion, dB."""
    part = clean * (heard @ clean) / (clean @ clean)
    return float(10 * np.log10((part**2).sum() / ((heard - part) ** 2).sum()))


def test_speech_comes_out_of_noise_at_its_own_time(tmp_path: Path) -> None:
    for name in ("dtln_spectrum", "dtln_wave"):
        sample_file(name)
    clean = np.array(load_speech(sample_file("speech_short")).samples[: 5 * RATE + 77])
    noisy = clean + hiss(len(clean), 0.05)
    heard = np.concatenate(list(Denoiser()([noisy])))
    assert len(heard) == len(clean)
    assert ratio(clean, heard) > ratio(clean, noisy) + 4
    moved = [heard[400:-400] @ np.roll(clean, k)[400:-400] for k in range(-20, 21)]
    assert int(np.argmax(moved)) == 20, "neither late nor early"
    bits = np.concatenate(list(Denoiser()(np.array_split(noisy, [3, 1000, 1001, 40_000]))))
    np.testing.assert_array_equal(bits, heard)


def test_only_what_is_noisy_changes(tmp_path: Path) -> None:
    for name in ("dtln_spectrum", "dtln_wave"):
        sample_file(name)
    clean = np.array(read_audio(sample_file("speech_short")).samples[: 7 * RATE])
    mixed = clean + tune(len(clean), 0.01)
    for samples, noisy in ((clean, False), (mixed, True)):
        path = write_sound(tmp_path / "s.wav", samples[None], RATE, "pcm_f32le")
        before, after = load_speech(path), load_speech(path, "auto")
        assert np.array_equal(before.samples, after.samples) is not noisy
        assert bool(after.note) is noisy and before.note == ""
        assert len(after.samples) == len(before.samples)
    assert "noise was taken out" in after.note
    assert not np.array_equal(load_speech(path, "on").samples, before.samples)


def test_without_the_networks_it_listens_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABIAL_CACHE", str(tmp_path / "none"))
    monkeypatch.setenv("LABIAL_OFFLINE", "1")
    sound = voice() + tune(8 * RATE, 0.02)
    path = write_sound(tmp_path / "s.wav", sound[None], RATE, "pcm_f32le")
    heard = load_speech(path, "auto")
    np.testing.assert_array_equal(heard.samples, load_speech(path).samples)
    assert "listened to as it is" in heard.note and "LABIAL_OFFLINE" in heard.note
    with pytest.raises(WeightsError, match="LABIAL_OFFLINE"):
        load_speech(path, "on")
