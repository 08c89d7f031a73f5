"""The server answers, and every error is told in one way."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy
from serving import Studio, running

from labial.errors import OptionError
from labial.jobs import KINDS, hold_folder
from labial.options import ServeOptions, ServeRole
from labial.server import add_token, revoke_token, serve, tokens_of
from labial.server.store import StoreError


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with running(tmp_path_factory.mktemp("studio")) as found:
        yield found


@pytest.mark.parametrize(
    ("method", "path", "given", "status", "code", "said"),
    [
        ("GET", "/v1/nothing", {}, 404, "not_found", "Not Found"),
        ("POST", "/healthz", {}, 405, "method_not_allowed", ""),
        ("GET", "/v1/jobs/..%2f..%2fetc", {}, 404, "not_found", ""),
        ("GET", "/v1/jobs/job_1", {}, 404, "not_found", ""),
        ("GET", f"/v1/jobs/job_{'a' * 26}", {}, 404, "not_found", "there is no job"),
        ("GET", "/v1/jobs?limit=0", {}, 422, "invalid", "limit"),
        ("GET", "/v1/jobs?cursor=x", {}, 422, "invalid", "cursor"),
        ("GET", "/v1/jobs?kind=sing", {}, 422, "job", "known are dub"),
        ("POST", "/v1/jobs", {"json": {}}, 422, "invalid", "kind"),
        ("POST", "/v1/jobs", {"json": [1]}, 422, "invalid", ""),
        ("POST", "/v1/jobs", {"content": b"{", "type": True}, 422, "invalid", "JSON"),
        ("POST", "/v1/jobs", {"content": b'{"a": "\xff"}', "type": True}, 400, "bad_request", ""),
        ("POST", "/v1/jobs", {"content": b'{"kind": "\\ud800"}', "type": True}, 422, "invalid", ""),
        ("POST", "/v1/jobs", {"content": b"[" * 9999, "type": True}, 400, "depth", "levels"),
        ("POST", "/v1/jobs", {"content": b" " * 2_000_000, "type": True}, 413, "size", "larger"),
        ("GET", "/v1/me", {"headers": {"Host": "evil.example"}}, 421, "host", "--hosts"),
        ("GET", "/v1/me", {"headers": {"Authorization": "Bearer no"}}, 401, "token", "not known"),
        ("DELETE", "/v1/me", {"headers": {"Origin": "http://evil.example"}}, 403, "origin", ""),
        ("GET", "/static/../../options.py", {}, 404, "not_found", ""),
        ("GET", "/static/%2e%2e/%2e%2e/options.py", {}, 404, "not_found", ""),
    ],
)
def test_every_error_is_told_in_one_way(
    studio: Studio, method: str, path: str, given: Any, status: int, code: str, said: str
) -> None:
    given = dict(given)
    if given.pop("type", False):
        given["headers"] = {"Content-Type": "application/json"}
    answer = studio.http.request(method, path, **given)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert set(answer.json()) == {"error"}
    assert set(answer.json()["error"]) == {"code", "message"}
    assert answer.json()["error"]["code"] == code
    assert said in answer.json()["error"]["message"]


def test_a_path_tells_all_its_methods(studio: Studio) -> None:
    answer = studio.http.put("/v1/jobs")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")
    where = f"/v1/uploads/upl_{'a' * 26}"
    assert studio.http.post(where).headers["allow"] == "DELETE, GET, HEAD, PATCH"
    assert studio.http.get("/v1/uploads/from-url").headers["allow"] == "POST"


def test_a_fault_tells_nothing(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ValueError("a secret")

    monkeypatch.setattr(studio.store, "count_active", fail)
    answer = studio.http.get("/v1/me")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "fault")
    assert "secret" not in answer.text


def test_a_database_that_does_not_answer(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise StoreError("database at db.internal: gone")

    monkeypatch.setattr(studio.store, "jobs", fail)
    monkeypatch.setattr(studio.store, "ping", fail)
    answer = studio.http.get("/v1/jobs")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    ready = studio.http.get("/readyz")
    assert (ready.status_code, ready.json()["ok"]) == (503, False)
    assert "internal" not in answer.text + ready.text
    assert studio.http.get("/healthz").json()["ok"] is True
    monkeypatch.undo()
    studio.store.seen("worker")
    assert studio.http.get("/readyz").json() == {"ok": True, "reasons": []}


def test_a_database_that_has_no_connection_left(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise sqlalchemy.exc.TimeoutError("QueuePool limit of size 5 overflow 10 reached")

    monkeypatch.setattr(studio.store, "jobs", fail)
    answer = studio.http.get("/v1/jobs")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


def test_a_store_that_does_not_answer(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("bucket secret")

    monkeypatch.setattr(type(studio.services.media), "check", fail)
    answer = studio.http.get("/readyz")
    assert answer.status_code == 503
    assert "the store does not answer" in answer.json()["reasons"]


def test_kinds_are_all_there(studio: Studio) -> None:
    kinds = {each["name"]: each for each in studio.http.get("/v1/kinds").json()}
    assert set(kinds) == set(KINDS)
    assert len(kinds["dub"]["options"]) == len(KINDS["dub"].settable)
    assert [each["engine"] for each in studio.http.get("/v1/voices").json()].count("eSpeak NG") < 9


def test_the_description_is_complete(studio: Studio) -> None:
    schema = studio.http.get("/openapi.json").json()
    seen = set()
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            where = f"{method} {path}"
            assert operation["operationId"] not in seen, where
            seen.add(operation["operationId"])
            assert operation["description"].endswith("."), where
            for parameter in operation.get("parameters", ()):
                known = {"description", "example", "examples"} & (
                    set(parameter) | set(parameter["schema"])
                )
                assert known, f"{where}: {parameter['name']}"
            for status, answer in operation["responses"].items():
                assert answer["description"], f"{where} {status}"
            if path.startswith("/v1/"):
                assert {"401", "422", "429"} <= set(operation["responses"]), where
    names = {"create_job", "follow_job", "append_upload", "get_file", "estimate_job"}
    assert names <= seen
    models = schema["components"]["schemas"]
    for name in ("UploadOut", "JobOut", "EstimateOut", "ErrorOut", "DubRequest", "LookRequest"):
        assert models[name]["example"], name
    assert set(schema["components"]["securitySchemes"]) == {"token", "session"}


def test_others_need_a_token(tmp_path) -> None:
    with pytest.raises(OptionError, match="a token is needed: make one with 'labial token add'"):
        serve(ServeOptions(host="0.0.0.0", port=0, data=str(tmp_path)))


def test_a_port_that_is_taken(studio: Studio, tmp_path) -> None:
    port = int(studio.url.rpartition(":")[2])
    with pytest.raises(OptionError, match=f"--port {port}: .*use another"):
        serve(ServeOptions(port=port, data=str(tmp_path)))
    elsewhere = ServeOptions(host="nowhere.invalid", data=str(tmp_path))
    add_token(elsewhere, "ann", "", ("read",))
    with pytest.raises(OptionError, match="no such address"):
        serve(elsewhere)


def test_a_folder_has_one_server(tmp_path) -> None:
    running = hold_folder(tmp_path / "serving")
    assert running is not None
    with running, pytest.raises(OptionError, match="another server works with this folder"):
        serve(ServeOptions(port=0, data=str(tmp_path)))
    with pytest.raises(OptionError, match="a token is needed"):
        serve(ServeOptions(host="0.0.0.0", port=0, data=str(tmp_path)))


@pytest.mark.parametrize("role", ["all", "workers"])
def test_places_that_cannot_be_written_to(tmp_path: Path, role: ServeRole) -> None:
    (tmp_path / "file").touch()
    within, here = str(tmp_path / "file" / "data"), str(tmp_path / "here")
    database = f"sqlite:///{tmp_path}/labial.sqlite"
    for data, store, said in (
        (within, here, r"--data: .*file.data.*: name a folder that can be"),
        (here, within, r"--store .*file.data: .*: name a folder that can be"),
    ):
        with pytest.raises(OptionError, match=said):
            serve(ServeOptions(data=data, store=store, database=database, port=0, role=role))
    with pytest.raises(OptionError, match=r"--data: .*: name a folder"):
        add_token(ServeOptions(data=within), "ann", "", ("read",))


def test_as_soon_as_there_is_a_token_it_is_needed(tmp_path) -> None:
    place = ServeOptions(data=str(tmp_path))
    token, secret = add_token(place, "ann", "laptop", ("read",))
    assert [each.id for each in tokens_of(place)] == [token.id]
    with running(tmp_path) as studio:
        with_token = {"Authorization": f"Bearer {secret}"}
        refused = studio.http.get("/v1/me")
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
        me = studio.http.get("/v1/me", headers=with_token).json()
        assert (me["owner"], me["scopes"]) == ("ann", ["read"])
        job = studio.http.post("/v1/jobs", headers=with_token, json={})
        assert (job.status_code, job.json()["error"]["code"]) == (403, "scope")
        assert studio.http.get("/v1/tokens", headers=with_token).status_code == 403
        assert studio.http.get("/healthz").status_code == 200
        assert studio.http.get("/openapi.json").status_code == 200

        begun = studio.http.post("/v1/session", headers=with_token)
        assert begun.status_code == 204
        assert secret not in begun.headers["set-cookie"]
        assert studio.http.get("/v1/me").json()["by"] == "cookie"
        assert studio.http.delete("/v1/session").status_code == 204
        assert studio.http.get("/v1/me").status_code == 401

        revoke_token(place, token.id)
        assert studio.http.get("/v1/me", headers=with_token).status_code == 401


def test_tokens_by_rest(tmp_path) -> None:
    with running(tmp_path) as studio:
        body = {"owner": "root", "scopes": ["admin"]}
        admin = studio.http.post("/v1/tokens", json=body).json()["secret"]
        # From here on nobody is let in without.
        assert studio.http.get("/v1/me").status_code == 401
        studio.http.headers["Authorization"] = f"Bearer {admin}"
        limits = {"active_jobs": 1, "upload_bytes": 5}
        made = studio.http.post("/v1/tokens", json={"owner": "ann", "limits": limits, "days": 1})
        assert made.status_code == 201
        listed = studio.http.get("/v1/tokens").json()
        assert [each["owner"] for each in listed] == ["root", "ann"]
        assert admin not in json.dumps(listed)
        ann = httpx.Client(
            base_url=studio.url, headers={"Authorization": f"Bearer {made.json()['secret']}"}
        )
        with ann:
            assert ann.get("/v1/me").json()["limits"]["active_jobs"] == 1
            assert ann.put("/v1/uploads", content=b"video 12").status_code == 413
            assert ann.put("/v1/uploads", content=b"video").status_code == 201
            upload = ann.get("/v1/uploads").json()["items"][0]["id"]
            # Nobody else's is there for anybody, an admin's neither.
            assert studio.http.get("/v1/uploads").json()["items"] == []
            assert studio.http.get(f"/v1/uploads/{upload}").status_code == 404
            body = {"kind": "check", "inputs": {"video": upload}}
            assert studio.http.post("/v1/jobs", json=body).json()["error"]["code"] == "input"
            assert ann.post("/v1/jobs", json=body).status_code == 201
            full = ann.post("/v1/jobs", json=body)
            assert (full.status_code, full.json()["error"]["code"]) == (429, "active")
            assert int(full.headers["retry-after"]) > 0
            token = made.json()["id"]
            assert studio.http.delete(f"/v1/tokens/{token}").status_code == 204
            assert ann.get("/v1/me").status_code == 401
        # The last one taken back does not open the door to all.
        own = studio.http.get("/v1/tokens").json()[0]["id"]
        assert studio.http.delete(f"/v1/tokens/{own}").status_code == 204
        del studio.http.headers["Authorization"]
        assert studio.http.get("/v1/me").status_code == 401
