"""After retention: printed codes still lead to their pages, chains say where they end, orders are repeats."""

from __future__ import annotations

import secrets

import pytest

from grapevine.analytics.cascades import read_cascade
from grapevine.analytics.token_resolution import resolve_token
from grapevine.background.leases import Leases
from grapevine.domain import ids
from grapevine.domain.periods import rfc3339
from grapevine.errors import UnknownVisit
from grapevine.sites.cache import Site
from grapevine.writer.link_removal import LINK
from grapevine.writer.retention_job import RetentionJob
from tests.store.writer.stored_rows import assert_recounted
from tests.support.in_process_server import BOTH_BACKENDS, ORIGIN, Server
from tests.web.api.test_read_api import with_key
from tests.web.public.test_short_links import SLACK, location

pytestmark = pytest.mark.anyio

DAYS = 10
GONE = "is the id of a conversion whose visit is not here any more: erased, or past retention"
CHANNELS = ["copy", "qr", "print", "email", "sms", "whatsapp"]


async def days_later(server: Server, days: int = DAYS + 1) -> int:
    """Lets days pass and runs the job. Returns how many visits were deleted."""
    server.clock.now += days * ids.DAY_MS
    leases = Leases(server.store.leases, server.clock, "a")
    deleted = await RetentionJob(server.store, DAYS, leases, server.clock, server.state.nonces).run()
    await assert_recounted(server.store)
    return deleted


def site_of(server: Server) -> Site:
    site = server.state.sites.known(server.site)
    assert site is not None
    return site


@BOTH_BACKENDS
async def test_links_on_paper_and_in_use_lead_to_their_pages(server: Server) -> None:
    tokens = (await server.visit(channels=CHANNELS))["tokens"]
    for channel in CHANNELS:
        await server.share(tokens[channel], url=f"{ORIGIN}/{channel}")
    await location(server, tokens["copy"])
    await location(server, tokens["whatsapp"], SLACK)
    await server.state.followed_links.store()
    assert await days_later(server) == 1
    kept = {"copy", "qr", "print", "whatsapp"}  # nobody followed the others as short links
    for channel in CHANNELS:
        page = channel if channel in kept else ""
        assert await location(server, tokens[channel]) == f"{ORIGIN}/{page}#gv-{tokens[channel]}"
    rows = await server.store.look("SELECT * FROM kept_shares")
    assert len(rows) == len(kept)
    visit_id = site_of(server).tokens.read(tokens["qr"]).visit_id
    await server.state.eraser.erase(1, visit_id)
    assert await location(server, tokens["qr"]) == f"{ORIGIN}/#gv-{tokens['qr']}"


@BOTH_BACKENDS
async def test_a_link_whose_sharer_named_no_page_keeps_none(server: Server) -> None:
    token = (await server.visit(url=f"{ORIGIN}/reset?code=SECRET", channels=["qr"]))["tokens"]["qr"]
    assert (await server.post("shares", token=token, url=f"{ORIGIN}/other")).status_code == 200
    await location(server, token)
    await days_later(server)
    assert await server.store.look("SELECT * FROM kept_shares") == []
    assert await location(server, token) == f"{ORIGIN}/#gv-{token}"


@BOTH_BACKENDS
async def test_a_chain_that_reaches_past_retention_is_truncated(server: Server) -> None:
    root = await server.visit()
    token = root["tokens"]["copy"]
    server.clock.now += 5 * ids.DAY_MS
    middle = await server.visit(server.browser("192.0.2.2"), token=token)
    server.clock.now += 5 * ids.DAY_MS
    last = await server.visit(server.browser("192.0.2.3"), token=middle["tokens"]["copy"])
    assert await days_later(server, 2) == 1
    site, reads = site_of(server), server.store.reads
    found = await resolve_token(reads, site, last["tokens"]["copy"])
    assert (found.truncated, [node.depth for node in found.chain]) == (True, [1, 2])
    with pytest.raises(UnknownVisit):
        await resolve_token(reads, site, token)
    cascade = await read_cascade(server.store, site, root["visit"], server.clock.now)
    assert (cascade.size, [node.depth for node in cascade.nodes]) == (3, [1, 2])
    late = await server.visit(server.browser("192.0.2.4"), token=token)
    assert (late["returned"]["valid"], late["returned"]["reason"]) == (False, "unknown-visit")
    deeper = await server.visit(server.browser("192.0.2.5"), token=last["tokens"]["copy"])
    assert deeper["returned"]["depth"] == 3
    await assert_recounted(server.store)
    await days_later(server)
    assert await server.store.look("SELECT count(*) FROM visits") == [(0,)]
    assert await days_later(server, 1) == 0  # a summary stays a day longer
    assert await server.store.look("SELECT count(*) FROM cascades") == [(0,)]
    with pytest.raises(UnknownVisit):
        await read_cascade(server.store, site, root["visit"], server.clock.now)


@BOTH_BACKENDS
async def test_a_minted_link_outlives_retention_until_it_has_expired(server: Server) -> None:
    """What comes through it years later finds its root; what came before is deleted as every visit is."""
    shop = await with_key(server, "shop", scope="write")
    ends = rfc3339(server.clock.now + DAYS * ids.DAY_MS)
    fields = {"url": f"{ORIGIN}/menu", "campaign": "May"}
    wanted = [fields, fields | {"expires_at": ends}, *[fields] * 60]
    answer = await shop.http.post("/v1/links", json={"links": wanted})
    link, expiring, *_ = answer.json()["links"]
    token = link["token"]
    server.clock.now += ids.DAY_MS
    early = await server.visit(server.browser("192.0.2.2"), token=token)
    await server.visit(server.browser("192.0.2.3"), token=expiring["token"])
    ordinary = await server.visit(server.browser("192.0.2.4"))
    day = server.clock.now - server.clock.now % ids.DAY_MS
    server.clock.now += 5 * ids.DAY_MS
    late = await server.visit(server.browser("192.0.2.5"), token=token)
    last = await server.visit(server.browser("192.0.2.6"), token=late["tokens"]["copy"])
    await server.http.get(f"/s/{token}")
    assert await days_later(server, 6) == 4  # the expired link, and three visits behind nodes that stay
    assert await server.store.look("SELECT count(*) FROM links") == [(61,)]
    assert await server.store.look(f"SELECT count(*) FROM visits WHERE source = {LINK}") == [(61,)]
    assert await server.store.look("SELECT returned_at FROM links WHERE returned_at IS NOT NULL") == [(day,)]
    site, reads = site_of(server), server.store.reads
    found = await resolve_token(reads, site, last["tokens"]["copy"])
    assert (found.truncated, [node.depth for node in found.chain]) == (False, [0, 1, 2])
    for gone in (early, ordinary):
        with pytest.raises(UnknownVisit):
            await resolve_token(reads, site, gone["tokens"]["copy"])
    again = await server.visit(server.browser("192.0.2.7"), token=token)
    assert (again["returned"]["valid"], again["returned"]["depth"]) == (True, 1)
    assert (await location(server, token)).endswith(f"/menu#gv-{token}")
    await days_later(server)
    assert await server.store.look("SELECT count(*) FROM visits") == [(61,)]
    assert await days_later(server, 1) == 0
    assert await server.store.look("SELECT count(*) FROM cascades") == [(0,)]
    second = await server.visit(server.browser("192.0.2.8"), token=token)
    assert second["returned"]["depth"] == 1
    await assert_recounted(server.store)
    assert (await shop.http.delete(f"/v1/links/{token}")).status_code == 204
    assert await days_later(server) == 2  # the stub and the visit through it


@BOTH_BACKENDS
async def test_what_is_past_retention_takes_no_refund_and_its_refunds_go_with_it(server: Server) -> None:
    shop = await with_key(server, "writer", scope="write")

    async def sell(number: str, value: str, **fields: str) -> tuple[int, list[dict[str, str]]]:
        sold = {"goal": "order", "currency": "EUR", "id": number, "value": value} | fields
        answer = await shop.http.post("/v1/conversions", json=sold)
        return answer.status_code, answer.json().get("errors", [])

    root = await server.visit()
    friend = await server.visit(server.browser("192.0.2.2"), token=root["tokens"]["copy"])
    assert await sell("A-1", "49", visit=friend["visit"]) == (200, [])
    server.clock.now += 2 * ids.DAY_MS
    assert await sell("R-1", "-9", refund_of="A-1") == (200, [])
    found = await read_cascade(server.store, site_of(server), root["visit"], server.clock.now)
    assert (found.conversions, found.value) == (1, {"EUR": "40.00"})
    assert await days_later(server, DAYS - 1) == 2
    assert await server.store.look("SELECT count(*) FROM conversions") == [(0,)]
    gone = [{"field": "refund_of", "detail": GONE}]
    assert await sell("R-2", "-9", refund_of="A-1") == (422, gone)
    assert await sell("R-1", "-9", refund_of="A-1") == (200, [])  # it was stored, and is a repeat
    assert await server.store.look("SELECT count(*) FROM conversions") == [(0,)]
    assert [int(number) for (number,) in await server.store.look("SELECT sum(conversions) FROM counts_hour")] == [1]


@BOTH_BACKENDS
async def test_an_order_that_is_sent_again_is_a_repeat(server: Server) -> None:
    async def order(session: str, number: str) -> int:
        nonce = secrets.token_hex(8)
        sent = await server.post("conversions", session=session, goal="order", id=number, nonce=nonce)
        return sent.status_code

    visit = await server.visit()
    assert await order(visit["session"], "4711") == 200
    await server.post("answers", session=visit["session"], text="a friend", nonce=secrets.token_hex(8))
    await days_later(server)
    for table in ("visits", "conversions", "answers"):
        assert await server.store.look(f"SELECT count(*) FROM {table}") == [(0,)], table
    assert await server.store.look("SELECT reported_by, visit_id FROM guards WHERE kind = 4") == [(0, None)]
    later = await server.visit()
    assert await order(visit["session"], "4711") == 200
    assert await order(later["session"], "4711") == 200
    assert await order(visit["session"], "4712") == 422
    assert (await server.drops())["duplicate"] == 2
    assert await server.store.look("SELECT count(*) FROM conversions") == [(0,)]
    assert await order(later["session"], "4712") == 200
    assert [int(number) for (number,) in await server.store.look("SELECT sum(conversions) FROM counts_hour")] == [2]
    await assert_recounted(server.store)
