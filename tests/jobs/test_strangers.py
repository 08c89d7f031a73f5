"""Jobs of strangers: no word of theirs is a file's name, and their process has no secrets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import strange

from labial.errors import JobError, LabialError, ScriptError
from labial.jobs import Job, Limits, confined, harmless, run_apart
from labial.script.segments import read_segments


def job_of(folder: Path, rows: Any = None, *, ending: str = ".json", **more: Any) -> Job:
    """A dub with segments, one more sound that they may name, and an option."""
    inputs = {"video": Path("v.mp4"), "audio": Path("a.wav"), "sound.anna.wav": Path("s.wav")}
    if rows is not None:
        path = folder / f"given{ending}"
        path.write_text(rows if isinstance(rows, str) else json.dumps(rows), encoding="utf-8")
        inputs["segments"] = path
    return Job("dub", inputs, **more)


@pytest.mark.parametrize(
    "option",
    [
        {"voice": "piper:/tmp/evil.onnx"}, {"voice": "piper:evil.onnx"}, {"voice": "../espeak"},
        {"language": "/etc/passwd"}, {"language": "..\\x"}, {"cast": ["ANNA=/etc/boxes.json"]},
        {"cast": ["ANNA=boxes.JSON"]}, {"speaker": "/etc/passwd"}, {"preset": "~/x"},
        {"music": "/etc/x.wav"},
    ],
    ids=str,
)  # fmt: skip
def test_an_option_is_never_a_files_name(tmp_path: Path, option: dict[str, Any]) -> None:
    rows = [{"start": 0, "end": 1, "text": "x", "speaker": "ANNA"}] if "cast" in option else None
    with pytest.raises(LabialError, match=r"files come as inputs|unknown option|use "):
        harmless(job_of(tmp_path, rows, options=option), tmp_path)


def test_usual_options_pass_and_inputs_become_absolute(tmp_path: Path) -> None:
    options = {"voice": "espeak:en", "language": "pt-BR", "speaker": "0"}
    job = harmless(job_of(tmp_path, options=options), tmp_path)
    assert dict(job.options) == options
    assert all(path.is_absolute() for path in job.inputs.values())


def test_segments_are_written_anew_with_inputs_as_their_sounds(tmp_path: Path) -> None:
    rows = [
        {"start": 0, "end": 1.25, "audio": "anna.wav", "audio_start": 0.5, "articulation": 1.2},
        {"start": "0:02", "end": 3, "audio": "sound.anna.wav"},
        {"start": 4, "end": 5, "text": "Hello \"you\"\u2028", "voice": "espeak:de"},
        {"start": 6, "end": 7, "speaker": "ANNA"},
    ]  # fmt: skip
    text = "[\n" + ",\n\n".join(json.dumps(row) for row in rows) + "\n]"
    job = job_of(tmp_path, text, options={"cast": ["ANNA=1"]})
    done = harmless(job, tmp_path)
    assert "cast" not in done.options
    found = read_segments(done.inputs["segments"], done.inputs["audio"])
    sound, speech = Path("s.wav").absolute(), Path("a.wav").absolute()
    assert [each.audio for each in found] == [sound, sound, speech, speech]
    assert [each.line for each in found] == [2, 4, 6, 8]
    assert (found[0].audio_start, found[0].end) == (Fraction(1, 2), Fraction(5, 4))
    assert found[0].options == {"articulation": 1.2}
    assert (found[3].speaker, found[3].audio_start, found[3].audio_end) == ("1", 6, 7)


@pytest.mark.parametrize("ending", [".csv", ".srt"])
def test_other_forms_of_segments_become_the_same(tmp_path: Path, ending: str) -> None:
    text = {
        ".csv": "start;end;audio\n0;1,5;anna.wav\n",
        ".srt": "1\n00:00:00,000 --> 00:00:01,500\nHello\n",
    }[ending]
    done = harmless(job_of(tmp_path, text, ending=ending), tmp_path)
    (found,) = read_segments(done.inputs["segments"], done.inputs["audio"])
    assert (found.start, found.end) == (0, Fraction(3, 2))


@pytest.mark.parametrize(
    "row",
    [
        {"audio": "/etc/passwd"}, {"audio": "../../etc/passwd"}, {"audio": "other.wav"},
        {"audio": "http://127.0.0.1/a.wav"}, {"audio": "sound.other.wav"}, {"audio": "v.mp4"},
        {"audio": "concat:anna.wav|/etc/passwd"}, {"text": "x", "voice": "piper:/tmp/evil.onnx"},
        {"text": "x", "speaker": "/etc/boxes.json"}, {"text": "x", "language": "../x"},
    ],
    ids=str,
)  # fmt: skip
def test_segments_name_nothing_else(tmp_path: Path, row: dict[str, Any]) -> None:
    rows = [{"start": 0, "end": 1, "text": "fine"}, {"start": 2, "end": 3} | row]
    with pytest.raises(ScriptError, match="line 1: "):
        harmless(job_of(tmp_path, rows), tmp_path)
    assert not (tmp_path / "segments.own.json").exists()


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    rows = '[{"start": 0, "end": 1, "audio": "/etc/a"},\n{"start": 2},\n{"start": 3, "end": 4}]'
    with pytest.raises(ScriptError) as caught:
        harmless(job_of(tmp_path, rows), tmp_path)
    assert [each[:7] for each in caught.value.problems] == ["line 2:", "line 1:"]


def test_a_process_of_a_strangers_job_names_no_folder_and_reads_no_other_file(
    tmp_path: Path,
) -> None:
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / "v.png").write_bytes(strange.png(64, 64))
    job = Job(
        "dub",
        {"video": tmp_path / "job" / "v.png", "audio": tmp_path / "job" / "v.png"},
        {"voice": "piper:/tmp/evil.onnx"},
    )
    with pytest.raises(JobError, match="files come as inputs"):
        run_apart(job, tmp_path / "job", Limits(strangers=True))
    cut = tmp_path / "job" / "cut.mp4"
    cut.write_bytes(b"no film")
    with pytest.raises(Exception, match=r"^cut\.mp4 is not media"):
        run_apart(Job("check", {"video": cut}), tmp_path / "job", Limits(strangers=True))


def test_no_secret_is_inherited() -> None:
    own = {
        "PATH": "/bin", "HOME": "/h", "LC_ALL": "C", "LABIAL_CACHE": "/c",
        "PIP_INDEX_URL": "http://i", "DATABASE_URL": "x", "AWS_SECRET_ACCESS_KEY": "x",
        "LABIAL_TOKEN": "x", "POSTGRES_PASSWORD": "x", "http_proxy": "http://proxy",
        "PIP_EXTRA_INDEX_URL": "https://user:password@index", "https_proxy": "http://u:p@proxy",
        "LABIAL_DATABASE": "postgresql://u:p@h/d", "PGPASSWORD": "x",
    }  # fmt: skip
    kept = {"PATH", "HOME", "LC_ALL", "LABIAL_CACHE", "PIP_INDEX_URL", "http_proxy"}
    assert set(confined.clean_environment(own)) == kept


SAYS = """
import os, socket, sys
from labial.jobs import confined
left = confined.leave_network()
confined.give_up_privileges()
confined.limit(memory=1 << 30, file=1000, cpu_seconds=9, files=32)
status = open("/proc/self/status").read()
assert "NoNewPrivs:\\t1" in status
try:
    bytearray(2 << 30)
    print("memory")
except MemoryError:
    pass
try:
    socket.create_connection(("127.0.0.1", int(sys.argv[1])), 2)
    print("network")
except OSError:
    pass
files = []
try:
    while len(files) < 99:
        files.append(open(os.devnull))
    print("files")
except OSError:
    pass
print("left" if left else "stayed")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="parts of it are Linux's own")
def test_what_a_confined_process_cannot_do() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-c", SAYS, port], capture_output=True, text=True, check=True,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
        )  # fmt: skip
    # Some systems let nobody leave the network: then that is all that can be done.
    assert done.stdout.split() in (["left"], ["network", "stayed"])
