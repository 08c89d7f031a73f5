"""Dubs whose speech is of another length than the video, judged by PyAV alone."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from synth import need_face_model
from test_dubbing import actor, decode, sound_seconds, write_clip, write_speech

from labial.dubbing import dub
from labial.media import pieces
from labial.options import SyncMode
from labial.tally import DubReport

N, LONG, SHORT = 20, 34, 12
LAST = N - 1
# Seconds of a block of AAC at 16 kHz: its sound is as many whole ones as it needs.
AAC = 1024 / 16000
ORDERS: dict[tuple[SyncMode, int], list[int]] = {
    ("silence", LONG): [*range(N)],
    ("cut_off", SHORT): [*range(SHORT)],
    ("loop", LONG): [*range(N), *range(LONG - N)],
    ("bounce", LONG): [*range(N), *range(N - 2, N - 2 - (LONG - N), -1)],
    ("hold", LONG): [*range(N), *[LAST] * (LONG - N)],
    ("remap", LONG): [int((k + 0.5) * N / LONG) for k in range(LONG)],
    ("remap", SHORT): [int((k + 0.5) * N / SHORT) for k in range(SHORT)],
}


class StoppedError(Exception):
    """What a test stops a run with."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need_face_model()
    return tmp_path_factory.mktemp("lengths")


@pytest.fixture(scope="module")
def film(home: Path) -> Path:
    return write_clip(home / "film.mkv", actor()[:N])


@pytest.fixture(scope="module")
def speeches(home: Path) -> dict[int, Path]:
    return {n: write_speech(home / f"{n}.wav", n / 25, 0.7) for n in (LONG, SHORT)}


@dataclass
class Done:
    """An output, and what was said of it."""

    path: Path
    report: DubReport


@pytest.fixture(scope="module")
def done(home: Path, film: Path, speeches: dict[int, Path]) -> dict[tuple[SyncMode, int], Done]:
    outputs = {}
    for mode, n in ORDERS:
        out = home / f"{mode}{n}.mkv"
        report = dub(film, speeches[n], out, quality="fast", sync_mode=mode)
        outputs[mode, n] = Done(out, report)
    return outputs


@pytest.mark.parametrize(("mode", "n"), ORDERS)
def test_frames_times_and_sound(
    mode: SyncMode, n: int, film: Path, done: dict[tuple[SyncMode, int], Done]
) -> None:
    before, after = decode(film), decode(done[mode, n].path)
    rows = ORDERS[mode, n]
    assert after.times == [Fraction(round(k * 1000 / 25), 1000) for k in range(len(rows))]
    sound = min(n, max(len(rows), N)) / 25
    assert sound - 0.001 <= sound_seconds(done[mode, n].path) < sound + AAC
    assert done[mode, n].report.resynced == len(rows)
    for place, row in enumerate(rows):
        luma, source = after.planes[place][0], before.planes[row][0]
        if mode == "hold" and place >= N:
            continue
        # Above the nose nothing changes, and it is this frame and no other.
        np.testing.assert_array_equal(luma[:100], source[:100])
        for other in {row - 1, row + 1} & set(range(N)):
            assert (luma[:100] != before.planes[other][0][:100]).any()


def test_a_held_frame_lives_without_a_jump(
    film: Path, done: dict[tuple[SyncMode, int], Done]
) -> None:
    source, out = decode(film), decode(done["hold", LONG].path)
    eyes = slice(60, 130)
    last = source.planes[LAST][0][eyes].astype(int)
    moved = [np.abs(out.planes[k][0][eyes].astype(int) - last).mean() for k in range(N, LONG)]
    filmed = np.abs(last - source.planes[LAST - 1][0][eyes]).mean()
    steps = np.abs(np.diff([0, *moved]))
    assert moved[-1] > 0
    assert steps.max() < max(filmed, 0.5)


def test_what_was_done_is_told(done: dict[tuple[SyncMode, int], Done]) -> None:
    assert "0.6 s lost" in done["silence", LONG].report.summary()
    assert "length: picture at 0.59 of its speed" in done["remap", LONG].report.summary()
    assert "played back and forth" in done["bounce", LONG].report.summary()


@pytest.mark.parametrize("mode", ["bounce", "hold"])
def test_a_stopped_run_goes_on_to_the_same_file(
    mode: SyncMode,
    film: Path,
    speeches: dict[int, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, frames in (("LEAST", 4), ("USUAL", 8), ("MOST", 11)):
        monkeypatch.setattr(pieces, name, frames)

    def stop(stage: str, count: int, total: int | None) -> None:
        if stage == "render" and count == 28:
            raise StoppedError

    how = {"quality": "fast", "sync_mode": mode, "resume": True, "stretch_audio": 1.05}
    whole, out = tmp_path / "whole.mkv", tmp_path / "out.mkv"
    dub(film, speeches[LONG], whole, **how)
    with pytest.raises(StoppedError):
        dub(film, speeches[LONG], out, hook=stop, **how)
    report = dub(film, speeches[LONG], out, **how)
    assert report.resumed >= 16
    assert out.read_bytes() == whole.read_bytes()


def test_stretched_speech_is_what_is_delivered(
    film: Path, speeches: dict[int, Path], tmp_path: Path
) -> None:
    out = tmp_path / "out.mkv"
    report = dub(
        film, speeches[SHORT], out, quality="fast", sync_mode="cut_off", stretch_audio="auto"
    )
    assert "speech 1.100 times as long" in report.summary()
    assert 1.1 * SHORT / 25 - 0.001 <= sound_seconds(out) < 1.1 * SHORT / 25 + AAC
    assert len(decode(out).times) == 14


def test_a_last_frame_without_a_mouth_is_told(speeches: dict[int, Path], tmp_path: Path) -> None:
    empty = [np.full_like(actor()[0], 90)] * 4
    film = write_clip(tmp_path / "film.mkv", [*actor()[:N], *empty])
    report = dub(film, speeches[LONG], tmp_path / "out.mkv", quality="fast", sync_mode="hold")
    assert report.frames == LONG
    assert report.passed["no face"] >= LONG - N
    assert "no mouth speaks in the last frame, which is held: no face" in report.summary()


def test_pictures_and_one_frame(speeches: dict[int, Path], tmp_path: Path) -> None:
    one = write_clip(tmp_path / "one.mkv", actor()[:1])
    (tmp_path / "out").mkdir()
    report = dub(
        one, speeches[SHORT], tmp_path / "out" / "%03d.png", quality="fast", sync_mode="hold"
    )
    assert report.frames == SHORT
    assert len(list((tmp_path / "out").glob("*.png"))) == SHORT
    dub(one, speeches[SHORT], tmp_path / "out.mp4", quality="fast", sync_mode="loop")
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == SHORT
