import json
import shutil
from html.parser import HTMLParser
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from synth import sample_file as sample

from labial.errors import FaceError, OptionError, ReadError, WriteError
from labial.inspect_clip import inspect_clip
from labial.speaking.boxes import read_boxes


class Page(HTMLParser):
    """Cells of the table, and where images come from."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.cells: list[str] = []
        self.sources: list[str] = []
        self._inside = False
        self.feed(text)

    def handle_starttag(self, tag, attrs) -> None:
        self._inside = tag in ("td", "th")
        self.sources += [value for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag) -> None:
        self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.cells.append(data)


def test_picture(tmp_path: Path) -> None:
    told = []
    out = tmp_path / "é.PNG"
    hook = lambda stage, done, total: told.append((stage, done, total))  # noqa: E731
    assert inspect_clip(sample("face_clip_short"), out, hook) == out
    image = cv2.imdecode(np.fromfile(out, np.uint8), cv2.IMREAD_COLOR)
    assert image.shape[1] == 1400 and 600 < image.shape[0] < 1200
    assert ("analyse", 72, 72) in told and told[-1][0] == "draw"
    assert list(tmp_path.iterdir()) == [out]


def test_page_holds_everything_and_names_are_escaped(tmp_path: Path) -> None:
    clip = tmp_path / "a<b>&.mp4"
    try:
        shutil.copy(sample("face_clip_short"), clip)
    except OSError:
        pytest.skip("this file system allows no such name")
    out = tmp_path / "p.html"
    inspect_clip(clip, out)
    text = out.read_text(encoding="utf-8")
    page = Page(text)
    assert len(page.sources) == 2, "the picture, and the one person"
    assert all(source.startswith("data:image/png;base64,") for source in page.sources)
    assert "a<b>" not in text and "a&lt;b&gt;&amp;.mp4" in text
    heads = page.cells.index("track")
    first = dict(zip(page.cells[heads:][:11], page.cells[heads + 12 :], strict=False))
    assert (first["track"], first["from"], first["frames"]) == ("1", "0.00", "72")
    assert "--speaker 0" in text and "seen 2.4 s, speaks 2.4 s" in text


def test_gaps_are_told_by_reason(tmp_path: Path) -> None:
    photo = cv2.imread(str(sample("face_photo")))
    scale = 240 / photo.shape[0]
    photo = cv2.resize(photo, (2 * round(photo.shape[1] * scale / 2), 240))
    clip = tmp_path / "gap.mp4"
    with av.open(str(clip), "w") as out:
        stream = out.add_stream("libx264", rate=25)
        stream.height, stream.width = photo.shape[:2]
        stream.pix_fmt = "yuv420p"
        for i in range(30):
            picture = np.full_like(photo, 90) if 12 <= i < 20 else photo
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "bgr24")))
        out.mux(stream.encode())
    page = tmp_path / "t.html"
    inspect_clip(clip, page)
    text = page.read_text(encoding="utf-8")
    assert "22 of 30 frames can be re-synced; left as they are: 8 no face" in text


def test_boxes_that_a_dub_can_read(tmp_path: Path) -> None:
    out = inspect_clip(sample("face_clip_short"), tmp_path / "p.JSON")
    data = json.loads(out.read_text(encoding="utf-8"))
    assert (data["frames"], len(data["people"])) == (72, 1)
    boxes = data["people"][0]["boxes"]
    assert [entry["frame"] for entry in boxes] == list(range(72))
    assert {entry["speaking"] for entry in boxes} == {1.0}
    assert read_boxes(out).path == out
    assert list(tmp_path.iterdir()) == [out]


def test_the_clips_own_sound_is_drawn(tmp_path: Path) -> None:
    assert inspect_clip(sample("talking_clip"), tmp_path / "t.png").is_file()


def test_a_photo_is_a_clip_of_one_frame(tmp_path: Path) -> None:
    assert inspect_clip(sample("face_photo"), tmp_path / "p.png").is_file()


def test_errors(tmp_path: Path) -> None:
    clip = tmp_path / "c.mp4"
    clip.write_bytes(b"not media")
    with pytest.raises(OptionError, match=r"\.png .* \.html"):
        inspect_clip(clip, tmp_path / "x.mp4")
    with pytest.raises(WriteError, match="no folder"):
        inspect_clip(clip, tmp_path / "missing" / "x.png")
    with pytest.raises(ReadError):
        inspect_clip(clip, tmp_path / "x.png")
    with pytest.raises(FaceError, match="no face"):
        inspect_clip(sample("no_face_clip"), tmp_path / "x.png")
    assert [p.name for p in tmp_path.iterdir()] == ["c.mp4"]
