"""Speech at a loudness, and the limiter."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from synth_media import write_sound

from labial.audio.level import LoudnessMeter, peaks
from labial.media.sound_file import sound_blocks
from labial.soundtrack.level import CEILING_DB, Limiter, leveled, limited

RATE = 16000


def phrases(level: float = 0.05, spike: float = 0.0) -> np.ndarray:
    """(n,) noise in phrases of half a second, one sample in each of them much higher."""
    rng = np.random.default_rng(3)
    t = np.arange(6 * RATE) / RATE
    sound = level * rng.standard_normal(len(t)) * (t % 1 < 0.5)
    for second in range(6):
        sound[second * RATE + RATE // 4] += spike
    return sound.clip(-1, 1).astype(np.float32)


def read(path: Path) -> np.ndarray:
    return np.concatenate(list(sound_blocks(path)))


def write(path: Path, samples: np.ndarray, layout: str = "mono") -> Path:
    return write_sound(path, np.atleast_2d(samples), RATE, "pcm_f32le", layout)


def measured(samples: np.ndarray) -> tuple[float, float]:
    meter = LoudnessMeter(RATE, "mono" if samples.shape[1] == 1 else "stereo")
    meter.add(samples)
    return meter.loudness(), meter.peak()


@pytest.mark.parametrize("target", [-30.0, -23.0])
def test_a_gain_alone_where_that_is_enough(tmp_path: Path, target: float) -> None:
    sound = phrases()
    report = leveled(write(tmp_path / "s.wav", sound), target, tmp_path / "o.caf")
    made = read(tmp_path / "o.caf")
    assert made.shape == (len(sound), 1)
    assert measured(made)[0] == pytest.approx(target, abs=0.05)
    assert report.limited == 0 and report.after == pytest.approx(target, abs=0.05)
    np.testing.assert_allclose(made[:, 0], sound * 10 ** (report.gain / 20), atol=1e-6)
    assert f"to {target:.1f} LUFS" in report.summary() and "limited" not in report.summary()


def test_peaks_are_taken_down_and_nothing_else(tmp_path: Path) -> None:
    sound = phrases(0.05, 0.8)
    report = leveled(write(tmp_path / "s.wav", sound), -16.0, tmp_path / "o.caf")
    made = read(tmp_path / "o.caf")
    loudness, peak = measured(made)
    assert loudness == pytest.approx(-16, abs=0.2)
    assert peak <= CEILING_DB
    assert 0 < report.limited < 1 and "limited for" in report.summary()
    # Where no spike is near, it is a gain.
    calm = np.abs(np.arange(len(sound)) % RATE - RATE // 4) > RATE // 5
    np.testing.assert_allclose(made[calm, 0], sound[calm] * 10 ** (report.gain / 20), atol=1e-5)


def test_what_cannot_become_so_loud_is_not_pressed(tmp_path: Path) -> None:
    source = write(tmp_path / "s.wav", phrases(0.02, 0.9))
    report = leveled(source, -5.0, tmp_path / "o.caf")
    assert report.after < -6 and "would press its peaks too hard" in report.summary()
    assert measured(read(tmp_path / "o.caf"))[1] <= CEILING_DB


def test_silence_stays(tmp_path: Path) -> None:
    quiet = np.zeros(RATE, np.float32)
    report = leveled(write(tmp_path / "s.wav", quiet), -14.0, tmp_path / "o.caf")
    assert not read(tmp_path / "o.caf").any() and "silence" in report.summary()


def test_channels_are_taken_down_together(tmp_path: Path) -> None:
    both = np.stack([phrases(0.05, 0.9), phrases(0.05)])
    report = leveled(write(tmp_path / "s.wav", both, "stereo"), -14.0, tmp_path / "o.caf")
    made = read(tmp_path / "o.caf")
    assert report.limited > 0
    ratio = np.abs(both[0]) > 0.01
    lowered = made[ratio, 0] / both[0, ratio]
    np.testing.assert_allclose(made[ratio, 1], both[1, ratio] * lowered, atol=1e-5)


@pytest.mark.parametrize("rate", [8000, 16000, 44100])
def test_the_ceiling_holds_from_the_first_sample_to_the_last(rate: int) -> None:
    rng = np.random.default_rng(1)
    loud = (3 * rng.standard_normal((3 * rate, 2)) * rng.random((3 * rate, 1))).astype(np.float32)
    pieces = [loud[first : first + 777] for first in range(0, len(loud), 777)]
    made = np.concatenate(list(Limiter(rate)(pieces)))
    assert made.shape == loud.shape
    assert 20 * np.log10(peaks(made).max()) <= CEILING_DB
    whole = np.concatenate(list(Limiter(rate)([loud])))
    np.testing.assert_allclose(made, whole, atol=1e-6)


def test_nothing_becomes_nothing() -> None:
    assert not list(Limiter(RATE)([]))
    quiet = np.full((RATE, 1), 0.3, np.float32)
    np.testing.assert_array_equal(np.concatenate(list(Limiter(RATE)([quiet]))), quiet)


def test_only_what_is_too_high_is_limited(tmp_path: Path) -> None:
    calm, loud = phrases(0.05), phrases(0.05, 0.95)
    report = limited(write(tmp_path / "c.wav", calm), tmp_path / "o.caf")
    np.testing.assert_array_equal(read(tmp_path / "o.caf")[:, 0], calm)
    assert report.limited == 0 and report.gain == 0
    report = limited(write(tmp_path / "l.wav", loud), tmp_path / "o.caf")
    assert report.limited > 0 and measured(read(tmp_path / "o.caf"))[1] <= CEILING_DB


def test_what_is_not_heard_does_not_count(tmp_path: Path) -> None:
    sound = np.concatenate([phrases(0.02), phrases(0.2)])
    report = leveled(write(tmp_path / "s.wav", sound), -23.0, tmp_path / "o.caf", Fraction(11, 2))
    made = read(tmp_path / "o.caf")
    assert len(made) == 5.5 * RATE
    assert measured(made)[0] == pytest.approx(-23, abs=0.05) == report.after
