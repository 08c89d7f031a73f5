"""A head's motion against a timeline whose phrases, pauses and accents are known."""

import numpy as np
import pytest
from synth_speech import make_track

from labial.motion.head import LIMITS_DEGREES, HeadMotion, loudness_rows, move_head
from labial.types import Audio, SpeechTrack

# Four seconds of vowels and a pause of 0.8 s, over and over.
PHRASE, PAUSE, TURNS = 4.0, 0.8, 40
LENGTH = (PHRASE + PAUSE) * TURNS
ENDS = np.arange(TURNS) * (PHRASE + PAUSE) + PHRASE


@pytest.fixture(scope="module")
def speech() -> SpeechTrack:
    return make_track([("a", PHRASE), ("sil", PAUSE)] * TURNS)


@pytest.fixture(scope="module")
def loudness(speech: SpeechTrack) -> np.ndarray:
    """A syllable of 0.1 s each 0.9 s, in a voice that is 15 dB less loud."""
    times = np.arange(len(speech)) / 50
    accents = 15 * np.exp(-(((times % 0.9 - 0.45) / 0.06) ** 2))
    return (-35 + accents).astype(np.float32)


def moved(
    speech: SpeechTrack, loudness: np.ndarray, level: str = "calm", fps: int = 25, seed: int = 0
) -> HeadMotion:
    times = np.arange(round(LENGTH * fps)) / fps
    return move_head(speech, loudness, times, level, seed)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def calm(speech: SpeechTrack, loudness: np.ndarray) -> HeadMotion:
    return moved(speech, loudness)


def fields(motion: HeadMotion) -> list[np.ndarray]:
    return [motion.turn, motion.shift, motion.lids, motion.gaze, motion.brows]


@pytest.mark.parametrize("level", ["still", "calm", "lively"])
def test_it_begins_as_the_photo_is(speech, loudness, level: str) -> None:
    for field in fields(moved(speech, loudness, level)):
        assert not field[0].any()
        assert np.isfinite(field).all()


def test_the_seed_decides(speech, loudness, calm: HeadMotion) -> None:
    again, other = moved(speech, loudness), moved(speech, loudness, seed=1)
    for a, b in zip(fields(calm), fields(again), strict=True):
        np.testing.assert_array_equal(a, b)
    assert np.abs(calm.turn - other.turn).max() > 1
    assert calm.blinks != other.blinks


def test_the_frame_rate_does_not(speech, loudness, calm: HeadMotion) -> None:
    fast = moved(speech, loudness, fps=50)
    for a, b in zip(fields(calm), fields(fast), strict=True):
        np.testing.assert_allclose(a, b[::2][: len(a)], atol=1e-5)


def test_still_moves_nothing_but_the_eyes(speech, loudness) -> None:
    still = moved(speech, loudness, "still")
    assert not still.turn.any()
    assert not still.shift.any()
    assert not still.brows.any()
    assert len(still.blinks) > 20
    assert np.abs(still.gaze).max() > 0.5


def test_lively_is_about_twice_as_much(speech, loudness, calm: HeadMotion) -> None:
    lively = moved(speech, loudness, "lively")
    ratio = lively.turn.std(0) / calm.turn.std(0)
    assert ((ratio > 1.4) & (ratio < 2.5)).all()
    assert (np.abs(lively.turn).max(0) <= LIMITS_DEGREES).all()
    assert 1.5 < calm.turn.std(0)[0] < 4


def test_nothing_jumps(speech, loudness) -> None:
    fast = moved(speech, loudness, "lively", fps=100)
    speed = np.diff(fast.turn, axis=0) * 100
    assert np.abs(speed).max() < 90
    assert np.abs(np.diff(speed, axis=0)).max() < 12


def test_blinks_come_as_often_as_people_blink(calm: HeadMotion) -> None:
    a_minute = len(calm.blinks) / (LENGTH / 60)
    assert 12 <= a_minute <= 24
    gaps = np.diff(calm.blinks)
    assert gaps.min() >= 1.29
    assert gaps.std() > 0.4


def test_each_blink_shuts_the_eyes_and_opens_them_more_slowly(speech, loudness) -> None:
    fps = 200
    motion = moved(speech, loudness, "still", fps)
    for at in motion.blinks:
        own = motion.lids[round(at * fps) : round((at + 0.4) * fps)]
        assert own.max() == 1
        shut = np.flatnonzero(own == 1)
        assert 0.06 < shut[0] / fps < 0.12
        assert 0.12 < (np.flatnonzero(own > 0.02)[-1] - shut[-1]) / fps < 0.22
    assert moved(speech, loudness, "still").lids[round(motion.blinks[0] * 25) :].max() == 1


def test_blinks_are_drawn_to_the_ends_of_phrases(calm: HeadMotion) -> None:
    after = np.array(calm.blinks)[:, None] - ENDS
    drawn = ((after > -0.05) & (after < 0.3)).any(0).mean()
    assert drawn > 0.35  # at random it would be 0.1


def test_the_head_nods_where_a_phrase_ends(calm: HeadMotion) -> None:
    times = np.arange(len(calm)) / 25
    since = (times + 0.3) % (PHRASE + PAUSE) - PHRASE - 0.3
    ends = calm.turn[np.abs(since - 0.1) < 0.15, 1].mean()
    assert ends > calm.turn[:, 1].mean() + 0.7


def test_the_head_nods_on_loud_syllables(speech, loudness) -> None:
    flat = np.full_like(loudness, -30)
    with_accents, without = moved(speech, loudness, "lively"), moved(speech, flat, "lively")
    assert np.abs(with_accents.turn[:, 1] - without.turn[:, 1]).max() > 1.5


def test_eyes_turn_against_the_head(calm: HeadMotion) -> None:
    for axis in (0, 1):
        assert np.corrcoef(calm.turn[:, axis], calm.gaze[:, axis])[0, 1] < -0.5
    assert np.abs(calm.gaze).max() < 10


@pytest.mark.parametrize("sounds", [[], [("sil", 2.0)], [("a", 0.1)]])
def test_hardly_any_speech(sounds) -> None:
    speech = make_track(sounds)
    for level in ("still", "calm", "lively"):
        motion = move_head(speech, np.zeros(0, np.float32), np.arange(60) / 25, level, 0)
        assert all(len(field) == 60 and np.isfinite(field).all() for field in fields(motion))


def test_loudness_rows() -> None:
    tone = np.sin(np.arange(16000) * 0.4).astype(np.float32)
    tone[8000:] = 0
    rows = loudness_rows(Audio(tone, 16000))
    assert rows.shape == (50,)
    np.testing.assert_allclose(rows[:25], 10 * np.log10(0.5), atol=0.2)
    assert (rows[25:] < -59.99).all()
