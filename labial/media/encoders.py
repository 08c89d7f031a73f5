"""Which container, encoder, pixel format and encoder options an output gets."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import av

from labial.errors import WriteError
from labial.media.formats import layout
from labial.media.probe import VideoInfo
from labial.options import Codec
from labial.types import ColorTags, PixelFormat


@dataclass(frozen=True)
class EncodeSettings:
    """What the user asks of the encoder.

    Parameters
    ----------
    codec
        Codec family; ``"source"`` keeps the source's where encoder and container allow.
    crf
        Constant quality on the encoder's own scale (0 best; to 51 for h264 and hevc, to 63 for
        av1 and vp9). None: high quality, capped near the source's bit rate.
    preset
        Speed as one of x264's names; mapped to the nearest of the other encoders.
    """

    codec: Codec = "source"
    crf: int | None = None
    preset: str = "superfast"


@dataclass(frozen=True)
class Container:
    """What an output container holds; the first of ``video`` is its default family."""

    muxer: str
    video: tuple[str, ...]
    audio: frozenset[str]
    audio_encoder: str
    subtitles: tuple[str, ...]
    text_subtitle: str

    def holds_audio(self, codec: str) -> bool:
        """True when packets of FFmpeg's audio ``codec`` can be copied into this container."""
        return codec in self.audio


_MP4_AUDIO = frozenset({"aac", "mp3", "mp3float", "ac3", "eac3", "alac", "opus", "libopus", "flac"})
_PCM = frozenset({"pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le"})
_MP4 = Container(
    "mp4", ("h264", "hevc", "av1", "vp9"), _MP4_AUDIO, "aac", ("mov_text",), "mov_text"
)
CONTAINERS = {
    ".mp4": _MP4,
    ".m4v": _MP4,
    ".mov": Container(
        "mov",
        ("h264", "hevc", "prores"),
        frozenset({"aac", "mp3", "mp3float", "ac3", "eac3", "alac"}) | _PCM,
        "aac",
        ("mov_text",),
        "mov_text",
    ),
    ".mkv": Container(
        "matroska",
        ("h264", "hevc", "av1", "vp9", "prores", "ffv1"),
        _MP4_AUDIO | _PCM | {"vorbis", "libvorbis", "dca", "truehd"},
        "aac",
        ("subrip", "ass", "webvtt", "hdmv_pgs_subtitle", "dvd_subtitle"),
        "subrip",
    ),
    ".webm": Container(
        "webm",
        ("vp9", "av1"),
        frozenset({"opus", "libopus", "vorbis", "libvorbis"}),
        "libopus",
        ("webvtt",),
        "webvtt",
    ),
}

ENCODERS = {
    "h264": "libx264",
    "hevc": "libx265",
    "av1": "libsvtav1",
    "vp9": "libvpx-vp9",
    "prores": "prores_ks",
    "ffv1": "ffv1",
}
_FAMILIES = {"vp8": "vp9", "libvpx": "vp9", "libvpx-vp9": "vp9", "libdav1d": "av1"}
_EVEN_ONLY = {"libx264", "libx265"}
_GOOD_CRF = {"libx264": 17, "libx265": 19, "libsvtav1": 24, "libvpx-vp9": 24}
_WORST_CRF = {"libx264": 51, "libx265": 51, "libsvtav1": 63, "libvpx-vp9": 63}
# Bits that a codec needs for the same picture, h264 being 1; used for the bit rate cap only.
_COST = {"h264": 1.0, "hevc": 0.65, "av1": 0.55, "vp9": 0.65, "mpeg4": 1.5, "mpeg2video": 2.0}
_CAP = 1.5
_LEAST_CAP = 200_000
_PRESETS = (
    "ultrafast",
    "superfast",
    "veryfast",
    "faster",
    "fast",
    "medium",
    "slow",
    "slower",
    "veryslow",
    "placebo",
)
_SVT_PRESETS = (12, 11, 10, 9, 8, 6, 4, 3, 2, 1)
_VP9_SPEEDS = (8, 7, 6, 5, 4, 3, 2, 1, 0, 0)
PRORES_PROFILES = {"Proxy": 0, "LT": 1, "Standard": 2, "HQ": 3, "4444": 4, "XQ": 5}


@dataclass(frozen=True)
class EncodePlan:
    """How the pictures are encoded.

    Parameters
    ----------
    family, encoder
        E.g. ``h264`` and FFmpeg's ``libx264``.
    pix_fmt
        FFmpeg's pixel format that the encoder is fed.
    options
        Encoder options.
    color
        Colour tags of the output.
    lost
        What the encoder cannot keep, one phrase each.
    """

    family: str
    encoder: str
    pix_fmt: str
    options: dict[str, str]
    color: ColorTags
    lost: tuple[str, ...]


def container_for(target: Path) -> Container:
    """The container that a file name asks for.

    Raises
    ------
    WriteError
        The extension is not one of the known ones.
    """
    found = CONTAINERS.get(target.suffix.lower())
    if found is None:
        known = ", ".join(CONTAINERS)
        raise WriteError(f"cannot write {target.name}: the name must end in one of {known}")
    return found


def _family(target: Path, container: Container, source: VideoInfo, codec: Codec) -> str:
    if codec == "source":
        family = _FAMILIES.get(source.codec, source.codec)
        return family if family in container.video else container.video[0]
    if codec not in container.video:
        fits = ", ".join(end for end, c in CONTAINERS.items() if codec in c.video)
        raise WriteError(f"{target.suffix} cannot hold {codec} video: name the output {fits}")
    return codec


def choose_format(encoder: str, source: PixelFormat, width: int, height: int) -> str:
    """FFmpeg's pixel format of ``encoder`` that loses least of ``source``.

    In this order: depth, chroma resolution, kind of colour, alpha; among equals the one that
    adds least. libx264 and libx265 refuse subsampled chroma with odd sizes, so there chroma
    gets more samples (4:2:0 becomes 4:4:4) rather than the picture fewer pixels.
    """
    offered = {f.name for f in av.Codec(encoder, "w").video_formats or ()}
    if encoder == "libx265":  # its alpha is a second layer that few players know
        offered = {name for name in offered if not name.startswith("yuva")}
    if source.name in offered and _size_fits(encoder, source, width, height):
        return source.name
    best: tuple[tuple[int, ...], str] | None = None
    for name in sorted(offered):
        known = layout(name)
        if known is None or name.startswith("yuvj") or known.dtype.byteorder == ">":
            continue
        fmt = known.format
        if not _size_fits(encoder, fmt, width, height):
            continue
        chroma = source.kind != "gray"
        cost = (
            max(0, source.bits - fmt.bits),
            max(0, fmt.sub_x - source.sub_x) + max(0, fmt.sub_y - source.sub_y) if chroma else 0,
            int(chroma and fmt.kind == "gray") * 2 + int(fmt.kind != source.kind),
            int(source.alpha and not fmt.alpha),
            int(fmt.alpha and not source.alpha),
            fmt.bits,
            -fmt.sub_x - fmt.sub_y if not chroma else source.sub_x + source.sub_y,
            -fmt.sub_x - fmt.sub_y,
            int(name != fmt.name),
        )
        if best is None or (cost, name) < best:
            best = cost, name
    if best is None:
        raise WriteError(f"{encoder} takes no picture of {width}x{height} {source.name}")
    return best[1]


def _size_fits(encoder: str, fmt: PixelFormat, width: int, height: int) -> bool:
    if encoder not in _EVEN_ONLY:
        return True
    return width % (1 << fmt.sub_x) == 0 and height % (1 << fmt.sub_y) == 0


def _lost(source: PixelFormat, pix_fmt: str) -> tuple[str, ...]:
    known = layout(pix_fmt)
    assert known is not None
    fmt = known.format
    lost = []
    if fmt.bits < source.bits:
        lost.append(f"{source.bits - fmt.bits} of {source.bits} bits of depth")
    if source.kind != "gray" and (fmt.sub_x > source.sub_x or fmt.sub_y > source.sub_y):
        lost.append(f"chroma resolution ({source.name} became {pix_fmt})")
    if source.alpha and not fmt.alpha:
        lost.append("alpha channel")
    return tuple(lost)


def _output_color(source: VideoInfo, pix_fmt: str) -> ColorTags:
    """The source's tags; RGB that must become YUV turns into BT.709 at studio levels."""
    known = layout(pix_fmt)
    assert known is not None
    tags = source.color
    if source.format.kind == "rgb" and known.format.kind == "yuv":
        primaries = 1 if tags.primaries == 2 else tags.primaries
        transfer = 1 if tags.transfer == 2 else tags.transfer
        return ColorTags(1, primaries, transfer, False)
    return tags


def _speed(encoder: str, preset: str) -> dict[str, str]:
    if preset not in _PRESETS:
        raise WriteError(f"unknown preset {preset!r}: use one of {', '.join(_PRESETS)}")
    rank = _PRESETS.index(preset)
    if encoder in ("libx264", "libx265"):
        return {"preset": preset}
    if encoder == "libsvtav1":
        return {"preset": str(_SVT_PRESETS[rank])}
    if encoder == "libvpx-vp9":
        speed = _VP9_SPEEDS[rank]
        deadline = "realtime" if speed > 5 else "good"
        return {
            "cpu-used": str(speed),
            "deadline": deadline,
            "row-mt": "1",
            "tile-columns": "2",
            "lag-in-frames": "0" if speed > 5 else "16",
            "auto-alt-ref": "0" if speed > 5 else "1",
        }
    return {}


def _quality(encoder: str, family: str, source: VideoInfo, crf: int | None) -> dict[str, str]:
    if encoder not in _GOOD_CRF:
        if crf is not None:
            raise WriteError(f"--crf means nothing to {family}: leave it out")
        return {}
    if crf is not None:
        if not 0 <= crf <= _WORST_CRF[encoder]:
            raise WriteError(f"--crf {crf}: {family} takes 0 (best) to {_WORST_CRF[encoder]}")
        return {"crf": str(crf)} | ({"b": "0"} if encoder == "libvpx-vp9" else {})
    options = {"crf": str(_GOOD_CRF[encoder])}
    source_family = _FAMILIES.get(source.codec, source.codec)
    if source.bit_rate and source_family in _COST:
        bits = source.bit_rate * max(1.0, _COST[family] / _COST[source_family])
        cap = max(_LEAST_CAP, int(bits * _CAP))
        options |= {"maxrate": str(cap), "bufsize": str(2 * cap)}
        if encoder == "libvpx-vp9":
            options["b"] = str(int(cap / _CAP))
        if encoder == "libsvtav1":
            del options["bufsize"]
    elif encoder == "libvpx-vp9":
        options["b"] = "0"
    return options


def _special(encoder: str, source: VideoInfo, pix_fmt: str) -> dict[str, str]:
    if encoder == "libx265":
        return {"x265-params": "log-level=none"}
    if encoder == "prores_ks":
        rich = pix_fmt.startswith(("yuv444", "yuva444"))
        profile = PRORES_PROFILES.get(source.profile, 4 if rich else 3)
        fits = profile >= 4 if rich else profile < 4
        return {"profile": str(profile if fits else 4 if rich else 3), "vendor": "apl0"}
    if encoder == "ffv1":
        return {"level": "3", "slicecrc": "1", "g": "1"}
    return {}


@lru_cache(maxsize=1)
def _encoders() -> frozenset[str]:
    return frozenset(av.codecs_available)


def plan_encoding(target: Path, source: VideoInfo, settings: EncodeSettings) -> EncodePlan:
    """Choose encoder, pixel format and options.

    Raises
    ------
    WriteError
        Unknown extension, a codec the container cannot hold, a setting the encoder refuses.
    """
    family = _family(target, container_for(target), source, settings.codec)
    encoder = ENCODERS[family]
    if encoder not in _encoders():
        raise WriteError(f"this FFmpeg has no {encoder}: choose another codec than {family}")
    pix_fmt = choose_format(encoder, source.format, source.width, source.height)
    lost = _lost(source.format, pix_fmt)
    if source.mastering:
        lost += ("HDR mastering data",)
    options = _quality(encoder, family, source, settings.crf)
    options |= _speed(encoder, settings.preset) | _special(encoder, source, pix_fmt)
    return EncodePlan(family, encoder, pix_fmt, options, _output_color(source, pix_fmt), lost)


def audio_shape(encoder: str, rate: int, channels: int) -> tuple[int, str, int]:
    """Rate, channel layout and bit rate that an audio encoder gets for a given sound."""
    rates = [int(r) for r in av.Codec(encoder, "w").audio_rates or ()]
    if rates and rate not in rates:
        rate = min((r for r in rates if r >= rate), default=max(rates))
    if encoder == "libopus":
        rate = 48000
    layouts = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}
    name = layouts.get(channels, "stereo")
    count = channels if channels in layouts else 2
    bits = max(128_000, 96_000 * count) if encoder == "aac" else max(96_000, 64_000 * count)
    return rate, name, bits


def movie_timescale(time_base: Fraction) -> int:
    """Units a second of an mp4's edit list, in which both picture and sound start exactly."""
    common = math.lcm(time_base.denominator, 48000)
    return common if common <= 10_000_000 else min(time_base.denominator, 2**31 - 1)


def frame_rate(source: VideoInfo) -> Fraction:
    """Nominal frames a second, for rate control and the container's header."""
    return source.rate if source.rate > 0 else Fraction(25)
