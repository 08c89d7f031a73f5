"""Dubs of a part of a video, judged by PyAV alone against the dub of it all."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from synth import need_face_model
from test_dub_again import QUICK, StoppedError, stop_at
from test_dub_again import film as grouped  # noqa: F401 - a fixture
from test_dub_segments import pictures
from test_dubbing import actor, decode, sound_seconds, write_clip, write_speech

from labial.dubbing import dub, dub_each, dub_pieces
from labial.errors import FaceError, OptionError
from labial.media import pieces
from labial.media.read import VideoReader
from labial.media.sound_file import sound_blocks

N = 40
# Times as a phone writes them, in ms, 40 of them.
UNEVEN = np.cumsum([0, *([33, 34, 33, 100, 33, 34, 100, 33] * 5)[: N - 1]]).tolist()
# Seconds of a block of AAC at 16 kHz: its sound is as many whole ones as it needs.
AAC = 1024 / 16000
LOSSLESS = {"quality": "fast", "codec": "ffv1"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need_face_model()
    return tmp_path_factory.mktemp("trim")


@pytest.fixture(scope="module")
def speech(home: Path) -> Path:
    return write_speech(home / "speech.wav", 1.6, 0.7)


@pytest.fixture(scope="module")
def film(home: Path) -> Path:
    return write_clip(home / "talk.mkv", actor()[:N])


@pytest.fixture(scope="module")
def whole(home: Path, film: Path, speech: Path) -> Path:
    dub(film, speech, home / "whole.mkv", **LOSSLESS)
    return home / "whole.mkv"


def heard(path: Path) -> np.ndarray:
    return np.concatenate([*sound_blocks(path, 16000, "mono")])[:, 0]


def test_a_part_is_that_of_the_whole_dub(
    film: Path, speech: Path, whole: Path, tmp_path: Path
) -> None:
    out = tmp_path / "part.mkv"
    report = dub(film, speech, out, trim="0.4-1.0", speech_at=0, **LOSSLESS)
    assert (report.frames, report.resynced) == (15, 15) and report.timing == ""
    mine, all_of_it = decode(out), decode(whole)
    assert mine.times == [Fraction(k * 40, 1000) for k in range(15)]
    for k, planes in enumerate(mine.planes):
        for one, other in zip(planes, all_of_it.planes[10 + k], strict=True):
            np.testing.assert_array_equal(one, other)
    assert 0.6 <= sound_seconds(out) + 0.001 < 0.6 + AAC
    # The sound of the container is lossy: what is compared is what it is a copy of.
    said = heard(speech)[6400:16000]
    assert np.corrcoef(heard(out)[200 : len(said) - 200], said[200:-200])[0, 1] > 0.95


def test_speech_begins_with_the_part(film: Path, speech: Path, tmp_path: Path) -> None:
    out = tmp_path / "part.mkv"
    report = dub(film, speech, out, trim="0.4-1.0", **LOSSLESS)
    assert "speech cut off at the end of the part, 1.0 s lost" in report.summary()
    said = heard(speech)[:9600]
    assert np.corrcoef(heard(out)[200:9400], said[200:9400])[0, 1] > 0.95
    source, mine = decode(film), decode(out)
    for k, planes in enumerate(mine.planes):
        # Above the nose nothing changes, and it is this frame and no other.
        np.testing.assert_array_equal(planes[0][:100], source.planes[10 + k][0][:100])
    # The mouth is another than where the speech has its place in the whole.
    dub(film, speech, tmp_path / "whole.mkv", trim="0.4-1.0", speech_at=0, **LOSSLESS)
    other = decode(tmp_path / "whole.mkv")
    assert any((a[0] != b[0]).any() for a, b in zip(mine.planes, other.planes, strict=True))


@pytest.mark.parametrize(
    ("trim", "frames"),
    [("0.4-", range(10, N)), ("-.4", range(10)), ("0.39-0.41", range(10, 11)), ("0-99", range(N))],
)
def test_which_frames(trim: str, frames: range, film: Path, speech: Path, tmp_path: Path) -> None:
    report = dub(film, speech, tmp_path / "part.mkv", trim=trim, **LOSSLESS)
    source, mine = decode(film), decode(tmp_path / "part.mkv")
    assert report.frames == len(mine.planes) == len(frames)
    for planes, row in zip(mine.planes, frames, strict=True):
        np.testing.assert_array_equal(planes[0][:100], source.planes[row][0][:100])


def test_uneven_times(speech: Path, tmp_path: Path) -> None:
    film = write_clip(tmp_path / "film.mkv", actor()[:N], pts=[200 + t for t in UNEVEN])
    out = tmp_path / "part.mkv"
    dub(film, speech, out, trim="0.5-1.1", speech_at=0, **LOSSLESS)
    inside = [t for t in UNEVEN if 500 <= t < 1100]
    mine = decode(out)
    assert [t - mine.times[0] for t in mine.times] == [
        Fraction(t - inside[0], 1000) for t in inside
    ]
    source, first = decode(film), UNEVEN.index(inside[0])
    np.testing.assert_array_equal(mine.planes[0][0][:100], source.planes[first][0][:100])
    length = (next(t for t in UNEVEN if t >= 1100) - inside[0]) / 1000
    assert length <= sound_seconds(out) + 0.001 < length + AAC


@pytest.mark.parametrize(
    ("mode", "rows"),
    [
        ("loop", [*range(10, 25), *range(10, 25), *range(10, 20)]),
        ("bounce", [*range(10, 25), *range(23, 9, -1), *range(11, 22)]),
        ("remap", [10 + int((k + 0.5) * 15 / N) for k in range(N)]),
        ("cut_off", [*range(10, 25)]),
        ("hold", [*range(10, 25)]),
    ],
)
def test_a_part_is_repeated_and_retimed_as_a_video(
    mode: str, rows: list[int], film: Path, speech: Path, tmp_path: Path
) -> None:
    out = tmp_path / "part.mkv"
    dub(film, speech, out, trim="0.4-1.0", sync_mode=mode, **LOSSLESS)
    source, mine = decode(film), decode(out)
    assert len(mine.planes) == (15 if mode == "cut_off" else N)
    assert mine.times == [Fraction(k * 40, 1000) for k in range(len(mine.planes))]
    for planes, row in zip(mine.planes, rows, strict=mode != "hold"):
        np.testing.assert_array_equal(planes[0][:100], source.planes[row][0][:100])


def test_speech_ends_a_part_of_a_dub_that_ends_with_it(
    film: Path, speech: Path, tmp_path: Path
) -> None:
    short, out = write_speech(tmp_path / "short.wav", 0.8, 0.7), tmp_path / "part.mkv"
    how = {"sync_mode": "cut_off", "speech_at": 0.0, **LOSSLESS}
    assert dub(film, short, out, trim="0.4-1.0", **how).frames == 10
    dub(film, short, tmp_path / "whole.mkv", **how)
    for one, other in zip(
        decode(out).planes, decode(tmp_path / "whole.mkv").planes[10:], strict=True
    ):
        np.testing.assert_array_equal(one[0], other[0])


def test_speech_may_begin_later(film: Path, speech: Path, tmp_path: Path) -> None:
    late, own = tmp_path / "late.mkv", tmp_path / "own.mkv"
    dub(film, speech, late, speech_at=0.8, **LOSSLESS)
    dub(film, speech, own, **LOSSLESS)
    sound = heard(late)
    assert np.abs(sound[:12000]).max() < 0.02 < np.abs(sound[12800:]).max()
    said = heard(speech)[: len(sound) - 12800]
    assert np.corrcoef(sound[13000:25000], said[200:12200])[0, 1] > 0.95
    before, after = decode(own), decode(late)
    assert len(after.planes) == N
    assert any((a[0] != b[0]).any() for a, b in zip(before.planes, after.planes, strict=True))


def test_packets_of_the_part_are_copied(
    grouped: Path,  # noqa: F811
    speech: Path,
    tmp_path: Path,
) -> None:
    out = tmp_path / "out.mp4"
    report = dub(grouped, speech, out, trim="0.2-1.6", speech_at=0, **QUICK)
    # Groups are of six frames: the first whole one in the part begins with frame 6.
    assert report.frames == 35 and report.copied == pytest.approx(24 / 25)
    before, after = pictures(grouped), pictures(out)
    for k in range(1, 25):
        np.testing.assert_array_equal(after[k], before[5 + k])
    with av.open(str(out)) as container:
        times = [f.pts * f.time_base for f in container.decode(video=0)]
    assert times == [Fraction(k, 25) for k in range(35)]


def test_a_stopped_run_goes_on_to_the_same_file(
    film: Path, speech: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, frames in (("LEAST", 4), ("USUAL", 8), ("MOST", 11)):
        monkeypatch.setattr(pieces, name, frames)
    how: dict[str, Any] = {"trim": "0.2-1.4", "resume": True, **QUICK}
    dub(film, speech, tmp_path / "whole.mkv", **how)
    with pytest.raises(StoppedError):
        dub(film, speech, tmp_path / "out.mkv", hook=stop_at(25), **how)
    assert dub(film, speech, tmp_path / "out.mkv", **how).resumed >= 16
    assert (tmp_path / "out.mkv").read_bytes() == (tmp_path / "whole.mkv").read_bytes()


def test_pieces_of_a_part_can_be_made_elsewhere(
    film: Path, speech: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, frames in (("LEAST", 4), ("USUAL", 8), ("MOST", 11)):
        monkeypatch.setattr(pieces, name, frames)
    how: dict[str, Any] = {"trim": "0.2-1.4", "speech_at": 0.0, **QUICK}
    whole, out = tmp_path / "whole.mp4", tmp_path / "out.mp4"
    dub(film, speech, whole, resume=True, **how)
    plan = dub_pieces(film, speech, out, **how)
    dub_pieces(film, speech, out, numbers=range(len(plan.parts)), key=plan.key, **how)
    steps: list[str] = []
    dub(film, speech, out, resume=True, hook=lambda stage, *_: steps.append(stage), **how)
    assert len(plan.parts) > 2 and "render" not in steps
    assert out.read_bytes() == whole.read_bytes()


def test_segments_keep_their_places(film: Path, speech: Path, tmp_path: Path) -> None:
    rows = [
        {"start": 0.2, "end": 0.7, "audio": str(speech), "audio_end": 0.5},
        {"start": 0.8, "end": 1.3, "audio": str(speech), "audio_start": 0.5, "audio_end": 1.0},
    ]
    file = tmp_path / "s.json"
    file.write_text(json.dumps(rows))
    how = {"segments": str(file), **LOSSLESS}
    dub(film, None, tmp_path / "whole.mkv", **how)
    dub(film, None, tmp_path / "part.mkv", trim="0.4-1.2", **how)
    whole, part = (decode(tmp_path / f"{name}.mkv") for name in ("whole", "part"))
    assert len(part.planes) == 20
    for one, other in zip(part.planes, whole.planes[10:], strict=False):
        np.testing.assert_array_equal(one[0], other[0])
    sounds = heard(tmp_path / "whole.mkv")[6400 + 500 : 19200 - 500], heard(tmp_path / "part.mkv")
    assert np.corrcoef(sounds[0], sounds[1][500 : 500 + len(sounds[0])])[0, 1] > 0.95


def test_several_languages_and_pictures(film: Path, speech: Path, tmp_path: Path) -> None:
    how: dict[str, Any] = {"trim": "0.4-1.0", "mux": "first", **QUICK}
    done = dub_each(film, {"es": speech, "fr": speech}, tmp_path / "all.mkv", **how)
    assert done["es"].frames == 15
    with av.open(str(tmp_path / "all.mkv")) as container:
        for track in range(2):
            lasts = sum(f.samples / f.sample_rate for f in container.decode(audio=track))
            assert 0.6 <= lasts + 0.001 < 0.6 + AAC
            container.seek(0)
    (tmp_path / "shots").mkdir()
    with av.open(str(film)) as container:
        for k, frame in enumerate(container.decode(video=0)):
            cv2.imwrite(
                str(tmp_path / "shots" / f"{101 + k}.png"), frame.to_ndarray(format="bgr24")
            )
    (tmp_path / "out").mkdir()
    dub(tmp_path / "shots", speech, tmp_path / "out" / "%03d.png", trim="0.4-0.6", **QUICK)
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == [f"{n}.png" for n in range(111, 116)]


def test_only_what_is_shown_is_decoded(
    grouped: Path,  # noqa: F811
    speech: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dub(grouped, speech, tmp_path / "first.mp4", **QUICK)
    read: list[int] = []
    frames = VideoReader._frame
    monkeypatch.setattr(VideoReader, "_frame", lambda *a: read.append(a[-1]) or frames(*a))
    dub(grouped, speech, tmp_path / "out.mp4", trim="1.5-1.7", speech_at=0, copy=False, **QUICK)
    assert min(read) == 36 and max(read) < 48


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"trim": "soon"}, "--trim soon: use START-END in seconds, such as 12.5-15.5"),
        ({"trim": "-"}, "use START-END"),
        ({"trim": "3-2"}, "the end must come after the start"),
        ({"trim": "9-"}, "--trim 9-: the video is "),
        ({"trim": "0.41-0.42"}, "there is no frame in that part"),
        ({"trim": "0-1", "mux": "source"}, "--mux source: leave it out with --trim"),
        ({"trim": "0-1", "report": "r.html"}, "--report: leave it out with --trim"),
        ({"speech_at": -1.0}, "--speech-at -1: use 0 or more seconds"),
        ({"speech_at": 1.0, "sync_mode": "loop"}, "leave it out with --sync-mode loop"),
        ({"speech_at": 9.0}, "--speech-at 9: what is made of the video ends at "),
        ({"speech_at": 1.0, "segments": "s.json"}, "each of the --segments has its place"),
    ],
)
def test_what_cannot_be_done_is_said(
    asked: dict[str, Any], said: str, film: Path, speech: Path, tmp_path: Path
) -> None:
    with pytest.raises(OptionError, match=said):
        dub(film, speech, tmp_path / "out.mkv", **{**QUICK, **asked})
    assert not (tmp_path / "out.mkv").exists()


def test_a_part_without_a_face(
    grouped: Path,  # noqa: F811
    speech: Path,
    tmp_path: Path,
) -> None:
    with pytest.raises(FaceError, match=r"\(25 frames: no face 25\)"):
        dub(grouped, speech, tmp_path / "out.mp4", trim="0-1", **QUICK)
