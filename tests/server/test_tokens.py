"""Tokens, sessions and the gate: what is kept, what is let in, and how guessers are met."""

from __future__ import annotations

import stat
import sys
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from labial.errors import OptionError
from labial.server import tokens
from labial.server.gate import LOCAL, Gate, Patience
from labial.server.refusing import Refused
from labial.server.tokens import Sessions, TokenLimits

NOW = datetime.now(timezone.utc)


@dataclass(frozen=True)
class Row:
    digest: str
    id: str = "tok_a"
    owner: str = "ann"
    scopes: tuple[str, ...] = ("read", "write")
    limits: dict[str, Any] = field(default_factory=dict)
    expires: datetime | None = None
    revoked: datetime | None = None


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def gate_of(*rows: Row, anonymous: bool = False, clock: Clock | None = None) -> Gate:
    kept = {row.digest: row for row in rows}
    return Gate(kept.get, Sessions(b"k" * 32), anonymous, Patience(clock or Clock()))


def refusal(gate: Gate, authorization: str | None, cookies: str | None = None) -> Refused:
    with pytest.raises(Refused) as caught:
        gate.admit(authorization, cookies, "192.0.2.1")
    return caught.value


def test_a_secret_is_long_and_its_digest_is_all_that_is_kept() -> None:
    one, other = tokens.new_secret(), tokens.new_secret()
    assert one != other
    assert one.startswith("lab_") and len(one) == 4 + 43
    assert len(tokens.digest(one)) == 64 and one[4:] not in tokens.digest(one)


def test_scopes_hold_those_before_them() -> None:
    assert tokens.allows(["admin"], "read") and tokens.allows(["write"], "read")
    assert not tokens.allows(["read"], "write")
    assert not tokens.allows(["everything"], "read")
    assert not tokens.allows([], "read")


def test_limits_go_through_json_and_refuse_nonsense() -> None:
    limits = TokenLimits(upload_bytes=5, active_jobs=2)
    assert TokenLimits.from_dict(limits.to_dict()) == limits
    assert TokenLimits.from_dict({"of_later": 3}) == TokenLimits()
    for wrong in (0, -1, float("nan")):
        with pytest.raises(OptionError, match="media minutes"):
            TokenLimits(media_minutes=wrong)


def test_the_servers_key_is_made_once_and_read_by_its_owner_only(tmp_path: Path) -> None:
    key = tokens.server_key(tmp_path / "data")
    assert len(key) == 32 and tokens.server_key(tmp_path / "data") == key
    assert [each.name for each in (tmp_path / "data").iterdir()] == ["session.key"]
    if sys.platform != "win32":
        assert stat.S_IMODE((tmp_path / "data" / "session.key").stat().st_mode) == 0o600
    (tmp_path / "data" / "session.key").write_bytes(b"short")
    with pytest.raises(OptionError, match="damaged"):
        tokens.server_key(tmp_path / "data")


def test_a_session_is_read_by_the_key_that_made_it_until_it_ends() -> None:
    sessions = Sessions(b"k" * 32)
    digest = tokens.digest("lab_x")
    value = sessions.begin(digest)
    assert sessions.read(value) == digest
    assert Sessions(b"j" * 32).read(value) is None
    assert Sessions(b"k" * 32, seconds=-1).read(Sessions(b"k" * 32, -1).begin(digest)) is None
    for forged in ("", "..", value[:-1], value + "0", value.replace(digest, "0" * 64), "é" * 300):
        assert sessions.read(forged) is None


def test_the_cookie_is_for_no_script_and_no_other_site() -> None:
    plain, by_tls = (Sessions(b"k" * 32).set_cookie("v", secure) for secure in (False, True))
    assert plain == "labial=v; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict"
    assert by_tls.startswith("__Host-labial=v; ") and by_tls.endswith("; Secure")
    assert "Max-Age=0" in Sessions(b"k" * 32).set_cookie("", False)


def test_a_right_token_tells_who_asks() -> None:
    secret = tokens.new_secret()
    row = Row(tokens.digest(secret), limits={"active_jobs": 3})
    caller = gate_of(row).admit(f"Bearer {secret}", None, "192.0.2.1")
    assert (caller.owner, caller.by, caller.token) == ("ann", "token", "tok_a")
    assert caller.limits.active_jobs == 3
    assert row.digest not in repr(caller)
    caller.need("write")
    with pytest.raises(Refused) as caught:
        caller.need("admin")
    assert caught.value.status == 403


@pytest.mark.parametrize(
    "change",
    [{"revoked": NOW}, {"expires": NOW - timedelta(seconds=1)}, {"digest": "0" * 64}],
    ids=lambda change: next(iter(change)),
)
def test_a_token_that_ended_is_as_unknown_as_one_that_never_was(change: dict[str, Any]) -> None:
    secret = tokens.new_secret()
    row = Row(tokens.digest(secret))
    never = refusal(gate_of(), f"Bearer {secret}")
    ended = Gate(lambda _: replace(row, **change), Sessions(b"k" * 32))
    assert (never.status, never.message) == (401, refusal(ended, f"Bearer {secret}").message)


@pytest.mark.parametrize(
    "header", ["", "Basic YTpi", "Bearer", "Bearer ", "lab_x", "Bearer \udcff"]
)
def test_what_is_no_token_is_unknown(header: str) -> None:
    assert refusal(gate_of(), header).status == 401


def test_nobody_is_somebody_only_where_that_is_allowed() -> None:
    assert gate_of(anonymous=True).admit(None, None, "127.0.0.1").owner == LOCAL
    assert refusal(gate_of(), None).status == 401
    # A wrong token is never nobody.
    assert refusal(gate_of(anonymous=True), "Bearer lab_wrong").status == 401


def test_a_cookie_is_as_good_as_its_token_and_a_token_goes_first() -> None:
    secret = tokens.new_secret()
    row = Row(tokens.digest(secret))
    gate = gate_of(row)
    cookie = f"a=b; labial={gate.sessions.begin(row.digest)}"
    assert gate.admit(None, cookie, "192.0.2.1").by == "cookie"
    assert refusal(gate, "Bearer lab_wrong", cookie).status == 401
    with pytest.raises(Refused):
        gate.admit(None, cookie, "192.0.2.1", secure=True)  # by TLS it has another name
    revoked = Gate(lambda _: replace(row, revoked=NOW), gate.sessions)
    assert refusal(revoked, None, cookie).status == 401


def test_guessing_is_met_with_ever_longer_waits_but_holders_pass() -> None:
    secret, clock = tokens.new_secret(), Clock()
    gate = gate_of(Row(tokens.digest(secret)), clock=clock)
    gate.admit(f"Bearer {secret}", None, "192.0.2.1")
    assert [refusal(gate, f"Bearer lab_{n}").status for n in range(6)] == [401] * 5 + [429]
    waits = []
    for n in range(12):
        wait = refusal(gate, "Bearer lab_x").wait
        assert wait is not None
        waits.append(wait)
        clock.now += wait
        assert refusal(gate, f"Bearer lab_y{n}").status == 401
    assert waits[:4] == [1, 2, 4, 8] and waits[-1] == 900
    # Whoever was known is not locked out, and another address is not met so.
    assert gate.admit(f"Bearer {secret}", None, "192.0.2.1").owner == "ann"
    with pytest.raises(Refused) as caught:
        gate.admit("Bearer lab_x", None, "192.0.2.2")
    assert caught.value.status == 401


def test_a_guesser_does_not_get_more_by_addresses_of_one_network() -> None:
    patience = Patience(Clock())
    for n in range(6):
        patience.was_wrong(f"2001:db8:0:1::{n:x}")
    assert patience.wait("2001:db8:0:1:ffff::1", "d") > 0
    assert patience.wait("2001:db8:0:2::1", "d") == 0
    for _ in range(6):
        patience.was_wrong("::ffff:192.0.2.9")
    assert patience.wait("192.0.2.9", "d") > 0
