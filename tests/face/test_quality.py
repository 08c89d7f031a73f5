"""Quality of a face, frame by frame."""

import numpy as np
import pytest

from labial.face.pose import Poses, steadied
from labial.face.quality import FADE_FRAMES, Seen, Sights, judged


def test_turned_away_loses_quality_step_by_step() -> None:
    n = 61
    yaw = np.linspace(0, 60, n)
    turn = np.radians(yaw)
    rotation = np.repeat(np.eye(3, dtype=np.float32)[None], n, 0)
    rotation[:, 0, 0] = rotation[:, 2, 2] = np.cos(turn)
    rotation[:, 0, 2], rotation[:, 2, 0] = -np.sin(turn), np.sin(turn)
    poses = Poses(np.full(n, 100, np.float32), rotation, np.zeros((n, 3), np.float32))
    mouth = np.full((n, 20, 3), 50, np.float32)
    seen = Seen(mouth, mouth[:, :5], np.ones(n, bool), poses, (100, 100), Sights.none(n))
    quality, reasons = judged(seen)
    assert np.all(quality[yaw < 34] == 1)
    assert np.all(quality[yaw > 52] == 0)
    assert np.all(np.diff(quality) <= 1e-6)
    assert set(reasons[yaw > 39]) == {"turned away"}


N = 40
SIZE = (400, 300)


def seen(**changed: object) -> Seen:
    """A frontal face of 100 pixels between the eyes, in the middle of the picture."""
    still = Poses(
        np.full(N, 100, np.float32),
        np.repeat(np.eye(3, dtype=np.float32)[None], N, 0),
        np.zeros((N, 3), np.float32),
    )
    mouth, chin = np.full((N, 20, 3), 150, np.float32), np.full((N, 5, 3), 200, np.float32)
    parts = {
        "mouth": mouth, "chin": chin, "present": np.ones(N, bool), "poses": still, "size": SIZE,
        "sights": Sights.none(N), "passing": (),
    }  # fmt: skip
    return Seen(**{**parts, **changed})  # type: ignore[arg-type]


def sights(**changed: np.ndarray) -> Sights:
    plain = {"lips": np.zeros(N), "around": np.zeros(N), "detail": np.full((N, 2), 0.15)}
    return Sights(**{name: x.astype(np.float32) for name, x in {**plain, **changed}.items()})


def stretch(inside: float, outside: float) -> np.ndarray:
    """(N,) ``inside`` in frames 15 … 24, else ``outside``."""
    x = np.full(N, float(outside))
    x[15:25] = inside
    return x


def test_a_plain_face_is_as_good_as_can_be() -> None:
    quality, reasons = judged(seen(sights=sights()))
    np.testing.assert_array_equal(quality, 1)
    assert set(reasons) == {""}


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        (
            {"sights": sights(detail=np.stack([stretch(0.05, 0.15), stretch(0.15, 0.15)], 1))},
            "blurred",
        ),
        ({"sights": sights(lips=stretch(0.9, 0), around=stretch(0.3, 0))}, "mouth covered"),
        ({"passing": [(15, 25)]}, "dissolve"),
        ({"present": stretch(0, 1).astype(bool)}, "no face"),
        ({"chin": stretch(330, 200)[:, None, None] * np.ones((1, 5, 3))}, "chin out of frame"),
        ({"mouth": stretch(-5, 150)[:, None, None] * np.ones((1, 20, 3))}, "mouth out of frame"),
    ],
)
def test_what_is_bad_passes_and_fades_on_both_sides(changed: dict[str, object], why: str) -> None:
    quality, reasons = judged(seen(**changed))
    assert np.all(quality[15:25] == 0)
    assert set(reasons[15:25]) == {why}
    assert np.all(quality[:8] == 1)
    assert np.all(quality[32:] == 1)
    assert np.abs(np.diff(quality)).max() <= 1 / FADE_FRAMES + 1e-6


def test_a_face_that_is_soft_all_along() -> None:
    quality, reasons = judged(seen(sights=sights(detail=np.full((N, 2), 0.04))))
    np.testing.assert_array_equal(quality, 0)
    assert set(reasons) == {"blurred"}
    quality, _ = judged(seen(sights=sights(detail=np.full((N, 2), 0.1))))
    np.testing.assert_array_equal(quality, 1)


def test_faces_fade_below_sixty_pixels_of_width() -> None:
    eyes = np.linspace(20, 50, N).astype(np.float32)
    still = seen().poses
    quality, reasons = judged(seen(poses=Poses(eyes, still.rotation, still.translation)))
    # A face is some 1.6 times as wide as the outer corners of its eyes are apart.
    assert np.all(quality[eyes * 1.6 > 61] == 1)
    assert np.all(quality[eyes * 1.6 < 44] == 0)
    assert set(reasons[quality == 0]) == {"too small"}


@pytest.mark.parametrize("length", [1, 2])
def test_a_cover_in_a_frame_or_two_is_an_error(length: int) -> None:
    lips = np.zeros(N)
    lips[20 : 20 + length] = 0.9
    quality, _ = judged(seen(sights=sights(lips=lips, around=lips)))
    np.testing.assert_array_equal(quality, 1)


def test_something_beside_the_mouth_does_no_harm_but_is_kept_in_mind() -> None:
    found = sights(around=stretch(0.1, 0))
    quality, _ = judged(seen(sights=found))
    np.testing.assert_array_equal(quality, 1)
    covered = found.covered(np.ones(N, bool))
    assert np.all(covered[15:25] > 0)
    assert np.all(covered[15:25] < 0.05)
    assert np.all(covered[:10] == 0)


def test_of_two_reasons_the_worse_one_is_told() -> None:
    both = seen(present=np.zeros(N, bool), sights=sights(detail=np.full((N, 2), 0.01)))
    assert set(judged(both)[1]) == {"no face"}


def shaken(step: float, noise: float) -> tuple[Poses, np.ndarray]:
    """A head of 100 pixels that is shaken by ``step``, seen with ``noise``; and its true place."""
    rng = np.random.default_rng(0)
    true = np.zeros((N, 3), np.float32)
    true[:, 0] = 100 * step * np.sin(np.arange(N))
    poses = seen().poses
    seen_at = true + (100 * noise * rng.standard_normal((N, 3))).astype(np.float32)
    return Poses(poses.scale, poses.rotation, seen_at), true


def test_a_shaken_head_is_followed() -> None:
    poses, true = shaken(0.2, 0.002)
    steady = steadied(poses, np.array([0, 1, 0], np.float32))
    away = np.abs(steady.translation[:, 0] - true[:, 0])[2:-2] / 100
    assert away.max() < 0.02, "a plain binomial lags by .08"


def test_a_still_head_is_steadied() -> None:
    poses, _ = shaken(0.0, 0.003)
    steady = steadied(poses, np.array([0, 1, 0], np.float32))
    before, after = (np.abs(np.diff(p.translation[:, 0])).mean() for p in (poses, steady))
    assert after < 0.5 * before
    np.testing.assert_allclose(np.linalg.det(steady.rotation), 1, atol=1e-5)
