"""Numbers put in, and what is said of them."""

from pathlib import Path

import pytest

from labial.evaluating import Evaluation, Scores
from labial.report.words import verdicts

GOOD = Scores(
    faces=1, offset=-20, confidence=0.9, closure=0.95, opens=1, moves=0.05, stands=0.1, follows=0.9,
    range=1, sharpness=1, seam=1, flicker=1, beside=100, identity=0.95,
)  # fmt: skip
REAL = Scores(closure=0.8, moves=0.3, lse_c=6.0)


def said(scores: Scores = GOOD, **more: object) -> dict[str, tuple[str, str]]:
    found = Evaluation(
        Path("o.mp4"), None, Path("s.mp4"), 100, 4.0, {}, {"closures": 20, "silence": 2.0}, scores,
        REAL,
    )  # fmt: skip
    found = Evaluation(**{**found.__dict__, **more})
    return {each.name: (each.mark, each.words) for each in verdicts(found)}


def test_a_good_dub_gets_good_news_only() -> None:
    found = said()
    assert {mark for mark, _ in found.values()} == {"good"}
    assert found["closure"][1].startswith("Lips meet on 95% of 20 heard p, b and m")
    assert found["closure"][1].endswith("(the source with its own sound: 80%)")
    assert "every sample the same" in found["beside"][1]


@pytest.mark.parametrize(
    ("name", "value", "mark", "words"),
    [
        ("offset", 80.0, "fair", "The sound comes 80 ms after the mouth: most people do not"),
        ("offset", 200.0, "poor", "The sound comes 200 ms after the mouth: people notice"),
        ("offset", -60.0, "poor", "The sound comes 60 ms before the mouth: people notice"),
        ("offset", None, "poor", "The mouth does not say what is heard"),
        ("closure", 0.4, "poor", "Lips meet on 40% of 20"),
        ("opens", 0.3, "poor", "Lips part on 30% of the open vowels: the mouth mumbles"),
        ("moves", 0.7, "poor", "In 2.0 s of silence the mouth moves for 70%"),
        ("follows", 0.2, "poor", "The opening follows the speech with r 0.20"),
        ("sharpness", 0.5, "poor", "The mouth is softer than the source's"),
        ("sharpness", 1.8, "fair", "The mouth is grainier"),
        ("seam", 1.6, "poor", "An edge shows around the mouth"),
        ("flicker", 3.0, "poor", "The mouth flickers"),
        ("beside", 25.0, "poor", "What is beside the face changed (25 dB)"),
        ("identity", 0.3, "poor", "The person is hardly known again"),
    ],
)
def test_what_is_wrong_is_said(name: str, value: float | None, mark: str, words: str) -> None:
    found = said(GOOD.with_(**{name: value}))
    assert found[name][0] == mark
    assert found[name][1].startswith(words)
    assert {m for n, (m, _) in found.items() if n != name} == {"good"}


def test_real_people_move_in_silence_too() -> None:
    assert said(GOOD.with_(moves=0.3))["moves"][0] == "good"


def test_frames_without_a_mouth() -> None:
    found = said(faceless={"no face": 30, "turned away": 20})
    assert found["faces"] == (
        "poor",
        "50 of 100 frames show a mouth that can be judged; not: no face 30, turned away 20",
    )


def test_of_a_few_closures_nothing_bad_is_certain() -> None:
    assert said(GOOD.with_(closure=0.0), heard={"closures": 2})["closure"][0] == "fair"


def test_lse_is_held_against_the_real_one() -> None:
    assert said(GOOD.with_(lse_c=6.5, lse_d=7.0))["lse_c"][0] == "good"
    above = said(GOOD.with_(lse_c=9.0, lse_d=5.0))["lse_c"]
    assert above[0] == "fair" and "LSE-C 6.00" in above[1]


def test_what_is_not_known_is_not_said() -> None:
    assert set(said(Scores())) == {"faces"}
