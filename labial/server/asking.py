"""What every operation is given: the services, and who asks."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Path, Query, Request
from starlette.convertors import StringConvertor, register_url_convertor

from labial.server.arrivals import Arrivals
from labial.server.gate import Caller
from labial.server.intake import Intake
from labial.server.services import Services


def _services(request: Request) -> Services:
    found: Services = request.app.state.services
    return found


def _arrivals(request: Request) -> Arrivals:
    found: Arrivals = request.app.state.arrivals
    return found


def _intake(request: Request) -> Intake:
    found: Intake = request.app.state.intake
    return found


def _caller(request: Request) -> Caller:
    found: Caller = request.state.caller
    return found


Served = Annotated[Services, Depends(_services)]
Arriving = Annotated[Arrivals, Depends(_arrivals)]
Taking = Annotated[Intake, Depends(_intake)]
Asker = Annotated[Caller, Depends(_caller)]
Limit = Annotated[int, Query(ge=1, le=200, description="Most items of a page.")]
Cursor = Annotated[
    str | None,
    Query(pattern=r"^[0-9]{1,18}$", description="`next` of the page before."),
]


# What is no id is found nowhere, and no other path is taken for one.
for _prefix in ("upl", "job", "tok"):
    _ids = type("Ids", (StringConvertor,), {"regex": f"{_prefix}_[a-z2-7]{{26}}"})
    register_url_convertor(_prefix, _ids())


def _id(prefix: str) -> Any:
    pattern, example = f"^{prefix}_[a-z2-7]{{26}}$", f"{prefix}_abcdefghijklmnopqrstuvwxyz"
    return Path(pattern=pattern, description="Its id.", examples=[example])


UploadId = Annotated[str, _id("upl")]
JobId = Annotated[str, _id("job")]
TokenId = Annotated[str, _id("tok")]


def links(parameter: str, *operations: str) -> dict[str, Any]:
    """Return what may be done with an answer's id, for the description of the answer."""
    return {
        operation: {"operationId": operation, "parameters": {parameter: "$response.body#/id"}}
        for operation in operations
    }
