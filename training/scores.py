"""How far a predicted mouth is from the real one, as numbers on clips never trained on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from labial.metrics.articulation import correlation, lag_of
from labial.motion.space import load_basis

if TYPE_CHECKING:
    from training.mouths import Item

GROUPS = {
    "GRID s33 s34": "grid__s3[34]_*",
    "VoxCeleb2 (PC-AVS)": "people__Hangz-nju-cuhk__*",
    "TV news (DFRF cnn2)": "people__sstzal__DFRF__cnn2_25fps",
    "720p talk (open-dubbing)": "people__Softcatala__*",
    "HDTF (SadTalker WDA)": "people__OpenTalker__SadTalker__WDA_*",
}


def motion_scores(got: np.ndarray, item: Item) -> dict[str, float] | None:
    """Compare (T, K) with the real mouth of ``item``; None when too little can be seen."""
    from training.lessons import speechness

    basis = load_basis()
    want, usable = item.rows()
    got = got[: len(want)]
    want, usable = want[: len(got)], usable[: len(got)]
    if usable.sum() < 60:
        return None
    a, b = basis.aperture(got), basis.aperture(want)
    lag, best = lag_of(a, b, usable)
    spoken = speechness(item.mel, len(a))
    silent = spoken < 0.01
    width = correlation(basis.width(got)[usable], basis.width(want)[usable])
    closed = usable & (b < 0.03) & (spoken > 0.99)
    return {
        "open r": correlation(a[usable], b[usable]),
        "best r": best,
        "lag ms": 1000 * lag,
        "width r": width,
        "range": float(a[usable].std() / max(b[usable].std(), 1e-9)),
        "bias": float(a[usable].mean() - b[usable].mean()),
        # How open the mouth stands in silence, as a share of the real opening's 90th percentile.
        "leak": float(np.abs(a[silent]).mean() / np.percentile(b[usable], 90))
        if silent.sum() > 10 else np.nan,
        "closed": float(a[closed].mean() / max(a[usable].mean(), 1e-6)) if closed.any() else np.nan,
    }  # fmt: skip


def motion_table(run: Callable[[Item], np.ndarray], items: list[Item]) -> str:
    """Means over the clips of each held-out group, as a text table."""
    import fnmatch

    names = ["open r", "best r", "lag ms", "width r", "range", "bias", "leak", "closed"]
    lines = [f"{'group':26s} clips " + " ".join(f"{n:>8s}" for n in names)]
    for group, pattern in GROUPS.items():
        chosen = [i for i in items if fnmatch.fnmatch(i.name, pattern)]
        scores = [s for i in chosen if (s := motion_scores(run(i), i))]
        if scores:
            means = [np.nanmean([s[n] for s in scores] or [np.nan]) for n in names]
            lines.append(f"{group:26s} {len(scores):5d} " + " ".join(f"{m:8.3f}" for m in means))
    return "\n".join(lines)


def wild_mean(table: str) -> dict[str, float]:
    """Means of a table's groups other than GRID."""
    head, *lines = table.splitlines()
    names = head.replace("open r", "open_r").replace("best r", "best_r").replace("lag ms", "lag_ms")
    names = names.replace("width r", "width_r").split()[2:]
    values = np.array([line[32:].split() for line in lines if "GRID" not in line], float)
    return {n: round(float(v), 3) for n, v in zip(names, np.nanmean(values, 0), strict=True)}
