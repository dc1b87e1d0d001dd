"""Copying: own URLs carry the reader's token, everything else is as the browser copies it without the widget."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.browsers import clipboard, copy, select
from tests.browser.conftest import snippet
from tests.browser.markup import markup, squeeze
from tests.browser.pages import Site
from tests.browser.recorder import Recorder, token, until

T = token(1, "copy")
OLD = "0123456789abcdefghijkLM"
STYLE = """<style>.up{text-transform:uppercase}.none{display:none}.off{user-select:none}p.fancy{color:#c00;font:20px
serif}</style>"""

LINKS = {
    "/a1": '<p id="x">Read <a href="/a1">this</a> and <b>bold <i>it</i></b>.</p>',
    "/a2?c=1": '<p id="x">Read <a href="a2?c=1">a relative link</a>.</p>',
    "/a3#part": '<p id="x">Read <a href="/a3#part">a part</a>.</p>',
    "/live#part": '<h2 id="x">Head <a href="#part">#</a></h2>',
    "/app#/r?x=1": '<p id="x">A <a href="/app#/r?x=1">hash route</a>.</p>',
    "/a4": '<p>See <a id="x" href="/a4">what <b>I</b> mean</a></p>',
    "/a5": '<ul><li>one</li><li id="x">two <a href="/a5">a</a></li></ul>',
    "/a6": '<table id="x"><tr><td>one</td><td><a href="/a6">two</a></td></tr></table>',
    "/a7": '<p id="x" class="fancy">Read <a class="up" href="/a7">this</a> <em>now</em></p>',
    "/a8": '<p id="x">Look: <a href="/a8"><img src="i.png" alt="A tree"></a></p>',
    "/a9": '<p id="x">a<span class="none">b<a href="/z">z</a></span><span class="off">c</span><script>1</script> '
    '<a href="/a9">d</a></p>',
}
URLS = {
    "in a sentence": "<p id='x'>See {0}/a, or <b>not</b>.</p>",
    "a link that shows its URL": "<p id='x'>See <a href='{0}/a'>{0}/a</a> soon.</p>",
    "beside code": "<div id='x'><p>See {0}/a</p><pre>get {0}/a</pre><p>or <code>{0}/b</code></p></div>",
    "after code": "<div id='x'><pre>get {0}/a</pre><p>See {0}/a (really)</p></div>",
    "beside an ignored region": "<div id='x'><p data-grapevine-ignore>{0}/b <a href='/b'>b</a></p><p>{0}/a</p></div>",
    "beside an editor": "<div id='x'><p>{0}/a</p><p contenteditable>{0}/b</p><p>End</p></div>",
    "beside foreign URLs": "<p id='x'>{0}/a http://127.0.0.1/b <a href='https://example.com/?u={0}/a'>c</a></p>",
    "beside a user name": "<p id='x'>{0}/a <a href='http://me@127.0.0.1/'>b</a></p>",
    "among hidden things": "<p id='x'>{0}/a <i class=none>h {0}/b</i><i class=off>o</i><script>1</script>.</p>",
    "in capitals": "<p id='x' class='up'>see {0}/a <i>for</i> more</p>",
    "beside relative addresses": "<p id='x'>{0}/a <a href='//e.org/q'>q</a> <img src='i.png'> <q cite='/c'>c</q></p>",
    "beside a picture": "<p id='x'><img src='i.png' alt=''> {0}/a <img src='j.png'> more</p>",
    "in a heading": "<h2 id='x'>See {0}/a</h2>",
    "in a list": "<ol><li id='x'>See {0}/a <em>now</em></li></ol>",
    "in emphasis": "<p>Yes <em id='x'>see {0}/a <b>now</b></em></p>",
    "in a table": "<table id='x'><tr><td>one</td><td>{0}/a</td></tr></table>",
}
LEFT_ALONE = {
    "no URL": '<p id="x">Plain <b>text</b></p>',
    "foreign": '<p id="x"><a href="https://example.com/">x</a> https://example.com/a</p>',
    "code": '<p id="x">Call <code>{0}/a <a href="/a">a</a></code></p>',
    "preformatted": '<pre id="x">{0}/a</pre>',
    "an ignored region": '<div data-grapevine-ignore><p id="x">{0}/a <a href="/a">a</a></p></div>',
    "an editor": '<div contenteditable><p id="x">{0}/a <a href="/a">a</a></p></div>',
    "no web links": '<p id="x"><a href="mailto:a@b.c">m</a> <a href="tel:1">t</a> <a>none</a></p>',
    "no scheme": '<p id="x"><a href="//e.org/">e</a> www.e.org</p>',
    "another port": '<p id="x"><a href="http://127.0.0.1:1/a">a</a> http://127.0.0.1:1/a</p>',
    "a user name": '<p id="x"><a href="http://me@127.0.0.1/">a</a></p>',
    "an own link beside it": '<p><a href="/a">a</a><span id="x"> words </span><a href="/b">b</a></p>',
    "a hidden own link in it": '<p id="x">words <a class="none" href="/a">a</a> and words</p>',
}


def copies(page: Page, site: Site, bodies: dict[str, str]) -> dict[str, list[dict[str, str]]]:
    """What is copied from each of the bodies, without and then with the widget."""
    found: dict[str, list[dict[str, str]]] = {case: [] for case in bodies}
    html = STYLE + "".join(
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


def tagged(url: str) -> str:
    base, hash_, fragment = url.partition("#")
    return f"{base}{'&' if '?' in base else '?'}gv={T}#{fragment}" if hash_ else f"{base}#gv={T}"


def live(page: Page, site: Site, body: str, **attributes: str) -> None:
    """Opens a page that carries the widget, and waits until it has its tokens."""
    site.page("/p", body, snippet=snippet(**attributes))
    page.goto(site.origin + "/p")
    page.wait_for_function("() => window.grapevine?.visit")


def test_an_own_link_is_tagged_and_the_copy_is_the_same(page: Page, site: Site) -> None:
    for path, (bare, with_widget) in copies(page, site, LINKS).items():
        own = site.origin + path
        html = bare["text/html"].replace("/bare#", "/live#")
        assert own in html
        assert with_widget["text/html"] == html.replace(f'"{own}"', f'"{tagged(own)}"'.replace("&", "&amp;"))
        assert with_widget["text/plain"] == bare["text/plain"]


def test_an_own_url_in_the_text_is_tagged_in_the_text_alone(page: Page, site: Site) -> None:
    own = site.origin + "/a"
    wrong: dict[str, Any] = {}
    for case, (bare, with_widget) in copies(page, site, URLS).items():
        text = squeeze(bare["text/plain"])
        end = (text.rfind(own) if case == "after code" else text.find(own)) + len(own)
        elements = markup(bare["text/html"])
        for piece in elements:
            if isinstance(piece, tuple) and piece[1].get("href") == own:
                piece[1]["href"] = tagged(own)
        expected = (f"{text[:end]}#gv={T}{text[end:]}", elements)
        got = (squeeze(with_widget["text/plain"]), markup(with_widget["text/html"]))
        if got != expected:
            wrong[case] = got, expected
    assert wrong == {}


def test_a_copy_without_own_urls_is_left_to_the_browser(page: Page, site: Site, recorder: Recorder) -> None:
    found = copies(page, site, LEFT_ALONE)
    page.evaluate("() => { window.shares = []; grapevine.on('share', share => shares.push(share)) }")
    for i in range(len(LEFT_ALONE)):
        copy(page, f"#case{i} #x")
    assert [case for case, (bare, with_widget) in found.items() if bare != with_widget] == []
    assert page.evaluate("() => shares") == []
    assert recorder.paths == ["visits"]


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
        "{0}/<wbr>long/<wbr>path": "{0}/long/path",
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
    assert share == {"site": "sitekey", "token": T, "url": site.origin + "/a?b#c", "title": "A title"}
    until(page, lambda: page.evaluate("() => grapevine.url('copy')"), lambda url: token(1, "copy", 1) in url)
    assert token(1, "copy", 1) in copy(page, "#x")["text/html"]
    assert [share["token"] for share in recorder.wait(page, "shares", 2)] == [T, token(1, "copy", 1)]


def test_a_share_in_the_moment_of_leaving_is_reported(page: Page, site: Site, recorder: Recorder) -> None:
    live(page, site, '<p id="x">Read <a href="/a">this</a></p>')
    select(page, "#x")
    page.evaluate("() => { addEventListener('copy', () => { location.href = '/gone' }) }")
    page.keyboard.press("Control+c")
    assert [share["token"] for share in recorder.wait(page, "shares")] == [T]


def test_the_page_itself_is_as_before_after_a_copy(page: Page, site: Site) -> None:
    live(page, site, f'<p id="x">Read <a href="a">this</a> {site.origin}/b</p>')
    copy(page, "#x")
    assert page.inner_html("#x") == f'Read <a href="a">this</a> {site.origin}/b'
    assert page.evaluate("() => document.adoptedStyleSheets.length") == 0


def test_a_page_that_fills_the_clipboard_itself_is_left_alone(page: Page, site: Site, recorder: Recorder) -> None:
    live(page, site, '<p id="x">Read <a href="/a">this</a></p>')
    page.evaluate("""() => document.addEventListener('copy', event => {
      event.clipboardData.setData('text/plain', 'mine');
      event.preventDefault();
    })""")
    assert copy(page, "#x") == {"text/plain": "mine"}
    assert recorder.of("shares") == []


def test_copies_can_be_left_alone_altogether(page: Page, site: Site) -> None:
    live(page, site, '<p id="x">Read <a href="/a">this</a></p>', copy="off")
    assert "gv=" not in copy(page, "#x")["text/html"]


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("auto", ["/a#gv={}", "/a?gv={}#b", "/a?b&gv={}#/c"]),
        ("fragment", ["/a#gv={}", "/a#b&gv={}", "/a?b#/c&gv={}"]),
        ("query", ["/a?gv={}", "/a?gv={}#b", "/a?b&gv={}#/c"]),
    ],
)
def test_the_site_says_where_the_token_goes(page: Page, site: Site, place: str, expected: list[str]) -> None:
    live(page, site, '<p id="x"><a href="/a">a</a> <a href="/a#b">b</a> <a href="/a?b#/c">c</a></p>', place=place)
    html = copy(page, "#x")["text/html"].replace("&amp;", "&")
    assert [piece[1]["href"] for piece in markup(html) if isinstance(piece, tuple) and piece[0] == "a"] == [
        site.origin + url.format(T) for url in expected
    ]


def test_a_part_of_a_link_takes_the_link_along(page: Page, site: Site) -> None:
    live(page, site, '<p>Read <a id="x" href="/a">this page</a> now</p>')
    page.evaluate("""() => {
      const text = document.querySelector('#x').firstChild;
      getSelection().setBaseAndExtent(text, 2, text, 6);
    }""")
    copied = copy(page)
    assert copied["text/plain"] == "is p"
    assert f'href="{site.origin}/a#gv={T}"' in copied["text/html"]
