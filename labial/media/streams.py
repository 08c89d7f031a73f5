"""Everything of an output but its pictures: sound, subtitles, chapters, covers, attachments."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from labial.errors import SpeechError
from labial.media.containers import PICTURES, Container
from labial.media.encoders import EncodeSettings, audio_shape, movie_timescale
from labial.media.moving import Move
from labial.media.probe import MediaInfo, audio_stream, open_input, show
from labial.media.sides import (
    TEXT_SUBTITLES,
    Feed,
    Timed,
    add_text_stream,
    copied,
    encoded,
    first_sample,
    merged,
    safe_packets,
    subtitle_recoder,
)
from labial.media.sound import open_sound
from labial.media.tags import kept_tags, placeless, stream_tags

_SUBTITLE_NAMES = {
    "srt": "subrip",
    "ssa": "ass",
    "movtext": "mov_text",
    "pgssub": "hdmv_pgs_subtitle",
    "dvdsub": "dvd_subtitle",
}
_LOSSLESS = {"flac", "alac", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le"}
_WARM_UP_SECONDS = Fraction(1, 10)
_PICTURE_TYPES = {"mjpeg": ("jpg", "image/jpeg"), "png": ("png", "image/png")}


@dataclass(frozen=True)
class _Speech:
    """New sound: its file and stream, that of the output, and the time of its first sample."""

    container: Any
    stream: Any
    output: Any
    copy: bool
    begin: Fraction


def muxer_options(
    origin: Any, container: Container, time_base: Fraction
) -> tuple[dict[str, str], list[str]]:
    """Return FFmpeg's options for an output, and which of the source's tags it has no room for.

    Parameters
    ----------
    origin
        The opened source.
    container
        What the output is.
    time_base
        That of its pictures.
    """
    # Without random numbers: the same input shall give the same file.
    options = {"avoid_negative_ts": "disabled", "fflags": "+bitexact"}
    lost = []
    if container.muxer in ("mp4", "mov"):
        # Tags may be kept under keys of their own; then FFmpeg's muxer leaves out covers.
        keys = placeless(kept_tags(origin.metadata))
        picture = av.stream.Disposition.attached_pic
        cover = any(stream.disposition & picture for stream in origin.streams.video)
        if keys and cover and container.muxer == "mp4":
            lost, keys = [f"tags {', '.join(sorted(keys))}"], []
        options["movflags"] = "+faststart" + "+use_metadata_tags" * bool(keys)
        options["movie_timescale"] = str(movie_timescale(time_base))
    return options, lost


class OtherStreams:
    """Adds to an output what goes beside its pictures, then hands it out as they advance.

    Parameters
    ----------
    out
        PyAV's container, to which the pictures' stream was added.
    container
        What it can hold.
    source
        The file whose streams and tags are kept.
    settings
        Whether its sound is kept beside the speech, and the speech's language.
    audio
        File with the new speech; None keeps the source's sound.
    limit
        Seconds of speech to keep; None keeps all.
    kept
        Seconds of the source's own sound, subtitles and chapters to keep; None keeps all.
    moves
        Index of an audio stream that is kept → by how much it is moved against the pictures.
    skip
        Seconds of the source that come before the first picture, and are left out.

    Attributes
    ----------
    dropped : list of str
        What could not be kept, one phrase each.
    """

    def __init__(
        self,
        out: Any,
        container: Container,
        source: MediaInfo,
        settings: EncodeSettings,
        audio: Path | None,
        limit: Fraction | None,
        kept: Fraction | None = None,
        moves: Mapping[int, Move] | None = None,
        skip: Fraction = Fraction(0),
    ) -> None:
        self._out, self._container, self._source = out, container, source
        self._settings, self._audio = settings, audio
        self._limit, self._kept, self._skip = limit, kept, skip
        self._moves = dict(moves or {})
        self.dropped: list[str] = []
        self._inputs = contextlib.ExitStack()
        self._speech: list[_Speech] = []
        self._kept_audio: list[tuple[int, Any, bool]] = []
        self._subtitles: list[tuple[int, Any, str]] = []
        self._covers: list[tuple[int, Any]] = []
        self._feeds: list[Feed] = []

    def add(self, origin: Any) -> None:
        """Add all streams, given the opened source.

        Raises
        ------
        SpeechError
            The speech holds no sound.
        OptionError
            Its language is none.
        """
        if self._container is PICTURES:
            return
        if self._skip:
            self._moves = {stream.index: Move(self._skip) for stream in origin.streams.audio}
        if self._audio is None:
            for stream in origin.streams.audio:
                self._keep_audio(stream, beside=False)
        else:
            self._add_speech(self._audio, self._settings.language, first=True)
            for language, path in self._settings.more_speech:
                self._add_speech(path, language, first=False)
            main = audio_stream(origin)
            for stream in origin.streams.audio:
                if self._settings.keep_audio and self._kept == 0:
                    self.dropped.append(f"audio stream {stream.index} (the picture is retimed)")
                elif self._settings.keep_audio:
                    self._keep_audio(stream, beside=True)
                elif main is None or stream.index != main.index:
                    self.dropped.append(f"audio stream {stream.index} ({stream.language or '?'})")
        for stream in origin.streams.subtitles:
            if self._kept == 0:
                self.dropped.append(f"subtitle stream {stream.index} (the picture is retimed)")
            else:
                self._add_subtitle(stream)
        for stream in origin.streams:
            if stream.type in ("attachment", "data", "unknown"):
                self._carry_rest(origin, stream)
            elif stream.type == "video":
                self._carry_picture(stream)
        chapters = origin.chapters()
        if self._kept == 0 and chapters:
            self.dropped.append("chapters (the picture is retimed)")
        elif chapters:
            self._out.set_chapters(self._within(chapters))

    @property
    def recoded(self) -> tuple[int, ...]:
        """Indices of the source's audio streams that are kept, but encoded anew."""
        return tuple(index for index, _, copy in self._kept_audio if not copy)

    def start(self, start: Fraction) -> None:
        """Make ready to hand out, given the time of the first picture in seconds."""
        self._mux_covers()
        timed: list[Iterator[Timed]] = []
        until = None if self._kept is None else start + self._kept
        begin = start if self._skip else None
        for one in self._speech:
            if one.copy:
                end = None if self._limit is None else start + self._limit
                outputs = {one.stream.index: one.output}
                timed.append(copied(one.container, outputs, start - one.begin, end))
            else:
                timed.append(encoded(one.container, one.stream, one.output, start, self._limit))
        kept = [(index, output) for index, output, copy in self._kept_audio if copy]
        straight = {index: output for index, output in kept if index not in self._moves}
        straight |= {index: output for index, output, codec in self._subtitles if not codec}
        if straight:
            timed.append(copied(self._origin(), straight, -self._skip, until, begin=begin))
        for index, output in kept:
            if index in self._moves:
                timed.append(self._moved(index, output, start, until))
        for index, output, copy in self._kept_audio:
            if not copy:
                origin, move = self._origin(), self._moves.get(index)
                timed.append(encoded(origin, origin.streams[index], output, None, self._kept, move))
        for index, output, codec in self._subtitles:
            if codec:
                recode = subtitle_recoder(codec, self._container.text_subtitle)
                timed.append(
                    copied(self._origin(), {index: output}, -self._skip, until, recode, begin)
                )
        if timed:
            self._feeds = [Feed(merged(timed), self._out.mux)]

    def _moved(
        self, index: int, output: Any, start: Fraction, until: Fraction | None
    ) -> Iterator[Timed]:
        """Packets as they are, at other times."""
        # Matroska has no times before 0. Elsewhere an edit list hides what comes before the
        # pictures, as it hides an encoder's delay: so much of it as decoders want to warm up.
        early = Fraction(0)
        if self._container.muxer in ("mp4", "mov"):
            early = start - _WARM_UP_SECONDS
        return copied(self._origin(), {index: output}, -self._moves[index].late, until, begin=early)

    def advance(self, until: Fraction | None) -> None:
        """Write what starts before ``until`` seconds; None: all that is left."""
        for feed in self._feeds:
            feed.advance(until)

    def close(self) -> None:
        """Let go of all files."""
        self._inputs.close()

    def _within(self, chapters: list[Any]) -> list[Any]:
        """Chapters that begin before the end of what is kept, none of them longer."""
        video = self._source.video
        if self._kept is None or video is None:
            return chapters
        begin = video.start * video.time_base
        out = []
        for chapter in chapters:
            base = chapter["time_base"]
            skip, last = round(self._skip / base), math.floor((begin + self._kept) / base)
            first, end = chapter["start"] - skip, chapter["end"] - skip
            if self._skip:
                first = max(first, math.ceil(begin / base))
            if first < min(last, end):
                out.append(chapter | {"start": first, "end": min(end, last)})
        return out

    def _origin(self) -> Any:
        """The source once more, for one iterator of its own."""
        return self._inputs.enter_context(open_input(self._source.path))

    def _add_speech(self, path: Path, language: str | None, *, first: bool) -> None:
        container, stream = open_sound(path)
        self._inputs.enter_context(container)
        begin = _first_sample(path)
        copy = self._can_copy(stream) and self._starts_clean(path, stream, begin)
        output = self._audio_output(stream, copy)
        # The dub comes first and is what a player plays.
        default = av.stream.Disposition.default
        kept = int(output.disposition) & ~default
        output.disposition = kept | default if first else kept
        if language is not None:
            output.metadata.pop("language", None)
            self._tag(output, {"language": language}, "the speech")
        self._speech.append(_Speech(container, stream, output, copy, begin))

    def _tag(self, output: Any, tags: dict[str, str], name: str) -> None:
        kept, lost = stream_tags(tags, self._container.muxer)
        output.metadata.update(kept)
        if lost:
            self.dropped.append(f"language {lost} of {name}")

    def _can_copy(self, stream: Any) -> bool:
        return self._container.holds_audio(stream.codec_context.codec.name)

    def _starts_clean(self, path: Path, stream: Any, begin: Fraction) -> bool:
        """True when the first packet starts with the first sample, or the container says."""
        if self._container.muxer in ("mp4", "mov") or "opus" in stream.codec_context.codec.name:
            return True
        container, again = open_sound(path)
        with container:
            packet = next(iter(container.demux(again)))
            return packet.pts is not None and packet.pts * packet.time_base >= begin

    def _audio_output(self, stream: Any, copy: bool) -> Any:
        if copy:
            output = self._out.add_stream_from_template(stream)
        else:
            context = stream.codec_context
            own = context.codec.name
            lossless = own in _LOSSLESS and self._container.holds_audio(own)
            encoder = own if lossless else self._container.audio_encoder
            rate, name, bits = audio_shape(encoder, context.sample_rate, context.layout.nb_channels)
            output = self._out.add_stream(encoder, rate=rate, layout=name, bit_rate=bits)
            output.time_base = Fraction(1, rate)
        self._tag(output, stream.metadata, f"audio stream {stream.index}")
        output.disposition = int(stream.disposition)
        return output

    def _keep_audio(self, stream: Any, *, beside: bool) -> None:
        if stream.codec_context is None:
            self.dropped.append(f"audio stream {stream.index} (unknown codec)")
            return
        move = self._moves.get(stream.index)
        copy = self._can_copy(stream)
        if move is not None:
            # Packets of PCM may last for seconds: what is cut off is cut inside of them.
            cut = move.late > 0 and stream.codec_context.codec.name.startswith("pcm_")
            copy = copy and not cut and not move.drift
        output = self._audio_output(stream, copy)
        if beside:
            output.disposition = int(stream.disposition) & ~av.stream.Disposition.default
        self._kept_audio.append((stream.index, output, copy))

    def _add_subtitle(self, stream: Any) -> None:
        codec = stream.codec_context.codec.name if stream.codec_context is not None else ""
        codec = _SUBTITLE_NAMES.get(codec, codec)
        if codec in self._container.subtitles:
            wanted, output = codec, self._out.add_stream_from_template(stream)
        elif codec in TEXT_SUBTITLES:
            wanted = self._container.text_subtitle
            output = add_text_stream(self._out, wanted)
        else:
            self.dropped.append(
                f"subtitle stream {stream.index} ({codec or 'unknown codec'} cannot be kept in "
                f"{self._container.muxer})"
            )
            return
        self._tag(output, stream.metadata, f"subtitle stream {stream.index}")
        output.disposition = int(stream.disposition)
        self._subtitles.append((stream.index, output, "" if wanted == codec else codec))

    def _carry_rest(self, origin: Any, stream: Any) -> None:
        """Attachments go along into mkv; what else there is gets listed."""
        if stream.type == "attachment" and self._container.muxer == "matroska":
            mime = stream.mimetype or "application/octet-stream"
            self._out.add_attachment(stream.name or "attachment", mime, stream.data)
            return
        if stream.type == "data":
            if stream.name == "bin_data" and origin.chapters():
                return  # the chapters' own titles
            if stream.metadata.get("timecode"):
                return  # a tag of the pictures, of which the muxer makes such a stream
        self.dropped.append(f"{stream.type} stream {stream.index}")

    def _carry_picture(self, stream: Any) -> None:
        """A cover goes along; other videos are listed."""
        assert self._source.video is not None
        if stream.index == self._source.video.index:
            return
        if not stream.disposition & av.stream.Disposition.attached_pic:
            self.dropped.append(f"video stream {stream.index}")
            return
        codec = stream.codec_context.codec.name if stream.codec_context is not None else ""
        if self._container.muxer == "mp4" and codec in _PICTURE_TYPES:
            output = self._out.add_stream_from_template(stream, opaque=True)
            output.disposition = int(stream.disposition)
            output.metadata.update(kept_tags(stream.metadata))
            self._covers.append((stream.index, output))
        elif self._container.muxer == "matroska" and codec in _PICTURE_TYPES:
            ending, mime = _PICTURE_TYPES[codec]
            name = stream.metadata.get("filename") or f"cover.{ending}"
            data = self._cover(stream.index)
            if data is not None:
                self._out.add_attachment(name, mime, bytes(data))
        else:
            self.dropped.append("cover picture")

    def _cover(self, index: int) -> Any:
        with open_input(self._source.path) as origin:
            return next(safe_packets(origin, [origin.streams[index]], timed=False), None)

    def _mux_covers(self) -> None:
        for index, output in self._covers:
            packet = self._cover(index)
            if packet is not None:
                packet.pts = packet.dts = 0
                packet.stream = output
                self._out.mux(packet)


def _first_sample(path: Path) -> Fraction:
    container, stream = open_sound(path)
    with container:
        if not stream.codec_context.sample_rate:
            raise SpeechError(f"{show(path)} holds no sound: give a file with speech")
        return first_sample(container, stream)
