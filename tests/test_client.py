"""The client of a server, over connections that break and with servers that restart."""

import contextlib
import hashlib
import importlib
import inspect
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from serving import Studio, running

import labial
from labial.client import Client, talking
from labial.errors import JobError, OptionError, ReadError
from labial.jobs import KINDS
from labial.options import DubOptions, VisemeOptions


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with running(tmp_path_factory.mktemp("studio")) as found:
        yield found


@pytest.fixture
def client(studio: Studio) -> Iterator[Client]:
    with Client(studio.url, patience=20) as found:
        yield found


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "Ein Film.mp4"
    path.write_bytes(b"video 3\n" + bytes(range(256)) * 1000)
    return path


@pytest.fixture
def speech(tmp_path: Path) -> Path:
    path = tmp_path / "speech.wav"
    path.write_bytes(b"speech 2")
    return path


@contextlib.contextmanager
def breaking(studio: Studio, after: list[int], answers: bool = False) -> Iterator[str]:
    """A way to the server whose connections break after so many bytes; the ones after last."""
    server = socket.create_server(("127.0.0.1", 0))
    target = ("127.0.0.1", int(studio.url.rpartition(":")[2]))
    open_ones: list[socket.socket] = []

    def pass_on(source: socket.socket, sink: socket.socket, most: int | None) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                passed += len(piece)
                if most is not None and passed > most:
                    break
                sink.sendall(piece)
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = server.accept()
                try:
                    far = socket.create_connection(target)
                except OSError:
                    near.close()
                    continue
                most = after.pop(0) if after else None
                open_ones.extend((near, far))
                for source, sink, limited in ((near, far, not answers), (far, near, answers)):
                    limit = most if limited else None
                    threading.Thread(
                        target=pass_on, args=(source, sink, limit), daemon=True
                    ).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        for each in open_ones:
            each.close()


def test_from_files_to_files(
    studio: Studio, client: Client, clip: Path, speech: Path, tmp_path: Path
) -> None:
    steps: list[tuple[str, int, int | None]] = []
    job = client.dub(
        clip,
        {"es": speech, "fr": speech},
        DubOptions(quality="fast", copy=False),
        hook=lambda *step: steps.append(step),
        articulation=1.2,
        container="mkv",
        report=True,
    )
    assert steps[0] == ("upload", clip.stat().st_size, clip.stat().st_size)
    assert job.told["options"] == {"quality": "fast", "copy": False, "articulation": 1.2}
    assert set(job.told["inputs"]) == {"video", "audio.es", "audio.fr"}
    # One file is one upload, whatever it is for.
    assert job.told["inputs"]["audio.es"] == job.told["inputs"]["audio.fr"]
    assert (job.kind, job.state, job.ended) == ("dub", "queued", False)
    with pytest.raises(JobError, match="wait for it first"):
        job.download(tmp_path / "out")

    worker = threading.Timer(
        0.5, lambda: studio.work({"output.mp4": b"made" * 9, "report.html": b"page"}, share=0.5)
    )
    worker.start()
    heard: list[tuple[str, int, int | None]] = []
    assert job.wait(lambda *step: heard.append(step)) is job
    worker.join()
    assert heard[-1] == ("render", 1, 2)
    assert (job.summary, job.facts, job.files) == (
        "done",
        {"frames": 3},
        {"output": 36, "report": 4},
    )
    files = job.download(tmp_path / "out")
    assert files == {
        "output": tmp_path / "out" / "output.mp4",
        "report": tmp_path / "out" / "report.html",
    }
    assert files["output"].read_bytes() == b"made" * 9
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "output.mp4",
        "report.html",
    ]
    with pytest.raises(JobError, match="made no preview, but output, report"):
        job.download(tmp_path, ["preview"])
    job.delete()
    with pytest.raises(JobError, match="there is no job"):
        client.job(job.id)


def test_every_kind_has_its_method(
    studio: Studio, client: Client, clip: Path, speech: Path, tmp_path: Path
) -> None:
    photo = tmp_path / "me.png"
    photo.write_bytes(b"photo")
    made = [
        client.dub(clip, speech),
        client.animate(photo, speech, fps=30.0),
        client.check(clip, window=4.0),
        client.fix(clip),
        client.visemes(speech, VisemeOptions(format="moho")),
        client.look(photo),
    ]
    assert [job.kind for job in made] == ["dub", "animate", "check", "fix", "visemes", "look"]
    assert {job.kind for job in made} == set(KINDS)
    listed = [job.id for job in client.jobs()]
    assert listed[: len(made)] == [job.id for job in made[::-1]]
    assert [job.id for job in client.jobs(kind="fix", state="queued")] == [made[3].id]
    assert next(client.uploads()).holds == "photo"
    for job in made:
        assert job.cancel().state == "cancelled"
    with pytest.raises(JobError, match="cancelled"):
        made[0].wait()
    assert made[0].retry().state == "queued"
    assert client.job(made[0].id).cancel().refresh().ended
    upload = client.upload(clip)
    assert upload.facts == {"seconds": 3.0}
    seconds, wait = client.estimate("check", {"video": upload})
    assert wait == 0
    assert seconds is None or seconds > 0
    client.delete_upload(upload)
    assert client.me()["owner"] == "local"


def test_arguments_are_called_as_here() -> None:
    for name in ("dub", "animate", "fix", "check"):
        here = list(inspect.signature(getattr(labial, name)).parameters)
        there = list(inspect.signature(getattr(Client, name)).parameters)[1:]
        common = [each for each in here if each in ("video", "photo", "audio", "options")]
        assert there[: len(common)] == common, name


def test_the_same_key_is_the_same_job(client: Client, clip: Path) -> None:
    upload = client.upload(clip)
    assert client.check(upload, key="one").id == client.check(upload, key="one").id
    assert client.check(upload).id != client.check(upload).id
    with pytest.raises(JobError, match="stands for another request"):
        client.fix(upload, key="one")


def test_what_is_wrong_is_told_as_here(client: Client, clip: Path, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="--crf 99"):
        client.dub("nowhere.mp4", "nowhere.wav", crf=99)
    with pytest.raises(JobError, match="unknown option colour"):
        client.dub("nowhere.mp4", "nowhere.wav", colour=1)
    with pytest.raises(OptionError, match="threads: leave it out"):
        client.dub("nowhere.mp4", "nowhere.wav", DubOptions(threads=1))
    with pytest.raises(ReadError, match=r"nowhere\.mp4: No such file"):
        client.dub("nowhere.mp4", "nowhere.wav")
    with pytest.raises(JobError, match="give audio, or a text"):
        client.dub(clip)
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"bad")
    with pytest.raises(ReadError, match=r"bad\.mp4: it is no video"):
        client.upload(bad)
    bad.write_bytes(b"")
    with pytest.raises(ReadError, match="is empty"):
        client.upload(bad)
    with Client("http://127.0.0.1:9", patience=0.3) as nobody:
        with pytest.raises(JobError, match="cannot be reached") as caught:
            nobody.me()
        assert caught.value.again


def test_a_job_that_fails_says_why(studio: Studio, client: Client, clip: Path) -> None:
    for job in client.jobs(state="queued"):
        job.cancel()
    job = client.check(clip)
    claim = studio.store.claim("worker", 60)
    assert claim is not None
    studio.store.fail(claim, "no face in it", False)
    with pytest.raises(JobError, match="no face in it"):
        job.wait()
    assert job.reason == "no face in it"


def test_what_took_long_and_failed_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    clock = SimpleNamespace(monotonic=lambda: now[0], sleep=sleep)
    monkeypatch.setattr(talking, "time", clock)
    patience = talking.Patience(20)
    now[0] = 60
    assert patience.wait()
    now[0] = 79
    assert patience.wait(0.5)
    assert not patience.wait(0.6)
    patience.reset()
    now[0] = 200
    assert patience.wait()


def test_an_upload_over_connections_that_break(studio: Studio, tmp_path: Path) -> None:
    clip = tmp_path / "long.mp4"
    clip.write_bytes(b"video 3\n" + bytes(range(256)) * 40_000)
    with (
        breaking(studio, [500_000, 3_000_000, 4_500_000, 100]) as url,
        Client(url, patience=20) as client,
    ):
        steps: list[int] = []
        upload = client.upload(clip, lambda stage, done, total: steps.append(done))
    found = studio.store.upload(upload.id)
    assert found.sha256 == hashlib.sha256(clip.read_bytes()).hexdigest()
    assert steps == sorted(set(steps))
    assert steps[-1] == clip.stat().st_size


def test_an_upload_that_an_earlier_run_began(studio: Studio, client: Client, clip: Path) -> None:
    content = clip.read_bytes()
    headers = {"Upload-Length": str(len(content))}
    begun = studio.http.post("/v1/uploads", headers=headers).json()["id"]
    piece = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    studio.http.patch(f"/v1/uploads/{begun}", headers=piece, content=content[:1000])
    steps: list[int] = []
    upload = client.upload(clip, lambda stage, done, total: steps.append(done), go_on=begun)
    assert upload.id == begun
    assert studio.store.upload(begun).sha256 == hashlib.sha256(content).hexdigest()


def test_a_download_over_connections_that_break(
    studio: Studio, client: Client, clip: Path, tmp_path: Path
) -> None:
    for job in client.jobs(state="queued"):
        job.cancel()
    content = bytes(range(256)) * 20_000
    made = client.check(clip)
    studio.work({"output.mp4": content})
    with (
        breaking(studio, [2_000_000, 1_000_000], answers=True) as url,
        Client(url, patience=20) as other,
    ):
        files = other.job(made.id).download(tmp_path / "out")
    assert files["output"].read_bytes() == content


def test_a_server_that_restarts_while_it_is_waited_for(tmp_path: Path, clip: Path) -> None:
    home = tmp_path / "home"
    ended: list[str] = []
    with running(home) as first:
        port = int(first.url.rpartition(":")[2])
        client = Client(first.url, patience=60)
        job = client.check(clip)
        waiting = threading.Thread(target=lambda: ended.append(job.wait().state))
        waiting.start()
    with client:
        assert waiting.is_alive()
        with running(home, port=port) as second:
            second.work({"output.json": b"{}"})
            waiting.join(60)
            assert ended == ["done"]


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [each for each in sys.modules if each.startswith("labial.client")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "httpx", None)
    with pytest.raises(ImportError, match=r"pip install 'labial\[client\]'"):
        importlib.import_module("labial.client")
