from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from synth_media import BURST_SECONDS, burst, write_sound, write_video

from labial.audio.loudness import BIN_SECONDS, FLOOR_DB, loudness


def sine(rate: int, amplitude: float, channels: int) -> np.ndarray:
    wave = amplitude * np.sin(2 * np.pi * 1000 * np.arange(rate) / rate)
    return np.repeat(wave[None], channels, 0).astype(np.float32)


@pytest.mark.parametrize("codec", ["pcm_u8", "pcm_s16le", "pcm_f32le"])
@pytest.mark.parametrize("layout", ["mono", "stereo"])
def test_a_sine_has_half_its_amplitudes_square(tmp_path: Path, codec: str, layout: str) -> None:
    samples = sine(48000, 0.5, 1 if layout == "mono" else 2)
    path = write_sound(tmp_path / "s.wav", samples, 48000, codec, layout)
    curve, start = loudness(path, Fraction(0))
    assert curve is not None and start == 0 and len(curve) == 100
    np.testing.assert_allclose(curve, 10 * np.log10(0.125), atol=0.1)


def test_time_begins_where_it_is_told_to(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "s.wav", burst(16000, 1.0), 16000)
    for begin in (Fraction(-1, 4), Fraction(0), Fraction(1, 10)):
        curve, start = loudness(path, begin)
        assert curve is not None and start == float(-begin)
        loud = np.flatnonzero(curve > -20)
        assert loud[0] * BIN_SECONDS == pytest.approx(BURST_SECONDS - float(begin), abs=0.011)
        assert curve.min() == FLOOR_DB


def test_no_sound_is_none(tmp_path: Path) -> None:
    assert loudness(write_video(tmp_path / "v.mp4"), Fraction(0)) == (None, 0.0)
