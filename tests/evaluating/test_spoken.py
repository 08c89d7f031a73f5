"""Mouths that do what a real voice wants, and then one thing wrong at a time."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from synth import closed_mesh, make_clip, make_track, sample_file

from labial.audio.load import load_speech
from labial.clip import Clip
from labial.evaluating.scores import Scores
from labial.evaluating.spoken import lip_scores, offsets_over_time, sound_scores
from labial.motion.predict import predict
from labial.motion.rules import Rules, apply_rules
from labial.motion.space import load_basis
from labial.motion.timing import sample
from labial.speaking.turns import Turns
from labial.types import Audio, MouthMotion, SpeechTrack

FPS, SECONDS = 25, 11.5
QUIET = (3.0, 4.6)
Damage = Callable[[MouthMotion, np.ndarray], np.ndarray]


@pytest.fixture(scope="module")
def heard() -> SpeechTrack:
    """Some seconds of speech, with a pause in the middle."""
    sound = load_speech(sample_file("speech_short"))
    rate = sound.rate
    before, after = round(QUIET[0] * rate), round((SECONDS - QUIET[1]) * rate)
    pause = np.zeros(round((QUIET[1] - QUIET[0]) * rate), np.float32)
    samples = np.asarray(sound.samples)
    return predict(
        Audio(np.concatenate([samples[:before], pause, samples[before : before + after]]), rate)
    )


def filmed(heard: SpeechTrack, damage: Damage | None = None) -> Clip:
    """A face whose mouth goes along with ``heard``, by the rules of a mouth, but for a damage."""
    basis = load_basis()
    motion = apply_rules(heard, basis, Rules())
    n = round(SECONDS * FPS)
    times = np.arange(n) / FPS
    mouth = sample(motion, times) if damage is None else damage(motion, times)
    shapes = closed_mesh()[None] + basis.displacement(np.asarray(mouth, np.float32))
    track = make_track(shapes, closed_mesh())
    gap = np.linalg.norm(shapes[:, 14] - shapes[:, 13], axis=1)
    return replace(
        make_clip(),
        tracks=[track],
        times=times,
        turns=Turns(np.zeros(n, np.intp), np.ones((1, n), bool)),
        which=np.zeros(n, np.intp),
        opening=gap,
        quality=np.ones(n),
        reasons=np.full(n, "", object),
        heard=heard,
    )


def late(motion: MouthMotion, times: np.ndarray) -> np.ndarray:
    """The mouth is 120 ms ahead of the sound."""
    return sample(motion, times + 0.12)


def frozen(motion: MouthMotion, times: np.ndarray) -> np.ndarray:
    return 0 * sample(motion, times)


def mumbling(motion: MouthMotion, times: np.ndarray) -> np.ndarray:
    return 0.4 * sample(motion, times)


def restless(motion: MouthMotion, times: np.ndarray) -> np.ndarray:
    """In the pause it goes on as elsewhere."""
    there = (times >= QUIET[0] - 0.1) & (times < QUIET[1])
    return sample(motion, np.where(there, times - 2.6, times))


def gaping(motion: MouthMotion, times: np.ndarray) -> np.ndarray:
    """Lips never come nearer than a little apart."""
    basis = load_basis()
    wide = basis.aperture(np.eye(len(basis), dtype=np.float32))
    wide = wide / float(wide @ wide)
    mouth = sample(motion, times)
    short = (0.06 - basis.aperture(mouth)).clip(0)
    return mouth + short[:, None] * wide


def scores(heard: SpeechTrack, damage: Damage | None = None) -> Scores:
    return sound_scores(filmed(heard, damage))[0]


@pytest.fixture(scope="module")
def good(heard: SpeechTrack) -> Scores:
    return scores(heard)


def test_a_mouth_that_does_what_it_should(good: Scores, heard: SpeechTrack) -> None:
    assert good.faces == 1
    assert good.offset == pytest.approx(0, abs=45)
    assert good.confidence is not None and good.confidence > 0.7
    assert good.closure is not None and good.closure > 0.85
    assert good.opens is not None and good.opens > 0.85
    assert good.moves == 0 and good.stands == pytest.approx(0, abs=0.02)
    assert good.follows is not None and good.follows > 0.85
    assert good.range == pytest.approx(1, abs=0.2)
    _, amount, notes = sound_scores(filmed(heard))
    assert amount["closures"] >= 2 and amount["silence"] > 1 and not notes


# What may fall, by damage; all else stays where it was, but for so much.
FALLS: dict[Damage, set[str]] = {
    late: {"offset"},
    frozen: {"offset", "confidence", "follows", "range", "opens", "closure"},
    mumbling: {"range", "opens", "closure"},
    restless: {"moves", "stands", "confidence"},
    gaping: {"closure", "stands", "opens", "range"},
}
STAYS = {
    "offset": 45, "confidence": 0.3, "closure": 0.15, "opens": 0.15, "moves": 0.02,
    "stands": 0.02, "follows": 0.12, "range": 0.2,
}  # fmt: skip


@pytest.mark.parametrize("damage", FALLS, ids=lambda damage: damage.__name__)
def test_one_thing_wrong_moves_one_number(damage: Damage, good: Scores, heard: SpeechTrack) -> None:
    bad = scores(heard, damage)
    if damage is late:
        assert bad.offset == pytest.approx(120, abs=45)
    elif damage is frozen:
        assert bad.follows is not None and bad.follows < 0.4
        assert bad.range == pytest.approx(0, abs=0.05)
        # It meets every closure, for it never opens.
        assert bad.closure == 1 and bad.opens == 0
        assert bad.confidence is not None and bad.confidence < 0.5
    elif damage is mumbling:
        assert good.range is not None
        assert bad.range == pytest.approx(0.4 * good.range, abs=0.05)
    elif damage is restless:
        assert bad.moves is not None and bad.moves > 0.15
    elif damage is gaping:
        assert bad.closure == 0 and bad.stands is not None and bad.stands > 0.9
    for name in set(STAYS) - FALLS[damage]:
        have, had = bad[name], good[name]
        assert have is not None and had is not None, name
        assert have == pytest.approx(had, abs=STAYS[name]), name


def test_lips_against_the_real_ones(heard: SpeechTrack) -> None:
    real = filmed(heard)
    same, notes = lip_scores(real, real)
    assert (same.lips_follow, same.lips_range) == (pytest.approx(1), pytest.approx(1))
    assert same.lips_apart == 0 and not notes
    worse = lip_scores(filmed(heard, mumbling), real)[0]
    assert worse.lips_range == pytest.approx(0.4, abs=0.02)
    assert worse.lips_apart is not None and worse.lips_apart > 0.005
    still = lip_scores(filmed(heard, frozen), real)[0]
    assert still.lips_follow is not None and still.lips_follow < 0.2


def test_another_rate_of_frames_is_the_same_mouth(heard: SpeechTrack) -> None:
    real = filmed(heard)
    half = replace(
        real,
        times=real.times[::2],
        which=real.which[::2],
        quality=real.quality[::2],
        tracks=[make_track(closed_mesh()[None] + _moved(heard)[::2], closed_mesh())],
    )
    found = lip_scores(half, real)[0]
    assert found.lips_follow is not None and found.lips_follow > 0.999


def _moved(heard: SpeechTrack) -> np.ndarray:
    basis = load_basis()
    times = np.arange(round(SECONDS * FPS)) / FPS
    return basis.displacement(sample(apply_rules(heard, basis, Rules()), times))


def test_what_cannot_be_seen_or_heard_is_said(heard: SpeechTrack) -> None:
    clip = filmed(heard)
    nothing, _, notes = sound_scores(replace(clip, heard=None))
    assert nothing.closure is None and notes == ("no sound to hold the mouth against",)
    dark = replace(clip, quality=np.zeros(len(clip.times)))
    nothing, _, notes = sound_scores(dark)
    assert (nothing.faces, nothing.closure) == (0, None) and notes == ("no mouth is seen",)
    assert lip_scores(dark, clip)[1] == ("too few frames show both mouths",)
    half = replace(clip, quality=1.0 * (np.arange(len(clip.times)) % 100 < 50))
    assert sound_scores(half)[0].faces == pytest.approx(0.5, abs=0.03)


def test_the_offset_over_time(heard: SpeechTrack) -> None:
    def drifts(motion: MouthMotion, times: np.ndarray) -> np.ndarray:
        return sample(motion, times + np.where(times > 4, 0.2, 0.0))

    found = offsets_over_time(filmed(heard, drifts), seconds=2.0)
    first, last = found[0], found[-1]
    assert 0 <= first.begin < first.end <= last.end <= SECONDS + 0.5
    assert last.seconds - first.seconds == pytest.approx(0.2, abs=0.06)
