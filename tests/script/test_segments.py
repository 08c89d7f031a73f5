"""Segments: what is to be dubbed when, out of JSON, CSV and cues."""

import json
from fractions import Fraction
from pathlib import Path

import pytest

from labial.errors import ReadError, ScriptError
from labial.script.segments import Segment, read_segments

S = Fraction
ONE = {"start": 1.5, "end": "0:03.2", "audio": "a.wav"}


@pytest.fixture
def write(tmp_path):
    def written(content, name="a.json"):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return written


def problems_of(path: Path, **how) -> tuple[str, ...]:
    with pytest.raises(ScriptError) as caught:
        read_segments(path, **how)
    return caught.value.problems


def test_json_with_all_there_is(write, tmp_path):
    row = {
        "start": 1, "end": "1:02:03.5", "audio": "sub/a.wav", "audio_start": 0.25,
        "audio_end": "2,5", "text": "so  it\nis", "voice": "bella", "language": "de",
        "speaker": 1, "articulation": 1.2, "expression": 0, "closures": False, "rest": "no",
        "onset": True,
    }  # fmt: skip
    (segment,) = read_segments(write([row]))
    options = {"articulation": 1.2, "expression": 0, "closures": False, "rest": False}
    assert segment == Segment(
        S(1), S("3723.5"), tmp_path / "sub/a.wav", S("0.25"), S("2.5"), "so it is", "bella", "de",
        "1", options | {"onset": True}, 1,
    )  # fmt: skip


def test_boxes_lie_beside_the_file(write, tmp_path):
    assert read_segments(write([ONE | {"speaker": "b.json"}]))[0].speaker == str(
        tmp_path / "b.json"
    )


def test_times_are_exact(write):
    assert read_segments(write('[{"start": 0.1, "end": 33.3667, "text": "so"}]'))[0].end == S(
        "33.3667"
    )


@pytest.mark.parametrize(
    "whole", [[ONE], {"segments": [ONE]}, {"cast": {"A": 1}, "segments": [ONE]}]
)
def test_json_around_the_list(write, whole):
    assert len(read_segments(write(whole))) == 1


def test_json_lines_are_those_of_the_objects(write):
    text = '{"a": [\n{}],\n "segments":\n[\n{"start": 1, "end":\n2, "text": "x"},\n\n3, {}]}'
    told = problems_of(write(text))
    assert [problem.split(":")[0] for problem in told] == [
        "'a' is not known",
        "line 8",
        "line 8",
        "line 8",
        "line 8",
    ]
    assert told[1].startswith("line 8: not a segment")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv(write, tmp_path, delimiter):
    rows = [
        ["Start", "end", "audio", "Audio-Start", "speaker", "text"],
        ["1.5", "0:03.2", "a.wav", "", "1"],
        [],
        ["4", "5", "", "", "", '"so; is,\tit|\nso ""it"" is"'],
    ]
    path = write("\n".join(delimiter.join(row) for row in rows) + "\n", "a.csv")
    one, two = read_segments(path)
    assert one == Segment(S("1.5"), S("3.2"), tmp_path / "a.wav", speaker="1", line=2)
    assert two == Segment(S(4), S(5), text='so; is, it| so "it" is', line=4)


def test_decimal_commas(write):
    assert read_segments(write("start;end;text\n1,5;2,25;so\n", "a.csv"))[0].end == S("2.25")


CUES = "1\n00:00:01,000 --> 00:00:02,000\n{}So\n\n2\n00:00:03,000 --> 00:00:04,500\n{}No\n"


def test_cues_are_spoken_without_audio(write):
    one, _ = read_segments(write(CUES.format("", ""), "a.srt"))
    assert one == Segment(S(1), S(2), text="So", line=2)


def test_cues_say_which_stretch_of_the_audio(write):
    _, two = read_segments(write(CUES.format("1: ", "0: "), "a.srt"), "de.wav")
    assert two == Segment(S(3), S("4.5"), Path("de.wav"), S(3), S("4.5"), "No", speaker="0", line=6)


def test_audio_for_all_that_name_none(write, tmp_path):
    path = write([ONE, {"start": 4, "end": 5}, {"start": 6, "end": 7, "audio_start": 1}])
    one, two, three = read_segments(path, "de.wav")
    assert (one.audio, one.audio_start) == (tmp_path / "a.wav", 0)
    assert (two.audio, two.audio_start, two.audio_end) == (Path("de.wav"), 4, 5)
    assert (three.audio, three.audio_start, three.audio_end) == (Path("de.wav"), 1, 2)


def test_names_are_persons_by_the_cast(write):
    path = write(CUES.format("ANNA: ", "BEN: "), "a.srt")
    assert [s.speaker for s in read_segments(path, cast={"ANNA": "1", "BEN": "0"})] == ["1", "0"]
    assert problems_of(path, cast={"ANNA": "1"}) == (
        "line 6: which person is BEN? give a number, as 'labial inspect' shows them: --cast BEN=0",
    )
    assert problems_of(path, cast={"ANNA": "1", "BEN": "0", "BEM": "0"}) == (
        "cast BEM: nobody in it is called so; there is ANNA, BEN",
    )
    assert problems_of(path, cast={"ANNA": "1", "BEN": "he"})[0].startswith("cast BEN: speaker he:")
    rows = [{**ONE, "speaker": "ANNA"}, {**ONE, "speaker": "2"}]
    whole = {"cast": {"ANNA": 0}, "segments": rows}
    assert [s.speaker for s in read_segments(write(whole))] == ["0", "2"]


def test_one_name_alone_needs_no_cast(write):
    path = write(CUES.format("ANNA: ", "ANNA: "), "a.srt")
    assert [segment.speaker for segment in read_segments(path)] == ["auto", "auto"]


BROKEN = {
    "no start": ('[{"end": 2, "text": "x"}]', "line 1: no start"),
    "nothing said": ('[{"start": 1, "end": 2}]', "line 1: neither audio nor text"),
    "reversed": ('[{"start": 3, "end": 2, "text": "x"}]', "line 1: end 0:02.000 does not come"),
    "no time": ('[{"start": 2, "end": 2, "text": "x"}]', "line 1: end 0:02.000 does not come"),
    "stretch": (
        '[{"start": 2, "end": 3, "audio": "x", "audio_start": 1, "audio_end": 1}]',
        "line 1: audio_end 0:01.000 does not come after audio_start",
    ),
    "stretch of nothing": (
        '[{"start": 2, "end": 3, "text": "x", "audio_start": 1}]',
        "line 1: audio_start and audio_end are of no audio",
    ),
    "negative": ('[{"start": -1, "end": 2, "text": "x"}]', "line 1: start: -1 lies before"),
    "negative text": ('[{"start": "-1", "end": 2, "text": "x"}]', "line 1: start: -1 lies before"),
    "list as time": ('[{"start": [], "end": 2, "text": "x"}]', "line 1: start: '[]' is no time"),
    "true as time": ('[{"start": true, "end": 2, "text": "x"}]', "line 1: start: 'True' is no"),
    "huge": ('[{"start": 1e99, "end": 2, "text": "x"}]', "line 1: start: '1E+99' is no time"),
    "text": ('[{"start": 1, "end": 2, "text": {}}]', "line 1: text: '{}' is no text"),
    "nul": ('[{"start": 1, "end": 2, "audio": "a\\u0000"}]', "line 1: audio: 'a\\x00' is no text"),
    "near": (
        '[{"start": 1, "end": 2, "txet": "x", "text": ""}]',
        "line 1: 'txet' is not known: did",
    ),
    "articulation": (
        '[{"start": 1, "end": 2, "text": "x", "articulation": 3}]',
        "line 1: articulation 3: use 0.5",
    ),
    "nan": (
        '[{"start": 1, "end": 2, "text": "x", "expression": "nan"}]',
        "line 1: expression nan: use 0",
    ),
    "switch": (
        '[{"start": 1, "end": 2, "text": "x", "rest": "so"}]',
        "line 1: rest: 'so': use true or false",
    ),
    "twice": ('[{"start": 1, "end": 2, "text": "x", "end": 3}]', "line 1: 'end' is given twice"),
    "no json": ('[\n{"start": 1,}]', "line 2: no JSON, column"),
    "not closed": ('[{"start": 1, "end": 2, "text": "x"}', "line 1: no JSON, column"),
    "no list": ('{"segments": 3}', "line 1: there is no list of segments"),
    "number": ("3", "line 1: there is no list of segments"),
    "none": ("[]", "there are no segments in it"),
    "nan in json": ('[{"start": NaN}]', "line 1: NaN is no number"),
    "deep": ("[" * 100_000, "line 1: thousands of lists"),
    "digits": ('[{"start": ' + "1" * 5000 + "}]", "line 1: a number has thousands of digits"),
}


@pytest.mark.parametrize(("text", "begin"), BROKEN.values(), ids=BROKEN)
def test_broken_json(write, text, begin):
    assert any(problem.startswith(begin) for problem in problems_of(write(text)))


BROKEN_CSV = {
    "no header": ("1,2,a.wav\n", "line 1: there is no header"),
    "header only": ("start,end,text\n", "there are no segments in it"),
    "unknown column": (
        "start,end,text,spaeker\n1,2,x\n",
        "line 1: 'spaeker' is not known: did you",
    ),
    "column twice": ("start,end,text,end\n1,2,x,3\n", "line 1: the column 'end' is there twice"),
    "cells": ("start,end,text\n1,2,so, it is\n", "line 2: 4 cells, and the header has 3"),
    "quote": ('start,end,text\n1,2,so\n3,4,"so\n5,6,x\n', "line 3: cannot be read from here on"),
}


@pytest.mark.parametrize(("text", "begin"), BROKEN_CSV.values(), ids=BROKEN_CSV)
def test_broken_csv(write, text, begin):
    assert problems_of(write(text, "a.csv"))[0].startswith(begin)


def test_all_problems_come_at_once_in_order(write):
    text = "start,end,text,x\n,2,so\n5,4,so\n7,8,\n"
    told = problems_of(write(text, "a.csv"))
    assert [problem[:7] for problem in told] == ["line 1:", "line 2:", "line 3:", "line 4:"]


def test_other_files(write, tmp_path):
    assert problems_of(write("x", "a.doc")) == (
        "the name ends in .doc: use .json, .csv, .tsv, .srt or .vtt",
    )
    with pytest.raises(ReadError, match=r"b\.json"):
        read_segments(tmp_path / "b.json")
