"""What else is answered: the page, its forms and voices, and whether all is well."""

from __future__ import annotations

import logging
from functools import lru_cache
from pathlib import Path

from fastapi import APIRouter, FastAPI, Request, Response
from starlette.responses import FileResponse
from starlette.staticfiles import StaticFiles

from labial.server.answers import HealthOut, VoiceOut, errors
from labial.server.asking import Served
from labial.server.health import reasons_not_ready
from labial.server.metrics import Metrics
from labial.server.schema import KindForm, forms

LOG = logging.getLogger("labial.server")
STATIC = Path(__file__).parent / "static"
OPEN = ("/", "/static/", "/healthz", "/readyz", "/openapi.json", "/favicon.ico")
"""Paths that anybody may read."""

router = APIRouter(tags=["server"])


@router.get("/v1/kinds", responses=errors())
def list_kinds() -> list[KindForm]:
    """List the kinds of jobs: what each takes, and every option with its limits and help."""
    return forms()


@router.get("/v1/voices", responses=errors())
def list_voices() -> list[VoiceOut]:
    """List the voices that speak a script."""
    return _voices()


@lru_cache(1)
def _voices() -> list[VoiceOut]:
    from labial.voices import listed

    return [
        VoiceOut(
            names=list(group.names),
            engine=group.engine,
            languages=list(group.languages),
            licence=group.licence,
            state=group.state,
        )
        for group in listed()
    ]


@router.get("/healthz", responses={})
def get_health() -> HealthOut:
    """Tell that the server is there."""
    return HealthOut(ok=True, reasons=[])


@router.get(
    "/readyz", responses={503: {"model": HealthOut, "description": "It cannot work just now."}}
)
def get_readiness(response: Response, services: Served) -> HealthOut:
    """Tell whether uploads and jobs can be taken and done: database, store, room, workers."""
    reasons = reasons_not_ready(services.store, services.media, services.staging)
    if reasons:
        response.status_code = 503
    return HealthOut(ok=not reasons, reasons=reasons)


@router.get("/metrics", include_in_schema=False)
def get_metrics(request: Request) -> Response:
    """Tell Prometheus what it reads; as everything else that is not open, it needs a token."""
    metrics: Metrics = request.app.state.metrics
    return Response(metrics.page(), media_type=metrics.content_type)


def add_page(app: FastAPI) -> None:
    """Serve the page and its parts."""

    @app.get("/", include_in_schema=False)
    def get_page() -> FileResponse:
        return FileResponse(STATIC / "index.html", headers={"cache-control": "no-cache"})

    if STATIC.is_dir():
        app.mount("/static", StaticFiles(directory=STATIC), "static")
