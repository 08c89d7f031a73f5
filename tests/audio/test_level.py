"""Loudness and true peak against FFmpeg's own meter, and against what a sine must measure."""

import contextlib

import av
import numpy as np
import pytest

from labial.audio.level import SILENT_LUFS, LoudnessMeter, TruePeak, peaks


def lively(rate: int, channels: int, seconds: float = 9.0) -> np.ndarray:
    """Noise that swells and falls, with two seconds of silence and a short high tone."""
    t = np.arange(round(rate * seconds)) / rate
    envelope = (0.02 + np.abs(np.sin(0.4 * np.pi * t))) ** 2 * (t < seconds - 2)
    noise = np.random.default_rng(0).standard_normal((len(t), channels)) * 0.1
    sound = noise * envelope[:, None]
    sound[:, 0] += 0.5 * np.sin(np.pi / 2 * rate * t + np.pi / 4) * (t > 3) * (t < 3.1)
    return sound.astype(np.float32)


def measured(samples: np.ndarray, rate: int, layout: str, block: int = 7777) -> LoudnessMeter:
    meter = LoudnessMeter(rate, layout)
    for first in range(0, len(samples), block):
        meter.add(samples[first : first + block])
    return meter


def ffmpeg(samples: np.ndarray, rate: int, layout: str) -> tuple[float, float]:
    """Integrated loudness and true peak by the ebur128 filter."""
    graph = av.filter.Graph()
    source = graph.add_abuffer(sample_rate=rate, format="flt", layout=layout)
    meter = graph.add("ebur128", "peak=true:metadata=1:framelog=quiet")
    sink = graph.add("abuffersink")
    source.link_to(meter)
    meter.link_to(sink)
    graph.configure()
    told: dict[str, str] = {}
    for first in range(0, len(samples), 4800):
        block = np.ascontiguousarray(samples[first : first + 4800]).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(block, "flt", layout)
        frame.sample_rate, frame.pts = rate, first
        source.push(frame)
        told = _pulled(sink) or told
    source.push(None)
    told = _pulled(sink) or told
    peak = float(told["lavfi.r128.true_peak"])
    return float(told["lavfi.r128.I"]), 20 * np.log10(peak)


def _pulled(sink) -> dict[str, str]:
    told: dict[str, str] = {}
    with contextlib.suppress(av.error.BlockingIOError, av.error.EOFError):
        while True:
            told = dict(sink.pull().metadata) or told
    return told


@pytest.mark.parametrize(
    ("rate", "layout", "channels"),
    [
        (48000, "mono", 1),
        (44100, "stereo", 2),
        (16000, "mono", 1),
        (96000, "stereo", 2),
        (48000, "5.1", 6),
        (11025, "mono", 1),
    ],
)
def test_as_ffmpeg_measures(rate: int, layout: str, channels: int) -> None:
    sound = lively(rate, channels)
    ours = measured(sound, rate, layout)
    loudness, peak = ffmpeg(sound, rate, layout)
    assert ours.loudness() == pytest.approx(loudness, abs=0.02)
    # Both interpolate, with other filters.
    assert ours.peak() == pytest.approx(peak, abs=0.1)


def test_a_sine_of_1_khz_at_full_scale() -> None:
    wave = np.sin(2 * np.pi * 997 * np.arange(48000 * 3) / 48000).astype(np.float32)[:, None]
    assert measured(wave, 48000, "mono").loudness() == pytest.approx(-3.01, abs=0.03)
    both = np.repeat(wave, 2, 1)
    assert measured(both, 48000, "stereo").loudness() == pytest.approx(0, abs=0.03)
    assert measured(wave[:4800], 48000, "mono").loudness() == pytest.approx(-3.01, abs=0.2)


def test_pauses_do_not_count_and_silence_is_silent() -> None:
    sound = lively(16000, 1)
    quiet = np.zeros((16000 * 20, 1), np.float32)
    alone = measured(sound, 16000, "mono").loudness()
    paused = measured(np.concatenate([sound, quiet]), 16000, "mono").loudness()
    assert paused == pytest.approx(alone, abs=0.1)
    assert measured(quiet, 16000, "mono").loudness() == SILENT_LUFS
    assert LoudnessMeter(16000).loudness() == SILENT_LUFS
    assert LoudnessMeter(16000).peak() == -120


def test_blocks_make_no_difference_and_measuring_changes_nothing() -> None:
    sound = lively(44100, 2)
    whole = measured(sound, 44100, "stereo", len(sound))
    bits = LoudnessMeter(44100, "stereo")
    for first in range(0, len(sound), 1000):
        bits.add(sound[first : first + 1000])
        if first % 100000 == 0:
            bits.loudness()
            bits.peak()
    assert bits.loudness() == pytest.approx(whole.loudness(), abs=1e-6)
    assert bits.peak() == pytest.approx(whole.peak(), abs=1e-6)


def test_a_peak_between_the_samples() -> None:
    # A quarter of the rate, 45 degrees on: every sample is at 0.707 of the wave's height.
    wave = 0.8 * np.sin(np.pi / 2 * np.arange(4000) + np.pi / 4).astype(np.float32)
    wave *= np.hanning(len(wave)).astype(np.float32)
    assert np.abs(wave).max() == pytest.approx(0.8 * 0.5**0.5, rel=1e-3)
    meter = TruePeak(48000)
    for first in range(0, len(wave), 100):
        meter.add(wave[first : first + 100, None])
    assert meter.decibels() == pytest.approx(20 * np.log10(0.8), abs=0.05)
    assert peaks(wave[:, None]).max() == pytest.approx(0.8, rel=0.01)
