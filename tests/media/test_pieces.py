"""A video is divided into pieces without gaps, the same way each time."""

import numpy as np
import pytest

from labial.media.gops import Gops
from labial.media.pieces import LEAST_COPIED, MOST, Stretch, stretches


def groups(n, every, whole=True):
    first = np.arange(0, n, every)
    return Gops(first, np.full(len(first), whole))


NONE = Gops(np.zeros(0, np.int64), np.zeros(0, bool))


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("copying", [True, False])
def test_every_frame_is_in_one_stretch(seed, copying):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 3000))
    changed = np.repeat(rng.random(n // 50 + 1) < 0.4, 50)[:n]
    gops = groups(n, int(rng.integers(1, 400)))
    parts = stretches(changed, gops, copying)
    assert [part.first for part in parts] == [0, *(part.end for part in parts[:-1])]
    assert parts[-1].end == n
    for part in parts:
        if part.copied:
            assert copying
            assert not changed[part.first : part.end].any()
            assert part.first in gops.first
            assert part.end == n or part.end in gops.first
        else:
            assert 0 < part.end - part.first <= MOST
    assert parts == stretches(changed, gops, copying)


def test_untouched_groups_are_copied_in_one_run():
    changed = np.zeros(500, bool)
    changed[110] = True
    parts = stretches(changed, groups(500, 50), True)
    assert parts == [Stretch(0, 100, True), Stretch(100, 150, False), Stretch(150, 500, True)]


def test_a_group_that_is_not_whole_is_made():
    gops = groups(200, 50)
    gops.whole[1] = False
    parts = stretches(np.zeros(200, bool), gops, True)
    assert [part.copied for part in parts] == [True, False, True]


def test_a_few_frames_are_not_worth_a_cut():
    changed = np.ones(100, bool)
    changed[40 : 40 + LEAST_COPIED - 1] = False
    assert not any(part.copied for part in stretches(changed, groups(100, 1), True))
    changed[40 : 40 + LEAST_COPIED] = False
    assert any(part.copied for part in stretches(changed, groups(100, 1), True))


def test_pieces_begin_where_the_source_can_be_started_at():
    parts = stretches(np.ones(1000, bool), groups(1000, 90), True)
    assert all(part.first % 90 == 0 for part in parts)


def test_without_groups_pieces_are_made_all_the_same():
    parts = stretches(np.zeros(1000, bool), NONE, True)
    assert [part.copied for part in parts] == [False] * len(parts)
    assert len(parts) > 2


def test_pieces_begin_with_shots_where_they_can():
    shots = np.array([3, 180, 260, 600])
    parts = stretches(np.ones(1000, bool), groups(1000, 90), True, shots)
    firsts = [part.first for part in parts]
    assert firsts[:3] == [0, 260, 600], "the shot nearest to the usual length"
    assert all(first % 90 == 0 for first in firsts[3:])
    assert all(part.end - part.first <= MOST for part in parts)
