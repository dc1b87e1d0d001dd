"""Pages that were stored under several addresses and are one page are joined, and every number agrees afterwards."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import pytest

from grapevine.background.leases import Leases
from grapevine.domain import ids
from grapevine.domain.urls import page_id
from grapevine.store.base import Store
from grapevine.store.repositories.page_joins import COUNTING
from grapevine.writer.page_join_job import PageJoinJob
from tests.store.databases import Databases
from tests.store.doctor.damaged_worlds import OTHER, DamageableWorld, planted
from tests.store.world import DAYS, FIRST_DAY, PAGES, SITE
from tests.store.writer.test_retention import at_once, opened, retention_job
from tests.support.differences import Differences

pytestmark = pytest.mark.anyio

POINTING: Final = ("visits", "shares", "kept_shares", "cascades")
KEYS: Final = {table.name: len(table.key) for table in COUNTING}
RENAMED: Final = PAGES[1:]
"""Not the home page, whose address has no letter to escape."""

KEEP_SHARES: Final = (
    "INSERT INTO kept_shares SELECT site_id, visit_id, cell, channel, n, page_id, NULL FROM shares "
    "WHERE page_id IS NOT NULL"
)
"""Adds shares of the rows that stay as if they had outlived their visits, since no link of the world was followed."""

NOW: Final = ids.day_start(FIRST_DAY + DAYS)
Tables = dict[str, list[tuple[Any, ...]]]


class Interrupted(Exception):
    """The process is killed here."""


def page_join_job(
    store: Store, holder: str = "a", pause: Callable[[float], Awaitable[object]] = at_once, now: int = NOW
) -> PageJoinJob:
    return PageJoinJob(store, Leases(store.leases, lambda: now, holder), lambda: now, pause)


def spelled(url: str, letter: int) -> str:
    """Another spelling of a page: the letter so far from its end is escaped."""
    at = len(url) - 1 - letter
    return f"{url[:at]}%{ord(url[at]):02x}{url[at + 1 :]}"


async def rename(filled: DamageableWorld, before: str, after: str) -> None:
    """Stores the rows of a page as if it had another address."""
    for site in (SITE, OTHER):
        old, new = page_id(site, before), page_id(site, after)
        for table in (*POINTING, *KEYS, "spikes"):
            await filled.change(f"UPDATE {table} SET page_id = ? WHERE site_id = ? AND page_id = ?", new, site, old)
        await filled.change(
            "UPDATE pages SET page_id = ?, cell = ?, url = ? WHERE site_id = ? AND page_id = ?",
            new, ids.hashed_cell(new), after, site, old,
        )  # fmt: skip


async def tables_of(filled: DamageableWorld, joined: dict[int, int] | None = None) -> Tables:
    """Returns all rows that name pages, sorted; with ``joined``, with those pages as others and their counts added."""
    found: Tables = {}
    for table, select in {
        "visits": "site_id, visit_id, page_id", "shares": "site_id, visit_id, channel, n, page_id",
        "kept_shares": "site_id, visit_id, channel, n, page_id", "cascades": "site_id, root_id, page_id",
        "spikes": "site_id, page_id, started_at, last_at, returns, peak", "page_joins": "site_id, page_id",
        "pages": "site_id, page_id, cell, day, url", **dict.fromkeys(KEYS, "*"),
    }.items():  # fmt: skip
        rows = await filled.rows(f"SELECT {select} FROM {table}")
        rows = [tuple((joined or {}).get(value, value) if _is_id(value) else value for value in row) for row in rows]
        if table in KEYS:
            sums: dict[tuple[Any, ...], Counter[int]] = {}
            for row in rows:
                sums.setdefault(row[: KEYS[table]], Counter()).update(dict(enumerate(row[KEYS[table] :])))
            rows = [(*key, *counts.values()) for key, counts in sums.items()]
        found[table] = sorted(rows, key=repr)
    return found


def _is_id(value: object) -> bool:
    return isinstance(value, int) and abs(value) > 1_000_000


@asynccontextmanager
async def world(databases: Databases, *, retained: bool) -> AsyncIterator[tuple[DamageableWorld, Store]]:
    async with planted(databases, 1) as filled, opened(filled) as store:
        if retained:
            await retention_job(store, FIRST_DAY + 2).run()
            await filled.change(KEEP_SHARES)
        for site in (SITE, OTHER):
            for number, url in enumerate(RENAMED):
                row = (site, page_id(site, url), NOW, NOW + number, 5, 1.5, 7)
                await filled.change("INSERT INTO spikes VALUES (?, ?, ?, ?, ?, ?, ?)", *row)
        yield filled, store


@pytest.mark.parametrize("retained", [False, True])
async def test_a_page_in_another_spelling_becomes_itself(databases: Databases, retained: bool) -> None:
    async with world(databases, retained=retained) as (filled, store):
        before = await tables_of(filled)
        for number, url in enumerate(RENAMED):
            await rename(filled, url, spelled(url, number % 2))
        assert await tables_of(filled) != before
        assert await page_join_job(store).run()
        assert await tables_of(filled) == before
        assert await filled.recount() == {}


@pytest.mark.parametrize("retained", [False, True])
async def test_pages_that_are_one_are_added_up(databases: Databases, retained: bool) -> None:
    """Two pages of each site become the spellings of a third one, which is stored, or is not."""
    differences = Differences()
    for kept in (True, False):
        async with world(databases, retained=retained) as (filled, store):
            one, two, three = RENAMED
            joined = {page_id(site, url): page_id(site, one) for site in (SITE, OTHER) for url in (two, three)}
            expected = await tables_of(filled, joined)
            expected["pages"] = [row for row in await page_rows(filled) if row[4] not in (two, three)]
            expected["spikes"] = [row for row in expected["spikes"] if row[1] not in joined.values()]
            expected["spikes"] += [(site, page_id(site, one), NOW, NOW + 2, 15, 21) for site in (SITE, OTHER)]
            expected["spikes"].sort(key=repr)
            await rename(filled, two, spelled(one, 0))
            await rename(filled, three, spelled(one, 1))
            if not kept:
                await rename(filled, one, spelled(spelled(one, 1), 0))
            assert await page_join_job(store).run()
            with differences.case(kept):
                assert await tables_of(filled) == expected
                assert await filled.recount() == {}
    differences.check(2)


async def test_addresses_that_shares_have_of_their_own_become_themselves(databases: Databases) -> None:
    """Shares beyond the bound of pages keep an address, which no page has."""
    async with world(databases, retained=True) as (filled, store):
        await rename(filled, RENAMED[0], spelled(RENAMED[0], 0))
        own, names_page = "https://example.org/beyond", "page_id IS NOT NULL"
        numbers = {}
        for table in ("shares", "kept_shares"):
            numbers[table] = await filled.change(f"UPDATE {table} SET url = ? WHERE {names_page}", spelled(own, 0))
            await filled.change(f"UPDATE {table} SET url = ? WHERE {names_page} AND channel = 1", own)
        assert all(numbers.values())
        assert await page_join_job(store).run()
        for table, number in numbers.items():
            assert await filled.rows(f"SELECT url, count(*) FROM {table} WHERE {names_page} GROUP BY url") == [
                (own, number)
            ]
            assert await filled.rows(f"SELECT url FROM {table} WHERE NOT {names_page} AND url IS NOT NULL") == []
        assert await filled.recount() == {}


async def page_rows(filled: DamageableWorld) -> list[tuple[Any, ...]]:
    return sorted(await filled.rows("SELECT site_id, page_id, cell, day, url FROM pages"), key=repr)


async def test_an_interrupted_job_goes_on(databases: Databases) -> None:
    async with world(databases, retained=True) as (filled, store):
        before = await tables_of(filled)
        for url in RENAMED:
            await rename(filled, url, spelled(url, 0))
        left = runs = 0

        async def killed_soon(_: float) -> None:
            nonlocal left
            left -= 1
            if not left:
                raise Interrupted

        finished = False
        while not finished:
            runs += 1
            left = runs % 4 + 1
            with suppress(Interrupted):
                finished = await page_join_job(store, pause=killed_soon).run()
        assert runs > 5
        assert await tables_of(filled) == before
        assert await filled.recount() == {}


async def test_both_pages_are_resolved_until_the_end(databases: Databases) -> None:
    """Whatever names a page finds its address while the job runs; nothing is done twice."""
    async with world(databases, retained=False) as (filled, store):
        for url in RENAMED:
            await rename(filled, url, spelled(url, 0))
        orphans = 0

        async def look(_: float) -> None:
            nonlocal orphans
            found = await filled.rows(
                "SELECT count(*) FROM visits v WHERE NOT EXISTS "
                "(SELECT 1 FROM pages p WHERE p.site_id = v.site_id AND p.page_id = v.page_id)"
            )
            orphans += found[0][0]

        assert await page_join_job(store, pause=look).run()
        assert orphans == 0
        assert await page_join_job(store, pause=look).run(), "nothing is left to be done"


async def test_an_erasure_meanwhile_takes_no_page_away(databases: Databases) -> None:
    """The page that others become may be deleted while nothing names it yet."""
    async with world(databases, retained=False) as (filled, store):
        url = RENAMED[0]
        await rename(filled, url, spelled(url, 0))

        async def delete(_: float) -> None:
            if await store.page_joins.step() == 1:
                await filled.change("DELETE FROM pages WHERE url = ?", url)

        assert await page_join_job(store, pause=delete).run()
        assert {row[0] for row in await filled.rows("SELECT url FROM pages")} >= {url}


async def test_another_process_has_the_lease(databases: Databases) -> None:
    async with world(databases, retained=False) as (filled, store):
        await rename(filled, RENAMED[0], spelled(RENAMED[0], 0))
        other = Leases(store.leases, lambda: NOW, "other")
        assert await other.acquire("page joins")
        assert await page_join_job(store).run() is not store.shared
        await other.release("page joins")
        assert await page_join_job(store).run()
        assert await filled.rows("SELECT * FROM page_joins") == []
