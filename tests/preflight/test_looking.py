"""Whole files, and what is told of them."""

import json
from pathlib import Path

import numpy as np
import pytest
from synth import sample_file
from synth_media import write_sound, write_video
from test_dubbing import write_speech

from labial.cli import main
from labial.errors import OptionError, ReadError, WriteError
from labial.preflight import Finding, preflight
from labial.preflight.finding import worst_first


def test_a_video_a_photo_and_speech(tmp_path: Path) -> None:
    files = [sample_file(name) for name in ("face_clip_short", "face_photo", "speech_short")]
    out = tmp_path / "p.json"
    video, photo, speech = preflight(files, out)
    assert (video.kind, photo.kind, speech.kind) == ("video", "photo", "speech")
    assert "72 of 72 frames can be re-synced" in video.summary()
    assert photo.worst == "good" and "the face can speak" in photo.summary()
    assert speech.worst == "hint" and "--loudness" in speech.summary()
    data = json.loads(out.read_text(encoding="utf-8"))
    assert [entry["kind"] for entry in data["files"]] == ["video", "photo", "speech"]
    level = next(f for f in data["files"][2]["findings"] if f["measure"] == "level")
    assert level["unit"] == "LUFS" and level["value"] == pytest.approx(-30.4, abs=0.2)
    assert list(tmp_path.iterdir()) == [out]


def test_nobody_is_a_problem_and_so_is_silence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    silence = write_sound(tmp_path / "s.wav", np.zeros((1, 16000), np.float32), 16000)
    empty = write_video(tmp_path / "v.mp4", sound="aac")
    assert main(["preflight", str(empty), str(silence)]) == 0
    video, speech = capsys.readouterr().out.split(str(silence))
    assert "will not work well" in video and "problem  no face" in video
    assert "will not work well" in speech and "problem  it is silence" in speech
    # A beep is no voice; but a video's own sound is replaced.
    assert "hint     in its own sound, a voice is heard in 0 %" in video


def test_the_worst_comes_first() -> None:
    mixed = [Finding(s, s, s) for s in ("good", "problem", "hint", "warning")]
    assert [f.severity for f in worst_first(mixed)] == ["problem", "warning", "hint", "good"]
    with pytest.raises(ValueError, match="severity"):
        Finding("bad", "x", "x")  # type: ignore[arg-type]


def test_errors(tmp_path: Path) -> None:
    nothing = tmp_path / "c.mp4"
    nothing.write_bytes(b"not media")
    with pytest.raises(ReadError):
        preflight([nothing])
    with pytest.raises(OptionError, match=r"\.json"):
        preflight([nothing], tmp_path / "x.txt")
    with pytest.raises(WriteError, match="there is no directory"):
        preflight([nothing], tmp_path / "none" / "x.json")
    assert list(tmp_path.iterdir()) == [nothing]


def test_what_cannot_be_opened_is_told_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "labial.preflight.looking.examine", lambda *_: pytest.fail("it began to work")
    )
    speech = write_speech(tmp_path / "s.wav", 0.2)
    with pytest.raises(ReadError, match=r"none\.mp4"):
        preflight([speech, tmp_path / "none.mp4"])
