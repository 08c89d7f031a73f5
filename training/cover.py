"""Train the network that finds what covers a mouth.

    python -m training.cover train NAME [--minutes N] [--widths A B C D] [--begin-with OTHER]
    python -m training.cover mean NAME ONE OTHER
    python -m training.cover export NAME TARGET

Lessons are those of ``training.cover_lessons``. Checkpoints are ``training/cache/cover_NAME.pt``; a
run that finds its own goes on from it. The mean of a run and one that went on from it is better
than either.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from labial.face.cover import HEIGHT, WIDTH
from training.cover_lessons import LESSONS

CACHE = Path(__file__).parent / "cache"
BATCH, RATE = 48, 2e-3
WIDTHS = (12, 24, 32, 40)
# A face taken for a cover is worse than a cover's edge missed.
FALSE = 1.2


class Cover(nn.Module):
    """(n, 6, HEIGHT, WIDTH) picture and usual look 0..1 → logits of the matte, same size."""

    def __init__(self, widths: tuple[int, ...] = WIDTHS) -> None:
        super().__init__()
        a, b, c, d = widths
        self.widths = widths
        self.read = nn.Conv2d(6, a, 3, stride=2, padding=1)
        self.down1 = nn.Conv2d(a, b, 3, stride=2, padding=1)
        self.at1 = nn.Conv2d(b, b, 3, padding=1)
        self.down2 = nn.Conv2d(b, c, 3, stride=2, padding=1)
        self.at2 = nn.Conv2d(c, c, 3, padding=1)
        self.down3 = nn.Conv2d(c, d, 3, stride=2, padding=1)
        self.at3 = nn.Conv2d(d, d, 3, padding=1)
        self.whole = nn.Linear(d, d)
        self.up2, self.join2 = nn.Conv2d(d, c, 1), nn.Conv2d(c, c, 3, padding=1)
        self.up1, self.join1 = nn.Conv2d(c, b, 1), nn.Conv2d(b, b, 3, padding=1)
        self.up0, self.join0 = nn.Conv2d(b, a, 1), nn.Conv2d(a, a, 3, padding=1)
        self.last = nn.Conv2d(a, 4, 3, padding=1)

    def forward(self, pictures: Tensor) -> Tensor:
        relu = functional.relu
        x0 = relu(self.read(pictures - 0.5))
        x1 = relu(self.down1(x0))
        x1 = x1 + relu(self.at1(x1))
        x2 = relu(self.down2(x1))
        x2 = x2 + relu(self.at2(x2))
        x3 = relu(self.down3(x2))
        x3 = x3 + relu(self.at3(x3))
        x3 = x3 + self.whole(x3.mean((2, 3)))[:, :, None, None]
        for up, join, skip in (
            (self.up2, self.join2, x2), (self.up1, self.join1, x1), (self.up0, self.join0, x0),
        ):  # fmt: skip
            risen = functional.interpolate(up(x3), size=skip.shape[-2:], mode="nearest")
            x3 = relu(risen + skip)
            x3 = x3 + relu(join(x3))
        return functional.pixel_shuffle(self.last(x3), 2)


def load(parts: list[Path]) -> tuple[np.ndarray, np.ndarray]:
    """Pictures (n, HEIGHT, WIDTH, 6) and mattes (n, HEIGHT, WIDTH), uint8."""
    found = [np.load(path) for path in parts]
    return tuple(np.concatenate([f[name] for f in found]) for name in ("pictures", "mattes"))


def batch_of(pictures: np.ndarray, mattes: np.ndarray, rows: np.ndarray) -> tuple[Tensor, Tensor]:
    """Pictures (n, 6, h, w) and mattes (n, 1, h, w), 0..1."""
    seen = torch.from_numpy(pictures[rows]).permute(0, 3, 1, 2).float() / 255
    return seen, torch.from_numpy(mattes[rows])[:, None].float() / 255


def loss_of(logits: Tensor, matte: Tensor) -> Tensor:
    """Cross entropy, false alarms counted more, and overlap where there is a cover."""
    weight = 1 + (FALSE - 1) * (matte < 0.05)
    entropy = functional.binary_cross_entropy_with_logits(logits, matte, weight)
    found = torch.sigmoid(logits)
    dims = (1, 2, 3)
    overlap = (2 * (found * matte).sum(dims) + 20) / ((found + matte).sum(dims) + 20)
    return entropy + 0.3 * (1 - overlap).mean()


@torch.no_grad()
def score(net: Cover, pictures: np.ndarray, mattes: np.ndarray, blind: bool) -> str:
    """How well lessons of faces never seen are solved; ``blind``: without the usual look."""
    net.eval()
    both, either, false, clear, missed, covered = 0.0, 0.0, 0, 0, 0, 0
    for first in range(0, len(pictures), 100):
        seen, matte = batch_of(pictures, mattes, np.arange(first, min(first + 100, len(pictures))))
        if blind:
            seen[:, 3:] = 0.5
        found = torch.sigmoid(net(seen))
        both += float((found * matte).sum())
        either += float(torch.maximum(found, matte).sum())
        amount, truth = found.mean((1, 2, 3)), matte.mean((1, 2, 3))
        clear += int((truth < 0.001).sum())
        false += int(((truth < 0.001) & (amount > 0.01)).sum())
        covered += int((truth > 0.05).sum())
        missed += int(((truth > 0.05) & (amount < 0.4 * truth)).sum())
    net.train()
    return (
        f"{'blind' if blind else 'told'}: overlap {both / either:.3f}, false {false}/{clear}, "
        f"missed {missed}/{covered}"
    )


def train(name: str, minutes: float, widths: tuple[int, ...], begin: Path | None = None) -> None:
    torch.manual_seed(0)
    rng = np.random.default_rng()
    target = CACHE / f"cover_{name}.pt"
    net = Cover(widths)
    steps = 0
    if target.exists() or begin is not None:
        saved = torch.load(target if target.exists() else begin)
        net, steps = Cover(saved["widths"]), saved["steps"]
        net.load_state_dict(saved["weights"])
    pictures, mattes = load(sorted(p for p in LESSONS.glob("*.npz") if p.stem != "held"))
    held = load([LESSONS / "held.npz"])
    optimizer = torch.optim.AdamW(net.parameters(), RATE, weight_decay=1e-2)
    print(name, sum(p.numel() for p in net.parameters()), "weights,", len(pictures), "lessons")
    begun = said = time.monotonic()
    losses: list[float] = []
    while (gone := (time.monotonic() - begun) / 60 / minutes) < 1:
        rate = RATE * min(1, (steps + 1) / 100) * (0.5 + 0.5 * np.cos(np.pi * gone))
        for group in optimizer.param_groups:
            group["lr"] = rate
        rows = np.sort(rng.choice(len(pictures), BATCH, replace=False))
        seen, matte = batch_of(pictures, mattes, rows)
        if rng.random() < 0.5:
            seen, matte = seen.flip(3), matte.flip(3)
        loss = loss_of(net(seen), matte)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
        steps += 1
        if time.monotonic() - said > 60:
            said = time.monotonic()
            print(f"{gone:.0%} {steps} steps, loss {np.mean(losses[-300:]):.4f};",
                  score(net, *held, blind=False), flush=True)  # fmt: skip
    torch.save({"widths": net.widths, "weights": net.state_dict(), "steps": steps}, target)
    for blind in (False, True):
        print(name, steps, "steps;", score(net, *held, blind=blind), flush=True)


class _Shipped(nn.Module):
    def __init__(self, net: Cover) -> None:
        super().__init__()
        self.net = net

    def forward(self, pictures: Tensor) -> Tensor:
        return torch.sigmoid(self.net(pictures))


def mean(name: str, one: str, other: str) -> None:
    a, b = (torch.load(CACHE / f"cover_{run}.pt") for run in (one, other))
    weights = {key: (a["weights"][key] + b["weights"][key]) / 2 for key in a["weights"]}
    torch.save({**b, "weights": weights}, CACHE / f"cover_{name}.pt")


def export(name: str, target: Path) -> None:
    saved = torch.load(CACHE / f"cover_{name}.pt")
    net = Cover(saved["widths"])
    net.load_state_dict(saved["weights"])
    torch.onnx.export(
        _Shipped(net).eval(), (torch.zeros(1, 6, HEIGHT, WIDTH),), str(target),
        input_names=["pictures"], output_names=["matte"], opset_version=17, dynamo=False,
    )  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("train", "mean", "export"))
    parser.add_argument("name")
    parser.add_argument("others", nargs="*")
    parser.add_argument("--begin-with")
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--widths", type=int, nargs=4, default=WIDTHS)
    arguments = parser.parse_args()
    if arguments.what == "train":
        begin = CACHE / f"cover_{arguments.begin_with}.pt" if arguments.begin_with else None
        train(arguments.name, arguments.minutes, tuple(arguments.widths), begin)
    elif arguments.what == "mean":
        mean(arguments.name, *arguments.others)
    else:
        export(arguments.name, Path(arguments.others[0]))
