"""New speech replaces stretches of a sound, to the sample, and nothing else of it."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from labial.media.sound_file import SoundWriter, sound_blocks, sound_info
from labial.soundtrack.lay import FADE_SECONDS, Piece, lay

RATE = 8000
FADE = round(FADE_SECONDS * RATE)


def sound(path: Path, value: float | np.ndarray, seconds: float = 4, channels: int = 1) -> Path:
    samples = np.broadcast_to(np.asarray(value, np.float32), round(seconds * RATE))
    with SoundWriter(path, RATE, "stereo" if channels == 2 else "mono") as out:
        out.write(np.repeat(samples[:, None], channels, 1))
    return path


def read(path: Path) -> np.ndarray:
    return np.concatenate([*sound_blocks(path)])[:, 0]


def ramp(path: Path, seconds: float) -> Path:
    return sound(path, np.arange(round(seconds * RATE)) / (seconds * RATE), seconds)


def test_only_the_stretch_changes(tmp_path: Path) -> None:
    base, new = sound(tmp_path / "base.caf", 0.25), ramp(tmp_path / "new.caf", 2)
    piece = Piece(Fraction("1.5"), Fraction("2.75"), new, Fraction(1, 2))
    peak = lay([piece], Fraction(4), tmp_path / "out.caf", base)
    got = read(tmp_path / "out.caf")
    a, b = 12000, 22000
    np.testing.assert_array_equal(got[:a], 0.25)
    np.testing.assert_array_equal(got[b:], 0.25)
    want = (np.arange(b - a) + RATE / 2) / (2 * RATE)
    np.testing.assert_allclose(got[a + FADE : b - FADE], want[FADE:-FADE], atol=1e-6)
    # One gives way to the other without a dip or a jump.
    assert np.abs(np.diff(got[a - 5 : a + FADE + 5])).max() < 0.01
    assert peak == pytest.approx(np.abs(got).max())


def test_speech_that_ends_early_is_followed_by_silence(tmp_path: Path) -> None:
    base, new = sound(tmp_path / "base.caf", 0.25), sound(tmp_path / "new.caf", 0.5, 3)
    piece = Piece(Fraction(1), Fraction(3), new, Fraction(0), Fraction(1))
    lay([piece], Fraction(4), tmp_path / "out.caf", base)
    got = read(tmp_path / "out.caf")
    np.testing.assert_array_equal(got[RATE + FADE : 2 * RATE - FADE], 0.5)
    np.testing.assert_array_equal(got[2 * RATE : 3 * RATE - FADE], 0)
    np.testing.assert_array_equal(got[3 * RATE :], 0.25)


def test_two_at_once_add_and_ambience_lies_under_both(tmp_path: Path) -> None:
    base, under = sound(tmp_path / "base.caf", 0.9), sound(tmp_path / "under.caf", 0.1)
    one, two = sound(tmp_path / "1.caf", 0.25), sound(tmp_path / "2.caf", 0.75)
    pieces = [
        Piece(Fraction(2), Fraction(3), two),
        Piece(Fraction(1), Fraction("2.5"), one),
    ]
    peak = lay(pieces, Fraction(4), tmp_path / "out.caf", base, under)
    got = read(tmp_path / "out.caf")
    np.testing.assert_allclose(got[RATE + FADE : 2 * RATE], 0.35, atol=1e-6)
    np.testing.assert_allclose(got[2 * RATE + FADE : 20000 - FADE], 1.1, atol=1e-6)
    np.testing.assert_allclose(got[20000 : 3 * RATE - FADE], 0.85, atol=1e-6)
    np.testing.assert_allclose(got[3 * RATE :], 0.9, atol=1e-6)
    assert peak == pytest.approx(1.1, abs=1e-3)


def test_without_a_base_there_is_silence_and_the_length_is_exact(tmp_path: Path) -> None:
    new = sound(tmp_path / "new.caf", 0.5, 1, channels=2)
    lay([Piece(Fraction(1, 2), Fraction(9), new)], Fraction(2501, 1000), tmp_path / "out.caf")
    got = read(tmp_path / "out.caf")
    assert sound_info(tmp_path / "out.caf").channels == 2
    assert len(got) == 20008
    assert not got[:4000].any()
    assert (got[4000 + FADE : 12000 - FADE] == 0.5).all()
    assert not got[12000:].any()


def test_a_mono_voice_is_as_loud_in_stereo(tmp_path: Path) -> None:
    base, new = sound(tmp_path / "base.caf", 0.25, channels=2), sound(tmp_path / "new.caf", 0.5)
    lay([Piece(Fraction(1), Fraction(2), new)], Fraction(4), tmp_path / "out.caf", base)
    got = np.concatenate([*sound_blocks(tmp_path / "out.caf")])
    # Loudness adds the power of the channels (ITU-R BS.1770).
    power = (got[RATE + FADE : 2 * RATE - FADE] ** 2).sum(1)
    np.testing.assert_allclose(power, 0.5**2, atol=1e-6)
