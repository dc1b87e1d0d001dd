"""The cost of exports: bounded memory, no connection or lock held between pages, and pages read along an index."""

from __future__ import annotations

import io
import re
import sqlite3
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import asyncpg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from grapevine.domain import ids
from grapevine.exports import TABLES, ExportRequest, make_encoder, stream
from grapevine.exports.parquet import Parquet
from grapevine.store import sql_loader
from grapevine.store.postgres.store import PostgresStore
from grapevine.store.readers.exports import (
    ANSWERS,
    CASCADES,
    CONVERSIONS,
    MAX_BATCH,
    SHARES,
    UNFURLS,
    VISITS,
    ExportRange,
    KeysetScan,
)
from grapevine.store.sqlite.store import READERS
from tests.store.databases import Databases, Plant, PostgresDatabase, PostgresDatabases
from tests.store.world import FIRST_DAY, SITE, World, grow, site_of
from tests.support.backends import Backend

pytestmark = pytest.mark.anyio

SEED = 4
MANY = 20_000
FEW = MANY // 10


@pytest.fixture(scope="module")
def world() -> World:
    return grow(SEED)


@pytest.fixture
async def plenty(databases: Databases) -> AsyncIterator[Backend]:
    """One visit and share a second for ten days of 2,000."""
    async with databases.holding() as made:
        keys = [
            (SITE, ids.pack(FIRST_DAY + number // FEW, number % ids.CELLS, number), number % ids.CELLS)
            for number in range(MANY)
        ]
        at = [ids.day_start(FIRST_DAY + number // FEW) + number % FEW * 1_000 for number in range(MANY)]
        await made.insert(
            "visits",
            (
                (
                    *key,
                    0,
                    at[number],
                    2,
                    7,
                    9,
                    1,
                    None,
                    None,
                    None,
                    None,
                    None,
                    None,
                    None,
                    0,
                    0,
                    None,
                    None,
                    None,
                    None,
                )
                for number, key in enumerate(keys)
            ),
        )
        await made.insert(
            "shares",
            ((*key, 7, 0, 7, at[number], at[number], None, 0, 0, None, 1, None) for number, key in enumerate(keys)),
        )
        await made.insert("pages", [(SITE, 7, 7, FIRST_DAY, "https://example.org/" + "p" * 200, "t" * 100)])
        opened = made.store()
        await opened.open()
        yield opened
        await opened.close()


@pytest.mark.parametrize(("table", "format_name"), [("visits", "ndjson"), ("shares", "csv")])
async def test_ten_times_the_rows_take_the_same_memory(
    plenty: Backend, world: World, table: str, format_name: str
) -> None:
    days = [ExportRange.of(SITE, ids.day_date(FIRST_DAY), ids.day_date(FIRST_DAY + last)) for last in (0, 0, 9)]
    tracemalloc.start()
    try:
        found = []
        for span in days:  # the first fills caches
            tracemalloc.clear_traces()
            before = tracemalloc.get_traced_memory()[0]
            asked, made_by = (
                ExportRequest(plenty, site_of(world), span, batch_size=250),
                make_encoder(format_name, TABLES[table].columns),
            )
            size = 0
            async with aclosing(stream(table, asked, made_by)) as pieces:
                async for piece in pieces:
                    size += len(piece)
            found.append((size, tracemalloc.get_traced_memory()[1] - before))
    finally:
        tracemalloc.stop()
    _, (few, small), (many, large) = found
    assert many > 9 * few > 9 * 400_000
    assert large < small * 1.3 < 3_000_000, found


async def test_a_parquet_file_holds_one_row_group_at_most(plenty: Backend, world: World) -> None:
    columns = TABLES["visits"].columns
    most = []
    for last in (0, 9):
        span = ExportRange.of(SITE, ids.day_date(FIRST_DAY), ids.day_date(FIRST_DAY + last))
        before = pa.total_allocated_bytes()
        asked = ExportRequest(plenty, site_of(world), span, batch_size=250)
        file = b""
        held = 0
        async with aclosing(stream("visits", asked, Parquet(columns, row_group=500))) as pieces:
            async for piece in pieces:
                file += piece
                held = max(held, pa.total_allocated_bytes() - before)
        most.append(held)
        groups = pq.ParquetFile(io.BytesIO(file)).metadata
        assert groups.num_rows == FEW * (last + 1)
        assert [groups.row_group(number).num_rows for number in range(groups.num_row_groups)] == [500] * 4 * (last + 1)
    assert most[1] < 2 * most[0] + 500_000, most


async def test_a_slow_reader_holds_no_connection_of_the_store(plenty: Backend, world: World) -> None:
    asked = ExportRequest(plenty, site_of(world), ExportRange.of(SITE, None, None), batch_size=500)
    async with aclosing(stream("visits", asked, make_encoder("csv", TABLES["visits"].columns))) as pieces:
        await anext(pieces)
        if isinstance(plenty, PostgresStore):
            readers = plenty._readers  # noqa: SLF001
            assert readers
            assert readers.get_idle_size() == readers.get_size() > 0
        else:
            assert plenty._readers.qsize() == READERS  # noqa: SLF001
            with sqlite3.connect(plenty.path) as other:
                ((busy, *_),) = other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            other.close()
            assert busy == 0
        assert await plenty.writable()
        rest = [piece async for piece in pieces]
    assert b"".join(rest).count(b"\r\n") > MANY - 1_000


def test_sqlite_walks_along_a_key_and_sorts_nothing(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "plans.sqlite3")
    for migration in sql_loader.migrations():
        database.executescript(sql_loader.for_dialect("sqlite", migration.text))
    plans = {}
    for query in sql_loader.queries().values():
        if query.name.startswith("export_"):
            text, names = sql_loader.for_sqlite(query, count=2)
            values = [1] * (len(names) + 2 * len(query.columns))
            plans[query.name] = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {text}", values)]
    database.close()
    assert len(plans) > 5
    for name, steps in plans.items():
        assert not [step for step in steps if "TEMP B-TREE" in step or step.endswith("(site_id=?)")], (name, steps)
        assert any(step.startswith("SEARCH") for step in steps), (name, steps)


@pytest.mark.parametrize("walk", [VISITS, SHARES, UNFURLS, CONVERSIONS, ANSWERS, CASCADES], ids=lambda walk: walk.query)
async def test_postgres_walks_along_an_index_whatever_it_knows_of_the_values(
    packaged_databases: PostgresDatabases, walk: KeysetScan[Any]
) -> None:
    """Else each page would read all following rows: without values, the planner takes two bounds for a narrow range."""
    async with packaged_databases.holding(Plant(SEED, size=1_000)) as database:
        query = sql_loader.queries()[walk.query]
        assert f"LIMIT {MAX_BATCH}" in query.text
        text, names = sql_loader.for_postgres(query)
        assert isinstance(database, PostgresDatabase)
        connection = await asyncpg.connect(database.url)
        try:
            await connection.execute("ANALYZE")
            for setting in ("enable_seqscan = off", "jit = off", "plan_cache_mode = force_generic_plan"):
                await connection.execute(f"SET {setting}")
            await connection.execute(f"PREPARE asked AS {text.replace(str(MAX_BATCH), '5')}")
            nothing = ", ".join(["NULL"] * len(names))
            plan = [line[0] for line in await connection.fetch(f"EXPLAIN EXECUTE asked({nothing})")]
        finally:
            await connection.close()
    assert not [step for step in plan if "Bitmap" in step or re.search(r"(?<!Incremental )Sort  ", step)], plan
