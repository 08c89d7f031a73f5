"""Commands of the server: run it, and say who may use it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated, Literal

from tyro.conf import OmitArgPrefixes, Positional, arg

from labial.errors import OptionError
from labial.options import ServeOptions

_EXTRA = frozenset(
    {"alembic", "fastapi", "httpx", "prometheus_client", "pythonjsonlogger", "sqlalchemy",
     "starlette", "uvicorn", "pydantic", "h11", "httpcore", "anyio"}
)  # fmt: skip


@dataclass(frozen=True)
class Serve:
    """Serve a page and a REST interface that do the same work for others, until Ctrl-C."""

    options: Annotated[OmitArgPrefixes[ServeOptions], arg(name="serve")] = field(
        default_factory=ServeOptions
    )

    def run(self) -> None:
        """Serve, and print the address."""
        with _installed():
            from labial.server import serve
        serve(self.options, lambda line: print(f"{line} (Ctrl-C ends it)", flush=True))


@dataclass(frozen=True)
class Token:
    """Add, list or revoke the tokens by which a server knows who asks."""

    action: Positional[Literal["add", "list", "revoke"]]
    """add: make one, and print it this once. list: what there is. revoke: let one be good for
    nothing from now on."""
    name: Annotated[Positional[str], arg(metavar="NAME|ID")] = ""
    """Of a new token: what it is for. Of one to revoke: its id."""
    owner: str = "local"
    """Whose jobs and uploads it opens. local: those of this machine's user, who needs none as long
    as there are none."""
    scope: Literal["read", "write", "admin"] = "write"
    """What it allows: read, write (and read), or admin (and all)."""
    days: float | None = None
    """Days after which it ends. Default: never."""
    upload_gb: float | None = None
    """Largest file that its holder may give, in GB. Default: as the server allows."""
    media_minutes: float | None = None
    """Longest video or speech. Default: as the server allows."""
    active_jobs: int | None = None
    """Jobs that may wait or run at a time. Default: as the server allows."""
    requests_per_minute: int | None = None
    """Default: 1200."""
    data: str | None = None
    """The server's data folder. Default: the user's data folder."""
    database: str | None = None
    """The server's database. Default: an SQLite file in the data folder."""

    def __post_init__(self) -> None:
        if self.action == "revoke" and not self.name:
            raise OptionError("labial token revoke: say which, by its id; 'labial token list'")
        if self.days is not None and not self.days > 0:
            raise OptionError(f"--days {self.days:g}: use more than 0")
        if self.upload_gb is not None and not self.upload_gb > 0:
            raise OptionError(f"--upload-gb {self.upload_gb:g}: use more than 0")
        if not 0 < len(self.owner) <= 100 or not self.owner.isprintable():
            raise OptionError("--owner: use a name of up to 100 letters")

    def run(self) -> None:
        """Do it, and print what came of it."""
        with _installed():
            from labial.server import TokenLimits, add_token, revoke_token, tokens_of
        place = ServeOptions(data=self.data, database=self.database)
        if self.action == "add":
            limits = TokenLimits(
                None if self.upload_gb is None else int(self.upload_gb * 1e9),
                self.media_minutes,
                self.active_jobs,
                requests_per_minute=self.requests_per_minute,
            )
            made = (self.owner, self.name, (self.scope,), limits, self.days)
            token, secret = add_token(place, *made)
            print(f"{token.id}  {token.owner}  {self.scope}  {token.name}".rstrip())
            print(f"{secret}\nKeep it: it is shown only now.")
        elif self.action == "revoke":
            revoke_token(place, self.name)
            print(f"{self.name}  revoked")
        else:
            for token in tokens_of(place):
                ends = f"until {token.expires:%Y-%m-%d}" if token.expires else ""
                state = "revoked" if token.revoked else ends
                scopes = " ".join(token.scopes)
                print(f"{token.id}  {token.owner}  {scopes}  {token.name}  {state}".rstrip())


@contextmanager
def _installed() -> Iterator[None]:
    """Say what to install where the server's own packages are missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in _EXTRA:
            raise
        raise OptionError("a server needs more: pip install 'labial[serve]'") from None
