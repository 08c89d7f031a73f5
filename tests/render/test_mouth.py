"""One rendered frame: a drawn face whose inside of the mouth is pure red, or pure blue."""

import cv2
import numpy as np
import pytest
from synth import closed_mesh, make_frame, make_track, turn

from labial import geometry
from labial.composite.blend import composite
from labial.motion.retarget import Retarget
from labial.motion.space import load_basis
from labial.pixels import Box, read_rgb
from labial.render.bank import BankCollector, Choice, Patch
from labial.render.mouth import Layers, render_mouth
from labial.types import Face, FaceTrack, Frame

BASIS = load_basis()
W, H = 420, 440
CENTER = (210.0, 190.0)
SCALE = 170.0
SKIN, LIPS, RED, BLUE = (0.8, 0.62, 0.52), (0.7, 0.4, 0.38), (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)
INNER = [*geometry.INNER_UPPER, *geometry.INNER_LOWER[-2:0:-1]]
OUTER = [*geometry.OUTER_UPPER, *geometry.OUTER_LOWER[-2:0:-1]]
OPEN, SHUT = 0.25, 0.0


def opening(aperture: float) -> np.ndarray:
    direction = BASIS.components[:, 14, 1] - BASIS.components[:, 13, 1]
    return (aperture * direction / (direction @ direction)).astype(np.float32)


def fill(picture: np.ndarray, polygon: np.ndarray, color: tuple[float, ...]) -> None:
    cv2.fillPoly(picture, [np.rint((polygon - 0.5) * 16).astype(np.int32)], color, cv2.LINE_8, 4)


def drawn(landmarks: np.ndarray, inside: tuple[float, ...], fmt: str = "gbrp") -> Frame:
    """Skin everywhere, a background pattern, lips, and what is between them."""
    y, x = np.mgrid[:H, :W]
    picture = np.empty((H, W, 3), np.float32)
    picture[:] = SKIN
    fill(picture, landmarks[OUTER, :2], LIPS)
    fill(picture, landmarks[INNER, :2], inside)
    far = np.hypot(x - CENTER[0], y - CENTER[1] - 20) > 170
    picture[far] = (0.5 + 0.4 * np.sin(x / 3) * np.cos(y / 5))[far][:, None]
    return make_frame(picture, fmt)


def scene(
    filmed: float, wanted: float, *, rotation: np.ndarray | None = None, quality: float = 1.0
) -> tuple[FaceTrack, Retarget]:
    own = opening(filmed)[None]
    track = make_track(
        closed_mesh() + BASIS.displacement(own),
        closed_mesh(),
        scale=SCALE,
        rotation=rotation,
        center=CENTER,
        quality=np.array([quality]),
    )
    return track, Retarget(track, BASIS, opening(wanted)[None], 25.0)


def patch(aperture: float, inside: tuple[float, ...], rotation: np.ndarray | None = None) -> Patch:
    track, _ = scene(aperture, 0, rotation=rotation)
    collector = BankCollector()
    face = Face(track.landmarks[0], 1.0)
    collector.offer(drawn(track.landmarks[0], inside), {0: face})
    (only,) = collector.finish()
    return only


def rendered(layers: Layers | None) -> np.ndarray:
    assert layers is not None
    return read_rgb(composite(layers), Box(0, 0, W, H))


def redness(rgb: np.ndarray) -> np.ndarray:
    return np.asarray(rgb[..., 0] - rgb[..., 1:].max(-1))


def moved_landmarks(track: FaceTrack, retarget: Retarget) -> np.ndarray:
    return np.asarray(
        track.landmarks[0] + track.scale[0] * retarget.displacement(0) @ track.rotation[0].T
    )


VIEWS = [
    turn(), turn(yaw=18), turn(yaw=-18, pitch=8), turn(roll=25), turn(roll=-90), turn(roll=180),
]  # fmt: skip
NAMES = ["front", "right", "left", "tilted", "lying", "upside down"]


@pytest.mark.parametrize("rotation", VIEWS, ids=NAMES)
@pytest.mark.parametrize("filmed", [0.05, 0.12, OPEN])
def test_a_mouth_that_closes_hides_what_was_inside(filmed: float, rotation: np.ndarray) -> None:
    track, retarget = scene(filmed, SHUT, rotation=rotation)
    frame = drawn(track.landmarks[0], RED)
    before = redness(read_rgb(frame, Box(0, 0, W, H)))
    assert (before > 0.9).sum() > 100
    after = rendered(render_mouth(frame, track, retarget, None))
    # Lips are 0.3 red, the inside is 1. Where the lips meet, some pixels may be a mixture; a seam
    # all along the lip line would be 80 and more.
    assert (redness(after) > 0.45).sum() < 45
    point = moved_landmarks(track, retarget)[[13, 14], :2].mean(0).astype(int)
    np.testing.assert_allclose(after[point[1], point[0]], LIPS, atol=0.1)


@pytest.mark.parametrize("rotation", VIEWS[:4], ids=["front", "right", "left", "tilted"])
def test_a_mouth_that_closes_with_a_patch_hides_the_patch_too(rotation: np.ndarray) -> None:
    track, retarget = scene(OPEN, SHUT, rotation=rotation)
    frame = drawn(track.landmarks[0], RED)
    choice = Choice((patch(0.2, BLUE, rotation), patch(0.1, RED, rotation)), (0.7, 0.3), 0.0)
    after = rendered(render_mouth(frame, track, retarget, choice))
    assert redness(after).max() < 0.6
    # A speck where the lips part in the corner; a seam would be 80 pixels and more.
    assert ((after[..., 2] - after[..., 0]) > 0.2).sum() < 10


@pytest.mark.parametrize("rotation", VIEWS[:4], ids=["front", "right", "left", "tilted"])
def test_an_opening_mouth_shows_the_patch_inside(rotation: np.ndarray) -> None:
    track, retarget = scene(SHUT, 0.2, rotation=rotation)
    frame = drawn(track.landmarks[0], SKIN)
    choice = Choice((patch(OPEN, BLUE, rotation),), (1.0,), 0.0)
    after = rendered(render_mouth(frame, track, retarget, choice))
    there = moved_landmarks(track, retarget)
    hole = np.zeros((H, W), np.uint8)
    cv2.fillPoly(hole, [np.rint(there[INNER, :2]).astype(np.int32)], 1)
    inner = cv2.erode(hole, np.ones((5, 5))) > 0
    assert inner.sum() > 200
    blue = after[..., 2] - after[..., 0]
    # The light of the two pictures is the same, so the blue is, too.
    assert np.quantile(blue[inner], 0.05) > 0.8
    outside = cv2.dilate(hole, np.ones((7, 7))) == 0
    assert blue[outside & (np.hypot(*np.indices((H, W))[::-1] - 200) < 120)].max() < 0.2
    np.testing.assert_allclose(after[tuple(there[17, 1::-1].astype(int) - [4, 0])], LIPS, atol=0.12)


def test_weights_mix_the_patches() -> None:
    track, retarget = scene(SHUT, 0.2)
    frame = drawn(track.landmarks[0], SKIN)
    pair = (patch(0.22, BLUE), patch(0.22, RED))
    after = rendered(render_mouth(frame, track, retarget, Choice(pair, (0.75, 0.25), 0.0)))
    middle = moved_landmarks(track, retarget)[[13, 14], :2].mean(0).astype(int)
    r, g, b = after[middle[1], middle[0]]
    assert b == pytest.approx(0.75, abs=0.08)
    assert r == pytest.approx(0.25, abs=0.08)
    assert g < 0.05


@pytest.mark.parametrize("fmt", ["yuv420p", "yuv422p10le", "gbrp"])
def test_its_own_mouth_again_hardly_changes_it(fmt: str) -> None:
    track, retarget = scene(0.15, 0.15)
    frame = drawn(track.landmarks[0], RED, fmt)
    layers = render_mouth(frame, track, retarget, None)
    assert layers is not None
    before, after = read_rgb(frame, Box(0, 0, W, H)), rendered(layers)
    for new, old in zip(layers.frame.planes, frame.planes, strict=True):
        np.testing.assert_array_equal(new, old)
    # Only the drawn border between lip and inside is softened.
    assert np.quantile(np.abs(after - before), 0.999) < 0.25
    assert np.abs(after - before).mean() < 0.002


def test_the_background_is_bit_exact() -> None:
    track, retarget = scene(OPEN, SHUT)
    for fmt in ("yuv420p", "yuv422p10le"):
        frame = drawn(track.landmarks[0], RED, fmt)
        layers = render_mouth(frame, track, retarget, None)
        assert layers is not None
        out = composite(layers)
        points = track.landmarks[0, :, :2]
        low, high = points.min(0), points.max(0)
        size = high - low
        keep = np.ones((H, W), bool)
        x0, y0 = np.maximum(low - 0.15 * size, 0).astype(int)
        x1, y1 = np.ceil(high + 0.15 * size).astype(int)
        keep[y0:y1, x0:x1] = False
        # Above the eyes nothing moves either.
        keep[: int(points[[33, 263], 1].min())] = True
        for new, old in zip(out.planes, frame.planes, strict=True):
            sy, sx = H // new.shape[0], W // new.shape[1]
            mask = keep.reshape(H // sy, sy, W // sx, sx).all((1, 3))
            assert mask.mean() > 0.2
            np.testing.assert_array_equal(new[mask], old[mask])
        assert np.any(out.planes[0] != frame.planes[0])


@pytest.mark.parametrize(("filmed", "wanted"), [(OPEN, SHUT), (SHUT, OPEN)])
def test_what_is_beside_the_face_stays_and_the_chin_goes_with_the_jaw(
    filmed: float, wanted: float
) -> None:
    track, retarget = scene(filmed, wanted)
    frame = drawn(track.landmarks[0], RED)
    layers = render_mouth(frame, track, retarget, None)
    assert layers is not None
    there = moved_landmarks(track, retarget)
    chin = (there - track.landmarks[0])[152, 1] / SCALE
    assert chin == pytest.approx(0.29 * (wanted - filmed), abs=0.01)
    oval = list(geometry.FACE_OVAL)
    inside = np.zeros((H, W), np.uint8)
    for points in (track.landmarks[0], there):
        cv2.fillPoly(inside, [np.rint(points[oval, :2]).astype(np.int32)], 1)
    y, x = np.indices((H, W))
    left, right = (track.landmarks[0, v, :2] for v in (150, 379))
    # The grid of the warp has nodes of four pixels here.
    neck = (x > left[0] - 4) & (x < right[0] + 4) & (y > left[1] - 4)
    beside = (cv2.dilate(inside, np.ones((9, 9))) == 0) & ~neck
    assert beside.sum() > 20000
    for new, old in zip(composite(layers).planes, frame.planes, strict=True):
        np.testing.assert_array_equal(new[beside], old[beside])


@pytest.mark.parametrize("fmt", ["yuv420p", "yuv422p10le", "gbrp"])
def test_the_move_reaches_every_plane_where_the_face_moves(fmt: str) -> None:
    track, retarget = scene(OPEN, SHUT)
    frame = drawn(track.landmarks[0], RED, fmt)
    layers = render_mouth(frame, track, retarget, None)
    assert layers is not None
    lips = moved_landmarks(track, retarget)[OUTER, :2]
    for new, old in zip(layers.frame.planes, frame.planes, strict=True):
        rows, cols = np.nonzero(new != old)
        assert len(rows) > 100
        sy, sx = H // new.shape[0], W // new.shape[1]
        # The lower lip rises, so what changed lies around the lips and on the jaw below them.
        assert abs(sx * cols.mean() - lips[:, 0].mean()) < 0.1 * SCALE
        assert sy * rows.max() < track.landmarks[0, 152, 1] + 0.3 * SCALE
        assert sy * rows.min() > track.landmarks[0, 1, 1] - 0.3 * SCALE


def test_no_quality_no_render() -> None:
    track, retarget = scene(OPEN, SHUT, quality=0.0)
    frame = drawn(track.landmarks[0], RED)
    assert render_mouth(frame, track, retarget, None) is None


def test_half_quality_is_half_way() -> None:
    track, retarget = scene(OPEN, SHUT, quality=0.5)
    frame = drawn(track.landmarks[0], RED)
    layers = render_mouth(frame, track, retarget, None)
    assert layers is not None
    gap = moved_landmarks(track, retarget)[[13, 14], 1]
    assert (gap[1] - gap[0]) / SCALE == pytest.approx(OPEN / 2, rel=0.1)
    assert redness(rendered(layers)).max() > 0.8, "half open, so the inside is seen"


@pytest.mark.parametrize("center", [(210.0, 395.0), (30.0, 190.0), (-400.0, 190.0)])
def test_faces_over_the_border_of_the_picture(center: tuple[float, float]) -> None:
    own = opening(OPEN)[None]
    shapes = closed_mesh() + BASIS.displacement(own)
    track = make_track(shapes, closed_mesh(), scale=SCALE, center=center)
    retarget = Retarget(track, BASIS, opening(SHUT)[None], 25.0)
    frame = drawn(track.landmarks[0], RED, "yuv420p")
    layers = render_mouth(frame, track, retarget, None)
    if layers is not None:
        out = composite(layers)
        assert out.planes[0].shape == (H, W)


def test_a_face_without_a_patch_that_opens_gets_a_dark_inside_with_teeth() -> None:
    track, retarget = scene(SHUT, OPEN)
    frame = drawn(track.landmarks[0], SKIN)
    after = rendered(render_mouth(frame, track, retarget, None))
    there = moved_landmarks(track, retarget)
    hole = np.zeros((H, W), np.uint8)
    cv2.fillPoly(hole, [np.rint(there[INNER, :2]).astype(np.int32)], 1)
    light = after.mean(-1)[cv2.erode(hole, np.ones((5, 5))) > 0]
    assert light.min() < 0.35 * np.mean(SKIN)
    assert light.max() > 1.5 * light.min()
