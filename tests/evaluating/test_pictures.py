"""Pictures of a real face, damaged in one known way at a time; FFV1, so nothing else changed."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from damaged import blurred, boxed
from synth import need_face_model, photo, sample_file
from test_dubbing import actor, write_clip

from labial.clip import Clip, look
from labial.evaluating.pictures import changed_region, picture_scores
from labial.evaluating.scores import Scores
from labial.evaluating.spoken import lip_scores
from labial.media import EncodeSettings, VideoReader, VideoWriter

N = 24


def silent(stage: str, done: int, total: int | None) -> None:
    """Nobody is told."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need_face_model()
    sample_file("sface")
    return tmp_path_factory.mktemp("pictures")


@pytest.fixture(scope="module")
def real(home: Path) -> Clip:
    return look(write_clip(home / "real.mkv", actor()[:N]), silent)


def rewritten(real: Clip, name: str, edit) -> Clip:
    target = real.media.path.with_name(f"{name}.mkv")
    with (
        VideoReader(real.media.path) as reader,
        VideoWriter(target, reader.media, EncodeSettings("ffv1")) as writer,
    ):
        for frame in reader.frames():
            found = real.track_of(frame.index)
            assert found is not None
            writer.write(edit(frame, *found))
    return look(target, silent)


def judged(out: Clip, other: Clip) -> Scores:
    return picture_scores(out, other, True, True, silent)[0]


@pytest.fixture(scope="module")
def same(real: Clip) -> Scores:
    scores, compared, notes = picture_scores(real, real, True, True, silent)
    assert compared == N and not notes
    return scores


def test_a_video_against_itself_is_perfect(same: Scores) -> None:
    assert (same.psnr, same.beside) == (100, 100)
    assert same.ssim == pytest.approx(1)
    assert (same.sharpness, same.seam, same.flicker) == (1, 1, 1)
    assert same.identity is not None and same.identity > 0.9


def test_a_blurred_mouth_is_less_sharp_and_has_no_seam(real: Clip, same: Scores) -> None:
    bad = judged(rewritten(real, "blurred", blurred), real)
    assert bad.sharpness is not None and bad.sharpness < 0.7
    assert bad.seam is not None and bad.seam <= 1.05
    assert bad.psnr is not None and bad.psnr < 40
    assert bad.beside == 100
    assert bad.identity == pytest.approx(same.identity, abs=0.05)

    def more(frame, track, row):
        return blurred(frame, track, row, 0.07)

    worse = judged(rewritten(real, "more", more), real)
    assert worse.sharpness is not None and worse.sharpness < bad.sharpness


def test_a_box_has_a_seam_and_stays_sharp(real: Clip, same: Scores) -> None:
    bad = judged(rewritten(real, "boxed", boxed), real)
    assert bad.seam is not None and bad.seam > 1.3
    assert bad.sharpness == pytest.approx(1, abs=0.1)
    assert bad.flicker == pytest.approx(1, abs=0.1)
    assert bad.identity == pytest.approx(same.identity, abs=0.05)

    def faint(frame, track, row):
        return boxed(frame, track, row, 0.03)

    less = judged(rewritten(real, "faint", faint), real)
    assert less.seam is not None and 1.05 < less.seam < bad.seam


def test_every_other_frame_lighter_flickers(real: Clip) -> None:
    def flickers(frame, track, row):
        return boxed(frame, track, row, 0.03 * (row % 2))

    bad = judged(rewritten(real, "flickers", flickers), real)
    assert bad.flicker is not None and bad.flicker > 3


def test_the_same_frames_at_another_rate_are_brought_together(real: Clip, home: Path) -> None:
    half = look(
        write_clip(home / "half.mkv", actor()[:N:2], pts=[80 * i for i in range(12)]), silent
    )
    scores, compared, _ = picture_scores(half, real, True, False, silent)
    assert compared == 12 and scores.psnr == 100


def test_another_size_is_not_compared(real: Clip, home: Path) -> None:
    small = [cv2.resize(p, (p.shape[1] // 2, p.shape[0] // 2)) for p in actor()[:N]]
    scores, compared, notes = picture_scores(
        look(write_clip(home / "small.mkv", small), silent), real, True, True, silent
    )
    assert compared == 0 and scores.sharpness is None and scores.identity is not None
    assert notes == ("pictures were not compared: 144x148 against 288x296 pixels",)


def test_the_region_that_changed_is_found_whatever_its_shape() -> None:
    rng = np.random.default_rng(0)
    change = rng.normal(0, 0.01, (120, 160, 3)).astype(np.float32)
    change[40:90, 50:120] += 0.06
    beside = np.zeros((120, 160), bool)
    beside[:, :30] = True
    found = changed_region(change, beside, 80.0)
    assert found is not None
    want = np.zeros((120, 160))
    want[40:90, 50:120] = 1
    assert np.abs(found - want).mean() < 0.02
    assert changed_region(change * 0, beside, 80.0) is None
    change[40:90, 50:120] -= 0.06
    assert changed_region(change, beside, 80.0) is None


def test_each_person_is_held_against_themselves(real: Clip, home: Path) -> None:
    n = 26
    pictures = actor()[:n]
    rows, columns = pictures[0].shape[:2]
    still = cv2.resize(np.rint(photo() * 255).astype(np.uint8), (columns, rows))
    both = look(
        write_clip(home / "both.mkv", [np.concatenate([p, still], 1) for p in pictures]), silent
    )
    assert len(both.tracks) == 2

    def of(*numbers: int) -> Clip:
        """The clip, as if its sound called one speaker after the other."""
        return replace(both, which=np.repeat(numbers, n // len(numbers)))

    for mine, theirs in ((of(0, 1), of(1)), (of(1), of(0)), (of(0, 1), of(0, 1))):
        scores, compared, _ = picture_scores(mine, theirs, True, True, silent)
        assert compared == n
        assert scores.identity is not None and scores.identity > 0.9
        lips = lip_scores(mine, theirs)[0]
        assert lips.lips_apart == pytest.approx(0, abs=1e-6)
