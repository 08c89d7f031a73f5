"""Segments against media: what is wrong, what may be, what will be done."""

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from synth import standing
from synth_media import write_sound, write_video

from labial.analysis import Analysis
from labial.cli import main
from labial.errors import OptionError, ReadError, ScriptError, SpeechError
from labial.options import DubOptions
from labial.planning import Spoken, aloud, plan, plan_file, plan_whole
from labial.planning.listening import Sound, listen, words_of
from labial.planning.whole import WholePlan
from labial.script.segments import Segment, read_segments
from labial.speech.segments import Phone
from labial.types import Audio

LENGTH, RATE = 4, 16000


@pytest.fixture(scope="module")
def video(tmp_path_factory) -> Path:
    return write_video(tmp_path_factory.mktemp("v") / "v.mp4", n=25 * LENGTH, size=(600, 300))


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    """Tones of 3 s, silence of 3 s, and what is no sound."""
    folder = tmp_path_factory.mktemp("a")
    tone = np.sin(2 * np.pi * 200 * np.arange(3 * RATE) / RATE)[None].astype(np.float32) / 2
    write_sound(folder / "a.wav", tone, RATE)
    half = tone.copy()
    half[:, RATE:] = 0
    write_sound(folder / "half.wav", half, RATE)
    (folder / "text.wav").write_text("no sound")
    return folder


def sounding(*spans: tuple[float, float], length: int = 3, vowels_a_second: int = 6) -> Sound:
    """Somebody speaks in the spans, with so many vowels a second."""
    samples = np.zeros(length * RATE, np.float32)
    phones = []
    for start, end in spans:
        samples[round(start * RATE) : round(end * RATE)] = 0.1
        for k in range(round((end - start) * vowels_a_second)):
            at = start + (k + 0.5) / vowels_a_second
            phones.append(Phone("a", at, at, at, 1))
    return Sound(Fraction(length), Audio(samples, RATE), list(spans), phones)


@pytest.fixture
def heard(monkeypatch):
    """Say what is heard in each file, by its name."""
    sounds: dict[str, Sound | str] = {}
    monkeypatch.setattr("labial.planning.check.listen", lambda path: sounds[path.name])
    return sounds


def seg(start: float, end: float, **how) -> Segment:
    how.setdefault("audio", Path("a.wav"))
    return Segment(Fraction(start), Fraction(end), **how)


def two_people() -> Analysis:
    """The first is there all the time, the second for the first half."""
    n = 25 * LENGTH
    tracks = [
        standing(n, 100.0, scale=60.0),
        standing(n // 2, 400.0, scale=50.0, key=1, person=1),
    ]
    return Analysis(tracks, [], np.arange(n), Fraction(1, 25), Fraction(LENGTH))


def problems_of(*segments: Segment, video: Path, **how) -> list[str]:
    with pytest.raises(ScriptError) as caught:
        plan(video, segments, **how)
    return list(caught.value.problems)


def test_who_is_asked_for_says_what_nobody_is_named_for(video, heard):
    heard["a.wav"] = sounding((0, 0.9), length=1)
    done = plan(
        video,
        [seg(0, 1), seg(1, 2, speaker="0")],
        DubOptions(speaker="1"),
        analysis=two_people(),
    )
    assert [line.speaker for line in done.lines] == ["1", "0"]
    assert [line.options.speaker for line in done.lines] == ["1", "0"]
    assert [told.people for told in done.heard] == [(1,), (0,)]


def test_what_is_laid_where(video, heard):
    heard["a.wav"] = sounding((0, 2.5))
    options = DubOptions(articulation=0.8, crf=20)
    done = plan(
        video,
        [
            seg(2, 3, audio_start=Fraction(1, 2), options={"articulation": 1.2}, line=2),
            seg(0, 1, audio_start=Fraction(1), audio_end=Fraction(3, 2), language="de", line=3),
        ],
        options,
    )
    assert (done.length, done.fps) == (LENGTH, 25)
    first, second = done.lines
    assert (first.start, first.end, first.audio_start, first.audio_end) == (0, 1, 1, 1.5)
    assert (second.start, second.end, second.audio_start, second.audio_end) == (2, 3, 0.5, 1.5)
    assert first.options == replace(options, speaker="auto")
    assert second.options == replace(options, articulation=1.2)
    assert (first.language, second.language) == ("de", None)
    assert [h.seconds for h in done.heard] == [0.5, 1.0]
    assert done.warnings == ("line 2: speech is longer than it: 1.0 s are cut off",)


def test_more_than_half_cut_off_is_a_problem(video, heard):
    heard["a.wav"] = sounding((0, 2.5))
    (problem,) = problems_of(seg(0, 1, line=2), video=video)
    assert problem.startswith("line 2: 1.5 of 2.5 s of speech do not fit")


def test_silence_at_the_end_is_not_missed(video, heard):
    heard["a.wav"] = sounding((0, 0.9))
    assert not plan(video, [seg(0, 1)]).warnings


def test_the_pace_is_told_and_too_fast_is_warned(video, heard):
    heard["a.wav"] = sounding((0, 2), vowels_a_second=9)
    done = plan(video, [seg(0, 2, line=4), seg(2, 4, audio=None, text="so it is", line=5)], ENGLISH)
    assert done.heard[0].words_a_minute == pytest.approx(9 / 1.5 * 60)
    assert (done.heard[0].counted, done.heard[1].counted) == ("vowels", "words")
    assert done.heard[1].words_a_minute == pytest.approx(90)
    assert done.warnings == (
        "line 4: about 360 words a minute by the vowels heard: more than 300 blur",
    )
    assert "~360" in done.summary() and "by the vowels that are heard" in done.summary()


def test_words_are_counted_without_spaces_too():
    assert words_of("It's 3.5 well-known things, so!") == 5
    assert 5 < words_of("你好今天天气很好我们") < 7


def test_all_problems_of_all_segments_at_once(video, files):
    told = problems_of(
        seg(5, 6, audio=files / "half.wav", line=9),
        seg(3, 5, audio=files / "half.wav", line=2),
        seg(0, 1, audio=files / "none.wav", line=3),
        seg(1, 2, audio=files / "text.wav", line=4),
        seg(1.5, 2, audio=files / "none.wav", speaker="1", line=5),
        seg(2, 3, audio=files / "a.wav", audio_start=Fraction(7, 2), line=6),
        seg(2, 3, audio=files / "a.wav", audio_end=Fraction(7, 2), speaker="1", line=7),
        seg(2, 3, audio=files / "half.wav", audio_start=Fraction(2), speaker="2", line=8),
        seg(0, 1, audio=files / "half.wav", speaker="3", language="klingon", line=10),
        video=video,
        problems=["line 1: no start"],
    )
    begins = (
        "line 1: no start",
        "line 2: ends at 0:05.000, and the video at 0:04.000",
        "line 3: cannot read",
        "line 4: ",
        f"line 6: begins at 0:03.500 of {files}/a.wav, which is 0:03.000 long",
        "line 7: goes to 0:03.500",
        f"line 8: {files}/half.wav is silent from 0:02.000 to 0:03.000",
        "line 9: starts at 0:05.000, and the video ends at 0:04.000",
        "line 10: language klingon",
    )
    assert len(told) == len(begins), told
    for problem, begin in zip(told, begins, strict=True):
        assert problem.startswith(begin)


def test_one_person_says_one_thing_at_a_time(video, heard):
    heard["a.wav"] = sounding((0, 1))
    told = problems_of(
        seg(0, 2, speaker="0", line=2), seg(1, 3, speaker="0", line=3),
        seg(3, 4, line=4), seg(3, 4, line=5), video=video,
    )  # fmt: skip
    assert [problem.split(",")[0] for problem in told] == [
        "line 3: overlaps line 2",
        "line 5: overlaps line 4",
    ]
    assert told[0].endswith("both are said by person 0")
    assert "overlaps" in problems_of(seg(0, 2, speaker="all"), seg(1, 2), video=video)[0]


def test_two_people_may_speak_at_once(video, heard):
    heard["a.wav"] = sounding((0, 1))
    both = [seg(0, 1, speaker="0"), seg(0, 1, speaker="1")]
    assert len(plan(video, both).lines) == 2
    done = plan(video, both, analysis=two_people())
    assert [h.people for h in done.heard] == [(0,), (1,)]


def test_one_person_by_two_names_is_one(video, heard):
    heard["a.wav"] = sounding((0, 1))
    (problem,) = problems_of(
        seg(0, 1, speaker="0"), seg(0.5, 1.5, speaker="largest"),
        video=video, analysis=two_people(),
    )  # fmt: skip
    assert problem.endswith("both are said by person 0")


def test_who_is_not_there(video, heard):
    heard["a.wav"] = sounding((0, 1))
    told = problems_of(
        seg(0, 1, speaker="2", line=2), seg(1, 2, speaker="590,10", line=3),
        video=video, analysis=two_people(),
    )  # fmt: skip
    assert told[0].startswith("line 2: speaker 2: there are person 0 (")
    assert told[1].startswith("line 3: speaker 590,10: nobody is there")


def test_who_is_there_at_other_times_is_warned(video, heard):
    heard["a.wav"] = sounding((0, 1))
    segments = [seg(2.5, 3.5, speaker="1", line=2), seg(1.4, 2.4, speaker="0", line=3)]
    done = plan(video, segments, analysis=two_people())
    assert done.warnings == (
        "line 2: person 1 cannot be dubbed in it, only the sound changes: not chosen",
    )


SILENCE = Phone("sil", 0, 0, 1, 1)
ENGLISH = DubOptions(language="en")


def test_text_waits_to_be_spoken_or_is_spoken(video, heard):
    heard["a.wav"] = heard["b.wav"] = sounding((0, 0.9))
    segments = [
        seg(1, 2, audio=None, text="one two three four five six", voice="espeak", line=2),
        seg(0, 1, line=1),
    ]
    waiting = plan(video, segments, ENGLISH)
    assert [line.audio for line in waiting.lines] == [Path("a.wav"), None]
    assert (waiting.lines[1].text, waiting.lines[1].voice) == (segments[0].text, "espeak")
    assert waiting.warnings == ("line 2: 360 words a minute to be spoken: more than 300 blur",)
    asked = []

    def speak(texts):
        asked.extend(texts)
        return [Spoken(Path("b.wav"), (SILENCE,), ("too long",))]

    spoken = plan(video, segments, ENGLISH, speak=speak)
    assert asked == [segments[0]]
    assert [line.audio for line in spoken.lines] == [Path("a.wav"), Path("b.wav")]
    assert [line.phones for line in spoken.lines] == [(), (SILENCE,)]
    assert "line 2: too long" in spoken.warnings
    bad = [Spoken(Path("b.wav"), problems=("much too long",))]
    told = problems_of(*segments, video=video, options=ENGLISH, speak=lambda texts: bad)
    assert told == ["line 2: much too long"]


def test_nothing_is_spoken_while_something_is_wrong(video, heard):
    heard["a.wav"] = "a.wav: broken"

    def speak(texts):
        raise AssertionError

    told = problems_of(
        seg(0, 1, line=1), seg(1, 2, audio=None, text="so", line=2),
        video=video, options=ENGLISH, speak=speak,
    )  # fmt: skip
    assert told == ["line 1: a.wav: broken"]


def test_texts_that_cannot_be_spoken(video):
    def text(start, line, **how):
        return seg(start, start + 1, audio=None, line=line, **({"text": "so"} | how))

    told = problems_of(text(0, 1), text(1, 2), video=video)
    assert told == [
        "line 1: language: say in which language the text is: in the file, or as --language es"
    ]
    told = problems_of(
        text(0, 1, voice="espaek"), text(1, 2, text="...", language="de"),
        text(2, 3, text="привет", language="de"), text(3, 4), video=video, options=ENGLISH,
    )  # fmt: skip
    assert [problem[:26] for problem in told] == [
        "line 1: voice espaek: no s",
        "line 2: " + told[1][8:26],
        "line 3: 'привет' is writte",
    ]


def test_spoken_texts_keep_to_their_segments(video, tmp_path):
    segments = [
        seg(0, 1.5, audio=None, text="My mother was here.", line=1),
        seg(2, 3.5, audio=None, text="Papa.", language="de", line=2),
    ]
    done = plan(video, segments, ENGLISH, speak=aloud(ENGLISH, tmp_path))
    for line, said in zip(done.lines, done.heard, strict=True):
        assert line.audio is not None and line.audio.parent == tmp_path
        assert line.audio_end - line.audio_start <= line.end - line.start
        assert line.phones[-1].release <= 1.5 + 1e-6
        assert {phone.name for phone in line.phones} >= {"m" if line.line == 1 else "p"}
        assert said.seconds and said.counted == "words"
    assert done.lines[0].audio != done.lines[1].audio
    text = "Peter Piper picked a peck of pickled peppers, and so on, and on, and on. "
    told = problems_of(
        seg(0, 0.6, audio=None, text=text, line=4),
        video=video, options=ENGLISH, speak=aloud(ENGLISH, tmp_path),
    )  # fmt: skip
    assert told[0].startswith("line 4: too long by")


def test_what_was_heard_is_not_heard_again(video, heard):
    heard["a.wav"] = sounding((0, 0.9))
    sounds: dict[Path, Sound | str] = {}
    plan(video, [seg(0, 1)], sounds=sounds)
    heard.clear()
    assert len(plan(video, [seg(1, 2)], sounds=sounds).lines) == 1


def test_music_is_warned(video, heard):
    heard["a.wav"] = replace(sounding((0, 1)), spans=[])
    assert plan(video, [seg(0, 1, line=1)]).warnings == (
        "line 1: no speech is heard in its sound: music, or noise?",
    )


def test_a_plan_is_a_file_of_segments(video, files, tmp_path):
    path = tmp_path / "s.json"
    rows = [
        {"start": 0.1, "end": 1.3, "audio": str(files / "a.wav"), "audio_start": 0.7,
         "rest": False, "speaker": "1"},
        {"start": 2, "end": 3, "text": "so it is", "language": "de"},
    ]  # fmt: skip
    path.write_text(json.dumps(rows))
    done = plan_file(video, path, look=False)
    again = tmp_path / "plan.json"
    again.write_text(done.to_json())
    first, second = read_segments(again)
    assert (first.start, first.end) == (Fraction("0.1"), Fraction("1.3"))
    assert (first.audio, first.audio_start, first.audio_end) == (
        files / "a.wav", Fraction("0.7"), Fraction("1.9"),
    )  # fmt: skip
    assert (first.speaker, first.options) == ("1", {"rest": False})
    assert (second.text, second.language) == ("so it is", "de")


def test_file_and_media_are_told_together(video, tmp_path, capsys):
    path = tmp_path / "s.csv"
    path.write_text("start,end,audio\n1,2,none.wav\n2,1,none.wav\n")
    assert main(["plan", str(video), "--segments", str(path)]) == 2
    assert capsys.readouterr().err.splitlines() == [
        f"labial: error: {path}: 2 problems",
        f"  line 2: cannot read {tmp_path}/none.wav: No such file or directory",
        "  line 3: end 0:01.000 does not come after start 0:02.000",
    ]


def test_two_who_are_nobody_yet_do_not_overlap(video, files, tmp_path, capsys):
    path = tmp_path / "s.srt"
    cue = "1\n00:00:0{},500 --> 00:00:0{},500\n{}: So\n\n"
    path.write_text(cue.format(0, 1, "ANNA") + cue.format(1, 2, "BEN").replace("1,5", "1,3"))
    assert main(["plan", str(video), "--segments", str(path), "-a", str(files / "a.wav")]) == 2
    told = capsys.readouterr().err.splitlines()[1:]
    assert [line[:26] for line in told] == [
        "  line 2: which person is ",
        "  line 6: which person is ",
    ]


def test_a_speaker_who_is_named_is_looked_for(video, files, tmp_path, monkeypatch):
    looked = []

    def analyse(path, tell, content, threads):
        looked.append(path)
        return two_people()

    monkeypatch.setattr("labial.planning.plans.analyse", analyse)
    path = tmp_path / "s.srt"
    cue = "1\n00:00:00,500 --> 00:00:01,500\n{}So\n"
    for prefix, look, times in (("", None, 0), ("1: ", None, 1), ("1: ", False, 0), ("", True, 1)):
        looked.clear()
        path.write_text(cue.format(prefix))
        plan_file(video, path, files / "a.wav", look=look)
        assert len(looked) == times


@pytest.mark.parametrize(
    ("length", "outputs", "remap"),
    [
        (3, {"silence": 4, "cut_off": 3, "loop": 3, "hold": 3, "remap": 3}, "1.33"),
        (5, {"silence": 4, "cut_off": 4, "loop": 5, "bounce": 5, "remap": 5}, "0.80"),
    ],
)
def test_each_sync_mode(video, monkeypatch, length, outputs, remap):
    monkeypatch.setattr(
        "labial.planning.whole.listen", lambda path: sounding((0, 2.5), length=length)
    )
    done = plan_whole(video, "a.wav")
    modes = {mode: float(seconds) for mode, seconds, _ in done.modes}
    assert outputs.items() <= modes.items()
    assert f"at {remap} of its speed" in done.modes[-1][2]
    assert "\n* " in done.summary()
    assert len(json.loads(done.to_json())["sync_modes"]) == 6


def test_of_one_length_all_modes_are_one(video, monkeypatch):
    monkeypatch.setattr("labial.planning.whole.listen", lambda path: sounding((0, 2), length=4))
    done = plan_whole(video, "a.wav")
    assert isinstance(done, WholePlan)
    assert {what for *_, what in done.modes} == {"both are of one length"}


def test_the_command_writes_the_plan(video, files, tmp_path, capsys):
    out = tmp_path / "p.json"
    speech = str(files / "half.wav")
    assert main(["plan", str(video), "--audio", speech, "-o", str(out)]) == 0
    assert "half.wav 0:00.000-0:03.000" in capsys.readouterr().out
    assert json.loads(out.read_text())["speech"] == 3
    assert main(["plan", str(video), "--audio", speech, "-o", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["length"] == LENGTH
    assert main(["plan", str(video), "--audio", speech, "-o", speech]) == 2
    assert "it is an input" in capsys.readouterr().err
    assert main(["plan", str(video)]) == 2


def test_what_cannot_be_planned(video, files, tmp_path):
    with pytest.raises(SpeechError):
        plan_whole(video, files / "text.wav")
    with pytest.raises(OptionError, match="give it as --segments"):
        plan_whole(video, "cues.srt")
    with pytest.raises(ReadError):
        plan(tmp_path / "none.mp4", [seg(0, 1)])
    assert problems_of(video=video) == ["there are no segments in it"]


def test_listening_finds_tones_and_silence(files):
    sound = listen(files / "half.wav")
    assert isinstance(sound, Sound)
    assert sound.length == 3
    assert not sound.silent(Fraction(0), Fraction(1, 2))
    assert sound.silent(Fraction(3, 2), Fraction(3))
    assert "text.wav" in str(listen(files / "text.wav"))


def test_names_of_nobody_are_told_without_a_look(video: Path, tmp_path: Path) -> None:
    srt = tmp_path / "a.srt"
    srt.write_text(
        "1\n00:00:00,100 --> 00:00:00,900\nANNA: Hello there.\n\n"
        "2\n00:00:01,000 --> 00:00:01,900\nBEN: Hello to you.\n"
    )
    with pytest.raises(ScriptError, match="which person is BEN") as error:
        plan_file(video, srt, options=DubOptions(language="en"))
    assert len(error.value.problems) == 2


@pytest.mark.parametrize("more", [[], ["--audio", "a.wav"]])
def test_a_script_is_not_planned_and_that_is_told(video, more, capsys):
    assert main(["plan", str(video), "--text", "Hello", "--language", "en", *more]) == 2
    assert "--segments" in capsys.readouterr().err


def test_a_plan_is_of_the_whole_video(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="leave out --trim"):
        plan_whole(tmp_path / "v.mp4", "a.wav", DubOptions(trim="0-1"))
