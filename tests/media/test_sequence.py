"""Numbered pictures, in and out."""

import subprocess
import sys
import zlib
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import synth_media as synth
from rewriting import through

from labial.errors import OptionError, ReadError, WriteError
from labial.media import EncodeSettings, VideoReader, VideoWriter, check_target, probe
from labial.media.sequence import find_sequence, with_rate

ENCODER = {"png": "png", "jpg": "mjpeg", "tif": "tiff", "dpx": "dpx"}


def pictures(folder, fmt="rgb24", n=5, first=1, pattern="%05d.png", make=synth.noise_frame):
    """Write a sequence with FFmpeg's own muxer of pictures."""
    folder.mkdir(exist_ok=True)
    out = av.open(
        str(folder).replace("%", "%%") + f"/{pattern}", "w", format="image2",
        container_options={"start_number": str(first)},
    )  # fmt: skip
    with out:
        stream = out.add_stream(
            ENCODER[pattern.rpartition(".")[2]], rate=25, width=34, height=26,
            time_base=Fraction(1, 25),
        )  # fmt: skip
        stream.pix_fmt = fmt
        for index in range(n):
            frame = make(fmt, 34, 26, index)
            frame.pts, frame.time_base = index, Fraction(1, 25)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return folder


def planes(source):
    return [frame.planes for frame in VideoReader(source).frames()]


def same(a, b):
    return len(a) == len(b) and all(
        np.array_equal(p, q) for x, y in zip(a, b, strict=True) for p, q in zip(x, y, strict=True)
    )


@pytest.mark.parametrize("by", ["folder", "pattern", "pattern without zeros"])
@pytest.mark.parametrize("first", [0, 1, 86400])
def test_a_sequence_is_read_by_folder_or_pattern(tmp_path, by, first):
    folder = pictures(tmp_path / "sh%ots", pattern="a.b_%04d.png", first=first)
    pattern = {"pattern": "a.b_%04d.png", "pattern without zeros": "a.b_%d.png"}.get(by, "")
    source = folder / pattern if pattern else folder
    frames = list(VideoReader(source).frames())
    assert [frame.time for frame in frames] == [Fraction(i, 25) for i in range(5)]
    assert probe(source).video.n_frames in (0, 5)
    for index, frame in enumerate(frames):
        want = np.frombuffer(synth.noise_frame("rgb24", 34, 26, index).planes[0], np.uint8)
        rows = want.reshape(26, -1)[:, : 34 * 3].reshape(26, 34, 3)
        assert np.array_equal(frame.planes[0], rows[..., 1])  # green


@pytest.mark.parametrize(
    ("said", "rate"),
    [
        ("@24", Fraction(24)),
        ("@23.976", Fraction(24000, 1001)),
        ("@30000/1001", Fraction(30000, 1001)),
        ("@12.5", Fraction(25, 2)),
        ("", Fraction(25)),
    ],
)
def test_frames_a_second_are_in_the_name(tmp_path, said, rate):
    folder = pictures(tmp_path / "shots")
    for source in (f"{folder}{said}", f"{folder}/%05d.png{said}"):
        frames = list(VideoReader(source).frames())
        assert [frame.time for frame in frames] == [i / rate for i in range(5)]
        assert probe(source).video.rate == rate
    plain = str(with_rate(folder, 24))
    assert plain == f"{folder}@24"
    assert str(with_rate(Path(f"{folder}/%05d.png@12"), 23.976)) == f"{folder}/%05d.png@23.976"


def test_a_video_has_its_own_rate(tmp_path):
    path = synth.write_video(tmp_path / "a.mp4", n=2)
    with pytest.raises(OptionError, match="leave it out"):
        with_rate(path, 24)
    odd = synth.write_video(tmp_path / "a@24.mp4", n=2)
    assert find_sequence(odd) is None
    assert len(list(VideoReader(odd).frames())) == 2


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        ([3], "picture 3 is missing"),
        ([3, 4, 5], "pictures 3 to 5 are missing"),
        ([2, 4, 6, 8, 10], "pictures 2, 4, 6 and 2 more gaps are missing"),
    ],
)
def test_gaps_are_one_line(tmp_path, gone, said):
    folder = pictures(tmp_path / "shots", n=12)
    for number in gone:
        (folder / f"{number:05d}.png").unlink()
    with pytest.raises(ReadError, match=said) as caught:
        VideoReader(folder)
    assert "\n" not in str(caught.value)


def test_other_files_in_the_folder_do_not_matter(tmp_path):
    folder = pictures(tmp_path / "shots")
    (folder / "notes.txt").write_text("a")
    (folder / "thumb_1.jpg").write_bytes(b"b")
    (folder / ".hidden").write_text("c")
    assert len(planes(folder)) == 5


def test_a_damaged_picture_is_left_out_and_counted(tmp_path):
    folder = pictures(tmp_path / "shots")
    (folder / "00003.png").write_bytes(b"no picture")
    reader = VideoReader(folder)
    frames = list(reader.frames())
    assert [frame.time * 25 for frame in frames] == [0, 1, 3, 4]
    assert reader.skipped == 1


def test_numbers_of_another_length_are_not_the_end(tmp_path):
    folder = pictures(tmp_path / "shots")
    (folder / "00003.png").rename(folder / "3.png")
    with pytest.raises(ReadError, match=r"3\.png: rename it to 00003\.png"):
        VideoReader(folder)


def test_an_empty_picture_is_not_the_end(tmp_path):
    folder = pictures(tmp_path / "shots")
    (folder / "00003.png").write_bytes(b"")
    with pytest.raises(ReadError, match=r"00003\.png is empty"):
        VideoReader(folder)


@pytest.mark.parametrize(
    "source", ["empty", "%05d.png", "nowhere/%05d.png", "shots@0.5", "shots@24/0", "n" * 300]
)
def test_what_is_no_sequence_is_one_clear_line(tmp_path, source):
    (tmp_path / "empty").mkdir()
    pictures(tmp_path / "shots")
    with pytest.raises(ReadError) as caught:
        VideoReader(tmp_path / source)
    assert "\n" not in str(caught.value)


IN_PNG = [
    ("rgb24", "png"), ("rgba", "png"), ("gray", "png"), ("ya8", "png"), ("rgb48be", "png"),
    ("rgba64be", "png"), ("gray16be", "png"), ("rgb48le", "tif"), ("rgba64le", "tif"),
    ("gray16le", "tif"),
]  # fmt: skip
# PNG has no YUV, and neither 10 nor 12 bits.
ELSEWHERE = [("gbrp10le", "dpx"), ("gbrp12le", "dpx"), ("yuvj444p", "jpg")]


@pytest.mark.parametrize(
    ("fmt", "kind", "out"),
    [(*pair, "png") for pair in IN_PNG] + [(*pair, "mkv") for pair in IN_PNG + ELSEWHERE],
)
def test_no_sample_changes(tmp_path, fmt, kind, out):
    """Eight and sixteen bits, with and without alpha, from pictures into pictures and video."""
    folder = pictures(tmp_path / "shots", fmt=fmt, pattern=f"%05d.{kind}", n=3)
    target = tmp_path / ("out.mkv" if out == "mkv" else "out/%05d.png")
    settings = EncodeSettings("ffv1") if out == "mkv" else None
    writer = through(folder, target, settings)
    assert same(planes(folder), planes(target))
    assert writer.dropped == (
        [] if out == "mkv" else ["sound and all that is not a picture, frame times"]
    )


@pytest.mark.parametrize("target", ["out/%05d.png", "out/shot_%d.png", "empty"])
def test_pictures_are_written_as_one_folder_when_complete(tmp_path, target):
    (tmp_path / "empty").mkdir()
    source = synth.write_video(tmp_path / "a.mp4", n=12, sound="aac")
    out = tmp_path / target
    folder = out if target == "empty" else out.parent
    with VideoReader(source) as reader, VideoWriter(out, reader.media) as writer:
        for frame in reader.frames():
            writer.write(frame)
            assert not folder.exists() or not any(folder.iterdir())
    names = sorted(path.name for path in folder.iterdir())
    name = "%05d.png" if target == "empty" else out.name
    assert names == sorted(name % number for number in range(1, 13))
    assert {path.name for path in tmp_path.iterdir()} == {"a.mp4", folder.name, "empty"}
    assert len(list(VideoReader(out).frames())) == 12


def test_numbers_go_on_where_those_of_the_source_begin(tmp_path):
    folder = pictures(tmp_path / "shots", first=86400, n=3)
    through(folder, tmp_path / "out" / "b_%06d.png")
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["b_086400.png", "b_086401.png", "b_086402.png"]


def test_an_icc_profile_is_listed_as_lost(tmp_path):
    """The one here is nothing but an empty header: enough to be one."""
    folder = pictures(tmp_path / "shots", fmt="yuvj444p", n=2, pattern="%05d.jpg")
    for path in folder.iterdir():
        data = path.read_bytes()
        body = b"ICC_PROFILE\0\1\1" + bytes(128)
        path.write_bytes(
            data[:2] + b"\xff\xe2" + (len(body) + 2).to_bytes(2, "big") + body + data[2:]
        )
    assert through(folder, tmp_path / "out.mkv").dropped == ["ICC profile"]


def test_a_named_icc_profile_does_no_harm(tmp_path):
    """PyAV's side data of such a PNG would end the process, some time later."""
    folder = pictures(tmp_path / "shots", n=2)
    for path in folder.iterdir():
        data = path.read_bytes()
        chunk = b"iCCP" + b"name\0\0" + zlib.compress(bytes(128))
        whole = (len(chunk) - 4).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
        path.write_bytes(data[:33] + whole + data[33:])
    code = (
        "import gc, sys; from labial.media import VideoReader\n"
        "for _ in range(100): n = len(list(VideoReader(sys.argv[1]).frames())); gc.collect()\n"
        "print(n)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "2"), done.stderr[-300:]


def test_a_failed_run_leaves_nothing(tmp_path):
    source = probe(synth.write_video(tmp_path / "a.mp4", n=4))
    with (
        pytest.raises(ZeroDivisionError),
        VideoReader(tmp_path / "a.mp4") as reader,
        VideoWriter(tmp_path / "out" / "%05d.png", source) as writer,
    ):
        writer.write(next(iter(reader.frames())))
        raise ZeroDivisionError
    assert {path.name for path in tmp_path.iterdir()} == {"a.mp4"}


def test_where_pictures_cannot_go_is_said_before_the_work(tmp_path):
    source = probe(synth.write_video(tmp_path / "a.mp4", n=1))
    full = tmp_path / "full"
    full.mkdir()
    (full / "x").write_text("x")
    for target, said in [
        (full / "%05d.png", "it holds files"),
        (full, "it holds files"),
        (tmp_path / "one.png", r"name the output .*one/%05d\.png"),
        (tmp_path / "a.mp4" / "%05d.png", "it is a file"),
        (tmp_path / "no" / "way" / "%05d.png", "there is no directory"),
    ]:
        with pytest.raises(WriteError, match=said):
            check_target(target, source)
    with pytest.raises(WriteError, match="leave out --codec"):
        check_target(tmp_path / "o" / "%05d.png", source, EncodeSettings("h264"))


@pytest.mark.parametrize("matrix", [1, 5, 9])
def test_colours_of_a_video_are_those_of_its_pictures(tmp_path, matrix):
    """A green that BT.601, BT.709 and BT.2020 each write differently."""

    def make(fmt, width, height, index):
        frame = av.VideoFrame(width, height, fmt)
        for plane, value in zip(frame.planes, (145, 54, 34), strict=True):
            plane.update(bytes([value]) * plane.buffer_size)
        return frame

    def tag(_, stream):
        stream.codec_context.colorspace = matrix

    source = synth.write_video(
        tmp_path / "a.mkv", codec="ffv1", fmt="yuv444p", n=2, make=make, setup=tag
    )
    through(source, tmp_path / "out" / "%05d.png")
    kr, kb = {1: (0.2126, 0.0722), 5: (0.299, 0.114), 9: (0.2627, 0.0593)}[matrix]
    y, u, v = (145 - 16) / 219, (54 - 128) / 224, (34 - 128) / 224
    red, blue = y + 2 * (1 - kr) * v, y + 2 * (1 - kb) * u
    green = (y - kr * red - kb * blue) / (1 - kr - kb)
    want = [np.clip(round(255 * value), 0, 255) for value in (green, blue, red)]
    got = [int(plane[5, 5]) for plane in planes(tmp_path / "out")[0]]
    assert got == pytest.approx(want, abs=2)
