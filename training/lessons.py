"""Everything that is learned from sound, as lessons: log-mel, Whisper's features, and labels.

    python -m training.lessons model.bin.part2 [PART PARTS]

hears every tracked clip (``corpus.py``) and every utterance of ``cache/speech`` once and writes
``cache/heard/<source>/<name>.npz`` (``mel`` (F, 80) and ``features`` (T, ``WIDTH``), both
float16, at 100 and 50 Hz). It may be run again whenever there is more speech. Clips of people with
a picture are also heard faster, slower and through noise, as ``<name>@<speed>`` and
``<name>@<speed>~<n>``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from zlib import crc32

import numpy as np

from labial.audio.clean import prepare
from labial.audio.features import FLOOR, RATE, log_mel
from labial.errors import LabialError
from labial.motion.space import load_basis
from labial.speech.phones import PHONE_INDEX, PHONES, classes_of_ipa
from training.mouths import is_held_out, load_items
from training.noise import worn

HERE = Path(__file__).parent
CACHE = HERE / "cache"
HEARD, SPEECH, TRACKS = CACHE / "heard", CACHE / "speech", CACHE / "tracks"
PROJECTION, OFFSETS = CACHE / "projection.npz", CACHE / "offsets.json"
ROW_RATE = 50
WIDTH = 384
UNKNOWN = 255
# People are few: each is heard at these speeds, and through this many noises at each.
SPEEDS, NOISES = (0.88, 1.0, 1.14), 2
MAX_OFFSET = 0.23
HELD_OUT_LANGUAGE = "ru"
# Formant voices are quick to make and soon heard enough of: one in so many is.
ESPEAK_SHARE = 4
QUIET_DB, LOUDEST_QUIET_DB, REACH_ROWS = -35.0, -14.0, 8


@dataclass
class Lesson:
    """One sound. ``name`` is ``<source>/<name>``; ``kind`` is grid, people, or the source of speech
    without a picture.

    ``mel`` (F, 80) float16, ``features`` (T, ``WIDTH``) float16, ``labels`` (T,) uint8 phone
    classes (``UNKNOWN`` where nobody knows), ``motion`` (T, K) float32 in the mouth basis with
    ``trust`` (T,) 0/1, all zero where there is no picture.
    """

    name: str
    voice: str
    language: str
    kind: str
    held_out: bool
    mel: np.ndarray
    features: np.ndarray
    labels: np.ndarray
    motion: np.ndarray
    trust: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)


def loudness_db(mel: np.ndarray) -> np.ndarray:
    """(F,) level above 300 Hz of (F, 80) log-mel frames in dB, about 0 in speech."""
    power = np.exp(mel[:, 10:].astype(np.float32)) - FLOOR
    return 10 * np.log10(np.maximum(power.mean(1), 1e-12)) + 20


def speechness(mel: np.ndarray, n: int) -> np.ndarray:
    """(n,) at 50 Hz: 1 near sound, 0 where nothing is heard within ``REACH_ROWS``, smooth."""
    loud = np.repeat(False, 2 * n)
    level = loudness_db(mel)
    # A noisy room is quiet at its own noise floor.
    quiet = np.clip(np.percentile(level, 5) + 7, QUIET_DB, LOUDEST_QUIET_DB)
    heard = level[: 2 * n] > quiet
    loud[: len(heard)] = heard
    near = np.convolve(loud.reshape(n, 2).any(1), np.ones(2 * REACH_ROWS + 1), "same") > 0
    taps = np.hanning(11)[1:-1]
    return np.convolve(np.pad(near, 4, "edge"), taps / taps.sum(), "valid").astype(np.float32)


def labels_of(start: np.ndarray, end: np.ndarray, ipa: np.ndarray, n: int) -> np.ndarray:
    """(n,) uint8 phone class at each row's time; ``UNKNOWN`` for what is no known phone."""
    labels = np.full(n, UNKNOWN, np.uint8)
    at = np.arange(n) / ROW_RATE
    for begin, stop, symbol in zip(start, end, ipa, strict=True):
        classes = classes_of_ipa(str(symbol)) if symbol else (PHONES[0],)
        # The parts of an affricate or a diphthong share its time.
        edges = np.linspace(begin, stop, len(classes) + 1)
        for name, first, last in zip(classes, edges[:-1], edges[1:], strict=True):
            labels[(at >= first) & (at < last)] = PHONE_INDEX[name]
    return labels


# --- hearing ---------------------------------------------------------------------------------


def played(samples: np.ndarray, speed: float) -> np.ndarray:
    """Play faster or slower: another pitch, another vocal tract, another tempo."""
    at = np.arange(int(len(samples) / speed)) * speed
    return np.interp(at, np.arange(len(samples)), samples).astype(np.float32)


def clip_sound(path: Path, speed: float = 1.0, noise: int | None = None) -> np.ndarray:
    """(m,) of a tracked clip, played at another speed and through one of its noises."""
    with np.load(path) as data:
        samples = data["audio"].astype(np.float32)
    if len(samples) < RATE:
        return samples[:0]
    samples = played(samples, speed)
    if noise is None:
        return samples
    return worn(samples, np.random.default_rng(crc32(f"{path.stem}{speed}{noise}".encode())))


def speech_sound(path: Path) -> np.ndarray:
    with np.load(path) as data:
        return data["audio"].astype(np.float32) / 32768


def sounds() -> Iterator[tuple[str, Callable[[], np.ndarray]]]:
    """Yield ``<source>/<name>`` of all there is to hear, and what makes its 16 kHz samples."""
    for path in sorted(TRACKS.glob("*__*.npz")):
        source = "av_grid" if path.stem.startswith("grid__") else "av_people"
        yield f"{source}/{path.stem}", partial(clip_sound, path)
        if source == "av_people" and not is_held_out(path.stem):
            for speed in SPEEDS:
                name = f"{source}/{path.stem}@{speed}"
                if speed != 1:
                    yield name, partial(clip_sound, path, speed)
                for n in range(NOISES):
                    yield f"{name}~{n}", partial(clip_sound, path, speed, n)
    utterances = sorted(p for p in SPEECH.glob("*/*.npz") if p.parent.name != "grid")
    # In any order, so that a part of the work is already some of everything.
    for k in np.random.default_rng(0).permutation(len(utterances)):
        path = utterances[k]
        if path.parent.name == "espeak" and int(path.stem[-4:]) % ESPEAK_SHARE:
            continue
        yield f"{path.parent.name}/{path.stem}", partial(speech_sound, path)


class Projection:
    """Principal components of standardised features, half-way whitened."""

    def __init__(self, mean: np.ndarray, std: np.ndarray, axes: np.ndarray) -> None:
        self.mean, self.std, self.axes = mean, std, axes

    @classmethod
    def fit(cls, sample: np.ndarray) -> Projection:
        mean, std = sample.mean(0), sample.std(0) + 1e-3
        z = (sample - mean) / std
        values, vectors = np.linalg.eigh(z.T @ z / len(z))
        kept = values[::-1][:WIDTH]
        print(f"{kept.sum() / values.sum():.3f} of the variance in {WIDTH} components")
        return cls(mean, std, (vectors[:, ::-1][:, :WIDTH] / kept**0.25).astype(np.float32))

    def __call__(self, features: np.ndarray) -> np.ndarray:
        return (((features - self.mean) / self.std) @ self.axes).astype(np.float16)


def hear(weights: Path, part: int, parts: int) -> None:
    import torch

    from training.whisper import Whisper

    torch.set_num_threads(1)
    whisper = Whisper(weights)
    if not PROJECTION.exists():
        rng = np.random.default_rng(0)
        sample = [
            whisper.features(prepare(samples, name))[::2][:400]
            for name, made in sounds()
            if rng.random() < (0.4 if "people" in name else 0.03) and len(samples := made()) > RATE
        ]
        fitted = Projection.fit(np.concatenate(sample))
        np.savez(PROJECTION, mean=fitted.mean, std=fitted.std, axes=fitted.axes)
    with np.load(PROJECTION) as data:
        project = Projection(data["mean"], data["std"], data["axes"])
    n = 0
    for i, (name, made) in enumerate(sounds()):
        target = HEARD / f"{name}.npz"
        if i % parts != part or target.exists() or len(samples := made()) < RATE // 2:
            continue
        try:
            samples = prepare(samples, name)
        except LabialError as error:
            print("left out:", error)
            continue
        mel = log_mel(samples).astype(np.float16)
        features = project(whisper.features(samples))[: len(mel) // 2]
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_suffix(f".partial{part}.npz")
        np.savez(unfinished, mel=mel, features=features)
        unfinished.rename(target)
        n += 1
        if n % 200 == 0:
            print(n, name, flush=True)
    print(n, "sounds heard")


# --- lessons ---------------------------------------------------------------------------------


def load_offsets() -> dict[str, float]:
    return json.loads(OFFSETS.read_text()) if OFFSETS.exists() else {}


def base_name(name: str) -> tuple[str, float]:
    """``<stem>@<speed>~<n>`` → stem, speed."""
    stem, _, how = name.partition("@")
    return stem, float(how.partition("~")[0] or 1)


def load_lessons(sources: str = "*", style: float = 0.7) -> list[Lesson]:
    """Read everything that was heard of ``sources``, with its pictures and labels.

    Pictures are shifted by their clip's own A/V offset, and scaled towards the median speaker's
    opening by the power ``style``.
    """
    items = {item.name: item for item in load_items()}
    offsets, basis = load_offsets(), load_basis()
    by_speaker: dict[str, list[np.ndarray]] = {}
    for item in items.values():
        opening = basis.aperture(item.motion[item.usable])
        by_speaker.setdefault(item.speaker, []).append(opening)
    spread = {k: float(np.concatenate(v).std()) for k, v in by_speaker.items()}
    typical = float(np.median(list(spread.values())))
    lessons = []
    for path in sorted(HEARD.glob(f"{sources}/*.npz")):
        if ".partial" in path.name:
            continue
        source, name = path.parent.name, path.name.removesuffix(".npz")
        with np.load(path) as data:
            mel, features = data["mel"], data["features"]
        n = min(len(mel) // 2, len(features))
        motion, trust = np.zeros((n, len(basis)), np.float32), np.zeros(n, np.float32)
        labels = np.full(n, UNKNOWN, np.uint8)
        language, kind = "", source
        if source.startswith("av_"):
            stem, speed = base_name(name)
            if stem not in items:
                continue
            item = items[stem]
            voice, kind = item.speaker, source.removeprefix("av_")
            offset = offsets.get(stem, 0.0)
            if abs(offset) < MAX_OFFSET:
                seen, usable = item.rows(offset, speed)
                m = min(n, len(seen))
                motion[:m] = seen[:m] * (typical / spread[item.speaker]) ** style
                trust[:m] = usable[:m]
            held_out = item.held_out
            label_file = SPEECH / "grid" / f"{stem}.npz"
        else:
            held_out = source.endswith("_test") or is_held_out(f"{source}/{name}")
            label_file = SPEECH / source / f"{name}.npz"
            voice = source
        if label_file.exists():
            with np.load(label_file) as data:
                language = str(data["language"])
                held_out |= language.startswith(HELD_OUT_LANGUAGE)
                if not source.startswith("av_"):
                    voice = f"{source}:{data['voice']}"
                if len(data["start"]):
                    labels = labels_of(data["start"], data["end"], data["ipa"], n)
        lessons.append(
            Lesson(
                f"{source}/{name}",
                voice,
                language,
                kind,
                held_out,
                mel,
                features[:n],
                labels,
                motion,
                trust,
            )
        )
    return lessons


if __name__ == "__main__":
    part, parts = (int(a) for a in sys.argv[2:4]) if len(sys.argv) > 3 else (0, 1)
    hear(Path(sys.argv[1]), part, parts)
