"""A drawn head before a drawn wall: marks on the mesh must go where rotation takes them."""

from dataclasses import replace

import numpy as np
import pytest
from synth import make_frame, mesh, turn

import labial.render.photo as module
from labial.render.photo import HeadRelief
from labial.types import Frame

UNIT, CENTER = 70.0, np.array([230.0, 190.0, 0.0])
SIZE = (460, 460)
MARKS = (1, 33, 263, 61, 291, 9, 152)


def points(rotation: np.ndarray) -> np.ndarray:
    return (mesh() @ rotation.T * UNIT + CENTER).astype(np.float32)


def scene(rotation: np.ndarray, marks: bool = False, fmt: str = "yuv420p") -> Frame:
    rng = np.random.default_rng(1)
    y, x = np.mgrid[: SIZE[1], : SIZE[0]] + 0.5
    across, down = (x - CENTER[0]) / UNIT, (y - CENTER[1]) / UNIT
    rgb = np.empty((*x.shape, 3))
    rgb[:] = (0.3, 0.45, 0.5)
    rgb += 0.08 * np.sign(np.sin(x / 9) * np.sin(y / 7))[..., None]
    rgb[(down > 1.9) & (np.abs(across) < 0.9 + 0.7 * (down - 1.9))] = (0.2, 0.1, 0.2)
    rgb[(np.abs(across) < 0.5) & (down > 0.5)] = (0.8, 0.65, 0.55)
    rgb[(across / 1.1) ** 2 + ((down - 0.1) / 1.35) ** 2 < 1] = (0.25, 0.15, 0.1)
    rgb[(across / 0.95) ** 2 + ((down - 0.4) / 1.05) ** 2 < 1] = (0.8, 0.65, 0.55)
    rgb += rng.normal(0, 0.01, rgb.shape)
    if marks:
        for px, py, _ in points(rotation)[list(MARKS)]:
            rgb -= 0.5 * np.exp(-((x - px) ** 2 + (y - py) ** 2) / 12)[..., None]
    return make_frame(rgb.clip(0, 1), fmt)


def relief(frame: Frame, rotation: np.ndarray) -> HeadRelief:
    return HeadRelief(
        frame, points(rotation), UNIT, rotation.astype(np.float32), CENTER.astype("f4")
    )


def own(frame: Frame) -> Frame:
    return replace(frame, planes=tuple(plane.copy() for plane in frame.planes))


STRAIGHT = np.eye(3)
NO_SHIFT = np.zeros(2, np.float32)


@pytest.fixture(scope="module")
def frame() -> Frame:
    return scene(STRAIGHT)


@pytest.fixture(scope="module")
def head(frame: Frame) -> HeadRelief:
    return relief(frame, STRAIGHT)


def same(a: Frame, b: Frame) -> bool:
    return all(np.array_equal(p, q) for p, q in zip(a.planes, b.planes, strict=True))


def test_a_head_that_does_not_move_is_the_photo(frame: Frame, head: HeadRelief) -> None:
    assert head.layered
    assert same(head.move(own(frame), np.zeros(3, np.float32), NO_SHIFT), frame)
    # And so it is on the way there: the layers add up to the photo, not only where nothing is done.
    nearly = head.move(own(frame), np.array([0.02, 0, 0], np.float32), NO_SHIFT)
    for plane, photo in zip(nearly.planes, frame.planes, strict=True):
        assert np.abs(plane.astype(int) - photo).max() <= 2


@pytest.mark.parametrize("pose", [(0, 0, 0), (20, 8, -10)])
@pytest.mark.parametrize("angles", [(8, 0, 0), (-8, 0, 0), (0, 6, 0), (0, -6, 0), (0, 0, 5)])
def test_marks_go_where_rotation_takes_them(pose, angles) -> None:
    rotation = turn(*pose)
    plain, marked = scene(rotation), scene(rotation, marks=True)
    head = relief(plain, rotation)
    angles = np.array(angles, np.float32)
    a, b = (head.move(own(f), angles, NO_SHIFT).planes[0].astype(float) for f in (plain, marked))
    pivot = np.array(module._PIVOT)
    turned = rotation @ turn(*angles)
    before = points(rotation)[:, :2]
    after = ((mesh() - pivot) @ turned.T + pivot @ rotation.T) * UNIT + CENTER
    y, x = np.mgrid[: SIZE[1], : SIZE[0]] + 0.5
    for mark in MARKS:
        near = np.hypot(x - after[mark, 0], y - after[mark, 1]) < 9
        dark = (a - b).clip(0) * near
        found = np.array([(dark * x).sum(), (dark * y).sum()]) / dark.sum()
        way = after[mark, :2] - before[mark]
        # The chin hangs on the neck, which holds it back a little.
        assert np.linalg.norm(found - after[mark, :2]) < 1.0 + 0.25 * np.linalg.norm(way)


def test_nearer_points_move_farther(frame: Frame, head: HeadRelief) -> None:
    offset = head._offsets(np.array([6, 0, 0], np.float32), NO_SHIFT, 0.0)[..., 0]
    step = head._step
    box = head._layers[0].box

    def at(mark: int) -> float:
        x, y = points(STRAIGHT)[mark, :2]
        return float(-offset[int((y - box.y0) / step), int((x - box.x0) / step)])

    assert at(1) > at(33) + 2 > at(234) + 3  # nose, eye, ear


def test_the_background_stands_still(frame: Frame, head: HeadRelief) -> None:
    y, x = np.mgrid[: SIZE[1], : SIZE[0]] + 0.5
    across, down = (x - CENTER[0]) / UNIT, (y - CENTER[1]) / UNIT
    wall = ((across / 1.7) ** 2 + ((down - 0.2) / 1.9) ** 2 > 1) & (down < 1.2)
    for angles in ((8, 0, 0), (-8, 5, 0), (0, -6, 5)):
        out = head.move(own(frame), np.array(angles, np.float32), np.array([0.03, 0.02]))
        changed = np.abs(out.planes[0].astype(int) - frame.planes[0])
        assert (changed[wall] > 2).mean() < 0.01
        chest = down > 2.6
        assert not changed[chest].any()


def test_nothing_is_torn(frame: Frame, head: HeadRelief) -> None:
    """The map never folds: neighbouring pixels stay neighbours, in the same order."""
    for angles in ((9, 7, 6), (-9, -7, -6), (9, -7, 0)):
        offset = head._offsets(np.array(angles, np.float32), NO_SHIFT, 1.0)
        for axis, component in ((1, 0), (0, 1)):
            slope = np.diff(offset[..., component], axis=axis) / head._step
            assert slope.min() > -0.85


def test_brows_go_up(frame: Frame, head: HeadRelief) -> None:
    offset = head._offsets(np.zeros(3, np.float32), NO_SHIFT, 1.0)[..., 1]
    box, step = head._layers[0].box, head._step
    rows = {}
    for name, mark in (("brow", 105), ("eye", 145), ("nose", 1)):
        x, y = points(STRAIGHT)[mark, :2]
        rows[name] = offset[int((y - box.y0) / step), int((x - box.x0) / step)] / UNIT
    assert rows["brow"] > 0.02
    assert abs(rows["eye"]) < 0.01
    assert abs(rows["nose"]) < 0.002


def test_without_a_matte_the_picture_bends_softly(
    frame: Frame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "cut_out", lambda *_: None)
    head = relief(frame, STRAIGHT)
    assert not head.layered
    assert same(head.move(own(frame), np.zeros(3, np.float32), NO_SHIFT), frame)
    out = head.move(own(frame), np.array([8, 4, 3], np.float32), NO_SHIFT)
    y, x = np.mgrid[: SIZE[1], : SIZE[0]] + 0.5
    across, down = (x - CENTER[0]) / UNIT, (y - CENTER[1]) / UNIT
    far = np.hypot(across, (down - 0.15) / 1.35) > 2.0
    np.testing.assert_array_equal(out.planes[0][far], frame.planes[0][far])
    assert not same(out, frame)


@pytest.mark.parametrize("fmt", ["yuv444p", "yuv420p10le", "gbrp", "gray", "yuva420p"])
def test_other_planes(fmt: str) -> None:
    frame = scene(STRAIGHT, fmt=fmt)
    head = relief(frame, STRAIGHT)
    out = head.move(own(frame), np.array([6, 0, 0], np.float32), NO_SHIFT)
    assert not np.array_equal(out.planes[0], frame.planes[0])
    assert all(p.dtype == q.dtype for p, q in zip(out.planes, frame.planes, strict=True))
    if frame.format.alpha:
        np.testing.assert_array_equal(out.planes[-1], frame.planes[-1])
