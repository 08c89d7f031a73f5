"""Train the sync expert: does this mouth speak this sound, and by how much too late?

    python -m training.sync train STUDENT [--name sync --steps 1500 --design gated]
    python -m training.sync train features --name sync_features    # for student --sync
    python -m training.sync report STUDENT [--name sync]
    python -m training.sync export [--name sync]

The sound comes as the student's motion and phones, the mouth as tracked motion; both networks
are small. A clip's own A/V offset, as the teacher hears it, is taken out first. Some of the mouths
are the teacher's idea of speech that nobody filmed.
"""

from __future__ import annotations

import argparse
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from labial.metrics.sync import LAGS, offset_of
from labial.types import MouthMotion, SpeechTrack
from training.lessons import CACHE, Lesson, load_lessons, load_offsets
from training.losses import SYNC_SCALE, lag_scores
from training.mouths import Item, load_items
from training.networks import Sync, load_sync
from training.noise import Disturber
from training.student import listen
from training.student import load as load_student
from training.teacher import OPINION

ONNX = Path(__file__).parents[1] / "labial" / "metrics" / "sync_v2.onnx"
ROWS, PIECE = 200, 250
VERSIONS, IMAGINED = 3, 1500
# Of strangers it tells by up to 60 ms later than of people it learned from: by 0 to 3 rows.
LATE = 4
PEOPLE_SHARE, GRID_SHARE = 0.6, 0.4


def heard_by_student(lessons: list[Lesson], student: str) -> list[list[np.ndarray]]:
    """Per lesson (T, K + P) as the student hears it, clean and disturbed; or its features."""
    if student == "features":
        return [[lesson.features] * VERSIONS for lesson in lessons]
    net = load_student(student)
    disturb = Disturber(np.random.default_rng(0), [x.mel for x in lessons[::5]])
    out = []
    for lesson in lessons:
        mel = lesson.mel.astype(np.float32)
        versions = 1 if lesson.held_out else VERSIONS
        sounds = [mel] + [disturb(mel) for _ in range(versions - 1)]
        out.append([np.concatenate(listen(net, sound), 1) for sound in sounds])
    return out


def train(args: argparse.Namespace) -> None:
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    lessons = [x for x in load_lessons("av_*") if x.trust.sum() > 75 and "~" not in x.name]
    lessons = [x for x in lessons if not x.held_out]
    if args.unseen:
        lessons += imagined(rng)
    sounds = heard_by_student(lessons, args.student)
    net = Sync(args.design, sounds[0][0].shape[1])
    optimizer = torch.optim.AdamW(net.parameters(), 2e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=args.steps)
    kinds: dict[str, dict[str, list[int]]] = {"people": {}, "grid": {}, "unseen": {}}
    for i, lesson in enumerate(lessons):
        kind = lesson.kind if lesson.kind in kinds else "unseen"
        kinds[kind].setdefault(lesson.voice, []).append(i)
    voices = {kind: [*of.values()] for kind, of in kinds.items()}
    share = np.array([PEOPLE_SHARE, GRID_SHARE, 0]) * (1 - args.unseen) + [0, 0, args.unseen]
    # The teacher's features are late on nobody.
    late = 1 if args.student == "features" else LATE
    want = torch.exp(-0.5 * torch.tensor(LAGS, dtype=torch.float32) ** 2)
    want = want / want.sum()
    for step in range(args.steps):
        batch = []
        for _ in range(32):
            group = voices[rng.choice(list(kinds), p=share)]
            voice = group[rng.integers(len(group))]
            i = voice[rng.integers(len(voice))]
            sound = sounds[i][rng.integers(VERSIONS)]
            lesson = lessons[i]
            start = int(rng.integers(0, max(len(lesson) - ROWS, 0) + 1))
            window = slice(start, start + ROWS)
            # Another style: more or less of everything, and noise of the tracker.
            mouth = lesson.motion[window] * rng.uniform(0.6, 1.6)
            mouth = mouth + rng.normal(0, 0.25, mouth.shape) + rng.normal(0, 0.4, mouth.shape[1])
            if lesson.kind not in kinds:
                # What people do besides speaking, and what nobody can hear.
                walk = rng.normal(0, 1, mouth.shape).cumsum(0)
                mouth = mouth + rng.uniform(0, 0.1) * (walk - walk.mean(0))
            # The student knows these voices: let it hear as badly as it hears others, and as late.
            said = sound[max(start - int(rng.integers(0, late)), 0) :][:ROWS]
            said = said + rng.normal(0, 0.15, said.shape)
            parts = said, mouth, lesson.trust[window]
            batch.append([_long(p, ROWS).astype(np.float32) for p in parts])
        sound, mouth, trust = (torch.tensor(np.stack(c)) for c in zip(*batch, strict=True))
        reach = net.reach
        a, b = net.train()(sound, mouth)
        logits = SYNC_SCALE * lag_scores(a, b, trust[:, reach : ROWS - reach], LAGS.tolist())
        value = -(logits.log_softmax(1) * want).sum(1).mean()
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        schedule.step()
        if step % 300 == 299:
            print(step + 1, f"{value.item():.3f}", flush=True)
    state = {"design": args.design, "inputs": net.inputs, "net": net.state_dict()}
    torch.save(state, CACHE / f"{args.name}.pt")
    if args.student != "features":
        report(args)


def imagined(rng: np.random.Generator) -> list[Lesson]:
    """Speech without a picture, with the mouth that the teacher imagines."""
    opinion = pickle.loads(OPINION.read_bytes())
    lessons = [
        replace(x, motion=opinion[x.name][0].astype(np.float32), trust=np.ones_like(x.trust))
        for x in load_lessons()
        if not x.held_out and not x.name.startswith("av_") and x.name in opinion and len(x) > ROWS
    ]
    return [lessons[i] for i in rng.permutation(len(lessons))[:IMAGINED]]


def _long(x: np.ndarray, rows: int) -> np.ndarray:
    return np.pad(x, ((0, rows - len(x)),) + ((0, 0),) * (x.ndim - 1))


def measure(
    items: list[Item],
    hear: Callable[[Item], SpeechTrack],
    towers: Callable[[SpeechTrack, MouthMotion], tuple[np.ndarray, np.ndarray]],
) -> float:
    """Cut held-out clips of people into 5 s, shift each by chance within ±400 ms, and find it.

    What counts as right is the clip's own offset, as the teacher hears it over the whole clip.
    Returns the share within 40 ms.
    """
    rng, offsets = np.random.default_rng(1), load_offsets()
    errors: dict[str, list[tuple[float, float]]] = {}
    for item in items:
        own = offsets.get(item.name)
        if not item.held_out or item.name.startswith("grid") or own is None:
            continue
        track = hear(item)
        for start in range(0, len(track) - PIECE + 1, PIECE // 2):
            shift = rng.uniform(-0.4, 0.4)
            mouth, usable = item.rows(own + shift)
            window = slice(start, start + PIECE)
            mouth, usable = _long(mouth[window], PIECE), _long(usable[window], PIECE)
            if usable.sum() < 0.6 * PIECE:
                continue
            sound = SpeechTrack(
                MouthMotion(track.motion.coefficients[window]), track.phones[window]
            )
            found = offset_of(*towers(sound, MouthMotion(mouth)), usable)
            errors.setdefault(item.name, []).append((found.seconds - shift, found.confidence))
    everything = [e for group in errors.values() for e in group]
    for name, group in [*errors.items(), ("all", everything)]:
        e = np.array(group)
        near, sure = np.abs(e[:, 0]) <= 0.04, e[:, 1] > 0.5
        print(
            f"{name:60s} {len(e):4d} within 40 ms {near.mean():.3f} "
            f"median {1000 * np.median(e[:, 0]):+.0f} ms; sure {sure.mean():.2f}: "
            f"{near[sure].mean() if sure.any() else np.nan:.3f}"
        )
    return float((np.abs(np.array(everything)[:, 0]) <= 0.04).mean())


def report(args: argparse.Namespace) -> None:
    net, student = load_sync(CACHE / f"{args.name}.pt"), load_student(args.student)

    def hear(item: Item) -> SpeechTrack:
        motion, phones = listen(student, item.mel)
        return SpeechTrack(MouthMotion(motion), phones)

    @torch.no_grad()
    def towers(speech: SpeechTrack, mouth: MouthMotion) -> tuple[np.ndarray, np.ndarray]:
        sound = np.concatenate([speech.motion.coefficients, speech.phones], 1)
        around = ((net.reach, net.reach), (0, 0))
        pair = (np.pad(x, around, "edge")[None] for x in (sound, mouth.coefficients))
        heard, seen = net(*(torch.tensor(x) for x in pair))
        return heard[0].numpy(), seen[0].numpy()

    measure(load_items(), hear, towers)


def export(args: argparse.Namespace) -> None:
    import onnx

    net = load_sync(CACHE / f"{args.name}.pt")
    example = torch.zeros(1, 250, net.sound[0].in_channels), torch.zeros(1, 250, 12)
    axes = {
        "sound": {1: "rows"},
        "mouth": {1: "rows_of_mouth"},
        "heard": {1: "n"},
        "seen": {1: "m"},
    }
    torch.onnx.export(
        net, example, str(ONNX), input_names=["sound", "mouth"], output_names=["heard", "seen"],
        dynamic_axes=axes, opset_version=17, dynamo=False,
    )  # fmt: skip
    model = onnx.load(ONNX)
    onnx.helper.set_model_props(model, {"reach": str(net.reach), "rate": "50"})
    onnx.save(model, ONNX)
    print(ONNX.name, ONNX.stat().st_size, "bytes")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["train", "report", "export"])
    parser.add_argument("student", nargs="?", default="")
    parser.add_argument("--name", default="sync")
    parser.add_argument("--design", default="gated", choices=list(Sync.DESIGNS))
    parser.add_argument("--unseen", type=float, default=0.3, help="share without a picture")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    {"train": train, "report": report, "export": export}[args.what](args)
