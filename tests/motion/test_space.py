"""The mouth basis: zero is rest, and there and back is the same."""

import numpy as np
import pytest

from labial import geometry
from labial.motion.space import MouthBasis, load_basis


@pytest.fixture(scope="module")
def basis() -> MouthBasis:
    return load_basis()


def test_zero_coefficients_move_nothing(basis: MouthBasis) -> None:
    assert not basis.displacement(np.zeros((3, len(basis)), np.float32)).any()


def test_projecting_a_displacement_gives_its_coefficients(basis: MouthBasis) -> None:
    rng = np.random.default_rng(0)
    wanted = rng.standard_normal((50, len(basis))).astype(np.float32)
    assert np.allclose(basis.project(basis.displacement(wanted)), wanted, atol=2e-3)


def test_the_upper_face_stays(basis: MouthBasis) -> None:
    vertices, _ = geometry.canonical_mesh()
    above = np.flatnonzero(vertices[:, 1] <= vertices[4, 1])
    assert not basis.components[:, above].any()
    assert not basis.components[:, 468:].any()


def test_the_mouth_moves_the_same_on_both_sides(basis: MouthBasis) -> None:
    for left, right in ((61, 291), (78, 308), (172, 397), (205, 425)):
        mirrored = basis.components[:, left] * np.array([-1, 1, 1])
        assert np.allclose(basis.components[:, right], mirrored, atol=1e-6)


def test_a_lopsided_smile_is_not_learned_but_its_even_part_is(basis: MouthBasis) -> None:
    smile = np.zeros((1, 478, 3), np.float32)
    smile[0, 61] = (-0.1, -0.05, 0)
    flipped = np.zeros_like(smile)
    flipped[0, 291] = (0.1, -0.05, 0)
    assert np.allclose(basis.project(smile), basis.project(flipped), atol=1e-4)


def test_opening_lowers_the_jaw_and_parts_the_lips(basis: MouthBasis) -> None:
    first = np.zeros((1, len(basis)), np.float32)
    first[0, 0] = 1
    moved = basis.displacement(first)[0]
    assert basis.aperture(first)[0] > 0.02
    assert moved[152, 1] > 0.01 > abs(moved[0, 1])
    assert moved[14, 1] - moved[13, 1] == pytest.approx(basis.aperture(first)[0], abs=1e-6)


def test_shapes_are_checked() -> None:
    with pytest.raises(ValueError, match="MouthBasis"):
        MouthBasis(np.zeros((2, 468, 3), np.float32), np.zeros(2, np.float32))
