"""Only the named seconds of a video change, in picture and sound."""

import json
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from synth import need_face_model
from test_dubbing import actor, write_clip, write_speech

from labial import preparing
from labial.dubbing import dub
from labial.errors import LabialError, OptionError, ScriptError
from labial.media.sound_file import sound_blocks, write_audio
from labial.types import Audio

QUICK = {"quality": "fast", "preset": "ultrafast"}
FRAMES = 40


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need_face_model()
    return tmp_path_factory.mktemp("segments")


@pytest.fixture(scope="module")
def source(home: Path) -> Path:
    """1.6 s of a face, with a tone for its sound."""
    silent = write_clip(home / "silent.mkv", actor()[:FRAMES])
    path, rate = home / "talk.mkv", 16000
    tone = 0.2 * np.sin(2 * np.pi * 440 * np.arange(round(FRAMES / 25 * rate)) / rate)
    with av.open(str(silent)) as file, av.open(str(path), "w") as out:
        video = out.add_stream_from_template(file.streams.video[0])
        sound = out.add_stream("pcm_s16le", rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray((tone * 32767).astype(np.int16)[None], "s16", "mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        out.mux(sound.encode(frame))
        out.mux(sound.encode(None))
        for packet in file.demux(video=0):
            if packet.size:
                packet.stream = video
                out.mux(packet)
    return path


@pytest.fixture(scope="module")
def speech(home: Path) -> Path:
    return write_speech(home / "speech.wav", 2.0)


def written(path: Path, *segments: dict) -> str:
    path.write_text(json.dumps([*segments]))
    return str(path)


def pictures(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as file:
        return [frame.to_ndarray() for frame in file.decode(video=0)]


def test_only_the_named_seconds_change(home: Path, source: Path, speech: Path) -> None:
    segment = {"start": 0.4, "end": 1.2, "audio": str(speech), "audio_start": 0.5, "audio_end": 1.3}
    file = written(home / "one.json", segment)
    out = home / "one.mkv"
    report = dub(source, None, out, segments=file, codec="ffv1", **QUICK)
    changed = [
        not np.array_equal(a, b) for a, b in zip(pictures(source), pictures(out), strict=True)
    ]
    assert not any(changed[:10]) and not any(changed[30:])
    assert sum(changed[10:30]) >= 16
    assert report.passed["outside of the segments"] == 20
    before, after = (np.concatenate([*sound_blocks(path, 16000)])[:, 0] for path in (source, out))
    spoken = np.concatenate([*sound_blocks(speech, 16000)])[8000:20800, 0]
    assert abs(len(after) - len(before)) <= 1024
    # The sound of the container is lossy: what is compared is what it is a copy of.
    for part, like in (
        (slice(1000, 6000), before[1000:6000]),
        (slice(6800, 18800), spoken[400:12400]),
        (slice(20000, 25000), before[20000:25000]),
    ):
        assert np.corrcoef(after[part], like)[0, 1] > 0.95


def test_a_text_in_a_segment_is_spoken(home: Path, source: Path) -> None:
    row = {"start": 0.2, "end": 1.4, "text": "Papa, mama.", "language": "en-us"}
    out = home / "text.mkv"
    report = dub(source, None, out, segments=written(home / "text.json", row), **QUICK)
    assert 20 < report.resynced <= 31


def test_all_problems_are_told_before_the_video_is_looked_at(
    home: Path, source: Path, speech: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparing, "analyse", lambda *a: pytest.fail("it began to work"))
    file = home / "bad.csv"
    file.write_text(
        f"start,end,audio,text\n1.0,0.5,{speech},\n0.2,0.6,missing.wav,\n1.5,9.0,,Hello\n"
    )
    with pytest.raises(ScriptError) as error:
        dub(source, None, home / "bad.mkv", segments=str(file), **QUICK)
    told = str(error.value)
    assert all(f"line {n}: " in told for n in (2, 3, 4))
    assert "missing.wav" in told
    assert not (home / "bad.mkv").exists()


def test_somebody_who_is_not_there_is_told_with_the_line(
    home: Path, source: Path, speech: Path
) -> None:
    rows = [
        {"start": 0.2, "end": 0.7, "audio": str(speech), "audio_end": 0.5, "speaker": "5"},
        {"start": 0.8, "end": 1.3, "audio": str(speech), "audio_end": 0.5, "speaker": "6"},
    ]
    with pytest.raises(LabialError) as error:
        dub(source, None, home / "who.mkv", segments=written(home / "who.json", *rows), **QUICK)
    assert "5" in str(error.value) and "6" in str(error.value)
    assert not (home / "who.mkv").exists()


@pytest.mark.parametrize("other", [{"srt": "a.srt"}, {"text": "Hello", "language": "en"}])
def test_segments_and_a_script_exclude_each_other(
    home: Path, source: Path, speech: Path, other: dict
) -> None:
    file = written(home / "x.json", {"start": 0, "end": 1, "audio": str(speech), "audio_end": 1})
    with pytest.raises(OptionError, match="exclude"):
        dub(source, None, home / "x.mkv", segments=file, **other)


def test_loudness_changes_the_level_and_says_so(home: Path, source: Path, speech: Path) -> None:
    quiet, out = home / "quiet.mkv", home / "loud.mkv"
    dub(source, speech, quiet, **QUICK)
    report = dub(source, speech, out, loudness=-20, **QUICK)
    assert any("-20.0 LUFS" in note for note in report.notes)
    levels = [
        float(np.sqrt((np.concatenate([*sound_blocks(path)]) ** 2).mean())) for path in (quiet, out)
    ]
    assert abs(20 * np.log10(levels[1] / levels[0])) > 0.5


def test_what_would_make_it_better_is_told(home: Path, source: Path) -> None:
    long = write_speech(home / "long.wav", 6.0)
    samples = np.concatenate([*sound_blocks(long, 16000)])[:, 0]
    noise = np.random.default_rng(0).normal(0, float(samples.std()), len(samples))
    noisy = home / "noisy.caf"
    write_audio(Audio((samples + noise).astype(np.float32), 16000), noisy)
    told = dub(source, noisy, home / "noisy.mkv", **QUICK)
    assert any("louder than" in line for line in told.advice)
    assert told.advice[0] in told.summary()
    assert not any(
        "louder than" in line for line in dub(source, long, home / "l.mkv", **QUICK).advice
    )
