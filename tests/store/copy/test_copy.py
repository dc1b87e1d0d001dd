"""Copies of a store: complete and verified, nothing left by an interrupted one, and refusals."""

from __future__ import annotations

import asyncio
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from grapevine.analytics.cascades import list_cascades
from grapevine.analytics.metrics import Filters
from grapevine.analytics.summary import breakdown_by, metric_series, period_summary
from grapevine.doctor import examine
from grapevine.domain import ids
from grapevine.domain.periods import Period
from grapevine.errors import GrapevineError, Interrupted, StoreError
from grapevine.store.copy import postgres as postgres_module
from grapevine.store.copy import sqlite as sqlite_module
from grapevine.store.copy.compare import SHOWN, Difference, compare
from grapevine.store.copy.copier import CopySummary, Phase, copy_store, endpoint
from grapevine.store.copy.schema import APART, CopiedTable, all_tables, copied_tables
from grapevine.store.factory import schema_version, snapshot
from grapevine.store.repositories.consistency import COMPARISONS, Recount
from grapevine.store.schema_version import UNFINISHED_COPY, newest_version
from tests.support.databases import Database, Databases, Plant, PostgresDatabase, SQLiteFile
from tests.support.postgres import Postgres
from tests.support.world import FIRST_DAY, PAGES, grow, site_of

pytestmark = pytest.mark.anyio

NOW: Final = 1_790_000_000_000
WORLDS: Final = (Plant(1), Plant(1, site_id=8))
TEXTS: Final = ("", "a", "B", "b", "ä", "Ω", "z\u0301", "𝄞", "a b", "a'b\"", "\n", "\uffff", "~", "é" * 300)


class RecordedProgress:
    """Records the progress of a copy, and calls ``each`` after each page."""

    def __init__(self, each: Callable[[int], None] = lambda _: None) -> None:
        self.heard: list[tuple[Phase, str]] = []
        self.rows = 0
        self._phase: Phase = "copy"
        self._each = each

    def phase(self, name: Phase, rows: int) -> None:
        assert rows >= 0
        self._phase = name

    def table(self, name: str, rows: int) -> None:
        assert rows >= 0
        self.heard.append((self._phase, name))

    def advance(self, rows: int) -> None:
        if rows:
            self.rows += rows
            self._each(self.rows)


async def copied(source: str, target: str, watched: RecordedProgress | None = None) -> CopySummary:
    async with endpoint(source) as one, endpoint(target) as other:
        return await copy_store(one, other, watched or RecordedProgress(), NOW)


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a table is many pages."""
    for module in (sqlite_module, postgres_module):
        monkeypatch.setattr(module, "PAGE", 20)


@pytest.fixture(params=["sqlite-postgres", "postgres-sqlite", "sqlite-sqlite", "postgres-postgres"])
def ways(request: pytest.FixtureRequest) -> tuple[Databases, Databases]:
    """What makes the source, and what the target."""
    source, target = (request.getfixturevalue(f"{kind}_databases") for kind in request.param.split("-"))
    return source, target


@pytest.fixture
def away(sqlite_databases: Databases, postgres_databases: Databases) -> tuple[Databases, Databases]:
    """From SQLite to PostgreSQL."""
    return sqlite_databases, postgres_databases


@asynccontextmanager
async def pair(ways: tuple[Databases, Databases], *plants: Plant) -> AsyncIterator[tuple[Database, Database]]:
    """A source that holds worlds, and an empty target."""
    async with ways[0].holding(*plants) as source, ways[1].holding() as target:
        yield source, target


async def contents(database: Database, table: CopiedTable) -> list[tuple[Any, ...]]:
    names = ", ".join(f'"{name}"' for name in table.names)
    return sorted(await database.rows(f"SELECT {names} FROM {table.name}"), key=repr)


async def everything(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    return {table.name: await contents(database, table) for table in all_tables() if table.name not in APART}


def strewn(table: CopiedTable, optional: set[str], chance: random.Random, size: int) -> Iterator[tuple[Any, ...]]:
    """Rows of random values, the largest and smallest among them, each with a key and unique values of its own."""
    bits = {"SMALLINT": 15, "INTEGER": 31, "BIGINT": 63}
    seen: set[Any] = set()
    for number in count():
        row: list[Any] = []
        for name, kind in table.columns:
            if name in optional and chance.random() < 0.3:
                row.append(None)
            elif kind == "TEXT":
                row.append(f"{chance.choice(TEXTS)}{number}{chance.choice(TEXTS)}")
            elif kind == "DOUBLE PRECISION":
                row.append(chance.choice((0.1, -1e308, 5e-324, chance.random(), float("inf"))))
            else:
                bound = 1 << bits[kind]
                small = chance.randint(-3, 3)
                row.append(chance.choice((-bound + (name == "next_view"), bound - 1, small, chance.randrange(bound))))
        if table.key_of(tuple(row)) not in seen:
            seen.add(table.key_of(tuple(row)))
            yield tuple(row)
        if len(seen) == size:
            return


async def strew(database: Database, seed: int, size: int = 70) -> None:
    """Fills every table with rows that mean nothing."""
    for table in all_tables():
        if isinstance(database, SQLiteFile):
            found = await database.rows(f"SELECT name FROM pragma_table_xinfo('{table.name}') WHERE NOT \"notnull\"")
        else:
            found = await database.rows(
                "SELECT column_name FROM information_schema.columns WHERE is_nullable = 'YES' AND table_name = ?",
                table.name,
            )
        if table.name not in APART:
            await database.insert(table.name, strewn(table, {name for (name,) in found}, random.Random(seed), size))  # noqa: S311


# What is copied -------------------------------------------------------------------------------------------------------


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
    assert {table.name for table in copied_tables()} == known.keys() - {"leases", "versions"}


def grouped(pairs: list[tuple[Any, ...]]) -> dict[str, set[str]]:
    return {table: {column for other, column in pairs if other == table} for table, _ in pairs}


@pytest.mark.parametrize("seed", [1, 2])
async def test_every_value_of_every_table(ways: tuple[Databases, Databases], seed: int) -> None:
    async with pair(ways) as (source, target):
        await strew(source, seed)
        await source.change("UPDATE versions SET version = 41 WHERE name = 'sites'")
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
        schema = await target.rows("SELECT version FROM versions WHERE name = 'schema'")
        assert schema == ([(newest_version(),)] if isinstance(target, PostgresDatabase) else [])
        await opens(target)


async def opens(database: Database) -> None:
    """It is a store like any other."""
    store = database.store()
    await store.open()
    try:
        assert await store.writable()
    finally:
        await store.close()


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
    """The comparisons of the recount that find something."""
    async with snapshot(database.settings) as moment:
        recount = Recount(moment)
        found = {name: await recount.compare(name, None, 10) for name in COMPARISONS}
    return [name for name, one in found.items() if one.differing]


async def answers(database: Database) -> bytes:
    """What is said of a world's numbers, shares and cascades."""
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


# Interruptions --------------------------------------------------------------------------------------------------------


async def is_unfinished(database: Database) -> None:
    """It holds no row, and nothing but another copy opens it."""
    assert not any((await everything(database)).values())
    assert await schema_version(database.settings) == UNFINISHED_COPY
    with pytest.raises(StoreError, match="is an unfinished copy: run the same grapevine copy again, which starts over"):
        await database.store().open()
    checks = [one async for one in examine(database.settings)]
    assert [one.fix for one in checks if one.check == "schema" and not one.ok] == [
        "Run the same grapevine copy again, which starts over; start no server before."
    ]


@pytest.mark.parametrize("after", [30, 700, 3_000])
async def test_a_copy_that_is_cancelled(ways: tuple[Databases, Databases], after: int) -> None:
    async with pair(ways, *WORLDS) as (source, target), ways[0].holding() as other:
        addresses = source.settings.database, target.settings.database
        reached = asyncio.Event()
        watched = RecordedProgress(lambda rows: reached.set() if rows > after else None)
        task = asyncio.create_task(copied(*addresses, watched))
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await is_unfinished(target)
        assert "is itself an unfinished copy" in await refused(addresses[1], other.settings.database)
        assert (await copied(*addresses)).verified
        assert await everything(target) == await everything(source)
        await opens(target)


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("after", [0, 1_000, 3_500])
async def test_a_connection_that_is_lost(
    packaged_databases: Databases, postgres_server: Postgres, which: int, after: int
) -> None:
    async with pair((packaged_databases, packaged_databases), *WORLDS) as (source, target):
        addresses = source.settings.database, target.settings.database
        lost = (source, target)[which]
        assert isinstance(lost, PostgresDatabase)

        def cut(rows: int) -> None:
            if rows > after:
                postgres_server.sql(
                    f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{lost.name}'"
                )

        with pytest.raises(Interrupted):
            await copied(*addresses, RecordedProgress(cut))
        await is_unfinished(target)
        assert (await copied(*addresses)).verified
        assert await everything(target) == await everything(source)


SMALL_PAGES: Final = """
import sys, grapevine.store.copy.postgres as database, grapevine.store.copy.sqlite as file
from grapevine.cli import main
database.PAGE = file.PAGE = 20
sys.exit(main(["copy", "--from", sys.argv[1], "--to", sys.argv[2]]))
"""


@pytest.mark.process
async def test_a_copy_that_is_killed(ways: tuple[Databases, Databases], postgres_server: Postgres) -> None:
    chance = random.Random(1)  # noqa: S311
    async with pair(ways, *WORLDS) as (source, target):
        before = await everything(source)
        command = [sys.executable, "-c", SMALL_PAGES, source.settings.database, target.settings.database]
        for _ in range(6):
            await asyncio.to_thread(_killed, command, chance)
            if isinstance(target, PostgresDatabase):  # the server rolls back when it notices
                others = f"FROM pg_stat_activity WHERE datname = '{target.name}'"
                postgres_server.sql(f"SELECT pg_terminate_backend(pid, 5000) {others}")
            if await schema_version(target.settings) == UNFINISHED_COPY:
                await is_unfinished(target)
            elif any((await everything(target)).values()):
                break  # it was killed after the last commit; else it was killed before the first
        else:
            assert (await copied(source.settings.database, target.settings.database)).verified
        assert await everything(target) == before == await everything(source)
        await opens(target)


def _killed(command: list[str], chance: random.Random) -> None:
    """Runs the command and kills it somewhere inside of a table, each of which it names on a line."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stderr
        for _ in range(chance.randint(1, 14)):
            process.stderr.readline()
        time.sleep(chance.random() / 20)
        process.kill()


async def test_an_unfinished_copy_of_another_source(away: tuple[Databases, Databases]) -> None:
    async with pair(away, *WORLDS) as (source, target), away[0].holding() as other:
        await unfinished(source, target)
        assert (await copied(other.settings.database, target.settings.database)).verified
        assert await everything(target) == await everything(other)


async def unfinished(source: Database, target: Database) -> None:
    """Leaves an unfinished copy in the target."""

    def stop(_: int) -> None:
        raise StoreError("stopped")

    assert await refused(source.settings.database, target.settings.database, RecordedProgress(stop)) == "stopped"


# Rows that differ -----------------------------------------------------------------------------------------------------


CHANGES: Final = """
CREATE TRIGGER changes AFTER INSERT ON visits BEGIN
    UPDATE pages SET title = 'secret', day = 1 WHERE site_id = 7;
    DELETE FROM drops WHERE site_id = 8;
    INSERT INTO salts VALUES ('zzz', 2, 'secret') ON CONFLICT DO NOTHING;
END"""


async def test_rows_that_differ_are_named(sqlite_databases: Databases) -> None:
    async with pair((sqlite_databases, sqlite_databases), *WORLDS) as (source, target):
        pages = await source.rows("SELECT page_id, cell FROM pages WHERE site_id = 7 ORDER BY page_id")
        ((drops,),) = await source.rows("SELECT count(*) FROM drops WHERE site_id = 8")
        await target.change(CHANGES)
        done = await copied(source.settings.database, target.settings.database)
        assert not done.verified
        assert done.differing == drops + len(pages) + 1
        first = {(one.table, one.what): one for one in reversed(done.differences)}
        where = f"pages (site_id 7, page_id {pages[0][0]}, cell {pages[0][1]})"
        assert first["pages", "different"] == Difference("pages", where, "different", ("day", "title"))
        assert str(first["pages", "different"]) == f"{where}: not the same day, title"
        assert str(first["salts", "extra"]) == "salts (kind zzz, day 2): in the target alone"
        assert sum(one.table == "drops" for one in done.differences) == min(drops, SHOWN)
        assert "secret" not in msgspec.json.encode(done).decode()
        assert await schema_version(target.settings) == UNFINISHED_COPY
        await target.change("DROP TRIGGER changes")
        assert (await copied(source.settings.database, target.settings.database)).verified
        assert await everything(target) == await everything(source)


@pytest.mark.parametrize("seed", range(5))
async def test_every_difference_is_found(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    (guards,) = [table for table in copied_tables() if table.name == "guards"]
    rows = [(1, chance.randint(0, 2), number, 0, chance.randint(0, 9)) for number in range(400)]
    rows.sort(key=guards.key_of)
    source = {guards.key_of(row): row for row in rows if chance.random() < 0.9}
    target = {guards.key_of(row): row for row in rows if chance.random() < 0.9}
    for key in chance.sample(sorted(target), 20):
        target[key] = (*target[key][:-1], 10)
    expected = [key for key in sorted(source | target) if source.get(key) != target.get(key)]

    async def pages(found: list[tuple[Any, ...]]) -> AsyncIterator[list[tuple[Any, ...]]]:
        while found:
            size = chance.randint(1, 40)
            yield found[:size]
            found = found[size:]

    advanced: list[int] = []
    done = await compare(guards, pages(list(source.values())), pages(list(target.values())), advanced.append)
    assert done.differing == len(expected) > SHOWN
    assert [one.where for one in done.differences] == [guards.describe(key) for key in expected[:SHOWN]]
    assert sum(advanced) == len(source)


# Refusals -------------------------------------------------------------------------------------------------------------


async def refused(source: str, target: str, watched: RecordedProgress | None = None) -> str:
    with pytest.raises(GrapevineError) as caught:
        await copied(source, target, watched)
    return str(caught.value)


async def test_one_database_as_both(sqlite_databases: Databases, postgres_databases: Databases, tmp_path: Path) -> None:
    async with sqlite_databases.holding() as file, postgres_databases.holding() as database:
        (tmp_path / "link.sqlite3").symlink_to(file.settings.database.removeprefix("sqlite:///"))
        assert "are the same database" in await refused(file.settings.database, f"sqlite:///{tmp_path}/link.sqlite3")
        url = database.settings.database
        assert "are the same database" in await refused(url, f"{url}&application_name=other")


async def test_sources_that_cannot_be_copied(
    sqlite_databases: Databases, postgres_databases: Databases, postgres_server: Postgres, tmp_path: Path
) -> None:
    target = f"sqlite:///{tmp_path}/new.sqlite3"
    assert "there is nothing to copy" in await refused(f"sqlite:///{tmp_path}/none.sqlite3", target)
    assert "there is nothing to copy" in await refused(postgres_server.url("postgres"), target)
    async with sqlite_databases.holding() as file:
        for version, says in ((0, "there is nothing to copy"), (9_999, "run a newer one")):
            await file.change(f"PRAGMA user_version = {version}")
            assert says in await refused(file.settings.database, target)
    async with postgres_databases.holding() as database:
        await database.change("UPDATE versions SET version = 9999 WHERE name = 'schema'")
        assert "run a newer one" in await refused(database.settings.database, target)
    assert not any(os.scandir(tmp_path))


async def test_a_source_of_an_older_schema(
    sqlite_databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with sqlite_databases.holding() as file:
        monkeypatch.setattr("grapevine.store.copy.copier.newest_version", lambda: newest_version() + 1)
        assert "run grapevine migrate" in await refused(file.settings.database, f"sqlite:///{tmp_path}/x.sqlite3")


async def test_targets_that_hold_something_else(ways: tuple[Databases, Databases]) -> None:
    async with pair(ways, *WORLDS) as (source, target):
        addresses = source.settings.database, target.settings.database
        await target.insert("salts", [("nonce", 0, "secret"), ("visitor", 3, "secret")])
        before = await everything(target)
        assert "holds data already (salts)" in await refused(*addresses)
        assert await everything(target) == before
        await opens(target)


async def test_a_target_that_is_no_store(
    sqlite_databases: Databases, postgres_server: Postgres, tmp_path: Path
) -> None:
    async with sqlite_databases.holding() as source:
        foreign = SQLiteFile(tmp_path / "foreign.sqlite3")
        await foreign.change("CREATE TABLE contacts (name TEXT)")
        assert "holds something else" in await refused(source.settings.database, foreign.settings.database)
        assert await foreign.rows("SELECT name FROM sqlite_schema") == [("contacts",)]
        database = PostgresDatabase(postgres_server, postgres_server.create())
        await database.change("CREATE TABLE sites (name TEXT)")
        assert "but has a table sites" in await refused(source.settings.database, database.settings.database)
        postgres_server.drop(database.name)


async def test_a_server_on_the_target_is_refused(ways: tuple[Databases, Databases]) -> None:
    async with pair(ways, *WORLDS) as (source, target):
        addresses = source.settings.database, target.settings.database
        await target.change("INSERT INTO leases VALUES ('slot 0', 'somebody', ?)", NOW + 59_000)
        assert "its lease falls in 60 s" in await refused(*addresses)
        await target.change("DELETE FROM leases")
        if isinstance(target, SQLiteFile):
            store = target.store()
            await store.open()
            assert "is in use by another process" in await refused(*addresses)
            await store.close()
        assert (await copied(*addresses)).verified


async def test_two_copies_into_one_target(ways: tuple[Databases, Databases]) -> None:
    async with pair(ways, *WORLDS) as (source, target):
        addresses = source.settings.database, target.settings.database
        async with endpoint(addresses[1]) as first:
            await first.lock()
            assert re.search("another copy is at work|in use by another process", await refused(*addresses))
        assert (await copied(*addresses)).verified


async def test_a_database_that_is_not_reached(sqlite_databases: Databases, tmp_path: Path) -> None:
    async with sqlite_databases.holding() as source:
        says = await refused(source.settings.database, f"postgresql://nobody@/x?host={tmp_path}")
    assert "cannot be reached" in says


# Values ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("UPDATE pages SET day = 'one'", "the column day holds text where BIGINT is declared"),
        ("UPDATE pages SET day = 1.5", "the column day holds a number with a fraction where BIGINT is declared"),
        ("UPDATE pages SET cell = 40000", "the column cell holds a number that is too large for SMALLINT"),
        ("UPDATE pages SET title = x'00'", "the column title holds bytes where TEXT is declared"),
        ("UPDATE pages SET title = CAST(x'ff' AS TEXT)", "the column title holds text that is no UTF-8"),
        ("UPDATE pages SET title = 'a' || char(0)", "the column title holds text with U+0000"),
        ("UPDATE visits SET next_view = 3000000000", "the column next_view holds a number that is too large for INT"),
        ("UPDATE cascades SET virality = 'NaN'", "the column virality holds text where DOUBLE PRECISION is declared"),
    ],
)
async def test_values_that_do_not_belong_there(away: tuple[Databases, Databases], change: str, says: str) -> None:
    async with pair(away, *WORLDS) as (source, target):
        table = change.split()[1]
        key = next(each for each in copied_tables() if each.name == table).key
        order = ", ".join(column.name for column in key)
        (row,) = await source.rows(f"SELECT {order} FROM {table} WHERE site_id = 8 ORDER BY {order} LIMIT 1")
        where = " AND ".join(f"{column.name} = ?" for column in key)
        assert await source.change(f"{change} WHERE {where}", *row) == 1
        said = await refused(source.settings.database, target.settings.database)
        assert says in said
        assert said.startswith(f"{table} (site_id 8, ")
        other = {"day": "1", "cell": "1", "title": "NULL", "next_view": "1", "virality": "NULL"}
        column = change.split()[3]
        await source.change(
            f"UPDATE {table} SET {column} = {other[column]} WHERE {where.replace(' AND cell = ?', '')}", *(row[:2])
        )
        assert (await copied(source.settings.database, target.settings.database)).verified


async def test_a_number_that_is_none(postgres_databases: Databases, tmp_path: Path) -> None:
    async with postgres_databases.holding(*WORLDS) as source:
        await source.change("UPDATE cascades SET virality = 'NaN'")
        assert "a number that is none (NaN)" in await refused(
            source.settings.database, f"sqlite:///{tmp_path}/x.sqlite3"
        )


async def test_text_with_nul_may_go_from_file_to_file(sqlite_databases: Databases, tmp_path: Path) -> None:
    async with sqlite_databases.holding(*WORLDS) as source:
        await source.change("UPDATE pages SET title = 'a' || char(0) || 'b'")
        assert (await copied(source.settings.database, f"sqlite:///{tmp_path}/x.sqlite3")).verified
        assert await everything(SQLiteFile(tmp_path / "x.sqlite3")) == await everything(source)
