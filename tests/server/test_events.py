"""Who follows a job hears of every state, at last of its end, and may come back where they were."""

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from serving import Studio, running

from labial.server import events


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with running(tmp_path_factory.mktemp("studio")) as found:
        yield found


def heard(studio: Studio, job: str, last: int | None = None) -> list[dict[str, Any]]:
    """All events of a job until its stream ends."""
    headers = {} if last is None else {"Last-Event-ID": str(last)}
    with studio.http.stream("GET", f"/v1/jobs/{job}/events", headers=headers) as stream:
        assert stream.status_code == 200
        assert stream.headers["content-type"].startswith("text/event-stream")
        text = "".join(stream.iter_text())
    found = []
    for block in text.strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n"))
        if "data" in fields:
            found.append(fields | {"data": json.loads(fields["data"])})
    return found


def test_from_the_queue_to_the_end(studio: Studio) -> None:
    job = studio.submit()["id"]
    worker = threading.Timer(0.6, lambda: studio.work({"output.json": b"{}"}, share=0.5))
    worker.start()
    found = heard(studio, job)
    worker.join()
    versions = [int(each["id"]) for each in found]
    assert versions == sorted(set(versions))
    assert [each["data"]["version"] for each in found] == versions
    states = [each["data"]["state"] for each in found if each["event"] == "state"]
    assert (states[0], states[-1]) == ("queued", "done")
    assert found[-1]["data"] == studio.http.get(f"/v1/jobs/{job}").json()


def test_progress(studio: Studio) -> None:
    job = studio.submit()["id"]
    claim = studio.store.claim("worker", 60)
    assert claim is not None

    def work() -> None:
        for done in range(1, 4):
            time.sleep(0.7)
            share = {"stage": "render", "done": done, "total": 4, "share": done / 4}
            studio.store.heartbeat(claim, share)
        time.sleep(0.7)
        studio.store.fail(claim, "no face in it", False)

    worker = threading.Thread(target=work)
    worker.start()
    found = heard(studio, job)
    worker.join()
    shares = [each["data"]["progress"]["share"] for each in found if each["event"] == "progress"]
    assert shares == sorted(shares)
    assert set(shares) <= {0.25, 0.5, 0.75}
    assert (found[-1]["event"], found[-1]["data"]["reason"]) == ("state", "no face in it")


def test_who_comes_back(studio: Studio) -> None:
    job = studio.submit()["id"]
    studio.work({"output.json": b"{}"})
    version = studio.http.get(f"/v1/jobs/{job}").json()["version"]
    assert [int(each["id"]) for each in heard(studio, job, version - 1)] == [version]
    assert [int(each["id"]) for each in heard(studio, job)] == [version]
    # A browser comes again for ever unless it is told that nothing more comes.
    again = studio.http.get(f"/v1/jobs/{job}/events", headers={"Last-Event-ID": str(version)})
    assert (again.status_code, again.content) == (204, b"")
    assert studio.http.get(f"/v1/jobs/job_{'a' * 26}/events").status_code == 404


def test_silence_is_broken_and_a_deleted_job_ends_it(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "_ALIVE_SECONDS", 0.2)
    job = studio.submit()["id"]
    with studio.http.stream("GET", f"/v1/jobs/{job}/events") as stream:
        text = ""
        for piece in stream.iter_text():
            text += piece
            if ": still here\n\n" in text and "cancelled" not in text:
                studio.http.post(f"/v1/jobs/{job}/cancel")
    assert text.rstrip().endswith("}")
    assert '"state":"cancelled"' in text


def test_many_listeners_cost_one_look(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []
    look = studio.store.jobs_by_id

    def counted(ids: list[str]) -> Any:
        looks.append(list(ids))
        return look(ids)

    monkeypatch.setattr(studio.store, "jobs_by_id", counted)
    job = studio.submit()["id"]
    ended: list[str] = []

    def listen() -> None:
        with httpx.stream("GET", f"{studio.url}/v1/jobs/{job}/events", timeout=60) as stream:
            ended.append("".join(stream.iter_text()))

    listeners = [threading.Thread(target=listen) for _ in range(40)]
    for each in listeners:
        each.start()
    time.sleep(1)
    studio.work({"output.json": b"{}"})
    for each in listeners:
        each.join(60)
    assert len(ended) == 40
    assert all('"state":"done"' in text for text in ended)
    assert looks and all(ids == [job] for ids in looks)


def test_too_many_streams(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "_MOST_LISTENERS", 0)
    job = studio.submit()["id"]
    refused = studio.http.get(f"/v1/jobs/{job}/events")
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "listeners")
