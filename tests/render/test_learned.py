"""The learned parts on a whole frame: what they are shown, and that no picture makes a monster."""

import cv2
import numpy as np
import pytest
from synth import closed_mesh, make_frame, make_track

from labial import geometry
from labial.composite.blend import compose
from labial.motion.retarget import Retarget
from labial.motion.space import load_basis
from labial.pixels import Box, read_rgb
from labial.render.bank import BankCollector, MouthBank
from labial.render.learned import Learned, networks
from labial.render.mouth import render_mouth
from labial.render.plane import HEIGHT, WIDTH, MouthPlane
from labial.render.refine import STRAY_HIGH
from labial.types import Face, FaceTrack, Frame

BASIS = load_basis()
W, H, N = 320, 300, 12
INNER = [*geometry.INNER_UPPER, *geometry.INNER_LOWER[-2:0:-1]]
OUTER = [*geometry.OUTER_UPPER, *geometry.OUTER_LOWER[-2:0:-1]]


def opening(aperture: np.ndarray) -> np.ndarray:
    direction = BASIS.components[:, 14, 1] - BASIS.components[:, 13, 1]
    return (np.atleast_1d(aperture)[:, None] * direction / (direction @ direction)).astype("f4")


def track_of(aperture: np.ndarray, scale: float = 120.0) -> FaceTrack:
    shapes = closed_mesh() + BASIS.displacement(opening(aperture))
    return make_track(shapes, closed_mesh(), scale=scale, center=(160.0, 130.0))


def drawn(
    landmarks: np.ndarray, inside: tuple[float, float, float] = (0.2, 0.05, 0.05)
) -> np.ndarray:
    rgb = np.full((H, W, 3), (0.8, 0.62, 0.52), np.float32)
    for ring, color in ((OUTER, (0.7, 0.4, 0.38)), (INNER, inside)):
        points = np.rint((landmarks[ring, :2] - 0.5) * 16).astype(np.int32)
        cv2.fillPoly(rgb, [points], color, cv2.LINE_AA, 4)
    noise = np.random.default_rng(0).standard_normal((H, W, 1)).astype(np.float32)
    return (rgb + 0.01 * noise).clip(0, 1)


def rendered(
    picture: np.ndarray, track: FaceTrack, wanted: float, bank: MouthBank | None, *, learn: bool
) -> tuple[np.ndarray, float, Frame]:
    frame = make_frame(picture, "gbrp")
    retarget = Retarget(track, BASIS, np.repeat(opening(np.array([wanted])), len(track), 0), 25.0)
    learned = Learned(track, retarget, bank) if learn else None
    choices, others = [None], [None]
    if bank is not None:
        at, lips = np.array([0]), retarget.lips()[:1]
        choices = bank.choose(at, lips)
        others = bank.choose(at, lips, choices)
    layers = render_mouth(frame, track, retarget, choices[0], learned, others[0])
    assert layers is not None
    made = compose(layers, learned.refiner if learned else None)
    return read_rgb(made.frame, Box(0, 0, W, H)), made.trust, frame


def bank_of(track: FaceTrack) -> MouthBank:
    collector = BankCollector()
    for i in range(len(track)):
        frame = make_frame(drawn(track.landmarks[i]), "gbrp", index=i)
        collector.offer(frame, {0: Face(track.landmarks[i], 1.0)})
    return MouthBank(track, collector.finish())


APERTURES = np.linspace(0, 0.15, N)


def test_the_refiner_is_shown_the_frame_and_two_different_mouths() -> None:
    track = track_of(APERTURES)
    bank = bank_of(track)
    retarget = Retarget(track, BASIS, opening(APERTURES[::-1]), 25.0)
    choices = bank.choose(np.arange(N), retarget.lips())
    others = bank.choose(np.arange(N), retarget.lips(), choices)
    frame = make_frame(drawn(track.landmarks[0]), "gbrp")
    learned = Learned(track, retarget, bank)
    scene = learned.scene(frame, 0, track.landmarks[0], choices[0], others[0])
    assert scene is not None
    assert len(scene.filmed) == 2
    assert scene.lips.shape == (HEIGHT, WIDTH, 8)
    np.testing.assert_array_equal(scene.told.wanted, retarget.mouths(0)[0])
    box = scene.plane.box(W, H)
    want = scene.plane.view(read_rgb(frame, box), box)
    np.testing.assert_allclose(scene.source, want, atol=0.03)
    without = Learned(track, retarget, bank, refine=False)
    assert without.scene(frame, 0, track.landmarks[0], choices[0], others[0]) is None


def test_a_mouth_that_never_opened_gets_an_inside_that_is_not_lip() -> None:
    track = track_of(np.zeros(1))
    picture = drawn(track.landmarks[0])
    out, trust, _ = rendered(picture, track, 0.2, None, learn=True)
    assert trust > 0.9
    plain, _, _ = rendered(picture, track, 0.2, None, learn=False)
    x, y = (track.landmarks[0, 14, :2] + np.array([0, 8])).astype(int)
    assert np.abs(out[y, x] - plain[y, x]).max() > 0.02, "another inside than the drawn one"
    assert out[y - 20 : y + 20, x - 20 : x + 20].std() > 0.05


def test_outside_the_plane_the_learned_parts_change_nothing() -> None:
    track = track_of(APERTURES)
    picture = drawn(track.landmarks[0])
    bank = bank_of(track)
    out, _, _ = rendered(picture, track, 0.1, bank, learn=True)
    fast, _, _ = rendered(picture, track, 0.1, bank, learn=False)
    changed = np.abs(out - fast).max(2) > 0
    at = MouthPlane.of(track, 0).box(W, H)
    assert changed[at.y0 : at.y1, at.x0 : at.x1].any()
    changed[at.y0 : at.y1, at.x0 : at.x1] = False
    assert not changed.any()


CONDITIONS = {
    "dark": lambda p: p * 0.03,
    "black": lambda p: p * 0,
    "blown out": lambda p: np.minimum(p * 4, 1),
    "blurred": lambda p: cv2.GaussianBlur(p, (0, 0), 9),
    "grey": lambda p: np.repeat(p.mean(2, keepdims=True), 3, 2),
    "noise": lambda p: np.random.default_rng(1).random(p.shape).astype(np.float32),
    "covered": lambda p: cv2.rectangle(p.copy(), (120, 150), (260, 240), (0.1, 0.3, 0.9), -1),
}


@pytest.mark.parametrize("bank", [False, True])
@pytest.mark.parametrize("condition", CONDITIONS)
def test_bad_pictures_make_no_monsters(condition: str, bank: bool) -> None:
    track = track_of(APERTURES)
    picture = np.asarray(CONDITIONS[condition](drawn(track.landmarks[0])), np.float32)
    mouths = bank_of(track) if bank else None
    fast, _, _ = rendered(picture, track, 0.12, mouths, learn=False)
    out, trust, _ = rendered(picture, track, 0.12, mouths, learn=True)
    assert np.isfinite(out).all()
    assert 0 <= trust <= 1
    broad = cv2.GaussianBlur(out - fast, (0, 0), 12)
    # Where the bank is there, only the refiner differs, and it may not stray.
    assert np.abs(broad).max() < (STRAY_HIGH if bank else 0.5)
    if not bank and condition in ("dark", "black"):
        assert out.max() < 0.2, "no teeth that shine in the dark"


@pytest.mark.parametrize("scale", [14.0, 60.0, 200.0])
@pytest.mark.parametrize("wanted", [0.0, 0.6])
def test_any_size_and_extreme_mouths(scale: float, wanted: float) -> None:
    track = track_of(np.zeros(1), scale)
    out, _, _ = rendered(drawn(track.landmarks[0]), track, wanted, None, learn=True)
    assert np.isfinite(out).all()


def test_networks_are_loaded_once() -> None:
    assert networks() is networks()
