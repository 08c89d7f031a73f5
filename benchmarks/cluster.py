"""One long film on Ray: the same to the last bit on 1, 2 and 4 workers, and how long it takes.

::

    python benchmarks/cluster.py CLIPS [--minutes 10] [--height 360] [--workers 1 2 4]
                                 [--quality fast] [--folder FOLDER]

The film is made of the clips (``long_film.py``). It is dubbed directly, then on clusters of so many
workers that are started here, then once more while a worker is killed in the middle. The first
pass is made once, in the direct run, and kept, as it is for any second dub of a film. Each output
is held against the direct one: the digests of all decoded frames with their times, of the file's
packets, and of the sound. Memory is the largest resident size of a process of each kind. Seconds of
processors are all that the processes took: where others work on the machine too, as the load tells,
they say more than the clock. What was measured lies in FOLDER and is not measured again.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import signal
import sys
import tempfile
import threading
import time
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import av
from long_film import make_film

from labial import weights
from labial.cluster import open_cluster
from labial.jobs import Job, Runner, run_apart


@dataclass
class Run:
    """What was measured of one dub."""

    name: str
    seconds: float = 0.0
    first_pass: float = 0.0
    parts: float = 0.0
    join: float = 0.0
    cpu: float = 0.0
    load: float = 0.0
    peaks: dict[str, int] = field(default_factory=dict)
    digests: dict[str, Any] = field(default_factory=dict)
    killed: int = 0


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("clips", type=Path)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--height", type=int, default=360)
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2, 4])
    parser.add_argument("--quality", default="fast")
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp(prefix="labial-cluster-"))
    folder.mkdir(parents=True, exist_ok=True)
    film, speech = folder / "film.mp4", folder / "speech.wav"
    if not speech.exists():
        make_film(given.clips, folder, round(given.minutes * 60), given.height)
    own_cache(folder / "cache")
    job = Job("dub", {"video": film, "audio": speech}, {"quality": given.quality})
    direct = measured("direct", job, folder / "direct", 0)
    print(told(direct, direct), flush=True)
    for count in given.workers:
        run = measured(f"{count} workers", job, folder / f"on-{count}", count)
        print(told(run, direct), flush=True)
    run = measured("2, one killed", job, folder / "killed", 2, kill=True)
    print(told(run, direct), flush=True)
    print(json.dumps(direct.digests))
    return 0


def own_cache(cache: Path) -> None:
    """Keep what is seen apart from the user's cache, and the networks where they are."""
    files = [path for path in weights.folder().iterdir() if path.is_file()]
    cache.mkdir(exist_ok=True)
    for path in files:
        link = cache / path.name
        if not link.exists():
            link.symlink_to(path)
    os.environ["LABIAL_CACHE"] = str(cache)


def measured(name: str, job: Job, folder: Path, cpus: int, kill: bool = False) -> Run:
    """Do the job once, on a cluster of so many processors, or without one."""
    kept = folder.with_suffix(".json")
    if kept.exists():
        return Run(**json.loads(kept.read_text()))
    with contextlib.ExitStack() as stack:
        runner = stack.enter_context(open_cluster(cpus=cpus)).run if cpus else run_apart
        run = once(name, job, folder, runner, kill)
    kept.write_text(json.dumps(asdict(run)))
    return run


def once(name: str, job: Job, folder: Path, runner: Runner, kill: bool) -> Run:
    """Do the job with a runner, and look at it."""
    folder.mkdir(exist_ok=True)
    run, marks = Run(name), dict[str, float]()
    with Watch(run):
        began = time.monotonic()

        def hook(stage: str, done: int, total: int | None) -> None:
            now = time.monotonic() - began
            if stage == "analyse" and done == total:
                marks["seen"] = now
            if stage == "render":
                marks.setdefault("begun", now)
                if done == total:
                    marks.setdefault("made", now)
                if kill and total and done > total / 2 and not run.killed:
                    run.killed = kill_one()

        runner(job, folder, hook=hook)
        run.seconds = time.monotonic() - began
    run.first_pass = marks.get("begun", 0.0)
    run.parts = marks.get("made", 0.0) - run.first_pass
    run.join = run.seconds - marks.get("made", 0.0)
    run.digests = digests(folder / "output.mp4")
    return run


class Watch:
    """Look at the memory of this process and of all that come from it, twice a second."""

    def __init__(self, run: Run) -> None:
        self._run, self._over = run, threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        peaks: dict[str, int] = defaultdict(int)
        cpu: dict[int, float] = {}
        loads = []
        while not self._over.wait(0.5):
            for pid, name in family():
                try:
                    status = Path(f"/proc/{pid}/status").read_text()
                    times = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
                    cpu[pid] = sum(map(int, times)) / os.sysconf("SC_CLK_TCK")
                    # Shared memory is Ray's store, counted once by whoever holds it.
                    size = int(status.split("RssAnon:")[1].split()[0]) + int(
                        status.split("RssFile:")[1].split()[0]
                    )
                except (OSError, IndexError):
                    continue
                peaks[name] = max(peaks[name], size // 1024)
            loads.append(os.getloadavg()[0])
        self._run.peaks, self._run.cpu = dict(peaks), sum(cpu.values())
        self._run.load = sum(loads) / max(len(loads), 1)


def family() -> list[tuple[int, str]]:
    """Processes that come from this one, and what they are."""
    parents, names = {}, {}
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            try:
                stat = (place / "stat").read_text().rpartition(")")[2].split()
                line = (
                    (place / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
                )
            except OSError:
                continue
            parents[int(place.name)], names[int(place.name)] = int(stat[1]), line
    found = []
    for pid, line in names.items():
        above = pid
        while above and above != os.getpid():
            above = parents.get(above, 0)
        if above:
            found.append((pid, kind(line, pid == os.getpid())))
    return found


def kind(line: str, own: bool) -> str:
    """What a process is, by its command line."""
    if own:
        return "who asks"
    known = {
        "labial.jobs.child": "job", "ray::Depot": "depot", "ray::": "ray worker",
        "raylet/raylet": "raylet", "gcs_server": "gcs",
    }  # fmt: skip
    return next((what for mark, what in known.items() if mark in line), "other of Ray")


def kill_one() -> int:
    """Kill a process of Ray that does a part; return which."""
    for pid, _ in family():
        line = Path(f"/proc/{pid}/cmdline").read_bytes()
        if b"labial.jobs.child" in line:
            parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
            os.kill(parent, signal.SIGKILL)
            return parent
    return 0


def digests(path: Path) -> dict[str, Any]:
    """All that two outputs must have in common."""
    pictures, packets, sound = (hashlib.sha256() for _ in range(3))
    frames, length, samples = 0, 0.0, 0
    with av.open(str(path)) as container:
        for packet in container.demux():
            if packet.size:
                packets.update(f"{packet.stream.index} {packet.pts} {packet.dts}".encode())
                packets.update(bytes(packet))
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            pictures.update(f"{frame.pts}".encode())
            for plane in frame.planes:
                pictures.update(bytes(plane))
            frames, length = frames + 1, float(frame.time)
    with av.open(str(path)) as container:
        for block in container.decode(audio=0):
            sound.update(f"{block.pts}".encode())
            sound.update(block.to_ndarray().tobytes())
            samples += block.samples
    return {
        "file": hashlib.sha256(path.read_bytes()).hexdigest(),
        "packets": packets.hexdigest(),
        "frames": frames,
        "pictures": pictures.hexdigest(),
        "last": length,
        "sound": sound.hexdigest(),
        "samples": samples,
    }


def told(run: Run, direct: Run) -> str:
    """A line for the table."""
    same = "identical" if run.digests == direct.digests else "DIFFERENT"
    memory = ", ".join(f"{name} {size}" for name, size in sorted(run.peaks.items()))
    killed = f", killed {run.killed}" if run.killed else ""
    return (
        f"{run.name:16} {run.seconds:7.1f} s: before {run.first_pass:6.1f}, made {run.parts:6.1f}, "
        f"joined {run.join:5.1f}; processors {run.cpu:6.1f} s at load {run.load:.0f}; "
        f"{run.digests['frames']} frames, {same}{killed}; MB: {memory}"
    )


if __name__ == "__main__":
    sys.exit(main())
