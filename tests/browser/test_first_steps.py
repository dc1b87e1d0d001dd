"""A new site in a real browser: the code is copied and pasted, and what comes stands on the waiting page at once."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, Literal, NamedTuple

import httpx
import pytest
from playwright.sync_api import Page, Request, Response, expect

from grapevine.config.settings import Settings
from grapevine.serving.app import system_clock
from grapevine.sites.management import NewSite as AddedSite
from grapevine.sites.management import add_site
from grapevine.sites.platforms import platforms
from grapevine.sites.snippet import snippet
from grapevine.store.factory import make_store
from grapevine.web.dashboard.first_steps import PAUSE_MINUTES, POLL_MS
from tests.browser.demo import SECONDS, Demo, MakeReader
from tests.browser.fake_collect_api import until
from tests.browser.held_clock import hold_clock
from tests.browser.test_chain_dashboard import VIOLATIONS
from tests.browser.test_widget_access import check
from tests.support.browsers import clipboard
from tests.support.grapevine_process import ORIGIN, CommandRunner
from tests.support.page_server import Site, serve_site

WATCHES = "This page watches, and shows what comes."
AWAY = "The server does not answer. This page keeps trying."
PLATFORMS = [platform.name for platform in platforms()]
LOOKS: Final[tuple[tuple[Literal["light", "dark"], int], ...]] = (("light", 1280), ("dark", 390))
COUNT = """
window.asked = 0;
const {fetch} = window;
window.fetch = (...given) => { asked += 1; return fetch(...given); };
"""
HIDE = """hidden => {
  Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});
  document.dispatchEvent(new Event('visibilitychange'));
}"""


class NewSite(NamedTuple):
    """A site without a visit on the demo's server: its pages, its first API key, and its snippet."""

    pages: Site
    secret: str
    snippet: str


async def add(demo: Demo, origin: str) -> AddedSite:
    """A site on the demo's database, as `grapevine site add` adds it, without the second that a process takes."""
    store = make_store(Settings(database=demo.database))
    await store.open()
    try:
        return await add_site(store, "New", [origin], system_clock())
    finally:
        await store.close()


@pytest.fixture
def new_site(demo: Demo) -> Iterator[NewSite]:
    with serve_site() as pages, ThreadPoolExecutor() as threads:  # this thread has Playwright's loop already
        added = threads.submit(asyncio.run, add(demo, pages.origin)).result()
        yield NewSite(pages, added.key.secret, snippet(added.row, demo.server))


def waiting(
    reader: MakeReader, demo: Demo, site: NewSite, path: str = "/", expected: str = "", **options: object
) -> Page:
    """A waiting page, signed in with the site's key; the console may say what is ``expected``."""
    person = reader(**options)
    person.expected = expected
    page = person.context.new_page()
    bearer = {"Authorization": f"Bearer {site.secret}"}
    until(page, lambda: demo.client.get("/v1/stats/summary", headers=bearer).is_success)  # the server knows the site
    page.add_init_script(VIOLATIONS)
    page.goto(f"{demo.server}/sign-in?next={path}")
    page.get_by_label("API key").fill(site.secret)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Waiting for the first visit")).to_be_visible()
    return page


def panels(page: Page) -> list[str]:
    """The platforms whose panels are seen."""
    return [name for name in PLATFORMS if page.get_by_role("radio", name=name, exact=True).is_checked()]


def test_the_code_is_copied_and_pasted_and_each_step_is_shown_without_a_reload(
    demo: Demo, reader: MakeReader, new_site: NewSite
) -> None:
    owner = waiting(reader, demo, new_site)
    owner.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=demo.server)
    expect(owner.get_by_role("status")).to_have_text(WATCHES)
    owner.evaluate("() => { window.loadedOnce = true }")
    button = owner.locator(".panel:visible .copy")
    button.click()
    expect(button).to_have_text("Copied")
    copied = owner.evaluate("() => navigator.clipboard.readText()")
    assert copied == new_site.snippet

    polls: list[Request] = []
    answered: list[Response] = []
    owner.on("request", lambda request: polls.append(request) if answered else None)  # after the visit was stored
    visitor = reader()
    visitor.context.on(
        "response", lambda response: answered.append(response) if response.url.endswith("/v1/visits") else None
    )
    tab = visitor.open(new_site.pages.page("/tea", snippet=copied))
    part = owner.locator("#first-steps")
    expect(part).to_contain_text("The first visit is here", timeout=SECONDS * 1000)
    expect(part).to_contain_text("/tea")
    expect(part).to_contain_text("Direct, inner page, desktop")
    # They are a second apart, and none that began after the visit was stored was answered without it.
    told = [poll.response() for poll in polls]
    assert all(answer and "The first visit is here" in answer.text() for answer in told)
    assert {poll.url for poll in polls} <= {f"{demo.server}/first-steps"}
    assert owner.locator("#first-steps").get_attribute("data-every") == str(POLL_MS)

    link = tab.evaluate("() => grapevine.url('copy')")
    tab.evaluate("() => grapevine.share('copy')")
    expect(part).to_contain_text("The first share is here", timeout=SECONDS * 1000)
    expect(part).to_contain_text("Open the copied link in another browser")
    reader(locale="de-DE").open(link)
    expect(part).to_contain_text("Your first chain is there", timeout=SECONDS * 1000)
    assert owner.evaluate("() => window.loadedOnce")
    assert owner.evaluate("() => violations") == []
    owner.get_by_role("link", name="See the chain as a tree").click()
    expect(owner.get_by_role("table").get_by_role("link", name="/tea")).to_be_visible()
    owner.goto(demo.server)
    expect(owner.get_by_role("heading", name="In numbers")).to_be_visible()
    expect(owner.locator("#first-steps")).to_have_count(0)


def test_a_page_that_nobody_sees_asks_for_nothing(demo: Demo, reader: MakeReader, new_site: NewSite) -> None:
    """With the clock of the page in the test's hand."""
    page = waiting(reader, demo, new_site, expected="Failed to load resource: net::ERR_FAILED")
    page.add_init_script(COUNT)
    page.clock.install()
    page.reload()
    status = page.get_by_role("status")
    expect(status).to_have_text(WATCHES)
    hold_clock(page)

    def asks_within(milliseconds: int) -> int:
        before = page.evaluate("() => asked")
        page.clock.run_for(milliseconds)
        return int(page.evaluate("() => asked") - before)

    page.evaluate(HIDE, True)
    page.clock.run_for(POLL_MS)  # the question that was due
    assert asks_within(60_000) == 0
    with page.expect_response(f"{demo.server}/first-steps"):
        page.evaluate(HIDE, False)
    expect(status).to_have_text(WATCHES)

    page.clock.fast_forward(PAUSE_MINUTES * 60_000 + 1)
    page.clock.run_for(POLL_MS)
    expect(status).to_have_text(
        f"Paused after {PAUSE_MINUTES} quiet minutes. Move the pointer or press a key to go on."
    )
    assert asks_within(3_600_000) == 0
    with page.expect_response(f"{demo.server}/first-steps"):
        page.mouse.move(300, 300)
    expect(status).to_have_text(WATCHES)

    page.route("**/first-steps", lambda route: route.abort())
    page.clock.run_for(POLL_MS)
    expect(status).to_have_text(AWAY)
    assert asks_within(POLL_MS) == 0  # the pauses grow
    page.unroute("**/first-steps")
    with page.expect_response(f"{demo.server}/first-steps"):
        page.clock.run_for(15_000)
    expect(status).to_have_text(WATCHES)

    page.context.clear_cookies()
    page.clock.run_for(POLL_MS)
    expect(status).to_have_text("You are signed out here, so this page stands still.")
    assert asks_within(60_000) == 0


def test_platforms_are_chosen_by_keyboard_and_each_code_is_copied_without_permission(
    demo: Demo, reader: MakeReader, new_site: NewSite
) -> None:
    page = waiting(reader, demo, new_site, "/cascades")
    page.evaluate("() => Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.get_by_role("radio", name="HTML").focus()
    for name in PLATFORMS[1:]:
        page.keyboard.press("ArrowRight")
        assert panels(page) == [name]
        expect(page.locator(".panel:visible")).to_have_count(1)
        assert page.evaluate("() => getComputedStyle(document.activeElement.labels[0]).outlineStyle") == "solid"
    page.keyboard.press("ArrowRight")
    assert panels(page) == ["HTML"]
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")  # to the code, which can be scrolled and selected
    page.keyboard.press("Tab")
    button = page.locator(".panel:visible .copy")
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    expect(button).to_have_text("Copied")
    assert clipboard(page)["text/plain"] == page.locator(".panel:visible pre").text_content()


def test_without_scripts_it_can_be_read_and_looked_at_again(demo: Demo, reader: MakeReader, new_site: NewSite) -> None:
    page = waiting(reader, demo, new_site, "/direct", java_script_enabled=False)
    expect(page.get_by_text("This page does not change by itself, because JavaScript is off.")).to_be_visible()
    expect(page.get_by_role("button", name="Copy")).to_have_count(0)
    expect(page.get_by_text(new_site.snippet).first).to_be_visible()
    page.get_by_text("WordPress", exact=True).click()
    expect(page.get_by_text("functions.php").first).to_be_visible()
    reader().open(new_site.pages.page("/", snippet=new_site.snippet))
    page.get_by_role("link", name="Look again").click()
    expect(page.get_by_role("heading", name="Waiting for the first visit")).to_have_count(0)
    assert re.fullmatch(f"{demo.server}/direct", page.url)


def test_axe_finds_nothing_on_a_page_that_waits(reader: MakeReader, tmp_path: Path) -> None:
    """On a server of its own: the demo's complains about nothing, and this one refuses a page."""
    commands = CommandRunner(tmp_path)
    added = json.loads(commands.run("site", "add", "New", "--origin", ORIGIN, "--json").stdout)
    with commands.serving() as (_, url):
        report = {"site": added["site"], "url": f"{ORIGIN}/", "nonce": "n" * 20, "channels": []}
        for origin in ("https://www.a.example", "null"):
            refused = httpx.post(f"{url}/v1/visits", json=report, headers={"Origin": origin}, trust_env=False)
            assert refused.status_code == 403
        person = reader()
        page = person.context.new_page()
        page.add_init_script(VIOLATIONS)
        page.goto(f"{url}/sign-in?next=/conversions")
        page.get_by_label("API key").fill(added["key"])
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator(".refusal code").last).to_contain_text("origin=https://www.a.example")
        page.get_by_text("Tag Manager", exact=True).click()
        for scheme, width in LOOKS:
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": 800})
            check(page)
            assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0
        assert page.evaluate("() => violations") == []
        person.context.close()  # before its server ends, whose reset of a poll in flight would be a trouble of the page
