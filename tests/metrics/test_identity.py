"""Vectors whose angles are known, and a face against itself, changed and another."""

import numpy as np
import pytest
from synth import photo, sample_file

from labial.metrics.identity import likeness


def unit(*rows: list[float]) -> np.ndarray:
    x = np.array(rows, np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def test_angles() -> None:
    one = unit([1, 0, 0], [1, 0, 0])
    assert likeness(one, one) == pytest.approx(1)
    assert likeness(unit([0, 1, 0]), one) == pytest.approx(0)
    assert likeness(unit([1, 1, 0]), one) == pytest.approx(0.5**0.5)
    assert likeness(unit([-1, 0, 0]), one) == pytest.approx(-1)
    # Against the middle of what is known of a person.
    assert likeness(unit([1, 0, 0]), unit([1, 1, 0], [1, -1, 0])) == pytest.approx(1)


def test_nothing_to_compare() -> None:
    with pytest.raises(ValueError, match="0 looks"):
        likeness(np.zeros((0, 128), np.float32), unit([1, 0]))


def test_a_face_turned_into_something_else_is_less_alike() -> None:
    from labial.face.album import Recognizer

    sample_file("sface")
    network = Recognizer()
    face = np.rint(photo()[170:470, 130:430] * 255).astype(np.uint8)[::2, ::2][:112, :112]
    mixed = face.copy()
    mixed[56:] = mixed[56:, ::-1] // 2
    looks = [np.stack([network(np.ascontiguousarray(x))]) for x in (face, mixed)]
    assert likeness(looks[0], looks[0]) == pytest.approx(1, abs=1e-5)
    assert likeness(looks[1], looks[0]) < 0.9
