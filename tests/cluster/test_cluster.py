"""Jobs on Ray: the same results, whatever is lost on the way."""

import hashlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from coming_and_going import FACES, RUNS, write_coming_and_going
from synth import need_face_model
from test_dubbing import write_speech

from labial.cluster import Cluster, open_cluster, running
from labial.cluster.running import shares
from labial.errors import JobError, OptionError, ReadError
from labial.jobs import Job, Limits, Result, Stopped, run_apart

QUICK = {"quality": "fast", "preset": "ultrafast"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need_face_model()
    return tmp_path_factory.mktemp("cluster")


@pytest.fixture(scope="module")
def film(home: Path) -> Path:
    return write_coming_and_going(home)


@pytest.fixture(scope="module")
def job(home: Path, film: Path) -> Job:
    return Job("dub", {"video": film, "audio": write_speech(home / "speech.wav", 6.0)}, QUICK)


@pytest.fixture(scope="module")
def direct(home: Path, job: Job) -> tuple[Path, Result]:
    return folder(home, "direct"), run_apart(job, home / "direct")


@pytest.fixture(scope="module")
def cluster(home: Path) -> Iterator[Cluster]:
    with open_cluster(cpus=2) as opened:
        yield opened


def folder(home: Path, name: str) -> Path:
    (home / name).mkdir()
    return home / name


def digests(folder: Path, result: Result) -> dict[str, bytes]:
    return {
        what: hashlib.sha256((folder / name).read_bytes()).digest()
        for what, name in result.files.items()
    }


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def children_of_tasks() -> list[int]:
    """Processes of jobs that tasks of our own cluster have started."""
    found = []
    for place in Path("/proc").iterdir():
        try:
            if b"labial.jobs.child" in (place / "cmdline").read_bytes():
                above = parent = parent_of(int(place.name))
                while above not in (0, os.getpid()):
                    above = parent_of(above)
                name = Path(f"/proc/{parent}/cmdline").read_bytes()
                if above and name.startswith(b"ray::"):
                    found.append(int(place.name))
        except (OSError, ValueError):
            continue
    return found


def test_a_film_in_parts_is_the_film_whatever_is_killed(
    home: Path,
    job: Job,
    direct: tuple[Path, Result],
    cluster: Cluster,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps: list[tuple[str, int, int | None]] = []
    parts: list[int] = []
    killed: list[int] = []
    real = running._Watch.parts

    def counted(watch: Any, errands: Any, total: int) -> None:
        parts.append(len(errands))
        real(watch, errands, total)

    def hook(*step: Any) -> None:
        steps.append(step)
        if sys.platform == "linux" and step[0] == "render" and not killed:
            for child in children_of_tasks()[:1]:
                killed.append(parent_of(child))
                os.kill(killed[0], signal.SIGKILL)

    monkeypatch.setattr(running._Watch, "parts", counted)
    place = folder(home, "parts")
    result = cluster.run(job, place, hook=hook)
    assert parts == [RUNS]
    assert killed or sys.platform != "linux"
    assert result.facts == direct[1].facts
    assert result.files == direct[1].files
    assert digests(place, result) == digests(*direct)
    made = [step for step in steps if step[0] == "render"]
    assert made[-1][1] == made[-1][2] == RUNS * FACES
    assert [step[1] for step in made] == sorted(step[1] for step in made)
    assert not [path for path in place.iterdir() if path.is_dir()]


def test_several_languages_are_as_many_films(job: Job) -> None:
    video, speech = job.inputs["video"], job.inputs["audio"]
    many = replace(
        job,
        inputs={"video": video, "audio.es": speech, "audio.fr": Path("fr.wav")},
        options={"crf": 20, "mux": "first"},
        out=Path("out/{lang}/film.mp4"),
    )
    one = running.alone(many, "fr")
    assert one.inputs == {"video": video, "audio": Path("fr.wav")}
    assert one.options == {"crf": 20, "language": "fr"}
    assert one.out == Path("out/fr/film.mp4")
    each = {
        "es": Result({"output": "output.mp4"}, "one", {"output": {"frames": 1}}),
        "fr": Result({"output": "/films/fr.mp4"}, "two", {"output": {"frames": 2}}),
    }
    both = running._together(each)
    assert both.files == {"output.es": "es/output.mp4", "output.fr": "/films/fr.mp4"}
    assert both.summary == "one\ntwo"
    assert both.facts == {"es": {"frames": 1}, "fr": {"frames": 2}}


def test_what_is_wrong_is_told_as_if_it_were_here(home: Path, job: Job, cluster: Cluster) -> None:
    bad = home / "bad.mp4"
    bad.write_bytes(b"no film" * 100)
    with pytest.raises(ReadError, match=r"bad\.mp4.*not media"):
        cluster.run(Job("dub", job.inputs | {"video": bad}), folder(home, "bad"))
    with pytest.raises(JobError, match=r"took longer than 0\.01 s") as late:
        cluster.run(job, folder(home, "late"), Limits(seconds=0.01))
    assert late.value.again


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_stop_is_one(home: Path, job: Job, cluster: Cluster) -> None:
    others = set(children_of_tasks())

    def ours() -> set[int]:
        return set(children_of_tasks()) - others

    with pytest.raises(Stopped):
        cluster.run(job, folder(home, "stopped"), stop=lambda: bool(ours()))
    for _ in range(100):
        if not ours():
            break
        time.sleep(0.1)
    assert not ours()
    heard = Job("visemes", {"audio": job.inputs["audio"]})
    assert cluster.run(heard, folder(home, "heard")).files == {"output": "output.json"}


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("ray://somewhere:10001", "as HOST:PORT"),
        ("somewhere", "use HOST:PORT, or auto"),
        ("127.0.0.1:1", "nobody answers there"),
    ],
)
def test_a_cluster_that_is_not_there(address: str, said: str) -> None:
    with pytest.raises(OptionError, match=said), open_cluster(address):
        pass


def test_shares_are_about_even_and_in_order() -> None:
    lengths: dict[int, int] = {k: 250 if k % 7 else 30 for k in range(60)}
    found = shares(list(lengths), lengths, 8)
    assert [number for share in found for number in share] == list(lengths)
    sizes = [sum(lengths[k] for k in share) for share in found]
    assert max(sizes) - min(sizes) <= 2 * 250
    assert shares([3], {3: 100}, 8) == [[3]]
    assert shares([], {}, 8) == []
