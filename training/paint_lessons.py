"""What the painting networks learn from: batches of the cached pairs, each looking different."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from training.mouths import identity, is_held_out
from training.pictures import MAPS, OPEN, PICTURES, VIEWS

# Watched while designs are compared; the last run learns from them too.
WATCHED = (
    "May_5s",
    "LivePortrait__d13",
    "feifeili",
    "LivePortrait__d9",
    "grid__s5_",
    "video-retalking__1",
)
NAMES = (*VIEWS, *(f"lips_{n}" for n in MAPS), "mouths", "pose", "opening", "viseme")


@dataclass
class Lessons:
    """All pairs in memory; ``of`` (n,) says whose they are."""

    arrays: dict[str, np.ndarray]
    of: np.ndarray
    weight: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        # Each person counts by the root of what there is of them.
        _, who, count = np.unique(self.of, return_inverse=True, return_counts=True)
        self.weight = 1 / np.sqrt(count[who])

    def __len__(self) -> int:
        return len(self.of)

    def draw(
        self, count: int, rng: np.random.Generator, only: np.ndarray | None = None
    ) -> np.ndarray:
        weight = self.weight if only is None else self.weight * only
        return rng.choice(len(self), count, p=weight / weight.sum())

    def batch(self, rows: np.ndarray, rng: np.random.Generator | None = None) -> dict[str, Tensor]:
        """Pictures 0..1 (n, 3, h, w), lips 0..1 (n, 2, h, w) and numbers of some pairs.

        With ``rng`` each pair is in a light of its own.
        """
        out = {}
        curves = light(len(rows), rng)
        for name in NAMES:
            x = self.arrays[name][rows]
            if name in VIEWS:
                bent = [
                    np.stack([c[v[..., k]] for k, c in enumerate(curve)])
                    for v, curve in zip(x, curves, strict=True)
                ]
                out[name] = torch.from_numpy(np.stack(bent))
            elif name.startswith("lips"):
                out[name] = torch.from_numpy(x).float() / 255
            else:
                out[name] = torch.from_numpy(x)
        return out


def load(watched: bool) -> Lessons:
    """The pairs to learn from, or those to watch."""
    arrays: dict[str, list[np.ndarray]] = {name: [] for name in NAMES}
    of: list[str] = []
    for path in sorted(PICTURES.glob("*__*.npz")):
        name = path.stem
        if name.endswith(".partial") or is_held_out(name):
            continue
        if any(w in name for w in WATCHED) != watched:
            continue
        with np.load(path) as data:
            for key in NAMES:
                arrays[key].append(data[key])
        # One family of file names, but a person each.
        who = name if "LivePortrait" in name else identity(name)
        of += [who] * len(arrays["pose"][-1])
    return Lessons({k: np.concatenate(v) for k, v in arrays.items()}, np.array(of))


def told(batch: dict[str, Tensor]) -> Tensor:
    """(n, TOLD): wanted, source's, filmed and other mouth, pose, visemes."""
    pose = batch["pose"] / torch.tensor([20.0, 20.0, 1.0])
    pose[:, 2] = torch.log(batch["pose"][:, 2] / 100)
    return torch.cat([batch["mouths"].flatten(1) / 3, pose, batch["viseme"]], 1)


def light(count: int, rng: np.random.Generator | None) -> np.ndarray:
    """(count, 3, 256) float32 curves of red, green and blue."""
    level = np.arange(256) / 255
    if rng is None:
        return np.broadcast_to(level.astype(np.float32), (count, 3, 256))
    gamma = np.exp(rng.normal(0, 0.3, (count, 1, 1)))
    gain = np.exp(rng.normal(0, 0.2, (count, 3, 1)))
    return np.asarray((gain * level**gamma).clip(0, 1), np.float32)


def disguise(batch: dict[str, Tensor], rng: np.random.Generator) -> None:
    """Make pairs look like other people's, filmed otherwise. In place.

    Side, hue, greyness and softness are alike in all pictures of a pair; what the bank filmed also
    lies and shines a little differently, and inputs have noise that answers have not.
    """
    n = len(batch["real"])
    mirror = torch.from_numpy(rng.random(n) < 0.5)
    hue = np.eye(3) + rng.normal(0, 0.08, (n, 3, 3))
    hue = torch.from_numpy(hue / hue.sum(2, keepdims=True)).float()
    grey = torch.from_numpy((rng.random(n) < 0.08)[:, None, None, None]).float()
    soft = rng.random(n) < 0.3
    factor = rng.uniform(1.3, 3.0)
    for name in VIEWS:
        x = batch[name]
        x = torch.where(mirror[:, None, None, None], x.flip(-1), x)
        x = torch.einsum("nij,njhw->nihw", hue, x).clamp(0, 1)
        if grey.any():
            x = x + grey * (x.mean(1, keepdim=True) - x)
        if soft.any():
            size = tuple(round(s / factor) for s in x.shape[-2:])
            low = functional.interpolate(x[soft], size, mode="bilinear", antialias=True)
            x[soft] = functional.interpolate(low, x.shape[-2:], mode="bicubic").clamp(0, 1)
        batch[name] = x
    for name in MAPS:
        x = batch[f"lips_{name}"]
        batch[f"lips_{name}"] = torch.where(mirror[:, None, None, None], x.flip(-1), x)
    for name in ("filmed", "other"):
        across, down = rng.integers(-2, 3, 2).tolist()
        shine = torch.from_numpy(np.exp(rng.normal(0, 0.05, (n, 1, 1, 1)))).float()
        batch[name] = (batch[name].roll((down, across), (2, 3)) * shine).clamp(0, 1)
        batch[f"lips_{name}"] = batch[f"lips_{name}"].roll((down, across), (2, 3))
    noise = torch.from_numpy(rng.uniform(0, 0.02, (n, 1, 1, 1)) * (rng.random((n, 1, 1, 1)) < 0.4))
    for name in ("source", "filmed", "other", "look"):
        batch[name] = batch[name] + noise.float() * torch.randn_like(batch[name])
    batch["pose"][:, 0] = torch.where(mirror, -batch["pose"][:, 0], batch["pose"][:, 0])


def opens(lessons: Lessons) -> np.ndarray:
    """(n,) pairs whose real mouth shows an inside."""
    return lessons.arrays["opening"][:, 0] > OPEN
