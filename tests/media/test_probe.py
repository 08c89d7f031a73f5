import os
from fractions import Fraction

import av
import numpy as np
import pytest
import synth_media as synth

from labial.errors import ReadError
from labial.media import VideoReader, VideoWriter, probe
from labial.types import ColorTags


def test_video_facts(tmp_path):
    def tag(_, stream):
        context = stream.codec_context
        context.colorspace, context.color_primaries, context.color_trc = 9, 9, 16
        context.color_range = 2
        context.sample_aspect_ratio = Fraction(4, 3)

    path = synth.write_video(
        tmp_path / "a.mp4",
        fmt="yuv420p10le",
        rate=Fraction(24000, 1001),
        time_base=Fraction(1, 24000),
        setup=tag,
        sound="aac",
    )
    info = probe(path)
    video, audio = info.video, info.audio
    assert (video.codec, video.profile) == ("h264", "High 10")
    assert (video.width, video.height) == (64, 48)
    assert (video.format.name, video.format.bits, video.format.sub_x) == ("yuv420p10le", 10, 1)
    assert video.rate == video.guessed_rate == Fraction(24000, 1001)
    assert video.time_base == Fraction(1, 24000)
    assert video.n_frames == 10
    assert video.sample_aspect == Fraction(4, 3)
    assert video.color == ColorTags(9, 9, 16, True)
    assert (video.rotation, video.interlaced, video.start) == (0, False, 0)
    assert video.duration == 10 * Fraction(1001, 24000)
    assert video.bit_rate > 0
    assert (audio.codec, audio.rate, audio.channels) == ("aac", 48000, 2)
    assert "mp4" in info.container
    assert abs(float(info.duration) - 1.0) < 0.1


def test_bit_rate_from_the_file_size(tmp_path):
    path = synth.write_video(tmp_path / "a.mkv", codec="ffv1", make=synth.noise_frame, n=25)
    assert probe(path).video.bit_rate == pytest.approx(path.stat().st_size * 8, rel=0.1)


@pytest.mark.parametrize("turn", [90, 180, 270])
@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_rotation_is_clockwise(tmp_path, turn, ending):
    """A phone held upright: FFmpeg counts its display rotation counter-clockwise."""
    path = synth.write_video(
        tmp_path / f"a.{ending}", setup=lambda _, stream: stream.set_display_rotation(-turn)
    )
    assert probe(path).video.rotation == turn
    assert {frame.rotation for frame in VideoReader(path).frames()} == {turn}


def test_rotation_agrees_with_the_picture(tmp_path):
    """The matrix of rotation 90 moves a stored point as a clockwise quarter turn does."""
    path = synth.write_video(
        tmp_path / "a.mp4", setup=lambda _, stream: stream.set_display_rotation(-90)
    )
    a, b, _, c, d, _, *_ = probe(path).video.display_matrix
    right = np.array([1, 0]) @ np.array([[a, b], [c, d]]) / 65536
    assert right.tolist() == [0, 1]  # what points right is shown pointing down


def test_cover_picture_is_not_video(tmp_path):
    path = tmp_path / "a.m4a"
    with av.open(str(path), "w", format="mp4") as out:
        audio = out.add_stream("aac", rate=48000, layout="mono")
        cover = out.add_stream("mjpeg", rate=1, width=64, height=48, time_base=Fraction(1, 90000))
        cover.pix_fmt = "yuvj420p"
        cover.disposition = int(av.stream.Disposition.attached_pic)
        picture = synth.smooth_frame("yuvj420p", 64, 48, 0)
        picture.pts, picture.time_base = 0, Fraction(1, 90000)
        out.mux(cover.encode(picture))
        out.mux(cover.encode(None))
        out.mux(audio.encode(synth.audio_frame(synth.burst(48000, 1), 48000, "mono")))
        out.mux(audio.encode(None))
    info = probe(path)
    assert info.video is None
    assert info.audio.channels == 1
    with pytest.raises(ReadError, match="no video stream"):
        VideoReader(path)


def test_still_picture(tmp_path):
    path = tmp_path / "100%03d.png"
    synth.smooth_frame("rgb24", 31, 17, 0).save(str(tmp_path / "a.png"))
    (tmp_path / "a.png").rename(path)
    info = probe(path).video
    assert (info.width, info.height, info.format.name) == (31, 17, "gbrp")
    assert len(list(VideoReader(path).frames())) == 1


@pytest.mark.parametrize(("orientation", "turn"), [(1, 0), (6, 90), (3, 180), (8, 270)])
def test_a_phone_photo_with_exif(tmp_path, orientation, turn):
    """Orientation 6 of EXIF: turn clockwise by 90 degrees to see the photo upright."""
    plain, path = tmp_path / "plain.jpg", tmp_path / "photo.jpg"
    synth.smooth_frame("yuvj420p", 64, 48, 0).save(str(plain))
    tiff = b"MM\0*" + (8).to_bytes(4, "big") + (1).to_bytes(2, "big")
    tiff += bytes([1, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0]) + bytes(4)
    block = b"Exif\0\0" + tiff
    head = b"\xff\xe1" + (len(block) + 2).to_bytes(2, "big") + block
    data = plain.read_bytes()
    path.write_bytes(data[:2] + head + data[2:])
    info = probe(path).video
    assert (info.rotation, info.width, info.height) == (turn, 64, 48)
    with VideoReader(path) as reader:
        (frame,) = reader.frames()
        out = tmp_path / "out.mp4"
        with VideoWriter(out, reader.media, rate=Fraction(25)) as writer:
            writer.write(frame)
    assert frame.rotation == turn
    assert probe(out).video.rotation == turn


@pytest.mark.parametrize(
    "name",
    ["with space.mp4", 'it\'s "quoted".mp4', "影片 тест é.mp4", "file:a.mp4", "-x.mp4", "a#b?.mp4"],
)
def test_names(tmp_path, name, monkeypatch):
    path = synth.write_video(tmp_path / "plain.mp4", n=2).rename(tmp_path / name)
    assert probe(path).video.n_frames == 2
    monkeypatch.chdir(tmp_path)
    assert probe(name).video.n_frames == 2


def bad_files(folder):
    whole = synth.write_video(folder / "whole.mp4").read_bytes()
    (folder / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.mp4").write_bytes(b"")
    (folder / "noise.mp4").write_bytes(np.random.default_rng(0).bytes(20_000))
    (folder / "text.txt").write_text("Just words.\n" * 100)
    (folder / "words.mp4").write_text("Just words.\n" * 100)
    (folder / "zeros.mkv").write_bytes(bytes(10_000))
    (folder / "list.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nHello\n")
    (folder / "folder.mp4").mkdir()


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("missing.mp4", "No such file"),
        ("folder.mp4", "is a directory"),
        ("empty.mp4", "is empty"),
        ("cut.mp4", "moov atom not found"),
        ("noise.mp4", "not media"),
        ("text.txt", "not media"),
        ("words.mp4", "not media"),
        ("zeros.mkv", "not media"),
        ("list.srt", "neither video nor sound"),
        ("nul\0byte.mp4", "cannot read"),
    ],
)
def test_bad_input_is_one_clear_line(tmp_path, capfd, name, says):
    bad_files(tmp_path)
    with pytest.raises(ReadError, match=says) as caught:
        probe(tmp_path / name)
    assert "\n" not in str(caught.value)
    assert name.split("\0")[0] in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_the_reason_is_told_each_time(tmp_path):
    bad_files(tmp_path)
    for _ in range(3):
        with pytest.raises(ReadError, match="moov atom not found"):
            probe(tmp_path / "cut.mp4")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_no_permission(tmp_path):
    path = synth.write_video(tmp_path / "a.mp4")
    path.chmod(0)
    with pytest.raises(ReadError, match="permission"):
        probe(path)
