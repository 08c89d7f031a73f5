"""A file with its sound moved, and every picture's packet as it is."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error

from labial.errors import WriteError
from labial.media.containers import sounding_container
from labial.media.encoders import EncodeSettings
from labial.media.moving import Move
from labial.media.place import Place
from labial.media.probe import MediaInfo, open_input, show
from labial.media.sides import safe_packets
from labial.media.streams import OtherStreams, muxer_options
from labial.media.tags import kept_tags, stream_tags, timecode_of

# What sounds is handed to the muxer so long before its pictures.
_LEAD_SECONDS = Fraction(1, 2)
_MOST_WAITING = 64


@dataclass(frozen=True)
class Remuxed:
    """What a remux did.

    Parameters
    ----------
    recoded
        Indices of the source's audio streams whose sound was encoded anew.
    dropped
        What of the source could not be kept, one phrase each.
    """

    recoded: tuple[int, ...] = ()
    dropped: tuple[str, ...] = ()


def remux(
    source: MediaInfo,
    target: Path,
    moves: Mapping[int, Move],
    told: Callable[[Fraction], None] | None = None,
    audio: Path | None = None,
    limit: Fraction | None = None,
    settings: EncodeSettings | None = None,
) -> Remuxed:
    """Write a file anew with other sound, or its own moved, beside its pictures.

    Packets of pictures, of subtitles and of sound are taken over as they are; only sound with a
    drift, and sound that the container cannot hold, is encoded again, to the sample. Sound that
    would come before the first picture is left out, or, a tenth of a second of it, hidden by an
    edit list, as an encoder's delay is. Chapters, tags, covers, dispositions and the turn of the
    picture are kept.

    Parameters
    ----------
    source
        The file.
    target
        Output; its extension (.mp4, .m4v, .mov, .mkv, .webm) chooses the container. Written under a
        temporary name beside itself and renamed when it is complete.
    moves
        Index of an audio stream → its move; other sound stays where it is.
    told
        Is called with the time of each picture, in seconds, as it is written.
    audio, limit, settings
        As for :class:`labial.media.write.VideoWriter`: new sound, of which so many seconds are
        kept. Default: the file's own sound.

    Raises
    ------
    ReadError
        The source cannot be read.
    WriteError
        The output cannot be written, or its container cannot hold the pictures.
    """
    container = sounding_container(target)
    video = source.video
    if video is None:
        raise WriteError(f"{show(source.path)} has no video stream to take over")
    place = Place(target)
    begin = video.start * video.time_base
    with contextlib.ExitStack() as held:
        origin: Any = held.enter_context(open_input(source.path))
        stream = origin.streams[video.index]
        options, dropped = muxer_options(origin, container, video.time_base)
        done = False
        try:
            with _told(target, container.muxer, video.codec):
                place.take()
                out: Any = av.open(
                    place.opened, "w", format=container.muxer, container_options=options
                )
                held.callback(_let_go, out)
                output = _added(out, stream, container.muxer)
                timecode = timecode_of(origin.streams, video.index)
                if timecode:
                    output.metadata["timecode"] = timecode
                others = OtherStreams(
                    out, container, source, settings or EncodeSettings(keep_audio=True),
                    audio, limit, moves=moves,
                )  # fmt: skip
                held.callback(others.close)
                others.add(origin)
                out.metadata.update(kept_tags(origin.metadata))
                out.start_encoding()
                others.start(begin)
                for time, packet in _pictures(source, output):
                    out.mux(packet)
                    others.advance(time + _LEAD_SECONDS)
                    if told is not None:
                        told(time)
                others.advance(None)
                out.close()
                place.commit()
                done = True
        finally:
            if not done:
                held.close()
                place.discard()
    return Remuxed(others.recoded, (*dropped, *others.dropped))


def _added(out: Any, stream: Any, muxer: str) -> Any:
    """The output's stream of pictures, like the source's."""
    output = out.add_stream_from_template(stream, opaque=True)
    output.time_base = stream.time_base
    output.metadata.update(stream_tags(stream.metadata, muxer)[0])
    output.disposition = int(stream.disposition)
    return output


def _pictures(source: MediaInfo, output: Any) -> Iterator[tuple[Fraction, Any]]:
    """Packets of the pictures, each with the time at which it is shown."""
    video = source.video
    assert video is not None
    step = max(1, round(1 / (video.rate * video.time_base)))
    last: int | None = None
    with open_input(source.path) as again:
        stream = again.streams[video.index]
        for packet in _decoded_in_order(safe_packets(again, [stream]), step):
            if packet.pts is None:
                if video.reordered:
                    raise WriteError(
                        f"{show(source.path)} does not say when its pictures are shown: bring it "
                        "into an .mkv or .mp4 first"
                    )
                packet.pts = packet.dts
            if last is not None and packet.dts <= last:
                packet.dts = last + 1
            last = packet.dts
            base = packet.time_base
            packet.stream, packet.time_base = output, base
            yield packet.pts * base, packet


def _decoded_in_order(packets: Iterator[Any], step: int) -> Iterator[Any]:
    """Give each packet a time at which it is decoded.

    Matroska says when pictures are shown, and FFmpeg finds out when they are decoded, but not of
    the first: ``step`` is the time from one to the next.
    """
    waiting: list[Any] = []
    for packet in packets:
        waiting.append(packet)
        if packet.dts is None and len(waiting) < _MOST_WAITING:
            continue
        yield from _backwards(waiting, step)
        waiting = []
    yield from _backwards(waiting, step)


def _backwards(packets: list[Any], step: int) -> list[Any]:
    """Fill in the times before a known one; without one, pictures come as they are shown."""
    if not packets:
        return []
    if packets[-1].dts is None:
        for packet in packets:
            packet.dts = packet.pts
    known = packets[-1].dts
    for k, packet in enumerate(reversed(packets)):
        if packet.dts is None:
            packet.dts = min(known - k * step, packet.pts)
    return packets


def _let_go(out: Any) -> None:
    # What failed once may fail again when it is closed; the first error is the one to tell.
    with contextlib.suppress(Exception):
        out.close()


@contextlib.contextmanager
def _told(target: Path, muxer: str, codec: str) -> Iterator[None]:
    try:
        yield
    except (av.error.InvalidDataError, av.error.ArgumentError, ValueError) as error:
        raise WriteError(
            f"cannot write {show(target)}: {muxer} cannot hold this file's {codec} pictures as "
            "they are; name the output .mkv"
        ) from error
    except av.error.FFmpegError as error:
        raise WriteError(f"cannot write {show(target)}: {error.strerror or error}") from error
    except OSError as error:
        raise WriteError(f"cannot write {show(target)}: {error.strerror}") from error
