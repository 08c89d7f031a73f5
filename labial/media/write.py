"""Frames and speech into a media file that keeps everything else of its source."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import av.error

from labial.errors import ReadError, WriteError
from labial.media.containers import CONTAINERS, PICTURES, Container, container_for
from labial.media.encode import (
    DecodeTimes,
    Mixing,
    Picture,
    PieceEncoder,
    configure,
    new_context,
    reorder_depth,
)
from labial.media.encoder_options import joined_options, thread_options
from labial.media.encoders import (
    EncodePlan,
    EncodeSettings,
    plan_encoding,
)
from labial.media.formats import exact_units
from labial.media.gops import group_packets
from labial.media.matroska import set_pixel_shape, with_room
from labial.media.opening import open_encoder
from labial.media.place import PicturePlace, Place, check_file, check_pictures
from labial.media.probe import MediaInfo, VideoInfo, open_input, show
from labial.media.sequence import find_sequence
from labial.media.streams import OtherStreams, muxer_options
from labial.media.tags import kept_tags, language_code, stream_tags, timecode_of
from labial.types import Frame

_LEAD_SECONDS = Fraction(1, 2)


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
    OptionError
        The language is none.
    """
    target = Path(target)
    if source.video is None:
        raise WriteError(f"{show(source.path)} has no video stream to take over")
    settings = settings or EncodeSettings()
    plan = plan_encoding(target, source.video, settings)
    more = [language for language, _ in settings.more_speech]
    for language in (settings.language, *more):
        if language is not None:
            language_code(language, container_for(target).muxer)
    if container_for(target) is PICTURES:
        check_pictures(target)
        return plan
    speech = (audio, *(path for _, path in settings.more_speech))
    check_file(target, [(source.path, "the source video"), *((p, "the speech") for p in speech)])
    return plan


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
    kept
        Seconds from the first frame for which the source's own sound, subtitles and chapters are
        kept, if at all; 0 for none of them, None for all that there is.
    skip
        Seconds of the source before the frame that is written first: its other streams begin there,
        and come earlier by as much, as the frames do that are given.
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
        kept: Fraction | None = None,
        skip: Fraction = Fraction(0),
        rate: Fraction | None = None,
        copied_depth: int | None = None,
        partial: Path | None = None,
    ) -> None:
        self.target = Path(target)
        self.source = source
        self._settings = settings or EncodeSettings()
        self.plan = check_target(target, source, self._settings, audio)
        assert source.video is not None
        self._video: VideoInfo = source.video
        self._container: Container = container_for(self.target)
        self._audio = None if audio is None else Path(audio)
        self._limit, self._kept, self._skip = audio_limit, kept, skip
        self._depth = copied_depth
        self._rate = rate or self._video.rate
        self._time_base = self._video.time_base if rate is None else 1 / rate
        self.dropped: list[str] = list(self.plan.lost)
        self.frames = 0
        pictures = self._container is PICTURES
        self._place = (PicturePlace if pictures else Place)(self.target, partial)
        self._inputs = contextlib.ExitStack()
        self._out: Any = None
        self._stream: Any = None
        self._encoder: PieceEncoder | None = None
        self._spare: Any = None
        self._mixing: Mixing | None = None
        self._held: Picture | None = None
        self._last: int | None = None
        self._last_duration = 0
        self.sink: Callable[[Picture], None] | None = None

    def __enter__(self) -> VideoWriter:
        try:
            with self._errors():
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
                self._place.commit()
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
                self._start(frame.time)
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
                self._start(times[0])
            self._show([exact_units(time, self._time_base) for time in times], 0)
            for picture in pictures:
                if picture.pts == self._last:
                    self._last_duration = picture.duration
                self._packets_of([picture])

    def copy(self, times: Sequence[Fraction], earlier: Fraction = Fraction(0)) -> None:
        """Take over packets of the source, whole groups of pictures, as they are.

        Parameters
        ----------
        times
            Of the frames of these groups, in seconds of the source.
        earlier
            Seconds by which they come earlier in the output.

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
                picture = mixing.taken_over(packet, self._time_base)
                yield replace(picture, pts=picture.pts - exact_units(earlier, self._time_base))

        sink, self.sink = self.sink, None
        try:
            self.replay(pictures(), [time - earlier for time in times])
        finally:
            self.sink = sink
        if taken != len(times):
            raise ReadError(f"{show(self.source.path)} changed while it was read: start again")

    def _start(self, time: Fraction) -> None:
        """Begin with the first picture's time."""
        self._others.start(time)

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

    @property
    def _shaped(self) -> bool:
        """The container must be told the shape of pixels by hand."""
        square = self._video.sample_aspect == 1
        return not square and self._container.muxer in ("matroska", "webm")

    def _discard(self) -> None:
        # What failed once may fail again when it is closed; the first error is the one to tell.
        with contextlib.suppress(Exception):
            self._inputs.close()
        if self._out is not None:
            with contextlib.suppress(Exception):
                self._out.close()
        self._out = self._stream = None
        self._place.discard()

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
        self._others.advance(None)
        self._out.close()
        self._inputs.close()
        if self._shaped:
            video = self._video
            set_pixel_shape(self._place.partial, video.width, video.height, video.sample_aspect)

    def _configure(self) -> None:
        origin = self._inputs.enter_context(open_input(self.source.path))
        options, lost = muxer_options(origin, self._container, self._time_base)
        self.dropped += lost
        pictures = find_sequence(self.source.path)
        if self._container is PICTURES and pictures is not None:
            options["start_number"] = str(pictures.first + round(self._skip * self._rate))
        self._place.take()
        self._out = av.open(
            self._place.opened,
            "w",
            format=self._container.muxer,
            container_options=options,
        )
        self._add_video(origin.streams[self._video.index])
        timecode = timecode_of(origin.streams, self._video.index)
        if timecode and self._skip:
            self.dropped.append("timecode (the output begins later)")
        elif timecode:
            self._stream.metadata["timecode"] = timecode
        self._others = OtherStreams(
            self._out, self._container, self.source, self._settings, self._audio, self._limit,
            self._kept, skip=self._skip,
        )  # fmt: skip
        self._inputs.callback(self._others.close)
        self._others.add(origin)
        self.dropped += self._others.dropped
        self._out.metadata.update(kept_tags(origin.metadata))

    def _add_video(self, origin: Any) -> None:
        info = self._video
        plan, settings = self.plan, self._settings
        threads, more = thread_options(plan.encoder, settings.threads, settings.repeatable)
        if self._depth is not None:
            self._mixing = Mixing(plan, info)
            more = joined_options(more, self._mixing.options)
        self.plan = plan = replace(plan, options=joined_options(plan.options, more))
        stream = self._out.add_stream(
            plan.encoder,
            rate=self._rate,
            options=dict(plan.options),
            width=info.width,
            height=info.height,
            time_base=self._time_base,
        )
        context = stream.codec_context
        configure(context, plan, info, self._rate, self._time_base, threads)
        if plan.encoder == "libx265" and self._container.muxer in ("mp4", "mov"):
            context.codec_tag = "hvc1"
        if info.display_matrix is not None:
            stream.set_display_matrix(info.display_matrix)
        elif info.rotation:
            stream.set_display_rotation(-info.rotation)
        stream.metadata.update(stream_tags(origin.metadata, self._container.muxer)[0])
        if plan.family == "vp9" and plan.pix_fmt.startswith("yuva"):
            stream.metadata["alpha_mode"] = "1"
        stream.disposition = int(origin.disposition)
        if self._shaped:
            stream.metadata["title"] = with_room(stream.metadata.get("title", ""))
        self._stream = stream

    def _open_encoder(self) -> None:
        """Open the first piece's encoder, whose settings stand at the head of the file."""
        context = self._stream.codec_context
        open_encoder(context)
        if self._mixing is not None:
            context.extradata = self._mixing.extradata(context.extradata)
        self._spare = context
        depth = max(reorder_depth(context, self.plan), self._depth or 0)
        step = max(1, round(1 / (self._rate * self._time_base)))
        self._decoding = DecodeTimes(depth, step)

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
        self._others.advance(time + _LEAD_SECONDS)


EXTENSIONS = tuple(CONTAINERS)
"""File name endings that can be written."""
