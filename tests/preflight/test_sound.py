"""Speech whose every flaw is known."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from synth_media import write_sound

from labial.audio.clipping import ClippingMeter
from labial.audio.features import RATE
from labial.audio.noise import Noise
from labial.preflight.finding import Finding
from labial.preflight.listening import Heard, listen
from labial.preflight.sound import level_findings, speech_findings
from labial.types import Audio, MouthMotion, SpeechTrack

SECONDS = 8
TIMES = np.arange(SECONDS * RATE) / RATE


def spoken(t: np.ndarray) -> np.ndarray:
    return (t % 2 < 1.4).astype(np.float64)


def voice(pitch: float = 120.0, level: float = 0.1) -> np.ndarray:
    """(n,) syllables of a buzz and of a hiss up to 8 kHz, and a pause of .6 s every 2 s."""
    phase = 2 * np.pi * np.cumsum(pitch * (1 + 0.1 * np.sin(4.4 * TIMES))) / RATE
    buzz = sum(np.sin(k * phase) / k for k in range(1, int(4000 / pitch)))
    hiss = 0.4 * np.random.default_rng(0).standard_normal(len(TIMES))
    beat = np.sin(2 * np.pi * 3 * TIMES)
    sound = buzz * np.maximum(beat, 0) ** 0.3 + hiss * np.maximum(-beat, 0) ** 0.3
    return level * sound * spoken(TIMES)


def said(seconds: float, silent: bool = False) -> SpeechTrack:
    """What a network that is never wrong hears in it."""
    t = np.arange(round(seconds * 50)) / 50
    speaking = np.zeros(len(t)) if silent else spoken(t)
    phones = np.stack([1 - speaking, speaking], 1).astype(np.float32)
    return SpeechTrack(MouthMotion(np.zeros((len(t), 2), np.float32), 50), phones)


def heard(samples: np.ndarray, silent: bool = False) -> Heard:
    audio = Audio(samples.astype(np.float32), RATE)
    return listen(audio, said(audio.seconds, silent))


def found(what: Heard) -> dict[str, Finding]:
    return {finding.measure: finding for finding in speech_findings(what)}


def test_clean_speech_gets_good_news_only() -> None:
    what = found(heard(voice()))
    assert set(what) == {"voice", "noise"}
    assert {finding.severity for finding in what.values()} == {"good"}
    assert what["voice"].value == pytest.approx(70, abs=2)


def in_band(samples: np.ndarray) -> np.ndarray:
    spectrum = np.fft.rfft(samples)
    hertz = np.fft.rfftfreq(len(samples), 1 / RATE)
    return np.fft.irfft(spectrum * ((hertz > 200) & (hertz < 5000)), len(samples))


@pytest.mark.parametrize(
    ("decibels", "severity"), [(30, "good"), (15, "hint"), (6, "warning"), (0, "problem")]
)
def test_noise_is_measured_in_decibels(decibels: float, severity: str) -> None:
    sound = voice()
    noise = np.random.default_rng(1).standard_normal(len(sound))
    level = (in_band(sound)[spoken(TIMES) > 0] ** 2).mean() / (in_band(noise) ** 2).mean()
    finding = found(heard(sound + noise * np.sqrt(level) * 10 ** (-decibels / 20)))["noise"]
    assert finding.value == pytest.approx(decibels, abs=1.5)
    assert finding.severity == severity and finding.unit == "dB"
    assert "the noise beside it" in finding.text or severity == "good"


def test_noise_of_a_few_words_is_not_known() -> None:
    what = heard(voice()[RATE // 10 : RATE])
    assert np.isnan(what.ratio) and "noise" not in found(what)


def test_music_is_told_from_noise() -> None:
    finding = found(Heard(8, 0, 8, 0.7, 9.0, Noise(21, 6, 8), 8000, 0.1, 0.0))["noise"]
    assert "music or other voices" in finding.text and finding.severity == "warning"


def test_a_narrow_band_has_an_edge() -> None:
    spectrum = np.fft.rfft(voice())
    spectrum[round(3400 * SECONDS) :] = 0
    finding = found(heard(np.fft.irfft(spectrum)))["bandwidth"]
    assert finding.value == pytest.approx(3400, abs=200) and finding.severity == "hint"
    assert "3.4 kHz" in finding.text


@pytest.mark.parametrize(("seconds", "severity"), [(0.45, "hint"), (0.9, "warning")])
def test_a_room_rings(seconds: float, severity: str) -> None:
    n, sound = round(seconds * RATE), voice()
    tail = np.random.default_rng(2).standard_normal(n) * 10 ** (-3 * np.arange(n) / n)
    size = 2 * len(sound)
    rung = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(tail, size))[: len(sound)]
    what = heard(sound + rung / np.sqrt((tail**2).sum()))
    assert what.decay == pytest.approx(seconds, rel=0.35)
    # The tail in the pauses counts as noise too.
    assert found(replace(what, ratio=30.0))["reverberation"].severity == severity


def test_a_second_voice_is_heard_under_the_first() -> None:
    one, other = voice(), voice(173.0)
    assert heard(one).second < 0.03 and heard(other).second < 0.03
    finding = found(heard(one + 0.7 * other))["second voice"]
    assert finding.severity == "warning" and finding.value is not None and finding.value > 10


def test_no_speech_at_all_is_a_problem() -> None:
    what = found(heard(voice(), silent=True))
    assert list(what) == ["voice"] and what["voice"].severity == "problem"


def test_silence_at_the_ends_is_told_with_its_seconds() -> None:
    what = found(Heard(10.0, 1.5, 7.0, 0.5, 40, Noise(50, 3, 8), 8000, 0.1, 0.0))
    assert what["leading silence"].where == ((0.0, 1.5),)
    assert "3.0 s at the end (7.0-10.0 s)" in what["trailing silence"].line()


def test_pieces_of_long_speech_join() -> None:
    sound = voice() + 0.001 * np.random.default_rng(1).standard_normal(len(TIMES))
    short, long = heard(sound), heard(np.tile(sound, 5))
    assert long.ratio == pytest.approx(short.ratio, abs=0.5)
    assert (long.edge, long.seconds) == (short.edge, 40)
    assert max(long.decay, short.decay) < 0.3


@pytest.mark.parametrize("seconds", [0.02, 0.3, 7.03, 10.04])
def test_speech_of_any_length(seconds: float) -> None:
    sound = np.tile(voice(), 2)[: round(seconds * RATE)]
    what = heard(sound)
    assert what.seconds == pytest.approx(seconds, abs=1e-3) and what.voice > 0.6
    assert found(what)["voice"].severity == "good"


def clipped(samples: np.ndarray) -> float:
    meter = ClippingMeter()
    for first in range(0, len(samples), 999):
        meter.add(samples[first : first + 999, None].astype(np.float32))
    return meter.share()


def test_cut_off_tops_are_counted() -> None:
    sound = np.random.default_rng(0).standard_normal(5 * RATE) * 0.2
    assert clipped(sound) == 0 and clipped(np.zeros(100)) == 0
    for share in (0.01, 0.05):
        limit = np.quantile(np.abs(sound), 1 - share)
        assert clipped(sound.clip(-limit, limit)) == pytest.approx(share, rel=0.3)


def test_level_of_a_file(tmp_path: Path) -> None:
    def measured(samples: np.ndarray) -> list[Finding]:
        path = write_sound(tmp_path / "s.wav", samples[None].astype(np.float32), RATE, "pcm_f32le")
        return level_findings(path, lambda stage, done, total: None)

    for level, severity in ((0.1, "good"), (0.02, "hint"), (0.001, "warning"), (0, "problem")):
        assert [(f.measure, f.severity) for f in measured(voice(level=level))] == [
            ("level", severity)
        ]
    _, clipping = measured(voice(level=1).clip(-0.5, 0.5))
    assert clipping.severity == "warning" and "% of the sound is clipped" in clipping.text
