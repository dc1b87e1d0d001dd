"""A page that fills the clipboard itself: its data stay as they are, but for the site's own URLs in them."""

from __future__ import annotations

import time
from typing import Final

import pytest

from tests.engines.server import RecorderServer
from tests.engines.tab import Tab
from tests.support.fake_server import token
from tests.support.page_server import Site

FILL: Final = """<script>document.addEventListener('copy', event => {
  for (const [type, text] of Object.entries(data)) event.clipboardData.setData(type, text);
  event.preventDefault();
});</script>"""
COPY: Final = token(1, "copy")
TAGGED: Final = f"#gv={COPY}"


def filled(tab: Tab, site: Site, recorder: RecorderServer, data: dict[str, str], body: str) -> dict[str, str]:
    """What is on the clipboard when the page has put `data` there. `{o}` stands for the page's origin, in all of it."""
    own = {kind: text.replace("{o}", site.origin) for kind, text in data.items()}
    page = f"<p id='x'>{body.replace('{o}', site.origin)} – see {site.origin}/seen</p>"
    head = f"<script>window.data = {own}</script>{FILL}"
    tab.visited(site.page("/p", page, head=head, snippet=recorder.snippet(buttons="")))
    copied = tab.copy("#x")
    assert tab.errors() == []
    return {kind: text.replace(site.origin, "{o}") for kind, text in copied.items()}


TEXTS: Final = [
    ("Some words. Read more: {o}/p", f"Some words. Read more: {{o}}/p{TAGGED}"),
    ("({o}/p), {o}/q.", f"({{o}}/p{TAGGED}), {{o}}/q{TAGGED}."),
    ("https://example.org/a and {o}.example.org/b", None),
    ("{o}/p?a=1&b=2#part", f"{{o}}/p?a=1&b=2&gv={COPY}#part"),
    ("\n\tkept as it is   \n", None),
]
SOURCES: Final = [
    ('<p style="color:red">A <a class=x href="{o}/p">link</a> to {o}/p</p>', "{o}/p", f"{{o}}/p{TAGGED}"),
    ("<a href='{o}/p' title=\"a > b\">one</a>", "{o}/p", f"{{o}}/p{TAGGED}"),
    ("<a href={o}/p>bare</a>", "{o}/p", f"{{o}}/p{TAGGED}"),
    ('<a title="x>y" href="{o}/p?a=1&amp;b=2#c">x</a>', "{o}/p?a=1&amp;b=2#c", f"{{o}}/p?a=1&amp;b=2&amp;gv={COPY}#c"),
    ('<a href="https://example.org/">x</a><img src="{o}/a.png"><link href="{o}/s.css">', "", ""),
    ('<abbr href="{o}/p">no link</abbr><a data-href="{o}/p">nor this</a>', "", ""),
]


@pytest.mark.parametrize(("text", "expected"), TEXTS)
def test_own_urls_in_the_pages_text_are_tagged(
    tab: Tab, site: Site, recorder: RecorderServer, text: str, expected: str | None
) -> None:
    copied = filled(tab, site, recorder, {"text/plain": text, "application/x-theirs": "{o}/p"}, "words")
    assert copied["text/plain"] == expected or text
    if expected:
        assert recorder.wait("shares")[0]["token"] == COPY
    else:
        tab.run("() => new Promise(done => setTimeout(done, 100))")
        assert recorder.of("shares") == []


@pytest.mark.parametrize(("source", "before", "after"), SOURCES)
def test_own_links_in_the_pages_html_are_tagged(
    tab: Tab, site: Site, recorder: RecorderServer, source: str, before: str, after: str
) -> None:
    copied = filled(tab, site, recorder, {"text/plain": "words", "text/html": source}, "words")
    assert copied["text/plain"] == "words"
    expected = source.replace(before, after, 1) if before else source
    assert copied["text/html"].replace("<!--StartFragment-->", "").replace("<!--EndFragment-->", "") == expected


@pytest.mark.parametrize("body", ["<span contenteditable>{o}/p</span>", "<span data-grapevine-ignore>{o}/p</span>"])
def test_what_an_editor_fills_in_stays_as_it_is(tab: Tab, site: Site, recorder: RecorderServer, body: str) -> None:
    page = body.replace("{o}", site.origin).replace("<span ", "<span id='e' ")
    own = {"text/plain": f"{site.origin}/p"}
    site.page("/p", f"<p>{page}</p>", head=f"<script>window.data = {own}</script>{FILL}")
    tab.visited(site.origin + "/p")
    assert tab.copy("#e")["text/plain"] == f"{site.origin}/p"
    assert recorder.of("shares") == []


def test_a_page_that_shows_no_url_is_ready_when_something_is_selected(
    tab: Tab, site: Site, recorder: RecorderServer
) -> None:
    own = {"text/plain": f"{site.origin}/p"}
    head = f"<script>window.data = {own}</script>{FILL}"
    tab.visited(site.page("/p", "<p id='x'>words</p>", head=head, snippet=recorder.snippet(buttons="")))
    assert not [name for name in recorder.asked if name.endswith("clipboard.js")]
    tab.select("#x")
    end = time.monotonic() + 10
    while "#gv=" not in tab.copy("#x")["text/plain"]:
        assert time.monotonic() < end, "the part never came"
    assert [name for name in recorder.asked if name.endswith("clipboard.js")]
