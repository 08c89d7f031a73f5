"""Every operation, called as its description allows and as it does not, has no fault."""

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode, checks
from schemathesis.config import PositiveDataAcceptanceConfig, SchemathesisConfig
from serving import Studio, running

from labial.options import ServeOptions
from labial.server import TokenLimits, add_token

SETTINGS = settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
_OFTEN = TokenLimits(requests_per_minute=10**6)


@schemathesis.serializer("application/offset+octet-stream", "application/octet-stream")
def octets(context: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    home = tmp_path_factory.mktemp("studio")
    _, secret = add_token(ServeOptions(data=str(home)), "ann", "", ("admin",), _OFTEN)
    with running(home, max_active=1_000_000, max_upload_gb=0.01) as found:
        found.http.headers["Authorization"] = f"Bearer {secret}"
        yield found


@pytest.fixture(scope="module")
def known(studio: Studio) -> dict[str, str]:
    """What there is, so that not everything is missing."""
    job = studio.submit()["id"]
    studio.work({"output.mp4": b"0123456789"})
    return {"upload_id": studio.upload(), "job_id": job, "name": "output"}


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_every_operation(studio: Studio, known: dict[str, str], mode: GenerationMode) -> None:
    config = SchemathesisConfig()
    # What is right in itself may be wrong together, or about what is not there.
    refused = (401, 403, 404, 409, 412, 413, 414, 415, 416, 422, 429, 431)
    accepted = ["2xx", "304", *map(str, refused)]
    config.projects.default.checks.positive_data_acceptance = PositiveDataAcceptanceConfig(
        expected_statuses=accepted
    )
    schema = schemathesis.openapi.from_url(f"{studio.url}/openapi.json", config=config)
    # Our own token must not be taken back; and no worker is alive here, so it is not ready.
    left_out = ["revoke_token", "get_readiness"]
    found = schema.exclude(operation_id=left_out).get_all_operations()
    operations = [each.ok() for each in found]
    assert len(operations) >= 29
    tested = 0
    for operation in operations:
        call = given(case=operation.as_strategy(generation_mode=mode))(
            lambda case: called(case, studio, known)
        )
        run = SETTINGS(call)
        # Of an operation that takes nothing, nothing can be wrong.
        with contextlib.suppress(Unsatisfiable):
            run()
            tested += 1
    assert tested >= 20


def called(case: schemathesis.Case, studio: Studio, known: dict[str, str]) -> None:
    if case.method != "DELETE" and len(str(case.body)) % 2:
        for name in {*case.path_parameters} & {*known}:
            case.path_parameters[name] = known[name]
    case.call_and_validate(
        headers={"Authorization": studio.http.headers["Authorization"]},
        # A wrong token is asked to wait; and no server refuses headers that it does not know.
        excluded_checks=[checks.ignored_auth, checks.negative_data_rejection],
        timeout=30,
    )
