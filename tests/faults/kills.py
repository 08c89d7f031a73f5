"""Runs that are killed or interrupted at random moments, each in a process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from faults.clips import face, film, voice, wall

from labial import weights

ROOT = Path(__file__).parents[2]
# Pieces of a few frames, so that a small film has many; a line is printed when the work begins.
SCRIPT = """
import sys
from labial import cli
from labial.cli import making
from labial.media import pieces
class Told(making.Progress):
    def __enter__(self):
        print("begun", flush=True)
        return super().__enter__()
making.Progress = Told
pieces.LEAST, pieces.USUAL, pieces.MOST = 8, 12, 16
sys.exit(cli.main())
"""
SIGNALS = signal.SIGINT, signal.SIGTERM, signal.SIGHUP
KINDS = {".mkv": ("--codec", "ffv1"), ".mp4": (), ".webm": ("--codec", "vp9")}


@dataclass
class Kill:
    """What came of a run that was ended after some seconds; ``wrong`` lists what should not have.

    ``left`` is what lay in the output's folder then, ``resumed`` how many frames of it were used.
    """

    seed: int
    ending: str
    seconds: float
    of: float
    left: list[str]
    resumed: int = 0
    wrong: list[str] = field(default_factory=list)


class Place:
    """A film, speech, and a folder for outputs; runs keep what they saw in a cache of their own."""

    def __init__(self, folder: Path, frames: int = 60) -> None:
        self.folder = folder
        scene = face(frames // 3) + wall(frames // 3) + face(frames - 2 * (frames // 3))
        settings = {"codec": "libx264", "options": {"g": "12", "bf": "0"}}
        self.video = film(folder / "film.mp4", scene, **settings)
        self.speech = voice(folder / "speech.wav", 2.0)
        self._count = 0

    def start(self, out: Path, more: tuple[str, ...]) -> subprocess.Popen[str]:
        """Begin a dub to ``out``."""
        cache = out.parent.with_name(f"{out.parent.name}-cache")
        cache.mkdir(exist_ok=True)
        for model in weights.folder().iterdir():
            if model.is_file() and not (cache / model.name).exists():
                (cache / model.name).symlink_to(model)
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "LABIAL_CACHE": str(cache)}
        arguments = ["dub", str(self.video), "--audio", str(self.speech), "--out", str(out), *more]
        return subprocess.Popen(
            [sys.executable, "-c", SCRIPT, *arguments], env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def outputs(self) -> Path:
        """A new empty folder."""
        self._count += 1
        made = self.folder / f"out{self._count}"
        made.mkdir()
        return made


def kills(
    folder: Path, count: int, endings: Sequence[str] = tuple(KINDS), seed: int = 0
) -> Iterator[Kill]:
    """Kill runs at random moments, resume them, and compare with a run that was left alone."""
    place = Place(folder)
    whole: dict[str, tuple[bytes, float]] = {}
    for number in range(seed, seed + count):
        rng = np.random.default_rng(number)
        ending = endings[number % len(endings)]
        more = (*KINDS[ending], "--resume")
        if ending not in whole:
            out, start = place.outputs() / f"out{ending}", time.monotonic()
            _, told = place.start(out, more).communicate()
            assert out.exists(), told
            whole[ending] = out.read_bytes(), time.monotonic() - start
        expected, length = whole[ending]
        out = place.outputs() / f"out{ending}"
        start = time.monotonic()
        run = place.start(out, more)
        # Of two runs, one is killed at any time, one where there is something to go on from.
        until = start + (rng.uniform(0.3, 1.0) * length if number % 2 else 60 * length)
        pieces = int(rng.integers(1, 5))
        while run.poll() is None and time.monotonic() < until:
            if len([*out.parent.glob(".*/*.piece")]) >= pieces:
                until = min(until, time.monotonic() + rng.uniform(0, 0.1))
            time.sleep(0.002)
        run.kill()
        run.communicate()
        left = sorted(p.name for p in out.parent.iterdir())
        kill = Kill(number, ending, time.monotonic() - start, length, left)
        if out.exists() and out.read_bytes() != expected:
            kill.wrong.append("half a file under the target's name")
        _resumed(place, out, more, expected, kill)
        yield kill


def _resumed(place: Place, out: Path, more: tuple[str, ...], expected: bytes, kill: Kill) -> None:
    run = place.start(out, more)
    said, told = run.communicate()
    if run.returncode != 0 or "Traceback" in told:
        kill.wrong.append(f"resumed with code {run.returncode}: {told}")
        return
    found = re.search(r"made by an earlier run: (\d+)", said)
    kill.resumed = int(found[1]) if found else 0
    if out.read_bytes() != expected:
        kill.wrong.append("not the undisturbed result")
    if (left := sorted(p.name for p in out.parent.iterdir())) != [out.name]:
        kill.wrong.append(f"left in the folder: {left}")


def interrupts(folder: Path, count: int, seed: int = 0) -> Iterator[Kill]:
    """Ask runs to end, by Ctrl-C and other signals, while they look at the film or write."""
    place = Place(folder)
    for number in range(seed, seed + count):
        rng = np.random.default_rng(number)
        out, start = place.outputs() / "out.mkv", time.monotonic()
        run = place.start(out, KINDS[".mkv"])
        assert run.stdout is not None
        run.stdout.readline()
        while number % 2 and run.poll() is None and not any(out.parent.iterdir()):
            time.sleep(0.002)
        time.sleep(float(rng.uniform(0, 0.3)))
        number_sent = SIGNALS[number % len(SIGNALS)]
        run.send_signal(number_sent)
        told = run.communicate()[1]
        kill = Kill(number, ".mkv", time.monotonic() - start, 0, [])
        left = sorted(p.name for p in out.parent.iterdir())
        stopped = run.returncode == 128 + number_sent and "labial: stopped" in told and not left
        done = run.returncode == 0 and left == [out.name]
        if "Traceback" in told or not (stopped or done):
            kill.wrong.append(f"code {run.returncode}, left {left}: {told}")
        yield kill
