import errno
import os
from pathlib import Path

import pytest

from labial.errors import WriteError
from labial.media.spool import enough_room, made_sounds


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EFBIG, errno.EDQUOT])
def test_a_full_disk_is_one_line_that_says_what_to_do(code):
    with pytest.raises(WriteError, match="make room, or set TMPDIR") as caught, enough_room():
        raise OSError(code, "full")
    assert "\n" not in str(caught.value)


def test_other_errors_stay_what_they_are():
    with pytest.raises(OSError, match="broken") as caught, enough_room():
        raise OSError(errno.EIO, "broken")
    assert caught.value.errno == errno.EIO


def test_what_a_killed_run_has_left_is_removed_and_a_running_one_keeps_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    left = tmp_path / "labial-made-left"
    left.mkdir()
    (left / "lock").touch()
    (left / "spoken.caf").touch()
    os.utime(left, (0, 0))
    with made_sounds() as mine:
        os.utime(mine, (0, 0))
        with made_sounds() as other:
            assert sorted(tmp_path.iterdir()) == sorted([mine, other])
    assert not [*tmp_path.iterdir()]
