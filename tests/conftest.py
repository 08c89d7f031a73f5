"""What all tests share."""

import pytest

from labial import seen


@pytest.fixture(autouse=True)
def nothing_seen_before(tmp_path_factory, monkeypatch):
    """No test finds, or leaves, what was seen of a video by another."""
    monkeypatch.setattr(seen, "folder", lambda: tmp_path_factory.getbasetemp() / "seen")
    yield
