"""Frames in any order: each is the one it should be, wherever decoding has to start."""

from fractions import Fraction

import av
import numpy as np
import pytest
import synth_media as synth

from labial.errors import ReadError
from labial.media import VideoReader, order
from labial.media.gops import Gops
from labial.media.order import Order

N, GROUP, STEP = 40, 10, 4


def numbered(fmt, width, height, index):
    """A frame whose light says its number."""
    frame = av.VideoFrame(width, height, fmt)
    for plane in frame.planes:
        words = np.frombuffer(plane, np.uint16 if "10" in fmt else np.uint8)
        words[:] = 20 + STEP * index
    return frame


def numbers(frames):
    """Which frames they are, as seen; each in all its planes."""
    seen = []
    for frame in frames:
        light = {int(v) for plane in frame.planes for v in np.unique(plane)}
        assert len(light) == 1
        seen.append((light.pop() - 20) // STEP)
        assert frame.index == seen[-1]
    return seen


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    options = {"g": str(GROUP), "qp": "0", "bf": "2", "x264-params": "scenecut=0:open-gop=0"}
    path = synth.write_video(
        tmp_path_factory.mktemp("order") / "a.mp4", n=N, options=options, make=numbered
    )
    with VideoReader(path) as reader:
        pts = np.array([frame.pts for frame in reader.frames()], np.int64)
        return path, pts, reader.gops(pts)


def bounced(times):
    there = list(range(N))
    return [k for _ in range(times) for k in (*there[:-1], *there[:0:-1])]


ORDERS = {
    "forwards": list(range(N)),
    "some": [3, 4, 17, 18, 39],
    "again": [*range(N), *range(N), *range(7)],
    "bounce": bounced(2),
    "slow": [k // 3 for k in range(3 * N)],
    "held": [*range(N), *[N - 1] * 30],
    "backwards, every third": list(range(N - 1, -1, -3)),
    "one": [12],
    "two": [0, 1, 0, 1, 0],
    "any": np.random.default_rng(1).integers(0, N, 60).tolist(),
    "none": [],
}


@pytest.mark.parametrize("held", [1, 3, 12, 1000])
@pytest.mark.parametrize("searched", [True, False])
@pytest.mark.parametrize("name", ORDERS)
def test_every_frame_is_the_one_asked_for(source, monkeypatch, name, searched, held):
    path, pts, gops = source
    frame = 64 * 48 * 3 // 2
    monkeypatch.setattr(order, "HELD_BYTES", held * frame)
    monkeypatch.setattr(order, "SPOOLED_BYTES", 15 * frame)
    rows = np.array(ORDERS[name], np.int64)
    with VideoReader(path) as reader:
        shown = Order(rows, pts, gops if searched else Gops.none())
        assert numbers(shown.frames(reader, np.arange(len(rows)))) == ORDERS[name]
        places = np.arange(len(rows))[len(rows) // 3 :: 2]
        assert numbers(shown.frames(reader, places)) == rows[places].tolist()


def test_memory_holds_few_frames_and_decoding_starts_at_groups(source, monkeypatch):
    path, pts, gops = source
    piled, starts = [], []
    pile, frames = order._Pile, VideoReader.frames

    class Watched(pile):
        def put(self, frame):
            super().put(frame)
            piled.append(len(self._frames))

    def watched(self, start=None):
        starts.append(start)
        return frames(self, start)

    monkeypatch.setattr(order, "_Pile", Watched)
    monkeypatch.setattr(VideoReader, "frames", watched)
    monkeypatch.setattr(order, "HELD_BYTES", GROUP * 64 * 48 * 3 // 2)
    with VideoReader(path) as reader:
        shown = Order(np.arange(N)[::-1], pts, gops)
        assert numbers(shown.frames(reader, np.arange(N))) == [*range(N)][::-1]
    assert max(piled) == GROUP
    assert starts == [(30, pts[30]), (20, pts[20]), (10, pts[10]), None]


def test_deep_frames_with_alpha_survive_the_temporary_file(tmp_path, monkeypatch):
    path = synth.write_video(
        tmp_path / "a.mkv", codec="ffv1", fmt="yuva444p10le", n=9, time_base=Fraction(1, 1000),
        make=synth.noise_frame,
    )  # fmt: skip
    with VideoReader(path) as reader:
        every = list(reader.frames())
        pts = np.array([frame.pts for frame in every], np.int64)
        monkeypatch.setattr(order, "HELD_BYTES", 1)
        monkeypatch.setattr(order, "_DEAREST", 0)
        backwards = Order(np.arange(9)[::-1], pts, Gops.none()).frames(reader, np.arange(9))
        for frame, before in zip(backwards, every[::-1], strict=True):
            assert (frame.pts, frame.duration) == (before.pts, before.duration)
            assert (frame.color, frame.format) == (before.color, before.format)
            for a, b in zip(frame.planes, before.planes, strict=True):
                np.testing.assert_array_equal(a, b)


def test_a_shorter_file_than_before_is_said(source):
    path, pts, gops = source
    rows = np.array([N, N - 1], np.int64)
    with VideoReader(path) as reader, pytest.raises(ReadError, match="changed while it was read"):
        list(Order(rows, np.append(pts, pts[-1] + 512), gops).frames(reader, np.arange(2)))
