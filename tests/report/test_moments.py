"""Moments put where they are known."""

from dataclasses import replace

import numpy as np
from synth import make_clip

from labial.evaluating.spoken import Spoken
from labial.report.moments import MOST, Moment, Worst, choose, spoken_moments
from labial.speech.phones import PHONE_INDEX


def test_the_worst_frames_are_kept_and_no_more() -> None:
    worst = Worst()
    clip = replace(make_clip(), times=np.arange(20_000) / 25)
    for frame in range(20_000):
        worst("seam", frame, 1.0 + 0.5 * (frame == 777) + 0.2 * (frame % 2))
        worst("sharpness", frame, 0.2 if frame == 555 else 1.0)
    found = worst.moments(clip)
    assert len(found) < 200
    seam = next(m for m in found if m.words == "an edge shows (1.70)")
    assert (seam.frame, seam.seconds) == (777, 777 / 25)
    assert [m.frame for m in found if m.words.startswith("the mouth is soft")] == [555]


def test_nothing_wrong_is_no_moment() -> None:
    worst = Worst()
    for frame in range(50):
        worst("seam", frame, 1.05)
        worst("sharpness", frame, 0.95)
    assert not worst.moments(make_clip()) and not choose([])


def test_a_missed_closure_is_found_at_its_time() -> None:
    labels = np.full(100, PHONE_INDEX["a"])
    labels[20:24] = PHONE_INDEX["p"]
    labels[60:64] = PHONE_INDEX["m"]
    opening = np.full(100, 0.1)
    opening[60:64] = 0.0
    every = np.ones(100, bool)
    spoken = Spoken(None, 0.1, opening, opening, labels, every, every)
    (found,) = spoken_moments(make_clip(), spoken)
    assert found.words == "lips do not meet on p"
    # The sound is 100 ms late: the frame that shows it comes as much before.
    assert abs(found.seconds - (20 / 50 - 0.1)) < 0.05
    labels[:] = 0
    assert {m.words for m in spoken_moments(make_clip(), spoken)} == {"open in silence"}


def test_choice_is_spread_in_time_and_kind() -> None:
    def at(seconds: float, words: str, weight: float) -> Moment:
        return Moment(round(25 * seconds), seconds, words, weight)

    many = [at(k, "an edge shows (2.0)", 3 - k / 100) for k in range(20)]
    others = [at(k + 0.1, "lips do not meet on p", 1.5) for k in range(20)]
    chosen = choose([*many, *others, at(30.0, "open in silence", 1.1)])
    assert len(chosen) <= MOST
    assert [m.seconds for m in chosen] == sorted(m.seconds for m in chosen)
    assert sum("edge" in m.words for m in chosen) == 3
    assert sum("meet" in m.words for m in chosen) == 3
    assert any("silence" in m.words for m in chosen)
    apart = np.diff([m.seconds for m in chosen])
    assert apart.min() >= 0.3
