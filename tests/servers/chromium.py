"""A real Chromium: Debian's, driven by playwright, with a fresh profile for whoever asks."""

import shutil
from contextlib import contextmanager

from playwright.sync_api import sync_playwright

ALONE = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def chromium():
    path = shutil.which("chromium")
    assert path, "The browser is not installed: make packages"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ALONE)
        yield browser
        browser.close()
