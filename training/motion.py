"""Train the network from log-mel to mouth motion and write the ONNX file.

    python training/motion.py train  --name first --steps 1200
    python training/motion.py offsets --name first      # A/V offset of every training clip
    python training/motion.py export --name second

Checkpoints are ``training/cache/motion_<name>.pt``; ``train`` resumes from one that is there.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from evaluate import lag_of, motion_table
from motion_data import CACHE, OFFSETS, Batches, load_items
from motion_net import MotionNet
from torch import Tensor

from labial.audio.features import FLOOR
from labial.motion.space import load_basis

ONNX = Path(__file__).parents[1] / "labial" / "speech" / "motion_v1.onnx"


class Loss:
    """Motion and its velocity in real displacement, with care for opening and closing."""

    def __init__(self) -> None:
        basis = load_basis()
        size = np.sqrt((basis.components**2).sum((1, 2)))
        self.size = torch.tensor(size / size[0])
        unit = np.eye(len(basis), dtype=np.float32)
        opening, width = basis.aperture(unit), basis.width(unit)
        self.opening = torch.tensor(opening / np.linalg.norm(opening))
        self.width = torch.tensor(width / np.linalg.norm(width))

    def __call__(self, got: Tensor, want: Tensor, trust: Tensor) -> Tensor:
        error, speed = got - want, (got - want).diff(dim=1)
        both = trust[:, 1:] * trust[:, :-1]
        total = ((self.size * error**2).mean(-1) * trust).mean()
        total = total + 3 * ((self.size * speed**2).mean(-1) * both).mean()
        for axis, weight in ((self.opening, 0.3), (self.width, 0.1)):
            e, target = error @ axis, want @ axis
            # A closure that is missed is seen; a wide vowel that is a little wider is not.
            near_closed = 1 + 1.5 * torch.exp(-((target / 0.4) ** 2))
            total = total + weight * (near_closed * e**2 * trust).mean()
            total = total + 3 * weight * (speed @ axis).pow(2).mul(both).mean()
        spread_got = (got @ self.opening).std(1)
        spread_want = (want @ self.opening).std(1)
        whole = trust.min(1).values
        return total + 0.15 * ((spread_got - spread_want) ** 2 * whole).mean()


def train(args: argparse.Namespace) -> None:
    name, steps, rate, seed = args.name, args.steps, args.rate, args.seed
    torch.manual_seed(seed)
    items = load_items()
    net = MotionNet()
    batches = Batches(
        [i for i in items if not i.held_out], net.before, net.after, args.rows, seed, args.style
    )
    mels = np.concatenate([i.mel for i in items if not i.held_out][::3])
    net.mean.copy_(torch.tensor(mels.mean(0)))
    net.std.copy_(torch.tensor(mels.std(0)))
    width = max((f.shape[1] for f in batches.teacher["features"].values()), default=0)
    # The teacher's features are a second task: they say more about the sound than lips do.
    study = torch.nn.Linear(net.head.in_features, width)
    learned = [*net.parameters(), *study.parameters()]
    optimizer = torch.optim.AdamW(learned, rate, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps)
    loss, begin, path = Loss(), 0, CACHE / f"motion_{name}.pt"
    if args.begin_with and not path.exists():
        before = torch.load(CACHE / f"motion_{args.begin_with}.pt", weights_only=True)
        net.load_state_dict(before["net"])
        if before["study"]["weight"].shape == study.weight.shape:
            study.load_state_dict(before["study"])
    average = {k: v.clone() for k, v in net.state_dict().items()}
    if path.exists():
        state = torch.load(path, weights_only=True)
        net.load_state_dict(state["net"])
        study.load_state_dict(state["study"])
        optimizer.load_state_dict(state["optimizer"])
        schedule.load_state_dict(state["schedule"])
        average, begin = state["average"], state["step"]
        batches.rng = np.random.default_rng(seed + begin)
    clock, running = time.time(), 0.0
    for step in range(begin, steps):
        mel, motion, trust, lesson, taught = (torch.tensor(a) for a in batches.draw(args.size))
        hidden = net.features(mel)
        value = loss(net.head(hidden) * net.gain, motion, trust)
        if width:
            miss = ((study(hidden) - lesson) ** 2).mean((1, 2))
            value = value + args.study * (miss * taught).mean() / lesson.var()
        optimizer.zero_grad()
        value.backward()
        torch.nn.utils.clip_grad_norm_(learned, 1.0)
        optimizer.step()
        schedule.step()
        keep = min(0.995, (step + 1) / (step + 10))
        for key, now in net.state_dict().items():
            average[key].lerp_(now, 1 - keep)
        running += value.item() / 50
        if step % 50 == 49:
            print(f"{step + 1:5d} loss {running:.4f} {time.time() - clock:.0f} s", flush=True)
            running = 0.0
        if step % 100 == 99 or step == steps - 1:
            torch.save(
                {
                    "net": net.state_dict(),
                    "study": study.state_dict(),
                    "average": average,
                    "step": step + 1,
                    "optimizer": optimizer.state_dict(),
                    "schedule": schedule.state_dict(),
                },
                path,
            )
            if step % 300 == 299 or step == steps - 1:
                print(motion_table(predictor(load(name)), items), flush=True)


def load(name: str) -> MotionNet:
    net = MotionNet()
    net.load_state_dict(torch.load(CACHE / f"motion_{name}.pt", weights_only=True)["average"])
    return net.eval()


def predictor(net: MotionNet):
    """(F, 80) log-mel of a whole clip → (F // 2, K), with silence around it as at run time."""

    @torch.no_grad()
    def run(mel: np.ndarray) -> np.ndarray:
        around = ((net.before, net.after), (0, 0))
        padded = np.pad(mel, around, constant_values=np.log(FLOOR)).astype(np.float32)
        return net(torch.tensor(padded)[None])[0].numpy()[: len(mel) // 2]

    return run


def offsets(name: str) -> None:
    """Estimate how late each training clip's picture is, by the lag that correlates best."""
    run, found, basis = predictor(load(name)), {}, load_basis()
    by_speaker: dict[str, list[tuple[str, float]]] = {}
    for item in load_items():
        if item.held_out:
            continue
        want, usable = item.rows()
        got = run(item.mel)[: len(want)]
        lag, r = lag_of(basis.aperture(got), basis.aperture(want), usable)
        grid = item.name.startswith("grid")
        if r > 0.35:
            by_speaker.setdefault(item.speaker if grid else item.name, []).append((item.name, lag))
    for item in load_items():
        key = item.speaker if item.name.startswith("grid") else item.name
        if key in by_speaker:
            found[item.name] = round(float(np.median([x for _, x in by_speaker[key]])), 4)
    for key, lags in sorted(by_speaker.items()):
        print(f"{key:60s} {1000 * np.median([x for _, x in lags]):+4.0f} ms ({len(lags)} clips)")
    OFFSETS.write_text(json.dumps(found, indent=0))


def export(name: str, gain: float) -> None:
    import onnx

    net = load(name)
    net.gain.mul_(gain)
    example = torch.zeros(1, net.before + net.after + 199, 80)
    torch.onnx.export(
        net, (example,), str(ONNX), input_names=["mel"], output_names=["motion"],
        dynamic_axes={"mel": {1: "frames"}, "motion": {1: "rows"}}, opset_version=17, dynamo=False,
    )  # fmt: skip
    model = onnx.load(ONNX)
    facts = {"mel_before": str(net.before), "mel_after": str(net.after), "rate": "50"}
    onnx.helper.set_model_props(model, facts)
    onnx.save(model, ONNX)
    print(ONNX.name, ONNX.stat().st_size, "bytes", facts)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["train", "offsets", "export"])
    parser.add_argument("--name", default="first")
    parser.add_argument("--steps", type=int, default=800)
    parser.add_argument("--size", type=int, default=24)
    parser.add_argument("--rows", type=int, default=96)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--style", type=float, default=0.7)
    parser.add_argument("--gain", type=float, default=1.0)
    parser.add_argument("--study", type=float, default=0.5)
    parser.add_argument("--begin-with", default="", help="name of a run to take weights from")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    if args.what == "train":
        train(args)
    elif args.what == "offsets":
        offsets(args.name)
    else:
        export(args.name, args.gain)
