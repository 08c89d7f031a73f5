"""How fast a whole dub is, and what a plain decode and encode of the same clip costs.

::

    python benchmarks/speed.py [--heights 720 1080] [--seconds 10] [--repeats 3] [--clip FILE]
    python benchmarks/speed.py --minutes 10 --heights 1080 --repeats 1    # is memory flat?

The clip is a sample of a talking face, scaled and repeated, unless one is given. The two jobs take
turns, each in a process of its own; the table shows medians and the largest peak of memory. The
plain job uses PyAV alone, with the encoder and settings that the dub chooses. The second table
takes a dub apart: processor milliseconds a frame, summed over all threads. What overlaps in time
(the second decoding and the encoder) is one row.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import wave
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from statistics import median
from typing import Any, TypeAlias, TypeVar

import av
import cv2
import numpy as np
import numpy.typing as npt

import labial
from labial import seen, weights
from labial.analysis import own_speech
from labial.audio.load import load_speech
from labial.composite.blend import compose
from labial.face.track import FaceTracker
from labial.media.encoders import EncodeSettings, plan_encoding
from labial.media.probe import probe
from labial.media.read import VideoReader
from labial.media.shots import Shots
from labial.media.write import VideoWriter
from labial.motion.predict import predict
from labial.motion.retarget import Retarget
from labial.motion.space import load_basis
from labial.motion.wanted import frame_mouths, study_all
from labial.options import DubOptions
from labial.render.bank import BankCollector, Choice, MouthBank
from labial.render.learned import Learned
from labial.render.mouth import render_mouth
from labial.speech.visemes import visemes_at
from labial.types import FaceTrack

T = TypeVar("T")


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--heights", type=int, nargs="+", default=[720, 1080])
    parser.add_argument("--seconds", type=float, default=10.0, help="length of the clip made")
    parser.add_argument("--minutes", type=float, help="the same in minutes, for a long clip")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--clip", type=Path, help="clip to use instead of the sample")
    parser.add_argument("--no-stages", action="store_true", help="leave the second table out")
    parser.add_argument("--qualities", nargs="+", default=["fast", "standard"])
    parser.add_argument("--job", nargs=5, metavar=("NAME", "CLIP", "SPEECH", "OUT", "QUALITY"),
                        help=argparse.SUPPRESS)  # fmt: skip
    given = parser.parse_args()
    if given.job:
        name, clip, speech, out, quality = given.job
        print(json.dumps(JOBS[name](Path(clip), Path(speech), Path(out), quality)))
        return 0
    seconds = given.minutes * 60 if given.minutes else given.seconds
    with tempfile.TemporaryDirectory(prefix="labial-speed-") as folder:
        clips = [given.clip] if given.clip else []
        for height in [] if given.clip else given.heights:
            clips.append(Path(folder) / f"{height}p.mp4")
            make_clip(weights.path("talking_clip"), clips[-1], height, seconds)
        for clip in clips:
            measure(clip, Path(folder), given.repeats, given.no_stages, given.qualities)
    return 0


def measure(clip: Path, folder: Path, repeats: int, brief: bool, qualities: list[str]) -> None:
    """Print both tables for one clip."""
    video = probe(clip).video
    assert video is not None
    n = sum(1 for _ in VideoReader(clip).frames())
    speech, out = folder / "speech.wav", folder / "out.mp4"
    make_speech(weights.path("speech_short"), speech, n / float(video.rate))
    jobs = [("plain", "")]
    jobs += [(name, quality) for quality in qualities for name in ("dub", "again")]
    results: dict[tuple[str, str], list[dict[str, float]]] = {job: [] for job in jobs}
    for _ in range(repeats):
        for (name, quality), runs in results.items():
            runs.append(in_a_process(name, clip, speech, out, quality))
    print(f"\n{clip.name}: {video.width}x{video.height}, {n} frames; {os.cpu_count()} cores")
    print(f"{'':24}{'seconds':>10}{'fps':>8}{'ratio':>8}{'peak MB':>10}")
    taken = {job: median(run["seconds"] for run in runs) for job, runs in results.items()}
    for job, runs in results.items():
        names = {"plain": "decode + encode", "dub": "labial.dub", "again": "second language"}
        label = f"{names[job[0]]}, {job[1]}".strip(", ")
        peak, ratio = max(run["peak_mb"] for run in runs), taken[job] / taken[jobs[0]]
        print(f"{label:24}{taken[job]:10.2f}{n / taken[job]:8.1f}{ratio:8.2f}{peak:10.0f}")
    for quality in [] if brief else qualities:
        stages = in_a_process("stages", clip, speech, out, quality)
        print(f"\n{'stage, ' + quality:24}{'ms a frame':>10}")
        for stage, ms in stages.items():
            print(f"{stage:24}{ms:10.2f}")
        print(f"{'sum':24}{sum(stages.values()):10.2f}", flush=True)


def in_a_process(name: str, clip: Path, speech: Path, out: Path, quality: str) -> dict[str, float]:
    """Run one job in a fresh interpreter, so that its peak of memory is its own."""
    files = [str(clip), str(speech), str(out)]
    command = [sys.executable, __file__, "--job", name, *files, quality]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def timed(work: Callable[[], object]) -> dict[str, float]:
    """Wall seconds and peak memory of ``work``."""
    begin = time.perf_counter()
    work()
    seconds = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts in KiB, macOS in bytes.
    return {"seconds": seconds, "peak_mb": peak / (1e6 if sys.platform == "darwin" else 1e3)}


def plain(clip: Path, speech: Path, out: Path, quality: str) -> dict[str, float]:
    """Decode and encode, nothing in between."""
    video = probe(clip).video
    assert video is not None
    options = DubOptions()
    plan = plan_encoding(out, video, EncodeSettings(options.codec, options.crf, options.preset))

    def work() -> None:
        with av.open(str(clip)) as source, av.open(str(out), "w") as target:
            origin = source.streams.video[0]
            origin.thread_type = "AUTO"
            stream: Any = target.add_stream(
                plan.encoder, rate=video.rate, options=dict(plan.options),
                width=video.width, height=video.height, time_base=video.time_base,
            )  # fmt: skip
            stream.codec_context.pix_fmt = plan.pix_fmt
            stream.codec_context.time_base = video.time_base
            stream.codec_context.thread_count = 0
            for frame in source.decode(origin):
                frame.pict_type = 0
                target.mux(stream.encode(frame))
            target.mux(stream.encode(None))

    return timed(work)


def dubbed(clip: Path, speech: Path, out: Path, quality: str) -> dict[str, float]:
    """Run the whole of ``labial.dub`` on a video that was never seen before."""
    shutil.rmtree(kept := out.with_name("seen"), ignore_errors=True)
    seen.folder = lambda: kept
    return timed(lambda: labial.dub(clip, speech, out, quality=quality))


def again(clip: Path, speech: Path, out: Path, quality: str) -> dict[str, float]:
    """Run ``labial.dub`` on the video that the last one has seen, as a second language does."""
    kept = out.with_name("seen")
    seen.folder = lambda: kept
    return timed(lambda: labial.dub(clip, speech, out, quality=quality))


def stages(clip: Path, speech: Path, out: Path, quality: str) -> dict[str, float]:
    """Take a dub apart: processor milliseconds a frame of each stage, one after the other."""
    cv2.setNumThreads(1)
    spent: defaultdict[str, float] = defaultdict(float)

    def clocked(stage: str, work: Callable[..., T], *what: Any) -> T:
        # The encoder's threads go on while a frame is rendered: that is not the renderer's time.
        clock = time.thread_time if stage in ALONE else time.process_time
        begin = clock()
        result = work(*what)
        spent[stage] += clock() - begin
        return result

    def each(frames: Iterator[T], stage: str) -> Iterator[T]:
        following: Callable[..., T | None] = next
        while (frame := clocked(stage, following, frames, None)) is not None:
            yield frame

    tracker, bank, shots, times = FaceTracker(), BankCollector(), Shots(), []
    with VideoReader(clip) as reader:
        media = reader.media
        for frame, cut in each(shots.marked(reader.frames()), "decode and cuts"):
            faces = clocked("track", tracker.observe, frame, cut)
            shown = {key: face for key, face in faces.items() if not tracker.is_covered(key)}
            clocked("bank", bank.offer, frame, shown)
            times.append(float(frame.time))
    tracks = clocked("track", tracker.finish, shots.dissolves())
    patches = clocked("bank", bank.finish)
    seconds = np.array(times) - times[0]

    def listen() -> tuple[list[npt.NDArray[np.float32]], npt.NDArray[np.float32]]:
        said, heard = predict(load_speech(speech)), own_speech(clip)
        basis, new = load_basis(), {track.person: said for track in tracks}
        studied = study_all(tracks, seconds, basis, heard, new)
        mouths = frame_mouths(tracks, seconds, said, studied, basis, DubOptions())
        return mouths, visemes_at(said, seconds)

    mouths, visemes = clocked("listen", listen)
    Choices: TypeAlias = list[Choice | None]
    Plan: TypeAlias = tuple[Retarget, Choices, Choices, Learned | None]

    def plan(track: FaceTrack, mouth: npt.NDArray[np.float32]) -> Plan:
        retarget = Retarget(track, load_basis(), mouth, 25.0)
        filmed = MouthBank(track, patches)
        learned = (
            None if quality == "fast" else Learned(track, retarget, filmed, visemes[track.rows])
        )
        if not filmed.patches:
            return retarget, [None] * len(track), [None] * len(track), learned
        every, lips = np.arange(len(track)), retarget.lips()
        choices = filmed.choose(every, lips)
        others = filmed.choose(every, lips, choices) if learned else choices
        return retarget, [*choices], [*others], learned

    # The clip shows one face at a time.
    tracks_left = deque(zip(tracks, mouths, strict=True))
    begin = time.process_time()
    track: FaceTrack | None = None
    with (
        VideoReader(clip) as reader,
        VideoWriter(out, media, EncodeSettings(preset=DubOptions().preset), speech) as writer,
    ):
        for frame in reader.frames():
            if tracks_left and tracks_left[0][0].start <= frame.index:
                track, mouth = tracks_left.popleft()
                usable = bool((track.quality > 0).any())
                if usable:
                    retarget, choices, others, learned = clocked("choose", plan, track, mouth)
            row = frame.index - track.start if track is not None else -1
            if track is not None and usable and row < len(track) and track.quality[row] > 0:
                layers = clocked(
                    "render", render_mouth,
                    frame, track, retarget, choices[row], learned, others[row],
                )  # fmt: skip
                if layers is not None:
                    refiner = learned.refiner if learned else None
                    frame = clocked("composite", compose, layers, refiner).frame
            writer.write(frame)
    whole = time.process_time() - begin
    spent["decode again, encode"] = whole - sum(spent[stage] for stage in ALONE)
    return {stage: 1000 * total / len(times) for stage, total in spent.items()}


# Stages that run on the calling thread alone.
ALONE = ("choose", "render", "composite")

JOBS: dict[str, Callable[[Path, Path, Path, str], dict[str, float]]] = {
    "plain": plain,
    "dub": dubbed,
    "again": again,
    "stages": stages,
}


def make_clip(sample_clip: Path, target: Path, height: int, seconds: float) -> None:
    """Write a 16:9 clip at 25 fps: the sample, cropped, scaled, and repeated until it is full."""
    left = round(seconds * 25)
    width = height * 16 // 9 // 2 * 2
    index = 0
    with av.open(str(target), "w") as container:
        stream: Any = container.add_stream(
            "libx264", rate=25, width=width, height=height, options={"crf": "20", "preset": "fast"}
        )
        stream.codec_context.pix_fmt = "yuv420p"
        while index < left:
            with av.open(str(sample_clip)) as source:
                for picture in source.decode(video=0):
                    if index == left:
                        break
                    image = picture.to_ndarray(format="rgb24")
                    inner = image.shape[0] * 16 // 9
                    edge = max(0, (image.shape[1] - inner) // 2)
                    image = np.ascontiguousarray(image[:, edge : image.shape[1] - edge])
                    image = cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC)
                    frame = av.VideoFrame.from_ndarray(np.asarray(image, np.uint8), "rgb24")
                    frame.pts, frame.time_base = index, Fraction(1, 25)
                    container.mux(stream.encode(frame))
                    index += 1
        container.mux(stream.encode(None))


def make_speech(sample_speech: Path, target: Path, seconds: float) -> None:
    """Write ``seconds`` of the sample, repeated."""
    with wave.open(str(sample_speech)) as source, wave.open(str(target), "wb") as out:
        out.setparams(source.getparams())
        data = source.readframes(source.getnframes())
        size = source.getsampwidth() * source.getnchannels()
        left = round(seconds * source.getframerate()) * size
        while left > 0:
            out.writeframesraw(data[:left])
            left -= len(data)


if __name__ == "__main__":
    sys.exit(main())
