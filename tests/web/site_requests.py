"""Requests about sites and API keys, from the beginning of a site to its end, on both backends."""

from __future__ import annotations

import json
from itertools import count
from typing import Any, Final

import pytest

from grapevine.sites import deletion
from tests.support.in_process_server import Server
from tests.web.backend_pair import Pair
from tests.web.read_requests import ReadClient

SEEN_OF_SITES: Final = {
    "GET /v1/sites 200", "GET /v1/sites/… 200", "GET /v1/sites/… 403", "GET /v1/sites/… 404", "POST /v1/sites 201",
    "POST /v1/sites 422", "PATCH /v1/sites/… 200", "PATCH /v1/sites/… 422", "DELETE /v1/sites/… 202",
    "DELETE /v1/sites/… 404", "DELETE /v1/sites/… 409", "GET /v1/keys 200", "GET /v1/keys/… 200", "GET /v1/keys/… 404",
    "POST /v1/keys 201", "POST /v1/keys 404", "PATCH /v1/keys/… 200", "PATCH /v1/keys/… 404", "DELETE /v1/keys/… 204",
    "DELETE /v1/keys/… 404",
}  # fmt: skip
_JSON: Final = ("Content-Type", "application/json")


async def administer(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Adds a site and keys for it, changes and lists them, and deletes them."""
    numbers, drawn = count(1), [0]
    monkeypatch.setattr("secrets.token_bytes", lambda size: bytes([drawn[0]]) * size)  # both draw the same
    monkeypatch.setattr(deletion, "FOLLOWED_SECONDS", 0.0)
    owner = ReadClient("admin-0")

    async def send(method: str, path: str, fields: Any, *headers: tuple[str, str]) -> Any:
        drawn[0] = next(numbers)
        body = json.dumps(fields).encode()
        return (await pair.ask(owner.post(path, body, _JSON, *headers, method=method))).json

    once = ("Idempotency-Key", "a new shop")
    new = {"name": "Shop", "origins": ["https://shop.example"]}
    added = await send("POST", "/v1/sites", new, once)
    assert await send("POST", "/v1/sites", new, once) == added
    site = added["site"]["site"]
    for fields in (new | {"name": "Other"}, {"name": "x"}):
        await send("POST", "/v1/sites", fields, once)
    made = await send("POST", "/v1/keys", {"scope": "read", "sites": [site, "site-a"], "name": "both"})
    await send("POST", "/v1/keys", {"scope": "read", "every_site": True})
    await send("POST", "/v1/keys", {"scope": "read", "sites": ["site-a", "nobody"]})
    both = ReadClient(made["key"])
    for call in (
        owner.get(f"/v1/sites/{site}"),
        owner.get("/v1/sites/nobody"),
        owner.get("/v1/sites", limit=2),
        ReadClient("admin-1").get("/v1/sites"),
        ReadClient("admin-1").get(f"/v1/sites/{site}"),
        owner.get("/v1/keys", site=site),
        owner.get("/v1/keys", site=site, limit=1),
        owner.get(f"/v1/keys/{made['id']}"),
        ReadClient("admin-1").get(f"/v1/keys/{made['id']}"),
        both.get("/v1/stats/summary", site=site),
        both.get("/v1/stats/summary", site="site-b"),
        both.get("/v1/stats/summary"),
        owner.get("/problems/invalid"),
    ):
        await pair.ask(call)
    first = (await pair.ask(owner.get("/v1/sites", limit=1))).json
    await pair.ask(owner.get("/v1/sites", limit=100, cursor=first["next"]))
    await send("PATCH", f"/v1/sites/{site}", {"name": "My shop", "query": ["id"], "values": "keys"})
    await send("PATCH", f"/v1/sites/{site}", {"place": "nowhere"})
    await send("PATCH", f"/v1/keys/{made['id']}", {"scope": "write"})
    for _ in range(2):
        await pair.ask(owner.post(f"/v1/keys/{made['id']}", b"", method="DELETE"))
    await send("PATCH", f"/v1/keys/{made['id']}", {"scope": "admin"})
    for name in ("Shop", "My%20shop", "My%20shop"):
        await pair.ask(owner.post(f"/v1/sites/{site}?confirm={name}", b"", method="DELETE"))
    await pair.on_both(_carry_out)
    await pair.ask(owner.get("/v1/sites"))


async def _carry_out(server: Server) -> None:
    await server.state.site_deletions.run()
    assert await server.store.site_deletion.unfinished() == []
