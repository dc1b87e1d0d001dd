"""The deletion of a site on both backends: nothing of it is left, nothing of another is touched, and it can go on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest

from grapevine.background.cleanup import tidy
from grapevine.sites.deletion import SWEPT_DAYS, SiteDeletion
from grapevine.sites.management import add_site
from grapevine.store.copy.schema import CopiedTable, all_tables
from grapevine.store.factory import snapshot
from grapevine.store.repositories.consistency import COMPARISONS, Recount
from grapevine.store.repositories.site_deletion import AT_ONCE, EMPTIED
from grapevine.store.rows import SiteRow
from tests.store.databases import Database, Databases, Plant
from tests.store.world import SITE
from tests.support.backends import Backend

pytestmark = pytest.mark.anyio

OTHER: Final = SITE + 1
NOW: Final = 1_790_000_000_000
DAY_MS: Final = 86_400_000
KEPT: Final = ("deleted_sites", "link_words")
"""What a deletion leaves: the number of the site, and its words, which no other site gets for 90 days."""
NAMES_SITE: Final = {table.name: table for table in all_tables() if {"site_id", "cell"} & set(table.names)}


class Killed(Exception):
    """The process ends here."""


async def no_pause(_: float) -> None:
    """Rests for no time."""


def site(number: int) -> SiteRow:
    return SiteRow(
        site_id=number, key=f"site-{number}", name=f"Site {number}", salt=f"{number:032x}", param="gv", place="auto",
        query="*", created_at=NOW, origins=(f"https://{number}.example",),
    )  # fmt: skip


@asynccontextmanager
async def two_sites(databases: Databases) -> AsyncIterator[tuple[Database, Backend]]:
    """Two sites with a world each, and a row of each in every table."""
    async with databases.holding(Plant(1), Plant(2, OTHER)) as database:
        store = database.store()
        await store.open()
        try:
            for number in (SITE, OTHER):
                await store.sites.add_site(site(number))
                for table in NAMES_SITE.values():
                    if table.name not in ("sites", "deleted_sites") and not await rows(database, table.name, number):
                        await database.insert(table.name, [any_row(table, number)])
                await database.insert("sessions", [(f"hash-{number}", str(number), NOW + 1)])
            yield database, store
        finally:
            await store.close()


def any_row(table: CopiedTable, number: int) -> tuple[Any, ...]:
    """A row of a table that names a site; in every other column a value that fits."""
    texts = {"url": "https://x.example", "error": None, "reason": None}
    numbers = {"site_id": number, "word_key": number, "freed_at": None}
    return tuple(
        numbers.get(column.name, 1) if column.kind != "TEXT" else texts.get(column.name, str(number))
        for column in table.columns
    )


async def rows(database: Database, table: str, number: int) -> list[tuple[Any, ...]]:
    return sorted(await database.rows(f"SELECT * FROM {table} WHERE site_id = {number}"), key=repr)


async def left(database: Database, number: int) -> dict[str, int]:
    """How many rows name a site, by table."""
    found = {name: len(await rows(database, name, number)) for name in NAMES_SITE}
    return {name: count for name, count in found.items() if count}


def test_every_table_that_names_a_site_is_emptied() -> None:
    """A table that is new here belongs in ``EMPTIED``, with two queries in ``site_deletion.sql``."""
    assert set(EMPTIED) == NAMES_SITE.keys() - {"sites", "deleted_sites"}
    assert len(set(EMPTIED)) == len(EMPTIED)


async def test_the_database_has_no_other_table_that_names_a_site(database: Database) -> None:
    if "sqlite" in database.settings.database:
        found = await database.rows(
            "SELECT DISTINCT t.name FROM sqlite_schema t, pragma_table_xinfo(t.name) c "
            "WHERE t.type = 'table' AND c.name IN ('site_id', 'cell')"
        )
    else:
        found = await database.rows(
            "SELECT DISTINCT table_name::text FROM information_schema.columns "
            "WHERE table_schema = current_schema() AND column_name IN ('site_id', 'cell')"
        )
    assert {name for (name,) in found} == set(EMPTIED) | {"sites", "deleted_sites"}


async def test_nothing_of_it_is_left_and_nothing_else_is_touched(databases: Databases) -> None:
    async with two_sites(databases) as (database, store):
        before = {name: await rows(database, name, OTHER) for name in NAMES_SITE}
        there = await left(database, SITE)
        assert there.keys() == NAMES_SITE.keys() - {"deleted_sites"}
        assert there["visits"] > 2 * 50
        steps: list[int] = []
        deleted = await SiteDeletion(store, lambda: NOW, no_pause, steps.append).run(SITE)
        assert await left(database, SITE) == dict.fromkeys(KEPT, 1)
        assert await rows(database, "link_words", SITE) == [(SITE, 1, SITE, None, NOW)]
        assert {name: await rows(database, name, OTHER) for name in NAMES_SITE} == before
        # Keys go with the first step, so that nobody gets in any more.
        at_once = ("sites", "api_keys", "key_sites")
        assert deleted == {name: number for name, number in there.items() if name not in at_once}
        assert sum(steps) == sum(deleted.values())
        assert max(steps) <= AT_ONCE
        assert await database.rows("SELECT hash FROM sessions") == [(f"hash-{OTHER}",)]
        assert [row.site_id for row in await store.sites.sites()] == [OTHER]
        assert await store.site_deletion.unfinished() == []
        assert await SiteDeletion(store, lambda: NOW, no_pause).run(SITE) == {}


async def test_the_numbers_of_the_others_agree(databases: Databases) -> None:
    async with databases.holding(Plant(1), Plant(2, OTHER)) as database:
        store = database.store()
        await store.open()
        await SiteDeletion(store, lambda: NOW, no_pause).run(SITE)
        await store.close()
        async with snapshot(database.settings) as moment:
            for name in COMPARISONS:
                assert (await Recount(moment).compare(name, None, 5)).differing == 0, name


async def test_after_a_kill_it_goes_on(databases: Databases) -> None:
    async with two_sites(databases) as (database, store):
        before = sum((await left(database, SITE)).values())
        for steps in (0, 1, 5, 20):
            todo = iter(range(steps))

            async def pause(_: float, todo: Any = todo) -> None:
                if next(todo, None) is None:
                    raise Killed

            with pytest.raises(Killed):
                await SiteDeletion(store, lambda: NOW, pause).run(SITE)
            now = sum((await left(database, SITE)).values())
            assert 0 < now < before
            before = now
            assert [row.site_id for row in await store.sites.sites()] == [OTHER]
            assert await store.site_deletion.unfinished() == [(SITE, f"site-{SITE}", f"Site {SITE}")]
            assert await store.api_keys.keys(SITE) == []
        await SiteDeletion(store, lambda: NOW + 1, no_pause).run(SITE)
        assert await left(database, SITE) == dict.fromkeys(KEPT, 1)
        assert await rows(database, "deleted_sites", SITE) == [(SITE, NOW, 0)]


async def test_rows_that_come_meanwhile_go_too(databases: Databases) -> None:
    """A server that did not know yet stores visits while the deletion is at work."""
    async with two_sites(databases) as (database, store):
        late = iter(range(30))

        async def pause(_: float) -> None:
            number = next(late, None)
            if number is not None:
                await database.insert("counts_shared", [(SITE, 10_000 + number, 1, 1, 1)])

        await SiteDeletion(store, lambda: NOW, pause).run(SITE)
        assert await left(database, SITE) == dict.fromkeys(KEPT, 1)


async def test_its_number_is_not_used_again(databases: Databases) -> None:
    async with databases.holding() as database:
        store = database.store()
        await store.open()
        first = await add_site(store, "Lees", ["https://a.example"], NOW)
        await SiteDeletion(store, lambda: NOW, no_pause).run(first.row.site_id)
        second = await add_site(store, "Lees", ["https://a.example"], NOW)
        assert (first.row.site_id, second.row.site_id) == (1, 2)
        await store.close()


async def test_servers_sweep_what_came_after_the_end(databases: Databases) -> None:
    async with two_sites(databases) as (database, store):
        await SiteDeletion(store, lambda: NOW, no_pause).run(SITE)
        for now, count in ((NOW + SWEPT_DAYS * DAY_MS - 1, 0), (NOW + SWEPT_DAYS * DAY_MS, 1)):
            await database.insert("counts_shared", [(SITE, 10_000, 1, 1, 1)])
            await tidy(store, now)
            assert len(await rows(database, "counts_shared", SITE)) == count


async def test_how_much_there_is(databases: Databases) -> None:
    async with two_sites(databases) as (database, store):
        found = await store.site_deletion.amounts(OTHER)
        ((first, last, visits),) = await database.rows(
            f"SELECT min(day), max(day), sum(visits) FROM counts_day WHERE site_id = {OTHER} AND dimension = 1"
        )
        assert (found.first_day, found.last_day, found.visits) == (first, last, visits)
        for name in ("shares", "conversions"):
            ((counted,),) = await database.rows(f"SELECT sum({name}) FROM counts_hour WHERE site_id = {OTHER}")
            assert getattr(found, name) == counted > 0
        assert (found.answers, found.keys) == (1, 1)
        nothing = await store.site_deletion.amounts(99)
        assert nothing == (None, None, 0, 0, 0, 0, 0)
