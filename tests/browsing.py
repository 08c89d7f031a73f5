"""A browser and what it must never see: for the tests of the page. Chromium comes with the system."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
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

NAMELESS = """() => {
  const shown = (e) => e.checkVisibility({visibilityProperty: true}) && !e.closest("[aria-hidden=true]");
  const text = (id) => document.getElementById(id)?.textContent ?? "";
  const named = (e) => (e.getAttribute("aria-label") ?? "").trim()
    || (e.getAttribute("aria-labelledby") ?? "").split(" ").map(text).join("").trim()
    || [...(e.labels ?? [])].map((l) => l.textContent).join("").trim()
    || (["A", "BUTTON", "SUMMARY"].includes(e.tagName) ? e.textContent.trim() : "")
    || (e.getAttribute("alt") ?? "") || (e.getAttribute("title") ?? "");
  const asked = "a[href],button,input,select,textarea,summary,video,audio,iframe,progress,[role=group],[role=radiogroup],[role=slider],[tabindex='0']";
  return [...document.querySelectorAll(asked)].filter((e) => shown(e) && !named(e)).map((e) => e.outerHTML.slice(0, 160));
}"""

PALE = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
  const rgba = (c) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = c; canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data; return [r, g, b, a / 255]; };
  const over = (top, under) => [0, 1, 2].map((k) => top[k] * top[3] + under[k] * (1 - top[3]));
  const ground = (e) => {
    const layers = [];
    for (let at = e; at; at = at.parentElement) { const c = rgba(getComputedStyle(at).backgroundColor); layers.push(c); if (c[3] > 0.99) break; }
    return layers.reverse().reduce((under, top) => over(top, under), rgba(getComputedStyle(document.documentElement).backgroundColor));
  };
  const light = (c) => { const [r, g, b] = c.map((v) => v / 255).map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const found = new Set(), walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !e.checkVisibility() || e.closest("script,noscript,:disabled,[aria-disabled=true],.unseen,option,.skip")) continue;
    const style = getComputedStyle(e), size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.6 && style.fontWeight >= 700);
    const under = ground(e), a = light(over(rgba(style.color), under)), b = light(under);
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < (large ? 3 : 4.5)) found.add(`${ratio.toFixed(2)} ${e.tagName}.${e.className} ${walker.currentNode.textContent.trim().slice(0, 40)}`);
  }
  return [...found];
}"""

# A box around a face may be small: the same choice is offered beside it.
SMALL = """(least) => [...document.querySelectorAll("a[href],button:not(.box),input:not([type=file]),select,textarea,summary")]
  .filter((e) => e.checkVisibility() && !e.closest(".skip"))
  .map((e) => [e, (e.closest("label") ?? e).getBoundingClientRect()])
  .filter(([, r]) => r.width < least - 0.5 || r.height < least - 0.5)
  .map(([e, r]) => `${Math.round(r.width)}x${Math.round(r.height)} ${e.outerHTML.slice(0, 120)}`)"""

TWICE = """() => { const all = [...document.querySelectorAll("[id]")].map((e) => e.id);
  return all.filter((id, k) => all.indexOf(id) !== k); }"""


def expect_usable(page: Page) -> None:
    """Every control has a name, every text is dark or light enough, no id is there twice."""
    for what, script in (("nameless", NAMELESS), ("pale", PALE), ("twice", TWICE)):
        found = page.evaluate(script)
        assert not found, f"{what}: {found}"
    assert page.evaluate("document.querySelectorAll('h1').length") == 1
    assert page.evaluate("document.documentElement.lang") == "en"


def expect_room(page: Page) -> None:
    """Nothing is wider than the window, and fingers hit what is there to be hit."""
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    small = page.evaluate(SMALL, SMALLEST_TAP)
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
    started: Browser, width: int = 1280, height: int = 860, scheme: str = "light", **more: Any
) -> Iterator[Page]:
    """Open a page; what it writes into the console or what its policy refuses fails the test."""
    context = started.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, locale="en-GB", **more
    )
    context.set_default_timeout(_PATIENCE)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda m: said.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.add_init_script(
        "addEventListener('securitypolicyviolation', (e) => console.error('policy', e.violatedDirective, e.blockedURI))"
    )
    yield page
    context.close()
    assert not said, said
