"""Real routers: one bar, one view a page, and each under its own address and title, also when answers are slow."""

from __future__ import annotations

from typing import Final

import pytest

from tests.engines.routers import MORE, ROUTERS, Router, pjax
from tests.engines.server import RecorderServer
from tests.engines.tab import Tab
from tests.engines.test_one_bar import BARS, SETTLED
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
)


def name(router: Router) -> str:
    return router.__name__


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


@pytest.mark.parametrize("router", [*ROUTERS, *(pytest.param(one, marks=pytest.mark.slow) for one in MORE)], ids=name)
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
    seen = [(report["url"], report["title"]) for report in [*recorder.of("visits"), *recorder.of("views")]]
    assert seen == [(f"{site.origin}/{page}", f"Title of {page}") for page in pages]
    assert tab.errors() == []


def test_a_page_that_comes_late_is_reported_without_the_title_before(
    tab: Tab, site: Site, recorder: RecorderServer
) -> None:
    opened(tab, site, pjax)
    go(tab, "click")
    recorder.wait("views", 1)
    site.delay = 1.6
    go(tab, "back")
    view = recorder.wait("views", 2)[-1]
    assert (view["url"], view.get("title")) == (f"{site.origin}/a", None)
    tab.until(SHOWN, "a")
    tab.run(SETTLED)
    assert tab.run(BARS) == "fixed"
    assert recorder.paths == ["visits", "views", "views"]
