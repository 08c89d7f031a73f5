"""Jobs are asked for, listed, stopped, tried again, deleted; files are fetched in parts."""

from collections.abc import Iterator
from typing import Any

import pytest
from serving import Studio, running

from labial.server.shield import DOCUMENT_POLICY

NOBODY = f"job_{'a' * 26}"


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with running(tmp_path_factory.mktemp("studio"), max_active=3, tries=2) as found:
        yield found


@pytest.fixture(autouse=True)
def nothing_waits(studio: Studio) -> Iterator[None]:
    yield
    for job in studio.http.get("/v1/jobs?limit=200&state=queued").json()["items"]:
        studio.http.post(f"/v1/jobs/{job['id']}/cancel")


def test_a_job_from_asking_to_files(studio: Studio) -> None:
    upload = studio.upload()
    body = {
        "kind": "dub",
        "inputs": {"video": upload, "audio.es": studio.upload(b"speech 2"), "sound.a b": upload},
        "options": {"quality": "fast", "copy": False, "crf": None},
        "container": "mkv",
        "report": True,
        "webhook": {"url": "https://example.org/told", "secret": "12345678"},
        "keep_days": 2,
    }
    answer = studio.http.post("/v1/jobs", json=body)
    assert answer.status_code == 201, answer.text
    job = answer.json()
    assert answer.headers["location"] == f"/v1/jobs/{job['id']}"
    assert {name: job[name] for name in ("kind", "inputs", "options", "container", "report")} == {
        name: body[name] for name in ("kind", "inputs", "options", "container", "report")
    }
    assert (job["state"], job["most_attempts"], job["webhook"]) == (
        "queued",
        2,
        "https://example.org/told",
    )
    assert "12345678" not in answer.text
    assert studio.store.job(job["id"]).webhook["secret"] == "12345678"
    assert studio.http.get(f"/v1/jobs/{job['id']}/files/output").status_code == 409
    assert studio.http.get(f"/v1/jobs/{job['id']}/live.jpg").status_code == 204
    assert studio.http.delete(f"/v1/jobs/{job['id']}").status_code == 409
    assert studio.http.delete(f"/v1/uploads/{upload}").status_code == 409

    made = {"output.mp4": b"0123456789", "report.html": b"<script>1</script>"}
    assert studio.work(made) == job["id"]
    done = studio.http.get(f"/v1/jobs/{job['id']}").json()
    assert done["state"] == "done"
    assert done["result"]["summary"] == "done"
    files = {each["name"]: each for each in done["result"]["files"]}
    assert set(files) == {"output", "report"}
    assert files["output"]["size"] == 10
    assert "key" not in files["output"]

    where = files["output"]["url"]
    whole = studio.http.get(where)
    assert (whole.content, whole.headers["content-type"]) == (b"0123456789", "video/mp4")
    assert "output.mp4" in whole.headers["content-disposition"]
    head = studio.http.head(where)
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", "10")
    part = studio.http.get(where, headers={"Range": "bytes=2-4"})
    assert (part.status_code, part.content) == (206, b"234")
    headed = studio.http.head(where, headers={"Range": "bytes=2-4"})
    assert headed.headers["content-range"] == "bytes 2-4/10"
    assert studio.http.get(where, headers={"Range": "bytes=10-"}).status_code == 416
    mark = {"If-None-Match": whole.headers["etag"]}
    assert studio.http.get(where, headers=mark).status_code == 304
    page = studio.http.get(files["report"]["url"])
    assert page.headers["content-security-policy"] == DOCUMENT_POLICY
    missing = studio.http.get(f"/v1/jobs/{job['id']}/files/..%2foutput")
    assert missing.status_code == 404
    gone = studio.http.get(f"/v1/jobs/{job['id']}/files/nothing")
    assert "output, report" in gone.json()["error"]["message"]

    assert studio.http.delete(f"/v1/jobs/{job['id']}").status_code == 204
    assert [*studio.services.media.keys(f"jobs/{job['id']}/")] == []
    assert studio.http.get(where).status_code == 404
    assert studio.http.delete(f"/v1/uploads/{upload}").status_code == 204


def test_the_same_key_is_the_same_job(studio: Studio) -> None:
    upload = studio.upload()
    body = {"kind": "check", "inputs": {"video": upload}}
    key = {"Idempotency-Key": "film-17"}
    first = studio.http.post("/v1/jobs", json=body, headers=key)
    studio.work({"output.json": b"{}"})
    studio.http.delete(f"/v1/uploads/{upload}")
    # Known even where it could not be asked for any more.
    again = studio.http.post("/v1/jobs", json=body, headers=key)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["id"] == first.json()["id"]
    other = studio.http.post("/v1/jobs", json=body | {"options": {"window": 4}}, headers=key)
    assert (other.status_code, other.json()["error"]["code"]) == (409, "conflict")
    bad = studio.http.post("/v1/jobs", json=body, headers={"Idempotency-Key": "a b"})
    assert bad.status_code == 422


@pytest.mark.parametrize(
    ("more", "status", "code", "said"),
    [
        ({"options": {"window": 99}}, 422, "invalid", "less than or equal to 60"),
        ({"options": {"preview": "/etc/x"}}, 422, "invalid", "options.preview"),
        ({"kind": "dub"}, 422, "job", "give audio, or a text"),
        ({"kind": "dub", "options": {"text": "a", "lossless": True, "crf": 3}}, 422, "option", ""),
        ({"kind": "dub", "options": {"text": "a", "speaker": "/x.json"}}, 422, "job", "boxes come"),
        ({"kind": "animate", "options": {"text": "a"}}, 422, "invalid", "photo: Field required"),
        ({"report": True}, 422, "invalid", "report"),
        ({"inputs": {"video": f"upl_{'b' * 26}"}}, 422, "input", "there is no upload"),
        ({"webhook": {"url": "https://a", "secret": "short"}}, 422, "invalid", "webhook.secret"),
    ],
)
def test_jobs_that_cannot_be(
    studio: Studio, more: dict[str, Any], status: int, code: str, said: str
) -> None:
    body = {"kind": "check", "inputs": {"video": studio.upload()}} | more
    for where in ("/v1/jobs", "/v1/estimates"):
        answer = studio.http.post(where, json=body)
        assert answer.status_code == status, answer.text
        assert answer.json()["error"]["code"] == code
        assert said in answer.json()["error"]["message"]


def test_an_input_must_be_what_its_role_says(studio: Studio) -> None:
    body = {"kind": "check", "inputs": {"video": studio.upload(b"photo", "me.png")}}
    answer = studio.http.post("/v1/jobs", json=body)
    assert answer.json()["error"]["message"] == "video: me.png is photo, not video"
    script = {"kind": "visemes", "inputs": {"audio": studio.upload(b"script", "a.srt")}}
    answer = studio.http.post("/v1/jobs", json=script)
    assert answer.status_code == 422
    assert answer.json()["error"]["message"] == "audio: a.srt is script, not sound"
    begun = studio.http.post("/v1/uploads", headers={"Upload-Length": "9"}).json()["id"]
    body["inputs"] = {"video": begun}
    answer = studio.http.post("/v1/jobs", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "state")


def test_cancel_retry_delete(studio: Studio) -> None:
    job = studio.submit()["id"]
    assert studio.http.post(f"/v1/jobs/{job}/retry").status_code == 409
    assert studio.http.post(f"/v1/jobs/{job}/cancel").json()["state"] == "cancelled"
    assert studio.http.post(f"/v1/jobs/{job}/cancel").status_code == 200
    assert studio.http.post(f"/v1/jobs/{job}/retry").json()["state"] == "queued"
    assert studio.work({"output.json": b"{}"}) == job
    assert studio.http.post(f"/v1/jobs/{job}/cancel").status_code == 409
    assert studio.http.delete(f"/v1/jobs/{job}").status_code == 204
    for method, tail in (("get", ""), ("post", "/cancel"), ("post", "/retry"), ("delete", "")):
        for one in (job, NOBODY):
            assert getattr(studio.http, method)(f"/v1/jobs/{one}{tail}").status_code == 404


def test_lists(studio: Studio) -> None:
    made = [studio.submit()["id"] for _ in range(3)]
    full = studio.http.post(
        "/v1/jobs", json={"kind": "check", "inputs": {"video": studio.upload()}}
    )
    assert (full.status_code, full.json()["error"]["code"]) == (429, "active")
    assert int(full.headers["retry-after"]) > 0
    studio.http.post(f"/v1/jobs/{made[0]}/cancel")
    first = studio.http.get("/v1/jobs?limit=2").json()
    assert [each["id"] for each in first["items"]] == made[:0:-1]
    second = studio.http.get(f"/v1/jobs?limit=1&cursor={first['next']}").json()
    assert [each["id"] for each in second["items"]] == made[:1]
    queued = studio.http.get("/v1/jobs?state=queued&kind=check").json()
    assert [each["id"] for each in queued["items"]] == made[:0:-1]
    assert studio.http.get("/v1/jobs?kind=fix&state=queued").json()["items"] == []


def test_the_newest_frame(studio: Studio, tmp_path) -> None:
    job = studio.submit()["id"]
    (tmp_path / "live.jpg").write_bytes(b"a picture")
    studio.services.media.put(f"jobs/{job}/live.jpg", tmp_path / "live.jpg")
    answer = studio.http.get(f"/v1/jobs/{job}/live.jpg")
    assert (answer.content, answer.headers["content-type"]) == (b"a picture", "image/jpeg")
    assert answer.headers["cache-control"] == "no-store"


def test_an_estimate(studio: Studio) -> None:
    body = {"kind": "check", "inputs": {"video": studio.upload(b"video 60")}}
    alone = studio.http.post("/v1/estimates", json=body).json()
    assert alone["wait"] == 0
    studio.submit()
    assert studio.http.post("/v1/estimates", json=body).json()["wait"] > 0
