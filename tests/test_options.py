"""Options say what is wrong with them in one line."""

import pytest

from labial.errors import OptionError
from labial.options import DubOptions


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("crf", -1, "--crf -1: use 0"),
        ("crf", 64, "--crf 64: use 0"),
        ("articulation", 0.4, "--articulation 0.4: use 0.5"),
        ("articulation", 3, "--articulation 3: use 0.5"),
        ("articulation", float("nan"), "--articulation nan"),
        ("expression", -0.1, "--expression -0.1: use 0"),
        ("expression", 1.2, "--expression 1.2: use 0"),
    ],
)
def test_values_out_of_range(name: str, value: float, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        DubOptions(**{name: value})  # type: ignore[arg-type]


def test_the_ends_of_each_range_are_allowed() -> None:
    DubOptions(crf=0, articulation=0.5, expression=0)
    DubOptions(crf=63, articulation=1.5, expression=1)
