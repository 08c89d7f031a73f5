"""Speech out of a file."""

import wave
from pathlib import Path

import numpy as np
import pytest

from labial.audio.clean import ACTIVE_RMS
from labial.audio.load import load_speech


def test_a_stereo_file_becomes_16_khz_mono_at_one_level(tmp_path: Path) -> None:
    t = np.arange(48_000) / 48_000
    tone = (3000 * np.sin(2 * np.pi * 440 * t)).astype("<i2")
    path = tmp_path / "tone.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes(np.repeat(tone[:, None], 2, 1).tobytes())
    audio = load_speech(path)
    assert audio.rate == 16_000
    assert audio.seconds == pytest.approx(1, abs=0.01)
    middle = audio.samples[2000:-2000]
    assert np.sqrt((middle**2).mean()) == pytest.approx(ACTIVE_RMS, rel=0.02)
    spectrum = np.abs(np.fft.rfft(middle))
    assert spectrum.argmax() * 16_000 / len(middle) == pytest.approx(440, abs=2)
