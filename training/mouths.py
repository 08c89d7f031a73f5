"""Tracked clips as log-mel and mouth coefficients.

python -m training.mouths      # tracks → training/cache/mouths.pkl
"""

from __future__ import annotations

import fnmatch
import pickle
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from labial.audio.features import log_mel
from labial.motion.space import load_basis
from training.corpus import clips, speaker_of

HERE = Path(__file__).parent
CACHE = HERE / "cache"
MOUTHS = CACHE / "mouths.pkl"
RATE = 50

# The same recording under another name.
TWICE = {f"people__OpenTalker__video-retalking__examples-face-{n}" for n in (2, 3, 4, 5)} | {
    "people__tanshuai0219__EDTalk__uncrop_Obama"
}
# Several people in one family of file names, or one in several.
FAMILIES = ("OpenTalker__video-retalking", "MRzzm__DINet", "Hangz-nju-cuhk")


def is_held_out(name: str) -> bool:
    """Whether ``heldout.txt`` keeps a clip or an utterance out of all training."""
    lines = (HERE / "heldout.txt").read_text().splitlines()
    patterns = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    return any(fnmatch.fnmatch(name, pattern) for pattern in patterns)


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
    """Read the clips; who is held out is asked anew, speakers are people, not file names."""
    items = []
    for fields in pickle.loads(MOUTHS.read_bytes()):
        name = fields["name"]
        if name not in TWICE:
            fields |= {"held_out": is_held_out(name), "speaker": identity(name)}
            items.append(Item(**fields))
    return items


if __name__ == "__main__":
    found = prepare()
    MOUTHS.write_bytes(pickle.dumps([vars(item) for item in found]))
    print(len(found), "clips,", sum(i.held_out for i in found), "held out")
