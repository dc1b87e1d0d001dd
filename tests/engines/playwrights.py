"""Chromium and Firefox, driven by Playwright."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, Page, Playwright

from tests.engines.tab import SECONDS, Tab
from tests.support.browsers import DESK

QUIET: Final[dict[str, str | float | bool]] = {
    "services.settings.server": "data:,#remote-settings-dummy/v1",
    "network.dns.disablePrefetch": True,
    "network.dns.disablePrefetchFromHTTPS": True,
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.enabled": False,
    "app.normandy.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "extensions.update.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
}
"""Preferences that stop Firefox's own network requests."""


class PlaywrightTab(Tab):
    def __init__(self, engine: str, page: Page) -> None:
        self.engine = engine
        self.page = page

    def goto(self, url: str) -> None:
        self.page.goto(url)

    def run(self, function: str, *arguments: Any) -> Any:
        return self.page.evaluate(f"list => ({function})(...list)", list(arguments))

    def press(self, keys: str) -> None:
        self.page.keyboard.press(keys)

    def click(self, css: str) -> None:
        self.page.locator(css).first.click()

    def png(self, path: Path) -> None:
        self.page.screenshot(path=path)


@contextmanager
def opened(engine: str, browser: Browser) -> Iterator[Tab]:
    """A tab of a profile of its own, for as long as the block lasts."""
    context = browser.new_context(user_agent=DESK) if engine == "chromium" else browser.new_context()
    context.set_default_timeout(SECONDS * 1000)
    yield PlaywrightTab(engine, context.new_page())
    context.close()


def start_firefox(playwright: Playwright, path: str) -> Browser:
    return playwright.firefox.launch(channel="moz-firefox", executable_path=path, firefox_user_prefs=QUIET)
