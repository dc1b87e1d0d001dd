"""A clock of the page that stands still until the test moves it; once installed, Playwright's goes on in real time."""

from __future__ import annotations

from playwright.sync_api import Page


def hold_clock(page: Page) -> None:
    """Holds the installed clock a minute ahead; only ``page.clock.run_for`` moves it from then on."""
    page.clock.pause_at(page.evaluate("() => Date.now()") / 1000 + 60)
