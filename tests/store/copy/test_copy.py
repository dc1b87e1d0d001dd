"""A store copied from one database into another: whole, the same, whatever ends it half-way; and what is refused."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any, Final

import asyncpg
import msgspec
import pytest

from grapevine.analytics.cascades import list_cascades
from grapevine.analytics.metrics import Filters
from grapevine.analytics.summary import breakdown_by, metric_series, period_summary
from grapevine.domain import ids
from grapevine.domain.periods import Period
from grapevine.errors import GrapevineError, Interrupted, StoreError
from grapevine.store.copy import postgres as database_module
from grapevine.store.copy import progress
from grapevine.store.copy import sqlite as file_module
from grapevine.store.copy.compare import SHOWN, Difference
from grapevine.store.copy.copier import Phase, Summary, move
from grapevine.store.copy.opening import opened
from grapevine.store.copy.schema import APART, Table, all_tables, moved_tables
from grapevine.store.factory import snapshot
from grapevine.store.repositories.consistency import COMPARISONS, Recount
from tests.support.databases import Database, Databases, Plant, PostgresDatabase, SQLiteFile
from tests.support.postgres import Postgres
from tests.support.world import FIRST_DAY, PAGES, grow, site_of

pytestmark = pytest.mark.anyio

NOW: Final = 1_790_000_000_000
WORLDS: Final = (Plant(1), Plant(1, site_id=8))
TEXTS: Final = ("", "a", "B", "b", "ä", "Ω", "z\u0301", "𝄞", "a b", "a'b\"", "\n", "\uffff", "~", "é" * 300)


class Watched:
    """Hears how a copy goes, and may do something at each page."""

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


async def copied(source: str, target: str, watched: Watched | None = None, *, restart: bool = False) -> Summary:
    async with opened(source) as one, opened(target) as other:
        return await move(one, other, watched or Watched(), NOW, restart=restart)


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a table is many pages."""
    for module in (file_module, database_module):
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


async def contents(database: Database, table: Table) -> list[tuple[Any, ...]]:
    names = ", ".join(f'"{name}"' for name in table.names)
    return sorted(await database.rows(f"SELECT {names} FROM {table.name}"), key=repr)


async def everything(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    return {table.name: await contents(database, table) for table in all_tables() if table.name not in APART}


def strewn(table: Table, optional: set[str], chance: random.Random, size: int) -> Iterator[tuple[Any, ...]]:
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
    assert {table.name for table in moved_tables()} == known.keys() - {"leases", "versions"}
    assert moved_tables()[-1].name == "sites"


def grouped(pairs: list[tuple[Any, ...]]) -> dict[str, set[str]]:
    return {table: {column for other, column in pairs if other == table} for table, _ in pairs}


@pytest.mark.parametrize("seed", [1, 2])
async def test_every_value_of_every_table(ways: tuple[Databases, Databases], seed: int) -> None:
    async with pair(ways) as (source, target):
        await strew(source, seed)
        await source.change("UPDATE versions SET version = 41 WHERE name = 'sites'")
        await source.change("INSERT INTO leases (name, holder, expires_at) VALUES ('slot 3', 'gone', ?)", NOW - 1)
        before = await everything(source)
        watched = Watched()
        done = await copied(source.settings.database, target.settings.database, watched)
        assert (done.verified, done.resumed, done.differing, done.differences) == (True, False, 0, [])
        assert done.rows == done.copied == sum(map(len, before.values())) == watched.rows / 2
        assert {table.table: table.rows for table in done.tables} == dict.fromkeys(before, 70)
        assert [name for phase, name in watched.heard if phase == "compare"] == [t.name for t in moved_tables()]
        assert await everything(target) == before == await everything(source)
        assert await target.rows("SELECT count(*) FROM leases") == [(0,)]
        assert await target.rows("SELECT version FROM versions WHERE name = 'sites'") == [(43,)]
        schema = await target.rows("SELECT version FROM versions WHERE name = 'schema'")
        assert schema == ([(1,)] if isinstance(target, PostgresDatabase) else [])
        await opens(target)


async def opens(database: Database) -> None:
    """It is a store like any other, with nothing left of the copy."""
    with pytest.raises(Exception, match=progress.NAME):
        await database.rows(f"SELECT * FROM {progress.NAME}")
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
    return [name for name, one in found.items() if one.places]


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


async def test_who_writes_waits_until_the_copy_is_done(postgres_databases: Databases, tmp_path: Path) -> None:
    async with postgres_databases.holding(*WORLDS) as source:
        tried: list[asyncio.Task[None]] = []

        async def write() -> None:
            connection = await asyncpg.connect(source.settings.database)
            try:
                await connection.fetch("SELECT count(*) FROM visits")
                await connection.execute("SET lock_timeout = '50ms'")
                with pytest.raises(asyncpg.LockNotAvailableError):
                    await connection.execute("UPDATE visits SET next_view = next_view + 1")
            finally:
                await connection.close()

        watched = Watched(lambda rows: tried.append(asyncio.create_task(write())) if rows < 40 else None)
        assert (await copied(source.settings.database, f"sqlite:///{tmp_path}/x.sqlite3", watched)).verified
        assert tried
        await asyncio.gather(*tried)


# Interruptions --------------------------------------------------------------------------------------------------------


class Stopped(Exception):
    """A copy that a test ends."""


def stopping(after: int) -> Watched:
    def each(rows: int) -> None:
        if rows >= after:
            raise Stopped

    return Watched(each)


async def stopped(source: Database, target: Database, after: int) -> None:
    with pytest.raises(Stopped):
        await copied(source.settings.database, target.settings.database, stopping(after))


async def test_a_copy_goes_on_where_it_was(ways: tuple[Databases, Databases]) -> None:
    async with pair(ways, *WORLDS) as (source, target):
        before = await everything(source)
        total = sum(map(len, before.values()))
        for runs in count(1):
            there = sum(map(len, (await everything(target)).values()))
            try:
                done = await copied(source.settings.database, target.settings.database, stopping(there + total // 5))
            except Stopped:
                now_there = sum(map(len, (await everything(target)).values()))
                if there == total:
                    assert runs >= 5
                    break
                assert now_there > there
        done = await copied(source.settings.database, target.settings.database)
        assert (done.verified, done.resumed, done.copied) == (True, True, 0)
        assert await everything(target) == before
        await opens(target)


@pytest.mark.parametrize("after", [30, 700, 3_000])
async def test_a_copy_that_is_cancelled(ways: tuple[Databases, Databases], after: int) -> None:
    async with pair(ways, *WORLDS) as (source, target):
        addresses = source.settings.database, target.settings.database
        reached = asyncio.Event()
        watched = Watched(lambda rows: reached.set() if rows > after else None)
        task = asyncio.create_task(copied(*addresses, watched))
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        done = await copied(*addresses)
        assert (done.verified, done.resumed) == (True, True)
        assert await everything(target) == await everything(source)


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
            await copied(*addresses, Watched(cut))
        done = await copied(*addresses)
        assert (done.verified, done.resumed) == (True, True)
        assert await everything(target) == await everything(source)


SMALL_PAGES: Final = """
import sys, grapevine.store.copy.postgres as database, grapevine.store.copy.sqlite as file
from grapevine.cli import main
database.PAGE = file.PAGE = 20
sys.exit(main(["copy", "--from", sys.argv[1], "--to", sys.argv[2]]))
"""


@pytest.mark.process
async def test_a_copy_that_is_killed(ways: tuple[Databases, Databases]) -> None:
    chance = random.Random(1)  # noqa: S311
    async with pair(ways, *WORLDS) as (source, target):
        before = await everything(source)
        command = [sys.executable, "-c", SMALL_PAGES, source.settings.database, target.settings.database]
        for _ in range(6):
            await asyncio.to_thread(_killed, command, chance)
        if await unfinished(target):
            done = await copied(source.settings.database, target.settings.database)
            assert done.verified
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


async def unfinished(database: Database) -> bool:
    """Whether a copy into it was begun and not ended, or never begun."""
    async with opened(database.settings.database) as end:  # has the file for itself
        if await end.has_table(progress.NAME):
            return True
    return not (await everything(database))["visits"]


# Rows that differ -----------------------------------------------------------------------------------------------------


async def test_rows_that_differ_are_named_and_nothing_is_mended(ways: tuple[Databases, Databases]) -> None:
    async with pair(ways, *WORLDS) as (source, target):
        (total,) = await source.rows("SELECT count(*) FROM pages")
        await strew_registry(source)
        addresses = source.settings.database, target.settings.database
        await stopped(source, target, 4_000)
        (page,) = await source.rows("SELECT page_id, cell FROM pages WHERE site_id = 7 ORDER BY page_id LIMIT 1")
        await target.change("UPDATE pages SET title = 'secret', day = 1 WHERE site_id = 7 AND page_id = ?", page[0])
        await target.change("DELETE FROM drops WHERE site_id = 8")
        await source.change("INSERT INTO salts (kind, day, value) VALUES ('aaa', 1, 'new')")
        await target.change("INSERT INTO salts (kind, day, value) VALUES ('zzz', 2, 'added')")
        drops = (await source.rows("SELECT count(*) FROM drops WHERE site_id = 8"))[0][0]
        after = await everything(target)
        done = await copied(*addresses)
        assert not done.verified
        assert done.differing == drops + 3
        first = {(one.table, one.what): one for one in reversed(done.differences)}
        where = f"pages (site_id 7, page_id {page[0]}, cell {page[1]})"
        assert first["pages", "different"] == Difference("pages", where, "different", ("day", "title"))
        assert str(first["pages", "different"]) == f"{where}: not the same day, title"
        assert first["salts", "missing"].where == "salts (kind aaa, day 1)"
        assert str(first["salts", "extra"]) == "salts (kind zzz, day 2): in the target alone"
        assert sum(one.table == "drops" for one in done.differences) == min(drops, SHOWN)
        assert "secret" not in msgspec.json.encode(done).decode()
        assert (await everything(target))["pages"] == after["pages"]
        assert total
        with pytest.raises(StoreError, match="is itself an unfinished copy"):
            await copied(addresses[1], f"sqlite:///{source.settings.database}-elsewhere")
        anew = await copied(*addresses, restart=True)
        assert (anew.verified, anew.resumed, anew.copied) == (True, False, anew.rows)
        assert await everything(target) == await everything(source)


async def strew_registry(database: Database) -> None:
    await database.insert("salts", [("nonce", 0, "secret"), ("visitor", 3, "secret")])


@pytest.mark.parametrize("seed", range(5))
async def test_whatever_differs_is_found(sqlite_databases: Databases, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    async with pair((sqlite_databases, sqlite_databases), *WORLDS) as (source, target):
        addresses = source.settings.database, target.settings.database
        total = sum(map(len, (await everything(source)).values()))
        await stopped(source, target, total + 1)  # all is copied, and the comparison has begun
        tables = [table for table, rows in (await everything(source)).items() if rows]
        expected = set()
        for table in chance.sample(tables, 4):
            deleted = await target.change(f"DELETE FROM {table} WHERE abs(random() % 40) < ?", chance.randint(1, 40))
            expected |= {(table, deleted)} if deleted else set()
        done = await copied(*addresses)
        assert done.differing == sum(number for _, number in expected)
        assert {one.table for one in done.differences} == {table for table, _ in expected}
        assert {one.what for one in done.differences} <= {"missing"}


# Refusals -------------------------------------------------------------------------------------------------------------


async def refused(source: str, target: str) -> str:
    with pytest.raises(GrapevineError) as caught:
        await copied(source, target)
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
        monkeypatch.setattr("grapevine.store.copy.copier.newest", lambda: 2)
        assert "run grapevine migrate" in await refused(file.settings.database, f"sqlite:///{tmp_path}/x.sqlite3")


async def test_targets_that_hold_something_else(ways: tuple[Databases, Databases]) -> None:
    async with pair(ways, *WORLDS) as (source, target):
        addresses = source.settings.database, target.settings.database
        await strew_registry(target)
        before = await everything(target)
        assert "holds data already (salts)" in await refused(*addresses)
        for restart in (False, True):
            with pytest.raises(StoreError, match="holds data already"):
                await copied(*addresses, restart=restart)
        assert await everything(target) == before
        await target.change("DELETE FROM salts")
        await stopped(source, target, 100)
        async with ways[0].holding() as other:
            says = await refused(other.settings.database, addresses[1])
            assert "holds an unfinished copy of" in says
            assert "--restart" in says
            assert (await copied(other.settings.database, addresses[1], restart=True)).verified
        assert not any((await everything(target)).values())


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


async def test_a_copy_begun_with_another_schema(
    away: tuple[Databases, Databases], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with pair(away, *WORLDS) as (source, target):
        with monkeypatch.context() as older:
            older.setattr(
                "grapevine.store.copy.copier.Begun", lambda identity, shown, _: progress.Begun(identity, shown, 0)
            )
            await stopped(source, target, 100)
        assert "made with schema 0" in await refused(source.settings.database, target.settings.database)


async def test_a_running_server_is_refused(ways: tuple[Databases, Databases]) -> None:
    async with pair(ways, *WORLDS) as (source, target):
        addresses = source.settings.database, target.settings.database
        for database in (source, target):
            await database.change("INSERT INTO leases VALUES ('slot 0', 'somebody', ?)", NOW + 59_000)
            assert "its lease falls in 60 s" in await refused(*addresses)
            await database.change("DELETE FROM leases")
        for database in (source, target):
            if isinstance(database, SQLiteFile):
                store = database.store()
                await store.open()
                assert "is in use by another process" in await refused(*addresses)
                await store.close()
        assert (await copied(*addresses)).verified


async def test_two_copies_into_one_target(away: tuple[Databases, Databases]) -> None:
    async with pair(away, *WORLDS) as (source, target), away[0].holding(*WORLDS) as other:
        url = target.settings.database
        async with opened(url) as first:
            await first.claim()
            assert "another copy is at work" in await refused(source.settings.database, url)
        first_file = f"{other.settings.database}-copy"
        async with opened(url) as one:
            assert await one.version() == 1
        assert (await copied(source.settings.database, first_file)).verified


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
        key = next(each for each in moved_tables() if each.name == table).key
        order = ", ".join(column.name for column in key)
        (row,) = await source.rows(f"SELECT {order} FROM {table} WHERE site_id = 8 ORDER BY {order} LIMIT 1")
        where = " AND ".join(f"{column.name} = ?" for column in key)
        assert await source.change(f"{change} WHERE {where}", *row) == 1
        said = await refused(source.settings.database, target.settings.database)
        assert says in said
        assert said.startswith(f"{table} (site_id 8, ")
        other = {"day": "1", "cell": "1", "title": "NULL", "next_view": "1", "virality": "NULL"}
        column = change.split()[3]
        await source.change(f"UPDATE {table} SET {column} = {other[column]} WHERE {where.replace(' AND cell = ?', '')}",
                            *(row[:2]))  # fmt: skip
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
