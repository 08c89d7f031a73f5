"""What can be seen of a job while it works."""

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from synth import need_face_model
from test_dubbing import actor, write_clip, write_speech

from labial.dubbing import dub
from labial.jobs import LIVE, Job, live, run
from labial.types import Frame, PixelFormat

GRAY = PixelFormat("gray", "gray", 8)


def frame(width: int, height: int, rotation: int = 0) -> Frame:
    luma = np.full((height, width), 40, np.uint8)
    luma[:, : width // 2] = 200
    return Frame((luma,), GRAY, 0, Fraction(1, 25), rotation=rotation)


@pytest.mark.parametrize(
    ("width", "height", "rotation", "shape"),
    [(1920, 1080, 0, (360, 640)), (1920, 1080, 90, (640, 360)), (320, 240, 0, (240, 320))],
)
def test_small_and_upright(
    width: int, height: int, rotation: int, shape: tuple[int, int], tmp_path: Path
) -> None:
    live.LiveFrame(tmp_path / LIVE)(frame(width, height, rotation))
    picture = cv2.imread(str(tmp_path / LIVE), cv2.IMREAD_GRAYSCALE)
    assert picture.shape == shape
    bright = picture[: shape[0] // 2 - 4] if rotation else picture[:, : shape[1] // 2 - 4]
    assert bright.min() > 180 and (picture > 120).mean() == pytest.approx(0.5, abs=0.01)
    assert [path.name for path in tmp_path.iterdir()] == [LIVE]


@pytest.mark.parametrize(("slow", "times"), [(0.0, [0, 1, 2, 3, 4]), (0.03, [0, 3.1])])
def test_once_a_second_or_a_hundredth_of_the_time(
    slow: float, times: list[float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, written = [100.0], []
    monkeypatch.setattr(live.time, "monotonic", lambda: now[0])

    def write(*_: object) -> None:
        written.append(now[0])
        now[0] += slow

    monkeypatch.setattr(live, "write_jpeg", write)
    show = live.LiveFrame(tmp_path / LIVE)
    for tick in range(50):
        now[0] = max(now[0], 100 + tick / 10)
        show(frame(32, 32))
    assert written == pytest.approx([100 + t for t in times], abs=0.11)


def test_only_what_has_a_new_mouth_is_shown(tmp_path: Path) -> None:
    need_face_model()
    empty = [np.full_like(actor()[0], 90)] * 6
    film = write_clip(tmp_path / "film.mkv", [*empty, *actor()[:10]])
    speech = write_speech(tmp_path / "speech.wav", 0.64)
    shown: list[int] = []
    report = dub(
        film, speech, tmp_path / "out.mkv", quality="fast", watch=lambda f: shown.append(f.index)
    )
    assert report.resynced == 10 and shown == [*range(6, 16)]
    run(Job("dub", {"video": film, "audio": speech}, {"quality": "fast"}), tmp_path)
    picture = cv2.imread(str(tmp_path / LIVE))
    assert picture.shape == actor()[0].shape and picture.std() > 20


def test_a_photo_that_speaks(tmp_path: Path) -> None:
    need_face_model()
    photo = tmp_path / "photo.png"
    cv2.imwrite(str(photo), actor()[0][..., ::-1])
    speech = write_speech(tmp_path / "speech.wav", 0.2)
    run(Job("animate", {"photo": photo, "audio": speech}, {"quality": "fast"}), tmp_path)
    assert cv2.imread(str(tmp_path / LIVE)).std() > 20
