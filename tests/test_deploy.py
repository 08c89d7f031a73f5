"""The image and the compose file name what is there: sources, commands, options, secrets."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from labial.cli.serving import Serve
from labial.options import ServeOptions

HOME = Path(__file__).parent.parent
DOCKERFILE = (HOME / "Dockerfile").read_text(encoding="utf-8")
SECRET = re.compile(r"(?i)password|secret|key")


def steps() -> list[tuple[str, str]]:
    """The Dockerfile's instructions, each with what follows it, lines joined, comments left out."""
    lines = [line for line in DOCKERFILE.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    parted = [line.split(maxsplit=1) for line in joined.splitlines() if line.strip()]
    return [(name, rest) for name, rest in parted]


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((HOME / "compose.yaml").read_text(encoding="utf-8"))
    return found


def served(arguments: list[str]) -> ServeOptions:
    """What ``labial serve`` makes of arguments; it ends the test where it refuses them."""
    import tyro

    filled = [re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", argument) for argument in arguments]
    return tyro.cli(Serve, args=filled).options


def test_sources_are_there_and_not_ignored() -> None:
    ignored = (HOME / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in ignored
    stages = {rest.split(" AS ")[-1] for name, rest in steps() if name == "FROM"}
    for name, rest in steps():
        if name not in ("COPY", "ADD"):
            continue
        words = [word for word in shlex.split(rest) if not word.startswith("--")]
        origin = re.search(r"--from=(\S+)", rest)
        if origin is not None:
            assert origin[1] in stages
            continue
        for source in words[:-1]:
            assert (HOME / source).exists(), source
            assert f"!{source}" in ignored, f"{source} does not reach the build"


def test_what_the_build_needs_of_the_project_is_copied() -> None:
    tomllib = pytest.importorskip("tomllib")  # of Python 3.11
    project = tomllib.loads((HOME / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = {project["readme"], *project["license-files"], "pyproject.toml", "labial"}
    copied = {word for name, rest in steps() if name == "COPY" for word in rest.split()}
    assert needed <= copied
    extras = next(rest for name, rest in steps() if name == "ARG" and rest.startswith("EXTRAS"))
    assert set(extras.partition("=")[2].split(",")) <= set(project["optional-dependencies"])
    assert project["scripts"]["labial"]


def test_the_image_runs_as_nobody_in_particular() -> None:
    names = [name for name, _ in steps()]
    users = [rest for name, rest in steps() if name == "USER"]
    assert users and not users[-1].startswith(("0", "root"))
    assert names.index("USER") > max(k for k, name in enumerate(names) if name in ("RUN", "COPY"))
    assert names.count("HEALTHCHECK") == 1
    for _, rest in (step for step in steps() if step[0] == "FROM"):
        assert re.search(r":\d", rest), "an image is named by its version"


def test_the_command_of_the_image_is_one_of_ours() -> None:
    given = {name: rest for name, rest in steps() if name in ("ENTRYPOINT", "CMD")}
    assert json.loads(given["ENTRYPOINT"]) == ["labial"]
    command, *arguments = json.loads(given["CMD"])
    assert command == "serve"
    assert served(arguments).host == "0.0.0.0"
    health = next(rest for name, rest in steps() if name == "HEALTHCHECK")
    assert f":{served(arguments).port}/healthz" in health
    compile(json.loads(health.partition("CMD ")[2])[2], "healthcheck", "exec")


@pytest.mark.parametrize(("name", "role"), [("web", "all"), ("workers", "workers")])
def test_services_ask_for_what_there_is(name: str, role: str) -> None:
    command, *arguments = compose()["services"][name]["command"]
    assert command == "serve"
    options = served(arguments)
    assert (options.role, options.logs) == (role, "json")
    assert options.database == "postgresql+psycopg:///?service=labial"
    assert options.store == "s3://labial?endpoint=http://store:7070"
    assert (options.workers == 0) is (name == "web")


def test_names_in_the_compose_file_belong_together() -> None:
    whole = compose()
    for name, service in whole["services"].items():
        for what in ("networks", "secrets"):
            assert set(service.get(what, ())) <= set(whole[what]), (name, what)
        assert set(service.get("depends_on", ())) <= set(whole["services"])
        for volume in service.get("volumes", ()):
            assert volume.split(":")[0] in whole["volumes"]
        assert service["restart"] in ("unless-stopped", "on-failure")
        assert "healthcheck" in service or name == "web", "web has the image's own"
        if name != "bucket":
            assert service["deploy"]["resources"]["limits"]["memory"]
        test = service.get("healthcheck", {}).get("test", [])
        if "python" in test:
            compile(test[-1], name, "exec")
    compile(whole["services"]["bucket"]["entrypoint"][2], "bucket", "exec")


def test_workers_have_no_way_out_and_nothing_is_open_to_others() -> None:
    whole = compose()
    assert whole["networks"]["inside"]["internal"] is True
    outside = [name for name, each in whole["services"].items() if "outside" in each["networks"]]
    assert outside == ["web"]
    ports = [port for each in whole["services"].values() for port in each.get("ports", ())]
    assert all(port.startswith("127.0.0.1:") for port in ports)
    for name in ("web", "workers", "bucket"):
        service = whole["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]


def test_no_secret_stands_in_a_file_of_the_project() -> None:
    for name, service in compose()["services"].items():
        for variable, value in service.get("environment", {}).items():
            if SECRET.search(variable):
                assert value.startswith("/run/secrets/") or value == "true", (name, variable)
    for secret in compose()["secrets"].values():
        assert secret["file"].startswith("./secrets/")
    assert "/secrets/" in (HOME / ".gitignore").read_text(encoding="utf-8").splitlines()
