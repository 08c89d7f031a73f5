"""Which container, encoder, pixel format and encoder options an output gets."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import av

from labial.errors import WriteError
from labial.media.containers import CONTAINERS, PICTURES, Container, container_for
from labial.media.encoder_options import FAMILIES, can_be_lossless, encoder_options
from labial.media.format_choice import choose_format, lost_in, output_color
from labial.media.formats import layout
from labial.media.hardware import opened
from labial.media.probe import VideoInfo
from labial.options import Codec, Hardware
from labial.types import ColorTags


@dataclass(frozen=True)
class EncodeSettings:
    """What the user asks of the output.

    Parameters
    ----------
    codec
        Codec family; ``"source"`` keeps the source's where encoder and container allow.
    crf
        Constant quality on the encoder's own scale (0 best; to 51 for h264 and hevc, to 63 for
        av1 and vp9). None: high quality, capped near the source's bit rate.
    preset
        Speed as one of x264's names; mapped to the nearest of the other encoders.
    lossless
        Every sample stays what it is; an error where the codec cannot do that.
    hardware
        Encoder in hardware to use; ``"auto"`` takes the first that works, or none.
    keep_audio
        The source's own sound stays, after the new speech.
    language
        ISO 639 code of the new speech; None keeps what its file says.
    more_speech
        Language and file of more speech, each an audio track after the first.
    threads
        Threads to encode with; 0 is as many as there are cores.
    repeatable
        The same pictures give the same bytes each time, if need be on one thread.
    """

    codec: Codec = "source"
    crf: int | None = None
    preset: str = "superfast"
    lossless: bool = False
    hardware: Hardware = "off"
    keep_audio: bool = False
    language: str | None = None
    more_speech: tuple[tuple[str, Path], ...] = ()
    threads: int = 0
    repeatable: bool = False


ENCODERS = {
    "h264": "libx264",
    "hevc": "libx265",
    "av1": "libsvtav1",
    "vp9": "libvpx-vp9",
    "prores": "prores_ks",
    "ffv1": "ffv1",
    "png": "png",
}
# What editors work in stays fit for that, and what lost nothing loses nothing.
_KIN = {
    **dict.fromkeys(("dnxhd", "cfhd", "v210"), ("prores",)),
    **dict.fromkeys(
        [
            "rawvideo",
            "huffyuv",
            "ffvhuff",
            "utvideo",
            "magicyuv",
            "qtrle",
            "r210",
            "png",
            "apng",
            "tiff",
            "bmp",
            "dpx",
            "exr",
        ],
        ("ffv1", "prores"),
    ),
}
_WITH_ALPHA = {"ffv1", "prores", "vp9", "png"}


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
    notes
        What the user may want to know of the choice, one phrase each.
    """

    family: str
    encoder: str
    pix_fmt: str
    options: dict[str, str]
    color: ColorTags
    lost: tuple[str, ...]
    notes: tuple[str, ...] = ()


def _family(target: Path, container: Container, source: VideoInfo, codec: Codec) -> str:
    if codec != "source":
        if container is PICTURES:
            raise WriteError(f"pictures are PNG, not {codec}: leave out --codec")
        if codec not in container.video:
            fits = ", ".join(end for end, c in CONTAINERS.items() if codec in c.video)
            raise WriteError(f"{target.suffix} cannot hold {codec} video: name the output {fits}")
        return codec
    own = FAMILIES.get(source.codec, source.codec)
    wanted = (own, *_KIN.get(own, ()), *container.video)
    fitting = [family for family in wanted if family in container.video]
    if source.format.alpha:
        fitting.sort(key=lambda family: not _keeps_alpha(family, container))
    elif fitting[0] == "vp9" and "av1" in fitting and _deep_vp9_is_not_here(source):
        return "av1"
    return fitting[0]


def _deep_vp9_is_not_here(source: VideoInfo) -> bool:
    """Many builds of libvpx write 8 bits only; AV1 keeps what VP9 would lose then."""
    formats = (layout(f.name) for f in av.Codec("libvpx-vp9", "w").video_formats or ())
    most = max(known.format.bits for known in formats if known is not None)
    halved = (source.format.sub_x, source.format.sub_y) == (1, 1)
    return source.format.bits > most and halved


def _keeps_alpha(family: str, container: Container) -> bool:
    """VP9's alpha is a second stream, for which only Matroska has a place."""
    return family in _WITH_ALPHA and (family != "vp9" or container.muxer in ("webm", "matroska"))


def _pixels(encoder: str, container: Container, source: VideoInfo) -> str:
    pix_fmt = choose_format(encoder, source.format, source.width, source.height)
    if encoder == "libvpx-vp9" and not _keeps_alpha("vp9", container):
        pix_fmt = pix_fmt.replace("yuva", "yuv").replace("gbrap", "gbrp")
    return pix_fmt


def _lossless_family(target: Path, container: Container, source: VideoInfo, codec: Codec) -> str:
    """The first family, the usual one before others, that can give back every sample."""
    usual = _family(target, container, source, codec)
    others = container.video if codec == "source" else ()
    for family in (usual, *others):
        encoder = ENCODERS[family]
        if not can_be_lossless(encoder):
            continue
        known = layout(_pixels(encoder, container, source))
        if known is not None and known.format == source.format:
            return family
    named = source.native_format
    raise WriteError(
        f"{usual} in {target.suffix} cannot keep {named} without loss: "
        "use --codec ffv1 and name the output .mkv"
    )


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
    container = container_for(target)
    choose = _lossless_family if settings.lossless else _family
    family = choose(target, container, source, settings.codec)
    notes = []
    before = FAMILIES.get(source.codec, source.codec)
    if settings.codec == "source" and family != before and container is not PICTURES:
        notes.append(f"{before} became {family}")
    encoder = ENCODERS[family]
    found = None
    if settings.hardware != "off":
        found, note = opened(settings.hardware, family, source, settings.crf)
        notes.append(note or f"encoded in software by {encoder}: no hardware encoder opens")
    if found is not None:
        encoder, pix_fmt, options = found
    else:
        if encoder not in _encoders():
            raise WriteError(f"this FFmpeg has no {encoder}: choose another codec than {family}")
        pix_fmt = _pixels(encoder, container, source)
        options = encoder_options(
            encoder, family, source, pix_fmt, settings.crf, settings.preset, settings.lossless
        )
    lost = lost_in(source.format, pix_fmt)
    if source.hdr is not None and not source.hdr.encoder_options(encoder):
        lost += ("HDR mastering data",)
    lost += source.dynamic
    if container is PICTURES:
        lost += ("sound and all that is not a picture, frame times",)
    color = output_color(source, pix_fmt)
    return EncodePlan(family, encoder, pix_fmt, options, color, lost, tuple(notes))


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
