"""The server's look at a file: by its content, its name only for the words."""

from __future__ import annotations

from pathlib import Path

import pytest
import strange

from labial.errors import JobError, ReadError
from labial.options import ServeOptions
from labial.server import guard


def test_a_file_is_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "upl_a").write_bytes(strange.png(64, 32))
    found = guard.examiner(ServeOptions())(tmp_path / "upl_a", "film.mp4")
    assert (found.holds, found.extension, found.facts["width"]) == ("photo", ".png", 64)


def test_a_refusal_names_the_file_as_its_owner_does_without_what_cannot_be_shown(
    tmp_path: Path,
) -> None:
    (tmp_path / "upl_a").write_bytes(strange.wav(16000, 1, bytes(500_000)))
    with pytest.raises(ReadError, match=r"^a\[31mb\.wav: it is longer than the 0\.1 minutes"):
        guard.examiner(ServeOptions(max_minutes=0.1))(tmp_path / "upl_a", "a\x1b[31mb\r\n.wav")


def test_what_is_not_the_files_fault_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise JobError("no memory for a process", again=True)

    monkeypatch.setattr(guard, "vet", fails)
    with pytest.raises(OSError, match="no memory"):
        guard.examiner(ServeOptions())(tmp_path / "upl_a", "film.mp4")
