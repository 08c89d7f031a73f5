"""The page of a short dub: what it holds, where it points, and that it is whole."""

import json
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from damaged import boxed
from synth import make_clip, need_face_model, sample_file
from test_dubbing import actor, write_clip, write_speech

from labial.clip import look
from labial.dubbing import dub_each
from labial.errors import OptionError, ReadError, WriteError
from labial.media import EncodeSettings, VideoReader, VideoWriter
from labial.metrics.drift import Window
from labial.options import EvalOptions
from labial.report import report_files, write_report
from labial.report.curves import offset_curve
from labial.report.write import address, stretches_of
from labial.tally import DubReport

N = 24
VOID = {"meta", "img", "input", "rect", "path", "circle"}


class Checker(HTMLParser):
    """Every element that is opened is closed, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A source, and a dub whose lower face is a lighter box, in folders of odd names."""
    need_face_model()
    sample_file("sface")
    home = tmp_path_factory.mktemp("report")
    made = home / "made & ü"
    made.mkdir()
    source = write_clip(home / "source 1.mkv", actor()[:N])
    speech = write_speech(home / "s.wav", N / 25)
    clip = look(source, lambda stage, done, total: None)
    with (
        VideoReader(source) as reader,
        VideoWriter(made / "out.mkv", reader.media, EncodeSettings("ffv1"), speech) as writer,
    ):
        for frame in reader.frames():
            found = clip.track_of(frame.index)
            assert found is not None
            writer.write(boxed(frame, *found))
    return home


def test_the_page(home: Path) -> None:
    out = home / "made & ü" / "out.mkv"
    report = DubReport(out, N, N - 4, {"turned <away>": 4}, notes=("a note",))
    stages = set()
    page = write_report(
        home / "source 1.mkv", out, home / "page", report, lambda stage, *_: stages.add(stage)
    )
    assert page == home / "page" / "report.html" and {"compare", "moments"} <= stages
    text = page.read_text(encoding="utf-8")
    checker = Checker()
    checker.feed(text)
    assert not checker.open
    assert 'src="../made%20%26%20%C3%BC/out.mkv"' in text
    assert 'src="../source%201.mkv"' in text
    assert "http" not in text.replace("http://www.w3.org", "")
    assert "20 of 24 frames were re-synced; left as they were: turned &lt;away&gt; 4" in text
    assert "An edge shows around the mouth" in text
    assert "an edge shows (1." in text and text.count("data:image/jpeg;base64,") >= 1
    assert "<code>seam</code>" in text and "<svg" in text
    facts = json.loads((home / "page" / "report.json").read_text(encoding="utf-8"))
    assert facts["evaluation"]["scores"]["seam"] > 1.2
    assert facts["dub"]["resynced"] == N - 4
    assert facts["moments"] and facts["moments"][0]["words"].startswith("an edge shows")
    assert sorted(path.name for path in page.parent.iterdir()) == ["report.html", "report.json"]


def test_where_it_goes(tmp_path: Path) -> None:
    script = tmp_path / "film.json"
    script.write_text("[]")
    with pytest.raises(WriteError, match="an input"):
        report_files(tmp_path / "film.html", [script])
    with pytest.raises(WriteError, match="name a folder"):
        report_files(tmp_path / "made.mkv", [tmp_path / "made.mkv"])
    assert report_files(tmp_path / "a.html") == (tmp_path / "a.html", tmp_path / "a.json")
    folder = tmp_path / "new"
    assert report_files(folder) == (folder / "report.html", folder / "report.json")
    assert not folder.exists()
    (tmp_path / "file").touch()
    with pytest.raises(WriteError, match=r"name a folder, or a file that ends in \.html"):
        report_files(tmp_path / "file")
    for path in ("no/a.html", "no/a"):
        with pytest.raises(WriteError, match="there is no directory"):
            report_files(tmp_path / path)


def test_a_video_that_is_missing_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ReadError):
        write_report(tmp_path / "a.mp4", tmp_path / "b.mp4", tmp_path / "page")
    assert not list(tmp_path.iterdir())


def test_it_is_judged_as_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[object, ...]] = []

    class Told:
        def __init__(self, network: object, identity: bool) -> None:
            asked.append((network, identity))

        def __call__(self, out: Path, ref: Path | None, source: Path | None, *_: object) -> None:
            asked.append((out, ref, source))
            raise ReadError("enough")

    monkeypatch.setattr("labial.report.write.Judge", Told)
    monkeypatch.setattr("labial.report.write.SyncNet", lambda path: path)
    film, made, real = Path("film.mp4"), Path("made.mp4"), Path("real.mp4")
    options = EvalOptions(syncnet="w.model", identity=False)
    for ref in (None, real, film):
        with pytest.raises(ReadError):
            write_report(film, made, tmp_path / "page", ref=ref, options=options)
    assert asked[::2] == [("w.model", False)] * 3
    assert asked[1::2] == [(made, None, film), (made, real, film), (made, film, None)]


def test_several_languages_need_several_pages(home: Path, tmp_path: Path) -> None:
    speeches = {"de": home / "s.wav", "fr": home / "s.wav"}
    with pytest.raises(OptionError, match=r"--report p\.html: several languages need \{lang\}"):
        dub_each(home / "source 1.mkv", speeches, tmp_path / "{lang}.mkv", report="p.html")


def test_addresses_are_relative_to_the_page(tmp_path: Path) -> None:
    page = tmp_path / "a" / "report.html"
    assert address(page, tmp_path / "b" / "x #1?.mp4") == "../b/x%20%231%3F.mp4"
    assert address(page, tmp_path / "a" / "y.mp4") == "y.mp4"


def test_stretches_without_a_mouth() -> None:
    clip = make_clip()
    clip.quality[10:20] = 0
    clip.reasons[10:15], clip.reasons[15:20] = "no face", "turned away"
    clip.quality[45:] = 0
    clip.reasons[45:] = "blurred"
    assert stretches_of(clip) == [
        (0.4, 0.6, "no face"), (0.6, 0.8, "turned away"), (1.8, 2.0, "blurred"),
    ]  # fmt: skip


def test_offsets_lie_at_their_height() -> None:
    dots = [Window(0, 1, 0.1, 1.0), Window(1, 2, -0.1, 0.6), Window(0.5, 1.5, 0.0, 1.0)]
    drawing = ET.fromstring(offset_curve(make_clip(), dots))
    high = [float(dot.attrib["cy"]) for dot in drawing.iter("circle")]
    across = [float(dot.attrib["cx"]) for dot in drawing.iter("circle")]
    assert high[2] - high[0] == pytest.approx(high[1] - high[2], abs=0.2)
    assert across[1] - across[2] == pytest.approx(across[2] - across[0], abs=0.2)
    assert re.search(r"\+100 ms, 100% sure", offset_curve(make_clip(), dots))
    assert np.isfinite(high).all()
