"""Train the networks that look at the mouth plane.

    python -m training.paint interior [--minutes N] [--name NAME] [--all]
    python -m training.paint refine [--minutes N] [--interior NAME] [--name NAME] [--all]
    python -m training.paint mean NAME ONE OTHER
    python -m training.paint export NAME TARGET

``--all`` learns from the watched people too, for the network that is shipped. Checkpoints are
``training/cache/paint_NAME.pt``, every two minutes; a run that finds its own goes on from it.
``--begin-with`` takes another run's weights. The mean of a run and one that went on from it is
better than either (Wortsman et al., "Model soups", ICML 2022).
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from labial.render.interior import SHOWS
from training.paint_lessons import Lessons, disguise, load, opens, told
from training.painter import Interior, Refiner, draw_inside, export, refined
from training.perceptual import Lpips

CACHE = Path(__file__).parent / "cache"
BATCH, RATE = 16, 1e-3
EDGES, TEXTURE = 0.5, 0.1
# How often an interior is shown another mouth, and learns from a mouth that the warp opened; and
# how often the refiner has no bank.
SHOWN, OPENED, EMPTY = 0.5, 0.4, 0.3
# Share of clips that act expressions, where the inside of the mouth is learned.
ACTED = 0.3
# Rows and columns of the plane around most mouths.
CLOSE = slice(14, 78), slice(16, 112)
# Parts of what is told.
WANTED, MOUTHS, BANK, POSE, VISEME = (
    slice(0, 12), slice(0, 48), slice(24, 48), slice(48, 51), slice(51, 66),
)  # fmt: skip
WATCHED_PAIRS = 192

Batch = dict[str, Tensor]


def hole(batch: Batch, filmed: bool, rng: np.random.Generator) -> tuple[Tensor, ...]:
    """Pictures for the interior, the face that it is laid in, its lips, and the answer.

    ``filmed``: a real mouth whose own inside was taken out, or one that the warp opened.
    """
    lips = batch["lips_real"] if filmed else batch["lips_target"]
    face = batch["answer"] if filmed else batch["empty"]
    opening = lips[:, 1:]
    # A shut mouth shows nothing of its inside.
    known = batch["lips_look"][:, 1].sum((1, 2)) > SHOWS
    known = (known & torch.from_numpy(rng.random(len(face)) < SHOWN)).float()[:, None, None, None]
    pictures = torch.cat(
        [
            face * (1 - opening), lips, known * batch["look"], known * batch["lips_look"],
            known.expand(-1, 1, *face.shape[-2:]),
        ],
        1,
    )  # fmt: skip
    return pictures, face, lips, batch["answer" if filmed else "real"]


def unsure(numbers: Tensor, rng: np.random.Generator, keep: tuple[slice, ...]) -> Tensor:
    """Numbers without the mouths that a network is not to know, now and then without visemes."""
    out = torch.zeros_like(numbers)
    for part in keep:
        out[:, part] = numbers[:, part]
    quiet = torch.from_numpy(rng.random(len(out)) < 0.2)
    out[quiet, VISEME] = 0
    return out


def made_up(
    net: nn.Module, batch: Batch, filmed: bool, rng: np.random.Generator
) -> tuple[Tensor, ...]:
    """Faces with an inside from ``net``, the same face before, lips, and the answer."""
    pictures, face, lips, real = hole(batch, filmed, rng)
    numbers = unsure(told(batch), rng, (WANTED, POSE, VISEME))
    with torch.autocast("cpu", torch.bfloat16, enabled=net.training):
        theta = net(pictures, numbers).float()
    return face + lips[:, 1:] * (draw_inside(theta, face, lips) - face), face, lips, real


def refiner_inputs(
    batch: Batch, interior: nn.Module | None, rng: np.random.Generator, empty: float
) -> tuple[Tensor, Tensor, tuple[Tensor, Tensor, Tensor]]:
    """Pictures, numbers, and made, filmed and other; a share of ``empty`` without any bank."""
    numbers = told(batch)
    none = torch.from_numpy(rng.random(len(numbers)) < empty)
    made, filmed, other = batch["made"], batch["filmed"], batch["other"]
    lips, others = batch["lips_filmed"], batch["lips_other"]
    if none.any():
        part = {k: v[none] for k, v in batch.items()}
        made, filmed, other, lips, others = (x.clone() for x in (made, filmed, other, lips, others))
        face = part["empty"]
        if interior is not None:
            with torch.no_grad():
                face, *_ = made_up(interior, part, False, rng)
        # Where nothing was filmed, the made picture stands in for it.
        made[none] = filmed[none] = other[none] = face
        lips[none] = others[none] = 0.0
        numbers[none, BANK] = 0
    drawn = [batch["lips_target"], batch["lips_source"], lips, others]
    pictures = torch.cat([made, batch["source"], filmed, other, *drawn], 1)
    return pictures, unsure(numbers, rng, (MOUTHS, POSE, VISEME)), (made, filmed, other)


def texture(pictures: Tensor) -> Tensor:
    """(n, 1, h, w) how much fine detail there is around each of some places."""
    grey = pictures.mean(1, keepdim=True)
    fine = 4 * grey[..., 1:-1, 1:-1] - grey[..., :-2, 1:-1] - grey[..., 2:, 1:-1]
    fine = fine - grey[..., 1:-1, :-2] - grey[..., 1:-1, 2:]
    return (functional.avg_pool2d(fine.square(), 12, 6) + 1e-5).sqrt()


class Course:
    """One network on its way: optimizer, running mean of the weights, losses."""

    def __init__(self, name: str, net: nn.Module) -> None:
        self.path = checkpoint(name)
        self.net, self.lpips = net, Lpips()
        self.average = {k: v.detach().clone() for k, v in net.state_dict().items()}
        self.optimizer = torch.optim.AdamW(
            net.parameters(), RATE, betas=(0.9, 0.98), weight_decay=1e-3
        )
        self.seconds, self.steps = 0.0, 0
        if self.path.exists():
            state = torch.load(self.path, weights_only=True)
            net.load_state_dict(state["net"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.average, self.seconds = state["average"], state["seconds"]
            self.steps = state["steps"]

    def save(self) -> None:
        state = {
            "net": self.net.state_dict(), "optimizer": self.optimizer.state_dict(),
            "average": self.average, "seconds": self.seconds, "steps": self.steps,
            "kind": type(self.net).__name__,
        }  # fmt: skip
        torch.save(state, self.path)

    def learn(self, made: Tensor, real: Tensor, weight: Tensor, fine: Tensor) -> dict[str, float]:
        """One step; ``weight`` (n, 1, h, w) says where it counts; ``fine`` has the right detail."""
        gap = made - real
        near = (weight * (gap.square() + 1e-6).sqrt()).mean()
        steps = (gap.diff(dim=-1), gap.diff(dim=-2))
        edges = sum((weight[..., : d.shape[-2], : d.shape[-1]] * d.abs()).mean() for d in steps)
        detail = (texture(made).log() - texture(fine).log()).abs().mean()
        with torch.autocast("cpu", torch.bfloat16):
            alike = self.lpips.distance(made, real).mean()
        loss = near + EDGES * edges + alike + TEXTURE * detail
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.net.parameters(), 0.5)
        self.optimizer.step()
        self.steps += 1
        keep = min(0.999, self.steps / (self.steps + 20))
        with torch.no_grad():
            for k, v in self.net.state_dict().items():
                self.average[k].lerp_(v, 1 - keep)
        parts = {"l1": near, "lpips": alike, "texture": detail}
        return {k: float(v.detach()) for k, v in parts.items()}


def learn_interior(course: Course, batch: Batch, rng: np.random.Generator) -> dict[str, float]:
    filmed = bool(rng.random() >= OPENED)
    made, _, lips, real = made_up(course.net, batch, filmed, rng)
    opening = lips[:, 1:]
    if not filmed:
        # What surrounds the mouth is not this network's to answer for.
        made = real + opening * (made - real)
    weight = 0.2 + 8 * opening
    # A closer look at what matters.
    made, real, weight = (
        functional.interpolate(x[..., CLOSE[0], CLOSE[1]], scale_factor=1.5, mode=mode)
        for x, mode in ((made, "bicubic"), (real, "bicubic"), (weight, "nearest"))
    )
    return course.learn(made, real, weight, real)


def learn_refiner(
    course: Course, batch: Batch, rng: np.random.Generator, interior: nn.Module | None
) -> dict[str, float]:
    pictures, numbers, three = refiner_inputs(batch, interior, rng, EMPTY)
    with torch.autocast("cpu", torch.bfloat16):
        answer = tuple(x.float() for x in course.net(pictures, numbers))
    weight = 1 + 2 * batch["lips_target"][:, :1]
    return course.learn(refined(*three, answer), batch["real"], weight, batch["answer"])


@torch.no_grad()
def watch(course: Course, lessons: Lessons, interior: nn.Module | None) -> dict[str, float]:
    """The averaged network on people that are watched; beside it what it was given."""
    net = type(course.net)()
    net.load_state_dict(course.average)
    net.eval()
    rng = np.random.default_rng(5)
    only = opens(lessons).astype(float) if isinstance(net, Interior) else None
    total: dict[str, list[float]] = {}
    for part in np.array_split(lessons.draw(WATCHED_PAIRS, rng, only), 8):
        batch = lessons.batch(part)
        real, found = batch["real"], {}
        if isinstance(net, Interior):
            made, face, lips, real = made_up(net, batch, True, np.random.default_rng(0))
            found = {"out": made, "given": face * (1 - lips[:, 1:])}
        else:
            for name, share in {"": 0.0, " empty": 1.0}.items():
                calm = np.random.default_rng(0)
                pictures, numbers, three = refiner_inputs(batch, interior, calm, share)
                out = refined(*three, net(pictures, numbers)).clamp(0, 1)
                found |= {"out" + name: out, "given" + name: three[0]}
        detail = texture(batch["answer"]).square().mean()
        for name, image in found.items():
            error = (image - real).square().mean((1, 2, 3))
            scores = {
                "sharp": texture(image).square().mean() / detail,
                "PSNR": (-10 * error.log10()).mean(),
                "LPIPS": course.lpips.distance(image, real).mean(),
            }
            for score, value in scores.items():
                total.setdefault(f"{name} {score}", []).append(float(value))
    return {k: float(np.mean(v)) for k, v in total.items()}


def checkpoint(name: str) -> Path:
    return CACHE / f"paint_{name}.pt"


def restore(name: str) -> nn.Module:
    state = torch.load(checkpoint(name), weights_only=True)
    net = {"Interior": Interior, "Refiner": Refiner}[state["kind"]]()
    net.load_state_dict(state["average"])
    return net.eval()


def train(
    course: Course, lessons: Lessons, watched: Lessons, interior: nn.Module | None, minutes: float
) -> None:
    only = None
    if isinstance(course.net, Interior):
        # Grimaces clench teeth as speech does not.
        acted = np.array(["LivePortrait" in name for name in lessons.of])
        only = opens(lessons) * np.where(acted, ACTED, 1.0)
    rng = np.random.default_rng(course.steps)
    begin, before, shown = time.monotonic(), course.seconds, time.monotonic()
    sums: dict[str, float] = {}
    count = 0
    while course.seconds < 60 * minutes:
        done = course.seconds / (60 * minutes)
        for group in course.optimizer.param_groups:
            group["lr"] = RATE * min(1, course.steps / 100, 0.02 + 4 * (1 - done))
        batch = lessons.batch(lessons.draw(BATCH, rng, only), rng)
        disguise(batch, rng)
        if isinstance(course.net, Interior):
            parts = learn_interior(course, batch, rng)
        else:
            parts = learn_refiner(course, batch, rng, interior)
        for k, v in parts.items():
            sums[k] = sums.get(k, 0.0) + v
        count += 1
        course.seconds = before + time.monotonic() - begin
        if time.monotonic() - shown > 120 or course.seconds >= 60 * minutes:
            shown = time.monotonic()
            seen = watch(course, watched, interior)
            losses = ", ".join(f"{k} {v / count:.4f}" for k, v in sums.items())
            figures = ", ".join(f"{k} {v:.3f}" for k, v in seen.items())
            print(
                f"{course.seconds / 60:5.1f} min {course.steps:6d}: {losses} | {figures}",
                flush=True,
            )
            sums, count = {}, 0
            course.save()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    what = parser.add_subparsers(dest="what", required=True)
    for name in ("interior", "refine"):
        part = what.add_parser(name)
        part.add_argument("--minutes", type=float, default=20)
        part.add_argument("--name", default=name)
        part.add_argument("--all", action="store_true")
        part.add_argument("--threads", type=int, default=2)
        part.add_argument(
            "--interior", help="name of one that was trained, for mouths without a bank"
        )
        part.add_argument("--begin-with", help="name of a run to go on from")
    part = what.add_parser("mean")
    part.add_argument("name")
    part.add_argument("runs", nargs=2)
    part = what.add_parser("export")
    part.add_argument("name")
    part.add_argument("target", type=Path)
    given = parser.parse_args()
    if given.what == "mean":
        one, other = (torch.load(checkpoint(run), weights_only=True) for run in given.runs)
        for key, weight in one["average"].items():
            weight.lerp_(other["average"][key], 0.5)
        torch.save(one, checkpoint(given.name))
        return
    if given.what == "export":
        export(restore(given.name), given.target)
        return
    torch.set_num_threads(given.threads)
    torch.manual_seed(0)
    net = {"interior": Interior, "refine": Refiner}[given.what]()
    if given.begin_with:
        net.load_state_dict(restore(given.begin_with).state_dict())
    course = Course(given.name, net.to(memory_format=torch.channels_last))
    interior = restore(given.interior) if given.interior else None
    watched, lessons = load(True), load(False)
    if given.all:
        arrays = {k: np.concatenate([v, watched.arrays[k]]) for k, v in lessons.arrays.items()}
        lessons = Lessons(arrays, np.concatenate([lessons.of, watched.of]))
    people = len(set(lessons.of))
    print(f"{len(lessons)} pairs of {people} people, {len(watched)} watched", flush=True)
    train(course, lessons, watched, interior, given.minutes)


if __name__ == "__main__":
    main()
