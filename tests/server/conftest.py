"""Databases for the tests of the server: a file, and a PostgreSQL that is started for them."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from postgres import Missing, Server

from labial.server.store import Store

_NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A server of PostgreSQL; skips where there is none."""
    try:
        started = Server("fsync=off")
        started.__enter__()
    except Missing as missing:
        pytest.skip(str(missing))
    yield started
    started.__exit__()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/labial.sqlite"
    server: Server = request.getfixturevalue("postgres")
    return server.create(f"labial{next(_NUMBERS)}")


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    """A store in an empty database of either kind."""
    opened = Store.open(database)
    yield opened
    opened.close()


@pytest.fixture
def ready(store: Store) -> Callable[[str], str]:
    """Give the id of an upload of an owner that is ready for jobs."""

    def make(owner: str = "ann") -> str:
        upload = store.add_upload(owner, "clip.mp4", 10, None)
        store.advance_upload(upload.id, 10)
        store.settle_upload(upload.id, "ready", holds="video", extension=".mp4")
        return upload.id

    return make
