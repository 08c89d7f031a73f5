"""The shape of pixels in a finished Matroska or WebM file, which its muxer is not told.

Room for it is kept by a longer title of the video track; nothing else in the file moves.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

_SEGMENT, _TRACKS, _TRACK, _VIDEO = 0x18538067, 0x1654AE6B, 0xAE, 0xE0
_NAME, _CRC, _VOID = 0x536E, 0xBF, 0xEC
_WIDTH, _HEIGHT, _UNIT = 0x54B0, 0x54BA, 0x54B2
_HEAD_BYTES = 1 << 20
_ROOM = " (room for the shape of pixels, which is said at the end)"
# Lengths below this take one byte; above, eight are used.
_SHORT = 127
_PIXELS, _RATIO = 0, 3


class _Element(NamedTuple):
    """An element's name, where it begins, where its content begins, and where it ends."""

    name: int
    begin: int
    content: int
    end: int


def with_room(title: str) -> str:
    """Return the title for a video track whose pixels will be given a shape."""
    return title + _ROOM


def set_pixel_shape(path: Path, width: int, height: int, aspect: Fraction) -> None:
    """Say how wide pixels are, in a file whose video track's title is :func:`with_room`.

    Parameters
    ----------
    width, height
        Of the pictures, in pixels.
    aspect
        Width over height of a pixel.

    Raises
    ------
    ValueError
        There is no such track.
    """
    with path.open("r+b") as file:
        data = bytearray(file.read(_HEAD_BYTES))
        segment = _child(data, 0, len(data), _SEGMENT)
        tracks = _child(data, segment.content, len(data), _TRACKS)
        track = _track_with_room(data, tracks)
        webm = b"webm" in data[: segment.begin]
        shape = _in_pixels(width, height, aspect) if webm else _as_ratio(width, height, aspect)
        data[track.content : track.end] = _reshaped(data, track, shape)
        crc = next(_elements(data, tracks.content, tracks.end))
        if crc.name == _CRC:
            value = zlib.crc32(data[crc.end : tracks.end])
            data[crc.content : crc.end] = value.to_bytes(4, "little")
        file.seek(0)
        file.write(data)


def _as_ratio(width: int, height: int, aspect: Fraction) -> dict[int, int]:
    ratio = Fraction(width, height) * aspect
    return {_WIDTH: ratio.numerator, _HEIGHT: ratio.denominator, _UNIT: _RATIO}


def _in_pixels(width: int, height: int, aspect: Fraction) -> dict[int, int]:
    """WebM knows no ratio: exact where whole pixels can be, else within half a pixel."""
    wide, low = width * aspect, height / aspect
    if wide.denominator > 1 and low.denominator == 1:
        return {_WIDTH: width, _HEIGHT: low.numerator, _UNIT: _PIXELS}
    return {_WIDTH: round(wide), _HEIGHT: height, _UNIT: _PIXELS}


def _reshaped(data: bytearray, track: _Element, shape: dict[int, int]) -> bytes:
    """The content of a track's entry, as long as before, with the shape in place of the room."""
    parts = []
    for element in _elements(data, track.content, track.end):
        content = bytes(data[element.content : element.end])
        if element.name == _VIDEO:
            kept = [
                bytes(data[child.begin : child.end])
                for child in _elements(data, element.content, element.end)
                if child.name not in shape
            ]
            told = [_element(name, value.to_bytes(4, "big")) for name, value in shape.items()]
            parts.append(_element(_VIDEO, b"".join(kept + told)))
        elif element.name == _NAME:
            title = content.decode("utf-8", "replace").replace(_ROOM, "")
            if title:
                parts.append(_element(_NAME, title.encode()))
        else:
            parts.append(bytes(data[element.begin : element.end]))
    made = b"".join(parts)
    left = track.end - track.content - len(made)
    return made + _element(_VOID, bytes(left - (2 if left < _SHORT else 9)))


def _element(name: int, content: bytes) -> bytes:
    head = name.to_bytes((name.bit_length() + 7) // 8, "big")
    size = len(content)
    length = bytes([0x80 | size]) if size < _SHORT else (size | 1 << 56).to_bytes(8, "big")
    return head + length + content


def _track_with_room(data: bytearray, tracks: _Element) -> _Element:
    for element in _elements(data, tracks.content, tracks.end):
        if element.name == _TRACK and _ROOM.encode() in data[element.content : element.end]:
            return element
    raise ValueError("no video track with room for the shape of pixels")


def _child(data: bytearray, begin: int, end: int, name: int) -> _Element:
    for element in _elements(data, begin, end):
        if element.name == name:
            return element
    raise ValueError(f"no element {name:X}")


def _elements(data: bytearray, begin: int, end: int) -> Iterator[_Element]:
    at = begin
    while at < end:
        name, after = _number(data, at, keep_mark=True)
        size, content = _number(data, after, keep_mark=False)
        yield _Element(name, at, content, content + size)
        at = content + size


def _number(data: bytearray, at: int, *, keep_mark: bool) -> tuple[int, int]:
    """A number whose first byte's leading zeros tell its length, and where it ends."""
    length = 9 - data[at].bit_length()
    value = int.from_bytes(data[at : at + length], "big")
    if not keep_mark:
        value &= (1 << 7 * length) - 1
    return value, at + length
