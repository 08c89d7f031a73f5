import dataclasses
import os
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import synth_media as synth
from rewriting import through

from labial.errors import ReadError, SpeechError, WriteError
from labial.media import EncodeSettings, VideoReader, VideoWriter, check_target, probe
from labial.media.encoders import plan_encoding
from labial.media.format_choice import choose_format
from labial.media.formats import layout
from labial.types import ColorTags

FAST = EncodeSettings(preset="ultrafast")


def dub(source, target, settings=FAST, audio=None, limit=None, **more):
    """Copy all frames of ``source`` through the writer; returns the writer."""
    with VideoReader(source) as reader:
        writer = VideoWriter(target, reader.media, settings, audio, limit, **more)
        with writer:
            for frame in reader.frames():
                writer.write(frame)
    return writer


def frames_of(path):
    with VideoReader(path) as reader:
        return list(reader.frames())


def times_of(path):
    return [frame.time for frame in frames_of(path)]


def same_pixels(a, b):
    return len(a) == len(b) and all(
        x.format == y.format
        and all(np.array_equal(p, q) for p, q in zip(x.planes, y.planes, strict=True))
        for x, y in zip(a, b, strict=True)
    )


@pytest.mark.parametrize("size", [(64, 48), (65, 49)])
@pytest.mark.parametrize(
    "fmt",
    [
        "yuv420p",
        "yuv422p10le",
        "yuv444p",
        "yuv420p10le",
        "bgr0",
        "bgra",
        "gray",
        "gbrp10le",
        "yuva420p",
        "gray16le",
        "yuv420p16le",
        "rgb48le",
    ],
)
def test_ffv1_is_bit_exact(tmp_path, fmt, size):
    source = synth.write_video(
        tmp_path / "a.mkv", codec="ffv1", fmt=fmt, size=size, n=4, make=synth.noise_frame
    )
    out = tmp_path / "out.mkv"
    writer = dub(source, out)
    assert writer.plan.encoder == "ffv1"
    assert writer.dropped == []
    assert same_pixels(frames_of(source), frames_of(out))


def test_pixels_reach_the_encoder_unchanged(tmp_path):
    """Near lossless h264 of a smooth picture stays near the source, in every plane."""
    for fmt in ("yuv420p", "yuv422p10le", "yuv444p"):
        source = synth.write_video(tmp_path / "a.mkv", codec="ffv1", fmt=fmt, n=3)
        out = tmp_path / "out.mp4"
        dub(source, out, EncodeSettings("h264", crf=1))
        for a, b in zip(frames_of(source), frames_of(out), strict=True):
            assert a.format == b.format
            for p, q in zip(a.planes, b.planes, strict=True):
                assert np.abs(p.astype(int) - q.astype(int)).mean() < 2


@pytest.mark.parametrize(
    ("codec", "name"),
    [
        ("h264", "out.mp4"),
        ("h264", "out.mov"),
        ("h264", "out.m4v"),
        ("h264", "out.mkv"),
        ("hevc", "out.mp4"),
        ("hevc", "out.mkv"),
        ("av1", "out.mp4"),
        ("av1", "out.webm"),
        ("vp9", "out.webm"),
        ("vp9", "out.mp4"),
        ("prores", "out.mov"),
        ("ffv1", "out.mkv"),
    ],
)
def test_variable_rate_times_are_exact(tmp_path, capfd, codec, name):
    """Times that all containers can hold (whole milliseconds), far from any constant rate."""
    ms = [0, 40, 41, 80, 160, 161, 162, 500, 540, 1700, 1740, 1741]
    source = synth.write_video(
        tmp_path / "a.mp4", pts=[90 * t for t in ms], time_base=Fraction(1, 90000), size=(66, 50)
    )
    out = tmp_path / name
    writer = dub(source, out, EncodeSettings(codec, preset="ultrafast"))
    assert writer.frames == len(ms)
    assert times_of(out) == times_of(source) == [Fraction(t, 1000) for t in ms]
    assert probe(out).video.codec.replace("libdav1d", "av1") == codec
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("start", [0, 1001, 24024])
@pytest.mark.parametrize("codec", ["h264", "hevc", "av1"])
def test_film_rate_is_exact_in_mp4(tmp_path, codec, start):
    source = synth.write_video(
        tmp_path / "a.mp4",
        pts=[start + 1001 * i for i in range(12)],
        rate=Fraction(24000, 1001),
        time_base=Fraction(1, 24000),
        container_options={"movie_timescale": "24000"},
    )
    out = tmp_path / "out.mp4"
    dub(source, out, EncodeSettings(codec, preset="ultrafast"))
    want = [Fraction(start + 1001 * i, 24000) for i in range(12)]
    assert times_of(out) == times_of(source) == want
    info = probe(out).video
    assert info.rate == Fraction(24000, 1001)
    assert info.n_frames == 12


def test_film_rate_in_mkv_is_exact_to_its_millisecond(tmp_path):
    source = synth.write_video(
        tmp_path / "a.mp4", rate=Fraction(24000, 1001), time_base=Fraction(1, 24000)
    )
    out = tmp_path / "out.mkv"
    dub(source, out)
    for got, want in zip(times_of(out), times_of(source), strict=True):
        assert abs(got - want) <= Fraction(1, 2000)
    assert probe(out).video.rate == Fraction(24000, 1001)


@pytest.mark.parametrize("codec", ["h264", "hevc", "av1", "vp9"])
def test_last_frame_keeps_its_length(tmp_path, codec):
    source = synth.write_video(tmp_path / "a.mp4", n=7)
    out = tmp_path / "out.mp4"
    settings = EncodeSettings(codec, preset="ultrafast")
    with VideoReader(source) as reader, VideoWriter(out, reader.media, settings) as writer:
        for frame in reader.frames():
            long = 25600 if frame.index == 6 else 512
            writer.write(dataclasses.replace(frame, duration=long))
    assert probe(out).video.duration == 2 + Fraction(6, 25)


@pytest.mark.parametrize("codec", ["h264", "hevc", "av1", "vp9", "ffv1", "prores"])
def test_one_frame_of_odd_size(tmp_path, codec):
    source = synth.write_video(tmp_path / "a.mkv", codec="ffv1", size=(65, 49), n=1)
    out = tmp_path / ("out.mov" if codec == "prores" else "out.mkv")
    dub(source, out, EncodeSettings(codec, preset="ultrafast"))
    (frame,) = frames_of(out)
    assert (frame.width, frame.height) == (65, 49)
    (origin,) = frames_of(source)
    difference = frame.planes[0].astype(int) >> (frame.format.bits - 8)
    assert np.abs(difference - origin.planes[0]).mean() < 4


@pytest.mark.parametrize("turn", [90, 180, 270])
@pytest.mark.parametrize("name", ["out.mp4", "out.mov", "out.mkv"])
def test_rotation_is_kept(tmp_path, turn, name):
    source = synth.write_video(
        tmp_path / "a.mp4", n=2, setup=lambda _, stream: stream.set_display_rotation(-turn)
    )
    dub(source, tmp_path / name)
    info = probe(tmp_path / name).video
    assert (info.rotation, info.width, info.height) == (turn, 64, 48)


@pytest.mark.parametrize(
    ("codec", "name"),
    [
        ("h264", "out.mp4"),
        ("hevc", "out.mov"),
        ("av1", "out.mkv"),
        ("vp9", "out.webm"),
        ("prores", "out.mov"),
        ("ffv1", "out.mkv"),
    ],
)
@pytest.mark.parametrize("tags", [ColorTags(1, 1, 1, False), ColorTags(9, 9, 16, False)])
def test_colour_tags_and_pixel_aspect_are_kept(tmp_path, codec, name, tags):
    def tag(_, stream):
        context = stream.codec_context
        context.colorspace, context.color_primaries = tags.matrix, tags.primaries
        context.color_trc, context.color_range = tags.transfer, 1
        context.sample_aspect_ratio = Fraction(4, 3)

    source = synth.write_video(tmp_path / "a.mp4", n=2, setup=tag)
    writer = dub(source, tmp_path / name, EncodeSettings(codec, preset="ultrafast"))
    info = probe(tmp_path / name).video
    assert info.color == probe(source).video.color == tags
    assert info.sample_aspect == Fraction(4, 3)
    assert writer.dropped == []


def test_full_range_is_kept(tmp_path):
    def tag(_, stream):
        stream.codec_context.color_range = 2

    source = synth.write_video(tmp_path / "a.mp4", n=2, setup=tag)
    dub(source, tmp_path / "out.mp4")
    assert probe(tmp_path / "out.mp4").video.color.full_range


def test_rgb_becomes_bt709(tmp_path):
    def red(fmt, width, height, _):
        frame = av.VideoFrame(width, height, fmt)
        np.frombuffer(frame.planes[0], np.uint8).reshape(-1, 4)[:] = (0, 0, 255, 0)
        return frame

    source = synth.write_video(tmp_path / "a.mkv", codec="ffv1", fmt="bgr0", n=2, make=red)
    dub(source, tmp_path / "out.mp4", EncodeSettings("h264", crf=1))
    frame = frames_of(tmp_path / "out.mp4")[0]
    assert frame.color == ColorTags(1, 1, 1, False)
    assert [int(p.mean().round()) for p in frame.planes] == pytest.approx([63, 102, 240], abs=2)


def rich_source(path: Path, subtitle: str = "mov_text") -> Path:
    """A clip with chapters, tags, an English subtitle line at 0.2 s and sound."""

    def setup(out, stream):
        out.metadata.update({"title": "Ä title", "artist": "Nobody"})
        stream.metadata["language"] = "fra"
        half = {"time_base": Fraction(1, 1000), "metadata": {"title": "One"}}
        rest = {"time_base": Fraction(1, 1000), "metadata": {"title": "Two"}}
        out.set_chapters(
            [{"id": 1, "start": 0, "end": 200, **half}, {"id": 2, "start": 200, "end": 400, **rest}]
        )
        lines = out.add_stream(subtitle)
        lines.codec_context.subtitle_header = (
            b"[Script Info]\r\nScriptType: v4.00+\r\n\r\n[V4+ Styles]\r\n"
            b"Format: Name, Fontname, Fontsize\r\nStyle: Default,Arial,16\r\n\r\n[Events]\r\n"
            b"Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\r\n"
        )
        lines.metadata["language"] = "eng"
        lines.time_base = Fraction(1, 1000)
        text = "Hello, wörld".encode()
        packet = av.Packet(len(text).to_bytes(2, "big") + text if subtitle == "mov_text" else text)
        packet.pts = packet.dts = 200
        packet.duration, packet.time_base, packet.stream = 150, Fraction(1, 1000), lines
        packet.is_keyframe = True
        setup.packet = packet
        setup.out = out

    def make(fmt, width, height, index):
        if index == 5:
            setup.out.mux(setup.packet)
        return synth.smooth_frame(fmt, width, height, index)

    return synth.write_video(path, setup=setup, make=make, sound="aac", options={"bf": "0"})


def subtitle_lines(path):
    lines = []
    with av.open(str(path)) as container:
        stream = container.streams.subtitles[0]
        codec = stream.codec_context.codec.name
        for packet in container.demux(stream):
            data = bytes(packet)
            if len(data) > 2:
                text = data[2:] if data[0] == 0 else data
                time = packet.pts * packet.time_base
                lines.append((time, packet.duration * packet.time_base, text.decode()))
        return codec, stream.language, lines


@pytest.mark.parametrize("origin", ["mov_text", "subrip"])
@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("out.mp4", "mov_text"),
        ("out.mov", "mov_text"),
        ("out.mkv", "subrip"),
        ("out.webm", "webvtt"),
    ],
)
def test_everything_else_is_kept(tmp_path, origin, name, codec):
    ending = "mp4" if origin == "mov_text" else "mkv"
    source = rich_source(tmp_path / f"a.{ending}", origin)
    speech = synth.write_sound(tmp_path / "s.wav", synth.burst(48000, 1), 48000)
    out = tmp_path / name
    writer = dub(source, out, audio=speech)
    assert writer.dropped == []
    with av.open(str(out)) as container:
        tags = {k.lower(): v for k, v in container.metadata.items()}
        assert (tags["title"], tags["artist"]) == ("Ä title", "Nobody")
        # Matroska asks for ISO 639-2's bibliographic code.
        french = "fre" if name.endswith(("mkv", "webm")) else "fra"
        assert container.streams.video[0].language == french
        chapters = container.chapters()
    scale = [(c["start"] * c["time_base"], c["metadata"]["title"]) for c in chapters]
    assert scale == [(0, "One"), (Fraction(1, 5), "Two")]
    got, language, lines = subtitle_lines(out)
    assert (got.replace("srt", "subrip"), language) == (codec, "eng")
    assert lines == [(Fraction(1, 5), Fraction(3, 20), "Hello, wörld")]


@pytest.mark.parametrize(
    ("name", "sound"), [("out.mp4", "aac"), ("out.mkv", "aac"), ("out.webm", "opus")]
)
def test_the_sources_other_streams_end_where_the_picture_does(tmp_path, name, sound):
    source = rich_source(tmp_path / "a.mp4")
    speech = synth.write_sound(tmp_path / "s.wav", synth.burst(48000, 1), 48000)
    settings = EncodeSettings(preset="ultrafast", keep_audio=True)
    out, end = tmp_path / name, Fraction(7, 25)
    assert through(source, out, settings, speech, kept=end).frames == 7
    with av.open(str(out)) as container:
        scale = [
            (c["start"] * c["time_base"], c["end"] * c["time_base"]) for c in container.chapters()
        ]
        assert scale == [(0, Fraction(1, 5)), (Fraction(1, 5), end)]
        lasts = sum(f.samples / f.sample_rate for f in container.decode(audio=1))
        assert float(end) <= lasts + 0.03
        assert lasts < float(end) + 0.05
    (line,) = subtitle_lines(out)[2]
    assert line == (Fraction(1, 5), end - Fraction(1, 5), "Hello, wörld")


@pytest.mark.parametrize(
    ("name", "sound"), [("out.mp4", "aac"), ("out.mkv", "aac"), ("out.webm", "opus")]
)
def test_the_sources_other_streams_begin_where_a_part_does(tmp_path, name, sound):
    source = rich_source(tmp_path / "a.mp4")
    speech = synth.write_sound(tmp_path / "s.wav", synth.burst(48000, 1), 48000)
    settings = EncodeSettings(preset="ultrafast", keep_audio=True)
    out, skip, end = tmp_path / name, Fraction(6, 25), Fraction(4, 25)
    with VideoReader(source) as reader:
        begin = reader.info.start * reader.info.time_base
        with VideoWriter(out, reader.media, settings, speech, end, kept=end, skip=skip) as writer:
            for frame in reader.frames():
                if skip <= frame.time - begin < skip + end:
                    earlier = round(skip / frame.time_base)
                    writer.write(replace(frame, pts=frame.pts - earlier))
    with av.open(str(out)) as container:
        scale = [
            (c["start"] * c["time_base"], c["end"] * c["time_base"]) for c in container.chapters()
        ]
        assert scale == [(0, end)]
        lasts = sum(f.samples / f.sample_rate for f in container.decode(audio=1))
        assert abs(lasts - float(end)) < 0.06
    # The tone sounds at 0.5 s of the source, which the part does not reach.
    (line,) = subtitle_lines(out)[2]
    assert line == (0, Fraction(7, 20) - skip, "Hello, wörld")


@pytest.mark.parametrize(("name", "sound"), [("out.mp4", "aac"), ("out.mkv", "pcm_s16le")])
def test_kept_sound_is_as_much_earlier_as_the_pictures(tmp_path, name, sound):
    source = synth.write_video(tmp_path / "a.mkv", n=25, sound=sound, options={"bf": "0"})
    speech = synth.write_sound(tmp_path / "s.wav", synth.burst(48000, 1), 48000)
    settings, skip = EncodeSettings(preset="ultrafast", keep_audio=True), Fraction(8, 25)
    with VideoReader(source) as reader:
        media, frames = reader.media, list(reader.frames())
    with VideoWriter(tmp_path / name, media, settings, speech, skip=skip) as writer:
        for frame in frames[8:]:
            writer.write(replace(frame, pts=frame.pts - frames[8].pts + frames[0].pts))
    before, after = synth.sound_onset(source), synth.sound_onset(tmp_path / name, 1)
    assert after == pytest.approx(before - 0.32, abs=0.002)


def test_a_retimed_picture_takes_none_of_them_along(tmp_path):
    source = rich_source(tmp_path / "a.mp4")
    speech = synth.write_sound(tmp_path / "s.wav", synth.burst(48000, 1), 48000)
    settings = EncodeSettings(preset="ultrafast", keep_audio=True)
    writer = through(source, tmp_path / "out.mp4", settings, speech, kept=Fraction(0))
    assert len(writer.dropped) == 3
    assert all("the picture is retimed" in what for what in writer.dropped)
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert len(container.streams.audio) == 1
        assert not container.streams.subtitles
        assert not container.chapters()
        assert container.metadata["title"] == "Ä title"


def test_attachments_stay_in_mkv_and_are_listed_elsewhere(tmp_path):
    def attach(out, _):
        out.add_attachment("font.ttf", "font/ttf", b"not a font")

    source = synth.write_video(tmp_path / "a.mkv", n=2, setup=attach)
    assert dub(source, tmp_path / "out.mkv").dropped == []
    with av.open(str(tmp_path / "out.mkv")) as container:
        (attachment,) = container.streams.attachments
        assert (attachment.name, attachment.mimetype) == ("font.ttf", "font/ttf")
        assert attachment.data == b"not a font"
    assert dub(source, tmp_path / "out.mp4").dropped == ["attachment stream 1"]


@pytest.mark.parametrize("start", [0, 5120])
@pytest.mark.parametrize("name", ["out.mp4", "out.mov", "out.mkv", "out.webm"])
@pytest.mark.parametrize(
    ("speech_name", "codec"),
    [("s.wav", "pcm_s16le"), ("s.mp3", "libmp3lame"), ("s.m4a", "aac"), ("s.opus", "libopus")],
)
def test_speech_starts_with_the_first_frame(tmp_path, name, start, speech_name, codec):
    source = synth.write_video(
        tmp_path / "a.mp4", pts=[start + 512 * i for i in range(50)], sound="aac"
    )
    speech = synth.write_sound(tmp_path / speech_name, synth.burst(48000, 2.5), 48000, codec)
    out = tmp_path / name
    dub(source, out, audio=speech, limit=Fraction(3, 2))
    assert times_of(out) == times_of(source)
    assert probe(out).n_audio == 1
    assert synth.sound_onset(out) == pytest.approx(synth.BURST_SECONDS, abs=0.003)
    assert synth.sound_seconds(out) == pytest.approx(1.5, abs=0.045)


@pytest.mark.parametrize(
    ("speech_name", "codec", "name", "want"),
    [
        ("s.wav", "pcm_s16le", "out.mp4", "aac"),
        ("s.wav", "pcm_s16le", "out.mkv", "pcm_s16le"),
        ("s.wav", "pcm_s16le", "out.webm", "opus"),
        ("s.mp3", "libmp3lame", "out.mp4", "mp3float"),
        ("s.m4a", "aac", "out.mp4", "aac"),
        ("s.m4a", "aac", "out.webm", "opus"),
        ("s.opus", "libopus", "out.webm", "opus"),
    ],
)
def test_speech_is_copied_where_it_fits(tmp_path, speech_name, codec, name, want):
    source = synth.write_video(tmp_path / "a.mp4", n=25)
    speech = synth.write_sound(tmp_path / speech_name, synth.burst(48000, 1), 48000, codec)
    dub(source, tmp_path / name, audio=speech)
    with av.open(str(speech)) as a, av.open(str(tmp_path / name)) as b:
        assert b.streams.audio[0].codec_context.codec.name == want
        given = [bytes(p) for p in a.demux(audio=0) if p.size]
        kept = [bytes(p) for p in b.demux(audio=0) if p.size]
    if want == codec or (codec, want) == ("libmp3lame", "mp3float"):
        assert b"".join(kept) == b"".join(given)


@pytest.mark.parametrize(
    ("rate", "layout", "ending", "want"),
    [
        (44100, "stereo", "mp4", (44100, 2)),
        (16000, "mono", "mp4", (16000, 1)),
        (192000, "mono", "mp4", (96000, 1)),
        (44100, "stereo", "webm", (48000, 2)),
        (48000, "5.1", "mp4", (48000, 6)),
        (48000, "5.1(side)", "webm", (48000, 6)),
    ],
)
def test_transcoding_keeps_rate_and_channels(tmp_path, rate, layout, ending, want):
    source = synth.write_video(tmp_path / "a.mp4", n=25)
    channels = {"mono": 1, "stereo": 2}.get(layout, 6)
    samples = synth.burst(rate, 1, channels)
    speech = synth.write_sound(tmp_path / "s.wav", samples, rate, "pcm_s16le", layout)
    out = tmp_path / f"out.{ending}"
    dub(source, out, audio=speech)
    audio = probe(out).audio
    assert (audio.rate, audio.channels) == want
    assert synth.sound_onset(out) == pytest.approx(synth.BURST_SECONDS, abs=0.003)


def test_trimming_is_exact_to_the_sample(tmp_path):
    """In opus and mkv the end of the sound is stored to the sample."""
    source = synth.write_video(tmp_path / "a.mp4", n=25)
    speech = synth.write_sound(tmp_path / "s.wav", synth.burst(48000, 3), 48000)
    dub(source, tmp_path / "out.webm", audio=speech, limit=Fraction(12345, 48000))
    assert synth.sound_seconds(tmp_path / "out.webm") * 48000 == pytest.approx(12345, abs=1)


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv", "out.webm", "out.mov"])
def test_source_sound_stays_when_there_is_no_speech(tmp_path, name):
    source = synth.write_video(tmp_path / "a.mp4", n=25, sound="aac")
    out = tmp_path / name
    dub(source, out)
    assert synth.sound_onset(out) == pytest.approx(synth.sound_onset(source), abs=0.003)
    assert probe(out).audio.codec == ("opus" if name.endswith("webm") else "aac")


def test_other_languages_are_listed(tmp_path):
    source = synth.write_video(tmp_path / "a.mp4", n=25, sound="aac", languages=("fra", "deu"))
    assert dub(source, tmp_path / "kept.mp4").dropped == []
    assert probe(tmp_path / "kept.mp4").n_audio == 2
    speech = synth.write_sound(tmp_path / "s.wav", synth.burst(48000, 1), 48000)
    assert dub(source, tmp_path / "out.mp4", audio=speech).dropped == ["audio stream 2 (deu)"]


@pytest.mark.parametrize(
    ("encoder", "source", "size", "want"),
    [
        ("libx264", "yuv420p", (64, 48), "yuv420p"),
        ("libx264", "yuv420p", (65, 48), "yuv444p"),
        ("libx264", "yuv420p", (64, 49), "yuv422p"),
        ("libx264", "yuv422p10le", (64, 48), "yuv422p10le"),
        ("libx264", "yuv420p12le", (64, 48), "yuv420p10le"),
        ("libx264", "yuv411p", (64, 48), "yuv422p"),
        ("libx264", "yuv440p", (64, 48), "yuv444p"),
        ("libx264", "gbrp", (64, 48), "yuv444p"),
        ("libx264", "gbrap", (64, 48), "yuv444p"),
        ("libx264", "gray", (64, 48), "gray"),
        ("libx265", "gbrp", (64, 48), "gbrp"),
        ("libx265", "yuva420p", (64, 48), "yuv420p"),
        ("libx265", "gray16le", (64, 48), "gray12le"),
        ("libsvtav1", "yuv444p", (64, 48), "yuv420p"),
        ("libsvtav1", "yuv422p10le", (64, 48), "yuv420p10le"),
        ("libsvtav1", "gray", (64, 48), "yuv420p"),
        ("libvpx-vp9", "yuva420p", (64, 48), "yuva420p"),
        ("libvpx-vp9", "gray", (64, 48), "yuv420p"),
        ("prores_ks", "yuv420p", (64, 48), "yuv422p10le"),
        ("prores_ks", "gbrap", (64, 48), "yuva444p10le"),
        ("ffv1", "gbrp", (64, 48), "bgr0"),
        ("ffv1", "gbrap", (64, 48), "bgra"),
        ("ffv1", "yuv410p", (64, 48), "yuv410p"),
    ],
)
def test_format_that_loses_least(encoder, source, size, want):
    assert choose_format(encoder, layout(source).format, *size) == want


def test_plan_caps_near_the_source_bit_rate(tmp_path):
    video = probe(synth.write_video(tmp_path / "a.mp4")).video
    video = dataclasses.replace(video, bit_rate=4_000_000)
    options = plan_encoding(Path("a.mp4"), video, EncodeSettings()).options
    assert options["crf"] == "17"
    assert (options["maxrate"], options["bufsize"]) == ("6000000", "12000000")
    options = plan_encoding(Path("a.mp4"), video, EncodeSettings(crf=30)).options
    assert options["crf"] == "30"
    assert "maxrate" not in options


HARD = {
    "libx264": {"crf": "40"},
    "libx265": {"x265-params": "log-level=none:crf=40"},
    "libvpx-vp9": {"crf": "55", "b": "0", "cpu-used": "8", "deadline": "realtime"},
    "mpeg2video": {"b": "400000", "maxrate": "400000", "bufsize": "800000"},
}


@pytest.mark.parametrize(
    ("origin", "codec"),
    [
        ("libx264", "source"), ("libx264", "hevc"), ("libx264", "av1"), ("libx264", "vp9"),
        ("libx265", "source"), ("libvpx-vp9", "source"), ("mpeg2video", "source"),
    ],
)  # fmt: skip
def test_output_is_not_larger_than_a_hard_source(tmp_path, origin, codec):
    """Noise asks for far more bits than the source spent; the cap holds it near them."""
    source = synth.write_video(
        tmp_path / "a.mkv", codec=origin, n=250, size=(96, 64), make=synth.noise_frame,
        options=HARD[origin], time_base=Fraction(1, 25),
    )  # fmt: skip
    out = tmp_path / "out.mkv"
    dub(source, out, EncodeSettings(codec, preset="superfast"))
    assert out.stat().st_size < 2 * source.stat().st_size


def test_hevc_in_mp4_is_tagged_for_players(tmp_path):
    source = synth.write_video(tmp_path / "a.mp4", n=2)
    dub(source, tmp_path / "out.mp4", EncodeSettings("hevc", preset="ultrafast"))
    data = (tmp_path / "out.mp4").read_bytes()
    assert b"hvc1" in data and b"hev1" not in data
    assert data.index(b"moov") < data.index(b"mdat")


@pytest.mark.parametrize(
    ("ending", "codec", "want"),
    [
        ("mp4", "libx264", "libx264"),
        ("mp4", "libx265", "libx265"),
        ("mp4", "mpeg4", "libx264"),
        ("mkv", "ffv1", "libx264"),
        ("mov", "prores_ks", "libx264"),
    ],
)
def test_source_family_is_kept_where_mp4_allows(tmp_path, ending, codec, want):
    fmt = "yuv422p10le" if codec == "prores_ks" else "yuv420p"
    source = probe(synth.write_video(tmp_path / f"a.{ending}", codec=codec, fmt=fmt, n=2))
    assert check_target(tmp_path / "out.mp4", source).encoder == want
    assert check_target(tmp_path / "out.webm", source).encoder == "libvpx-vp9"


def test_prores_profile_is_kept(tmp_path):
    source = synth.write_video(
        tmp_path / "a.mov",
        codec="prores_ks",
        fmt="yuv422p10le",
        n=2,
        options={"profile": "1"},
    )
    dub(source, tmp_path / "out.mov")
    video = probe(tmp_path / "out.mov").video
    assert (video.codec, video.profile) == ("prores", "LT")


def test_still_picture_at_a_rate(tmp_path):
    path = tmp_path / "face.png"
    synth.smooth_frame("rgb24", 64, 48, 0).save(str(path))
    with VideoReader(path) as reader:
        (still,) = reader.frames()
        out = tmp_path / "out.mp4"
        rate = Fraction(30)
        with VideoWriter(out, reader.media, FAST, rate=rate) as writer:
            for i in range(9):
                writer.write(dataclasses.replace(still, pts=i, time_base=1 / rate, duration=1))
    assert times_of(out) == [Fraction(i, 30) for i in range(9)]
    assert probe(out).video.rate == 30


@pytest.mark.parametrize(
    "name",
    [
        "with space.mp4",
        'it\'s "quoted".mp4',
        "影片 é.mkv",
        "file:a.mp4",
        "%03d.mp4",
        "x" * 251 + ".mp4",
    ],
)
def test_names(tmp_path, name, monkeypatch):
    source = synth.write_video(tmp_path / "a.mp4", n=2)
    monkeypatch.chdir(tmp_path)
    dub(source, name)
    assert probe(name).video.width == 64
    assert {p.name for p in tmp_path.iterdir()} == {"a.mp4", name}


class Stop(BaseException):
    """Stands for the user's interrupt."""


@pytest.mark.parametrize("kind", [Stop, ValueError, KeyboardInterrupt])
@pytest.mark.parametrize("old", [None, b"old"])
def test_nothing_is_left_behind(tmp_path, kind, old):
    source = synth.write_video(tmp_path / "a.mp4", n=5)
    out = tmp_path / "out.mp4"
    if old is not None:
        out.write_bytes(old)
    with VideoReader(source) as reader, pytest.raises(kind):  # noqa: SIM117
        with VideoWriter(out, reader.media, FAST) as writer:
            for frame in reader.frames():
                writer.write(frame)
                assert len(list(tmp_path.glob(".out.*.partial.mp4"))) == 1
                if frame.index == 3:
                    raise kind
    assert {p.name for p in tmp_path.iterdir()} == {"a.mp4"} | ({"out.mp4"} if old else set())
    assert old is None or out.read_bytes() == old


def test_no_frames_is_an_error(tmp_path):
    source = probe(synth.write_video(tmp_path / "a.mp4", n=2))
    with pytest.raises(WriteError, match="no frames"), VideoWriter(tmp_path / "b.mp4", source):
        pass
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]


@pytest.mark.parametrize(
    ("target", "settings", "says"),
    [
        ("nowhere/out.mp4", FAST, "there is no directory"),
        ("a.mp4", FAST, "it is the source video"),
        ("s.mkv", FAST, "it is the speech"),
        ("folder.mp4", FAST, "it is a directory"),
        (f"{'n' * 300}.mp4", FAST, "File name too long"),
        ("out.xyz", FAST, r"must end in one of \.mp4, \.m4v"),
        ("out", FAST, "must end in one of"),
        ("out.webm", EncodeSettings("h264"), r"\.webm cannot hold h264 video: .*\.mp4"),
        ("out.mp4", EncodeSettings("prores"), r"cannot hold prores video: .*\.mov"),
        ("out.mp4", EncodeSettings(crf=60), "takes 0 .best. to 51"),
        ("out.mov", EncodeSettings("prores", crf=20), "means nothing to prores"),
        ("out.mp4", EncodeSettings(preset="quick"), "unknown preset 'quick'"),
    ],
)
def test_bad_targets_are_refused_before_any_work(tmp_path, target, settings, says):
    source = probe(synth.write_video(tmp_path / "a.mp4", n=2))
    speech = synth.write_sound(tmp_path / "s.mkv", synth.burst(48000, 1), 48000)
    (tmp_path / "folder.mp4").mkdir()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(WriteError, match=says) as caught:
        VideoWriter(tmp_path / target, source, settings, speech)
    assert "\n" not in str(caught.value)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_closed_directory(tmp_path):
    source = probe(synth.write_video(tmp_path / "a.mp4", n=2))
    (tmp_path / "closed").mkdir(mode=0o500)
    with pytest.raises(WriteError, match="no permission"):
        VideoWriter(tmp_path / "closed" / "out.mp4", source)


def test_speech_must_have_sound(tmp_path):
    source = probe(synth.write_video(tmp_path / "a.mp4", n=2))
    with (
        pytest.raises(SpeechError, match="no audio stream"),
        VideoWriter(tmp_path / "b.mp4", source, FAST, source.path),
    ):
        pass
    with (
        pytest.raises(ReadError, match="No such file"),
        VideoWriter(tmp_path / "b.mp4", source, FAST, tmp_path / "no.wav"),
    ):
        pass
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]


def test_times_must_increase(tmp_path):
    source = synth.write_video(tmp_path / "a.mp4", n=2)
    with VideoReader(source) as reader:
        frames = list(reader.frames())
        with (
            pytest.raises(ValueError, match="does not come after"),
            VideoWriter(tmp_path / "b.mp4", reader.media, FAST) as writer,
        ):
            for frame in reversed(frames):
                writer.write(frame)


def test_speech_of_eight_channels_is_cut_to_the_video(tmp_path):
    source = synth.write_video(tmp_path / "in.mp4", n=25)
    speech = tmp_path / "in.wav"
    # Interleaved: PyAV reads past the planes of a planar frame of eight.
    sound = synth.burst(96_000, 2.0, 8).T.reshape(1, -1).copy()
    frame = av.AudioFrame.from_ndarray(sound, "flt", "7.1")
    frame.sample_rate = 96_000
    with av.open(str(speech), "w") as out:
        stream = out.add_stream("pcm_f32le", rate=96_000, layout="7.1")
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    dub(source, tmp_path / "out.mp4", audio=speech, limit=Fraction(1))
    assert synth.sound_seconds(tmp_path / "out.mp4") == pytest.approx(1, abs=0.05)
