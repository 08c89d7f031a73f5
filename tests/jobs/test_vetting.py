"""Strangers' files: what each is by its content, and which are refused, whatever their names."""

from __future__ import annotations

import os
import sys
from fractions import Fraction
from pathlib import Path

import pytest
import strange
import synth_media as synth

from labial.errors import ReadError
from labial.jobs import FileRules, Vetted, vet, vetting_child
from labial.media.vetting import vet_media


def looked_at(path: Path, data: bytes | str, rules: FileRules | None = None) -> Vetted:
    """What a file is, looked at in this process."""
    file = path / "upl_a"
    file.write_bytes(data if isinstance(data, bytes) else data.encode())
    rules = rules or FileRules()
    return vetting_child.vet_text(file, rules) or vet_media(file, rules)


def film(path: Path, ending: str, **more: object) -> bytes:
    return synth.write_video(path / f"film{ending}", n=4, **more).read_bytes()  # type: ignore[arg-type]


@pytest.mark.parametrize("ending", [".mp4", ".mov", ".mkv", ".avi", ".ts", ".mxf"])
def test_video_is_known_by_its_content(tmp_path: Path, ending: str) -> None:
    more = {"codec": "mpeg2video"} if ending == ".mxf" else {}
    data = film(tmp_path, ending, time_base=Fraction(1, 25), **more)
    found = looked_at(tmp_path, data)
    assert (found.holds, found.extension) == ("video", ending)
    assert (found.facts["width"], found.facts["height"]) == (64, 48)
    assert found.facts["frames"] == 4 and found.facts["fps"] == 25


def test_sound_and_photos_are_known_too(tmp_path: Path) -> None:
    found = looked_at(tmp_path, strange.wav(16000, 1))
    assert (found.holds, found.extension) == ("speech", ".wav")
    assert found.facts["sound"] == {"codec": "pcm_s16le", "rate": 16000, "channels": 1}
    found = looked_at(tmp_path, strange.png(64, 32))
    assert (found.holds, found.extension) == ("photo", ".png")
    assert (found.facts["width"], found.facts["height"]) == (64, 32)


@pytest.mark.parametrize(
    ("text", "holds", "extension"),
    [
        ("Hello there", "script", ".txt"),
        ("(laughs) [sighs]", "script", ".txt"),
        ("[laughs] Well!", "script", ".txt"),
        ("1\n00:00:00,000 --> 00:00:01,000\nHi\n", "script", ".srt"),
        ("WEBVTT\n\n00:00.000 --> 00:01.000\nHi\n", "script", ".vtt"),
        ("Start;End;Text\n0;1;Hi\n", "segments", ".csv"),
        ("start\tend\ttext\n0\t1\tHi\n", "segments", ".tsv"),
        ('[{"start": 0, "end": 1, "text": "Hi"}]', "segments", ".json"),
        ('{"segments": []}', "segments", ".json"),
        ('{"boxes": [{"frame": 0, "box": [1, 2, 3, 4]}]}', "boxes", ".json"),
    ],
)
def test_texts_are_known_by_what_they_say(
    tmp_path: Path, text: str, holds: str, extension: str
) -> None:
    found = looked_at(tmp_path, text)
    assert (found.holds, found.extension) == (holds, extension)
    if holds != "boxes":  # which are UTF-8
        assert looked_at(tmp_path, text.encode("utf-16")).holds == holds


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": 1}', "neither segments nor boxes"),
        ('{"boxes": [{"frame": 0, "box": [1, 2]}]}', "box must be left"),
        ("", "empty"),
        ("a" * (1 << 16), "a text of more than"),
        ("<html><script>alert(1)</script>", "a page"),
    ],
)
def test_texts_that_cannot_be_used_are_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ReadError, match=said):
        looked_at(tmp_path, text, FileRules(text=1 << 15))


def test_lists_are_refused_before_ffmpeg_sees_them(tmp_path: Path) -> None:
    for what, text in strange.lists("http://127.0.0.1:9/a", "/etc/passwd").items():
        for mark in ("", "\ufeff", "\n\n  "):
            with pytest.raises(ReadError) as caught:
                looked_at(tmp_path, mark + text)
            assert "names files or addresses" in str(caught.value), what


def test_lists_that_do_not_look_like_texts_are_refused_by_their_demuxer(tmp_path: Path) -> None:
    film(tmp_path, ".mkv")
    for text in ("ffconcat version 1.0\nfile film.mkv\n", "#EXTM3U\n#EXTINF:1,\nfilm.mkv\n"):
        (tmp_path / "upl_a").write_bytes(text.encode() + b"#\1\2\0")
        with pytest.raises(ReadError, match="no video, photo"):
            vet_media(tmp_path / "upl_a")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: strange.png(5000, 5000), "5000 x 5000 pixels are too many"),
        (lambda: strange.png(17000, 10), "17000 x 10 pixels are too many"),
        (lambda: strange.png(2**31 - 1, 2**31 - 1, rows=0), "pixels are too many"),
        (lambda: strange.png(64, 64)[:40], "cannot be decoded"),
        (lambda: strange.wav(4_000_000, 2), "4000000 Hz and 2 channels"),
        (lambda: strange.wav(16000, 200), "200 channels"),
        (lambda: strange.wav(2**32 - 1, 1), "no video, photo"),
        (lambda: strange.wav(16000, 65535), "cannot be decoded"),
        (lambda: strange.wav(16000, 1, bytes(400_000)), "longer than the 0.1 minutes"),
        (strange.op_atom, "one of several files"),
        (lambda: bytes(9999), "no video, photo"),
        (lambda: b"PK\3\4" + bytes(999), "no video, photo"),
        (lambda: Path(sys.executable).read_bytes()[:99_999], "no video, photo"),
    ],
)  # fmt: skip
def test_what_asks_for_too_much_or_is_broken_is_refused(tmp_path: Path, make, said: str) -> None:
    with pytest.raises(ReadError, match=said):
        looked_at(tmp_path, make(), FileRules(seconds=6, pixels=20_000_000))


def test_a_movie_whose_samples_are_elsewhere_is_refused(tmp_path: Path) -> None:
    whole = film(tmp_path, ".mp4")
    with pytest.raises(ReadError, match="lie in another file"):
        looked_at(tmp_path, strange.with_outside_data(whole, b"file:///etc/passwd"))
    with pytest.raises(ReadError, match="cut off"):
        looked_at(tmp_path, whole[: len(whole) // 2])


def test_a_film_is_as_long_as_what_is_in_it_and_as_it_says(tmp_path: Path) -> None:
    data = film(tmp_path, ".mkv")
    with pytest.raises(ReadError, match="longer than"):
        looked_at(tmp_path, data, FileRules(seconds=0.1))
    with pytest.raises(ReadError, match="more than 3 pictures"):
        looked_at(tmp_path, data, FileRules(frames=3))
    with pytest.raises(ReadError, match="25 frames a second"):
        looked_at(tmp_path, data, FileRules(frame_rate=24))
    # Matroska's duration is a number of 4 or 8 bytes after its id, 0x4489.
    at = data.index(b"\x44\x89") + 2
    claimed = data[:at] + b"\x88" + b"\x42\x0c\xcc\xcc\xcc\xcc\xcc\xcc" + data[at + 9 :]
    assert data[at] == 0x88
    with pytest.raises(ReadError, match="longer than"):
        looked_at(tmp_path, claimed)


def test_a_process_of_its_own_looks_and_says_the_same(tmp_path: Path) -> None:
    (tmp_path / "upl_a").write_bytes(film(tmp_path, ".mkv"))
    assert vet(tmp_path / "upl_a") == looked_at(tmp_path, film(tmp_path, ".mkv"))
    (tmp_path / "upl_a").write_text("#EXTM3U\n")
    with pytest.raises(ReadError, match="a list that names files"):
        vet(tmp_path / "upl_a")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limits of memory")
def test_a_bomb_costs_only_its_own_process(tmp_path: Path) -> None:
    side = strange.PIXEL_BOMB_SIDE
    (tmp_path / "upl_a").write_bytes(strange.png(side, side, rows=2000))
    with pytest.raises(ReadError, match=r"cannot be decoded|too much"):
        vet(tmp_path / "upl_a", FileRules(pixels=2**31 - 1, side=side), memory=1 << 30)


def test_a_file_that_takes_too_long_is_refused(tmp_path: Path) -> None:
    (tmp_path / "upl_a").write_bytes(film(tmp_path, ".mkv"))
    with pytest.raises(ReadError, match=r"longer than 0\.01 s"):
        vet(tmp_path / "upl_a", seconds=0.01)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
def test_nothing_is_left_of_looking(tmp_path: Path) -> None:
    (tmp_path / "upl_a").write_bytes(strange.wav(16000, 1))
    vet(tmp_path / "upl_a")
    assert [each.name for each in tmp_path.iterdir()] == ["upl_a"]
