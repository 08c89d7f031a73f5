"""Train the network that ships: log-mel → mouth motion and phones.

    python -m training.student train  --name first --minutes 80 [--design slim] [--begin-with NAME]
    python -m training.student report --name first
    python -m training.student export --name first

It learns from real lips, from labelled speech, and from the teacher's opinion on everything that
was heard (``teacher.py opine``). Checkpoints are ``cache/student_<name>.pt``; ``train`` resumes.
"""

from __future__ import annotations

import argparse
import pickle
import queue
import threading
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from labial.audio.features import FLOOR
from labial.speech.phones import PHONES
from training.lessons import CACHE, UNKNOWN, Lesson, load_lessons
from training.losses import Agreement, Articulation, MotionLoss, phone_loss
from training.mouths import load_items
from training.networks import Student, load_sync
from training.noise import Disturber
from training.sampler import Sampler, phone_accuracy
from training.scores import motion_table, wild_mean
from training.teacher import OPINION, SYNC

ONNX = Path(__file__).parents[1] / "labial" / "speech" / "speech_v3.onnx"
SHARE = {
    "grid": 0.1, "people": 0.2, "kokoro": 0.18, "espeak": 0.08, "festival": 0.05, "flite": 0.03,
    "asterisk_en": 0.04, "asterisk_es": 0.02, "asterisk_fr": 0.02, "asterisk_it": 0.015,
    "asterisk_it_menardi": 0.015, "asterisk_es_co": 0.01, "asterisk_fr_armelle": 0.01,
    "fillets_cs": 0.04, "fillets_nl": 0.03, "ktuberling": 0.02, "tuxpaint": 0.04, "klettres": 0.01,
    "hedgewars": 0.02, "warzone2100": 0.02, "megaglest": 0.01, "moonshine": 0.015,
    "pocketsphinx_testdata": 0.015, "codec2": 0.01, "pyannote": 0.01, "drascula": 0.03,
    "amazon_queen": 0.04, "steel_sky": 0.04,
}  # fmt: skip
# By so much motion is advanced when it need not be waited for: the lips of strangers are ahead of
# what is predicted by about 20 ms, in GRID as in the wild.
LEAD = 1
SILENCE_SHARE = 0.08
TEMPO_SHARE = 0.35
TEACHER_MIX = 0.5


class Windows:
    """Windows of log-mel as at run time, disturbed, with all that is to be learned from them."""

    def __init__(self, lessons: list[Lesson], net: Student, rows: int, seed: int) -> None:
        self.sampler = Sampler(lessons, SHARE, rows, seed)
        self.rng, self.rows = self.sampler.rng, rows
        self.before, self.after = net.before, net.after
        self.opinion = pickle.loads(OPINION.read_bytes()) if OPINION.exists() else {}
        self.disturb = Disturber(self.rng, [x.mel for x in lessons[::7]])
        self.features = lessons[0].features.shape[1]
        self.classes = len(PHONES)

    def draw(self, size: int) -> list[torch.Tensor]:
        """mel, labels, seen motion with trust, taught motion, phones, features with trust."""
        columns = zip(*(self._one() for _ in range(size)), strict=True)
        return [torch.from_numpy(np.stack(column)) for column in columns]

    def _one(self) -> tuple[np.ndarray, ...]:
        rng, rows = self.rng, self.rows
        frames = self.before + 2 * rows - 1 + self.after
        silent = rng.random() < SILENCE_SHARE
        lesson, _ = self.sampler.pick()
        tempo = rng.uniform(0.85, 1.2) if rng.random() < TEMPO_SHARE else 1.0
        start = rng.uniform(-10, max(len(lesson) - rows * tempo, 0) + 10)
        start = start if tempo != 1 else round(start)
        if silent:
            mel = np.full((frames, lesson.mel.shape[1]), np.log(FLOOR), np.float32)
        else:
            mel = _at(lesson.mel, 2 * start + (np.arange(frames) - self.before) * tempo)
        at = start + np.arange(rows) * tempo
        near = np.rint(at).astype(int)
        inside = (near >= 0) & (near < len(lesson)) & (not silent)
        near = near.clip(0, len(lesson) - 1)
        labels = np.where(inside, lesson.labels[near], 0).astype(np.uint8)
        seen, trust = lesson.motion[near], lesson.trust[near] * inside
        if lesson.name in self.opinion:
            motion, phones = self.opinion[lesson.name]
            taught, said = _at(motion, at), phones[near].astype(np.float32)
            told = np.ones(rows, np.float32)
        else:
            taught = np.zeros((rows, seen.shape[1]), np.float32)
            said, told = np.zeros((rows, self.classes), np.float32), np.zeros(rows, np.float32)
        taught, said[~inside] = taught * inside[:, None], 0
        said[~inside, 0] = 1
        told[~inside] = 1
        features = _at(lesson.features, at)
        return (
            self.disturb(mel, silent), labels, (seen * inside[:, None]).astype(np.float32),
            trust.astype(np.float32), taught.astype(np.float32), said, told,
            features, inside.astype(np.float32),
        )  # fmt: skip


def _at(x: np.ndarray, position: np.ndarray) -> np.ndarray:
    """Rows of (n, d) at fractional positions; silence (of log-mel) or the end beyond."""
    mel = x.shape[1] == 80
    low = np.floor(position).astype(int)
    part = (position - low).astype(np.float32)[:, None]
    last = len(x) - 1
    a = x[low.clip(0, last)].astype(np.float32)
    if part.any():
        a = a * (1 - part) + x[(low + 1).clip(0, last)].astype(np.float32) * part
    if mel:
        a[(low < 0) | (low > last)] = np.log(FLOOR)
    return a


def prefetched(windows: Windows, size: int) -> queue.Queue:
    made: queue.Queue = queue.Queue(4)

    def work() -> None:
        while True:
            made.put(windows.draw(size))

    threading.Thread(target=work, daemon=True).start()
    return made


class Steps:
    """AdamW, and Muon (Jordan et al., 2024) for the matrices of the body, at one rate.

    Muon knows matrices only: the weights of a convolution are shown to it as one.
    """

    def __init__(self, net: Student, study: torch.nn.Module, args: argparse.Namespace) -> None:
        blocks = [*net.blocks.parameters(), *net.later.parameters()]
        body = [p for p in blocks if p.ndim > 1] if args.muon else []
        self.body = body
        self.flat = [torch.nn.Parameter(p.detach().view(len(p), -1)) for p in body]
        mine = {id(p) for p in body}
        rest = [p for p in [*net.parameters(), *study.parameters()] if id(p) not in mine]
        self.all = [torch.optim.AdamW(rest, args.rate, weight_decay=0.03)]
        if body:
            self.all.append(
                torch.optim.Muon(
                    self.flat, args.rate, weight_decay=0.03, adjust_lr_fn="match_rms_adamw"
                )
            )

    def step(self, rate: float) -> None:
        for flat, p in zip(self.flat, self.body, strict=True):
            flat.grad = p.grad.view(len(p), -1)
        for optimizer in self.all:
            for group in optimizer.param_groups:
                group["lr"] = rate
            optimizer.step()
            optimizer.zero_grad()
        for p in self.body:
            p.grad = None

    def state_dict(self) -> list[dict]:
        return [x.state_dict() for x in self.all]

    def load_state_dict(self, states: list[dict]) -> None:
        for optimizer, state in zip(self.all, states, strict=True):
            optimizer.load_state_dict(state)


def train(args: argparse.Namespace) -> None:
    torch.manual_seed(args.seed)
    lessons = load_lessons()
    # What was heard through noise served the teacher; here every window gets its own.
    learned = [x for x in lessons if not x.held_out and "~" not in x.name]
    net, path = Student(args.design), CACHE / f"student_{args.name}.pt"
    mels = np.concatenate([x.mel for x in learned[::9]]).astype(np.float32)
    net.mean.copy_(torch.tensor(mels.mean(0)))
    net.std.copy_(torch.tensor(mels.std(0)))
    known = learned[0].features.shape[1]
    study = torch.nn.ModuleList(torch.nn.Linear(net.width, known) for _ in range(2))
    parameters = [*net.parameters(), *study.parameters()]
    optimizer = Steps(net, study, args)
    begin, spent = 0, 0.0
    if args.begin_with == "shipped" and not path.exists():
        net.load_state_dict(shipped_weights(net))
    elif args.begin_with and not path.exists():
        state = torch.load(CACHE / f"student_{args.begin_with}.pt", weights_only=True)
        net.load_state_dict(state["average"], strict=False)
        study[0].load_state_dict(state["study"], strict=False)
    average = {k: v.clone() for k, v in net.state_dict().items()}
    if path.exists():
        state = torch.load(path, weights_only=True)
        net.load_state_dict(state["net"])
        study.load_state_dict(state["study"])
        optimizer.load_state_dict(state["optimizer"])
        average, begin, spent = state["average"], state["step"], state["spent"]
    made = prefetched(Windows(learned, net, args.rows, args.seed + begin), args.size)
    motion_loss, articulation = MotionLoss(), Articulation()
    agreement = Agreement(load_sync(SYNC)) if args.sync else None
    clock, running, step = time.time(), np.zeros(6), begin
    progress = spent / 60 / args.minutes
    while progress < 1:
        # The rate follows the clock: a slow machine learns less, but ends as it should.
        rate = min(1, progress / 0.04 + 0.02) * (0.02 + 0.49 * (1 + np.cos(np.pi * progress)))
        mel, labels, seen, trust, taught, said, told, features, inside = made.get()
        with torch.autocast("cpu", torch.bfloat16, enabled=args.bf16):
            live, later = net.train().hidden(mel)
            live = live[:, net.margin : live.shape[1] - net.margin]
            told_by = [x.float() for x in net.say(live, later)]
            studied = [s(x).float() for s, x in zip(study, (live, later), strict=True)]
        # Real lips and the teacher's, which lack what nobody can hear, in equal parts.
        taught_share = torch.where(trust > 0, TEACHER_MIX, 1.0) * told
        want = seen * (1 - taught_share[..., None]) + taught * taught_share[..., None]
        weight = torch.where(trust > 0, 1.0, 0.7 * told)
        unseen = torch.where(trust.max(1, keepdim=True).values > 0, UNKNOWN, labels)
        parts = torch.zeros(6)
        for share, motion, logits, guess in (
            (args.live, *told_by[:2], studied[0]),
            (1.0, *told_by[2:], studied[1]),
        ):
            chance = (said * functional.log_softmax(logits, -1)).sum(-1)
            parts = parts + share * torch.stack([
                args.motion * motion_loss(motion, want, weight),
                args.rules * articulation(motion, unseen),
                args.phones * phone_loss(logits, labels),
                args.phones * -(chance * told).mean(),
                args.study * (((guess - features) ** 2).mean(-1) * inside).mean()
                / features.var(),
                args.sync * agreement(motion, features, inside) if agreement else torch.zeros(()),
            ])  # fmt: skip
        parts.sum().backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step(float(args.rate * rate))
        step += 1
        progress = (spent + time.time() - clock) / 60 / args.minutes
        keep = min(0.998, step / (step + 10))
        for key, now in net.state_dict().items():
            average[key].lerp_(now, 1 - keep)
        running += parts.detach().numpy() / 100
        if step % 100 == 0:
            print(f"{step:6d} {progress:.3f} {running.round(3)}", flush=True)
            running[:] = 0
        if step % 250 == 0 or progress >= 1:
            torch.save(
                {
                    "design": args.design, "net": net.state_dict(), "study": study.state_dict(),
                    "average": average, "step": step, "optimizer": optimizer.state_dict(),
                    "spent": spent + time.time() - clock,
                },
                path,
            )  # fmt: skip
            if step % 5000 == 0 or progress >= 1:
                report(load(args.name), lessons)


def load(name: str) -> Student:
    state = torch.load(CACHE / f"student_{name}.pt", weights_only=True)
    net = Student(state["design"])
    net.load_state_dict(state["average"])
    return net.eval()


@torch.no_grad()
def listen(net: Student, mel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(F, 80) log-mel of a whole clip → motion (F // 2, K) and phone probabilities, as at run time:
    with silence around the clip, and motion advanced by ``LEAD``."""
    around = ((net.before, net.after + 2 * LEAD), (0, 0))
    padded = np.pad(mel.astype(np.float32), around, constant_values=np.log(FLOOR))
    motion, logits = net(torch.tensor(padded)[None])
    n = len(mel) // 2
    return motion[0, LEAD : n + LEAD].numpy(), logits[0, :n].softmax(-1).numpy()


def report(net: Student, lessons: list[Lesson]) -> None:
    table = motion_table(lambda item: listen(net, item.mel)[0], load_items())
    print(table)
    print("in the wild, mean of the groups:", wild_mean(table))
    for source, score in phone_accuracy(lambda x: listen(net, x.mel)[1], lessons).items():
        print(f"{source:20s} " + " ".join(f"{k} {v:.3f}" for k, v in score.items()), flush=True)


class Shipped(torch.nn.Module):
    """The student with probabilities instead of logits, as it is and live."""

    def __init__(self, net: Student) -> None:
        super().__init__()
        self.net = net

    def forward(self, mel: torch.Tensor) -> tuple[torch.Tensor, ...]:
        live, live_logits, motion, logits = self.net.say(*self.net.hidden(mel))
        phones = logits[:, : logits.shape[1] - LEAD].softmax(-1)
        return motion[:, LEAD:], phones, live, live_logits.softmax(-1)


def shipped_weights(net: Student) -> dict[str, torch.Tensor]:
    """The weights that are part of the package, under their names in ``net``."""
    import onnx

    found = {x.name: onnx.numpy_helper.to_array(x) for x in onnx.load(ONNX).graph.initializer}
    return {name: torch.tensor(found[f"net.{name}"]) for name in net.state_dict()}


def export(name: str) -> None:
    import onnx

    net = load(name)
    example = torch.zeros(1, net.before + net.after + 199, 80)
    outputs = ["motion", "phones", "live_motion", "live_phones"]
    axes = {"mel": {1: "frames"}} | {
        x: {1: "live_rows" if "live" in x else "rows"} for x in outputs
    }
    torch.onnx.export(
        Shipped(net).eval(), (example,), str(ONNX), input_names=["mel"],
        output_names=outputs, dynamic_axes=axes, opset_version=17, dynamo=False,
        # Every weight keeps its name, so that a run can begin with what is shipped.
        do_constant_folding=False,
    )  # fmt: skip
    model = onnx.load(ONNX)
    facts = {
        "mel_before": net.before, "mel_after": net.after + 2 * LEAD,
        "live_mel_before": net.live_before, "live_mel_after": net.live_after, "rate": 50,
    }  # fmt: skip
    onnx.helper.set_model_props(model, {k: str(v) for k, v in facts.items()})
    onnx.save(model, ONNX)
    print(ONNX.name, ONNX.stat().st_size, "bytes", facts)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["train", "report", "export"])
    parser.add_argument("--name", default="first")
    parser.add_argument("--design", default="dilated_wide")
    parser.add_argument("--begin-with", default="", help="a run to take weights from, or 'shipped'")
    parser.add_argument("--minutes", type=float, default=80, help="of training, in all")
    parser.add_argument("--size", type=int, default=10)
    parser.add_argument("--rows", type=int, default=384)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--motion", type=float, default=3.0)
    parser.add_argument("--rules", type=float, default=0.3)
    parser.add_argument("--phones", type=float, default=0.4)
    parser.add_argument("--study", type=float, default=0.5)
    parser.add_argument("--live", type=float, default=0.5, help="weight of the live outputs")
    parser.add_argument("--muon", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--sync", type=float, default=0.0, help="weight of sync_features' say")
    parser.add_argument("--bf16", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    if args.what == "train":
        train(args)
    elif args.what == "report":
        report(load(args.name), load_lessons())
    else:
        export(args.name)
