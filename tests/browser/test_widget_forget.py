"""Erasing a visit concerns one tab of a browser; the others keep theirs."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.fake_collect_api import Recorder, token
from tests.support.fake_server import SITE
from tests.support.page_server import Site

ARRIVED = "() => window.grapevine?.visit"


def test_another_tab_keeps_its_visit(page: Page, site: Site, recorder: Recorder) -> None:
    url = site.page("/p", "<p>A page.</p><grapevine-forget></grapevine-forget>")
    other = page.context.new_page()
    for tab in (other, page):
        tab.goto(url)
        tab.wait_for_function(ARRIVED)
    page.locator("grapevine-forget button").click()
    expect(page.locator("grapevine-forget [role=status]")).to_have_text("Erased")
    assert recorder.of("forget") == [{"site": SITE, "session": "session2"}]
    assert page.evaluate("() => grapevine.visit") is None
    assert other.evaluate("() => grapevine.visit") == "visit1"
    assert token(1, "copy") in other.evaluate("() => grapevine.url('copy')")
    other.reload()
    [view] = recorder.wait(other, "views")
    assert view["session"] == "session1"
    page.reload()
    page.wait_for_function(ARRIVED)
    assert page.evaluate("() => grapevine.visit") == "visit3"


def test_a_tab_made_from_another_has_its_visit_until_the_next_page(page: Page, site: Site, recorder: Recorder) -> None:
    """A duplicated tab has a copy of the storage: the server no longer knows its visit, so a new one begins."""
    url = site.page("/p")
    page.goto(url)
    page.wait_for_function(ARRIVED)
    copied = page.evaluate("() => sessionStorage['grapevine:sitekey']")
    assert page.evaluate("() => grapevine.forget()") is True
    duplicate = page.context.new_page()
    duplicate.add_init_script(f"sessionStorage['grapevine:sitekey'] ??= {copied!r}")
    duplicate.route("**/v1/views", lambda route: route.fulfill(
        status=422, headers={"Access-Control-Allow-Origin": "*"}, body='{"code": "invalid"}'
    ))  # fmt: skip
    duplicate.goto(url)
    duplicate.wait_for_function("() => window.grapevine?.visit == 'visit2'")
    assert len(recorder.of("visits")) == 2


def test_a_page_without_buttons_loads_the_part_that_erases_and_no_other(
    page: Page, site: Site, recorder: Recorder
) -> None:
    page.goto(site.page("/p", snippet=site.snippet.replace("></", ' data-buttons=""></')))
    page.wait_for_function(ARRIVED)
    assert page.evaluate("() => grapevine.forget()") is True
    assert [name.split(".", 2)[2] for name in recorder.asked if name.count(".") > 1] == ["forget.js"]
