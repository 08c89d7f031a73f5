"""Pictures into packets, in pieces that can each be decoded alone.

Every piece has an encoder of its own, so that it does not matter when, or in which run, a piece was
made, and so that pieces and packets of the source can follow one another.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av

from labial.media.encoder_options import PRORES_PROFILES
from labial.media.encoders import EncodePlan
from labial.media.formats import exact_units, layout, rearranged, to_av
from labial.media.gops import (
    free_parameter_id,
    length_size,
    parameter_sets,
    prefixed_units,
    with_start_codes,
)
from labial.media.opening import open_encoder
from labial.media.probe import VideoInfo
from labial.types import Frame

# YUV matrices that swscale knows; with others, as with RGB, it is given BT.709.
_MATRICES = (1, 4, 5, 6, 7, 9)
# Encoders reorder by so many pictures; what libx264 does it says itself.
_REORDER = {"libx264": 0, "libx265": 2, "libsvtav1": 0, "libvpx-vp9": 0, "prores_ks": 0, "ffv1": 0}
_MOST_REORDER = 4
# Other decoders of what a family of codecs holds.
_DECODERS = {"vp9": ("libvpx-vp9",)}


@dataclass(frozen=True)
class Picture:
    """An encoded picture.

    Parameters
    ----------
    data
        Bytes of the packet.
    pts, duration
        In units of the output's time base; a duration of 0 is unknown.
    key
        Decoding can start here.
    side
        FFmpeg's packet that ``data`` comes from, where it carries more than data.
    """

    data: bytes
    pts: int
    duration: int
    key: bool
    side: Any = None


class PieceEncoder:
    """One piece: pictures in presentation order in, packets in decoding order out.

    Parameters
    ----------
    context
        Opened encoder.
    plan
        How to encode.
    time_base
        Of the output.
    """

    def __init__(self, context: Any, plan: EncodePlan, time_base: Fraction) -> None:
        self._context, self._plan, self._time_base = context, plan, time_base
        self._durations: dict[int, int] = {}

    def encode(self, frame: Frame) -> list[Picture]:
        """Take one frame; return what is ready."""
        picture = self._picture(frame)
        if picture.duration:
            self._durations[picture.pts] = picture.duration
        return self._ready(picture)

    def finish(self) -> list[Picture]:
        """Return what is left."""
        return self._ready(None)

    def _ready(self, picture: Any) -> list[Picture]:
        return [
            Picture(
                bytes(packet),
                packet.pts,
                self._durations.pop(packet.pts, packet.duration or 0),
                packet.is_keyframe,
                packet if packet.has_sidedata("matroska_block_additional") else None,
            )
            for packet in self._context.encode(picture)
        ]

    def _picture(self, frame: Frame) -> Any:
        plan = self._plan
        target = layout(plan.pix_fmt)
        assert target is not None
        if plan.pix_fmt == frame.format.name:
            picture = to_av(frame)
        elif target.format == frame.format:
            picture = rearranged(frame, plan.pix_fmt)
        else:
            picture = self._converted(frame)
        picture.colorspace = plan.color.matrix
        picture.color_primaries = plan.color.primaries
        picture.color_trc = plan.color.transfer
        picture.color_range = 2 if plan.color.full_range else 1
        picture.pts = exact_units(frame.time, self._time_base)
        picture.duration = exact_units(frame.duration * frame.time_base, self._time_base)
        picture.time_base = self._time_base
        return picture

    def _converted(self, frame: Frame) -> Any:
        """The frame in the encoder's pixel format, with the same colours.

        On one thread: with several, swscale's writes past the end of a narrow row race with
        the next row.
        """
        was_rgb = frame.format.kind == "rgb"
        matrix = self._plan.color.matrix if was_rgb else frame.color.matrix
        matrix = matrix if matrix in _MATRICES else 1
        full_in = was_rgb or frame.color.full_range
        return to_av(frame).reformat(
            format=self._plan.pix_fmt,
            src_colorspace=matrix,
            dst_colorspace=matrix,
            src_color_range=2 if full_in else 1,
            dst_color_range=2 if self._plan.color.full_range else 1,
            threads=1,
        )


class DecodeTimes:
    """Give packets, in decoding order, times at which to decode them.

    The k-th packet is decoded when the picture ``depth`` places before the k-th is shown: that
    is early enough for every piece, and goes on from one piece to the next.
    """

    def __init__(self, depth: int, step: int) -> None:
        self._depth, self._step = depth, step
        self._shown: deque[int] = deque()
        self._given = 0
        self._last: int | None = None

    def show(self, pts: int) -> None:
        """Announce the next picture in presentation order, before its packet needs a time."""
        if not self._shown and not self._given:
            early = range(self._depth, 0, -1)
            self._shown.extend(pts - k * self._step for k in early)
        self._shown.append(pts)

    def next(self, pts: int) -> int:
        """Return the time to decode the next packet, whose picture is shown at ``pts``."""
        dts = min(self._shown.popleft(), pts)
        if self._last is not None:
            dts = max(dts, self._last + 1)
        self._given += 1
        self._last = dts
        return dts


def configure(
    context: Any,
    plan: EncodePlan,
    info: VideoInfo,
    rate: Fraction,
    time_base: Fraction,
    threads: int = 0,
) -> None:
    """Tell an encoder what it will get."""
    context.width, context.height, context.pix_fmt = info.width, info.height, plan.pix_fmt
    context.framerate, context.time_base = rate, time_base
    context.sample_aspect_ratio = info.sample_aspect
    context.colorspace = plan.color.matrix
    context.color_primaries = plan.color.primaries
    context.color_trc = plan.color.transfer
    context.color_range = 2 if plan.color.full_range else 1
    context.thread_count = threads
    context.options = dict(plan.options)


def new_context(
    like: Any, plan: EncodePlan, info: VideoInfo, rate: Fraction, time_base: Fraction
) -> Any:
    """Return one more encoder, opened, that makes what ``like`` would make."""
    context: Any = av.CodecContext.create(plan.encoder, "w")
    context.flags = like.flags
    configure(context, plan, info, rate, time_base, like.thread_count)
    open_encoder(context)
    return context


def reorder_depth(context: Any, plan: EncodePlan) -> int:
    """By how many pictures an opened encoder's packets run ahead of presentation, at most."""
    return max(int(context.reorder_depth), _REORDER.get(plan.encoder, _MOST_REORDER))


class Mixing:
    """How packets of the source and our own can follow one another in one stream.

    H.264 has parameter sets at the head of the file: ours get a number that the source's do not
    have, and both are written there. VP9 and ProRes need nothing.

    Parameters
    ----------
    plan
        How our own pictures are encoded.
    info
        The source.

    Attributes
    ----------
    obstacle : str
        Why they cannot; "" where they can.
    options : dict
        Encoder options beside those of the plan.
    """

    def __init__(self, plan: EncodePlan, info: VideoInfo) -> None:
        self.obstacle = _obstacle(plan, info)
        self._theirs: list[bytes] = []
        self._size: int | None = None
        self.options: dict[str, str] = {}
        if self.obstacle or plan.encoder != "libx264":
            return
        self._theirs = parameter_sets(info.extradata)
        self._size = length_size("h264", info.extradata)
        number = free_parameter_id(self._theirs)
        if len(self._theirs) < 2 or number is None:
            self.obstacle = "its parameter sets are not at the head of the file"
            return
        self.options = {"x264-params": f"sps-id={number}"}

    def extradata(self, ours: bytes | None) -> bytes | None:
        """Return what stands at the head of the output, given what our encoder would write."""
        if not self._theirs or ours is None:
            return ours
        return with_start_codes([*self._theirs, *parameter_sets(ours)])

    def taken_over(self, packet: Any, time_base: Fraction) -> Picture:
        """Return a packet of the source as a picture of the output."""
        data = bytes(packet)
        if self._size is not None:
            data = with_start_codes(prefixed_units(data, self._size))
        pts = exact_units(packet.pts * packet.time_base, time_base)
        duration = exact_units((packet.duration or 0) * packet.time_base, time_base)
        more = packet.has_sidedata("matroska_block_additional")
        return Picture(data, pts, duration, packet.is_keyframe, packet if more else None)


def _obstacle(plan: EncodePlan, info: VideoInfo) -> str:
    """Why packets of the source cannot stand among ours; "" where they can."""
    if info.codec not in (plan.family, *_DECODERS.get(plan.family, ())):
        return f"{info.codec} becomes {plan.family}"
    if plan.family not in ("h264", "vp9", "prores"):
        return f"{plan.family} streams of two encoders cannot be mixed"
    if plan.family == "h264" and plan.encoder != "libx264":
        return f"{plan.encoder} cannot number its parameter sets"
    if info.interlaced:
        return "the source is interlaced"
    kept = layout(info.native_format), layout(plan.pix_fmt)
    if None in kept or kept[0].format != kept[1].format:  # type: ignore[union-attr]
        return f"{info.native_format} becomes {plan.pix_fmt}"
    number = str(PRORES_PROFILES.get(info.profile))
    if plan.family == "prores" and plan.options.get("profile") != number:
        return "the ProRes profile changes"
    return ""
