"""Sources, targets and values that a copy refuses."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from grapevine.store.copy.copier import endpoint
from grapevine.store.copy.schema import copied_tables
from grapevine.store.schema_version import newest_version
from tests.store.copy.copies import NOW, WORLDS, copied, everything, opens, pair, refused
from tests.store.databases import Databases, PostgresDatabase, SQLiteFile
from tests.support.postgres import Postgres

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("small_pages")]


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
