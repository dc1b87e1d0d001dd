"""Click ids over HTTP: the source that a visit is answered, and what the owner sees of it, on both databases."""

from __future__ import annotations

import json
from typing import Any

import pytest

from grapevine.sites.api_keys import hash_secret
from grapevine.store.rows import KeyRow
from tests.support.in_process_server import BOTH_BACKENDS, NOON, ORIGIN, Server
from tests.support.user_agents import CHROME

pytestmark = pytest.mark.anyio

CLICKED = f"{ORIGIN}/deep?fbclid=IwAR3xK8mQ"
DRIVEN = CHROME.replace("Chrome", "HeadlessChrome")


@pytest.fixture
async def headers(server: Server) -> dict[str, str]:
    await server.store.api_keys.add_key(
        KeyRow(key_id="id-reader", site_id=1, name="test", scope="read", created_at=NOON, revoked_at=None),
        hash_secret("reader"),
    )
    return {"Authorization": "Bearer reader"}


async def source(server: Server, address: str, agent: str = CHROME, **fields: Any) -> str:
    answer = await server.visit(server.browser(address, agent), **({"url": CLICKED} | fields))
    return str(answer["source"])


async def exported(server: Server, headers: dict[str, str]) -> list[dict[str, Any]]:
    text = (await server.http.get("/v1/export/visits", headers=headers)).text
    return [json.loads(line) for line in text.splitlines()]


@BOTH_BACKENDS
async def test_what_the_owner_sees(server: Server, headers: dict[str, str]) -> None:
    assert await source(server, "192.0.2.1") == "social"
    assert await source(server, "192.0.2.2") == "direct-deep"
    assert await source(server, "192.0.2.1") == "social"
    assert await source(server, "192.0.2.3", referrer="https://l.facebook.com/") == "social"
    assert await source(server, "192.0.2.4", url=f"{ORIGIN}/?srsltid=AfmBOor123") == "search"
    assert await source(server, "192.0.2.5", url=f"{ORIGIN}/?srsltid=AfmBOor123") == "direct-home"
    assert await source(server, "192.0.2.6", url=f"{ORIGIN}/deep", highlight=True) == "direct-deep"
    assert await source(server, "192.0.2.7", url=f"{ORIGIN}/deep#:~:text=words") == "direct-deep"
    rows = await exported(server, headers)
    assert sorted((row["source"], row["decided_by"], row["evidence"]) for row in rows) == [
        ("direct-deep", "nothing", "click-id copied-address"),
        ("direct-deep", "nothing", "highlight-link"),
        ("direct-deep", "nothing", "highlight-link"),
        ("direct-home", "nothing", "click-id copied-address"),
        ("search", "click-id", "click-id"),
        ("social", "click-id", "click-id"),
        ("social", "click-id", "click-id"),
        ("social", "referrer", "click-id copied-address"),
    ]
    assert not any("fbclid" in json.dumps(row) or "IwAR" in json.dumps(row) for row in rows)
    found = (await server.http.get("/v1/stats/direct", headers=headers)).json()
    assert found["evidence"]["arrivals"] == {
        "click_id": 6, "decided_by_click_id": 3, "copied_address": 3, "copied_address_direct": 2, "highlight_link": 2,
    }  # fmt: skip


async def test_who_opted_out_or_is_driven_takes_no_first_sight(server: Server) -> None:
    await server.post("visits", server.browser("192.0.2.8"), url=CLICKED, nonce="o" * 16, opted_out=True)
    assert await server.store.look("SELECT count(*) FROM guards WHERE kind = 7") == [(0,)]
    assert await source(server, "192.0.2.9", DRIVEN) == "direct-deep"
    assert await server.store.look("SELECT count(*) FROM guards WHERE kind = 7") == [(0,)]
    assert await source(server, "192.0.2.2") == "social"


async def test_the_click_id_itself_is_nowhere_in_the_database(server: Server) -> None:
    await source(server, "192.0.2.1")
    for table in ("visits", "guards", "pages", "names"):
        for row in await server.store.look(f"SELECT * FROM {table}"):
            assert not any("IwAR" in str(value) for value in row)
