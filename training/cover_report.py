"""How often the network that finds covers is wrong, on clips as they were filmed.

    python -m training.cover_report CORPUS [HAND_CLIP FIRST LAST]

Streams every people clip and the held-out GRID speakers as a dub does, and counts frames on which
something is found, by whether the clip was trained on. In HAND_CLIP a hand is at the mouth from
frame FIRST to LAST; frames within 8 of these do not count.
"""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

import numpy as np

from labial.face.track import FaceTracker
from labial.media.read import VideoReader
from labial.types import FaceTrack
from training.mouths import is_held_out

MOST = 400
GRID = 20


def tracks_of(path: Path, most: int = MOST) -> list[FaceTrack]:
    """The faces of a clip's first frames."""
    with VideoReader(path) as reader, closing(FaceTracker()) as tracker:
        for frame in reader.frames():
            if frame.index >= most:
                break
            tracker.observe(frame)
        return tracker.finish()


def clips(corpus: Path) -> None:
    counts: dict[str, Counter[str]] = {}
    grid = [p for p in sorted((corpus / "grid").glob("*.mp4")) if is_held_out(f"grid__{p.stem}")]
    for path in [*sorted((corpus / "people").glob("*.mp4")), *grid[:: max(1, len(grid) // GRID)]]:
        group = path.parent.name
        held = is_held_out(f"{group}__{path.stem}")
        count = counts.setdefault(f"{group}, {'held out' if held else 'trained on'}", Counter())
        found: Counter[str] = Counter()
        for track in tracks_of(path):
            found["frames"] += int(track.present.sum())
            found["found"] += int((track.cover[track.present] > 0).sum())
            for why in ("mouth covered", "blurred", "chin out of frame", "too small"):
                found[why] += int((track.reasons[track.present] == why).sum())
        count.update(found)
        if found["found"] > 0.02 * found["frames"]:
            print(" ", path.stem, dict(found))
    for group, count in counts.items():
        print(group, dict(count), flush=True)


def hand(path: Path, first: int, last: int) -> None:
    (track, *_) = tracks_of(path, 10**6)
    at = np.arange(track.start, track.end)
    there = (at >= first) & (at <= last)
    away = (at < first - 8) | (at > last + 8)
    print(
        f"{path.name}: found in {(track.cover[there] > 0).mean():.3f} of the frames with the hand, "
        f"{(track.cover[away] > 0).mean():.3f} of those without; passed through "
        f"{(track.quality[there] <= 0).mean():.3f} and {(track.quality[away] <= 0).mean():.3f}"
    )


if __name__ == "__main__":
    clips(Path(sys.argv[1]))
    if len(sys.argv) > 2:
        hand(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
