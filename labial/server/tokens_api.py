"""Who asks, the page's session, and tokens for others."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from pydantic import Field

from labial.server.answers import LimitsOut, MeOut, NewTokenOut, TokenOut, errors
from labial.server.asking import Asker, Served, TokenId
from labial.server.refusing import Refused
from labial.server.schema import Strict, Text
from labial.server.tokens import TokenLimits, digest, new_secret

router = APIRouter(prefix="/v1", tags=["access"])


@router.get("/me", responses=errors())
def get_me(services: Served, caller: Asker) -> MeOut:
    """Tell who asks, and what they may do."""
    try:
        own = version("labial")
    except PackageNotFoundError:
        own = "unknown"
    limits = services.limits_of(caller).__dict__
    return MeOut(
        owner=caller.owner,
        by=caller.by,
        scopes=list(caller.scopes),
        limits=LimitsOut(**{name: limits[name] for name in LimitsOut.model_fields}),
        active=services.store.count_active(caller.owner),
        keep_days=services.options.keep_days,
        version=own,
    )


@router.post("/session", status_code=204, responses=errors())
def begin_session(request: Request, services: Served, caller: Asker) -> Response:
    """Trade a token, sent as Authorization, for a cookie of the page."""
    if caller.by != "token":
        raise Refused(422, "token", "send a token as 'Authorization: Bearer lab_...'")
    value = services.gate.sessions.begin(caller.digest)
    return _with_cookie(request, services, value)


@router.delete("/session", status_code=204, responses=errors())
def end_session(request: Request, services: Served, caller: Asker) -> Response:
    """End the session of the page."""
    return _with_cookie(request, services, "")


def _with_cookie(request: Request, services: Served, value: str) -> Response:
    cookie = services.gate.sessions.set_cookie(value, request.url.scheme == "https")
    return Response(status_code=204, headers={"set-cookie": cookie})


class Limits(Strict):
    """What the holder of a token may take; null for as much as the server allows."""

    upload_bytes: Annotated[int, Field(ge=1, le=2**50)] | None = None
    media_minutes: Annotated[float, Field(ge=1, le=10**6)] | None = None
    active_jobs: Annotated[int, Field(ge=1, le=10**6)] | None = None
    requests_per_minute: Annotated[int, Field(ge=1, le=10**6)] | None = None


class NewToken(Strict):
    """A token to make."""

    owner: Annotated[Text, Field(min_length=1, max_length=100)] = Field(
        description="Whose jobs it opens.", examples=["anna"]
    )
    name: Annotated[Text, Field(max_length=100)] = Field(
        "", description="What it is for.", examples=["laptop"]
    )
    scopes: Annotated[
        list[Literal["read", "write", "admin"]], Field(min_length=1, max_length=3)
    ] = Field(["write"], description="Each holds those before it: read, write, admin.")
    limits: Limits = Field(default_factory=Limits)
    days: Annotated[float, Field(gt=0, le=36500)] | None = Field(
        None, description="Days after which it ends."
    )


@router.get("/tokens", responses=errors())
def list_tokens(services: Served, caller: Asker) -> list[TokenOut]:
    """List all tokens, those taken back too."""
    return [TokenOut.of(record) for record in services.store.tokens()]


@router.post("/tokens", status_code=201, responses=errors())
def create_token(body: NewToken, services: Served, caller: Asker) -> NewTokenOut:
    """Make a token. Its secret is in this answer alone."""
    secret, expires = new_secret(), None
    if body.days is not None:
        expires = datetime.now(timezone.utc) + timedelta(days=body.days)
    limits = TokenLimits(**body.limits.model_dump()).to_dict()
    record = services.store.add_token(
        body.owner, body.name, digest(secret), tuple(body.scopes), limits, expires
    )
    services.admit_anonymous()
    return NewTokenOut(secret=secret, **TokenOut.of(record).model_dump())


@router.delete("/tokens/{token_id:tok}", status_code=204, responses=errors(404))
def revoke_token(
    token_id: TokenId,
    services: Served,
    caller: Asker,
) -> Response:
    """Take a token back: from now on it is good for nothing."""
    services.store.revoke_token(token_id)
    services.admit_anonymous()
    return Response(status_code=204)
