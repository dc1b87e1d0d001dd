"""The token in the address: it comes with a link, is gone from the bar, and the rest of the URL is unharmed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.demo import Demo, MakeReader, readers
from tests.support.browsers import clipboard

JAR = "/articles/family-tree-of-a-jar/"


@pytest.fixture(scope="module")
def token(browser: Browser, demo: Demo) -> Iterator[str]:
    """A share that many people open."""
    with readers(browser, demo) as make:
        page = make(locale="en-GB").open(demo.page("/"))
        yield page.evaluate("() => grapevine.url('telegram')")[-23:]


@pytest.mark.parametrize(
    ("opened", "left"),
    [
        (JAR + "#gv={}", JAR),
        (JAR + "?gv={}", JAR),
        (JAR + "?b=2&gv={}&a=%20ä", JAR + "?b=2&a=%20%C3%A4"),
        (JAR + "?gv={}#what-the-jar-forgets", JAR + "#what-the-jar-forgets"),
        (JAR + "?q=1#what-the-jar-forgets&gv={}", JAR + "?q=1#what-the-jar-forgets"),
        ("/routes/?gv={}#/wines/chenin", "/routes/#/wines/chenin"),
        ("/routes/?a=1&gv={}#/wines/chenin", "/routes/?a=1#/wines/chenin"),
        ("/app/winter?gv={}", "/app/winter"),
        ("/app/winter#gv={}", "/app/winter"),
    ],
)
def test_the_token_is_taken_out_and_nothing_else(
    demo: Demo, reader: MakeReader, token: str, opened: str, left: str
) -> None:
    friend = reader(locale="de-DE")
    before = demo.share(token)["returns"]
    page = friend.open(demo.origin + opened.format(token))
    assert page.url == demo.origin + left
    assert page.evaluate("() => [location.href, document.URL]") == [demo.origin + left] * 2
    [landing] = friend.of("visits")
    assert (landing["token"], landing["url"]) == (token, demo.origin + left)
    if "/routes/" in left:
        expect(page.get_by_role("heading", level=2, name="Chenin")).to_be_visible()
        expect(page.get_by_role("heading", level=2, name="Riesling")).to_be_hidden()
    elif "/app/" in left:
        expect(page.get_by_role("heading", level=1)).to_have_text("Winter")
    elif "}#" in opened:
        expect(page.get_by_role("heading", name="What the jar forgets")).to_be_in_viewport()
    share = demo.share(token)
    assert (share["channel"], share["returns"]) == ("telegram", before + 1)


def test_a_hash_route_is_shared_with_the_token_in_the_query(demo: Demo, reader: MakeReader) -> None:
    sharer, friend = reader(locale="en-GB"), reader(locale="de-DE")
    sharer.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = sharer.open(f"{demo.origin}/routes/")
    page.click("nav.pick a[href='#/wines/gamay']")
    sharer.wait(page, "views")
    page.get_by_role("button", name="Copy link").click()
    [share] = sharer.wait(page, "shares")
    link = clipboard(page)["text/plain"]
    assert link == f"{demo.origin}/routes/?gv={share['token']}#/wines/gamay"
    assert share["url"] == f"{demo.origin}/routes/#/wines/gamay"
    opened = friend.open(link)
    assert opened.url == f"{demo.origin}/routes/#/wines/gamay"
    expect(opened.get_by_role("heading", level=2, name="Gamay")).to_be_visible()
    assert demo.share(share["token"])["returns"] == 1
    assert sharer.paths == ["visits", "views", "shares"]


def test_after_a_route_change_the_new_page_is_shared(demo: Demo, reader: MakeReader) -> None:
    sharer, friend = reader(locale="en-GB"), reader(locale="de-DE")
    sharer.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = sharer.open(demo.page("/app/"))
    page.click("#view a[href='/app/autumn']")
    [view] = sharer.wait(page, "views")
    assert (view["url"], view["title"]) == (f"{demo.origin}/app/autumn", "Autumn · Lees")
    page.get_by_role("button", name="Copy link").click()
    [share] = sharer.wait(page, "shares")
    assert (share["url"], share["title"]) == (f"{demo.origin}/app/autumn", "Autumn · Lees")
    link = clipboard(page)["text/plain"]
    assert link == f"{demo.origin}/app/autumn#gv-{share['token']}"
    whatsapp = page.get_by_role("link", name="WhatsApp").get_attribute("href") or ""
    assert "%2Fapp%2Fautumn%23gv-" in whatsapp

    opened = friend.open(link)
    assert opened.url == f"{demo.origin}/app/autumn"
    expect(opened.get_by_role("heading", level=1)).to_have_text("Autumn")
    assert demo.share(share["token"])["url"] == f"{demo.origin}/app/autumn"

    page.go_back()
    sharer.wait(page, "views", 2)
    assert page.evaluate("() => grapevine.url('copy').split('#')[0]") == page.url
    assert sharer.paths == ["visits", "views", "shares", "views"]
