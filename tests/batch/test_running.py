"""Jobs of a list, done apart: what fails stops no other, and what is done is not done again."""

import csv
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from synth import need_face_model
from test_dubbing import actor, write_clip, write_speech

from labial.batch import Item, Outcome, read_manifest, run_batch, told, write_outcomes
from labial.cli import main
from labial.errors import JobError, ReadError, WriteError
from labial.jobs import Job, Limits, Result, Stopped
from labial.options import BatchOptions
from labial.types import Hook

COLUMNS = "video,audio,out,crf\n"


class Maker:
    """Does as a runner does, by a function of the output's name, and counts."""

    def __init__(self, **does: Callable[[], None]) -> None:
        self.does, self.asked = does, list[str]()
        self.limits: list[Limits | None] = []
        self.endless: set[str] = set()

    def __call__(
        self,
        job: Job,
        folder: str | os.PathLike[str],
        limits: Limits | None = None,
        hook: Hook | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> Result:
        assert job.out is not None
        self.asked.append(job.out.stem)
        self.limits.append(limits)
        assert hook is not None
        hook("render", 1, 2)
        Path(folder, "log.txt").write_text("log")
        self.does.get(job.out.stem, lambda: None)()
        assert stop is not None
        until = time.monotonic() + 60
        while job.out.stem in self.endless and not stop() and time.monotonic() < until:
            time.sleep(0.01)
        if stop():
            raise Stopped
        job.out.write_bytes(job.inputs["audio"].read_bytes())
        Path(folder, "preview.png").write_bytes(b"png")
        files = {"output": str(job.out), "preview": "preview.png"}
        if job.report:
            Path(folder, "report.html").write_text("page")
            files["report"] = "report.html"
        facts = {"output": {"frames": 10, "resynced": 8, "advice": ["more light"]}}
        return Result(files, f"{job.out}: 8 of 10", facts)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write_speech(tmp_path / "a.wav", 0.2)
    write_speech(tmp_path / "film.mp4.wav", 0.5).rename(tmp_path / "film.mp4")
    return tmp_path


def jobs(home: Path, *names: str, crf: str = "") -> list[Item]:
    rows = "".join(f"film.mp4,a.wav,{name}.mp4,{crf}\n" for name in names)
    (home / "list.csv").write_text(COLUMNS + rows)
    return read_manifest(home / "list.csv")


def raising(error: BaseException) -> Callable[[], None]:
    def do() -> None:
        raise error

    return do


def test_what_fails_stops_no_other(home: Path) -> None:
    maker = Maker(
        b=raising(ReadError("b: not media")),
        c=raising(JobError("killed", again=True)),
        d=raising(RuntimeError("a fault of ours")),
        e=raising(JobError("never", again=False)),
    )
    items = jobs(home, "a", "b", "c", "d", "e", "f")
    ended = run_batch(items, BatchOptions(jobs=2, tries=2), None, maker)
    assert [one.state for one in ended] == ["done", "failed", "failed", "failed", "failed", "done"]
    assert [one.tries for one in ended] == [1, 1, 2, 1, 1, 1]
    assert [one.advice for one in ended][:3] == ["more light", "b: not media", "killed"]
    assert "a fault of ours; see" in ended[3].advice
    assert "RuntimeError" in Path(ended[3].advice.rpartition("see ")[2]).read_text()
    assert (ended[0].resynced, ended[0].frames) == (8, 10)
    assert ended[0].files == {"output": "a.mp4"}
    assert ended[0].media_seconds == pytest.approx(0.2, abs=0.01)
    assert sorted(path.name for path in (home / "list").glob("[!.]*")) == ["a.mp4", "f.mp4"]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert maker.limits[0] == Limits(threads=max(1, (cores or 1) // 2))


def test_what_is_done_is_not_done_again_unless_something_changed(home: Path) -> None:
    def run(items: list[Item], **options: Any) -> tuple[list[str], list[str]]:
        maker = Maker()
        ended = run_batch(items, BatchOptions(**options), None, maker)
        return [one.state for one in ended], maker.asked

    items = jobs(home, "a", "b")
    assert run(items) == (["done", "done"], ["a", "b"])
    first = run_batch(items, None, None, Maker())
    assert [one.state for one in first] == ["kept", "kept"]
    assert first[0].seconds > 0
    assert run(items, again=True) == (["done", "done"], ["a", "b"])
    (home / "list" / "a.mp4").unlink()
    assert run(items) == (["done", "kept"], ["a"])
    (home / "list" / "b.mp4").write_bytes(b"half")
    assert run(items) == (["kept", "done"], ["b"])
    # A row more, at the top: the others have other lines, and are the same.
    assert run(jobs(home, "c", "a", "b")) == (["done", "kept", "kept"], ["c"])
    assert run(jobs(home, "a", "b", crf="30")) == (["done", "done"], ["a", "b"])
    os.utime(home / "a.wav", (1, 1))
    assert run(jobs(home, "a", "b", crf="30")) == (["done", "done"], ["a", "b"])
    for record in (home / "list").glob(".*.done"):
        record.write_text("{")
    assert run(jobs(home, "a", "b", crf="30")) == (["done", "done"], ["a", "b"])


def test_a_job_goes_on_in_its_folder_unless_it_is_another(home: Path) -> None:
    left: list[bool] = []
    place = home / "list" / ".a.mp4.job" / "piece"

    def look() -> None:
        left.append(place.exists())
        place.touch()
        raise JobError("killed", again=False)

    for crf, again, there in (("", False, False), ("", False, True), ("30", False, False)):
        run_batch(jobs(home, "a", crf=crf), BatchOptions(again=again), None, Maker(a=look))
        assert left.pop() is there
    run_batch(jobs(home, "a", crf="30"), BatchOptions(again=True), None, Maker(a=look))
    assert left == [False]
    run_batch(jobs(home, "a", crf="30"), None, None, Maker())
    assert not place.parent.exists()


def test_pages_lie_beside_the_output(home: Path) -> None:
    (home / "l.jsonl").write_text('{"video": "film.mp4", "audio": "a.wav", "report": true}')
    (one,) = run_batch(read_manifest(home / "l.jsonl", home / "made"), None, None, Maker())
    assert one.files["report"] == str(Path("film.mp4.files", "report.html"))
    there = home / "made" / "film.mp4.files"
    assert sorted(path.name for path in there.iterdir()) == ["preview.png", "report.html"]


def test_a_stop_stops_all(home: Path) -> None:
    class Impatient:
        def began(self, item: Item) -> None:
            if item.name == "b.mp4":
                raise KeyboardInterrupt

        def went_on(self, item: Item, stage: str, done: int, total: int | None) -> None:
            pass

        def ended(self, outcome: Outcome) -> None:
            ended.append(outcome)

    ended: list[Outcome] = []
    maker = Maker()
    maker.endless = {"a", "c"}
    with pytest.raises(KeyboardInterrupt):
        run_batch(jobs(home, "a", "b", "c"), BatchOptions(jobs=2), Impatient(), maker)
    assert sorted(one.name for one in ended) == ["a.mp4", "c.mp4"]
    assert {one.state for one in ended} == {"stopped"}
    assert not list((home / "list").glob("[!.]*"))


def test_two_batches_do_not_meet(home: Path) -> None:
    if os.name == "nt":
        pytest.skip("Windows holds no folders")
    items = jobs(home, "a")

    def other() -> None:
        with pytest.raises(WriteError, match="another batch"):
            run_batch(items, None, None, Maker())

    assert run_batch(items, None, None, Maker(a=other))[0].state == "done"
    assert run_batch(items, None, None, Maker())[0].state == "kept"


def test_outputs_may_go_to_more_folders_than_files_may_be_open(home: Path) -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, before[1]))
    try:
        items = jobs(home, *(f"{number}/a" for number in range(120)))
        found = run_batch(items, None, None, Maker())
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert {each.state for each in found} == {"done"}


def test_what_is_told_and_written(tmp_path: Path) -> None:
    ended = [
        Outcome(3, "b.mp4", "dub", "failed", 1.0, tries=3, advice="x" * 200 + "\nmore"),
        Outcome(2, "a.mp4", "dub", "done", 2.0, 5.0, 125, 100, 1, "fine", {"output": "a.mp4"}),
    ]
    lines = told(ended).splitlines()
    assert lines[1].split() == ["a.mp4", "done", "2.0", "2.50", "100", "of", "125", "fine"]
    assert lines[2].endswith("x...")
    assert lines[3] == "2 jobs: 1 done, 1 failed"
    write_outcomes(ended, tmp_path / "r.json")
    write_outcomes(ended, tmp_path / "r.CSV")
    found = json.loads((tmp_path / "r.json").read_text())["jobs"]
    assert [(one["name"], one["pace"]) for one in found] == [("a.mp4", 2.5), ("b.mp4", None)]
    with (tmp_path / "r.CSV").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["files"] == "a.mp4"
    assert rows[1]["advice"].endswith("\nmore")


# From here on with the real work.


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need_face_model()
    home = tmp_path_factory.mktemp("films")
    write_clip(home / "talk.mkv", actor()[:12])
    write_speech(home / "speech.wav", 0.48)
    (home / "broken.mp4").write_bytes(b"no film" * 100)
    return home


def test_the_command_by_its_codes(films: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = ["kind,video,audio,out,quality"]
    (films / "one.csv").write_text(
        "\n".join([*rows, ",talk.mkv,speech.wav,a.mkv,fast", ",broken.mp4,speech.wav,b.mp4,", ""])
    )
    report = films / "one.json"
    assert main(["batch", str(films / "one.csv"), "--report", str(report)]) == 1
    out, err = capsys.readouterr()
    assert "12 of 12" in out
    assert "2 jobs: 1 done, 1 failed" in out
    assert "[1 of 2] a.mkv: done in" in err
    assert [one["state"] for one in json.loads(report.read_text())["jobs"]] == ["done", "failed"]
    assert main(["batch", str(films / "one.csv"), "--report", str(films / "one.png")]) == 2
    (films / "bad.csv").write_text("\n".join([*rows, ",none.mkv,speech.wav,,best", ""]))
    assert main(["batch", str(films / "bad.csv")]) == 2
    assert "2 problems" in capsys.readouterr().err
    assert not (films / "bad").exists()


def test_killed_and_given_again_it_goes_on(films: Path) -> None:
    names = ("a.json", "b.mkv", "c.json")
    rows = [
        "visemes,,speech.wav,a.json",
        ",talk.mkv,speech.wav,b.mkv",
        "visemes,,speech.wav,c.json",
    ]
    manifest = films / "two.csv"
    manifest.write_text("\n".join(["kind,video,audio,out", *rows, ""]))
    code = "import sys; from labial.cli import main; sys.exit(main(sys.argv[1:]))"

    def command(folder: str) -> list[str]:
        return [sys.executable, "-c", code, "batch", str(manifest), "-o", str(films / folder)]

    def digests(folder: str) -> list[str]:
        return [hashlib.sha256((films / folder / name).read_bytes()).hexdigest() for name in names]

    with subprocess.Popen(command("killed"), stderr=subprocess.PIPE, text=True) as batch:
        assert batch.stderr is not None
        for line in batch.stderr:
            if "b.mkv: begun" in line:
                break
        time.sleep(0.3)
        batch.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
    made = [name for name in names if (films / "killed" / name).exists()]
    assert made == ["a.json"]
    again = subprocess.run(command("killed"), capture_output=True, text=True)
    assert again.returncode == 0, again.stderr + again.stdout
    assert "a.json: was done before" in again.stderr
    assert "b.mkv: done" in again.stderr
    subprocess.run(command("whole"), check=True, capture_output=True)
    assert digests("killed") == digests("whole")
    left = {path.suffix for path in (films / "killed").iterdir()} - {".mkv", ".json", ".done"}
    assert left == {""}, "only the folder by which it is held"
