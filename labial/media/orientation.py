"""Which way up a photo is: Exif's orientation, of which FFmpeg tells the turns but not the mirrors.

Exif 2.32 (CIPA DC-008), tag 0x0112; TIFF 6.0 for the layout of its directory.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

_TAG, _SHORT = 0x0112, 3
_LONGEST_BLOCK = 1 << 20


def exif_orientation(path: Path) -> int | None:
    """Return the orientation that a JPEG, PNG, WebP or TIFF file gives.

    Returns
    -------
    int or None
        1 as stored; 2 mirrored left to right; 3 upside down; 4 mirrored top to bottom; 5 rows are
        columns; 6 to be turned clockwise; 7 rows are columns, and upside down; 8 to be turned
        counterclockwise. None where the file does not say.
    """
    with path.open("rb") as file:
        head = file.read(12)
        if head[:2] == b"\xff\xd8":
            return _in_jpeg(file)
        if head[:8] == b"\x89PNG\r\n\x1a\n":
            return _in_chunks(file, 8, b"eXIf", riff=False)
        if head[:4] == b"RIFF" and head[8:] == b"WEBP":
            return _in_chunks(file, 12, b"EXIF", riff=True)
        if head[:4] in (b"II*\0", b"MM\0*"):
            file.seek(0)
            return _in_tiff(file.read(_LONGEST_BLOCK))
    return None


def _in_jpeg(file: BinaryIO) -> int | None:
    """Walk the segments up to the picture's own data."""
    at = 2
    while True:
        file.seek(at)
        segment = file.read(4)
        if len(segment) < 4 or segment[0] != 0xFF or segment[1] in (0xD9, 0xDA):
            return None
        (length,) = struct.unpack(">H", segment[2:])
        if segment[1] == 0xE1:
            block = file.read(length - 2) if length > 2 else b""
            if block[:6] == b"Exif\0\0":
                return _in_tiff(block[6:])
        at += 2 + length


def _in_chunks(file: BinaryIO, at: int, wanted: bytes, *, riff: bool) -> int | None:
    """Walk the chunks of a PNG (length, name, data, checksum) or RIFF (name, length, data)."""
    while True:
        file.seek(at)
        head = file.read(8)
        if len(head) < 8:
            return None
        name, size = (head[:4], head[4:]) if riff else (head[4:], head[:4])
        length = int.from_bytes(size, "little" if riff else "big")
        if name == wanted:
            block = file.read(min(length, _LONGEST_BLOCK))
            return _in_tiff(block.removeprefix(b"Exif\0\0"))
        at += 8 + length + (length % 2 if riff else 4)


def _in_tiff(block: bytes) -> int | None:
    """Look for the tag in the first directory."""
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    if order is None or len(block) < 10:
        return None
    (start,) = struct.unpack_from(f"{order}I", block, 4)
    if start + 2 > len(block):
        return None
    (count,) = struct.unpack_from(f"{order}H", block, start)
    for at in range(start + 2, min(start + 2 + 12 * count, len(block) - 11), 12):
        tag, kind, _, value = struct.unpack_from(f"{order}HHIH", block, at)
        if tag == _TAG and kind == _SHORT and 1 <= value <= 8:
            return int(value)
    return None
