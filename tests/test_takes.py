"""What is to be said, at hand as sound."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from labial import takes
from labial.errors import LabialError, ReadError, WeightsError
from labial.media.sound_file import SoundWriter, sound_blocks
from labial.options import DubOptions
from labial.planning import Line
from labial.speech.phones import PHONE_INDEX
from labial.takes import Lines, Whole, whole_of
from labial.timeline import Part

RATE = 16000
# A hum is no voice.
PLAIN = DubOptions(denoise="off")


def hum(path: Path, seconds: float, level: float = 0.3) -> Path:
    t = np.arange(round(seconds * RATE)) / RATE
    with SoundWriter(path, RATE) as out:
        out.write((level * np.sign(np.sin(2 * np.pi * 120 * t))).astype(np.float32))
    return path


def line(start: float, end: float, audio: Path, begin: float = 0, speaker: str = "auto") -> Line:
    a, b, c = (Fraction(x).limit_denominator(1000) for x in (start, end, begin))
    return Line(a, b, audio, c, c + b - a, speaker, PLAIN)


def test_a_whole_speech_is_delivered_as_it_is(tmp_path: Path) -> None:
    path = hum(tmp_path / "a.caf", 3)
    take = Whole(path, PLAIN)
    assert take.sound(tmp_path / "video.mp4", Part.all_of(Fraction(2)), tmp_path) == (path, ())
    (speech,) = take.speeches(Fraction(2))
    assert (speech.start, speech.end, speech.speaker) == (0, None, "auto")
    assert len(speech.heard) == 3 * 50 + 1


def test_speech_long_after_the_video_is_not_listened_to(tmp_path: Path) -> None:
    take = Whole(hum(tmp_path / "a.caf", 30), PLAIN)
    (speech,) = take.speeches(Fraction(2))
    assert len(speech.heard) < 10 * 50


def test_lines_are_cut_out_of_their_files(tmp_path: Path) -> None:
    voice, video = hum(tmp_path / "a.caf", 3), hum(tmp_path / "video.caf", 6, 0.1)
    lines = (line(1, 2, voice, 0.5, "0"), line(3, 5, voice, 1, "1"))
    take = Lines(lines)
    assert take.files == (voice,)
    assert take.speakers == ("0", "1")
    one, two = take.speeches(Fraction(6))
    assert (one.start, one.end, two.start, two.end) == (1, 2, 3, 5)
    assert (len(one.heard), len(two.heard)) == (51, 101)
    out, notes = take.sound(video, Part.all_of(Fraction(6)), tmp_path)
    got = np.abs(np.concatenate([*sound_blocks(out)])[:, 0])
    assert notes == ()
    for t, level in ((0.5, 0.1), (1.5, 0.3), (2.5, 0.1), (4, 0.3), (5.5, 0.1)):
        assert got[round(t * RATE)] == pytest.approx(level, abs=1e-3)


def test_the_background_lies_under_what_is_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    voice, video = hum(tmp_path / "a.caf", 3), hum(tmp_path / "video.caf", 3, 0.2)
    heard, folder = [], tmp_path / "mine"
    folder.mkdir()

    def background(path: Path, out: Path) -> Path:
        heard.append(path)
        return hum(out, 3, 0.05)

    monkeypatch.setattr(takes, "background", background)
    keeping = replace(PLAIN, keep_background=True)
    # Where pictures go on for longer speech, it is heard to its end.
    for take, levels, seconds in (
        (Whole(voice, keeping), (0.35, 0.35), 3),
        (Lines((replace(line(0, 1, voice), options=keeping),)), (0.35, 0.2), 2),
    ):
        out, notes = take.sound(video, Part.all_of(Fraction(2)), folder)
        got = np.abs(np.concatenate([*sound_blocks(out)])[:, 0])
        assert len(got) == seconds * RATE and notes == ()
        assert (got[RATE // 2], got[3 * RATE // 2]) == pytest.approx(levels, abs=1e-3)
    # Once for all takes of a video.
    assert heard == [video]


def test_where_voices_add_up_to_more_than_full_scale_it_is_told(tmp_path: Path) -> None:
    voice = hum(tmp_path / "a.caf", 3, 0.8)
    take = Lines((line(0, 2, voice, 0, "0"), line(1, 3, voice, 0, "1")))
    out, (note,) = take.sound(hum(tmp_path / "video.caf", 3), Part.all_of(Fraction(3)), tmp_path)
    assert "peak 1.60" in note and "limited for" in note
    assert np.abs(np.concatenate([*sound_blocks(out)])).max() < 1


def test_the_networks_of_the_background_are_asked_for_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABIAL_CACHE", str(tmp_path / "none"))
    monkeypatch.setenv("LABIAL_OFFLINE", "1")
    keeping = replace(PLAIN, keep_background=True)
    voice = hum(tmp_path / "a.caf", 1)
    for take in (Whole(voice, keeping), Lines((replace(line(0, 1, voice), options=keeping),))):
        with pytest.raises(WeightsError, match="LABIAL_OFFLINE"):
            take.check()


def test_the_key_follows_what_is_said(tmp_path: Path) -> None:
    one, same, other = (
        hum(tmp_path / "a.caf", 1),
        hum(tmp_path / "b.caf", 1),
        hum(tmp_path / "c.caf", 2),
    )
    key = Lines((line(0, 1, one),)).key
    assert Lines((line(0, 1, same),)).key == key
    assert Lines((line(0, 1, other),)).key != key
    assert Lines((line(0, 0.5, one),)).key != key
    assert Lines((line(0, 1, one, speaker="1"),)).key != key


def test_the_key_is_that_of_the_run_before(tmp_path: Path) -> None:
    first = line(0, 1, hum(tmp_path / "a.caf", 1))
    for how, alike in (
        ({"resume": True, "preview": "a.png", "report": "a.html", "cache": False}, True),
        ({"articulation": 0.8}, False),
    ):
        again = replace(first, options=replace(PLAIN, **how))
        assert (Lines((again,)).key == Lines((first,)).key) == alike


def test_a_missing_file_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ReadError):
        Whole(tmp_path / "missing.wav", DubOptions()).check()
    with pytest.raises(ReadError):
        Lines((line(0, 1, tmp_path / "missing.wav"),)).check()


SRT = """1
00:00:00,500 --> 00:00:01,500
Papa, mama, baby.

2
00:00:02,000 --> 00:00:03,000
Good morning.
"""


def take(folder: Path, audio: Path | None = None, **options: object) -> Whole:
    return whole_of(audio, DubOptions(**options), folder)  # type: ignore[arg-type]


@pytest.mark.parametrize("by_name", [True, False])
def test_cues_are_spoken_at_their_times(tmp_path: Path, by_name: bool) -> None:
    srt = tmp_path / "a.srt"
    srt.write_text(SRT)
    given = {"audio": srt} if by_name else {"srt": str(srt)}
    spoken = take(tmp_path, language="en", **given)
    (speech,) = spoken.speeches(Fraction(4))
    voiced = np.flatnonzero(speech.heard.voice > 0.5) / 50
    assert 0.45 <= voiced[0] <= 0.6
    assert voiced[-1] <= 3.05
    assert not ((voiced > 1.6) & (voiced < 1.95)).any()
    assert "spoken by espeak: 2 cues" in spoken.notes[0]
    # The synthesiser's own times, not what is heard: rows are as sure as can be.
    assert (speech.heard.phones.max(1) > 0.99).mean() > 0.8
    # Four sounds with closed lips in the first cue, and the lips are told to meet there.
    lips = speech.heard.phones[:80, [PHONE_INDEX[p] for p in "pbm"]].sum(1) > 0.5
    assert np.diff(np.r_[0, lips.astype(int), 0]).clip(min=0).sum() == 6


def test_a_text_is_spoken(tmp_path: Path) -> None:
    spoken = take(tmp_path, text="Hello. How are you?", language="en-gb")
    assert 0.8 < len(spoken.recording.samples) / RATE < 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"text": "Hello"}, "--language"),
        ({"text": "Hello", "srt": "a.srt", "language": "en"}, "give one of"),
        ({"audio": Path("a.wav"), "text": "Hello", "language": "en"}, "give one of"),
        ({}, "nothing to say"),
        ({"audio": Path("a.json")}, "--audio a.json: .* --segments"),
        ({"text": "Hello", "language": "en", "voice": "espek"}, "did you mean espeak"),
        ({"text": "...", "language": "en"}, "--text"),
        ({"text": "Hello", "language": "xx"}, "--text"),
    ],
)
def test_what_cannot_be_said_is_told(tmp_path: Path, options: dict, message: str) -> None:
    with pytest.raises(LabialError, match=message):
        take(tmp_path, **options)


def test_a_source_without_sound_has_no_background_and_that_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(takes, "_sounds", lambda video: False)
    voice, keeping = hum(tmp_path / "a.caf", 1), replace(PLAIN, keep_background=True)
    (tmp_path / "mine").mkdir()
    for made in (Whole(voice, keeping), Lines((replace(line(0, 1, voice), options=keeping),))):
        _, notes = made.sound(tmp_path / "video.mp4", Part.all_of(Fraction(1)), tmp_path / "mine")
        assert any("no background is kept" in note for note in notes)


def test_what_a_video_cuts_off(tmp_path: Path) -> None:
    voice = hum(tmp_path / "a.caf", 3)
    assert [Whole(voice, PLAIN).cut_off(Fraction(n)) for n in (2, 3, 4)] == [1, 0, 0]
    assert Lines((line(0, 1, voice),)).cut_off(Fraction(1)) == 0
