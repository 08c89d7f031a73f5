"""How well an offset or a drift that was put in is found by a check, and taken out by a fix.

::

    python benchmarks/sync.py clips FOLDER [--least 8]
    python benchmarks/sync.py joined FOLDER [--seconds 150] [--people s33 s34]

``clips`` takes every video of a folder that is long enough. ``joined`` makes long ones: it joins
the short clips of one person, those whose names begin with the same letters up to a ``_``, over
and over until they are long enough.

Clips have offsets of their own: what is found is compared with what is found in the clip as it is.
The pictures' packets stay the same, so a clip is looked at once; its sound is moved into a file of
its own, heard, measured and repaired each time. Independently of the measure, the repaired sound is
laid on the source's by cross-correlation.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import chain, cycle
from pathlib import Path

import av
import numpy as np

from labial import fixing
from labial.analysis import own_speech
from labial.audio.load import read_audio
from labial.checking.check import Footage, look, measure
from labial.checking.verdict import SyncReport
from labial.errors import LabialError
from labial.media.moving import Move
from labial.media.probe import probe
from labial.media.remux import remux
from labial.options import CheckOptions

OFFSETS = (40, -40, 120, -120, 400, -400)
DRIFTS = (50, -50)
NEAR_MS, NEAR_DRIFT = 20.0, 5.0
RATE = 16000
ENDINGS = {".mp4", ".mov", ".mkv", ".webm"}


@dataclass
class Results:
    """Errors in ms and in ms a minute: of what was found, and of what was repaired."""

    found: list[float] = field(default_factory=list)
    left: list[float] = field(default_factory=list)
    laid: list[float] = field(default_factory=list)
    lost: int = 0
    drifts: list[tuple[float, float]] = field(default_factory=list)
    drifts_left: list[float] = field(default_factory=list)
    told: int = 0


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("what", choices=("clips", "joined"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--least", type=float, default=8, help="seconds of a clip")
    parser.add_argument("--seconds", type=float, default=150, help="of a joined clip")
    parser.add_argument("--people", nargs="*", default=[], help="only these, of joined ones")
    given = parser.parse_args()
    results, unknown = Results(), []
    lengths: list[tuple[float, list[tuple[float, float]]]] = []
    with tempfile.TemporaryDirectory(prefix="labial-sync-") as name:
        for clip in clips_of(given, Path(name)):
            try:
                footage = look(clip)
                own = measure(footage, CheckOptions())
            except LabialError as error:
                print(f"{clip.name}: {error}", flush=True)
                continue
            if own.offset is None:
                unknown.append(f"{clip.name}: {own.why}")
                print(f"{clip.name[:44]:44} {own.headline()}", flush=True)
                continue
            before = len(results.drifts)
            line = [offset_row(footage, own, results, Path(name)),
                    drift_row(footage, own, results, Path(name))]  # fmt: skip
            lengths.append((own.seconds, results.drifts[before:]))
            print(f"{clip.name[:44]:44} {own.seconds:6.1f} s {' '.join(line)}", flush=True)
    report(results, unknown, lengths)
    return 0


def clips_of(given: argparse.Namespace, home: Path) -> Iterator[Path]:
    """Yield the clips to measure."""
    files = sorted(p for p in given.folder.iterdir() if p.suffix.lower() in ENDINGS)
    if given.what == "clips":
        for file in files:
            media = probe(file)
            if media.video is not None and (media.duration or 0) >= given.least and media.audio:
                yield file
        return
    people: dict[str, list[Path]] = defaultdict(list)
    for file in files:
        people[file.name.split("_")[0]].append(file)
    for person, own in people.items():
        if not given.people or person in given.people:
            yield joined(own, home / f"{person}.mp4", given.seconds)


def joined(clips: list[Path], target: Path, seconds: float) -> Path:
    """Join clips of one size and frame rate, again and again, each with its own sound."""
    sounds, step = [], Fraction(1, 25)
    with av.open(str(target), "w") as out:
        first = probe(clips[0]).video
        assert first is not None
        video = out.add_stream(
            "libx264", rate=25, width=first.width // 2 * 2, height=first.height // 2 * 2,
            options={"preset": "veryfast", "crf": "18"},
        )  # fmt: skip
        video.pix_fmt = "yuv420p"
        voice = out.add_stream("aac", rate=48000, layout="mono")
        count = 0
        for clip in cycle(clips):
            if count * step >= seconds:
                break
            begin = count
            with av.open(str(clip)) as source:
                for frame in source.decode(video=0):
                    picture = frame.reformat(video.width, video.height, "yuv420p")
                    picture.pts, picture.time_base = count, step
                    picture.pict_type = av.video.frame.PictureType.NONE
                    out.mux(video.encode(picture))
                    count += 1
            length = round((count - begin) * step * 48000)
            sound = np.asarray(read_audio(clip, 48000).samples)[:length]
            sounds.append(np.pad(sound, (0, length - len(sound))))
        out.mux(video.encode(None))
        whole = av.AudioFrame.from_ndarray(np.concatenate(sounds)[None], "fltp", "mono")
        whole.sample_rate = 48000
        out.mux(voice.encode(whole))
        out.mux(voice.encode(None))
    return target


def offset_row(footage: Footage, own: SyncReport, results: Results, home: Path) -> str:
    """Put offsets in, find them and take them out; return a line of errors in ms."""
    assert own.offset is not None
    words = [f"own {1000 * own.offset:+4.0f} ms; offsets off by"]
    source = heard(footage.media.path)
    for ms in OFFSETS:
        late = moved(footage, Move(Fraction(-ms, 1000)), home / "moved.mkv")
        found = measure(late, CheckOptions())
        if found.offset is None:
            results.lost += 1
            words.append("?")
            continue
        error = 1000 * (found.offset - own.offset) - ms
        results.found.append(error)
        words.append(f"{error:+.0f}")
        fixed = repaired(late, home / "fixed.mkv", "shift")
        if fixed is not None and fixed.offset is not None:
            results.left.append(1000 * fixed.offset)
            laid = lag(heard(home / "fixed.mkv"), source) + own.offset
            results.laid.append(1000 * laid)
    return " ".join(words)


def drift_row(footage: Footage, own: SyncReport, results: Results, home: Path) -> str:
    """Put drifts in, find them and take them out; return a line of errors in ms a minute."""
    words = ["ms; drifts off by"]
    assert own.drift is not None
    for minute in DRIFTS:
        late = moved(footage, Move(Fraction(0), Fraction(-minute, 60_000)), home / "moved.mkv")
        found = measure(late, CheckOptions())
        if found.drift is None:
            results.lost += 1
            words.append("?")
            continue
        error = 60_000 * (found.drift - own.drift) - minute
        results.drifts.append((error, 60_000 * found.drift_error))
        words.append(f"{error:+.0f}")
        if found.drifts:
            results.told += 1
            fixed = repaired(late, home / "fixed.mkv", "stretch")
            if fixed is not None and fixed.drift is not None:
                results.drifts_left.append(60_000 * fixed.drift)
    return f"{' '.join(words)} (own {60_000 * own.drift:+.0f})"


def moved(footage: Footage, move: Move, target: Path) -> Footage:
    """The same pictures with their sound moved, in a file, and heard anew."""
    assert footage.media.audio is not None
    remux(footage.media, target, {footage.media.audio.index: move})
    return Footage(probe(target), replace(footage.analysis, heard=own_speech(target)))


def repaired(late: Footage, target: Path, how: str) -> SyncReport | None:
    """What a check says after the repair."""
    looked, fixing.look = fixing.look, lambda video, hook=None: late
    try:
        return fixing.fix(late.media.path, target, how=how).after
    finally:
        fixing.look = looked


def heard(path: Path) -> np.ndarray:
    """Samples from the first picture on."""
    return np.asarray(read_audio(path, RATE).samples, np.float64)


def lag(one: np.ndarray, other: np.ndarray) -> float:
    """Seconds by which the first comes later than the second, by their cross-correlation."""
    n = 1 << int(len(one) + len(other)).bit_length()
    product = np.fft.rfft(one, n) * np.conj(np.fft.rfft(other, n))
    best = int(np.fft.irfft(product, n).argmax())
    return (best if best < n / 2 else best - n) / RATE


def report(
    results: Results,
    unknown: list[str],
    lengths: list[tuple[float, list[tuple[float, float]]]],
) -> None:
    """Print the table."""
    print(f"\n{len(lengths)} clips are told, {len(unknown)} are not; of the former, "
          f"{results.lost} files with moved sound were not")  # fmt: skip
    for line in unknown:
        print(f"  {line}")
    print("\n| measure | within | share | median | worst |\n|---|---|---|---|---|")
    row("offset found, against the clip's own", results.found, NEAR_MS, "ms")
    row("offset left after the repair, as measured", results.left, NEAR_MS, "ms")
    row("the same by cross-correlation with the source", results.laid, NEAR_MS, "ms")
    for low, high in ((5, 15), (15, 25), (25, 45), (45, 100), (100, 3600)):
        part = [*chain.from_iterable(d for s, d in lengths if low <= s < high)]
        if part:
            name = f"drift found, clips of {low} to {high:.0f} s"
            row(name, [error for error, _ in part], NEAR_DRIFT, "ms a minute")
            print(f"  its own standard error: median {np.median([e for _, e in part]):.0f}")
    row("drift left after the repair", results.drifts_left, NEAR_DRIFT, "ms a minute")
    print(f"\ndrifts of which it was sure: {results.told} of {len(results.drifts)}")


def row(name: str, errors: list[float], near: float, unit: str) -> None:
    """Print a row of the table."""
    if errors:
        size = np.abs(errors)
        print(
            f"| {name} | {near:.0f} {unit} | {(size <= near).mean():.0%} of {len(size)} "
            f"| {np.median(size):.1f} | {size.max():.0f} |"
        )


if __name__ == "__main__":
    raise SystemExit(main())
