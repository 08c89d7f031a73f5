"""Mouths that speak what is heard, so much too early or too late."""

import json
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import pytest
import synth_media
from synth import closed_mesh, make_info, make_track, need_face_model, sample_file

from labial.analysis import Analysis
from labial.audio.load import load_speech
from labial.checking.check import Footage, check, measure
from labial.errors import OptionError, ReadError, WriteError
from labial.media.probe import AudioInfo, MediaInfo
from labial.motion.predict import predict
from labial.motion.space import load_basis
from labial.motion.timing import sample
from labial.options import CheckOptions
from labial.types import Audio, FaceTrack, MouthMotion, SpeechTrack

BASIS = load_basis()
FPS, SECONDS = 25, 24
FRAMES = np.arange(FPS * SECONDS) / FPS


@lru_cache(maxsize=1)
def voice() -> np.ndarray:
    """Samples of somebody who speaks, and never the same twice for a while."""
    one = load_speech(sample_file("speech_short")).samples
    rate = 16000
    pieces = [one, one[::-1], one[rate // 3 :], one[: len(one) // 2]]
    return np.concatenate(pieces * 4)[: SECONDS * rate]


def heard(late: float = 0.0, drift: float = 0.0) -> SpeechTrack:
    """The voice so many seconds too late, and later by ``drift`` in every second."""
    clock = np.arange(len(voice())) / 16000
    at = (clock - late - drift * clock) * 16000
    moved = np.interp(at, np.arange(len(voice())), voice(), 0, 0)
    return predict(Audio(moved.astype(np.float32), 16000))


def face(said: SpeechTrack, person: int = 0, scale: float = 160.0, seed: int = 0) -> FaceTrack:
    """A face that says this."""
    own = sample(said.motion, FRAMES)
    own = own + np.random.default_rng(seed).normal(0, 0.15, own.shape)
    shapes = closed_mesh() + BASIS.displacement(own.astype(np.float32))
    return make_track(shapes, closed_mesh(), person=person, key=person, scale=scale)


def footage(tracks: list[FaceTrack], sound: SpeechTrack | None) -> Footage:
    info = make_info(640, 480)
    audio = AudioInfo("aac", 48000, 2, "stereo", 0, 1)
    media = MediaInfo(Path("a.mp4"), "mp4", Fraction(SECONDS), info, audio, 1, 0, 0, 0)
    pts = np.arange(len(FRAMES), dtype=np.int64)
    analysis = Analysis(tracks, [], pts, Fraction(1, FPS), Fraction(SECONDS), heard=sound)
    return Footage(media, analysis)


@lru_cache(maxsize=1)
def speaker() -> FaceTrack:
    return face(heard())


@pytest.mark.parametrize(
    ("ms", "verdict"),
    [(0, "in sync"), (40, "in sync"), (-120, "out of sync"), (160, "noticeable"),
     (-400, "out of sync"), (1000, "out of sync")],
)  # fmt: skip
def test_sound_that_is_late_by_construction(ms: int, verdict: str) -> None:
    report = measure(footage([speaker()], heard(ms / 1000)), CheckOptions())
    assert report.verdict == verdict and not report.drifts
    assert report.offset == pytest.approx(ms / 1000, abs=0.012)
    assert report.confidence > 0.8 and report.compared > 12
    sure = [w for w in report.windows if w.confidence > 0.6]
    assert len(sure) > len(report.windows) / 2
    assert np.median([w.seconds for w in sure]) == pytest.approx(ms / 1000, abs=0.015)


def test_a_drift_is_told_at_both_ends() -> None:
    """Half a minute needs a strong one: 150 ms a minute come to 60 ms."""
    strong = 0.0024
    film = footage([speaker()], heard(0.1, strong))
    longer = measure(film, CheckOptions())
    assert longer.drift == pytest.approx(strong, abs=0.0004)
    assert longer.offset == pytest.approx(0.1 + strong * SECONDS / 2, abs=0.012)


def test_frames_may_come_at_any_time() -> None:
    """A variable frame rate: every frame is held against the sound of its own time."""
    rng = np.random.default_rng(0)
    pts = np.cumsum(rng.choice([20, 33, 60], 24 * 26)).astype(np.int64)
    pts = pts[pts < 1000 * SECONDS] - pts[0]
    own = sample(heard().motion, pts / 1000)
    shapes = closed_mesh() + BASIS.displacement(own.astype(np.float32))
    film = footage([make_track(shapes, closed_mesh())], heard(0.2))
    analysis = replace(film.analysis, pts=pts, time_base=Fraction(1, 1000))
    report = measure(replace(film, analysis=analysis), CheckOptions())
    assert report.offset == pytest.approx(0.2, abs=0.012)


def test_in_a_conversation_whoever_speaks_is_measured() -> None:
    """The listener is larger, and chews."""
    other = predict(Audio(np.roll(voice(), 16000 * 9), 16000))
    listener = face(other, person=1, scale=220.0, seed=1)
    for ms in (0, 500):
        report = measure(footage([speaker(), listener], heard(ms / 1000)), CheckOptions())
        assert report.offset == pytest.approx(ms / 1000, abs=0.015)


def test_what_cannot_be_told_is_not_told() -> None:
    slow = heard().motion.coefficients[::-1].repeat(2, 0)[: len(heard())]
    foreign = face(replace(heard(), motion=MouthMotion(slow)))
    silent = predict(Audio(np.zeros(16000 * SECONDS, np.float32), 16000))
    still = make_track(np.repeat(closed_mesh()[None], len(FRAMES), 0), closed_mesh())
    away = replace(speaker(), quality=np.zeros(len(FRAMES), np.float32))
    film = footage([speaker()], heard())
    cases = {
        "does not clearly belong": [footage([foreign], heard()), footage([still], heard())],
        "nobody is heard": [footage([speaker()], silent), footage([speaker()], None)],
        "no face": [footage([], heard())],
        "for 0.0 s only": [footage([away], heard())],
        "has no sound": [replace(film, media=replace(film.media, audio=None))],
    }
    for why, films in cases.items():
        for one in films:
            report = measure(one, CheckOptions())
            assert report.verdict == "cannot tell" and why in report.why
            assert report.offset is None and report.drift is None


def test_sound_that_jumps_wanders() -> None:
    """As after an edit: the first half fits, the second is half a second late."""
    clock = np.arange(len(voice())) / 16000
    at = (clock - np.where(clock > SECONDS / 2, 0.45, 0.0)) * 16000
    moved = np.interp(at, np.arange(len(voice())), voice()).astype(np.float32)
    sound = predict(Audio(moved, 16000))
    report = measure(footage([speaker()], sound), CheckOptions())
    assert report.verdict == "wanders"
    assert "to sound 4" in report.headline()


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need_face_model()
    home = tmp_path_factory.mktemp("films")
    synth_media.write_video(home / "nobody.mp4", n=10, sound="aac")
    synth_media.write_video(home / "mute.mp4", n=10)
    return home


def test_files_that_hold_too_little(films: Path) -> None:
    assert check(films / "nobody.mp4").verdict == "cannot tell"
    assert "no sound" in check(films / "mute.mp4").why


def test_numbers_and_picture_are_written(films: Path) -> None:
    out = films / "a.json"
    report = check(films / "nobody.mp4", out=out)
    assert json.loads(out.read_text())["verdict"] == report.verdict
    check(films / "nobody.mp4", out=films / "a.png")
    assert cv2.imread(str(films / "a.png")).shape[1] == 1400
    assert sorted(p.name for p in films.iterdir()) == ["a.json", "a.png", "mute.mp4", "nobody.mp4"]


def test_targets_are_looked_at_before_the_work(films: Path, tmp_path: Path) -> None:
    film = films / "nobody.mp4"
    with pytest.raises(OptionError, match=r"\.json for numbers, \.png"):
        check(film, out=tmp_path / "a.txt")
    with pytest.raises(WriteError, match="there is no directory"):
        check(film, out=tmp_path / "none" / "a.json")
    named = tmp_path / "film.png"
    named.write_bytes(film.read_bytes())
    with pytest.raises(WriteError, match="it is an input"):
        check(named, out=named)
    with pytest.raises(ReadError, match="No such file"):
        check(tmp_path / "none.mp4")
    with pytest.raises(OptionError, match="unknown option"):
        check(film, windows=5)
    for wrong in ({"window": 1}, {"reach": 0.1}):
        with pytest.raises(OptionError, match=r"use .* seconds"):
            CheckOptions(**wrong)
