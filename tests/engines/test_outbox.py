"""Reports that cannot be delivered wait in the tab and are sent again, as they are, until the server has them."""

from __future__ import annotations

import json
import threading
from itertools import pairwise
from typing import Any, Final

import pytest

from tests.engines.server import RecorderServer
from tests.engines.tab import Tab
from tests.support.fake_server import SITE, token
from tests.support.page_server import Site

BODY: Final = '<p id="x">See <a href="/other">this</a>.</p>'
BUSY: Final = (503, {"Retry-After": "1"}, '{"code": "busy"}')
LIMITED: Final = (429, {"Retry-After": "1"}, '{"code": "rate-limited"}')
MEMORY: Final = f"() => JSON.parse(sessionStorage['grapevine:{SITE}'] || '{{}}')"
HIDE: Final = """hidden => {
  Object.defineProperty(document, 'visibilityState', {value: hidden ? 'hidden' : 'visible', configurable: true});
  document.dispatchEvent(new Event('visibilitychange', {bubbles: true}));
}"""


def outbox(tab: Tab) -> list[tuple[str, dict[str, Any]]]:
    """Returns the path and body of each report in the tab's outbox."""
    return [(path, json.loads(body)) for body, path in tab.run(MEMORY).get("outbox", {}).items()]


def known(tab: Tab) -> None:
    tab.until("() => window.grapevine?.visit")


def away(recorder: RecorderServer, tab: Tab, url: str) -> None:
    """Opens a page whose visit does not arrive."""
    recorder.away = True
    tab.goto(url)
    tab.until(f"() => Object.keys(({MEMORY})().outbox ?? {{}}).length")


@pytest.mark.parametrize("refusal", [BUSY, LIMITED, (500, {}, "Internal Server Error"), (502, {}, "<h1>Bad</h1>")])
def test_a_visit_that_was_refused_for_now_is_sent_again(
    tab: Tab, site: Site, recorder: RecorderServer, refusal: tuple[int, dict[str, str], str]
) -> None:
    recorder.refusal = refusal
    tab.goto(site.page("/p", BODY))
    recorder.wait("visits")
    recorder.refusal = None
    known(tab)
    first, second, *_ = recorder.wait("visits", 2)
    assert first == second, "the nonce too"
    assert tab.copy("#x")["text/html"].count(token(1, "copy")) == 1
    assert outbox(tab) == []
    assert tab.errors() == []


def test_a_server_that_was_away_gets_everything_later(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    site.page("/other", BODY)
    tab.visited(site.page("/p", BODY))
    recorder.away = True
    tab.run("() => { grapevine.convert('order', {id: 'A-1'}); history.pushState(null, '', '/other') }")
    tab.copy("#x")
    tab.until(f"() => Object.keys(({MEMORY})().outbox).length == 3")
    assert {path for path, _ in outbox(tab)} == {"conversions", "views", "shares"}
    waiting = [body for _, body in outbox(tab)]
    recorder.away = False
    for path in ("conversions", "views", "shares"):
        assert recorder.wait(path)[0] in waiting
    tab.until(f"() => !Object.keys(({MEMORY})().outbox).length")
    tab.until("token => grapevine.url('copy').endsWith(token)", token(1, "copy", 1))


@pytest.mark.parametrize("delay", ["-1", "2592000", "1e-9", "Mon, 30 Nov 2026 10:00:00 GMT"])
def test_a_broken_server_is_not_asked_without_a_pause(
    tab: Tab, site: Site, recorder: RecorderServer, delay: str
) -> None:
    recorder.refusal = 503, {"Retry-After": delay}, "{}"
    tab.goto(site.page("/p", BODY))
    recorder.wait("visits")
    tab.run("() => new Promise(done => setTimeout(done, 600))")
    assert len(recorder.of("visits")) == 1


def test_a_busy_server_is_asked_when_it_said(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    recorder.refusal = 503, {"Retry-After": "3600"}, '{"code": "busy"}'
    tab.goto(site.page("/p", BODY, head="<script>window.drops = []; document.addEventListener('grapevine:drop', "
                                        "event => drops.push(event.detail.reason))</script>"))  # fmt: skip
    tab.until("() => drops.length")
    recorder.refusal = None
    tab.run("() => new Promise(done => setTimeout(done, 2500))")
    assert recorder.paths == ["visits"], "the first try of its own would have come after two seconds"


def test_each_try_waits_twice_as_long(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    clock = """<script>
    window.waits = [];
    const later = setTimeout;
    const ours = (wait) => [2e3, 4e3, 8e3, 16e3, 32e3].includes(wait) && waits.push(wait);
    window.setTimeout = (run, wait, ...rest) => later(run, ours(wait) ? 0 : wait, ...rest);
    </script>"""
    recorder.away = True
    tab.goto(site.page("/p", BODY, head=clock, snippet=recorder.snippet(buttons="")))
    waits = tab.until("() => waits.length > 4 && waits")
    assert waits[0] == 2000
    assert all(after == 2 * before for before, after in pairwise(waits[:5]))


def test_a_slow_server_is_not_asked_twice(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    recorder.delay = 4
    tab.goto(site.page("/p", BODY))
    assert tab.copy("#x")["text/html"].count("gv=") == 0
    known(tab)
    assert recorder.paths == ["visits"]


def test_what_waits_goes_out_as_the_page_is_hidden(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    recorder.refusal = 503, {"Retry-After": "3600"}, '{"code": "busy"}'
    tab.goto(site.page("/p", BODY))
    tab.until(f"() => Object.keys(({MEMORY})().outbox ?? {{}}).length")
    recorder.refusal = None
    tab.run(HIDE, True)
    first, second = recorder.wait("visits", 2)
    assert first == second


def test_what_waits_goes_out_as_the_page_is_left(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    recorder.refusal = 503, {"Retry-After": "3600"}, '{"code": "busy"}'
    tab.goto(site.page("/p", BODY))
    tab.until(f"() => Object.keys(({MEMORY})().outbox ?? {{}}).length")
    recorder.refusal = None
    tab.goto(recorder.home.replace("127.0.0.1", "localhost") + "first.js")
    first, second = recorder.wait("visits", 2)
    assert first == second


def test_the_tabs_next_page_sends_what_the_last_one_could_not(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    site.page("/q", BODY)
    site.page("/plain", BODY, snippet="")
    tab.visited(site.page("/p", BODY))
    recorder.away = True
    tab.run("() => grapevine.convert('order')")
    tab.until(f"() => Object.keys(({MEMORY})().outbox).length")
    [(_, lost)] = outbox(tab)
    tab.goto(site.origin + "/plain")
    recorder.away = False
    tab.goto(site.origin + "/q")
    assert recorder.wait("conversions") == [lost]
    recorder.wait("views")
    tab.until(f"() => !Object.keys(({MEMORY})().outbox).length")


def test_a_visit_whose_first_page_is_gone_is_sent_once_by_the_next(
    tab: Tab, site: Site, recorder: RecorderServer
) -> None:
    site.page("/plain", BODY, snippet="")
    site.page("/q", BODY)
    away(recorder, tab, site.page("/p", BODY))
    [(_, lost)] = outbox(tab)
    tab.goto(site.origin + "/plain")
    recorder.away = False
    tab.visited(site.origin + "/q")
    assert recorder.wait("visits") == [lost]
    [view] = recorder.wait("views")
    assert view["url"] == site.origin + "/q"
    assert recorder.paths == ["visits", "views"]


def test_twenty_reports_wait_at_most(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    tab.visited(site.page("/p", BODY))
    recorder.away = True
    tab.run("() => { for (let i = 0; i < 30; i++) grapevine.convert('goal' + i) }")
    tab.until(f"() => Object.keys(({MEMORY})().outbox).length == 20")
    tab.run("() => new Promise(done => setTimeout(done, 300))")
    assert len(outbox(tab)) == 20


def test_consent_taken_back_empties_the_outbox(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    away(recorder, tab, site.page("/p", BODY))
    tab.run("() => grapevine.consent(false)")
    assert tab.run(MEMORY) == {}
    recorder.away = False
    tab.run("() => new Promise(done => setTimeout(done, 2500))")
    tab.run(HIDE, True)
    assert recorder.paths == []
    assert tab.errors() == []


def test_without_storage_a_report_waits_in_the_page_alone(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    recorder.refusal = BUSY
    tab.goto(site.page("/p", BODY, snippet=recorder.snippet(storage="none")))
    recorder.wait("visits")
    assert tab.run("() => sessionStorage.length") == 0
    recorder.refusal = None
    known(tab)
    assert recorder.of("visits")[0] == recorder.of("visits")[1]


def test_pages_opened_while_the_server_is_away_are_views_of_their_own(
    tab: Tab, site: Site, recorder: RecorderServer
) -> None:
    away(recorder, tab, site.page("/p", BODY))
    for path in ("/a", "/b"):
        tab.run("path => { history.pushState(null, '', path); document.title = path }", path)
        tab.run("() => new Promise(done => setTimeout(done, 200))")
    recorder.away = False
    assert sorted((view["url"], view["title"]) for view in recorder.wait("views", 2)) == [
        (site.origin + path, path) for path in ("/a", "/b")
    ]


def test_the_reports_of_a_rush_all_arrive(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    """A server that refuses at random takes each report once in the end."""
    tab.visited(site.page("/p", BODY, snippet=recorder.snippet(buttons="")))
    stop = threading.Event()

    def flicker() -> None:
        while not stop.wait(0.03):
            recorder.refusal = None if recorder.refusal else (503, {"Retry-After": "1"}, "{}")

    flickering = threading.Thread(target=flicker)
    flickering.start()
    try:
        tab.run("() => { for (let i = 0; i < 15; i++) setTimeout(() => grapevine.convert('goal' + i), i * 20) }")
        recorder.wait("conversions", 15)
    finally:
        stop.set()
        flickering.join()
    recorder.refusal = None
    tab.until(f"() => !Object.keys(({MEMORY})().outbox).length")
    sent = recorder.of("conversions")
    assert len({body["nonce"] for body in sent}) == 15
    assert {body["goal"] for body in sent} == {f"goal{i}" for i in range(15)}


def test_what_is_under_way_as_a_page_is_left_is_not_sent_again(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    site.page("/p", BODY)
    site.page("/q", BODY)
    tab.visited(site.origin + "/p")
    recorder.delay = 0.3
    for count, path in enumerate(("/q", "/p", "/q", "/p"), 1):
        tab.goto(site.origin + path)
        assert len(recorder.wait("views", count)) == count
    recorder.delay = 0
    tab.goto(site.origin + "/q")
    assert len(recorder.wait("views", 5)) == 5
    tab.until(f"() => !Object.keys(({MEMORY})().outbox).length")
    assert recorder.paths == ["visits"] + ["views"] * 5


def test_consent_taken_back_while_a_report_is_under_way_leaves_nothing(
    tab: Tab, site: Site, recorder: RecorderServer
) -> None:
    recorder.delay = 0.5
    for failing in (False, True):
        recorder.refusal = BUSY if failing else None
        tab.goto(site.page("/p", BODY))
        recorder.wait("visits", 1 + failing)
        tab.run("() => grapevine.consent(false)")
        tab.run("() => new Promise(done => setTimeout(done, 2900))")
        assert tab.run("() => [sessionStorage.length, grapevine.visit]") == [0, None]
        tab.run(HIDE, True)
        tab.run("() => new Promise(done => setTimeout(done, 300))")
        assert len(recorder.of("visits")) == 1 + failing
    assert tab.errors() == []
