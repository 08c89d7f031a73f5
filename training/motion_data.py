"""Clips as pairs of log-mel and mouth coefficients, and random batches of them.

python training/motion_data.py      # tracks → training/cache/motion.pkl
"""

from __future__ import annotations

import json
import pickle
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from corpus import clips, speaker_of

from labial.audio.features import BANDS, FLOOR, log_mel
from labial.audio.features import RATE as RATE_HZ
from labial.motion.space import load_basis

CACHE = Path(__file__).parent / "cache"
ITEMS = CACHE / "motion.pkl"
OFFSETS = CACHE / "offsets.json"
TEACHER = CACHE / "teacher.pkl"
RATE = 50
QUIET_DB = -35.0
LOUDEST_QUIET_DB = -14.0
REACH_ROWS = 8
GRID_SHARE = 0.2
TAUGHT_SHARE = 0.35
TEACHER_MIX = 0.5
SILENCE_SHARE = 0.1
MAX_OFFSET = 0.115


# The same recording under another name.
TWICE = {f"people__OpenTalker__video-retalking__examples-face-{n}" for n in (2, 3, 4, 5)} | {
    "people__tanshuai0219__EDTalk__uncrop_Obama"
}
# Several people in one family of file names, or one in several.
FAMILIES = ("OpenTalker__video-retalking", "MRzzm__DINet", "Hangz-nju-cuhk")


def identity(name: str) -> str:
    """Who speaks in a clip, as far as its name tells."""
    if "obama" in name.lower():
        return "obama"
    if any(family in name for family in FAMILIES):
        return name
    return speaker_of(name)


@dataclass
class Item:
    """One clip: ``mel`` (F, 80) at 100 Hz, ``motion`` (n, K) at ``times`` (n,), ``usable`` (n,)."""

    name: str
    speaker: str
    held_out: bool
    mel: np.ndarray
    times: np.ndarray
    motion: np.ndarray
    usable: np.ndarray

    def rows(self, offset: float = 0.0, speed: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
        """Motion (T, K) at 50 Hz and its trust (T,) 0/1; ``offset`` > 0: the picture is late."""
        end = min(len(self.mel) / 2 / RATE, self.times[-1] - offset)
        at = np.arange(int(end / speed * RATE) + 1) / RATE * speed + offset
        motion = np.stack([np.interp(at, self.times, c) for c in self.motion.T], 1)
        usable = np.interp(at, self.times, self.usable.astype(np.float64)) > 0.99
        usable &= (at >= self.times[0]) & (at <= self.times[-1])
        return motion.astype(np.float32), usable


def loudness_db(mel: np.ndarray) -> np.ndarray:
    """(F,) level above 300 Hz of (F, 80) log-mel frames in dB, about 0 in speech."""
    return (
        10 * np.log10(np.maximum((np.exp(mel[:, 10:].astype(np.float32)) - FLOOR).mean(1), 1e-12))
        + 20
    )


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


def prepare() -> list[Item]:
    basis, items = load_basis(), []
    for clip in clips():
        motion = basis.project(clip.displacement)
        usable = clip.usable & (np.abs(motion) < 8).all(1)
        if usable.sum() < 25:
            continue
        mel = log_mel(clip.audio)
        items.append(Item(clip.name, clip.speaker, clip.held_out, mel, clip.times, motion, usable))
    return items


def load_items() -> list[Item]:
    """Read the items; who is held out is asked anew, speakers are people, not file names."""
    from lessons import is_held_out

    items = []
    for item in pickle.loads(ITEMS.read_bytes()):
        if item.name not in TWICE:
            item.held_out = is_held_out(item.name)
            item.speaker = identity(item.name)
            items.append(item)
    return items


NO_TEACHER: dict = {"features": {}, "motion": {}, "speech": []}


def load_teacher() -> dict:
    """``features`` {name: (T, D)}, ``motion`` {name: (T, K)} and sound without a picture,
    ``speech`` [(voice, mel, motion (T, K) or None, features)]."""
    if not TEACHER.exists():
        return NO_TEACHER
    return pickle.loads(TEACHER.read_bytes())


def load_offsets() -> dict[str, float]:
    return json.loads(OFFSETS.read_text()) if OFFSETS.exists() else {}


def noises(rng: np.random.Generator) -> list[np.ndarray]:
    """Mel power (800, 80) of white, pink and brown noise and hum, 20 dB below speech."""
    found = []
    for slope in (0, 0, 1, 1, 2, 3):
        spectrum = np.fft.rfft(rng.standard_normal(8 * RATE_HZ))
        spectrum /= np.maximum(np.arange(len(spectrum)), 400) ** (slope / 2)
        sound = np.fft.irfft(spectrum)
        if slope == 3:
            t = np.arange(len(sound)) / RATE_HZ
            sound /= sound.std()
            sound += sum(np.sin(2 * np.pi * 50 * k * t) / k for k in range(1, 12))
        sound *= 0.01 / sound.std()
        found.append(np.exp(log_mel(sound.astype(np.float32), 2, 798)))
    return found


Window = tuple[str, np.ndarray, np.ndarray, np.ndarray, np.ndarray]


class Batches:
    """Random windows with their augmentation.

    A window is ``rows`` rows of motion and the mel frames that the network needs for them
    (``before`` + 2 * rows - 1 + ``after``). Speakers are drawn by the square root of their
    length, GRID as a whole for ``GRID_SHARE`` of the windows. When there is a teacher
    (``training/teacher.py``), ``TAUGHT_SHARE`` of the windows are sound without a picture, with
    the teacher's motion, and every window comes with the teacher's features.
    """

    def __init__(
        self,
        items: list[Item],
        before: int,
        after: int,
        rows: int,
        seed: int,
        style: float = 0.0,
        teacher: bool = True,
    ) -> None:
        self.rng = np.random.default_rng(seed)
        self.rows, self.before, self.after = rows, before, after
        offsets, basis = load_offsets(), load_basis()
        self.teacher = load_teacher() if teacher else NO_TEACHER
        self.noises = noises(self.rng)
        self.voices: list[list[Window]] = []
        self.mels: list[np.ndarray] = []
        groups: dict[str, list[Item]] = {}
        for item in items:
            # At the end of the search range the true offset is not known.
            if abs(offsets.get(item.name, 0.0)) < MAX_OFFSET:
                groups.setdefault(item.speaker, []).append(item)
        spread = {
            name: float(basis.aperture(np.concatenate([i.motion[i.usable] for i in group])).std())
            for name, group in groups.items()
        }
        typical = float(np.median(list(spread.values())))
        kinds = []
        for name, group in sorted(groups.items()):
            scale = (typical / spread[name]) ** style
            voice = []
            for item in group:
                motion, usable = item.rows(offsets.get(item.name, 0.0))
                motion = motion * scale
                # A teacher's motion lacks what nobody can hear, so it is easier to learn.
                if item.name in self.teacher["motion"]:
                    taught = self.teacher["motion"][item.name][: len(motion)]
                    motion[: len(taught)] += TEACHER_MIX * (taught - motion[: len(taught)])
                motion *= speechness(item.mel, len(motion))[:, None]
                features = self.teacher["features"].get(item.name, np.zeros((0, 0), np.float16))
                voice.append(self.window(item.name, item.mel, motion, usable, features))
            self.voices.append(voice)
            kinds.append("grid" if group[0].name.startswith("grid") else "people")
        lessons: dict[str, list[Window]] = {}
        for name, mel, motion, features in self.teacher["speech"]:
            # Sound whose motion nobody knows still teaches the features.
            trust = np.full(len(features), motion is not None)
            if motion is None:
                motion = np.zeros((len(features), len(basis)), np.float32)
            motion = motion * speechness(mel, len(motion))[:, None]
            lessons.setdefault(name, []).append(self.window(name, mel, motion, trust, features))
        self.voices += lessons.values()
        kinds += ["taught"] * len(lessons)
        length = np.array([sum(len(w[2]) for w in voice) for voice in self.voices]) ** 0.5
        share = {"grid": GRID_SHARE, "taught": TAUGHT_SHARE if lessons else 0.0}
        share["people"] = 1 - sum(share.values())
        self.p = np.zeros(len(kinds))
        for kind, part in share.items():
            of_kind = np.array([k == kind for k in kinds])
            self.p[of_kind] = part * length[of_kind] / max(length[of_kind].sum(), 1e-9)

    def window(
        self,
        name: str,
        mel: np.ndarray,
        motion: np.ndarray,
        usable: np.ndarray,
        features: np.ndarray,
    ) -> Window:
        """Pad a clip so that a window can start at any of its rows."""
        mel = mel.astype(np.float32)
        self.mels.append(mel)
        # What lies outside the clip is unknown; at run time it is silence. Learn both.
        around = ((self.before, self.after + 2 * self.rows), (0, 0))
        if self.rng.random() < 0.5:
            padded = np.pad(mel, around, "edge")
        else:
            padded = np.pad(mel, around, constant_values=np.log(FLOOR))
        n = len(motion)
        short = max(self.rows - n, 0)
        features = np.pad(
            features[:n],
            ((0, max(n - len(features), 0)), (0, 0)),
            "edge" if len(features) else "constant",
        )
        fill = ((0, short), (0, 0))
        return (
            name,
            padded,
            np.pad(motion, fill),
            np.pad(usable, (0, short)),
            np.pad(features, fill),
        )

    def pick(self) -> tuple[int, Window]:
        """Return a first row and the clip it is in."""
        voice = self.voices[self.rng.choice(len(self.voices), p=self.p)]
        lengths = np.array([len(w[2]) for w in voice], float)
        clip = voice[self.rng.choice(len(voice), p=lengths / lengths.sum())]
        return int(self.rng.integers(0, len(clip[2]) - self.rows + 1)), clip

    def draw(self, size: int) -> tuple[np.ndarray, ...]:
        """Return mel (size, frames, 80), motion (size, rows, K), trust (size, rows), and the
        teacher's features (size, rows, D), D = 0 without a teacher, with their trust."""
        drawn = []
        for _ in range(size):
            start, (_, mel, motion, usable, features) = self.pick()
            rows = slice(start, start + self.rows)
            frames = self.before + 2 * self.rows - 1 + self.after
            window, target, trust = mel[2 * start : 2 * start + frames], motion[rows], usable[rows]
            silence = self.rng.random() < SILENCE_SHARE
            if silence:
                window = np.full_like(window, np.log(FLOOR))
                target, trust = np.zeros_like(target), np.ones(self.rows, bool)
            drawn.append((
                self.augment(window, silence), target, trust.astype(np.float32),
                features[rows].astype(np.float32), np.float32(not silence),
            ))  # fmt: skip
        return tuple(np.stack(column) for column in zip(*drawn, strict=True))

    def augment(self, mel: np.ndarray, silence: bool = False) -> np.ndarray:
        """Another voice, room, microphone and noise floor for (n, 80) log-mel."""
        rng = self.rng
        power = np.maximum(np.exp(mel) - FLOOR, 0)
        if rng.random() < 0.7:
            # A longer or shorter vocal tract moves the bands along the frequency axis.
            at = np.clip(np.arange(BANDS) * rng.uniform(0.88, 1.12), 0, BANDS - 1.001)
            low = at.astype(int)
            part = (at - low).astype(np.float32)
            power = power[:, low] * (1 - part) + power[:, low + 1] * part
        knots = rng.normal(0, 4, 6)
        tilt = np.interp(np.arange(BANDS), np.linspace(0, BANDS - 1, 6), knots)
        power = power * 10 ** ((tilt + rng.normal(0, 3)) / 10)
        if rng.random() < (0.85 if silence else 0.5):
            # Steady noise of random colour.
            colour = np.interp(np.arange(BANDS), np.linspace(0, BANDS - 1, 4), rng.normal(0, 5, 4))
            level = 10 ** ((rng.uniform(-45, 5 if silence else -8) + colour) / 10)
            noise = self.noises[rng.integers(len(self.noises))]
            start = int(rng.integers(0, len(noise) - len(mel) + 1))
            power = power + level * noise[start : start + len(mel)]
        if not silence and rng.random() < 0.15:
            other = self.mels[rng.integers(len(self.mels))]
            start = int(rng.integers(0, max(len(other) - len(mel), 0) + 1))
            piece = np.exp(other[start : start + len(mel)]) * 10 ** (rng.uniform(-30, -15) / 10)
            power[: len(piece)] += piece
        out = np.log(power + FLOOR)
        for _ in range(rng.integers(0, 3)):
            width, start = rng.integers(1, 12), rng.integers(0, BANDS)
            out[:, start : start + width] = out.mean()
        for _ in range(rng.integers(0, 3)):
            width, start = rng.integers(1, 8), rng.integers(0, len(out))
            out[start : start + width] = out.mean(0)
        return out.astype(np.float32)


if __name__ == "__main__":
    import motion_data  # so that the pickle names the module, not __main__

    items = motion_data.prepare()
    with ITEMS.open("wb") as file:
        pickle.dump(items, file)
    print(len(items), "clips,", sum(i.held_out for i in items), "held out")
