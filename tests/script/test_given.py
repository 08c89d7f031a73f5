"""A text on the command line, or the file it names."""

from pathlib import Path

import pytest

from labial.errors import OptionError, ScriptError
from labial.script.given import given_text


def test_words_are_words(tmp_path: Path) -> None:
    assert given_text("Hello. There") == ("Hello. There", None)
    assert given_text("line\nline") == ("line\nline", None)
    assert given_text("long " * 500)[1] is None
    with pytest.raises(OptionError, match="no such file"):
        given_text("nothing here.txt")


def test_a_file_in_whatever_encoding(tmp_path: Path) -> None:
    file = tmp_path / "text.txt"
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        file.write_bytes("Grüße\r\naus Köln".encode(encoding))
        assert given_text(str(file)) == ("Grüße\naus Köln", file)


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    file = tmp_path / "text.txt"
    file.write_bytes(bytes(range(32)) * 40)
    with pytest.raises(ScriptError, match="not a text file"):
        given_text(str(file))
