"""Speech stretched: exact in length, clicks at their place, the pitch kept."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from synth_media import write_sound

from labial.errors import OptionError
from labial.media.sound_file import sound_blocks, sound_info
from labial.options import DubOptions
from labial.soundtrack import stretch
from labial.soundtrack.stretch import factor_for, stretched

RATE = 16_000
SECONDS = 75


def clicks() -> tuple[np.ndarray, np.ndarray]:
    """Samples with a short click twice a second, and where."""
    at = np.arange(RATE // 3, SECONDS * RATE - RATE // 3, RATE // 2)
    samples = np.zeros(SECONDS * RATE, np.float32)
    click = np.hanning(32) * np.random.default_rng(1).normal(0, 0.5, 32)
    for k in at:
        samples[k : k + 32] += click.astype(np.float32)
    return samples, at + 16


def heard(path: Path) -> np.ndarray:
    return np.concatenate(list(sound_blocks(path)))


@pytest.mark.parametrize("factor", [0.9, 0.983, 1.1])
def test_clicks_stay_at_their_place_also_where_parts_join(tmp_path: Path, factor: float) -> None:
    samples, at = clicks()
    path = write_sound(tmp_path / "a.wav", samples[None], RATE, "pcm_f32le")
    before, after = stretched(path, factor, tmp_path / "b.caf")
    out = heard(tmp_path / "b.caf")[:, 0]
    assert (before, after) == (len(samples), round(len(samples) * Fraction(str(factor))))
    assert len(out) == after
    for k in at:
        place = round(k * factor)
        near = np.abs(out[place - 1500 : place + 1500].astype(np.float64)) ** 2
        middle = (np.arange(3000) * near).sum() / near.sum() - 1500
        assert abs(middle) < 0.0015 * RATE
        assert 0.7 < near.sum() / (samples[k - 20 : k + 20] ** 2).sum() < 1.3


def test_a_tone_keeps_its_pitch_and_is_whole_over_the_join(tmp_path: Path) -> None:
    t = np.arange(SECONDS * RATE) / RATE
    tone = np.stack([0.4 * np.sin(2 * np.pi * 220 * t), 0.4 * np.sin(2 * np.pi * 330 * t)])
    # A pause: that is where the parts are cut.
    tone *= 1 - np.exp(-(((t - 54) / 0.1) ** 2))
    path = write_sound(tmp_path / "a.wav", tone.astype(np.float32), RATE, "pcm_f32le", "stereo")
    stretched(path, 1.07, tmp_path / "b.caf")
    assert sound_info(tmp_path / "b.caf").layout == "stereo"
    out = heard(tmp_path / "b.caf")
    for channel, hertz in enumerate((220, 330)):
        for first in (10, 62):
            part = out[first * RATE : (first + 8) * RATE, channel] * np.hanning(8 * RATE)
            power = np.abs(np.fft.rfft(part)) ** 2
            assert abs(power.argmax() / 8 - hertz) <= 0.125
            own = power[hertz * 8 - 16 : hertz * 8 + 17].sum()
            assert own > 1e4 * (power.sum() - own)
    loud = np.sqrt((out[: len(out) // 1600 * 1600, 0].reshape(-1, 1600) ** 2).mean(1))
    away = np.abs(np.arange(len(loud)) * 0.1 - 54 * 1.07) > 0.5
    assert loud[away][5:-5].min() > 0.25


@pytest.mark.parametrize("n", [1, 50, 3000])
def test_very_short_sound(tmp_path: Path, n: int) -> None:
    path = write_sound(tmp_path / "a.wav", np.full((1, n), 0.1, np.float32), RATE)
    assert stretched(path, 1.1, tmp_path / "b.caf") == (n, round(n * 1.1))


def test_the_same_twice(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, (1, 3 * RATE)).astype(np.float32)
    path = write_sound(tmp_path / "a.wav", noise, RATE)
    for name in ("b.caf", "c.caf"):
        stretched(path, 0.95, tmp_path / name)
    assert (tmp_path / "b.caf").read_bytes() == (tmp_path / "c.caf").read_bytes()


def test_auto_goes_towards_the_video_as_far_as_may_be() -> None:
    assert factor_for("auto", Fraction(10), Fraction(10)) == 1
    assert factor_for("auto", Fraction(10), Fraction(21, 2)) == pytest.approx(1.05)
    assert factor_for("auto", Fraction(10), Fraction(30)) == 1.1
    assert factor_for("auto", Fraction(10), Fraction(3)) == 0.9
    assert factor_for(0.97, Fraction(10), Fraction(3)) == 0.97


def test_what_cannot_be_asked_for_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OptionError, match=r"--stretch-audio 1.3: use auto, or 0.9"):
        DubOptions(stretch_audio=1.3)
    monkeypatch.setitem(__import__("sys").modules, "python_stretch.Signalsmith", None)
    with pytest.raises(OptionError, match="pip install python-stretch"):
        stretch.check_stretching()
