"""Files as an attacker makes them: each is small, and asks for much or for what is not its own."""

from __future__ import annotations

import struct
import zlib

PIXEL_BOMB_SIDE = 40_000


def png(width: int, height: int, rows: int | None = None) -> bytes:
    """A grey PNG whose rows are all zero: a thousandth of what it unpacks to."""
    packer = zlib.compressobj(9)
    data = b"".join(
        packer.compress(bytes(width + 1)) for _ in range(height if rows is None else rows)
    )
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)),
        (b"IDAT", data + packer.flush()),
        (b"IEND", b""),
    ]
    body = b"".join(
        struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in parts
    )
    return b"\x89PNG\r\n\x1a\n" + body


def box(kind: bytes, *content: bytes) -> bytes:
    """A box of QuickTime."""
    body = b"".join(content)
    return struct.pack(">I", len(body) + 8) + kind + body


def with_outside_data(movie: bytes, name: bytes) -> bytes:
    """An MP4 of one track as one whose samples are said to lie in the file ``name``."""
    own = box(b"url ", b"\0\0\0\1")
    assert movie.count(own) == 1
    entry = box(b"url ", b"\0\0\0\0", name + b"\0")
    grown = len(entry) - len(own)
    at = movie.index(own)
    for kind in (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"):
        where = movie.rindex(kind, 0, at) - 4
        size = struct.unpack(">I", movie[where : where + 4])[0]
        movie = movie[:where] + struct.pack(">I", size + grown) + movie[where + 4 :]
    return movie[:at] + entry + movie[at + len(own) :]


def wav(rate: int, channels: int, data: bytes = bytes(4096)) -> bytes:
    """A WAV of 16 bits that claims any rate and number of channels."""
    head = struct.pack("<HHIIHH", 1, channels, rate, (rate * channels * 2) & 0xFFFFFFFF,
                       (channels * 2) & 0xFFFF, 16)  # fmt: skip
    size = struct.pack("<I", len(data))
    body = b"WAVEfmt " + struct.pack("<I", 16) + head + b"data" + size + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def op_atom() -> bytes:
    """The first partition of an MXF that is one of several."""
    key = bytes.fromhex("060e2b34020501010d01020101020400")
    value = struct.pack(">HHIQQQQQIQI", 1, 3, 1, 0, 0, 0, 0, 0, 0, 0, 0)
    value += bytes.fromhex("060e2b34040101010d01020110000000") + struct.pack(">II", 0, 16)
    return key + b"\x83" + len(value).to_bytes(3, "big") + value + bytes(4096)


def lists(address: str, name: str) -> dict[str, str]:
    """Texts that name ``address`` or the file ``name`` for a player to open."""
    hls = "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{}\n#EXT-X-ENDLIST\n"
    host, _, port = address.partition("//")[2].partition("/")[0].partition(":")
    return {
        "hls": hls.format(f"{address}.ts"),
        "hls of a file": hls.format(f"file://{name}"),
        "hls of a part": hls.format(f"subfile,,start,0,end,99,,:{name}"),
        "hls of a chain": hls.format(f"concat:{name}|{name}"),
        "concat": f"ffconcat version 1.0\nfile '{name}'\n",
        "concat of an address": f"ffconcat version 1.0\nfile '{address}.ts'\n",
        "concat of numbers": "ffconcat version 1.0\nfile frame%03d.png\n",
        "sdp": f"v=0\no=- 0 0 IN IP4 {host}\nc=IN IP4 {host}\nt=0 0\nm=video {port} RTP/AVP 96\n",
        "dash": f'<?xml version="1.0"?><MPD type="static"><BaseURL>{address}</BaseURL></MPD>',
        "smooth": f'<SmoothStreamingMedia><StreamIndex Url="{address}"/></SmoothStreamingMedia>',
        "xspf": f"<?xml version='1.0'?><playlist><track><location>{address}</location></track>",
        "asx": f'<asx version="3.0"><entry><ref href="{address}"/></entry></asx>',
        "svg": f'<svg xmlns="http://www.w3.org/2000/svg"><image href="{address}"/></svg>',
        "redirect": f"[Reference]\nRef1={address}\n",
        "rtsp": f"RTSPtext\nrtsp://{host}:{port}/a\n",
        "pls": f"[playlist]\nFile1={address}\nNumberOfEntries=1\n",
        "vobsub": "# VobSub index file, v7\nid: en, index: 0\ntimestamp: 0, filepos: 0\n",
        "an address": f"{address}\n",
    }
