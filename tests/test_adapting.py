"""A clip's own frames teach how its face looks: what is always missing is found."""

from pathlib import Path

import av
import numpy as np
from synth import closed_mesh, make_frame, make_track
from synth_media import write_video

from labial.adapting import ShotAdapter, adapt
from labial.motion.space import load_basis
from labial.render.appearance import LEAST_GAIN, Appearance
from labial.render.bank import BankCollector, MouthBank
from labial.render.painter import Told
from labial.render.plane import MouthPlane
from labial.types import Face, FaceTrack, Frame

BASIS = load_basis()
N, W, H, SCALE, CENTER = 150, 240, 220, 90.0, (120.0, 90.0)
TIMES = np.arange(N) / 25


def opening(aperture: np.ndarray) -> np.ndarray:
    direction = BASIS.components[:, 14, 1] - BASIS.components[:, 13, 1]
    return (aperture[:, None] * direction / (direction @ direction)).astype(np.float32)


def track_of() -> FaceTrack:
    aperture = 0.06 + 0.05 * np.sin(np.arange(N) / 3.1)
    shapes = closed_mesh() + BASIS.displacement(opening(aperture))
    return make_track(shapes, closed_mesh(), scale=SCALE, center=CENTER)


def picture(track: FaceTrack, row: int, shade: float) -> np.ndarray:
    """Skin whose cheeks darken as the mouth opens, which no warp can know."""
    rgb = np.full((H, W, 3), (0.8, 0.62, 0.52), np.float32)
    gap = float(track.landmarks[row, 14, 1] - track.landmarks[row, 13, 1]) / SCALE
    y, x = np.mgrid[:H, :W]
    beside = np.exp(-(((np.abs(x - CENTER[0]) - 38) / 10) ** 2) - ((y - 140) / 16) ** 2)
    rgb *= 1 - shade * np.float32(gap * 10) * beside[..., None].astype(np.float32)
    texture = np.random.default_rng(1).random((H, W, 1), np.float32)
    return (rgb + 0.04 * (texture - 0.5)).clip(0, 1)


def clip(shade: float) -> tuple[FaceTrack, list[Frame], MouthBank]:
    track, collector = track_of(), BankCollector()
    frames = [make_frame(picture(track, i, shade), "gbrp", index=i) for i in range(N)]
    for frame, landmarks in zip(frames, track.landmarks, strict=True):
        collector.offer(frame, {0: Face(landmarks, 1.0)})
    return track, frames, MouthBank(track, collector.finish())


def beside_the_mouth(look: Appearance, track: FaceTrack, aperture: float) -> float:
    """What is added on a cheek when a mouth that is shut is wanted open."""
    still, rest = np.zeros(12, np.float32), np.zeros(15, np.float32)
    wanted = opening(np.array([aperture]))[0]
    pose = track.rotation[0], SCALE, rest
    told = [Told(mouth, still, still, still, *pose) for mouth in (wanted, still)]
    cheek = MouthPlane.of(track, 0).to_plane(np.array([[CENTER[0] + 38, 140.0]]))[0] / 2
    x, y = cheek.astype(int)
    wide, shut = (look.change(t)[y - 3 : y + 4, x - 3 : x + 4].mean() for t in told)
    return float(wide - shut)


def test_a_shadow_of_the_open_mouth_is_learned() -> None:
    found = []
    for shade in (0.25, 0.0):
        track, frames, bank = clip(shade)
        adapter = ShotAdapter(track, bank, TIMES)
        for frame in frames[::3]:
            adapter.learn(frame)
        assert adapter.fit.pairs > 100
        look = adapter.fit.solve()
        assert look is None or look.gain >= LEAST_GAIN
        found.append(0.0 if look is None else beside_the_mouth(look, track, 0.1))
    # The shade of an opening of .1 is .25 of about .65.
    assert found[0] < found[1] - 0.02


def test_adapting_keeps_to_its_time_and_finds_its_shots(tmp_path: Path) -> None:
    track, _, bank = clip(0.25)

    def make(fmt: str, width: int, height: int, index: int) -> av.VideoFrame:
        rgb = np.rint(picture(track, index, 0.25) * 255).astype(np.uint8)
        return av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format=fmt)

    path = write_video(tmp_path / "clip.mkv", codec="ffv1", size=(W, H), n=N, make=make)
    looks = adapt(path, [(track, bank, TIMES)], 6.0)
    assert list(looks) == [0]
    assert looks[0].gain > 0.2
    assert adapt(path, [(track, bank, TIMES)], 1e-6) == {}
    assert adapt(path, [], 5.0) == {}


def test_faces_that_were_not_seen_teach_nothing() -> None:
    _, frames, bank = clip(0.25)
    hidden = make_track(
        closed_mesh() + np.zeros((N, 1, 1), np.float32), closed_mesh(), scale=SCALE, center=CENTER,
        quality=np.zeros(N),
    )  # fmt: skip
    adapter = ShotAdapter(hidden, bank, TIMES)
    adapter.learn(frames[0])
    assert adapter.fit.pairs == 0
    assert adapter.fit.solve() is None
