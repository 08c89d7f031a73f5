"""Which of FFmpeg's demuxers read a file: those for which a file is all there is of it."""

from __future__ import annotations

from functools import lru_cache

import av

# Texts that name other files or addresses, recipes of filters, and devices: whoever wrote the file
# would choose what is read.
_REFERRING = frozenset(
    {
        "alsa", "applehttp", "avisynth", "bktr", "concat", "concatf", "dash", "fbdev", "ffmetadata",
        "gdigrab", "avfoundation", "dshow", "hls", "imf", "jack", "kmsgrab", "lavfi", "libcdio",
        "mpjpeg", "openal", "oss", "pulse", "rtp", "rtsp", "sap", "sdp", "sndio", "v4l2",
        "vapoursynth", "vfwcap", "video4linux2", "vobsub", "webm_dash_manifest", "x11grab",
        "xcbgrab",
    }
)  # fmt: skip


@lru_cache(maxsize=1)
def own_demuxers() -> str:
    """Return FFmpeg's names of the demuxers that open nothing beside their file, for its list."""
    names = {name for listed in av.formats_available for name in listed.split(",")}
    return ",".join(sorted(names - _REFERRING))


def input_options() -> dict[str, str]:
    """Return options with which FFmpeg reads a file, and nothing that the file names."""
    return {
        "protocol_whitelist": "file",
        "pattern_type": "none",
        "format_whitelist": own_demuxers(),
        "enable_drefs": "0",
    }
