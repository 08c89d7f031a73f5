"""Faults of time and of streams: what recorders, cutters and joiners leave in a file."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from faults.case import Case, Job, job
from faults.clips import TICK, face, film, picture_frame, wall
from synth_media import audio_frame, burst

N = 8
MS = Fraction(1, 1000)
MPEG = Fraction(1, 90000)
RATES = (
    Fraction(1), Fraction(8), Fraction(15), Fraction(24000, 1001), Fraction(24), Fraction(25),
    Fraction(30000, 1001), Fraction(30), Fraction(48), Fraction(50), Fraction(60000, 1001),
    Fraction(60), Fraction(100), Fraction(120000, 1001), Fraction(120), Fraction(240),
)  # fmt: skip


def filmed(
    name: str, ending: str = ".mp4", out: str = "out.mkv", *, says: str = "", n: int = N,
    times: list[Fraction] | None = None, after: Callable[[Path], Path] | None = None,
    same: bool = True, **settings: Any,
) -> Case:  # fmt: skip
    """A film of the face whose times are odd; ``after`` changes the file."""

    def make(folder: Path) -> Job:
        scene = face(n)
        if ending not in (".mkv", ".avi"):
            settings.setdefault("codec", "libx264")
        video = film(folder / "in" / f"film{ending}", scene, **settings)
        if after is not None:
            video = after(video)
        more = ("--codec", "ffv1") if out.endswith(".mkv") else ()
        return job(folder, video, out=out, more=more, scene=scene if same else None, times=times)

    return Case(name, make, says=says)


def rates() -> Iterator[Case]:
    """Frames a second, and times that are not even; each time is exact in mp4."""
    for rate in RATES:
        base = 1 / (rate * 8 if rate < 200 else rate)
        times = [i / rate for i in range(N)]
        yield filmed(f"{float(rate):.6g} frames a second", out="out.mp4", rate=rate, time_base=base,
                     times=times)  # fmt: skip
    uneven = [0, 1, 40, 41, 300, 333, 334, 1999]
    for ending, out in ((".mkv", "out.mkv"), (".mp4", "out.mp4"), (".mkv", "out.mp4")):
        yield filmed(f"variable rate {ending} to {out[3:]}", ending, out, pts=uneven, time_base=MS,
                     times=[t * MS for t in uneven])  # fmt: skip
    slow = [0, 7000, 7040, 20000]
    yield filmed(
        "a still of 13 s in the middle", ".mkv", pts=slow, n=4, times=[t * MS for t in slow]
    )


def starts() -> Iterator[Case]:
    """Where the first frame lies, and the order in which frames are stored."""
    for ending, first, codec in (
        (".mkv", 10_000, "ffv1"), (".mp4", 10_000, "libx264"), (".mkv", 40, "libx264"),
        (".ts", 10_000, "libx264"), (".mov", 2_500, "prores_ks"), (".flv", 1_000, "libx264"),
    ):  # fmt: skip
        pts = [first + 40 * i for i in range(N)]
        fmt = "yuv422p10le" if codec == "prores_ks" else "yuv420p"
        yield filmed(f"begins at {first / 1000:g} s, {codec} in {ending}", ending,
                     pts=pts, time_base=MS, codec=codec, fmt=fmt)  # fmt: skip
        out = ".mp4" if codec == "libx264" else ".mov"
        if codec != "ffv1":
            yield filmed(f"begins at {first / 1000:g} s, {ending} to {out}", ending, f"out{out}",
                         pts=pts, time_base=MS, codec=codec, fmt=fmt)  # fmt: skip
    yield filmed("begins before 0, mkv", ".mkv", pts=[-80 + 40 * i for i in range(N)], time_base=MS,
                 container_options={"avoid_negative_ts": "disabled"})  # fmt: skip
    yield filmed("begins before 0, mp4 with an edit list", pts=[-80 + 40 * i for i in range(N)],
                 time_base=MS, container_options={"avoid_negative_ts": "disabled"})  # fmt: skip
    yield filmed("clock wraps round, ts", ".ts", n=12, codec="mpeg2video", time_base=TICK,
                 after=_wrapping)  # fmt: skip
    pyramid = {"bf": "3", "b-pyramid": "normal", "g": "6", "b-adapt": "0"}
    for ending in (".mp4", ".ts", ".mkv", ".avi", ".flv", ".nut", ".mxf"):
        fmt = "yuv422p10le" if ending == ".mxf" else "yuv420p"
        exact = [i * TICK for i in range(14)] if ending in (".avi", ".mxf") else None
        yield filmed(f"B-frames, h264 in {ending}", ending, n=14, codec="libx264", options=pyramid,
                     fmt=fmt, times=exact)  # fmt: skip
    yield filmed("B-frames, mpeg4 in .avi", ".avi", n=14, codec="mpeg4", options={"bf": "2"})
    opened = {"x264-params": "open-gop=1:keyint=5:min-keyint=5:bframes=2:b-adapt=0"}
    for ending in (".mp4", ".ts", ".mkv"):
        yield filmed(
            f"open groups, h264 in {ending}", ending, n=18, codec="libx264", options=opened
        )
    hevc = {"x265-params": "log-level=none:open-gop=1:keyint=5:min-keyint=5:bframes=2:b-adapt=0"}
    yield filmed("open groups, hevc", n=18, codec="libx265", options=hevc)
    for ending in (".h264", ".hevc", ".m4v"):
        codec = {".h264": "libx264", ".hevc": "libx265", ".m4v": "mpeg4"}[ending]
        yield filmed(f"bare {ending} stream without times", ending, codec=codec,
                     times=[i * TICK for i in range(N)])  # fmt: skip


def _wrapping(path: Path) -> Path:
    """Shift a transport stream's clock so that its 33 bits run over in the middle."""
    shift = 2**33 - 90000 * 2 // 10 - 126_000
    wrapped = path.with_name("wrapped.ts")
    with av.open(str(path)) as one, av.open(str(wrapped), "w", format="mpegts") as other:
        stream = other.add_stream_from_template(one.streams.video[0])
        for packet in one.demux(video=0):
            if packet.dts is not None:
                packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                packet.stream = stream
                other.mux(packet)
    path.unlink()
    return wrapped


def joined() -> Iterator[Case]:
    """Recordings put together, and times that repeat or are missing."""

    def twice(ending: str, codec: str, **more: Any) -> Case:
        def make(folder: Path) -> Job:
            parts = [
                film(
                    folder / "in" / f"{i}{ending}",
                    face(N),
                    codec=codec,
                    options={"bf": "0"},
                    **more,
                )
                for i in (1, 2)
            ]
            video = folder / "in" / f"film{ending}"
            video.write_bytes(b"".join(part.read_bytes() for part in parts))
            times = [i * TICK for i in range(2 * N)]
            return job(folder, video, scene=face(N) + face(N), times=times)

        return Case(f"two recordings joined, {codec.removeprefix('lib')} in {ending}", make)

    yield twice(".h264", "libx264")

    def sizes(folder: Path) -> Job:
        parts = [
            film(folder / "in" / f"{i}.h264", face(5, *size), codec="libx264", options={"bf": "0"})
            for i, size in enumerate([(160, 164), (200, 204)])
        ]
        video = folder / "in" / "film.h264"
        video.write_bytes(b"".join(part.read_bytes() for part in parts))
        return job(folder, video, times=[i * TICK for i in range(10)])

    yield Case("the size changes in mid-stream", sizes, says="brought to the first frame's size: 5")
    anew = [*range(0, 2001, 250), 0, 250, 500]
    for name, stored, times, says in (
        (
            "times that repeat",
            [0, 40, 80, 80, 120, 160, 160],
            [0, 40, 80, 120, 160],
            "out of time: 2",
        ),
        (
            "a time that goes back a little",
            [0, 40, 80, 60, 120],
            [0, 40, 80, 120],
            "out of time: 1",
        ),
        ("times that start anew", anew, [*range(0, 2001, 250), 2040, 2290, 2540], "re-synced"),
    ):

        def make(folder: Path, stored: list[int] = stored, times: list[int] = times) -> Job:
            return _stamped(folder, stored, times)

        yield Case(name, make, says=says)


def _stamped(folder: Path, stored: list[int], times: list[int]) -> Job:
    """A film whose file is then given other times, ``stored`` in ms, to be read as ``times``."""
    regular = [256 + max(times) + 40 * i for i in range(len(stored))]
    video = film(folder / "in" / "film.mkv", face(len(stored)), pts=[0, *regular[1:]],
                 options={"g": "1"})  # fmt: skip
    data = video.read_bytes()
    for old, new in zip(regular[1:], stored[1:], strict=True):
        # Each frame of this film has a cluster of its own, which begins with its time.
        assert data.count(b"\xe7\x82" + struct.pack(">H", old)) == 1
        data = data.replace(
            b"\xe7\x82" + struct.pack(">H", old), b"\xe7\x82" + struct.pack(">H", new)
        )
    video.write_bytes(data)
    return job(folder, video, times=[t * MS for t in times])


def streams() -> Iterator[Case]:
    """What else is in the file."""

    def many(name: str, ending: str, says: str = "", **options: Any) -> Case:
        def make(folder: Path) -> Job:
            video = folder / "in" / f"film{ending}"
            _package(video, **options)
            return job(folder, video, scene=face(N))

        return Case(name, make, says=says)

    yield many("two films", ".mkv", "not carried over: video stream 1", films=2)
    yield many("a cover picture", ".mp4", cover=True)
    yield many("one sound", ".mkv", voices=1)
    yield many("three sounds", ".mkv", voices=3)
    yield many("three sounds, mp4", ".mp4", voices=3)
    yield many("sound that is all silence", ".mp4", voices=1, loud=0)
    yield many("sound that begins 2 s late", ".mkv", voices=1, delay=2)
    yield many("sound that begins 1 s early", ".mkv", voices=1, delay=-1)
    yield many("sound of 20 s beside 0.3 s of film", ".mkv", voices=1, seconds=20)
    yield many("chapters and tags", ".mkv", chapters=True)
    yield many("an attachment", ".mkv", attachment=True)
    yield filmed("no sound", ".mkv")

    def both(folder: Path) -> Job:
        video = folder / "in" / "film.mkv"
        _package(video, voices=1, seconds=0.32)
        return job(folder, video, video, scene=face(N))

    def interlaced(folder: Path) -> Job:
        def fields(container: Any, stream: Any) -> None:
            stream.codec_context.flags |= 1 << 18 | 1 << 29

        video = film(folder / "in" / "film.ts", face(N), codec="mpeg2video", setup=fields)
        return job(folder, video)

    yield Case("the speech is the film itself", both)
    yield Case("interlaced", interlaced, says="deinterlaced: 8")


def _package(
    path: Path, *, films: int = 1, voices: int = 0, cover: bool = False, chapters: bool = False,
    attachment: bool = False, loud: float = 1, delay: float = 0, seconds: float = 1,
) -> None:  # fmt: skip
    codec = "ffv1" if path.suffix == ".mkv" else "libx264"
    scenes = [face(N), wall(N)][:films]
    with av.open(str(path), "w") as out:
        videos = []
        for scene in scenes:
            stream = out.add_stream(codec, rate=25, time_base=MS)
            stream.width, stream.height = scene.size
            stream.pix_fmt = "yuv420p"
            videos.append(stream)
        sounds = [out.add_stream("aac", rate=48000, layout="stereo") for _ in range(voices)]
        pictured = None
        if cover:
            pictured = out.add_stream("mjpeg", rate=1, width=64, height=48, time_base=MPEG)
            pictured.pix_fmt = "yuvj420p"
            pictured.disposition = int(av.stream.Disposition.attached_pic)
        if attachment:
            out.add_attachment("font.ttf", "font/ttf", b"not a font")
        if chapters:
            out.metadata["title"] = "Ä title; with = signs\nand lines"
            marks = {"time_base": MS, "metadata": {"title": "One"}}
            out.set_chapters([{"id": 1, "start": 0, "end": 200, **marks}])
        if pictured is not None:
            still = picture_frame(wall(1, 64, 48).pictures[0], "yuvj420p")
            still.pts, still.time_base = 0, MPEG
            out.mux(pictured.encode(still))
            out.mux(pictured.encode(None))
        early = 1000 if delay < 0 else 0
        for index in range(N):
            for stream, scene in zip(videos, scenes, strict=True):
                frame = picture_frame(scene.pictures[index], "yuv420p")
                frame.pts, frame.time_base = 40 * index + early, MS
                out.mux(stream.encode(frame))
        for stream in videos:
            out.mux(stream.encode(None))
        for sound in sounds:
            frame = audio_frame(burst(48000, seconds, 2, at=0.1) * loud, 48000, "stereo")
            frame.pts = round(max(delay, 0) * 48000)
            out.mux(sound.encode(frame))
            out.mux(sound.encode(None))
