"""How well a speaker's range can be learned from one half of a clip and shown in the other.

python -m training.style        # tables for the clips with a face in training/cache/motion.pkl

Own speech: the style is fitted on the first half of a clip, and the network's motion on the
second half is compared with the real mouth there. Other speech: the same style moves a held-out
clip's speech, and its range is compared with that of the real mouth in the speaker's second half.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from labial.motion.space import load_basis
from labial.motion.style import average, fit_style
from labial.types import MouthMotion, SpeechTrack
from training.motion_report import Ear
from training.mouths import RATE, Item, load_items

SHORTEST_SECONDS = 7.5
BASIS = load_basis()


@dataclass
class Half:
    """Predicted and real motion (n, K), which rows are seen, and which are spoken."""

    track: SpeechTrack
    real: np.ndarray
    seen: np.ndarray

    @property
    def rows(self) -> np.ndarray:
        return self.seen & (self.track.voice > 0.9)


@dataclass
class Speaker:
    name: str
    held_out: bool
    first: Half
    second: Half


Curves = tuple[np.ndarray, np.ndarray, np.ndarray]
# From the real and predicted curve of the first half and the predicted one of the new speech.
Estimator = Callable[[np.ndarray, np.ndarray, np.ndarray], float]


def spread(x: np.ndarray, low: float, high: float) -> float:
    return float(np.subtract(*np.percentile(x, [high, low])))


def slope(real: np.ndarray, said: np.ndarray, new: np.ndarray) -> float:
    return max(float(np.polyfit(said, real, 1)[0]), 0.05)


ESTIMATORS: dict[str, Estimator] = {
    "none": lambda real, said, new: 1.0,
    "spread of the mouth alone": lambda real, said, new: real.std() / TYPICAL[0],
    "regression": slope,
    "std": lambda real, said, new: real.std() / said.std(),
    "P90 - P10": lambda real, said, new: spread(real, 10, 90) / spread(said, 10, 90),
    "P97 - P3": lambda real, said, new: spread(real, 3, 97) / spread(said, 3, 97),
    "P97 - P3 of the new speech": lambda real, said, new: spread(real, 3, 97) / spread(new, 3, 97),
    "P97 - P3, mean of the two": lambda real, said, new: (
        spread(real, 3, 97) / np.sqrt(spread(said, 3, 97) * spread(new, 3, 97))
    ),
}
TYPICAL = [0.0467]


def directions() -> dict[str, np.ndarray]:
    unit = np.eye(len(BASIS), dtype=np.float32)
    opening, width = BASIS.aperture(unit), BASIS.width(unit)
    return {"opening": opening, "width": width - opening * (width @ opening) / (opening @ opening)}


def speakers(items: list[Item]) -> list[Speaker]:
    ear, found = Ear(), []
    for item in items:
        if item.name.startswith("grid") or len(item.mel) < 2 * RATE * SHORTEST_SECONDS:
            continue
        track = ear(item.mel)
        said, phones = track.motion.coefficients, track.phones
        real, seen = item.rows()
        n = min(len(said), len(real))
        halves = [
            Half(SpeechTrack(MouthMotion(said[part]), phones[part]), real[part], seen[part])
            for part in (slice(0, n // 2), slice(n // 2, n))
        ]
        if min(half.rows.sum() for half in halves) >= 2 * RATE:
            found.append(Speaker(item.name, item.held_out, *halves))
    return found


def shipped(speaker: Speaker, new: SpeechTrack, know_own: bool = True) -> np.ndarray:
    """(n, K): the new speech in the style that ``labial dub`` would fit."""
    half = speaker.first
    times = np.arange(len(half.seen)) / RATE
    heard = half.track if know_own else None
    style = fit_style(half.real, half.seen, times, BASIS, heard, new)
    return style.apply(new.motion, BASIS).coefficients


def line(ratios: list[float]) -> str:
    x = np.array(ratios)
    return f"{x.mean():5.2f} {np.sqrt((np.log(x) ** 2).mean()):4.2f} {x.min():4.2f}-{x.max():4.2f}"


def table(people: list[Speaker], axis: np.ndarray) -> str:
    """Mean ratio, rms of its logarithm, least and most: own speech, then other speech."""
    groups = {"trained on": [p for p in people if not p.held_out]}
    held = groups["held out"] = [p for p in people if p.held_out]
    TYPICAL[0] = float(np.median([(p.first.track.motion.coefficients @ axis).std() for p in held]))
    pairs = [(a, b) for a in held for b in held if a is not b]
    plain = average(BASIS)

    def ratio(moved: np.ndarray, there: Half, owner: Speaker) -> float:
        real = owner.second
        return float((moved @ axis)[there.rows].std() / (real.real @ axis)[real.rows].std())

    def row(name: str, moved: Callable[[Speaker, Half], np.ndarray]) -> str:
        cells = [
            line([ratio(moved(p, p.second), p.second, p) for p in group])
            for group in groups.values()
        ]
        cells.append(line([ratio(moved(a, b.second), b.second, a) for a, b in pairs]))
        return f"{name:28s} | " + " | ".join(cells)

    def by(estimate: Estimator) -> Callable[[Speaker, Half], np.ndarray]:
        def moved(speaker: Speaker, there: Half) -> np.ndarray:
            here, new = speaker.first, there.track.motion.coefficients
            said = here.track.motion.coefficients[here.rows] @ axis
            gain = estimate(here.real[here.rows] @ axis, said, new[there.rows] @ axis)
            return np.clip(gain, 0.3, 3.0) * new

        return moved

    lines = [row(name, by(estimate)) for name, estimate in ESTIMATORS.items()]
    lines.append(
        row(
            "average speaker's limits", lambda p, t: plain.apply(t.track.motion, BASIS).coefficients
        )
    )
    lines.append(row("shipped, source silent", lambda p, t: shipped(p, t.track, False)))
    lines.append(row("shipped", lambda p, t: shipped(p, t.track)))
    head = " | ".join(f"{name} ({len(g)})".ljust(20) for name, g in groups.items())
    return "\n".join([f"{'':28s} | {head} | other speech ({len(pairs)})", *lines])


if __name__ == "__main__":
    people = speakers(load_items())
    for name, axis in directions().items():
        print(f"{name}: range against the real mouth: mean, rms log, least-most")
        print(table(people, axis), "\n")
    for p in people:
        half = p.first
        times = np.arange(len(half.seen)) / RATE
        style = fit_style(half.real, half.seen, times, BASIS, half.track, p.second.track)
        print(
            f"{p.name[8:60]:52s} {'held' if p.held_out else '    '} matched {style.matched:.2f} "
            f"opening {style.opening:.2f} width {style.width:.2f} ceiling {style.ceiling:.2f} "
            f"rest {BASIS.aperture(style.rest):.3f} {style.evidence:.0f} s"
        )
