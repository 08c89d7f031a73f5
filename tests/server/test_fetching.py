"""What strangers' addresses reach: the internet, never this house, by no way of writing it."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from elsewhere import Elsewhere, content, status

from labial.errors import OptionError
from labial.options import ServeOptions
from labial.server.fetching import fetcher
from labial.server.reaching import Reach, Unreachable, checked, is_public

HERE = (ipaddress.ip_network("127.0.0.1/32"),)


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    with Elsewhere(film=content(b"film" * 100)) as found:
        yield found


def fetched(url: str, path: Path, most: int = 1000, reach: Reach | None = None, **more) -> bytes:
    fetcher(reach or Reach(HERE), **more)(url, path / "got", most)
    return (path / "got").read_bytes()


def refused(url: str, path: Path, said: str, **more) -> None:
    with pytest.raises(Unreachable, match=said):
        fetched(url, path, **more)
    assert not (path / "got").exists()


def to(*answers: Sequence[str]) -> tuple[Callable[[str, int], Sequence[str]], list[str]]:
    """A resolver with an answer for each time that it is asked, and what it was asked for."""
    asked: list[str] = []

    def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return answers[min(len(asked), len(answers)) - 1]

    return resolve, asked


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255",
        "192.168.1.1", "169.254.169.254", "100.64.0.1", "100.100.100.200", "192.0.0.192",
        "198.18.0.1", "192.0.2.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
        "::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "fe80::1", "fe80::1%lo",
        "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "2001:db8::1", "2002:7f00:1::",
        "2002:a00:1::1", "2001:0:7f00:1::", "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::808:808", "100::1", "3fff::1",
    ],
)  # fmt: skip
def test_addresses_of_the_house_are_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "64:ff9b::808:808", "2a00:1450::1"]
)
def test_addresses_of_the_internet_are(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "localhost", "2130706433", "0x7f000001", "017700000001", "127.1", "0",
        "0x7f.0.0.1", "0177.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::]",
        "0.0.0.0", "127.0.0.1.", "LOCALHOST",
    ],
)  # fmt: skip
def test_however_it_is_written_this_machine_is_not_reached(
    tmp_path: Path, elsewhere: Elsewhere, host: str
) -> None:
    refused(f"http://{host}:{elsewhere.port}/film", tmp_path, "no public|no address", reach=Reach())
    assert elsewhere.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "ftp://example.org/a", "gopher://127.0.0.1:25/_", "//example.org/a",
        "concat:a|b", "http:///a", "http://", "https://user:pass@example.org/", "http://a@b@c/",
        "http://example.org:0/", "http://example.org:99999/", "http://exa mple.org/",
        "http://example.org\\@127.0.0.1/", "http://example.org/\r\nHost: a", "http://[::1/",
        "http://example.org\t/", "http://[fe80::1%25lo]/", "http://ex\u00e4mple.org/",
        "http://example.org/" + "a" * 2000, "jar:http://example.org!/", "http://.example.org/",
        "http://127.0.0.1%2f@example.org/", "http://exa%6dple.org/",
    ],
)  # fmt: skip
def test_a_url_is_one_of_the_web_and_nothing_else(url: str) -> None:
    with pytest.raises(Unreachable):
        checked(url)
    with pytest.raises(Unreachable):
        Reach().expect(url)


def test_what_is_written_as_an_address_is_refused_at_once() -> None:
    for url in ("http://127.0.0.1/", "https://[::1]/", "http://8.8.8.8:22/"):
        with pytest.raises(Unreachable, match="not reached"):
            Reach().expect(url)
    Reach().expect("http://8.8.8.8/")
    Reach().expect("https://example.org:8443/a?b=c")
    Reach(HERE).expect("http://127.0.0.1:22/")


def test_a_file_is_fetched_by_the_name_that_was_asked_for(
    tmp_path: Path, elsewhere: Elsewhere
) -> None:
    resolve, asked = to(["127.0.0.1"])
    url = f"http://films.example:{elsewhere.port}/film"
    assert fetched(url, tmp_path, reach=Reach(HERE, resolve)) == b"film" * 100
    assert asked == ["films.example"]  # once
    ((method, path, headers, _),) = elsewhere.asked
    assert (method, path, headers["host"]) == ("GET", "/film", f"films.example:{elsewhere.port}")
    assert headers["accept-encoding"] == "identity"
    assert not {"cookie", "authorization", "referer"} & set(headers)


def test_proxies_of_the_environment_are_not_asked(
    tmp_path: Path, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, elsewhere.url)
    refused("http://169.254.169.254/latest/meta-data/", tmp_path, "no public")
    assert elsewhere.asked == []


def test_one_address_of_the_house_among_others_is_one_too_many(tmp_path: Path) -> None:
    resolve, _ = to(["93.184.216.34", "10.0.0.1"])
    refused("http://mixed.example/", tmp_path, "no public", reach=Reach((), resolve))
    resolve, _ = to([])
    refused("http://nobody.example/", tmp_path, "no address", reach=Reach((), resolve))


def test_a_name_that_changes_its_mind_gains_nothing(tmp_path: Path, elsewhere: Elsewhere) -> None:
    # What would be 127.0.0.2 the second time is asked for once, checked, and connected to.
    resolve, asked = to(["127.0.0.1"], ["127.0.0.2"])
    url = f"http://rebinding.example:{elsewhere.port}/film"
    assert fetched(url, tmp_path, reach=Reach(HERE, resolve)) == b"film" * 100
    assert len(asked) == 1
    # A redirect is asked for anew, and checked anew.
    elsewhere.answers["/again"] = status(302, Location="/film")
    resolve, asked = to(["127.0.0.1"], ["127.0.0.2"])
    url = f"http://rebinding.example:{elsewhere.port}/again"
    (tmp_path / "got").unlink()
    refused(url, tmp_path, "no public|breaks off|not answer", reach=Reach(HERE, resolve))


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirects_are_followed_and_checked(
    tmp_path: Path, elsewhere: Elsewhere, code: int
) -> None:
    elsewhere.answers["/near"] = status(code, Location="film")
    assert fetched(f"{elsewhere.url}/near", tmp_path) == b"film" * 100
    (tmp_path / "got").unlink()
    for where in (
        "http://169.254.169.254/", "http://[::1]:1/", "file:///etc/passwd", "http://a:b@127.0.0.1/",
        "//10.0.0.1/", "gopher://127.0.0.1/",
    ):  # fmt: skip
        elsewhere.answers["/far"] = status(code, Location=where)
        refused(f"{elsewhere.url}/far", tmp_path, "not reached|only http|name and password")


def test_redirects_end_and_never_leave_tls(tmp_path: Path, elsewhere: Elsewhere) -> None:
    elsewhere.answers["/round"] = status(302, Location="/round")
    refused(f"{elsewhere.url}/round", tmp_path, "more than 5 redirects")
    assert len(elsewhere.asked) == 6
    elsewhere.answers["/lost"] = status(302)
    refused(f"{elsewhere.url}/lost", tmp_path, "does not say where")
    from labial.server import reaching

    class Answer:
        headers = ((b"Location", b"http://example.org/"),)

    with pytest.raises(Unreachable, match="from https to http"):
        reaching._next("https://example.org/", Answer())  # type: ignore[arg-type]


def test_what_comes_is_no_more_than_it_may_be(tmp_path: Path, elsewhere: Elsewhere) -> None:
    elsewhere.answers |= {
        "/large": content(bytes(5000)),
        "/untold": content(bytes(5_000_000), None),
        "/less": content(bytes(50), 100),
        "/packed": content(bytes(50), Content_Encoding="gzip"),
        "/page": status(204),
    }
    refused(f"{elsewhere.url}/large", tmp_path, "it has 5000 bytes, and may have 1000")
    refused(f"{elsewhere.url}/untold", tmp_path, "larger than the 1000 bytes")
    refused(f"{elsewhere.url}/less", tmp_path, "breaks off|broke off")
    refused(f"{elsewhere.url}/packed", tmp_path, "packed")
    refused(f"{elsewhere.url}/page", tmp_path, "the answer is 204")
    refused(f"{elsewhere.url}/nothing", tmp_path, "the answer is 404")


def test_what_does_not_come_is_not_waited_for(tmp_path: Path, elsewhere: Elsewhere) -> None:
    elsewhere.answers["/never"] = lambda *_: time.sleep(1)
    refused(f"{elsewhere.url}/never", tmp_path, "takes too long", timeout=0.05)

    def trickle(handler, _: bytes) -> None:
        content(b"", 1000)(handler, b"")
        for _ in range(60):
            handler.wfile.write(b"x")
            time.sleep(0.01)

    elsewhere.answers["/trickle"] = trickle
    refused(f"{elsewhere.url}/trickle", tmp_path, "too slowly", grace=0.05, rate=1000.0)


def test_networks_of_the_house_are_named_by_it() -> None:
    assert Reach.of(["10.1.0.0/16", "fd00::/8"]).address("10.1.2.3", 22) == ["10.1.2.3"]
    with pytest.raises(Unreachable):
        Reach.of(["10.1.0.0/16"]).address("10.2.0.1", 80)
    with pytest.raises(OptionError, match="--reach"):
        ServeOptions(reach=("10.1.2.3/16",))
