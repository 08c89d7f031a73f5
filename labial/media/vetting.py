"""What a stranger's media file is, by its content alone, and whether it is one that we read.

Of FFmpeg's hundreds of demuxers and decoders only those that people use are let near such a file;
what is found must decode, and lie within limits. This is to run in a process of its own that has
little memory and time: a file may be made to use up both.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import av
import av.error

from labial.errors import ReadError
from labial.media.demuxers import input_options
from labial.media.probe import audio_stream, video_stream
from labial.types import FileRules, Vetted

_MEDIA = {
    "aac": ".aac", "ac3": ".ac3", "aiff": ".aiff", "amr": ".amr", "asf": ".wmv", "au": ".au",
    "avi": ".avi", "caf": ".caf", "eac3": ".eac3", "flac": ".flac", "flv": ".flv", "gif": ".gif",
    "apng": ".png", "matroska": ".mkv", "mov": ".mp4", "mp3": ".mp3", "mpeg": ".mpg",
    "mpegts": ".ts", "mxf": ".mxf", "ogg": ".ogg", "w64": ".w64", "wav": ".wav",
}  # fmt: skip
_PHOTOS = {
    "bmp_pipe": ".bmp", "jpeg_pipe": ".jpg", "jpegxl_pipe": ".jxl", "png_pipe": ".png",
    "tiff_pipe": ".tif", "webp_pipe": ".webp",
}  # fmt: skip
_PICTURES = {
    "h264", "hevc", "mpeg4", "mpeg2video", "mpeg1video", "msmpeg4v3", "msmpeg4v2", "h263", "vp8",
    "vp9", "libvpx", "libvpx-vp9", "av1", "libdav1d", "libaom-av1", "vc1", "wmv1", "wmv2", "wmv3",
    "mjpeg", "prores", "dnxhd", "cfhd", "ffv1", "huffyuv", "ffvhuff", "utvideo", "rawvideo", "v210",
    "dvvideo", "flv", "theora", "vvc", "png", "apng", "bmp", "tiff", "webp", "libwebp", "jpegxl",
    "libjxl", "gif", "jpeg2000", "libopenjpeg", "qtrle", "magicyuv",
}  # fmt: skip
_SOUNDS = {
    "aac", "aac_latm", "ac3", "eac3", "alac", "amrnb", "amrwb", "amr_nb", "amr_wb", "ape", "dca",
    "flac", "mp1", "mp1float", "mp2", "mp2float", "mp3", "mp3float", "opus", "libopus", "truehd",
    "mlp", "vorbis", "libvorbis", "wmav1", "wmav2", "wmapro", "adpcm_ima_wav", "adpcm_ms",
    "adpcm_ima_qt", "libopencore_amrnb", "libopencore_amrwb", "nellymoser", "speex", "libspeex",
}  # fmt: skip
_STREAMS = 64
_PACKETS = 50_000_000
_HEAD = 1 << 16


def vet_media(path: str | os.PathLike[str], rules: FileRules | None = None) -> Vetted:
    """Look at all packets of a file, and decode the first of each kind.

    Parameters
    ----------
    path
        The file. Its name tells nothing.
    rules
        How much it may hold.

    Raises
    ------
    ReadError
        It is nothing that we read, refers to other files, is damaged, or holds too much.
    """
    path, rules = Path(path), rules or FileRules()
    with path.open("rb") as file:
        _refuse_references(file)
        file.seek(0)
        head = file.read(24)
        if head[:8] == b"\x89PNG\r\n\x1a\n":  # FFmpeg would make room for it before it tells
            width, height = (int.from_bytes(head[at : at + 4], "big") for at in (16, 20))
            _expect_size(width, height, rules)
    options = input_options() | {
        "format_whitelist": ",".join([*_MEDIA, *_PHOTOS]),
        "max_streams": str(_STREAMS),
    }
    try:
        container = av.open(str(path.absolute()), container_options=options)
    except (av.error.FFmpegError, ValueError, UnicodeDecodeError):
        raise ReadError(
            "this is no video, photo, sound or text that can be used, or it is damaged or cut off"
        ) from None
    with container:
        return _looked_into(container, path, rules)


def _looked_into(container: Any, path: Path, rules: FileRules) -> Vetted:
    kinds = container.format.name.split(",")
    kind = next(each for each in (*_MEDIA, *_PHOTOS) if each in kinds)
    picture, sound = video_stream(container), audio_stream(container)
    if picture is None and sound is None:
        raise ReadError("there is neither picture nor sound in it that can be read")
    facts: dict[str, Any] = {"format": kind}
    for stream, known in ((picture, _PICTURES), (sound, _SOUNDS)):
        if stream is not None:
            codec = stream.codec_context.codec.name
            if codec not in known and not codec.startswith("pcm_"):
                raise ReadError(f"it is encoded as {codec}, which is not read here: convert it")
    if picture is not None:
        context = picture.codec_context
        _expect_size(context.width, context.height, rules)
        facts |= {"width": context.width, "height": context.height, "codec": context.codec.name}
    if sound is not None:
        context = sound.codec_context
        if context.sample_rate > rules.sound_rate or context.layout.nb_channels > rules.channels:
            raise ReadError(
                f"its sound has {context.sample_rate} Hz and {context.layout.nb_channels} channels:"
                f" at most {rules.sound_rate} Hz and {rules.channels} are read"
            )
        facts["sound"] = {
            "codec": context.codec.name,
            "rate": context.sample_rate,
            "channels": context.layout.nb_channels,
        }
    frames, seconds = _counted(container, [s for s in (picture, sound) if s is not None], rules)
    for stream in (picture, sound):
        if stream is not None:
            _expect_decodes(path, stream, rules)
    if picture is None:
        return Vetted("speech", _extension(kind, path, False), facts | {"seconds": seconds})
    if sound is None and frames == 1:
        return Vetted("photo", (_PHOTOS | {"apng": ".png"}).get(kind, _MEDIA.get(kind, "")), facts)
    facts |= {"seconds": seconds, "frames": frames}
    facts["fps"] = round(float(picture.average_rate or picture.guessed_rate or 0), 3)
    if facts["fps"] > rules.frame_rate:
        raise ReadError(f"{facts['fps']:g} frames a second: at most {rules.frame_rate} are read")
    return Vetted("video", _extension(kind, path, True), facts)


def _expect_size(width: int, height: int, rules: FileRules) -> None:
    if width * height > rules.pixels or max(width, height) > rules.side:
        raise ReadError(
            f"{width} x {height} pixels are too many: at most {rules.side} along a side and "
            f"{rules.pixels / 1e6:g} million in all are read"
        )


def _counted(container: Any, streams: list[Any], rules: FileRules) -> tuple[int, float]:
    """Pictures and seconds by the packets that are there, whatever the header says."""
    frames, last, first = 0, Fraction(0), None
    try:
        for number, packet in enumerate(container.demux(streams)):
            if number > _PACKETS:
                raise ReadError("there are too many packets in it")
            if packet.stream.type == "video" and packet.size:
                frames += 1
            at = packet.pts if packet.pts is not None else packet.dts
            if at is not None:
                begins = at * packet.time_base
                first = begins if first is None else min(first, begins)
                last = max(last, begins + (packet.duration or 0) * packet.time_base)
            if frames > rules.frames:
                raise ReadError(f"more than {rules.frames} pictures are in it")
            if last - (first or 0) > rules.seconds:
                raise ReadError(f"it is longer than the {rules.seconds / 60:g} minutes it may be")
    except av.error.FFmpegError:
        pass  # cut off: what came before counts
    said = Fraction(container.duration or 0, av.time_base)
    if said > rules.seconds:
        raise ReadError(f"it is longer than the {rules.seconds / 60:g} minutes it may be")
    return frames, round(float(last - (first or 0)), 3)


def _expect_decodes(path: Path, stream: Any, rules: FileRules) -> None:
    """Decode something of a stream, with one thread, and measure what came."""
    options = input_options() | {"format_whitelist": ",".join([*_MEDIA, *_PHOTOS])}
    with av.open(str(path.absolute()), container_options=options) as container:
        own: Any = container.streams[stream.index]
        own.codec_context.thread_count = 1
        own.codec_context.options = {"max_pixels": str(rules.pixels)}
        try:
            for number, packet in enumerate(container.demux(own)):
                for frame in _tried(packet):
                    if stream.type == "video":
                        _expect_size(frame.width, frame.height, rules)
                    return
                if number > 1000:
                    break
        except av.error.FFmpegError:
            pass
    what = "picture" if stream.type == "video" else "sound"
    raise ReadError(f"its {what} cannot be decoded: it is damaged, or cut off")


def _tried(packet: Any) -> list[Any]:
    try:
        return list(packet.decode())
    except av.error.FFmpegError:
        return []


def _extension(kind: str, path: Path, pictures: bool) -> str:
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if kind == "mov":
        if not pictures:
            return ".m4a"
        return ".mov" if head[4:12] == b"ftypqt  " or head[4:8] != b"ftyp" else ".mp4"
    if kind == "matroska":
        if b"webm" in head[:64]:
            return ".webm"
        return ".mkv" if pictures else ".mka"
    if kind == "asf":
        return ".wmv" if pictures else ".wma"
    if kind == "ogg":
        return ".ogv" if pictures else ".ogg"
    return _MEDIA.get(kind) or _PHOTOS[kind]


def _refuse_references(file: BinaryIO) -> None:
    """Raise ReadError where a file's pictures or sound lie in another file."""
    head = file.read(_HEAD)
    if head[:14] == b"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02\x01\x01\x02":
        # The operational pattern of MXF: an atom is one track, of which others are elsewhere.
        length = head[16] - 0x80 if head[16] > 0x80 else 0
        if head[17 + length + 64 + 12 : 17 + length + 64 + 13] == b"\x10":
            raise ReadError("this MXF is one of several files (OP-Atom): give one file (OP1a)")
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
        size = os.fstat(file.fileno()).st_size
        for kind, begin, _ in _boxes(file, 0, size, (b"moov", b"trak", b"mdia", b"minf", b"dinf")):
            if kind == b"cmov":
                raise ReadError("its header is packed (cmov), which is not read: convert it")
            if kind == b"dref":
                _expect_self_contained(file, begin)


def _expect_self_contained(file: BinaryIO, begin: int) -> None:
    file.seek(begin + 4)
    count = int.from_bytes(file.read(4), "big")
    for _ in range(min(count, _STREAMS)):
        head = file.read(12)
        if len(head) < 12:
            return
        size, _, flags = struct.unpack(">I4sI", head)
        if not flags & 1:
            raise ReadError("its pictures or sound lie in another file: give one that holds all")
        file.seek(max(0, size - 12), os.SEEK_CUR)


def _boxes(
    file: BinaryIO, begin: int, end: int, inside: tuple[bytes, ...], left: int = 6
) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, begin and end of what is in each box, and of boxes in those of ``inside``."""
    for _ in range(10_000):
        if end - begin < 8:
            return
        file.seek(begin)
        head = file.read(16)
        if len(head) < 8:
            return
        size, kind, content = int.from_bytes(head[:4], "big"), head[4:8], begin + 8
        if size == 1:
            size, content = int.from_bytes(head[8:16], "big"), begin + 16
        close = end if size == 0 else begin + size
        if close < content:
            return
        yield kind, content, min(close, end)
        if kind in inside and left:
            yield from _boxes(file, content, min(close, end), inside, left - 1)
        begin = close
