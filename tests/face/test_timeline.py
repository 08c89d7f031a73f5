"""What a frame has to offer, of all its faces."""

import numpy as np
from synth import closed_mesh, make_track

from labial.face.timeline import overview


def test_the_best_face_of_each_frame() -> None:
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
