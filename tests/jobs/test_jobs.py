"""Jobs as data, and done in a process of their own."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from synth import need_face_model
from test_dubbing import actor, write_clip, write_speech

from labial.errors import JobError, OptionError, ReadError
from labial.jobs import KINDS, Job, Limits, Result, Stopped, apart, run, run_apart
from labial.options import DubOptions


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need_face_model()
    return tmp_path_factory.mktemp("jobs")


@pytest.fixture(scope="module")
def talk(home: Path) -> Path:
    return write_clip(home / "talk.mkv", actor()[:12])


@pytest.fixture(scope="module")
def speech(home: Path) -> Path:
    return write_speech(home / "speech.wav", 0.48)


def folder(home: Path, name: str) -> Path:
    (home / name).mkdir()
    return home / name


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_what_may_be_set_is_all_that_nobody_else_decides(kind: str) -> None:
    options = KINDS[kind].options
    if options is None:
        assert KINDS[kind].settable == () and KINDS[kind].made({}) is None
        return
    names = set(options.__dataclass_fields__)
    assert KINDS[kind].managed <= names
    assert set(KINDS[kind].settable) == names - KINDS[kind].managed
    assert KINDS[kind].changed(options()) == {}


def test_options_go_to_json_and_back() -> None:
    wanted = DubOptions(quality="fast", cast=("ANNA=0",), segments="s.json", crf=20)
    changed = KINDS["dub"].changed(wanted)
    assert changed == {"quality": "fast", "cast": ["ANNA=0"], "segments": "s.json", "crf": 20}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"kind": "sing"}, "unknown kind of job sing: known are dub"),
        ({"inputs": {"audio": Path("a")}}, "dub: give video"),
        ({"inputs": {"video": Path("v"), "photo": Path("p")}}, "unknown input photo"),
        ({"inputs": {"video": Path("v"), "video.2": Path("p")}}, "unknown input video.2"),
        ({"inputs": {"video": Path("v")}}, "give audio, or a text"),
        ({"options": {"preview": "/etc/x.png"}}, "unknown option preview"),
        ({"options": {"speaker": "/etc/boxes.json"}}, "boxes come as an input"),
        ({"container": "exe"}, "use one of mp4"),
        ({"kind": "check", "inputs": {"video": Path("v")}, "report": True}, "only of a dub"),
        ({"options": {"trim": "1-2"}, "report": True}, "leave out the report or trim"),
    ],
)
def test_a_job_that_cannot_be_is_refused(asked: dict[str, Any], said: str) -> None:
    usual = {"kind": "dub", "inputs": {"video": Path("v"), "audio": Path("a")}}
    with pytest.raises(JobError, match=said):
        Job(**(usual | asked))
    with pytest.raises(OptionError, match="--crf 99"):
        Job(**usual, options={"crf": 99})


def test_names_may_be_cast_where_segments_are_an_input() -> None:
    inputs = {"video": Path("a.mp4"), "segments": Path("s.json")}
    assert Job("dub", inputs, {"cast": ["ANNA=0"]}).options == {"cast": ["ANNA=0"]}
    with pytest.raises(OptionError, match="exclude each other"):
        Job("dub", inputs, {"text": "Hello"})


def test_a_job_is_read_as_it_was_written() -> None:
    job = Job(
        "dub",
        {"video": Path("v.mp4"), "audio.es": Path("ñ.wav")},
        {"language": None, "crf": 20},
        "mkv",
        True,
        Path("out.{lang}.mkv"),
    )
    assert Job.from_json(job.to_json()) == job
    result = Result({"output": "output.mkv"}, "fine", {"frames": 12})
    assert Result.from_json(result.to_json()) == result


def test_a_dub_apart_is_the_dub_itself(home: Path, talk: Path, speech: Path) -> None:
    job = Job("dub", {"video": talk, "audio": speech}, {"quality": "fast"})
    here, there = folder(home, "here"), folder(home, "there")
    steps: list[str] = []
    one = run(job, here)
    other = run_apart(job, there, hook=lambda stage, done, total: steps.append(stage))
    assert one.files == other.files == {"output": "output.mkv", "preview": "preview.png"}
    assert one.facts["output"]["frames"] == other.facts["output"]["frames"] == 12
    assert "render" in steps
    digests = [hashlib.sha256((f / "output.mkv").read_bytes()).digest() for f in (here, there)]
    assert digests[0] == digests[1]
    assert str(home) not in one.summary + one.to_json()


def test_what_is_wrong_is_told_as_if_it_were_here(home: Path, speech: Path) -> None:
    bad = home / "bad.mp4"
    bad.write_bytes(b"no film" * 100)
    with pytest.raises(ReadError, match="not media"):
        run_apart(Job("dub", {"video": bad, "audio": speech}), folder(home, "bad"))


def test_a_text_is_never_a_file(home: Path, speech: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder(home, "text"))
    Path("hi").write_text("one two three four five six seven")
    run(Job("visemes", {"audio": speech}, {"text": "hi", "format": "json"}), Path())
    assert "seven" not in Path("output.json").read_text()
    assert Path("text.txt").read_text() == "hi"


def test_limits_and_stops(home: Path, talk: Path, speech: Path) -> None:
    job = Job("dub", {"video": talk, "audio": speech}, {"quality": "pro", "adapt_seconds": 600})
    with pytest.raises(JobError, match=r"took longer than 0\.1 s") as late:
        run_apart(job, folder(home, "late"), Limits(seconds=0.1))
    assert late.value.again
    # Some libraries do not say so: they crash.
    for size in (100, 250, 500):
        with pytest.raises(JobError, match=r"needs more memory than it may have|ended by signal"):
            run_apart(job, folder(home, f"small{size}"), Limits(memory=size << 20))
    began = time.monotonic()
    with pytest.raises(Stopped):
        run_apart(job, folder(home, "stop"), stop=lambda: time.monotonic() - began > 0.3)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_the_process_ends_with_the_one_that_started_it(
    home: Path, talk: Path, speech: Path
) -> None:
    job = Job("dub", {"video": talk, "audio": speech}, {"quality": "pro", "adapt_seconds": 600})
    place = folder(home, "orphan")
    code = (
        "import sys; from pathlib import Path; from labial.jobs import Job, run_apart\n"
        "run_apart(Job.from_json(sys.argv[1]), Path(sys.argv[2]), hook=lambda *a: print(a))"
    )
    with subprocess.Popen(
        [sys.executable, "-uc", code, job.to_json(), str(place)], stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        child = _child_of(parent.pid)
        parent.send_signal(signal.SIGKILL)
    for _ in range(100):
        if not Path(f"/proc/{child}").exists() or _zombie(child):
            return
        time.sleep(0.1)
    os.kill(child, signal.SIGKILL)
    pytest.fail("the job's process lives on")


def test_a_process_that_hangs_at_its_end_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, began = subprocess.Popen, []

    def start(command: list[str], **more: Any) -> Any:
        code = "import os, time; os.close(1); time.sleep(600)"
        began.append(real([sys.executable, "-c", code], **more))
        return began[0]

    monkeypatch.setattr(subprocess, "Popen", start)
    monkeypatch.setattr(apart, "_GRACE_SECONDS", 0.2)
    with pytest.raises(JobError, match="its process hangs") as caught:
        run_apart(Job("check", {"video": tmp_path / "a.mp4"}), tmp_path)
    assert caught.value.again
    assert began[0].poll() is not None


def test_a_process_that_ends_by_itself_ends_in_order(home: Path, talk: Path) -> None:
    place = folder(home, "alone")
    job = Job("dub", {"video": talk, "audio": home / "none.wav"})
    (place / "job.json").write_text(job.to_json(), encoding="utf-8")
    asked = json.dumps({"folder": str(place), **Limits().__dict__})
    with subprocess.Popen(
        [sys.executable, "-m", "labial.jobs.child", asked],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        told = json.loads(process.stdout.read())
        assert (process.wait(), process.stderr.read()) == (2, b"")
    assert told["message"] == "cannot read none.wav: No such file or directory"


def _child_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


def _zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_outputs_do_not_say_where_on_the_machine_they_were_made(
    home: Path, speech: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = folder(home, "names")
    (place / "audio-1.wav").write_bytes(speech.read_bytes())
    for limits in (Limits(), Limits(strangers=True)):
        job = Job("visemes", {"audio": place / "audio-1.wav"}, {"format": "json"})
        run_apart(job, place, limits)
        assert '"source": "audio-1.wav"' in (place / "output.json").read_text()
    monkeypatch.chdir(home)
    other = folder(home, "elsewhere")
    run_apart(Job("visemes", {"audio": Path(speech.name)}, {"format": "json"}), other)
    assert str(speech) in (other / "output.json").read_text()
