"""A photo that speaks, judged by PyAV alone and by a second look of the tracker."""

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from synth import need_face_model, photo
from test_dubbing import Clip, decode, looked_at, sound_seconds, write_clip, write_speech

from labial.animating import AnimateReport, animate, frame_rate, look_at, read_photo
from labial.cli import main
from labial.errors import FaceError, LabialError, OptionError, ReadError, SpeechError, WriteError
from labial.face.track import FaceTracker
from labial.options import AnimateOptions

SECONDS = 1.2
TOP, BOTTOM, LEFT, RIGHT = 60, 500, 90, 490


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need_face_model()
    return tmp_path_factory.mktemp("animate")


@pytest.fixture(scope="module")
def face(home: Path) -> Path:
    """The sample photo around its face, as a PNG."""
    rgb = np.rint(photo()[TOP:BOTTOM, LEFT:RIGHT] * 255).astype(np.uint8)
    path = home / "face.png"
    cv2.imwrite(str(path), rgb[..., ::-1])
    return path


@pytest.fixture(scope="module")
def speech(home: Path) -> Path:
    return write_speech(home / "speech.wav", SECONDS)


@pytest.fixture(scope="module")
def lively(home: Path, face: Path, speech: Path) -> tuple[AnimateReport, Clip, list]:
    calls: list[tuple[str, int, int | None]] = []
    out = home / "lively.mkv"
    report = animate(
        face, speech, out, codec="ffv1", motion="lively", hook=lambda *call: calls.append(call)
    )
    return report, decode(out), calls


def test_as_long_as_the_speech(lively, home: Path) -> None:
    report, clip, calls = lively
    assert report.frames == len(clip.times) == 30
    assert (report.width, report.height) == (400, 440)
    assert clip.planes[0][0].shape == (440, 400)
    assert np.allclose([float(t) for t in clip.times], np.arange(30) / 25, atol=0.0006)
    assert sound_seconds(report.out) == pytest.approx(SECONDS, abs=0.03)
    assert ("render", 30, 30) in calls
    assert {name for name, _, _ in calls} == {"analyse", "listen", "render"}
    assert "30 frames of 400x440, 1.2 s" in report.summary()


def test_it_begins_with_the_photo(lively, face: Path) -> None:
    first = lively[1].planes[0]
    _, rgb = read_photo(face)
    kept = look_at(rgb, 1, AnimateOptions(), face).frame.planes
    y, x = np.mgrid[:440, :400]
    mouth = np.hypot(x - 200, y - 300) < 160
    for plane, own in zip(first, kept, strict=True):
        around = ~mouth[:: 440 // plane.shape[0], :: 400 // plane.shape[1]]
        np.testing.assert_array_equal(plane[around], own[around])


def test_head_and_mouth_move(lively) -> None:
    faces = looked_at(lively[1])
    assert all(found is not None for found in faces)
    points = np.stack([found.landmarks for found in faces])  # type: ignore[union-attr]
    unit = np.linalg.norm(points[0, 33, :2] - points[0, 263, :2])
    nose = points[:, 1, :2] - points[0, 1, :2]
    assert np.linalg.norm(nose, axis=1).max() > 0.01 * unit
    opening = np.linalg.norm(points[:, 14, :2] - points[:, 13, :2], axis=1) / unit
    assert np.ptp(opening) > 0.02


def test_the_same_seed_gives_the_same_video(lively, home: Path, face: Path, speech: Path) -> None:
    def again(seed: int) -> Clip:
        out = home / f"seed{seed}.mkv"
        animate(face, speech, out, codec="ffv1", motion="lively", seed=seed)
        return decode(out)

    for own, other, equal in ((lively[1], again(0), True), (lively[1], again(1), False)):
        same = [
            np.array_equal(a, b)
            for p, q in zip(own.planes, other.planes, strict=True)
            for a, b in zip(p, q, strict=True)
        ]
        assert all(same) == equal


def test_still_moves_mouth_and_eyes_alone(home: Path, face: Path, speech: Path) -> None:
    out = home / "still.mkv"
    animate(face, speech, out, codec="ffv1", motion="still")
    clip = decode(out)
    luma = np.stack([planes[0] for planes in clip.planes])
    changed = (luma != luma[0]).any(0)
    assert changed.any()
    with av.open(str(face)) as container:
        gray = next(container.decode(video=0)).to_ndarray(format="gray")
    found = looked_at(Clip([[gray]], clip.times[:1], "gray"))[0]
    assert found is not None
    points = found.landmarks[:, :2]
    unit = np.linalg.norm(points[33] - points[263])
    y, x = np.mgrid[: luma.shape[1], : luma.shape[2]] + 0.5
    forehead = y < points[[105, 334], 1].min() - 0.25 * unit
    hull = cv2.convexHull(points.astype(np.float32))
    center = points.mean(0)
    wide = (center + (hull[:, 0] - center) * 1.3).astype(np.int32)
    inside = np.zeros(luma.shape[1:], np.uint8)
    cv2.fillPoly(inside, [wide], 1)
    assert not changed[forehead].any()
    assert not changed[inside == 0].any()
    bridge = np.hypot(x - points[6, 0], y - points[6, 1]) < 0.06 * unit
    assert not changed[bridge].any()


@pytest.mark.parametrize(
    ("fps", "exact"),
    [
        (10, Fraction(10)),
        (29.97, Fraction(30000, 1001)),
        (60, Fraction(60)),
        (12.5, Fraction(25, 2)),
    ],
)
def test_frame_rates(fps: float, exact: Fraction, home: Path, face: Path, speech: Path) -> None:
    assert frame_rate(fps) == exact
    out = home / f"fps{fps}.mp4"
    report = animate(face, speech, out, fps=fps, height=128)
    with av.open(str(out)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.codec.name == "h264"
        assert stream.average_rate == exact
        times = [f.pts * f.time_base for f in container.decode(stream)]
    assert times == [k / exact for k in range(report.frames)]
    assert 0 <= report.frames / exact - Fraction(SECONDS) < 1 / exact + Fraction(1, 1000)
    assert sound_seconds(out) == pytest.approx(SECONDS, abs=0.05)


@pytest.mark.parametrize(("shape", "ratio"), [("9:16", 9 / 16), ("1:1", 1), ("16:9", 16 / 9)])
def test_shapes_keep_the_face_in_view(shape, ratio: float, face: Path) -> None:
    _, rgb = read_photo(face)
    portrait = look_at(rgb, 3, AnimateOptions(format=shape), face)
    frame, track = portrait.frame, portrait.track
    assert frame.width / frame.height == pytest.approx(ratio, abs=0.01)
    assert frame.width % 2 == frame.height % 2 == 0
    low, high = track.landmarks[2, :, :2].min(0), track.landmarks[2, :, :2].max(0)
    assert (low > 0).all() and (high < (frame.width, frame.height)).all()
    seen = FaceTracker()
    (found,) = seen.observe(frame).values()
    seen.close()
    off = np.linalg.norm(found.landmarks[:, :2] - track.landmarks[0, :, :2], axis=1)
    assert off.mean() < 0.03 * track.scale[0]


def test_memory_does_not_grow_with_the_length(face: Path) -> None:
    _, rgb = read_photo(face)
    track = look_at(rgb, 100_000, AnimateOptions(), face).track
    assert track.landmarks.shape == (100_000, 478, 3)
    assert track.landmarks.strides[0] == track.rotation.strides[0] == 0


def saved(path: Path, rgb: np.ndarray, kind: str) -> Path:
    bgr = np.rint(rgb[..., ::-1] * 255).astype(np.uint8)
    gray = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)
    alpha = np.full(bgr.shape[:2], 255, np.uint8)
    alpha[:40] = 0
    pictures = {
        "rgb.png": bgr,
        "deep.png": bgr.astype(np.uint16) * 257,
        "gray.png": gray,
        "gray.jpg": gray,
        "alpha.png": np.dstack([bgr, alpha]),
        "rgb.webp": bgr,
    }
    path = path / kind
    cv2.imwrite(str(path), pictures[kind])
    return path


@pytest.mark.parametrize(
    "kind", ["rgb.png", "deep.png", "gray.png", "gray.jpg", "alpha.png", "rgb.webp"]
)
def test_kinds_of_pictures(kind: str, home: Path) -> None:
    wanted = photo()[TOP:BOTTOM, LEFT:RIGHT].copy()
    path = saved(home, wanted, kind)
    if "gray" in kind:
        wanted = np.repeat((wanted @ [0.299, 0.587, 0.114])[..., None], 3, -1)
    if "alpha" in kind:
        wanted[:40] = 1
    _, rgb = read_photo(path)
    assert np.abs(rgb - wanted).mean() < 0.02
    assert look_at(rgb, 1, AnimateOptions(), path).track.quality[0] == 1


def test_a_photo_lying_on_its_side(home: Path, face: Path) -> None:
    rgb = photo()[TOP:BOTTOM, LEFT:RIGHT]
    bgr = np.rint(np.rot90(rgb)[..., ::-1] * 255).astype(np.uint8)
    data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
    # A directory of one entry: the orientation, 6.
    block = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
    path = home / "side.jpg"
    length = (2 + len(block)).to_bytes(2, "big")
    path.write_bytes(data[:2] + b"\xff\xe1" + length + block + data[2:])
    _, upright = read_photo(path)
    assert upright.shape == rgb.shape
    assert np.abs(upright - rgb).mean() < 0.02


@pytest.mark.parametrize(("name", "codec"), [("o.mov", "h264"), ("o.webm", "vp9")])
def test_containers(name: str, codec: str, home: Path, face: Path, speech: Path) -> None:
    report = animate(face, speech, home / name, height=128, fps=10)
    with av.open(str(report.out)) as container:
        assert container.streams.video[0].codec_context.codec.name.endswith(codec)
        assert len(list(container.decode(video=0))) == report.frames == 12


# ---------------------------------------------------------------------------------- what is wrong


def refused(kind: type[LabialError], line: str, *arguments: object, **options: object) -> None:
    with pytest.raises(kind, match=line) as caught:
        animate(*arguments, **options)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_what_cannot_be_a_photo(home: Path, face: Path, speech: Path) -> None:
    rgb = np.rint(photo() * 255).astype(np.uint8)
    clip = write_clip(home / "clip.mkv", [rgb[:64, :64]] * 3)
    out = home / "never.mp4"
    refused(ReadError, "clip.mkv is a video: use labial dub", clip, speech, out)
    refused(ReadError, "only sound", speech, speech, out)
    refused(ReadError, "No such file", home / "missing.jpg", speech, out)
    (home / "cut.png").write_bytes(face.read_bytes()[:60])
    refused(ReadError, "cut.png", home / "cut.png", speech, out)
    refused(SpeechError, "no audio stream", face, face, out)
    assert not out.exists()
    assert not list(home.glob(".never*"))


def test_what_cannot_be_a_face(home: Path, speech: Path) -> None:
    def file(name: str, rgb: np.ndarray) -> Path:
        cv2.imwrite(str(home / name), np.rint(rgb[..., ::-1] * 255).astype(np.uint8))
        return home / name

    out = home / "never.mp4"
    nobody = file("nobody.png", np.full((300, 300, 3), 0.5, np.float32))
    refused(FaceError, "no face in .*nobody.png: give", nobody, speech, out)
    small = file("small.png", cv2.resize(photo(), None, fx=0.08, fy=0.08))
    refused(FaceError, "small.png", small, speech, out)
    assert not out.exists()


def test_targets_and_options(home: Path, face: Path, speech: Path) -> None:
    refused(WriteError, "no directory", face, speech, home / "nowhere" / "o.mp4")
    refused(WriteError, "must end in", face, speech, home / "o.jpg")
    refused(WriteError, "cannot hold", face, speech, home / "o.webm", codec="h264")
    refused(
        OptionError,
        "unknown option zoom: known are quality, motion",
        face,
        speech,
        home / "o.mp4",
        zoom=2,
    )


def test_a_failure_leaves_nothing_behind(home: Path, face: Path, speech: Path) -> None:
    target = home / "stopped.mp4"
    target.write_bytes(b"yesterday's work")

    def stop(stage: str, done: int, total: int | None) -> None:
        if stage == "render" and done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        animate(face, speech, target, hook=stop)
    assert target.read_bytes() == b"yesterday's work"
    assert not list(home.glob(".stopped*"))


def test_the_command_line(home: Path, face: Path, speech: Path, capsys) -> None:
    out = home / "cli.mp4"
    arguments = ["animate", str(face), "--audio", str(speech), "-o", str(out)]
    assert main([*arguments, "--motion", "still", "--format", "1:1", "--height", "128"]) == 0
    assert "cli.mp4: 30 frames of 128x128" in capsys.readouterr().out
    assert main(["animate", str(speech), "-a", str(speech), "-o", str(out)]) == 2
    assert capsys.readouterr().err.startswith("labial: error: no video stream in ")
