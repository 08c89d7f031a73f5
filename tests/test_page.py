"""What all pages share."""

import base64
from pathlib import Path

import cv2
import numpy as np
import pytest

from labial.errors import WriteError
from labial.page import embedded, shown, table, write_document


@pytest.mark.parametrize("kind", [".png", ".jpg"])
def test_a_picture_in_a_page_is_the_picture(kind: str) -> None:
    picture = np.full((16, 24, 3), (200, 100, 50), np.uint8)
    head, data = embedded(picture, kind).split(",")
    assert head == f"data:image/{'png' if kind == '.png' else 'jpeg'};base64"
    raw = np.frombuffer(base64.b64decode(data), np.uint8)
    image = cv2.imdecode(raw, cv2.IMREAD_COLOR)
    assert image is not None
    assert np.abs(image[..., ::-1].astype(int) - picture).max() <= 3


def test_a_table() -> None:
    text = table(("a<b", ""), [("<b>1</b>", "2"), ("3", "4")], ["poor", ""])
    assert "<th>a&lt;b</th>" in text and '<tr class="poor"><td><b>1</b></td>' in text
    assert text.count("<tr") == 3


def test_a_document_is_whole_or_not_there(tmp_path: Path) -> None:
    write_document(tmp_path / "a.html", shown("ü<.mp4"), "<p>x</p>", "p{color:red}")
    text = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>") and "<title>ü&lt;.mp4</title>" in text
    assert "p{color:red}" in text and text.rstrip().endswith("</html>")
    with pytest.raises(WriteError):
        write_document(tmp_path / "no" / "a.html", "", "")
    assert [path.name for path in tmp_path.iterdir()] == ["a.html"]


def test_names_of_any_bytes_can_be_shown() -> None:
    assert shown(b"a\xff.mp4".decode("utf-8", "surrogateescape")) == "a?.mp4"
