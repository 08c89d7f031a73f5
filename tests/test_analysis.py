"""The first pass, and what is kept of it."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from synth import need_face_model
from test_dubbing import actor, write_clip

from labial import analysis, seen
from labial.analysis import Analysis, analyse


def silent(stage: str, done: int, total: int | None) -> None:
    """Nobody is told."""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need_face_model()
    folder = tmp_path_factory.mktemp("analysis")
    return write_clip(folder / "actor.mkv", actor()[:8], pts=[0, 40, 80, 121, 160, 200, 240, 300])


def assert_same(a: Analysis, b: Analysis) -> None:
    assert (a.time_base, a.length, a.skipped) == (b.time_base, b.length, b.skipped)
    np.testing.assert_array_equal(a.pts, b.pts)
    np.testing.assert_array_equal(a.gops.first, b.gops.first)
    assert len(a.tracks) == len(b.tracks) == 1
    for x, y in zip(a.tracks, b.tracks, strict=True):
        np.testing.assert_array_equal(x.landmarks, y.landmarks)
        np.testing.assert_array_equal(x.quality, y.quality)
        assert list(x.reasons) == list(y.reasons)
        assert (x.start, x.person, x.key) == (y.start, y.person, y.key)
    assert [p.index for p in a.patches] == [p.index for p in b.patches]
    assert a.patches[0].box == b.patches[0].box
    np.testing.assert_array_equal(a.patches[-1].rgb, b.patches[-1].rgb)


def test_a_video_is_looked_at_once(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = seen.digest(clip)
    first = analyse(clip, silent, content)
    monkeypatch.setattr(analysis, "FaceTracker", None)
    assert_same(first, analyse(clip, silent, content))


def test_without_a_digest_nothing_is_kept(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seen, "folder", lambda: tmp_path / "seen")
    analyse(clip, silent)
    assert not list(tmp_path.iterdir())


def test_where_nothing_can_be_kept_it_is_looked_at_again(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "seen").write_text("a file in its place")
    monkeypatch.setattr(seen, "folder", lambda: tmp_path / "seen")
    looked = []
    real = analysis.FaceTracker
    monkeypatch.setattr(analysis, "FaceTracker", lambda: looked.append(1) or real())
    for _ in range(2):
        analyse(clip, silent, "abc")
    assert looked == [1, 1]


def test_times_are_the_files_own(clip: Path) -> None:
    found = analyse(clip, silent)
    np.testing.assert_allclose(found.times, [0, 0.04, 0.08, 0.121, 0.16, 0.2, 0.24, 0.3])
    assert found.exact_times(3, 5) == [Fraction(121, 1000), Fraction(160, 1000)]
    assert found.length == pytest.approx(Fraction(340, 1000))
    assert found.heard is None
