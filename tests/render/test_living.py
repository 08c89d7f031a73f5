"""A picture whose head lives: at rest it is itself, and it never jumps."""

from dataclasses import replace

import numpy as np
import pytest
from synth import make_frame, make_track, mesh, photo, standing

from labial.motion.head import HeadMotion, move_head
from labial.render.living import LivingHead, can_live, own_planes
from labial.speech.phones import PHONES
from labial.types import FaceTrack, Frame, MouthMotion, SpeechTrack

SIZE = 160.0


def face() -> FaceTrack:
    return make_track(mesh()[None], mesh(), scale=SIZE, center=(240.0, 220.0))


def scene() -> Frame:
    """Anything that has detail all over."""
    rgb = photo()[:480, :480]
    return make_frame(rgb)


def fresh(frame: Frame) -> Frame:
    return replace(frame, planes=tuple(plane.copy() for plane in frame.planes))


def motion(n: int) -> HeadMotion:
    phones = np.zeros((n * 2, len(PHONES)), np.float32)
    phones[:, 5] = 1
    said = SpeechTrack(MouthMotion(np.zeros((n * 2, 12), np.float32)), phones)
    return move_head(said, np.full(n * 2, -20, np.float32), np.arange(n) / 25, "calm", 0)


@pytest.mark.parametrize("cut", [True, False])
def test_it_begins_as_the_picture_and_moves_a_little_at_a_time(cut: bool) -> None:
    frame, moves = scene(), motion(100)
    head = LivingHead(frame, face(), 0, cut=cut)
    before = fresh(frame)
    steps, away = [], []
    for row in range(100):
        now = head.move(fresh(frame), moves, row)
        if row == 0:
            for a, b in zip(now.planes, frame.planes, strict=True):
                np.testing.assert_array_equal(a, b)
        luma = now.planes[0].astype(int)
        steps.append(np.abs(luma - before.planes[0]).mean())
        away.append(np.abs(luma - frame.planes[0]).mean())
        before = now
    assert max(away) > 1.0
    assert max(steps[:3]) < 0.2
    assert not head.layered or cut


def test_without_a_cut_what_is_far_from_the_head_keeps_every_sample() -> None:
    frame, moves = scene(), motion(60)
    small = make_track(mesh()[None], mesh(), scale=40.0, center=(100.0, 100.0))
    moved = LivingHead(frame, small, 0, cut=False).move(fresh(frame), moves, 59)
    np.testing.assert_array_equal(moved.planes[0][260:], frame.planes[0][260:])
    np.testing.assert_array_equal(moved.planes[0][:, 260:], frame.planes[0][:, 260:])
    assert (moved.planes[0] != frame.planes[0]).any()


def test_who_is_not_seen_well_keeps_still() -> None:
    frame, track = scene(), face()
    assert can_live(frame, track, 0)
    assert not can_live(frame, replace(track, present=np.zeros(1, bool)), 0)
    assert not can_live(frame, replace(track, cover=np.full(1, 0.2, np.float32)), 0)
    assert not can_live(frame, standing(1, 10.0), 0)
    assert not can_live(frame, standing(1, 100.0, scale=12.0), 0)


def test_planes_of_its_own() -> None:
    frame = scene()
    shown = replace(frame, planes=(frame.planes[0].copy(), *frame.planes[1:]))
    own = own_planes(shown, frame)
    assert own.planes[0] is shown.planes[0]
    for mine, theirs in zip(own.planes, frame.planes, strict=True):
        assert mine.flags.writeable
        assert not np.shares_memory(mine, theirs)
        np.testing.assert_array_equal(mine, theirs)
