"""Sound tracks, timecode, covers and tags of an output, read back with FFmpeg's own demuxers."""

from fractions import Fraction

import av
import pytest
import synth_media as synth
from rewriting import through

from labial.errors import OptionError
from labial.media import EncodeSettings, check_target, probe
from labial.media.tags import language_code, two_letters

DEFAULT = av.stream.Disposition.default
COVER = av.stream.Disposition.attached_pic


def dubbed(source, target, audio=None, **settings):
    return through(source, target, EncodeSettings(preset="ultrafast", **settings), audio)


def tracks(path):
    with av.open(str(path)) as container:
        return [
            (s.codec_context.codec.name, s.language, bool(s.disposition & DEFAULT))
            for s in container.streams.audio
        ]


def sound_packets(path, index):
    with av.open(str(path)) as container:
        stream = container.streams.audio[index]
        return [(p.pts * p.time_base, bytes(p)) for p in container.demux(stream) if p.size]


@pytest.mark.parametrize("name", ["out.mp4", "out.mov", "out.mkv"])
def test_kept_tracks_follow_the_dub(tmp_path, name):
    source = synth.write_video(
        tmp_path / "a.mp4", n=30, sound="aac", languages=("fra", "deu"), options={"bf": "0"}
    )
    speech = synth.write_sound(tmp_path / "s.m4a", synth.burst(48000, 1), 48000, "aac")
    writer = dubbed(source, tmp_path / name, speech, keep_audio=True, language="es")
    assert writer.dropped == []
    got = tracks(tmp_path / name)
    assert got[0] == ("aac", "spa", True)
    assert [codec for codec, _, _ in got] == ["aac"] * 3
    assert [default for _, _, default in got] == [True, False, False]
    want = {"mp4": ["fra", "deu"], "mov": ["fra", "ger"], "mkv": ["fre", "ger"]}[name[-3:]]
    assert [language for _, language, _ in got[1:]] == want
    assert probe(tmp_path / name).audio.index == 1
    for index in (1, 2):
        kept, given = sound_packets(tmp_path / name, index), sound_packets(source, index - 1)
        assert [data for _, data in kept] == [data for _, data in given]
        for (a, _), (b, _) in zip(kept, given, strict=True):
            assert abs(a - b) <= Fraction(1, 1000)


def test_kept_tracks_are_encoded_where_the_container_cannot_hold_them(tmp_path):
    source = synth.write_video(tmp_path / "a.mp4", n=30, sound="aac", languages=("fra",))
    speech = synth.write_sound(tmp_path / "s.wav", synth.burst(48000, 1), 48000)
    dubbed(source, tmp_path / "out.webm", speech, keep_audio=True)
    assert [codec for codec, _, _ in tracks(tmp_path / "out.webm")] == ["opus", "opus"]
    with av.open(str(tmp_path / "out.webm")) as container:
        kept = container.streams.audio[1]
        seconds = sum(f.samples / f.sample_rate for f in container.decode(kept))
    assert seconds == pytest.approx(30 / 25, abs=0.05)


def test_without_asking_only_the_dub_is_there(tmp_path):
    source = synth.write_video(tmp_path / "a.mp4", n=10, sound="aac", languages=("fra", "deu"))
    speech = synth.write_sound(tmp_path / "s.wav", synth.burst(48000, 1), 48000)
    writer = dubbed(source, tmp_path / "out.mp4", speech)
    assert len(tracks(tmp_path / "out.mp4")) == 1
    assert writer.dropped == ["audio stream 2 (deu)"]


@pytest.mark.parametrize(
    ("given", "short"),
    [("deu", "de"), ("GER", "de"), ("por_BR", "pt-br"), ("fr", "fr"), ("cmn", "cmn"), ("?", "?")],
)
def test_languages_by_two_letters(given: str, short: str) -> None:
    assert two_letters(given) == short


@pytest.mark.parametrize(
    ("given", "mp4", "mkv", "mov"),
    [
        ("es", "spa", "spa", "spa"),
        ("DE", "deu", "ger", "ger"),
        ("ger", "deu", "ger", "ger"),
        ("fra", "fra", "fre", "fra"),
        ("zh-CN", "zho", "chi", "chi"),
        ("pt_BR", "por", "por", "por"),
        ("hr", "hrv", "hrv", "hr "),
        ("cmn", "cmn", "cmn", ""),
        ("hau", "hau", "hau", ""),
    ],
)
def test_languages_are_called_as_containers_call_them(tmp_path, given, mp4, mkv, mov):
    source = synth.write_video(tmp_path / "a.mp4", n=2)
    speech = synth.write_sound(tmp_path / "s.wav", synth.burst(48000, 1), 48000)
    for name, want in [("out.mp4", mp4), ("out.mkv", mkv), ("out.mov", mov)]:
        muxer = {"mkv": "matroska"}.get(name[-3:], name[-3:])
        assert language_code(given, muxer) == want
        writer = dubbed(source, tmp_path / name, speech, language=given)
        ((_, got, _),) = tracks(tmp_path / name)
        assert (got or "") == want
        assert writer.dropped == ([] if want else [f"language {given} of the speech"])


@pytest.mark.parametrize("given", ["xx", "spanish", "", "e", "12", "es;"])
def test_what_is_no_language_is_refused_before_the_work(tmp_path, given):
    source = probe(synth.write_video(tmp_path / "a.mp4", n=1))
    with pytest.raises(OptionError, match="give an ISO 639 code"):
        check_target(tmp_path / "b.mp4", source, EncodeSettings(language=given))


def timecodes(path):
    with av.open(str(path)) as container:
        tags = [s.metadata for s in container.streams] + [container.metadata]
        return [v for t in tags for k, v in t.items() if k.lower() == "timecode"]


@pytest.mark.parametrize("origin", ["mov", "mp4", "mkv"])
@pytest.mark.parametrize("name", ["out.mp4", "out.mov", "out.mkv", "out.webm"])
def test_timecode_is_kept(tmp_path, origin, name):
    def setup(_, stream):
        stream.metadata["timecode"] = "10:20:30:12"

    source = synth.write_video(tmp_path / f"a.{origin}", n=3, setup=setup)
    writer = dubbed(source, tmp_path / name)
    assert writer.dropped == []
    assert set(timecodes(tmp_path / name)) == {"10:20:30:12"}
    with av.open(str(tmp_path / name)) as container:
        kinds = [stream.type for stream in container.streams]
    # A track of its own, which is where editors look.
    assert ("data" in kinds) == name.endswith(("mp4", "mov"))


def picture(codec):
    """One small picture as a file's bytes."""
    fmt = {"mjpeg": "yuvj420p", "png": "rgb24"}[codec]
    context = av.CodecContext.create(codec, "w")
    context.width, context.height, context.pix_fmt = 32, 24, fmt
    context.time_base = Fraction(1, 25)
    frame = synth.smooth_frame(fmt, 32, 24, 0)
    frame.pts = 0
    return bytes([*context.encode(frame), *context.encode(None)][0])


def with_cover(path, codec):
    data = picture(codec)
    if path.suffix == ".mkv":
        ending = {"mjpeg": "jpg", "png": "png"}[codec]
        mime = {"mjpeg": "image/jpeg", "png": "image/png"}[codec]
        return synth.write_video(
            path, n=3, setup=lambda out, _: out.add_attachment(f"cover.{ending}", mime, data)
        ), data

    def setup(out, _):
        fmt = {"mjpeg": "yuvj420p", "png": "rgb24"}[codec]
        setup.stream = out.add_stream(codec, rate=25, width=32, height=24)
        setup.stream.pix_fmt = fmt
        setup.stream.disposition = int(COVER)
        setup.out = out

    def make(fmt, width, height, index):
        if index == 1:
            packet = av.Packet(data)
            packet.stream, packet.time_base = setup.stream, Fraction(1, 25)
            packet.pts = packet.dts = 0
            packet.is_keyframe = True
            setup.out.mux(packet)
        return synth.smooth_frame(fmt, width, height, index)

    return synth.write_video(path, n=3, setup=setup, make=make), data


def covers(path):
    with av.open(str(path)) as container:
        streams = [s for s in container.streams.video if s.disposition & COVER]
        return [bytes(p) for s in streams for p in container.demux(s) if p.size]


@pytest.mark.parametrize("codec", ["mjpeg", "png"])
@pytest.mark.parametrize("origin", ["a.mp4", "a.mkv"])
@pytest.mark.parametrize("name", ["out.mp4", "out.m4v", "out.mkv"])
def test_cover_goes_along(tmp_path, codec, origin, name):
    source, data = with_cover(tmp_path / origin, codec)
    assert covers(source) == [data]
    writer = dubbed(source, tmp_path / name)
    assert writer.dropped == []
    assert covers(tmp_path / name) == [data]
    assert probe(tmp_path / name).video.codec == "h264"


@pytest.mark.parametrize("name", ["out.mov", "out.webm"])
def test_cover_without_a_place_is_listed(tmp_path, name):
    source, _ = with_cover(tmp_path / "a.mp4", "mjpeg")
    assert dubbed(source, tmp_path / name).dropped == ["cover picture"]


@pytest.mark.parametrize("origin", ["mov", "mkv"])
@pytest.mark.parametrize("name", ["out.mp4", "out.mov", "out.mkv"])
def test_dates_and_named_tags_are_kept(tmp_path, origin, name):
    tags = {
        "creation_time": "2021-05-06T07:08:09.000000Z",
        "title": "Ä title",
        "com.apple.quicktime.make": "Maker",
        "com.apple.quicktime.location.iso6709": "+52.5+013.4/",
    }

    def setup(out, stream):
        out.metadata.update(tags)
        stream.metadata["creation_time"] = tags["creation_time"]

    source = synth.write_video(
        tmp_path / f"a.{origin}", n=2, setup=setup,
        container_options={"movflags": "use_metadata_tags"} if origin == "mov" else None,
    )  # fmt: skip
    dubbed(source, tmp_path / name)
    with av.open(str(tmp_path / name)) as container:
        got = {key.lower(): value for key, value in container.metadata.items()}
        assert {key: got.get(key) for key in tags} == tags
        if not name.endswith("mkv") and origin == "mov":
            assert container.streams.video[0].metadata["creation_time"] == tags["creation_time"]


def test_a_cover_goes_before_named_tags(tmp_path):
    """FFmpeg's muxer of mp4 has a place for one of them only."""
    data = picture("png")

    def setup(out, _):
        out.metadata["com.apple.quicktime.make"] = "Maker"
        out.add_attachment("cover.png", "image/png", data)

    source = synth.write_video(tmp_path / "a.mkv", n=2, setup=setup)
    writer = dubbed(source, tmp_path / "out.mp4")
    assert [loss.lower() for loss in writer.dropped] == ["tags com.apple.quicktime.make"]
    assert covers(tmp_path / "out.mp4") == [data]


def test_ordinary_tags_stay_where_players_look(tmp_path):
    """With names of their own, mp4's usual places stay empty: only where it must be."""
    source = synth.write_video(
        tmp_path / "a.mp4", n=2, setup=lambda out, _: out.metadata.update({"title": "T"})
    )
    dubbed(source, tmp_path / "out.mp4")
    assert b"\xa9nam" in (tmp_path / "out.mp4").read_bytes()


@pytest.mark.parametrize("origin", ["a.mp4", "a.mkv", "a.ts"])
@pytest.mark.parametrize("name", ["out.mp4", "out.mov", "out.mkv", "out.webm"])
@pytest.mark.parametrize("late", [0, 37500])
def test_kept_tracks_stay_in_step_with_the_pictures(tmp_path, origin, name, late):
    """A tone in the source's own sound comes as long after the first picture as it did."""
    source = synth.write_video(
        tmp_path / origin, sound="aac", languages=("fra",), options={"bf": "0"},
        pts=[late + 3600 * i for i in range(40)], time_base=Fraction(1, 90000),
    )  # fmt: skip
    speech = synth.write_sound(tmp_path / "s.wav", synth.burst(48000, 1.5, at=0.25), 48000)
    out = tmp_path / name
    dubbed(source, out, speech, keep_audio=True)
    assert synth.sound_onset(out) == pytest.approx(0.25, abs=0.003)
    want = synth.sound_onset(source)
    assert synth.sound_onset(out, 1) == pytest.approx(want, abs=0.003)
