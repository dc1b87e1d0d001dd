"""A copy of a store is complete: every value of every table, on every pair of backends."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from grapevine.analytics.breakdown import breakdown_by
from grapevine.analytics.cascades import list_cascades
from grapevine.analytics.metrics import Filters
from grapevine.analytics.series import metric_series
from grapevine.analytics.summary import period_summary
from grapevine.domain import ids
from grapevine.domain.periods import Period
from grapevine.store.copy.schema import all_tables, copied_tables
from grapevine.store.factory import snapshot
from grapevine.store.repositories.consistency import COMPARISONS, Recount
from grapevine.store.schema_version import newest_version
from tests.store.copy.copies import NOW, WORLDS, RecordedProgress, copied, everything, opens, pair, strew
from tests.store.databases import Database, Databases, PostgresDatabase, SQLiteFile
from tests.store.world import FIRST_DAY, PAGES, grow, site_of
from tests.support.postgres import Postgres

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("small_pages")]


async def test_every_table_and_column_is_known(sqlite_databases: Databases, postgres_databases: Databases) -> None:
    known = {table.name: set(table.names) for table in all_tables()}
    keys = {table.name: [column.name for column in table.key] for table in all_tables()}
    async with sqlite_databases.holding() as file:
        found = await file.rows(
            "SELECT t.name, c.name FROM pragma_table_list AS t, pragma_table_xinfo(t.name) AS c"
            " WHERE t.schema = 'main' AND t.type = 'table' AND t.name NOT LIKE 'sqlite%' AND c.hidden = 0"
        )
    assert grouped(found) == known
    async with postgres_databases.holding() as database:
        found = await database.rows(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = current_schema() AND is_generated = 'NEVER'"
        )
        key_columns = await database.rows(
            "SELECT table_name, column_name FROM information_schema.key_column_usage"
            " WHERE table_schema = current_schema() ORDER BY table_name, ordinal_position"
        )
    assert grouped(found) == known
    assert {name: [column for table, column in key_columns if table == name] for name in keys} == keys
    assert {table.name for table in copied_tables()} == known.keys() - {
        "key_processes",
        "leases",
        "live_batches",
        "live_lanes",
        "live_watches",
        "readiness",
        "versions",
    }


def grouped(pairs: list[tuple[Any, ...]]) -> dict[str, set[str]]:
    return {table: {column for other, column in pairs if other == table} for table, _ in pairs}


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow)])
async def test_every_value_of_every_table(ways: tuple[Databases, Databases], seed: int) -> None:
    async with pair(ways) as (source, target):
        await strew(source, seed)
        await source.change("UPDATE versions SET version = 41 WHERE name = 'sites'")
        await source.change("UPDATE versions SET version = 3 WHERE name = 'page_joins'")
        await target.change(
            "UPDATE versions SET version = 11 WHERE name = 'page_joins'"
        )  # a server ran while it was empty
        await source.change("INSERT INTO leases (name, holder, expires_at) VALUES ('slot 3', 'gone', ?)", NOW - 1)
        before = await everything(source)
        watched = RecordedProgress()
        done = await copied(source.settings.database, target.settings.database, watched)
        assert (done.verified, done.differing, done.differences) == (True, 0, [])
        assert done.rows == sum(map(len, before.values())) == watched.rows / 2
        assert {table.table: table.rows for table in done.tables} == dict.fromkeys(before, 70)
        assert [name for phase, name in watched.heard if phase == "compare"] == [t.name for t in copied_tables()]
        assert await everything(target) == before == await everything(source)
        assert await target.rows("SELECT count(*) FROM leases") == [(0,)]
        assert await target.rows("SELECT version FROM versions WHERE name = 'sites'") == [(43,)]
        assert await target.rows("SELECT version FROM versions WHERE name = 'page_joins'") == [(3,)]
        schema = await target.rows("SELECT version FROM versions WHERE name = 'schema'")
        assert schema == ([(newest_version(),)] if isinstance(target, PostgresDatabase) else [])
        await opens(target)


async def test_the_order_of_text_does_not_depend_on_a_language(
    sqlite_databases: Databases, postgres_server: Postgres, tmp_path: Path
) -> None:
    known = postgres_server.sql(
        "SELECT collname FROM pg_collation WHERE collprovider = 'c' AND pg_encoding_to_char(collencoding) = 'UTF8' "
        "AND collname NOT LIKE 'C.%' ORDER BY collname"
    )
    locale = (known.split() or ["C"])[0]  # the C of a machine that knows no language
    name = f"grapevine_language_{os.getpid()}"
    postgres_server.sql(f"CREATE DATABASE {name} TEMPLATE template0 LOCALE '{locale}'")
    try:
        url = postgres_server.url(name)
        async with sqlite_databases.holding() as source:
            await strew(source, 3, 300)
            before = await everything(source)
            assert (await copied(source.settings.database, url)).verified
        assert (await copied(url, f"sqlite:///{tmp_path}/back.sqlite3")).verified
        assert await everything(SQLiteFile(tmp_path / "back.sqlite3")) == before
    finally:
        postgres_server.drop(name)


async def test_there_and_back_into_a_file_that_was_not_there(away: tuple[Databases, Databases], tmp_path: Path) -> None:
    async with pair(away, *WORLDS) as (source, target):
        said = await answers(source)  # which stores the shapes of cascades, with numbers that have fractions
        before = await everything(source)
        back = SQLiteFile(tmp_path / "folder" / "back.sqlite3")
        assert (await copied(source.settings.database, target.settings.database)).verified
        assert await recounted(target) == []
        assert await answers(target) == said
        assert (await copied(target.settings.database, back.settings.database)).verified
        assert await everything(back) == before
        assert await recounted(back) == []
        assert await answers(back) == said


async def recounted(database: Database) -> list[str]:
    """Returns the names of the consistency comparisons that find a difference."""
    async with snapshot(database.settings) as moment:
        recount = Recount(moment)
        found = {name: await recount.compare(name, None, 10) for name in COMPARISONS}
    return [name for name, one in found.items() if one.differing]


async def answers(database: Database) -> bytes:
    """Returns the summaries, breakdowns, series and cascades of a world as JSON."""
    site, period = site_of(grow(1)), Period(ids.day_date(FIRST_DAY - 1), ids.day_date(FIRST_DAY + 7))
    store = database.store()
    await store.open()
    try:
        said: list[Any] = [await period_summary(store.reads, site, period)]
        said += [await period_summary(store.reads, site, period, Filters(page=PAGES[1], channel="copy"))]
        said += [await breakdown_by(store.reads, site, by, period) for by in ("channel", "page", "depth", "app")]
        said += [await metric_series(store.reads, site, "visits", "day", period)]
        said += [await list_cascades(store, site, NOW, "virality")]
    finally:
        await store.close()
    return msgspec.json.encode(said)


async def test_an_empty_store(ways: tuple[Databases, Databases]) -> None:
    async with pair(ways) as (source, target):
        done = await copied(source.settings.database, target.settings.database)
        assert (done.verified, done.rows) == (True, 0)
        await opens(target)


async def test_a_server_may_go_on_writing_to_the_source(ways: tuple[Databases, Databases]) -> None:
    async with pair(ways, *WORLDS) as (source, target):
        before = await everything(source)
        written: list[asyncio.Task[int]] = []

        def write(rows: int) -> None:
            if rows < 40:
                change = "UPDATE visits SET next_view = next_view + 1"
                written.append(asyncio.create_task(source.change(change)))

        assert (await copied(source.settings.database, target.settings.database, RecordedProgress(write))).verified
        assert all(await asyncio.gather(*written))
        assert await everything(target) == before != await everything(source)
