"""What the output is encoded with: as the source was, or as was asked for."""

import dataclasses
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import synth_media as synth
from rewriting import through

from labial.errors import WriteError
from labial.media import EncodeSettings, VideoReader, hardware, probe
from labial.media.encoders import plan_encoding
from labial.media.formats import planar_format

SIZE = (66, 50)


def key_frames(path):
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    order = sorted(packet.pts for packet in packets)
    return [order.index(packet.pts) for packet in packets if packet.is_keyframe]


@pytest.mark.parametrize("profile", ["baseline", "main", "high"])
def test_h264_profile_is_the_sources(tmp_path, profile):
    source = synth.write_video(tmp_path / "a.mp4", options={"profile": profile, "bf": "0"})
    through(source, tmp_path / "b.mp4")
    want = {"baseline": "Constrained Baseline", "main": "Main", "high": "High"}[profile]
    assert probe(source).video.profile == probe(tmp_path / "b.mp4").video.profile == want


@pytest.mark.parametrize(
    ("codec", "fmt", "name", "options"),
    [
        ("libx264", "yuv420p10le", "mp4", {}),
        ("libx264", "yuv422p10le", "mov", {}),
        ("libx264", "yuv444p", "mkv", {}),
        ("libx265", "yuv420p", "mp4", {}),
        ("libx265", "yuv420p10le", "mkv", {}),
        ("libx265", "yuv422p12le", "mov", {}),
        ("libvpx-vp9", "yuv444p", "webm", {}),
        ("libsvtav1", "yuv420p10le", "mp4", {"preset": "10"}),
        ("prores_ks", "yuv422p10le", "mov", {"profile": "0"}),
        ("prores_ks", "yuv422p10le", "mov", {"profile": "2"}),
        ("prores_ks", "yuv444p10le", "mov", {"profile": "5"}),
    ],
)
def test_codec_profile_and_format_are_the_sources(tmp_path, codec, fmt, name, options):
    source = synth.write_video(tmp_path / f"a.{name}", codec=codec, fmt=fmt, options=options, n=3)
    writer = through(source, tmp_path / f"b.{name}")
    # FFmpeg reads ProRes 4444 with 12 bits, and writes it with 10.
    assert writer.dropped == (["2 of 12 bits of depth"] if "444p10" in fmt else [])
    assert writer.plan.notes == ()
    a, b = probe(source).video, probe(tmp_path / f"b.{name}").video
    assert (a.codec, a.profile, a.native_format) == (b.codec, b.profile, b.native_format)


@pytest.mark.parametrize("name", ["mp4", "mkv", "ts"])
@pytest.mark.parametrize("gop", [1, 7])
def test_key_frames_come_as_often_as_in_the_source(tmp_path, gop, name):
    options = {"g": str(gop), "sc_threshold": "0", "bf": "0"}
    source = synth.write_video(tmp_path / f"a.{name}", options=options, n=24)
    assert probe(source).video.gop == gop
    out = tmp_path / "b.mp4"
    through(source, out)
    assert np.diff(key_frames(out)).max() == gop


def test_a_stream_without_key_frames_in_sight_is_not_searched_for_long(tmp_path):
    """A file of 40 MB whose first pictures are large: its key frames are left unknown."""
    source = synth.write_video(
        tmp_path / "a.mkv", size=(640, 360), fmt="yuv444p", make=synth.noise_frame, n=60,
        options={"qp": "0", "g": "50", "preset": "ultrafast"},
    )  # fmt: skip
    assert source.stat().st_size > 40_000_000
    assert probe(source).video.gop == 0


@pytest.mark.parametrize("codec", ["hevc", "av1", "vp9"])
def test_every_encoder_is_told_the_gop(tmp_path, codec):
    options = {"g": "6", "sc_threshold": "0", "bf": "0"}
    source = synth.write_video(tmp_path / "a.mp4", options=options, n=20)
    out = tmp_path / "b.mkv"
    through(source, out, EncodeSettings(codec, preset="ultrafast"))
    gaps = np.diff([*key_frames(out), 20])
    assert gaps.max() <= 6


@pytest.mark.parametrize(("b_frames", "want"), [("0", False), ("2", True)])
@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_pictures_are_reordered_where_the_source_reorders(tmp_path, codec, b_frames, want):
    options = {"bf": b_frames, "x265-params": f"log-level=none:bframes={b_frames}"}
    options = options if codec == "libx265" else {"bf": b_frames, "x264-params": "b-adapt=0"}
    source = synth.write_video(tmp_path / "a.mp4", codec=codec, options=options, n=20)
    assert probe(source).video.reordered is want
    out = tmp_path / "b.mp4"
    through(source, out)
    with av.open(str(out)) as container:
        packets = [p for p in container.demux(video=0) if p.size]
    # The smooth pictures leave the encoder free; it must not reorder where the source does not.
    shown = [p.pts for p in packets]
    assert want or shown == sorted(shown)


LOSSLESS = [
    ("h264", "mp4", "yuv420p"), ("h264", "mp4", "yuv422p"), ("h264", "mov", "yuv444p"),
    ("h264", "mkv", "yuv420p10le"), ("h264", "mp4", "yuv422p10le"), ("h264", "mp4", "yuv444p10le"),
    ("hevc", "mp4", "yuv420p"), ("hevc", "mp4", "yuv420p12le"), ("hevc", "mov", "yuv422p12le"),
    ("hevc", "mkv", "yuv444p12le"), ("hevc", "mp4", "gray"), ("hevc", "mp4", "gray12le"),
    ("hevc", "mkv", "gbrp10le"), ("hevc", "mp4", "bgr0"),
    ("vp9", "webm", "yuv420p"), ("vp9", "mkv", "yuv422p"), ("vp9", "mp4", "yuv444p"),
    ("vp9", "webm", "yuva420p"), ("vp9", "mkv", "yuva420p"),
    ("av1", "mp4", "yuv420p"), ("av1", "webm", "yuv420p10le"),
    ("ffv1", "mkv", "yuva444p10le"), ("ffv1", "mkv", "gbrap12le"), ("ffv1", "mkv", "gray16le"),
]  # fmt: skip


@pytest.mark.parametrize(("codec", "name", "fmt"), LOSSLESS)
def test_lossless_changes_no_sample(tmp_path, codec, name, fmt):
    source = synth.write_video(
        tmp_path / "a.mkv", codec="ffv1", fmt=fmt, size=SIZE, n=3, make=synth.noise_frame
    )
    out = tmp_path / f"b.{name}"
    through(source, out, EncodeSettings(codec, preset="ultrafast", lossless=True))
    before, after = list(VideoReader(source).frames()), list(VideoReader(out).frames())
    assert len(after) == 3
    for a, b in zip(before, after, strict=True):
        assert (a.format.bits, a.format.sub_x, a.format.sub_y) == (
            b.format.bits, b.format.sub_x, b.format.sub_y,
        )  # fmt: skip
        changed = [np.count_nonzero(p != q) for p, q in zip(a.planes, b.planes, strict=True)]
        assert sum(changed) == 0


@pytest.mark.parametrize("profile", ["baseline", "main"])
def test_lossless_leaves_the_profile_that_cannot_be(tmp_path, profile):
    source = synth.write_video(tmp_path / "a.mp4", options={"profile": profile}, n=4)
    out = tmp_path / "b.mp4"
    through(source, out, EncodeSettings(lossless=True))
    for a, b in zip(VideoReader(source).frames(), VideoReader(out).frames(), strict=True):
        assert all(np.array_equal(p, q) for p, q in zip(a.planes, b.planes, strict=True))


def planned(name, settings, fmt="yuv420p", codec="h264"):
    """The plan for a clip that exists only on paper."""
    video = dataclasses.replace(ON_PAPER, codec=codec, format=planar_format(fmt), native_format=fmt)
    return plan_encoding(Path(name), video, settings)


@pytest.fixture(autouse=True, scope="module")
def on_paper(tmp_path_factory):
    global ON_PAPER
    path = synth.write_video(tmp_path_factory.mktemp("paper") / "a.mp4", n=2)
    ON_PAPER = probe(path).video


def test_lossless_takes_another_codec_of_the_container_only_where_none_was_asked_for():
    lossless = EncodeSettings(lossless=True)
    assert planned("b.mp4", lossless).family == "h264"
    assert planned("b.mp4", lossless, "gbrp").family == "hevc"
    assert planned("b.mkv", lossless, "yuva420p").family == "vp9"
    assert planned("b.mkv", lossless, "yuva420p10le").family == "ffv1"
    assert planned("b.mov", lossless, "yuv420p10le", "prores").family == "h264"
    for name, codec, fmt in [
        ("b.mov", "prores", "yuv422p10le"),
        ("b.mp4", "av1", "yuv444p"),
        ("b.mp4", "source", "yuva420p"),
        ("b.mp4", "h264", "yuv420p12le"),
    ]:
        with pytest.raises(WriteError, match=r"without loss: use --codec ffv1 .* \.mkv"):
            planned(name, EncodeSettings(codec, lossless=True), fmt)


@pytest.mark.parametrize(
    ("codec", "fmt", "name", "family", "said"),
    [
        ("h264", "yuv420p", "mkv", "h264", False),
        ("libdav1d", "yuv420p", "mp4", "av1", False),
        ("mpeg2video", "yuv420p", "mp4", "h264", True),
        ("mpeg4", "yuv420p", "mkv", "h264", True),
        ("mjpeg", "yuvj422p", "mov", "h264", True),
        ("wmv2", "yuv420p", "mp4", "h264", True),
        ("vp8", "yuv420p", "webm", "vp9", False),
        ("h264", "yuv420p", "webm", "vp9", True),
        ("dnxhd", "yuv422p10le", "mov", "prores", True),
        ("dnxhd", "yuv422p10le", "mp4", "h264", True),
        ("ffv1", "yuv420p", "mp4", "h264", True),
        ("utvideo", "yuv422p", "mkv", "ffv1", True),
        ("qtrle", "argb", "mov", "prores", True),
        ("png", "rgba", "mkv", "ffv1", True),
        ("prores", "yuva444p10le", "mov", "prores", False),
        ("prores", "yuv422p10le", "mp4", "h264", True),
        ("h264", "yuva420p", "mkv", "vp9", True),
        ("gif", "bgra", "mp4", "h264", True),
        ("gif", "bgra", "webm", "vp9", True),
    ],
)
def test_family_that_an_output_gets(codec, fmt, name, family, said):
    plan = planned(f"b.{name}", EncodeSettings(), fmt, codec)
    assert plan.family == family
    assert bool(plan.notes) is said
    if said:
        assert plan.notes[0].endswith(f" became {family}")


@pytest.mark.parametrize("name", ["b.webm", "b.mp4", "b.mkv"])
def test_ten_bits_of_vp9_are_kept_by_whichever_encoder_can(name):
    deep = any(f.name == "yuv420p10le" for f in av.Codec("libvpx-vp9", "w").video_formats)
    plan = planned(name, EncodeSettings(), "yuv420p10le", "vp9")
    assert (plan.family, plan.lost) == ("vp9" if deep else "av1", ())
    # Where AV1 would lose colour for it, or there is alpha, VP9 stays.
    assert planned(name, EncodeSettings(), "yuv444p10le", "vp9").family == "vp9"
    assert planned(name, EncodeSettings(), "yuv420p", "vp9").family == "vp9"
    assert planned(name, EncodeSettings("vp9"), "yuv420p10le", "vp9").family == "vp9"


def test_hardware_is_used_only_where_it_works(monkeypatch):
    """There is none in most places where tests run: an encoder in software plays its part."""
    monkeypatch.setattr(hardware, "_MAKERS", ("nvenc", "qsv"))
    names = {"nvenc": "no_such_encoder", "qsv": "no_such_encoder"}
    monkeypatch.setattr(hardware, "_name", lambda family, maker: names[maker])
    plan = planned("b.mp4", EncodeSettings(hardware="auto"))
    assert plan.encoder == "libx264"
    assert plan.notes == ("encoded in software by libx264: no hardware encoder opens",)
    with pytest.raises(WriteError, match=r"works here .*: use --hardware auto"):
        planned("b.mp4", EncodeSettings(hardware="nvenc"))
    names["qsv"] = "libx264"
    plan = planned("b.mp4", EncodeSettings(hardware="auto"))
    assert (plan.encoder, plan.notes) == ("libx264", ("encoded in hardware by libx264",))
    assert int(plan.options["b"]) > 0
    # It opens, but not for a picture of this size.
    odd = dataclasses.replace(ON_PAPER, width=65)
    monkeypatch.setattr(hardware, "choose_format", lambda *_: "yuv420p")
    plan = plan_encoding(Path("b.mp4"), odd, EncodeSettings(hardware="auto"))
    assert plan.notes[0].startswith("encoded in software")


QUIET = "log-level=none:bframes=0"
DISPLAY = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"


@pytest.mark.parametrize("name", ["mp4", "mov", "mkv"])
@pytest.mark.parametrize("codec", ["hevc", "h264", "av1"])
def test_hdr10_is_kept(tmp_path, codec, name):
    if (codec, name) == ("av1", "mov"):
        name = "webm"
    source = synth.write_video(
        tmp_path / "a.mp4", codec="libx265", fmt="yuv420p10le", n=5,
        options={"x265-params": f"{QUIET}:master-display={DISPLAY}:max-cll=987,65"},
    )  # fmt: skip
    out = tmp_path / f"b.{name}"
    writer = through(source, out, EncodeSettings(codec, preset="ultrafast"))
    assert writer.dropped == []
    want, got = probe(source).video.hdr, probe(out).video.hdr
    assert want.light == got.light == (987, 65)
    assert want.primaries[0] == (Fraction(17, 25), Fraction(8, 25))
    assert want.luminance == (Fraction(1, 10000), 1000)
    for a, b in zip(
        [*want.primaries, want.luminance], [*got.primaries, got.luminance], strict=True
    ):
        assert [float(v) for v in b] == pytest.approx([float(v) for v in a], abs=3e-4, rel=1e-4)


def test_hdr_data_that_no_encoder_writes_is_listed(tmp_path):
    source = synth.write_video(
        tmp_path / "a.mp4", codec="libx265", fmt="yuv420p10le", n=2,
        options={"x265-params": f"{QUIET}:master-display={DISPLAY}"},
    )  # fmt: skip
    assert through(source, tmp_path / "b.mkv", EncodeSettings("ffv1")).dropped == [
        "HDR mastering data"
    ]
    dynamic = dataclasses.replace(ON_PAPER, dynamic=("Dolby Vision",))
    assert plan_encoding(Path("b.mp4"), dynamic, EncodeSettings()).lost == ("Dolby Vision",)
