"""Single-page apps: a route change is a view, and what is shared is the page that is shown."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Route

from tests.browser.fake_collect_api import Recorder, token
from tests.support.browsers import copy
from tests.support.page_server import Site

BODY = '<p id="x">Read <a href="#more">more</a></p>'


@pytest.fixture(params=["navigation", "history"])
def app(request: pytest.FixtureRequest, page: Page, site: Site) -> Page:
    """An app on the page /app, in a browser with and without the Navigation API."""
    if request.param == "history":
        page.add_init_script(
            "delete window.navigation; Object.defineProperty(window, 'navigation', {value: undefined})"
        )
    site.page("/app", BODY)
    page.goto(site.origin + "/app")
    page.wait_for_function("() => window.grapevine?.visit")
    return page


def test_a_route_change_before_the_part_for_routes_is_loaded(page: Page, site: Site, recorder: Recorder) -> None:
    """Without the Navigation API the part notices it by the address of the visit."""
    page.add_init_script("Object.defineProperty(window, 'navigation', {value: undefined})")
    held: list[Route] = []
    page.route("**/widget.*.routes.js", lambda route: held.append(route))
    site.page("/app", BODY)
    page.goto(site.origin + "/app")
    page.wait_for_function("() => window.grapevine?.visit")
    page.evaluate("() => { history.pushState({n: 1}, '', '/app/two'); document.title = 'Two' }")
    held[0].fallback()
    [view] = recorder.wait(page, "views")
    assert (view["url"], view["title"]) == (f"{site.origin}/app/two", "Two")


def test_a_route_change_is_a_view_of_the_new_page(app: Page, site: Site, recorder: Recorder) -> None:
    app.evaluate("() => { history.pushState({n: 1}, '', '/app/two?x=1'); document.title = 'Two' }")
    [view] = recorder.wait(app, "views")
    assert (view["url"], view["title"], view["session"]) == (f"{site.origin}/app/two?x=1", "Two", "session1")
    app.evaluate("() => history.replaceState(null, '', '/app/three')")
    recorder.wait(app, "views", 2)
    app.evaluate("() => history.back()")
    recorder.wait(app, "views", 3)
    app.evaluate("() => { location.hash = '#/four' }")
    views = recorder.wait(app, "views", 4)
    assert [v["url"].removeprefix(site.origin) for v in views] == ["/app/two?x=1", "/app/three", "/app", "/app#/four"]
    assert recorder.paths == ["visits"] + ["views"] * 4


def test_what_is_no_route_is_no_view(app: Page, recorder: Recorder) -> None:
    app.evaluate("""() => {
      location.hash = '#section';
      history.replaceState({scroll: 1}, '');
      history.pushState({}, '', location.href);
    }""")
    app.wait_for_timeout(200)
    assert recorder.paths == ["visits"]


def test_shares_carry_the_page_that_is_shown(app: Page, site: Site, recorder: Recorder) -> None:
    app.evaluate("() => history.pushState(null, '', '/app/two')")
    assert app.evaluate("() => grapevine.url('copy')") == f"{site.origin}/app/two#gv={token(1, 'copy')}"
    recorder.wait(app, "views")
    assert f"two%23gv%3D{token(1, 'whatsapp')}" in (app.get_attribute("[title=WhatsApp]", "href") or "")
    assert f"/app/two?gv={token(1, 'copy')}#more" in copy(app, "#x")["text/html"]
    assert recorder.wait(app, "shares")[0]["url"] == f"{site.origin}/app/two#more"


def test_a_page_with_its_own_history_keeps_working(page: Page, site: Site, recorder: Recorder) -> None:
    page.add_init_script("Object.defineProperty(window, 'navigation', {value: undefined})")
    before = """<script>
    window.calls = [];
    const real = history.pushState;
    history.pushState = function (...args) { calls.push(args[2]); return real.apply(this, args) };
    </script>"""
    site.page("/app", BODY, head=before)
    page.goto(site.origin + "/app")
    page.wait_for_function("() => window.grapevine?.visit")
    page.evaluate("""() => {
      const real = history.pushState;
      history.pushState = (...args) => real.apply(history, args);
      history.pushState({n: 1}, '', '/app/two');
    }""")
    recorder.wait(page, "views")
    assert page.evaluate("() => [calls, history.state, location.pathname]") == [["/app/two"], {"n": 1}, "/app/two"]


def test_a_bar_that_the_app_threw_away_comes_back(app: Page) -> None:
    app.evaluate("() => { document.body = document.createElement('body'); history.pushState(null, '', '/two') }")
    app.wait_for_selector("grapevine-buttons [part=bar]")
