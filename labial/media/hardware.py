"""Encoders in hardware: taken only where they really encode a picture of this size and format."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import Any

import av
import av.error

from labial.errors import WriteError
from labial.media.encoder_options import bits_for
from labial.media.format_choice import choose_format
from labial.media.probe import VideoInfo
from labial.options import Hardware

# In the order in which "auto" tries them.
_MAKERS = ("videotoolbox", "nvenc", "qsv", "amf")
# How each is told a constant quality; VideoToolbox is only told bits a second.
_QUALITY = {
    "nvenc": ("rc=vbr", "cq={}"),
    "qsv": ("global_quality={}",),
    "amf": ("rc=cqp", "qp_i={}", "qp_p={}"),
}
# Bits a pixel where the source does not say how many it takes.
_BITS_PER_PIXEL = 0.15
_PEAK = 1.5


def opened(
    wanted: Hardware, family: str, source: VideoInfo, crf: int | None
) -> tuple[tuple[str, str, dict[str, str]] | None, str]:
    """Find a hardware encoder that works here.

    Returns
    -------
    found, note
        Encoder, pixel format and options, or None; and a phrase that says which was taken.

    Raises
    ------
    WriteError
        One was asked for by name, and does not work.
    """
    makers = _MAKERS if wanted == "auto" else (wanted,)
    reasons = []
    for maker in makers:
        if crf is not None and maker not in _QUALITY:
            reasons.append(f"{maker} takes no --crf")
            continue
        encoder = _name(family, maker)
        try:
            pix_fmt = choose_format(encoder, source.format, source.width, source.height)
            options = _options(maker, family, source, crf)
            _try(encoder, pix_fmt, source.width, source.height, tuple(options.items()))
        except (av.error.FFmpegError, OSError, ValueError, WriteError) as error:
            reasons.append(f"{encoder}: {getattr(error, 'strerror', None) or error}")
            continue
        return (encoder, pix_fmt, options), f"encoded in hardware by {encoder}"
    if wanted != "auto":
        raise WriteError(
            f"no hardware encoder of that name works here ({'; '.join(reasons)}): "
            "use --hardware auto, or leave it out"
        )
    return None, ""


def _name(family: str, maker: str) -> str:
    return f"{family}_{maker}"


def _options(maker: str, family: str, source: VideoInfo, crf: int | None) -> dict[str, str]:
    options = {"g": str(source.gop)} if source.gop else {}
    if crf is not None:
        for setting in _QUALITY[maker]:
            name, _, value = setting.partition("=")
            options[name] = value.format(crf)
        return options
    pixels = source.width * source.height * float(source.rate)
    bits = bits_for(family, source) or int(pixels * _BITS_PER_PIXEL)
    return options | {"b": str(bits), "maxrate": str(int(bits * _PEAK))}


@lru_cache(maxsize=16)
def _try(
    encoder: str, pix_fmt: str, width: int, height: int, options: tuple[tuple[str, str], ...]
) -> None:
    """Encode one black picture; raise what FFmpeg raises where that does not work."""
    context: Any = av.CodecContext.create(encoder, "w")
    context.width, context.height, context.pix_fmt = width, height, pix_fmt
    context.time_base, context.framerate = Fraction(1, 25), Fraction(25)
    context.options = dict(options)
    picture = av.VideoFrame(width, height, pix_fmt)
    for plane in picture.planes:
        plane.update(bytes(plane.buffer_size))
    picture.pts = 0
    if not [*context.encode(picture), *context.encode(None)]:
        raise ValueError("it gives nothing")
