"""``DELETE /v1/links``: of a deleted link a stub stays, what came through it too, and every number equals the rows."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from grapevine.domain import ids
from grapevine.domain.enums import SOURCES
from grapevine.links.deletion import AT_ONCE, delete_links
from grapevine.links.finding import NamesAsked, find_links
from grapevine.store.repositories.webhooks import WebhookRow
from grapevine.store.rows import THROUGH_LINK
from grapevine.webhooks.signing import event
from grapevine.writer.erasure import Erased
from grapevine.writer.link_removal import LINK
from tests.store.writer.stored_rows import assert_recounted
from tests.support.in_process_server import BOTH_BACKENDS, ORIGIN, Server
from tests.web.api.test_read_api import KeyClient, refused, with_key
from tests.web.public.test_short_links import SLACK, location

pytestmark = pytest.mark.anyio

LINK_TABLES = ("links", "link_names", "link_clicks")
MARK = "contact-1842"


class Killed(Exception):
    """The process ends here."""


@pytest.fixture
async def shop(server: Server) -> KeyClient:
    return await with_key(server, "shop", scope="write")


async def made(shop: KeyClient, *links: dict[str, Any]) -> list[Any]:
    """Makes links; each leads to a page of its own."""
    wanted = [{"url": f"{ORIGIN}/{number}"} | link for number, link in enumerate(links)]
    response = await shop.http.post("/v1/links", json={"links": wanted})
    assert response.status_code == 201, response.text
    found: list[Any] = response.json()["links"]
    return found


async def rows(server: Server, text: str) -> list[tuple[Any, ...]]:
    return await server.store.look(text)


async def counted(server: Server) -> dict[str, int]:
    """How many rows the link tables have."""
    return {name: (await rows(server, f"SELECT count(*) FROM {name}"))[0][0] for name in LINK_TABLES}


async def everything(server: Server) -> str:
    """Every row that could name a link, as text."""
    names = (*LINK_TABLES, "link_words", "visits", "shares", "unfurls", "pages", "deliveries", "cascades")
    return repr([await rows(server, f"SELECT * FROM {name}") for name in names])


async def deliver(server: Server, visit: str) -> None:
    """An event that names a link waits to be sent."""
    hooks, now = server.store.webhooks, server.clock.now
    await hooks.add(WebhookRow("wh_1", 1, "https://b.example", "secret", "spike.detected", now))
    await hooks.publish(event(1, "spike.detected", now, {"visit": visit, "external_id": MARK}), lambda: "msg_1")


@BOTH_BACKENDS
async def test_a_conversion_of_a_deleted_link_is_taken_back_once_although_it_was_refunded(
    server: Server, shop: KeyClient
) -> None:
    (link,) = await made(shop, {"external_id": MARK})
    paid = {"goal": "order", "id": "A-1", "value": "9.00", "currency": "EUR", "visit": link["visit"]}
    refund = {"goal": "order", "id": "R-1", "value": "-4.00", "currency": "EUR", "refund_of": "A-1"}
    for body in (paid, refund):
        response = await shop.http.post("/v1/conversions", json=body)
        assert response.status_code == 200, response.text
    assert (await rows(server, "SELECT sum(conversions) FROM counts_hour"))[0][0] == 1
    assert (await shop.http.delete(f"/v1/links/{link['token']}")).status_code == 204
    assert await rows(server, "SELECT count(*) FROM conversions") == [(0,)]
    assert (await rows(server, "SELECT sum(conversions) FROM counts_hour"))[0][0] == 0
    await assert_recounted(server.store)


@BOTH_BACKENDS
async def test_of_a_deleted_link_a_stub_stays_and_what_grew_from_it(server: Server, shop: KeyClient) -> None:
    link, other = await made(shop, {"external_id": MARK, "campaign": "May"}, {"campaign": "May"})
    token, node = link["token"], ids.visit_number(link["visit"])
    first = await server.visit(server.browser("192.0.2.2"), token=token)
    assert first["returned"]["depth"] == 1
    second = await server.visit(server.browser("192.0.2.3"), token=first["tokens"]["copy"])
    await location(server, token, SLACK)
    await deliver(server, link["visit"])
    assert await location(server, token) == f"{ORIGIN}/0#gv-{token}"
    before = await rows(server, "SELECT sum(visits), sum(returns) FROM counts_hour")
    await assert_recounted(server.store)

    assert (await shop.http.delete(f"/v1/links/{token}")).status_code == 204
    await assert_recounted(server.store)
    text = await everything(server)
    assert MARK not in text
    assert f"{ORIGIN}/0" not in text
    assert await rows(server, "SELECT count(*) FROM deliveries") == [(0,)]
    assert await rows(server, "SELECT count(*) FROM unfurls") == [(0,)]
    assert await rows(server, f"SELECT source, flags, page_id, at FROM visits WHERE visit_id = {node}") == [
        (0, 4, 0, ids.day_start(ids.day_of(node or 0)))
    ]
    assert await rows(server, "SELECT sum(visits), sum(returns) FROM counts_hour") == before
    assert [row for (row,) in await rows(server, "SELECT depth FROM visits WHERE depth > 0 ORDER BY depth")] == [1, 2]
    assert await rows(server, "SELECT size, max_depth, page_id FROM cascades") == [(2, 2, 0)]
    assert await location(server, token) == f"{ORIGIN}/#gv-{token}"
    assert refused(await shop.http.get(f"/v1/links/{token}"))[:2] == (404, "not-found")
    assert refused(await shop.http.delete(f"/v1/links/{token}"))[:2] == (404, "not-found")
    late = await server.visit(server.browser("192.0.2.4"), token=token)
    assert late["returned"]["reason"] == "unknown-visit"
    third = await server.visit(server.browser("192.0.2.5"), token=second["tokens"]["copy"])
    assert third["returned"]["depth"] == 3
    await assert_recounted(server.store)
    assert [each["token"] for each in (await shop.http.get("/v1/links")).json()["links"]] == [other["token"]]


@BOTH_BACKENDS
async def test_erasing_the_node_deletes_the_link_and_frees_its_word(server: Server, shop: KeyClient) -> None:
    admin = await with_key(server, "admin", scope="admin")
    link, _ = await made(admin, {"external_id": MARK, "word": "wine-bar"}, {"external_id": MARK})
    node = ids.visit_number(link["visit"]) or 0
    assert (await server.http.get("/go/winebar")).headers["location"] == link["url"]
    assert refused(await shop.http.delete(f"/v1/links/{link['token']}"))[:2] == (403, "forbidden")
    assert refused(await shop.http.delete("/v1/links", params={"external_id": MARK}))[:2] == (403, "forbidden")
    assert (await counted(server))["links"] == 2
    assert (await admin.http.delete(f"/v1/visits/{link['token']}")).status_code == 204
    assert await server.state.eraser.erase(1, node) is Erased.UNKNOWN  # there was nothing below it
    assert (await counted(server))["links"] == 1
    assert await rows(server, "SELECT visit_id, freed_at FROM link_words") == [(None, server.clock.now)]
    assert (await server.http.get("/go/winebar")).status_code == 404
    assert (await shop.http.delete("/v1/links", params={"external_id": MARK})).json() == {"deleted": 1, "more": False}
    assert await counted(server) == dict.fromkeys(LINK_TABLES, 0)
    await assert_recounted(server.store)


@BOTH_BACKENDS
async def test_a_campaign_is_deleted_by_steps_that_may_be_killed(server: Server, shop: KeyClient) -> None:
    number = 3 * AT_ONCE + 1
    links = await made(
        shop, *({"url": f"{ORIGIN}/may", "campaign": "May"} for _ in range(number)), {"campaign": "June"}
    )
    await server.visit(server.browser("192.0.2.2"), token=links[0]["token"])
    state = server.state
    found = await find_links(server.store.links, state.nonces, 1, NamesAsked(campaign="May"), 1_000)
    assert len(found.rows) == number

    async def kill(_: float) -> None:
        raise Killed

    with pytest.raises(Killed):
        await delete_links(state.eraser, found.rows, kill)
    assert (await counted(server))["links"] == number + 1 - AT_ONCE
    await assert_recounted(server.store)
    both = await asyncio.gather(*(shop.http.delete("/v1/links", params={"campaign": "May"}) for _ in range(2)))
    assert sum(response.json()["deleted"] for response in both) == number - AT_ONCE
    assert (await shop.http.delete("/v1/links", params={"campaign": "May"})).json() == {"deleted": 0, "more": False}
    await assert_recounted(server.store)
    assert await rows(server, "SELECT campaign FROM links") == [("June",)]
    # A stub is left of the link that was followed, and nothing of those below which nothing is.
    assert await rows(server, "SELECT source, flags, depth FROM visits ORDER BY depth, flags") == [
        (LINK, 0, 0), (0, 4, 0), (SOURCES["share"], THROUGH_LINK, 1)
    ]  # fmt: skip
    assert [url for (url,) in await rows(server, "SELECT url FROM pages ORDER BY url")] == [
        f"{ORIGIN}/{number}", f"{ORIGIN}/deep/page"
    ]  # fmt: skip


async def test_exactly_one_name_is_given(server: Server, shop: KeyClient) -> None:
    await made(shop, {"external_id": MARK, "campaign": "May"})

    async def asked(**names: str) -> httpx.Response:
        return await shop.http.delete("/v1/links", params=names)

    assert refused(await asked())[:2] == (422, "invalid")
    assert refused(await asked(campaign="May", external_id=MARK))[:2] == (422, "invalid")
    assert refused(await asked(label="May"))[:2] == (422, "invalid")
    reader = await with_key(server, "reader", scope="read")
    assert refused(await reader.http.delete("/v1/links", params={"campaign": "May"}))[:2] == (403, "forbidden")
    assert (await asked(external_id="May")).json() == {"deleted": 0, "more": False}
    assert (await counted(server))["links"] == 1
