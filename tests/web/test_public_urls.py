"""Absolute URLs name GRAPEVINE_BASE_URL and GRAPEVINE_PREFIX, wherever they leave the server."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
import segno

from grapevine.config.settings import Settings
from tests.support.in_process_server import ORIGIN, Server, serving
from tests.web.dashboard.dashboard_browser import signed_in
from tests.web.page_markup import Page

pytestmark = pytest.mark.anyio

BASE = "https://www.example.com"
PREFIX = "/leaf"
PAGES = ("/", "/cascades", "/tokens", "/direct", "/links", "/conversions", "/sign-in")
LINKS = ("href", "src", "action", "formaction", "content", "poster")


@pytest.fixture
async def placed(database: str, anyio_backend: str) -> AsyncIterator[Server]:
    """A server behind a proxy that hands it what is below /leaf."""
    assert anyio_backend == "asyncio"
    settings = Settings(database=database, secret_keys=(b"k" * 32,), rate_limit=0, base_url=BASE, prefix=PREFIX)
    async with serving(settings) as server:
        await server.add_site("site-a", ORIGIN)
        yield server


def drawn(url: str) -> str:
    """The picture of a URL's QR code."""
    out = io.BytesIO()
    segno.make(url, error="m").save(out, kind="svg", scale=8, border=2, xmldecl=False, svgns=True)
    return out.getvalue().decode()


async def visit(server: Server) -> str:
    body = {"site": "site-a", "url": f"{ORIGIN}/x", "nonce": "n" * 16, "channels": ["qr"]}
    answer = await server.http.post(f"{PREFIX}/v1/visits", json=body)
    token: str = answer.json()["tokens"]["qr"]
    return token


async def test_a_qr_code_leads_below_the_prefix(placed: Server) -> None:
    token = await visit(placed)
    for path in (f"/s/{token}/qr.svg", f"{PREFIX}/s/{token}/qr.svg"):
        assert (await placed.http.get(path)).text == drawn(f"{BASE}{PREFIX}/s/{token}")


async def test_the_dashboards_snippet_names_the_script_below_the_prefix(placed: Server) -> None:
    client = await signed_in(placed)
    assert f'src="{BASE}{PREFIX}/widget.js"' in Page((await client.get("/")).text).text


async def test_every_other_link_names_no_host_but_the_sites(placed: Server) -> None:
    client = await signed_in(placed)
    token = await visit(placed)
    for path in (*PAGES, f"/tokens?token={token}", f"/about/{token}", f"{PREFIX}/about/{token}", f"{PREFIX}/s/no"):
        for _, name, value in Page((await client.get(path)).text).attributes:
            if name in LINKS and urlsplit(value).netloc:
                assert value.startswith((ORIGIN, BASE + PREFIX)), (path, value)


async def test_redirects_are_relative_or_lead_to_the_site(placed: Server) -> None:
    token = await visit(placed)
    for path in ("/", "/cascades", f"/s/{token}", f"{PREFIX}/s/{token}"):
        response = await placed.http.get(path)
        assert response.is_redirect, path
        host = urlsplit(response.headers["location"]).netloc
        assert host in ("", urlsplit(ORIGIN).netloc), path
