"""The memory of a tab: whether opening a page counts as a return, a self-return or nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Visitor, snippet
from tests.browser.fake_collect_api import Recorder, token, until
from tests.support.page_server import Site

FOREIGN = "0123456789abcdefghijkLM"
OTHER = "zyxwvutsrqponmlkjihgfED"
START = datetime(2026, 5, 1, tzinfo=UTC)
STAY = "() => window.grapevine?.visit"


def settle(page: Page) -> None:
    """Lets everything arrive that is under way."""
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(150)


def test_a_return_is_one_visit_whatever_the_tab_does_next(page: Page, site: Site, recorder: Recorder) -> None:
    heard = (
        "<script>window.returns = []; addEventListener('grapevine:return', e => returns.push(e.detail), true)</script>"
    )
    site.page("/a", '<a id="on" href="/b">on</a>', head=heard, title="A")
    site.page("/b", title="B")
    page.goto(f"{site.origin}/a#gv={FOREIGN}")
    [landing] = recorder.wait(page, "visits")
    assert landing["token"] == FOREIGN
    assert "own" not in landing
    page.wait_for_function("() => returns.length == 1")
    assert page.evaluate("() => returns[0].depth") == 1
    page.reload()
    recorder.wait(page, "views", 1)
    page.click("#on")
    recorder.wait(page, "views", 2)
    page.go_back()
    recorder.wait(page, "views", 3)
    page.go_forward()
    recorder.wait(page, "views", 4)
    page.goto(f"{site.origin}/b#gv={FOREIGN}")
    recorder.wait(page, "views", 5)
    page.goto(f"{site.origin}/a?gv={FOREIGN}")
    views = recorder.wait(page, "views", 6)
    settle(page)
    assert recorder.paths == ["visits"] + ["views"] * 6
    assert [view["url"].removeprefix(site.origin) for view in views] == ["/a", "/b", "/a", "/b", "/b", "/a"]
    assert {view["session"] for view in views} == {"session1"}
    assert len({view["nonce"] for view in views}) == 6
    assert [view["title"] for view in views[:2]] == ["A", "B"]


def test_another_foreign_token_is_another_visit(page: Page, site: Site, recorder: Recorder) -> None:
    site.page("/a")
    page.goto(f"{site.origin}/a#gv={FOREIGN}")
    page.wait_for_function(STAY)
    page.goto(f"{site.origin}/a?gv={OTHER}")
    assert [visit["token"] for visit in recorder.wait(page, "visits", 2)] == [FOREIGN, OTHER]


def test_a_token_pasted_behind_the_open_page_is_an_arrival(page: Page, site: Site, recorder: Recorder) -> None:
    site.page("/a")
    page.goto(f"{site.origin}/a")
    page.wait_for_function(STAY)
    page.evaluate(f"() => {{ location.hash = 'gv={FOREIGN}' }}")
    assert recorder.wait(page, "visits", 2)[1]["token"] == FOREIGN
    assert page.url == f"{site.origin}/a"


def test_the_tabs_own_token_is_nothing_new(page: Page, site: Site, recorder: Recorder) -> None:
    site.page("/a")
    page.goto(f"{site.origin}/a")
    page.wait_for_function(STAY)
    page.goto(f"{site.origin}/a?gv={token(1, 'whatsapp')}")
    recorder.wait(page, "views")
    settle(page)
    assert recorder.paths == ["visits", "views"]
    assert page.url == f"{site.origin}/a"


def test_a_duplicated_or_restored_tab_goes_on_with_the_visit(page: Page, site: Site, recorder: Recorder) -> None:
    site.page("/a")
    page.goto(f"{site.origin}/a#gv={FOREIGN}")
    page.wait_for_function(STAY)
    with page.expect_popup() as opened:
        page.evaluate(f"() => {{ window.open('/a#gv={FOREIGN}') }}")  # copies the session storage, as both do
    recorder.wait(opened.value, "views")
    settle(opened.value)
    assert recorder.paths == ["visits", "views"]


def test_ones_own_link_in_another_tab_is_known_as_ones_own(page: Page, site: Site, recorder: Recorder) -> None:
    site.page("/a")
    page.goto(f"{site.origin}/a")
    page.wait_for_function(STAY)
    tab = page.context.new_page()
    tab.goto(f"{site.origin}/a?gv={token(1, 'copy')}")
    second = recorder.wait(tab, "visits", 2)[1]
    assert (second["token"], second["own"]) == (token(1, "copy"), True)


def test_another_person_behind_the_same_address_is_a_return(
    page: Page, site: Site, recorder: Recorder, visitor: Visitor
) -> None:
    site.page("/a")
    page.goto(f"{site.origin}/a")
    page.wait_for_function(STAY)
    context = visitor()
    recorder.attach(context)
    colleague = context.new_page()
    colleague.goto(f"{site.origin}/a#gv={token(1, 'copy')}")
    assert "own" not in recorder.wait(colleague, "visits", 2)[1]


def test_a_new_tab_from_an_own_page_starts_a_visit(page: Page, site: Site, recorder: Recorder) -> None:
    site.page("/a", '<a id="on" href="/b" target="_blank">on</a>')
    site.page("/b")
    page.goto(f"{site.origin}/a#gv={FOREIGN}")
    page.wait_for_function(STAY)
    with page.expect_popup() as opened:
        page.click("#on")
    second = recorder.wait(opened.value, "visits", 2)[1]
    assert second["referrer"] == f"{site.origin}/a"
    assert "token" not in second


def test_thirty_idle_minutes_end_the_visit_but_not_the_memory(page: Page, site: Site, recorder: Recorder) -> None:
    site.page("/a")
    page.clock.install()
    page.goto(f"{site.origin}/a#gv={FOREIGN}")
    page.wait_for_function(STAY)
    page.clock.fast_forward("29:00")
    page.reload()
    recorder.wait(page, "views")
    page.clock.fast_forward("31:00")
    page.goto(f"{site.origin}/a?gv={FOREIGN}")
    second = recorder.wait(page, "visits", 2)[1]
    assert "token" not in second
    page.wait_for_function("() => window.grapevine?.visit == 'visit2'")
    page.goto(f"{site.origin}/a?x&gv={token(1, 'copy')}")
    recorder.wait(page, "views", 2)
    assert len(recorder.of("visits")) == 2


def test_a_visit_without_an_answer_is_reported_again_as_the_same(page: Page, site: Site, recorder: Recorder) -> None:
    site.page("/a")
    recorder.refusal = 503, {"Retry-After": "1"}, '{"code": "busy"}'
    page.goto(f"{site.origin}/a#gv={FOREIGN}")
    recorder.wait(page, "visits")
    recorder.refusal = None
    page.reload()  # sends what waits as it leaves the page, and once more from the next
    recorder.wait(page, "views")
    # The buttons may ask for theirs later.
    first, *again = (visit | {"channels": ""} for visit in recorder.of("visits"))
    assert again
    assert again == [first] * len(again)


def test_a_visit_that_the_server_has_lost_starts_anew(page: Page, site: Site, recorder: Recorder) -> None:
    site.page("/a")
    page.goto(f"{site.origin}/a")
    page.wait_for_function(STAY)
    recorder.refusal = 422, {}, '{"code": "invalid"}'
    page.reload()
    recorder.wait(page, "views")
    first, second = recorder.wait(page, "visits", 2)
    assert first["nonce"] != second["nonce"]


def test_without_storage_each_load_is_a_visit(page: Page, site: Site, recorder: Recorder) -> None:
    site.page("/a", snippet=snippet(storage="none"))
    page.goto(f"{site.origin}/a#gv={FOREIGN}")
    page.wait_for_function(STAY)
    page.reload()
    recorder.wait(page, "visits", 2)
    assert page.evaluate("() => [sessionStorage.length, localStorage.length]") == [0, 0]


def test_local_storage_knows_shared_tokens_for_thirty_days(page: Page, site: Site, recorder: Recorder) -> None:
    site.page("/a", snippet=snippet(storage="local"))
    page.clock.install(time=START)
    page.goto(f"{site.origin}/a")
    page.wait_for_function(STAY)
    page.evaluate("() => { navigator.clipboard.writeText = async () => {}; return grapevine.share('copy') }")
    recorder.wait(page, "shares")
    page.goto("about:blank")
    owns: list[bool] = []
    for days in (29, 31):
        tab = page.context.new_page()
        tab.clock.install(time=START + timedelta(days=days))
        tab.goto(f"{site.origin}/a#gv={token(1, 'copy')}")
        owns.append(recorder.wait(tab, "visits", len(owns) + 2)[-1].get("own", False))
        tab.close()
    assert owns == [True, False]


def test_a_token_is_reported_where_its_part_cannot_be_loaded(page: Page, site: Site, recorder: Recorder) -> None:
    page.context.route("**/*.ownTokens.js", lambda route: route.abort())
    site.page("/a", snippet=snippet(storage="local"))
    page.goto(f"{site.origin}/a#gv={FOREIGN}")
    visit = recorder.wait(page, "visits")[0]
    assert (visit["token"], visit.get("own")) == (FOREIGN, None)
    page.wait_for_function("() => window.grapevine?.visit")


def test_a_page_from_the_cache_goes_on_with_the_visit(page: Page, site: Site, recorder: Recorder) -> None:
    site.page("/a")
    page.goto(f"{site.origin}/a")
    page.wait_for_function(STAY)
    page.evaluate("() => { dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true})) }")
    recorder.wait(page, "views")
    assert recorder.paths == ["visits", "views"]


def test_a_page_being_prerendered_waits(page: Page, site: Site, recorder: Recorder) -> None:
    page.add_init_script("Object.defineProperty(document, 'prerendering', {configurable: true, value: true})")
    site.page("/a")
    page.goto(f"{site.origin}/a#gv={FOREIGN}")
    page.wait_for_function("() => window.grapevine?.version")
    settle(page)
    assert recorder.reports == []
    assert page.url == f"{site.origin}/a"
    assert page.evaluate("() => sessionStorage.length") == 0
    page.evaluate("""() => {
      Object.defineProperty(document, 'prerendering', {value: false});
      document.dispatchEvent(new Event('prerenderingchange'));
    }""")
    assert recorder.wait(page, "visits")[0]["token"] == FOREIGN


@pytest.mark.parametrize("broken", ["sessionStorage", "BroadcastChannel", "localStorage"])
def test_a_browser_that_refuses_its_storage_is_no_trouble(
    page: Page, site: Site, recorder: Recorder, broken: str
) -> None:
    page.add_init_script(f"Object.defineProperty(window, '{broken}', {{get() {{ throw new Error('refused') }}}})")
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    site.page("/a", snippet=snippet(storage="local"))
    page.goto(f"{site.origin}/a#gv={FOREIGN}")
    assert recorder.wait(page, "visits")[0]["token"] == FOREIGN
    until(page, lambda: page.locator("[part=button]").count(), lambda count: count > 5)
    assert problems == []
