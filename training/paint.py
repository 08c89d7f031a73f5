"""Train the networks that paint in the mouth plane.

    python -m training.paint interior [--minutes N] [--name NAME] [--all]
    python -m training.paint refine [--minutes N] [--interior NAME] [--name NAME] [--all]
    python -m training.paint export NAME TARGET

``--all`` learns from the watched people too, for the network that is shipped. Checkpoints are
``training/cache/paint_NAME.pt``, every two minutes; a run that finds its own goes on from it.
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
from training.painter import Critic, Interior, Refiner, draw_inside, export, refined
from training.perceptual import Lpips

CACHE = Path(__file__).parent / "cache"
BATCH, RATE = 16, 1e-3
ALIKE, CRITIC, TEXTURE = 1.0, 0.03, 0.1


def hole(batch: dict[str, Tensor], kind: str, rng: np.random.Generator) -> tuple[Tensor, ...]:
    """Pictures for the interior, the face that it is to be laid in, where, and the answer.

    ``kind``: "real" is a mouth as filmed, with its own inside taken out; "empty" one that was
    opened by the warp.
    """
    lips = batch["lips_real"] if kind == "real" else batch["lips_target"]
    face = batch["answer"] if kind == "real" else batch["empty"]
    opening = lips[:, 1:]
    n = len(face)
    # A shut mouth shows nothing of its inside.
    known = batch["lips_look"][:, 1].sum((1, 2)) > SHOWS
    known = (known & torch.from_numpy(rng.random(n) < 0.5)).float()[:, None, None, None]
    pictures = torch.cat(
        [
            face * (1 - opening), lips, known * batch["look"], known * batch["lips_look"],
            known.expand(-1, 1, *face.shape[-2:]),
        ],
        1,
    )  # fmt: skip
    return pictures, face, opening, batch["answer" if kind == "real" else "real"]


def unsure(numbers: Tensor, rng: np.random.Generator, keep: tuple[slice, ...]) -> Tensor:
    """Numbers without the mouths that the network is not to know, now and then without visemes."""
    out = torch.zeros_like(numbers)
    for part in keep:
        out[:, part] = numbers[:, part]
    quiet = torch.from_numpy(rng.random(len(out)) < 0.2)
    out[quiet, 51:] = 0
    return out


# Share of clips that act expressions, where the inside of the mouth is learned.
ACTED = 0.3
# Rows and columns of the plane around most mouths.
CLOSE = slice(14, 78), slice(16, 112)
WANTED, BANK, POSE, VISEME = slice(0, 12), slice(24, 48), slice(48, 51), slice(51, 66)


def refiner_inputs(
    batch: dict[str, Tensor], interior: nn.Module | None, rng: np.random.Generator, empty: float
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
            pictures, face, opening, _ = hole(part, "empty", rng)
            with torch.no_grad():
                theta = interior(pictures, unsure(numbers[none], rng, (WANTED, POSE, VISEME)))
                face = face + opening * (draw_inside(theta, face, part["lips_target"]) - face)
        # Where nothing was filmed, the made picture stands in for it.
        made[none] = filmed[none] = other[none] = face
        lips[none] = others[none] = 0.0
        numbers[none, BANK] = 0
    pictures = torch.cat(
        [
            made,
            batch["source"],
            filmed,
            other,
            batch["lips_target"],
            batch["lips_source"],
            lips,
            others,
        ],
        1,
    )
    return pictures, unsure(numbers, rng, (slice(0, 51), VISEME)), (made, filmed, other)


def texture(pictures: Tensor) -> Tensor:
    """(n, 1, h, w) how much fine detail there is around each of some places."""
    grey = pictures.mean(1, keepdim=True)
    fine = 4 * grey[..., 1:-1, 1:-1] - grey[..., :-2, 1:-1] - grey[..., 2:, 1:-1]
    fine = fine - grey[..., 1:-1, :-2] - grey[..., 1:-1, 2:]
    return (functional.avg_pool2d(fine.square(), 12, 6) + 1e-5).sqrt()


class Course:
    """One network, its critic, and the losses."""

    def __init__(self, name: str, net: nn.Module, critic: float, likeness: float) -> None:
        self.path = CACHE / f"paint_{name}.pt"
        self.net, self.critic = net, Critic()
        self.pull, self.likeness = critic, likeness
        self.lpips = Lpips()
        self.average = {k: v.detach().clone() for k, v in net.state_dict().items()}
        self.optimizer = torch.optim.AdamW(
            net.parameters(), RATE, betas=(0.9, 0.98), weight_decay=1e-3
        )
        self.judge = torch.optim.AdamW(self.critic.parameters(), 4e-4, betas=(0.5, 0.95))
        self.seconds, self.steps = 0.0, 0
        if self.path.exists():
            state = torch.load(self.path, weights_only=True)
            net.load_state_dict(state["net"])
            self.critic.load_state_dict(state["critic"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.judge.load_state_dict(state["judge"])
            self.average, self.seconds, self.steps = (
                state["average"],
                state["seconds"],
                state["steps"],
            )

    def save(self) -> None:
        state = {
            "net": self.net.state_dict(), "critic": self.critic.state_dict(),
            "optimizer": self.optimizer.state_dict(), "judge": self.judge.state_dict(),
            "average": self.average, "seconds": self.seconds, "steps": self.steps,
            "kind": type(self.net).__name__, "widths": self.net.widths, "depth": self.net.depth,
        }  # fmt: skip
        torch.save(state, self.path)

    def learn(
        self, made: Tensor, real: Tensor, lips: Tensor, weight: Tensor, extra: Tensor, fine: Tensor
    ) -> dict[str, float]:
        """One step; ``weight`` (n, 1, h, w) says where it counts; ``fine`` has the right detail."""
        gap = made - real
        near = (weight * (gap.square() + 1e-6).sqrt()).mean()
        edges = sum(
            (weight[..., : d.shape[-2], : d.shape[-1]] * d.abs()).mean()
            for d in (gap.diff(dim=-1), gap.diff(dim=-2))
        )
        with torch.autocast("cpu", torch.bfloat16):
            alike = self.lpips.distance(made, real).mean()
        detail = (texture(made).log() - texture(fine).log()).abs().mean()
        loss = near + 0.5 * edges + self.likeness * alike + TEXTURE * detail + extra
        parts = {"l1": near, "lpips": alike, "texture": detail}
        if self.pull:
            with torch.autocast("cpu", torch.bfloat16):
                fool = -self.critic(made, lips).float().mean()
            loss = loss + self.pull * fool
            parts["fool"] = fool
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.net.parameters(), 0.5)
        self.optimizer.step()
        if self.pull:
            self.judge.zero_grad()
            with torch.autocast("cpu", torch.bfloat16):
                yes, no = self.critic(real, lips).float(), self.critic(made.detach(), lips).float()
            verdict = functional.relu(1 - yes).mean() + functional.relu(1 + no).mean()
            verdict.backward()
            self.judge.step()
            parts["verdict"] = verdict
        self.steps += 1
        keep = min(0.999, self.steps / (self.steps + 20))
        with torch.no_grad():
            for k, v in self.net.state_dict().items():
                self.average[k].lerp_(v, 1 - keep)
        return {k: float(v.detach()) for k, v in parts.items()}


def step(
    course: Course,
    lessons: Lessons,
    only: np.ndarray | None,
    rng: np.random.Generator,
    interior: nn.Module | None,
    empty: float,
) -> dict[str, float]:
    batch = lessons.batch(lessons.draw(BATCH, rng, only), rng)
    disguise(batch, rng)
    if isinstance(course.net, Interior):
        kind = "real" if rng.random() < 0.6 else "empty"
        pictures, face, opening, real = hole(batch, kind, rng)
        numbers = unsure(told(batch), rng, (WANTED, POSE, VISEME))
        with torch.autocast("cpu", torch.bfloat16):
            theta = course.net(pictures, numbers).float()
        drawn = batch["lips_real" if kind == "real" else "lips_target"]
        inside = draw_inside(theta, face, drawn)
        if kind == "empty":
            # What surrounds the mouth is not this network's to answer for.
            face = real
        made = face + opening * (inside - face)
        weight = 0.2 + 8 * opening
        # A closer look at what matters.
        made, real, weight, opening = (
            x[..., CLOSE[0], CLOSE[1]] for x in (made, real, weight, opening)
        )
        made, real = (
            functional.interpolate(x, scale_factor=1.5, mode="bicubic") for x in (made, real)
        )
        weight = functional.interpolate(weight, scale_factor=1.5)
        drawn = functional.interpolate(drawn[..., CLOSE[0], CLOSE[1]], scale_factor=1.5)
        return course.learn(made, real, drawn, weight, torch.zeros(()), real)
    pictures, numbers, three = refiner_inputs(batch, interior, rng, empty)
    with torch.autocast("cpu", torch.bfloat16):
        answer = tuple(x.float() for x in course.net(pictures, numbers))
    out = refined(*three, answer)
    weight = 1 + 2 * batch["lips_target"][:, :1]
    return course.learn(
        out, batch["real"], batch["lips_target"], weight, torch.zeros(()), batch["answer"]
    )


@torch.no_grad()
def watch(course: Course, lessons: Lessons, interior: nn.Module | None) -> dict[str, float]:
    """The averaged network on people that are watched; beside it what it was given."""
    net = type(course.net)(course.net.widths, course.net.depth)
    net.load_state_dict(course.average)
    net.eval()
    rng = np.random.default_rng(5)
    opening = opens(lessons)
    rows = lessons.draw(192, rng, opening if isinstance(net, Interior) else None)
    total: dict[str, list[float]] = {}
    for part in np.array_split(rows, 8):
        batch = lessons.batch(part)
        real = batch["real"]
        if isinstance(net, Interior):
            pictures, face, spot, _ = hole(batch, "real", np.random.default_rng(0))
            theta = net(pictures, unsure(told(batch), rng, (WANTED, POSE, VISEME)))
            inside = draw_inside(theta, face, batch["lips_real"])
            real = batch["answer"]
            found = {"out": face + spot * (inside - face), "given": face * (1 - spot)}
        else:
            found = {}
            for name, share in {"": 0.0, " empty": 1.0}.items():
                pictures, numbers, three = refiner_inputs(
                    batch, interior, np.random.default_rng(0), share
                )
                found |= {
                    "out" + name: refined(*three, net(pictures, numbers)).clamp(0, 1),
                    "given" + name: three[0],
                }
        for name, image in found.items():
            error = (image - real).square().mean((1, 2, 3))
            total.setdefault(f"{name} sharp", []).append(
                float(texture(image).square().mean() / texture(batch["answer"]).square().mean())
            )
            total.setdefault(f"{name} PSNR", []).append(float((-10 * error.log10()).mean()))
            total.setdefault(f"{name} LPIPS", []).append(
                float(course.lpips.distance(image, real).mean())
            )
    return {k: float(np.mean(v)) for k, v in total.items()}


def restore(name: str) -> nn.Module:
    state = torch.load(CACHE / f"paint_{name}.pt", weights_only=True)
    net = {"Interior": Interior, "Refiner": Refiner}[state["kind"]](
        tuple(state["widths"]), state["depth"]
    )
    net.load_state_dict(state["average"])
    return net.eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("what", choices=("interior", "refine", "export"))
    parser.add_argument("rest", nargs="*")
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--name")
    parser.add_argument("--interior")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--critic", type=float, default=CRITIC)
    parser.add_argument("--likeness", type=float, default=ALIKE)
    parser.add_argument("--empty", type=float, default=0.3)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    if given.what == "export":
        export(restore(given.rest[0]), Path(given.rest[1]))
        return
    torch.set_num_threads(given.threads)
    torch.manual_seed(0)
    kind = {"interior": Interior, "refine": Refiner}[given.what]
    net = kind().to(memory_format=torch.channels_last)
    course = Course(given.name or given.what, net, given.critic, given.likeness)
    interior = restore(given.interior) if given.interior else None
    watched = load(True)
    lessons = load(False)
    if given.all:
        arrays = {k: np.concatenate([v, watched.arrays[k]]) for k, v in lessons.arrays.items()}
        lessons = Lessons(arrays, np.concatenate([lessons.of, watched.of]))
    print(
        f"{len(lessons)} pairs of {len(set(lessons.of))} people, {len(watched)} watched", flush=True
    )
    only = None
    if kind is Interior:
        # Grimaces clench teeth as speech does not.
        acted = np.array(["LivePortrait" in name for name in lessons.of])
        only = opens(lessons) * np.where(acted, ACTED, 1.0)
    rng = np.random.default_rng(course.steps)
    begin, before, shown = time.monotonic(), course.seconds, time.monotonic()
    sums: dict[str, float] = {}
    count = 0
    while course.seconds < 60 * given.minutes:
        done = course.seconds / (60 * given.minutes)
        for group in course.optimizer.param_groups:
            group["lr"] = RATE * min(1, course.steps / 100, 0.02 + 4 * (1 - done))
        for k, v in step(course, lessons, only, rng, interior, given.empty).items():
            sums[k] = sums.get(k, 0.0) + v
        count += 1
        course.seconds = before + time.monotonic() - begin
        if time.monotonic() - shown > 120 or course.seconds >= 60 * given.minutes:
            shown = time.monotonic()
            seen = watch(course, watched, interior)
            print(
                f"{course.seconds / 60:5.1f} min {course.steps:6d}: "
                + ", ".join(f"{k} {v / count:.4f}" for k, v in sums.items())
                + " | " + ", ".join(f"{k} {v:.3f}" for k, v in seen.items()),
                flush=True,
            )  # fmt: skip
            sums, count = {}, 0
            course.save()


if __name__ == "__main__":
    main()
