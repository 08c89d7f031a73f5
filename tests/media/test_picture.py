"""Pictures on disk: written whole, and never over a file that is needed."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from synth import make_frame, smooth_rgb

from labial.errors import WriteError
from labial.media.picture import check_png, upright_rgb8, write_png


def test_a_written_picture_reads_back(tmp_path: Path) -> None:
    rgb = (smooth_rgb(31, 45) * 255).astype(np.uint8)
    write_png(tmp_path / "é 日.png", rgb)
    data = np.frombuffer((tmp_path / "é 日.png").read_bytes(), np.uint8)
    np.testing.assert_array_equal(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1], rgb)
    assert [p.name for p in tmp_path.iterdir()] == ["é 日.png"]


@pytest.mark.parametrize(("turn", "corner"), [(0, (0, 0)), (90, (0, -1)), (180, (-1, -1))])
def test_upright(turn: int, corner: tuple[int, int]) -> None:
    rgb = np.full((20, 30, 3), 0.5)
    rgb[:4, :4] = 0.9
    image = upright_rgb8(make_frame(rgb, "gbrp", rotation=turn))
    assert image.shape == ((30, 20, 3) if turn == 90 else (20, 30, 3))
    assert image[corner].min() > 200
    assert (image > 200).all(-1).sum() == 16


def test_bad_targets_are_found_before_the_work(tmp_path: Path) -> None:
    video = tmp_path / "v.png"
    video.write_bytes(b"a video")
    (tmp_path / "d.png").mkdir()
    check_png(tmp_path / "new.png", (video,))
    for target, why in (
        (tmp_path / "x.jpg", "must end in .png"),
        (tmp_path / "missing" / "x.png", "no directory"),
        (tmp_path / "d.png", "is a directory"),
        (tmp_path / "." / "v.png", "choose another name"),
    ):
        with pytest.raises(WriteError, match=why):
            check_png(target, (video,))
    assert video.read_bytes() == b"a video"
