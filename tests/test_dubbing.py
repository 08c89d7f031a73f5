"""The whole story on short real faces, judged by PyAV alone and by a second look of the tracker.

Sources and outputs are FFV1, which is lossless: every sample that differs was changed by the dub.
"""

import wave
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from synth import TICK, need_face_model, sample_file

from labial import geometry, rendering
from labial.analysis import analyse, own_speech
from labial.composite.blend import Composed
from labial.dubbing import DubReport, dub
from labial.errors import FaceError, OptionError, ReadError, SpeechError, WriteError
from labial.face.track import FaceTracker
from labial.render.mouth import Layers
from labial.render.refine import Refiner
from labial.types import Face, Frame, PixelFormat

LEFT, TOP, WIDTH, HEIGHT = 156, 36, 288, 296
N = 20


@lru_cache(maxsize=1)
def actor() -> list[np.ndarray]:
    """(HEIGHT, WIDTH, 3) uint8 pictures of a man whose smile opens, 30 a second."""
    with av.open(str(sample_file("face_clip_short"))) as container:
        frames = [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]
    return [f[TOP : TOP + HEIGHT, LEFT : LEFT + WIDTH] for f in frames[12:52]]


def write_clip(
    path: Path,
    pictures: list[np.ndarray],
    fmt: str = "yuv420p",
    codec: str = "ffv1",
    pts: list[int] | None = None,
    time_base: Fraction = Fraction(1, 1000),
) -> Path:
    height, width = pictures[0].shape[:2]
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=25, width=width, height=height, time_base=time_base)
        stream.pix_fmt = fmt
        for i, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            frame = frame.reformat(format=fmt)
            frame.pts = pts[i] if pts else round(i / 25 / time_base)
            frame.time_base = time_base
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def write_speech(path: Path, seconds: float, begin: float = 0.6) -> Path:
    with av.open(str(sample_file("speech_short"))) as container:
        blocks = [f.to_ndarray().reshape(-1) for f in container.decode(audio=0)]
        rate = container.streams.audio[0].rate
    samples = np.concatenate(blocks)[int(begin * rate) :][: int(seconds * rate)]
    if samples.dtype != np.int16:
        samples = (samples * 32767).astype(np.int16)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return path


@dataclass
class Clip:
    """A decoded video: planes of each frame, and times in seconds."""

    planes: list[list[np.ndarray]]
    times: list[Fraction]
    fmt: str


def decode(path: Path) -> Clip:
    planes, times, fmt = [], [], ""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            deep = frame.format.components[0].bits > 8
            own = []
            for plane in frame.planes:
                words = np.frombuffer(plane, np.uint16 if deep else np.uint8)
                own.append(words.reshape(plane.height, -1)[:, : plane.width].copy())
            planes.append(own)
            times.append(frame.pts * frame.time_base)
            fmt = frame.format.name
    return Clip(planes, times, fmt)


def sound_seconds(path: Path) -> float:
    with av.open(str(path)) as container:
        return sum(f.samples / f.sample_rate for f in container.decode(audio=0))


def looked_at(clip: Clip) -> list[Face | None]:
    """What a fresh tracker sees in the luma of a clip."""
    tracker = FaceTracker()
    gray = PixelFormat("gray", "gray", 8)
    faces = []
    for i, planes in enumerate(clip.planes):
        luma = planes[0] if planes[0].dtype == np.uint8 else (planes[0] >> 2).astype(np.uint8)
        seen = tracker.observe(Frame((luma,), gray, i, TICK, index=i))
        faces.append(next(iter(seen.values()), None))
    tracker.finish()
    return faces


def opening(face: Face | None) -> float:
    """Inner-lip gap in distances of the outer eye corners."""
    assert face is not None
    points = face.landmarks[:, :2]
    unit = np.linalg.norm(points[33] - points[263])
    return float(np.linalg.norm(points[14] - points[13]) / unit)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need_face_model()
    return tmp_path_factory.mktemp("dub")


@pytest.fixture(scope="module")
def speech(home: Path) -> Path:
    return write_speech(home / "speech.wav", 1.2)


@pytest.fixture(scope="module")
def source(home: Path) -> Path:
    return write_clip(home / "actor.mkv", actor()[:N])


@dataclass
class Dubbed:
    source: Path
    out: Path
    report: DubReport
    calls: list[tuple[str, int, int | None]]
    before: Clip
    after: Clip


@pytest.fixture(scope="module", params=["yuv420p", "yuv422p10le"])
def lossless(request: pytest.FixtureRequest, home: Path, speech: Path) -> Dubbed:
    fmt = request.param
    video = write_clip(home / f"{fmt}.mkv", actor()[:N], fmt)
    out = home / f"{fmt}-out.mkv"
    calls: list[tuple[str, int, int | None]] = []
    report = dub(
        video, speech, out, codec="ffv1", hook=lambda *call: calls.append(call),
        preview=str(home / f"{fmt}.png"),
    )  # fmt: skip
    return Dubbed(video, out, report, calls, decode(video), decode(out))


def leftovers(folder: Path, *known: Path) -> list[str]:
    return sorted({p.name for p in folder.iterdir()} - {p.name for p in known})


# ------------------------------------------------------------------------------ what stays, moves


def test_frames_and_times_are_those_of_the_source(lossless: Dubbed) -> None:
    assert len(lossless.after.planes) == N
    assert lossless.after.times == lossless.before.times
    assert lossless.after.fmt == lossless.before.fmt
    assert lossless.report.frames == N
    assert lossless.report.resynced == N
    assert lossless.report.passed == {}
    assert lossless.report.out == lossless.out


def test_not_one_sample_changes_away_from_the_face(lossless: Dubbed) -> None:
    changed = 0
    faces = looked_at(lossless.before)
    for face, old, new in zip(faces, lossless.before.planes, lossless.after.planes, strict=True):
        assert face is not None
        points = face.landmarks[:, :2]
        nose = points[6, 1]
        hull = cv2.convexHull(points.astype(np.float32))[:, 0]
        center = hull.mean(0)
        wide = center + 1.3 * (hull - center)
        near = np.zeros((HEIGHT, WIDTH), np.uint8)
        cv2.fillConvexPoly(near, np.rint(wide).astype(np.int32), 1)
        near[: int(nose)] = 0
        assert 0.1 < near.mean() < 0.6
        for a, b in zip(old, new, strict=True):
            sy, sx = HEIGHT // a.shape[0], WIDTH // a.shape[1]
            mask = near.reshape(a.shape[0], sy, a.shape[1], sx).any((1, 3))
            np.testing.assert_array_equal(a[~mask], b[~mask])
            changed += int((a != b).sum())
    assert changed > 1000 * N / 2


def test_the_mouth_does_change(lossless: Dubbed) -> None:
    lips = [*geometry.OUTER_UPPER, *geometry.OUTER_LOWER[-2:0:-1]]
    moved = []
    for face, old, new in zip(
        looked_at(lossless.before), lossless.before.planes, lossless.after.planes, strict=True
    ):
        assert face is not None
        mouth = np.zeros((HEIGHT, WIDTH), np.uint8)
        cv2.fillPoly(mouth, [np.rint(face.landmarks[lips, :2]).astype(np.int32)], 1)
        moved.append(float((old[0] != new[0])[mouth > 0].mean()))
    assert np.mean(moved) > 0.5
    openings = [opening(face) for face in looked_at(lossless.after)]
    assert max(openings) - min(openings) > 0.02, "the mouth opens and closes"


def test_the_hook_counts_up(lossless: Dubbed) -> None:
    stages = [stage for stage, _, _ in lossless.calls]
    assert list(dict.fromkeys(stages)) == ["analyse", "listen", "render"]
    for stage in ("analyse", "render"):
        done = [d for s, d, _ in lossless.calls if s == stage]
        assert done == list(range(1, N + 1))
        assert all(t is None or t == N for s, _, t in lossless.calls if s == stage)


def test_a_preview_never_overwrites_what_is_needed(
    source: Path, speech: Path, target: Path, home: Path
) -> None:
    before = speech.read_bytes()
    for preview in (speech, home / "missing" / "p.png", home / "p.jpg"):
        with pytest.raises(WriteError):
            dub(source, speech, target, preview=str(preview))
    assert speech.read_bytes() == before
    assert not target.exists()


def test_the_preview_is_a_frame_of_the_output(lossless: Dubbed, home: Path) -> None:
    picture = cv2.imread(str(home / f"{lossless.before.fmt}.png"))
    assert picture.shape == (HEIGHT, WIDTH, 3)
    gray = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float32)
    depth = 4 if "10" in lossless.after.fmt else 1
    lumas = [(p[0].astype(np.float32) / depth - 16) * 255 / 219 for p in lossless.after.planes]
    gaps = [np.abs(luma - gray).mean() for luma in lumas]
    # Grey by OpenCV has other weights than the file's luma: some codes, but the same picture.
    assert min(gaps) < 6
    assert 0 < np.argmin(gaps) < N


def test_the_new_speech_is_in_the_file(lossless: Dubbed) -> None:
    # As long as the video (0.8 s), to the packet of 64 ms: the speech of 1.2 s is cut off.
    assert N / 25 <= sound_seconds(lossless.out) < N / 25 + 0.065


def test_nothing_else_is_left_in_the_folder(lossless: Dubbed, home: Path) -> None:
    assert [name for name in leftovers(home) if "partial" in name or name.startswith(".")] == []


# ------------------------------------------------------------------------------- speech and length


def test_after_the_speech_the_mouth_rests(home: Path) -> None:
    # The man's own mouth is wide open at the end of this clip.
    video = write_clip(home / "grin.mkv", actor())
    short = write_speech(home / "short.wav", 0.3)
    out = home / "rest.mkv"
    report = dub(video, short, out, codec="ffv1")
    assert report.frames == 40
    after = decode(out)
    assert len(after.planes) == 40
    own = [opening(face) for face in looked_at(decode(video))][-10:]
    rest = [opening(face) for face in looked_at(after)][-10:]
    assert min(own) > 0.08
    assert max(rest) < 0.4 * min(own)
    assert np.ptp(rest) < 0.03


def test_speech_longer_than_the_video_is_cut_off(home: Path, source: Path) -> None:
    out = home / "long.mkv"
    dub(source, sample_file("speech_short"), out, codec="ffv1")
    assert len(decode(out).planes) == N
    assert N / 25 <= sound_seconds(out) < N / 25 + 0.065


def test_a_tenth_of_a_second_of_speech(home: Path, source: Path) -> None:
    out = home / "tenth.mkv"
    report = dub(source, write_speech(home / "tenth.wav", 0.1), out, codec="ffv1")
    assert report.resynced == N
    assert len(decode(out).planes) == N


def test_a_video_of_one_frame(home: Path, speech: Path) -> None:
    video = write_clip(home / "one.mkv", actor()[:1])
    out = home / "one-out.mkv"
    report = dub(video, speech, out, codec="ffv1")
    assert (report.frames, report.resynced) == (1, 1)
    assert len(decode(out).planes) == 1


def test_times_that_are_not_even(home: Path, speech: Path) -> None:
    pts = [0, 33, 80, 100, 180, 200, 290, 333, 334, 500]
    video = write_clip(home / "vfr.mkv", actor()[:10], pts=pts)
    out = home / "vfr-out.mkv"
    dub(video, speech, out, codec="ffv1")
    assert [round(t * 1000) for t in decode(out).times] == pts


# --------------------------------------------------------------------------- the speaker's own way


def test_what_is_said_in_the_source_is_heard(source: Path, speech: Path, tmp_path: Path) -> None:
    assert own_speech(source) is None, "a film without sound is no error"
    heard = own_speech(speech)
    assert heard is not None
    assert len(heard) == pytest.approx(1.2 * 50, abs=2)
    assert heard.voice.max() > 0.9
    damaged = tmp_path / "damaged.wav"
    damaged.write_bytes(speech.read_bytes()[:40])
    assert own_speech(damaged) is None


def test_the_style_is_told(home: Path, lossless: Dubbed) -> None:
    assert lossless.report.style == "", "0.8 s are too little"
    video = write_clip(home / "style.mkv", actor())
    report = dub(video, write_speech(home / "long.wav", 2.5), home / "style-out.mkv", codec="ffv1")
    assert "a mouth whose speech is not heard" in report.style
    assert f"\nstyle: {report.style}" in report.summary()


def test_qualities_differ_around_the_mouth_alone(home: Path, source: Path, speech: Path) -> None:
    seen, told = {}, []
    for quality in ("fast", "standard", "pro"):
        out = home / f"{quality}.mkv"
        report = dub(
            source, speech, out, codec="ffv1", quality=quality, adapt_seconds=2,
            hook=lambda stage, done, total: told.append(stage),
        )  # fmt: skip
        seen[quality] = decode(out)
        assert report.unrefined <= report.resynced
        assert ("\nadapted: " in report.summary()) == (quality == "pro")
    assert "adapt" in told
    # Twenty frames teach nothing that holds on others, and say so.
    assert report.adapted == "the clip shows too little of its mouth; as standard"
    changed = np.zeros(seen["fast"].planes[0][0].shape, bool)
    for fast, standard in zip(seen["fast"].planes, seen["standard"].planes, strict=True):
        changed |= fast[0] != standard[0]
    assert changed.any()
    assert changed.mean() < 0.3
    for standard, pro in zip(seen["standard"].planes, seen["pro"].planes, strict=True):
        np.testing.assert_array_equal(standard[0], pro[0])


def test_articulation_and_expression(home: Path, speech: Path) -> None:
    video = write_clip(home / "asked.mkv", actor()[:25])

    def openings(**options: float) -> list[float]:
        out = home / "asked-out.mkv"
        dub(video, speech, out, codec="ffv1", **options)
        return [opening(face) for face in looked_at(decode(out))]

    calm, lively = openings(articulation=0.5), openings(articulation=1.5)
    assert max(lively) > 1.3 * max(calm)
    assert np.abs(np.subtract(openings(expression=0), openings(expression=1))).max() > 1e-3


# --------------------------------------------------------------------------------- pictures, names


@pytest.mark.parametrize(
    ("fmt", "width", "height"),
    [
        ("yuv420p", 285, 293),
        ("yuv444p", 287, 295),
        ("gbrp10le", 251, 291),
        ("yuv420p", 287, 295),
    ],
)
def test_odd_sizes(fmt: str, width: int, height: int, home: Path, speech: Path) -> None:
    pictures = [p[:height, :width] for p in actor()[20:24]]
    video = write_clip(home / f"odd-{fmt}-{width}.mkv", pictures, fmt)
    out = home / f"odd-{fmt}-{width}-out.mkv"
    assert dub(video, speech, out, codec="ffv1").resynced == 4
    before, after = decode(video), decode(out)
    assert after.fmt == before.fmt
    for old, new in zip(before.planes, after.planes, strict=True):
        for a, b in zip(old, new, strict=True):
            assert a.shape == b.shape
            np.testing.assert_array_equal(a[: a.shape[0] // 4], b[: a.shape[0] // 4])
        assert np.any(old[0] != new[0])


def test_an_everyday_mp4(home: Path, speech: Path) -> None:
    video = write_clip(home / "day.mp4", actor()[:8], codec="libx264", time_base=Fraction(1, 12800))
    out = home / "day-out.mp4"
    report = dub(video, speech, out)
    assert report.resynced == 8
    before, after = decode(video), decode(out)
    assert after.times == before.times
    with av.open(str(out)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
    background = np.abs(after.planes[3][0][:60].astype(int) - before.planes[3][0][:60])
    assert background.mean() < 2, "near the source's quality"


def test_names_with_spaces_quotes_and_other_letters(home: Path, speech: Path) -> None:
    folder = home / 'it\'s a "folder" — 話す'
    folder.mkdir()
    video = write_clip(folder / "vidéo d'été %d.mkv", actor()[:3])
    voice = folder / "голос 'one'.wav"
    voice.write_bytes(speech.read_bytes())
    out = folder / "出力 $HOME `x` & co.mkv"
    assert dub(video, voice, out, codec="ffv1").resynced == 3
    assert leftovers(folder, video, voice) == [out.name]
    assert len(decode(out).planes) == 3


def test_frames_without_a_face_pass_through_bit_exact(home: Path, speech: Path) -> None:
    grey = np.full((HEIGHT, WIDTH, 3), 127, np.uint8)
    pictures = [*actor()[:5], *[grey] * 4, *actor()[5:9]]
    video = write_clip(home / "gap.mkv", pictures)
    out = home / "gap-out.mkv"
    report = dub(video, speech, out, codec="ffv1")
    assert report.frames == 13
    assert report.passed == {"no face": 4}
    assert "no face 4" in report.summary()
    before, after = decode(video), decode(out)
    for i in range(5, 9):
        for a, b in zip(before.planes[i], after.planes[i], strict=True):
            np.testing.assert_array_equal(a, b)
    assert np.any(before.planes[2][0] != after.planes[2][0])
    assert np.any(before.planes[11][0] != after.planes[11][0])


# -------------------------------------------------------------------------------- what goes wrong


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "out.mkv"


def test_no_face_no_file(home: Path, speech: Path, target: Path) -> None:
    pictures = [np.full((120, 160, 3), 90 + i, np.uint8) for i in range(4)]
    video = write_clip(home / "grey.mkv", pictures)
    with pytest.raises(FaceError, match=r"no face to re-sync in .*grey\.mkv.*no face 4"):
        dub(video, speech, target, codec="ffv1")
    assert leftovers(target.parent) == []


def test_speech_without_sound(source: Path, target: Path) -> None:
    with pytest.raises(SpeechError, match="no audio stream"):
        dub(source, source, target)
    assert leftovers(target.parent) == []


def test_video_without_pictures(speech: Path, target: Path) -> None:
    with pytest.raises(ReadError, match="no video stream"):
        dub(speech, speech, target)


def test_missing_files(source: Path, speech: Path, target: Path) -> None:
    for video, audio in ((target.with_name("x.mkv"), speech), (source, target.with_name("x.wav"))):
        with pytest.raises(ReadError):
            dub(video, audio, target)
    assert leftovers(target.parent) == []


def test_an_exception_in_mid_render_leaves_no_file(
    source: Path, speech: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = rendering.compose

    def breaks(layers: Layers, refiner: Refiner | None) -> Composed:
        if layers.frame.index == 7:
            raise RuntimeError("broken on purpose")
        return plain(layers, refiner)

    monkeypatch.setattr(rendering, "compose", breaks)
    with pytest.raises(RuntimeError, match="on purpose"):
        dub(source, speech, target, codec="ffv1")
    assert leftovers(target.parent) == []


def test_an_interrupt_keeps_what_was_there_before(source: Path, speech: Path, target: Path) -> None:
    target.write_bytes(b"yesterday's work")

    def hook(stage: str, done: int, total: int | None) -> None:
        if (stage, done) == ("render", 3):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        dub(source, speech, target, codec="ffv1", hook=hook)
    assert target.read_bytes() == b"yesterday's work"
    assert leftovers(target.parent) == [target.name]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere/out.mkv", "no directory"),
        ("folder.mkv", "directory"),
        ("out.xyz", "xyz"),
    ],
)
def test_targets_that_cannot_be_written_are_told_before_the_work(
    name: str, message: str, source: Path, speech: Path, tmp_path: Path
) -> None:
    (tmp_path / "folder.mkv").mkdir()
    calls: list[str] = []
    with pytest.raises(WriteError, match=message):
        dub(source, speech, tmp_path / name, hook=lambda *call: calls.append(call[0]))
    assert calls == []
    assert leftovers(tmp_path) == ["folder.mkv"]


def test_the_source_is_never_the_target(source: Path, speech: Path) -> None:
    before = source.read_bytes()
    for target in (source, source.parent / "." / source.name):
        with pytest.raises(WriteError, match="source video"):
            dub(source, speech, target)
    assert source.read_bytes() == before


def test_unknown_options_are_named(source: Path, speech: Path, target: Path) -> None:
    with pytest.raises(OptionError, match=r"unknown option sharpness: known are .*codec"):
        dub(source, speech, target, sharpness=3)
    with pytest.raises(OptionError, match="crf"):
        dub(source, speech, target, crf=99)


# ---------------------------------------------------------------------------------- by itself


def test_nothing_depends_on_the_number_of_threads(source: Path, speech: Path, home: Path) -> None:
    results = []
    for threads in (1, 4):
        out = home / f"threads{threads}.mkv"
        dub(source, speech, out, codec="ffv1", threads=threads, cache=False)
        results.append(decode(out))
    for a, b in zip(results[0].planes, results[1].planes, strict=True):
        for p, q in zip(a, b, strict=True):
            np.testing.assert_array_equal(p, q)


def test_analysis_covers_every_frame_once(source: Path) -> None:
    analysis = analyse(source, lambda *_: None)
    starts = [track.start for track in analysis.tracks]
    assert starts == list(np.cumsum([0, *map(len, analysis.tracks[:-1])]))
    assert sum(map(len, analysis.tracks)) == N == len(analysis.times)
    np.testing.assert_allclose(analysis.times, np.arange(N) / 25, atol=1e-6)
    assert analysis.length == Fraction(N, 25)
    assert {p.index for p in analysis.patches} == set(range(N))


def test_the_report_says_how_the_output_came_to_be() -> None:
    report = DubReport(
        Path("o.mp4"), 10, 10, {}, ("cover picture",), deinterlaced=10, notes=("gif became h264",)
    )
    assert report.summary().splitlines() == [
        "o.mp4: 10 of 10 frames re-synced; deinterlaced: 10",
        "gif became h264",
        "not carried over: cover picture",
    ]
