"""Small media files whose every sample is known, written with PyAV alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from labial.media.opening import open_encoder

BURST_SECONDS = 0.5


def noise_frame(fmt: str, width: int, height: int, seed: int) -> av.VideoFrame:
    """A frame of FFmpeg's format ``fmt`` with random legal samples."""
    frame = av.VideoFrame(width, height, fmt)
    rng = np.random.default_rng(seed)
    deep = max(c.bits for c in frame.format.components)
    for plane in frame.planes:
        words = np.frombuffer(plane, np.uint8)
        if deep > 8:
            values = rng.integers(0, 1 << deep, len(words) // 2, dtype=np.uint16)
            if fmt.startswith("p0") or fmt.startswith("p2"):
                values <<= 16 - deep
            if fmt.endswith("be"):
                values = values.byteswap()
            words.view(np.uint16)[:] = values
        else:
            words[:] = rng.integers(0, 256, len(words), dtype=np.uint8)
    return frame


def smooth_frame(fmt: str, width: int, height: int, index: int) -> av.VideoFrame:
    """A frame with a gentle moving ramp in every plane."""
    frame = av.VideoFrame(width, height, fmt)
    deep = max(c.bits for c in frame.format.components)
    for number, plane in enumerate(frame.planes):
        dtype = np.uint16 if deep > 8 else np.uint8
        words = np.frombuffer(plane, dtype).reshape(plane.height, -1)
        ramp = 60 + 20 * number + (np.arange(words.shape[1]) + 2 * index) % 80
        words[:] = (ramp << (deep - 8)).astype(dtype)
    return frame


def burst(rate: int, seconds: float, channels: int = 1, at: float = BURST_SECONDS) -> np.ndarray:
    """(channels, n) float32 silence with 20 ms of 1 kHz tone that starts at ``at`` seconds."""
    sound = np.zeros((channels, round(rate * seconds)), np.float32)
    n = np.arange(rate // 50)
    first = round(at * rate)
    sound[:, first : first + len(n)] = 0.8 * np.sin(2 * np.pi * 1000 * n / rate)
    return sound


def audio_frame(samples: np.ndarray, rate: int, layout: str) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(samples, "fltp", layout)
    frame.sample_rate = rate
    frame.pts, frame.time_base = 0, Fraction(1, rate)
    return frame


def write_sound(
    path: Path,
    samples: np.ndarray,
    rate: int,
    codec: str = "pcm_s16le",
    layout: str = "mono",
) -> Path:
    """Write (channels, n) float32 samples."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=rate, layout=layout)
        out.mux(stream.encode(audio_frame(samples, rate, layout)))
        out.mux(stream.encode(None))
    return path


def write_video(
    path: Path,
    *,
    codec: str = "libx264",
    fmt: str = "yuv420p",
    size: tuple[int, int] = (64, 48),
    time_base: Fraction = Fraction(1, 12800),
    pts: Sequence[int] | None = None,
    n: int = 10,
    rate: Fraction = Fraction(25),
    make: Callable[[str, int, int, int], av.VideoFrame] = smooth_frame,
    options: dict[str, str] | None = None,
    setup: Callable[[Any, Any], None] | None = None,
    sound: str | None = None,
    sound_rate: int = 48000,
    sound_layout: str = "stereo",
    languages: Sequence[str] = ("und",),
    container_options: dict[str, str] | None = None,
) -> Path:
    """Write a clip; ``setup(container, video_stream)`` may set tags before the first frame."""
    if codec == "libx265":
        options = {"x265-params": "log-level=none:bframes=0"} | (options or {})
    step = round(1 / (rate * time_base))
    times = list(pts) if pts is not None else [i * step for i in range(n)]
    with av.open(str(path), "w", container_options=container_options) as out:
        stream = out.add_stream(
            codec,
            rate=rate,
            options=options,
            width=size[0],
            height=size[1],
            time_base=time_base,
        )
        stream.pix_fmt = fmt
        voices = []
        for language in languages if sound is not None else ():
            voices.append(out.add_stream(sound, rate=sound_rate, layout=sound_layout))
            voices[-1].metadata["language"] = language
        if setup is not None:
            setup(out, stream)
        open_encoder(stream.codec_context)
        for index, time in enumerate(times):
            frame = make(fmt, *size, index)
            frame.pts, frame.time_base = time, time_base
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        for audio in voices:
            channels = audio.codec_context.layout.nb_channels
            seconds = float((times[-1] + step) * time_base)
            samples = burst(sound_rate, max(seconds, 1.0), channels)
            out.mux(audio.encode(audio_frame(samples, sound_rate, sound_layout)))
            out.mux(audio.encode(None))
    return path


def raw_frames(path: Path) -> list[av.VideoFrame]:
    """All frames as PyAV gives them."""
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


def sound_onset(path: Path, track: int = 0) -> float:
    """Seconds from the first frame's time to the tone burst, as a player would hear it."""
    with av.open(str(path)) as container:
        picture = next(container.decode(video=0))
        start = picture.pts * picture.time_base
    with av.open(str(path)) as container:
        blocks, first, rate = [], None, 0
        for frame in container.decode(audio=track):
            if first is None:
                first = frame.pts * frame.time_base
            rate = frame.sample_rate
            array = frame.to_ndarray().astype(np.float64)
            if not frame.format.is_planar:
                array = array.reshape(frame.samples, -1).T
            blocks.append(array.mean(0))
        samples = np.concatenate(blocks)
        loud = np.abs(samples) > 0.25 * np.abs(samples).max()
        return float(first - start) + int(np.argmax(loud)) / rate


def sound_seconds(path: Path) -> float:
    """Length of the first audio stream by its decoded samples."""
    with av.open(str(path)) as container:
        return sum(f.samples / f.sample_rate for f in container.decode(audio=0))
