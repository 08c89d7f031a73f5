"""Frames and speech into a media file that keeps everything else of its source."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import av.error

from labial.errors import ReadError, SpeechError, WriteError
from labial.media.containers import CONTAINERS, Container, container_for
from labial.media.encode import (
    DecodeTimes,
    Mixing,
    Picture,
    PieceEncoder,
    configure,
    new_context,
    reorder_depth,
)
from labial.media.encoders import (
    EncodePlan,
    EncodeSettings,
    audio_shape,
    frame_rate,
    movie_timescale,
    plan_encoding,
)
from labial.media.formats import exact_units
from labial.media.gops import group_packets
from labial.media.probe import MediaInfo, VideoInfo, audio_stream, open_input, show
from labial.media.read import open_sound
from labial.media.sides import (
    TEXT_SUBTITLES,
    Feed,
    Timed,
    add_text_stream,
    copied,
    encoded,
    first_sample,
    merged,
    subtitle_recoder,
)
from labial.types import Frame

_LEAD_SECONDS = Fraction(1, 2)
_OWN_TAGS = {
    "major_brand",
    "minor_version",
    "compatible_brands",
    "encoder",
    "duration",
    "rotate",
    "alpha_mode",
    "vendor_id",
    "bps",
    "number_of_frames",
    "number_of_bytes",
    "source_id",
}


def check_target(
    target: str | os.PathLike[str],
    source: MediaInfo,
    settings: EncodeSettings | None = None,
    audio: str | os.PathLike[str] | None = None,
) -> EncodePlan:
    """Find out, without touching the disk, whether an output can be written as asked.

    Raises
    ------
    WriteError
        The directory is missing or closed to writing, the target is a directory or one of the
        inputs, its extension is unknown, or codec, settings and container do not fit.
    """
    target = Path(target)
    name, folder = show(target), target.absolute().parent
    if source.video is None:
        raise WriteError(f"{show(source.path)} has no video stream to take over")
    plan = plan_encoding(target, source.video, settings or EncodeSettings())
    if target.is_dir():
        raise WriteError(f"cannot write {name}: it is a directory")
    if not folder.is_dir():
        raise WriteError(f"cannot write {name}: there is no directory {show(folder)}")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise WriteError(f"cannot write {name}: no permission to write into {show(folder)}")
    for other, role in ((source.path, "source video"), (audio, "speech")):
        if other is not None and target.exists() and target.samefile(other):
            raise WriteError(f"cannot write {name}: it is the {role}, choose another name")
    return plan


def _kept_tags(tags: dict[str, str]) -> dict[str, str]:
    return {
        key: value
        for key, value in tags.items()
        if key.lower().split("-")[0] not in _OWN_TAGS and not key.startswith("_STATISTICS")
    }


@contextlib.contextmanager
def _quiet_encoders() -> Iterator[None]:
    """Keep SVT-AV1, which writes past FFmpeg's log, from printing to the terminal."""
    unset = "SVT_LOG" not in os.environ
    if unset:
        os.environ["SVT_LOG"] = "0"
    try:
        yield
    finally:
        if unset:
            os.environ.pop("SVT_LOG", None)


class VideoWriter:
    """Write frames beside new speech, keeping the source's other streams and tags.

    The file is written under a temporary name beside ``target`` and moved there when the
    ``with`` block ends well; otherwise it is deleted and ``target`` is left as it was.

    Parameters
    ----------
    target
        Output; its extension (.mp4, .m4v, .mov, .mkv, .webm) chooses the container.
    source
        The file whose streams, tags and chapters are kept.
    settings
        Encoder settings.
    audio
        File with the new speech, whose first sample sounds with the first frame. It replaces
        all audio of the source. None: the source's audio is kept.
    audio_limit
        Seconds of speech to keep: exact to the sample where it is transcoded, to the packet
        where it is copied. None keeps all.
    rate
        Frames a second when the source has no motion (a still picture); then times count in
        ``1 / rate`` seconds instead of the source's time base.
    copied_depth
        Packets of the source will be copied, and are decoded so many pictures ahead; see
        :class:`labial.media.gops.Gops`. None where none will be.
    partial
        Where the unfinished output lies, in a folder on the target's disk. Default: beside it.

    Attributes
    ----------
    plan : EncodePlan
        What the pictures are encoded with.
    dropped : list of str
        What of the source could not be kept, one phrase each.
    frames : int
        Frames written so far.
    sink : callable, optional
        Is given every picture that this writer encodes.

    Raises
    ------
    WriteError
        On construction or entry when the output cannot be written as asked.
    ReadError, SpeechError
        ``audio`` is not media, or has no sound.

    Notes
    -----
    Each frame's time is kept exactly in mp4, m4v and mov; mkv and webm count in milliseconds.
    """

    def __init__(
        self,
        target: str | os.PathLike[str],
        source: MediaInfo,
        settings: EncodeSettings | None = None,
        audio: str | os.PathLike[str] | None = None,
        audio_limit: Fraction | None = None,
        *,
        rate: Fraction | None = None,
        copied_depth: int | None = None,
        partial: Path | None = None,
    ) -> None:
        self.target = Path(target)
        self.source = source
        self.plan = check_target(target, source, settings, audio)
        assert source.video is not None
        self._video: VideoInfo = source.video
        self._container: Container = container_for(self.target)
        self._audio = None if audio is None else Path(audio)
        self._limit = audio_limit
        self._depth = copied_depth
        self._rate = rate or frame_rate(self._video)
        self._time_base = self._video.time_base if rate is None else 1 / rate
        self.dropped: list[str] = list(self.plan.lost)
        self.frames = 0
        self._partial = partial or self._beside()
        self._inputs = contextlib.ExitStack()
        self._out: Any = None
        self._stream: Any = None
        self._speech: tuple[Any, Any, Any, bool] | None = None
        self._kept_audio: list[tuple[int, Any, bool]] = []
        self._subtitles: list[tuple[int, Any, str]] = []
        self._feeds: list[Feed] = []
        self._encoder: PieceEncoder | None = None
        self._spare: Any = None
        self._mixing: Mixing | None = None
        self._held: Picture | None = None
        self._last: int | None = None
        self._last_duration = 0
        self.sink: Callable[[Picture], None] | None = None

    def __enter__(self) -> VideoWriter:
        try:
            with self._errors(), _quiet_encoders():
                self._configure()
                self._open_encoder()
                self._out.start_encoding()
        except BaseException:
            self._discard()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._discard()
            return
        try:
            with self._errors():
                self._finish()
                self._partial.replace(self.target)
        except BaseException:
            self._discard()
            raise

    def write(self, frame: Frame) -> None:
        """Encode one frame at its own time; times must increase.

        Raises
        ------
        WriteError
            The disk is full, or the encoder fails.
        """
        if (frame.width, frame.height) != (self._video.width, self._video.height):
            raise ValueError(f"{frame!r} in a {self._video.width}x{self._video.height} video")
        with self._errors():
            if self.frames == 0:
                self._start_feeds(frame.time)
            pts = exact_units(frame.time, self._time_base)
            if self._last is not None and pts <= self._last:
                raise ValueError(f"{frame!r} does not come after the frame before it")
            self._show([pts], exact_units(frame.duration * frame.time_base, self._time_base))
            if self._encoder is None:
                self._encoder = self._new_encoder()
            self._packets_of(self._encoder.encode(frame))

    def cut(self) -> None:
        """End a piece: what follows can be decoded, and could have been made, without it.

        Raises
        ------
        WriteError
            As :meth:`write`.
        """
        encoder, self._encoder = self._encoder, None
        if encoder is not None:
            with self._errors():
                self._packets_of(encoder.finish())

    def replay(self, pictures: Iterable[Picture], times: Sequence[Fraction]) -> None:
        """Take over a piece that was encoded before.

        Parameters
        ----------
        pictures
            What this writer, with the same source and settings, gave to its ``sink`` for it.
        times
            Of its frames, in seconds.

        Raises
        ------
        WriteError
            As :meth:`write`.
        """
        self.cut()
        with self._errors():
            if self.frames == 0:
                self._start_feeds(times[0])
            self._show([exact_units(time, self._time_base) for time in times], 0)
            for picture in pictures:
                if picture.pts == self._last:
                    self._last_duration = picture.duration
                self._packets_of([picture])

    def copy(self, times: Sequence[Fraction]) -> None:
        """Take over packets of the source, whole groups of pictures, as they are.

        Parameters
        ----------
        times
            Of the frames of these groups, in seconds.

        Raises
        ------
        ReadError
            The source is not what it was.
        WriteError
            As :meth:`write`.
        """
        first = exact_units(times[0], self._video.time_base)
        packets = group_packets(self.source.path, first, len(times))
        mixing, taken = self._mixing, 0
        if mixing is None or mixing.obstacle:
            raise ValueError("this writer cannot copy packets")

        def pictures() -> Iterator[Picture]:
            nonlocal taken
            for packet in packets:
                taken += 1
                yield mixing.taken_over(packet, self._time_base)

        sink, self.sink = self.sink, None
        try:
            self.replay(pictures(), times)
        finally:
            self.sink = sink
        if taken != len(times):
            raise ReadError(f"{show(self.source.path)} changed while it was read: start again")

    def _show(self, pts: list[int], duration: int) -> None:
        """Take notice of frames, before their packets come."""
        for shown in pts:
            self._decoding.show(shown)
        self._last, self._last_duration = pts[-1], duration
        self.frames += len(pts)

    def _new_encoder(self) -> PieceEncoder:
        context, self._spare = self._spare, None
        if context is None:
            context = new_context(
                self._stream.codec_context, self.plan, self._video, self._rate, self._time_base
            )
        return PieceEncoder(context, self.plan, self._time_base)

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except av.error.FFmpegError as error:
            reason = error.strerror or str(error)
            raise WriteError(f"cannot write {show(self.target)}: {reason}") from error
        except OSError as error:
            raise WriteError(f"cannot write {show(self.target)}: {error.strerror}") from error

    def _beside(self) -> Path:
        stem = os.fsencode(self.target.stem)[:150].decode("utf-8", "ignore")
        token = secrets.token_hex(4)
        return self.target.absolute().with_name(f".{stem}.{token}.partial{self.target.suffix}")

    def _discard(self) -> None:
        with contextlib.suppress(Exception):
            self._inputs.close()
        if self._out is not None:
            with contextlib.suppress(Exception):
                self._out.close()
        self._out = self._stream = None
        self._partial.unlink(missing_ok=True)

    def _finish(self) -> None:
        if self.frames == 0:
            raise WriteError(f"nothing to write into {show(self.target)}: no frames came")
        self.cut()
        if self._held is not None:
            last = self._held
            if self._last_duration and self._container.muxer in ("mp4", "mov"):
                # mp4 counts in decoding order: the end of the video hangs on the last packet.
                last = replace(last, duration=self._last_duration)
            self._mux_video(last)
        for feed in self._feeds:
            feed.advance(None)
        self._out.close()
        self._inputs.close()

    def _configure(self) -> None:
        options = {"avoid_negative_ts": "disabled"}
        if self._container.muxer in ("mp4", "mov"):
            options["movflags"] = "+faststart"
            options["movie_timescale"] = str(movie_timescale(self._time_base))
        self._out = av.open(
            str(self._partial),
            "w",
            format=self._container.muxer,
            container_options=options,
        )
        origin = self._inputs.enter_context(open_input(self.source.path))
        self._add_video(origin.streams[self._video.index])
        if self._audio is None:
            for stream in origin.streams.audio:
                self._keep_audio(stream)
        else:
            self._add_speech(self._audio)
            main = audio_stream(origin)
            for stream in origin.streams.audio:
                if main is None or stream.index != main.index:
                    self.dropped.append(f"audio stream {stream.index} ({stream.language or '?'})")
        for stream in origin.streams.subtitles:
            self._add_subtitle(stream)
        self._carry_rest(origin)
        self._out.metadata.update(_kept_tags(origin.metadata))
        if origin.chapters():
            self._out.set_chapters(origin.chapters())

    def _add_video(self, origin: Any) -> None:
        info = self._video
        if self._depth is not None:
            self._mixing = Mixing(self.plan, info)
            self.plan = replace(self.plan, options=self.plan.options | self._mixing.options)
        plan = self.plan
        stream = self._out.add_stream(
            plan.encoder,
            rate=self._rate,
            options=dict(plan.options),
            width=info.width,
            height=info.height,
            time_base=self._time_base,
        )
        context = stream.codec_context
        configure(context, plan, info, self._rate, self._time_base)
        if plan.encoder == "libx265" and self._container.muxer in ("mp4", "mov"):
            context.codec_tag = "hvc1"
        if info.display_matrix is not None:
            stream.set_display_matrix(info.display_matrix)
        elif info.rotation:
            stream.set_display_rotation(-info.rotation)
        stream.metadata.update(_kept_tags(origin.metadata))
        if plan.family == "vp9" and plan.pix_fmt.startswith("yuva"):
            stream.metadata["alpha_mode"] = "1"
        stream.disposition = int(origin.disposition)
        if info.sample_aspect != 1 and self._container.muxer in ("matroska", "webm"):
            self.dropped.append(f"pixel aspect ratio {info.sample_aspect}")
        self._stream = stream

    def _open_encoder(self) -> None:
        """Open the first piece's encoder, whose settings stand at the head of the file."""
        context = self._stream.codec_context
        context.open()
        if self._mixing is not None:
            context.extradata = self._mixing.extradata(context.extradata)
        self._spare = context
        depth = max(reorder_depth(context, self.plan), self._depth or 0)
        step = max(1, round(1 / (self._rate * self._time_base)))
        self._decoding = DecodeTimes(depth, step)

    def _add_speech(self, path: Path) -> None:
        container, stream = open_sound(path)
        self._inputs.enter_context(container)
        begin = self._first_sample(path)
        copy = self._can_copy(stream) and self._starts_clean(path, stream, begin)
        output = self._audio_output(stream, copy)
        self._speech = (container, stream, output, copy)
        self._speech_begin = begin

    def _first_sample(self, path: Path) -> Fraction:
        container, stream = open_sound(path)
        with container:
            if not stream.codec_context.sample_rate:
                raise SpeechError(f"{show(path)} holds no sound: give a file with speech")
            return first_sample(container, stream)

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
            encoder = self._container.audio_encoder
            rate, name, bits = audio_shape(encoder, context.sample_rate, context.layout.nb_channels)
            output = self._out.add_stream(encoder, rate=rate, layout=name, bit_rate=bits)
            output.time_base = Fraction(1, rate)
        output.metadata.update(_kept_tags(stream.metadata))
        output.disposition = int(stream.disposition)
        return output

    def _keep_audio(self, stream: Any) -> None:
        if stream.codec_context is None:
            self.dropped.append(f"audio stream {stream.index} (unknown codec)")
            return
        copy = self._can_copy(stream)
        self._kept_audio.append((stream.index, self._audio_output(stream, copy), copy))

    def _add_subtitle(self, stream: Any) -> None:
        codec = stream.codec_context.codec.name if stream.codec_context is not None else ""
        codec = {"srt": "subrip", "ssa": "ass", "movtext": "mov_text"}.get(codec, codec)
        if codec in {"pgssub": 1, "dvdsub": 1}:
            codec = {"pgssub": "hdmv_pgs_subtitle", "dvdsub": "dvd_subtitle"}[codec]
        if codec in self._container.subtitles:
            wanted, output = codec, self._out.add_stream_from_template(stream)
        elif codec in TEXT_SUBTITLES:
            wanted = self._container.text_subtitle
            output = add_text_stream(self._out, wanted)
        else:
            self.dropped.append(
                f"subtitle stream {stream.index} ({codec or 'unknown codec'}: "
                f"{self.target.suffix} cannot hold it)"
            )
            return
        output.metadata.update(_kept_tags(stream.metadata))
        output.disposition = int(stream.disposition)
        self._subtitles.append((stream.index, output, "" if wanted == codec else codec))

    def _carry_rest(self, origin: Any) -> None:
        """Attachments go along into mkv; what else there is gets listed."""
        for stream in origin.streams:
            if stream.type == "attachment" and self._container.muxer == "matroska":
                mime = stream.mimetype or "application/octet-stream"
                self._out.add_attachment(stream.name or "attachment", mime, stream.data)
            elif stream.type in ("attachment", "data", "unknown"):
                if stream.type == "data" and stream.name == "bin_data" and origin.chapters():
                    continue  # the chapters' own titles
                self.dropped.append(f"{stream.type} stream {stream.index}")
            elif stream.type == "video" and stream.index != self._video.index:
                cover = stream.disposition & av.stream.Disposition.attached_pic
                self.dropped.append("cover picture" if cover else f"video stream {stream.index}")

    def _start_feeds(self, start: Fraction) -> None:
        timed: list[Iterator[Timed]] = []
        if self._speech is not None:
            container, stream, output, copy = self._speech
            if copy:
                end = None if self._limit is None else start + self._limit
                shift = start - self._speech_begin
                timed.append(copied(container, {stream.index: output}, shift, end))
            else:
                timed.append(encoded(container, stream, output, start, self._limit))
        straight = {index: output for index, output, copy in self._kept_audio if copy}
        straight |= {index: output for index, output, codec in self._subtitles if not codec}
        if straight:
            timed.append(copied(self._origin(), straight, Fraction(0), None))
        for index, output, copy in self._kept_audio:
            if not copy:
                origin = self._origin()
                timed.append(encoded(origin, origin.streams[index], output, None, None))
        for index, output, codec in self._subtitles:
            if codec:
                recode = subtitle_recoder(codec, self._container.text_subtitle)
                timed.append(copied(self._origin(), {index: output}, Fraction(0), None, recode))
        if timed:
            self._feeds = [Feed(merged(timed), self._out.mux)]

    def _origin(self) -> Any:
        """The source once more, for one iterator of its own."""
        return self._inputs.enter_context(open_input(self.source.path))

    def _packets_of(self, pictures: list[Picture]) -> None:
        """Hand pictures on, the last one held back: its length is known when the next one comes."""
        for picture in pictures:
            if self.sink is not None:
                self.sink(picture)
            held, self._held = self._held, picture
            if held is not None:
                self._mux_video(held)

    def _mux_video(self, picture: Picture) -> None:
        packet: Any = picture.side if picture.side is not None else av.Packet(picture.data)
        packet.stream = self._stream
        packet.time_base = self._time_base
        packet.pts, packet.dts = picture.pts, self._decoding.next(picture.pts)
        packet.duration, packet.is_keyframe = picture.duration, picture.key
        time = packet.dts * self._time_base
        self._out.mux(packet)
        for feed in self._feeds:
            feed.advance(time + _LEAD_SECONDS)


EXTENSIONS = tuple(CONTAINERS)
"""File name endings that can be written."""
