"""What goes beside the pictures: sound and subtitles, in step with the video."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any, TypeAlias

import av
import av.error

from labial.media.formats import exact_units
from labial.media.moving import Move
from labial.media.sound import frame_like, samples_of, sound

Timed: TypeAlias = tuple[Fraction, list[Any]]
"""Time in seconds of the output, and the packets that start there."""

_STYLE_HEADER = (
    b"[Script Info]\r\nScriptType: v4.00+\r\n\r\n[V4+ Styles]\r\n"
    b"Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, "
    b"BackColour, Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, "
    b"BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding\r\n"
    b"Style: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,0"
    b"\r\n\r\n[Events]\r\n"
    b"Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\r\n"
)
_FINE_SECONDS = Fraction(1, 100_000)
TEXT_SUBTITLES = {"mov_text", "subrip", "srt", "ass", "ssa", "webvtt", "text"}


class Feed:
    """Packets of one source, handed out as the video advances.

    ``timed`` yields packets in about the order of their time; :meth:`advance` muxes those that
    are due, so that only one item at a time is held.
    """

    def __init__(self, timed: Iterator[Timed], mux: Callable[[list[Any]], None]) -> None:
        self._timed = timed
        self._mux = mux
        self._next: Timed | None = None
        self._done = False

    def advance(self, until: Fraction | None) -> None:
        """Mux all packets that start before ``until`` seconds; None: all that are left."""
        while not self._done:
            if self._next is None:
                self._next = next(self._timed, None)
                if self._next is None:
                    self._done = True
                    return
            if until is not None and self._next[0] >= until:
                return
            self._mux(self._next[1])
            self._next = None


def safe_packets(container: Any, streams: list[Any], *, timed: bool = True) -> Iterator[Any]:
    """Packets, with a time where asked for; ends quietly where the file is cut off."""
    packets = container.demux(streams)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.error.FFmpegError):
            return
        if packet.size and (not timed or packet.pts is not None or packet.dts is not None):
            yield packet


def copied(
    container: Any,
    outputs: dict[int, Any],
    shift: Fraction,
    end: Fraction | None,
    recode: Callable[[Any], Any] | None = None,
    begin: Fraction | None = None,
) -> Iterator[Timed]:
    """Packets of the input streams in ``outputs`` (stream index → output stream), moved.

    Parameters
    ----------
    shift
        Seconds added to all times.
    end
        Packets that start at or after this output time are left out, and lines of subtitles end
        there at the latest; None keeps all.
    recode
        Optional change of a packet, for subtitles.
    begin
        Packets that start before this output time are left out, lines of subtitles that last beyond
        it begin then; None keeps all.
    """
    last: dict[int, int] = {}
    for packet in safe_packets(container, [container.streams[i] for i in outputs]):
        index, base = packet.stream.index, packet.time_base
        start = (packet.pts if packet.pts is not None else packet.dts) * base + shift
        late = Fraction(0)
        if begin is not None and packet.stream.type == "subtitle":
            late = max(begin - start, late)
            # One that is over by then is not to be seen for no time.
            start += late if late < (packet.duration or 0) * base else 0
        if (end is not None and start >= end) or (begin is not None and start < begin):
            continue
        moved = recode(packet) if recode is not None else packet
        if moved is None:
            continue
        # AVI counts in packets: what is moved by less needs finer units.
        parts = 1 if (shift / base).denominator == 1 else math.ceil(base / _FINE_SECONDS)
        base /= parts
        offset, lasts = exact_units(shift + late, base), (packet.duration or 0) * parts
        lasts -= exact_units(late, base)
        if end is not None and packet.stream.type == "subtitle":
            lasts = min(lasts, exact_units(end - start, base))
        dts = (packet.dts if packet.dts is not None else packet.pts) * parts
        moved.pts = None if packet.pts is None else packet.pts * parts + offset
        moved.duration = lasts
        moved.dts = max(dts + offset, last.get(index, dts + offset))
        last[index] = moved.dts + 1
        if moved.pts is not None and moved.pts < moved.dts:
            moved.pts = moved.dts
        moved.time_base = base
        moved.stream = outputs[index]
        yield start, [moved]


def encoded(
    container: Any,
    stream: Any,
    output: Any,
    start: Fraction | None,
    limit: Fraction | None,
    move: Move | None = None,
) -> Iterator[Timed]:
    """Decode, resample and encode one audio stream.

    Parameters
    ----------
    start
        Output time of the first sample in seconds; None keeps the source's own time.
    limit
        Seconds of sound at most, to the sample; None keeps all.
    move
        By how much the sound is to be moved against the pictures.
    """
    context = output.codec_context
    rate, layout_name = context.sample_rate, context.layout.name
    wanted = context.format.name
    resampler = av.AudioResampler(format=wanted, layout=layout_name, rate=rate)
    base = Fraction(1, rate)
    left = None if limit is None else round(limit * rate)
    position: int | None = None
    frames = sound(container, stream)
    for block in _resampled(frames if move is None else move.applied(frames), resampler):
        if position is None:
            at = start
            if at is None:
                at = Fraction(0) if block[1] is None else block[1]
            position = round(at * rate)
        frame = block[0]
        if left is not None and frame.samples > left:
            frame = _head(frame, left)
        if frame is None:
            break
        frame.pts, frame.time_base = position, base
        time = position * base
        position += frame.samples
        if left is not None:
            left -= frame.samples
        yield time, output.encode(frame)
    if position is not None:
        yield position * base, output.encode(None)


def _resampled(frames: Iterator[Any], resampler: Any) -> Iterator[tuple[Any, Any]]:
    """Resampled frames, each with the source's time of the very first sample (or None)."""
    first: Fraction | None = None
    any_frame = False
    for frame in frames:
        if not any_frame and frame.pts is not None:
            first = frame.pts * frame.time_base
        any_frame = True
        frame.pts = None
        for part in resampler.resample(frame):
            yield part, first
    if any_frame:
        for part in resampler.resample(None):
            yield part, first


def _head(frame: Any, samples: int) -> Any:
    """The first ``samples`` samples of an audio frame, or None for zero."""
    return frame_like(frame, samples_of(frame)[:samples]) if samples > 0 else None


def first_sample(container: Any, stream: Any) -> Fraction:
    """Time in seconds of the first sample that a player would play."""
    for frame in sound(container, stream):
        return frame.pts * frame.time_base if frame.pts is not None else Fraction(0)
    return Fraction(0)


def merged(feeds: list[Iterator[Timed]]) -> Iterator[Timed]:
    """Several timed iterators as one in order of time."""
    return heapq.merge(*feeds, key=lambda item: item[0])


def subtitle_recoder(source: str, target: str) -> Callable[[Any], Any] | None:
    """Function that turns a text subtitle packet of one codec into another's; None: copy."""
    if source == target:
        return None

    def recode(packet: Any) -> Any:
        text = _plain(bytes(packet), source)
        if not text:
            return None
        data = text.encode()
        if target == "mov_text":
            data = len(data).to_bytes(2, "big") + data
        out = av.Packet(data)
        out.duration = packet.duration
        out.is_keyframe = True
        return out

    return recode


def _plain(data: bytes, codec: str) -> str:
    if codec == "mov_text":
        data = data[2 : 2 + int.from_bytes(data[:2], "big")]
    text = data.decode("utf-8", "replace")
    if codec in ("ass", "ssa"):
        text = text.split(",", 8)[-1].replace("\\N", "\n").replace("\\n", "\n")
        text = _without(text, "{", "}")
    if codec in ("subrip", "srt", "webvtt"):
        text = _without(text, "<", ">")
    return text.strip()


def _without(text: str, opening: str, closing: str) -> str:
    """``text`` without tags."""
    kept = []
    for i, part in enumerate(text.split(opening)):
        _, tag, after = part.partition(closing)
        kept.append(part if i == 0 else after if tag else opening + part)
    return "".join(kept)


def add_text_stream(output: Any, codec: str) -> Any:
    """Add a subtitle stream that holds plain text."""
    stream = output.add_stream(codec)
    stream.codec_context.subtitle_header = _STYLE_HEADER
    stream.time_base = Fraction(1, 1000)
    return stream
