"""Speech motion on a synthetic face whose own motion is known exactly."""

import numpy as np
import pytest
from synth import closed_mesh, make_track, turn

from labial import geometry
from labial.motion.retarget import LIPS, SIDES, Retarget
from labial.motion.space import load_basis
from labial.types import FaceTrack

UP, LOW = list(geometry.INNER_UPPER[1:-1]), list(geometry.INNER_LOWER[1:-1])
BASIS = load_basis()
RATE = 25.0


def opening_coefficients(aperture: float) -> np.ndarray:
    """(K,) the smallest coefficients whose inner lips are ``aperture`` apart."""
    direction = BASIS.components[:, 14, 1] - BASIS.components[:, 13, 1]
    return (aperture * direction / (direction @ direction)).astype(np.float32)


def talk(n: int, seed: int = 0) -> np.ndarray:
    """(n, K) smooth open-mouthed motion."""
    rng = np.random.default_rng(seed)
    phase = rng.uniform(0, 6, len(BASIS))
    wave = 0.2 * np.sin(np.arange(n)[:, None] / 3 + phase)
    return (opening_coefficients(0.2) + wave).astype(np.float32)


def filmed(coefficients: np.ndarray, **how: object) -> FaceTrack:
    shapes = closed_mesh() + BASIS.displacement(coefficients)
    return make_track(shapes, closed_mesh(), **how)  # type: ignore[arg-type]


def face_space(track: FaceTrack, row: int) -> np.ndarray:
    centred = track.landmarks[row] - track.translation[row]
    return centred @ track.rotation[row] / track.scale[row]


def test_its_own_motion_moves_nothing() -> None:
    own = talk(40)
    retarget = Retarget(filmed(own), BASIS, own, RATE)
    for row in (0, 7, 20, 39):
        # The ridge of the projection and float pixels: 0.1 % of the distance of the eyes.
        assert np.abs(retarget.displacement(row)).max() < 1e-3


def test_silence_closes_the_mouth() -> None:
    own = talk(40)
    track = filmed(own)
    retarget = Retarget(track, BASIS, np.zeros_like(own), RATE)
    for row in (0, 13, 39):
        before = face_space(track, row)
        assert (before[14, 1] - before[13, 1]) > 0.1
        after = before + retarget.displacement(row)
        np.testing.assert_allclose(after[LIPS], closed_mesh()[LIPS], atol=2e-3)
        np.testing.assert_allclose(after[UP], after[LOW], atol=2e-3)


def test_the_lips_land_on_the_wanted_shape() -> None:
    own, wanted = talk(30), talk(30, seed=5)
    track = filmed(own)
    retarget = Retarget(track, BASIS, wanted, RATE)
    truth = closed_mesh() + BASIS.displacement(wanted)
    for row in (3, 17, 29):
        after = face_space(track, row) + retarget.displacement(row)
        np.testing.assert_allclose(after[LIPS], truth[row, LIPS], atol=2e-3)
        np.testing.assert_allclose(after[LIPS], retarget.lips()[row], atol=1e-4)
        np.testing.assert_allclose(after[152], truth[row, 152], atol=5e-3)


def test_the_head_pose_makes_no_difference() -> None:
    own, wanted = talk(12), talk(12, seed=5)
    rotation = np.stack([turn(3 * i - 15, i, -2 * i) for i in range(12)])
    still = Retarget(filmed(own), BASIS, wanted, RATE)
    moving = Retarget(
        filmed(own, rotation=rotation, scale=np.linspace(60, 300, 12)), BASIS, wanted, RATE
    )
    for row in range(12):
        gap = np.abs(still.displacement(row) - moving.displacement(row)).max()
        assert gap < 1e-4


def test_above_the_nose_nothing_moves() -> None:
    retarget = Retarget(filmed(np.zeros_like(talk(9))), BASIS, talk(9), RATE)
    eyes = [33, 133, 263, 362, 10, 151, 9, 8, 107, 336]
    assert np.abs(retarget.displacement(4)[eyes]).max() < 1e-5


@pytest.mark.parametrize("quality", [0.0, 0.25, 1.0])
def test_quality_weakens_the_move(quality: float) -> None:
    wanted = talk(9)
    still = np.zeros_like(wanted)
    full = Retarget(filmed(still), BASIS, wanted, RATE).displacement(4)
    track = filmed(still, quality=np.full(9, quality))
    weak = Retarget(track, BASIS, wanted, RATE).displacement(4)
    np.testing.assert_allclose(weak, quality * full, atol=1e-6)
    assert quality > 0 or not weak.any()


def test_lips_never_cross() -> None:
    own = talk(20)
    wanted = np.repeat(-opening_coefficients(0.3)[None], 20, 0)
    plain = BASIS.aperture(wanted)
    assert plain.max() < -0.2, "asked to close through each other"
    track = filmed(own)
    retarget = Retarget(track, BASIS, wanted, RATE)
    lips = retarget.lips()
    rows = {int(v): i for i, v in enumerate(LIPS)}
    up, low = [rows[v] for v in UP], [rows[v] for v in LOW]
    assert (lips[:, low, 1] - lips[:, up, 1]).min() > -1e-5
    for row in (0, 10, 19):
        after = face_space(track, row) + retarget.displacement(row)
        assert (after[LOW, 1] - after[UP, 1]).min() > -1e-4


def test_what_belongs_to_the_person_stays() -> None:
    # One mouth corner hangs: no symmetric basis explains it, and no speech may straighten it.
    own = talk(60)
    crooked = np.zeros((478, 3), np.float32)
    crooked[[291, 308, 375, 409], 1] = 0.04
    crooked[[61, 78, 146, 185], 1] = -0.04
    shapes = closed_mesh() + BASIS.displacement(own) + crooked
    track = make_track(shapes, closed_mesh())
    lips = Retarget(track, BASIS, np.zeros_like(own), RATE).lips()
    rows = {int(v): i for i, v in enumerate(LIPS)}
    tilt = lips[:, rows[291], 1] - lips[:, rows[61], 1]
    rest = closed_mesh()[291, 1] - closed_mesh()[61, 1]
    np.testing.assert_allclose(tilt - rest, 0.08, atol=0.01)


def test_trembling_of_the_landmarks_goes() -> None:
    rng = np.random.default_rng(2)
    n = 100
    still = np.zeros((n, len(BASIS)), np.float32)
    shapes = np.repeat(closed_mesh()[None], n, 0)
    shapes[:, LIPS] += rng.normal(0, 0.01, (n, len(LIPS), 3))
    track = make_track(shapes, closed_mesh())
    lips = Retarget(track, BASIS, still, RATE).lips()
    noise = np.std(np.diff(lips, axis=0)) / np.std(np.diff(shapes[:, LIPS], axis=0))
    assert noise < 0.05


def test_rows_without_a_face_do_not_matter() -> None:
    own, wanted = talk(40), talk(40, seed=3)
    present = np.ones(40, bool)
    present[[0, 11, 12, 13, 30]] = False
    crooked = np.where(np.arange(478) % 2, 0.02, -0.02)[:, None].astype(np.float32)
    shapes = closed_mesh() + BASIS.displacement(own) + crooked
    results = []
    for junk in (np.nan, 1e6, 0.0):
        track = make_track(shapes, closed_mesh(), present=present)
        track.landmarks[~present] = junk
        retarget = Retarget(track, BASIS, wanted, RATE)
        moves = [retarget.displacement(row) for row in np.flatnonzero(present)]
        results.append((np.stack(moves), retarget.lips()))
    for moves, lips in results:
        assert np.isfinite(moves).all()
        assert np.isfinite(lips).all()
        np.testing.assert_allclose(moves, results[-1][0], atol=1e-5)
        np.testing.assert_allclose(lips, results[-1][1], atol=1e-5)


def test_as_many_coefficients_as_frames() -> None:
    with pytest.raises(ValueError, match="8 coefficients for 9 frames"):
        Retarget(filmed(talk(9)), BASIS, talk(8), RATE)


def test_one_frame_is_a_track_too() -> None:
    retarget = Retarget(filmed(talk(1)), BASIS, np.zeros_like(talk(1)), RATE)
    assert np.isfinite(retarget.displacement(0)).all()
    assert retarget.lips().shape == (1, len(LIPS), 3)


def test_the_person_does_not_hold_the_lips_apart() -> None:
    # The mesh sees half of this person's lower lip too low all the time.
    own = talk(40)
    low = np.zeros((478, 3), np.float32)
    low[list(geometry.INNER_LOWER[1:5]), 1] = 0.04
    track = make_track(closed_mesh() + BASIS.displacement(own) + low, closed_mesh())
    retarget = Retarget(track, BASIS, np.zeros_like(own), RATE)
    for row in (5, 20):
        after = face_space(track, row) + retarget.displacement(row)
        np.testing.assert_allclose(after[UP], after[LOW], atol=2e-3)


JAW = [152, 199, 200, 176, 400]


def test_a_mesh_that_trembles_does_not_shake_the_jaw_and_lips_stay_exact() -> None:
    rng = np.random.default_rng(5)
    mean = np.repeat(opening_coefficients(0.1)[None], 40, 0)
    own = mean + rng.normal(0, 0.15, (40, 1)).astype(np.float32) * opening_coefficients(0.05)
    track = filmed(own)
    retarget = Retarget(track, BASIS, mean, RATE)
    moves = np.array([retarget.displacement(row) for row in range(40)])
    raw = BASIS.displacement(mean - own)
    assert 5e-4 < np.abs(raw[:, JAW]).mean() < 4e-3, "of the order of what is filmed"
    shake, before = (np.diff(x[:, JAW], 2, axis=0).std(0).mean() for x in (moves, raw))
    assert shake < 0.6 * before
    lips = np.array([face_space(track, row) for row in range(40)])[:, LIPS] + moves[:, LIPS]
    np.testing.assert_allclose(lips, np.repeat(lips[:1], 40, 0), atol=1e-3)


def test_a_jaw_that_moves_fast_is_taken_out_whole() -> None:
    own = np.repeat(opening_coefficients(0.05)[None], 40, 0)
    own[20:22] = opening_coefficients(0.25)
    track = filmed(own)
    retarget = Retarget(track, BASIS, own[:1].repeat(40, 0), RATE)
    after = face_space(track, 20) + retarget.displacement(20)
    np.testing.assert_allclose(after[JAW], face_space(track, 10)[JAW], atol=4e-3)


def test_the_outline_of_the_face_stays_but_for_the_chin() -> None:
    own = talk(10)
    retarget = Retarget(filmed(own), BASIS, np.zeros_like(own), RATE)
    move = retarget.displacement(5)
    sides = [v for side in SIDES for v in side]
    np.testing.assert_allclose(move[sides], 0, atol=1e-12)
    free = BASIS.displacement(-own[5:6])[0]
    np.testing.assert_allclose(move[152], free[152], atol=5e-3)
    assert np.abs(move[152]).max() > 0.03
