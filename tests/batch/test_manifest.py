"""What a list of jobs asks for, and all that is wrong with it at once."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from labial.batch import columns, read_manifest
from labial.batch.manifest import OWN
from labial.batch.values import read_value
from labial.errors import OptionError, ScriptError
from labial.jobs import KINDS
from labial.options import DubOptions


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for name in ("a.mp4", "b.mov", "a.wav", "es.srt", "me.jpg", "boxes.json"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "shots").mkdir()
    return tmp_path


def written(home: Path, text: str, name: str = "list.csv") -> Path:
    (home / name).write_text(text, encoding="utf-8")
    return home / name


def problems(home: Path, text: str, name: str = "list.csv") -> list[str]:
    with pytest.raises(ScriptError) as refused:
        read_manifest(written(home, text, name))
    return list(refused.value.problems)


def test_every_input_and_option_is_a_column_and_nothing_else() -> None:
    wanted = set(OWN)
    for kind in KINDS.values():
        names = {each.role for each in kind.inputs} | set(kind.settable)
        assert not names & set(OWN), "a column has one meaning"
        assert not {each.role for each in kind.inputs} & set(kind.settable)
        wanted |= names
    assert set(columns()) == wanted
    assert columns()["photo"] == ("animate",)


@pytest.mark.parametrize("kind", [kind for kind in KINDS.values() if kind.options])
def test_every_option_is_read_from_text(kind: Any) -> None:
    options, wanted = kind.options(), get_type_hints(kind.options)
    for field in fields(options):
        default = getattr(options, field.name)
        if isinstance(default, tuple):
            assert read_value(wanted[field.name], "a=1; b=2") == ["a=1", "b=2"]
            continue
        text = {True: "yes", False: "no"}[default] if isinstance(default, bool) else str(default)
        assert read_value(wanted[field.name], None if default is None else text) == default


def test_a_table(home: Path) -> None:
    text = (
        "video;Audio;audio.ES;photo;out;Keep-Audio;crf;loudness;cast;kind;stretch_audio\n"
        "a.mp4;a.wav;;;;yes;20;-14,5;;;\n"
        "\n"
        f"{home}/b.mov;;es.srt;;es/{{lang}}.mkv;;;;;dub;auto\n"
        ";a.wav;;me.jpg;;;;;;animate;\n"
    )
    one, two, three = read_manifest(written(home, text))
    assert (one.line, two.line, three.line) == (2, 4, 5)
    assert one.job.options == {"keep_audio": True, "crf": 20, "loudness": -14.5}
    assert one.job.inputs == {"video": home / "a.mp4", "audio": home / "a.wav"}
    assert one.out == home / "list" / "a.mp4"
    assert one.name == "a.mp4"
    assert two.job.inputs == {"video": home / "b.mov", "audio.ES": home / "es.srt"}
    assert two.job.options == {"stretch_audio": "auto"}
    assert two.out == home / "list" / "es" / "{lang}.mkv"
    assert (three.job.kind, three.out.name) == ("animate", "me.mp4")


def test_lines_of_json(home: Path) -> None:
    rows = [
        {"video": "a.mp4", "audio": "a.wav", "rest": False, "expression": 1, "report": True},
        {"kind": "visemes", "audio": "a.wav", "text": "one, two\nthree", "format": "textgrid"},
        {"kind": "check", "video": "b.mov", "out": "/tmp/n.json", "reach": None},
        {"kind": "dub", "video": "shots@24", "text": "hi", "boxes": "boxes.json"},
        {"kind": "look", "media": "me.jpg"},
    ]
    text = "\n".join(map(json.dumps, rows)) + "\n\n"
    items = read_manifest(written(home, text, "list.jsonl"), home / "made")
    assert [item.line for item in items] == [1, 2, 3, 4, 5]
    assert items[0].job.options == {"rest": False, "expression": 1.0}
    assert items[0].job.report
    assert items[1].job.options["text"] == "one, two\nthree"
    names = [item.name for item in items]
    assert names == ["a.mp4", "a.textgrid", "/tmp/n.json", "shots@24.mp4", "me.json"]
    assert items[0].out == home / "made" / "a.mp4"


def test_all_that_is_wrong_is_told_at_once(home: Path) -> None:
    text = (
        "video,audio,qualty,quality,crf,out,kind,photo,keep_audio\n"
        "a.mp4,a.wav,,best,,,,,\n"
        "none.mp4,https://host/a.wav,,,,,,,\n"
        "a.mp4,a.wav,,,99,,,,maybe\n"
        "a.mp4,a.wav,,,,,sing,,\n"
        "a.mp4,a.wav,,,,,check,,\n"
        "a.mp4,,,,,x.mp4,,,\n"
        "a.mp4,a.wav,,,,same.mp4,,,\n"
        "b.mov,a.wav,,,,./same.mp4,,,\n"
        "a.mp4,a.wav,,,,x.exe,,,\n"
        "a.mp4,a.wav,,,,../a.mp4,,,\n"
    )
    told = problems(home, text)
    expected = [
        "line 1: column 'qualty' is not known: did you mean quality?",
        "line 2: quality: 'best': use fast, standard, pro",
        "line 3: video: there is no file none.mp4",
        "line 3: audio: 'https://host/a.wav': addresses are not fetched, name a file",
        "line 4: keep_audio: 'maybe': use true or false",
        "line 5: kind: 'sing' is not known: known are dub, animate",
        "line 6: check takes no audio",
        "line 7: dub: give audio, or a text that is spoken",
        "line 9: writes same.mp4, as line 8: give it another out",
        "line 10: out: x.exe: use a name in .mp4",
        "line 11: out: a.mp4 is an input of it, choose another name",
    ]
    for one, start in zip(told, expected, strict=True):
        assert one.startswith(start), told


def test_values_that_contradict_one_another(home: Path) -> None:
    told = problems(home, "video,audio,crf,lossless\na.mp4,a.wav,20,yes\na.mp4,a.wav,99,\n")
    assert "exclude each other" in told[0]
    assert told[1].startswith("line 3: crf 99: use 0")


def test_what_is_wrong_with_lines_of_json(home: Path) -> None:
    lines = [
        '{"video": "a.mp4", "audio": "a.wav", "crf": 1.5}',
        '{"video": "a.mp4", "audio": "a.wav", "language": 7, "rest": [1]}',
        "[1]",
        '{"video": ',
        '{"video": "a.mp4", "video": "b.mov"}',
        '{"video": 3, "audio": "a\\u0000b"}',
        '{"video": "a.mp4", "audio": "a.wav", "articulation": NaN}',
        '{"video": "a.mp4", "audio": "a.wav", "preview": "p.png"}',
        '{"video": "a.mp4", "audio.": "a.wav"}',
    ]
    told = problems(home, "\n".join(lines), "list.jsonl")
    assert [int(one.split(":")[0].removeprefix("line ")) for one in told] == [
        1, 2, 3, 4, 5, 6, 6, 7, 8, 9,
    ]  # fmt: skip
    assert "'preview' is not known" in told[8]


def test_a_row_that_reads_what_another_writes(home: Path) -> None:
    (home / "list").mkdir()
    (home / "list" / "a.mp4").write_bytes(b"an earlier run made it")
    told = problems(home, "video,audio,out\na.mp4,a.wav,\nlist/a.mp4,a.wav,b.mp4\n")
    assert told == ["line 2: out: a.mp4 is what line 3 reads"]


def test_segments_are_read_before_any_work(home: Path) -> None:
    written(home, '[{"start": 2, "end": 1, "audio": "a.wav"}]', "s.json")
    told = problems(home, "video,segments\na.mp4,s.json\n")
    assert told[0].startswith("line 2: s.json: line 1: end")


def test_several_languages_need_several_files(home: Path) -> None:
    told = problems(home, "video,audio.es,out\na.mp4,a.wav,b.mp4\n")
    assert "write {lang} into it" in told[0]
    (one,) = read_manifest(written(home, "video,audio.es,mux\na.mp4,a.wav,first\n"))
    assert one.out.name == "a.mp4"
    (one,) = read_manifest(written(home, "video,audio.es\na.mp4,a.wav\n"))
    assert one.out.name == "a.{lang}.mp4"


def test_nothing_in_it_and_what_is_no_list(home: Path) -> None:
    assert problems(home, "video,audio\n") == ["there are no jobs in it"]
    with pytest.raises(OptionError, match=r"ends in \.csv"):
        read_manifest(written(home, "x", "list.txt"))


def test_values_of_types_that_options_have() -> None:
    assert read_value(DubOptions.__annotations__ and float | None, None) is None
    for wanted, given in ((int, True), (int, "1.5"), (bool, "2"), (str, ["x"]), (float, "inf")):
        with pytest.raises(ValueError, match="'"):
            read_value(wanted, given)
    with pytest.raises(TypeError):
        read_value(dict, "x")
