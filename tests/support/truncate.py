"""PostgreSQL databases that every test finds empty: deleting rows takes less time than making a database."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import asyncpg

from grapevine.store.sql_loader import table_names

_LARGE: Final = 1 << 18
"""Bytes of a table above which what deleted rows leave behind costs later tests more than a new file costs now."""


def empty(url: str) -> None:
    """Leaves the tables at ``url`` as migrations make them."""
    run_in_thread(_empty(url))


async def _empty(url: str) -> None:
    names = sorted(table_names() - {"versions"})
    connection = await asyncpg.connect(url)
    try:
        sizes = await connection.fetch(
            "SELECT name, pg_relation_size(name::regclass) FROM unnest($1::text[]) name", names
        )
        for name, size in sizes:
            await connection.execute(f"{'TRUNCATE' if size > _LARGE else 'DELETE FROM'} {name}")
        await connection.execute("UPDATE versions SET version = 1 WHERE name <> 'schema'")
    finally:
        await connection.close()


async def execute(url: str, *statements: str) -> None:
    """Runs statements one by one, over a connection of its own."""
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def run_in_thread(work: Coroutine[Any, Any, None]) -> None:
    """Runs a coroutine in a thread with its own event loop: for synchronous fixtures while a loop is running."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()
