"""Conversions over HTTP: from a page with its session, from a server with a key."""

from __future__ import annotations

import json
import secrets
from typing import Any

import httpx
import pytest

from grapevine.domain import ids
from grapevine.domain.periods import rfc3339
from tests.support.in_process_server import BOTH_BACKENDS, NOON, ORIGIN, Server
from tests.support.user_agents import CHROME
from tests.web.api.test_read_api import with_key

pytestmark = pytest.mark.anyio


async def reach(server: Server, speaker: str, client: httpx.AsyncClient | None = None, **fields: Any) -> httpx.Response:
    usual = {"site": server.site, "session": speaker, "goal": "order", "nonce": secrets.token_hex(8)}
    return await (client or server.http).post("/v1/conversions", json=usual | fields)


async def stored(server: Server) -> list[tuple[Any, ...]]:
    rows = await server.store.look(
        "SELECT visit_id, goal, external_id, at, value, currency FROM conversions ORDER BY at"
    )
    return [(ids.visit_text(row[0]), *row[1:]) for row in rows]


@BOTH_BACKENDS
async def test_a_page_reports_a_goal_of_its_visit(server: Server) -> None:
    visit = await server.visit()
    answer = await reach(server, visit["session"], value="49.00", currency="EUR", id="A-1")
    assert (answer.status_code, answer.json()) == (200, {})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "grapevine-dropped" not in answer.headers
    assert await stored(server) == [(visit["visit"], "order", "A-1", server.clock.now, 49_000_000, "EUR")]


@BOTH_BACKENDS
async def test_repeats_change_nothing_and_the_first_one_stays(server: Server) -> None:
    visit, other = await server.visit(), await server.visit()
    events: list[dict[str, Any]] = [{"id": "A-1", "value": 1, "currency": "EUR"}, {"nonce": "n" * 16}]
    for fields in events:
        assert "grapevine-dropped" not in (await reach(server, visit["session"], **fields)).headers
        before = await stored(server)
        for session in (visit["session"], other["session"]):
            again = await reach(server, session, **(fields | {"value": 2, "currency": "USD"}))
            assert (again.status_code, again.headers["grapevine-dropped"]) == (200, "duplicate")
        assert await stored(server) == before
    assert (await server.drops())["duplicate"] == 4
    assert len(await stored(server)) == 2


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"goal": ""}, ["goal"]), ({"goal": "a\0b"}, ["goal"]), ({"goal": None}, ["goal"]), ({"nonce": "x"}, ["nonce"]),
        ({"value": "1,00", "currency": "EUR"}, ["value"]), ({"value": "0.0000001", "currency": "EUR"}, ["value"]),
        ({"value": -1, "currency": "EUR"}, ["value"]), ({"value": 5}, ["currency"]), ({"id": ""}, ["id"]),
        ({"session": "x"}, ["session"]), ({"goal": "", "session": "z" * 23}, ["goal", "session"]),
    ],
)  # fmt: skip
async def test_what_cannot_be_used_is_named_and_changes_nothing(
    server: Server, fields: dict[str, Any], wrong: list[str]
) -> None:
    visit = await server.visit()
    answer = await reach(server, visit["session"], **fields)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert [error["field"] for error in answer.json()["errors"]] == wrong
    assert await stored(server) == []


@BOTH_BACKENDS
async def test_a_share_token_does_not_speak_for_its_sharer(server: Server) -> None:
    visit = await server.visit()
    answer = await reach(server, visit["tokens"]["copy"])
    assert [error["field"] for error in answer.json()["errors"]] == ["session"]
    unknown = server.state.sites.known("site-a")
    assert unknown is not None
    gone = await reach(server, unknown.tokens.session(ids.pack(2500, 7, 7)))
    assert (gone.status_code, gone.json()["errors"][0]["field"]) == (422, "session")
    assert await stored(server) == []


@BOTH_BACKENDS
async def test_robots_foreign_pages_and_opted_out_visitors_are_refused(server: Server) -> None:
    visit = await server.visit()
    for client, status, reason in (
        (server.browser(**{"Sec-GPC": "1"}), 202, "opted-out"),
        (server.browser(user_agent="Googlebot/2.1"), 202, "robot"),
        (server.browser(Origin="https://foreign.example"), 403, "bad-origin"),
    ):
        answer = await reach(server, visit["session"], client)
        assert (answer.status_code, answer.headers["grapevine-dropped"]) == (status, reason)
    assert await stored(server) == []


# With a key -----------------------------------------------------------------------------------------------------------


@pytest.fixture
async def shop(server: Server) -> httpx.AsyncClient:
    """A shop's own server: no browser, no origin, an API key."""
    asker = await with_key(server, "writer", scope="write")
    del asker.http.headers["origin"]
    asker.http.headers["user-agent"] = "python-httpx"
    return asker.http


async def send(shop: httpx.AsyncClient, **fields: Any) -> httpx.Response:
    return await shop.post("/v1/conversions", json={"goal": "order"} | fields)


@BOTH_BACKENDS
async def test_a_shop_reports_late_conversions_of_a_visit(server: Server, shop: httpx.AsyncClient) -> None:
    visit = await server.visit()
    at = server.clock.now + 3 * ids.DAY_MS
    server.clock.now = at + ids.DAY_MS
    answer = await send(shop, visit=visit["visit"], id="A-1", at=rfc3339(at), value="49.00", currency="EUR")
    assert (answer.status_code, answer.json()) == (200, {})
    again = await send(shop, visit=visit["visit"], id="A-1", at=rfc3339(at), value="50.00", currency="EUR")
    assert (again.status_code, again.headers["grapevine-dropped"]) == (200, "duplicate")
    from_page = await reach(server, visit["session"], id="A-1")
    assert from_page.headers["grapevine-dropped"] == "duplicate"
    assert await stored(server) == [(visit["visit"], "order", "A-1", at, 49_000_000, "EUR")]


@BOTH_BACKENDS
async def test_a_session_names_its_visit_and_a_share_its_last_return(server: Server, shop: httpx.AsyncClient) -> None:
    first = await server.visit()
    token = first["tokens"]["copy"]
    no_return = await send(shop, token=token, id="0")
    assert (no_return.status_code, no_return.json()["errors"][0]["field"]) == (422, "token")
    returns = []
    for own in (False, False, True):
        server.clock.now += ids.HOUR_MS
        returns.append((await server.visit(server.browser("192.0.2.9"), token=token, own=own))["visit"])
    between = rfc3339(server.clock.now - ids.HOUR_MS - 1)
    assert (await send(shop, token=token, id="1")).status_code == 200
    assert (await send(shop, token=token, id="2", at=between)).status_code == 200
    assert (await send(shop, token=first["session"], id="3")).status_code == 200
    found = {row[2]: row[0] for row in await stored(server)}
    assert found == {"1": returns[1], "2": returns[0], "3": first["visit"]}


@BOTH_BACKENDS
async def test_a_share_made_in_a_self_return_leads_to_its_returns(server: Server, shop: httpx.AsyncClient) -> None:
    first = await server.visit()
    again = await server.visit(token=first["tokens"]["copy"], own=True)
    friend = await server.visit(server.browser("192.0.2.9"), token=again["tokens"]["copy"])
    assert (await send(shop, token=again["tokens"]["copy"], id="1")).status_code == 200
    assert [row[0] for row in await stored(server)] == [friend["visit"]]


@BOTH_BACKENDS
async def test_what_a_shop_cannot_say(server: Server, shop: httpx.AsyncClient) -> None:
    visit = await server.visit()
    known = {"visit": visit["visit"], "id": "1"}
    for fields, wrong in (
        ({"id": "1"}, ["visit"]), (known | {"token": "x"}, ["visit"]), ({"visit": visit["visit"]}, ["id"]),
        (known | {"visit": "x"}, ["visit"]), (known | {"visit": "0" * 11}, ["visit"]),
        ({"token": "x", "id": "1"}, ["token"]), (known | {"colour": "red"}, ["colour"]),
        (known | {"site": "site-b"}, ["site"]), (known | {"at": "yesterday"}, ["at"]),
        (known | {"at": "2026-02-30T00:00:00Z"}, ["at"]), (known | {"at": "2026-11-05T00:00:00"}, ["at"]),
        (known | {"at": rfc3339(server.clock.now + ids.HOUR_MS)}, ["at"]),
        (known | {"at": rfc3339(NOON - 5 * ids.DAY_MS)}, ["at"]),
        (known | {"value": 1}, ["currency"]), (known | {"goal": 5}, ["goal"]),
    ):  # fmt: skip
        answer = await send(shop, **fields)
        assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (422, wrong), fields
    assert await stored(server) == []


@BOTH_BACKENDS
async def test_a_key_needs_the_scope_write_and_its_own_site(server: Server) -> None:
    visit = await server.visit()
    await server.add_site("site-b", "https://b.example")
    reader, stranger = await with_key(server, "reader"), await with_key(server, "other", site_id=2, scope="admin")
    assert (await send(reader.http, visit=visit["visit"], id="1")).status_code == 403
    assert (await send(stranger.http, visit=visit["visit"], id="1")).status_code == 422
    assert (await send(server.browser(Authorization="Bearer no"), visit=visit["visit"], id="1")).status_code == 401
    both = await with_key(server, "every", site_id=0, scope="write")
    assert (await both.http.post("/v1/conversions?site=site-a", json={"goal": "g", "id": 1, **_of(visit)})).is_success
    assert [row[1] for row in await stored(server)] == ["g"]


def _of(visit: Any) -> dict[str, str]:
    return {"visit": visit["visit"]}


@pytest.mark.parametrize("server", ["asgi /gv"], indirect=True)
async def test_behind_a_prefix_pages_call_below_it_and_shops_either_way(
    server: Server, shop: httpx.AsyncClient
) -> None:
    visit = (
        await server.http.post("/gv/v1/visits", json={"site": "site-a", "url": f"{ORIGIN}/", "nonce": "n" * 16})
    ).json()
    body = {"site": "site-a", "session": visit["session"], "goal": "order", "nonce": "m" * 16}
    assert (await server.http.post("/gv/v1/conversions", json=body)).status_code == 200
    assert (await server.http.post("/v1/conversions", json=body)).status_code == 401
    assert (await send(shop, visit=visit["visit"], id="1")).status_code == 200
    assert (await shop.post("/gv/v1/conversions", json={"goal": "order", "id": "2", **_of(visit)})).status_code == 200


async def test_a_chain_that_sold_something_says_so(server: Server, shop: httpx.AsyncClient) -> None:
    first = await server.visit()
    friend = await server.visit(server.browser("192.0.2.9", CHROME), token=first["tokens"]["copy"])
    await reach(server, friend["session"], server.browser("192.0.2.9"), value=49, currency="EUR")
    reach_of = json.loads((await shop.get(f"/v1/tokens/{first['tokens']['copy']}")).content)["reach"]
    assert (reach_of["conversions"], reach_of["value"]) == (1, {"EUR": "49.00"})
    summary = (await shop.get("/v1/stats/summary")).json()
    assert (summary["conversions"], summary["value"]) == (1, {"EUR": "49.00"})
