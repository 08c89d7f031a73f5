"""Random windows of lessons, and how well phones are told on those held out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from labial.speech.phones import PHONES
from labial.speech.visemes import VISEME_OF_PHONE
from training.lessons import UNKNOWN, Lesson


class Sampler:
    """Draws windows of ``rows`` rows: kinds by ``share``, voices by the root of their length."""

    def __init__(self, lessons: list[Lesson], share: dict[str, float], rows: int, seed: int):
        self.rng, self.rows = np.random.default_rng(seed), rows
        groups: dict[tuple[str, str], list[Lesson]] = {}
        for lesson in lessons:
            # A picture nobody can use is still sound to learn from.
            usable = lesson.trust.any() or not lesson.name.startswith("av_")
            if lesson.kind in share and usable and len(lesson) > 25:
                groups.setdefault((lesson.kind, lesson.voice), []).append(lesson)
        self.voices = list(groups.values())
        kinds = [key[0] for key in groups]
        length = np.array([sum(len(x) for x in voice) for voice in self.voices], float) ** 0.5
        self.p = np.zeros(len(kinds))
        for kind, part in share.items():
            of_kind = np.array([k == kind for k in kinds])
            self.p[of_kind] = part * length[of_kind] / max(length[of_kind].sum(), 1e-9)
        self.p /= self.p.sum()

    def pick(self) -> tuple[Lesson, int]:
        voice = self.voices[self.rng.choice(len(self.voices), p=self.p)]
        lengths = np.array([len(x) for x in voice], float)
        lesson = voice[self.rng.choice(len(voice), p=lengths / lengths.sum())]
        return lesson, int(self.rng.integers(0, max(len(lesson) - self.rows, 0) + 1))

    def draw(self, size: int) -> list[tuple[Lesson, int]]:
        return [self.pick() for _ in range(size)]

    def targets(
        self, windows: list[tuple[Lesson, int]]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """labels (n, rows) uint8, motion (n, rows, K), trust (n, rows); nothing past the end."""
        n, rows = len(windows), self.rows
        labels = np.full((n, rows), UNKNOWN, np.uint8)
        motion = np.zeros((n, rows, windows[0][0].motion.shape[1]), np.float32)
        trust = np.zeros((n, rows), np.float32)
        for i, (lesson, start) in enumerate(windows):
            m = len(lesson.labels[start : start + rows])
            labels[i, :m] = lesson.labels[start : start + m]
            motion[i, :m] = lesson.motion[start : start + m]
            trust[i, :m] = lesson.trust[start : start + m]
        return labels, motion, trust


def phone_accuracy(
    run: Callable[[Lesson], np.ndarray], lessons: list[Lesson]
) -> dict[str, dict[str, float]]:
    """Share of 20 ms rows with the right phone class and viseme, by held-out source.

    ``spoken`` is the viseme share where there is no silence.
    """
    to_viseme = np.zeros((len(PHONES), int(VISEME_OF_PHONE.max()) + 1))
    to_viseme[np.arange(len(PHONES)), VISEME_OF_PHONE] = 1
    rows: dict[str, list[np.ndarray]] = {}
    for lesson in lessons:
        known = lesson.labels != UNKNOWN
        if not lesson.held_out or not known.any():
            continue
        said = run(lesson)[: len(known)]
        known = known[: len(said)]
        truth = lesson.labels[: len(said)][known]
        right = said[known].argmax(1) == truth
        seen = (said[known] @ to_viseme).argmax(1) == VISEME_OF_PHONE[truth]
        source = lesson.name.split("/")[0]
        key = source if source.startswith("av_") else f"{source} {lesson.language}"
        rows.setdefault(key, []).append(np.stack([right, seen, truth > 0], 1))
    out = {}
    for key, found in sorted(rows.items()):
        all_rows = np.concatenate(found)
        spoken = all_rows[:, 2]
        out[key] = {
            "phone": float(all_rows[:, 0].mean()),
            "viseme": float(all_rows[:, 1].mean()),
            "spoken": float(all_rows[spoken, 1].mean()),
        }
    return out
