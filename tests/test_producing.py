"""Only what changes is made anew."""

from fractions import Fraction

import numpy as np
from synth import standing

from labial.analysis import Analysis
from labial.media.gops import Gops
from labial.producing import parts_of

N = 200


def filmed(quality: np.ndarray) -> Analysis:
    first = np.arange(0, N, 25)
    gops = Gops(first, np.ones(len(first), bool), 2)
    track = standing(N, 100.0, quality=quality)
    return Analysis([track], [], np.arange(N), Fraction(1, 25), Fraction(N, 25), gops=gops)


def test_groups_in_which_a_face_changes_are_made_and_others_copied() -> None:
    quality = np.zeros(N, np.float32)
    quality[60:90] = 0.5
    parts = parts_of(filmed(quality), copying=True)
    assert [(part.first, part.end) for part in parts] == [(0, 50), (50, 100), (100, 200)]
    assert [part.copied for part in parts] == [True, False, True]


def test_all_is_made_where_packets_may_not_be_copied() -> None:
    parts = parts_of(filmed(np.zeros(N, np.float32)), copying=False)
    assert [(part.first, part.end, part.copied) for part in parts] == [(0, N, False)]
