"""What is counted adds up, survives a journal, and is told in plain words."""

import json
from fractions import Fraction
from pathlib import Path

from labial.tally import DubReport, Tally


def test_frames_are_counted_once() -> None:
    tally = Tally()
    for reason, trust in (("", 1.0), ("no face", 1.0), ("", 0.5), ("no face", 1.0)):
        tally.count(reason, trust)
    assert tally.passed == {"no face": 2}
    assert tally.unrefined == 1


def test_copied_stretches_have_reasons_too() -> None:
    tally = Tally()
    tally.copy(["no face", "listening"], Fraction(2, 25))
    tally.copy(["no face"], Fraction(1, 25))
    assert tally.passed == {"no face": 2, "listening": 1}
    assert tally.copied == Fraction(3, 25)


def test_a_piece_comes_back_from_its_facts() -> None:
    tally = Tally()
    tally.count("turned away", 1.0)
    tally.count("", 0.2)
    again = Tally.of(json.loads(json.dumps(tally.facts())))
    total = Tally()
    total.add(again)
    total.add(tally)
    assert total.passed == {"turned away": 2}
    assert total.unrefined == 2


def test_the_summary_says_what_happened_and_nothing_else() -> None:
    plain = DubReport(Path("out.mp4"), 10, 10, {})
    assert plain.summary() == "out.mp4: 10 of 10 frames re-synced"
    full = DubReport(
        Path("out.mp4"), 100, 20, {"no face": 70, "covered": 10}, ("a chapter",), copied=2.4,
        resumed=40, people="person 0", style="calm", notes=("encoded anew",),
    ).summary()  # fmt: skip
    for part in (
        "passed through: covered 10, no face 70",
        "copied without encoding again: 2.4 s",
        "made by an earlier run: 40",
        "\ndubbed: person 0",
        "\nstyle: calm",
        "\nencoded anew",
        "\nnot carried over: a chapter",
    ):
        assert part in full
