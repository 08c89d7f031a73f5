"""Cuts and dissolves made from pictures that are known."""

from collections.abc import Iterator

import numpy as np
import pytest
from synth import make_frame, noise_frame

from labial.media.shots import Dissolve, Shots, glance
from labial.types import Frame

H, W = 90, 160
CUT = 12


def scene(seed: int, n: int, drift: float = 0.0) -> np.ndarray:
    """(n, H, W, 3) 0..1: leaves of all sizes, one on the other, seen by a camera that pans.

    Like real pictures, and unlike noise, they look alike from near and from far.
    """
    rng = np.random.default_rng(seed)
    wide = np.zeros((H, 4 * W, 3))
    for _ in range(600):
        x, y = rng.integers(0, 4 * W), rng.integers(0, H)
        size = int(60 / rng.uniform(1, 12))
        wide[max(0, y - size) : y + size, max(0, x - size) : x + size] = rng.uniform(0, 1, 3)
    return np.stack([wide[:, int(drift * i) :][:, :W] for i in range(n)])


def looked_at(pictures: np.ndarray, fmt: str = "yuv420p") -> tuple[list[int], list[Dissolve]]:
    """Frames that begin a shot, and dissolves."""
    shots = Shots()
    frames = [make_frame(rgb.clip(0, 1), fmt, index=i) for i, rgb in enumerate(pictures)]
    marked = list(shots.marked(iter(frames)))
    assert [frame.index for frame, _ in marked] == list(range(len(pictures)))
    return [frame.index for frame, cut in marked if cut], shots.dissolves()


def joined(brightness: float = 1.0) -> np.ndarray:
    return np.concatenate([scene(1, CUT), scene(2, CUT)]) * brightness


@pytest.mark.parametrize("brightness", [1.0, 0.2])
@pytest.mark.parametrize("fmt", ["yuv420p", "yuv422p10le", "gbrp"])
def test_a_cut_is_where_it_was_made(fmt: str, brightness: float) -> None:
    assert looked_at(joined(brightness), fmt) == ([CUT], [])


@pytest.mark.parametrize("at", [1, 2, 3, 21, 22, 23])
def test_a_cut_near_an_end_is_found(at: int) -> None:
    pictures = np.concatenate([scene(1, at), scene(2, 24 - at)])
    assert looked_at(pictures)[0] == [at]


def test_two_cuts_with_a_short_shot_between() -> None:
    pictures = np.concatenate([scene(1, 10), scene(2, 5), scene(3, 10)])
    assert looked_at(pictures)[0] == [10, 15]


@pytest.mark.parametrize("length", [1, 2])
def test_a_flash_is_no_cut(length: int) -> None:
    pictures = scene(1, 24)
    pictures[CUT : CUT + length] = 0.4 * pictures[CUT] + 0.6
    assert looked_at(pictures) == ([], [])


def test_a_light_switched_off_is_no_cut() -> None:
    pictures = scene(1, 24)
    pictures[CUT:] *= 0.6
    assert looked_at(pictures) == ([], [])


@pytest.mark.parametrize("drift", [0.0, 0.5, 1.0, 3.0])
def test_what_moves_is_neither_cut_nor_dissolve(drift: float) -> None:
    assert looked_at(scene(1, 70, drift)) == ([], [])


@pytest.mark.parametrize("length", [6, 12, 25, 50])
@pytest.mark.parametrize("to", ["scene", "black", "white"])
def test_a_dissolve_is_where_it_was_made(length: int, to: str) -> None:
    around, n = 20, length + 40
    other = {"scene": scene(2, n), "black": np.zeros((n, H, W, 3)), "white": np.ones((n, H, W, 3))}
    share = ((np.arange(n) - around) / length).clip(0, 1)[:, None, None, None]
    cuts, dissolves = looked_at(scene(1, n) * (1 - share) + other[to] * share)
    (found,) = dissolves
    assert abs(found.start - (around + 1)) <= 0.05 * length + 2
    assert 0 <= found.stop - (around + length) <= 7
    # The next shot begins when it is known that the dissolve is over.
    assert cuts == [found.stop]


def test_few_frames() -> None:
    for n in range(4):
        assert looked_at(scene(1, 4)[:n]) == ([], [])


def test_no_more_than_the_look_ahead_is_held() -> None:
    read = []

    def frames() -> Iterator[Frame]:
        for i in range(10):
            read.append(i)
            yield make_frame(np.full((H, W, 3), 0.5), index=i)

    for frame, _ in Shots().marked(frames()):
        assert len(read) <= frame.index + 3


@pytest.mark.parametrize("fmt", ["gray", "gray10le", "yuva420p", "yuv410p", "gbrp10le"])
@pytest.mark.parametrize("size", [(1, 1), (7, 300), (161, 91)])
def test_any_frame_gives_a_small_picture(fmt: str, size: tuple[int, int]) -> None:
    small = glance(noise_frame(fmt, *size))
    assert small.dtype == np.uint8
    assert min(small.shape[:2]) == min(40, *size)


def test_a_glance_shows_the_frame() -> None:
    color = np.array([0.2, 0.5, 0.8])
    small = glance(make_frame(np.broadcast_to(color, (200, 300, 3))))
    np.testing.assert_allclose(small, np.broadcast_to(color[::-1] * 255, small.shape), atol=3)
