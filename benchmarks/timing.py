"""Are lengths exact, and is the mouth with the sound, whichever way speech and video are matched?

::

    python benchmarks/timing.py CLIP ... --speech FILE [--ratios 0.5 1 1.7] [--modes loop hold]
                                [--quality fast] [--keep FOLDER]

Each clip is dubbed with speech of some ratios of its length, in each sync mode. Outputs are judged
by what PyAV finds in them: how long picture and sound are, in frames beyond what was wanted; by how
much the sound that is delivered lags the speech that was given (cross-correlation), and the mouth,
as the tracker sees it in the output, what the delivered sound makes expect, both at the beginning,
in the middle and at the end; and the mouth its loudness, over the whole. The plain dub, of speech
as long as the clip, comes first: mouths have lags of their own.
"""

from __future__ import annotations

import argparse
import tempfile
import wave
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

import labial
from labial import geometry
from labial.audio.load import load_speech
from labial.face.track import FaceTracker
from labial.media.read import VideoReader
from labial.motion.predict import predict
from labial.motion.space import load_basis
from labial.types import Audio

Curve = npt.NDArray[np.float64]

MODES = ("silence", "cut_off", "loop", "bounce", "hold", "remap")
RATE = 100
MOST_LAG = 0.25
LEAST_PART = 2.5


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("clips", type=Path, nargs="+")
    parser.add_argument("--speech", type=Path, required=True, help="long enough for all of it")
    parser.add_argument("--ratios", type=float, nargs="*", default=[0.5, 1, 1.7])
    parser.add_argument("--modes", nargs="*", default=MODES, choices=MODES)
    parser.add_argument("--quality", default="fast")
    parser.add_argument("--keep", type=Path, help="folder for the outputs")
    given = parser.parse_args()
    every = load_speech(given.speech)
    with tempfile.TemporaryDirectory(prefix="labial-timing-") as name:
        folder = given.keep or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        for clip in given.clips:
            print(f"\n{clip.name}", flush=True)
            print(
                f"{'mode':9}{'speech':>7}{'frames':>8}{'picture':>9}{'sound':>9}"
                f"{'sound lag ms':>20}{'mouth lag ms':>20}{'by loudness':>20}"
            )
            seconds = seen(clip)[1]
            for ratio, mode in [
                (1.0, "silence"),
                *((r, m) for r in given.ratios for m in given.modes),
            ]:
                speech = folder / f"{ratio:g}.wav"
                wanted = write(every, seconds * ratio, speech)
                out = folder / f"{clip.stem}-{mode}-{ratio:g}.mp4"
                labial.dub(clip, speech, out, quality=given.quality, sync_mode=mode)
                judged(out, speech, mode, ratio, expected(mode, seconds, wanted))
    return 0


def expected(mode: str, video: float, speech: float) -> float:
    """Seconds that an output should have."""
    return {"silence": video, "cut_off": min(video, speech)}.get(mode, speech)


def write(every: Audio, seconds: float, path: Path) -> float:
    """Write the first seconds of some speech; return how many there are."""
    n = round(seconds * every.rate)
    if n > len(every.samples):
        raise SystemExit(f"--speech: {every.seconds:.1f} s are too short, {seconds:.1f} s wanted")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(every.rate)
        file.writeframes((every.samples[:n] * 32767).clip(-32768, 32767).astype("<i2").tobytes())
    return n / every.rate


def judged(out: Path, speech: Path, mode: str, ratio: float, wanted: float) -> None:
    """Print a line of the table."""
    times, length = seen(out)
    step = float(np.median(np.diff(times))) if len(times) > 1 else length
    heard, given = load_speech(out), load_speech(speech)
    sound_end = sound_seconds(out)
    opening = mouth(out, times)
    basis = load_basis()
    motion = predict(heard).motion
    expects = np.asarray(basis.aperture(motion.coefficients), np.float64)
    expects = np.interp(
        np.arange(round(length * RATE)) / RATE, np.arange(len(motion)) / motion.rate, expects
    )
    loud = loudness(heard, len(expects))
    end = min(length, given.seconds, sound_end)
    wide = min(end, max(end / 3, LEAST_PART))
    parts = [(x, x + wide) for x in (0, (end - wide) / 2, end - wide)]
    lags = [
        [lag(heard.samples, given.samples, heard.rate, part) for part in parts],
        [lag(opening, expects, RATE, part) for part in parts],
        [lag(opening, loud, RATE, (0, end))],
    ]
    shown = ["".join(f"{1000 * x:6.0f}" for x in row).rjust(20) for row in lags]
    print(
        f"{mode:9}{ratio:7g}{len(times):8}{(length - wanted) / step:+9.2f}"
        f"{(sound_end - min(given.seconds, length)) / step:+9.2f}{''.join(shown)}",
        flush=True,
    )


def seen(path: Path) -> tuple[Curve, float]:
    """Seconds of each frame from the first, and of the whole picture."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        times: list[Fraction] = []
        last = Fraction(0)
        for frame in container.decode(stream):
            times.append(frame.pts * frame.time_base)
            last = (frame.duration or 0) * frame.time_base or 1 / Fraction(stream.average_rate)
        return np.array([float(t - times[0]) for t in times]), float(times[-1] + last - times[0])


def sound_seconds(path: Path) -> float:
    """Seconds from the first frame to the end of the sound, as the container says."""
    with av.open(str(path)) as container:
        video, sound = container.streams.video[0], container.streams.audio[0]
        begin = (video.start_time or 0) * video.time_base
        return float(((sound.start_time or 0) + sound.duration) * sound.time_base - begin)


def mouth(path: Path, times: Curve) -> Curve:
    """How far the lips are apart in the output, at ``RATE``."""
    rows: list[float] = []
    with VideoReader(path) as reader, closing(FaceTracker()) as tracker:
        for frame in reader.frames():
            faces = tracker.observe(frame)
            gap = rows[-1] if rows else 0.0
            if faces:
                points = next(iter(faces.values())).landmarks
                eyes = np.linalg.norm(np.subtract(*points[list(geometry.EYE_OUTER)]))
                gap = float(np.linalg.norm(points[14] - points[13]) / eyes)
            rows.append(gap)
    return np.interp(np.arange(round((times[-1] + 0.04) * RATE)) / RATE, times, rows)


def loudness(audio: Audio, n: int) -> Curve:
    """(n,) dB at ``RATE``, smoothed as lips smooth it."""
    step = audio.rate // RATE
    power = (audio.samples[: len(audio.samples) // step * step].reshape(-1, step) ** 2).mean(1)
    level = 10 * np.log10(np.maximum(power.astype(np.float64), 1e-6))
    taps = np.hanning(15)[1:-1]
    smooth = np.convolve(np.pad(level, 6, "edge"), taps / taps.sum(), "valid")
    return np.pad(smooth, (0, max(0, n - len(smooth))), "edge")[:n]


def lag(late: Curve, early: Curve, rate: int, part: tuple[float, float]) -> float:
    """Seconds by which ``late`` follows ``early`` within a part, by correlation."""
    most = round(MOST_LAG * rate)
    n = min(len(late), len(early))
    first, end = max(round(part[0] * rate), most), min(round(part[1] * rate), n - most)
    if end - first < rate:
        return float("nan")
    model = np.asarray(early[first:end], np.float64)
    model = (model - model.mean()) / (model.std() + 1e-9)
    around = np.asarray(late[first - most : end + most], np.float64)
    if rate > 1000:
        size = 1 << int(np.ceil(np.log2(len(around) + len(model))))
        raw = np.fft.irfft(np.fft.rfft(around, size) * np.conj(np.fft.rfft(model, size)), size)
        score = raw[: 2 * most + 1]
    else:
        windows = np.lib.stride_tricks.sliding_window_view(around, len(model))
        centred = windows - windows.mean(1, keepdims=True)
        score = (centred @ model) / (centred.std(1) * len(model) + 1e-9)
    best = int(score.argmax())
    shift = 0.0
    if 0 < best < len(score) - 1:
        a, b, c = score[best - 1 : best + 2]
        shift = 0.5 * (a - c) / (a - 2 * b + c) if a - 2 * b + c else 0.0
    return float((best + shift - most) / rate)


if __name__ == "__main__":
    raise SystemExit(main())
