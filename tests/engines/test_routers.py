"""Real routers: one bar, one view a page, and each under its own address, also when answers are slow."""

from __future__ import annotations

from typing import Final

import pytest

from tests.engines.routers import ROUTERS, Router
from tests.engines.server import RecorderServer
from tests.engines.tab import Tab
from tests.engines.test_one_bar import BARS
from tests.support.page_server import Site

SHOWN: Final = "page => location.pathname == '/' + page && document.querySelector('h1')?.textContent == page"
"""Whether a page is there, not only its address."""
STEPS: Final = (
    ("click", "b"),
    ("click", "c"),
    ("back", "b"),
    ("back", "a"),
    ("forward", "b"),
    ("click", "c"),
    ("click", "a"),
)


def opened(tab: Tab, site: Site, router: Router) -> None:
    """Opens the first page and waits for its visit and its bar."""
    router(site)
    tab.goto(f"{site.origin}/a")
    tab.until(SHOWN, "a")
    tab.until(f"() => window.grapevine?.visit && ({BARS})() == 'fixed'")


def go(tab: Tab, step: str) -> None:
    if step == "click":
        tab.click("#next")
    else:
        tab.run(f"() => history.{step}()")


@pytest.mark.parametrize("router", ROUTERS, ids=lambda router: router.__name__)
def test_one_bar_and_one_view_a_page(tab: Tab, site: Site, recorder: RecorderServer, router: Router) -> None:
    opened(tab, site, router)
    site.delay = 0.3
    bars = []
    for number, (step, page) in enumerate(STEPS, 1):
        go(tab, step)
        tab.until(SHOWN, page)
        bars.append(tab.run(BARS))
        recorder.wait("views", number)
    tab.click("#part")
    # A router that draws the same page anew shows it once.
    tab.run("() => void window.Turbo?.visit(location.href, {action: 'replace'})")
    tab.run("() => new Promise(done => setTimeout(done, 700))")
    bars.append(tab.run(BARS))
    assert bars == ["fixed"] * (len(STEPS) + 1)
    pages = ["a", *(page for _, page in STEPS)]
    seen = [report["url"] for report in [*recorder.of("visits"), *recorder.of("views")]]
    assert seen == [f"{site.origin}/{page}" for page in pages]
    assert tab.errors() == []
