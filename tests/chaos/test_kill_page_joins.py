"""``kill -9`` while the server joins pages under traffic: no row is lost, and every count is added exactly once."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import pytest

from grapevine.background.leases import Leases
from grapevine.domain import ids
from grapevine.domain.urls import page_id
from grapevine.serving.app import system_clock
from grapevine.store.postgres.store import PostgresStore
from grapevine.store.repositories.page_joins import COUNTING, POINTING
from grapevine.store.sqlite.store import SQLiteStore
from grapevine.writer.page_join_job import PageJoinJob
from tests.chaos.audit import counts_agree, holds_in
from tests.chaos.old_world import SITE, fill
from tests.chaos.widget_load import PAGES as LOADED
from tests.chaos.widget_load import WidgetLoad
from tests.store.world import FIRST_DAY
from tests.store.world import PAGES as GROWN
from tests.store.writer.test_page_joins import KEEP_SHARES, spelled
from tests.store.writer.test_retention import retention_job
from tests.support.raw_connection import connected
from tests.support.server_process import PATIENCE_SECONDS, Installation, PostgresInstallation

pytestmark = pytest.mark.anyio

VISITS: Final = 500
EVENTS: Final = 300
"""Events that the server has acknowledged before pages are stored as an older version stored them."""
LATEST_SECONDS: Final = 0.1
"""A kill comes at the latest so long after the job has reached a random step."""
PAUSE_SECONDS: Final = 0.02
FOLLOWED: Final = 12
NAMING: Final = ("visits", *(table.name for table in POINTING), *(table.name for table in COUNTING), "spikes")
STEP: Final = "SELECT version FROM versions WHERE name = 'page_joins'"
BY_PAGE: Final = ("counts by page", "counts by week", "shares by page")
"""Comparisons that differ until all pages are joined."""

Row = tuple[Any, ...]


class OldPage(NamedTuple):
    """A page as it is reported, the address under which an older version stored it, and the one that it becomes."""

    reported: str
    stored: str
    joined: str


def _old_pages() -> Iterator[OldPage]:
    for urls in (GROWN[1:], LOADED):
        for number in range(0, len(urls), 3):
            one, two, three = urls[number : number + 3]
            yield OldPage(one, one if number % 2 else spelled(one, 1), one)
            yield OldPage(two, spelled(one, 0), one)
            yield OldPage(three, f"{one}?utm_source=mail", one)


OLD: Final = tuple(_old_pages())
BECOMES: Final = {page_id(SITE, old.stored): page_id(SITE, old.joined) for old in OLD}
JOINED: Final = {url: old.joined for old in OLD for url in old}
GROWN_IDS: Final = {page_id(SITE, url) for url in GROWN}


@pytest.mark.slow
@pytest.mark.parametrize("kills", [2, 25])
async def test_killed_while_it_joins_pages(installation: Installation, kills: int) -> None:
    await killed_while_it_joins_pages(installation, kills)


@pytest.mark.slow
@pytest.mark.parametrize("kills", [3, 20])
async def test_killed_while_it_joins_pages_in_postgres(postgres_installation: PostgresInstallation, kills: int) -> None:
    await killed_while_it_joins_pages(postgres_installation, kills)


async def killed_while_it_joins_pages(installation: Installation, kills: int) -> None:
    """Kills one server after the other while it joins pages; the last one ends the work."""
    installation.more_settings["GRAPEVINE_RETENTION_DAYS"] = "0"
    moments, load = random.Random(kills), WidgetLoad(installation.site, f"joined-{kills}")  # noqa: S311
    await fill(installation, VISITS)
    with installation.serving() as server:
        async with load.on(server.port):
            await load.reached(acknowledged=EVENTS)
        links = list(load.shared_pages)[:FOLLOWED]
        assert await followed(server.port, links) == [load.shared_pages[link] for link in links]
        assert server.end().status == 0
    last_step = await store_as_before(installation)
    sums, before = await sums_of(installation, BECOMES), await size(installation, load)
    load.pages = tuple({url for old in OLD if old.reported in LOADED for url in (old.stored, old.joined)})
    load.pause = PAUSE_SECONDS
    steps = [0]
    for least in sorted(moments.randrange(last_step) for _ in range(kills)):
        with installation.serving() as server:
            await load.settle(server.port)
            async with load.on(server.port, browsers=2):
                await step_reached(installation, least)
                await asyncio.sleep(moments.uniform(0, LATEST_SECONDS))
                server.kill()
        await installation.change("DELETE FROM leases")  # a minute passes, and the killed server's lease with it
        await counts_agree(installation, but=BY_PAGE)
        assert await sums_of(installation, BECOMES) == sums
        steps += (await installation.rows(STEP))[0]
    assert steps == sorted(steps)
    assert set(steps) - {0, last_step}, f"no kill came in the middle: {steps}"
    with installation.serving() as server:
        await load.settle(server.port)
        async with load.on(server.port, browsers=2):
            await step_reached(installation, last_step)
        await load.settle(server.port)
        assert await followed(server.port, links) == [JOINED[load.shared_pages[link]] for link in links]
        assert server.end().status == 0
    await all_joined(installation, load)
    assert await sums_of(installation, {}) == sums
    assert await size(installation, load) == before
    checked = installation.run("doctor")
    assert checked.status == 0, checked


async def store_as_before(installation: Installation) -> int:
    """Deletes the first days of the world as retention does, and gives pages the addresses that an older version gave
    them. Returns the last step of the job that joins them."""
    store = (
        PostgresStore(installation.url)
        if isinstance(installation, PostgresInstallation)
        else SQLiteStore(installation.database)
    )
    await store.open()
    try:
        await retention_job(store, FIRST_DAY + 2).run()
        last_step = len(PageJoinJob(store, Leases(store.leases, system_clock, "a"), system_clock).steps)
    finally:
        await store.close()
    await installation.change(
        "UPDATE versions SET version = 0 WHERE name = 'page_joins'", "DELETE FROM leases", *renaming()
    )
    return last_step


async def step_reached(installation: Installation, least: int) -> None:
    """Waits until the job has come so far."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (await installation.rows(STEP))[0] < (least,):  # noqa: ASYNC110  # no process tells another one of it
            await asyncio.sleep(0.01)


def renaming() -> Iterator[str]:
    """Statements that give pages their old addresses."""
    yield KEEP_SHARES
    for old in OLD:
        if old.stored != old.reported:
            was, new = page_id(SITE, old.reported), page_id(SITE, old.stored)
            for table in NAMING:
                yield f"UPDATE {table} SET page_id = {new} WHERE page_id = {was}"  # numbers of ours
            cell = ids.hashed_cell(new)
            yield f"UPDATE pages SET page_id = {new}, cell = {cell}, url = '{old.stored}' WHERE page_id = {was}"


async def sums_of(installation: Installation, becomes: Mapping[int, int]) -> dict[str, dict[Row, Counter[int]]]:
    """Returns the counts of the world's pages, of which the load visits none, by what they are of: the sums of all
    cells, and of the pages that become one."""
    found: dict[str, dict[Row, Counter[int]]] = {}
    for table in COUNTING:
        width, sums = len(table.key), dict[Row, Counter[int]]()
        for row in await installation.rows(f"SELECT * FROM {table.name}"):
            page = becomes.get(row[table.page], row[table.page])
            if page in GROWN_IDS:
                key = (*row[: table.page], page, *row[table.page + 1 : width - 1])
                sums.setdefault(key, Counter()).update(dict(enumerate(row[width:])))
        found[table.name] = sums
    return found


async def size(installation: Installation, load: WidgetLoad) -> Row:
    """Returns how many visits, views and reported shares are stored that the load has not made."""
    ((visits, views),) = await installation.rows("SELECT count(*), sum(views) FROM visits")
    ((shares,),) = await installation.rows("SELECT count(*) FROM shares WHERE reported_at IS NOT NULL")
    more = sum(len(nonces) for nonces in load.views.values())
    return visits - len(load.visits), views - len(load.visits) - more, shares - len(load.reported)


async def followed(port: int, tokens: Iterable[str]) -> list[str]:
    """Returns the addresses to which short links lead, without their fragments."""
    async with connected(port) as connection:
        answers = [await connection.ask("GET", f"/s/{token}") for token in tokens]
    assert {answer.status for answer in answers} == {302}
    return [answer.headers["location"].partition("#")[0] for answer in answers]


async def all_joined(installation: Installation, load: WidgetLoad) -> None:
    """Checks that no row names a page that is joined, that each visit and share of the load has its page, and that
    nothing is counted twice."""
    await counts_agree(installation)
    await holds_in(installation, load)
    for table in ("pages", *NAMING):
        pages = {page for (page,) in await installation.rows(f"SELECT DISTINCT page_id FROM {table}")}
        assert not pages & (BECOMES.keys() - BECOMES.values()), table
    assert await installation.rows("SELECT * FROM page_joins") == []
    page_of = dict(await installation.rows("SELECT visit_id, page_id FROM visits"))
    for visit, url in load.first_pages.items():
        assert page_of[ids.visit_number(visit)] == page_id(SITE, JOINED[url])
