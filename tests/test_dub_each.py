"""One recording in several languages: looked at once, dubbed into each."""

from pathlib import Path

import av
import pytest
from synth import need_face_model
from test_dubbing import actor, write_clip, write_speech

from labial import preparing
from labial.dubbing import dub, dub_each
from labial.errors import OptionError, ScriptError, WriteError

QUICK = {"quality": "fast", "preset": "ultrafast"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need_face_model()
    return tmp_path_factory.mktemp("each")


@pytest.fixture(scope="module")
def source(home: Path) -> Path:
    return write_clip(home / "talk.mkv", actor()[:12])


@pytest.fixture(scope="module")
def speeches(home: Path) -> dict[str, Path]:
    return {
        "es": write_speech(home / "es.wav", 0.48),
        "fr": write_speech(home / "fr.wav", 0.48, begin=2.0),
    }


def tracks(path: Path) -> list[tuple[str | None, bool]]:
    with av.open(str(path)) as file:
        default = av.stream.Disposition.default
        return [(s.language, bool(s.disposition & default)) for s in file.streams.audio]


def pictures(path: Path) -> list[bytes]:
    with av.open(str(path)) as file:
        return [bytes(frame.to_ndarray()) for frame in file.decode(video=0)]


@pytest.mark.parametrize("cache", [True, False])
def test_each_language_gets_its_file_and_the_video_is_looked_at_once(
    home: Path,
    source: Path,
    speeches: dict[str, Path],
    cache: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks = []
    analyse = preparing.analyse
    monkeypatch.setattr(preparing, "analyse", lambda *a: looks.append(a) or analyse(*a))
    out = home / f"{cache}" / "{lang}.mkv"
    out.parent.mkdir()
    reports = dub_each(source, speeches, out, codec="ffv1", cache=cache, **QUICK)
    assert len(looks) == 1
    assert {lang: report.out.name for lang, report in reports.items()} == {
        "es": "es.mkv", "fr": "fr.mkv",
    }  # fmt: skip
    alone = home / f"alone-{cache}.mkv"
    dub(source, speeches["fr"], alone, codec="ffv1", **QUICK)
    assert pictures(alone) == pictures(reports["fr"].out) != pictures(reports["es"].out)
    assert tracks(reports["es"].out) == [("spa", True)]
    assert tracks(reports["fr"].out) == [("fre", True)]


def test_one_file_with_a_track_for_each_language(
    home: Path, source: Path, speeches: dict[str, Path]
) -> None:
    out = home / "all.mkv"
    (report,) = dub_each(source, speeches, out, mux="first", codec="ffv1", **QUICK).values()
    assert report.resynced > 0
    assert tracks(out) == [("spa", True), ("fre", False)]
    alone = home / "es-alone.mkv"
    dub(source, speeches["es"], alone, codec="ffv1", **QUICK)
    assert pictures(out) == pictures(alone)


def test_the_picture_may_stay_as_it_is(home: Path, source: Path, speeches: dict[str, Path]) -> None:
    out = home / "kept.mkv"
    (report,) = dub_each(source, speeches, out, mux="source").values()
    assert tracks(out) == [("spa", True), ("fre", False)]
    assert report.resynced == 0 and report.passed == {"picture kept": 12}
    with av.open(str(source)) as one, av.open(str(out)) as other:
        packets = [[bytes(p) for p in file.demux(video=0) if p.size] for file in (one, other)]
    assert packets[0] == packets[1]


def test_one_speech_is_not_several(home: Path, source: Path, speeches: dict[str, Path]) -> None:
    with pytest.raises(OptionError, match="--mux"):
        dub(source, speeches["es"], home / "one.mkv", mux="first")


def test_several_languages_need_a_place_in_the_name(
    home: Path, source: Path, speeches: dict[str, Path]
) -> None:
    with pytest.raises(OptionError, match=r"\{lang\}"):
        dub_each(source, speeches, home / "one.mkv")


def test_all_that_is_wrong_is_told_before_the_work(
    home: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparing, "analyse", lambda *a: pytest.fail("it began to work"))
    speeches = {"es": home / "missing.wav", "klingon": write_speech(home / "k.wav", 0.2)}
    with pytest.raises(ScriptError) as error:
        dub_each(source, speeches, home / "{lang}.mkv")
    assert len(error.value.problems) == 2
    assert "missing.wav" in str(error.value)
    assert "klingon" in str(error.value)


def test_each_output_has_a_page_about_it(
    home: Path, source: Path, speeches: dict[str, Path]
) -> None:
    pages = home / "pages"
    pages.mkdir()
    dub_each(source, {"es": speeches["es"]}, home / "paged-{lang}.mkv",
             report=str(pages / "{lang}.html"), **QUICK)  # fmt: skip
    assert sorted(file.name for file in pages.iterdir()) == ["es.html", "es.json"]
    assert "paged-es.mkv" in (pages / "es.html").read_text()


def test_a_page_that_cannot_be_written_is_told_before_the_work(
    home: Path, source: Path, speeches: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparing, "analyse", lambda *a: pytest.fail("it began to work"))
    with pytest.raises(WriteError, match="no directory"):
        dub(source, speeches["es"], home / "x.mkv", report=str(home / "nowhere" / "r"))


def test_each_output_has_a_picture_of_its_own(
    home: Path, source: Path, speeches: dict[str, Path]
) -> None:
    with pytest.raises(OptionError, match=r"--preview p.png: several .*\{lang\}"):
        dub_each(source, speeches, home / "shown-{lang}.mkv", preview="p.png", **QUICK)
    named = home / "shown-{lang}.png"
    dub_each(source, speeches, home / "shown-{lang}.mkv", preview=str(named), **QUICK)
    assert sorted(home.glob("shown-*.png")) == [home / "shown-es.png", home / "shown-fr.png"]


def test_a_page_does_not_overwrite_the_segments(
    home: Path, source: Path, speeches: dict[str, Path]
) -> None:
    script = home / "film.json"
    script.write_text('[{"start": 0, "end": 0.4, "audio": "es.wav", "audio_end": 0.4}]')
    with pytest.raises(WriteError, match="it is an input"):
        dub(source, None, home / "film.mkv", segments=str(script), report=str(home / "film.html"))


@pytest.mark.parametrize("mux", ["first", "source"])
def test_what_is_done_to_each_language_s_sound_is_told(
    home: Path, source: Path, speeches: dict[str, Path], mux: str
) -> None:
    longer = {"es": speeches["es"], "fr": write_speech(home / "longer.wav", 1.5)}
    out = home / f"longer-{mux}.mkv"
    (report,) = dub_each(source, longer, out, mux=mux, loudness=-20, **QUICK).values()
    assert "fr: speech cut off at the end, 1.0 s lost" in report.notes
    assert sum("LUFS" in note for note in report.notes) == 2
    assert not any(note.startswith("es: ") for note in report.notes)


def test_one_language_has_its_place_in_the_name_too(
    home: Path, source: Path, speeches: dict[str, Path]
) -> None:
    out = home / "single-{lang}.mkv"
    with pytest.raises(OptionError, match="give --language"):
        dub(source, speeches["es"], out, **QUICK)
    assert dub(source, speeches["es"], out, language="es", **QUICK).out == home / "single-es.mkv"


def test_segments_in_several_languages_are_looked_at_once_too(
    home: Path, source: Path, speeches: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []
    analyse = preparing.analyse
    monkeypatch.setattr(preparing, "analyse", lambda *a: looks.append(a) or analyse(*a))
    file = home / "lines.csv"
    file.write_text("start,end,audio_end\n0.04,0.44,0.4\n")
    dub_each(
        source, speeches, home / "lines-{lang}.mkv", segments=str(file), cache=False, **QUICK
    )  # fmt: skip
    assert len(looks) == 1
