"""What is done about sound that is late, and that it helps."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import synth_media as synth
from synth import need_face_model, sample_file

from labial import fixing
from labial.checking.verdict import SyncReport
from labial.errors import OptionError, ReadError, SpeechError, WriteError
from labial.fixing import FixReport, decide, fix
from labial.media.moving import Move
from labial.metrics.drift import Window
from labial.options import FixOptions

LATE = SyncReport(
    Path("a.mp4"), "audio stream 1 (aac)", "noticeable", "", 0.15, 0.0001, 0.0002, False,
    0.9, 60.0, 40.0, (Window(0, 5, 0.15, 0.9), Window(5, 10, 0.4, 0.9)),
)  # fmt: skip
FINE = replace(LATE, verdict="in sync", offset=0.06)
UNKNOWN = replace(LATE, verdict="cannot tell", offset=None, drift=None, why="no face is seen")
DRIFTING = replace(LATE, verdict="out of sync", offset=0.3, drift=0.002, drifts=True)


@pytest.mark.parametrize(
    ("report", "how", "did", "why"),
    [
        (LATE, "auto", "shift", "150 ms late is noticed"),
        (DRIFTING, "auto", "stretch", "drifts"),
        (FINE, "auto", "nothing", "60 ms late is within what nobody notices"),
        (replace(FINE, drifts=True), "auto", "nothing", "--how stretch"),
        (UNKNOWN, "auto", "nothing", "no face is seen"),
        (UNKNOWN, "shift", "nothing", "--late MS"),
        (replace(LATE, verdict="wanders"), "auto", "nothing", "--how mouth"),
        (replace(LATE, verdict="wanders"), "shift", "nothing", "no shift can help"),
        (FINE, "shift", "shift", "as asked"),
        (DRIFTING, "shift", "shift", "as asked"),
        (DRIFTING, "stretch", "stretch", "as asked"),
        (LATE, "stretch", "nothing", "no drift that is sure"),
        (UNKNOWN, "mouth", "mouth", "as asked"),
    ],
)  # fmt: skip
def test_the_remedy_follows_from_what_was_found(report, how, did, why) -> None:
    done, reason = decide(report, FixOptions(how))
    assert done == did and why in reason


def test_the_summary_says_what_was_done() -> None:
    move = Move(Fraction(3, 25), Fraction(1, 1200))
    report = FixReport(
        Path("b.mp4"), "stretch", "it drifts", move, LATE, FINE, (1,), (2, 3), (1,), ("a cover",)
    )
    assert report.summary().splitlines() == [
        "b.mp4: sound moved 120 ms earlier, a drift of +50.0 ms a minute taken out "
        "(audio stream 1, encoded again); pictures copied",
        "why: it drifts",
        "before: sound 150 ms late (90% sure): noticeable",
        "after: sound 60 ms late (90% sure): in sync",
        "audio streams left where they are: 2, 3 (--all-tracks moves them)",
        "not carried over: a cover",
    ]
    left = FixReport(None, "nothing", "fine", before=FINE).summary()
    assert left.startswith("nothing to do, nothing written: fine\nbefore: sound 60 ms late")


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sound tracks with a tone at half a second, and no face."""
    path = tmp_path_factory.mktemp("film") / "a.mp4"
    return synth.write_video(path, n=40, sound="aac", languages=("eng", "deu"))


def test_what_the_user_says_needs_no_face(film, tmp_path) -> None:
    report = fix(film, tmp_path / "b.mp4", late=120)
    assert (report.did, report.moved, report.left) == ("shift", (1,), (2,))
    assert report.before is report.after is None
    assert synth.sound_onset(tmp_path / "b.mp4") == pytest.approx(0.38, abs=0.001)
    assert synth.sound_onset(tmp_path / "b.mp4", 1) == pytest.approx(0.5, abs=0.001)
    report = fix(film, tmp_path / "c.mkv", late=-120, drift=60, all_tracks=True)
    assert (report.did, report.moved, report.recoded) == ("stretch", (1, 2), (1, 2))
    for track in (0, 1):
        found = synth.sound_onset(tmp_path / "c.mkv", track)
        assert found == pytest.approx(0.62 / 1.001, abs=0.001)


def test_where_it_cannot_tell_nothing_is_written(film, tmp_path) -> None:
    need_face_model()
    report = fix(film, tmp_path / "b.mp4")
    assert report.did == "nothing" and report.out is None
    assert "cannot tell" in report.summary()
    assert not list(tmp_path.iterdir())


def test_a_real_clip_is_repaired(tmp_path) -> None:
    """Somebody speaks; the sound is made 300 ms later than it was, and comes back."""
    need_face_model()
    source = sample_file("talking_clip")
    late = tmp_path / "late.mkv"
    fix(source, late, late=-300)
    report = fix(late, tmp_path / "fixed.mkv")
    assert report.did == "shift" and report.before is not None and report.after is not None
    assert report.before.verdict == "out of sync" and report.after.verdict == "in sync"
    assert abs(report.after.offset or 1) < 0.02
    # Independently: where the sounds lie on the source's.
    assert lag(sound(late), sound(source)) == pytest.approx(0.3, abs=0.001)
    moved = lag(sound(tmp_path / "fixed.mkv"), sound(source))
    assert report.before.offset == pytest.approx(0.3 - moved, abs=0.001)
    assert pictures(tmp_path / "fixed.mkv") == pictures(source)


def test_the_mouth_is_dubbed_with_its_own_sound(film, tmp_path, monkeypatch) -> None:
    need_face_model()
    calls = []

    def dubbed(video, audio, out, hook=None):
        calls.append((video, audio, out))
        fix(video, out, late=0)
        return type("Report", (), {"dropped": ("a track",)})

    monkeypatch.setattr(fixing, "dub", dubbed)
    report = fix(film, tmp_path / "b.mp4", how="mouth")
    assert calls == [(film, film, tmp_path / "b.mp4")]
    assert report.did == "mouth" and report.dropped == ("a track",) and report.after is not None


def test_bad_input_is_refused_before_the_work(film, tmp_path) -> None:
    with pytest.raises(WriteError, match="it is an input"):
        fix(film, film)
    with pytest.raises(WriteError, match="must end in one of"):
        fix(film, tmp_path / "b.avi")
    with pytest.raises(WriteError, match="there is no directory"):
        fix(film, tmp_path / "none" / "b.mp4")
    with pytest.raises(WriteError, match="name too long"):
        fix(film, tmp_path / f"{'n' * 300}.mp4")
    with pytest.raises(ReadError, match="holds only sound"):
        fix(sample_file("speech_short"), tmp_path / "b.mp4", late=10)
    with pytest.raises(ReadError, match="No such file"):
        fix(tmp_path / "none.mp4", tmp_path / "b.mp4")
    mute = synth.write_video(tmp_path / "mute.mp4", n=5)
    with pytest.raises(SpeechError, match="has no sound"):
        fix(mute, tmp_path / "b.mp4", late=10)
    with pytest.raises(OptionError, match="unknown option"):
        fix(film, tmp_path / "b.mp4", offset=10)
    for wrong in ({"late": 1e6}, {"drift": 5000}, {"how": "shift", "drift": 3}):
        with pytest.raises(OptionError, match="use "):
            FixOptions(**wrong)
    assert [p.name for p in tmp_path.iterdir()] == ["mute.mp4"]


def pictures(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(p) for p in container.demux(video=0) if p.size]


def sound(path: Path) -> np.ndarray:
    """Samples at 16 kHz from the first picture on."""
    with av.open(str(path)) as container:
        begin = container.streams.video[0].start_time * container.streams.video[0].time_base
        mono, blocks, first = av.AudioResampler("fltp", "mono", 16000), [], None
        for frame in container.decode(audio=0):
            first = frame.pts * frame.time_base if first is None else first
            blocks += [part.to_ndarray()[0] for part in mono.resample(frame)]
    samples = np.concatenate(blocks)
    shift = round(float(first - begin) * 16000)
    return np.pad(samples, (max(shift, 0), 0))[max(-shift, 0) :]


def lag(one: np.ndarray, other: np.ndarray) -> float:
    """Seconds by which the first comes later than the second, by their cross-correlation."""
    n = 1 << int(len(one) + len(other)).bit_length()
    product = np.fft.rfft(one, n) * np.conj(np.fft.rfft(other, n))
    best = int(np.fft.irfft(product, n).argmax())
    return (best if best < n / 2 else best - n) / 16000
