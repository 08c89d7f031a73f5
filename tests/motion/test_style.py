"""Speakers whose style is known: a network's motion, moved more or less, with noise."""

import numpy as np
import pytest

from labial.motion.space import load_basis
from labial.motion.style import GAIN, Style, average, fit_style, without_opening
from labial.motion.timing import sample
from labial.speech.phones import PHONE_INDEX, PHONES
from labial.types import MouthMotion, SpeechTrack

BASIS = load_basis()
UNIT = np.eye(len(BASIS), dtype=np.float32)
OPENING, WIDTH = BASIS.aperture(UNIT), BASIS.width(UNIT)
OUT = OPENING / np.linalg.norm(OPENING)
WIDE = WIDTH - (WIDTH @ OUT) * OUT


def voices(seconds: float, seed: int = 0, pause: tuple[float, float] = (0, 0)) -> SpeechTrack:
    """Syllables at random, up to 0.15 open; nothing between the two seconds of ``pause``."""
    rng = np.random.default_rng(seed)
    n = int(seconds * 50)
    taps = np.hanning(13)
    noise = rng.standard_normal((n + 12, len(BASIS)))
    wave = np.stack([np.convolve(c, taps / taps.sum(), "valid") for c in noise.T], 1)
    motion = (wave + 0.08 * OPENING / (OPENING @ OPENING)).astype(np.float32)
    phones = np.zeros((n, len(PHONES)), np.float32)
    phones[:, PHONE_INDEX["a"]] = 1
    quiet = slice(int(pause[0] * 50), int(pause[1] * 50))
    phones[quiet] = np.eye(len(PHONES))[0]
    motion[quiet] = 0
    return SpeechTrack(MouthMotion(motion), phones)


def moved(motion: np.ndarray, opening: float, width: float) -> np.ndarray:
    """The motion, opening and width changed as the definition of a style says."""
    other = np.sqrt(opening * width)
    unit = WIDE / np.linalg.norm(WIDE)
    out, wide = (motion @ OUT)[:, None] * OUT, (motion @ unit)[:, None] * unit
    return (opening * out + width * wide + other * (motion - out - wide)).astype(np.float32)


def fit(
    opening: float,
    width: float,
    seconds: float = 30,
    noise: float = 0.05,
    shift: float = 0.0,
    **more: object,
) -> Style:
    heard = voices(seconds + 1)
    times = np.arange(int(seconds * 25)) / 25
    own = moved(sample(heard.motion, times + shift), opening, width)
    own += np.random.default_rng(1).normal(0, noise, own.shape).astype(np.float32)
    return fit_style(own, np.ones(len(own), bool), times, BASIS, heard, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(("opening", "width"), [(1, 1), (1.7, 1), (0.6, 1.4), (1.2, 0.5)])
def test_a_speaker_is_found(opening: float, width: float) -> None:
    style = fit(opening, width)
    assert style.matched == 1
    assert style.evidence == pytest.approx(30, abs=0.1)
    assert style.opening == pytest.approx(opening, rel=0.08)
    assert style.width == pytest.approx(width, rel=0.08)
    assert "s of own speech" in style.summary()


def test_sound_beside_the_picture_does_not_matter() -> None:
    style = fit(1.6, 1.0, shift=0.1)
    assert style.matched > 0.9
    assert style.opening == pytest.approx(1.6, rel=0.08)


def test_range_and_not_regression() -> None:
    # Half of this mouth is nothing that the network foresees; it still has to move as far.
    style = fit(1.0, 1.0, noise=0.25)
    assert style.opening > 1.02


def test_few_seconds_draw_towards_the_average() -> None:
    gains = [fit(1.8, 1.0, seconds).opening for seconds in (2, 5, 30)]
    assert 1.2 < gains[0] < gains[1] < gains[2] < 1.85
    assert fit(1.8, 1.0, 0.6).opening == 1


def test_gains_are_bounded() -> None:
    assert fit(6.0, 0.01, noise=0).opening <= GAIN[1]
    assert fit(6.0, 0.01, noise=0).width >= GAIN[0]


def test_bad_frames_do_not_count() -> None:
    heard = voices(21)
    times = np.arange(500) / 25
    own = moved(sample(heard.motion, times), 1.5, 1.0)
    trusted = np.ones(500, bool)
    trusted[100:150] = False
    own[~trusted] = 40
    own[[7, 300]] = 30
    style = fit_style(own, trusted, times, BASIS, heard)
    assert style.opening == pytest.approx(1.5, rel=0.1)


def test_somebody_elses_voice_is_not_this_mouth() -> None:
    times = np.arange(750) / 25
    own = moved(sample(voices(31).motion, times), 1.5, 1.0)
    style = fit_style(own, np.ones(750, bool), times, BASIS, voices(31, seed=9))
    assert style.matched < 0.4


def test_without_sound_the_mouth_alone_speaks_and_less_surely() -> None:
    times = np.arange(750) / 25
    new = voices(20, seed=4)
    own = moved(sample(voices(31).motion, times), 1.6, 1.0)
    everything = np.ones(750, bool)
    mute = fit_style(own, everything, times, BASIS, None, new)
    heard = fit_style(own, everything, times, BASIS, voices(31), new)
    assert 1.25 < mute.opening < heard.opening
    assert mute.matched == 0
    assert "not heard" in mute.summary()
    assert not mute.rest.any()
    assert fit_style(own, everything, times, BASIS).opening == 1, "nothing to compare with"


def test_a_still_mouth_is_the_average() -> None:
    times = np.arange(500) / 25
    still = np.full((500, len(BASIS)), 0.3, np.float32)
    still += np.random.default_rng(0).normal(0, 0.1, still.shape).astype(np.float32)
    for own, heard in ((still, None), (still, voices(21)), (still[:1], None), (still[:0], None)):
        when = times[: len(own)]
        style = fit_style(own, np.ones(len(own), bool), when, BASIS, heard, voices(5))
        assert (style.opening, style.width, style.evidence) == (1, 1, 0)
        assert style.summary() == ""
        assert not style.rest.any()


def test_the_mouth_in_pauses_is_the_rest() -> None:
    heard = voices(31, pause=(10, 14))
    times = np.arange(750) / 25
    own = sample(heard.motion, times)
    smile = without_opening(np.linspace(0.5, -0.5, len(BASIS)).astype(np.float32)[None], BASIS)[0]
    own[251:350] = smile + 0.06 * OPENING / (OPENING @ OPENING)
    rest = fit_style(own, np.ones(750, bool), times, BASIS, heard).rest
    assert 0.01 < BASIS.aperture(rest) <= 0.03, "lips hardly part at rest"
    there = without_opening(rest[None], BASIS)[0]
    assert there @ smile / (smile @ smile) == pytest.approx(0.8, abs=0.1)


def test_a_style_moves_as_it_says() -> None:
    motion = voices(10).motion
    style = Style(1.3, 0.7, np.zeros(len(BASIS), np.float32), 9.0, 10.0)
    got = style.apply(motion, BASIS).coefficients
    np.testing.assert_allclose(got, moved(motion.coefficients, 1.3, 0.7), atol=1e-4)
    still = MouthMotion(np.zeros((4, len(BASIS)), np.float32))
    assert not style.apply(still, BASIS).coefficients.any()


def test_a_calm_speaker_never_yawns() -> None:
    calm = fit(0.5, 1.0)
    assert calm.ceiling < 0.15
    wide = np.linspace(0, 0.4, 100)[:, None] * OPENING / (OPENING @ OPENING)
    got = BASIS.aperture(calm.apply(MouthMotion(wide.astype(np.float32)), BASIS).coefficients)
    assert (np.diff(got) >= 0).all()
    assert got.max() <= 1.16 * calm.ceiling
    np.testing.assert_allclose(got[:20], calm.opening * BASIS.aperture(wide[:20]), rtol=1e-3)


def test_the_average_changes_nothing_within_reach() -> None:
    wide = np.linspace(-0.1, 0.2, 50)[:, None] * OPENING / (OPENING @ OPENING)
    motion = MouthMotion((wide + 0.3 * WIDE).astype(np.float32))
    got = average(BASIS).apply(motion, BASIS).coefficients
    np.testing.assert_allclose(got, motion.coefficients, atol=1e-5)


def test_without_opening() -> None:
    some = np.random.default_rng(0).standard_normal((9, len(BASIS))).astype(np.float32)
    np.testing.assert_allclose(BASIS.aperture(without_opening(some, BASIS)), 0, atol=1e-6)
