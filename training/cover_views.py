"""Views of the lower face, to lay synthetic covers on.

    python -m training.cover_views [CORPUS]

For every clip of the corpus: frames spread over its length, seen through a plane that is half as
wide again as the network's, so that lessons may shift and turn it. The cache is
``training/cache/cover/<folder>__<clip>.npz``: ``views`` (n, TALL, WIDE, 3) uint8 RGB and
``rows`` (n,) frame numbers. ``training.corpus`` must have tracked the clips.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np

from labial.face.cover import HEIGHT, WIDTH, plane_at
from labial.media.read import VideoReader
from labial.pixels import sample_rgb8
from training.corpus import TRACKS

VIEWS = Path(__file__).parent / "cache" / "cover"
WIDE, TALL = WIDTH * 3 // 2, HEIGHT * 3 // 2
MOST, GRID_MOST, GRID_OF_S1 = 90, 8, 12


def collect(path: Path, most: int) -> dict[str, np.ndarray] | None:
    """Views of one clip; None where no face was tracked."""
    with np.load(TRACKS / f"{path.parent.name}__{path.stem}.npz") as data:
        landmarks, seen = data["landmarks"], data["presence"] > 0.5
    rows = np.flatnonzero(seen)
    if not len(rows):
        return None
    rows = np.unique(rows[np.linspace(0, len(rows) - 1, most).astype(int)])
    wanted, views = set(rows.tolist()), []
    with VideoReader(path) as reader:
        for frame in reader.frames():
            if frame.index > rows[-1]:
                break
            if frame.index in wanted:
                affine = plane_at(landmarks[frame.index], WIDE, TALL)
                views.append(sample_rgb8(frame, affine, (WIDE, TALL)))
    return {"views": np.stack(views), "rows": rows[: len(views)]}


if __name__ == "__main__":
    corpus = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ["LABIAL_CORPUS"])
    VIEWS.mkdir(parents=True, exist_ok=True)
    grid = sorted((corpus / "grid").glob("*.mp4"))
    large = [p for p in grid if p.name.startswith("s1_")]
    some = [p for p in grid if p not in large] + large[:: max(1, len(large) // GRID_OF_S1)]
    for path in [*sorted((corpus / "people").glob("*.mp4")), *some]:
        target = VIEWS / f"{path.parent.name}__{path.stem}.npz"
        if target.exists():
            continue
        found = collect(path, GRID_MOST if path.parent.name == "grid" else MOST)
        if found is not None:
            np.savez(target, **found)
            print(target.stem, len(found["rows"]), flush=True)
