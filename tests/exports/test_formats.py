from pathlib import Path
from typing import get_args

import pytest
from synth_speech import make_transcript

from labial.errors import OptionError, WriteError
from labial.exports.formats import FORMATS, check_target, format_of, settings_of, write
from labial.options import VisemeFormat, VisemeSet
from labial.speech.visemes import VISEME_SETS

SAID = make_transcript([("sil", 0.2), ("m", 0.1), ("ɑ", 0.2), ("sil", 0.2)])


def test_the_options_name_every_format_and_set() -> None:
    assert get_args(VisemeFormat) == tuple(row.name for row in FORMATS)
    assert get_args(VisemeSet) == tuple(VISEME_SETS)


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_every_format_in_every_set(form, tmp_path: Path) -> None:
    for viseme_set in form.sets or (None,):
        out = tmp_path / f"{viseme_set}.out"
        write(form.lines(SAID, *settings_of(form, viseme_set)), out)
        assert out.read_text(encoding="utf-8").endswith("\n")
    assert [*tmp_path.iterdir()] == [*tmp_path.glob("*.out")]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("a.json", "json"), ("a.JSON", "json"), ("a.TextGrid", "textgrid"),
        ("a.tsv", "rhubarb-tsv"), ("a.xml", "rhubarb-xml"), ("a.csv", "arkit"),
        ("a.dat", "moho"), ("-", "json"),
    ],
)  # fmt: skip
def test_the_extension_chooses(name: str, found: str) -> None:
    assert format_of(name).name == found
    assert format_of(name, "oculus").name == "oculus"


@pytest.mark.parametrize("name", ["a", "a.mp4", "json", ".csv", "a.srt"])
def test_another_extension_is_one_line(name: str) -> None:
    with pytest.raises(OptionError, match="--format") as caught:
        format_of(name)
    assert ".textgrid" in str(caught.value) and "\n" not in str(caught.value)


def test_another_format_is_one_line() -> None:
    with pytest.raises(OptionError, match="--format srt: use json, textgrid"):
        format_of("a.json", "srt")


@pytest.mark.parametrize(
    ("form", "viseme_set", "fps", "match"),
    [
        ("json", None, 30.0, "no frames"),
        ("arkit", None, 0.0, "1 to 1000"),
        ("arkit", None, float("nan"), "1 to 1000"),
        ("arkit", "oculus", None, "leave it out"),
        ("moho", "azure", None, "preston-blair, rhubarb"),
    ],
)
def test_settings_that_contradict(form: str, viseme_set, fps, match: str) -> None:
    with pytest.raises(OptionError, match=match):
        settings_of(format_of("x", form), viseme_set, fps)


def test_targets_that_cannot_be(tmp_path: Path) -> None:
    speech = tmp_path / "speech.json"
    speech.write_text("x")
    link = tmp_path / "link.json"
    link.symlink_to(speech)
    for out, match in (
        (tmp_path, "it is a directory"),
        (tmp_path / "no" / "a.json", "there is no directory"),
        (speech, "it is an input"),
        (link, "it is an input"),
    ):
        with pytest.raises(WriteError, match=match):
            check_target(out, [speech, tmp_path / "missing"])
    check_target("-", [speech])
    check_target(tmp_path / "new.json", [speech])


def test_half_a_file_is_never_left(tmp_path: Path) -> None:
    def broken():
        yield "half"
        raise OSError(28, "No space left on device")

    out = tmp_path / "a.json"
    out.write_text("before")
    with pytest.raises(WriteError, match="No space left"):
        write(broken(), out)
    assert out.read_text() == "before" and [*tmp_path.iterdir()] == [out]


def test_standard_output_is_utf8(capfdbinary) -> None:
    write(["ɑ\n", "\udc80\n"], "-")
    assert capfdbinary.readouterr().out == "ɑ\n?\n".encode()
