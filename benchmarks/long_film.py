"""A long film out of short clips: people who come and go, cuts, and stretches with nobody in them.

::

    python benchmarks/long_film.py CLIPS FOLDER [--minutes 10] [--height 360]

writes ``film.mp4`` with the clips' own sound, and ``speech.wav``: the same voices in another order.
"""

from __future__ import annotations

import argparse
import sys
import wave
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

FPS, RATE = 25, 16000
# Seconds of a shot, at most, and how many shots come before a few seconds with nobody.
SHOT, EMPTY, EVERY = 9, 6, 16


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("clips", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--height", type=int, default=360)
    given = parser.parse_args()
    make_film(given.clips, given.folder, round(given.minutes * 60), given.height)
    return 0


def make_film(clips: Path, folder: Path, seconds: int, height: int) -> tuple[Path, Path]:
    """Write film and speech; return where they are."""
    folder.mkdir(parents=True, exist_ok=True)
    film, speech = folder / "film.mp4", folder / "speech.wav"
    shots = [shot for path in sorted(clips.glob("*.mp4")) if (shot := heard(path)) is not None]
    if not shots:
        raise SystemExit(f"no clips with sound in {clips}")
    width = height * 16 // 9 // 2 * 2
    with av.open(str(film), "w") as out:
        video: Any = out.add_stream(
            "libx264", rate=FPS, width=width, height=height, options={"preset": "superfast"}
        )
        sound: Any = out.add_stream("aac", rate=RATE, layout="mono")
        made, voices = 0, []
        while made < seconds * FPS:
            for number, (path, samples) in enumerate(shots):
                if number % EVERY == EVERY - 1:
                    made = add(
                        out, video, sound, made, nobody(width, height), np.zeros(0, np.int16)
                    )
                turn = made // (FPS * 60) % 2 * SHOT
                mine = samples[turn * RATE :][: SHOT * RATE]
                if len(mine) < 3 * RATE:
                    turn, mine = 0, samples[: SHOT * RATE]
                pictures = fitted(path, turn, len(mine) * FPS // RATE, width, height)
                made = add(out, video, sound, made, pictures, mine)
                voices.append(mine)
                if made >= seconds * FPS:
                    break
        for stream in (video, sound):
            out.mux(stream.encode(None))
    order = np.random.default_rng(7).permutation(len(voices))
    said = np.concatenate([voices[k] for k in order])
    with wave.open(str(speech), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.resize(said, made * RATE // FPS).tobytes())
    return film, speech


def heard(path: Path) -> tuple[Path, np.ndarray] | None:
    """The sound of a clip, int16 mono."""
    with av.open(str(path)) as container:
        if not container.streams.audio or not container.streams.video:
            return None
        resampler = av.AudioResampler("s16", "mono", RATE)
        blocks = [
            block.to_ndarray().reshape(-1)
            for frame in container.decode(audio=0)
            for block in resampler.resample(frame)
        ]
    samples = np.concatenate(blocks) if blocks else np.zeros(0, np.int16)
    return (path, samples) if len(samples) > 3 * RATE else None


def fitted(path: Path, start: int, count: int, width: int, height: int) -> Iterator[np.ndarray]:
    """``count`` pictures of a clip from a second on, on a canvas, FPS of them a second."""
    made = 0
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            wide = min(width, frame.width * height // frame.height // 2 * 2)
            picture = None
            while made < count and frame.time >= start + made / FPS:
                if picture is None:
                    inner = frame.reformat(wide, height, "rgb24").to_ndarray()
                    picture = np.full((height, width, 3), 60, np.uint8)
                    left = (width - wide) // 2
                    picture[:, left : left + wide] = inner
                yield picture
                made += 1
            if made >= count:
                return


def nobody(width: int, height: int) -> Iterator[np.ndarray]:
    """A few seconds of a gradient that moves."""
    ramp = np.linspace(30, 200, width)[None, :, None] * np.ones((height, 1, 3))
    for k in range(EMPTY * FPS):
        yield np.roll(ramp, 2 * k, axis=1).astype(np.uint8)


def add(out: Any, video: Any, sound: Any, made: int, pictures: Any, samples: np.ndarray) -> int:
    """Write a shot with its sound; return how many frames there are now."""
    first = made
    for picture in pictures:
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
        frame.pts, frame.time_base = made, Fraction(1, FPS)
        out.mux(video.encode(frame))
        made += 1
    block = np.zeros((1, (made - first) * RATE // FPS), np.int16)
    heard = samples[: block.shape[1]]
    block[0, : len(heard)] = heard
    if block.shape[1]:
        frame = av.AudioFrame.from_ndarray(block, format="s16", layout="mono")
        frame.sample_rate, frame.pts = RATE, first * RATE // FPS
        frame.time_base = Fraction(1, RATE)
        out.mux(sound.encode(frame))
    return made


if __name__ == "__main__":
    sys.exit(main())
