"""Draw people over time: a thumbnail and a lane for each, on which one sees where they speak."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from labial.chart import LEFT, REASONS, RIGHT, WIDTH, tint
from labial.clip import Clip
from labial.sheet import EMPTY, FAINT, INK, Image, plain, write
from labial.speaking.cast import LISTENING

THUMB = 84
LANE = THUMB + 10
MOST = 8
"""People drawn; the others are in the page's table."""
_SPEAKS, _LISTENS = (38, 138, 76), (176, 208, 226)


@dataclass(frozen=True)
class Life:
    """One person in a clip.

    Parameters
    ----------
    person
        Their number.
    seen, speaks
        (n,) where they are to be seen, and where it is they who speak.
    reasons
        (n,) why they cannot be re-synced where they speak; "" where they can, or do not speak.
    best
        Frame that shows them well, and the index of its track.
    """

    person: int
    seen: npt.NDArray[np.bool_]
    speaks: npt.NDArray[np.bool_]
    reasons: npt.NDArray[np.object_]
    best: tuple[int, int]

    def words(self, clip: Clip) -> str:
        """Say how long they are seen and speak."""
        share = clip.seconds / len(clip.times)
        line = f"seen {self.seen.sum() * share:.1f} s, speaks {self.speaks.sum() * share:.1f} s"
        bad = Counter(str(reason) for reason in self.reasons if reason)
        if bad:
            line += " (not re-synced: "
            line += ", ".join(f"{why} {n * share:.1f} s" for why, n in bad.most_common()) + ")"
        return line


def lives(clip: Clip) -> list[Life]:
    """Return the people of a clip, by their numbers."""
    n = len(clip.times)
    found = []
    for person in sorted({track.person for track in clip.tracks}):
        seen, speaks = np.zeros(n, bool), np.zeros(n, bool)
        reasons = np.full(n, "", object)
        best, worth = (0, 0), -1.0
        for k, track in enumerate(clip.tracks):
            if track.person != person:
                continue
            rows, mine = track.rows, clip.turns.of(track)
            seen[rows] |= track.present
            speaks[rows] |= mine & track.present
            reasons[rows] = np.where(mine & (track.quality <= 0), track.reasons, "")
            size = np.where(track.present, track.scale, 0) * (0.1 + track.quality)
            if float(size.max()) > worth:
                row = int(size.argmax())
                best, worth = (track.start + row, k), float(size[row])
        found.append(Life(person, seen, speaks, reasons, best))
    return found


def height(people: list[Life]) -> int:
    """Rows that :func:`draw_lanes` needs."""
    return 34 + LANE * min(len(people), MOST) + (24 if len(people) > MOST else 0)


def draw_lanes(
    page: Image, clip: Clip, people: list[Life], thumbs: Mapping[int, Image], top: int
) -> None:
    """Draw a lane for each person, over the same time as the chart.

    Parameters
    ----------
    page
        (≥ top + height(people), WIDTH, 3) uint8 RGB to draw on.
    clip, people
        What to draw.
    thumbs
        (THUMB, THUMB, 3) by person.
    top
        First row.
    """
    x = LEFT
    for word, color in (("speaks", _SPEAKS), (LISTENING, _LISTENS)):
        page[top + 4 : top + 18, x : x + 22] = color
        x += 30 + write(page, word, (x + 30, top + 16), INK, 0.48) + 26
    write(page, "the number is what --speaker takes", (x, top + 16), FAINT, 0.48)
    scale = (WIDTH - LEFT - RIGHT) / max(clip.seconds, 1e-6)
    edges = np.append(clip.times, clip.seconds)
    for k, life in enumerate(people[:MOST]):
        y = top + 34 + k * LANE
        image = thumbs.get(life.person)
        if image is not None:
            page[y : y + THUMB, 4 : 4 + THUMB] = image
        write(page, f"person {life.person}", (LEFT, y + 20), INK, 0.6)
        write(page, plain(life.words(clip), 120), (LEFT + 110, y + 20), FAINT, 0.5)
        upper, lower = y + 34, y + THUMB - 8
        page[upper:lower, LEFT : WIDTH - RIGHT] = EMPTY
        for start, stop, color in _stretches(life):
            left, right = (round(LEFT + edges[i] * scale) for i in (start, stop))
            page[upper:lower, left : max(right, left + 1)] = color
    if len(people) > MOST:
        words = f"and {len(people) - MOST} more"
        write(page, words, (LEFT, top + 34 + MOST * LANE + 14), FAINT, 0.5)


def _stretches(life: Life) -> list[tuple[int, int, tuple[int, int, int]]]:
    """First frame, last frame + 1 and colour of all that is not empty."""
    kinds = np.where(life.speaks, "speaks", np.where(life.seen, LISTENING, ""))
    kinds = np.where(life.reasons != "", life.reasons, kinds).astype(object)
    cuts = np.flatnonzero(kinds[1:] != kinds[:-1]) + 1
    bounds = [0, *cuts.tolist(), len(kinds)]
    colors = {"speaks": _SPEAKS, LISTENING: _LISTENS} | {why: tint(why) for why in REASONS}
    return [
        (a, b, colors.get(str(kinds[a]), tint(str(kinds[a]))))
        for a, b in pairwise(bounds)
        if kinds[a]
    ]


def thumbnail(image: Image) -> Image:
    """Bring a square tile to the size of a thumbnail."""
    return np.asarray(cv2.resize(image, (THUMB, THUMB), interpolation=cv2.INTER_AREA), np.uint8)
