"""A teacher that hears with Whisper, and its lessons for the student that hears log-mel.

    python training/teacher.py features model.bin.part2 [SPEECH]
    python training/teacher.py motion

``features``: Whisper's features of the corpus, and of speech without pictures. SPEECH is a
folder with one sub-folder a voice, holding sound files of 1 s or more. ``motion``: train a
network from these features to mouth motion and write down its opinion on all of the sound.
Both go to ``training/cache/teacher.pkl``, which ``training/motion.py train`` uses if it is there.
"""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import numpy as np
import torch
from corpus import TRACKS
from evaluate import motion_table
from motion import Loss
from motion_data import TEACHER, Batches, load_items
from motion_net import Block
from torch import Tensor, nn
from whisper import Whisper

from labial.audio.clean import prepare
from labial.audio.features import RATE, log_mel
from labial.errors import LabialError
from labial.media.read import read_audio
from labial.motion.space import load_basis

WIDTH = 256
S1_SHARE = 0.03


class Projection:
    """Principal components of standardised features, half-way whitened."""

    def __init__(self, sample: np.ndarray) -> None:
        self.mean, self.std = sample.mean(0), sample.std(0) + 1e-3
        z = (sample - self.mean) / self.std
        values, vectors = np.linalg.eigh(z.T @ z / len(z))
        kept = values[::-1][:WIDTH]
        print(f"{kept.sum() / values.sum():.3f} of the variance in {WIDTH} components")
        self.axes = (vectors[:, ::-1][:, :WIDTH] / kept**0.25).astype(np.float32)

    def __call__(self, features: np.ndarray) -> np.ndarray:
        return (((features - self.mean) / self.std) @ self.axes).astype(np.float16)


def sound_of(name: str) -> np.ndarray:
    with np.load(TRACKS / f"{name}.npz") as data:
        return prepare(data["audio"].astype(np.float32), name)


def resampled(samples: np.ndarray, speed: float) -> np.ndarray:
    """Play faster or slower: another pitch, another vocal tract, another tempo."""
    at = np.arange(int(len(samples) / speed)) * speed
    return np.interp(at, np.arange(len(samples)), samples).astype(np.float32)


def write_features(weights: Path, speech: Path | None) -> None:
    rng, whisper, items = np.random.default_rng(0), Whisper(weights), load_items()
    fit = [i for i in items if not i.held_out and (i.speaker != "s1" or rng.random() < S1_SHARE)]
    project = Projection(
        np.concatenate([whisper.features(sound_of(i.name))[::2][:800] for i in fit])
    )
    features = {i.name: project(whisper.features(sound_of(i.name))) for i in items}
    taught = []
    for path in sorted(speech.glob("*/*")) if speech else []:
        try:
            samples = prepare(read_audio(path, RATE).samples, path.name)
        except LabialError as error:
            print("left out:", error)
            continue
        if len(samples) < RATE:
            continue
        samples = resampled(samples, rng.choice([1.0, rng.uniform(0.82, 1.22)]))
        mel = log_mel(samples).astype(np.float16)
        lesson = project(whisper.features(samples))[: len(mel) // 2]
        taught.append((path.parent.name, mel, None, lesson))
    with TEACHER.open("wb") as file:
        pickle.dump({"features": features, "motion": {}, "speech": taught}, file)
    print(len(features), "clips,", len(taught), "sounds without a picture")


class TeacherNet(nn.Module):
    """(batch, rows, 256) features → (batch, rows - context, K)."""

    blocks = ((1, 2, 2), (2, 4, 4), (3, 6, 6), (1, 2, 2))
    reach = sum(b[1] for b in blocks)

    def __init__(self, width: int = 128) -> None:
        super().__init__()
        self.enter = nn.Sequential(nn.Dropout(0.2), nn.Linear(WIDTH, width))
        self.body = nn.Sequential(*(Block(width, *b, 0.3) for b in self.blocks))
        self.leave = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, len(load_basis())))

    def forward(self, x: Tensor) -> Tensor:
        x = self.body(self.enter(x).transpose(1, 2))
        return self.leave(x.transpose(1, 2))

    @torch.no_grad()
    def opinion(self, features: np.ndarray) -> np.ndarray:
        """(T, 256) → (T, K) of a whole sound."""
        return self.eval()(torch.tensor(reaching(features))[None])[0].numpy()


def reaching(features: np.ndarray) -> np.ndarray:
    around = ((TeacherNet.reach, TeacherNet.reach), (0, 0))
    return np.pad(features.astype(np.float32), around, "edge")


def write_motion(steps: int = 400, size: int = 24, rows: int = 96) -> None:
    torch.manual_seed(0)
    with TEACHER.open("rb") as file:
        lessons = pickle.load(file)
    items = load_items()
    batches = Batches([i for i in items if not i.held_out], 0, 0, rows, 0, 0.7, teacher=False)
    net, loss = TeacherNet(), Loss()
    optimizer = torch.optim.AdamW(net.parameters(), 2e-3, weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps)
    by_name = {i.name: reaching(lessons["features"][i.name]) for i in items}
    for step in range(steps):
        heard, motion, trust = [], [], []
        for _ in range(size):
            start, (name, _, target, usable, _) = batches.pick()
            heard.append(cut(by_name[name], start, rows + 2 * TeacherNet.reach))
            motion.append(target[start : start + rows].astype(np.float32))
            trust.append(usable[start : start + rows].astype(np.float32))
        x = torch.tensor(np.stack(heard))
        x = x + 0.3 * torch.rand(size, 1, 1) * torch.randn_like(x)
        value = loss(net.train()(x), torch.tensor(np.stack(motion)), torch.tensor(np.stack(trust)))
        optimizer.zero_grad()
        value.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 50 == 49:
            print(step + 1, value.item(), flush=True)
    lessons["motion"] = {i.name: net.opinion(lessons["features"][i.name]) for i in items}
    lessons["speech"] = [(v, mel, net.opinion(f), f) for v, mel, _, f in lessons["speech"]]
    with TEACHER.open("wb") as file:
        pickle.dump(lessons, file)
    by_mel = {id(i.mel): i.name for i in items}
    print(motion_table(lambda mel: lessons["motion"][by_mel[id(mel)]], items))


def cut(x: np.ndarray, start: int, length: int) -> np.ndarray:
    piece = x[start : start + length]
    return np.pad(piece, ((0, length - len(piece)), (0, 0)), "edge")


if __name__ == "__main__":
    torch.set_num_threads(2)
    if sys.argv[1] == "motion":
        write_motion()
    else:
        write_features(Path(sys.argv[2]), Path(sys.argv[3]) if len(sys.argv) > 3 else None)
