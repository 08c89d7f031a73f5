"""Every knob a user has, once. The command line is derived from this; so will be other doors."""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from typing import Annotated, Any, Literal, TypeVar, get_args, get_type_hints

from tyro.conf import UseAppendAction, arg

from labial.errors import OptionError

Codec = Literal["source", "h264", "hevc", "av1", "vp9", "prores", "ffv1"]
Hardware = Literal["off", "auto", "videotoolbox", "nvenc", "qsv", "amf"]
SyncMode = Literal["silence", "cut_off", "loop", "bounce", "hold", "remap"]
Stretching = Literal["auto"] | float
STRETCH_LIMITS = 0.9, 1.1
"""How far speech may be stretched before one hears it."""
Mux = Literal["off", "first", "source"]
Quality = Literal["fast", "standard", "pro"]
Denoise = Literal["auto", "on", "off"]
PhotoQuality = Literal["fast", "standard"]
VisemeFormat = Literal[
    "json", "textgrid", "rhubarb-tsv", "rhubarb-json", "rhubarb-xml", "arkit", "oculus", "mpeg4",
    "mpeg4-json", "moho",
]  # fmt: skip
VisemeSet = Literal["oculus", "mpeg4", "preston-blair", "rhubarb", "azure"]
PhotoCodec = Literal["auto", "h264", "hevc", "av1", "vp9", "prores", "ffv1"]
Liveliness = Literal["still", "calm", "lively"]
FixHow = Literal["auto", "shift", "stretch", "mouth"]
Shape = Literal["source", "9:16", "1:1", "16:9"]
ServeEngine = Literal["local", "ray"]
ServeRole = Literal["all", "workers"]
LogFormat = Literal["text", "json"]


_SPEAKER = re.compile(
    r"auto|all|largest|[0-9]+|[0-9]*\.?[0-9]+,[0-9]*\.?[0-9]+(@[0-9]*\.?[0-9]+)?|.+\.json"
)


@dataclass(frozen=True)
class Between:
    """The least and the greatest value of an option, for doors that show them beforehand."""

    low: float
    high: float


_PART = re.compile(r"(?=.*\d)(\d+\.?\d*|\.\d+)?-(\d+\.?\d*|\.\d+)?")

Options = TypeVar(
    "Options", "DubOptions", "AnimateOptions", "CheckOptions", "FixOptions", "EvalOptions"
)


def overridden(options: Options, overrides: dict[str, Any]) -> Options:
    """Return ``options`` with some of them replaced; raise OptionError for unknown ones."""
    known = [field.name for field in fields(options)]
    unknown = sorted(set(overrides) - set(known))
    if unknown:
        raise OptionError(f"unknown option {', '.join(unknown)}: known are {', '.join(known)}")
    return replace(options, **overrides)


@dataclass(frozen=True)
class DubOptions:
    """Options of a dub; the defaults keep the source's format and about its bit rate."""

    codec: Codec = "source"
    """Video codec of the output. "source" keeps the source's family."""
    crf: Annotated[int | None, Between(0, 63)] = None
    """Constant quality, lower is better (x264 scale). Default: high quality, capped near the
    source's bit rate."""
    preset: str = "superfast"
    """Encoder speed preset (x264 names). With the default, encoding takes less time than the rest;
    "veryfast" to "slow" make smaller files."""
    lossless: bool = False
    """Every sample that is not re-synced stays exactly what it was. Files become large."""
    hardware: Hardware = "off"
    """Encode in hardware: auto takes the first encoder that works here, else software."""
    language: Annotated[str | None, arg(aliases=("--lang",))] = None
    """Language of the new speech, an ISO 639 code such as es or deu, written into the output. A
    script is spoken in it."""
    segments: str | None = None
    """What is said when, by whom: a .json, .csv, .srt or .vtt file of segments, and only they
    change. SPEECH is the sound of those that name none; without it their text is spoken."""
    cast: UseAppendAction[tuple[str, ...]] = ()
    """Who in the picture is meant by a name in the file of segments, such as ANNA=0."""
    srt: str | None = None
    """Subtitles (.srt or .vtt) that are spoken instead of SPEECH, each cue within its time."""
    text: str | None = None
    """A text, or a text file, that is spoken instead of SPEECH."""
    voice: str = "espeak"
    """Who speaks a script; "labial voices" lists them."""
    mux: Mux = "off"
    """Several languages in one file, each an audio track. first: the picture is re-synced to the
    first of them. source: the picture stays as it is, packet by packet."""
    fps: Annotated[float | None, Between(1, 1000)] = None
    """Frames a second of VIDEO where it is a sequence of pictures, default 25. "shots@24" says the
    same."""
    keep_audio: bool = False
    """Keep the source's own audio tracks, after the new speech."""
    trim: str | None = None
    """Make only a part of VIDEO, START-END in seconds such as 12.5-15.5, 12.5- or -15: from the
    first frame at or after START to the last one before END. All is as if the video had been cut
    before, the speech begins with the part; who speaks, and how, is still learned from the whole
    video."""
    speech_at: float | None = None
    """Second of VIDEO, of the whole of it, at which the speech begins; until then the mouth rests.
    Default: its beginning, with --trim that of the part. With 0, a part is the same as in the dub
    of the whole video: a preview."""
    quality: Quality = "standard"
    """fast: pixels are only moved, and taken from other frames. standard: a learned inside of the
    mouth where the source shows none, and a learned refiner. pro: the refiner is also adapted to
    this clip."""
    adapt_seconds: Annotated[float, Between(1, 3600)] = 30.0
    """For pro: take about so long to adapt, 1 to 3600."""
    sync_mode: SyncMode = "silence"
    """When speech and video differ in length. silence: as long as the video; after shorter speech
    the mouth rests, longer speech is cut off. cut_off: as long as the shorter of both. The others
    are as long as the speech, to a frame, and end with it where it is shorter. loop: the video
    begins again, with a cut. bounce: it plays back and forth. hold: its last frame lives on, with
    small movements of heads and eyes. remap: it plays slower or faster, each frame as filmed."""
    stretch_audio: Annotated[Stretching, Between(*STRETCH_LIMITS)] = 1.0
    """Let the speech take 0.9 to 1.1 times as long, at the same pitch; above 1 it is slower. auto:
    as much as brings it nearest to the video's length. What is left over is for the sync mode."""
    articulation: Annotated[float, Between(0.5, 1.5)] = 1.0
    """How far the mouth moves against what was fitted to the speaker, 0.5 to 1.5. Lips that meet
    still meet."""
    expression: Annotated[float, Between(0, 1)] = 0.6
    """How much of the source's own slow expression stays, such as a smile: 0 (none) to 1."""
    closures: bool = True
    """Lips meet on p, b and m, and the lower lip rises to the teeth on f and v."""
    rest: bool = True
    """The mouth rests in pauses of a quarter of a second and more."""
    onset: bool = True
    """The mouth is still before the first sound, after the last, and in long silences."""
    denoise: Denoise = "auto"
    """Take music and other voices, and with "on" noise too, out of the speech before listening to
    it, where that helps; what is delivered stays as it is."""
    keep_background: bool = False
    """Keep music and ambience of the source under the new speech, at their own level: its voices
    are taken out by a network (118 MB are fetched the first time)."""
    loudness: Annotated[float | None, Between(-40, -5)] = None
    """Bring the new speech to that loudness in LUFS, -40 to -5, its true peak at most -1 dB. -14 is
    usual on the web, -23 in broadcasting. Default: as it is."""
    speaker: str = "auto"
    """Whom to dub. auto: who speaks, by mouth and sound of the source; all: everybody; largest: the
    largest face; 0, 1 and so on: that person, 0 is the most seen ("labial inspect" shows them);
    X,Y@SECONDS: who is at that pixel of the picture then, by default at the beginning; FILE.json:
    who is in the boxes of that file, as "labial inspect -o FILE.json" writes them. With --segments
    it counts where a segment names nobody."""
    copy: bool = True
    """Where nothing changes for whole groups of pictures, take the source's packets as they are,
    if the codec allows."""
    cache: bool = True
    """Keep what was seen of the video in the cache folder, for the next dub of it."""
    resume: bool = False
    """Go on where a run that was killed has stopped, and keep what is done if this one fails. The
    first pass begins anew unless it was complete. Only pro, which learns for a stretch of time, may
    differ by a hair between two runs."""
    threads: Annotated[int, Between(0, 256)] = 0
    """Threads to decode, render and encode with. Default: as many as there are cores."""
    report: str | None = None
    """Also judge the output, and write a page about it: a name ending in .html, or a folder. {lang}
    in it becomes the language."""
    preview: str | None = None
    """Also write one re-synced frame to this PNG as soon as it is rendered: the one whose mouth
    opens widest in the first ten seconds with a face. {lang} as for a report."""

    def __post_init__(self) -> None:
        self._check_together()
        if self.crf is not None and not 0 <= self.crf <= 63:
            raise OptionError(f"--crf {self.crf}: use 0 (best) to 51, or to 63 for av1 and vp9")
        if self.lossless and self.crf is not None:
            raise OptionError("--lossless and --crf exclude each other: leave one of them out")
        if self.lossless and self.hardware != "off":
            raise OptionError("--lossless is done in software: leave out --hardware")
        if not _SPEAKER.fullmatch(self.speaker):
            raise OptionError(
                f"--speaker {self.speaker}: use auto, all, largest, a person's number, "
                "X,Y@SECONDS or FILE.json"
            )
        if self.fps is not None and not 1 <= self.fps <= 1000:
            raise OptionError(f"--fps {self.fps:g}: use 1 to 1000 frames a second")
        if not 1 <= self.adapt_seconds <= 3600:
            raise OptionError(f"--adapt-seconds {self.adapt_seconds:g}: use 1 to 3600")
        if self.loudness is not None and not -40 <= self.loudness <= -5:
            raise OptionError(f"--loudness {self.loudness:g}: use -40 (quiet) to -5 LUFS (loud)")
        if not 0 <= self.threads <= 256:
            raise OptionError(f"--threads {self.threads}: use 1 to 256, or 0 for all cores")
        low, high = STRETCH_LIMITS
        if self.stretch_audio != "auto" and not low <= self.stretch_audio <= high:
            raise OptionError(
                f"--stretch-audio {self.stretch_audio}: use auto, or {low} (faster) to {high} "
                "(slower)"
            )
        if not 0.5 <= self.articulation <= 1.5:
            raise OptionError(
                f"--articulation {self.articulation:g}: use 0.5 (calmer) to 1.5 (livelier)"
            )
        if not 0 <= self.expression <= 1:
            raise OptionError(f"--expression {self.expression:g}: use 0 (none) to 1 (all of it)")

    @property
    def part(self) -> tuple[Fraction, Fraction | None] | None:
        """Seconds between which ``trim`` asks for a part; None for the whole video."""
        if self.trim is None:
            return None
        found = _PART.fullmatch(self.trim)
        if found is None:
            raise OptionError(f"--trim {self.trim}: use START-END in seconds, such as 12.5-15.5")
        start, end = (Fraction(text) if text else None for text in found.groups())
        if end is not None and end <= (start or 0):
            raise OptionError(f"--trim {self.trim}: the end must come after the start")
        return start or Fraction(0), end

    def _check_part(self, modes: Mapping[str, SyncMode]) -> None:
        """Refuse what cannot be said of a part, or of speech at a named second."""
        _ = self.part
        if self.trim is not None:
            for name in (("--mux source",) if self.mux == "source" else ()) + (
                ("--report",) if self.report is not None else ()
            ):
                raise OptionError(f"{name}: leave it out with --trim, it is about the whole video")
        if self.speech_at is None:
            return
        if not 0 <= self.speech_at <= 1e6:
            raise OptionError(f"--speech-at {self.speech_at:g}: use 0 or more seconds")
        if self.segments is not None:
            raise OptionError("--speech-at: leave it out, each of the --segments has its place")
        for name, value in modes.items():
            if value != "cut_off":
                raise OptionError(
                    f"--speech-at: leave it out with {name} {value}, or use silence or cut_off"
                )

    def _check_together(self) -> None:
        """Refuse what another option would leave without effect."""
        if self.cast and self.segments is None:
            raise OptionError("--cast names people of a file of segments: give --segments FILE")
        if self.segments is not None and (self.srt, self.text) != (None, None):
            raise OptionError("give one of --segments, --srt and --text: they exclude each other")
        modes = {} if self.sync_mode == "silence" else {"--sync-mode": self.sync_mode}
        self._check_part(modes)
        if self.segments is not None:
            stretch = {} if self.stretch_audio == 1 else {"--stretch-audio": self.stretch_audio}
            for name, value in {**modes, **stretch}.items():
                raise OptionError(
                    f"{name} {value}: leave it out, with --segments the video keeps its length and "
                    "each sound its place"
                )
        if self.mux == "source":
            made = {"--report": self.report, "--preview": self.preview, **modes}
            for name in (name for name, value in made.items() if value is not None):
                raise OptionError(f"{name}: leave it out, --mux source keeps the picture as it is")


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


@dataclass(frozen=True)
class AnimateOptions:
    """Options of a talking photo; the defaults keep the photo's shape and size."""

    quality: PhotoQuality = "standard"
    """fast: pixels are only moved, and a plain inside of the mouth is drawn. standard: a learned
    inside of the mouth, and a learned refiner."""
    motion: Liveliness = "calm"
    """How the head moves: still (only mouth and eyes move), calm, or lively (about twice as
    much)."""
    format: Shape = "source"
    """Shape of the picture. The photo is cropped, and continued where it is too small, so that
    the head stays in view."""
    fps: Annotated[float, Between(1, 120)] = 25.0
    """Frames a second, 1 to 120."""
    height: Annotated[int | None, Between(64, 4320)] = None
    """Rows of the output. Default: the photo's own, less where its longer side has more than 1920
    pixels."""
    seed: Annotated[int, Between(0, math.inf)] = 0
    """Another number gives another motion of head and eyes."""
    articulation: Annotated[float, Between(0.5, 1.5)] = 1.0
    """How far the mouth moves against an average speaker, 0.5 to 1.5."""
    closures: bool = True
    """Lips meet on p, b and m, and the lower lip rises to the teeth on f and v."""
    rest: bool = True
    """The mouth rests in pauses of a quarter of a second and more."""
    onset: bool = True
    """The mouth is still before the first sound, after the last, and in long silences."""
    language: Annotated[str | None, arg(aliases=("--lang",))] = None
    """Language of the speech, an ISO 639 code, written into the output. A script is spoken in
    it."""
    srt: str | None = None
    """Subtitles (.srt or .vtt) that are spoken instead of SPEECH, each cue within its time."""
    text: str | None = None
    """A text, or a text file, that is spoken instead of SPEECH."""
    voice: str = "espeak"
    """Who speaks a script; "labial voices" lists them."""
    codec: PhotoCodec = "auto"
    """Video codec of the output. "auto" is H.264, in WebM VP9."""
    crf: Annotated[int | None, Between(0, 63)] = None
    """Constant quality, lower is better (x264 scale). Default: high quality."""
    preset: str = "superfast"
    """Encoder speed preset (x264 names); "veryfast" to "slow" make smaller files."""

    def __post_init__(self) -> None:
        if not 1 <= self.fps <= 120:
            raise OptionError(f"--fps {self.fps:g}: use 1 to 120 frames a second")
        if self.height is not None and not 64 <= self.height <= 4320:
            raise OptionError(f"--height {self.height}: use 64 to 4320 rows")
        if self.seed < 0:
            raise OptionError(f"--seed {self.seed}: use 0 or more")
        self.mouth()

    def mouth(self) -> DubOptions:
        """Return what a dub calls the same; raise OptionError for what it does not allow."""
        return DubOptions(
            codec="source" if self.codec == "auto" else self.codec,
            crf=self.crf,
            preset=self.preset,
            language=self.language,
            srt=self.srt,
            text=self.text,
            voice=self.voice,
            articulation=self.articulation,
            closures=self.closures,
            rest=self.rest,
            onset=self.onset,
        )


@dataclass(frozen=True)
class CheckOptions:
    """Options of a check of sync; the defaults suit any video."""

    window: Annotated[float, Between(3, 60)] = 5.0
    """Seconds of the stretches that are also measured on their own, 3 to 60."""
    reach: Annotated[float | None, Between(0.6, 30)] = None
    """Look for offsets up to so many seconds, 0.6 to 30. Default: a quarter of the video, at least
    1.5 and at most 10."""

    def __post_init__(self) -> None:
        if not 3 <= self.window <= 60:
            raise OptionError(f"--window {self.window:g}: use 3 to 60 seconds")
        if self.reach is not None and not 0.6 <= self.reach <= 30:
            raise OptionError(f"--reach {self.reach:g}: use 0.6 to 30 seconds")


@dataclass(frozen=True)
class FixOptions:
    """Options of a repair of sync; the defaults measure, and repair what can be repaired safely."""

    how: FixHow = "auto"
    """shift: move the sound, without encoding anything again. stretch: take out a drift; the
    sound is encoded again, the pictures are not. mouth: re-sync the mouth to the sound as it is.
    auto: shift or stretch, by what is measured; nothing within the limits of ITU-R BT.1359."""
    late: Annotated[float | None, Between(-60_000, 60_000)] = None
    """Milliseconds by which the sound is late at the beginning, negative where it is early.
    Default: as measured; 0 where a drift is given."""
    drift: Annotated[float | None, Between(-3000, 3000)] = None
    """Milliseconds by which the sound gets later in a minute. Default: as measured; 0 where late is
    given."""
    all_tracks: bool = False
    """Move the other audio tracks by as much. Default: only the one that was measured."""

    def __post_init__(self) -> None:
        if self.late is not None and not abs(self.late) <= 60_000:
            raise OptionError(f"--late {self.late:g}: use -60000 to 60000 milliseconds")
        if self.drift is not None and not abs(self.drift) <= 3000:
            raise OptionError(f"--drift {self.drift:g}: use -3000 to 3000 milliseconds a minute")
        if self.how == "mouth" and (self.late, self.drift) != (None, None):
            raise OptionError("--how mouth makes the mouth anew: leave out --late and --drift")
        if self.how == "shift" and self.drift:
            raise OptionError("--how shift cannot take out a --drift: use --how stretch")
        if self.how == "stretch" and self.late is not None and not self.drift:
            raise OptionError("--how stretch takes out a drift: add --drift, or use --how shift")
        if self.how == "mouth" and self.all_tracks:
            raise OptionError("--how mouth moves no sound: leave out --all-tracks")


@dataclass(frozen=True)
class BatchOptions:
    """Options of a batch; the defaults do one job after the other, on this machine."""

    jobs: Annotated[int, arg(aliases=("-j",))] = 1
    """Jobs that are done at a time, each in a process of its own, which gets its share of the
    cores. With --engine ray as many as the cluster is given at a time."""
    again: bool = False
    """Do everything again. Default: what is done, and whose files and options are as they were, is
    not done again."""
    tries: int = 3
    """How often a job is begun before it is given up, where its process ends without a reason. What
    is wrong with a file or an option is tried once."""
    max_hours: float | None = None
    """Longest time that one try may take. Default: any."""
    memory_gb: float | None = None
    """Memory that one job may take. Default: as much as there is."""
    engine: ServeEngine = "local"
    """Where jobs are done: on this machine, or on a Ray cluster."""
    address: str | None = None
    """Address of the Ray cluster. Default: one is started here."""

    def __post_init__(self) -> None:
        if not 1 <= self.jobs <= 1000:
            raise OptionError(f"--jobs {self.jobs}: use 1 to 1000")
        if not 1 <= self.tries <= 20:
            raise OptionError(f"--tries {self.tries}: use 1 to 20")
        if self.max_hours is not None and not 0 < self.max_hours <= 1000:
            raise OptionError(f"--max-hours {self.max_hours:g}: use up to 1000 hours")
        if self.memory_gb is not None and not 0.5 <= self.memory_gb <= 10_000:
            raise OptionError(f"--memory-gb {self.memory_gb:g}: use 0.5 to 10000")
        if self.address is not None and self.engine != "ray":
            raise OptionError("--address names a Ray cluster: add --engine ray")


@dataclass(frozen=True)
class EvalOptions:
    """Options of a judgement of finished dubs."""

    syncnet: str | None = None
    """Weights of SyncNet, the makers' syncnet_v2.model: adds LSE-C and LSE-D. Needs PyTorch."""
    identity: bool = True
    """Compare whose face it is; fetches SFace (39 MB) when it is first needed."""

    def __post_init__(self) -> None:
        if self.syncnet == "":
            raise OptionError("--syncnet: name the file with the weights")


@dataclass(frozen=True)
class ServeOptions:
    """Options of a server; the defaults serve this machine alone, and need no set-up."""

    host: str = "127.0.0.1"
    """Address to listen at. Any other than this machine's own needs a token ("labial token add"),
    and 0.0.0.0 is all of them."""
    port: Annotated[int, Between(0, 65_535)] = 8420
    """Port to listen at; 0 takes a free one."""
    data: str | None = None
    """Folder for everything that is kept. Default: the user's data folder."""
    database: str | None = None
    """Where jobs are kept, such as postgresql+psycopg://USER@HOST/NAME. Default: an SQLite file in
    the data folder."""
    store: str | None = None
    """Where media are kept: a folder, or s3://BUCKET/PREFIX. Default: in the data folder."""
    workers: Annotated[int, Between(0, 64)] = 1
    """Jobs that are done at a time, each by a process of its own. 0: none here, but elsewhere on
    the same database and store."""
    role: ServeRole = "all"
    """workers: nothing is served here, only jobs are done, of the same database and store as
    another server's."""
    tries: Annotated[int, Between(1, 20)] = 3
    """How often a job is begun before it is given up, where its process ends without a reason."""
    engine: ServeEngine = "local"
    """Where jobs are done: on this machine, or on a Ray cluster."""
    address: str | None = None
    """Address of the Ray cluster. Default: one is started here."""
    keep_days: Annotated[float, Between(0.01, 3650)] = 7.0
    """Days after which uploads are deleted, and after their end jobs with their results."""
    max_upload_gb: Annotated[float, Between(0.001, 10_000)] = 8.0
    """Largest file that is taken, in GB of 10^9 bytes."""
    max_minutes: Annotated[float, Between(0.1, 100_000)] = 240.0
    """Longest video or speech that is taken."""
    max_active: Annotated[int, Between(1, 1_000_000)] = 200
    """Jobs that one owner may have waiting or running."""
    max_hours: Annotated[float, Between(0.01, 1000)] = 24.0
    """Longest time that one job may take."""
    memory_gb: Annotated[float | None, Between(0.5, 10_000)] = None
    """Memory that one job may take. Default: as much as there is."""
    hosts: UseAppendAction[tuple[str, ...]] = ()
    """Names by which the server is reached, such as studio.example.org, besides its address."""
    reach: UseAppendAction[tuple[str, ...]] = ()
    """Networks such as 10.1.0.0/16 that URLs of files and webhooks may reach though they are not
    public. Default: none, only the internet."""
    logs: LogFormat = "text"
    """How the log is written: text for people, or an object a line, with every request."""

    def __post_init__(self) -> None:
        for name, what in get_type_hints(type(self), include_extras=True).items():
            value = getattr(self, name)
            for limits in get_args(what)[1:]:
                if not isinstance(limits, Between) or value is None:
                    continue
                if not limits.low <= value <= limits.high:
                    raise OptionError(
                        f"--{name.replace('_', '-')} {value:g}: use {limits.low:g} to "
                        f"{limits.high:g}"
                    )
        if not self.host or any(letter in "/ @" for letter in self.host):
            raise OptionError(f"--host {self.host}: use an address, such as 127.0.0.1 or 0.0.0.0")
        if self.address is not None and self.engine != "ray":
            raise OptionError("--address names a Ray cluster: add --engine ray")
        if self.role == "workers" and not (self.workers and self.database and self.store):
            raise OptionError(
                "--role workers: give --database and --store of the server whose jobs it does, and "
                "--workers 1 or more"
            )
        for name in self.hosts:
            if not re.fullmatch(r"[A-Za-z0-9.*-]+(:[0-9]+)?", name):
                raise OptionError(f"--hosts {name}: use a name, such as studio.example.org")
        for network in self.reach:
            try:
                ipaddress.ip_network(network)
            except ValueError as error:
                raise OptionError(f"--reach: {error}: write it as 10.1.0.0/16") from None
        if self.database is not None and "://" not in self.database:
            raise OptionError("--database: use a URL, such as postgresql+psycopg://USER@HOST/NAME")
