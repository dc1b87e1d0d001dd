"""Copying: own URLs carry the reader's token, everything else is as the browser copies it without the widget."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import snippet
from tests.browser.fake_collect_api import Recorder, token, until
from tests.support.browsers import clipboard, copy, select
from tests.support.page_server import Site

T = token(1, "copy")
OLD = "0123456789abcdefghijkLM"


def copies(page: Page, site: Site, bodies: dict[str, str]) -> dict[str, list[dict[str, str]]]:
    """Returns the text copied from each body, without and then with the widget."""
    found: dict[str, list[dict[str, str]]] = {case: [] for case in bodies}
    html = "".join(
        f'<section id="case{i}">{body.format(site.origin)}</section>' for i, body in enumerate(bodies.values())
    )
    for path, embed in (("/bare", ""), ("/live", None)):
        site.page(path, html + "<p>The end.</p>", snippet=embed)
        page.goto(site.origin + path)
        if embed is None:
            page.wait_for_function("() => window.grapevine?.visit")
            # Every copy of this page carries the first token, so that the copies can be compared.
            page.evaluate(
                "() => { window.fetch = async () => ({status: 503, headers: new Headers(), json: async () => ({})}) }"
            )
        for i, case in enumerate(bodies):
            found[case].append(copy(page, f"#case{i} #x"))
    return found


def live(page: Page, site: Site, body: str, **attributes: str) -> None:
    """Opens a page that carries the widget, and waits until it has its tokens."""
    site.page("/p", body, snippet=snippet(**attributes))
    page.goto(site.origin + "/p")
    page.wait_for_function("() => window.grapevine?.visit")


def test_urls_in_running_text(page: Page, site: Site) -> None:
    texts = {
        "{0}": "{0}#gv={1}",
        "{0}/": "{0}/#gv={1}",
        "({0}/a)": "({0}/a#gv={1})",
        "{0}/a_(b)": "{0}/a_(b)#gv={1}",
        "{0}/a?x=1&y=%20": "{0}/a?x=1&y=%20#gv={1}",
        "{0}/a#b": "{0}/a?gv={1}#b",
        "{0}/a?#b": "{0}/a?&gv={1}#b",
        "{0}/a?x#:~:text=y": "{0}/a?x&gv={1}#:~:text=y",
        f"{{0}}/a#gv={OLD}": "{0}/a#gv={1}",
        f"{{0}}/a?b=1&gv={OLD}#c": "{0}/a?b=1&gv={1}#c",
        "{0}/ä/日本?ö=ü": "{0}/ä/日本?ö=ü#gv={1}",
        "„{0}/a“, “{0}/a”…": "„{0}/a#gv={1}“, “{0}/a#gv={1}”…",
        "{0}/a。{0}/b、": "{0}/a#gv={1}。{0}/b#gv={1}、",
        "Go: {0}/a! {0}/b? {0}/c; {0}/d.": "Go: {0}/a#gv={1}! {0}/b#gv={1}? {0}/c#gv={1}; {0}/d#gv={1}.",
        "&lt;{0}/a&gt; \"{0}/a\" '{0}/a'": "<{0}/a#gv={1}> \"{0}/a#gv={1}\" '{0}/a#gv={1}'",
        "{0}/<wbr>long/<wbr>path": "{0}/long/path#gv={1}",
        "{0}x {0}.example.com": "{0}x {0}.example.com",
    }
    found = copies(page, site, {text: f'<p id="x">{text}</p>' for text in texts})
    copied = {text: with_widget["text/plain"] for text, (_, with_widget) in found.items()}
    assert copied == {text: expected.format(site.origin, T) for text, expected in texts.items()}


@pytest.mark.parametrize("field", ["<input id=f>", "<textarea id=f></textarea>", "<input id=f type=url>"])
def test_a_field_is_tagged_only_when_one_own_url_is_all_that_is_selected(
    page: Page, site: Site, recorder: Recorder, field: str
) -> None:
    url = site.origin + "/a?b=1"
    live(page, site, field)
    for value, expected in [
        (url, f"{url}#gv={T}"),
        (f"see {url}", f"see {url}"),
        (f"{url} {url}", f"{url} {url}"),
        ("https://example.com/", "https://example.com/"),
        ("/a", "/a"),
    ]:
        page.fill("#f", value)
        page.keyboard.press("Control+a")
        page.keyboard.press("Control+c")
        assert clipboard(page)["text/plain"] == expected
    assert [share["url"] for share in recorder.of("shares")] == [url]


def test_a_copy_is_reported_and_gets_the_next_token(page: Page, site: Site, recorder: Recorder) -> None:
    live(page, site, '<p id="x">Read <a href="/a?b#c">this</a></p>')
    copy(page, "#x")
    [share] = recorder.wait(page, "shares")
    assert share.pop("nonce")
    assert share == {
        "site": "sitekey",
        "session": "session1",
        "token": T,
        "url": site.origin + "/a?b#c",
    }
    until(page, lambda: page.evaluate("() => grapevine.url('copy')"), lambda url: token(1, "copy", 1) in url)
    assert token(1, "copy", 1) in copy(page, "#x")["text/html"]
    assert [share["token"] for share in recorder.wait(page, "shares", 2)] == [T, token(1, "copy", 1)]


def test_a_share_in_the_moment_of_leaving_is_reported(page: Page, site: Site, recorder: Recorder) -> None:
    live(page, site, '<p id="x">Read <a href="/a">this</a></p>')
    select(page, "#x")
    page.evaluate("() => { addEventListener('copy', () => { location.href = '/gone' }) }")
    page.keyboard.press("Control+c")
    assert [share["token"] for share in recorder.wait(page, "shares")] == [T]


def test_two_copies_in_one_task_leave_the_page_as_it_was(page: Page, site: Site) -> None:
    live(page, site, '<p id="x">Read <a href="a">this</a></p>')
    select(page, "#x")
    page.evaluate("() => { document.execCommand('copy'); document.execCommand('copy') }")
    until(page, lambda: page.inner_html("#x"), lambda html: html == 'Read <a href="a">this</a>')


def test_a_link_that_the_page_changes_meanwhile_keeps_the_change(page: Page, site: Site) -> None:
    live(page, site, '<p id="x">Read <a href="a">this</a></p>')
    page.evaluate("() => addEventListener('copy', () => { document.querySelector('#x a').href = 'b' })")
    copy(page, "#x")
    assert page.inner_html("#x") == 'Read <a href="b">this</a>'


def test_the_page_itself_is_as_before_after_a_copy(page: Page, site: Site) -> None:
    live(page, site, f'<p id="x">Read <a href="a">this</a> {site.origin}/b</p>')
    copy(page, "#x")
    assert page.inner_html("#x") == f'Read <a href="a">this</a> {site.origin}/b'
    assert page.evaluate("() => document.adoptedStyleSheets.length") == 0
