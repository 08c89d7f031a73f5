"""What every operation is given: the services, and who asks."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query, Request

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
