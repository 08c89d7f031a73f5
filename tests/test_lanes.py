"""People over time, on a clip whose people are known."""

from dataclasses import replace

import numpy as np
import pytest
from synth import closed_mesh, make_clip, make_track

from labial.chart import LEFT, RIGHT, WIDTH, tint
from labial.clip import Clip
from labial.lanes import LANE, MOST, THUMB, draw_lanes, height, lives, thumbnail
from labial.speaking.turns import Turns

N = 100


@pytest.fixture
def clip() -> Clip:
    """One who speaks, leaves, and comes back turned away; another who listens."""
    shape = closed_mesh()
    shapes = np.repeat(shape[None], N, 0)
    turned = make_track(shapes[:20], shape, start=80, key=2, person=0, quality=np.zeros(20))
    turned.reasons[:] = "turned away"
    tracks = [
        make_track(shapes[:50], shape, key=0, person=0, scale=100.0),
        make_track(shapes, shape, key=1, person=1, quality=np.linspace(0.2, 1, N)),
        turned,
    ]
    seen = np.ones((2, N), bool)
    speaker = np.where(np.arange(N) < 70, 0, np.where(np.arange(N) < 80, 1, 0))
    speaker[50:70] = 1
    return replace(make_clip(N), tracks=tracks, turns=Turns(speaker, seen), times=np.arange(N) / 25)


def test_who_does_what_when(clip: Clip) -> None:
    first, second = lives(clip)
    at = np.arange(N)
    np.testing.assert_array_equal(first.seen, (at < 50) | (at >= 80))
    np.testing.assert_array_equal(first.speaks, (at < 50) | (at >= 80))
    np.testing.assert_array_equal(first.reasons == "turned away", at >= 80)
    np.testing.assert_array_equal(second.seen, True)
    np.testing.assert_array_equal(second.speaks, (at >= 50) & (at < 80))
    assert first.words(clip) == "seen 2.8 s, speaks 2.8 s (not re-synced: turned away 0.8 s)"
    assert second.words(clip) == "seen 4.0 s, speaks 1.2 s"
    assert first.best[1] == 0, "not where it is turned away"
    assert second.best == (N - 1, 1)


def test_lanes_show_it(clip: Clip) -> None:
    people = lives(clip)
    page = np.full((height(people) + 10, WIDTH, 3), 250, np.uint8)
    red = np.full((THUMB, THUMB, 3), (255, 0, 0), np.uint8)
    draw_lanes(page, clip, people, {1: red}, 5)

    def color(person: int, frame: int) -> tuple[int, ...]:
        x = round(LEFT + (frame + 0.5) / N * (WIDTH - LEFT - RIGHT))
        return tuple(page[5 + 34 + person * LANE + THUMB // 2 + 8, x].tolist())

    speaks, listens = color(0, 10), color(1, 10)
    assert speaks != listens
    assert color(1, 60) == speaks and color(1, 90) == listens
    assert color(0, 90) == tint("turned away")
    assert color(0, 60) not in (speaks, listens, tint("turned away"))
    assert (page[5 + 34 + LANE : 5 + 34 + LANE + THUMB, 4 : 4 + THUMB] == (255, 0, 0)).all()


def test_a_crowd_is_counted(clip: Clip) -> None:
    shape = closed_mesh()[None]
    crowd = [make_track(shape, shape[0], key=k, person=k) for k in range(MOST + 3)]
    many = replace(clip, tracks=crowd, turns=Turns(np.zeros(N, np.intp), np.ones((11, N), bool)))
    people = lives(many)
    assert len(people) == MOST + 3
    page = np.full((height(people), WIDTH, 3), 250, np.uint8)
    draw_lanes(page, many, people, {}, 0)
    assert (page[34 + MOST * LANE :, LEFT : LEFT + 80] < 200).any(), "and 3 more"


def test_thumbnails() -> None:
    assert thumbnail(np.zeros((320, 320, 3), np.uint8)).shape == (THUMB, THUMB, 3)
