"""Posteriors made from a known timeline must give that timeline back."""

import time
from difflib import SequenceMatcher
from itertools import pairwise, product

import numpy as np
import pytest
from synth_speech import Sound, make_posteriors, make_track

from labial.speech.phones import PHONES
from labial.speech.segments import STAY, SWITCH, Phone, best_path, extended, segments, voiced

SOUNDS: list[Sound] = [
    ("sil", 0.313), ("m", 0.087), ("ɑ", 0.141), ("t", 0.063), ("i", 0.117), ("s", 0.101),
    ("sil", 0.207), ("b", 0.071), ("u", 0.133), ("sil", 0.3),
]  # fmt: skip


def borders(sounds: list[Sound]) -> np.ndarray:
    return np.cumsum([seconds for _, seconds in sounds])[:-1]


@pytest.mark.parametrize("blur", [0.004, 0.01, 0.02])
def test_borders_are_within_ten_milliseconds(blur: float) -> None:
    found = segments(make_track(SOUNDS, blur=blur))
    assert [phone.name for phone in found] == [name for name, _ in SOUNDS]
    error = np.array([phone.release for phone in found[:-1]]) - borders(SOUNDS)
    assert np.abs(error).max() < 0.01


def test_borders_between_rows_are_found_by_interpolation() -> None:
    rng = np.random.default_rng(0)
    vowels = ["i", "ɑ", "u", "ɛ", "o"]
    sounds = [(vowels[k % 5], float(rng.uniform(0.08, 0.2))) for k in range(200)]
    found = segments(make_track(sounds, blur=0.01))
    error = np.array([phone.release for phone in found[:-1]]) - borders(sounds)
    assert np.sqrt((error**2).mean()) < 0.002


def test_segments_have_no_gaps_and_no_overlap() -> None:
    track = make_track(SOUNDS, noise=0.3)
    found = segments(track)
    assert found[0].onset == 0 and found[-1].release == (len(track) - 1) / 50
    for a, b in pairwise(found):
        assert a.release == b.onset and a.name != b.name
        assert a.onset <= a.peak <= a.release and 0 <= a.confidence <= 1


def test_quick_speech_is_not_swallowed() -> None:
    rng = np.random.default_rng(2)
    names = [str(name) for name in rng.permutation(PHONES[1:])] * 5
    track = make_track([(name, float(rng.uniform(0.035, 0.06))) for name in names], noise=0.2)
    found = [phone.name for phone in segments(track)]
    kept = SequenceMatcher(None, names, found, autojunk=False).get_matching_blocks()
    assert sum(block.size for block in kept) > 0.95 * len(names) and len(found) <= len(names)


def test_a_flicker_is_not_a_phone() -> None:
    track = make_track(SOUNDS)
    track.phones[22], track.phones[22, PHONES.index("k")] = 0.3 / 40, 0.7
    assert [phone.name for phone in segments(track)] == [name for name, _ in SOUNDS]


def test_a_short_gap_is_not_a_silence() -> None:
    sounds: list[Sound] = [("sil", 0.2), ("ɑ", 0.2), ("sil", 0.02), ("ɑ", 0.2), ("sil", 0.2)]
    assert [phone.name for phone in segments(make_track(sounds))] == ["sil", "ɑ", "sil"]


def test_noise_lowers_confidence() -> None:
    clear, dim = (segments(make_track(SOUNDS, noise=noise)) for noise in (0.0, 0.5))
    assert np.mean([p.confidence for p in clear]) > 0.9 > np.mean([p.confidence for p in dim])


def test_the_mouth_moves_the_peak() -> None:
    track = make_track([("sil", 0.2), ("ɑ", 0.2), ("m", 0.2), ("sil", 0.2)])
    aperture = np.zeros(len(track), np.float32)
    aperture[12], aperture[20:31], aperture[28] = 1, 0.5, 0
    found = {phone.name: phone for phone in segments(track, aperture)}
    assert found["ɑ"].peak == pytest.approx(12 / 50)
    assert found["m"].peak == pytest.approx(28 / 50)


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_hardly_any_sound(n: int) -> None:
    track = make_track([("ɑ", max(n - 1, 0) / 50)]) if n else make_track([])
    assert len(track) == n
    assert [phone.name for phone in segments(track)] == ["ɑ"] * bool(n)


def test_the_path_is_the_best_of_all_paths() -> None:
    """Against every path of a tiny case, scored by the model's own rules."""
    rng = np.random.default_rng(1)
    for _ in range(10):
        posteriors = rng.dirichlet([0.5] * 3, 7).astype(np.float32)
        logs = np.log(np.maximum(posteriors, 1e-4))

        def score(path: tuple[int, ...], logs: np.ndarray = logs) -> float:
            runs = np.split(np.array(path), np.flatnonzero(np.diff(path)) + 1)
            total = logs[np.arange(7), list(path)].sum() + SWITCH * (len(runs) - 1)
            for k, run in enumerate(runs):
                least = 4 if run[0] == 0 else 2
                if len(run) < least and k > 0:
                    return -np.inf
                total += STAY * (len(run) - (1 if k == 0 else least))
            return float(total)

        best = max(product(range(3), repeat=7), key=score)
        got = tuple(int(c) for c in best_path(posteriors, 50))
        assert score(got) == pytest.approx(score(best))


def test_an_hour_is_decoded_in_seconds() -> None:
    posteriors = make_posteriors([("m", 0.1), ("ɑ", 0.1)] * 1500)
    began = time.process_time()
    best_path(posteriors, 50)
    # Five minutes of speech; an hour takes twelve times as long.
    assert time.process_time() - began < 5


def test_voice_activity() -> None:
    spans = voiced(make_track(SOUNDS))
    assert np.allclose(spans, [(0.313, 0.822), (1.029, 1.233)], atol=0.01)
    assert voiced(make_track([("sil", 1.0)])) == voiced(make_track([])) == []
    assert np.allclose(voiced(make_track([("ɑ", 1.0)])), [(0, 1)])


def test_the_last_phone_ends_with_the_sound() -> None:
    phones = [Phone("sil", 0, 0.5, 1, 1)]
    assert extended(phones, 1.013)[0].release == 1.013
    assert extended([], 1.0) == []


def test_times_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(ValueError, match="m"):
        Phone("m", 0.2, 0.1, 0.3, 1)
