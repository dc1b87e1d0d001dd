"""A signed-in browser on the dashboard, its pages, and a chain of visits to show."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import httpx

from grapevine.sites.api_keys import hash_secret
from grapevine.store.rows import KeyRow
from grapevine.store.sqlite.store import SQLiteStore
from tests.support.backends import Backend
from tests.support.in_process_server import NOON, ORIGIN, Server
from tests.web.page_markup import Page

HOME = "http://grapevine.example"
DAY_MS = 86_400_000
HOSTILE = "</title><script>alert(1)</script>'\"&"
SLACKBOT = "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"
PAGES = [
    "/", "/cascades", "/tokens", "/?days=7", "/?from=2026-01-01&to=2026-12-31", "/cascades?sort=recent", "/direct",
    "/direct?days=7", "/links", "/links?campaign=may", "/conversions", "/conversions?model=first&goal=order",
    "/mentions", "/mentions?kind=feed&gone=true",
]  # fmt: skip


async def add_key(server: Server, secret: str, site_id: int = 1) -> str:
    """A key with that secret; its id."""
    key = KeyRow(key_id=f"id-{secret}", site_id=site_id, name="a key", scope="read", created_at=NOON, revoked_at=None)
    await server.store.api_keys.add_key(key, hash_secret(secret))
    return key.key_id


async def signed_in(server: Server, site_id: int = 1) -> httpx.AsyncClient:
    """A browser with a session."""
    await add_key(server, f"gv_secret{site_id}", site_id)
    client = server.browser(Origin=HOME)
    answer = await client.post("/sign-in", data={"key": f"gv_secret{site_id}"})
    assert answer.status_code == 303, answer.text
    return client


async def chain_of_three(server: Server) -> dict[str, Any]:
    """First visit → copied link → WhatsApp → third visit, which has copied the link again."""
    first = await server.visit(url=f"{ORIGIN}/story")
    await server.share(first["tokens"]["copy"], url=f"{ORIGIN}/story")
    server.clock.now += 60_000
    friend = await server.visit(server.browser("192.0.2.2"), url=f"{ORIGIN}/story", token=first["tokens"]["copy"])
    await server.share(friend["tokens"]["whatsapp"], url=f"{ORIGIN}/story")
    server.clock.now += 60_000
    third = await server.visit(server.browser("192.0.2.3"), url=f"{ORIGIN}/story", token=friend["tokens"]["whatsapp"])
    return {"root": first["visit"], "last": third["tokens"]["copy"], "middle": friend, "third": third}


async def change(store: Backend, statement: str) -> None:
    """Runs a statement in a database that is open."""
    if isinstance(store, SQLiteStore):
        with closing(sqlite3.connect(store.path, isolation_level=None)) as connection:
            connection.execute(statement)
    else:
        await store.look(statement)


async def page(client: httpx.AsyncClient, url: str, status: int = 200) -> Page:
    """The page at a URL."""
    answer = await client.get(url)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return Page(answer.text)
