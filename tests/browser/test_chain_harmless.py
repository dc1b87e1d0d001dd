"""The page is none the worse for the widget: the server away, nothing moved, nothing held up."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.demo import ARRIVED, Demo, MakeReader
from tests.support.browsers import clipboard, copy

TRAIN = "/articles/bread-on-the-night-train/"
JAR = "/articles/family-tree-of-a-jar/"
DESK_SIZE = {"width": 1280, "height": 800}
PHONE_SIZE = {"width": 390, "height": 780}
NO_CONNECTION = "Failed to load resource: net::ERR_CONNECTION_REFUSED"


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that is held and not listened on, so that every connection is refused."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


ELSEWHERE = """new MutationObserver((_, observer) => {
  const script = document.querySelector('script[data-site]');
  if (!script) return;
  script.dataset.endpoint = 'http://127.0.0.1:%d';
  observer.disconnect();
}).observe(document, {childList: true, subtree: true});"""
"""Names another server in every page's snippet, as soon as it stands there."""


def test_with_the_server_away_copies_and_buttons_work(demo: Demo, reader: MakeReader, closed_port: int) -> None:
    person, bare = reader(), reader()
    person.expected = NO_CONNECTION
    person.context.add_init_script(ELSEWHERE % closed_port)
    bare.context.route("**/widget.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
    person.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page, plain_page = person.context.new_page(), bare.context.new_page()
    with page.expect_event("requestfailed", lambda request: request.url.endswith("/v1/visits")):
        page.goto(f"{demo.origin}{JAR}?gv={'a' * 23}#one-name-each")
    plain_page.goto(f"{demo.origin}{JAR}")
    assert page.url == f"{demo.origin}{JAR}#one-name-each"
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("status")).to_contain_text("Link copied")
    assert clipboard(page)["text/plain"] == page.url
    assert "gv" not in (page.get_by_role("link", name="WhatsApp").get_attribute("href") or "gv")
    assert copy(page, ".prose ul") == copy(plain_page, ".prose ul")
    page.click("a[href='../../docs/']")
    page.wait_for_url("**/docs/")
    assert person.reports == []


def test_when_the_server_goes_away_later_links_still_carry_the_token(demo: Demo, reader: MakeReader) -> None:
    person = reader()
    person.expected = NO_CONNECTION
    page = person.open(demo.page(TRAIN))
    token = page.evaluate("() => grapevine.url('copy')")[-23:]
    person.context.route(demo.server + "/v1/*", lambda route: route.abort("connectionrefused"))
    for _ in range(2):  # no answer, so no token that follows this one
        with page.expect_event("requestfailed"):
            assert f"gv={token}#one-name-each" in copy(page, "#who-knows ~ ol")["text/html"]
    page.reload()
    page.wait_for_function(ARRIVED)


WATCH = """
window.shifts = [];
window.watch = new PerformanceObserver(list => window.note(list.getEntries()));
window.note = entries => {
  for (const {value, sources} of entries) {
    const moves = sources.map(({node, previousRect, currentRect}) => [node?.nodeName, previousRect.y, currentRect.y]);
    shifts.push([value, scrollY, ...moves]);
  }
};
watch.observe({type: 'layout-shift', buffered: true});
"""
POSITIONS = """() => [...document.querySelectorAll('body *')].filter(element => !element.matches('[position]'))
  .map(element => [element, element.getBoundingClientRect()])
  .map(([{localName}, {x, y, width, height}]) => [localName, x, y, width, height])"""
PAINTED = "() => performance.getEntriesByName('first-contentful-paint').length"
SCROLL = """() => scrollTo({
  top: document.querySelector('grapevine-buttons').offsetTop - innerHeight / 2,
  behavior: 'instant',
})"""
AFTER_PAINT = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


def shifts(page: Page) -> list[Any]:
    """Returns the layout shifts of the page so far."""
    page.evaluate(AFTER_PAINT)
    page.evaluate(AFTER_PAINT)
    return list(page.evaluate("() => { note(watch.takeRecords()); return shifts }"))


@pytest.mark.parametrize("size", [DESK_SIZE, PHONE_SIZE], ids=["desk", "phone"])
@pytest.mark.parametrize("path", ["/", JAR, "/articles/sixty-one-per-cent/", "/articles/a-cellar-by-ear/", "/app/"])
def test_nothing_moves_when_the_widget_comes_late(
    demo: Demo, reader: MakeReader, path: str, size: dict[str, int]
) -> None:
    person = reader(viewport=size, reduced_motion="reduce")  # what moves slowly would not count as a shift
    page = person.context.new_page()
    page.add_init_script(WATCH)
    held: list[Route] = []
    page.route("**/widget.js", lambda route: held.append(route))
    page.goto(demo.origin + path, wait_until="domcontentloaded")
    page.wait_for_function(PAINTED)
    if path == JAR:
        page.evaluate(SCROLL)
    before, positions = shifts(page), page.evaluate(POSITIONS)
    for route in held:
        route.continue_()
    page.wait_for_function(ARRIVED)
    expect(page.locator("[part=button]").first).to_be_visible()
    if path == JAR:
        expect(page.locator("[part=button]").first).to_be_in_viewport()
    assert shifts(page)[len(before) :] == []
    assert page.evaluate(POSITIONS) == positions


@pytest.mark.parametrize(
    ("path", "size", "gives_way"),
    [
        ("/", DESK_SIZE, False),
        ("/articles/sixty-one-per-cent/", DESK_SIZE, False),
        ("/articles/a-cellar-by-ear/", DESK_SIZE, True),
        ("/", PHONE_SIZE, True),
    ],
)
def test_only_a_bar_at_the_bottom_gives_way_to_reading(
    demo: Demo, reader: MakeReader, path: str, size: dict[str, int], *, gives_way: bool
) -> None:
    page = reader(viewport=size, reduced_motion="reduce").open(demo.origin + path)
    button = page.get_by_role("button", name="Copy link")
    expect(button).to_be_in_viewport()
    page.mouse.wheel(0, 600)
    page.wait_for_selector("grapevine-buttons[away]", state="attached")
    if gives_way:
        expect(button).not_to_be_in_viewport()
    else:
        expect(button).to_be_in_viewport()
    page.mouse.wheel(0, -200)
    expect(button).to_be_in_viewport()


CATEGORIES = ["devtools.timeline", "disabled-by-default-devtools.timeline", "v8.execute"]
LONG_TASK_MS = 50


def script_tasks(trace: bytes, name: str) -> list[float]:
    """How long the tasks that ran a script have kept the processor busy, in ms; `name` is found in its URL.

    Processor time and not the clock's, so that whatever else this machine does has no part in it.
    """
    events = json.loads(trace)["traceEvents"]
    ran = [event for event in events if event["name"] in ("EvaluateScript", "FunctionCall", "v8.compile")]
    return [
        event["tdur"] / 1000
        for event in ran
        if "tdur" in event and name in event["args"].get("data", {}).get("url", "")
    ]


def test_no_task_of_the_widget_is_long(browser: Browser, demo: Demo, reader: MakeReader) -> None:
    person = reader()
    page = person.context.new_page()
    browser.start_tracing(page=page, categories=CATEGORIES)
    person.open(demo.origin + "/", page)
    expect(page.get_by_role("button", name="Copy link")).to_be_visible()
    page.get_by_role("button", name="Copy link").click()
    person.wait(page, "shares")
    copy(page, "body")
    person.wait(page, "shares", 2)
    tasks = script_tasks(browser.stop_tracing(), "widget")
    assert len(tasks) > 3
    assert max(tasks) < LONG_TASK_MS


def test_the_widget_does_not_hold_up_the_page(demo: Demo, reader: MakeReader) -> None:
    page = reader().context.new_page()
    page.route("**/widget.js", lambda _: None)  # never answered
    page.goto(demo.origin + "/", wait_until="domcontentloaded")
    page.wait_for_function(PAINTED)
    assert page.evaluate("() => document.querySelector('script[data-site]').async") is True
    tag = re.search(r"<script[^>]*widget\.js[^>]*>", page.content())
    assert tag is not None
    assert " async" in tag[0]
    page.unroute_all(behavior="ignoreErrors")
