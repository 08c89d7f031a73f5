"""The rules on speech whose phones and motion are known by construction."""

import time

import numpy as np
import pytest

from labial.motion.rules import RATE, Rules, apply_rules, reach_rows, speaking
from labial.motion.space import load_basis
from labial.speech.phones import PHONE_INDEX, PHONES
from labial.types import MouthMotion, SpeechTrack

BASIS = load_basis()
OPENING = BASIS.aperture(np.eye(len(BASIS), dtype=np.float32))
ALL, NONE = Rules(), Rules(False, False, False)
Phones = list[tuple[str, int]]


def speak(phones: Phones, height: float = 0.95, open_by: float = 0.1, seed: int = 0) -> SpeechTrack:
    """Phones as (name, rows), almost one-hot and smoothed; a mouth that stands open and waves."""
    hard = np.concatenate([np.full(rows, PHONE_INDEX[name]) for name, rows in phones])
    n = len(hard)
    likely = np.full((n, len(PHONES)), 1e-3)
    likely[np.arange(n), PHONE_INDEX["ə"]] += 1 - height
    likely[np.arange(n), hard] += height
    likely /= likely.sum(1, keepdims=True)
    padded = np.pad(likely, ((1, 1), (0, 0)), "edge")
    likely = (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4
    phase = np.random.default_rng(seed).uniform(0, 6, len(BASIS))
    wave = 0.2 * np.sin(np.arange(n)[:, None] / 3 + phase)
    motion = open_by * OPENING / (OPENING @ OPENING) + wave
    return SpeechTrack(MouthMotion(motion.astype(np.float32)), likely.astype(np.float32))


def begins(phones: Phones, index: int) -> int:
    return sum(rows for _, rows in phones[:index])


def aperture(track: SpeechTrack, rules: Rules) -> np.ndarray:
    return BASIS.aperture(apply_rules(track, BASIS, rules).coefficients)


WORDS: Phones = [("sil", 60), ("a", 12), ("p", 4), ("a", 15), ("m", 6), ("i", 12), ("sil", 60)]


@pytest.mark.parametrize("name", ["p", "b", "m"])
@pytest.mark.parametrize("rows", [2, 3, 5, 9])
def test_lips_meet(name: str, rows: int) -> None:
    track = speak([("a", 30), (name, rows), ("a", 30)])
    got = aperture(track, Rules(rest=False, onset=False))
    plain = BASIS.aperture(track.motion.coefficients)
    middle = slice(30 + (rows - 1) // 2, 30 + rows // 2 + 1)
    assert plain[middle].min() > 0.05
    assert got[middle].min() > -0.02
    assert got[middle].max() < 0.0
    # Whichever moment a film at 25 frames a second catches, one frame shows closed lips.
    two = [got[i : i + 2].min() for i in range(30, 30 + rows)]
    assert max(two) < 0.02
    # Elsewhere nothing changes.
    away = np.abs(np.arange(len(got)) - (30 + (rows - 1) / 2)) > rows / 2 + 6
    np.testing.assert_allclose(got[away], plain[away], atol=1e-6)


def test_short_phones_close_faster() -> None:
    def fastest(rows: int) -> float:
        track = speak([("a", 30), ("b", rows), ("a", 30)])
        plain = BASIS.aperture(track.motion.coefficients)
        got = aperture(track, Rules(rest=False, onset=False))
        shut = (plain - got) / (plain - got[30 + rows // 2])
        return float(np.abs(np.diff(shut)).max())

    assert 0.3 < fastest(9) < fastest(2) < 0.65


def test_what_is_unsure_closes_partly() -> None:
    left = []
    for height in (0.05, 0.13, 0.17, 0.25, 0.95):
        track = speak([("a", 30), ("b", 5), ("a", 30)], height)
        plain = BASIS.aperture(track.motion.coefficients)
        left.append(float((aperture(track, Rules(rest=False, onset=False)) / plain)[32]))
    assert left[0] == pytest.approx(1, abs=1e-6)
    assert left == sorted(left, reverse=True)
    assert 0.2 < left[2] < 0.8
    assert left[-1] < 0


def test_lips_that_are_closed_already_are_let_alone() -> None:
    track = speak([("a", 20), ("m", 6), ("a", 20)], open_by=-0.1)
    got = apply_rules(track, BASIS, Rules(rest=False, onset=False))
    np.testing.assert_array_equal(got.coefficients, track.motion.coefficients)


@pytest.mark.parametrize("name", ["f", "v"])
def test_the_lower_lip_rises_to_the_teeth(name: str) -> None:
    track = speak([("a", 30), (name, 6), ("a", 30)])
    got = apply_rules(track, BASIS, Rules(rest=False, onset=False))
    assert 0.01 < BASIS.aperture(got.coefficients)[32] < 0.035
    moved = BASIS.displacement(got.coefficients - track.motion.coefficients)[32]
    assert moved[14, 1] < -0.03
    assert abs(moved[13, 1]) < 1e-4


def test_motion_stays_smooth() -> None:
    track = speak(WORDS, seed=3)
    steps = np.diff(aperture(track, ALL), 2)
    # A mouth open by 0.1 that shuts at once bends by 0.1.
    assert np.abs(steps).max() < 0.065


def test_the_mouth_rests_in_a_pause_but_for_a_breath() -> None:
    track = speak([("a", 40), ("sil", 16), ("a", 40)])
    plain = BASIS.aperture(track.motion.coefficients)
    share = aperture(track, ALL) / plain
    assert share[40 + 9 : 40 + 10].max() < 0.35, "320 ms: as near to rest as there is time for"
    long = speak([("a", 40), ("sil", 26), ("a", 40)])
    share = aperture(long, ALL) / BASIS.aperture(long.motion.coefficients)
    assert share[50:58].max() < 0.2
    assert share[50:58].min() > 0.1, "a breath may part the lips"
    assert share[:40].min() > 0.99
    assert share[66:].max() > 0.99


def test_a_short_gap_is_no_pause() -> None:
    track = speak([("a", 40), ("sil", 7), ("a", 40)])
    got = apply_rules(track, BASIS, Rules(onset=False)).coefficients
    np.testing.assert_allclose(got, track.motion.coefficients, atol=1e-5)


def test_nothing_moves_before_the_sound_but_for_anticipation() -> None:
    track = speak(WORDS)
    got = apply_rules(track, BASIS, ALL).coefficients
    first, last = 60, begins(WORDS, len(WORDS) - 1)
    assert not got[: first - 10].any(), "earlier than 200 ms before the first sound"
    assert np.abs(got[first - 6 : first]).max() > 0.01, "mouths open before they sound"
    assert not got[last + 12 :].any()
    share = speaking(track, ALL)
    assert share[first : first + 4].min() > 0.9
    assert (np.diff(share[:first]) >= 0).all()
    assert (np.diff(share[last:]) <= 0).all()


def test_beyond_the_track_nobody_speaks() -> None:
    track = speak([("sil", 5), ("a", 30), ("sil", 5)])
    assert speaking(track, ALL)[0] < 0.5
    assert speaking(track, ALL)[-1] < 0.7
    assert speaking(track, Rules(onset=False)).min() == 1, "without the rule, who knows"


def test_each_rule_can_be_switched_off() -> None:
    track = speak([*WORDS, ("a", 20), ("sil", 18), ("b", 5), ("a", 20)])
    np.testing.assert_array_equal(
        apply_rules(track, BASIS, NONE).coefficients, track.motion.coefficients
    )
    ways = [Rules(True, False, False), Rules(False, True, False), Rules(False, False, True), ALL]
    results = [apply_rules(track, BASIS, rules).coefficients for rules in (NONE, *ways)]
    for i, a in enumerate(results):
        for b in results[:i]:
            assert np.abs(a - b).max() > 0.01


def test_rest_is_this_persons_own() -> None:
    rest = np.linspace(-0.3, 0.3, len(BASIS)).astype(np.float32)
    track = speak(WORDS)
    got = apply_rules(track, BASIS, ALL, rest).coefficients
    np.testing.assert_allclose(got[:45], np.repeat(rest[None], 45, 0), atol=1e-6)
    np.testing.assert_allclose(got[75], apply_rules(track, BASIS, ALL).coefficients[75], atol=1e-5)


@pytest.mark.parametrize(
    "rules", [ALL, Rules(onset=False), Rules(rest=False), Rules(True, False, False)]
)
def test_pieces_that_overlap_equal_the_whole(rules: Rules) -> None:
    rng = np.random.default_rng(5)
    names = ["a", "p", "sil", "f", "i", "m", "sil", "u"]
    phones = [(names[rng.integers(len(names))], int(rng.integers(2, 25))) for _ in range(80)]
    track = speak(phones)
    whole = apply_rules(track, BASIS, rules).coefficients
    reach = reach_rows(rules)
    for start in range(0, len(track), 97):
        stop = min(start + 97, len(track))
        low, high = max(start - reach, 0), min(stop + reach, len(track))
        part = SpeechTrack(MouthMotion(track.motion.coefficients[low:high]), track.phones[low:high])
        got = apply_rules(part, BASIS, rules).coefficients[start - low : stop - low]
        np.testing.assert_allclose(got, whole[start:stop], atol=1e-6)


def test_no_rows_and_one_row() -> None:
    for rows in (0, 1):
        motion = MouthMotion(np.zeros((rows, len(BASIS)), np.float32))
        phones = np.full((rows, len(PHONES)), 1 / len(PHONES), np.float32)
        assert len(apply_rules(SpeechTrack(motion, phones), BASIS, ALL)) == rows


def test_another_clock_is_refused() -> None:
    motion = MouthMotion(np.zeros((4, len(BASIS)), np.float32), 25)
    phones = np.zeros((4, len(PHONES)), np.float32)
    with pytest.raises(ValueError, match="25 rows a second, expected 50"):
        apply_rules(SpeechTrack(motion, phones), BASIS, ALL)


def test_an_hour_takes_seconds() -> None:
    n = 3600 * RATE
    motion = MouthMotion(np.ones((n, len(BASIS)), np.float32))
    phones = np.full((n, len(PHONES)), 1 / len(PHONES), np.float32)
    begin = time.process_time()
    apply_rules(SpeechTrack(motion, phones), BASIS, ALL)
    assert time.process_time() - begin < 5
