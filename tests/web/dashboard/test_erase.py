"""Erasing a visit on the token look-up page."""

from __future__ import annotations

import httpx
import pytest

from grapevine.sites.api_keys import hash_secret
from grapevine.store.rows import KeyRow
from tests.support.in_process_server import NOON, Server
from tests.web.dashboard.dashboard_browser import HOME, chain_of_three, page

pytestmark = pytest.mark.anyio


async def signed_in_with(server: Server, scope: str) -> httpx.AsyncClient:
    """A browser with a session of a key of that scope."""
    key = KeyRow(key_id=f"id-{scope}", site_id=1, name=scope, scope=scope, created_at=NOON, revoked_at=None)
    await server.store.api_keys.add_key(key, hash_secret(f"gv_{scope}"))
    client = server.browser(Origin=HOME)
    assert (await client.post("/sign-in", data={"key": f"gv_{scope}"})).status_code == 303
    return client


async def erased(server: Server) -> int:
    ((number,),) = await server.store.look("SELECT count(*) FROM visits WHERE flags = 4")
    return int(number)


async def test_the_owner_erases_the_visit_that_made_a_share(server: Server) -> None:
    chain = await chain_of_three(server)
    client = await signed_in_with(server, "admin")
    token = chain["middle"]["tokens"]["whatsapp"]
    form = await page(client, f"/tokens?token={token}")
    assert chain["middle"]["visit"] in form.values("input", "value")
    answer = await client.post("/tokens/erase", data={"visit": chain["middle"]["visit"], "sure": "yes"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/tokens?erased=yes")
    assert "The visit is erased." in (await client.get(answer.headers["location"])).text
    assert await erased(server) == 1
    assert (await client.get(f"/tokens?token={token}")).status_code == 404
    assert "a visit erased since" in (await client.get(f"/tokens?token={chain['last']}")).text


async def test_without_confirmation_nothing_is_erased(server: Server) -> None:
    visit = await server.visit()
    client = await signed_in_with(server, "admin")
    for data in ({"visit": visit["visit"]}, {"visit": visit["visit"], "sure": "no"}, {"visit": "x", "sure": "yes"}):
        assert (await client.post("/tokens/erase", data=data)).status_code == 422
    nowhere = {"visit": "00000000001", "sure": "yes"}
    assert (await client.post("/tokens/erase", data=nowhere)).status_code == 404
    assert await erased(server) == 0


async def test_only_an_admin_sees_the_form_and_only_this_server_sends_it(server: Server) -> None:
    visit = await server.visit()
    await server.share(visit["tokens"]["copy"])
    data = {"visit": visit["visit"], "sure": "yes"}
    reader = await signed_in_with(server, "read")
    assert "Erase" not in (await reader.get(f"/tokens?token={visit['tokens']['copy']}")).text
    assert (await reader.post("/tokens/erase", data=data)).status_code == 403
    owner = await signed_in_with(server, "admin")
    foreign = await owner.post("/tokens/erase", data=data, headers={"Origin": "https://evil.example"})
    assert foreign.status_code == 403
    assert (await server.browser(Origin=HOME).post("/tokens/erase", data=data)).status_code == 303
    assert await erased(server) == 0
