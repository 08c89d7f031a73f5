"""What is in front keeps its samples."""

import numpy as np
import pytest
from synth import BT709, noise_frame

from labial.composite.front import kept_in_front
from labial.types import Frame

H, W = 60, 90


def frames(fmt: str) -> tuple[Frame, Frame]:
    """A made frame and its source, in every code value."""
    made, source = (noise_frame(fmt, W, H, seed, color=BT709) for seed in (1, 2))
    return made, source


def affine(scale: float, x: float, y: float) -> np.ndarray:
    return np.array([[scale, 0, x], [0, scale, y]], np.float32)


@pytest.mark.parametrize("fmt", ["yuv420p", "yuv422p10le", "gbrp", "yuva420p", "gray10le"])
def test_where_the_matte_is_1_samples_are_the_sources(fmt: str) -> None:
    made, source = frames(fmt)
    before = [plane.copy() for plane in made.planes]
    matte = np.zeros((20, 30), np.float32)
    matte[5:15, 8:20] = 1
    out = kept_in_front(made, source, matte, affine(2, 10, 6))
    for k, (plane, old, own) in enumerate(zip(out.planes, before, source.planes, strict=True)):
        sx, sy = out.format.subsampling(k)
        # The matte's 1 in pixels of the frame less its soft edge, and everything a good way off it.
        inside = (slice((6 + 18) >> sy, (6 + 22) >> sy), slice((10 + 24) >> sx, (10 + 32) >> sx))
        np.testing.assert_array_equal(plane[inside], own[inside])
        np.testing.assert_array_equal(plane[:, : 10 >> sx], old[:, : 10 >> sx])
        np.testing.assert_array_equal(plane[52 >> sy :], old[52 >> sy :])


def test_nothing_in_front_changes_nothing() -> None:
    made, source = frames("yuv420p")
    before = [plane.copy() for plane in made.planes]
    out = kept_in_front(made, source, np.zeros((20, 30), np.float32), affine(2, 10, 6))
    for plane, old in zip(out.planes, before, strict=True):
        np.testing.assert_array_equal(plane, old)


def test_half_a_cover_is_half_of_both() -> None:
    made, source = frames("gbrp")
    middle = [(a.astype(float) + b) / 2 for a, b in zip(made.planes, source.planes, strict=True)]
    out = kept_in_front(made, source, np.full((20, 30), 0.5, np.float32), affine(2, 10, 6))
    for plane, mean in zip(out.planes, middle, strict=True):
        np.testing.assert_allclose(plane[12:40, 16:64], mean[12:40, 16:64], atol=0.51)


@pytest.mark.parametrize("at", [(-30, -20), (70, 45), (-200, 0), (300, 300)])
def test_a_plane_that_hangs_out_of_the_picture(at: tuple[float, float]) -> None:
    made, source = frames("yuv420p")
    out = kept_in_front(made, source, np.ones((20, 30), np.float32), affine(2, *at))
    assert out.planes[0].shape == (H, W)
