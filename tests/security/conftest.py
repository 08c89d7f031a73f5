"""Two servers as processes of their own: one for this machine alone, one that asks for tokens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import strange
from attacking import SECRET, Shared
from elsewhere import Elsewhere, content, status
from live_server import Live, living

from labial.options import ServeOptions
from labial.server import add_token


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder around the servers' own, with a file that nobody is to read."""
    folder = tmp_path_factory.mktemp("attacked")
    (folder / "secret.txt").write_text(SECRET)
    return folder


@pytest.fixture(scope="session")
def local(home: Path) -> Iterator[Live]:
    """For this machine, without tokens; it may reach 127.0.0.1 and no other private address."""
    (home / "local").mkdir()
    with living(home / "local", "--workers", "0", "--reach", "127.0.0.1/32") as live:
        yield live
        live.expect_alive()


@pytest.fixture(scope="session")
def shared(home: Path) -> Iterator[Shared]:
    """With tokens of Ann, Bob, a reader and the house, and a worker."""
    (home / "shared").mkdir()
    place = ServeOptions(data=str(home / "shared" / "data"))
    scopes = {"ann": "write", "bob": "write", "reader": "read", "house": "admin"}
    secrets = {who: add_token(place, who, who, (scope,))[1] for who, scope in scopes.items()}
    with living(home / "shared", "--workers", "1", "--max-upload-gb", "0.05") as live:
        found = Shared(live, secrets)
        for who in secrets:  # from here on nobody is locked out by who guesses beside them
            with found.as_(who) as client:
                assert client.get("v1/me").json()["owner"] == who
        yield found
        live.expect_alive()
        said = live.said
        assert not [who for who, secret in secrets.items() if secret in said]


@pytest.fixture(scope="session")
def elsewhere() -> Iterator[Elsewhere]:
    """A server that nobody is to be sent to, with a photo."""
    with Elsewhere(photo=content(strange.png(64, 64)), hook=status(200)) as found:
        yield found
