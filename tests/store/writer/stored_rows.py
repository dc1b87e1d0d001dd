"""Looks into the rows of a store, and changes them behind its back."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import asyncpg

from grapevine.store.base import Store
from grapevine.store.postgres.snapshot import snapshot as postgres_snapshot
from grapevine.store.postgres.store import PostgresStore
from grapevine.store.repositories.consistency import COMPARISONS, Recount
from grapevine.store.sqlite.snapshot import snapshot
from grapevine.store.sqlite.store import SQLiteStore
from tests.support.backends import Backend


async def assert_recounted(store: Store) -> None:
    """Checks that counts and summaries equal the rows."""
    assert isinstance(store, Backend)
    async with postgres_snapshot(store.url) if isinstance(store, PostgresStore) else snapshot(store.path) as now:
        for name in COMPARISONS:
            found = await Recount(now).compare(name, None, 10)
            assert found.differing == 0, (name, found.differences)


async def change_rows(store: Store, text: str) -> None:
    """Runs one statement on the store's database."""
    if isinstance(store, PostgresStore):
        connection = await asyncpg.connect(store.url)
        await connection.execute(text)
        await connection.close()
    elif isinstance(store, SQLiteStore):
        with closing(sqlite3.connect(store.path)) as file, file:
            file.execute(text)
