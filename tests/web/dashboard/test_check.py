"""Check a page: only the site's own addresses, six times a minute, and nothing of the page but findings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import httpx
import pytest

from grapevine.doctor.page.fetch import visiting
from grapevine.errors import Busy, RateLimited
from grapevine.web.dashboard import check
from grapevine.web.dashboard.check import own_url
from grapevine.web.page_checks import MOST_AT_ONCE, PageChecks
from tests.support.in_process_server import Server
from tests.support.talks import serving
from tests.web.dashboard.dashboard_browser import HOME, add_key, page

pytestmark = pytest.mark.anyio

ORIGINS = ("https://a.example", "http://b.example:8080")


@asynccontextmanager
async def own_pages(html: str, *headers: str) -> AsyncIterator[tuple[str, list[str]]]:
    """Pages on loopback that all have this HTML; yields their origin, and the paths that were asked for."""
    asked: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).split()[1].decode())
        status = "302 Found" if any(header.startswith("Location") for header in headers) else "200 OK"
        head = "\r\n".join((f"HTTP/1.1 {status}", "Content-Type: text/html", "Connection: close", *headers))
        writer.write(f"{head}\r\n\r\n{html}".encode())
        await writer.drain()

    async with serving(serve) as port:
        yield f"http://127.0.0.1:{port}", asked


async def owner(server: Server, *origins: str) -> httpx.AsyncClient:
    """A browser signed in with a read key of a site with these origins."""
    await server.add_site("site-b", *origins)
    await add_key(server, "gv_b", 2)
    client = server.browser(Origin=HOME)
    assert (await client.post("/sign-in", data={"key": "gv_b"})).status_code == 303
    return client


@pytest.mark.parametrize("server", ["socket"], indirect=True)
async def test_a_page_of_an_own_machine_is_checked_for_its_own_server(server: Server) -> None:
    line = f'<script async src="{server.url}/widget.js" data-site="site-b"></script>'
    async with own_pages(line) as (origin, asked):
        await server.add_site("site-b", origin)
        await add_key(server, "gv_b", 2)
        client = server.browser(Origin=str(server.url))
        del client.headers["X-Forwarded-For"]
        assert (await client.post("/sign-in", data={"key": "gv_b"})).status_code == 303
        shown = await client.post("/check", data={"url": "/article"})
        assert shown.status_code == 200, shown.text
        assert "Visits of this page are counted" in shown.text
        assert "The script comes from this server." in shown.text
        assert asked[0] == "/article"


@pytest.mark.parametrize("server", ["socket"], indirect=True)
async def test_a_name_that_leads_to_the_own_machine_is_not_visited(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def to_loopback(*_: object) -> list[str]:
        return ["127.0.0.1"]

    monkeypatch.setattr(check, "visiting", partial(visiting, lookup=to_loopback))
    async with own_pages("<p>secret") as (origin, asked):
        port = origin.rpartition(":")[2]
        named = f"http://name.example:{port}"
        await server.add_site("site-b", named, origin)
        await add_key(server, "gv_b", 2)
        client = server.browser(Origin=str(server.url))
        del client.headers["X-Forwarded-For"]
        assert (await client.post("/sign-in", data={"key": "gv_b"})).status_code == 303
        shown = await client.post("/check", data={"url": f"{named}/"})
        assert "The page could not be checked" in shown.text
        assert asked == []


async def test_behind_a_public_address_private_pages_stay_out_of_reach(server: Server) -> None:
    async with own_pages("<p>secret") as (origin, asked):
        client = await owner(server, origin)
        shown = await client.post("/check", data={"url": f"{origin}/"})
        assert shown.status_code == 200
        assert "The page could not be checked" in shown.text
        assert "127.0.0.1 is no public address." in shown.text
        assert "--allow-private" not in shown.text
        assert asked == []


async def test_only_the_sites_own_addresses_are_taken(server: Server) -> None:
    client = await owner(server, *ORIGINS)
    form = await page(client, "/check")
    assert "https://a.example/" in form.values("input", "placeholder")
    for typed in (
        "https://evil.example/",
        "http://169.254.169.254/",
        "javascript:1",
        "//evil.example/",
        "",
        "x" * 3_000,
    ):
        answer = await client.post("/check", data={"url": typed})
        assert answer.status_code == 422, typed
        assert "That is not an address of this site." in answer.text
        assert "http://b.example:8080" in answer.text


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("https://a.example/x", "https://a.example/x"),
        ("/x?y", "https://a.example/x?y"),
        ("a.example", "https://a.example"),
        ("b.example:8080/x", "http://b.example:8080/x"),
        ("HTTPS://A.example/", "HTTPS://A.example/"),
        ("http://a.example/", None),
        ("https://a.example.evil.example/", None),
        ("https://a.example@evil.example/", None),
        ("https://a.example:8443/", None),
        ("/\\evil.example", "https://a.example/\\evil.example"),
    ],
)
def test_what_was_typed(typed: str, url: str | None) -> None:
    if url is not None and "\\" in url:
        url = None
    assert own_url(typed, ORIGINS) == url


async def test_the_form_is_this_servers_and_needs_a_key(server: Server) -> None:
    client = await owner(server, *ORIGINS)
    foreign = await client.post("/check", data={"url": "/"}, headers={"Origin": "https://evil.example"})
    assert foreign.status_code == 403
    stranger = await server.browser(Origin=HOME).post("/check", data={"url": "/"})
    assert (stranger.status_code, stranger.headers["location"]) == (303, "/sign-in?next=%2Fcheck")


async def test_six_checks_a_minute(server: Server) -> None:
    async with own_pages("") as (origin, _):
        client = await owner(server, origin)
        for _number in range(6):
            assert (await client.post("/check", data={"url": "/"})).status_code == 200
        refused = await client.post("/check", data={"url": "/"})
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "10")
        assert "Pages of this site were checked 6 times within a minute" in refused.text
        server.clock.now += 10_000
        assert (await client.post("/check", data={"url": "/"})).status_code == 200


async def test_one_at_a_time_and_few_at_once(server: Server) -> None:
    checks = PageChecks(server.state.rate_limit, server.clock)
    with checks.started(1):
        with pytest.raises(RateLimited, match="is running"), checks.started(1):
            pass
        others = [checks.started(number) for number in range(2, MOST_AT_ONCE + 1)]
        for other in others:
            other.__enter__()
        with pytest.raises(Busy), checks.started(99):
            pass
        for other in others:
            other.__exit__(None, None, None)
        with checks.started(99):
            pass
