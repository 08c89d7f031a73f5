"""Dub every clip of a folder, check the outputs' frames, and draw a contact sheet of each.

::

    python benchmarks/sheets.py CLIPS SPEECH OUT [--pair] [--only TEXT] [--limit N]

This is what to look at after a change of rendering. Prints one line a clip; writes ``CLIP.mp4`` and
``CLIP.png`` a clip and one ``overview.png`` into OUT. A clip that fails does not stop the run. Exit
code 1 when one crashed, or when an output's frames do not have the times of its source's.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from fractions import Fraction
from pathlib import Path

import av
import av.error
import cv2
import numpy as np

import labial
from labial.media.picture import write_png
from labial.sheet import FAINT, INK, PAPER, Image, Moment, draw, moments, plain, write

CLIPS = {".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".mpg", ".ts"}
THUMB = 160


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("clips", type=Path, help="folder of clips")
    parser.add_argument("speech", type=Path, help="speech for all of them")
    parser.add_argument("out", type=Path, help="folder to write to")
    parser.add_argument(
        "--pair", action="store_true",
        help="speak with the sound of the next clip that has any, instead of SPEECH",
    )  # fmt: skip
    parser.add_argument("--only", default="", help="clips whose names hold this text")
    parser.add_argument("--limit", type=int, help="only the first N clips")
    parser.add_argument("--frames", type=int, default=8, help="columns of a contact sheet")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    every = sorted(p for p in given.clips.iterdir() if p.suffix.lower() in CLIPS)
    chosen = [clip for clip in every if given.only in clip.name][: given.limit]
    voices = [clip for clip in every if has_sound(clip)] if given.pair else []
    failed, strips = [], []
    for number, clip in enumerate(chosen, 1):
        others = [v for v in voices if v > clip] + [v for v in voices if v < clip]
        speech = others[0] if others else given.speech
        verdict, columns = one(clip, speech, given.out, given.frames)
        print(f"{number:3}/{len(chosen)} {clip.name[:44]:44} {verdict}", flush=True)
        if verdict.startswith(("CRASH", "FRAMES")):
            failed.append(clip.name)
        strips.append(strip(clip.name, verdict, columns))
        write_png(given.out / "overview.png", overview(strips))
    print(f"{len(chosen) - len(failed)} of {len(chosen)} as they should be")
    return 1 if failed else 0


def one(clip: Path, speech: Path, out: Path, frames: int) -> tuple[str, list[Moment]]:
    """Dub one clip; return a verdict of one line and the columns of its contact sheet."""
    target = out / f"{clip.stem}.mp4"
    begin = time.perf_counter()
    try:
        report = labial.dub(clip, speech, target)
        seconds = time.perf_counter() - begin
        differ = difference(frame_times(clip), frame_times(target))
        columns = moments(clip, target, frames)
        write_png(out / f"{clip.stem}.png", draw(columns, plain(clip.name)))
    except labial.LabialError as error:
        return f"error: {error}", []
    except Exception as error:
        traceback.print_exc()
        return f"CRASH {type(error).__name__}: {error}", []
    passed = ", ".join(f"{why} {n}" for why, n in sorted(report.passed.items()))
    line = f"ok  {report.resynced}/{report.frames} re-synced"
    line += f"  ({passed})" if passed else ""
    line += f"  {seconds:.1f} s, {report.frames / seconds:.1f} fps"
    return (f"FRAMES {differ}; {line}" if differ else line), columns


def has_sound(clip: Path) -> bool:
    """Tell whether a clip has an audio stream."""
    try:
        with av.open(str(clip.absolute())) as container:
            return bool(container.streams.audio)
    except av.error.FFmpegError:
        return False


def frame_times(clip: Path) -> list[Fraction]:
    """Exact times of all frames, by PyAV alone."""
    with av.open(str(clip.absolute())) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        return [f.pts * f.time_base for f in container.decode(stream) if f.pts is not None]


def difference(source: list[Fraction], output: list[Fraction]) -> str:
    """Say in what the times differ, counted from the first frame; "" when in nothing."""
    if len(source) != len(output):
        return f"{len(source)} in, {len(output)} out"
    for i, (a, b) in enumerate(zip(source, output, strict=True)):
        shift = (b - output[0]) - (a - source[0])
        if shift:
            return f"no. {i} is {float(shift) * 1000:+.3f} ms off"
    return ""


def strip(name: str, verdict: str, columns: list[Moment]) -> Image:
    """Draw one clip's row of the overview: mouths of the source above mouths of the output."""
    high = THUMB * 3 // 4
    page = np.full((2 * high + 30, 8 * (THUMB + 3), 3), PAPER, np.uint8)
    x = write(page, plain(name), (2, 18), INK, 0.45)
    write(page, plain(verdict, 90), (x + 16, 18), FAINT, 0.45)
    picks = np.linspace(0, len(columns) - 1, min(len(columns), 8)).round().astype(int)
    for k, pick in enumerate(picks):
        for row in (0, 1):
            small = cv2.resize(
                columns[pick].tiles[2 + row], (THUMB, high), interpolation=cv2.INTER_AREA
            )
            y = 25 + row * (high + 1)
            page[y : y + high, k * (THUMB + 3) : k * (THUMB + 3) + THUMB] = small
    return page


def overview(strips: list[Image]) -> Image:
    """Put the rows into as many columns as make a sheet of about the shape of a screen."""
    across = max(1, round((len(strips) / 4) ** 0.5))
    down = -(-len(strips) // across)
    blank = np.full_like(strips[0], PAPER)
    filled = strips + [blank] * (across * down - len(strips))
    return np.hstack([np.vstack(filled[k * down : (k + 1) * down]) for k in range(across)])


if __name__ == "__main__":
    sys.exit(main())
