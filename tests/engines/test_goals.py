"""Goals reach the server once, in the visit in which they were reached, whatever the page waits for or does next."""

from __future__ import annotations

import json
from typing import Final

import pytest

from tests.engines.server import RecorderServer
from tests.engines.tab import Tab
from tests.engines.test_forget import HELD, STORED, idle
from tests.engines.test_outbox import MEMORY, away, known
from tests.engines.test_page_life import FOREIGN, PRERENDERED, VERSION, bare
from tests.support.page_server import Site


def goals(recorder: RecorderServer, count: int = 1) -> list[tuple[str, str]]:
    """The session and name of each goal, as soon as there are so many; the server counts one once, by its nonce."""
    while True:
        sent = recorder.of("conversions")
        if len(found := {body["nonce"]: (body["session"], body["goal"]) for body in sent}) >= count:
            return sorted(found.values())
        recorder.wait("conversions", len(sent) + 1)


def test_a_goal_on_the_click_that_leaves_a_landing_page_is_sent_by_the_next(
    tab: Tab, site: Site, recorder: RecorderServer
) -> None:
    site.page("/next")
    click = "grapevine.convert('signup', {value: 0.1 + 0.2, currency: 'EUR', id: 7})"
    tab.goto(site.page("/p", f'<a id="on" href="/next" onclick="{click}">sign up</a>', head=HELD))
    tab.until("() => !!window.release")  # the visit is stored, but the page never learns of it
    tab.click("#on")
    tab.until("() => location.pathname == '/next' && window.grapevine?.visit")
    assert goals(recorder) == [("session1", "signup")]
    goal = recorder.of("conversions")[0]
    assert (goal["value"], goal["currency"], goal["id"]) == ("0.300000", "EUR", 7)
    tab.until(f"() => !Object.keys(({MEMORY})().outbox).length")


def test_goals_reached_while_the_server_is_away_are_sent_when_it_is_back(
    tab: Tab, site: Site, recorder: RecorderServer
) -> None:
    site.page("/plain", snippet="")
    site.page("/next", head="<script>window.grapevine = {q: [['convert', 'queued']]}</script>")
    away(recorder, tab, site.page("/p"))
    tab.run("() => grapevine.convert('on the first page')")
    tab.goto(site.origin + "/next")
    tab.until(VERSION)
    tab.run("() => grapevine.convert('as it is left')")
    tab.goto(site.origin + "/plain")
    recorder.away = False
    tab.visited(site.origin + "/p")
    assert goals(recorder, 3) == [("session1", name) for name in ("as it is left", "on the first page", "queued")]
    tab.until(f"() => !Object.keys(({MEMORY})().outbox).length")


def test_a_page_that_began_while_all_of_the_server_was_away_catches_up(
    tab: Tab, site: Site, recorder: RecorderServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = recorder.file
    with monkeypatch.context() as away_with_its_files:
        away_with_its_files.setattr(recorder, "file", lambda name: file(name) if name == "widget.js" else None)
        recorder.away = True
        tab.goto(site.page("/p"))
        tab.until(VERSION)
        tab.run("() => grapevine.convert('early')")
        tab.run("() => history.pushState(null, '', '/offline')")
        idle(tab, 300)
    recorder.away = False
    known(tab)
    if tab.engine == "firefox":  # which remembers a failed import for as long as the page lives
        tab.visited(site.page("/q"))
    assert goals(recorder) == [("session1", "early")]
    if tab.engine == "firefox" or not tab.run("() => !!window.navigation"):
        return  # without the Navigation API routes are polled by a part that is asked for once (docs/hostile-pages.md)
    for count, path in enumerate(("/first", "/second"), 1):
        tab.run("path => history.pushState(null, '', path)", path)
        assert recorder.wait("views", count)[-1]["url"] == site.origin + path
    tab.until("() => document.querySelector('grapevine-buttons')?.shadowRoot?.querySelector('[part=button]')")


def test_a_goal_on_the_click_that_leaves_a_known_visit_is_not_lost(
    tab: Tab, site: Site, recorder: RecorderServer
) -> None:
    site.page("/next")
    tab.visited(site.page("/p", '<a id="on" href="/next" onclick="grapevine.convert(\'order\')">order</a>'))
    recorder.drops = True  # takes the report and closes the connection, as does a page that is left
    tab.click("#on")
    recorder.wait("conversions")
    tab.until("() => location.pathname == '/next' && window.grapevine?.visit")
    recorder.drops = False
    recorder.wait("conversions", 2)
    assert goals(recorder) == [("session1", "order")]


def test_a_goal_keeps_to_the_visit_in_which_it_was_reached(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    tab.goto(site.page("/p", head=HELD, snippet=bare(recorder)))
    tab.until("() => !!window.release")
    tab.run("() => grapevine.convert('before')")
    site.page("/q", snippet=bare(recorder))
    tab.goto(f"{site.origin}/q#gv={FOREIGN}")
    tab.run("() => grapevine.convert('after')")
    assert goals(recorder, 2) == [("session1", "before"), ("session2", "after")]
    assert recorder.of("visits")[-1].get("token") in {None, FOREIGN}
    assert len({visit["nonce"] for visit in recorder.of("visits")}) == 2


SECOND_PAGES: Final = {
    "consent is given per page": ("required", "", "grapevine.consent(true)"),
    "prerendered": ("", PRERENDERED, "activate()"),
    "prerendered, and consent is given later": ("required", PRERENDERED, "activate(); grapevine.consent(true)"),
    "consent is given while it is prerendered": ("required", PRERENDERED, "grapevine.consent(true); activate()"),
    "nothing to wait for": ("", "", ""),
    "another route at once": ("", "", "history.pushState(null, '', '/route')"),
}
"""What a page waits for (`data-consent`, a script in its head), and what happens then."""


def test_a_goal_of_a_later_page_is_sent_whatever_that_waits_for(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    tab.visited(site.page("/p", snippet=bare(recorder)))
    for number, (name, (consent, head, then)) in enumerate(SECOND_PAGES.items(), 1):
        queue = f"<script>window.grapevine = {{q: [['convert', 'queued on {number}']]}}</script>"
        snippet = bare(recorder, **({"consent": consent} if consent else {}))
        tab.goto(site.page(f"/{number}", head=head + queue, snippet=snippet))
        tab.until(VERSION)
        tab.run(f"() => {{ grapevine.convert('called on {number}'); {then} }}")
        expected = sorted(f"{how} on {page}" for page in range(1, number + 1) for how in ("called", "queued"))
        assert sorted(goals(recorder, 2 * number)) == [("session1", goal) for goal in expected], name
    idle(tab, 100)
    assert len({body["nonce"] for body in recorder.of("conversions")}) == 2 * len(SECOND_PAGES)
    assert tab.errors() == []


AMOUNTS: Final = {
    "0.1 + 0.2": "0.300000",
    "49": "49.000000",
    "'49.00'": "49.00",
    "1 / 3": "0.333333",
    "1e6 + .05": "1000000.050000",
    "null": None,
}


def test_an_amount_is_sent_as_a_decimal_text(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    tab.visited(site.page("/p", snippet=bare(recorder)))
    sent = []
    for number, written in enumerate(AMOUNTS, 1):
        tab.run(f"() => grapevine.convert('order', {{value: {written}, currency: 'EUR', id: 'A-1'}})")
        goal = recorder.wait("conversions", number)[-1]
        sent.append((goal.get("value"), goal["currency"], goal["id"]))
    assert sent == [(amount, "EUR", "A-1") for amount in AMOUNTS.values()]


@pytest.mark.parametrize("how", ["refused", "forgotten", "given"])
def test_goals_wait_for_consent_and_go_with_its_refusal(
    tab: Tab, site: Site, recorder: RecorderServer, how: str
) -> None:
    queue = "<script>window.grapevine = {q: [['convert', 'queued']]}</script>"
    tab.goto(site.page("/p", head=queue, snippet=bare(recorder, consent="required")))
    tab.until(VERSION)
    tab.run("() => grapevine.convert('early')")
    assert json.loads(tab.run(STORED)) == [{}, {}]
    if how == "forgotten":
        tab.run("() => grapevine.forget()")
    if how == "refused":
        tab.run("() => { grapevine.consent(false); grapevine.convert('refused') }")
    tab.run("() => { grapevine.consent(true); grapevine.convert('late') }")
    known(tab)
    expected = ["early", "late", "queued"] if how == "given" else ["late"]
    assert goals(recorder, len(expected)) == [("session1", name) for name in expected]
    idle(tab, 100)
    assert len(recorder.of("conversions")) == len(expected)


@pytest.mark.parametrize("ends", ["grapevine.consent(false)", "grapevine.forget()"])
def test_kept_goals_go_with_the_visit(tab: Tab, site: Site, recorder: RecorderServer, ends: str) -> None:
    away(recorder, tab, site.page("/p", snippet=bare(recorder)))
    tab.run("() => { for (let i = 0; i < 30; i++) grapevine.convert('goal' + i) }")
    assert len(tab.run(MEMORY)["outbox"]) == 20
    tab.run(f"() => {ends}")
    assert json.loads(tab.run(STORED)) == [{}, {}]
    tab.run("() => grapevine.convert('in no visit')")
    recorder.away = False
    if "forget" in ends:
        tab.visited(site.page("/q", snippet=bare(recorder)))
    idle(tab, 300)
    assert recorder.of("conversions") == []
