"""Fit the odds that a mouth makes the sound, for ``labial.speaking.turns``.

    python -m training.turns [CORPUS]

People who speak, on their own sound, against the same people on the sound of others, and against
the same people at rest: the second in which the mouth is calmest, to and fro. A logistic regression
on half of the clips is judged on the other half by taking turns: one speaks for the first half of
the time, the other one for the second, and who listens is at rest ("listening") or goes on
talking, unheard ("talking").
"""

from __future__ import annotations

import itertools
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from labial.analysis import own_speech
from labial.motion.space import load_basis
from labial.speaking import turns
from labial.types import FaceTrack, MouthMotion, SpeechTrack
from training.mouth_report import default_corpus
from training.reenactment import Clip

SECONDS, REST_ROWS, FOREIGN = 10.0, 20, 3
LEAST_VOICE = 0.4


@dataclass
class Talker:
    """One clip of somebody who speaks all the time."""

    name: str
    track: FaceTrack
    times: np.ndarray
    heard: SpeechTrack


def talkers(corpus: Path) -> list[Talker]:
    found = []
    for path in sorted((corpus / "people").glob("*.mp4")):
        heard = own_speech(path)
        if heard is None or (heard.voice > 0.5).mean() < LEAST_VOICE:
            continue
        clip = Clip(path)
        if abs(clip.rate - 25) > 0.1 or len(clip) < 100:
            continue
        n = min(len(clip), int(SECONDS * 25))
        found.append(Talker(path.stem, rows(clip.track, np.arange(n)), np.arange(n) / 25, heard))
        print(path.stem, n, flush=True)
    return found


def rows(track: FaceTrack, index: np.ndarray) -> FaceTrack:
    """The track with other rows, from frame 0 on."""
    names = ("landmarks", "present", "scale", "rotation", "translation", "quality", "reasons")
    return replace(track, start=0, **{name: getattr(track, name)[index] for name in names})


def at_rest(track: FaceTrack, n: int) -> np.ndarray:
    """(n,) rows in which the mouth is calm, to and fro."""
    gap = track.local(np.arange(len(track)), np.array([13, 14]))
    opening = np.linalg.norm(gap[:, 1] - gap[:, 0], axis=-1)
    restless = np.abs(np.diff(opening, prepend=opening[:1])) + 0.05 * opening
    first = int(np.convolve(restless, np.ones(REST_ROWS), "valid").argmin())
    step = np.arange(n) % (2 * REST_ROWS - 2)
    return first + np.where(step < REST_ROWS, step, 2 * REST_ROWS - 2 - step)


def signs(track: FaceTrack, times: np.ndarray, heard: SpeechTrack) -> np.ndarray:
    """(m, 4) of the rows with a voice."""
    fit = turns._fit(track, times, heard)
    if fit is None:
        return np.zeros((0, 4))
    voice = heard.voice[fit.rows]
    lag = int((voice @ fit.agreement.clip(0)).argmax())
    return fit.signs(lag)[fit.usable & (voice > 0.5)]


def lesson(people: list[Talker]) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    own, other = [], []
    for one in people:
        own.append(signs(one.track, one.times, one.heard))
        calm = rows(one.track, at_rest(one.track, len(one.times)))
        for k in rng.permutation([k for k, p in enumerate(people) if p is not one])[:FOREIGN]:
            other += [signs(t, one.times, people[k].heard) for t in (one.track, calm)]
    return np.concatenate(own), np.concatenate(other)


def logistic(own: np.ndarray, other: np.ndarray, ridge: float = 10.0) -> np.ndarray:
    """Weights (4,), the last without a feature; both classes count alike."""
    x = np.concatenate([own, other])
    y = np.repeat([1.0, 0.0], [len(own), len(other)])
    weight = np.where(y > 0, len(other) / len(own), 1.0)
    mean, spread = x.mean(0), x.std(0)
    mean[-1], spread[-1] = 0, 1
    z, b = (x - mean) / spread, np.zeros(x.shape[1])
    for _ in range(25):
        p = 1 / (1 + np.exp(-z @ b))
        gradient = z.T @ (weight * (y - p)) - ridge * b
        b += np.linalg.solve((z.T * (weight * p * (1 - p))) @ z + ridge * np.eye(len(b)), gradient)
    b /= spread
    b[-1] -= (b[:-1] * mean[:-1]).sum()
    return b


def taken(people: list[Talker], *, listening: bool, most: int = 100) -> float:
    """Share of frames with a voice in which the speaker is found."""
    pairs = list(itertools.combinations(people, 2))
    pairs = [pairs[k] for k in np.random.default_rng(1).permutation(len(pairs))[:most]]
    right = total = 0
    for pair in pairs:
        n = min(len(p.times) for p in pair)
        half, times, tracks = n // 2, np.arange(n) / 25, []
        for number, p in enumerate(pair):
            index = np.arange(n)
            silent = slice(half, n) if number == 0 else slice(0, half)
            if listening:
                index[silent] = at_rest(p.track, n)[silent]
            tracks.append(replace(rows(p.track, index), key=number, person=number))
        heard = joined(pair[0].heard, pair[1].heard, 2 * half, 2 * n)
        found = turns.take_turns(tracks, times, heard).speaker
        voiced = np.interp(times, np.arange(len(heard)) / 50, heard.voice) > 0.5
        right += int((found == (np.arange(n) >= half))[voiced].sum())
        total += int(voiced.sum())
    return right / total


def joined(one: SpeechTrack, other: SpeechTrack, half: int, n: int) -> SpeechTrack:
    """The first ``half`` rows of one, and then what the other has there, ``n`` in all."""

    def both(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        rows = [np.pad(x, ((0, max(0, n - len(x))), (0, 0)))[:n] for x in (a, b)]
        return np.concatenate([rows[0][:half], rows[1][half:]])

    motion = both(one.motion.coefficients, other.motion.coefficients)
    return SpeechTrack(MouthMotion(motion), both(one.phones, other.phones))


def main() -> None:
    load_basis()
    people = talkers(Path(sys.argv[1]) if len(sys.argv) > 1 else default_corpus())
    for fitted, judged in ((people[::2], people[1::2]), (people[1::2], people[::2])):
        turns._ODDS = tuple(logistic(*lesson(fitted)))  # type: ignore[misc]
        shares = [taken(judged, listening=listening) for listening in (True, False)]
        print(np.round(turns._ODDS, 2), "listening {:.3f} talking {:.3f}".format(*shares))
    print("all:", np.round(logistic(*lesson(people)), 2))


if __name__ == "__main__":
    main()
