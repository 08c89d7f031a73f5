"""Machines without a disk in common: files come and go through the cluster."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from coming_and_going import write_coming_and_going
from synth import need_face_model
from test_dubbing import write_speech

from labial import weights
from labial.cluster import open_cluster
from labial.cluster.blocks import BLOCK, Parcel, Shelf, block_of, blocks
from labial.cluster.depot import Depot
from labial.errors import JobError, ReadError
from labial.jobs import Job, run_apart


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A machine that leads, and one that works, with a cache of its own in which nothing is."""
    need_face_model()
    from ray.cluster_utils import Cluster

    # On a cluster that this process has opened before, nobody else is let in.
    monkeypatch.setenv("RAY_AUTH_MODE", os.environ.get("RAY_AUTH_MODE", "disabled"))
    leading = {"num_cpus": 0, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=leading)
    try:
        cache = tmp_path / "away"
        cache.mkdir()
        for path in weights.folder().iterdir():
            if path.is_file():
                (cache / path.name).symlink_to(path)
        cluster.add_node(num_cpus=2, env_vars={"LABIAL_CACHE": str(cache)})
        yield cluster.address
    finally:
        cluster.shutdown()


def test_what_one_machine_does_others_do_as_well(tmp_path: Path, address: str) -> None:
    home = tmp_path / "home"
    home.mkdir()
    film, speech = write_coming_and_going(home), write_speech(home / "speech.wav", 6.0)
    quick = {"quality": "fast", "preset": "ultrafast"}
    for name in ("direct", "here", "films"):
        (home / name).mkdir()
    job = Job("dub", {"video": film, "audio": speech}, quick)
    direct = run_apart(job, home / "direct")
    away = Job("dub", job.inputs, quick, out=home / "films" / "dubbed.mp4")
    with open_cluster(address) as opened:
        result = opened.run(away, home / "here")
        assert result.files["output"] == str(home / "films" / "dubbed.mp4")
        one, other = (home / "direct" / "output.mp4"), (home / "films" / "dubbed.mp4")
        assert digest(one) == digest(other)
        facts = result.facts["output"] | {"out": ""}
        assert facts == direct.facts["output"] | {"out": ""}
        assert [path.name for path in (home / "films").iterdir()] == ["dubbed.mp4"]
        heard = opened.run(Job("visemes", {"audio": speech}), home / "here")
        assert heard.files == {"output": "output.json"}
        assert (home / "here" / "output.json").stat().st_size > 100
        bad = home / "bad.mp4"
        bad.write_bytes(b"no film" * 100)
        with pytest.raises(ReadError, match=r"bad\.mp4") as told:
            opened.run(Job("check", {"video": bad}), home / "here")
        assert str(told.value).startswith(bad.name)
    kept = tmp_path / "away" / "cluster" / "files"
    assert digest(film) in [path.name for path in kept.iterdir()]
    assert not list((tmp_path / "away" / "cluster").glob(".tasks/*"))


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_file_is_fetched_once_and_only_whole(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(os.urandom(BLOCK + 100))
    parcel = Parcel.of("video/source", source)
    assert b"".join(blocks(source)) == source.read_bytes()
    asked: list[int] = []

    def fetch(digest: str, number: int) -> bytes:
        assert digest == parcel.digest
        asked.append(number)
        return block_of(source, number)

    shelf = Shelf(tmp_path / "shelf")
    for name in ("a", "b"):
        shelf.take(parcel, fetch, tmp_path / name / "source")
        assert (tmp_path / name / "source").read_bytes() == source.read_bytes()
    assert asked == [0, 1]
    wrong = Parcel("video/other", "0" * 64, 10)
    with pytest.raises(JobError, match="other changed while it was sent"):
        shelf.take(wrong, lambda digest, number: b"x" * 10, tmp_path / "c")
    assert not (tmp_path / "c").exists()
    assert not list((tmp_path / "shelf").glob("*.new"))


def test_what_was_not_used_for_longest_goes_first(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "shelf", most=2500)
    for k in range(4):
        source = tmp_path / f"source{k}"
        source.write_bytes(bytes([k]) * 1000)
        taken = tmp_path / "taken" / f"{k}"
        shelf.take(Parcel.of("x", source), lambda d, n, s=source: block_of(s, n), taken)  # type: ignore[misc]
        path = tmp_path / "shelf" / digest(source)
        os.utime(path, (1000 + k, 1000 + k))
        if k:
            taken.unlink()
    kept = [digest(tmp_path / f"source{k}") for k in (0, 2, 3)]
    left = {path.name for path in (tmp_path / "shelf").iterdir() if path.is_file()}
    assert left == set(kept), "the first is still in use"


def test_home_keeps_whole_files_alone(tmp_path: Path) -> None:
    depot, folder, out = Depot(), tmp_path / "job", tmp_path / "films"
    folder.mkdir()
    out.mkdir()
    depot.open("visit", {}, folder, out)
    names = [".output.mp4.labial/000001.piece", "out/film.mp4"]
    assert depot.missing("visit", names) == names
    for name in names:
        depot.take("visit", name, "a", 0, b"some")
        depot.take("visit", name, "lost", 0, b"other")
        assert depot.missing("visit", [name]) == [name], "it is there when all of it is"
        depot.take("visit", name, "a", 1, b"thing")
        depot.take("visit", name, "a", 0, None)
    assert depot.missing("visit", names) == []
    with pytest.raises(ValueError, match="no name of a file"):
        depot.take("visit", "out/../../x", "a", 0, b"x")
    depot.close("visit")
    depot.take("visit", "late", "a", 0, b"x")
    left = {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"000001.piece": b"something", "film.mp4": b"something"}
