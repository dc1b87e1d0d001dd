"""Tokens in fragments, in every engine: identifiers that a page may look up, taken out with what hangs on them."""

from __future__ import annotations

from tests.engines.server import RecorderServer
from tests.engines.tab import Tab
from tests.support.fake_server import token
from tests.support.page_server import Site

OPENED = {
    "#gv-{}": "",
    "#gv={}": "",
    "?gv={}.": "",
    "#gv-{})": "",
    "#gv-{}”": "",
    "#gv-{} and more": "",
    "#gv%3D{}%2C": "",
    "?gv-{}を見て&page=2#part": "?page=2#part",
    "#gv-{}?utm_source=email&utm_medium=mail": "",
    "?gv={}&fbclid=x": "?fbclid=x",
}


def test_a_token_is_read_and_leaves_with_what_hangs_on_it(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    page, between = site.page("/p"), site.page("/between", snippet="")
    found = {}
    for number, opened in enumerate(OPENED, 1):
        own = f"T{number:02d}".ljust(23, "x")
        tab.goto(between)
        assert tab.visited(page + opened.format(own)) == f"visit{number}"
        assert recorder.wait("visits", number)[-1]["token"] == own
        found[opened] = tab.url.removeprefix(page)
    assert found == OPENED


LOOKUPS = (
    "document.querySelector(location.hash)",
    "document.querySelectorAll('main ' + location.hash)",
    "document.body.matches(location.hash)",
    "document.body.closest(decodeURIComponent(location.hash))",
    "document.querySelector(`[href='${location.hash}'], ${location.hash} > a`)",
    "document.styleSheets[0].insertRule(location.hash + ' { color: red }')",
)


def test_a_page_may_look_its_fragment_up_as_a_selector(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    recorder.joint = "-"
    script = "".join(
        f"if (location.hash) {lookup}; window.done = {number};" for number, lookup in enumerate(LOOKUPS, 1)
    )
    style = "<style>p { margin: 0 }</style>"
    page = site.page("/p", f"<p>A page.</p><script>{script}</script>", head=style)
    tab.visited(page)
    shared = f"{page}#gv-{token(1, 'copy')}"
    assert tab.run("() => grapevine.url('copy')") == shared
    tab.goto(site.page("/between", snippet=""))
    tab.visited(shared.replace(token(1, "copy"), "T".ljust(23, "x")))
    assert (tab.url, tab.run("() => done"), tab.errors()) == (page, len(LOOKUPS), [])
