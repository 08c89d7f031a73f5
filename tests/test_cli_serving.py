"""Commands of the server."""

import builtins
import sys

import pytest

from labial.cli import main
from labial.options import ServeOptions


def test_serve_is_given_its_options(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    import labial.server

    calls = []

    def serve(options: ServeOptions, tell) -> None:
        calls.append(options)
        tell("Labial is at http://127.0.0.1:9000/")

    monkeypatch.setattr(labial.server, "serve", serve)
    hosts = ["--hosts", "a.org", "--hosts", "b.org"]
    assert main(["serve", "--port", "9000", "--workers", "2", *hosts]) == 0
    assert calls == [ServeOptions(port=9000, workers=2, hosts=("a.org", "b.org"))]
    assert capsys.readouterr().out == "Labial is at http://127.0.0.1:9000/ (Ctrl-C ends it)\n"
    assert main(["serve", "--port", "70000"]) == 2
    assert "use 0 to 65535" in capsys.readouterr().err


def test_others_need_a_token(tmp_path, capsys) -> None:
    assert main(["serve", "--host", "0.0.0.0", "--data", str(tmp_path)]) == 2
    assert "make one with 'labial token add'" in capsys.readouterr().err


def test_tokens_are_made_listed_and_revoked(tmp_path, capsys) -> None:
    place = ["--data", str(tmp_path)]
    limits = ["--upload-gb", "2", "--active-jobs", "3", "--days", "30"]
    assert main(["token", "add", "laptop", "--owner", "anna", *limits, *place]) == 0
    first, secret, last = capsys.readouterr().out.splitlines()
    token = first.split()[0]
    assert first == f"{token}  anna  write  laptop"
    assert token.startswith("tok_") and secret.startswith("lab_")
    assert last == "Keep it: it is shown only now."
    assert main(["token", "list", *place]) == 0
    listed = capsys.readouterr().out
    assert listed.startswith(f"{token}  anna  write  laptop  until 2")
    assert secret not in listed
    assert main(["token", "revoke", token, *place]) == 0
    assert main(["token", "list", *place]) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith("revoked")
    assert main(["token", "revoke", "tok_nobody", *place]) == 2
    assert "there is no token tok_nobody" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["revoke"], "say which, by its id"),
        (["add", "--days", "0"], "--days 0: use more than 0"),
        (["add", "--upload-gb", "-1"], "--upload-gb -1: use more than 0"),
        (["add", "--owner", ""], "--owner: use a name"),
        (["add", "--active-jobs", "0"], "active jobs 0: use 1 or more"),
    ],
)
def test_tokens_that_cannot_be(arguments: list[str], said: str, tmp_path, capsys) -> None:
    assert main(["token", *arguments, "--data", str(tmp_path)]) == 2
    assert said in capsys.readouterr().err


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path, capsys) -> None:
    real = builtins.__import__

    def without(name: str, *more, **rest):
        if name.partition(".")[0] == "sqlalchemy":
            raise ModuleNotFoundError("No module named 'sqlalchemy'", name="sqlalchemy")
        return real(name, *more, **rest)

    for name in [each for each in sys.modules if each.startswith("labial.server")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", without)
    assert main(["token", "list", "--data", str(tmp_path)]) == 2
    assert "pip install 'labial[serve]'" in capsys.readouterr().err
