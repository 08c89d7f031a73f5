"""Pixel formats: what FFmpeg stores, and the planar layout that :class:`labial.types.Frame` holds.

Rearranging is lossless: every sample keeps its value. Samples that a format keeps in the high
bits of a word (``p010le``) move to the low bits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, TypeAlias

import av
import av.video.frame
import numpy as np
import numpy.typing as npt

from labial.types import ColorTags, Frame, PixelFormat, Plane

_Words: TypeAlias = npt.NDArray[Any]
_SUBSAMPLING = {
    "444": (0, 0),
    "440": (0, 1),
    "422": (1, 0),
    "420": (1, 1),
    "411": (2, 0),
    "410": (2, 2),
}


@dataclass(frozen=True)
class Layout:
    """Where the samples of each plane of ``format`` lie in FFmpeg's buffers.

    ``picks`` holds, a plane: FFmpeg's plane, first word, step in words, and the right shift.
    """

    format: PixelFormat
    dtype: np.dtype[Any]
    picks: tuple[tuple[int, int, int, int], ...]


def _yuv(sampling: str, bits: int = 8, alpha: bool = False) -> PixelFormat:
    depth = "" if bits == 8 else f"{bits}le"
    name = f"yuv{'a' * alpha}{sampling}p{depth}"
    return PixelFormat(name, "yuv", bits, *_SUBSAMPLING[sampling], alpha=alpha)


def _rgb(bits: int = 8, alpha: bool = False) -> PixelFormat:
    depth = "" if bits == 8 else f"{bits}le"
    return PixelFormat(f"gbr{'a' * alpha}p{depth}", "rgb", bits, alpha=alpha)


def _gray(bits: int = 8, alpha: bool = False) -> PixelFormat:
    if alpha:
        return PixelFormat("ya8" if bits == 8 else "ya16le", "gray", bits, alpha=True)
    return PixelFormat("gray" if bits == 8 else f"gray{bits}le", "gray", bits)


def _planar(name: str) -> Layout | None:
    match = re.fullmatch(
        r"(?:(?P<yuv>yuv[aj]?)(?P<sampling>4\d\d)p|(?P<rgb>gbra?p)|gray)"
        r"(?P<bits>9|1[0-6])?(?P<msb>msb)?(?P<end>[lb]e)?",
        name,
    )
    if match is None:
        return None
    bits = int(match["bits"] or 8)
    if match["yuv"]:
        if match["sampling"] not in _SUBSAMPLING:
            return None
        target = _yuv(match["sampling"], bits, match["yuv"] == "yuva")
    elif match["rgb"]:
        target = _rgb(bits, match["rgb"] == "gbrap")
    else:
        target = _gray(bits)
    dtype = np.dtype(np.uint8 if bits == 8 else ">u2" if match["end"] == "be" else "<u2")
    shift = 16 - bits if match["msb"] else 0
    return Layout(target, dtype, tuple((i, 0, 1, shift) for i in range(target.n_planes)))


def _packed(
    target: PixelFormat, offsets: str, step: int | None = None, shift: int = 0, dtype: str = ""
) -> Layout:
    """Layout of one interleaved buffer; ``offsets`` spells the first word of each plane."""
    words = np.dtype(dtype or ("u1" if target.bits == 8 else "<u2"))
    picks = tuple((0, int(first), step or len(offsets), shift) for first in offsets)
    return Layout(target, words, picks)


def _semi(target: PixelFormat, swapped: bool = False, dtype: str = "<u2") -> Layout:
    """Layout of a luma plane and one plane of chroma pairs, samples in the high bits."""
    words = np.dtype(dtype if target.bits > 8 else "u1")
    shift = 16 - target.bits if target.bits > 8 else 0
    u, v = (1, 0) if swapped else (0, 1)
    return Layout(target, words, ((0, 0, 1, shift), (1, u, 2, shift), (1, v, 2, shift)))


def _packed_422(target: PixelFormat, offsets: str, shift: int = 0) -> Layout:
    words = np.dtype("u1" if target.bits == 8 else "<u2")
    y, u, v = (int(c) for c in offsets)
    return Layout(target, words, ((0, y, 2, shift), (0, u, 4, shift), (0, v, 4, shift)))


def _in_word(target: PixelFormat, shifts: tuple[int, int, int]) -> Layout:
    return Layout(target, np.dtype("<u4"), tuple((0, 0, 1, s) for s in shifts))


@lru_cache(maxsize=1)
def _table() -> dict[str, Layout]:
    table = {
        "nv12": _semi(_yuv("420")),
        "nv21": _semi(_yuv("420"), swapped=True),
        "nv16": _semi(_yuv("422")),
        "nv24": _semi(_yuv("444")),
        "nv42": _semi(_yuv("444"), swapped=True),
        "yuyv422": _packed_422(_yuv("422"), "013"),
        "uyvy422": _packed_422(_yuv("422"), "102"),
        "yvyu422": _packed_422(_yuv("422"), "031"),
        "rgb24": _packed(_rgb(), "120"),
        "bgr24": _packed(_rgb(), "102"),
        "rgb0": _packed(_rgb(), "120", 4),
        "bgr0": _packed(_rgb(), "102", 4),
        "0rgb": _packed(_rgb(), "231", 4),
        "0bgr": _packed(_rgb(), "213", 4),
        "rgba": _packed(_rgb(alpha=True), "1203"),
        "bgra": _packed(_rgb(alpha=True), "1023"),
        "argb": _packed(_rgb(alpha=True), "2310"),
        "abgr": _packed(_rgb(alpha=True), "2130"),
        "ya8": _packed(_gray(alpha=True), "01"),
        "ayuv": _packed(_yuv("444", alpha=True), "1230"),
        "uyva": _packed(_yuv("444", alpha=True), "1023"),
        "vuya": _packed(_yuv("444", alpha=True), "2103"),
        "vuyx": _packed(_yuv("444"), "210", 4),
        "vyu444": _packed(_yuv("444"), "120"),
        "xv36le": _packed(_yuv("444", 12), "102", 4, 4),
        "xv48le": _packed(_yuv("444", 16), "102", 4),
        "x2rgb10le": _in_word(_rgb(10), (10, 0, 20)),
        "x2bgr10le": _in_word(_rgb(10), (10, 20, 0)),
        "xv30le": _in_word(_yuv("444", 10), (10, 0, 20)),
        "v30xle": _in_word(_yuv("444", 10), (12, 2, 22)),
    }
    for bits, tail in ((10, "10"), (12, "12"), (16, "16")):
        for family, sampling in (("p0", "420"), ("p2", "422"), ("p4", "444")):
            for end, dtype in (("le", "<u2"), ("be", ">u2")):
                table[f"{family}{tail}{end}"] = _semi(_yuv(sampling, bits), dtype=dtype)
        table[f"y2{tail}le"] = _packed_422(_yuv("422", bits), "013", 16 - bits)
    table["nv20le"] = Layout(
        _yuv("422", 10), np.dtype("<u2"), ((0, 0, 1, 0), (1, 0, 2, 0), (1, 1, 2, 0))
    )
    for end, dtype in (("le", "<u2"), ("be", ">u2")):
        table[f"rgb48{end}"] = _packed(_rgb(16), "120", dtype=dtype)
        table[f"bgr48{end}"] = _packed(_rgb(16), "102", dtype=dtype)
        table[f"rgba64{end}"] = _packed(_rgb(16, True), "1203", dtype=dtype)
        table[f"bgra64{end}"] = _packed(_rgb(16, True), "1023", dtype=dtype)
        table[f"ayuv64{end}"] = _packed(_yuv("444", 16, True), "1230", dtype=dtype)
        table[f"ya16{end}"] = _packed(_gray(16, True), "01", dtype=dtype)
    return table


@lru_cache(maxsize=256)
def layout(name: str) -> Layout | None:
    """Return where FFmpeg's format ``name`` keeps its samples, or None when it is not known."""
    return _planar(name) or _table().get(name)


@lru_cache(maxsize=64)
def planar_format(name: str) -> PixelFormat:
    """Return the planar format that a frame of FFmpeg's format ``name`` is read as.

    Formats without whole samples a word (palette, 5-6-5, float, Bayer) are read through the
    nearest planar format that holds all their values; float is read with 16 bits.
    """
    known = layout(name)
    if known is not None:
        return known.format
    native = av.VideoFormat(name)
    bits = max((c.bits for c in native.components), default=8)
    alpha = any(c.is_alpha for c in native.components) and not native.has_palette
    deep = bits > 8
    if native.is_rgb or native.has_palette or native.is_bayer or name.startswith("xyz"):
        return _rgb(16 if deep else 8, alpha)
    if len(native.components) <= 2:
        return _gray(16 if deep else 8, alpha)
    return _yuv("444", 16 if deep else 8, alpha)


def _rows(plane: Any, dtype: np.dtype[Any]) -> _Words:
    """The plane's words, (rows, words a line), padding included; row 0 is the top row."""
    line = abs(plane.line_size)
    words = line // dtype.itemsize
    whole = np.frombuffer(plane, np.uint8).reshape(-1, line)
    rows = whole[:, : words * dtype.itemsize].view(dtype)
    return rows[::-1] if plane.line_size < 0 else rows


def planes_of(frame: av.VideoFrame) -> tuple[PixelFormat, tuple[Plane, ...]]:
    """Read a decoded frame.

    Returns
    -------
    format, planes
        Planes of planar formats are read-only views that keep the decoder's buffer alive;
        others are rearranged copies.
    """
    known = layout(frame.format.name)
    if known is None:
        wanted = planar_format(frame.format.name)
        frame = frame.reformat(format=wanted.name, threads=1)
        known = layout(wanted.name)
        assert known is not None
    target = known.format
    dtype = np.uint8 if target.bits == 8 else np.uint16
    buffers = [_rows(plane, known.dtype) for plane in frame.planes]
    planes: list[Plane] = []
    for index, (source, first, step, shift) in enumerate(known.picks):
        rows, columns = target.plane_shape(index, frame.height, frame.width)
        view = buffers[source][:rows, first::step][:, :columns]
        if known.dtype.itemsize == 4:
            view = (view >> shift & (1 << target.bits) - 1).astype(dtype)
        elif shift:
            view = (view >> shift).astype(dtype, copy=False)
        elif step > 1 or view.dtype != dtype:
            view = np.ascontiguousarray(view, dtype)
        view.flags.writeable = False
        planes.append(view)
    return target, tuple(planes)


def color_of(frame: av.VideoFrame, default: ColorTags) -> ColorTags:
    """Colour tags of a frame; what it leaves open is taken from ``default``."""
    full = frame.color_range == 2 or frame.format.name.startswith("yuvj")
    if frame.color_range == 0 and not full:
        full = default.full_range
    matrix, primaries, transfer = (
        int(frame.colorspace),
        int(frame.color_primaries),
        int(frame.color_trc),
    )
    return ColorTags(
        default.matrix if matrix == 2 else matrix,
        default.primaries if primaries == 2 else primaries,
        default.transfer if transfer == 2 else transfer,
        full,
    )


def to_av(frame: Frame) -> av.VideoFrame:
    """Copy a frame into a new FFmpeg frame of the same format, with its times and colour tags."""
    picture = av.VideoFrame(frame.width, frame.height, frame.format.name)
    _fill(picture, frame)
    tags = frame.color
    picture.colorspace = tags.matrix
    picture.color_primaries = tags.primaries
    picture.color_trc = tags.transfer
    picture.color_range = 2 if tags.full_range else 1
    picture.pts, picture.time_base = frame.pts, frame.time_base
    picture.duration = frame.duration
    return picture


def _fill(picture: av.VideoFrame, frame: Frame) -> None:
    known = layout(picture.format.name)
    assert known is not None
    buffers = [_rows(plane, known.dtype) for plane in picture.planes]
    if known.format.n_planes < len(buffers) or any(step > 1 for _, _, step, _ in known.picks):
        for buffer in buffers:
            buffer[:] = 0
    for plane, (target, first, step, shift) in zip(frame.planes, known.picks, strict=True):
        rows, columns = plane.shape
        buffers[target][:rows, first::step][:, :columns] = plane << shift if shift else plane


def rearranged(frame: Frame, name: str) -> av.VideoFrame:
    """Copy a frame into FFmpeg's packed format ``name`` whose samples are those of the frame."""
    picture = av.VideoFrame(frame.width, frame.height, name)
    _fill(picture, frame)
    picture.pts, picture.time_base = frame.pts, frame.time_base
    picture.duration = frame.duration
    return picture


def exact_units(time: Fraction, time_base: Fraction) -> int:
    """``time`` seconds in units of ``time_base``, rounded to the nearest."""
    return round(time / time_base)
