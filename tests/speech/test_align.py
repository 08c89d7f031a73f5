"""Words at known times must be found there, whatever the network takes for what."""

import time

import numpy as np
import pytest
from synth_speech import Sound, make_track

from labial.errors import SpeechError
from labial.speech.align import align
from labial.speech.phones import PHONES, VOWELS
from labial.speech.pronounce import Spoken
from labial.types import SpeechTrack


def make_lexicon() -> list[Spoken]:
    """Words of every class, none beginning with what another ends with."""
    rng = np.random.default_rng(9)
    onsets, codas = PHONES[1:15], PHONES[15:20]
    words = []
    for k in range(300):
        syllables = [
            (onsets[rng.integers(len(onsets))], VOWELS[rng.integers(len(VOWELS))])
            for _ in range(rng.integers(1, 4))
        ]
        phones = (*(name for pair in syllables for name in pair), codas[rng.integers(len(codas))])
        words.append(Spoken(f"word{k}", phones))
    return words


LEXICON = make_lexicon()


def speak(n: int, seed: int = 0) -> tuple[list[Spoken], list[Sound], list[float]]:
    """``n`` random words, how they sound with pauses here and there, and each word's onset."""
    rng = np.random.default_rng(seed)
    words = [LEXICON[k] for k in rng.integers(0, len(LEXICON), n)]
    sounds: list[Sound] = [("sil", 0.31)]
    onsets = []
    for k, word in enumerate(words):
        onsets.append(sum(seconds for _, seconds in sounds))
        sounds += [(name, float(rng.uniform(0.05, 0.15))) for name in word.phones]
        if rng.random() < 0.2 or k == n - 1:
            sounds.append(("sil", float(rng.uniform(0.15, 0.8))))
    return words, sounds, onsets


def errors(track: SpeechTrack, words: list[Spoken], onsets: list[float]) -> np.ndarray:
    found = align(track, words)
    assert [word.text for word in found.words] == [word.text for word in words]
    return np.abs([word.onset for word in found.words] - np.array(onsets))


def test_words_are_where_they_are() -> None:
    words, sounds, onsets = speak(60)
    assert errors(make_track(sounds), words, onsets).max() < 0.011
    found = align(make_track(sounds), words)
    names = [name for name, _ in sounds]
    assert [phone.name for phone in found.phones] == names
    assert all(word.confidence > 0.85 for word in found.words)
    assert found.phones[0].onset == 0
    assert all(a.release == b.onset for a, b in zip(found.phones, found.phones[1:], strict=False))


def test_pauses_are_found_and_nothing_else() -> None:
    words, sounds, _ = speak(40, seed=3)
    pauses = [seconds for name, seconds in sounds if name == "sil"]
    found = [
        p.release - p.onset for p in align(make_track(sounds), words).phones if p.name == "sil"
    ]
    assert np.allclose(found, pauses, atol=0.025)


def test_a_network_that_hears_one_for_the_other() -> None:
    words, sounds, onsets = speak(60, seed=1)
    swap = {"p": "b", "b": "p", "s": "z", "ɑ": "ʌ", "i": "ɪ", "t": "d", "ʃ": "ʒ", "u": "ʊ"}
    heard = [(swap.get(name, name), seconds) for name, seconds in sounds]
    assert np.percentile(errors(make_track(heard, noise=0.2), words, onsets), 95) < 0.03


def test_wrong_posteriors_here_and_there_break_nothing() -> None:
    words, sounds, onsets = speak(80, seed=2)
    rng = np.random.default_rng(0)
    heard = [
        (PHONES[rng.integers(1, len(PHONES))] if rng.random() < 0.25 and name != "sil" else name, s)
        for name, s in sounds
    ]
    error = errors(make_track(heard, noise=0.3), words, onsets)
    assert np.median(error) < 0.01 and np.percentile(error, 95) < 0.1


def test_ten_minutes_take_seconds() -> None:
    words, sounds, onsets = speak(1200, seed=4)
    track = make_track(sounds, noise=0.3)
    assert len(track) / 50 > 590
    began = time.process_time()
    error = errors(track, words, onsets)
    assert time.process_time() - began < 15
    assert error.max() < 0.1


def test_a_text_too_long_is_one_line() -> None:
    words, _, _ = speak(200)
    with pytest.raises(SpeechError, match="too long: 200 words cannot be spoken in") as caught:
        align(make_track([("ɑ", 1.0)]), words)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("seed", range(4))
def test_another_text_is_refused(seed: int) -> None:
    _, sounds, _ = speak(60, seed=seed)
    others, _, _ = speak(60, seed=seed + 100)
    with pytest.raises(SpeechError, match=r"does not fit the speech.*--language"):
        align(make_track(sounds, noise=0.2), others)


@pytest.mark.parametrize("part", [slice(0, 15), slice(0, 60)])
def test_half_of_the_text_is_refused(part: slice) -> None:
    words, sounds, _ = speak(60)
    silent = [*sounds[: len(sounds) // 4], ("sil", 20.0)] if part.stop == 60 else sounds
    with pytest.raises(SpeechError, match="fit"):
        align(make_track(silent), words[part])


def test_no_words_are_refused() -> None:
    with pytest.raises(SpeechError, match="nothing"):
        align(make_track([("ɑ", 1.0)]), [])


def test_long_silences_before_and_after() -> None:
    words, sounds, onsets = speak(5)
    sounds = [("sil", 60.0), *sounds, ("sil", 60.0)]
    assert errors(make_track(sounds), words, [t + 60 for t in onsets]).max() < 0.011
