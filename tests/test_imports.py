"""The arrows between the rooms, as ARCHITECTURE.md draws them."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "labial"

# A room imports only from rooms above it.
ROOMS = (
    "types",
    "errors",
    "geometry",
    "options",
    "pixels",
    "script",
    "weights",
    "media",
    "seen",
    "audio",
    "speech",
    "voices",
    "face",
    "motion",
    "exports",
    "render",
    "composite",
    "metrics",
    "speaking",
    "engines",
    "analysis",
    "timeline",
    "performing",
    "adapting",
    "rendering",
    "sheet",
    "page",
    "clip",
    "chart",
    "lanes",
    "checking",
    "preflight",
    "evaluating",
    "soundtrack",
    "tally",
    "report",
    "planning",
    "spoken",
    "takes",
    "producing",
    "languages",
    "preparing",
    "dubbing",
    "fixing",
    "animating",
    "transcribe",
    "inspect_page",
    "inspect_clip",
    "looking",
    "demo",
    "jobs",
    "live",
    "cluster",
    "batch",
    "client",
    "progress",
    "server",
    "cli",
)
DOORS = ("live", "cluster", "batch", "client", "server", "cli")
# Declarations that every other room's tests go through.
TESTED_BY_ALL = ("types", "errors", "options")
HEAVY = (
    "torch",
    "cv2",
    "av",
    "onnxruntime",
    "ai_edge_litert",
    "numpy",
    "rich.progress",
    "scenedetect",
)
# Of the extra ``eval``: imported inside functions, where a user asks for it.
OPTIONAL = {"torch": ("metrics/syncnet.py",)}
VAGUE = ("utils", "util", "common", "helpers", "helper", "manager", "misc")

FILES = sorted(PACKAGE.rglob("*.py"))


def room_of(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(file: Path) -> Iterator[str]:
    """Every module that a file names, wherever in the file; ``from a import b`` is ``a.b``."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno}: write imports from labial. in full"
            yield from (f"{node.module}.{name.name}" for name in node.names)


def present_rooms() -> list[str]:
    return sorted({room_of(file) for file in FILES} - {"__init__", "__main__"})


def test_every_room_is_known() -> None:
    unknown = set(present_rooms()) - set(ROOMS)
    assert not unknown, f"draw {unknown} into ARCHITECTURE.md and give them their place in ROOMS"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_a_room_imports_only_from_rooms_above(file: Path) -> None:
    room = room_of(file)
    if room in ("__init__", "__main__"):
        return
    for name in imported(file):
        parts = name.split(".")
        if parts[0] != "labial":
            continue
        other = parts[1]
        if other == "__version__":
            continue
        assert other in ROOMS, f"{file}: {name} is no room"
        if other != room:
            assert ROOMS.index(other) < ROOMS.index(room), f"{room} must not import {other}"
        if room in DOORS and other != room:
            module = PACKAGE.joinpath(*parts[1:]).with_suffix(".py")
            inside = len(parts) > 2 and (PACKAGE / other).is_dir() and module.exists()
            assert not inside, f"{file}: a door uses the public names of {other}, not {name}"


def test_only_media_imports_av() -> None:
    for file in FILES:
        if room_of(file) != "media":
            roots = {name.split(".")[0] for name in imported(file)}
            assert "av" not in roots, f"{file}: only media imports av"


def test_the_wheel_needs_nothing_of_training() -> None:
    for file in FILES:
        roots = {name.split(".")[0] for name in imported(file)}
        assert not roots & {"training", "tests", "benchmarks"}, file
        for package, files in OPTIONAL.items():
            named = file.relative_to(PACKAGE).as_posix() in files
            assert package not in roots or named, f"{file}: {package} is optional"


def test_no_vague_names() -> None:
    for file in FILES:
        assert not set(file.relative_to(PACKAGE).with_suffix("").parts) & set(VAGUE), file


@pytest.mark.parametrize("module", ["labial", "labial.cli", "labial.errors", "labial.weights"])
def test_importing_does_no_work(module: str) -> None:
    code = f"import sys, {module}; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("room", [room for room in present_rooms() if room not in TESTED_BY_ALL])
def test_every_room_has_tests(room: str) -> None:
    here = Path(__file__).parent
    found = [*here.glob(f"test_{room}.py"), *here.glob(f"{room}/test_*.py")]
    assert found, f"{room} has neither tests/test_{room}.py nor tests/{room}/test_*.py"


@pytest.mark.parametrize("room", present_rooms())
def test_every_room_is_on_the_map(room: str) -> None:
    page = (PACKAGE.parent / "ARCHITECTURE.md").read_text(encoding="utf-8")
    assert f"`{room}`" in page.split("## Code map")[1].split("\nInvariant:")[0]
