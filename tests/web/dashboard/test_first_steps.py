"""The first steps of a new site: what each empty page leads to, what comes, what was refused, and the bounds of it."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from grapevine.analytics.first_steps import FirstSteps
from grapevine.analytics.first_steps import first_steps as read_first_steps
from grapevine.domain import ids
from grapevine.sites.platforms import pasted_code, platforms
from grapevine.sites.snippet import snippet
from grapevine.web import steps_cache
from grapevine.web.dashboard import first_steps
from tests.support.in_process_server import BOTH_BACKENDS, ORIGIN, Server
from tests.support.user_agents import CHROME
from tests.web.api.test_read_api import with_key
from tests.web.dashboard.dashboard_browser import HOSTILE, chain_of_three, page, signed_in
from tests.web.page_markup import Page

pytestmark = pytest.mark.anyio
EMPTY = ["/", "/cascades", "/direct", "/links", "/conversions", "/tokens"]
PART = "/first-steps"
OTHER = "https://www.a.example"


async def part(server: Server, client: httpx.AsyncClient, url: str = PART) -> Page:
    """The part of a waiting page that changes, read anew."""
    server.clock.now += steps_cache.FRESH_MS
    return await page(client, url)


def said(shown: Page) -> str:
    """The text of a page without the spaces that stand before a comma where an element ends."""
    return re.sub(r" (?=[.,:])", "", shown.text)


async def refused(server: Server, origin: str, **fields: str) -> None:
    """A report that is refused."""
    answer = await server.post("visits", server.browser(Origin=origin), **fields)
    assert answer.status_code in (403, 404), answer.text


@pytest.mark.parametrize("url", EMPTY)
async def test_a_page_without_data_leads_to_the_first_visit(server: Server, url: str) -> None:
    client = await signed_in(server)
    shown = await page(client, url)
    assert "Waiting for the first visit" in shown.text
    site = await server.state.sites.by_id(1)
    assert site is not None
    for platform in platforms():
        assert " ".join(pasted_code(platform, site.row, "http://grapevine.example").split()) in shown.text
        assert f"platform-{platform.key}" in shown.values("label", "for")
    assert [name for tag, name, _ in shown.attributes if tag == "input" and name == "checked"] == ["checked"]
    assert snippet(site.row, "http://grapevine.example") in shown.text
    assert shown.values("div", "data-part") == [PART]
    assert "This page does not change by itself, because JavaScript is off. Look again" in shown.text
    assert url in shown.values("a", "href")
    names = [value for _, name, value in shown.attributes if name == "id"]
    assert len(names) == len(set(names))
    assert set(shown.values("button", "data-copies")) <= set(names)


async def test_scripts_are_files_of_this_server(server: Server) -> None:
    client = await signed_in(server)
    answer = await client.get("/")
    assert answer.text.count("<script ") == 2
    assert re.findall(r"<script(?! src=\"/static/[\w.]+\" defer></script>)", answer.text) == []
    for script in Page(answer.text).values("script", "src"):
        file = await client.get(script)
        assert file.headers["content-type"] == "text/javascript; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self'; connect-src 'self'" in policy


@BOTH_BACKENDS
async def test_the_steps_are_taken_one_after_the_other(server: Server) -> None:
    client = await signed_in(server)
    assert "Waiting for the first visit" in said(await part(server, client))
    first = await server.visit(url=f"{ORIGIN}/story")
    server.clock.now += 60_000
    await server.visit(server.browser("192.0.2.9"), url=f"{ORIGIN}/later")
    came = await part(server, client)
    assert "The first visit is here First visit (done) /story Direct, inner page, desktop, 5 Nov 2026, 12:00" in said(
        came
    )
    assert "press the button that copies the link" in said(came)
    shown = await page(client, "/")
    assert "The first visit is here" in said(shown)
    assert "Visits 2" in said(shown)
    assert "Paste this code" not in said(shown)
    for url in ("/tokens", "/conversions"):  # they have something else to say by now
        assert "<script" not in (await client.get(url)).text

    await server.share(first["tokens"]["copy"], url=f"{ORIGIN}/story")
    assert "The first share is here" in said(await part(server, client))
    await server.visit(url=f"{ORIGIN}/story", token=first["tokens"]["copy"], own=True)
    assert "It was opened in the browser that shared it." in said(await part(server, client))

    await server.visit(server.browser("192.0.2.2"), url=f"{ORIGIN}/story", token=first["tokens"]["copy"])
    done = await part(server, client)
    assert "Your first chain is there" in done.text
    assert done.values("h2", "data-done") == [""]
    for url in EMPTY:
        answer = await client.get(url)
        assert "First steps" not in answer.text
        assert "<script" not in answer.text


async def test_links_that_were_made_before_are_no_first_visit(server: Server) -> None:
    """A mailing is prepared before the widget is pasted: more links than earliest visits are looked at."""
    client = await signed_in(server)
    shop = await with_key(server, "shop", scope="write")
    made = await shop.http.post("/v1/links", json={"links": [{"url": ORIGIN}] * 201})
    assert made.status_code == 201
    assert "Waiting for the first visit" in said(await part(server, client))
    server.clock.now += ids.DAY_MS
    await server.visit(url=f"{ORIGIN}/story")
    shown = said(await part(server, client))
    assert "The first visit is here First visit (done) /story Direct, inner page, desktop" in shown
    assert "Visits 1" in said(await page(client, "/"))


async def test_a_refused_page_is_named_with_what_helps(server: Server) -> None:
    client = await signed_in(server)
    await refused(server, OTHER)
    shown = await part(server, client)
    assert f"A page at {OTHER} reports to this site, but that is not one of its addresses" in said(shown)
    assert f"grapevine site set site-a origin={ORIGIN} origin={OTHER} Copy" in said(shown)
    await refused(server, "null")
    assert "it was opened from a file" in said(await part(server, client))
    await refused(server, ORIGIN, site="TYPO")
    shown = await part(server, client)
    assert f"A page at {ORIGIN} reports with the key TYPO, which this server does not know." in said(shown)
    assert "The key of this site is site-a: paste the code again." in said(shown)
    server.clock.now += 3_600_000
    assert OTHER not in said(await part(server, client))
    await refused(server, OTHER)
    await server.visit()
    assert OTHER not in said(await part(server, client))  # only while the site waits for its first visit


async def test_what_strangers_send_is_bounded_and_escaped(server: Server) -> None:
    client = await signed_in(server)
    for number in range(20):
        await refused(server, f"https://{number}.example")
        await refused(server, ORIGIN, site=f"{HOSTILE}{number}")
    await refused(server, "https://" + "x" * 300 + ".example")
    await refused(server, f"https://{HOSTILE}".encode().decode("ascii"))
    shown = await part(server, client)
    assert shown.text.count("A page at") == 3
    assert "https://19.example" in said(shown)
    assert f"the key {HOSTILE}19," in said(shown)
    assert not shown.values("script", "src")


async def test_another_site_sees_nothing_of_it(server: Server) -> None:
    await server.add_site("site-b", "https://b.example")
    await refused(server, OTHER)
    await refused(server, ORIGIN, site="TYPO")
    client = await signed_in(server, 2)
    shown = await part(server, client)
    assert OTHER not in shown.text
    assert "TYPO" not in shown.text
    assert (await client.get(f"{PART}?site=site-a")).status_code == 403


async def test_a_browser_that_asks_not_to_be_tracked(server: Server) -> None:
    client = await signed_in(server)
    await server.post("visits", server.browser(**{"Sec-GPC": "1"}))
    shown = await part(server, client)
    assert "The first visit is here First visit (done) 1 visit so far. The browser asks not to be tracked" in said(
        shown
    )


async def test_a_browser_that_a_program_controls(server: Server) -> None:
    client = await signed_in(server)
    await server.visit(server.browser(user_agent=CHROME.replace("Chrome", "HeadlessChrome")))
    shown = await part(server, client)
    assert "Waiting for the first visit" in shown.text
    assert "A browser came that a program controls, as test tools do." in shown.text


async def test_who_is_signed_out_is_sent_to_the_sign_in(server: Server) -> None:
    answer = await server.browser().get(PART)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=%2Ffirst-steps")


def test_a_visit_is_shown_within_two_seconds() -> None:
    """The longest wait for the next question, and the greatest age of its answer; the rest is the time of a request."""
    assert first_steps.POLL_MS + steps_cache.FRESH_MS <= 1_500


async def test_any_number_of_open_pages_costs_two_reads_a_second(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[int] = []

    async def counted(*given: Any) -> FirstSteps:
        reads.append(server.clock.now)
        return await read_first_steps(*given)

    monkeypatch.setattr("grapevine.web.steps_cache.first_steps", counted)
    client = await signed_in(server)
    for _ in range(10):
        for _ in range(5):
            await page(client, PART)
        server.clock.now += 100
    assert len(reads) == 2
    await chain_of_three(server)
    for _ in range(3):
        await part(server, client)
    assert len(reads) == 3  # a site that has taken all steps is not read again


@pytest.mark.parametrize(
    ("url", "says"),
    [
        (
            "/?from=2020-01-01&to=2020-01-02",
            "No visit, share or link preview was counted from 1 Jan 2020 to 2 Jan 2020.",
        ),
        (f"/?page={ORIGIN}/none", "Nothing in this period with this filter"),
        (
            "/direct?from=2020-01-01&to=2020-01-02",
            "No visit was counted from 1 Jan 2020 to 2 Jan 2020. Look at the last",
        ),
        ("/conversions", "No conversion in this period"),
        ("/conversions?channel=copy", "No conversion with this filter was counted from 7 Oct 2026 to 5 Nov 2026."),
        ("/conversions?channel=copy&days=365", "Take the filter away."),
    ],
)
async def test_a_site_with_data_says_what_is_missing_and_what_next(server: Server, url: str, says: str) -> None:
    await chain_of_three(server)
    shown = await page(await signed_in(server), url)
    assert says in said(shown)
    assert "First steps" not in said(shown)


async def test_the_filter_is_taken_away_by_a_link(server: Server) -> None:
    await chain_of_three(server)
    shown = await page(await signed_in(server), f"/?page={ORIGIN}/none&days=7")
    assert "/?days=7" in shown.values("a", "href")
