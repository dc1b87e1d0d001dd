"""``DELETE /v1/visits/{token}``, and what is read of an erased visit afterwards."""

from __future__ import annotations

import json

import pytest

from tests.support.in_process_server import BOTH_BACKENDS, ORIGIN, Server
from tests.web.api.test_read_api import KeyClient, with_key
from tests.web.dashboard.dashboard_browser import chain_of_three

pytestmark = pytest.mark.anyio


@pytest.fixture
async def owner(server: Server) -> KeyClient:
    return await with_key(server, "owner", scope="admin")


@BOTH_BACKENDS
@pytest.mark.parametrize("named", ["token", "session", "visit"])
async def test_the_owner_erases_a_visit_by_any_name_once(server: Server, owner: KeyClient, named: str) -> None:
    visit = await server.visit()
    path = "/v1/visits/" + (visit["tokens"]["copy"] if named == "token" else visit[named])
    assert (await owner.http.delete(path)).status_code == 204
    again = await owner.http.delete(path)
    assert (again.status_code, again.json()["code"]) == (404, "unknown-visit")
    assert await server.store.look("SELECT flags FROM visits") == [(4,)]


async def test_only_an_admin_of_the_site_erases(server: Server, owner: KeyClient) -> None:
    await server.add_site("site-b", "https://b.example")
    visit = await server.visit()
    path = f"/v1/visits/{visit['visit']}"
    for scope in ("read", "write"):
        assert (await (await with_key(server, scope, scope=scope)).http.delete(path)).status_code == 403
    assert (await server.http.delete(path)).status_code == 401
    stranger = await with_key(server, "stranger", site_id=2, scope="admin")
    assert (await stranger.http.delete(path)).status_code == 404
    assert (await stranger.http.delete(f"/v1/visits/{visit['tokens']['copy']}")).status_code == 422
    assert (await owner.http.delete("/v1/visits/abc")).json()["code"] == "not-a-token"
    assert await server.store.look("SELECT flags FROM visits") == [(0,)]


async def test_what_is_read_of_an_erased_visit_is_its_place(server: Server, owner: KeyClient) -> None:
    chain = await chain_of_three(server)
    middle = chain["middle"]
    assert (await owner.http.delete(f"/v1/visits/{middle['visit']}")).status_code == 204
    gone = await owner.get(f"/v1/tokens/{middle['tokens']['whatsapp']}")
    assert (gone.status_code, gone.json()["code"]) == (404, "unknown-visit")
    nodes = (await owner.json(f"/v1/tokens/{chain['last']}"))["chain"]
    assert [node["depth"] for node in nodes] == [0, 1, 2]
    assert nodes[1] == {
        "visit": middle["visit"], "at": None, "url": None, "source": None, "depth": 1, "via": None, "erased": True,
    }  # fmt: skip
    assert nodes[2]["via"]["channel"] == "whatsapp"
    cascade = await owner.json(f"/v1/cascades/{chain['root']}")
    assert (cascade["size"], cascade["max_depth"], cascade["breadth"]) == (2, 2, 1)
    assert cascade["structural_virality"] == 2.0
    assert cascade["nodes"][1] == {
        "visit": middle["visit"], "parent": chain["root"], "via": None, "depth": 1, "at": None, "url": None,
        "source": None, "device": None, "conversions": 0, "erased": True,
    }  # fmt: skip
    exported = (await owner.get("/v1/export/visits", format="ndjson")).text.splitlines()
    (line,) = [line for line in map(json.loads, exported) if line["visit"] == middle["visit"]]
    assert {name for name, value in line.items() if value not in (None, False)} == {
        "visit", "parent", "root", "depth", "erased",
    }  # fmt: skip
    summary = await owner.json("/v1/stats/summary")
    assert (summary["visits"], summary["returns"], summary["shares"]["total"]) == (2, 1, 1)


async def test_a_cascade_without_its_first_visit_has_no_page(server: Server, owner: KeyClient) -> None:
    chain = await chain_of_three(server)
    await owner.http.delete(f"/v1/visits/{chain['root']}")
    (head,) = (await owner.json("/v1/cascades"))["cascades"]
    assert (head["url"], head["size"], head["started_at"][11:]) == (None, 2, "00:00:00.000Z")
    await owner.http.delete(f"/v1/visits/{chain['middle']['visit']}")
    await owner.http.delete(f"/v1/visits/{chain['third']['visit']}")
    assert (await owner.json("/v1/cascades"))["cascades"] == []
    gone = await owner.get(f"/v1/cascades/{chain['root']}")
    assert (gone.status_code, gone.json()["code"]) == (404, "unknown-visit")
    assert ORIGIN not in json.dumps(await owner.json("/v1/stats/breakdown", by="page"))
    for table in ("visits", "shares", "unfurls", "conversions", "answers", "cascades"):
        exported = await owner.get(f"/v1/export/{table}", format="ndjson")
        assert ORIGIN not in exported.text, table
