from dataclasses import replace

import numpy as np
import pytest
from synth import make_clip

from labial.chart import HEIGHT, WIDTH, draw_chart, line
from labial.clip import Clip
from labial.sheet import PAPER

TOP = 20


def chart(seen: Clip) -> np.ndarray:
    """The chart's own rows."""
    page = np.full((TOP + HEIGHT + 92, WIDTH, 3), PAPER, np.uint8)
    draw_chart(page, seen, TOP, [0, len(seen.times) - 1])
    return page[TOP : TOP + HEIGHT]


def share(image: np.ndarray, color: tuple[int, int, int]) -> np.ndarray:
    """Columns in which a colour is seen."""
    return (np.abs(image.astype(int) - color).max(-1) < 12).any(0)


def test_a_line_is_where_it_should_be() -> None:
    image = np.zeros((20, 20, 3), np.uint8)
    line(image, np.array([[3.0, 10.0], [16.0, 10.0]]), (255, 0, 0), 1)
    assert image[10, 4:16, 0].min() > 200 and image[:8].max() == image[13:].max() == 0


@pytest.mark.parametrize("n", [2, 50, 30000])
def test_stretches_that_stay_are_shaded_over_their_time(n: int) -> None:
    seen = make_clip(n)
    quality, reasons = seen.quality.copy(), seen.reasons.copy()
    half = n // 2
    quality[:half], reasons[:half] = 0, "no face"
    shaded = share(chart(replace(seen, quality=quality, reasons=reasons))[5:40], (213, 213, 213))
    inner = shaded[92 : WIDTH - 84]
    middle = len(inner) // 2
    assert inner[5 : middle - 5].all() and not inner[middle + 5 :].any()


def test_the_curve_has_gaps_where_nothing_is_seen() -> None:
    seen = make_clip(500)
    opening = seen.opening.copy()
    opening[250:] = np.nan
    blue = share(chart(replace(seen, opening=opening, loudness=None)), (28, 98, 186))
    inner = blue[92 : WIDTH - 84]
    middle = len(inner) // 2
    assert inner[5 : middle - 10].all() and not inner[middle + 10 :].any()


def test_a_clip_that_is_shorter_than_a_bin_of_its_sound() -> None:
    seen = make_clip(2)
    moment = replace(seen, times=np.array([0.0, 0.002]), loudness=np.array([-20.0, -10.0]))
    assert share(chart(moment), (28, 98, 186)).any()
