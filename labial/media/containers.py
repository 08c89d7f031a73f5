"""What each output container holds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from labial.errors import WriteError


@dataclass(frozen=True)
class Container:
    """What an output container holds; the first of ``video`` is its default family."""

    muxer: str
    video: tuple[str, ...]
    audio: frozenset[str]
    audio_encoder: str
    subtitles: tuple[str, ...]
    text_subtitle: str

    def holds_audio(self, codec: str) -> bool:
        """True when packets of FFmpeg's audio ``codec`` can be copied into this container."""
        return codec in self.audio


_MP4_AUDIO = frozenset({"aac", "mp3", "mp3float", "ac3", "eac3", "alac", "opus", "libopus", "flac"})
_PCM = frozenset({"pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le"})
_MP4 = Container(
    "mp4", ("h264", "hevc", "av1", "vp9"), _MP4_AUDIO, "aac", ("mov_text",), "mov_text"
)
CONTAINERS = {
    ".mp4": _MP4,
    ".m4v": _MP4,
    ".mov": Container(
        "mov",
        ("h264", "hevc", "prores"),
        frozenset({"aac", "mp3", "mp3float", "ac3", "eac3", "alac"}) | _PCM,
        "aac",
        ("mov_text",),
        "mov_text",
    ),
    ".mkv": Container(
        "matroska",
        ("h264", "hevc", "av1", "vp9", "prores", "ffv1"),
        _MP4_AUDIO | _PCM | {"vorbis", "libvorbis", "dca", "truehd"},
        "aac",
        ("subrip", "ass", "webvtt", "hdmv_pgs_subtitle", "dvd_subtitle"),
        "subrip",
    ),
    ".webm": Container(
        "webm",
        ("vp9", "av1"),
        frozenset({"opus", "libopus", "vorbis", "libvorbis"}),
        "libopus",
        ("webvtt",),
        "webvtt",
    ),
}


PICTURES = Container("image2", ("png",), frozenset(), "", (), "")
"""Numbered PNG files, ``out/%05d.png``."""


def container_for(target: Path) -> Container:
    """The container that a file name asks for.

    Raises
    ------
    WriteError
        The extension is not one of the known ones.
    """
    found = CONTAINERS.get(target.suffix.lower())
    if found is None and (target.suffix.lower() == ".png" or target.is_dir()):
        return PICTURES
    if found is None:
        known = ", ".join(CONTAINERS)
        raise WriteError(
            f"cannot write {target.name}: the name must end in one of {known}, or be that of "
            "numbered pictures such as out/%05d.png"
        )
    return found


def sounding_container(target: Path) -> Container:
    """The same for a file that is to have sound.

    Raises
    ------
    WriteError
        Also where numbered pictures are asked for.
    """
    found = container_for(target)
    if found is PICTURES:
        raise WriteError(
            f"cannot write {target.name}: pictures alone have no sound; name a video file"
        )
    return found
