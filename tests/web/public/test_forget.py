"""``POST /v1/forget``: a visitor erases their own visit."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from grapevine.config.settings import Settings
from tests.support.in_process_server import BOTH_BACKENDS, ORIGIN, Server, serving

pytestmark = pytest.mark.anyio


async def forget(
    server: Server, session: Any, client: httpx.AsyncClient | None = None, **fields: Any
) -> httpx.Response:
    body = {"site": server.site, "session": session} | fields
    return await (client or server.http).post("/v1/forget", json=body)


@BOTH_BACKENDS
async def test_a_session_erases_its_visit_as_often_as_it_is_sent(server: Server) -> None:
    visit, other = await server.visit(), await server.visit()
    for _ in range(2):
        answer = await forget(server, visit["session"])
        assert (answer.status_code, answer.json()) == (200, {})
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "grapevine-dropped" not in answer.headers
    assert await server.store.look("SELECT count(*) FROM visits WHERE flags = 4") == [(1,)]
    assert (await server.post("views", session=other["session"])).status_code == 200
    for call, fields in {
        "views": {"session": visit["session"]},
        "shares": {"session": visit["session"], "token": visit["tokens"]["copy"]},
        "conversions": {"session": visit["session"], "goal": "order", "nonce": "nonce-of-an-order"},
        "answers": {"session": visit["session"], "text": "a friend", "nonce": "nonce-of-an-answer"},
    }.items():
        refused = await server.post(call, **fields)
        assert refused.status_code == 422, call
        assert "not here" in refused.json()["errors"][0]["detail"]


async def test_a_late_retry_of_an_erased_visit_stores_nothing(server: Server) -> None:
    visit = await server.visit(nonce="nonce-of-this-visit")
    await forget(server, visit["session"])
    again = await server.post("visits", nonce="nonce-of-this-visit")
    assert (again.status_code, again.headers["grapevine-dropped"]) == (200, "duplicate")
    assert again.json() == {"visit": None, "session": None, "tokens": {}, "returned": None}
    assert await server.store.look("SELECT count(*) FROM visits") == [(1,)]
    assert await server.store.look("SELECT * FROM pages") == []


async def test_a_token_erases_nothing(server: Server) -> None:
    visit = await server.visit()
    refused = await forget(server, visit["tokens"]["copy"])
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "session")
    for wrong in ("", "0" * 23, 7, None):
        assert (await forget(server, wrong)).status_code in {400, 422}
    assert await server.store.look("SELECT flags FROM visits") == [(0,)]


async def test_only_pages_of_the_site_may_forget(server: Server) -> None:
    await server.add_site("site-b", "https://b.example")
    visit = await server.visit()
    foreign = server.browser(Origin="https://b.example")
    assert (await forget(server, visit["session"], foreign)).status_code == 403
    assert (await forget(server, visit["session"], foreign, site="site-b")).status_code == 422
    assert (await forget(server, visit["session"], site="nowhere")).status_code == 404
    assert await server.store.look("SELECT flags FROM visits") == [(0,)]


async def test_somebody_who_opted_out_may_be_forgotten(server: Server) -> None:
    visit = await server.visit()
    opted_out = server.browser(**{"Sec-GPC": "1", "DNT": "1"})
    assert (await forget(server, visit["session"], opted_out)).status_code == 200
    assert await server.store.look("SELECT flags FROM visits") == [(4,)]


async def test_its_short_link_leads_home_at_once(server: Server) -> None:
    visit = await server.visit()
    token = visit["tokens"]["copy"]
    await server.share(token)
    link = f"/s/{token}"
    assert "/deep/page" in (await server.http.get(link)).headers["location"]
    await forget(server, visit["session"])
    assert "/deep/page" not in (await server.http.get(link)).headers["location"]


async def test_a_preflight_is_answered(server: Server) -> None:
    answer = await server.http.options("/v1/forget")
    assert (answer.status_code, answer.headers["access-control-allow-methods"]) == (204, "POST")


async def test_a_network_that_forgets_too_often_is_refused(database: str) -> None:
    async with serving(Settings(database=database, secret_keys=(b"k" * 32,), rate_limit=10)) as server:
        await server.add_site("site-a", ORIGIN)
        visit = await server.visit()
        answers = [await forget(server, visit["session"]) for _ in range(400)]
        assert {answer.status_code for answer in answers} == {200, 429}
        assert "retry-after" in answers[-1].headers
