"""A script is spoken in time: by a voice whose lengths are known by construction."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from labial.errors import OptionError, ScriptError, SpeechError
from labial.media import spool
from labial.script.cues import Cue
from labial.speech.align import Word
from labial.speech.segments import Phone
from labial.types import Audio
from labial.voices import RateLimits, Utterance, problems_of, speak_cues, speak_text

HERTZ = 8000
LEAD, TAIL = 0.3, 0.2


class Metronome:
    """Says each word as a tone of 0.2 s and a pause of 0.05 s, which no speed makes shorter."""

    name, engine, languages = "metronome", "Metronome", ("en", "ru")
    licence, state = "none", "ready"

    def __init__(self) -> None:
        self.rates: list[float] = []

    def spoken_as(self, language: str) -> str | None:
        code = language.partition("-")[0]
        return code if code in self.languages else None

    def speak(self, text: str, language: str, rate: float = 1.0) -> Utterance:
        self.rates.append(rate)
        at, phones, words, parts = LEAD, [Phone("sil", 0, LEAD / 2, LEAD, 1)], [], []
        parts.append(np.zeros(round(LEAD * HERTZ), np.float32))
        for k, word in enumerate(text.split()):
            tone, pause = round(0.2 / rate * HERTZ), round(0.05 * HERTZ)
            parts += [np.full(tone, 0.5, np.float32), np.zeros(pause, np.float32)]
            ends = at + tone / HERTZ, at + (tone + pause) / HERTZ
            phones.append(Phone("a" if k % 2 else "m", at, at, ends[0], 1))
            phones.append(Phone("sil", *ends[:1], *ends, 1))
            words.append(Word(word, at, ends[0], 1))
            at = ends[1]
        parts.append(np.zeros(round(TAIL * HERTZ), np.float32))
        phones.append(Phone("sil", at, at, at + TAIL, 1))
        samples = np.concatenate(parts)
        phones[-1] = Phone("sil", at, at, len(samples) / HERTZ, 1)
        return Utterance(Audio(samples, HERTZ), phones, words)


def cue(start: float, end: float, words: int = 4, line: int = 0, speaker: str = "") -> Cue:
    return Cue(Fraction(start), Fraction(end), " ".join(["word"] * words), line, speaker)


def heard(samples: np.ndarray) -> tuple[float, float]:
    loud = np.flatnonzero(samples)
    return loud[0] / HERTZ, (loud[-1] + 1) / HERTZ


def test_what_fits_is_spoken_naturally_at_its_time() -> None:
    voice = Metronome()
    track = speak_cues([cue(5, 9), cue(1, 3)], voice, "en")
    assert voice.rates == [1.0, 1.0]
    assert len(track.audio.samples) == 9 * HERTZ
    assert heard(track.audio.samples[: 4 * HERTZ]) == pytest.approx((1.01, 1.96), abs=1e-3)
    assert [said.cue.start for said in track.cues] == [1, 5]
    assert track.cues[0].release == pytest.approx(1.96, abs=1e-3)
    assert track.cues[0].words_per_minute == pytest.approx(60 * 4 / 0.96, rel=0.01)
    assert not track.problems


@pytest.mark.parametrize("room", [1.9, 1.75, 1.6])
def test_what_is_too_long_is_spoken_faster_by_the_voice_itself(room: float) -> None:
    # 1.95 s by nature, of which 0.35 s are pauses that stay.
    track = speak_cues([cue(2, 2 + room, 8), cue(6, 7, 1)], Metronome(), "en")
    said = track.cues[0]
    assert 0.93 * room <= said.release - said.onset <= room
    assert said.rate == pytest.approx(1.6 / (said.release - said.onset - 0.36), rel=0.01)
    assert said.overrun == said.cut == 0


def test_what_never_fits_runs_into_the_gap_and_is_reported() -> None:
    track = speak_cues([cue(0, 1, 8, line=7), cue(6, 7, 1)], Metronome(), "en")
    said = track.cues[0]
    assert said.rate == 1.35
    assert said.release == pytest.approx(1.6 / 1.35 + 0.36, abs=2e-3)
    assert said.overrun == pytest.approx(said.release - 1) and said.cut == 0
    assert len(track.problems) == 1 and track.problems[0].startswith("line 7: too long by 0.5 s")


def test_nothing_runs_into_the_next_cue() -> None:
    track = speak_cues([cue(0, 1, 20), cue(1.5, 4, 1)], Metronome(), "en")
    said = track.cues[0]
    assert said.release == 1.5 and said.overrun == 0.5
    assert said.cut == pytest.approx(4 / 1.35 + 0.96 - 1.5, abs=5e-3)
    assert "are cut off" in track.problems[0]
    # Where the next cue begins at once there is no gap to run into.
    at_once = speak_cues([cue(0, 1, 12, 4), cue(1, 2, line=5)], Metronome(), "en")
    assert at_once.cues[0].overrun == 0
    assert at_once.problems[0].startswith("line 4: too long by")
    samples = track.audio.samples[: round(1.51 * HERTZ)]
    assert abs(samples[round(1.5 * HERTZ) - 1 :]).max() < 0.02
    assert max(word.release for word in track.words[:-1]) <= 1.5


def test_limits_say_how_slow_and_how_fast() -> None:
    voice = Metronome()
    track = speak_cues([cue(0, 5), cue(5, 6, 8)], voice, "en", RateLimits(0.8, 2))
    assert track.cues[0].rate == 0.8
    assert 1.6 / (1 - 0.36) > track.cues[1].rate > 1.35
    assert speak_cues([cue(0, 1, 8)], voice, "en", RateLimits(1, 1)).cues[0].rate == 1
    for natural, fastest in ((0.4, 1), (3, 3), (1, 0.9), (1, 9)):
        with pytest.raises(OptionError, match="speech rate"):
            RateLimits(natural, fastest)


def test_phones_and_words_are_on_the_clock_of_the_sound() -> None:
    cues = [cue(k * 3, k * 3 + 2, 3) for k in range(1, 6)]
    track = speak_cues(cues, Metronome(), "en", seconds=Fraction(61, 3))
    assert track.audio.seconds == pytest.approx(61 / 3, abs=1e-3)
    edges = [0.0, *(phone.release for phone in track.phones)]
    assert np.allclose(edges[:-1], [phone.onset for phone in track.phones], atol=1e-9)
    assert edges[-1] == pytest.approx(track.audio.seconds)
    assert not any(a.name == b.name == "sil" for a, b in pairwise(track.phones))
    samples = np.asarray(track.audio.samples)
    for phone in track.phones:
        middle = samples[round((phone.onset + phone.release) / 2 * HERTZ)]
        assert (middle == 0) == (phone.name == "sil")
    assert len(track.words) == 15 and track.words[0].onset == pytest.approx(3.01, abs=1e-3)


def test_long_speech_does_not_stay_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "HELD_BYTES", 1 << 14)
    track = speak_cues([cue(k * 3, k * 3 + 2, 3) for k in range(5)], Metronome(), "en")
    assert isinstance(track.audio.samples, np.memmap)


def test_all_problems_are_told_at_once_and_before_any_work() -> None:
    voice = Metronome()
    cues = [
        Cue(Fraction(0), Fraction(2), "good morning", 1),
        Cue(Fraction(1), Fraction(3), "доброе утро", 4),
        Cue(Fraction(4), Fraction(4), "  ", 7),
        Cue(Fraction(5), Fraction(6), "— ♪ —", 10),
        Cue(Fraction(5), Fraction(6), "4 × α = ?", 13, "Ann"),
    ]
    with pytest.raises(ScriptError) as caught:
        speak_cues(cues, voice, "en-gb", name="a.srt")
    assert caught.value.name == "a.srt" and not voice.rates
    assert caught.value.problems == (
        "line 4: begins before that of line 1 ends",
        "line 4: 'доброе' is written in Cyrillic, which is not read in en",
        "line 7: ends before it starts",
        "line 7: there is nothing to say",
        "line 10: no letter to speak in '— ♪ —'",
    )
    assert problems_of([], voice, "en") == ["there are no cues"]
    assert problems_of(cues, voice, "fr") == [
        "voice metronome does not speak 'fr'; it speaks en, ru"
    ]
    assert problems_of(cues[1:2], voice, "ru") == []
    assert problems_of(cues[1:2], voice, "rus") == problems_of(cues[:1], voice, "eng_GB") == []


def test_an_engine_that_is_not_installed() -> None:
    voice = Metronome()
    voice.state = "pip install 'metronome'"
    with pytest.raises(SpeechError, match="metronome is not installed: pip install 'metronome'"):
        problems_of([cue(0, 1)], voice, "en")
    with pytest.raises(SpeechError, match="not installed"):
        speak_text("Hello", voice, "en")


def test_a_text_is_spoken_paragraph_by_paragraph() -> None:
    voice = Metronome()
    track = speak_text("One two\nthree. \n\n\n Four five?\n", voice, "en", 0.5)
    assert voice.rates == [0.5, 0.5]
    assert [(said.cue.text, said.cue.line) for said in track.cues] == [
        ("One two three.", 1),
        ("Four five?", 5),
    ]
    first, second = track.cues
    assert first.onset == 0 and 0.6 < second.onset - first.release < 1
    assert track.audio.seconds == pytest.approx(second.release + 0.08, abs=1e-3)


def test_a_long_paragraph_is_spoken_in_sentences() -> None:
    sentence = "This is said by Dr. No. " * 40
    track = speak_text(sentence, Metronome(), "en")
    texts = [said.cue.text for said in track.cues]
    assert " ".join(texts) == sentence.strip() and len(texts) == 3
    assert all(text.endswith("No.") for text in texts)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "there is no text"),
        ("\n \n", "there is no text"),
        ("Hello.\n\nпривет мир", "line 3: 'привет' is written in Cyrillic"),
        ("...", "line 1: no letter to speak"),
    ],
)
def test_a_text_that_cannot_be_spoken(text: str, says: str) -> None:
    with pytest.raises(ScriptError, match=f"text: {says}"):
        speak_text(text, Metronome(), "en")
    with pytest.raises(ScriptError, match="does not speak"):
        speak_text("Hello", Metronome(), "xx")
