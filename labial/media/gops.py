"""Where decoding can start, and packets that go over as they are."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from labial.media.probe import open_input, video_stream

Times = npt.NDArray[np.int64]

_LOOKED_BACK = 32
_START_CODE = re.compile(rb"\x00\x00\x01")
_IDR = {"h264": ({5}, 0x1F, 0), "hevc": ({19, 20}, 0x3F, 1)}
_PARAMETERS = {7, 8}


@dataclass(frozen=True)
class Gops:
    """Groups of pictures that can be decoded, and stand, alone.

    Parameters
    ----------
    first
        (m,) index of the frame that each begins with, ascending; it ends where the next begins.
    whole
        (m,) True where its packets and the frames of that stretch are the same pictures.
    depth
        By how many pictures decoding runs ahead of presentation, at most.
    """

    first: npt.NDArray[np.int64]
    whole: npt.NDArray[np.bool_]
    depth: int = 0

    @classmethod
    def none(cls) -> Gops:
        """Return what is known of a file that is decoded from its beginning only."""
        return cls(np.zeros(0, np.int64), np.zeros(0, np.bool_))

    def start(self, frame: int) -> int:
        """Return the last frame, up to this one, at which decoding can start."""
        place = int(np.searchsorted(self.first, frame, "right")) - 1
        return int(self.first[place]) if place >= 0 else 0

    def within(self, first: int, end: int, n: int) -> Gops:
        """Return those of frames ``first`` … ``end`` - 1 of n alone, counted from the first."""
        inside = (self.first >= first) & (self.first < end)
        ends = np.append(self.first[1:], n)[: len(self.first)]
        return Gops(self.first[inside] - first, (self.whole & (ends <= end))[inside], self.depth)


@dataclass
class GopIndex:
    """Watch the packets of a stream go by, in the file's order, and remember the groups.

    Parameters
    ----------
    codec
        FFmpeg's name of the decoder.
    extradata
        The stream's own, in which H.264 and HEVC say how their units are stored.
    """

    codec: str
    extradata: bytes
    _starts: list[int] = field(default_factory=list)
    _counts: list[int] = field(default_factory=list)
    _sums: list[int] = field(default_factory=list)
    _whole: list[bool] = field(default_factory=list)
    _recent: deque[int] = field(default_factory=lambda: deque(maxlen=_LOOKED_BACK))
    _depth: int = 0
    _one_head: bool = True

    def see(self, packet: Any) -> None:
        """Take notice of one packet."""
        if not packet.size:
            return
        if self._starts and packet.has_sidedata("new_extradata"):
            self._one_head = False
        pts = packet.pts
        if pts is not None and packet.is_keyframe and self._stands_alone(packet):
            self._starts.append(pts)
            self._counts.append(0)
            self._sums.append(0)
            self._whole.append(True)
        if not self._starts:
            return
        if pts is None or packet.is_discard or packet.is_corrupt or pts < self._starts[-1]:
            self._whole[-1] = False
            if pts is None:
                return
        self._counts[-1] += 1
        self._sums[-1] += pts
        self._depth = max(self._depth, sum(other > pts for other in self._recent))
        self._recent.append(pts)

    def finish(self, pts: Times) -> Gops:
        """Return the groups, given the (n,) presentation times of the frames that were decoded.

        There are none in a file whose head changes on the way: it must be read from the beginning.
        """
        if not self._one_head:
            return Gops.none()
        begins = np.searchsorted(pts, np.array(self._starts, np.int64))
        known = np.zeros(len(begins), bool)
        inside = begins < len(pts)
        known[inside] = pts[begins[inside]] == np.array(self._starts, np.int64)[inside]
        # A start that no frame belongs to, or out of order, is none: what it opened joins the last.
        first: list[int] = []
        whole: list[bool] = []
        rows: list[list[int]] = []
        for k, at in enumerate(begins.tolist()):
            if known[k] and (not first or at > first[-1]):
                first.append(at)
                whole.append(self._whole[k])
                rows.append([k])
            elif first:
                whole[-1] = False
                rows[-1].append(k)
        if not first:
            return Gops.none()
        ends = [*first[1:], len(pts)]
        for i, (a, b) in enumerate(zip(first, ends, strict=True)):
            (k, *_) = rows[i]
            same = self._counts[k] == b - a and self._sums[k] == int(pts[a:b].sum())
            whole[i] = whole[i] and same
        return Gops(np.array(first, np.int64), np.array(whole, bool), self._depth)

    def _stands_alone(self, packet: Any) -> bool:
        known = _IDR.get(self.codec)
        if known is None:
            return True
        kinds, mask, shift = known
        data = bytes(packet)
        return any(unit and (unit[0] >> shift) & mask in kinds for unit in self._units(data))

    def _units(self, data: bytes) -> Iterator[bytes]:
        size = length_size(self.codec, self.extradata)
        return units(data) if size is None else prefixed_units(data, size)


def length_size(codec: str, extradata: bytes) -> int | None:
    """Bytes of the length before each unit, or None where units follow start codes."""
    if not extradata or extradata[0] != 1:
        return None
    place = {"h264": 4, "hevc": 21}[codec]
    return (extradata[place] & 3) + 1 if len(extradata) > place else None


def units(data: bytes) -> Iterator[bytes]:
    """Units of an H.264 or HEVC stream that are parted by start codes."""
    marks = [match.end() for match in _START_CODE.finditer(data)]
    for begin, end in zip(marks, [*(mark - 3 for mark in marks[1:]), len(data)], strict=True):
        yield data[begin:end].rstrip(b"\x00") if end < len(data) else data[begin:end]


def prefixed_units(data: bytes, size: int) -> Iterator[bytes]:
    """Units that each have their length before them, in ``size`` bytes."""
    at = 0
    while at + size <= len(data):
        length = int.from_bytes(data[at : at + size], "big")
        yield data[at + size : at + size + length]
        at += size + length


def with_start_codes(parts: Iterator[bytes] | list[bytes]) -> bytes:
    """Join units with start codes."""
    return b"".join(b"\x00\x00\x00\x01" + part for part in parts)


def parameter_sets(extradata: bytes) -> list[bytes]:
    """Return an H.264 stream's parameter sets, whichever way its extradata are written."""
    if not extradata or extradata[0] != 1:
        return [unit for unit in units(extradata) if unit and unit[0] & 0x1F in _PARAMETERS]
    found: list[bytes] = []
    at = 5
    for mask in (0x1F, 0xFF):
        count = extradata[at] & mask if at < len(extradata) else 0
        at += 1
        for _ in range(count):
            length = int.from_bytes(extradata[at : at + 2], "big")
            found.append(extradata[at + 2 : at + 2 + length])
            at += 2 + length
    return [unit for unit in found if unit]


def free_parameter_id(sets: list[bytes]) -> int | None:
    """Return a number, 1 to 31, that no H.264 parameter set in ``sets`` has, or None."""
    heads = [(unit, 4 if unit[0] & 0x1F == 7 else 1) for unit in sets]
    taken = {_exp_golomb(unit[head:]) for unit, head in heads if len(unit) > head}
    return next((number for number in range(1, 32) if number not in taken), None)


def _exp_golomb(data: bytes) -> int:
    bits = "".join(f"{byte:08b}" for byte in data[:8])
    zeros = bits.find("1")
    return int(bits[zeros : 2 * zeros + 1], 2) - 1 if zeros >= 0 else 0


def group_packets(path: Path, first: int, count: int) -> Iterator[Any]:
    """Yield ``count`` packets of the main video stream in decoding order.

    Parameters
    ----------
    path
        The file.
    first
        ``pts`` of the picture that can stand alone with which they begin.

    Raises
    ------
    ReadError
        The file cannot be opened any more.
    """
    for sought in (True, False):
        with open_input(path) as container:
            stream = video_stream(container)
            if sought and not seek(container, stream, first):
                continue
            left = count
            for packet in container.demux(stream):
                begun = left < count or (packet.is_keyframe and packet.pts == first)
                if not packet.size or not begun:
                    if sought and packet.pts is not None and packet.pts > first:
                        break
                    continue
                yield packet
                left -= 1
                if not left:
                    return
            if left < count:
                return


def seek(container: Any, stream: Any, pts: int) -> bool:
    """Go to the last picture before or at ``pts`` that decoding can start with, if that works."""
    try:
        container.seek(pts, stream=stream)
    except av.error.FFmpegError:
        return False
    return True
