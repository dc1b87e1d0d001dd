"""After retention: printed codes still lead to their pages, chains say where they end, orders are repeats."""

from __future__ import annotations

import secrets

import pytest

from grapevine.analytics.cascades import read_cascade
from grapevine.analytics.token_resolution import resolve_token
from grapevine.background.leases import Leases
from grapevine.domain import ids
from grapevine.errors import UnknownVisit
from grapevine.sites.cache import Site
from grapevine.writer.retention_job import RetentionJob
from tests.store.writer.stored_rows import assert_recounted
from tests.support.in_process_server import BOTH_BACKENDS, ORIGIN, Server
from tests.web.public.test_short_links import SLACK, location

pytestmark = pytest.mark.anyio

DAYS = 10
CHANNELS = ["copy", "qr", "print", "email", "sms", "whatsapp"]


async def days_later(server: Server, days: int = DAYS + 1) -> int:
    """Lets days pass and runs the job. Returns how many visits were deleted."""
    server.clock.now += days * ids.DAY_MS
    deleted = await RetentionJob(server.store, DAYS, Leases(server.store.leases, server.clock, "a"), server.clock).run()
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
