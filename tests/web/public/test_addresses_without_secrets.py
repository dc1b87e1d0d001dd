"""Secrets in the addresses of pages: never stored, whatever call brings them; what that changes for short links."""

from __future__ import annotations

import re

import pytest
import segno

from grapevine.store.sqlite.store import SQLiteStore
from grapevine.web.public.qr import MOST_BYTES
from tests.support.in_process_server import BOTH_BACKENDS, ORIGIN, Server

pytestmark = pytest.mark.anyio

SECRET = "Zs3cret9"
SECRETIVE = (
    f"{ORIGIN}/reset?id=5&reset_token={SECRET}",
    f"{ORIGIN}/reset?id=5&code={SECRET}&code={SECRET}",
    f"{ORIGIN}/reset?id=5&to={SECRET}%40example.com",
    f"{ORIGIN}/reset;jsessionid={SECRET}?id=5",
    f"{ORIGIN}/reset?id=5&next=%2Fx%3Ftoken%3D{SECRET}#token={SECRET}",
)
STORED = f"{ORIGIN}/reset?id=5"


async def stored_texts(server: Server) -> list[str]:
    """Every text of every row."""
    if isinstance(server.store, SQLiteStore):
        tables = await server.store.look("SELECT name FROM sqlite_master WHERE type = 'table'")
    else:
        tables = await server.store.look(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"
        )
    return [str(row) for (table,) in tables for row in await server.store.look(f"SELECT * FROM {table}")]


@BOTH_BACKENDS
async def test_no_call_stores_a_secret_of_an_address(server: Server) -> None:
    for url in SECRETIVE:
        answer = await server.visit(url=url, referrer=url)
        token = answer["tokens"]["copy"]
        assert (await server.post("views", session=answer["session"], url=url)).status_code == 200
        assert (await server.share(token, url=url)).status_code == 200
        assert (await server.http.get("/v1/counts", params={"site": "site-a", "url": url})).json()["total"] >= 1
        # A first visit with a foreign origin as referrer, in which such a parameter stands.
        await server.visit(referrer=url.replace("a.example", "other.example"), url=url)
        assert (await server.http.get(f"/s/{token}")).headers["location"] == f"{STORED}#gv-{token}"
    rows = await stored_texts(server)
    assert any(STORED in row for row in rows)
    assert not [row for row in rows if SECRET in row]
    assert await server.store.look("SELECT count(DISTINCT page_id) FROM visits") == [(1,)]


@BOTH_BACKENDS
async def test_a_site_names_the_parameters_that_select_content(server: Server) -> None:
    await server.add_site("listed", "https://l.example", query="code")
    answer = await server.visit(
        server.browser(Origin="https://l.example"), site="listed", url="https://l.example/shop?code=A1&token=T&id=5"
    )
    assert answer["visit"]
    rows = await server.store.look("SELECT url FROM pages")
    assert rows == [("https://l.example/shop?code=A1",)]


def drawn(url: str) -> str:
    code = segno.make(url, error="m")
    found = re.search(r'd="([^"]+)"', code.svg_inline(scale=8, border=2))
    assert found
    return found[1]


async def test_the_qr_code_of_an_address_that_is_not_stored(server: Server) -> None:
    token = (await server.visit())["tokens"]["copy"]
    url = f"{SECRETIVE[0]}#gv={token}"
    response = await server.http.post(f"/s/{token}/qr.svg", content=url, headers={"Content-Type": "text/plain"})
    assert response.status_code == 200, response.text
    assert f'd="{drawn(url)}"' in response.text
    assert response.headers["access-control-allow-origin"] == "*"
    assert response.headers["cache-control"] == "no-store"
    assert not [row for row in await stored_texts(server) if SECRET in row]


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("https://b.example/", 422),
        ("javascript:alert(1)", 422),
        ("\xff", 422),
        ("", 422),
        (f"{ORIGIN}/{'x' * MOST_BYTES}", 413),
        (f"{ORIGIN}/".ljust(MOST_BYTES, "x"), 200),
    ],
)
async def test_whose_qr_codes_are_drawn(server: Server, url: str, status: int) -> None:
    token = (await server.visit())["tokens"]["copy"]
    answer = await server.http.post(f"/s/{token}/qr.svg", content=url.encode("latin-1"))
    assert answer.status_code == status, answer.text
    assert (await server.http.post(f"/s/{'x' * 23}/qr.svg", content=url.encode("latin-1"))).status_code == 404
