"""One entry of the copy matrix, and how it is played: the same page is copied from without the widget and with it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from types import MappingProxyType
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

from tests.engines.server import RecorderServer
from tests.engines.tab import Tab
from tests.support.copied_markup import markup, squeeze
from tests.support.fake_server import token
from tests.support.page_server import Site

TOKEN: Final = token(1, "copy")
OLD: Final = "0123456789abcdefghijkLM"
SPAN: Final = """(from, start, to, end) => {
  document.activeElement?.blur();
  const [first, last] = [from, to].map(css => document.querySelector(css).firstChild);
  getSelection().setBaseAndExtent(first, start, last, end);
}"""
STYLE: Final = """<style>.up{text-transform:uppercase}.none{display:none}.off{-webkit-user-select:none;user-select:none}
.fancy{color:#c00;font:20px serif}</style>"""

Span = tuple[str, int, str, int]


class Case(NamedTuple):
    """`§` is the page's origin, `«…»` what the widget adds (`gv` in it: with the token), `¤` a token in its place."""

    body: str
    text: str | None = None
    """The plain text, where a URL in it is tagged; white space does not count."""
    links: tuple[str, ...] = ()
    """The links that are tagged."""
    span: Span | None = None
    """What is selected: from a place in the first text of one element to one in another's; else all that `#x` holds."""
    host: str | None = None
    """Another name of the site than its address."""
    head: str = ""
    path: str = "/p"
    data: Mapping[str, str] = MappingProxyType({})
    """More attributes of the snippet."""
    loud: tuple[str, ...] = ()
    """Engines that copy the text in the capitals in which it is shown."""


def before(marked: str, origin: str) -> str:
    """Returns the text copied without the widget."""
    return re.sub("«[^»]*»", "", marked).replace("¤", OLD).replace("§", origin)


def after(marked: str, origin: str) -> str:
    """Returns the text copied with the widget."""
    tagged = re.sub("«([^»]*)»", lambda added: added[1].replace("gv", f"gv={TOKEN}"), marked)
    return tagged.replace("¤", TOKEN).replace("§", origin)


class Played(NamedTuple):
    """The clipboard by MIME type, without the widget and with it, and the page's origin."""

    bare: dict[str, str]
    live: dict[str, str]
    origin: str


def play(case: Case, tab: Tab, site: Site, recorder: RecorderServer) -> Played:
    """Copies without the widget and with it."""
    origin = site.origin.replace("127.0.0.1", case.host) if case.host else site.origin
    embed = recorder.snippet(**{"buttons": "", **case.data})
    return Played(_copied(case, tab, site, origin, ""), _copied(case, tab, site, origin, embed), origin)


def _copied(case: Case, tab: Tab, site: Site, origin: str, embed: str) -> dict[str, str]:
    body = STYLE + before(case.body, origin) + "<p>The end.</p>"
    site.page(case.path.partition("?")[0].partition("#")[0], body, head=case.head, snippet=embed)
    if "#" in case.path:
        tab.goto("about:blank")  # else the same page would go on
    tab.goto(origin + case.path)
    if embed:
        tab.until("() => window.grapevine?.visit")
    if case.span:
        tab.run(SPAN, *case.span)
    else:
        tab.select("#x")
    held = tab.run("() => document.body.innerHTML")
    tab.press("Control+c")
    tab.until("html => document.body.innerHTML == html", held)
    clipboard = tab.clipboard()
    assert tab.errors() == []
    return clipboard


def compare(case: Case, played: Played, engine: str) -> tuple[Any, Any]:
    """What is on the clipboard with the widget, and what ought to be."""
    bare, live, origin = played
    html = bare["text/html"]
    for link in case.links:
        href = f'href="{escape(before(link, origin))}"'
        if href not in html:
            href = unquote(href)  # Firefox leaves letters as they are written
        assert href in html, f"{href} is not in {html}"
        html = html.replace(href, f'href="{escape(after(link, origin))}"')
    if case.text is None:
        return live, {**bare, "text/html": html}
    got = squeeze(live["text/plain"]), markup(live["text/html"])
    expected = after(case.text, origin), markup(html)
    bare_text, bare_expected = squeeze(bare["text/plain"]), before(case.text, origin)
    if engine in case.loud:
        assert bare_text == bare_expected.upper()
        return (got[0], str(got[1]).lower()), (expected[0], str(expected[1]).lower())
    assert bare_text == bare_expected
    return got, expected
