"""What a media file holds, before any work is done on it."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import av
import av.error
import av.logging
import numpy as np
from av.container import InputContainer

from labial.errors import ReadError
from labial.media.arrival import COUNTING, Arrivals
from labial.media.demuxers import input_options
from labial.media.formats import color_of, planar_format
from labial.media.hdr import Mastering, mastering
from labial.media.sequence import PictureSequence, find_sequence
from labial.types import ColorTags, PixelFormat

# Demuxers that take any text or bytes for pictures.
_NOT_MEDIA = {"tty", "txt", "bin", "xbin", "adf", "idf", "data"}
_PROBE_PACKETS = 150
# WebM keeps alpha as a second stream, which FFmpeg's own decoders of VP8 and VP9 do not look at.
_ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
_INDEX_ENTRIES, _GOP_PACKETS, _GOP_KEYS, _GOP_BYTES = 3000, 300, 3, 1 << 25
_UNSAFE_SIDE_DATA = {"png", "apng"}
# Side data of pictures for which PyAV has no way into an encoder.
_DYNAMIC = {
    "DOVI_RPU_BUFFER": "Dolby Vision",
    "DYNAMIC_HDR_PLUS": "HDR10+",
    "A53_CC": "captions inside the pictures",
    "SPHERICAL": "spherical projection",
    "STEREO3D": "stereoscopic layout",
    "ICC_PROFILE": "ICC profile",
}
_capture_lock = threading.Lock()


# PyAV 19 replaces what is no UTF-8 in tags of itself; before, it had to be told.
_TAGS: dict[str, Any] = (
    {"metadata_errors": "replace"} if int(av.__version__.split(".")[0]) < 19 else {}
)


@dataclass(frozen=True)
class VideoInfo:
    """The video stream of a file.

    Parameters
    ----------
    codec, profile
        FFmpeg's decoder name, e.g. ``h264``, and its profile or "".
    width, height
        Stored size in pixels, before rotation for display.
    format
        Planar layout in which the frames are read.
    native_format
        FFmpeg's name of the stored layout, e.g. ``nv12`` where ``format`` is ``yuv420p``.
    rate, guessed_rate
        Frames a second: average over the file, and FFmpeg's guess; 25 when neither is known.
    time_base
        Seconds a unit of the frames' ``pts``.
    bit_rate
        Bits a second; from the file's size when the stream does not say; 0 when unknown.
    n_frames
        Number of frames, 0 when the file does not say.
    duration
        Seconds, or None.
    sample_aspect
        Width over height of a pixel; 1 when the file does not say.
    color
        Colour tags.
    rotation
        Clockwise turn for display in degrees: 0, 90, 180 or 270.
    display_matrix
        The file's nine numbers behind ``rotation`` (16.16 and 2.30 fixed point), or None.
    interlaced
        True when the first pictures hold two fields; the reader makes them progressive.
    start
        Presentation time of the first frame in units of ``time_base``.
    index
        Stream index in the file.
    extradata
        What the codec keeps at the head of the file, as it is stored.
    hdr
        HDR10's data beside the colour tags, or None.
    dynamic
        Names of further data of the pictures that no encoder here writes, such as Dolby Vision's.
    gop
        Frames from one key frame to the next, at most; 0 when that is not known.
    reordered
        Pictures are stored in another order than that in which they are shown (B-frames).
    """

    codec: str
    profile: str
    width: int
    height: int
    format: PixelFormat
    native_format: str
    rate: Fraction
    guessed_rate: Fraction
    time_base: Fraction
    bit_rate: int
    n_frames: int
    duration: Fraction | None
    sample_aspect: Fraction
    color: ColorTags
    rotation: int
    display_matrix: tuple[int, ...] | None
    interlaced: bool
    start: int
    index: int
    extradata: bytes = field(default=b"", repr=False)
    hdr: Mastering | None = None
    dynamic: tuple[str, ...] = ()
    gop: int = 0
    reordered: bool = False


@dataclass(frozen=True)
class AudioInfo:
    """An audio stream: FFmpeg's codec name, samples a second, number of channels."""

    codec: str
    rate: int
    channels: int
    layout: str
    bit_rate: int
    index: int


@dataclass(frozen=True)
class MediaInfo:
    """A media file.

    Parameters
    ----------
    path
        As given.
    container
        FFmpeg's format name, e.g. ``mov,mp4,m4a,3gp,3g2,mj2``.
    duration
        Seconds, or None when the file does not say.
    video, audio
        The main stream of each kind, or None. Cover pictures are not video.
    n_audio, n_subtitles, n_chapters
        How many of each the file holds.
    bit_rate
        Bits a second of the whole file, 0 when unknown.
    """

    path: Path
    container: str
    duration: Fraction | None
    video: VideoInfo | None
    audio: AudioInfo | None
    n_audio: int
    n_subtitles: int
    n_chapters: int
    bit_rate: int


def show(path: Path) -> str:
    """``path`` as text that any terminal can print."""
    return os.fsencode(path).decode("utf-8", "replace")


def _ffmpeg_says(path: Path) -> str:
    """Open a file that failed once more, to hear FFmpeg's own last line on it."""
    with _capture_lock:
        before, once = av.logging.get_level(), av.logging.get_skip_repeated()
        av.logging.set_level(av.logging.ERROR)
        av.logging.set_skip_repeated(False)
        try:
            with av.logging.Capture() as logs, contextlib.suppress(av.error.FFmpegError):
                av.open(_address(path), container_options=input_options(), **_TAGS).close()
        finally:
            av.logging.set_level(before)
            av.logging.set_skip_repeated(once)
    lines = [message.strip() for _, _, message in logs if message.strip()]
    return lines[-1] if lines else ""


def _address(path: Path) -> str:
    """Absolute, so that a colon in a name is never taken for a protocol."""
    return str(path.absolute())


def open_input(path: Path) -> InputContainer:
    """Open a media file for reading.

    Raises
    ------
    ReadError
        Missing, empty, unreadable, or not media; a folder or pattern without numbered pictures,
        or with some of them missing.
    """
    name = show(path)
    pictures = find_sequence(path)
    if pictures is not None:
        return _open_pictures(pictures, name)
    try:
        if path.is_dir():
            raise ReadError(f"{name} is a directory: give a media file")
        size = path.stat().st_size
        if size:  # a pipe, which has none, would keep us waiting
            path.open("rb").close()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ReadError(f"cannot read {name}: {reason}") from None
    if size == 0:
        raise ReadError(f"{name} is empty (0 bytes): copy or record it again")
    try:
        container: InputContainer = av.open(
            _address(path),
            **_TAGS,
            container_options=input_options(),
        )
    except av.error.FFmpegError:
        said = _ffmpeg_says(path)
        if "not on whitelist" in said:
            raise ReadError(
                f"{name} names other files or addresses, as a playlist does: give the media itself"
            ) from None
        reason = f" (FFmpeg: {said})" if said else ""
        raise ReadError(
            f"{name} is not media, or its header is damaged or cut off{reason}: give a file that a "
            "player can play"
        ) from None
    if container.format.name in _NOT_MEDIA:
        container.close()
        raise ReadError(f"{name} is not media: give a video or sound file")
    return container


def _open_pictures(pictures: PictureSequence, name: str) -> InputContainer:
    options = {
        "protocol_whitelist": "file",
        "pattern_type": "sequence",
        "start_number": str(pictures.first),
        "framerate": str(pictures.rate),
    }
    try:
        container: InputContainer = av.open(
            pictures.pattern, format="image2", container_options=options, **_TAGS
        )
    except av.error.FFmpegError as error:
        reason = error.strerror or str(error)
        raise ReadError(f"{name}: its first picture cannot be read ({reason})") from None
    return container


def _size(path: Path) -> int:
    """Bytes of a file, or of all pictures of a sequence."""
    pictures = find_sequence(path)
    files = [path] if pictures is None else pictures.files()
    return sum(file.stat().st_size for file in files)


def video_stream(container: InputContainer) -> Any:
    """The main video stream, or None; cover pictures and thumbnails do not count."""
    picture = av.stream.Disposition.attached_pic | av.stream.Disposition.timed_thumbnails
    streams = [
        s
        for s in container.streams.video
        if not s.disposition & picture and s.codec_context is not None
    ]
    flagged = [s for s in streams if s.disposition & av.stream.Disposition.default]
    return next(iter(flagged or streams), None)


def audio_stream(container: InputContainer) -> Any:
    """The main audio stream, or None."""
    streams = [s for s in container.streams.audio if s.codec_context is not None]
    flagged = [s for s in streams if s.disposition & av.stream.Disposition.default]
    return next(iter(flagged or streams), None)


def _decoder(stream: Any) -> Any:
    """What decodes a stream: its own decoder, but where that would leave out the alpha channel."""
    own = stream.codec_context
    tags = {key.lower(): value for key, value in stream.metadata.items()}
    name = _ALPHA_DECODERS.get(own.codec.name) if tags.get("alpha_mode") == "1" else None
    if name is None or name not in av.codecs_available:
        return own
    decoder = av.CodecContext.create(name, "r")
    decoder.extradata = own.extradata
    return decoder


def counts_packets(container: InputContainer, stream: Any) -> bool:
    """Whether times ascend packet by packet though the pictures are shown in another order."""
    if stream.type != "video" or container.format.name not in COUNTING:
        return False
    if not stream.codec_context.has_b_frames:
        return False
    with open_input(Path(container.name)) as again:
        packets = islice(again.demux(again.streams[stream.index]), _PROBE_PACKETS)
        times = [packet.pts for packet in packets if packet.pts is not None]
    return all(one < other for one, other in pairwise(times))


def decoded(
    container: InputContainer, stream: Any, see: Callable[[Any], None] | None = None
) -> Iterator[Any]:
    """Yield the frames of one stream, and None for each packet that cannot be decoded.

    Their times are right where the file only counts packets. ``see`` is shown every packet before
    it is decoded.
    """
    if not counts_packets(container, stream):
        return _decoded(container, stream, see)
    arrivals = Arrivals(container.format.name)

    def noted(packet: Any) -> None:
        arrivals.sent(packet)
        if see is not None:
            see(packet)

    return arrivals.placed(_decoded(container, stream, noted))


def _decoded(
    container: InputContainer, stream: Any, see: Callable[[Any], None] | None
) -> Iterator[Any]:
    packets = container.demux(stream)
    decoder = _decoder(stream)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except av.error.FFmpegError:
            # The demuxer gave up: what the decoder still holds is all that is left.
            yield None
            try:
                yield from decoder.decode(None)
            except av.error.FFmpegError:
                return
            return
        if see is not None:
            see(packet)
        try:
            # A packet sets the time base of what its own stream decodes, at the end as well.
            frames = packet.decode() if decoder is stream.codec_context else decoder.decode(packet)
        except av.error.FFmpegError:
            yield None
            continue
        yield from frames


def _side_data(frame: Any, name: str) -> bytes | None:
    if frame is None:
        return None
    # PyAV raises ValueError on side data newer than itself, such as a photo's EXIF block.
    with contextlib.suppress(KeyError, ValueError):
        return bytes(frame.side_data[name])
    return None


def display_matrix(frame: Any) -> tuple[int, ...] | None:
    """The nine numbers that turn a frame for display, or None."""
    data = _side_data(frame, "DISPLAYMATRIX")
    return None if data is None else tuple(int(v) for v in np.frombuffer(data, np.int32)[:9])


def hdr_of(frame: Any) -> Mastering | None:
    """HDR10's data of a frame, or None."""
    display = _side_data(frame, "MASTERING_DISPLAY_METADATA")
    return mastering(display, _side_data(frame, "CONTENT_LIGHT_LEVEL"))


def _gop(container: InputContainer, stream: Any) -> int:
    """Frames from one key frame to the next, at most, near the start; 0 where there is only one."""
    if container.format.name.startswith("mov"):
        entries = stream.index_entries
        flags = [entries[i].is_keyframe for i in range(min(len(entries), _INDEX_ENTRIES))]
    else:
        flags, read = [], 0
        with contextlib.suppress(av.error.FFmpegError):
            for packet in islice(container.demux(stream), _GOP_PACKETS):
                flags.append(packet.is_keyframe)
                read += packet.size
                if sum(flags) > _GOP_KEYS or read > _GOP_BYTES:
                    break
    keys = np.flatnonzero(flags)
    return int(np.diff(keys).max()) if len(keys) > 1 else 0


def clockwise(frame: Any) -> int:
    """Clockwise turn for display in degrees: 0, 90, 180 or 270."""
    return int(round(-frame.rotation / 90) * 90 % 360)


def _stored_format(context: Any) -> str:
    """FFmpeg's name of a stream's pixel format, "" when the file does not tell."""
    stored = context.format  # PyAV 17's pix_fmt crashes where there is none
    return stored.name if stored is not None else ""


def stream_color(context: Any) -> ColorTags:
    """Colour tags of a video codec context."""
    stored = _stored_format(context)
    # Grey JPEG says nothing of its range, which is JPEG's own.
    grey_jpeg = stored == "gray" and context.codec.name == "mjpeg"
    full = context.color_range == 2 or stored.startswith("yuvj") or grey_jpeg
    return ColorTags(
        int(context.colorspace), int(context.color_primaries), int(context.color_trc), full
    )


def _video_info(container: InputContainer, stream: Any, file_rate: int) -> VideoInfo:
    context = stream.codec_context
    average, guessed = stream.average_rate, stream.guessed_rate
    audio_rate = sum(
        s.bit_rate or 0 for s in container.streams.audio if s.codec_context is not None
    )
    frames = islice(decoded(container, stream), _PROBE_PACKETS)
    first = next((f for f in frames if f is not None), None)
    # PyAV (18) frees the name of a PNG's ICC profile twice, once it was asked for side data.
    told = None if context.codec.name in _UNSAFE_SIDE_DATA else first
    native = first.format.name if first is not None else _stored_format(context) or "yuv420p"
    start = first.pts if first is not None else None
    color = stream_color(context)
    time_base = stream.time_base or Fraction(1, 25)
    duration = stream.duration
    fallback = average or guessed or Fraction(25)
    return VideoInfo(
        codec=context.codec.name,
        profile=context.profile or "",
        width=first.width if first is not None else context.width,
        height=first.height if first is not None else context.height,
        format=planar_format(native),
        native_format=native,
        rate=Fraction(average or fallback),
        guessed_rate=Fraction(guessed or fallback),
        time_base=time_base,
        bit_rate=stream.bit_rate or max(file_rate - audio_rate, 0),
        n_frames=stream.frames,
        duration=duration * time_base if duration and duration > 0 else None,
        sample_aspect=stream.sample_aspect_ratio or Fraction(1),
        color=color_of(first, color) if first is not None else color,
        rotation=clockwise(first) if first is not None else 0,
        display_matrix=display_matrix(told),
        interlaced=first.interlaced_frame if first is not None else False,
        start=start if start is not None else stream.start_time or 0,
        index=stream.index,
        extradata=context.extradata or b"",
        hdr=hdr_of(told),
        dynamic=tuple(name for key, name in _DYNAMIC.items() if _side_data(told, key) is not None),
        gop=_gop(container, stream),
        reordered=bool(context.has_b_frames),
    )


def audio_streams(path: Path) -> tuple[int, ...]:
    """Return the indices of a file's sounds that can be decoded.

    Raises
    ------
    ReadError
        As :func:`open_input`.
    """
    with open_input(path) as container:
        return tuple(s.index for s in container.streams.audio if s.codec_context is not None)


def probe(path: str | os.PathLike[str]) -> MediaInfo:
    """Look into a media file.

    Raises
    ------
    ReadError
        As :func:`open_input`, or without picture and sound.
    """
    path = Path(path)
    with open_input(path) as container:
        video, audio = video_stream(container), audio_stream(container)
        if video is None and audio is None:
            raise ReadError(f"{show(path)} holds neither video nor sound: give a media file")
        duration = Fraction(container.duration, av.time_base) if container.duration else None
        bits = _size(path) * 8
        rate = container.bit_rate or (int(bits / duration) if duration else 0)
        sound = None
        if audio is not None:
            sound = AudioInfo(
                audio.codec_context.codec.name,
                audio.codec_context.sample_rate,
                audio.codec_context.layout.nb_channels,
                audio.codec_context.layout.name,
                audio.bit_rate or 0,
                audio.index,
            )
        return MediaInfo(
            path=path,
            container=container.format.name,
            duration=duration,
            n_audio=len(container.streams.audio),
            n_subtitles=len(container.streams.subtitles),
            n_chapters=len(container.chapters()),
            bit_rate=rate,
            audio=sound,
            video=None if video is None else _video_info(container, video, rate),
        )
