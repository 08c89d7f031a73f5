"""The log tells what happened, on one line, and nobody's secrets."""

import asyncio
import io
import json
import logging

import pytest

from labial.server.logs import about, logged, redacted
from labial.server.tokens import new_secret

LOG = logging.getLogger("labial.server")
SECRET = "hUsh-0123456789abcdef"
# As long as one that is made, but the same in each process of the tests.
TOKEN = "lab_" + "hUsh-0123456789".ljust(len(new_secret()) - 4, "x")


@pytest.mark.parametrize(
    "line",
    [
        f"token {TOKEN} was used",
        f"Authorization: Bearer {SECRET}",
        f"{{'authorization': 'Basic {SECRET}'}}",
        f"Cookie: labial={SECRET}; other=1",
        f"set-cookie: __Host-labial={SECRET}; Secure",
        f"GET /v1/jobs?cursor={SECRET} 200",
        f"fetching https://host/a/b.mp4?X-Amz-Signature={SECRET}&x=1 failed",
        f"postgresql+psycopg://labial:{SECRET}@db/labial does not answer",
        f"s3://{SECRET}:x@bucket/",
        f'{{"webhook": {{"url": "https://host", "secret": "{SECRET}"}}}}',
        f"AWS_SECRET_ACCESS_KEY={SECRET}",
        f"webhook_secret='{SECRET}', attempts=3",
        f"api-key: {SECRET}",
        f"password = {SECRET}",
    ],
)
def test_secrets_are_taken_out(line: str) -> None:
    told = redacted(line)
    assert SECRET not in told
    assert "lab_" not in told.replace("lab_[redacted]", "")
    assert "[redacted]" in told
    assert redacted(told) == told


@pytest.mark.parametrize(
    "line",
    [
        "job_abc: attempt 1 by host-12-ab",
        "GET /v1/jobs/{job_id} 200",
        "not ready: the store does not answer",
        "bucket media: NoSuchBucket",
        "what? nothing",
        "a token is needed",
    ],
)
def test_what_is_no_secret_stays(line: str) -> None:
    assert redacted(line) == line


def test_lines_without_an_end_are_cut() -> None:
    # Patterns look at no more than that, so nobody can keep them busy with a long one.
    for letter in ("a", "/", "?", "a-", "password", "://", "=", "'"):
        assert len(redacted(letter * 200_000)) < 30_000


def written(form: str) -> list[str]:
    stream = io.StringIO()
    with logged("json" if form == "json" else "text", stream):
        with about(request="r1"), about(job="job_1"):
            LOG.info("%s began\nINFO forged \x1b[2J", f"Bearer {SECRET}")
        LOG.debug("too much")
        logging.getLogger("other").info("too much")
        try:
            raise ValueError(f"https://host/?key={SECRET}")
        except ValueError:
            LOG.exception("a fault")
    LOG.warning("after it")
    return stream.getvalue().splitlines()


def test_lines_of_text() -> None:
    first, second, *trace = written("text")
    assert "INFO Bearer [redacted] began INFO forged  [2J request=r1 job=job_1" in first
    assert first[10] == "T"
    assert first.split()[0].endswith("Z")
    assert second.endswith("ERROR a fault")
    assert trace[-1] == "ValueError: https://host/?[redacted]"
    assert SECRET not in "".join(trace)


@pytest.mark.parametrize("form", ["text", "json"])
def test_people_are_told_of_requests_that_failed_alone(form: str) -> None:
    stream, access = io.StringIO(), logging.getLogger("labial.server.access")
    with logged("json" if form == "json" else "text", stream):
        access.info("GET / 200")
        access.warning("GET / 500")
    assert ("GET / 200" in stream.getvalue()) == (form == "json")
    assert "GET / 500" in stream.getvalue()


def test_objects() -> None:
    first, second = map(json.loads, written("json"))
    assert first["message"].startswith("Bearer [redacted] began\n")
    assert {first["request"], first["job"], first["level"]} == {"r1", "job_1", "INFO"}
    assert first["time"].endswith("Z")
    assert first["logger"] == "labial.server"
    assert "request" not in second
    assert second["exc_info"].endswith("ValueError: https://host/?[redacted]")
    assert SECRET not in json.dumps(second)


def test_what_is_cut_off_at_the_end_is_no_fault() -> None:
    stream = io.StringIO()
    with logged("text", stream):
        for error in (asyncio.CancelledError("timeout"), ValueError("a fault")):
            LOG.error("Exception in ASGI application", exc_info=error)
    assert "a fault" in stream.getvalue()
    assert "Cancelled" not in stream.getvalue()
    assert stream.getvalue().count("ASGI") == 1
