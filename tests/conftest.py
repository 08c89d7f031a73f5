"""What all tests share."""

import pytest

from labial import seen


@pytest.fixture(autouse=True)
def seen_by_this_run(tmp_path_factory, monkeypatch):
    """What was seen of a video is kept for this run of the tests only."""
    monkeypatch.setattr(seen, "folder", lambda: tmp_path_factory.getbasetemp() / "seen")
    yield
