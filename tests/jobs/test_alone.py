"""Folders that are held."""

import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from labial.jobs import hold_folder, wait_to_hold

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="flock")


def test_one_holds_it_at_a_time(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    lock = hold_folder(folder)
    assert lock is not None
    assert hold_folder(folder) is None
    assert wait_to_hold(folder, 0.1) is None
    assert wait_to_hold(folder, 60, lambda: True) is None
    lock.close()
    again = wait_to_hold(folder, 0)
    assert again is not None
    again.close()


def test_a_folder_that_its_holder_removes_is_not_held(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    lock = hold_folder(folder)
    assert lock is not None
    shutil.rmtree(folder)
    other = hold_folder(folder)
    assert other is not None
    assert (folder / "lock").exists()
    assert hold_folder(folder) is None
    lock.close()
    other.close()


def test_who_waits_gets_it_when_its_holder_is_killed(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from labial.jobs import hold_folder\n"
        "lock = hold_folder(Path(sys.argv[1])); print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert hold_folder(tmp_path) is None
        threading.Timer(0.2, holder.kill).start()
        began = time.monotonic()
        lock = wait_to_hold(tmp_path, 30)
        assert lock is not None
        assert time.monotonic() - began < 30
        lock.close()
