"""Tokens in fragments: an identifier where the server says so, read in both forms, with whatever hangs on them."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import snippet
from tests.browser.fake_collect_api import Recorder, token
from tests.support.browsers import copy
from tests.support.page_server import Site

HANGING = {
    "#gv-{}.": "",
    "#gv={}.": "",
    "?gv={}.": "",
    "#gv-{})": "",
    "#gv-{},": "",
    "#gv-{};": "",
    "#gv-{}!": "",
    "#gv-{}…": "",
    "#gv-{}。": "",
    "#gv-{}”": "",
    "#gv-{}**": "",
    "#gv-{}_": "",
    "#gv-{}>": "",
    "#gv-{}を見て": "",
    "#gv-{} and more": "",
    "?gv={}%20and": "",
    "?gv={}%E2%80%9D&page=2": "?page=2",
    "?a=1&gv={})#part": "?a=1#part",
    "#gv-{}%29.": "",
    "#gv%3D{}": "",
    "?gv%3d{}%2C": "",
    "?gv%2D{}": "",
    "#gv-{}%26fbclid%3Dx": "",
    "#gv-{}?utm_source=email&utm_medium=mail": "",
    "#gv-{}&fbclid=x&page=2": "#page=2",
    "#gv-{}&page=2&fbclid=x": "#page=2",
    "#gv={}&utm_source=a&gclid=b&msclkid=": "",
    "?gv={}#utm_source=a": "",
    "#part&gv-{}&fbclid=x": "#part",
    "#/route?gv-{}&utm_source=a&y=2": "#/route?utm_source=a&y=2",
    "?gv={}?utm_source=email&page=2": "?page=2",
    "?gv={}&fbclid=x&page=2": "?fbclid=x&page=2",
    "?gv={}&utm_source=a#part": "?utm_source=a#part",
    "#gv-{}#part": "#part",
    "?a=1&amp;gv={}&b=2": "?a=1&b=2",
    "?a=1&amp;gv={}#part": "?a=1#part",
    "?a=1&#038;gv={}": "?a=1",
    "#part&amp;gv-{}": "#part",
    "#gv-{}%C2%AD": "",
    "#gv-{}&gv=0123456789abcdefghijkLM#gv-0123456789abcdefghijkLM": "",
}
"""What a page is opened with, and what its address bar holds then. Click ids in a query are other people's evidence and
stay; in a fragment hardly any analytics looks for them."""


def test_what_hangs_on_a_token_leaves_the_address_bar_with_it(page: Page, site: Site, recorder: Recorder) -> None:
    site.page("/p")
    found = {}
    for number, opened in enumerate(HANGING, 1):
        own = f"T{number:02d}".ljust(23, "x")
        page.goto("about:blank")
        page.goto(site.origin + "/p" + opened.format(own))
        body = recorder.wait(page, "visits", number)[-1]
        assert body["token"] == own, opened
        assert own not in body["url"], opened
        page.wait_for_function("() => window.grapevine?.visit")
        found[opened] = page.evaluate("() => location.href").removeprefix(site.origin + "/p")
    assert found == HANGING


@pytest.mark.parametrize(
    ("place", "from_page", "shared"),
    [
        ("auto", "/p", "/p#gv-{}"),
        ("auto", "/p?a=1", "/p?a=1#gv-{}"),
        ("auto", "/p#part", "/p?gv={}#part"),
        ("query", "/p", "/p?gv={}"),
        ("fragment", "/p#part", "/p#part&gv-{}"),
        ("fragment", "/p", "/p#gv-{}"),
    ],
)
def test_the_server_says_how_a_token_is_written(
    page: Page, site: Site, recorder: Recorder, place: str, from_page: str, shared: str
) -> None:
    recorder.joint = "-"
    site.page("/p", f'<p id="x">Read <a href="{from_page}">this</a></p>', snippet=snippet(place=place, buttons="copy"))
    page.goto(site.origin + from_page)
    page.wait_for_function("() => window.grapevine?.visit")
    expected = site.origin + shared.format(token(1, "copy"))
    assert page.evaluate("() => grapevine.url('copy')") == expected
    assert f'href="{expected.replace("&", "&amp;")}"' in copy(page, "#x")["text/html"]


def test_a_site_can_go_back(page: Page, site: Site, recorder: Recorder) -> None:
    """The answer to each visit counts, whatever the tab remembers of another one."""
    site.page("/p", snippet=snippet(buttons="copy"))
    written = []
    for number, joint in enumerate(("-", "=", "-"), 1):
        recorder.joint = joint
        page.goto(f"{site.origin}/p#gv-{number:023d}")
        page.wait_for_function(f"() => window.grapevine?.visit == 'visit{number}'")
        written.append(page.evaluate("() => grapevine.url('copy')").removeprefix(site.origin)[:6])
        page.goto("about:blank")
    assert written == ["/p#gv-", "/p#gv=", "/p#gv-"]
