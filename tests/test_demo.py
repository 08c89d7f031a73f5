import os
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from labial import demo as room
from labial import weights
from labial.demo import DemoResult, demo
from labial.errors import LabialError, WriteError
from labial.media.read import VideoReader


@pytest.fixture(scope="module")
def samples() -> None:
    """Make sure of the samples; only offline may they be missing."""
    for name in (room.CLIP, room.SPEECH):
        try:
            weights.path(name)
        except LabialError:
            if os.environ.get("LABIAL_OFFLINE", "") in ("", "0"):
                raise
            pytest.skip(f"offline, and {name} is not in the cache folder")


def test_demo(samples: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole demo, on a second of its clip."""
    parts = ((Fraction(0), Fraction(1, 2)), (Fraction(11), Fraction(23, 2)))
    monkeypatch.setattr(room, "PARTS", parts)
    stages: set[str] = set()
    folder = tmp_path / "new" / "demo"
    result = demo(folder, lambda stage, done, total: stages.add(stage))
    assert result == DemoResult(folder / "dubbed.mp4", folder / "sheet.png")
    assert {"analyse", "render", "look"} <= stages
    assert {p.name for p in folder.iterdir()} == {"source.mp4", "dubbed.mp4", "sheet.png"}
    with VideoReader(folder / "source.mp4") as source, VideoReader(result.video) as video:
        times = [frame.time for frame in source.frames()]
        assert [frame.time for frame in video.frames()] == times
        assert len(times) == 24
        assert {b - a for a, b in pairwise(times)} == {Fraction(1001, 24000)}
        assert video.media.audio is not None


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WriteError, match="cannot make the folder"):
        demo(tmp_path / "file" / "demo")
