"""The shipped network: seamless pieces, rest in silence, no motion before its cause."""

import numpy as np
import pytest

from labial.audio.clean import prepare
from labial.audio.features import RATE, log_mel
from labial.errors import SpeechError
from labial.motion.predict import predict
from labial.motion.space import load_basis
from labial.speech import encoder as module
from labial.speech.encoder import SpeechEncoder, n_rows
from labial.speech.phones import PHONES
from labial.types import Audio


def babble(seconds: float, seed: int = 0) -> np.ndarray:
    """Something like speech: a buzz of 120 Hz through moving formants, four syllables a second."""
    n = int(seconds * RATE)
    t = np.arange(n) / RATE
    rng = np.random.default_rng(seed)
    syllable = np.clip(np.sin(2 * np.pi * 2 * t) ** 2 * 1.3 - 0.2, 0, 1)
    sound = 0.01 * rng.standard_normal(n)
    first = 500 + 250 * np.sin(2 * np.pi * 2 * t)
    second = 1500 + 500 * np.sin(2 * np.pi * 1.3 * t)
    for k in range(1, 40):
        hertz = 120 * k
        near = np.exp(-(((hertz - first) / 120) ** 2)) + 0.5 * np.exp(
            -(((hertz - second) / 150) ** 2)
        )
        sound += near * np.sin(2 * np.pi * hertz * t + k)
    return (0.2 * syllable * sound).astype(np.float32)


@pytest.fixture(scope="module", params=[False, True], ids=["whole", "live"])
def encoder(request: pytest.FixtureRequest) -> SpeechEncoder:
    return SpeechEncoder(live=request.param)


def test_rows_are_fifty_a_second_and_as_many_as_the_basis(encoder: SpeechEncoder) -> None:
    track = encoder(Audio(babble(1.234), RATE))
    assert track.motion.rate == 50
    assert track.motion.coefficients.shape == (n_rows(int(1.234 * RATE)), len(load_basis()))
    assert track.phones.shape == (62, len(PHONES))
    assert np.allclose(track.phones.sum(1), 1, atol=1e-5)


def test_pieces_join_without_a_seam(
    encoder: SpeechEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    audio = Audio(babble(5), RATE)
    whole = encoder(audio)
    monkeypatch.setattr(module, "CHUNK_ROWS", 17)
    pieces = encoder(audio)
    assert np.abs(pieces.motion.coefficients - whole.motion.coefficients).max() < 1e-3
    assert np.abs(pieces.phones - whole.phones).max() < 1e-3


def test_a_caller_with_little_sound_gets_the_same_rows(encoder: SpeechEncoder) -> None:
    audio = Audio(babble(2), RATE)
    whole = encoder(audio)
    mel = log_mel(audio.samples, 20 * 2 - encoder.mel_before, 50 * 2 + encoder.mel_after + 1)
    motion, phones = encoder.rows(mel)
    assert np.abs(motion - whole.motion.coefficients[20:51]).max() < 1e-3
    assert np.abs(phones - whole.phones[20:51]).max() < 1e-3


@pytest.mark.parametrize("level", [0.0, 1e-5, 1e-4])
def test_silence_is_rest(encoder: SpeechEncoder, level: float) -> None:
    noise = np.random.default_rng(0).standard_normal(3 * RATE) * level
    track = encoder(Audio(prepare(noise.astype(np.float32)), RATE))
    opening = load_basis().aperture(track.motion.coefficients)
    assert np.abs(opening).max() < 0.01
    assert np.abs(track.motion.coefficients[:, :3]).max() < 0.3
    assert track.voice.max() < 0.1


@pytest.mark.parametrize("decibel", [-50, -30])
def test_steady_noise_is_rest(encoder: SpeechEncoder, decibel: float) -> None:
    noise = np.random.default_rng(0).standard_normal(4 * RATE) * 10 ** (decibel / 20)
    opening = load_basis().aperture(
        encoder(Audio(noise.astype(np.float32), RATE)).motion.coefficients
    )
    # The first second hears the noise set in.
    assert np.abs(opening[50:-15]).max() < 0.01


def test_the_mouth_does_not_move_before_it_can_hear(encoder: SpeechEncoder) -> None:
    onset = 1.5
    sound = np.concatenate([np.zeros(int(onset * RATE), np.float32), babble(1.5)])
    got = encoder(Audio(sound, RATE)).motion.coefficients
    silent = encoder(Audio(np.zeros_like(sound), RATE)).motion.coefficients
    changed = np.abs(got - silent).max(1) > 1e-4
    first = changed.argmax() / 50
    assert onset - encoder.future_seconds - 0.02 <= first <= onset + 0.1
    opening = load_basis().aperture(got)
    assert opening[: int((onset - encoder.future_seconds) * 50)].max() < 0.01
    assert opening[int(onset * 50) :].max() > 0.02


def test_sound_at_another_rate_is_refused(encoder: SpeechEncoder) -> None:
    with pytest.raises(SpeechError, match="44100"):
        encoder(Audio(np.zeros(44100, np.float32), 44100))


def test_live_waits_a_fifth_of_a_second_and_says_about_the_same() -> None:
    live, whole = SpeechEncoder(live=True), SpeechEncoder()
    assert live.future_seconds <= 0.2 < whole.future_seconds
    audio = Audio(babble(3), RATE)
    openings = [load_basis().aperture(e(audio).motion.coefficients) for e in (live, whole)]
    assert np.corrcoef(openings)[0, 1] > 0.8


def test_predict_is_the_encoder() -> None:
    audio = Audio(babble(0.5), RATE)
    expected = SpeechEncoder()(audio).motion.coefficients
    assert np.array_equal(predict(audio).motion.coefficients, expected)


def test_a_held_chord_is_no_vowel(encoder: SpeechEncoder) -> None:
    t = np.arange(4 * RATE) / RATE
    notes = sum(np.sin(2 * np.pi * f * k * t) / k for f in (262, 330, 392) for k in range(1, 8))
    track = encoder(Audio(prepare(notes.astype(np.float32)), RATE))
    assert track.voice.mean() < 0.2
    assert load_basis().aperture(track.motion.coefficients).mean() < 0.01


@pytest.mark.parametrize("chord", [(110, 440, 880, 1760), (1000,)])
def test_bells_are_no_voice(encoder: SpeechEncoder, chord: tuple[int, ...]) -> None:
    t = np.arange(4 * RATE) / RATE
    notes = sum(np.sin(2 * np.pi * f * k * t) / k for f in chord for k in (1, 2, 3))
    sound = notes * np.exp(-(t % 0.5) * 4)
    track = encoder(Audio(prepare(sound.astype(np.float32)), RATE))
    assert track.voice.mean() < 0.3
    assert load_basis().aperture(track.motion.coefficients).mean() < 0.02
