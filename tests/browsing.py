"""A browser for the tests of the page, and what must be true of whatever it shows."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_ARGS = [
    "--no-sandbox",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
]

_PATIENCE = 30_000.0

SMALLEST_TAP = 40
"""Pixels that a finger hits."""

_CHECKS = (Path(__file__).parent / "page_checks.js").read_text(encoding="utf-8")


def expect_usable(page: Page) -> None:
    """Every control has a name, every text is dark or light enough, no id is there twice."""
    for what in ("nameless", "pale", "twice"):
        found = page.evaluate(f"({_CHECKS}).{what}()")
        assert not found, f"{what}: {found}"
    assert page.evaluate("document.querySelectorAll('h1').length") == 1
    assert page.evaluate("document.documentElement.lang") == "en"


def expect_room(page: Page) -> None:
    """Nothing is wider than the window, and fingers hit what is there to be hit."""
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    small = page.evaluate(f"({_CHECKS}).small({SMALLEST_TAP})")
    assert not small, f"small: {small}"


def until(page: Page, truth: str) -> None:
    """Wait until an expression is true; the page's policy forbids Playwright's own way."""
    end = time.monotonic() + _PATIENCE / 1000
    while not page.evaluate(truth):
        assert time.monotonic() < end, f"never true: {truth}"
        page.wait_for_timeout(50)


@contextmanager
def browser() -> Iterator[Browser]:
    """Start the system's Chromium; skips where there is none."""
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        pytest.skip(f"no browser: none of {', '.join(_NAMES)} is installed")
    expect.set_options(timeout=_PATIENCE)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=_ARGS)
        yield started
        started.close()


@contextmanager
def window(
    started: Browser,
    width: int = 1280,
    height: int = 860,
    scheme: str = "light",
    spared: str = "",
    **more: Any,
) -> Iterator[Page]:
    """Open a page; what it writes into the console or what its policy refuses fails the test.

    ``spared`` is part of what may be written all the same.
    """
    context = started.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, locale="en-GB", **more
    )
    context.set_default_timeout(_PATIENCE)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda m: said.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.add_init_script(
        "addEventListener('securitypolicyviolation', (event) => "
        "console.error('policy', event.violatedDirective, event.blockedURI))"
    )
    yield page
    context.close()
    unexpected = [each for each in said if not spared or spared not in each]
    assert not unexpected, unexpected
