"""What Prometheus reads is what happened, and its own parser can read it."""

import logging
from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families
from serving import Studio, running

from labial.server import metrics
from labial.server.health import reasons_not_ready
from labial.server.metrics import Metrics
from labial.server.store import Figures, StoreError


@pytest.fixture
def studio(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Studio]:
    monkeypatch.setattr(metrics, "_FRESH_SECONDS", 0.0)
    with running(tmp_path_factory.mktemp("studio")) as found:
        yield found


def read(page: str) -> dict[tuple[str, tuple[str, ...]], float]:
    """Every sample by its name and its labels' values, in the order of the labels' names."""
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


def test_a_job_is_counted_through_its_life(studio: Studio) -> None:
    answer = studio.http.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    before = read(answer.text)
    assert before["labial_jobs", ("dub", "queued")] == 0
    assert before["labial_database_up", ()] == 1
    assert before["labial_workers_alive", ()] == 0
    job = studio.submit()
    studio.store.seen("worker")
    between = read(studio.http.get("/metrics").text)
    assert between["labial_jobs", ("check", "queued")] == 1
    assert between["labial_workers_alive", ()] == 1
    studio.work({"output.json": b"{}"})
    after = read(studio.http.get("/metrics").text)
    assert after["labial_jobs", ("check", "queued")] == 0
    assert after["labial_jobs", ("check", "done")] == 1
    assert after["labial_job_seconds_count", ("check", "done")] == 1
    assert after["labial_job_seconds_bucket", ("check", "10240", "done")] == 1
    assert after["labial_job_seconds_sum", ("check", "done")] >= 0
    assert after["labial_job_wait_seconds_count", ("check",)] == 1
    assert after["labial_job_pace_count", ("check",)] == 1
    assert after["labial_job_frames_total", ("check",)] == 3
    assert after["labial_job_media_seconds_total", ("check",)] == 3
    assert after["labial_job_attempts_total", ("check", "done")] == 1
    assert after["labial_uploads_arrived_total", ("video", "ready")] == 1
    assert after["labial_uploads_arrived_bytes_total", ("video", "ready")] == len(b"video 3")
    assert studio.http.delete(f"/v1/jobs/{job['id']}").status_code == 204
    later = read(studio.http.get("/metrics").text)
    assert later["labial_jobs", ("check", "done")] == 0
    assert later["labial_job_seconds_count", ("check", "done")] == 1


def test_requests_are_counted_by_route(studio: Studio, caplog: pytest.LogCaptureFixture) -> None:
    missing = f"job_{'a' * 26}"
    with caplog.at_level(logging.INFO, "labial.server.access"):
        answers = [
            studio.http.get(f"/v1/jobs/{missing}", headers={"X-Request-Id": "mine-1"}),
            studio.http.get(f"/v1/jobs/{missing}?token=hush", headers={"X-Request-Id": "a b"}),
            studio.http.get("/nothing/hush"),
            studio.http.request("BREW", "/hush"),
        ]
    assert answers[0].headers["x-request-id"] == "mine-1"
    assert answers[1].headers["x-request-id"] not in ("", "a b")
    found = read(studio.http.get("/metrics").text)
    assert found["labial_http_requests_total", ("GET", "/v1/jobs/{job_id}", "404")] == 2
    assert found["labial_http_requests_total", ("GET", "unmatched", "404")] == 1
    assert found["labial_http_answer_seconds_count", ("/v1/jobs/{job_id}",)] == 2
    methods = {labels[0] for name, labels in found if name == "labial_http_requests_total"}
    assert methods <= {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"}
    assert "hush" not in caplog.text + studio.http.get("/metrics").text
    assert "GET /v1/jobs/{job_id} 404" in caplog.text


def test_strangers_are_told_nothing(studio: Studio) -> None:
    studio.services.gate.anonymous = False
    assert studio.http.get("/metrics").status_code == 401
    assert studio.http.get("/healthz").status_code == 200


def test_a_database_that_is_away_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> Figures:
        raise StoreError("gone")

    told = Metrics(away)
    told.answered("GET", "/", 200, 0.1)
    found = read(told.page().decode())
    assert found["labial_database_up", ()] == 0
    assert found["labial_http_requests_total", ("GET", "/", "200")] == 1
    assert not any(name.startswith("labial_jobs") for name, _ in found)


def test_who_asks_often_is_told_what_is_known() -> None:
    asked: list[int] = []

    def figures() -> Figures:
        asked.append(1)
        return Figures({}, 0.0, {}, 0, {}, 2)

    told = Metrics(figures)
    assert asked == []
    assert told.page() and told.page()
    assert len(asked) == 1


def test_why_it_is_not_ready(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    services = studio.services
    place = (services.store, services.media, services.staging)
    assert reasons_not_ready(*place) == ["no worker is alive: jobs wait"]
    services.store.seen("worker")
    assert reasons_not_ready(*place) == []
    monkeypatch.setattr(type(services.media), "free", lambda self: 10)
    assert reasons_not_ready(*place) == ["the store is full"]
    monkeypatch.setattr(type(services.media), "free", lambda self: None)
    assert reasons_not_ready(*place) == []
    assert "the disk for uploads is full" in reasons_not_ready(*place[:2], services.staging / "no")
