"""The application: its routes, what stands before them, and how every error is told."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from sqlalchemy.exc import DBAPIError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Match

from labial.errors import LabialError
from labial.options import ServeOptions
from labial.server import events, jobs_api, pages, tokens_api, uploads
from labial.server.arrivals import Arrivals
from labial.server.bodies import Sizes
from labial.server.events import Watch
from labial.server.intake import Examine, Fetch, Intake
from labial.server.metrics import Metrics
from labial.server.observing import Observed
from labial.server.refusing import Refused
from labial.server.services import Services
from labial.server.shield import hosts_of, shielded
from labial.server.store import AWAY, Conflict, Full, NotFound, StoreError
from labial.server.webhooks import Messenger

LOG = logging.getLogger("labial.server")
_LEFT_SECONDS = 60.0
_ACCESS_SECONDS = 5.0
_MOST_TOLD = 10
_FULL_SECONDS = 30
_DESCRIPTION = """Lip sync as jobs: give files (`/v1/uploads`), ask for a job (`/v1/jobs`), follow
it (`/v1/jobs/{id}/events`), fetch what came of it (`/v1/jobs/{id}/files/{name}`).

Every error is `{"error": {"code", "message"}}`. Lists come in pages, the last first."""


def create_app(
    services: Services, examine: Examine, fetch: Fetch, messenger: Messenger | None = None
) -> FastAPI:
    """Return the application.

    Parameters
    ----------
    services
        What requests are answered with.
    examine, fetch
        Say what a file is, and fetch one from a URL.
    messenger
        Tells what became of jobs; None where another process does.
    """
    app = FastAPI(
        title="Labial",
        version="1",
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        lifespan=_life,
        generate_unique_id_function=_operation,
    )
    app.state.services = services
    app.state.examine, app.state.fetch = examine, fetch
    app.state.messenger = messenger
    for router in (uploads.router, jobs_api.router, events.router, tokens_api.router, pages.router):
        app.include_router(router)
    pages.add_page(app)
    options = services.options
    app.add_middleware(
        shielded,  # type: ignore[arg-type] # a function that returns a middleware is one
        gate=services.gate,
        names=_names(options),
        open_paths=pages.OPEN,
        sizes=Sizes(upload=services.upload_bytes + (1 << 20)),
    )
    app.state.metrics = Metrics(services.store.figures)
    app.add_middleware(Observed, metrics=app.state.metrics)
    for error, handler in (
        (Refused, _refused),
        (LabialError, _wrong),
        (RequestValidationError, _invalid),
        (HTTPException, _http),
        *((away, _unavailable) for away in (DBAPIError, *AWAY)),
        (OSError, _unavailable),
        (Exception, _fault),
    ):
        app.add_exception_handler(error, handler)
    app.openapi = lambda: _described(app)  # type: ignore[method-assign]
    return app


def _names(options: ServeOptions) -> tuple[str, ...]:
    """The names that are answered to: any, where all addresses are listened at and none is told.

    A token is needed there, which a page of another site does not have.
    """
    if options.host in ("0.0.0.0", "::") and not options.hosts:
        return ("*",)
    return hosts_of(options.host, options.hosts)


def _operation(route: APIRoute) -> str:
    return route.name


@contextlib.asynccontextmanager
async def _life(app: FastAPI) -> AsyncIterator[None]:
    services: Services = app.state.services
    arrivals = Arrivals(services.staging, services.store)
    intake = Intake(arrivals, services.store, services.media, app.state.examine, app.state.fetch)
    watch = Watch(services.store)
    app.state.arrivals, app.state.intake, app.state.watch = arrivals, intake, watch
    tasks = [
        asyncio.create_task(each)
        for each in (
            watch.run(),
            _again(_LEFT_SECONDS, lambda: intake.go_on(services.options.max_minutes)),
            _again(_ACCESS_SECONDS, lambda: run_in_threadpool(services.admit_anonymous)),
        )
    ]
    messenger: Messenger | None = app.state.messenger
    if messenger is not None:
        messenger.start()
    try:
        yield
    finally:
        if messenger is not None:
            await run_in_threadpool(messenger.close)
        await watch.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await intake.close()


async def _again(seconds: float, act: Any) -> None:
    """Do something now and then."""
    while True:
        try:
            await act()
        except Exception as error:
            LOG.warning("left for later: %s: %s", type(error).__name__, error)
        await asyncio.sleep(seconds)


def _told(status: int, code: str, message: str, headers: Any = None) -> Response:
    # A request may hold what is no Unicode, and so may what is said of it.
    message = message.encode("utf-8", "replace").decode()
    content = {"error": {"code": code, "message": message}}
    return JSONResponse(content, status, headers)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    headers = {} if error.wait is None else {"retry-after": str(math.ceil(error.wait))}
    return _told(error.status, error.code, error.message, headers)


async def _wrong(request: Request, error: Exception) -> Response:
    if isinstance(error, NotFound):
        return _told(404, "not_found", str(error))
    if isinstance(error, Conflict):
        return _told(409, "conflict", str(error))
    if isinstance(error, Full):
        return _told(429, "active", str(error), {"retry-after": f"{_FULL_SECONDS}"})
    if isinstance(error, StoreError) and "cursor" not in str(error):
        return await _unavailable(request, error)
    return _told(422, type(error).__name__.removesuffix("Error").lower(), str(error))


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    lines = []
    for each in error.errors()[:_MOST_TOLD]:
        where = ".".join(str(part) for part in each["loc"][1:])
        lines.append(f"{where}: {each['msg']}" if where else str(each["msg"]))
    return _told(422, "invalid", "; ".join(lines)[:2000])


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    phrase = HTTPStatus(error.status_code).phrase
    code = phrase.lower().replace(" ", "_")
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    if error.status_code == 405:
        headers["allow"] = ", ".join(sorted(_allowed(request)))
    return _told(error.status_code, code, str(error.detail), headers)


def _allowed(request: Request) -> set[str]:
    """All methods of a path, each of which is a route of its own."""
    methods: set[str] = set()
    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        scope = {**request.scope, "method": method}
        if any(route.matches(scope)[0] is Match.FULL for route in request.app.router.routes):
            methods.add(method)
    return methods


async def _unavailable(request: Request, error: Exception) -> Response:
    LOG.error("does not answer: %s: %s", type(error).__name__, error)
    message = "the database or the store does not answer: try again"
    return _told(503, "unavailable", message, {"retry-after": "5"})


async def _fault(request: Request, error: Exception) -> Response:
    # Starlette logs it, with its traceback.
    return _told(500, "fault", "a fault of the server: its log says more")


def _described(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI description, with how one says who one is."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            tags=[
                {"name": "uploads", "description": "Files that are given."},
                {"name": "jobs", "description": "What is done with them."},
                {"name": "access", "description": "Who may do what."},
                {"name": "server", "description": "What there is, and whether all is well."},
            ],
        )
        schema["components"]["securitySchemes"] = {
            "token": {"type": "http", "scheme": "bearer", "description": "lab_..."},
            "session": {"type": "apiKey", "in": "cookie", "name": "labial"},
        }
        # Without any: on this machine alone, as long as there is no token.
        schema["security"] = [{"token": []}, {"session": []}, {}]
        for path in pages.OPEN:
            for operation in schema["paths"].get(path, {}).values():
                operation["security"] = []
        app.openapi_schema = schema
    return app.openapi_schema
