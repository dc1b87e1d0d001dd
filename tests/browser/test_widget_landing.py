"""Landing on a page: the widget reports the visit and takes the token out of the address bar."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page

from grapevine import __version__
from tests.browser.conftest import snippet
from tests.browser.fake_collect_api import Recorder
from tests.support.page_server import Site

T = "0123456789abcdefghijkLM"


def test_a_visit_is_reported_once(page: Page, site: Site, recorder: Recorder) -> None:
    site.page("/start", f'<a id="next" href="{site.origin}/deep?a=1">on</a>', snippet="")
    site.page("/deep", title="Deep & wide")
    page.goto(site.origin + "/start")
    page.click("#next")
    [body] = recorder.wait(page, "visits")
    page.wait_for_function("() => window.grapevine?.visit === 'visit1'")
    assert re.fullmatch(r"[0-9A-Za-z_-]{16,64}", body.pop("nonce"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", body.pop("day"))
    assert body == {
        "site": "sitekey",
        "url": site.origin + "/deep?a=1",
        "opted_out": False,
        "build": __version__,
        "channels": "",
        "referrer": site.origin + "/start",
        "title": "Deep & wide",
    }
    assert recorder.reports[0].headers["content-type"].startswith("text/plain")
    assert recorder.paths == ["visits"]


@pytest.mark.parametrize(
    ("opened", "left"),
    [
        (f"#gv={T}", ""),
        (f"?gv={T}", ""),
        (f"?gv={T}#part", "#part"),
        (f"?gv={T}&b=%20+%zz", "?b=%20+%zz"),
        (f"?a=1&gv={T}&b=2", "?a=1&b=2"),
        (f"?a=&gv={T}", "?a="),
        (f"?a=%C3%A4&a=ä&gv={T}#x=%7B", "?a=%C3%A4&a=%C3%A4#x=%7B"),
        (f"#a=1&gv={T}&b", "#a=1&b"),
        (f"#part&gv={T}", "#part"),
        (f"#gv={T}&x", "#x"),
        (f"#/route?gv={T}", "#/route"),
        (f"#/route?x=1&gv={T}&y=2", "#/route?x=1&y=2"),
        (f"#/route&gv={T}", "#/route"),
        (f"?gv={T}#gv={T}", ""),
        (f"?gv={T}&gv={T}", ""),
        (f"?gv={T}&q=1#/route?x", "?q=1#/route?x"),
        (f"#gv-{T}", ""),
        (f"?gv-{T}", ""),
        (f"?a=1&gv-{T}&b=2#part", "?a=1&b=2#part"),
        (f"#part&gv-{T}", "#part"),
        (f"#/route?x=1&gv-{T}&y=2", "#/route?x=1&y=2"),
        (f"?gv={T}#gv-{T}", ""),
    ],
)
def test_the_token_leaves_the_address_bar(page: Page, site: Site, recorder: Recorder, opened: str, left: str) -> None:
    site.page("/p")
    page.goto(site.origin + "/p" + opened)
    [body] = recorder.wait(page, "visits")
    assert page.evaluate("() => location.href") == site.origin + "/p" + left
    assert body["token"] == T
    assert body["url"] == site.origin + "/p" + left


@pytest.mark.parametrize(
    "opened",
    [
        "?gv=", f"?gv={T}0", f"?gv={T[:-1]}", f"?gv={T[:-1]}-", f"?xgv={T}", f"?GV={T}", f"#/gv={T}",
        f"#agv={T}", "?gv=en&x#y",
    ],
)  # fmt: skip
def test_what_is_no_token_stays(page: Page, site: Site, recorder: Recorder, opened: str) -> None:
    site.page("/p")
    page.goto(site.origin + "/p" + opened)
    [body] = recorder.wait(page, "visits")
    assert page.url == site.origin + "/p" + opened
    assert "token" not in body


def test_a_site_names_the_parameter_itself(page: Page, site: Site, recorder: Recorder) -> None:
    site.page("/p", snippet=snippet(param="via"))
    page.goto(f"{site.origin}/p?gv={T}&via={T}")
    [body] = recorder.wait(page, "visits")
    assert body["token"] == T
    assert page.url == f"{site.origin}/p?gv={T}"


def test_history_keeps_its_state_and_its_length(page: Page, site: Site, recorder: Recorder) -> None:
    site.page("/p", head="<script>history.replaceState({scroll: 7}, '')</script>")
    page.goto(f"{site.origin}/p#gv={T}")
    recorder.wait(page, "visits")
    assert page.evaluate("() => [history.state, history.length]") == [{"scroll": 7}, 2]


def test_a_text_fragment_still_finds_its_text(page: Page, site: Site, recorder: Recorder) -> None:
    site.page("/p", "<p style='margin-bottom:3000px'>top</p><p>needle</p>")
    page.goto(f"{site.origin}/p?gv={T}#:~:text=needle")
    [body] = recorder.wait(page, "visits")
    page.wait_for_function("() => scrollY > 1000")
    assert body["token"] == T


def test_the_page_before_the_widget_may_listen_to_hash_changes(page: Page, site: Site, recorder: Recorder) -> None:
    site.page("/p", head="<script>window.heard = []; addEventListener('hashchange', () => heard.push(1))</script>")
    page.goto(f"{site.origin}/p#gv={T}")
    recorder.wait(page, "visits")
    assert page.evaluate("() => heard") == []


def test_the_endpoint_can_be_named(page: Page, site: Site, recorder: Recorder) -> None:
    site.page("/p", snippet=snippet(endpoint="/collect/here"))
    with page.expect_request(f"{site.origin}/collect/here/v1/visits"):
        page.goto(site.origin + "/p")
    assert recorder.reports == []


@pytest.mark.parametrize(
    ("later", "titles"),
    [
        ("document.title = 'Headline'", ["Loading…", "Headline"]),
        ("document.title = 'Loading…'", ["Loading…"]),
        ("history.pushState({}, '', '/next'); document.title = 'Next'", ["Loading…"]),
        ("grapevine.forget(); document.title = 'Headline'", ["Loading…"]),
    ],
)
def test_a_title_that_is_set_later_is_sent_once_more(
    page: Page, site: Site, recorder: Recorder, later: str, titles: list[str]
) -> None:
    page.clock.install()
    page.goto(site.page("/p", title="Loading…"))
    page.wait_for_function("() => window.grapevine?.visit")
    page.evaluate(f"() => {{ {later} }}")
    page.wait_for_timeout(100)
    page.clock.run_for(3_000)
    visits = recorder.wait(page, "visits", len(titles))
    page.clock.run_for(10_000)
    page.wait_for_timeout(100)
    assert [visit["title"] for visit in recorder.of("visits")] == titles
    assert len({visit["nonce"] for visit in visits}) == 1
