"""The widget's page API: `window.grapevine`, events, consent, Global Privacy Control and Do Not Track."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Visitor, snippet
from tests.browser.fake_collect_api import Recorder, token, until
from tests.support.browsers import clipboard, copy
from tests.support.page_server import Site

FOREIGN = "0123456789abcdefghijkLM"
BODY = '<p id="x">Read <a href="/a">this</a></p>'
HEAR = """<script>
window.heard = [];
for (const name of ['ready', 'share', 'return', 'drop'])
  document.addEventListener('grapevine:' + name, event => heard.push([name, event.detail]));
</script>"""


def opened(page: Page, site: Site, path: str = "/p", **attributes: str) -> None:
    site.page("/p", BODY, head=HEAR, snippet=snippet(**attributes))
    page.goto(site.origin + path)
    page.wait_for_function("() => window.grapevine?.version")


def test_the_page_learns_of_the_visit_and_of_shares(page: Page, site: Site, recorder: Recorder) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened(page, site, f"/p#gv={FOREIGN}")
    page.wait_for_function("() => heard.length == 2")
    assert page.evaluate("() => grapevine.share('copy')") is True
    assert clipboard(page)["text/plain"] == f"{site.origin}/p#gv={token(1, 'copy')}"
    recorder.wait(page, "shares")
    assert page.evaluate("() => heard") == [
        ["ready", {"visit": "visit1"}],
        ["return", {"valid": True, "depth": 1, "self": False, "same_network": False, "channel": "whatsapp"}],
        ["share", {"channel": "copy", "url": f"{site.origin}/p"}],
    ]
    assert re.fullmatch(r"\d+\.\d+\.\d+", page.evaluate("() => grapevine.version"))
    assert page.evaluate("() => grapevine.visit") == "visit1"
    assert page.evaluate("() => grapevine.url('email')") == f"{site.origin}/p#gv={token(1, 'email')}"


def test_what_was_queued_before_the_script_is_done(page: Page, site: Site, recorder: Recorder) -> None:
    queue = """<script>
    window.heard = [];
    window.grapevine = window.grapevine || {q: []};
    grapevine.q.push(['on', 'ready', detail => heard.push(detail)]);
    grapevine.q.push(['convert', 'signup', {value: 4.5, currency: 'EUR', id: 7}]);
    grapevine.q.push(['nonsense']);
    window.early = grapevine;
    </script>"""
    site.page("/p", BODY, head=queue)
    page.goto(site.origin + "/p")
    [goal] = recorder.wait(page, "conversions")
    assert re.fullmatch(r"[0-9A-Za-z_-]{16,64}", goal.pop("nonce"))
    assert goal == {
        "site": "sitekey",
        "session": "session1",
        "goal": "signup",
        "value": "4.500000",
        "currency": "EUR",
        "id": 7,
    }
    page.evaluate("() => { early.q.push(['on', 'ready', detail => heard.push('late')]) }")
    assert page.evaluate("() => heard") == [{"visit": "visit1"}, "late"]


def test_a_goal_is_reported_at_once_when_the_visit_is_known(page: Page, site: Site, recorder: Recorder) -> None:
    opened(page, site)
    page.wait_for_function("() => window.grapevine?.visit")
    page.evaluate("() => { grapevine.convert('order') }")
    assert recorder.wait(page, "conversions")[0]["goal"] == "order"


@pytest.mark.parametrize(
    ("status", "headers", "body", "reason"),
    [
        (202, {"Grapevine-Dropped": "robot"}, "{}", "robot"),
        (403, {"Grapevine-Dropped": "bad-origin"}, '{"code": "bad-origin"}', "bad-origin"),
        (404, {}, '{"code": "not-found"}', None),
    ],
)
def test_the_page_learns_why_an_event_was_dropped(
    page: Page, site: Site, recorder: Recorder, status: int, headers: dict[str, str], body: str, reason: object
) -> None:
    recorder.refusal = status, headers, body
    opened(page, site)
    page.wait_for_function("() => heard.length")
    assert page.evaluate("() => heard") == [["drop", {"reason": reason}]]
    assert page.evaluate("() => [grapevine.visit, grapevine.url('copy')]") == [None, f"{site.origin}/p"]


def test_nothing_is_sent_or_stored_before_consent(page: Page, site: Site, recorder: Recorder) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened(page, site, f"/p?a=1&gv={FOREIGN}", consent="required", storage="local")
    assert page.url == f"{site.origin}/p?a=1"
    assert "gv" not in (page.locator("a[part=button]").first.get_attribute("href") or "gv")
    page.click("[title='Copy link']")
    until(page, page.locator("[role=status]").inner_text, bool)
    assert clipboard(page)["text/plain"] == f"{site.origin}/p?a=1"
    assert "gv=" not in copy(page, "#x")["text/html"]
    page.evaluate("() => history.pushState(null, '', '/q')")
    page.evaluate("() => history.back()")
    page.wait_for_timeout(200)
    assert recorder.reports == []
    assert page.evaluate("() => [sessionStorage.length, localStorage.length]") == [0, 0]

    page.evaluate("() => { grapevine.consent(true); grapevine.consent(true) }")
    assert recorder.wait(page, "visits")[0]["token"] == FOREIGN
    page.wait_for_function("() => window.grapevine?.visit")
    assert token(1, "whatsapp") in (page.get_attribute("[title=WhatsApp]", "href") or "")
    assert token(1, "copy") in copy(page, "#x")["text/html"]
    recorder.wait(page, "shares")

    assert page.evaluate("() => [sessionStorage.length, localStorage.length]") == [1, 1]
    page.evaluate("() => grapevine.consent(false)")
    assert "gv" not in (page.get_attribute("[title=WhatsApp]", "href") or "")
    assert page.evaluate("() => [grapevine.visit, sessionStorage.length, localStorage.length]") == [None, 0, 0]
    before = len(recorder.reports)
    copy(page, "#x")
    page.reload()
    page.wait_for_function("() => window.grapevine?.version")
    page.wait_for_timeout(150)
    assert len(recorder.reports) == before


def test_consent_can_be_queued(page: Page, site: Site, recorder: Recorder) -> None:
    head = "<script>window.grapevine = {q: [['consent', true]]}</script>"
    site.page("/p", head=head, snippet=snippet(consent="required"))
    page.goto(site.origin + "/p")
    page.wait_for_function("() => window.grapevine?.visit")
    page.wait_for_timeout(100)
    assert recorder.paths == ["visits"]


@pytest.mark.parametrize(("name", "value"), [("globalPrivacyControl", "true"), ("doNotTrack", "'1'")])
def test_an_opted_out_visitor_is_only_counted(
    page: Page, site: Site, recorder: Recorder, name: str, value: str
) -> None:
    page.add_init_script(f"Object.defineProperty(navigator, '{name}', {{value: {value}}})")
    opened(page, site, f"/p#gv={FOREIGN}", storage="local")
    [visit] = recorder.wait(page, "visits")
    assert "token" not in visit
    assert visit["opted_out"] is True
    assert page.url == f"{site.origin}/p"
    assert "gv=" not in copy(page, "#x")["text/html"]
    page.evaluate("() => { grapevine.convert('order') }")
    page.wait_for_timeout(100)
    assert recorder.paths == ["visits"]
    assert page.evaluate("() => [sessionStorage.length, localStorage.length, grapevine.visit]") == [0, 0, None]


def test_the_widget_works_plainly_when_the_server_is_away(page: Page, site: Site, recorder: Recorder) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    recorder.away = True
    opened(page, site, f"/p#gv={FOREIGN}")
    page.click("[title='Copy link']")
    until(page, page.locator("[role=status]").inner_text, bool)
    assert clipboard(page)["text/plain"] == f"{site.origin}/p"
    assert f'href="{site.origin}/a"' in copy(page, "#x")["text/html"]
    assert "gv" not in (page.get_attribute("[title=WhatsApp]", "href") or "")
    assert problems == []
    recorder.away = False
    page.reload()
    assert recorder.wait(page, "visits")[0]["token"] == FOREIGN


def test_a_second_copy_of_the_script_steps_aside(page: Page, site: Site, recorder: Recorder) -> None:
    site.page("/p", BODY, snippet=snippet() + snippet())
    page.goto(site.origin + "/p")
    page.wait_for_function("() => window.grapevine?.visit")
    page.wait_for_timeout(100)
    assert recorder.paths == ["visits"]
    assert page.locator("grapevine-buttons").count() == 1


def test_errors_in_the_pages_listeners_do_not_reach_the_widget(
    visitor: Visitor, site: Site, recorder: Recorder
) -> None:
    context = visitor()
    recorder.attach(context)
    page = context.new_page()
    site.page("/p", BODY, head="<script>window.grapevine = {q: [['on', 'share', () => { throw 1 }]]}</script>")
    page.goto(site.origin + "/p")
    page.wait_for_function("() => window.grapevine?.visit")
    assert token(1, "copy") in copy(page, "#x")["text/html"]
    recorder.wait(page, "shares")
