"""How good a rendered mouth looks, on people who were never trained on.

    python -m training.evaluate mouth [CORPUS] [--sheets FOLDER] [--clips N] [--frames N]

CORPUS (default: $LABIAL_CORPUS) holds ``people/*.mp4``. A frame speaks with the mouth of another
frame of its shot, at least a second away and alike in pose; the answer's neighbours are taken out
of the bank. The output is held against that other frame, brought into the first one's pose.

Rendered are all qualities, and with each part off in turn: fast is warp and bank, standard adds a
learned interior and the refiner ("one mouth": it sees one of the bank, not two), pro is adapted to
the half of the clip that the answer is not in; without a bank the mouth was never seen open. With
--sheets, photos of ``photos/*.jpg`` are drawn too.

PSNR, SSIM and LPIPS are of the lips and a margin around them. ``sharp`` is the variance of the
Laplacian ÷ the real mouth's at its own pixels. ``identity`` is the cosine of SFace with the real
frame; of the source as it is, it says how far two frames as filmed agree. A stretch driven by the
clip's own motion of 2 s later gives ``flicker`` (÷ that of the real mouth of 2 s later, with the
head held still in both), ``seam`` (gradient along the matte's edge ÷ that of the source's skin
there, moved alike, before a mouth is laid in) and processor milliseconds a frame. ``beside`` is
what moved beside the face, where nothing may: share of pixels that changed, and their mean optical
flow; ``neck`` the flow below the chin, which does move.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from labial import LabialError
from labial.adapting import ShotAdapter
from labial.media.picture import write_png
from labial.metrics.image import psnr, seam, sharpness, ssim, swimming
from labial.metrics.temporal import flicker
from labial.motion.retarget import Retarget
from labial.pixels import Box
from labial.render.appearance import Appearance
from labial.render.bank import MouthBank
from labial.render.learned import Learned
from labial.sheet import FAINT, INK, PAPER, plain, write
from labial.types import Frame
from training.mouths import TWICE, is_held_out
from training.perceptual import Identity, Lpips
from training.photo_sheet import WAYS as PHOTO_WAYS
from training.photo_sheet import photo_columns
from training.reenactment import (
    APART_SECONDS,
    LIPS,
    Clip,
    Pair,
    carried,
    choose_pairs,
    choose_stretch,
    crop,
    mouth_box,
    mouth_plane,
    resample,
    surroundings,
)


@dataclass(frozen=True)
class Way:
    """A way to render: with the clip's bank or without, and with which of the learned parts."""

    name: str
    bank: bool
    interior: bool
    refine: bool
    adapt: bool = False
    other: bool = True
    viseme: bool = True

    def learned(
        self, clip: Clip, retarget: Retarget, bank: MouthBank | None, visemes: np.ndarray,
        look: Appearance | None = None,
    ) -> Learned | None:  # fmt: skip
        if not (self.interior or self.refine):
            return None
        look = look if self.adapt else None
        visemes = visemes if self.viseme else 0 * visemes
        return Learned(
            clip.track, retarget, bank, visemes, look, interior=self.interior, refine=self.refine
        )


COPY, REAL, OPENING = "source as it is", "real", "opening: "
FAST, STANDARD = Way("fast", True, False, False), Way("standard", True, True, True)
PRO = Way("pro", True, True, True, adapt=True)
EMPTY = Way("standard, no bank", False, True, True)
WAYS = (
    FAST,
    Way("standard, no refiner", True, True, False),
    Way("standard, no interior", True, False, True),
    Way("standard, one mouth", True, True, True, other=False),
    STANDARD,
    PRO,
    Way("fast, no bank", False, False, False),
    Way("no bank, no refiner", False, True, False),
    Way("no bank, no interior", False, False, True),
    Way("no bank, no visemes", False, True, True, viseme=False),
    EMPTY,
)
PLAYED = (FAST, STANDARD, EMPTY)
SHOWN = (COPY, REAL, FAST.name, STANDARD.name, PRO.name, "fast, no bank", EMPTY.name)
KINDS = (
    COPY, *(w.name for w in WAYS if w.bank),
    OPENING + COPY, *(OPENING + w.name for w in WAYS),
)  # fmt: skip
SCORES = ("PSNR", "SSIM", "LPIPS", "sharp", "identity")
MOVING = (
    "frames", "flicker", "flicker of source", "seam", "beside %", "beside px", "neck px", "ms",
    "strayed %",
)  # fmt: skip
# What teaches an appearance is so far from what it is tried on, in seconds; so many frames do.
GUARD, TEACHERS = 0.5, 60
# The box that is watched for flicker, in inter-ocular distances.
WIDE, HIGH = 0.8, 0.7
TILE, HEAD, SIDE, GAP = 300, 56, 150, 6

Table = dict[str, dict[str, float]]
Pictures = dict[str, np.ndarray]
Kinds = dict[str, tuple[Frame, np.ndarray]]
Compared = tuple[Table, Pictures]
Column = tuple[str, Pictures]


class Judges:
    """The networks that judge pictures, loaded once."""

    def __init__(self) -> None:
        self.lpips, self._identity = Lpips(), Identity()

    def person(self, frame: Frame, landmarks: np.ndarray) -> np.ndarray:
        whole = crop(frame, Box(0, 0, frame.width, frame.height))
        return self._identity(np.rint(whole * 255).astype(np.uint8), landmarks)


def reenact(clip: Clip, pairs: list[Pair], judges: Judges) -> tuple[list[Table], list[Column]]:
    """Render each pair; return its scores by kind of picture, and what a sheet shows of it."""
    frames = clip.frames({row for pair in pairs for row in (pair.source, pair.real)})
    wanted = clip.own.copy()
    for pair in pairs:
        wanted[pair.source] = clip.own[pair.real]
    retarget = clip.retarget(wanted)
    lips, tables, columns = retarget.lips(), [], []
    visemes = clip.visemes()
    for pair in pairs:
        visemes[pair.source] = visemes[pair.real]
    looks = taught(clip)
    for pair in pairs:
        source, at = frames[pair.source], np.array([pair.source])
        bank = clip.bank(np.array([pair.real]), APART_SECONDS)
        choices = bank.choose(at, lips[at]) if bank.patches else [None]
        others = bank.choose(at, lips[at], choices) if bank.patches else [None]
        kinds = {COPY: (source, clip.track.landmarks[pair.source])}
        for way in WAYS:
            look = looks[int(clip.times[pair.real] < clip.middle)]
            if not (way.bank or pair.opens):
                continue
            learned = way.learned(clip, retarget, bank if way.bank else None, visemes, look)
            second = others[0] if way.other else choices[0]
            shown = (choices[0], second) if way.bank else (None, None)
            out = clip.render(source, retarget, shown[0], learned, shown[1])
            if out is not None:
                kinds[way.name] = (out.frame, out.landmarks)
        if FAST.name not in kinds:
            continue
        table, pictures = compare(clip, pair, frames[pair.real], kinds, judges)
        if pair.opens:
            table |= {OPENING + kind: table[kind] for kind in kinds}
        tables.append(table)
        caption = " <- ".join(f"{clip.times[row]:.2f} s" for row in (pair.source, pair.real))
        columns.append((caption, pictures))
    return tables, columns


def taught(clip: Clip) -> list[Appearance | None]:
    """What the first half of a clip teaches, and the second; for answers in the other one."""
    found = []
    for late in (False, True):
        here = (clip.times > clip.middle + GUARD) if late else (clip.times < clip.middle - GUARD)
        rows = np.flatnonzero(here & clip.usable)
        bank = clip.bank(np.flatnonzero(~here), 0.0) if len(rows) else None
        if bank is None or not bank.patches:
            found.append(None)
            continue
        adapter = ShotAdapter(clip.track, bank, clip.times)
        frames = clip.frames(set(rows[:: max(1, len(rows) // TEACHERS)].tolist()))
        for row in sorted(frames):
            adapter.learn(frames[row])
        found.append(adapter.fit.solve())
    return found


def compare(clip: Clip, pair: Pair, real: Frame, kinds: Kinds, judges: Judges) -> Compared:
    """Hold frames and their landmarks against the real one, brought into the source's pose."""
    source, answer = kinds[COPY][0], clip.track.landmarks[pair.real]
    there = carried(clip.track, pair.source, pair.real)
    back = np.linalg.inv(np.vstack([there, [0, 0, 1]]))[:2]
    outlines = [kinds[FAST.name][1][LIPS, :2], answer[LIPS, :2] @ back[:, :2].T + back[:, 2]]
    box = mouth_box(source, outlines, float(clip.track.scale[pair.source]))
    there[:, 2] += there[:, :2] @ [box.x0, box.y0]
    goal = resample(real, there, (box.width, box.height))
    # Resampling softens, so detail is counted in the real frame's own pixels.
    own = mouth_box(real, [answer[LIPS, :2]], float(clip.track.scale[pair.real]))
    detail, person = sharpness(crop(real, own)), judges.person(real, answer)
    table, pictures = {}, {REAL: goal}
    for kind, (frame, landmarks) in kinds.items():
        image = pictures[kind] = crop(frame, box)
        values = (
            psnr(image, goal), ssim(image, goal), judges.lpips(image, goal),
            sharpness(image) / detail, float(judges.person(frame, landmarks) @ person),
        )  # fmt: skip
        table[kind] = dict(zip(SCORES, values, strict=True))
    return table, pictures


def play(clip: Clip, way: Way) -> dict[str, float]:
    """Render a stretch one way; return its figures by the names in ``MOVING``, or nothing."""
    found = choose_stretch(clip)
    if found is None:
        return {}
    rows, driving = found
    wanted = clip.own.copy()
    wanted[rows] = clip.own[driving]
    retarget = clip.retarget(wanted)
    # The very frames that are imitated would be too good a bank.
    bank = clip.bank(driving, 0.0)
    lips = retarget.lips()[rows]
    filmed = way.bank and bank.patches
    choices = bank.choose(rows, lips) if filmed else [None] * len(rows)
    others = bank.choose(rows, lips, choices) if filmed else choices
    visemes = clip.visemes()
    visemes[rows] = visemes[driving]
    learned = way.learned(clip, retarget, bank if way.bank else None, visemes)
    frames = clip.frames({*rows.tolist(), *driving.tolist()})
    outputs, seams, costs, around, strayed = [], [], [], [], []
    for row, choice, other in zip(rows, choices, others, strict=True):
        out = clip.render(frames[row], retarget, choice, learned, other)
        if out is None:
            return {}
        outputs.append(steady(clip, row, out.frame))
        seams.append(seam(crop(out.frame, out.box), out.bare, out.matte))
        box, beside, neck = surroundings(clip, frames[row], out.landmarks)
        pictures = crop(out.frame, box), crop(frames[row], box)
        around.append((*swimming(*pictures, beside), swimming(*pictures, neck)[1]))
        costs.append(1000 * out.seconds)
        strayed.append(out.trust < 1)
    real = np.stack([steady(clip, row, frames[row]) for row in driving])
    still = np.stack([steady(clip, row, frames[row]) for row in rows])
    values = (
        len(rows), flicker(np.stack(outputs), real), flicker(still, real),
        np.mean(seams), *(np.mean(around, 0) * (100, 1, 1)), np.median(costs),
        100 * np.mean(strayed),
    )  # fmt: skip
    return {name: float(value) for name, value in zip(MOVING, values, strict=True)}


def steady(clip: Clip, row: int, frame: Frame) -> np.ndarray:
    """(h, w, 3) RGB of the mouth's surroundings, with the head held still."""
    scale = float(np.median(clip.track.scale))
    size = round(WIDE * scale), round(HIGH * scale)
    box = mouth_plane(clip.track, row)
    box[:, :2] /= scale
    box[:, 2] -= box[:, :2] @ (np.array(size) / 2)
    return resample(frame, box, size)


def sheet(title: str, columns: list[Column], names: tuple[str, ...] = SHOWN) -> np.ndarray:
    """Draw source, answer and outputs of each pair below each other, zoomed on the mouth."""
    firsts = [pictures[names[0]] for _, pictures in columns]
    high = max(round(TILE * p.shape[0] / p.shape[1]) for p in firsts)
    size = (HEAD + len(names) * (high + GAP), SIDE + len(columns) * (TILE + GAP), 3)
    page = np.full(size, PAPER, np.uint8)
    write(page, plain(title), (SIDE, 24), INK, 0.6)
    for k, name in enumerate(names):
        write(page, name, (8, HEAD + k * (high + GAP) + high // 2), FAINT, 0.5)
    for column, (caption, pictures) in enumerate(columns):
        x = SIDE + column * (TILE + GAP)
        write(page, caption, (x + 2, HEAD - 8), FAINT, 0.5)
        for name in (name for name in names if name in pictures):
            picture = pictures[name]
            y = HEAD + names.index(name) * (high + GAP)
            tall = round(TILE * picture.shape[0] / picture.shape[1])
            image = np.rint(picture * 255).astype(np.uint8)
            image = cv2.resize(image, (TILE, tall), interpolation=cv2.INTER_CUBIC)
            page[y : y + tall, x : x + TILE] = image
    return page


def mean(tables: Iterable[dict[str, float]]) -> dict[str, float]:
    """Mean of each column over the rows that have it."""
    rows = list(tables)
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: float(np.mean([row[name] for row in rows if name in row])) for name in names}


def by_kind(tables: list[Table]) -> Table:
    return {kind: mean(t[kind] for t in tables if kind in t) for kind in KINDS}


def show(title: str, table: Table, moving: dict[str, dict[str, float]]) -> None:
    print(f"\n{title:32s}" + "".join(f"{name:>10s}" for name in SCORES))
    for kind, row in table.items():
        if row:
            print(f"  {kind:30s}" + "".join(f"{row[name]:10.3f}" for name in SCORES))
    for way, figures in moving.items():
        if figures:
            print(f"  {way}: " + ", ".join(f"{name} {figures[name]:.3g}" for name in MOVING))


def report(corpus: Path, sheets: Path | None, clips: int | None, frames: int) -> None:
    """Print all figures by clip and as means; ``clips`` of the held-out ones, spread evenly."""
    # Costs are of one core.
    cv2.setNumThreads(1)
    names = {path: f"people__{path.stem}" for path in sorted((corpus / "people").glob("*.mp4"))}
    chosen = [path for path, name in names.items() if is_held_out(name) and name not in TWICE]
    if not chosen:
        sys.exit(f"no held-out clips in {corpus / 'people'}")
    if clips and clips < len(chosen):
        chosen = [chosen[int((k + 0.5) * len(chosen) / clips)] for k in range(clips)]
    if sheets:
        sheets.mkdir(parents=True, exist_ok=True)
    judges, every, moves, total = Judges(), [], [], 0
    for path in chosen:
        try:
            clip = Clip(path)
        except LabialError as error:
            print(f"\n{path.stem}: {error}")
            continue
        pairs = choose_pairs(clip, frames)
        tables, columns = reenact(clip, pairs, judges) if pairs else ([], [])
        moving = {way.name: play(clip, way) for way in PLAYED}
        show(plain(path.stem, 31), by_kind(tables), moving)
        print(f"  {len(tables)} pairs, {sum(pair.opens for pair in pairs)} opening", flush=True)
        total += len(tables)
        every += [by_kind(tables)] if tables else []
        moves += [moving] if moving[FAST.name] else []
        if sheets and columns:
            write_png(sheets / f"{path.stem}.png", sheet(path.stem, columns))
    for path in sorted((corpus / "photos").glob("*.jpg")) if sheets else []:
        drawn = sheet(f"photo {path.stem}", photo_columns(path), PHOTO_WAYS)
        write_png(sheets / f"photo_{path.stem}.png", drawn)
    means = {kind: mean(t[kind] for t in every) for kind in KINDS}
    moved = {name: mean(m[name] for m in moves) for name in (way.name for way in PLAYED)}
    show(f"mean of {len(every)} clips", means, moved)
    print(f"  {total} pairs; {len(moves)} clips with a stretch")


def default_corpus() -> Path:
    if "LABIAL_CORPUS" not in os.environ:
        sys.exit("say where the corpus is, or set LABIAL_CORPUS")
    return Path(os.environ["LABIAL_CORPUS"])
