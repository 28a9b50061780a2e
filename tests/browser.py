"""A real browser for tests: Chromium from the system, told where to look and how to stay at home."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@contextmanager
def browser() -> Iterator[Any]:
    """Chromium, started; the test is skipped with the reason where there is none."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install playwright")
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"needs a browser: none of {', '.join(NAMES)} is installed (apt install chromium)")
    arguments = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=arguments)
        try:
            yield started
        finally:
            started.close()


@contextmanager
def visit(started: Any, address: str, **how: Any) -> Iterator[Any]:
    """A page of a new reader; afterwards nothing may have gone wrong in it, and nothing may have left this machine."""
    context = started.new_context(reduced_motion="reduce", **{"viewport": {"width": 1280, "height": 900}, **how})
    context.set_default_timeout(30_000)
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
    page.on("dialog", lambda dialog: (wrong.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    page.on("request", lambda asked: None if _at_home(asked.url) else wrong.append(f"asked {asked.url[:200]}"))
    page.on("console", lambda told: wrong.append(f"console: {told.text}") if told.type == "error" else None)
    try:
        page.goto(address)
        yield page
        assert wrong == [], "; ".join(wrong)
    finally:
        context.close()


def _at_home(url: str) -> bool:
    return url.startswith(("http://127.0.0.1:", "file://", "data:", "blob:", "about:"))
