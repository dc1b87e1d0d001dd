"""Each curl line of the description, as ``/docs`` and ``docs/api.md`` show it, is run and succeeds."""

from __future__ import annotations

import argparse
import shlex
from typing import Any, Final
from urllib.parse import urlencode

import httpx
import pytest

from grapevine.links.minting import mint
from grapevine.links.new_links import check_links
from grapevine.links.schemas import NewLink
from grapevine.mentions import checking
from grapevine.sites.api_keys import hash_secret
from grapevine.store.repositories.feeds import FeedRow
from grapevine.store.repositories.webhooks import WebhookRow
from grapevine.store.rows import KeyRow, SiteRow
from grapevine.web.openapi.outline import CallOutline, groups
from grapevine.web.openapi.served import make_description
from grapevine.webhooks.sealed_secrets import place_of
from grapevine.webhooks.signing import event
from tests.support.in_process_server import NOON, Server

pytestmark = pytest.mark.anyio

SERVER: Final = "http://grapevine.example"
ORIGIN: Final = "https://www.example.com"
SITES: Final = {"k7Rz0XaVn2fQ": "A shop", "Qb7uZk3vT9wLxN2a": "My shop", "h5Jc81RmWq0DyE4s": "Another shop"}
"""The sites of the examples, and their names."""
ENDLESS: Final = "/v1/live"
"""A response without an end: ``tests/web/api/test_live.py`` reads it."""
OF_SERVER: Final = ("/v1/sites", "/v1/keys", "/metrics")
"""Calls that are made with a key for every site."""


def read_curl(line: str) -> httpx.Request:
    """Returns the request that a curl line makes."""
    parser = argparse.ArgumentParser(exit_on_error=False)
    parser.add_argument("-N", action="store_true")
    parser.add_argument("-X", dest="method")
    parser.add_argument("-H", dest="headers", action="append", default=[])
    parser.add_argument("--json")
    parser.add_argument("--data-raw")
    parser.add_argument("--data-urlencode", dest="fields", action="append", default=[])
    parser.add_argument("url")
    program, *words = shlex.split(line)
    assert program == "curl"
    found = parser.parse_args(words)
    headers = dict(header.split(": ", 1) for header in found.headers)
    form = urlencode([tuple(field.split("=", 1)) for field in found.fields])
    body = found.json or found.data_raw or form
    if form:
        headers = {"Content-Type": "application/x-www-form-urlencoded"} | headers
    if found.json:
        headers = {"Content-Type": "application/json", "Accept": "application/json"} | headers
    return httpx.Request(found.method or ("POST" if body else "GET"), found.url, headers=headers, content=body)


def calls() -> list[CallOutline]:
    """Returns every call, those that take something away last, the largest thing at the very end."""
    found = [call for group in groups(make_description("/", "").document, SERVER) for call in group.calls]
    kept = [call for call in found if call.method != "DELETE"]
    return kept + [call for call in reversed(found) if call.method == "DELETE"]


async def plant(server: Server) -> dict[str, str]:
    """Adds what the examples name. Returns the real value of each example that cannot be chosen."""
    for number, (key, name) in enumerate(SITES.items(), 2):
        row = SiteRow(
            site_id=number, key=key, name=name, salt=f"{number:032x}", created_at=NOON, origins=(ORIGIN,),
            param="gv", place="auto", query="*", webmention="on",
        )  # fmt: skip
        await server.store.sites.add_site(row)
    server.clock.now += 1_000
    for key_id, site_id in (("own", 2), ("every", 0), ("Zk3vT9wLxN", 3)):
        made = KeyRow(key_id=key_id, site_id=site_id, name=key_id, scope="admin", created_at=NOON, revoked_at=None)
        await server.store.api_keys.add_key(made, hash_secret(f"gv_{key_id}"))
    hook = "wh_2fQk7Rz0XaVn"
    endpoint = WebhookRow(
        webhook_id=hook, site_id=2, url="https://hooks.example.com/x", events="spike.detected", created_at=NOON,
        secret=server.state.keyring.seal("whsec_x", place_of(hook)),
    )  # fmt: skip
    await server.store.webhooks.add(endpoint)
    published = event(2, "spike.detected", server.clock.now, {"returns": 52})
    await server.store.webhooks.publish(published, lambda: "msg_5cGh1LpQ8TtW")
    feed = FeedRow(
        feed_id="feed_5b2f0f7c7b1e4a0f9d3c2b1a09f8e7d6", site_id=2, url="https://feeds.example.com/", name="news",
        created_at=NOON, next_at=1 << 52,
    )  # fmt: skip
    await server.store.feeds.add(feed, 20)
    server.site = next(iter(SITES))
    page = {"url": f"{ORIGIN}/bread"}
    site = await server.state.sites.by_key(server.site)
    assert site is not None
    root = await server.visit(server.browser(Origin=ORIGIN), **page)
    visit = await server.visit(server.browser("192.0.2.2", Origin=ORIGIN), token=root["tokens"]["copy"], **page)
    (link,) = await mint(
        server.state.store,
        server.state.nonces,
        site,
        await check_links(site, [NewLink(url=f"{ORIGIN}/bread", word="summer")], server.clock.now, is_list=False),
        server.clock.now,
        "nonce",
    )
    sold = {"goal": "order", "id": "A-1001", "visit": visit["visit"], "value": "49", "currency": "EUR"}
    owner = server.browser(Authorization="Bearer gv_own")
    assert (await owner.post("/v1/conversions", json=sold)).status_code == 200
    receipt = (await owner.get("/v1/receipts", params={"goal": "order", "id": "A-1001"})).json()
    said = {"text": "a friend", "visit": visit["visit"], "nonce": "n" * 16}
    assert (await owner.post("/v1/answers", json=said)).status_code == 200
    (answer,) = (await owner.get("/v1/answers")).json()["answers"]
    return {
        "4fQ0aZk31Lm7MbT2kQ9xZa": answer["id"],
        "7MbT2kQ9xZa": receipt["conversion"],
        "5f0c3e1f7a9b4d2e8c6a1b3d5e7f9021": receipt["says"]["receipt"],
        "8ELulSh3Pe9N6xYWSciuLsM": site.tokens.mint_one(link.visit_id, link.channel),
        "03Gje856j3P": root["visit"],
        "03Gl69Cu6Or": visit["visit"],
        "82fJgvL8BHbGGDSJT0nzh45": root["tokens"]["copy"],
        "86Yqi1yJE1R97caFSkEt8V0": visit["tokens"]["copy"],
        "9xGk2Lr0aWq3Zt7Bv1Nc5Yd": visit["session"],
    }


async def test_each_line_succeeds(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "MOST_AT_ONCE", 0)  # no source is read
    real = await plant(server)
    client = server.browser("127.0.0.1")
    client.headers.pop("Origin")
    for call in calls():
        if call.path == ENDLESS:
            continue
        secret = "gv_every" if call.path.startswith(OF_SERVER) else "gv_own"
        for curl in call.curls:
            line = curl.line.replace("$GRAPEVINE_KEY", secret)
            for example, value in real.items():
                line = line.replace(example, value)
            answer = await client.send(asked(client, read_curl(line)))
            assert answer.status_code < 400, (line, answer.status_code, answer.text[:500])
        await undo(client, call)
        if call.path == "/v1/forget":  # of the first visit of the chain, there is still something to erase
            real["86Yqi1yJE1R97caFSkEt8V0"] = real["82fJgvL8BHbGGDSJT0nzh45"]
        server.clock.now += 1_000


def asked(client: httpx.AsyncClient, request: httpx.Request) -> httpx.Request:
    """Returns the request as ``client`` sends it, with its own headers."""
    return client.build_request(request.method, request.url, content=request.content, headers=request.headers)


async def undo(client: httpx.AsyncClient, call: CallOutline) -> None:
    """Takes back what would be in the way of another line."""
    before: dict[str, tuple[str, str, dict[str, Any]]] = {
        "PATCH /v1/sites/{site}": ("/v1/sites/Qb7uZk3vT9wLxN2a", "gv_every", {"name": "My shop"}),
        "PATCH /v1/webhooks/{id}": ("/v1/webhooks/wh_2fQk7Rz0XaVn", "gv_own", {"enabled": True}),
    }
    if (name := f"{call.method} {call.path}") in before:
        path, secret, fields = before[name]
        answer = await client.patch(path, json=fields, headers={"Authorization": f"Bearer {secret}"})
        assert answer.status_code == 200, answer.text
