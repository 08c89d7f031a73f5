"""Groups of pictures: found, started at, copied as they are, and joined with our own."""

from fractions import Fraction

import av
import numpy as np
import pytest
import synth_media as synth

from labial.errors import ReadError
from labial.media import EncodeSettings, VideoReader, VideoWriter
from labial.media.encode import DecodeTimes, Mixing
from labial.media.encoders import plan_encoding
from labial.media.gops import (
    GopIndex,
    Gops,
    free_parameter_id,
    parameter_sets,
    units,
    with_start_codes,
)

GROUP = 8
H264 = {"g": str(GROUP), "bf": "2", "x264-params": "scenecut=0:open-gop=0"}
FAST = EncodeSettings(preset="ultrafast")
SOURCES = {
    "h264.mp4": ("libx264", "yuv420p", H264),
    "h264.mkv": ("libx264", "yuv420p", H264),
    "deep.mov": ("libx264", "yuv422p10le", H264),
    "codes.ts": ("libx264", "yuv420p", H264),
    "vp9.webm": ("libvpx-vp9", "yuv420p", {"g": str(GROUP), "lag-in-frames": "4"}),
    "prores.mov": ("prores_ks", "yuv422p10le", {"profile": "3"}),
}


def make(folder, name, n=30, **more):
    codec, fmt, options = SOURCES[name]
    base = Fraction(1, 90000) if name.endswith(".ts") else Fraction(1, 12800)
    return synth.write_video(
        folder / name, codec=codec, fmt=fmt, options=options, n=n, time_base=base, **more
    )


def read(path):
    with VideoReader(path) as reader:
        frames = list(reader.frames())
        return reader, frames, reader.gops(np.array([frame.pts for frame in frames], np.int64))


def equal(a, b):
    return all(np.array_equal(p, q) for p, q in zip(a.planes, b.planes, strict=True))


@pytest.mark.parametrize("name", SOURCES)
def test_groups_are_found_and_can_be_started_at(tmp_path, name):
    source = make(tmp_path, name)
    reader, frames, gops = read(source)
    every = 1 if "prores" in name else GROUP
    np.testing.assert_array_equal(gops.first, np.arange(0, len(frames), every))
    assert gops.whole.all()
    assert gops.depth <= 2
    for first in gops.first[[1, len(gops.first) // 2, -1]].tolist():
        with VideoReader(source) as again:
            tail = list(again.frames((first, frames[first].pts)))
        assert [f.index for f in tail] == list(range(first, len(frames)))
        assert [f.pts for f in tail] == [f.pts for f in frames[first:]]
        assert all(equal(a, b) for a, b in zip(tail, frames[first:], strict=True))
        again.close()
    reader.close()


@pytest.mark.parametrize("name", SOURCES)
def test_copied_groups_keep_every_sample_and_others_are_ours(tmp_path, name):
    source = make(tmp_path, name, n=32)
    reader, frames, gops = read(source)
    if "prores" in name:
        gops = type(gops)(gops.first[::GROUP], gops.whole[::GROUP], gops.depth)
    out = tmp_path / ("out" + (".mp4" if name.endswith(".ts") else source.suffix))
    groups = list(zip(gops.first.tolist(), [*gops.first[1:].tolist(), len(frames)], strict=True))
    with VideoWriter(out, reader.media, FAST, copied_depth=gops.depth) as writer:
        for number, (a, b) in enumerate(groups):
            if number % 2 == 0:
                writer.copy([frame.time for frame in frames[a:b]])
            else:
                for frame in frames[a:b]:
                    writer.write(frame)
    assert writer.frames == len(frames)
    _, made, _ = read(out)
    assert [frame.time for frame in made] == [frame.time for frame in frames]
    for number, (a, b) in enumerate(groups):
        same = [equal(x, y) for x, y in zip(made[a:b], frames[a:b], strict=True)]
        if number % 2 == 0:
            assert all(same)
        else:
            difference = [
                np.abs(x.planes[0].astype(int) - y.planes[0]).mean() / 2 ** (x.format.bits - 8)
                for x, y in zip(made[a:b], frames[a:b], strict=True)
            ]
            assert max(difference) < 6, "the same picture, encoded anew"
    assert b"" not in [bytes(p) for p in packets(out)]


def packets(path):
    with av.open(str(path)) as container:
        return [p for p in container.demux(video=0) if p.size]


def test_the_head_of_the_file_holds_both_parameter_sets(tmp_path):
    source = make(tmp_path, "h264.mp4")
    reader, frames, gops = read(source)
    out = tmp_path / "out.mp4"
    with VideoWriter(out, reader.media, FAST, copied_depth=gops.depth) as writer:
        writer.copy([frame.time for frame in frames[:GROUP]])
        for frame in frames[GROUP:]:
            writer.write(frame)
    with av.open(str(out)) as container:
        sets = parameter_sets(container.streams.video[0].codec_context.extradata)
    assert sorted(unit[0] & 0x1F for unit in sets) == [7, 7, 8, 8]
    assert free_parameter_id(sets) == 2, "the source has 0, ours is 1"


def test_short_parameter_sets_have_numbers_too():
    sets = [bytes.fromhex("6742c01e"), bytes.fromhex("68ce3c80"), bytes.fromhex("6853c8")]
    assert free_parameter_id([*sets, bytes.fromhex("6742c01eda")]) == 2, "pictures have 0 and 1"


def test_pieces_do_not_depend_on_what_came_before(tmp_path):
    source = make(tmp_path, "h264.mp4")
    reader, frames, _ = read(source)
    taken = []
    whole, again = tmp_path / "whole.mp4", tmp_path / "again.mp4"
    with VideoWriter(whole, reader.media, FAST) as writer:
        for first in (0, 10, 20):
            pictures = []
            writer.sink = pictures.append
            for frame in frames[first : first + 10]:
                writer.write(frame)
            writer.cut()
            taken.append(pictures)
    with VideoWriter(again, reader.media, FAST) as writer:
        for first in (0, 10):
            writer.replay(taken[first // 10], [f.time for f in frames[first : first + 10]])
        for frame in frames[20:]:
            writer.write(frame)
    assert whole.read_bytes() == again.read_bytes()


def test_an_open_group_is_not_a_start(tmp_path):
    source = synth.write_video(
        tmp_path / "open.mp4", n=40, options={**H264, "x264-params": "scenecut=0:open-gop=1"}
    )
    _, frames, gops = read(source)
    assert len(gops.first) < len(frames) / GROUP
    assert gops.first[0] == 0


def test_an_edit_list_that_hides_the_only_start_leaves_no_groups(tmp_path):
    pts = [-80 + 40 * i for i in range(8)]
    path = synth.write_video(
        tmp_path / "a.mp4", pts=pts, time_base=Fraction(1, 1000), options={"bf": "0"},
        container_options={"avoid_negative_ts": "disabled"},
    )  # fmt: skip
    with VideoReader(path) as reader:
        shown = np.array([frame.pts for frame in reader.frames()])
        assert len(shown) == 6
        assert len(reader.gops(shown).first) == 0


def test_a_head_that_changes_on_the_way_has_no_groups(tmp_path):
    """FFmpeg's demuxer tells it beside the first packet to which it applies."""
    index = GopIndex("h264", b"\x01\x64\x00\x0a\xff")

    class Packet:
        size, pts, is_keyframe, is_discard, is_corrupt = 9, 0, True, False, False

        def __init__(self, pts, changed):
            self.pts, self.changed = pts, changed

        def has_sidedata(self, name):
            return name == "new_extradata" and self.changed

        def __bytes__(self):
            return b"\x00\x00\x00\x05\x65abcd"

    for pts in (0, 1):
        index.see(Packet(pts, False))
    assert len(index.finish(np.array([0, 1])).first) == 2
    index.see(Packet(2, True))
    assert not len(index.finish(np.array([0, 1, 2])).first)


def test_a_damaged_file_has_no_groups(tmp_path):
    source = make(tmp_path, "h264.mp4", n=60, make=lambda f, w, h, i: synth.noise_frame(f, w, h, i))
    data = bytearray(source.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = bytes(3000)
    source.write_bytes(data)
    with VideoReader(source) as reader:
        pts = np.array([frame.pts for frame in reader.frames()], np.int64)
        gops = reader.gops(pts)
    assert not len(gops.first) or not gops.whole.all()


def test_a_source_that_changes_while_it_is_copied_is_said(tmp_path):
    source = make(tmp_path, "h264.mp4")
    reader, frames, gops = read(source)
    writer = VideoWriter(tmp_path / "out.mp4", reader.media, FAST, copied_depth=gops.depth)
    with pytest.raises(ReadError, match="changed while it was read"), writer:
        short = make(tmp_path, "h264.mp4", n=5)
        assert short == source
        writer.copy([frame.time for frame in frames])
    assert [path.name for path in tmp_path.iterdir()] == ["h264.mp4"], "no half file"


@pytest.mark.parametrize(
    ("name", "options", "why"),
    [
        ("h264.mp4", {"codec": "hevc"}, "h264 becomes hevc"),
        ("vp9.webm", {"codec": "av1"}, "vp9 becomes av1"),
        ("prores.mov", {"codec": "h264"}, "prores becomes h264"),
    ],
)
def test_what_cannot_be_mixed_says_why(tmp_path, name, options, why):
    source = make(tmp_path, name, n=4)
    info = VideoReader(source).info
    plan = plan_encoding(source, info, EncodeSettings(**options))
    assert Mixing(plan, info).obstacle == why


def test_hevc_is_not_mixed(tmp_path):
    source = synth.write_video(tmp_path / "a.mp4", codec="libx265", n=4)
    info = VideoReader(source).info
    assert "cannot be mixed" in Mixing(plan_encoding(source, info, FAST), info).obstacle


def test_units_and_parameter_sets():
    sps, pps = b"\x67\x64\x00\x0a\xac", b"\x68\xee\x3c\x80\x01"
    joined = with_start_codes([sps, pps])
    assert list(units(joined)) == [sps, pps]
    boxed = b"\x01\x64\x00\x0a\xff\xe1" + b"\x00\x05" + sps + b"\x01" + b"\x00\x05" + pps
    assert parameter_sets(boxed) == parameter_sets(joined) == [sps, pps]


@pytest.mark.parametrize("seed", range(40))
def test_decode_times_rise_and_never_pass_the_picture(seed):
    """Whatever the order, with a depth that is its own, or more."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(6).tolist()
    pts = np.cumsum(rng.integers(1, 50, 6)).tolist()
    deepest = max(sum(a > b for a in order[:i]) for i, b in enumerate(order))
    times = DecodeTimes(deepest + seed % 3, 1)
    for time in pts:
        times.show(time)
    out = np.array([times.next(pts[k]) for k in order])
    assert (np.diff(out) > 0).all()
    assert (out <= np.array(pts)[order]).all()


def test_groups_of_a_part_are_counted_from_its_first_frame():
    gops = Gops(np.array([0, 8, 16, 24]), np.array([True, True, False, True]), 2)
    for first, end, begins, whole in (
        (0, 30, [0, 8, 16, 24], [True, True, False, True]),
        (3, 24, [5, 13], [True, False]),
        (8, 29, [0, 8, 16], [True, False, False]),
        (9, 15, [], []),
    ):
        part = gops.within(first, end, 30)
        assert (part.first.tolist(), part.whole.tolist(), part.depth) == (begins, whole, 2)
