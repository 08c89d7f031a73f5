"""The mouth bank: bounded, varied, in runs; and it shows the mouth that is wanted."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from synth import closed_mesh, make_frame, make_track

from labial import geometry
from labial.motion.retarget import LIPS
from labial.motion.space import load_basis
from labial.render import bank as module
from labial.render.bank import RUN, BankCollector, Choice, MouthBank, Patch
from labial.types import Face, FaceTrack, Frame

BASIS = load_basis()
W, H, SCALE, CENTER = 160, 150, 60.0, (80.0, 60.0)


def coefficients(aperture: np.ndarray) -> np.ndarray:
    direction = BASIS.components[:, 14, 1] - BASIS.components[:, 13, 1]
    unit = direction / (direction @ direction)
    return (np.asarray(aperture)[:, None] * unit).astype(np.float32)


def track_of(aperture: np.ndarray, start: int = 0) -> FaceTrack:
    shapes = closed_mesh() + BASIS.displacement(coefficients(aperture))
    return make_track(shapes, closed_mesh(), scale=SCALE, center=CENTER, start=start)


def lips_of(track: FaceTrack) -> np.ndarray:
    """(n, lips, 3) in face space; the poses of these tracks do not turn."""
    centred = track.landmarks - track.translation[:, None]
    return np.asarray((centred / track.scale[:, None, None])[:, LIPS])


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    return np.random.default_rng(0).random((H, W, 3))


def collect(
    track: FaceTrack, picture: np.ndarray, collector: BankCollector | None = None, key: int = 0
) -> list[Patch]:
    collector = collector or BankCollector()
    still = make_frame(picture)
    for i in range(len(track)):
        frame = Frame(still.planes, still.format, i, still.time_base, index=track.start + i)
        face = Face(track.landmarks[i], 1.0) if track.present[i] else None
        collector.offer(frame, {} if face is None else {key: face})
    return collector.finish()


def size_of(patches: list[Patch]) -> int:
    return sum(p.rgb.nbytes for p in patches)


# ------------------------------------------------------------------------------------ collecting


def test_everything_is_kept_while_there_is_room(picture: np.ndarray) -> None:
    track = track_of(np.linspace(0, 0.2, 31), start=7)
    patches = collect(track, picture)
    assert [p.index for p in patches] == list(range(7, 38))
    first = patches[0]
    np.testing.assert_array_equal(first.landmarks, track.landmarks[0])
    assert first.rgb.dtype == np.uint8
    assert first.rgb.shape == (first.box.height, first.box.width, 3)
    want = picture[first.box.y0 : first.box.y1, first.box.x0 : first.box.x1].mean((0, 1)) * 255
    np.testing.assert_allclose(first.rgb.mean((0, 1)), want, atol=12)
    lips = track.landmarks[0][LIPS, :2]
    assert np.all(lips.min(0) > (first.box.x0, first.box.y0))
    assert np.all(lips.max(0) < (first.box.x1, first.box.y1))


def test_memory_stays_under_the_limit_and_what_is_rare_is_kept(picture: np.ndarray) -> None:
    # 400 frames of nearly the same small opening; twelve frames wide open; a few closed.
    aperture = 0.06 + 0.01 * np.sin(np.arange(400) / 7)
    aperture[200:212] = 0.3
    aperture[300:306] = 0
    track = track_of(aperture)
    collector = BankCollector(max_bytes=800_000)
    patches = collect(track, picture, collector)
    assert size_of(patches) <= 800_000
    assert size_of(patches) > 500_000, "and the room is used"
    kept = {p.index for p in patches}
    assert kept & set(range(200, 212)), "the widest mouth"
    assert kept & set(range(300, 306)), "the closed mouth"
    ordered = sorted(kept)
    assert [p.index for p in patches] == ordered
    # What is kept is whole runs.
    groups = np.split(ordered, np.flatnonzero(np.diff(ordered) > 1) + 1)
    assert all(len(group) >= RUN - 2 for group in groups)
    assert np.mean([len(group) for group in groups]) >= RUN - 1


def test_memory_stays_flat_at_every_moment(picture: np.ndarray) -> None:
    track = track_of(np.random.default_rng(1).uniform(0, 0.3, 200))
    collector = BankCollector(max_bytes=300_000)
    still = make_frame(picture)
    for i in range(len(track)):
        frame = Frame(still.planes, still.format, i, still.time_base, index=i)
        collector.offer(frame, {0: Face(track.landmarks[i], 1.0)})
        held = sum(size_of(run.patches) for run in collector._runs)
        assert held <= 300_000


def test_a_short_shot_is_not_pushed_out_by_a_long_one(picture: np.ndarray) -> None:
    collector = BankCollector(max_bytes=800_000)
    collect(track_of(np.full(12, 0.1)), picture, collector, key=0)
    patches = collect(track_of(np.linspace(0, 0.3, 300), start=12), picture, collector, key=1)
    assert size_of(patches) <= 800_000
    assert sum(p.index < 12 for p in patches) == 12


def test_runs_end_at_gaps_and_cuts(picture: np.ndarray) -> None:
    track = track_of(np.full(9, 0.1))
    track.present[4] = False
    collector = BankCollector()
    collect(track, picture, collector, key=0)
    collect(track_of(np.full(3, 0.1), start=9), picture, collector, key=1)
    runs = [[p.index for p in run.patches] for run in collector._runs]
    assert runs == [[0, 1, 2, 3], [5, 6, 7, 8], [9, 10, 11]]


def test_mouths_over_the_border_are_left_out(picture: np.ndarray) -> None:
    shapes = np.repeat(closed_mesh()[None], 3, 0)
    track = make_track(shapes, closed_mesh(), scale=SCALE, center=(80.0, 118.0))
    assert collect(track, picture) == []


def test_deep_pictures_keep_their_depth(picture: np.ndarray) -> None:
    track = track_of(np.full(1, 0.1))
    collector = BankCollector()
    collector.offer(make_frame(picture, "yuv422p10le"), {0: Face(track.landmarks[0], 1.0)})
    (patch,) = collector.finish()
    assert patch.rgb.dtype == np.uint16
    assert patch.rgb.max() > 50000


# -------------------------------------------------------------------------------------- choosing


def spoken(n: int) -> np.ndarray:
    return 0.12 + 0.11 * np.sin(np.arange(n) * 0.37) * np.sin(np.arange(n) * 0.071)


@pytest.fixture(scope="module")
def bank(picture: np.ndarray) -> tuple[FaceTrack, MouthBank]:
    track = track_of(spoken(90))
    return track, MouthBank(track, collect(track, picture))


def chosen(choices: list[Choice]) -> np.ndarray:
    return np.array([c.patches[0].index for c in choices])


def test_its_own_shapes_choose_its_own_mouths(bank: tuple[FaceTrack, MouthBank]) -> None:
    track, mouths = bank
    choices = mouths.choose(np.arange(90), lips_of(track))
    np.testing.assert_array_equal(chosen(choices), np.arange(90))
    assert all(c.weights == (1.0,) for c in choices)
    assert max(c.error for c in choices) < 1e-3


def test_the_wanted_shape_is_found_wherever_it_is(bank: tuple[FaceTrack, MouthBank]) -> None:
    track, mouths = bank
    order = np.concatenate([np.arange(40, 70), np.arange(10, 40)])
    choices = mouths.choose(np.arange(60), lips_of(track)[order])
    found = spoken(90)[chosen(choices)]
    # Near is enough where a jump would cost more: 0.02 of the distance of the eyes.
    assert np.abs(found - spoken(90)[order]).mean() < 0.01
    assert np.abs(found - spoken(90)[order]).max() < 0.05
    assert np.median([c.error for c in choices]) < 0.01


def test_mouths_play_in_runs(bank: tuple[FaceTrack, MouthBank]) -> None:
    _, mouths = bank
    rng = np.random.default_rng(4)
    wanted = 0.12 + 0.1 * np.sin(np.arange(80) * 0.31 + 1)
    targets = lips_of(track_of(wanted)) + rng.normal(0, 0.003, (80, len(LIPS), 3))
    path = chosen(mouths.choose(np.arange(80), targets.astype(np.float32)))
    step = np.diff(path)
    assert np.mean((step == 0) | (step == 1)) > 0.6
    assert np.mean(step == 1) > 0.3


def test_weights_add_up_and_jumps_are_softened(bank: tuple[FaceTrack, MouthBank]) -> None:
    track, mouths = bank
    order = np.concatenate([np.arange(50, 70), np.arange(10, 30)])
    choices = mouths.choose(np.arange(40), lips_of(track)[order])
    path = chosen(choices)
    jumps = np.flatnonzero((np.diff(path) != 1) & (np.diff(path) != 0))
    assert len(jumps) >= 1
    for i in jumps:
        for beside in (i, i + 1):
            assert len(choices[beside].patches) >= 2
            assert 0.5 < choices[beside].weights[0] < 1
    for choice in choices:
        assert sum(choice.weights) == pytest.approx(1)
        assert len(choice.weights) == len(choice.patches)
        assert list(choice.weights) == sorted(choice.weights, reverse=True)


def test_an_open_mouth_is_not_made_from_a_closed_one(picture: np.ndarray) -> None:
    aperture = np.repeat([0.0, 0.22], 8)
    track = track_of(aperture)
    mouths = MouthBank(track, collect(track, picture))
    # The closed mouth is a little nearer, but there are no teeth in it.
    path = chosen(mouths.choose(np.arange(8), lips_of(track_of(np.full(8, 0.1)))))
    np.testing.assert_array_equal(aperture[path], 0.22)
    shut = chosen(mouths.choose(np.arange(8), lips_of(track_of(np.full(8, 0.0)))))
    np.testing.assert_array_equal(aperture[shut], 0)


def test_long_videos_agree_across_the_seams(
    picture: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    n = 2600
    aperture = 0.12 + 0.1 * np.sin(np.arange(n) * 0.37) * np.sin(np.arange(n) * 0.013)
    track = track_of(aperture)
    patches = collect(track_of(spoken(48)), picture)
    mouths = MouthBank(track, patches)
    targets = lips_of(track)
    in_pieces = chosen(mouths.choose(np.arange(n), targets))
    monkeypatch.setattr(module, "_WINDOW", 10**6)
    at_once = chosen(mouths.choose(np.arange(n), targets))
    assert np.mean(in_pieces == at_once) > 0.99
    for seam in (1200, 2400):
        near = slice(seam - 3, seam + 4)
        np.testing.assert_array_equal(in_pieces[near], at_once[near])


def test_patches_of_other_tracks_are_left_out(picture: np.ndarray) -> None:
    collector, track = BankCollector(), track_of(spoken(20))
    for i in range(20):
        frame = replace(make_frame(picture), index=i)
        face = Face(track.landmarks[i], 1.0)
        collector.offer(frame, {3: face, 5: face} if i < 12 else {5: face})
    patches = collector.finish()
    for key, n in ((3, 12), (5, 20), (4, 0)):
        mine = MouthBank(replace(track, key=key), patches)
        assert [p.index for p in mine.patches] == list(range(n))


def test_covered_mouths_are_left_out(picture: np.ndarray) -> None:
    track = track_of(np.full(20, 0.1))
    cover = np.zeros(20, np.float32)
    cover[5:9] = 0.4
    mine = MouthBank(replace(track, cover=cover), collect(track, picture))
    assert [p.index for p in mine.patches] == [*range(5), *range(9, 20)]


def test_one_patch_is_a_bank(picture: np.ndarray) -> None:
    track = track_of(spoken(5))
    mouths = MouthBank(track, collect(track, picture)[2:3])
    choices = mouths.choose(np.arange(5), lips_of(track))
    assert set(chosen(choices)) == {2}


# ------------------------------------------------------------------------- what the pictures show


def drawn(track: FaceTrack, row: int, between: float, blur: float = 0.0) -> np.ndarray:
    """(H, W, 3) skin with lips of fine texture, and what is between them, in one grey."""
    points = track.landmarks[row, :, :2]
    rng = np.random.default_rng(3)
    picture = 0.5 + 0.15 * (rng.random((H, W, 1)) - 0.5)
    if blur:
        picture = cv2.GaussianBlur(picture, (0, 0), blur)[..., None]
    inner = [*geometry.INNER_UPPER, *geometry.INNER_LOWER[-2:0:-1]]
    mask = np.zeros((H, W), np.uint8)
    cv2.fillPoly(mask, [np.rint((points[inner] - 0.5) * 16).astype(np.int32)], 1, cv2.LINE_8, 4)
    cv2.polylines(mask, [np.rint(points[inner]).astype(np.int32)], True, 1, 1)
    return np.repeat(np.where(mask[..., None] > 0, between, picture), 3, -1)


def film(track: FaceTrack, pictures: list[np.ndarray]) -> list[Patch]:
    collector = BankCollector()
    for i, rgb in enumerate(pictures):
        frame = make_frame(rgb, index=track.start + i)
        collector.offer(frame, {0: Face(track.landmarks[i], 1.0)})
    return collector.finish()


def test_lips_that_shut_are_not_taken_from_a_mouth_that_shows_its_teeth() -> None:
    track = track_of(np.array([0.005, 0.005, 0.012, 0.012]))
    teeth, dark = 0.95, 0.2
    pictures = [drawn(track, i, teeth if i < 2 else dark) for i in range(4)]
    mouths = MouthBank(track, film(track, pictures))
    assert [p.inside.shape for p in mouths.patches] == [(3, 7)] * 4
    assert all(p.inside.max() > 1.5 for p in mouths.patches[:2])
    assert all(p.inside.max() < 1.2 for p in mouths.patches[2:])
    path = chosen(mouths.choose(np.arange(4), lips_of(track_of(np.full(4, 0.005)))))
    assert set(path) <= {2, 3}, "though the shape of the others is the nearer one"


def test_of_two_like_mouths_the_sharp_one_is_shown() -> None:
    track = track_of(np.array([0.1, 0.1, 0.104, 0.104] * 2))
    pictures = [drawn(track, i, 0.2, 0.0 if i % 4 > 1 else 2.0) for i in range(8)]
    mouths = MouthBank(track, film(track, pictures))
    sharp, soft = mouths.patches[2].detail, mouths.patches[0].detail
    assert sharp > 1.5 * soft
    path = chosen(mouths.choose(np.arange(4), lips_of(track_of(np.full(4, 0.1)))))
    assert np.all(path % 4 > 1)


def two_takes(first: float, second: float) -> list[Choice]:
    """The choices of eight frames that go from one take to another, of other insides."""
    aperture = np.concatenate([np.linspace(0.1, 0.135, 8), np.linspace(0.14, 0.175, 8)])
    track = track_of(aperture)
    pictures = [drawn(track, i, first if i < 8 else second) for i in range(16)]
    mouths = MouthBank(track, film(track, pictures))
    order = np.r_[2:6, 10:14]
    return mouths.choose(np.arange(8), lips_of(track)[order])


def test_runs_that_meet_play_on_while_they_fade() -> None:
    choices = two_takes(0.2, 0.2)
    np.testing.assert_array_equal(chosen(choices), np.r_[2:6, 10:14])
    others = [{p.index: w for p, w in zip(c.patches, c.weights, strict=True)} for c in choices]
    assert [set(o) for o in others] == [
        {2}, {3}, {4, 8}, {5, 9}, {10, 6}, {11, 7}, {12}, {13},
    ]  # fmt: skip
    share = [sum(w for k, w in o.items() if k >= 8) for o in others]
    np.testing.assert_allclose(share, [0, 0, 0.125, 0.375, 0.625, 0.875, 1, 1], atol=1e-6)
    assert all(c.inside == pytest.approx(c.weights) for c in choices)


def test_teeth_do_not_fade_into_the_dark() -> None:
    choices = two_takes(0.95, 0.1)
    assert all(c.inside[0] == 1 for c in choices), "what is inside is cut"
    assert [len(c.patches) for c in choices] == [1, 1, 2, 2, 2, 2, 1, 1], "lips fade all the same"


# ------------------------------------------------------------------------------- for the refiner


def test_a_second_choice_comes_from_elsewhere(picture: np.ndarray) -> None:
    track = track_of(0.08 + 0.08 * np.sin(np.arange(200) / 5))
    bank = MouthBank(track, collect(track, picture))
    rows, lips = np.arange(60, 90), lips_of(track)[60:90]
    first = bank.choose(rows, lips)
    second = bank.choose(rows, lips, first)
    for a, b in zip(first, second, strict=True):
        assert abs(a.patches[0].index - b.patches[0].index) > 2 * RUN
    assert np.mean([choice.error for choice in second]) < 0.02


def test_where_there_is_nothing_else_a_second_choice_is_the_first(picture: np.ndarray) -> None:
    track = track_of(np.linspace(0, 0.05, 5))
    bank = MouthBank(track, collect(track, picture))
    first = bank.choose(np.arange(5), lips_of(track))
    assert len(bank.choose(np.arange(5), lips_of(track), first)) == 5


def test_the_widest_mouth_and_a_bank_without_some(picture: np.ndarray) -> None:
    aperture = np.linspace(0, 0.2, 20)
    track = track_of(aperture)
    bank = MouthBank(track, collect(track, picture))
    assert bank.widest().index >= 10
    rest = bank.without(np.arange(20) >= 12)
    assert [p.index for p in rest.patches] == list(range(12))
    assert rest.widest().index < 12
