"""A Citus cluster that is at hand, and what a test finds there: one schema for a whole test process, distributed once,
and empty at the start of each test.

A database for each test, as on plain PostgreSQL, would have to be made on every node, and templates do not carry
distributed tables; distributing two dozen tables for each test takes longer than any test. So the rows are deleted.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import asyncpg

from grapevine.store.distribution import distribute, our_tables
from grapevine.store.postgres import PostgresStore

CITUS: Final = os.environ.get("GRAPEVINE_TEST_CITUS", "")
"""The coordinator's database, with the extension and its workers added; empty where no cluster is at hand."""
SHARDS: Final = 4


@asynccontextmanager
async def schema(url: str) -> AsyncIterator[str]:
    """An empty schema of the database at ``url``, and how to reach it; its tables are gone with the block."""
    connection = await asyncpg.connect(url)
    try:
        name = f"grapevine_{os.getpid()}_{os.urandom(4).hex()}"
        await connection.execute(f"CREATE SCHEMA {name}")
        yield f"{url}{'&' if '?' in url else '?'}search_path={name}"
        await connection.execute(f"DROP SCHEMA {name} CASCADE")
    finally:
        await connection.close()


@asynccontextmanager
async def distributed(url: str) -> AsyncIterator[str]:
    """A schema with all tables, distributed."""
    async with schema(url) as own:
        store = PostgresStore(own)
        await store.open()
        await store.close()
        async for _ in distribute(own, 0, SHARDS):
            pass
        yield own


async def emptied(url: str) -> None:
    """Leaves the tables as a fresh schema has them."""
    connection = await asyncpg.connect(url)
    try:
        for table in sorted(our_tables() - {"versions"}):
            await connection.execute(f"DELETE FROM {table}")
        await connection.execute("UPDATE versions SET version = 1 WHERE name = 'sites'")
    finally:
        await connection.close()
