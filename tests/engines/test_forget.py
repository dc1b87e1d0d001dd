"""A visitor erases the visit of a tab: the server is asked, the tab forgets it, and its next page begins another."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from tests.engines.server import RecorderServer
from tests.engines.tab import Tab
from tests.engines.test_outbox import BUSY, HIDE, LIMITED, MEMORY, away
from tests.support.fake_server import SITE, token
from tests.support.grapevine_process import CommandRunner
from tests.support.page_server import Site, serve_site

BODY: Final = '<p id="x">See <a href="/q">this</a>.</p><grapevine-forget></grapevine-forget>'
SHADOW: Final = "document.querySelector('grapevine-forget').shadowRoot"
BUTTON: Final = "[part=forget] button"
SAID: Final = f"text => {SHADOW}?.querySelector('[role=status]')?.textContent == text"
STORED: Final = "() => JSON.stringify([{...sessionStorage}, {...localStorage}])"
ROUTE: Final = "path => { history.pushState(null, '', path); document.title = path }"
HELD: Final = """<script>
  const request = window.fetch;
  window.fetch = async (url, options) => {
    const response = await request(url, options);
    if (url.endsWith('v1/visits')) await new Promise((done) => { window.release = done });
    return response;
  };
</script>"""
"""The answer to the visit's report is held until `release()`."""
ERASED, NOTHING, FAILED = "Erased", "There is nothing to erase", "That did not work; try again"


def press(tab: Tab, outcome: str) -> None:
    """Presses the element's button and waits for what it says then."""
    tab.until(f"() => {SHADOW}?.querySelector('button')")
    tab.click(BUTTON)
    tab.until(SAID, outcome)


def idle(tab: Tab, milliseconds: int) -> None:
    """Lets whatever is sent by mistake be sent."""
    tab.run("wait => new Promise(done => setTimeout(done, wait))", milliseconds)


def test_the_element_erases_the_visit_and_the_next_page_begins_another(
    tab: Tab, site: Site, recorder: RecorderServer
) -> None:
    site.page("/q", BODY)
    tab.visited(site.page("/p", BODY))
    tab.until(f"() => {SHADOW}?.querySelector('button')?.textContent == 'Erase this visit'")
    press(tab, ERASED)
    assert recorder.wait("forget") == [{"site": SITE, "session": "session1"}]
    assert tab.run("() => [grapevine.visit, grapevine.url('copy')]") == [None, site.origin + "/p"]
    assert json.loads(tab.run(STORED)) == [{}, {}]
    assert "gv=" not in tab.copy("#x")["text/html"]
    tab.run("() => { location.hash = 'x' }")
    tab.run(HIDE, True)
    tab.run(HIDE, False)
    idle(tab, 300)
    assert recorder.paths == ["visits", "forget"], "this page begins no other visit"
    assert tab.visited(site.origin + "/q") == "visit2"
    _, begun = recorder.of("visits")
    assert begun["url"] == site.origin + "/q"
    assert "token" not in begun
    assert tab.errors() == []


def test_a_route_change_begins_another_visit_and_takes_back_what_was_said(
    tab: Tab, site: Site, recorder: RecorderServer
) -> None:
    tab.visited(site.page("/p", BODY))
    press(tab, ERASED)
    tab.run(ROUTE, "/route")
    assert recorder.wait("visits", 2)[1]["url"] == site.origin + "/route"
    tab.until("() => window.grapevine?.visit == 'visit2'")
    assert tab.run(SAID, "")
    press(tab, ERASED)
    assert [body["session"] for body in recorder.of("forget")] == ["session1", "session2"]


def test_the_page_may_ask_before_and_after_the_script_is_there(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    queued = "<script>window.grapevine = {q: [['forget']]}</script>"
    tab.goto(site.page("/p", BODY, head=queued, snippet=recorder.snippet(buttons="")))
    assert recorder.wait("forget") == [{"site": SITE, "session": "session1"}]
    tab.until("() => window.grapevine?.visit === null")
    assert tab.run("() => grapevine.forget()") is False, "nothing is left to erase"
    site.page("/q", BODY)
    tab.visited(site.origin + "/q")
    assert tab.run("async () => JSON.stringify(await Promise.all([grapevine.forget(), grapevine.forget()]))") == (
        "[true,true]"
    )
    assert len(recorder.of("forget")) == 2, "two calls at once are one"
    assert tab.errors() == []


def test_the_buttons_no_longer_carry_the_token(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    link = """() => document.querySelector('grapevine-buttons')?.shadowRoot
      ?.querySelector('[data-channel=whatsapp]')?.href"""
    tab.visited(site.page("/p", BODY + "<grapevine-buttons></grapevine-buttons>"))
    tab.until(f"token => ({link})()?.includes(token)", token(1, "whatsapp"))
    press(tab, ERASED)
    assert "gv%3D" not in tab.run(link)
    assert recorder.paths == ["visits", "forget"]


def test_the_address_bar_no_longer_carries_the_token(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    tab.visited(site.page("/p", BODY, snippet=recorder.snippet(address_bar="on")))
    tab.until("token => location.hash.includes(token)", token(1, "address"))
    press(tab, ERASED)
    assert tab.url == site.origin + "/p"
    idle(tab, 300)
    assert "visits" not in recorder.paths[recorder.paths.index("forget") :]


@pytest.mark.parametrize(
    "refusal",
    [BUSY, LIMITED, (500, {}, "no"), (403, {}, '{"code": "bad-origin"}')],
)
def test_a_refusal_keeps_the_visit(
    tab: Tab, site: Site, recorder: RecorderServer, refusal: tuple[int, dict[str, str], str]
) -> None:
    tab.visited(site.page("/p", BODY))
    before = tab.run(MEMORY)
    recorder.refusal = refusal
    press(tab, FAILED)
    assert tab.run(MEMORY) == before
    assert tab.run("() => grapevine.forget()") is False
    assert token(1, "copy") in tab.copy("#x")["text/html"]
    recorder.refusal = None
    press(tab, ERASED)
    assert {body["session"] for body in recorder.of("forget")} == {"session1"}
    assert tab.errors() == []


def test_a_server_that_is_away_keeps_the_visit(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    tab.visited(site.page("/p", BODY))
    tab.until(f"() => {SHADOW}?.querySelector('button')")
    recorder.away = True
    press(tab, FAILED)
    assert tab.run("() => grapevine.visit") == "visit1"
    recorder.away = False
    press(tab, ERASED)


@pytest.mark.parametrize("how", ["no consent", "refused", "opted out"])
def test_without_a_visit_there_is_nothing_to_erase(tab: Tab, site: Site, recorder: RecorderServer, how: str) -> None:
    head = "<script>Object.defineProperty(navigator, 'globalPrivacyControl', {value: true})</script>"
    consent = "required" if how == "no consent" else "granted"
    if how == "refused":
        recorder.refusal = 202, {"Grapevine-Dropped": "robot"}, "{}"
    tab.goto(site.page("/p", BODY, head=head * (how == "opted out"), snippet=recorder.snippet(consent=consent)))
    if how != "no consent":
        recorder.wait("visits")
    press(tab, NOTHING)
    assert tab.run("() => grapevine.forget()") is False
    assert "forget" not in recorder.paths
    assert json.loads(tab.run(STORED)) == [{}, {}]


def test_a_visit_of_an_earlier_page_is_erased_before_this_page_has_consent(
    tab: Tab, site: Site, recorder: RecorderServer
) -> None:
    tab.visited(site.page("/p", BODY))
    site.page("/q", BODY, snippet=recorder.snippet(consent="required"))
    tab.goto(site.origin + "/q")
    press(tab, ERASED)
    assert recorder.paths == ["visits", "forget"]
    assert json.loads(tab.run(STORED)) == [{}, {}]


def test_a_visit_that_did_not_arrive_is_never_sent(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    away(recorder, tab, site.page("/p", BODY))
    press(tab, NOTHING)
    assert json.loads(tab.run(STORED)) == [{}, {}]
    recorder.away = False
    tab.run(HIDE, True)
    idle(tab, 4_500)
    assert recorder.paths == []


def test_a_visit_that_arrives_late_is_erased_then(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    tab.goto(site.page("/p", BODY, head=HELD))
    press(tab, NOTHING)
    assert recorder.paths == ["visits"]
    tab.until("() => !!window.release")
    tab.run("() => release()")
    assert recorder.wait("forget") == [{"site": SITE, "session": "session1"}]
    assert tab.run("() => grapevine.visit") is None


def test_a_visit_that_is_just_being_reported_is_waited_for(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    tab.goto(site.page("/p", BODY, head=HELD))
    tab.until(f"() => {SHADOW}?.querySelector('button')")
    tab.until("() => !!window.release")
    tab.run("() => { grapevine.forget().then((erased) => { window.erased = erased }); release() }")
    assert tab.until("() => window.erased") is True
    assert recorder.paths == ["visits", "forget"]


def test_reports_that_wait_are_dropped_and_those_of_an_earlier_visit_are_not(
    tab: Tab, site: Site, recorder: RecorderServer
) -> None:
    later = 503, {"Retry-After": "3600"}, '{"code": "busy"}'
    tab.visited(site.page("/p", BODY))
    recorder.refusal = later
    tab.run("() => grapevine.convert('kept')")
    recorder.wait("conversions")
    recorder.refusal = None
    tab.run("() => { location.hash = 'gv=0123456789abcdefghijkLM' }")
    tab.until("() => window.grapevine?.visit == 'visit2'")
    recorder.refusal = later
    tab.run("() => grapevine.convert('dropped')")
    recorder.wait("conversions", 2)
    tab.until(f"() => Object.keys(({MEMORY})().outbox).length == 2")
    recorder.refusal = None
    press(tab, ERASED)
    stored: dict[str, Any] = tab.run(MEMORY)
    assert [json.loads(body)["goal"] for body in stored["outbox"]] == ["kept"]
    assert "session2" not in json.dumps(stored)
    tab.run(HIDE, True)
    recorder.wait("conversions", 3)
    idle(tab, 300)
    assert [body["goal"] for body in recorder.of("conversions")] == ["kept", "dropped", "kept"]


@pytest.mark.parametrize("lost", [False, True])
def test_a_report_under_way_is_not_stored_again(tab: Tab, site: Site, recorder: RecorderServer, *, lost: bool) -> None:
    """It fails after the erasure; neither it nor a refusal of the page's view begins anything anew."""
    tab.visited(site.page("/p", BODY))
    tab.until(f"() => {SHADOW}?.querySelector('button')")
    recorder.refusal = BUSY if lost else (422, {}, '{"code": "invalid"}')
    recorder.delay = 3.5  # the button is pressed meanwhile
    tab.run(ROUTE, "/route")
    recorder.wait("views")
    recorder.delay, recorder.refusal = 0, None
    press(tab, ERASED)
    idle(tab, 4_000)
    stored = tab.run(MEMORY)
    assert [stored.get(name) for name in ("outbox", "visit", "session")] in ([{}, None, None], [None] * 3)
    assert recorder.paths == ["visits", "views", "forget"]


def test_a_long_memory_forgets_the_tokens_of_this_visit_alone(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    tab.goto(site.page("/p", BODY, snippet=recorder.snippet(storage="local")))
    tab.until("() => window.grapevine?.visit")
    other = [["Vother".ljust(23, "0"), tab.run("() => Date.now()")]]
    tab.run(f"other => {{ localStorage['grapevine:{SITE}'] = JSON.stringify(other) }}", other)
    tab.copy("#x")
    recorder.wait("shares")
    tab.until(f"() => JSON.parse(localStorage['grapevine:{SITE}']).length == 2")
    press(tab, ERASED)
    assert tab.run(f"() => JSON.parse(localStorage['grapevine:{SITE}'])") == other
    assert tab.run("() => sessionStorage.length") == 0


def test_no_page_is_broken_by_a_part_that_does_not_come(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    recorder.files = {name: file for name, file in recorder.files.items() if not name.endswith(".forget.js")}
    tab.visited(site.page("/p", BODY))
    assert tab.run("() => grapevine.forget()") is False
    assert tab.run("() => grapevine.visit") == "visit1"
    assert tab.errors() == []


TOKEN: Final = "() => grapevine.url('copy').split(/#gv[-=]/)[1]"
PRESSED: Final = """() => new Promise((done) => {
  const {shadowRoot} = document.querySelector('grapevine-forget');
  const status = shadowRoot.querySelector('[role=status]');
  let pressed;
  shadowRoot.addEventListener('click', () => { pressed = performance.now() }, true);
  new MutationObserver(() => status.textContent && done([performance.now() - pressed, status.textContent]))
    .observe(status, {childList: true});
})"""
"""Milliseconds from the press of the button to what the element says then, and that."""


@pytest.mark.process
def test_a_server_no_longer_has_the_visit_within_a_second(tab: Tab, tmp_path: Path) -> None:
    commands = CommandRunner(tmp_path)
    with serve_site() as site, ExitStack() as serving:
        # A server that runs knows a new site after a second.
        added = json.loads(commands.run("site", "add", "Lees", "--origin", site.origin).stdout)
        _, url = serving.enter_context(commands.serving())
        site.snippet = f'<script async src="{url}/widget.js" data-site="{added["site"]}"></script>'
        site.page("/q", BODY)
        authorization = {"Authorization": f"Bearer {added['key']}"}
        with httpx.Client(base_url=url, headers=authorization, trust_env=False) as api:
            erased = tab.visited(site.page("/p", BODY))
            token = tab.until(TOKEN)
            assert resolved(api, token) == (200, erased)
            tab.until(f"() => {SHADOW}?.querySelector('button')")
            tab.run(f"() => {{ ({PRESSED})().then((found) => {{ window.outcome = found }}) }}")
            tab.click(BUTTON)
            milliseconds, said = tab.until("() => window.outcome")
            assert resolved(api, token) == (404, "unknown-visit")
            assert said == ERASED
            assert milliseconds < 1_000
            tab.run("() => { location.hash = 'x' }")
            tab.run(HIDE, True)
            tab.run(HIDE, False)
            assert tab.run("() => grapevine.forget()") is False
            assert tab.run("() => grapevine.visit") is None
            assert visits(api) == 0
            begun = tab.visited(site.origin + "/q")
            assert begun != erased
            assert resolved(api, tab.until(TOKEN)) == (200, begun)
            assert visits(api) == 1


def resolved(api: httpx.Client, token: str) -> tuple[int, str]:
    """Returns the status of a token's resolution, and the visit that shared it or the code of the refusal."""
    answer = api.get(f"/v1/tokens/{token}")
    found = answer.json()
    return answer.status_code, found["share"]["visit"] if answer.status_code == 200 else found["code"]


def visits(api: httpx.Client) -> int:
    """Returns how many visits the server counts."""
    return int(api.get("/v1/stats/summary").json()["visits"])
