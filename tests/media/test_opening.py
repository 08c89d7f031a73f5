"""No encoder that is opened makes this process more important than others."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from synth_media import write_video

from labial.media.opening import same_priority

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0,
    reason="only root's encoders on Linux become real-time",
)

_WRITE = """
import os, sys
from labial.media import EncodeSettings, VideoReader, VideoWriter

def real_time():
    threads = map(int, os.listdir("/proc/self/task"))
    return [os.sched_getscheduler(each) for each in threads].count(os.SCHED_FIFO)

clip, out = sys.argv[1:]
with (
    VideoReader(clip) as reader,
    VideoWriter(out, reader.media, EncodeSettings(codec="av1"), None, None) as writer,
):
    for frame in reader.frames():
        writer.write(frame)
        print(real_time())
print(real_time())
"""


def test_an_av1_encoder_leaves_the_process_as_it_was(tmp_path: Path) -> None:
    clip = write_video(tmp_path / "a.mp4", size=(128, 96), n=6)
    done = subprocess.run(
        [sys.executable, "-c", _WRITE, clip, tmp_path / "b.mp4"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["0"] * 7, done.stdout


def test_what_was_real_time_before_stays() -> None:
    def policy(thread: threading.Thread) -> int:
        assert thread.native_id is not None
        return os.sched_getscheduler(thread.native_id)

    over = threading.Event()
    before, within = (threading.Thread(target=over.wait) for _ in range(2))
    try:
        for each in (before, within):
            each.start()
        _hurry(before)
        with same_priority():
            _hurry(within)
            assert policy(within) == os.SCHED_FIFO
        assert (policy(before), policy(within)) == (os.SCHED_FIFO, os.SCHED_OTHER)
    finally:
        over.set()


def _hurry(thread: threading.Thread) -> None:
    try:
        os.sched_setscheduler(thread.native_id or 0, os.SCHED_FIFO, os.sched_param(1))
    except PermissionError:
        pytest.skip("this root may not make anything real-time")
