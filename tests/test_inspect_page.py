"""The page holds what it is given, escaped, and is whole or not there."""

from pathlib import Path

import numpy as np
import pytest
from synth import make_clip

from labial.errors import WriteError
from labial.inspect_page import write_page
from labial.lanes import lives

PICTURE = np.zeros((20, 30, 3), np.uint8)


def test_words_people_and_faces(tmp_path: Path) -> None:
    clip, target = make_clip(), tmp_path / "p.html"
    write_page(target, PICTURE, clip, [(True, "a < b")], lives(clip), {0: PICTURE})
    text = target.read_text(encoding="utf-8")
    assert "<li>a &lt; b</li>" in text
    assert text.count("data:image/png;base64,") == 2
    assert "<code>--speaker 0</code>" in text
    assert "seen 2.0 s, speaks 2.0 s" in text
    assert text.count("<tr>") == 2 + 3, "one person, two tracks, and two heads"
    write_page(target, PICTURE, clip, [], lives(clip), {})
    assert target.read_text(encoding="utf-8").count("data:image/png;base64,") == 1


def test_files_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "p.html").mkdir()
    with pytest.raises(WriteError, match="cannot write"):
        write_page(tmp_path / "p.html", PICTURE, make_clip(), [], [], {})
    assert [p.name for p in tmp_path.iterdir()] == ["p.html"]
