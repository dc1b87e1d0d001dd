"""A browser that was asked not to count: nothing is sent from it, on any page, until it is asked to count again."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tests.engines.server import RecorderServer
from tests.engines.tab import Tab
from tests.engines.test_forget import HELD, STORED, idle
from tests.engines.test_outbox import HIDE, away
from tests.engines.test_page_life import FOREIGN, VERSION
from tests.engines.test_script_options import LINES
from tests.support.fake_server import SITE
from tests.support.page_server import Site

BODY: Final = """<p id="x">See <a href="/q">this</a>.</p>
<form id="letter"><input name="mail"><button>Send</button></form>
<grapevine-buttons channels="copy whatsapp"></grapevine-buttons>"""
OWN_CHOICE: Final = (
    "grapevine does not count this browser on this site: a page was opened with {ignore} at the end of its address. "
    "To be counted again, open {count}"
)
CANNOT_KEEP: Final = (
    "grapevine does not count this page, but cannot keep that for the other pages: this browser stores nothing for "
    "this site. Open each page with #gv-ignore at the end of its address."
)
PAGE_SAYS_SO: Final = (
    "grapevine does not count this page: the page itself says so (data-ignore). "
    "Many sites do that for people who are signed in."
)
MARKS: Final = {
    "#part&gv-ignore": "#part",
    "#gv-ignore&part": "#part",
    "#gv=ignore": "",
    "?a=1&gv=ignore": "?a=1",
    "?gv-ignore#part": "#part",
    "#gv%2Dignore.": "",
}
"""Ends of addresses, each with what is left of it."""
COUNTED: Final = "grapevine counts this browser on this site."
SAYS: Final = "text => lines.includes(text)"
NO_STORAGE: Final = """<script>
  Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('denied', 'SecurityError') }});
</script>"""
FULL: Final = """<script>
  const set = () => { throw new DOMException('full', 'QuotaExceededError') };
  Object.defineProperty(window, 'localStorage', {value: new Proxy({}, {set})});
</script>"""
NULL: Final = "<script>Object.defineProperty(window, 'localStorage', {value: null});</script>"
USE: Final = """async () => {
  grapevine.convert('order', {value: '4.50', currency: 'EUR'});
  grapevine.consent(true);
  document.querySelector('#letter').addEventListener('submit', event => event.preventDefault());
  document.querySelector('[data-grapevine-field] input')?.setAttribute('value', 'A friend');
  document.querySelector('#letter button').click();
  history.pushState(null, '', '/route');
  document.title = 'Route';
}"""
"""What reports a conversion, an answer and a view where visitors are counted."""
SHARE_LINK: Final = """() => document.querySelector('grapevine-buttons')?.shadowRoot
  ?.querySelector('[data-channel=whatsapp]')?.href"""


def own_choice(site: Site, path: str = "/p", ignore: str = "#gv-ignore", count: str = "#gv-count") -> str:
    return OWN_CHOICE.format(ignore=ignore, count=site.origin + path + count)


def said(tab: Tab) -> list[str]:
    return [line for line in tab.run("() => lines") if line.startswith("grapevine")]


def marked(tab: Tab, url: str, sentence: str) -> None:
    """Opens a page with a mark and waits for what the console says of it."""
    tab.goto(url)
    tab.until(SAYS, sentence)


def use(tab: Tab) -> None:
    """Does on this page whatever is reported elsewhere."""
    tab.until(SHARE_LINK)
    assert "gv" not in tab.copy("#x")["text/html"]
    assert "gv" not in tab.run(SHARE_LINK)
    tab.run(USE)
    tab.run(HIDE, True)
    tab.run(HIDE, False)
    idle(tab, 300)


def test_nothing_is_sent_from_the_first_mark_to_the_second(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    snippet = recorder.snippet(survey="#letter", address_bar="on", counts="on")
    site.page("/q", BODY, head=LINES, snippet=snippet)
    ignoring = own_choice(site)
    marked(tab, site.page("/p", BODY, head=LINES, snippet=snippet) + "#gv-ignore", ignoring)
    assert tab.url == site.origin + "/p"
    use(tab)
    assert said(tab) == [ignoring], "once a page"
    assert tab.run("() => [grapevine.visit, grapevine.url('copy')]") == [None, site.origin + "/route"]
    assert tab.run(STORED) == '[{},{"grapevine":"ignore"}]'
    # The other pages of the site, with another reader's token too.
    tab.goto(site.origin + f"/q#gv-{FOREIGN}")
    tab.until(SAYS, own_choice(site, "/q"))
    assert tab.url == site.origin + "/q"
    use(tab)
    assert tab.errors() == []
    assert recorder.reports == []
    marked(tab, site.origin + "/p#gv-count", COUNTED)
    assert tab.url.partition("#gv=V")[0] == site.origin + "/p", "perhaps with the reader's own token already"
    tab.until("() => window.grapevine?.visit == 'visit1'")
    assert said(tab) == [COUNTED]
    tab.visited(site.origin + "/q")
    recorder.wait("views")
    assert [said(tab), set(recorder.paths)] == [[], {"visits", "views"}]
    assert len({body["nonce"] for body in recorder.of("visits")}) == 1
    assert tab.run("() => JSON.stringify({...localStorage})") == "{}"
    assert tab.errors() == []


def test_the_mark_goes_out_of_the_address_like_a_token(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    for index, (mark, left) in enumerate(MARKS.items()):
        path = f"/p{index}"
        page = site.page(path, BODY, head=LINES)
        tab.goto(page + mark)
        tab.until(SAYS, own_choice(site, path))
        tab.run("() => { delete localStorage.grapevine }")
        assert tab.url == page + left, mark
    assert recorder.reports == []
    for index, mark in enumerate(("#gv-ignored", "#gv-ignore1", "#x-gv-ignore", "#gv-Ignore", "#ignore", "#gv")):
        page = site.page(f"/q{index}", BODY, head=LINES)
        assert tab.visited(page + mark) == "visit1", mark
        assert [tab.url, said(tab), tab.run("() => localStorage.length")] == [page + mark, [], 0]


def test_a_site_names_its_mark_as_its_token(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    snippet = recorder.snippet(param="via", place="query")
    page = site.page("/p", BODY, head=LINES, snippet=snippet)
    marked(tab, page + "?via=ignore#/route", own_choice(site, ignore="?via=ignore", count="?via=count"))
    assert tab.url == page + "#/route"
    marked(tab, page + "?via=count#/route", COUNTED)
    assert recorder.wait("visits")[0]["url"] == page + "#/route"
    tab.visited(page + "#gv-ignore")


def test_a_visit_under_way_stops_at_the_mark_and_what_it_stored_goes(
    tab: Tab, site: Site, recorder: RecorderServer
) -> None:
    page = site.page("/p", BODY, head=LINES, snippet=recorder.snippet(storage="local"))
    site.page("/q", BODY, head=LINES)
    tab.visited(page)
    tab.until(f"() => ({SHARE_LINK})()?.includes('gv-') || ({SHARE_LINK})()?.includes('gv%3D')")
    tab.run("() => grapevine.convert('seen')")
    recorder.wait("conversions")
    # Typed at the end of the open page's address: no page is loaded.
    tab.run("() => { location.hash = 'gv-ignore' }")
    tab.until(SAYS, own_choice(site))
    assert tab.url.rstrip("#") == page
    assert tab.run(STORED) == '[{},{"grapevine":"ignore"}]'
    use(tab)
    assert recorder.paths == ["visits", "conversions"]
    tab.run("() => { location.hash = 'gv-count' }")
    tab.until("() => window.grapevine?.visit == 'visit2'")
    assert recorder.paths == ["visits", "conversions", "visits"]
    assert tab.errors() == []


def test_reports_that_wait_are_dropped_by_the_mark(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    """The server is away: the visit's report waits in the tab, and a next page would send it."""
    page = site.page("/p", BODY, head=LINES)
    away(recorder, tab, page)
    marked(tab, site.page("/q", BODY, head=LINES) + "#gv-ignore", own_choice(site, "/q"))
    recorder.away = False
    tab.goto(page)
    tab.until(SAYS, own_choice(site))
    idle(tab, 300)
    assert recorder.reports == []


def test_the_answer_to_a_report_that_was_on_its_way_begins_no_visit(
    tab: Tab, site: Site, recorder: RecorderServer
) -> None:
    page = site.page("/p", BODY, head=LINES + HELD)
    tab.goto(page)
    tab.until("() => !!window.release")
    tab.run("() => { location.hash = 'gv-ignore' }")
    tab.until(SAYS, own_choice(site))
    tab.run("() => release()")
    use(tab)
    assert [tab.run("() => grapevine.visit"), recorder.paths] == [None, ["visits"]]


@pytest.mark.parametrize(("broken", "kept"), [(NO_STORAGE, False), (FULL, False), (NULL, False), ("", True)])
def test_the_choice_is_kept_where_the_browser_keeps_anything(
    tab: Tab, site: Site, recorder: RecorderServer, broken: str, kept: bool
) -> None:
    """`data-storage="none"` and consent that was not given are no reason: the person asked for it."""
    snippet = recorder.snippet(storage="none", consent="required")
    page = site.page("/p", BODY, head=LINES + broken, snippet=snippet)
    marked(tab, page + "#gv-ignore", own_choice(site) if kept else CANNOT_KEEP)
    use(tab)
    assert recorder.reports == []
    tab.goto(page)
    tab.until(VERSION)
    tab.run("() => grapevine.consent(true)")
    if kept:
        tab.until(SAYS, own_choice(site))
        idle(tab, 100)
        assert recorder.reports == []
    else:
        recorder.wait("visits")
    assert tab.errors() == []


def test_the_sites_other_tabs_stop_with_their_next_page_or_route(
    tab: Tab, site: Site, recorder: RecorderServer
) -> None:
    page = site.page("/p", BODY, head=LINES)
    tab.visited(page)
    tab.run("() => { localStorage.grapevine = 'ignore' }")  # what another tab does
    tab.run("() => { history.pushState(null, '', '/route') }")
    tab.until(SAYS, own_choice(site, "/route"))
    use(tab)
    tab.goto(page)
    tab.until(SAYS, own_choice(site))
    use(tab)
    assert [recorder.paths, tab.run(STORED)] == [["visits"], '[{},{"grapevine":"ignore"}]']


def test_a_page_says_that_its_visitor_is_not_to_be_counted(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    page = site.page("/p", BODY, head=LINES)
    tab.visited(page)
    stored = tab.run(STORED)
    for snippet in (
        recorder.snippet(ignore="on"),
        recorder.snippet(ignore="True"),
        recorder.snippet(ignore=""),
        f'<script async src="{recorder.home}widget.js?site={SITE}&ignore=on"></script>',
    ):
        tab.goto(site.page("/editor", BODY, head=LINES, snippet=snippet) + "#gv-count")
        tab.until(SAYS, PAGE_SAYS_SO)
        use(tab)
        assert [tab.errors(), tab.run(STORED)] == [[], stored]
    assert recorder.paths == ["visits"]
    # What templates print for "no" counts, and so does the page without it: the visit goes on.
    for index, value in enumerate(("off", "false", "0", "no", "null")):
        assert tab.visited(site.page(f"/{value}", BODY, head=LINES, snippet=recorder.snippet(ignore=value))) == "visit1"
        assert len(recorder.wait("views", index + 1)) == index + 1
    assert said(tab) == []


def test_a_page_may_say_so_when_its_reader_signs_in(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    """A single-page app: from the next route on, until it takes that back."""
    page = site.page("/p", BODY, head=LINES)
    tab.visited(page)
    set_ignore = "value => { document.querySelector('script[data-site]').dataset.ignore = value }"
    tab.run(set_ignore, "on")
    tab.run("() => { history.pushState(null, '', '/signed-in') }")
    tab.until(SAYS, PAGE_SAYS_SO)
    use(tab)
    assert recorder.paths == ["visits"]
    tab.run(set_ignore, "off")
    tab.run("() => { history.pushState(null, '', '/signed-out') }")
    views: list[dict[str, Any]] = recorder.wait("views")
    assert [view["url"] for view in views] == [site.origin + "/signed-out"]
    assert tab.run("() => grapevine.visit") == "visit1"
