"""A few hundred pixels tell one face from another."""

import numpy as np
from synth import make_frame, mesh, photo

from labial.face.glimpse import ANOTHER, STRANGER, alike, glimpse
from labial.face.timeline import overview
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


def test_the_best_face_of_each_frame() -> None:
    from synth import closed_mesh, make_track

    shapes = np.repeat(closed_mesh()[None], 10, 0)
    small = make_track(shapes, shapes[0], scale=50.0)
    large = make_track(shapes[:6], shapes[0], scale=90.0, start=2, quality=np.repeat([1.0, 0.0], 3))
    large.reasons[3:] = "listening"
    away = make_track(shapes[:2], shapes[0], scale=20.0, start=11, quality=np.zeros(2))
    away.reasons[:] = "turned away"
    hearer = make_track(shapes[:2], shapes[0], scale=90.0, start=11, quality=np.zeros(2))
    hearer.reasons[:] = "listening"
    which, quality, reasons = overview([small, large, away, hearer], 14, ("listening",))
    np.testing.assert_array_equal(which, [0, 0, 1, 1, 1, 0, 0, 0, 0, 0, -1, 2, 2, -1])
    np.testing.assert_array_equal(quality, [1] * 10 + [0] * 4)
    assert list(reasons[10:]) == ["no face", "turned away", "turned away", "no face"]
    assert overview([small, large, away, hearer], 14)[0][11] == 3, "else the larger"
    assert overview([], 2)[2].tolist() == ["no face"] * 2
