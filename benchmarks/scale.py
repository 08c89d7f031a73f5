"""How memory and time grow with a video's length and size.

::

    python benchmarks/scale.py [--minutes 1 10 60] [--height 480] [--heights 480 720 1080 2160]
                               [--seconds 10] [--quality fast]

Each dub runs in a process of its own; its peak of memory is what the system says it held, mapped
files included. The clips are a sample of a talking face, scaled; long ones repeat ten seconds of
it without encoding them again.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from speed import in_a_process, make_clip, make_speech

from labial import weights

RATE = 25
PERIOD_SECONDS = 10


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--minutes", type=float, nargs="*", default=[1, 10, 60])
    parser.add_argument("--height", type=int, default=480, help="of the clips of several lengths")
    parser.add_argument("--heights", type=int, nargs="*", default=[480, 720, 1080, 2160])
    parser.add_argument("--seconds", type=float, default=10, help="of the clips of several sizes")
    parser.add_argument("--quality", default="fast")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="labial-scale-") as name:
        folder = Path(name)
        print(f"{'clip':24}{'seconds':>10}{'fps':>8}{'peak MB':>10}", flush=True)
        lengths = [dubbed(folder, given.height, 60 * m, given.quality) for m in given.minutes]
        if len(lengths) > 1:
            slope, base = np.polyfit(given.minutes, lengths, 1)
            print(f"memory over length: {base:.0f} MB + {slope:.1f} MB a minute\n")
        sizes = [dubbed(folder, h, given.seconds, given.quality) for h in given.heights]
        if len(sizes) > 1:
            pixels = [h * h * 16 / 9 / 1e6 for h in given.heights]
            slope, base = np.polyfit(pixels, sizes, 1)
            print(f"memory over size: {base:.0f} MB + {slope:.0f} MB a megapixel")
    return 0


def dubbed(folder: Path, height: int, seconds: float, quality: str) -> float:
    """Dub one clip, print a line of the table, and return the peak of memory in MB."""
    clip, speech, out = folder / "clip.mp4", folder / "speech.wav", folder / "out.mp4"
    period = folder / f"{height}p.mp4"
    if not period.exists():
        make_clip(weights.path("talking_clip"), period, height, PERIOD_SECONDS)
    repeat(period, clip, round(seconds * RATE))
    make_speech(weights.path("speech_short"), speech, seconds)
    run = in_a_process("dub", clip, speech, out, quality)
    label = f"{height}p, {seconds / 60:g} min" if seconds >= 60 else f"{height}p, {seconds:g} s"
    fps = seconds * RATE / run["seconds"]
    print(f"{label:24}{run['seconds']:10.1f}{fps:8.1f}{run['peak_mb']:10.0f}", flush=True)
    return run["peak_mb"]


def repeat(source: Path, target: Path, frames: int) -> None:
    """Write ``frames`` frames: the packets of ``source``, again and again."""
    with av.open(str(source)) as container:
        origin = container.streams.video[0]
        packets = [
            (bytes(p), p.pts, p.dts, p.is_keyframe) for p in container.demux(origin) if p.size
        ]
        step = Fraction(1, RATE) / origin.time_base
        with av.open(str(target), "w") as out:
            stream: Any = out.add_stream_from_template(origin)
            for number in range(frames):
                turn, place = divmod(number, len(packets))
                data, pts, dts, key = packets[place]
                packet: Any = av.Packet(data)
                shift = round(turn * len(packets) * step)
                packet.pts, packet.dts = pts + shift, dts + shift
                packet.duration, packet.time_base = round(step), origin.time_base
                packet.is_keyframe, packet.stream = key, stream
                out.mux(packet)


if __name__ == "__main__":
    sys.exit(main())
