"""Every knob a user has, once. The command line is derived from this; so will be other doors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from labial.errors import OptionError

Codec = Literal["source", "h264", "hevc", "av1", "vp9", "prores", "ffv1"]
SyncMode = Literal["cut_off"]


@dataclass(frozen=True)
class DubOptions:
    """Options of a dub; the defaults keep the source's format and about its bit rate."""

    codec: Codec = "source"
    """Video codec of the output. "source" keeps the source's family."""
    crf: int | None = None
    """Constant quality, lower is better (x264 scale). Default: high quality, capped near the
    source's bit rate."""
    preset: str = "superfast"
    """Encoder speed preset (x264 names). With the default, encoding takes less time than the rest;
    "veryfast" to "slow" make smaller files."""
    sync_mode: SyncMode = "cut_off"
    """When speech and video differ in length: cut_off keeps the video's length."""
    preview: str | None = None
    """Also write one re-synced frame to this PNG as soon as it is rendered: the one whose mouth
    opens widest in the first ten seconds with a face."""

    def __post_init__(self) -> None:
        if self.crf is not None and not 0 <= self.crf <= 63:
            raise OptionError(f"--crf {self.crf}: use 0 (best) to 51, or to 63 for av1 and vp9")
