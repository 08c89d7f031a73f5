"""One table: what of a file is still there after its pictures went through reader and writer.

Sources are made, and sources and outputs are read, with FFmpeg's own muxers and demuxers; nothing
of the reading here is shared with the product.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import synth_media as synth

from labial.media import EncodeSettings, VideoReader, VideoWriter
from labial.media.opening import open_encoder

DEFAULT = av.stream.Disposition.default
BT601, BT709, BT2020 = (5, 5, 6), (1, 1, 1), (9, 9, 14)
PQ, HLG = (9, 9, 16), (9, 9, 18)
FILM, NTSC, DOUBLE = Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60000, 1001)
CREATED = "2019-08-07T06:05:04.000000Z"
SUBTITLE_HEADER = (
    b"[Script Info]\r\nScriptType: v4.00+\r\n\r\n[V4+ Styles]\r\n"
    b"Format: Name, Fontname, Fontsize\r\nStyle: Default,Arial,16\r\n\r\n[Events]\r\n"
    b"Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\r\n"
)
# What muxers of a kind keep beside picture and sound.
RICH = {"mp4": "mov_text", "mov": "mov_text", "mkv": "subrip", "webm": ""}


@dataclass(frozen=True)
class Case:
    """A source, an output, and the facts in which the output may differ, with their value there."""

    source: str
    codec: str
    fmt: str
    target: str
    size: tuple[int, int] = (64, 48)
    rate: Fraction = Fraction(25)
    times: Sequence[Fraction] = ()
    color: tuple[int, int, int] = (2, 2, 2)
    full: bool = False
    aspect: Fraction = Fraction(1)
    turn: int = 0
    options: dict[str, str] = field(default_factory=dict)
    muxer_options: dict[str, str] = field(default_factory=dict)
    sound: str = "aac"
    alpha: bool = False
    timecode: bool = True
    changes: dict[str, Any] = field(default_factory=dict)
    lost: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.codec} {self.fmt} {self.source} to {self.target}"


VARIABLE = [Fraction(t, 1000) for t in (0, 40, 41, 120, 121, 500, 540, 900, 933, 967)]
LATE = [Fraction(3, 2) + Fraction(i, 25) for i in range(10)]
QUIET = {"x265-params": "log-level=none"}
PASSING = {"codec": "h264", "profile": "High"}
CASES = [
    Case("mp4", "libx264", "yuv420p", "mp4", rate=FILM, color=BT709),
    Case("mp4", "libx264", "yuv420p", "mkv", rate=NTSC, color=BT709),
    Case("mov", "libx264", "yuv420p", "mp4", rate=DOUBLE, color=BT601, aspect=Fraction(16, 15)),
    Case("mp4", "libx264", "yuv420p", "mov", turn=90, options={"profile": "baseline"}),
    Case("mp4", "libx264", "yuv420p", "mp4", turn=270, full=True, options={"profile": "main"}),
    Case("mov", "libx264", "yuv420p10le", "mp4", rate=Fraction(50), color=BT2020),
    Case("mov", "libx264", "yuv422p10le", "mov", rate=FILM, color=BT709),
    Case("mkv", "libx264", "yuv444p", "mkv", size=(65, 49), aspect=Fraction(4, 3)),
    Case("mp4", "libx264", "yuv420p", "mp4", rate=Fraction(120)),
    Case("mp4", "libx264", "yuv420p", "mp4", times=VARIABLE, timecode=False),
    Case("mp4", "libx264", "yuv420p", "mkv", times=VARIABLE, timecode=False, options={"bf": "0"}),
    Case("mp4", "libx264", "yuv420p", "mp4", times=LATE),
    Case("mp4", "libx264", "yuv420p", "mp4", options={"bf": "3", "x264-params": "b-adapt=0"}),
    Case("mp4", "libx264", "yuv420p", "mp4",
         muxer_options={"movflags": "frag_keyframe+empty_moov"}),
    Case("mp4", "libx265", "yuv420p", "mp4", options=QUIET, color=BT709, times=LATE),
    Case("mp4", "libx265", "yuv420p10le", "mp4", options=QUIET, color=PQ),
    Case("mkv", "libx265", "yuv420p10le", "mkv", options=QUIET, color=HLG, aspect=Fraction(8, 9)),
    Case("mov", "libx265", "yuv422p12le", "mov", options=QUIET, rate=FILM),
    Case("mp4", "libsvtav1", "yuv420p", "mp4", options={"preset": "10"}, color=BT709),
    Case("mkv", "libsvtav1", "yuv420p10le", "webm", options={"preset": "10"}, color=PQ,
         sound="libopus"),
    Case("webm", "libvpx-vp9", "yuv420p", "webm", sound="libopus", aspect=Fraction(4, 3)),
    Case("mp4", "libvpx-vp9", "yuv444p", "mp4", color=BT709),
    Case("webm", "libvpx-vp9", "yuva420p", "webm", sound="libopus", alpha=True,
         options={"auto-alt-ref": "0"}),
    Case("mov", "prores_ks", "yuv422p10le", "mov", options={"profile": "0"}, rate=FILM,
         sound="pcm_s16le", color=BT709),
    Case("mov", "prores_ks", "yuv422p10le", "mov", options={"profile": "3"}, sound="pcm_s24le"),
    Case("mov", "prores_ks", "yuva444p10le", "mov", options={"profile": "4"}, sound="pcm_s16le",
         changes={}, lost=("2 of 12 bits of depth",)),
    Case("mkv", "ffv1", "gray16le", "mkv", sound="flac", size=(65, 49)),
    Case("mkv", "ffv1", "gbrp10le", "mkv", sound="flac"),
    Case("mkv", "ffv1", "yuva420p", "mkv", sound="pcm_s16le", rate=FILM),
    Case("mkv", "ffv1", "yuv422p10le", "mkv", full=True, color=BT2020, turn=180),
    Case("ts", "mpeg2video", "yuv420p", "mp4", sound="mp2", options={"bf": "2"},
         changes=PASSING, lost=("audio codec",)),
    Case("avi", "mpeg4", "yuv420p", "mp4", sound="libmp3lame", changes=PASSING),
    Case("mxf", "mpeg2video", "yuv422p", "mov", sound="pcm_s16le", options={"b": "5000000"},
         changes={"codec": "h264", "profile": "High 4:2:2"}),
    Case("mov", "dnxhd", "yuv422p10le", "mov", sound="pcm_s16le", size=(256, 144),
         options={"profile": "dnxhr_hqx"}, changes={"codec": "prores", "profile": "HQ"}),
    Case("mov", "mjpeg", "yuvj422p", "mkv", full=True,
         changes={"codec": "h264", "profile": "High 4:2:2"}),
    Case("asf", "wmv2", "yuv420p", "mp4", sound="wmav2", changes=PASSING, lost=("audio codec",)),
    Case("mov", "qtrle", "argb", "mov", sound="pcm_s16le",
         changes={"codec": "prores", "profile": "4444", "pix_fmt": "yuva444p12le",
                  "color": (1, 1, 1)}),
    Case("avi", "utvideo", "yuv420p", "mkv", sound="pcm_s16le", changes={"codec": "ffv1"}),
]  # fmt: skip


def build(path: Path, case: Case) -> None:
    """Write the source: picture, two sounds, a subtitle, chapters, timecode and tags."""
    times = case.times or [i / case.rate for i in range(12)]
    rich = path.suffix[1:] in RICH
    subtitle = RICH.get(path.suffix[1:], "")
    base = 1 / case.rate
    for time in times:
        base = Fraction(1, np.lcm(base.denominator, time.denominator))
    if case.codec in ("mpeg2video", "mpeg4", "wmv2"):
        base = 1 / case.rate
    timed = {"time_base": Fraction(1, 1000)}
    with av.open(str(path), "w", container_options=case.muxer_options) as out:
        out.metadata["title"] = "Füm"
        out.metadata["creation_time"] = CREATED
        stream = out.add_stream(
            case.codec, rate=case.rate, width=case.size[0], height=case.size[1],
            time_base=base, options=case.options,
        )  # fmt: skip
        stream.pix_fmt = case.fmt
        context = stream.codec_context
        context.sample_aspect_ratio = case.aspect
        context.colorspace, context.color_primaries, context.color_trc = case.color
        context.color_range = 2 if case.full else 1
        if case.turn:
            stream.set_display_rotation(-case.turn)
        if case.alpha:
            stream.metadata["alpha_mode"] = "1"
        if rich and case.timecode:
            stream.metadata["timecode"] = "01:02:03:04"
        stream.metadata["language"] = "ita"
        voices = []
        for language in ("fra", "spa"):
            voices.append(out.add_stream(case.sound, rate=48000, layout="stereo", bit_rate=128_000))
            voices[-1].metadata["language"] = language
        voices[0].disposition = int(DEFAULT)
        if rich:
            out.set_chapters([
                {"id": 1, "start": 0, "end": 200, "metadata": {"title": "One"}, **timed},
                {"id": 2, "start": 200, "end": 480, "metadata": {"title": "Two"}, **timed},
            ])  # fmt: skip
        lines = None
        if subtitle:
            lines = out.add_stream(subtitle)
            lines.codec_context.subtitle_header = SUBTITLE_HEADER
            lines.time_base = Fraction(1, 1000)
            lines.metadata["language"] = "eng"
        seconds = float(times[-1] - times[0]) + 0.1
        open_encoder(stream.codec_context)
        for index, time in enumerate(times):
            frame = synth.smooth_frame(case.fmt, *case.size, index)
            frame.pts, frame.time_base = int(time / base), base
            frame.color_range = 2 if case.full else 1
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        if lines is not None:
            text = "Hällo".encode()
            packet = av.Packet(
                len(text).to_bytes(2, "big") + text if subtitle == "mov_text" else text
            )
            packet.pts = packet.dts = int(times[0] * 1000) + 100
            packet.duration, packet.time_base, packet.stream = 150, Fraction(1, 1000), lines
            packet.is_keyframe = True
            out.mux(packet)
        for voice in voices:
            samples = synth.burst(48000, seconds, 2, at=0.05)
            for first in range(0, samples.shape[1], 1024):
                block = synth.audio_frame(
                    np.ascontiguousarray(samples[:, first : first + 1024]), 48000, "stereo"
                )
                block.pts = first + int(times[0] * 48000)
                out.mux(voice.encode(block))
            out.mux(voice.encode(None))


def facts(path: Path) -> dict[str, Any]:
    """What FFmpeg's demuxer and decoder say."""
    found: dict[str, Any] = {}
    with av.open(str(path)) as container:
        video = next(s for s in container.streams.video)
        context = video.codec_context
        tags = {key.lower(): value for key, value in video.metadata.items()}
        rotations, pts, first = set(), [], None
        decoder = context
        if tags.get("alpha_mode") == "1":
            decoder = av.CodecContext.create("libvpx-vp9", "r")
            decoder.extradata = context.extradata
        for packet in container.demux(video):
            for frame in packet.decode() if decoder is context else decoder.decode(packet):
                first = first or frame
                rotations.add(round(frame.rotation))
                pts.append(frame.pts * video.time_base)
        assert first is not None
        found["codec"] = context.codec.name
        found["profile"] = context.profile or ""
        found["pix_fmt"] = first.format.name
        found["size"] = first.width, first.height
        found["aspect"] = video.sample_aspect_ratio or Fraction(1)
        found["rotation"] = rotations
        found["color"] = (
            int(first.colorspace), int(first.color_primaries), int(first.color_trc)
        )  # fmt: skip
        found["full"] = first.color_range == 2 or first.format.name.startswith("yuvj")
        found["pts"] = pts
        found["rate"] = video.average_rate
        found["interlaced"] = first.interlaced_frame
        found["timecode"] = {
            value
            for stream in container.streams
            for key, value in stream.metadata.items()
            if key.lower() == "timecode"
        }
        whole = {key.lower(): value for key, value in container.metadata.items()}
        found["title"], found["created"] = whole.get("title"), whole.get("creation_time")
        found["chapters"] = [
            (c["start"] * c["time_base"], c["end"] * c["time_base"], c["metadata"].get("title"))
            for c in container.chapters()
        ]
        found["sounds"] = [
            (s.codec_context.name, s.codec_context.sample_rate, s.codec_context.layout.nb_channels,
             None if s.language == "und" else s.language, bool(s.disposition & DEFAULT))
            for s in container.streams.audio
        ]  # fmt: skip
        found["video language"] = video.language
    with av.open(str(path)) as container:
        found["subtitles"] = [
            (s.language, p.pts * p.time_base, p.duration * p.time_base, bytes(p)[-6:].decode())
            for s in container.streams.subtitles
            for p in container.demux(s)
            if len(bytes(p)) > 2
        ]
    return found


def close_in_time(got: Sequence[Any], want: Sequence[Any], target: str) -> bool:
    """Exactly the same in mp4 and mov; to the nearest millisecond in mkv and webm."""
    within = Fraction(1, 2000) if target in ("mkv", "webm") else 0
    return len(got) == len(want) and all(
        abs(a - b) <= within for a, b in zip(got, want, strict=True)
    )


FRENCH = {"mkv": "fre", "webm": "fre"}


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_what_should_survive_survives(tmp_path, case):
    source, out = tmp_path / f"a.{case.source}", tmp_path / f"b.{case.target}"
    build(source, case)
    speech = synth.write_sound(tmp_path / "s.wav", synth.burst(48000, 1), 48000)
    settings = EncodeSettings(preset="superfast", keep_audio=True, language="de")
    with VideoReader(source) as reader:
        with VideoWriter(out, reader.media, settings, speech, Fraction(1, 2)) as writer:
            for frame in reader.frames():
                writer.write(frame)
        assert reader.skipped == reader.resized == 0
    before, after = facts(source), facts(out)
    for name in ("codec", "profile", "size", "rotation", "color", "full"):
        assert after[name] == case.changes.get(name, before[name]), name
    want = case.changes.get("pix_fmt", before["pix_fmt"]).replace("yuvj", "yuv")
    assert after["pix_fmt"].replace("yuvj", "yuv") == want
    assert after["interlaced"] is False
    assert abs(after["aspect"] - before["aspect"]) <= (
        Fraction(1, 2 * case.size[0]) if case.target == "webm" else 0
    )
    assert close_in_time(after["pts"], before["pts"], case.target)
    steps = set(np.diff(before["pts"])) if case.target in ("mp4", "mov") else {0}
    if not case.times and len(steps) == 1:
        assert after["rate"] == before["rate"] == case.rate
    # The dub first, alone marked as the one to play; then the source's own, in their languages.
    german = {"mp4": "deu"}.get(case.target, "ger")
    french = {"mkv": "fre", "webm": "fre"}.get(case.target, "fra")
    assert after["sounds"][0][3:] == (german, True)
    tagged = [language is not None for *_, language, _ in before["sounds"]]
    assert [s[3] for s in after["sounds"][1:]] == [
        language if told else None for language, told in zip((french, "spa"), tagged, strict=True)
    ]
    assert [s[4] for s in after["sounds"][1:]] == [False, False]
    for a, b in zip(after["sounds"][1:], before["sounds"], strict=True):
        assert a[1:3] == b[1:3]
        assert a[0] == b[0] or "audio codec" in case.lost
    assert after["subtitles"] == before["subtitles"]
    assert after["chapters"] == before["chapters"]
    assert after["timecode"] >= before["timecode"]
    assert after["title"] == before["title"]
    assert after["created"] == before["created"]
    lost = [loss for loss in case.lost if loss != "audio codec"]
    assert [loss for loss in writer.dropped if not loss.startswith("data stream")] == lost
    became = bool(writer.plan.notes)
    assert became == ("codec" in case.changes)
