"""What a dub would do."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from labial.options import DubOptions
from labial.planning import Line, Plan


def test_a_plan_names_its_speakers_once() -> None:
    one = Line(Fraction(0), Fraction(2), Path("a.wav"), Fraction(0), Fraction(2), "1", DubOptions())
    lines = one, replace(one, speaker="0"), one
    assert Plan(Path("v.mp4"), Fraction(9), Fraction(25), lines).speakers == ("1", "0")
