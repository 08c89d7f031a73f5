"""What SyncNet is shown of a real face: where it is cut out, how often, and what is said if not."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from synth import closed_mesh, make_track, need_face_model
from test_dubbing import actor, write_clip, write_speech

from labial.clip import Clip, look
from labial.evaluating import lse as room
from labial.evaluating.lse import face_boxes, lse
from labial.media import EncodeSettings, VideoReader, VideoWriter
from labial.metrics.syncnet import LipSyncError

N = 24


def silent(stage: str, done: int, total: int | None) -> None:
    """Nobody is told."""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """A face at 12.5 frames a second, with sound."""
    need_face_model()
    home = tmp_path_factory.mktemp("lse")
    film = write_clip(home / "film.mkv", actor()[:N], pts=[80 * i for i in range(N)])
    speech = write_speech(home / "s.wav", 80 * N / 1000)
    with (
        VideoReader(film) as reader,
        VideoWriter(home / "o.mkv", reader.media, EncodeSettings("ffv1"), speech) as writer,
    ):
        for frame in reader.frames():
            writer.write(frame)
    return look(home / "o.mkv", silent)


def test_boxes_are_the_face_s_and_smooth() -> None:
    shapes = np.repeat(closed_mesh()[None], 30, 0)
    present = np.ones(30, bool)
    present[10] = False
    boxes = face_boxes(make_track(shapes, closed_mesh(), present=present))
    track = make_track(shapes, closed_mesh())
    oval = track.landmarks[0][:468, :2]
    middle = (oval.min(0) + oval.max(0)) / 2
    np.testing.assert_allclose(boxes[:, :2], np.repeat(middle[None], 30, 0), atol=3)
    assert np.ptp(boxes[:, 2]) < 1e-6
    # A single slip of the mesh moves nothing.
    track.landmarks[15] += 50
    np.testing.assert_allclose(face_boxes(track), boxes, atol=1e-3)


def test_faces_are_shown_25_times_a_second_as_the_makers_cut_them(
    clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[np.ndarray] = []
    rows: list[np.ndarray] = []

    def score(network: object, frames, sound: np.ndarray) -> LipSyncError:
        shown.extend(frames)
        rows.append(sound)
        return LipSyncError(8.0, 5.0, 1)

    monkeypatch.setattr(room, "score", score)
    found, why = lse(None, clip, silent)  # type: ignore[arg-type]
    assert found == LipSyncError(8.0, 5.0, 1) and why == ""
    # 24 frames of 80 ms: from the first to the last, each 40 ms.
    assert len(shown) == 47 and all(face.shape == (224, 224, 3) for face in shown)
    assert abs(len(rows[0]) - 192) <= 2
    assert (shown[0] == shown[1]).all() or (shown[1] == shown[2]).all()
    # In the middle across; the lips lie at 5/7 of the height that the makers' box leaves.
    track = clip.tracks[0]
    box = face_boxes(track)[0]
    step = 2 * box[2] * 1.4 / 224
    lips = track.landmarks[0][[13, 14], :2].mean(0)
    x, y = (lips - [box[0] - 1.4 * box[2], box[1] - box[2]]) / step
    assert abs(x - 112) < 12 and 90 < y < 150
    # It is the picture: brought back, the mouth is as in the film.
    film = next(iter(VideoReader(clip.media.path).frames()))
    luma = film.planes[0].astype(np.float32)
    grey = cv2.cvtColor(shown[0], cv2.COLOR_BGR2GRAY).astype(np.float32)
    want = luma[int(lips[1]) - 4 : int(lips[1]) + 5, int(lips[0]) - 4 : int(lips[0]) + 5].mean()
    have = grey[int(y) - 2 : int(y) + 3, int(x) - 2 : int(x) + 3].mean()
    assert abs(have - (want - 16) * 255 / 219) < 12


def test_it_is_the_speaker_s(clip: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    (one,) = clip.tracks
    both = replace(clip, tracks=[one, replace(one, key=1)], which=np.full(len(clip.times), 1))
    judged: list[int] = []
    monkeypatch.setattr(
        "labial.evaluating.lse._faces", lambda clip, track, tell: judged.append(track.key)
    )
    monkeypatch.setattr("labial.evaluating.lse.score", lambda *_: None)
    lse(None, both, silent)  # type: ignore[arg-type]
    assert judged == [1]


def test_without_sound_or_face_it_is_said(clip: Clip, tmp_path: Path) -> None:
    mute = look(write_clip(tmp_path / "m.mkv", actor()[:6]), silent)
    assert lse(None, mute, silent) == (None, "no LSE: there is no sound")  # type: ignore[arg-type]
    mute.tracks.clear()
    mute.which[:] = -1
    object.__setattr__(mute, "media", clip.media)
    assert lse(None, mute, silent) == (None, "no LSE: there is no face")  # type: ignore[arg-type]
