"""The documentation says what the program does."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

HOME = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_docs", HOME / "docs" / "make.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def words(page: str) -> list[str]:
    """What a page says, however its lines break and whatever frames are drawn around them."""
    return re.sub(r"[\u2500-\u257f\s]+", " ", page).split()


def test_the_page_of_commands_is_that_of_the_help(maker: ModuleType) -> None:
    there = maker.PAGE.read_text(encoding="utf-8")
    assert words(there) == words(maker.page()), "run: python docs/make.py cli"


def test_every_command_is_in_the_readme(maker: ModuleType) -> None:
    readme = (HOME / "README.md").read_text(encoding="utf-8")
    missing = [name for name in maker.commands() if f"labial {name}" not in readme]
    assert not missing


def test_what_pages_link_to_is_there() -> None:
    for page in (*HOME.glob("*.md"), *(HOME / "docs").glob("*.md")):
        text = page.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", text):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
