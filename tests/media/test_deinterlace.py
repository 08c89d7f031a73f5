"""Interlaced material is woven from a progressive film of twice the rate, which is the truth."""

from fractions import Fraction

import av
import numpy as np
import pytest
import synth_media as synth
from av.filter import Graph

from labial.media import EncodeSettings, VideoReader, VideoWriter, probe
from labial.media.formats import planes_of

SIZE = (96, 64)
N = 8


def film(fmt, index):
    """A soft bar that moves 3 pixels a field, in every plane: float arrays."""
    planes = []
    deep = max(c.bits for c in av.VideoFormat(fmt).components)
    for plane in av.VideoFrame(*SIZE, fmt).planes:
        wide = SIZE[0] / plane.width
        x = np.arange(plane.width) * wide - (12 + 3 * index)
        row = (60 + 120 * np.exp(-((x / 7) ** 2))) * (1 << deep - 8)
        planes.append(np.tile(row, (plane.height, 1)))
    return planes


def woven(top_first):
    def make(fmt, width, height, index):
        frame = av.VideoFrame(width, height, fmt)
        early, late = film(fmt, 2 * index), film(fmt, 2 * index + 1)
        for plane, a, b in zip(frame.planes, early, late, strict=True):
            dtype = np.uint16 if fmt.endswith("10le") else np.uint8
            rows = np.frombuffer(plane, dtype).reshape(plane.height, -1)
            top, bottom = (a, b) if top_first else (b, a)
            rows[::2, : plane.width] = top[::2].round()
            rows[1::2, : plane.width] = bottom[1::2].round()
        return marked(frame, "tff" if top_first else "bff")

    return make


def marked(frame, field):
    """The same picture, said to hold two fields; PyAV itself has no way to say so."""
    graph = Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format.name, time_base=Fraction(1, 25)
    )
    sink = graph.add("buffersink")
    graph.link_nodes(source, graph.add("setfield", field), sink).configure()
    source.push(frame)
    return sink.pull()


def interlaced_clip(path, fmt, top_first, n=N, start=0, options=None):
    return synth.write_video(
        path, fmt=fmt, size=SIZE, make=woven(top_first),
        pts=[start + 512 * i for i in range(n)],
        options={"x264-params": "tff=1", "crf": "4", "preset": "ultrafast"} | (options or {}),
    )  # fmt: skip


def error(frames, index):
    """How far the luma of each frame is from the film, on average of the moving part."""
    wrong = []
    for frame in frames:
        truth = film(frame.format.name, 2 * frame.index + index)[0]
        moving = truth > truth.min() + 10 * (1 << frame.format.bits - 8)
        wrong.append(np.abs(frame.planes[0] - truth)[moving].mean() / (1 << frame.format.bits - 8))
    return np.mean(wrong[1:-1])


@pytest.mark.parametrize("top_first", [True, False])
@pytest.mark.parametrize("fmt", ["yuv420p", "yuv422p", "yuv420p10le", "yuv422p10le"])
def test_frames_show_the_time_of_their_first_field(tmp_path, fmt, top_first):
    source = interlaced_clip(tmp_path / "a.mp4", fmt, top_first)
    assert probe(source).video.interlaced
    reader = VideoReader(source)
    frames = list(reader.frames())
    assert [frame.time for frame in frames] == [Fraction(i, 25) for i in range(N)]
    assert {frame.duration * frame.time_base for frame in frames} == {Fraction(1, 25)}
    assert {frame.format.name for frame in frames} == {fmt}
    assert reader.deinterlaced == N
    assert error(frames, 0) < 2
    assert error(frames, 1) > 8
    raw = [planes_of(picture)[1][0] for picture in synth.raw_frames(source)]
    combed = [np.abs(np.diff(picture.astype(int), axis=0)).mean() for picture in raw]
    smooth = [np.abs(np.diff(frame.planes[0].astype(int), axis=0)).mean() for frame in frames]
    assert np.mean(smooth) < np.mean(combed) / 5


def test_progressive_frames_are_the_decoders_own(tmp_path):
    source = synth.write_video(tmp_path / "a.mp4", n=5)
    reader = VideoReader(source)
    for frame, raw in zip(reader.frames(), synth.raw_frames(source), strict=True):
        for got, want in zip(frame.planes, planes_of(raw)[1], strict=True):
            assert np.array_equal(got, want)
    assert reader.deinterlaced == 0


def joined(path, parts):
    """MPEG-TS recordings, one after the other."""
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


@pytest.mark.parametrize("first", ["progressive", "interlaced"])
def test_mixed_material_keeps_its_progressive_frames(tmp_path, first):
    plain = synth.write_video(
        tmp_path / "p.ts", size=SIZE, make=synth.smooth_frame,
        pts=[512 * i + (first == "interlaced") * 512 * N for i in range(N)],
        options={"crf": "4", "preset": "ultrafast"},
    )  # fmt: skip
    start = 0 if first == "interlaced" else 512 * N
    fields = interlaced_clip(tmp_path / "i.ts", "yuv420p", True, start=start)
    parts = [plain, fields] if first == "progressive" else [fields, plain]
    source = joined(tmp_path / "both.ts", parts)
    reader = VideoReader(source)
    frames = list(reader.frames())
    raw = synth.raw_frames(source)
    assert len(frames) == len(raw) == 2 * N
    assert reader.deinterlaced == N
    times = [frame.time for frame in frames]
    assert times == sorted(set(times))
    for frame, picture in zip(frames, raw, strict=True):
        same = np.array_equal(frame.planes[0], planes_of(picture)[1][0])
        assert same != picture.interlaced_frame


def test_a_single_interlaced_frame_comes_through(tmp_path):
    source = interlaced_clip(tmp_path / "a.mp4", "yuv420p", True, n=1)
    reader = VideoReader(source)
    assert len(list(reader.frames())) == reader.deinterlaced == 1


@pytest.mark.parametrize(
    ("codec", "name"), [("h264", "out.mp4"), ("prores", "out.mov"), ("ffv1", "out.mkv")]
)
def test_the_output_is_progressive(tmp_path, codec, name):
    source = interlaced_clip(tmp_path / "a.mp4", "yuv420p", True)
    out = tmp_path / name
    settings = EncodeSettings(codec, preset="ultrafast")
    with VideoReader(source) as reader, VideoWriter(out, reader.media, settings) as writer:
        for frame in reader.frames():
            writer.write(frame)
    pictures = synth.raw_frames(out)
    assert len(pictures) == N
    assert not any(picture.interlaced_frame for picture in pictures)
    assert VideoReader(out).info.interlaced is False


def test_frames_of_two_fields_are_read_from_the_beginning_only(tmp_path):
    """Each needs the one before it, so there is no place to start at."""
    source = interlaced_clip(tmp_path / "a.mp4", "yuv420p", True, options={"g": "3", "bf": "0"})
    reader = VideoReader(source)
    pts = np.array([frame.pts for frame in reader.frames()])
    assert not len(reader.gops(pts).first)
