"""A teacher that hears with Whisper: its features → mouth motion and phones.

    python -m training.teacher train [--design conv --name teacher --steps 600 --people 1.0]
    python -m training.teacher offsets NAME...   # A/V offset of every clip, from its opinion
    python -m training.teacher opine NAME...     # write down its opinion on what is new

Real lips teach motion; labelled speech teaches phones, and what lips must do on some of them.
Several teachers may be named: their opinions are averaged. The opinion goes to
``cache/opinion.pkl``: ``{lesson: (motion (T, K) float16, phones (T, P) float16)}``.
"""

from __future__ import annotations

import argparse
import json
import pickle
import time

import numpy as np
import torch
from torch import nn

from labial.metrics.articulation import lag_of
from labial.motion.space import load_basis
from training.lessons import CACHE, OFFSETS, UNKNOWN, Lesson, load_lessons
from training.losses import Agreement, Articulation, MotionLoss, phone_loss
from training.mouths import load_items
from training.networks import Attentive, Dilated, Recurrent, Teacher, load_sync
from training.sampler import Sampler, phone_accuracy
from training.scores import motion_table, wild_mean

SYNC = CACHE / "sync_features.pt"
OPINION = CACHE / "opinion.pkl"
# With a lower correlation with the teacher at any lag, picture and sound do not belong together.
LEAST_GRID, LEAST_WILD = 0.75, 0.35
OFFSET_ROWS = 12
DESIGNS = {
    "conv": Teacher,
    "wide": lambda: Teacher(width=224, drop=0.4),
    "gru": Recurrent,
    "attentive": lambda: Teacher(kinds=(Dilated, Attentive, Dilated, Attentive)),
}
SHARE = {
    "grid": 0.2, "people": 0.42, "kokoro": 0.14, "espeak": 0.1, "festival": 0.06, "flite": 0.04,
    "asterisk_en": 0.04,
}  # fmt: skip


def reaching(features: np.ndarray, reach: int) -> np.ndarray:
    return np.pad(features.astype(np.float32), ((reach, reach), (0, 0)), "edge")


@torch.no_grad()
def opinion(nets: list[nn.Module], features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(T, ``WIDTH``) → motion (T, K), phone probabilities (T, P), means over the teachers."""
    motion, phones = [], []
    for net in nets:
        x = torch.tensor(reaching(features, net.reach))[None]
        m, p = net.eval()(x)
        motion.append(m[0].numpy())
        phones.append(p[0].softmax(-1).numpy())
    return np.mean(motion, 0), np.mean(phones, 0)


def load(name: str) -> nn.Module:
    state = torch.load(CACHE / f"{name}.pt", weights_only=True)
    net = DESIGNS[state["design"]]()
    net.load_state_dict(state["net"])
    return net.eval()


def train(args: argparse.Namespace) -> None:
    torch.manual_seed(args.seed)
    lessons = load_lessons()
    learned = [x for x in lessons if not x.held_out]
    if not args.noise:
        learned = [x for x in learned if "~" not in x.name]
    if args.people < 1:
        voices = sorted({x.voice for x in learned if x.kind == "people"})
        np.random.default_rng(args.seed).shuffle(voices)
        kept = set(voices[: round(len(voices) * args.people)])
        learned = [x for x in learned if x.kind != "people" or x.voice in kept]
    net = DESIGNS[args.design]()
    reach, rows = net.reach, 96
    sampler = Sampler(learned, SHARE, rows, args.seed)
    motion_loss, articulation = MotionLoss(), Articulation()
    agreement = Agreement(load_sync(SYNC)) if args.sync else None
    optimizer = torch.optim.AdamW(net.parameters(), 2e-3, weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=args.steps)
    padded = {x.name: reaching(x.features, reach).astype(np.float16) for x in learned}
    clock = time.time()
    for step in range(args.steps):
        windows = sampler.draw(args.size)
        heard = [
            cut(padded[x.name], start, rows + 2 * reach).astype(np.float32) for x, start in windows
        ]
        x = torch.tensor(np.stack(heard))
        x = x + 0.3 * torch.rand(len(x), 1, 1) * torch.randn_like(x)
        labels, want, trust = (torch.tensor(a) for a in sampler.targets(windows))
        motion, phones = net.train()(x)
        value = motion_loss(motion, want, trust) + args.phones * phone_loss(phones, labels)
        unseen = torch.where(trust.max(1, keepdim=True).values > 0, UNKNOWN, labels)
        value = value + args.rules * articulation(motion, unseen)
        if agreement:
            near = x[:, reach : reach + rows]
            value = value + args.sync * agreement(motion, near, torch.ones(near.shape[:2]))
        optimizer.zero_grad()
        value.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 200 == 199:
            print(step + 1, f"{value.item():.3f} {time.time() - clock:.0f} s", flush=True)
    torch.save({"design": args.design, "net": net.state_dict()}, CACHE / f"{args.name}.pt")
    report([net], lessons)


def report(nets: list[nn.Module], lessons: list[Lesson]) -> None:
    by_name = {x.name.split("/")[1]: x for x in lessons if x.name.startswith("av_")}
    items = load_items()
    table = motion_table(lambda item: opinion(nets, by_name[item.name].features)[0], items)
    print(table)
    print("in the wild, mean of the groups:", wild_mean(table))
    for source, score in phone_accuracy(lambda x: opinion(nets, x.features)[1], lessons).items():
        print(f"{source:20s} " + " ".join(f"{k} {v:.3f}" for k, v in score.items()))


def write_offsets(nets: list[nn.Module]) -> None:
    """By how much each clip's picture is late; GRID's is one camera's, so one median a speaker.

    A GRID clip to learn from whose mouth does not follow its sound at any lag has lost frames: it
    gets an offset that nobody uses.
    """
    found: dict[str, list[tuple[str, float]]] = {}
    broken: list[str] = []
    basis = load_basis()
    heard = {x.name.split("/")[1]: x for x in load_lessons("av_*")}
    for item in load_items():
        if item.name not in heard:
            continue
        want, usable = item.rows()
        got = opinion(nets, heard[item.name].features)[0][: len(want)]
        lips = basis.aperture(got), basis.aperture(want[: len(got)])
        lag, r = lag_of(*lips, usable[: len(got)], OFFSET_ROWS)
        grid = item.name.startswith("grid")
        if grid and not item.held_out and r < LEAST_GRID:
            broken.append(item.name)
        elif r > LEAST_WILD:
            key = item.speaker if grid else item.name
            found.setdefault(key, []).append((item.name, lag))
    offsets = {}
    for key, lags in sorted(found.items()):
        middle = round(float(np.median([x for _, x in lags])), 4)
        print(f"{key:60s} {1000 * middle:+4.0f} ms ({len(lags)} clips)")
        members = [i.name for i in load_items() if key in (i.name, i.speaker)]
        offsets |= dict.fromkeys(members, middle)
    print(len(broken), "sentences of GRID left out")
    offsets |= dict.fromkeys(broken, 1.0)
    OFFSETS.write_text(json.dumps(offsets, indent=0))


def write_opinion(nets: list[nn.Module]) -> None:
    """Ask for the opinion on everything that was heard; half a minute an hour and teacher."""
    opinions = pickle.loads(OPINION.read_bytes()) if OPINION.exists() else {}

    def keep() -> None:
        partial = OPINION.with_suffix(".partial.pkl")
        partial.write_bytes(pickle.dumps(opinions))
        partial.replace(OPINION)
        print(len(opinions), "opinions", flush=True)

    # What it said of the same sound before still holds.
    new = [x for x in load_lessons() if len(opinions.get(x.name, ((),))[0]) != len(x)]
    for i, lesson in enumerate(new):
        motion, phones = opinion(nets, lesson.features)
        opinions[lesson.name] = motion.astype(np.float16), phones.astype(np.float16)
        if i % 4000 == 3999:
            keep()
    keep()


def cut(x: np.ndarray, start: int, length: int) -> np.ndarray:
    piece = x[start : start + length]
    return np.pad(piece, ((0, length - len(piece)), (0, 0)), "edge")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["train", "report", "offsets", "opine"])
    parser.add_argument("names", nargs="*", default=[])
    parser.add_argument("--name", default="teacher")
    parser.add_argument("--design", default="conv", choices=list(DESIGNS))
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--size", type=int, default=24)
    parser.add_argument("--people", type=float, default=1.0, help="share of people learned from")
    parser.add_argument("--noise", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--phones", type=float, default=0.3)
    parser.add_argument("--rules", type=float, default=0.3)
    parser.add_argument("--sync", type=float, default=0.0, help="weight of sync_features' say")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    if args.what == "train":
        train(args)
    else:
        nets = [load(name) for name in args.names or [args.name]]
        if args.what == "report":
            report(nets, load_lessons())
        elif args.what == "offsets":
            write_offsets(nets)
        else:
            write_opinion(nets)
