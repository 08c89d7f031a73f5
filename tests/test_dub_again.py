"""Work that is done is not done again: untouched stretches, killed runs, a second language."""

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from coming_and_going import write_groups
from synth import need_face_model
from test_dubbing import actor, write_clip, write_speech

from labial import analysis, seen
from labial.dubbing import dub, dub_pieces
from labial.errors import ReadError, WeightsError
from labial.media import pieces

QUICK = {"quality": "fast", "preset": "ultrafast"}


class StoppedError(Exception):
    """What a test stops a run with."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need_face_model()
    return tmp_path_factory.mktemp("again")


@pytest.fixture(scope="module")
def speech(home: Path) -> Path:
    return write_speech(home / "speech.wav", 2.0)


@pytest.fixture(scope="module")
def film(home: Path) -> Path:
    """30 grey frames, 20 of a face, 30 grey ones again; groups of 6 pictures."""
    face = actor()[:20]
    grey = [np.full_like(face[0], 90 + i % 6) for i in range(30)]
    return write_groups(home / "film.mp4", [*grey, *face, *grey])


@pytest.fixture
def short_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, frames in (("LEAST", 4), ("USUAL", 8), ("MOST", 11)):
        monkeypatch.setattr(pieces, name, frames)


def packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(p) for p in container.demux(video=0) if p.size]


def pictures(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray() for frame in container.decode(video=0)]


def stop_at(count: int):
    def hook(stage: str, done: int, total: int | None) -> None:
        if stage == "render" and done == count:
            raise StoppedError

    return hook


def test_what_nobody_touches_is_copied(film: Path, speech: Path, tmp_path: Path) -> None:
    report = dub(film, speech, tmp_path / "out.mp4", **QUICK)
    assert report.frames == 80
    assert report.resynced >= 15
    assert report.copied == pytest.approx((30 + 26) / 25, abs=1e-6), "all grey groups but one"
    assert "copied without encoding again: 2.2 s" in report.summary()
    before, after = pictures(film), pictures(tmp_path / "out.mp4")
    assert len(after) == 80
    for i in (*range(30), *range(54, 80)):
        np.testing.assert_array_equal(before[i], after[i])
    assert any((a != b).any() for a, b in zip(before[31:48], after[31:48], strict=True))
    assert sum(report.passed.values()) + report.resynced == 80


def test_nothing_is_copied_where_that_is_not_wanted(
    film: Path, speech: Path, tmp_path: Path
) -> None:
    assert dub(film, speech, tmp_path / "out.mp4", copy=False, **QUICK).copied == 0
    report = dub(film, speech, tmp_path / "other.mp4", codec="hevc", **QUICK)
    assert report.copied == 0
    report = dub(film, speech, tmp_path / "worse.mp4", crf=40, **QUICK)
    assert report.copied == 0, "who asks for a quality wants it everywhere"


def test_only_what_is_missing_is_decoded_again(
    film: Path, speech: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dub(film, speech, tmp_path / "out.mp4", **QUICK)
    rendered = []
    dub(
        film, speech, tmp_path / "again.mp4",
        hook=lambda stage, done, total: rendered.append((done, total)) if stage == "render" else 0,
        **QUICK,
    )  # fmt: skip
    assert rendered[-1] == (24, 24)


@pytest.mark.parametrize("codec", ["h264", "hevc", "ffv1"])
@pytest.mark.parametrize("at", [3, 30, 60])
@pytest.mark.usefixtures("short_pieces")
def test_a_stopped_run_goes_on_to_the_same_file(
    film: Path, speech: Path, tmp_path: Path, codec: str, at: int
) -> None:
    name = "out.mkv" if codec == "ffv1" else "out.mp4"
    whole, out = tmp_path / f"whole-{name}", tmp_path / name
    more = {**QUICK, "codec": codec, "copy": False}
    dub(film, speech, whole, resume=True, **more)
    with pytest.raises(StoppedError):
        dub(film, speech, out, hook=stop_at(at), resume=True, **more)
    assert not out.exists()
    report = dub(film, speech, out, resume=True, **more)
    assert out.read_bytes() == whole.read_bytes()
    assert 0 <= report.resumed < at
    assert (report.resumed > 0) == (at > 12)
    assert sum(report.passed.values()) + report.resynced == report.frames == 80
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([whole.name, out.name])


def carry(pieces: Path, out: Path) -> None:
    """Bring pieces beside an output that elsewhere has the same name."""
    place = out.with_name(pieces.name) if "%" not in out.name else out.parent.with_name(pieces.name)
    place.mkdir(exist_ok=True)
    for path in pieces.iterdir():
        if path.suffix in (".piece", ".json", ".png"):
            path.rename(place / path.name)


@pytest.mark.parametrize("codec", ["h264", "hevc", "vp9", "ffv1", "png"])
@pytest.mark.usefixtures("short_pieces")
def test_pieces_made_elsewhere_are_those_of_the_run_that_joins_them(
    film: Path, speech: Path, tmp_path: Path, codec: str
) -> None:
    name = {"ffv1": "out.mkv", "vp9": "out.webm", "png": "out/%05d.png"}.get(codec, "out.mp4")
    more: dict[str, Any] = {
        **QUICK, "preset": "superfast", "codec": "source" if codec == "png" else codec,
    }  # fmt: skip
    places = [tmp_path / place for place in ("whole", "one", "other", "join")]
    for place in places:
        place.mkdir()
    outs = [place / name for place in places]
    shown, preview = tmp_path / "shown.png", tmp_path / "preview.png"
    report = dub(film, speech, outs[0], resume=True, preview=str(shown), **more)
    plan = dub_pieces(film, speech, outs[1], **more)
    assert not any(places[1].iterdir())
    made = [number for number, part in enumerate(plan.parts) if not part.copied]
    assert len(made) >= 3
    steps: list[tuple[str, int, int | None]] = []

    def hook(stage: str, done: int, total: int | None) -> None:
        steps.append((stage, done, total))

    for out, numbers in ((outs[1], made[::2]), (outs[2], made[1::2])):
        found = dub_pieces(
            film, speech, out, numbers=numbers, key=plan.key, threads=1,
            preview=str(tmp_path / "never.png"), hook=hook, **more,
        )  # fmt: skip
        frames = sum(plan.parts[k].end - plan.parts[k].first for k in numbers)
        assert steps[-1] == ("render", frames, frames)
        assert found.folder.name == plan.folder.name
        carry(found.folder, outs[3])
    steps.clear()
    joined = dub(film, speech, outs[3], resume=True, preview=str(preview), hook=hook, **more)
    assert "render" not in [stage for stage, _, _ in steps]
    assert preview.read_bytes() == shown.read_bytes()
    assert joined == type(report)(**{**vars(report), "out": joined.out})
    one, other = (
        {path.name: path.read_bytes() for path in place.rglob("*") if path.is_file()}
        for place in (places[0], places[3])
    )
    assert one == other
    assert not (tmp_path / "never.png").exists()


@pytest.mark.usefixtures("short_pieces")
def test_another_question_starts_anew(film: Path, speech: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    with pytest.raises(StoppedError):
        dub(film, speech, out, hook=stop_at(60), resume=True, copy=False, **QUICK)
    report = dub(film, speech, out, resume=True, copy=False, articulation=0.8, **QUICK)
    assert report.resumed == 0


@pytest.mark.usefixtures("short_pieces")
def test_a_run_that_fails_leaves_nothing_unless_asked(
    film: Path, speech: Path, tmp_path: Path
) -> None:
    with pytest.raises(StoppedError):
        dub(film, speech, tmp_path / "out.mp4", hook=stop_at(60), copy=False, **QUICK)
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("short_pieces")
def test_a_preview_is_written_although_its_piece_was_done(
    film: Path, speech: Path, tmp_path: Path
) -> None:
    out, preview = tmp_path / "out.mp4", tmp_path / "preview.png"
    more = {**QUICK, "copy": False, "resume": True}
    with pytest.raises(StoppedError):
        dub(film, speech, out, hook=stop_at(75), **more)
    report = dub(film, speech, out, preview=str(preview), **more)
    assert report.resumed > 0
    assert preview.exists()


def test_a_second_language_does_not_look_again(
    film: Path, speech: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = {**QUICK, "resume": True}
    dub(film, speech, tmp_path / "first.mp4", **more)
    other = write_speech(tmp_path / "other.wav", 1.5, begin=1.0)
    anew = dub(film, other, tmp_path / "anew.mp4", cache=False, **more)

    def no_more() -> None:
        raise AssertionError("looked at the video again")

    monkeypatch.setattr(analysis, "FaceTracker", no_more)
    report = dub(film, other, tmp_path / "second.mp4", **more)
    assert report == type(report)(**{**vars(anew), "out": report.out})
    assert (tmp_path / "second.mp4").read_bytes() == (tmp_path / "anew.mp4").read_bytes()
    with pytest.raises(AssertionError, match="looked"):
        dub(film, other, tmp_path / "third.mp4", cache=False, **more)


def test_a_file_with_other_bytes_is_another_video(
    film: Path, speech: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dub(film, speech, tmp_path / "first.mp4", **QUICK)
    assert list(seen.folder().iterdir())
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(film.read_bytes() + b"\0\0\0\x08free")
    looked = []
    real = analysis.FaceTracker
    monkeypatch.setattr(analysis, "FaceTracker", lambda: looked.append(1) or real())
    dub(copy, speech, tmp_path / "second.mp4", **QUICK)
    assert looked == [1]


def test_a_video_that_changes_meanwhile_is_said(film: Path, speech: Path, tmp_path: Path) -> None:
    changing = tmp_path / "film.mp4"
    changing.write_bytes(film.read_bytes())
    short = write_clip(tmp_path / "short.mkv", actor()[:3])

    def hook(stage: str, done: int, total: int | None) -> None:
        if stage == "listen":
            changing.write_bytes(short.read_bytes())

    with pytest.raises(ReadError, match="changed while it was read"):
        dub(changing, speech, tmp_path / "out.mkv", codec="ffv1", hook=hook, **QUICK)
    assert not (tmp_path / "out.mkv").exists()


def test_without_the_network_that_knows_people_again_it_works_and_says_so(
    film: Path, speech: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = analysis.FaceTracker

    class Forgetful(real):  # type: ignore[misc, valid-type]
        def finish(self, dissolves=()):
            self.strangers = "sface is missing"
            return super().finish(dissolves)

    monkeypatch.setattr(analysis, "FaceTracker", Forgetful)
    monkeypatch.setattr(seen, "folder", lambda: tmp_path / "seen")
    report = dub(film, speech, tmp_path / "out.mp4", **QUICK)
    assert "people were not known again after cuts: sface is missing" in report.summary()
    assert not seen.folder().exists(), "the next run may know them"
    with pytest.raises(WeightsError, match="sface is missing"):
        dub(film, speech, tmp_path / "other.mp4", speaker="0", **QUICK)
