"""What all tests share."""

import os
import sys

import pytest

from labial import seen


@pytest.fixture(autouse=True)
def seen_by_this_run(tmp_path_factory, monkeypatch):
    """What was seen of a video is kept for this run of the tests only."""
    monkeypatch.setattr(seen, "folder", lambda: tmp_path_factory.getbasetemp() / "seen")
    yield


if sys.platform == "linux":

    @pytest.fixture(autouse=True)
    def as_important_as_others():
        """A test that made this process real-time would let others, and later ones, starve."""
        yield
        assert os.sched_getscheduler(0) == os.SCHED_OTHER, "see labial.media.opening"
