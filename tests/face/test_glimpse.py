"""A few hundred pixels tell one face from another."""

import numpy as np
from synth import make_frame, mesh, photo

from labial.face.glimpse import ANOTHER, STRANGER, alike, glimpse
from labial.types import Face

FACE = Face(mesh() * 150 + np.array([285, 290, 0], np.float32), 1.0)


def of(rgb: np.ndarray, face: Face = FACE, fmt: str = "yuv420p") -> np.ndarray:
    return glimpse(make_frame(rgb, fmt), face)


def test_light_contrast_and_depth_do_not_matter() -> None:
    seen = of(photo())
    assert seen.shape == (468,)
    assert alike(seen, seen) > 0.999
    assert alike(seen, of(0.5 * photo() + 0.2)) > 0.99
    assert alike(seen, of(photo(), fmt="yuv422p10le")) > 0.99
    assert alike(seen, of(1 - photo())) < -0.99


def test_another_picture_is_another_face() -> None:
    seen = of(photo())
    noise = np.random.default_rng(0).random(photo().shape)
    assert alike(seen, of(noise)) < STRANGER < ANOTHER
    near = Face(FACE.landmarks + np.array([1, 1, 0], np.float32), 1.0)
    assert alike(seen, of(photo(), near)) > ANOTHER


def test_what_lies_outside_has_no_say() -> None:
    half = Face(FACE.landmarks - np.array([285, 0, 0], np.float32), 1.0)
    seen = of(photo(), half)
    assert 0.2 < np.isnan(seen).mean() < 0.8
    assert alike(seen, seen) > 0.999
    gone = Face(FACE.landmarks - np.array([9999, 0, 0], np.float32), 1.0)
    assert alike(seen, of(photo(), gone)) == 1, "nothing to tell them apart"
