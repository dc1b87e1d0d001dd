"""The interface over the engines itself, and the stand-in that they report to."""

from __future__ import annotations

import pytest

from tests.engines.server import RecorderServer
from tests.engines.tab import Tab
from tests.support.fake_server import token
from tests.support.page_server import Site


def test_a_visit_and_a_copy(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    visit = tab.visited(site.page("/", '<p id="x">Read <a href="/a">this</a></p>'))
    assert visit == "visit1"
    copied = tab.copy("#x")
    assert copied["text/plain"] == "Read this"
    assert f'href="{site.origin}/a#gv={token(1, "copy")}"' in copied["text/html"]
    [share] = recorder.wait("shares")
    assert (share["token"], share["url"]) == (token(1, "copy"), f"{site.origin}/a")
    assert recorder.reports[0].headers["origin"] == site.origin
    assert recorder.paths == ["visits", "shares"]
    assert tab.errors() == []


def test_shared_urls_go_without_what_only_tracks(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    address = (
        site.page("/", '<p id="x">Read <a href="/a?id=1&amp;%5Fhsenc=p2A#b">this</a></p>') + "?MC_eid=9f&id=7#xtor=RSS"
    )
    tab.visited(address)
    assert tab.run("() => grapevine.url('copy')") == f"{site.origin}/?id=7#gv={token(1, 'copy')}"
    assert f'href="{site.origin}/a?id=1&amp;gv={token(1, "copy")}#b"' in tab.copy("#x")["text/html"]
    assert recorder.wait("shares")[0]["url"] == f"{site.origin}/a?id=1#b"
    assert recorder.of("visits")[0]["url"] == tab.url == address
    assert tab.errors() == []


def test_errors_of_a_page_are_seen(tab: Tab, site: Site) -> None:
    tab.goto(site.page("/", "<script>setTimeout(() => { throw Error('one') }); Promise.reject('two')</script>"))
    tab.until("() => window[Symbol.for('troubles')].length == 2")
    assert sorted(error[-3:] for error in tab.errors()) == ["one", "two"]


def test_keys_and_clicks_reach_into_shadow_roots(tab: Tab, site: Site) -> None:
    body = """<div id="host"></div><script>
      const root = host.attachShadow({mode: 'open'});
      const field = root.appendChild(document.createElement('input'));
      field.onkeydown = event => { if (event.key != 'Shift') window.pressed = event.key + event.shiftKey };
    </script>"""
    tab.goto(site.page("/", body, snippet=""))
    tab.click("input")
    tab.press("Shift+ArrowLeft")
    assert tab.until("() => window.pressed") == "ArrowLefttrue"
    assert tab.run("async (a, b) => a + b", 1, 2) == 3
    assert tab.url == site.origin + "/"


@pytest.mark.parametrize("mood", ["away", "drops", "hangs"])
def test_a_server_that_does_not_answer(tab: Tab, site: Site, recorder: RecorderServer, mood: str) -> None:
    setattr(recorder, mood, True)
    tab.goto(site.page())
    if mood != "away":
        recorder.wait("visits")
    call = """url => { fetch(url, {method: 'POST', body: '{"channels": []}'})
      .then(() => 'answered', () => 'failed').then(outcome => { window.outcome = outcome }) }"""
    tab.run(call, recorder.home + "v1/views")
    if mood == "hangs":
        recorder.wait("views")
        assert tab.run("() => window.outcome || 'waits'") == "waits"
    else:
        assert tab.until("() => window.outcome") == "failed"
    assert ("views" in recorder.paths) is (mood != "away")
    assert tab.errors() == []


def test_a_server_that_refuses(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    recorder.refusal = 429, {"Retry-After": "1"}, "{}"
    tab.goto(site.page())
    recorder.wait("visits")
    call = """url => fetch(url, {method: 'POST', body: '{}'})
      .then(answer => [answer.status, answer.headers.get('Retry-After')])"""
    assert tab.run(call, recorder.home + "v1/views") == [429, "1"]
