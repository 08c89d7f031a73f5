"""All figures of the shipped speech network, on speakers and clips that were never trained on.

python -m training.evaluate motion
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from labial.audio.clean import prepare
from labial.audio.features import FLOOR, RATE, log_mel
from labial.metrics.articulation import correlation, lag_of
from labial.metrics.closure import opens, runs, touches
from labial.metrics.silence import leaking, resting
from labial.metrics.sync import load_expert
from labial.motion.rules import Rules, apply_rules
from labial.motion.space import load_basis
from labial.motion.style import fit_style
from labial.speech.encoder import SpeechEncoder
from labial.speech.phones import BILABIAL, OPEN, PHONE_INDEX
from labial.types import Audio, MouthMotion, SpeechTrack
from training.lessons import (
    TRACKS,
    UNKNOWN,
    Lesson,
    load_lessons,
    load_offsets,
    loudness_db,
    speechness,
)
from training.mouths import Item, load_items
from training.sampler import phone_accuracy
from training.scores import GROUPS
from training.teacher import OPINION

BASIS = load_basis()
ROW_RATE = 50
RULES = {
    "no rules": Rules(False, False, False), "closures": Rules(True, False, False),
    "rest": Rules(False, True, False), "onset": Rules(False, False, True), "all": Rules(),
}  # fmt: skip
NOISE_DB = 10.0
# A mouth is shut for good if it stays below the first; the voice has gone on too long after it by
# the second.
SHUT, LOST_SECONDS = 0.02, 0.15


class Ear:
    """The shipped network on log-mel of whole clips, with silence around them."""

    def __init__(self, live: bool = False) -> None:
        self.encoder = SpeechEncoder(live)

    def __call__(self, mel: np.ndarray) -> SpeechTrack:
        around = ((self.encoder.mel_before, self.encoder.mel_after), (0, 0))
        padded = np.pad(mel.astype(np.float32), around, constant_values=np.log(np.float32(FLOOR)))
        motion, phones = self.encoder.rows(padded)
        n = len(mel) // 2
        return SpeechTrack(MouthMotion(motion[:n]), phones[:n])


def ruled(track: SpeechTrack, rules: Rules) -> SpeechTrack:
    return SpeechTrack(apply_rules(track, BASIS, rules), track.phones)


@dataclass
class Seen:
    """One held-out clip: the real mouth, by how much its picture is late, as the teacher says, and
    whether the picture lost frames."""

    item: Item
    track: SpeechTrack
    real: np.ndarray
    usable: np.ndarray
    late: float
    lost: bool


def watch(items: list[Item], ear: Ear) -> list[Seen]:
    offsets, found = load_offsets(), []
    for item in items:
        track = ear(item.mel)
        real, usable = item.rows()
        n = min(len(real), len(track))
        if usable[:n].sum() >= 60:
            late = offsets.get(item.name, 0.0)
            lost = lost_frames(item, real[:n])
            found.append(Seen(item, track, real[:n], usable[:n], late, lost))
    return found


def taught(clip: Seen, told: dict[str, tuple[np.ndarray, np.ndarray]]) -> SpeechTrack:
    """What the teacher says of a clip's sound."""
    kind = "av_grid" if clip.item.name.startswith("grid") else "av_people"
    motion, phones = told[f"{kind}/{clip.item.name}"]
    return SpeechTrack(MouthMotion(motion.astype(np.float32)), phones.astype(np.float32))


def clip_scores(clip: Seen, track: SpeechTrack) -> dict[str, float]:
    n = len(clip.real)
    got = track.motion.coefficients[:n]
    opened, real = BASIS.aperture(got), BASIS.aperture(clip.real)
    _, best = lag_of(opened, real, clip.usable)
    shifted, shifted_usable = clip.item.rows(clip.late)
    m = min(n, len(shifted))
    ok = shifted_usable[:m]
    quiet = speechness(clip.item.mel, n) < 0.01
    return {
        "r": correlation(opened[clip.usable], real[clip.usable]),
        "r synced": correlation(opened[:m][ok], BASIS.aperture(shifted)[:m][ok]),
        "best r": best,
        "width r": correlation(BASIS.width(got)[:m][ok], BASIS.width(shifted)[:m][ok]),
        "range": float(opened[clip.usable].std() / real[clip.usable].std()),
        "leak": float(leaking(opened)[quiet].mean()) if quiet.sum() > 10 else np.nan,
    }


def lost_frames(item: Item, real: np.ndarray) -> bool:
    """Whether the voice goes on for long after the ``real`` (n, K) mouth has shut for good.

    Some of GRID's recordings have lost frames: picture and sound begin together and drift apart.
    Nothing that is predicted plays a part in this.
    """
    open_rows = np.flatnonzero(BASIS.aperture(real) > SHUT)
    level = loudness_db(item.mel)
    loud = np.convolve(level > np.percentile(level, 10) + 15, np.ones(10), "valid") >= 10
    if not len(open_rows) or not loud.any():
        return False
    return bool((np.flatnonzero(loud)[-1] + 10) / 100 - open_rows[-1] / ROW_RATE > LOST_SECONDS)


def by_group(seen: list[Seen], hear: Callable[[Seen], SpeechTrack]) -> dict[str, dict[str, float]]:
    import fnmatch

    groups = {g: [c for c in seen if fnmatch.fnmatch(c.item.name, p)] for g, p in GROUPS.items()}
    groups["GRID, no frames lost"] = [c for c in groups["GRID s33 s34"] if not c.lost]
    out = {}
    for group, chosen in groups.items():
        scores = [clip_scores(c, hear(c)) for c in chosen]
        if scores:
            out[group] = {"clips": len(scores)} | {
                k: float(np.nanmean([s[k] for s in scores]))
                if np.isfinite([s[k] for s in scores]).any() else np.nan
                for k in scores[0]
            }  # fmt: skip
            out[group]["median r"] = float(np.median([s["r synced"] for s in scores]))
    return out


def wild(groups: dict[str, dict[str, float]], key: str) -> float:
    return float(np.nanmean([v[key] for g, v in groups.items() if "GRID" not in g]))


def print_groups(groups: dict[str, dict[str, float]]) -> None:
    keys = [*next(iter(groups.values()))]
    print(f"{'':28s}" + "".join(f"{k:>10s}" for k in keys))
    for name, row in groups.items():
        print(f"{name:28s}" + "".join(f"{row[k]:10.2f}" for k in keys))
    print(f"{'in the wild, mean':28s}" + "".join(f"{wild(groups, k):10.2f}" for k in keys))


def closures(lessons: list[Lesson], tracks: dict[str, SpeechTrack]) -> dict[str, list[float]]:
    """Per source and language: share of /p b m/ that close, and of open vowels that stay open.

    A closure counts if the lips touch at any time from 20 ms before the phone to 20 ms after it;
    a vowel of 80 ms or more is lost if they touch throughout its middle.
    """
    lips = [PHONE_INDEX[x] for x in BILABIAL]
    vowels = [PHONE_INDEX[x] for x in OPEN]
    out: dict[str, list[list[bool]]] = {}
    for lesson in lessons:
        if lesson.name not in tracks:
            continue
        opened = BASIS.aperture(tracks[lesson.name].motion.coefficients)
        source = lesson.name.split("/")[0]
        key = source if source.startswith("av_") else f"{source} {lesson.language}"
        shut, lost = out.setdefault(key, [[], []])
        for a, b in runs(lesson.labels, lips):
            shut.append(touches(opened, a, b))
        for a, b in runs(lesson.labels, vowels):
            if b - a >= 4:
                lost.append(opens(opened, a, b))
    return {
        k: [len(s), float(np.mean(s or [np.nan])), len(v), float(np.mean(v or [np.nan]))]
        for k, (s, v) in sorted(out.items())
    }


def silences(lessons: list[Lesson], tracks: dict[str, SpeechTrack]) -> float:
    """Share of leaking rows in labelled silences of 250 ms and more."""
    rows = []
    for lesson in lessons:
        if lesson.name not in tracks:
            continue
        flags = leaking(BASIS.aperture(tracks[lesson.name].motion.coefficients))
        rows.append(flags[: len(lesson.labels)][resting(lesson.labels)[: len(flags)]])
    return float(np.concatenate(rows).mean())


def noisy(item: Item, decibel: float, rng: np.random.Generator) -> np.ndarray:
    """Log-mel of the clip's sound with pink noise ``decibel`` below it."""
    with np.load(TRACKS / f"{item.name}.npz") as data:
        sound = prepare(data["audio"].astype(np.float32), item.name)
    spectrum = np.fft.rfft(rng.standard_normal(len(sound)))
    hiss = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 50)), len(sound))
    spoken = np.repeat(loudness_db(log_mel(sound)) > -25, RATE // 100)[: len(sound)]
    power = float((sound[: len(spoken)][spoken] ** 2).mean())
    hiss *= np.sqrt(power / 10 ** (decibel / 10) / (hiss**2).mean())
    return log_mel(prepare((sound + hiss).astype(np.float32), item.name))


def styled(clip: Seen) -> tuple[float, float] | None:
    """Range ratio of the second half before and after a style fitted on the first."""
    n = len(clip.real)
    half, times = n // 2, np.arange(n) / ROW_RATE
    first = SpeechTrack(
        MouthMotion(clip.track.motion.coefficients[:half]), clip.track.phones[:half]
    )
    second = SpeechTrack(
        MouthMotion(clip.track.motion.coefficients[half:n]), clip.track.phones[half:n]
    )
    rows = clip.usable[half:] & (second.voice > 0.5)
    if n < 7.5 * ROW_RATE or rows.sum() < 2 * ROW_RATE:
        return None
    style = fit_style(clip.real[:half], clip.usable[:half], times[:half], BASIS, first, second)
    real = BASIS.aperture(clip.real[half:])[rows].std()
    before = BASIS.aperture(second.motion.coefficients)[rows].std()
    after = BASIS.aperture(style.apply(second.motion, BASIS).coefficients)[rows].std()
    return float(before / real), float(after / real)


def speed(encoder: SpeechEncoder) -> tuple[float, float]:
    """Times real time on one core, log-mel included; greatest difference of streaming."""
    rng = np.random.default_rng(0)
    sound = (0.1 * rng.standard_normal(60 * RATE)).astype(np.float32)
    audio = Audio(sound, RATE)
    encoder(audio)
    clock = time.process_time()
    whole = encoder(audio)
    factor = audio.seconds / (time.process_time() - clock)
    streamed = []
    for row in range(0, 200, 5):
        frames = range(2 * row - encoder.mel_before, 2 * (row + 4) + encoder.mel_after + 1)
        streamed.append(encoder.rows(log_mel(sound, frames.start, frames.stop))[0])
    gap = np.abs(np.concatenate(streamed) - whole.motion.coefficients[:200]).max()
    return factor, float(gap)


Rows = list[tuple[str, str, str]]


def report_filmed(items: list[Item], ear: Ear) -> Rows:
    """Print how the motion fits real lips; return what the last table says of it."""
    seen = watch(items, ear)
    raw = by_group(seen, lambda c: c.track)
    print("As the network says it")
    print_groups(raw)
    live = Ear(live=True)
    print("\nLive, looking less far ahead")
    print_groups(by_group(seen, lambda c: live(c.item.mel)))
    kept = by_group(seen, lambda c: ruled(c.track, Rules()))
    print("\nWith the rules")
    print_groups(kept)
    print("\nr after offset correction, GRID and wild, by rule")
    for name, which in RULES.items():
        bent = by_group(seen, lambda c, w=which: ruled(c.track, w))
        print(f"{name:24s} {bent['GRID s33 s34']['r synced']:.3f} {wild(bent, 'r synced'):.3f}")
    if OPINION.exists():
        told = pickle.loads(OPINION.read_bytes())
        print("\nAs the teacher, who is not shipped, says it")
        print_groups(by_group(seen, lambda c: taught(c, told)))
    rng = np.random.default_rng(0)
    for decibel in (0.0, 20.0, NOISE_DB):
        loud = by_group(seen, lambda c, d=decibel: ear(noisy(c.item, d, rng)))
        print(f"\nWith pink noise {decibel:.0f} dB below the speech")
        print_groups(loud)
    ranges = [r for c in seen if (r := styled(c)) and "grid" not in c.item.name]

    def both(group: str, key: str) -> str:
        """As the network says it, and with the rules."""
        a, b = (t[group][key] if group else wild(t, key) for t in (raw, kept))
        return f"{a:.2f}, with rules {b:.2f}"

    return [
        ("opening r, GRID", both("GRID s33 s34", "r synced"), ">= .93"),
        ("    its median clip", both("GRID s33 s34", "median r"), ""),
        ("    without recordings that lost frames", both("GRID, no frames lost", "r synced"), ""),
        ("opening r in the wild, best lag", both("", "best r"), ">= .78"),
        ("opening r in the wild, after offset correction", both("", "r synced"), ">= .72"),
        ("width r in the wild", both("", "width r"), ">= .65"),
        ("range ratio before, after style fit", "{:.2f}, {:.2f}".format(*np.mean(ranges, 0)),
         ".85-1.15"),
        ("loss of r in noise, 10 dB", f"{wild(raw, 'r synced') - wild(loud, 'r synced'):.3f}",
         "<= .05"),
    ]  # fmt: skip


def report_labelled(ear: Ear) -> Rows:
    """Print what becomes of phones whose times are known; return the last table's rows."""
    lessons = [*load_lessons("*_test"), *load_lessons("av_grid")]
    lessons = [x for x in lessons if x.held_out and (x.labels != UNKNOWN).any()]
    heard = {x.name: ear(x.mel) for x in lessons}
    kept = {k: ruled(t, Rules()) for k, t in heard.items()}
    print("\n/p b m/ that close, long open vowels that stay open")
    before, shut = closures(lessons, heard), closures(lessons, kept)
    for key, (n, closed, m, stay) in shut.items():
        print(f"{key:24s} {n:5.0f} {closed:6.3f} (without rules {before[key][1]:.3f})   "
              f"{m:5.0f} {stay:6.3f} ({before[key][3]:.3f})")  # fmt: skip
    vowels = [[m, stay] for _, _, m, stay in shut.values()]
    print(f"English without rules {weighted(english_of(before)):.3f}; "
          f"vowels that stay open {weighted(vowels):.3f}")  # fmt: skip
    print("\nRows that leak in silences of 250 ms and more")
    for name, which in RULES.items():
        leak = silences(lessons, {k: ruled(t, which) for k, t in heard.items()})
        print(f"{name:24s} {leak:.4f}")
    print("\nPhones and visemes, share of 20 ms rows")
    accuracy = phone_accuracy(lambda x: heard[x.name].phones, lessons)
    for key, score in accuracy.items():
        print(f"{key:24s} " + " ".join(f"{k} {v:.3f}" for k, v in score.items()))
    print("\nBy sex, the neural test voices")
    for sex in "fm":
        voices = [x for x in lessons if x.voice.startswith("kokoro_test:") and _sex(x) == sex]
        marked = [replace(x, name=f"av_{sex}/{x.name}", language="") for x in voices]
        score = phone_accuracy(lambda x: heard[x.name.split("/", 1)[1]].phones, marked)
        print(
            f"{sex:24s} viseme {score[f'av_{sex}']['viseme']:.3f} "
            f"closed {weighted([*closures(voices, kept).values()]):.3f}"
        )
    others = [v for k, v in shut.items() if k.startswith("kokoro") and not k.endswith(" en")]
    return [
        ("/p b m/ closed, English", f"{weighted(english_of(shut)):.3f}", ">= .97"),
        ("/p b m/ closed, other languages", f"{weighted(others):.3f}", ">= .95"),
        ("silence leak", f"{leak:.4f}", "<= .02"),
        ("viseme accuracy, unseen Russian", f"{accuracy['festvox_ru_test ru']['viseme']:.3f}",
         ">= .65"),
    ]  # fmt: skip


def report() -> None:
    from training import sync

    ear = Ear()
    items = [i for i in load_items() if i.held_out]
    rows = report_filmed(items, ear) + report_labelled(ear)
    factor, gap = speed(ear.encoder)
    print("\nSync expert, 5 s of held-out clips shifted by up to ±400 ms")
    synced = sync.measure(items, lambda item: ear(item.mel), load_expert().towers)
    rows += [
        ("offset within 40 ms, 5 s", f"{synced:.3f}", ">= .95"),
        ("times real time, one core", f"{factor:.0f}", ">= 100"),
        ("streaming against offline", f"{gap:.1e}", "<= 1e-3"),
    ]
    print()
    for name, value, goal in rows:
        print(f"{name:50s} {value:>24s}   {goal}")


def _sex(lesson: Lesson) -> str:
    """Kokoro's voices are named by language and sex: af_bella."""
    return lesson.voice.split(":")[1][1]


def english_of(closed: dict[str, list[float]]) -> list[list[float]]:
    return [v for k, v in closed.items() if k.endswith(" en") or k == "av_grid"]


def weighted(rows: list[list[float]]) -> float:
    return float(sum(n * share for n, share, *_ in rows) / sum(n for n, *_ in rows))
