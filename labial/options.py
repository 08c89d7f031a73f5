"""Every knob a user has, once. The command line is derived from this; so will be other doors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from labial.errors import OptionError

Codec = Literal["source", "h264", "hevc", "av1", "vp9", "prores", "ffv1"]
SyncMode = Literal["cut_off"]
Quality = Literal["fast", "standard", "pro"]
VisemeFormat = Literal[
    "json", "textgrid", "rhubarb-tsv", "rhubarb-json", "rhubarb-xml", "arkit", "oculus", "mpeg4",
    "mpeg4-json", "moho",
]  # fmt: skip
VisemeSet = Literal["oculus", "mpeg4", "preston-blair", "rhubarb", "azure"]


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
    quality: Quality = "standard"
    """fast: pixels are only moved, and taken from other frames. standard: a learned inside of the
    mouth where the source shows none, and a learned refiner. pro: the refiner is also adapted to
    this clip."""
    adapt_seconds: float = 30.0
    """For pro: take about so long to adapt, 1 to 3600."""
    sync_mode: SyncMode = "cut_off"
    """When speech and video differ in length: cut_off keeps the video's length."""
    articulation: float = 1.0
    """How far the mouth moves against what was fitted to the speaker, 0.5 to 1.5. Lips that meet
    still meet."""
    expression: float = 0.6
    """How much of the source's own slow expression stays, such as a smile: 0 (none) to 1."""
    closures: bool = True
    """Lips meet on p, b and m, and the lower lip rises to the teeth on f and v."""
    rest: bool = True
    """The mouth rests in pauses of a quarter of a second and more."""
    onset: bool = True
    """The mouth is still before the first sound, after the last, and in long silences."""
    preview: str | None = None
    """Also write one re-synced frame to this PNG as soon as it is rendered: the one whose mouth
    opens widest in the first ten seconds with a face."""

    def __post_init__(self) -> None:
        if self.crf is not None and not 0 <= self.crf <= 63:
            raise OptionError(f"--crf {self.crf}: use 0 (best) to 51, or to 63 for av1 and vp9")
        if not 1 <= self.adapt_seconds <= 3600:
            raise OptionError(f"--adapt-seconds {self.adapt_seconds:g}: use 1 to 3600")
        if not 0.5 <= self.articulation <= 1.5:
            raise OptionError(
                f"--articulation {self.articulation:g}: use 0.5 (calmer) to 1.5 (livelier)"
            )
        if not 0 <= self.expression <= 1:
            raise OptionError(f"--expression {self.expression:g}: use 0 (none) to 1 (all of it)")


@dataclass(frozen=True)
class VisemeOptions:
    """Options of an export of visemes; the defaults hear the speech without a text."""

    format: VisemeFormat | None = None
    """Format of the output. Default: by its extension, .json, .TextGrid, .tsv (rhubarb-tsv), .xml
    (rhubarb-xml), .csv (arkit) or .dat (moho)."""
    viseme_set: VisemeSet | None = None
    """Names of the mouth shapes in json, textgrid and moho. Default: oculus; for moho
    preston-blair."""
    text: str | None = None
    """What is said, or a text file of it: phones and words are aligned to it."""
    language: str = "en-us"
    """Language of the text: a voice of eSpeak NG, such as en-gb, de, fr, es, cmn."""
    fps: float | None = None
    """Frames a second of arkit and oculus (default 60) and moho (default 24)."""
