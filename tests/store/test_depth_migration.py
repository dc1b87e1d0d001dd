"""The migration that folds counts of very deep visits: nothing is lost, and what follows counts on top of it."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import asyncpg
import pytest

from grapevine.store import sql_loader
from grapevine.store.base import Store
from grapevine.store.postgres.store import PostgresStore
from grapevine.store.sqlite.store import SQLiteStore
from tests.support.backends import Backend

pytestmark = pytest.mark.anyio

HOURS = [(1, 10, 0, 1, depth, slot) for depth in (0, 62, 63, 64, 99, 5_000) for slot in (1, 2)]
DAYS = [(1, 5, 2, depth, slot) for depth in (0, 63, 64, 5_000) for slot in (1, 2)] + [(1, 5, 0, 64, 1)]


async def run(store: Store, dialect_text: dict[str, str]) -> None:
    """Runs a script as a migration is run."""
    if isinstance(store, PostgresStore):
        connection = await asyncpg.connect(store.url)
        await connection.execute(dialect_text["postgres"])
        await connection.close()
    elif isinstance(store, SQLiteStore):
        with closing(sqlite3.connect(store.path)) as file, file:
            file.executescript(dialect_text["sqlite"])


async def test_counts_of_very_deep_visits_are_added_up(store: Store) -> None:
    rows = "".join(
        f"INSERT INTO {table} ({columns}, visits, views) VALUES ({', '.join(map(str, key))}, {number}, 2);\n"
        for table, columns, keys in (
            ("counts_hour", "site_id, hour, source, channel, depth, cell", HOURS),
            ("counts_day", "site_id, day, dimension, key, cell", DAYS),
        )
        for number, key in enumerate(keys, 1)
    )
    await run(store, {"sqlite": rows, "postgres": rows})
    (migration,) = (one for one in sql_loader.migrations() if one.name == "bounded_names")
    fold = migration.text.partition("-- Depths")[2].partition("\n")[2]
    await run(store, {dialect: sql_loader.for_dialect(dialect, fold) for dialect in ("sqlite", "postgres")})
    assert isinstance(store, Backend)
    assert await store.look("SELECT depth, cell, visits, views FROM counts_hour ORDER BY 1, 2") == [
        (0, 1, 1, 2), (0, 2, 2, 2), (62, 1, 3, 2), (62, 2, 4, 2), (63, 1, 32, 8),
        (63, 2, 36, 8),
    ]  # fmt: skip
    assert await store.look("SELECT dimension, key, cell, visits FROM counts_day ORDER BY 1, 2, 3") == [
        (0, 64, 1, 9), (2, 0, 1, 1), (2, 0, 2, 2), (2, 63, 1, 3 + 5 + 7), (2, 63, 2, 4 + 6 + 8),
    ]  # fmt: skip
