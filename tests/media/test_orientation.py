"""Exif blocks written by hand: every orientation, both byte orders, and what is cut off."""

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from labial.media.orientation import exif_orientation

PICTURE = np.arange(24 * 16 * 3, dtype=np.uint8).reshape(24, 16, 3)


def tiff(value: int, order: str = "<", tag: int = 0x0112) -> bytes:
    """A TIFF header and one directory: another tag, then the orientation."""
    mark = b"II" if order == "<" else b"MM"
    width = struct.pack(f"{order}HHIHH", 0x0100, 3, 1, 16, 0)
    entry = struct.pack(f"{order}HHIHH", tag, 3, 1, value, 0)
    return mark + struct.pack(f"{order}HIH", 42, 8, 2) + width + entry + bytes(4)


def jpeg(block: bytes) -> bytes:
    data = cv2.imencode(".jpg", PICTURE)[1].tobytes()
    exif = b"Exif\0\0" + block
    other = b"\xff\xe1" + struct.pack(">H", 8) + b"http\0\0"
    return data[:2] + other + b"\xff\xe1" + struct.pack(">H", 2 + len(exif)) + exif + data[2:]


def png(block: bytes) -> bytes:
    data = cv2.imencode(".png", PICTURE)[1].tobytes()
    body = b"eXIf" + block
    chunk = struct.pack(">I", len(block)) + body + struct.pack(">I", zlib.crc32(body))
    return data[:-12] + chunk + data[-12:]


def webp(block: bytes) -> bytes:
    """As much of a WebP as says which way up it is; a chunk of odd length comes first."""
    odd = b"ICCP" + struct.pack("<I", 3) + b"abc\0"
    chunks = b"WEBP" + odd + b"EXIF" + struct.pack("<I", len(block)) + block
    return b"RIFF" + struct.pack("<I", len(chunks)) + chunks


@pytest.mark.parametrize("wrap", [jpeg, png, webp, lambda block: block])
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("value", range(1, 9))
def test_every_orientation(wrap, order: str, value: int, tmp_path: Path) -> None:
    path = tmp_path / "photo"
    path.write_bytes(wrap(tiff(value, order)))
    assert exif_orientation(path) == value


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xd8",
        b"GIF89a",
        jpeg(tiff(9)),
        jpeg(tiff(3, tag=0x0111)),
        jpeg(b"II*\0"),
        jpeg(b"II*\0\xff\xff\xff\x7f" + bytes(20)),
        cv2.imencode(".jpg", PICTURE)[1].tobytes(),
        cv2.imencode(".png", PICTURE)[1].tobytes(),
        tiff(3)[:25],
    ],
)
def test_nothing_is_said(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "photo"
    path.write_bytes(data)
    assert exif_orientation(path) is None


def test_any_cut_of_a_file_is_survived(tmp_path: Path) -> None:
    path = tmp_path / "photo"
    for whole in (jpeg(tiff(6)), png(tiff(6)), webp(tiff(6))):
        for end in range(0, len(whole), 7):
            path.write_bytes(whole[:end])
            assert exif_orientation(path) in (None, 6)
