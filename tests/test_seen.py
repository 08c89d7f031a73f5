"""What was seen of a video comes back as it was, or not at all."""

import os
from dataclasses import dataclass, fields

import numpy as np
import pytest

from labial import seen
from labial.errors import ReadError
from labial.pixels import Box
from labial.render.bank import Patch
from labial.types import FaceTrack


@pytest.fixture
def root(tmp_path, monkeypatch):
    folder = tmp_path / "seen"
    monkeypatch.setattr(seen, "folder", lambda: folder)
    return folder


def track(n, seed):
    rng = np.random.default_rng(seed)

    def some(*shape):
        return rng.random(shape).astype(np.float32)

    reasons = np.array(["", "turned away", "no face"], object)[rng.integers(0, 3, n)]
    return FaceTrack(
        seed, some(n, 478, 3), rng.random(n) < 0.5, some(n), some(n, 3, 3), some(n, 3),
        some(478, 3), some(n), reasons,
    )  # fmt: skip


def patch(seed, dtype):
    rng = np.random.default_rng(seed)
    rgb = rng.integers(0, 200, (5 + seed, 7, 3)).astype(dtype)
    points = rng.random((478, 3)).astype(np.float32)
    return Patch(seed, Box(1, 2, 8, 7 + seed), rgb, points, 0.1 + 0.2, 1 / 3, points[:3, :1])


def same(a, b):
    for field in fields(a):
        x, y = getattr(a, field.name), getattr(b, field.name)
        if isinstance(x, np.ndarray):
            assert x.dtype == y.dtype
            np.testing.assert_array_equal(x, y)
        else:
            assert x == y


@pytest.mark.parametrize(
    "rows",
    [
        [track(4, 0), track(1, 1), track(30, 2)],
        [patch(1, np.uint8), patch(2, np.uint8)],
        [patch(3, np.uint16)],
        [],
    ],
)
def test_all_comes_back(root, rows):
    kind = type(rows[0]) if rows else FaceTrack
    parts, facts = seen.packed(rows, "rows")
    assert seen.Store("abc").save(parts | {"more": [np.arange(3)]}, {"rows": facts, "name": "x"})
    arrays, kept = seen.Store("abc").load()
    assert kept["name"] == "x"
    np.testing.assert_array_equal(arrays["more"], np.arange(3))
    back = seen.unpacked(kind, "rows", arrays, kept["rows"])
    assert len(back) == len(rows)
    for a, b in zip(rows, back, strict=True):
        same(a, b)


def test_other_contents_versions_and_models_are_strangers(root, monkeypatch):
    parts = {"x": [np.arange(3)]}
    seen.Store("abc").save(parts, {})
    assert seen.Store("abd").load() is None
    monkeypatch.setattr(seen, "version", lambda: "other code")
    assert seen.Store("abc").load() is None


@pytest.mark.parametrize("harm", ["cut", "lost", "nonsense"])
def test_what_is_damaged_is_as_if_it_were_not_there(root, harm):
    seen.Store("abc").save({"x": [np.arange(1000)]}, {})
    (folder,) = root.iterdir()
    if harm == "cut":
        os.truncate(folder / "x.npy", 500)
    elif harm == "lost":
        (folder / "x.npy").unlink()
    else:
        (folder / "facts.json").write_text("{")
    assert seen.Store("abc").load() is None
    assert seen.Store("abc").save({"x": [np.arange(5)]}, {})
    np.testing.assert_array_equal(seen.Store("abc").load()[0]["x"], np.arange(5))


def test_the_longest_unused_goes_first(root, monkeypatch):
    size = 8 * 1000
    monkeypatch.setattr(seen, "MOST_BYTES", int(2.5 * size))
    for age, name in enumerate("abc"):
        seen.Store(name).save({"x": [np.arange(1000)]}, {})
        for folder in root.iterdir():
            os.utime(folder, (age, age))
        seen.Store("a").load()
    assert [seen.Store(name).load() is not None for name in "abc"] == [True, False, True]


def test_another_run_may_tidy_at_the_same_time(root, monkeypatch):
    seen.Store("abc").save({"x": [np.arange(3)]}, {})
    (root / "gone").mkdir()
    every = type(root).iterdir

    def removed_meanwhile(self):
        if self.name == "gone":
            self.rmdir()
        return every(self)

    monkeypatch.setattr(type(root), "iterdir", removed_meanwhile)
    assert seen.Store("abd").save({"x": [np.arange(3)]}, {})
    assert seen.Store("abd").load() is not None


def test_what_is_too_large_is_not_kept(root, monkeypatch):
    monkeypatch.setattr(seen, "MOST_BYTES", 100)
    assert not seen.Store("abc").save({"x": [np.arange(1000)]}, {})
    assert not root.exists()


def test_a_cache_that_cannot_be_written_costs_nothing(root):
    root.write_text("a file in its place")
    assert not seen.Store("abc").save({"x": [np.arange(3)]}, {})
    assert seen.Store("abc").load() is None


def test_the_digest_is_of_the_bytes(tmp_path):
    a, b = tmp_path / "a", tmp_path / "b"
    a.write_bytes(b"x" * 5_000_000)
    b.write_bytes(b"x" * 5_000_000)
    assert seen.digest(a) == seen.digest(b)
    b.write_bytes(b"x" * 5_000_001)
    assert seen.digest(a) != seen.digest(b)
    with pytest.raises(ReadError, match="cannot read"):
        seen.digest(tmp_path / "none")


def test_the_digest_of_numbered_pictures_is_of_all_and_of_their_rate(tmp_path):
    for number in (1, 2):
        (tmp_path / f"{number}.png").write_bytes(bytes([number]))
    one = seen.digest(tmp_path)
    assert seen.digest(tmp_path / "%d.png") == one
    assert seen.digest(f"{tmp_path}@24") != one
    (tmp_path / "2.png").write_bytes(b"3")
    assert seen.digest(tmp_path) != one


def test_numbers_of_numpy_become_plain():
    @dataclass
    class Row:
        x: float

    assert seen.packed([Row(np.float32(0.5))], "r")[1]["x"] == [0.5]
