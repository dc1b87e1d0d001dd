"""The dashboard in a real browser: by keyboard alone, and nothing on it that the browser complains about."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.demo import Demo, MakeReader, readers
from tests.browser.test_widget_access import check
from tests.support.browsers import DESK

VIOLATIONS = """
window.violations = [];
document.addEventListener('securitypolicyviolation', event =>
  violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));
"""
FOCUSED = "() => document.activeElement.textContent.trim() || document.activeElement.id"


@pytest.fixture(scope="module")
def shared(browser: Browser, demo: Demo) -> Iterator[tuple[str, str]]:
    """The root of a small cascade with a conversion, and a token of it."""
    with readers(browser, demo) as make:
        page = make(locale="en-GB").open(demo.page("/"))
        link = page.evaluate("() => grapevine.url('whatsapp')")
        buyer = make(locale="de-DE")
        tab = buyer.open(link)
        tab.evaluate("() => grapevine.convert('order', {value: '49.00', currency: 'EUR'})")
        buyer.wait(tab, "conversions")
        yield page.evaluate("() => grapevine.visit"), link[-23:]


def signed_in(page: Page, demo: Demo) -> None:
    page.goto(demo.server)
    expect(page.get_by_label("API key")).to_be_focused()
    page.keyboard.type(demo.key)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Overview")).to_be_visible()


@pytest.mark.parametrize("script", [True, False], ids=["with scripts", "without scripts"])
def test_signing_in_needs_nothing_but_a_keyboard(demo: Demo, reader: MakeReader, *, script: bool) -> None:
    page = reader(java_script_enabled=script).context.new_page()
    signed_in(page, demo)
    [cookie] = page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["domain"]) == (True, "Lax", "127.0.0.1")
    assert demo.key not in cookie["value"]
    page.get_by_role("button", name="Sign out").press("Enter")
    expect(page.get_by_label("API key")).to_be_focused()
    page.goto(f"{demo.server}/cascades")
    expect(page.get_by_label("API key")).to_be_visible()


def test_tab_leads_through_the_sign_in_page(demo: Demo, reader: MakeReader) -> None:
    page = reader().context.new_page()
    page.goto(f"{demo.server}/sign-in")
    expect(page.get_by_label("API key")).to_be_focused()
    stops = []
    for key in ("Tab", "Tab", "Shift+Tab", "Shift+Tab", "Shift+Tab", "Shift+Tab"):
        page.keyboard.press(key)
        stops.append(page.evaluate(FOCUSED))
        assert page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle") != "none", stops
    assert stops == ["Sign in", "Where do I find my key?", "Sign in", "key", "Grapevine", "Skip to the content"]


def test_a_wrong_key_is_refused_and_can_be_corrected(demo: Demo, reader: MakeReader) -> None:
    person = reader()
    person.expected = "Failed to load resource: the server responded with a status of 401"
    page = person.context.new_page()
    page.goto(demo.server)
    expect(page.get_by_label("API key")).to_be_focused()
    page.keyboard.type(demo.site)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("does not open anything")
    expect(page.get_by_label("API key")).to_be_focused()
    page.keyboard.type(demo.key)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Overview")).to_be_visible()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_no_page_of_it_troubles_the_browser(
    demo: Demo, reader: MakeReader, shared: tuple[str, str], scheme: str, width: int
) -> None:
    root, token = shared
    page = reader(color_scheme=scheme, viewport={"width": width, "height": 800}).context.new_page()
    page.add_init_script(VIOLATIONS)
    signed_in(page, demo)
    wanted = {"url": f"{demo.origin}/", "label": "A" * 200, "campaign": "may", "places": ["door"]}
    link = demo.client.post("/v1/links", json=wanted).json()
    body = {"site": demo.site, "url": wanted["url"], "nonce": f"link{width:020}", "token": link["token"]}
    demo.client.post("/v1/visits", json=body, headers={"Origin": demo.origin, "User-Agent": DESK}).raise_for_status()
    for path, heading in {
        "/": "Overview",
        "/?days=1": "Overview",
        "/?channel=whatsapp": "Overview",
        "/cascades": "Cascades",
        f"/cascades/{root}": "/",
        "/direct": "Direct traffic",
        "/direct?days=90": "Direct traffic",
        "/links": "Links",
        "/links?campaign=may": "Links",
        f"/links/{link['token']}": "A" * 200,
        "/conversions": "Conversions",
        "/conversions?model=position&goal=order": "Conversions",
        "/tokens": "Token look-up",
        f"/tokens?token={token}": "Token look-up",
    }.items():
        page.goto(demo.server + path)
        expect(page.get_by_role("heading", level=1)).to_contain_text(heading)
        assert page.evaluate("() => violations") == [], path
        loaded = page.evaluate(
            "() => performance.getEntriesByType('resource').map(entry => new URL(entry.name).origin)"
        )
        assert set(loaded) <= {demo.server}
        wide = page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, path
        if "links" in path:
            check(page)
