"""The pixel format of an encoder that loses least of the source's."""

from __future__ import annotations

import av

from labial.errors import WriteError
from labial.media.formats import layout
from labial.media.probe import VideoInfo
from labial.types import ColorTags, PixelFormat

_EVEN_ONLY = {"libx264", "libx265"}
_IN_HARDWARE = ("_videotoolbox", "_nvenc", "_qsv", "_amf")


def choose_format(encoder: str, source: PixelFormat, width: int, height: int) -> str:
    """FFmpeg's pixel format of ``encoder`` that loses least of ``source``.

    In this order: depth, alpha, chroma resolution, kind of colour; among equals the one that
    adds least. libx264 and libx265 refuse subsampled chroma with odd sizes, so there chroma
    gets more samples (4:2:0 becomes 4:4:4) rather than the picture fewer pixels.
    """
    offered = {f.name for f in av.Codec(encoder, "w").video_formats or ()}
    if encoder == "libx265":  # its alpha is a second layer that few players know
        offered = {name for name in offered if not name.startswith("yuva")}
    if encoder == "libvpx-vp9":  # other formats with alpha it takes only as an experiment
        offered -= {"yuva422p", "yuva444p", "gbrap"}
    if encoder.endswith(_IN_HARDWARE):  # they would make 4:2:0 of RGB without saying so
        offered = {name for name in offered if not av.VideoFormat(name).is_rgb}
    if source.name in offered and _size_fits(encoder, source, width, height):
        return source.name
    best: tuple[tuple[int, ...], str] | None = None
    for name in sorted(offered):
        known = layout(name)
        if known is None or name.startswith("yuvj"):
            continue
        if known.dtype.byteorder == ">" and encoder != "png":
            continue
        fmt = known.format
        if not _size_fits(encoder, fmt, width, height):
            continue
        chroma = source.kind != "gray"
        cost = (
            max(0, source.bits - fmt.bits),
            int(source.alpha and not fmt.alpha),
            max(0, fmt.sub_x - source.sub_x) + max(0, fmt.sub_y - source.sub_y) if chroma else 0,
            int(chroma and fmt.kind == "gray") * 2 + int(fmt.kind != source.kind),
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


def lost_in(source: PixelFormat, pix_fmt: str) -> tuple[str, ...]:
    """Return what ``pix_fmt`` cannot hold of ``source``, one phrase each."""
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


def output_color(source: VideoInfo, pix_fmt: str) -> ColorTags:
    """The source's tags; RGB that must become YUV is BT.709 at studio levels, and back, full."""
    known = layout(pix_fmt)
    assert known is not None
    tags = source.color
    if source.format.kind == "rgb" and known.format.kind == "yuv":
        primaries = 1 if tags.primaries == 2 else tags.primaries
        transfer = 1 if tags.transfer == 2 else tags.transfer
        return ColorTags(1, primaries, transfer, False)
    if source.format.kind == "yuv" and known.format.kind == "rgb":
        return ColorTags(0, tags.primaries, tags.transfer, True)
    return tags
