"""Who speaks, on synthetic mouths that move, or do not, to real speech."""

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from synth import closed_mesh, make_track, sample_file

from labial.audio.load import load_speech
from labial.motion.predict import predict
from labial.motion.space import load_basis
from labial.motion.timing import sample
from labial.speaking import turns as module
from labial.speaking.turns import take_turns
from labial.types import FaceTrack, MouthMotion, SpeechTrack

BASIS = load_basis()
N, RATE = 200, 25
TIMES = np.arange(N) / RATE
HALF = N // 2


@lru_cache(maxsize=1)
def speech() -> SpeechTrack:
    """Eight seconds of somebody who speaks."""
    said = predict(load_speech(sample_file("speech_short")))
    motion, phones = said.motion.coefficients, said.phones
    while len(motion) < 50 * N / RATE:
        motion, phones = np.concatenate([motion, motion]), np.concatenate([phones, phones])
    n = 50 * N // RATE
    return SpeechTrack(MouthMotion(motion[:n]), phones[:n])


def mouth(speaks: np.ndarray, other: float = 0.0, person: int = 0, **how: object) -> FaceTrack:
    """A mouth that moves to the speech where it ``speaks`` (n,), and to nothing elsewhere.

    ``other`` is how much it moves then: as somebody would who says the same two seconds later.
    """
    own = sample(speech().motion, TIMES[: len(speaks)])
    foreign = sample(speech().motion, (TIMES[: len(speaks)] + 2.1) % TIMES[-1])
    trembling = np.random.default_rng(person).normal(0, 0.03, own.shape)
    moved = np.where(speaks[:, None], own, other * foreign) + trembling
    shapes = closed_mesh() + BASIS.displacement(moved.astype(np.float32))
    return make_track(shapes, closed_mesh(), key=person, person=person, **how)  # type: ignore[arg-type]


FIRST = np.arange(N) < HALF
VOICED = np.interp(TIMES, np.arange(len(speech())) / 50, speech().voice) > 0.5


def correct(tracks: list[FaceTrack], truth: np.ndarray) -> float:
    """Share of frames with a voice in which the speaker is found."""
    turns = take_turns(tracks, TIMES, speech())
    return float((turns.speaker == truth)[VOICED].mean())


@pytest.mark.parametrize("other", [0.0, 1.0])
def test_the_mouth_that_fits_the_sound_speaks(other: float) -> None:
    tracks = [mouth(FIRST, other), mouth(~FIRST, other, person=1)]
    # Turns are told to a third of a second.
    assert correct(tracks, np.where(FIRST, 0, 1)) > 0.95
    assert correct([tracks[0], mouth(np.zeros(N, bool), other, person=1)], np.zeros(N)) > 0.6
    always = [mouth(np.ones(N, bool), person=0), mouth(np.zeros(N, bool), other, person=1)]
    assert correct(always, np.zeros(N)) == 1


def test_sound_that_is_late_is_no_matter() -> None:
    late = replace(
        speech(), motion=MouthMotion(np.roll(speech().motion.coefficients, 5, 0)),
        phones=np.roll(speech().phones, 5, 0),
    )  # fmt: skip
    tracks = [mouth(FIRST, 1.0), mouth(~FIRST, 1.0, person=1)]
    turns = take_turns(tracks, TIMES, late)
    assert (turns.speaker == np.where(FIRST, 0, 1))[VOICED].mean() > 0.93


def test_a_larger_face_that_listens_listens() -> None:
    tracks = [mouth(np.zeros(N, bool), scale=300.0), mouth(np.ones(N, bool), person=1, scale=60.0)]
    assert correct(tracks, np.ones(N)) == 1


def test_without_sound_the_largest_speaks() -> None:
    tracks = [mouth(FIRST, scale=60.0), mouth(~FIRST, person=1, scale=200.0)]
    assert set(take_turns(tracks, TIMES).speaker) == {1}
    assert take_turns(tracks, TIMES).of(tracks[1]).all()
    assert not take_turns(tracks, TIMES).of(tracks[0]).any()


def test_in_silence_the_turn_is_kept() -> None:
    phones, motion = speech().phones.copy(), speech().motion.coefficients.copy()
    silent = slice(150, 400)
    phones[silent], motion[silent] = np.eye(phones.shape[1])[0], 0
    heard = SpeechTrack(MouthMotion(motion), phones)
    tracks = [mouth(np.ones(N, bool), scale=60.0), mouth(np.zeros(N, bool), person=1, scale=200.0)]
    assert set(take_turns(tracks, TIMES, heard).speaker) == {0}


def test_who_is_alone_speaks_and_nobody_does_where_nobody_is() -> None:
    alone = replace(mouth(np.zeros(60, bool), start=20), person=1)
    both = mouth(np.ones(N, bool), start=0)
    both.present[10:90] = False
    speaker = take_turns([both, alone], TIMES, speech()).speaker
    np.testing.assert_array_equal(speaker[20:80], 1)
    np.testing.assert_array_equal(speaker[10:20], -1)
    np.testing.assert_array_equal(speaker[80:90], -1)
    np.testing.assert_array_equal(speaker[90:], 0)


def test_no_face_no_turn() -> None:
    assert set(take_turns([], TIMES, speech()).speaker) == {-1}


def test_a_speaker_in_profile_is_not_taken_for_a_listener() -> None:
    turned = mouth(np.zeros(N, bool), quality=np.zeros(N))
    # Nothing is known of the one; the other certainly does not say it.
    other = mouth(np.zeros(N, bool), person=1)
    assert correct([turned, other], np.zeros(N)) > 0.9


@pytest.mark.parametrize("n", [1, 2, 5, 7, 10, 16, 33])
def test_faces_that_are_seen_for_a_moment(n: int) -> None:
    always = mouth(np.ones(N, bool))
    moment = replace(mouth(np.ones(n, bool), other=1.0, person=1), start=0)
    speaker = take_turns([always, moment], TIMES, speech()).speaker
    assert set(speaker[n:]) == {0}
    assert set(speaker) <= {0, 1}


def test_long_films_are_seen_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    tracks = [mouth(FIRST, 1.0), mouth(~FIRST, 1.0, person=1)]
    whole = take_turns(tracks, TIMES, speech())
    monkeypatch.setattr(module, "_PIECE", 90)
    np.testing.assert_array_equal(take_turns(tracks, TIMES, speech()).speaker, whole.speaker)
