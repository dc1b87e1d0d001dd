"""Who reported what, over HTTP: shares with and without the session, conversions of pages and keys."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.support.in_process_server import BOTH_BACKENDS, ORIGIN, Server
from tests.web.api.test_conversions import reach, send, shop
from tests.web.api.test_read_api import KeyClient, asker, with_key

__all__ = ["asker", "shop"]

pytestmark = pytest.mark.anyio

EUR: dict[str, Any] = {"value": "49.00", "currency": "EUR"}
CLAIMED: dict[str, Any] = {"value": "1000000000", "currency": "EUR"}


async def test_a_share_says_who_reported_it(server: Server, asker: KeyClient) -> None:
    token = (await server.visit(url=f"{ORIGIN}/first"))["tokens"]["copy"]

    async def share() -> tuple[bool, str | None, str]:
        found = (await asker.json(f"/v1/tokens/{token}"))["share"]
        return found["reported"], found["reported_by"], found["url"]

    assert await share() == (False, None, f"{ORIGIN}/first")
    assert (await server.post("shares", token=token, url=f"{ORIGIN}/of-the-recipient")).json() == {"next": None}
    assert await share() == (True, "token", f"{ORIGIN}/first")
    assert (await server.share(token, url=f"{ORIGIN}/of-the-sharer")).json()["next"]
    assert await share() == (True, "session", f"{ORIGIN}/of-the-sharer")
    assert (await server.post("shares", token=token)).headers["grapevine-dropped"] == "duplicate"
    assert await share() == (True, "session", f"{ORIGIN}/of-the-sharer")


@BOTH_BACKENDS
async def test_a_session_speaks_for_the_tokens_of_its_own_visit_alone(server: Server) -> None:
    mine, other = await server.visit(), await server.visit()
    token = mine["tokens"]["copy"]
    for session, said in (
        (other["session"], "is that of another visit than the token's"),
        (token, "is a share token; a visit is spoken for by its session alone"),
        ("x" * 23, "is not a session of this site"),
        ("", "is not a session of this site"),
    ):
        answer = await server.post("shares", token=token, session=session)
        (error,) = answer.json()["errors"]
        assert (answer.status_code, error["field"]) == (422, "session"), session
        assert error["detail"].startswith(said)
    assert await server.store.look("SELECT * FROM shares") == []


async def test_numbers_show_pages_and_keys_apart(server: Server, asker: KeyClient, shop: Any) -> None:
    visit = await server.visit()
    await reach(server, visit["session"], id="A-1", **CLAIMED)
    await reach(server, visit["session"], id="A-2", value="1", currency="EUR")
    await send(shop, visit=visit["visit"], id="A-1", **EUR)
    expected = {
        "key": {"conversions": 1, "value": {"EUR": "49.00"}},
        "page": {"conversions": 1, "value": {"EUR": "1.00"}},
    }
    for path in ("/v1/stats/summary", "/v1/attribution?model=last"):
        found = await asker.json(path)
        assert (found["conversions"], found["value"], found["conversions_by"]) == (2, {"EUR": "50.00"}, expected)
    lines = (await asker.get("/v1/export/conversions")).text.splitlines()
    rows = [msgspec.json.decode(line) for line in lines]
    assert sorted((row["id"], row["value"], row["by"]) for row in rows) == [
        ("A-1", "49.00", "key"),
        ("A-2", "1.00", "page"),
    ]


@BOTH_BACKENDS
async def test_values_of_keys_alone(server: Server, shop: Any) -> None:
    asker = await with_key(server, "reader")
    first = await server.visit()
    friend = await server.visit(server.browser("192.0.2.9"), token=first["tokens"]["copy"])
    await reach(server, friend["session"], id="A-1", **CLAIMED)
    await send(shop, visit=friend["visit"], id="A-2", **EUR)

    async def values() -> list[Any]:
        summary = await asker.json("/v1/stats/summary")
        (row,) = await asker.json("/v1/stats/breakdown", by="channel")
        attribution = await asker.json("/v1/attribution", model="last")
        (listed,) = (await asker.json("/v1/cascades", sort="value"))["cascades"]
        cascade = await asker.json(f"/v1/cascades/{first['visit']}")
        reach_ = (await asker.json(f"/v1/tokens/{first['tokens']['copy']}"))["reach"]
        whole = [summary, row, attribution, listed, cascade, reach_]
        assert [each["conversions"] for each in whole] == [2] * len(whole)
        return [each["value"] for each in whole]

    assert await values() == [{"EUR": "1000000049.00"}] * 6
    await server.store.sites.change_site(1, {"counted_values": "keys"})
    server.clock.now += 1_000
    await server.visit()  # the sites are read again
    assert await values() == [{"EUR": "49.00"}] * 6


async def test_the_fifty_first_conversion_of_a_session_is_refused(server: Server, shop: Any) -> None:
    visit = await server.visit()
    for number in range(50):
        assert (await reach(server, visit["session"], id=number)).status_code == 200
    refused = await reach(server, visit["session"], id="one too many")
    assert (refused.status_code, refused.json()["code"], refused.headers["retry-after"]) == (
        429,
        "rate-limited",
        "1800",
    )
    assert refused.headers["grapevine-dropped"] == "rate-limited"
    assert (await reach(server, visit["session"], id=7)).headers["grapevine-dropped"] == "duplicate"
    assert (await send(shop, visit=visit["visit"], id="of the shop")).status_code == 200
    assert (await reach(server, (await server.visit())["session"], id="another visit")).status_code == 200
    assert (await server.drops())["rate-limited"] == 1
