"""Pages are joined while the server records: nothing is lost, and every number agrees at the end."""

from __future__ import annotations

import asyncio

import pytest

from grapevine.background.leases import Leases
from grapevine.domain import ids
from grapevine.domain.urls import page_id
from grapevine.store.repositories.page_joins import COUNTING, POINTING
from grapevine.writer.page_join_job import PageJoinJob
from tests.store.writer.stored_rows import assert_recounted
from tests.support.in_process_server import BOTH_BACKENDS, NOON, ORIGIN, Server
from tests.web.api.test_read_api import with_key
from tests.web.backend_pair import change
from tests.web.public.test_short_links import location

pytestmark = pytest.mark.anyio

PAGE = f"{ORIGIN}/stra%C3%9Fe"
BEFORE = (f"{ORIGIN}/stra%c3%9fe", f"{ORIGIN}/straße", f"{ORIGIN}/stra%C3%9Fe?_hsenc=x")


def as_before(url: str, stored: str) -> list[str]:
    """Statements after which a page is stored as an older version stored it."""
    new, old = page_id(1, stored), page_id(1, url)
    cell, day = ids.hashed_cell(new), ids.day_at(NOON)
    tables = ["visits", *(table.name for table in (*POINTING, *COUNTING))]
    return [
        *(f"UPDATE {table} SET page_id = {new} WHERE page_id = {old}" for table in tables),
        f"INSERT INTO pages SELECT site_id, {new}, {cell}, {day}, '{stored}', NULL FROM sites",
        "UPDATE versions SET version = 0 WHERE name = 'page_joins'",
        "DELETE FROM leases WHERE name = 'page joins'",
    ]


@BOTH_BACKENDS
async def test_traffic_goes_on_while_pages_are_joined(server: Server) -> None:
    asker = await with_key(server, "reader")
    site = await server.state.sites.by_key(server.site)
    assert site is not None
    job = PageJoinJob(server.store, Leases(server.store.leases, server.clock, "a"), server.clock, lambda _: traffic())
    async with asyncio.timeout(30):  # until the server's own job has nothing left to do
        while await server.store.page_joins.step() < len(job.steps):  # noqa: ASYNC110  # another process might do it
            await asyncio.sleep(0.01)
    sharers, returns, pauses = [], 0, 0
    for number, stored in enumerate(BEFORE):
        for place in (PAGE, f"{ORIGIN}/elsewhere"):
            visit = await server.visit(server.browser(f"192.0.2.{number + 1}"), url=place)
            await server.share(visit["tokens"]["copy"], url=PAGE)
            await server.visit(server.browser(f"198.51.100.{number + 1}"), url=PAGE, token=visit["tokens"]["copy"])
            sharers.append(visit)
            returns += 1
        await change(server, as_before(PAGE, stored))
    assert len(await asker.json("/v1/stats/breakdown", by="page")) == 1 + len(BEFORE)

    async def traffic() -> None:
        nonlocal returns, pauses
        pauses += 1
        sharer, spelling = sharers[pauses % len(sharers)], BEFORE[pauses % len(BEFORE)]
        friend = server.browser(f"203.0.113.{pauses}")
        for url in spelling, PAGE:
            visit = await server.visit(friend, url=url, token=sharer["tokens"]["copy"])
            await server.share(visit["tokens"]["whatsapp"], url=spelling)
            assert (await server.post("views", session=sharer["session"], url=url)).status_code == 200
            returns += 1
            if url == PAGE and pauses % 2 == 0:
                await server.state.eraser.erase(1, site.tokens.read(visit["tokens"]["copy"]).visit_id)
                returns -= 1
        assert (await location(server, sharer["tokens"]["copy"])).startswith(f"{ORIGIN}/stra")

    assert await job.run()
    assert pauses > 10
    await assert_recounted(server.store)
    rows = {row["key"]: row for row in await asker.json("/v1/stats/breakdown", by="page")}
    assert set(rows) == {PAGE, f"{ORIGIN}/elsewhere"}
    assert sum(row["returns"] for row in rows.values()) == returns
    shared = {
        (await server.http.get("/v1/counts", params={"site": "site-a", "url": url})).text for url in (PAGE, *BEFORE)
    }
    assert len(shared) == 1
