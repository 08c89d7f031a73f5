"""The shape of pixels in Matroska files, told after FFmpeg's muxer has closed them."""

import zlib
from fractions import Fraction

import av
import pytest
import synth_media as synth
from rewriting import through

from labial.media import EncodeSettings
from labial.media.matroska import set_pixel_shape


def written(source, target, codec):
    return through(source, target, EncodeSettings(codec, preset="ultrafast"))


def shape(path):
    """What FFmpeg's demuxer reads: aspect, title, frames."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        title = stream.metadata.get("title")
        return stream.sample_aspect_ratio, title, sum(1 for _ in container.decode(video=0))


@pytest.mark.parametrize("title", [None, "A t\xeftle"])
@pytest.mark.parametrize("aspect", [Fraction(16, 15), Fraction(8, 9), Fraction(4, 3)])
@pytest.mark.parametrize(
    ("codec", "name"),
    [("vp9", "b.webm"), ("av1", "b.webm"), ("vp9", "b.mkv"), ("h264", "b.mkv"), ("ffv1", "b.mkv")],
)
def test_pixel_shape_is_kept(tmp_path, codec, name, aspect, title):
    def setup(_, stream):
        stream.codec_context.sample_aspect_ratio = aspect
        if title:
            stream.metadata["title"] = title

    source = synth.write_video(
        tmp_path / "a.mov", setup=setup, n=4, size=(720, 576), options={"preset": "ultrafast"}
    )
    out = tmp_path / name
    writer = written(source, out, codec)
    assert writer.dropped == []
    got, said, frames = shape(out)
    # WebM holds whole pixels.
    assert got == aspect or (name == "b.webm" and abs(got - aspect) * 720 <= Fraction(1, 2))
    assert frames == 4
    assert said == title


def test_checksum_still_holds(tmp_path):
    source = synth.write_video(
        tmp_path / "a.mp4", n=2,
        setup=lambda _, s: setattr(s.codec_context, "sample_aspect_ratio", Fraction(4, 3)),
    )  # fmt: skip
    out = tmp_path / "b.mkv"
    written(source, out, "ffv1")
    data = out.read_bytes()
    name = b"\x16\x54\xae\x6b"
    at = data.index(name, data.index(name) + 1)  # the first one is the seek head's
    size_length = 9 - data[at + 4].bit_length()
    size = int.from_bytes(data[at + 4 : at + 4 + size_length], "big") & (1 << 7 * size_length) - 1
    begin = at + 4 + size_length
    assert data[begin : begin + 2] == b"\xbf\x84"
    want = int.from_bytes(data[begin + 2 : begin + 6], "little")
    assert zlib.crc32(data[begin + 6 : begin + size]) == want


def test_a_file_without_room_is_refused_and_left_alone(tmp_path):
    path = synth.write_video(tmp_path / "a.mkv", n=2)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="no video track with room"):
        set_pixel_shape(path, 64, 48, Fraction(2))
    assert path.read_bytes() == before
