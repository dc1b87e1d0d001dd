"""Reload, restore, duplicate, prerender: a browser that repeats a visit by itself makes no return (running demo)."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser.demo import ARRIVED, Demo, MakeReader, Reader
from tests.browser.raw_chromium import bare_chromium

MEMORY = "() => JSON.stringify({...sessionStorage})"
RESTORE = "Object.assign(sessionStorage, JSON.parse({}))"
SHARED = "() => grapevine.url('copy')"
FIRST_VISIT = ("visits", "returns", "self_returns")


class Arrived:
    """A friend who has opened a shared link."""

    def __init__(self, demo: Demo, reader: MakeReader, path: str) -> None:
        sharer = reader(locale="en-GB")
        self.clean = demo.page(path)
        page = sharer.open(self.clean)
        self.link = page.evaluate(SHARED)
        self.friend: Reader = reader(locale="de-DE")
        self.page = self.friend.open(self.link)
        self.demo = demo
        self.check(views=0)

    def views(self, page: Page, number: int) -> None:
        """Waits for views, and for nothing else but views."""
        self.friend.wait(page, "views", number)
        self.check(views=number)

    def check(self, *, views: int) -> None:
        """The friend's browser reported one return, these views, and nothing else; so it stands in the numbers."""
        visits = self.friend.of("visits")
        assert ["token" in visit for visit in visits] == [True]
        assert self.friend.paths == ["visits"] + ["views"] * views
        assert self.demo.numbers(self.clean, *FIRST_VISIT) == [2, 1, 0]


@pytest.fixture
def arrive(demo: Demo, reader: MakeReader) -> Callable[[str], Arrived]:
    return lambda path: Arrived(demo, reader, path)


def test_reload_back_forward_and_reading_on_are_views(demo: Demo, arrive: Callable[[str], Arrived]) -> None:
    arrived = arrive("/articles/sixty-one-per-cent/")
    page = arrived.page
    page.reload()
    arrived.views(page, 1)
    page.click("header.site nav a[href='/docs/']")
    arrived.views(page, 2)
    page.go_back()
    arrived.views(page, 3)
    page.go_forward()
    arrived.views(page, 4)
    page.goto(arrived.clean)
    arrived.views(page, 5)
    page.goto(f"{demo.origin}/")
    arrived.views(page, 6)
    page.goto(arrived.link)
    arrived.views(page, 7)
    assert page.url == arrived.clean
    sessions = {view["session"] for view in arrived.friend.of("views")}
    assert len(sessions) == 1
    seen = [view["url"].removeprefix(demo.origin) for view in arrived.friend.of("views")]
    here = arrived.clean.removeprefix(demo.origin)
    assert seen == [here, "/docs/", here, "/docs/", here, "/", here]


def test_the_same_link_pasted_into_the_same_tab_is_a_view(arrive: Callable[[str], Arrived]) -> None:
    arrived = arrive("/articles/family-tree-of-a-jar/")
    page = arrived.page
    page.evaluate("() => { location.hash = 'one-name-each' }")
    page.evaluate("fragment => { location.hash = fragment }", arrived.link.partition("#")[2])
    arrived.views(page, 1)
    assert page.url == arrived.clean
    page.reload()
    arrived.views(page, 2)


@pytest.mark.parametrize("with_token", [False, True])
def test_a_duplicated_tab_goes_on_with_the_visit(arrive: Callable[[str], Arrived], *, with_token: bool) -> None:
    arrived = arrive("/articles/the-wine-that-went-wrong/")
    with arrived.page.expect_popup() as opened:  # copies the session storage, as duplicating does
        arrived.page.evaluate("url => { window.open(url) }", arrived.link if with_token else arrived.clean)
    arrived.views(opened.value, 1)
    assert opened.value.url == arrived.clean
    assert opened.value.evaluate(ARRIVED) == arrived.page.evaluate(ARRIVED)


@pytest.mark.parametrize("with_token", [False, True])
def test_a_restored_tab_goes_on_with_the_visit(arrive: Callable[[str], Arrived], *, with_token: bool) -> None:
    arrived = arrive("/articles/the-wine-that-went-wrong/")
    memory, visit = arrived.page.evaluate(MEMORY), arrived.page.evaluate(ARRIVED)
    arrived.page.close()
    restored = arrived.friend.context.new_page()
    restored.add_init_script(RESTORE.format(json.dumps(memory)))
    restored.goto(arrived.link if with_token else arrived.clean)
    arrived.views(restored, 1)
    assert restored.url == arrived.clean
    assert restored.evaluate(ARRIVED) == visit


@pytest.mark.parametrize("rel", ["noopener", "noreferrer", "opener"])
def test_a_new_tab_from_an_own_page_is_a_visit_and_no_return(
    demo: Demo, arrive: Callable[[str], Arrived], rel: str
) -> None:
    arrived = arrive("/articles/family-tree-of-a-jar/")
    target = demo.page("/docs/")
    make = (
        "([url, rel]) => document.body.append(Object.assign(document.createElement('a'), {href: url, rel, id: 'on'}))"
    )
    arrived.page.evaluate(make, [target, rel])
    arrived.page.evaluate("() => { document.querySelector('#on').textContent = 'on'; scrollTo(0, 1e6) }")
    with arrived.friend.context.expect_page() as opened:
        arrived.page.click("#on", modifiers=["ControlOrMeta"])
    opened.value.wait_for_function(ARRIVED)
    # Requests of such a tab may be under way before Playwright listens, so the server is asked what arrived.
    rows = demo.get("/v1/stats/breakdown", by="source", page=target)
    source = "direct-deep" if rel == "noreferrer" else "internal"
    assert [(row["key"], row["visits"], row["views"], row["returns"]) for row in rows] == [(source, 1, 1, 0)]
    assert demo.numbers(arrived.clean, *FIRST_VISIT, "views") == [2, 1, 0, 2]
    assert set(arrived.friend.paths) == {"visits"}
    assert arrived.page.evaluate(ARRIVED) != opened.value.evaluate(ARRIVED)


def test_a_page_from_the_cache_is_a_view(demo: Demo) -> None:
    first = demo.page("/articles/sixty-one-per-cent/")
    with bare_chromium() as browser:
        browser.open(first)
        visit = browser.wait(f"location.href == {first!r} && window.grapevine?.visit")
        browser.run("window.kept = true")
        browser.open(f"{demo.origin}/docs/")
        browser.wait("location.pathname == '/docs/' && window.grapevine?.visit")
        until_views(demo, first, 2)
        browser.run("history.back()")
        browser.wait(f"location.href == {first!r} && window.kept")
        until_views(demo, first, 3)
        assert browser.run("grapevine.visit") == visit
        assert browser.run("document.querySelectorAll('grapevine-buttons[position]').length") == 1
    assert demo.numbers(first, "visits", "returns", "self_returns", "views") == [1, 0, 0, 3]


def until_views(demo: Demo, page: str, views: int) -> None:
    """Waits until the server has counted so many views of a visit that began on the page."""
    for _ in range(500):
        if demo.numbers(page, "views") == [views]:
            return
    raise AssertionError(demo.numbers(page, "visits", "views"))


AHEAD = """{
  const script = document.createElement('script');
  script.type = 'speculationrules';
  script.textContent = JSON.stringify({prerender: [{urls: [%s], eagerness: 'immediate'}]});
  document.head.append(script);
}"""


def test_a_prerendered_page_reports_its_visit_when_it_is_seen(demo: Demo, reader: MakeReader) -> None:
    clean = demo.page("/articles/a-cellar-by-ear/")
    page = reader(locale="en-GB").open(clean)
    link = page.evaluate(SHARED)
    with bare_chromium() as browser:
        browser.open(f"{demo.origin}/docs/loaf.json")  # a document of the site that no widget is in
        browser.wait("location.pathname.endsWith('json') && document.readyState == 'complete'")
        browser.run(AHEAD % json.dumps(link))
        ready = "document.prerendering && document.readyState == 'complete' && !!window.grapevine?.version"
        browser.wait(ready, prerendered=True)
        assert browser.run("[location.href, sessionStorage.length]", prerendered=True) == [clean, 0]
        assert demo.numbers(clean, *FIRST_VISIT) == [1, 0, 0]
        browser.open(link)
        browser.wait(f"location.href == {clean!r} && !document.prerendering && window.grapevine?.visit")
        assert browser.run("performance.getEntriesByType('navigation')[0].activationStart > 0") is True
        assert demo.numbers(clean, *FIRST_VISIT) == [2, 1, 0]
    token = link[-23:]
    assert (demo.share(token)["returns"], demo.share(token)["self_returns"]) == (1, 0)


def test_reading_on_to_a_prerendered_page_is_a_view_when_it_is_seen(demo: Demo) -> None:
    first, second = demo.page("/docs/"), demo.page("/articles/a-cellar-by-ear/")
    with bare_chromium() as browser:
        browser.open(first)
        visit = browser.wait(f"location.href == {first!r} && window.grapevine?.visit")
        browser.run(AHEAD % json.dumps(second))
        browser.wait("document.prerendering && !!window.grapevine?.version", prerendered=True)
        assert demo.numbers(first, "visits", "views") == [1, 1]
        browser.open(second)
        browser.wait(f"location.href == {second!r} && window.grapevine?.visit")
        until_views(demo, first, 2)
        assert browser.run("grapevine.visit") == visit
    assert demo.numbers(first, "visits", "returns", "self_returns", "views") == [1, 0, 0, 2]
    assert demo.numbers(second, "visits") == [0]
