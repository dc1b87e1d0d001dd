"""The SQLite file: opened, opened again, refused with the reason, durable, and migrated step by step."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from grapevine.errors import StoreError
from grapevine.store import sql_loader
from grapevine.store.sqlite.connections import READER_SETTINGS
from grapevine.store.sqlite.store import SQLiteStore

pytestmark = pytest.mark.anyio

FRAGMENTS = next(step.number for step in sql_loader.migrations() if step.name == "fragments")
"""The migration that brings the form of tokens in fragments."""

TABLES = """sites api_keys pages visits shares unfurls conversions answers counts_hour counts_day counts_page
    counts_week counts_device counts_shared drops cascades guards leases webhooks deliveries spikes
    salts""".split()


def schema(path: Path) -> list[tuple[str, str]]:
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name").fetchall()
    connection.close()
    return rows


async def test_a_store_may_be_closed_and_opened_again(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "grapevine.sqlite3")
    for _ in range(3):
        await store.open()
        assert await store.sites.version() >= 1
        assert await store.writable()
        await store.close()
    assert not await store.writable()


def test_a_large_sort_of_a_reader_is_not_held_in_memory(tmp_path: Path) -> None:
    numbers = "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 200000)"
    with closing(sqlite3.connect(tmp_path / "grapevine.sqlite3")) as connection:
        for setting in READER_SETTINGS:
            connection.execute(f"PRAGMA {setting}")
        before = temporary_files()
        groups = connection.execute(f"{numbers} SELECT n % 150001, count(*) FROM numbers GROUP BY 1")
        groups.fetchone()
        assert temporary_files() > before


def temporary_files() -> int:
    """Returns how many of SQLite's temporary files this process has open."""
    opened = [each.readlink() for each in Path("/proc/self/fd").iterdir() if each.is_symlink()]
    return sum("etilqs" in each.name for each in opened)


async def test_every_commit_is_durable(sqlite_store: SQLiteStore) -> None:
    assert await sqlite_store.look("PRAGMA journal_mode") == [("wal",)]
    assert await sqlite_store.writer_setting("synchronous") == 2  # FULL


async def test_a_transaction_that_need_not_be_durable_does_not_wait_for_the_disk(sqlite_store: SQLiteStore) -> None:
    async with sqlite_store.batch(durable=False):
        assert await sqlite_store.writer_setting("synchronous") == 1  # NORMAL
    with pytest.raises(ZeroDivisionError):
        async with sqlite_store.batch(durable=False):
            raise ZeroDivisionError
    async with sqlite_store.batch():
        assert await sqlite_store.writer_setting("synchronous") == 2


async def test_the_pages_that_connections_keep_are_bounded(sqlite_store: SQLiteStore) -> None:
    """Memory would grow with the database. SQLite's setting is KiB below zero, and pages above."""
    assert await sqlite_store.writer_setting("cache_size") == -32_768
    assert await sqlite_store.look("PRAGMA cache_size") == [(-2_000,)]


async def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "grapevine.sqlite3"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version=999")
    connection.close()
    with pytest.raises(StoreError, match="newer version"):
        await SQLiteStore(path).open()


@pytest.mark.parametrize("content", [b"this is no database " * 100, None])
async def test_what_is_no_database_is_refused_with_the_reason(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "grapevine.sqlite3"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    with pytest.raises(StoreError, match=r"cannot use the database file .*grapevine\.sqlite3"):
        await SQLiteStore(path).open()


async def test_migrations_step_by_step_give_the_fresh_schema(tmp_path: Path) -> None:
    fresh = SQLiteStore(tmp_path / "fresh.sqlite3")
    await fresh.open()
    await fresh.close()
    for start in range(len(sql_loader.migrations())):
        path = tmp_path / f"from{start}.sqlite3"
        connection = sqlite3.connect(path)
        for migration in sql_loader.migrations()[: start + 1]:
            connection.executescript(sql_loader.for_dialect("sqlite", migration.text))
            connection.execute(f"PRAGMA user_version={migration.number}")
        connection.close()
        store = SQLiteStore(path)
        await store.open()
        await store.close()
        assert schema(path) == schema(fresh.path)
    assert {name for name, _ in schema(fresh.path)} >= set(TABLES)


async def test_a_site_from_before_identifiers_had_an_older_build(tmp_path: Path) -> None:
    path = tmp_path / "grapevine.sqlite3"
    steps = [step for step in sql_loader.migrations() if step.number < FRAGMENTS]
    with closing(sqlite3.connect(path)) as connection:
        for step in steps:
            connection.executescript(sql_loader.for_dialect("sqlite", step.text))
        connection.execute(f"PRAGMA user_version={len(steps)}")
        connection.execute("INSERT INTO sites (site_id, key, name, salt, created_at) VALUES (1, 'k', 'n', 's', 0)")
        connection.commit()
    store = SQLiteStore(path)
    await store.open()
    (site,) = await store.sites.sites()
    await store.close()
    assert (site.fragment, site.old_build_day, site.joint(10_000)) == ("auto", -1, "=")


def test_migrations_are_numbered_without_gaps() -> None:
    assert [migration.number for migration in sql_loader.migrations()] == list(
        range(1, len(sql_loader.migrations()) + 1)
    )


def test_every_query_says_what_it_is_for() -> None:
    assert len(sql_loader.queries()) > 40
    assert all(query.purpose.endswith(".") and query.text for query in sql_loader.queries().values())


def test_every_event_table_has_its_cell_in_every_unique_index() -> None:
    text = "".join(migration.text for migration in sql_loader.migrations())
    for name in TABLES:
        definition = text.split(f"CREATE TABLE {name} (")[1].split(";")[0]
        if " cell " in definition:
            assert "cell" in definition.split("PRIMARY KEY (")[1].split(")")[0].split(", "), name


async def test_a_file_that_cannot_be_read_is_said_as_such(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "torn.sqlite3")
    await store.open()
    with sqlite3.connect(store.path) as other:
        other.execute("DROP TABLE pages")
    other.close()
    for reads in (store.reads, store.quick):
        with pytest.raises(StoreError, match="cannot be read: no such table"):
            await reads.pages.urls(1, [1])
    await store.close()
