"""The browser of the system, driven by Playwright: where it is found, and how it is opened."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
NO_BROWSER = "no Chromium is installed (Debian: apt-get install chromium; or name one in LEDGER_CHROMIUM)"
Size = tuple[int, int]
LAPTOP, PHONE = (1440, 900), (390, 844)
"""Widths and heights of windows, in pixels."""


def chromium() -> str | None:
    """The program that LEDGER_CHROMIUM names, else the first that is found; None where there is none."""
    named = os.environ.get("LEDGER_CHROMIUM")
    if named:
        return shutil.which(named)
    return next((found for name in NAMES if (found := shutil.which(name))), None)


@contextmanager
def opened_browser() -> Iterator[Browser]:
    """The browser, closed at the end. Chromium has no sandbox for root, as whom it runs in containers."""
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=arguments)
        try:
            yield browser
        finally:
            browser.close()


def profile(browser: Browser, size: Size = LAPTOP, **options: Any) -> BrowserContext:
    """Cookies, a cache and a look of its own, as somebody else's browser would have."""
    width, height = size
    return browser.new_context(viewport={"width": width, "height": height}, **options)
