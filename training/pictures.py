"""Pairs of frames to learn the picture of the mouth from.

    python -m training.pictures [CORPUS] [PART PARTS]

For every clip that may be trained on: frames given the mouth of other frames of the shot, by warp
and bank as a dub does, and those other frames. All lie in the mouth plane, so what was right and
what was made can be compared pixel by pixel. The cache is ``training/cache/pictures/<clip>.npz``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np

from labial import LabialError, geometry
from labial.render.bank import Choice, Patch
from labial.render.painter import lit_like
from labial.render.plane import HEIGHT, WIDTH, MouthPlane, lip_maps
from labial.render.register import settled
from training.mouths import TWICE, is_held_out
from training.reenactment import Clip

PICTURES = Path(__file__).parent / "cache" / "pictures"
MOST_PAIRS, GRID_PAIRS = 420, 14
APART, NEAR_APART = 0.8, 0.5
DEGREES, SCALE = 5.0, 0.1
GRID_OF_S1 = 60
OPEN = 0.03
# What is stored, (n, HEIGHT, WIDTH, 3) uint8 each, and whose lips are drawn, (n, 2, HEIGHT, WIDTH).
VIEWS = ("made", "empty", "real", "answer", "source", "filmed", "other", "look")
MAPS = ("target", "source", "filmed", "other", "look", "real")


def corpus_clips(corpus: Path) -> list[Path]:
    """All clips that may be trained on; of GRID's large speaker a part."""
    people = sorted((corpus / "people").glob("*.mp4"))
    grid = sorted((corpus / "grid").glob("*.mp4"))
    large = [p for p in grid if p.name.startswith("s1_")]
    grid = [p for p in grid if p not in large] + large[:: max(1, len(large) // GRID_OF_S1)]
    names = {path: f"{path.parent.name}__{path.stem}" for path in [*people, *grid]}
    return [p for p, name in names.items() if not is_held_out(name) and name not in TWICE]


def pairs(clip: Clip, count: int, apart: float, rng: np.random.Generator) -> np.ndarray:
    """(n, 2) rows: source and real, alike in view."""
    rows = np.flatnonzero(clip.usable)
    if len(rows) < 10:
        return np.zeros((0, 2), int)
    yaw, pitch, _ = geometry.angles_degrees(clip.track.rotation[rows])
    view = np.stack([yaw / DEGREES, pitch / DEGREES, np.log(clip.track.scale[rows]) / SCALE], 1)
    opening, times = clip.opening[rows], clip.times[rows]
    # Open mouths are rarer than they are important.
    weight = 0.3 + np.clip(opening / 0.08, 0, 2)
    found = []
    for i in rng.choice(len(rows), count, p=weight / weight.sum()):
        gap = np.abs(view - view[i])
        fits = (gap < 1).all(1) & (np.abs(times - times[i]) >= apart)
        if not fits.any():
            continue
        choices = np.flatnonzero(fits)
        shut = choices[opening[choices] < 0.035]
        if len(shut) and opening[i] > 0.06 and rng.random() < 0.5:
            choices = shut
        order = choices[np.argsort((gap[choices] ** 2).sum(1))]
        found.append((rows[order[rng.integers(min(8, len(order)))]], rows[i]))
    return np.array(found, int).reshape(-1, 2)


def patch_view(clip: Clip, patch: Patch) -> tuple[np.ndarray, np.ndarray]:
    plane = MouthPlane.of(clip.track, patch.index - clip.track.start)
    image = patch.rgb.astype(np.float32) / np.iinfo(patch.rgb.dtype).max
    return plane.view(image, patch.box), lip_maps(plane.to_plane(patch.landmarks))


def mixed_view(clip: Clip, choice: Choice) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What the bank showed, as filmed: picture, lips, and (K,) mouth."""
    image, lips, mouth = 0.0, 0.0, 0.0
    for patch, weight in zip(choice.patches, choice.weights, strict=True):
        view, drawn = patch_view(clip, patch)
        image, lips = image + weight * view, lips + weight * drawn
        mouth = mouth + weight * clip.own[patch.index - clip.track.start]
    return np.asarray(image), np.asarray(lips), np.asarray(mouth)


def bytes_of(image: np.ndarray) -> np.ndarray:
    return np.rint(image.clip(0, 1) * 255).astype(np.uint8)


def study(path: Path, rng: np.random.Generator) -> dict[str, np.ndarray] | None:
    clip = Clip(path)
    grid = path.parent.name == "grid"
    most = GRID_PAIRS if grid else min(MOST_PAIRS, int(clip.usable.sum()) // 2 + 20)
    apart = NEAR_APART if clip.times[-1] < 6 else APART
    chosen = pairs(clip, most, apart, rng)
    if not len(chosen):
        return None
    said = clip.visemes()
    frames = clip.frames(set(chosen.ravel().tolist()))
    rows: dict[str, list[np.ndarray]] = {}
    left = chosen
    while len(left):
        # One wanted mouth a source at a time.
        _, first = np.unique(left[:, 0], return_index=True)
        batch, left = left[first], np.delete(left, first, 0)
        wanted = clip.own.copy()
        wanted[batch[:, 0]] = clip.own[batch[:, 1]]
        retarget = clip.retarget(wanted)
        lips = retarget.lips()
        for source, real in batch.tolist():
            row = example(clip, retarget, lips, frames, source, real, apart, rng)
            if row is not None:
                row["viseme"] = said[real]
                row["rows"] = np.array([source, real])
                for name, value in row.items():
                    rows.setdefault(name, []).append(value)
    return {name: np.stack(values) for name, values in rows.items()} if rows else None


def example(clip, retarget, lips, frames, source, real, apart, rng):  # type: ignore[no-untyped-def]
    """One pair as arrays, or None where it cannot be rendered."""
    track, frame = clip.track, frames[source]
    plane = MouthPlane.of(track, source)
    bank = clip.bank(np.array([real]), apart / 2)
    choice = bank.choose(np.array([source]), lips[[source]])[0] if bank.patches else None
    made = clip.render(frame, retarget, choice)
    empty = clip.render(frame, retarget, None)
    if made is None or empty is None or choice is None:
        return None
    own = plane.of_frame(frame)
    answer = MouthPlane.of(track, real)
    filmed, filmed_lips, filmed_mouth = mixed_view(clip, choice)
    shown = choice.patches[0].index - track.start
    rest = clip.bank(np.array([real, shown]), apart / 2)
    if rest.patches:
        other, other_lips, other_mouth = mixed_view(
            clip, rest.choose(np.array([source]), lips[[source]])[0]
        )
    else:
        other, other_lips, other_mouth = filmed, filmed_lips, filmed_mouth
    # The widest of some mouths that are narrower than the wanted one.
    opening = np.array([clip.opening[p.index - track.start] for p in bank.patches])
    narrow = np.flatnonzero(opening < clip.opening[real] / 1.3)
    some = rng.choice(narrow, min(8, len(narrow)), replace=False) if len(narrow) else []
    if len(some):
        look, look_lips = patch_view(clip, bank.patches[some[np.argmax(opening[some])]])
    else:
        look, look_lips = np.zeros((HEIGHT, WIDTH, 3)), np.zeros((2, HEIGHT, WIDTH))
    yaw, pitch, _ = geometry.angles_degrees(track.rotation[source])
    showed, spoke = plane.of_frame(made.frame), answer.of_frame(frames[real])
    views = dict(
        zip(
            VIEWS,
            (
                showed,
                plane.of_frame(empty.frame),
                settled(lit_like(spoke, own), showed),
                spoke,
                own,
                lit_like(filmed, own),
                lit_like(other, own),
                lit_like(look, own),
            ),
            strict=True,
        )
    )
    drawn = (
        lip_maps(plane.to_plane(made.landmarks)), lip_maps(plane.to_plane(track.landmarks[source])),
        filmed_lips, other_lips, look_lips, lip_maps(answer.to_plane(track.landmarks[real])),
    )  # fmt: skip
    out = {name: bytes_of(view) for name, view in views.items()}
    out |= {f"lips_{n}": np.asarray(m).astype(np.uint8) for n, m in zip(MAPS, drawn, strict=True)}
    out["mouths"] = np.stack([clip.own[real], clip.own[source], filmed_mouth, other_mouth]).astype(
        np.float32
    )
    out["pose"] = np.array([yaw, pitch, track.scale[source]], np.float32)
    out["opening"] = np.array([clip.opening[real], clip.opening[source]], np.float32)
    return out


def main() -> None:
    from training.mouth_report import default_corpus

    corpus = Path(sys.argv[1]) if len(sys.argv) > 1 else default_corpus()
    part, parts = (int(a) for a in sys.argv[2:4]) if len(sys.argv) > 3 else (0, 1)
    PICTURES.mkdir(parents=True, exist_ok=True)
    cv2.setNumThreads(1)
    for k, path in enumerate(corpus_clips(corpus)[part::parts]):
        target = PICTURES / f"{path.parent.name}__{path.stem}.npz"
        if target.exists():
            continue
        try:
            found = study(path, np.random.default_rng(k))
        except LabialError as error:
            print(f"{path.stem}: {error}")
            continue
        if found is None:
            print(f"{path.stem}: no pairs")
            continue
        partial = target.with_suffix(".partial.npz")
        np.savez(partial, **found)
        partial.rename(target)
        print(f"{path.stem}: {len(found['pose'])}", flush=True)


if __name__ == "__main__":
    main()
